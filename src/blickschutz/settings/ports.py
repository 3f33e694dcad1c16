"""What the desk of settings needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from blickschutz.config.model import SiteFile
from blickschutz.kernel.errors import DeviceError, OperatorError
from blickschutz.settings.model import Difference, Effects, Made, Noted, Proposal, Reach, State


class ClashError(OperatorError):
    """The file is another one than it was when the change was reckoned."""


class ReadOnlyError(DeviceError):
    """The file or its folder may not be written to by this program."""


class Store(Protocol):
    """Keeps proposals and what became of them; each step is in the log in the same transaction. Raises `StoreError`."""

    def all(self, most: int) -> list[Proposal]:
        """The newest first."""
        ...

    def get(self, number: int) -> Proposal | None: ...

    def add(self, proposal: Proposal) -> Proposal:
        """Keep a new one; it comes back with its number."""
        ...

    def turn(self, number: int, known: State, state: State, by: str, made: Made | None = None) -> Proposal | None:
        """Bring one that is in the state `known` into another one; None where it is in another state by now."""
        ...


class File(Protocol):
    """The site file and its former versions. Raises `DeviceError` where it cannot be read or written."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def read(self) -> str:
        """The text, as it is written."""
        ...

    def write(self, text: str, expected: str) -> None:
        """Put `text` in its place, wholly or not at all; both versions are kept. Raises `ClashError` where it is no longer `expected`."""
        ...

    def keep(self, text: str) -> str:
        """Keep a version; its SHA-256 (hex)."""
        ...

    def note(self, noted: Noted) -> None:
        """Tell other programs how it stands."""
        ...

    def noted(self) -> Noted | None:
        """What was told last; None where nothing was."""
        ...

    def version(self, sha256: str) -> str | None:
        """A version that is kept, unaltered."""
        ...


class Running(Protocol):
    """The system that the settings are in force in."""

    def effects(self, before: SiteFile, after: SiteFile, wanted: Sequence[Difference]) -> Effects:
        """What it does that the file says `after` instead of `before`. Looks at rules and documents, so it takes a second.

        Raises `SettingsError` where a file that is named cannot be read.
        """
        ...

    def prepare(self, site: SiteFile) -> Callable[[], Mapping[str, Reach]]:
        """All that can fail; what comes back puts the settings in force and says what became of which camera.

        Raises `SettingsError`.
        """
        ...
