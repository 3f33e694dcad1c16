"""Copies of a keeper that lie in a store: refused unless it can destroy, compared there, tried ever more rarely where it does not answer.

docs/decisions/0014-copies-in-a-store.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from blickschutz.hosts.io.pieces import PIECE_BYTES
from blickschutz.hosts.model import AskPiece, KeptCopy, Piece
from blickschutz.hosts.ports import CopyStore
from blickschutz.hosts.rules.stores import unfit
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError
from blickschutz.retention.rules import wait_s

_log = structlog.get_logger(__name__)
# What a store says of itself may change: it is asked again.
ASKED_EVERY_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class NamedStore:
    """A store and the name that orders call it by."""

    name: str
    store: CopyStore


class StoredCopies:
    """Of one host; without a store nothing is stored. Raises `DeviceError` where the store does not do it."""

    def __init__(self, own: NamedStore | None, clock: Clock) -> None:
        self._own, self._clock = own, clock
        self._fit_until = self._listed_at = float("-inf")
        self._listed: set[str] = set()
        # By clip: how often its destruction failed, and when it is tried again.
        self._failed: dict[str, tuple[int, float]] = {}

    @property
    def name(self) -> str:
        """As orders call the store; empty without one."""
        return self._own.name if self._own is not None else ""

    def _of(self, record: KeptCopy) -> CopyStore:
        if self._own is None or record.store != self._own.name:
            raise DeviceError(f"the store {record.store} is none of this host's")
        return self._own.store

    def require_fit(self, record: KeptCopy) -> None:
        """Raises `DeviceError`, with every reason, where a copy that is to lie in the store must not go there."""
        if not record.store or self._clock.monotonic() < self._fit_until:
            return
        if reasons := unfit(self._of(record).facts()):
            raise DeviceError(" ".join(["the store is refused:", *(english for _, _, english in reasons)]))
        self._fit_until = self._clock.monotonic() + ASKED_EVERY_S

    def put(self, record: KeptCopy, path: Path, order: bytes) -> None:
        self._of(record).put(record.clip, path, order)
        if not self.is_right(record):
            raise DeviceError("what lies in the store is not what was put there: its hash is another one")

    def is_right(self, record: KeptCopy) -> bool:
        return self._of(record).digest(record.clip) == (record.sha256, record.size)

    def piece(self, asked: AskPiece) -> Piece:
        assert self._own is not None  # it lies there
        try:
            size, data = self._own.store.piece(asked.clip, max(0, asked.start), PIECE_BYTES)
        except DeviceError as error:
            _log.error("copy_not_read", clip=asked.clip, problem=str(error))
            return Piece(0, 0, b"", "unreadable")
        return Piece(asked.start, size, data)

    def order(self, clip: str) -> bytes:
        assert self._own is not None  # it was listed there
        return self._own.store.order(clip)

    def may_try(self, clip: str) -> bool:
        """Whether its turn has come: a store that does not answer is not asked every two seconds."""
        return self._failed.get(clip, (0, 0.0))[1] <= self._clock.monotonic()

    def destroy(self, record: KeptCopy) -> bool:
        """Every version; whether there can have been any. Nothing of it is listed when this returns."""
        if not record.stored:
            return False
        try:
            self._of(record).destroy(record.clip)
        except DeviceError:
            tries = self._failed.get(record.clip, (0, 0.0))[0] + 1
            self._failed[record.clip] = tries, self._clock.monotonic() + wait_s(tries)
            raise
        self._failed.pop(record.clip, None)
        self._listed.discard(record.clip)
        return True

    def clips(self) -> set[str]:
        """What was listed there, once an hour, and was not destroyed since."""
        now = self._clock.monotonic()
        if self._own is not None and now - self._listed_at >= ASKED_EVERY_S:
            self._listed_at = now
            try:
                self._listed = self._own.store.clips()
            except DeviceError as error:
                _log.error("store_not_listed", problem=str(error))
        return set(self._listed)
