"""What an upgrade works on."""

from __future__ import annotations

from typing import Protocol

from blickschutz.upgrade.model import Bundle, Seen


class Service(Protocol):
    """The service as its manager knows it. Each act raises `DeviceError` where the manager refuses."""

    def seen(self) -> Seen: ...

    def start(self) -> None:
        """Begin to start it; returns at once."""
        ...

    def stop(self) -> None:
        """End it in order and wait for that."""
        ...


class Programs(Protocol):
    """The environments with the programs."""

    def install(self, bundle: Bundle, before: str) -> None:
        """Make the new environment beside the one in use, and note that this is under way. Raises `UpgradeError`; then nothing is left."""
        ...

    def drop(self) -> None:
        """The new one, which nobody calls, goes, and the note with it."""
        ...

    def switch(self) -> None:
        """The new environment takes the place of the old one, which is kept."""
        ...

    def switch_back(self) -> None:
        """The old one takes its place again, where it has not yet."""
        ...

    def settle(self) -> None:
        """The old one goes."""
        ...


class Records(Protocol):
    """The data of the site, worked on as their owner."""

    def back_up(self) -> None:
        """Raises `UpgradeError` where there is none afterwards."""
        ...

    def rehearse(self) -> None:
        """Let the new programs bring copies of the databases up to their form. Raises `UpgradeError`; the copies are gone either way."""
        ...

    def take_back(self) -> None:
        """Give databases the form that the old programs know, with every row they have. Raises `UpgradeError`."""
        ...

    def note(self, before: str, now: str, reason: str) -> None:
        """One entry in the log; `reason` is empty where it went well."""
        ...
