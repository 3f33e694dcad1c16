"""What the harness itself knows to be true: what was done, answered, sealed and due."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from benchmarks.faults.seed import Planted


@dataclass(frozen=True)
class Violation:
    """One broken promise: the figure that it counts in, and what happened."""

    field: str
    text: str


@dataclass
class Decision:
    """Something that a person asked for through pages or interface. `accepted` is None where no answer came."""

    what: str
    subject: str
    by: str
    text: str
    at: float
    accepted: bool | None = None
    seconds: float = 0.0
    answer: str = ""


@dataclass
class Told:
    """A situation that a camera told through the broker."""

    probe: int
    camera: str
    at: float
    # Which life of control room and broker: within one, whoever was heard once is heard.
    epoch: tuple[int, int]
    published: bool
    seen: bool = False


@dataclass
class Ledger:
    """Of one round. `taken` are clips that the fault itself took or damaged, with what was done to them."""

    planted: list[Planted]
    alerts: list[int]
    decisions: list[Decision] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    entries: dict[int, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    # What the fault itself took: "rows" (cases, accounts, log), "alerts", "log" (entries), "regime".
    lost: set[str] = field(default_factory=set)
    # Alerts whose acknowledgement's entry the fault itself took.
    unentered: set[int] = field(default_factory=set)
    reads: list[float] = field(default_factory=list)
    writes: list[tuple[float, str]] = field(default_factory=list)
    found: list[Violation] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def broken(self, name: str, text: str) -> None:
        with self.lock:
            if (one := Violation(name, " ".join(text.split()))) not in self.found:
                self.found.append(one)

    def saw_entries(self, entries: list[dict[str, object]]) -> None:
        """Entries that stood in the log at some moment: they stand there for ever."""
        for entry in entries:
            self.entries[int(str(entry["number"]))] = str(entry["hash"])
