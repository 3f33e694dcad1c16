"""What the alarm budget needs from outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from blickschutz.audit.model import Event
from blickschutz.budget.model import Day, Decision, Shadow
from blickschutz.situations.kinds import Kind


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a camera: its stretch, the days of it from the oldest on, whether some of them cannot be read.

    `shadow` is None for a camera that is not known yet.
    """

    shadow: Shadow | None = None
    days: tuple[Day, ...] = ()
    damaged: bool = False


class BudgetStore(Protocol):
    """Keeps numbers and decisions. What people are owed stands in the log in the same transaction."""

    def load(self, camera: str) -> Kept: ...

    def decisions(self) -> Mapping[str, Mapping[Kind, list[Decision]]]:
        """By camera and kind, the newest first."""
        ...

    def newest(self) -> int:
        """The number of the newest decision; 0 for none."""
        ...

    def begin(self, shadow: Shadow, by: str) -> None:
        """A stretch begins: what was counted before is deleted."""
        ...

    def keep(self, day: Day, oldest: int) -> None:
        """Write a day; days with a number under `oldest` are deleted."""
        ...

    def decide(self, decision: Decision, what: Event, facts: Mapping[str, str | int | float]) -> None: ...

    def retain(self, cameras: Collection[str]) -> None:
        """Delete what is kept of all others."""
        ...

    def told(self, what: Event, camera: str, key: str) -> bool:
        """Whether the log knows that already."""
        ...

    def tell(self, what: Event, camera: str, key: str, facts: Mapping[str, str | int | float]) -> None: ...
