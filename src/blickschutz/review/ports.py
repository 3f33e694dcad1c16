"""What the review desk needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from blickschutz.review.model import Beside, Case, CaseState, Erasing, GivenVerdict, Hold, ProposedFate, Quarantine
from blickschutz.storage.rows import DamagedRow


class CaseTime(Protocol):
    """The time by which deadlines are judged. Whatever is done to the wall clock, a stamp keeps its age."""

    def stamp(self) -> tuple[str, float]:
        """Now: an epoch, and seconds in it."""
        ...

    def of_date(self, wall: float) -> float:
        """A date that people chose (POSIX), as deadlines judge it."""
        ...


class BesideClips(Protocol):
    """Holds and restrictions beside the clips, where a database that is lost or older takes nothing with it.

    What keeps a clip is on disk here before its row says so; what no longer keeps it goes here after its row does.
    """

    def clips(self) -> set[str]:
        """The clips that something lies beside. Raises `DeviceError`."""
        ...

    def tidy(self) -> None:
        """Remove what a crash left half written."""
        ...

    def read(self, clip: str) -> Beside:
        """Raises `DeviceError` where it cannot be read now."""
        ...

    def keep(self, clip: str, hold: Hold | None, restricted: tuple[int, ...]) -> None:
        """Write it, on disk when this returns; nothing at all removes the file. Raises `DeviceError`."""
        ...


class CaseStore(Protocol):
    """Keeps cases. Every call is one transaction that holds its entry in the log."""

    def add(self, case: Case) -> Case: ...

    def get(self, number: int) -> Case | None: ...

    def by_clip(self, clip: str) -> Case | None: ...

    def knows(self, clip: str) -> bool:
        """Whether there is a row for that clip, readable or not."""
        ...

    def damaged(self) -> list[DamagedRow]:
        """Rows that cannot be read, and so are in no other list. What asks for one of them by number raises `StoreDamagedError`."""
        ...

    def find(self, *, states: Sequence[CaseState] = (), camera: str = "", most: int = 500) -> list[Case]: ...

    def latest(self, states: Sequence[CaseState], most: int = 50) -> list[Case]: ...

    def queue(self, start: int, most: int) -> list[Case]: ...

    def counts(self) -> dict[CaseState, int]: ...

    def close(self, case: Case) -> bool: ...

    def give_verdict(self, case: Case, new: GivenVerdict, after: CaseState, hold: Hold | None) -> bool: ...

    def propose(self, case: Case, proposal: Hold) -> bool: ...

    def set_hold(self, case: Case, hold: Hold, after: CaseState) -> bool: ...

    def put_right(self, case: Case, hold: Hold) -> bool:
        """A hold beside the clip is in force, and the row did not know it (any more)."""
        ...

    def quarantine(self, case: Case, quarantine: Quarantine, hold: Hold | None) -> bool:
        """Something contradicts the row; `hold` is what lies beside the clip."""
        ...

    def propose_fate(self, case: Case, fate: ProposedFate) -> bool: ...

    def release(self, case: Case, by: Sequence[str]) -> bool:
        """Out of quarantine, into review from its beginning."""
        ...

    def bring_back(self, case: Case) -> bool:
        """A destroyed clip lies there again, the very same: it is to be destroyed again."""
        ...

    def restrict(self, case: Case, restricted: Sequence[int], request: int, by: str) -> bool: ...

    def between(self, starts: float, ends: float) -> list[Case]: ...

    def doom(self, case: Case, reason: str, by: Sequence[str]) -> bool: ...

    def erasing(self, case: Case, erasing: Erasing | None) -> Case | None:
        """Note how far the overwriting came; None where the case is not (any more) being destroyed."""
        ...

    def heard(self, case: Case, said: str, above: int = 0) -> bool:
        """The host of the clip has confirmed what was said of it. `above`: the row's version is to be a higher one afterwards."""
        ...

    def copied(self, case: Case, above: int = 0) -> bool:
        """Note `copies`, `reported` and `digest` of the case as they are given; False where the case changed meanwhile. `above`: the row's
        version is to be a higher one afterwards."""
        ...

    def shredded(self, case: Case, receipt: dict[str, str | int | float | bool | list[str]], at: float) -> bool: ...
