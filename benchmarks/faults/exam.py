"""When the fault is over: what must come right by itself comes right in time, and everything that runs for long does its work."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
from benchmarks.faults.installation import ADDRESS, Installation
from benchmarks.faults.ledger import Ledger, Told
from benchmarks.faults.life import Life
from benchmarks.faults.peers import Peers
from benchmarks.faults.referee import Referee
from benchmarks.faults.template import CAMERAS

from blickschutz.control.service.orders import MOST_AGE_S

_SETTLE_S, _EXAM_S, _AGAIN_S = 30.0, 15.0, 3.0
HOUR_S = 3600


class Exam:
    """Of one round. `an_hour_later` restarts the system with all clocks an hour on."""

    def __init__(self, system: Installation, peers: Peers, ledger: Ledger, referee: Referee, life: Life) -> None:
        self._system, self._peers, self._ledger, self._referee, self._life = system, peers, ledger, referee, life
        self._worked: set[str] = set()

    def settle(self, an_hour_later: Callable[[], None]) -> None:
        """Wait, within bounds, until everything has its outcome; what is not gone an hour later never goes."""
        referee = self._referee
        looks = (referee.overdue, referee.orders_open, referee.alerts_missing, referee.unlogged, self.dark)
        self._until(lambda: not any(look() for look in looks), _SETTLE_S)
        # Whom no cell took is told so after two minutes, and what was begun has its length before it.
        self._until(lambda: not referee.orders_open(), MOST_AGE_S)
        for order in referee.orders_open():
            self._ledger.broken("orders_lost", f"the order {order.text!r} for {order.subject} has no outcome; {referee.row_of(order)}")
        for text in referee.alerts_missing():
            self._ledger.broken("alerts_lost", f"{text} is lost")
        for text in self.dark():
            self._ledger.broken("work_not_running", text)
        # A cell that lived on was found again, or has ended: none films beside another.
        if len(self._system.cells()) > len(CAMERAS):
            self._ledger.broken("cells_double", f"{len(self._system.cells())} cells run for {len(CAMERAS)} cameras")
        self._decided()
        if referee.overdue():
            an_hour_later()
            self._until(lambda: not referee.overdue(), _EXAM_S)
            late = referee.overdue()
            for role in sorted({one.role for one in late}):
                count = sum(one.role == role for one in late)
                self._ledger.broken("overdue", f"{count} clips ({role}) are there an hour after the fault ended; {self._why_kept()}")

    def _until(self, holds: Callable[[], bool], within_s: float) -> bool:
        end = time.monotonic() + within_s * self._system.slow
        while not (held := holds()) and time.monotonic() < end:
            time.sleep(0.3)
        return held

    def dark(self) -> list[str]:
        """Cameras that do not run though nobody stopped them."""
        cameras = self._referee.cameras()
        if not cameras:
            return [] if "rows" in self._ledger.lost else ["the interface does not answer"]
        return [f"{name} is {one['state']}" for name, one in cameras.items() if one["state"] not in {"live", "stopped"}]

    def _decided(self) -> None:
        """What was decided is in force."""
        if "rows" in self._ledger.lost:
            return
        # Where the fault took entries of the log, it may have taken that of the start after a stop.
        cameras = self._referee.cameras() if "log" not in self._ledger.lost else {}
        entries = self._system.records.entries()
        for name, one in cameras.items():
            said = [e["event"] for e in entries if e["event"] in {"camera-stopped", "camera-resumed"} and e["subject"] in {name, "all"}]
            stopped = bool(said) and said[-1] == "camera-stopped"
            if stopped and not one["stopped"]:
                self._ledger.broken("decisions_lost", f"{name} was stopped and films again")
        if "regime" not in self._ledger.lost and any(one.what == "regime" and one.accepted for one in self._ledger.decisions):
            try:
                if not self._system.api("leit-1").get("/regime").json().get("by_hand"):
                    self._ledger.broken("decisions_lost", "the regime that somebody set is forgotten")
            except httpx.HTTPError:
                self._ledger.broken("work_not_running", "the interface does not answer")

    def work(self) -> None:
        """Hear a camera, raise an alert, tell each channel, take a picture; what was stopped runs again when somebody says so."""
        if "rows" in self._ledger.lost:
            return
        told, number, again = [self._life.tell()], 0, time.monotonic() + _AGAIN_S
        heard: dict[str, bool] = {}
        end = time.monotonic() + _EXAM_S * self._system.slow
        while time.monotonic() < end:
            number = number or self._alert_of(told)
            heard = self._peers.has_heard(number) if number else {}
            if number and all(heard.values()):
                break
            time.sleep(0.2)
            if not number and time.monotonic() > again:
                # Whoever connects again after an outage of the broker does not hear what was said before.
                told.append(self._life.tell())
                again = time.monotonic() + _AGAIN_S
        if not number:
            self._ledger.broken("work_not_running", "a camera that tells of a situation is not heard, or no alert is raised")
        for channel in [name for name, done in heard.items() if not done]:
            self._ledger.broken("work_not_running", f"the channel {channel} is not told of a new alert")
        for camera in [name for name, one in self._referee.cameras().items() if one["stopped"]]:
            answer = self._life.resume(camera)
            if not answer.accepted:
                self._ledger.broken("work_not_running", f"{camera} cannot be started again: {answer.answer}")
        if not self._until(lambda: bool(self._life.picture().accepted), _EXAM_S):
            self._ledger.broken("work_not_running", f"there is no picture of a camera: {self._ledger.decisions[-1].answer}")
        self._same_work()

    def begin(self) -> None:
        """Before the fault: which long-lived work runs all the time, by what the system itself says."""
        self._worked = self._works() & self._works()

    def _works(self) -> set[str]:
        """Without what is done once: when a round begins, it may just keep the seconds of an alert of the round before."""
        running = [line for line in self._metrics() if line.startswith("blickschutz_work_running{") and line.endswith(" 1.0")]
        return {line.rsplit(" ", 1)[0] for line in running if 'kind="short"' not in line}

    def _metrics(self) -> list[str]:
        try:
            return self._system.api("technik").get(f"{ADDRESS}/metrics").text.splitlines()
        except httpx.HTTPError:
            return []

    def _same_work(self) -> None:
        """What ran before runs again; what rests between two looks is seen by what it does."""
        seen: set[str] = set()

        def all_seen() -> bool:
            seen.update(self._works())
            return self._worked <= seen

        if not self._until(all_seen, _EXAM_S):
            for name in sorted(self._worked - seen):
                self._ledger.broken("work_not_running", f"the system says that this does not run: {name.removeprefix('blickschutz_')}")

    def _why_kept(self) -> str:
        """What the system says of why something due is still there."""
        told = {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1] for line in self._metrics() if " " in line}
        words = {"blickschutz_clock_suspended": "clock suspended", "blickschutz_safe_mode": "safe mode", "blickschutz_stuck_clips": "stuck"}
        return ", ".join(word for name, word in words.items() if float(told.get(name, 0)))

    def _alert_of(self, told: list[Told]) -> int:
        """The alert that came of any of these; 0 where none did."""
        probes = {one.probe for one in told}
        rows = self._system.records.alerts()
        return next((number for number, row in rows.items() if row["figures"].get("probe") in probes), 0)
