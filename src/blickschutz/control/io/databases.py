"""Open a database whatever became of its file: a damaged one is set aside, never deleted, and what can be read of it is rescued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Engine, MetaData

from blickschutz.control.model import FileState
from blickschutz.kernel.errors import DeviceError, StoreDamagedError
from blickschutz.storage.engine import check, open_engine
from blickschutz.storage.files import sync_folder
from blickschutz.storage.places import Place, ServerPlace
from blickschutz.storage.ports import FaultKind
from blickschutz.storage.rescue import rescue

_log = structlog.get_logger(__name__)
_PARTS = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Opened:
    """A database that can be used, what its file was found to be, and the name under which a damaged one was kept."""

    engine: Engine
    state: FileState
    aside: str = ""


def open_database(place: Place, tables: Sequence[MetaData], *, repair: bool) -> Opened:
    """What a server keeps is its administrator's to repair: `StoreDamagedError` says that it is damaged, whatever `repair` says."""
    return _on_server(place, tables) if isinstance(place, ServerPlace) else _in_file(place, tables, repair=repair)


def _on_server(place: ServerPlace, tables: Sequence[MetaData]) -> Opened:
    engine = open_engine(place, *tables)
    faults = [fault for fault in check(engine, *tables) if fault.kind is FaultKind.DAMAGED]
    if faults:
        engine.dispose()
        raise StoreDamagedError(f"{place.name}: {faults[0].text}")
    return Opened(engine, FileState.WHOLE)


def _in_file(path: Path, tables: Sequence[MetaData], *, repair: bool) -> Opened:
    """With `repair` a damaged file is set aside, and a sound one with what could be read of it takes its place.

    Without `repair` nothing is touched, and `StoreDamagedError` says where nothing can be read. Raises `OperatorError` for a
    database of a newer version, `StoreError` where the disk does not do what it should.
    """
    missing = not path.exists() or path.stat().st_size == 0
    if missing and repair:
        # A journal without its database is evidence, and would be thrown away.
        _set_aside(path, ("-wal", "-shm"))
    try:
        engine = open_engine(path, *tables)
    except StoreDamagedError:
        if not repair:
            raise
        return _anew(path, tables)
    if missing:
        return Opened(engine, FileState.MISSING)
    faults = [fault for fault in check(engine, *tables) if fault.kind is FaultKind.DAMAGED]
    if not faults:
        return Opened(engine, FileState.WHOLE)
    _log.error("database_damaged", database=path.name, problem=faults[0].text)
    if not repair:
        return Opened(engine, FileState.DAMAGED)
    engine.dispose()
    return _anew(path, tables)


def _anew(path: Path, tables: Sequence[MetaData]) -> Opened:
    aside = _set_aside(path, _PARTS)
    engine = open_engine(path, *tables)
    try:
        rows = rescue(path.with_name(aside), engine, tables)
    except OSError as error:
        _log.error("database_not_rescued", database=path.name, problem=error.strerror)
        rows = 0
    return Opened(engine, FileState.DAMAGED if rows else FileState.UNUSABLE, aside)


def _set_aside(path: Path, parts: Sequence[str]) -> str:
    """The name of the database as it is kept; empty where there was nothing."""
    there = [part for part in parts if path.with_name(path.name + part).exists()]
    if not there:
        return ""
    number = 1
    while any(path.with_name(f"{path.name}.damaged-{number}{part}").exists() for part in _PARTS):
        number += 1
    name = f"{path.name}.damaged-{number}"
    try:
        for part in there:
            path.with_name(path.name + part).replace(path.with_name(name + part))
        sync_folder(path.parent)
    except OSError as error:
        raise DeviceError(f"{path.name} is damaged and cannot be set aside: {error.strerror}") from error
    _log.error("database_set_aside", database=path.name, name=name)
    return name
