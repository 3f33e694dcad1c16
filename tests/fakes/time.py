"""A machine whose true time the test knows: its clocks, its clips, its log."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from blickschutz.retention.io.timefile import TimeFile
from blickschutz.retention.model import Adopted, Change, Confirmed, Kept, Limits, Sample, Stamp, StampedClip
from blickschutz.retention.rules import judge
from blickschutz.retention.service import RetentionTime
from blickschutz.vault.io.files import InstallationKey, is_signed

HOUR, DAY = 3600.0, 86_400.0
NOON = 1_795_676_000.0


@dataclass
class Machine:
    """See `Sources`. `error` is how wrong its wall clock is; the boot clock runs while it is on and not paused."""

    true: float = NOON
    error: float = 0.0
    synchronised: bool = False
    boots: int = 1
    counter: float = 1000.0

    def sample(self) -> Sample:
        return Sample(f"boot{self.boots:04}", self.counter, self.true + self.error, self.synchronised)

    def boottime(self) -> float:
        return self.counter

    def go(self, seconds: float) -> None:
        self.true += seconds
        self.counter += seconds

    def pause(self, seconds: float) -> None:
        """A virtual machine that is stopped: its host sets the wall clock afterwards, the boot clock did not move."""
        self.true += seconds

    def set_wall(self, wall: float) -> None:
        self.error, self.synchronised = wall - self.true, False

    def boot(self, off: float, took: float = 5.0) -> None:
        self.true += off + took
        self.boots, self.counter, self.synchronised = self.boots + 1, took, False


@dataclass
class ClipsAndLog:
    """See `Clips` and `Journal`: rows and serial numbers in memory."""

    rows: dict[str, StampedClip] = field(default_factory=dict)
    decisions: list[Confirmed] = field(default_factory=list)
    highest: int = 0
    broken: bool = False
    ran: bool = False

    def begun(self) -> bool:
        return self.ran

    def stamped(self) -> list[StampedClip]:
        return list(self.rows.values())

    def serial(self) -> int:
        return self.highest

    def confirmed(self, decision: Confirmed) -> None:
        if self.broken:
            raise RuntimeError("the log cannot be written")
        self.decisions.append(decision)
        self.highest = decision.serial
        self.adopt(dict(decision.stamps))

    def heard(self, change: Change) -> None:
        self.highest = max(self.highest, change.serial)

    def adopt(self, stamps: dict[str, Adopted]) -> None:
        for name, given in stamps.items():
            old = self.rows[name]
            self.rows[name] = StampedClip(name, old.number, old.opened, given.stamp, old.hold_date, given.held_until, old.restricted)


class House:
    """A control room's time in a folder: started again at will, judging and destroying as housekeeping does."""

    def __init__(self, folder: Path, limit: float = 72 * HOUR) -> None:
        self.machine, self.records = Machine(), ClipsAndLog()
        self.limits = Limits(limit, 60 * DAY)
        self.path = folder / "retention.clock"
        self.key = InstallationKey(folder / "key")
        self.changes: list[Change] = []
        self.opened: dict[str, float] = {}
        self.destroyed: dict[str, float] = {}
        self.start()

    def start(self) -> None:
        file = TimeFile(self.path, self.key.sign, lambda text, signature: is_signed(text, signature, self.key.public))
        self.time = RetentionTime(self.machine, file, self.records, self.records, self.limits)
        self.time.changed.listen(self.changes.append)
        self.time.changed.listen(self.records.heard)
        self.tick()

    def record(self, stamp: Stamp | None = None) -> str:
        """A clip that opens now."""
        number = len(self.opened) + 1
        name = f"clip{number}"
        self.opened[name] = self.machine.true
        wall = self.machine.true + self.machine.error
        self.records.rows[name] = StampedClip(name, number, wall, stamp or self.time.stamp())
        return name

    def hold(self, name: str, days: float) -> float:
        """Held by two until a date; the date as POSIX."""
        until = self.machine.true + days * DAY
        old = self.records.rows[name]
        kept_until = self.time.retention_of(until)
        self.records.rows[name] = StampedClip(name, old.number, old.opened, old.stamp, until, kept_until, old.restricted)
        return until

    def kept(self) -> list[Kept]:
        return [known for row in self.records.stamped() if (known := self.time.kept(row)) is not None]

    def tick(self) -> list[str]:
        """What housekeeping does every few seconds; the clips that it destroyed."""
        reading = self.time.check()
        self.records.adopt(self.time.adoptions())
        due, _ = judge(self.kept(), self.limits, reading)
        for one in due:
            self.destroyed[one.clip] = self.machine.true
            del self.records.rows[one.clip]
        return [one.clip for one in due]

    def go(self, seconds: float) -> list[str]:
        self.machine.go(seconds)
        return self.tick()

    def age(self, name: str) -> float:
        """How old a clip is held to be."""
        known = self.time.kept(self.records.rows[name])
        assert known is not None
        return self.time.now() - known.opened_retention

    @property
    def reason(self) -> str:
        found = self.time.view().reason
        return "" if found is None else found.value
