"""What anchoring needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from blickschutz.anchor.model import Bond, HeadTold, Refused, Taken


class Line(Protocol):
    """The way to the witness; see `io.channel`."""

    def head(self) -> HeadTold: ...

    def hand(self, anchor: bytes, signature: str) -> Taken | Refused: ...


class Bonds(Protocol):
    """Keeps what is remembered of the witness; see `io.bond`."""

    def read(self) -> Bond | None: ...

    def write(self, bond: Bond) -> None: ...


class Chain(Protocol):
    """The log as far as it is anchored; see `audit.io.log`."""

    def state(self) -> tuple[int, str, object]: ...

    def hash_of(self, number: int) -> str: ...

    def hashes(self, after: int, most: int) -> Sequence[str]:
        """Hashes of the entries after that number, at most so many, in order."""
        ...


class Key(Protocol):
    """The installation's key; see `vault.io.files`."""

    @property
    def public(self) -> bytes: ...

    @property
    def former(self) -> frozenset[bytes]: ...

    def try_sign(self, data: bytes) -> bytes | None: ...
