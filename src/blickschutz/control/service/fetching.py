"""Brings the ciphertext of a clip that stays on a host here while people review it: asked for, compared by its hash, gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

import structlog

from blickschutz.guard.service import Guard
from blickschutz.hosts.model import AskPiece
from blickschutz.hosts.ports import ClipHosts
from blickschutz.kernel.errors import DeviceError
from blickschutz.review.model import Case, CopyState
from blickschutz.storage.files import erase

_log = structlog.get_logger(__name__)
_SUFFIX: Final = ".clip"
_PART: Final = ".part"
# A host that was busy is asked again; one that is away says so at once.
_TRIES: Final = 3
# What anybody waits for before they are told how far it is.
PATIENCE_S: Final = 8.0
_UNUSED_S: Final = 15 * 60.0


class ClipFetch:
    """In a folder of its own, which holds nothing after a start. `begin` and `wait` in the event loop, the rest from any thread.

    A copy bears the clip's name at its beginning: whoever destroys the clip finds it.
    """

    def __init__(self, folder: Path, hosts: ClipHosts | None, free: Callable[[], int], reserve: int) -> None:
        self._folder, self._hosts, self._free, self._reserve = folder, hosts, free, reserve
        self._shares: dict[str, float] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._failed: dict[str, str] = {}
        self._guard: Guard | None = None

    def start(self, guard: Guard) -> None:
        self._guard = guard

    def clear(self) -> None:
        """What a review that was cut off left."""
        for left in self._folder.glob("*") if self._folder.exists() else ():
            with _told(left.name):
                erase(left)

    def path(self, case: Case) -> Path:
        return self._folder / f"{case.clip}{_SUFFIX}"

    def refusal(self, case: Case) -> str:
        """Why a clip of a host cannot be reviewed now, as a word for a door; empty where it is here, or can be asked for."""
        if self.path(case).exists():
            return ""
        if not self._sources(case):
            return "away"
        return self._failed.get(case.clip, "")

    def is_present(self, host: str) -> bool:
        """Whether what lies on that host can be had now."""
        return self._hosts is not None and self._hosts.is_present(host)

    def _sources(self, case: Case) -> list[str]:
        """Hosts that have it and can be asked: the one that made it first, then those that keep a copy which they compared."""
        there = [case.host, *(one.host for one in case.copies if one.state is CopyState.THERE)]
        return [host for host in there if self.is_present(host)]

    def share(self, case: Case) -> float | None:
        """How much of it is here while it is on its way; None where nothing is."""
        return self._shares.get(case.clip)

    async def wait(self, case: Case) -> str:
        """Have it here, and wait for a while: empty once it is, else a word for a door."""
        if await asyncio.to_thread(self.path(case).exists):
            return ""
        self._failed.pop(case.clip, None)
        if case.clip not in self._ended:
            if problem := await asyncio.to_thread(self.refusal, case):
                return problem
            if self._guard is None or self._free() - case.size < self._reserve:
                return "no-room"
            self._ended[case.clip], self._shares[case.clip] = asyncio.Event(), 0.0
            self._guard.once_task("clip-from-host", lambda: self._fetch(case))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._ended[case.clip].wait()
        return self._failed.get(case.clip, "") or ("" if await asyncio.to_thread(self.path(case).exists) else "fetching")

    def tidy(self, reviewed: Collection[str]) -> None:
        """Copies that nobody came for: none of the clips that are reviewed, and here for longer than anybody needs to enter."""
        for left in self._folder.glob(f"*{_SUFFIX}") if self._folder.exists() else ():
            with _told(left.name):
                if left.stem not in reviewed and time.time() - left.stat().st_mtime > _UNUSED_S:
                    erase(left)

    def drop(self, clip: str) -> None:
        """Nobody reviews it any more."""
        for end in (_SUFFIX, f"{_SUFFIX}{_PART}"):
            with _told(clip):
                erase(self._folder / f"{clip}{end}")

    async def _fetch(self, case: Case) -> None:
        try:
            for host in self._sources(case) or [case.host]:
                if await self._fetched(case, host):
                    return
            self._failed[case.clip] = "not-fetched" if self._sources(case) else "away"
        finally:
            self._shares.pop(case.clip, None)
            self._ended.pop(case.clip).set()

    async def _fetched(self, case: Case, host: str) -> bool:
        """Whether it came from that host, and is the clip that was told of when it was closed."""
        try:
            await self._pieces(case, host)
        except DeviceError as error:
            _log.error("clip_not_fetched", clip=case.clip, host=host, problem=str(error))
            await asyncio.to_thread(self.drop, case.clip)
            return False
        return True

    async def _pieces(self, case: Case, host: str) -> None:
        """Raises `DeviceError` where it does not come, or is not what its host said it was."""
        part, digest, got = self.path(case).with_name(f"{case.clip}{_SUFFIX}{_PART}"), hashlib.sha256(), 0
        await asyncio.to_thread(self._begin, part)
        while got < case.size:
            data = await self._piece(case, host, got)
            if not data or got + len(data) > case.size:
                raise DeviceError(f"the clip has another length there than the {case.size} bytes that were told")
            await asyncio.to_thread(_add, part, data)
            digest.update(data)
            got += len(data)
            self._shares[case.clip] = got / case.size
        if not case.sha256 or digest.hexdigest() != case.sha256:
            raise DeviceError("what came is not the clip that was told of: its hash is another one")
        await asyncio.to_thread(part.replace, self.path(case))

    def _begin(self, part: Path) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.write_bytes(b"")
            part.chmod(0o600)
        except OSError as error:
            raise DeviceError(f"{part.name} cannot be made: {error.strerror}") from error

    async def _piece(self, case: Case, host: str, start: int) -> bytes:
        assert self._hosts is not None  # it was looked at
        asked, left = AskPiece(case.clip, start), _TRIES
        while True:
            left -= 1
            try:
                found = await self._hosts.piece(host, asked)
                break
            except DeviceError:
                if not left:
                    raise
        if found.problem or found.start != start:
            raise DeviceError(f"the host {host} does not give it: {found.problem or 'another piece'}")
        return found.data


def _add(part: Path, data: bytes) -> None:
    try:
        with part.open("ab") as file:
            file.write(data)
    except OSError as error:
        raise DeviceError(f"{part.name} cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _log.error("copy_of_clip_stays", clip=name, problem=error.strerror)
