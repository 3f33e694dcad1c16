"""One round: a fresh installation, its life, faults, their end, and the judgement."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from benchmarks.faults import place, seed
from benchmarks.faults.exam import HOUR_S, Exam
from benchmarks.faults.installation import Installation
from benchmarks.faults.ledger import Ledger, Violation
from benchmarks.faults.life import Life
from benchmarks.faults.listing import Fault
from benchmarks.faults.peers import Peers
from benchmarks.faults.referee import Referee
from benchmarks.faults.seed import Planted
from benchmarks.faults.template import Template


class NothingLeftError(Exception):
    """The installation has nothing any more to which this could be done."""


@dataclass
class Round:
    """What a fault has in its hands."""

    system: Installation
    peers: Peers
    template: Template
    chance: random.Random = field(default_factory=random.Random)
    ledger: Ledger = field(init=False)
    referee: Referee = field(init=False)
    life: Life = field(init=False)
    exam: Exam = field(init=False)
    # The next round needs a fresh installation.
    worn: bool = True
    # A reviewer's key is not what it was, and nobody put it back.
    sealing_stopped: bool = False
    # How long the parts of the newest round took, in seconds.
    spent: dict[str, float] = field(default_factory=dict)
    _since: float = 0.0

    def play(self, faults: Sequence[Fault], chance: random.Random) -> list[Violation]:
        """Everything, in order; what was broken. The installation lives on, unless it is worn."""
        try:
            return self._play(faults, chance)
        except NothingLeftError:
            # On a slow machine the rounds before took so long that all of it came to its end: a fresh one has it.
            return self._play(faults, chance)

    def _play(self, faults: Sequence[Fault], chance: random.Random) -> list[Violation]:
        self.chance, self._since = chance, time.monotonic()
        self.spent.clear()
        try:
            if self.worn:
                self._begin()
            self.ledger.found.clear()
            self.ledger.reads.clear()
            self.ledger.writes.clear()
            self._go(faults)
        except BaseException:
            self.worn = True
            raise
        if self.ledger.found or self.ledger.lost or self.ledger.taken:
            self.worn = True
        return list(self.ledger.found)

    def _begin(self) -> None:
        """A fresh installation, up and live."""
        self.ledger, self.sealing_stopped = Ledger(deepcopy(self.template.planted), list(self.template.alerts)), False
        self.peers.heal()
        self.peers.forget()
        self.system.fresh(self.template.folder)
        self.system.served = self.chance.random() < 0.5
        self.system.begin_at(self.template.at + 1)
        self.referee = Referee(self.system, self.ledger, seed.public_key(self.system.data))
        if not self.system.start():
            raise RuntimeError(f"the system does not start: {self.system.said[-2000:]}")
        self._part("start")
        end = time.monotonic() + 40 * self.system.slow
        while not (cameras := self.referee.cameras()) or any(one["state"] != "live" for one in cameras.values()):
            if time.monotonic() > end:
                raise RuntimeError(f"the cameras do not come up: {cameras}")
            time.sleep(0.1)
        self.worn = False
        self._part("live")

    def _go(self, faults: Sequence[Fault]) -> None:
        self.note()
        before, pid = self.referee.restarts(), self.system.pid
        self.life = Life(self.system, self.peers, self.ledger, self.chance)
        self.exam = Exam(self.system, self.peers, self.ledger, self.referee, self.life)
        self.exam.begin()
        self.life.begin()
        try:
            time.sleep(self.chance.uniform(0.5, 2.0))
            for one in faults:
                one.play(self)
        finally:
            self.life.end()
            self.system.shim.heal()
            self.peers.heal()
        self._part("fault")
        if not self.system.running:
            self.ledger.broken("work_not_running", f"the system ended: {_last(self.system.log.read_text(errors='replace'))}")
            if not self.up():
                self.referee.judge()
                return
        self.exam.settle(self._an_hour_later)
        self._part("settle")
        if pid == self.system.pid and not any(one.cells for one in faults):
            for camera, count in self.referee.restarts().items():
                if count > before.get(camera, count):
                    self.ledger.broken("cells_killed_by_control", f"the cell of {camera} was started again {count - before[camera]} times")
        self.exam.work()
        self._part("exam")
        self.referee.verify_export()
        self.referee.judge()
        self._part("judge")

    def _an_hour_later(self) -> None:
        self.worn = True
        self.down()
        self.system.pass_time(HOUR_S)
        self.up()

    def _part(self, name: str) -> None:
        """A part of the round is over."""
        now = time.monotonic()
        self.spent[name], self._since = now - self._since, now

    # --- what faults use ---

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def signal(self, pids: Sequence[int], number: int) -> None:
        for pid in pids:
            place.send(pid, number)

    def pause(self, pids: Sequence[int], seconds: float) -> None:
        """Processes stand still for a while, as on a machine that swaps or a disk that does not answer."""
        self.signal(pids, signal.SIGSTOP)
        try:
            self.wait(seconds)
        finally:
            self.signal([pid for pid in pids if place.state_of(pid)], signal.SIGCONT)

    def note(self) -> None:
        """What stands there now, stands there for ever."""
        self.ledger.saw_entries(self.system.records.entries())
        probes = {int(row["figures"].get("probe", 0)) for row in self.system.records.alerts().values()}
        for one in self.ledger.told:
            one.seen = one.seen or one.probe in probes

    def pick(self, role: str) -> Planted:
        """One of the recordings of that kind that nothing was done to yet."""
        self.worn = True
        known = [one for one in self.ledger.planted if one.role == role and one.clip not in self.ledger.taken]
        return self.chance.choice(known)

    def next_due(self) -> Planted:
        """The recording whose end comes next, far enough away that something can be done to it before."""
        now = self.system.now()
        coming = [one for one in self.ledger.planted if one.due > now + 1 and one.role == "due"]
        if not coming:
            raise NothingLeftError
        return min(coming, key=lambda one: one.due)

    def cameras_run(self, when: str) -> None:
        """All cameras are live, or become so within a few seconds."""
        end = time.monotonic() + 10 * self.system.slow
        while self.exam.dark() and time.monotonic() < end:
            time.sleep(0.3)
        for text in self.exam.dark():
            self.ledger.broken("work_not_running", f"{text} {when}")

    def down(self) -> None:
        """An orderly end, after which files can be changed."""
        self.note()
        if not self.system.stop():
            self.ledger.broken("work_not_running", "the system did not end within 25 s of SIGTERM")
        self.note()

    def up(self) -> bool:
        """Start again; where it refuses, that is said and counts as not running."""
        if self.system.start():
            return True
        self.ledger.broken("work_not_running", f"the system does not start again: {_last(self.system.said)}")
        return False

    def up_or_words(self) -> bool:
        """Start again; a refusal in words (no traceback) is an answer too. Whether it is up."""
        if self.system.start():
            return True
        if "Traceback" in self.system.said or "Error:" not in self.system.said:
            self.ledger.broken("work_not_running", f"the start ends without words: {_last(self.system.said)}")
        return False

    def put_back(self, names: Sequence[str]) -> None:
        """The way back: what was there before the fault stands there again."""
        for name in names:
            target = self.system.data / name
            for path in target.parent.glob(f"{target.name}*"):
                path.unlink()
            for path in (self.system.base / "safe").glob(f"{target.name}*"):
                shutil.copy2(path, target.parent / path.name)

    def keep_safe(self, names: Sequence[str]) -> None:
        """A copy, as a backup that somebody has."""
        safe = self.system.base / "safe"
        shutil.rmtree(safe, ignore_errors=True)
        safe.mkdir()
        for name in names:
            target = self.system.data / name
            for path in target.parent.glob(f"{target.name}*"):
                if path.is_file():
                    shutil.copy2(path, safe / path.name)


def _last(text: str) -> str:
    """What a program said last, in one line."""
    lines = [line for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:])[-400:]
