"""Key files: JSON, for their owner alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from stimmungsbild.errors import OpeningError
from stimmungsbild.keys.model import EvaluationKey, HolderKey

Key = TypeVar("Key", HolderKey, EvaluationKey)


def write_key(path: Path, key: HolderKey | EvaluationKey) -> None:
    """A new file; one that is there already is never overwritten."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(key), indent=1))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise OpeningError(f"{path} is there already, and a key is never overwritten") from error


def read_holder(path: Path) -> HolderKey:
    """A holder's key."""
    return _read(path, HolderKey)


def read_evaluation(path: Path) -> EvaluationKey:
    """The evaluation's key."""
    return _read(path, EvaluationKey)


def _read(path: Path, kind: type[Key]) -> Key:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise OpeningError(f"{path} is no key file of this kind: {error}") from error
