"""The desk of the alarm budget: counts what cells tell, keeps the numbers, says what a threshold costs, lays what people accept."""

from __future__ import annotations

import copy
import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import structlog

from blickschutz.audit.model import Event
from blickschutz.budget.model import (
    DAY_S,
    MOST_DAYS,
    Began,
    BudgetSettings,
    CameraView,
    Day,
    Decision,
    KindView,
    NotDone,
    Shadow,
)
from blickschutz.budget.ports import BudgetStore
from blickschutz.budget.rules.decide import Curve, judge, pooled, shares, thresholds
from blickschutz.budget.rules.tail import Floats, bin_of
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.events import Topic
from blickschutz.situations.kinds import Kind

_log = structlog.get_logger(__name__)

SYSTEM = "system"
# Between two looks of the housekeeping; a process that stood still observed nothing.
MOST_LOOK_S = 15.0
# A view that stayed another one for so long is not the one that was measured, whoever put it back.
MOVED_S = 600.0
MOVES_S = 21 * DAY_S
_KEEP_S, _FRESH_S, _JUDGE_S = 60.0, 60.0, 600.0
_SAME = 1e-6


class _Camera:
    """What is counted at a camera: days of this stretch from the oldest on, the last one goes on."""

    def __init__(self, shadow: Shadow, days: Sequence[Day]) -> None:
        self.shadow, self.days = shadow, list(days)
        if not self.days or self.days[-1].seconds >= DAY_S:
            self.days.append(self._next())
        self.changed = False

    def _next(self) -> Day:
        number = self.days[-1].number + 1 if self.days else 1
        return Day(camera=self.shadow.camera, shadow=self.shadow.number, number=number)

    @property
    def today(self) -> Day:
        return self.days[-1]

    @property
    def may_move(self) -> bool:
        """Whether another view begins a stretch anew: a camera that sees nothing each night would never leave its shadow."""
        return self.shadow.began is not Began.VIEW or sum(day.seconds for day in self.days) >= MOVES_S

    def turn(self) -> Day | None:
        """The day that is over, where one is."""
        if self.today.seconds < DAY_S:
            return None
        over = self.today
        self.days.append(self._next())
        del self.days[: max(0, len(self.days) - MOST_DAYS)]
        return over


def judged(settings: BudgetSettings, store: BudgetStore, curves: Mapping[Kind, Curve]) -> list[CameraView]:
    """Every camera as what is kept says, for whoever only looks. A camera without numbers that can be read is not in it."""
    decisions, found = store.decisions(), []
    kept = {camera: one for camera in settings.cameras if not (one := store.load(camera)).damaged}
    others = pooled(settings, {camera: one.days for camera, one in kept.items()})
    for camera, one in kept.items():
        if one.shadow is not None:
            newest = {kind: made[0] for kind, made in decisions.get(camera, {}).items()}
            found.append(judge(settings, one.shadow, one.days, newest, curves, others[camera]))
    return found


class BudgetDesk:
    """Safe to be called from several threads. `heard` and `closed` never wait; what touches the database says so.

    `cell` names regime and hour of the day of this moment ("night 23"). `changed` tells the camera whose thresholds are others now.
    """

    def __init__(
        self, settings: BudgetSettings, store: BudgetStore, curves: Mapping[Kind, Curve], clock: Clock, cell: Callable[[], str]
    ) -> None:
        self.settings, self._store, self._curves, self._clock, self._cell = settings, store, curves, clock, cell
        self.changed: Topic[str] = Topic()
        self._lock, self._judging = threading.RLock(), threading.Lock()
        self._cameras: dict[str, _Camera] = {}
        self._decisions: Mapping[str, Mapping[Kind, list[Decision]]] = {}
        self._newest = -1
        self._retained = False
        self._moved: dict[str, Began] = {}
        self._views: tuple[float, list[CameraView]] | None = None
        self._last: list[CameraView] = []
        self._kept_at, self._judged_at = clock.monotonic(), -math.inf
        self._shares = {camera: shares(budget) for camera, budget in settings.cameras.items()}
        # Since the start, by camera and kind.
        self.episodes: Counter[tuple[str, Kind]] = Counter()
        self.alarms: Counter[tuple[str, Kind]] = Counter()

    # --- what others tell; never waits ---

    def heard(self, camera: str, kind: Kind, peak: float, seconds: float, *, told: bool) -> None:
        """An episode ended. Kept is only what there is a budget for."""
        cell = self._cell()
        with self._lock:
            self.episodes[camera, kind] += 1
            self.alarms[camera, kind] += told
            known = self._cameras.get(camera)
            if kind is Kind.CAMERA_TAMPERED and told and seconds >= MOVED_S and known is not None and known.may_move:
                self._moved.setdefault(camera, Began.VIEW)
            if known is None or kind not in self._shares.get(camera, {}):
                return
            day = known.today
            bins = day.peaks.setdefault(kind, {}).setdefault(cell, {})
            bins[bin_of(peak)] = bins.get(bin_of(peak), 0) + 1
            if told:
                day.alarms[kind] = day.alarms.get(kind, 0) + 1
            known.changed = True

    def observed(self, camera: str, seconds: float) -> None:
        """Pictures came and were analysed for `seconds`."""
        cell = self._cell()
        with self._lock:
            known = self._cameras.get(camera)
            if known is not None and seconds > 0:
                known.today.observed[cell] = known.today.observed.get(cell, 0.0) + min(seconds, MOST_LOOK_S)
                known.changed = True

    def closed(self, camera: str, kind: Kind, score: float, outcome: str, *, confirmed: bool, times: int = 1) -> None:
        """A person said what an alert was; with `times` -1 they took that back."""
        with self._lock:
            known = self._cameras.get(camera)
            if known is None or kind not in self._shares.get(camera, {}):
                return
            closed = known.today.closed.setdefault(kind, {})
            closed[outcome] = max(0, closed.get(outcome, 0) + times)
            if confirmed:
                bins = known.today.confirmed.setdefault(kind, {})
                bins[bin_of(score)] = max(0, bins.get(bin_of(score), 0) + times)
            known.changed = True

    def seen(self) -> tuple[Mapping[str, dict[str, int]], Mapping[str, dict[str, int]]]:
        """Episodes and alarms by camera and kind, since the start; what has none is missing."""
        with self._lock:
            return _by_camera(self.episodes), _by_camera(self.alarms)

    # --- thresholds in force ---

    def thresholds(self, camera: str) -> dict[Kind, float]:
        """What a cell lays on its scores."""
        found = thresholds(self.settings, camera, {kind: one.threshold for kind, one in self._newest_of(camera).items()})
        return {kind: threshold for kind, (_, threshold) in found.items()}

    def _newest_of(self, camera: str) -> dict[Kind, Decision]:
        return {kind: found[0] for kind, found in self._decisions.get(camera, {}).items()}

    # --- what touches the database ---

    def load(self) -> None:
        """Read what is kept, and what people accepted. Raises `StoreError`; what is not read yet is tried again by `keep`."""
        if self._newest < 0:
            kept = {camera: self._store.load(camera) for camera in self.settings.cameras}
            with self._lock:
                for camera, one in kept.items():
                    if one.shadow is None:
                        self._moved[camera] = Began.NEW
                    elif one.damaged:
                        self._moved[camera] = Began.DAMAGED
                        _log.error("budget_numbers_damaged", camera=camera)
                    elif one.shadow.mark != self.settings.cameras[camera].mark:
                        self._moved[camera] = Began.SETTINGS
                    if one.shadow is not None:
                        self._cameras[camera] = _Camera(one.shadow, one.days)
        self._take_decisions()

    def settle(self, settings: BudgetSettings) -> None:
        """What cameras may cost, from now on. A camera that is new, or whose evidence is of another view, begins a stretch with `keep`;
        one that is gone is not counted any more, and what was kept of it is dropped with the next start."""
        with self._lock:
            before, self.settings = self.settings, settings
            self._shares = {camera: shares(budget) for camera, budget in settings.cameras.items()}
            for camera, budget in settings.cameras.items():
                if camera not in before.cameras:
                    self._moved[camera] = Began.NEW
                elif budget.mark != before.cameras[camera].mark:
                    self._moved[camera] = Began.SETTINGS
            for camera in before.cameras.keys() - settings.cameras.keys():
                self._moved.pop(camera, None)
                self._cameras.pop(camera, None)
            self._views = None

    def _take_decisions(self) -> None:
        """Those that were made since, by whichever process."""
        newest = self._store.newest()
        if newest == self._newest:
            return
        before = {camera: self.thresholds(camera) for camera in self.settings.cameras}
        self._decisions, self._newest = self._store.decisions(), newest
        self._views = None
        for camera, laid in before.items():
            if self.thresholds(camera) != laid:
                self.changed.tell(camera)

    def keep(self) -> None:
        """Every few seconds: begin stretches anew, write the numbers once a minute, look for drift every ten."""
        self.load()
        if not self._retained:
            self._store.retain(self.settings.cameras)
            self._retained = True
        for camera, why in list(self._moved.items()):
            self._begin(camera, why, SYSTEM)
        now = self._clock.monotonic()
        if now - self._kept_at >= _KEEP_S:
            self.write()
            self._kept_at = now
        if now - self._judged_at >= _JUDGE_S:
            self._judged_at = now
            self._tell(self.views())

    def write(self) -> None:
        """Write what was counted since."""
        for known in list(self._cameras.values()):
            with self._lock:
                if not known.changed:
                    continue
                over = known.turn()
                days, oldest = [copy.deepcopy(one) for one in (over, known.today) if one is not None], known.days[0].number
                known.changed = False
            for day in days:
                self._store.keep(day, oldest)

    def _begin(self, camera: str, why: Began, by: str) -> None:
        known = self._cameras.get(camera)
        number = known.shadow.number + 1 if known is not None else 1
        shadow = Shadow(camera, number, why, self._clock.now(), self.settings.cameras[camera].mark)
        self._store.begin(shadow, by)
        with self._lock:
            self._moved.pop(camera, None)
            self._cameras[camera] = _Camera(shadow, ())
            self._views = None
        _log.info("budget_shadow_began", camera=camera, why=why.value)

    # --- what people see and do ---

    def views(self) -> list[CameraView]:
        """Every camera as it stands, at most a minute old; computes for a while."""
        with self._judging:
            now = self._clock.monotonic()
            if self._views is None or not 0 <= now - self._views[0] < _FRESH_S:
                known, others = self._snapshot()
                self._last = [
                    judge(self.settings, one.shadow, one.days, self._newest_of(camera), self._curves, others[camera])
                    for camera, one in known.items()
                ]
                self._views = now, self._last
            return self._views[1]

    def drawn(self, camera: str) -> CameraView | None:
        """One camera as it is at this moment, with its curves; None where it is not known."""
        known, others = self._snapshot()
        if camera not in known:
            return None
        one = known[camera]
        return judge(self.settings, one.shadow, one.days, self._newest_of(camera), self._curves, others[camera], drawn=True)

    def _snapshot(self) -> tuple[dict[str, _Camera], dict[str, dict[Kind, Floats]]]:
        """All cameras in the order of the site file as they are now, and for each the peaks of the others."""
        known = {}
        for camera in self.settings.cameras:
            with self._lock:
                # Only the day that goes on is still written; whoever counts must not wait for a copy of all.
                one = self._cameras.get(camera)
                if one is not None:
                    known[camera] = _Camera(one.shadow, [*one.days[:-1], copy.deepcopy(one.today)])
        return known, pooled(self.settings, {camera: one.days for camera, one in known.items()})

    def known(self) -> list[CameraView]:
        """The same as it was judged last, however long ago; nothing is computed."""
        return self._last

    def view(self, camera: str, kind: Kind) -> KindView | None:
        found = next((one for one in self.views() if one.camera == camera), None)
        return next((one for one in found.kinds if one.kind is kind), None) if found is not None else None

    def accept(self, camera: str, kind: Kind, seen: float, by: str) -> NotDone | None:
        """Lay the proposed threshold that a person saw; another one by now is not laid. Raises `StoreError`."""
        self._take_decisions()
        view = self.view(camera, kind)
        if view is None:
            return NotDone.UNKNOWN
        if view.proposal is None:
            return NotDone.NOTHING
        if abs(view.proposal.threshold - seen) > _SAME:
            return NotDone.CHANGED
        proposal = view.proposal
        facts: dict[str, str | int | float] = {
            "before": round(view.threshold, 4),
            "threshold": round(proposal.threshold, 4),
            "per_week": round(7 * proposal.cost.expected, 3),
            "per_week_at_most": round(7 * proposal.cost.high, 3),
            "recall": round(proposal.recall, 3) if proposal.recall is not None else "not measured",
            "why": proposal.why.value,
        }
        self._decide(camera, kind, proposal.threshold, by, Event.THRESHOLD_ACCEPTED, facts)
        return None

    def undo(self, camera: str, kind: Kind, by: str) -> NotDone | None:
        """Go back to the threshold before the one that was accepted last. Raises `StoreError`."""
        self._take_decisions()
        found = self._decisions.get(camera, {}).get(kind, [])
        if not found or found[0].threshold is None:
            return NotDone.NOTHING
        before = found[1].threshold if len(found) > 1 else None
        facts: dict[str, str | int | float] = {"before": round(found[0].threshold, 4)}
        facts["threshold"] = round(before, 4) if before is not None else "start"
        self._decide(camera, kind, before, by, Event.THRESHOLD_UNDONE, facts)
        return None

    def renew(self, camera: str, by: str) -> NotDone | None:
        """A person says that a camera sees something else now. Raises `StoreError`."""
        if camera not in self.settings.cameras:
            return NotDone.UNKNOWN
        self._begin(camera, Began.BY_HAND, by)
        return None

    def _decide(
        self, camera: str, kind: Kind, threshold: float | None, by: str, what: Event, facts: Mapping[str, str | int | float]
    ) -> None:
        known = self._cameras.get(camera)
        shadow = known.shadow.number if known is not None else 0
        self._store.decide(Decision(camera, kind, threshold, by, self._clock.now(), shadow), what, facts)
        self._take_decisions()

    # --- drift ---

    def _tell(self, views: Sequence[CameraView]) -> None:
        """Into the log, once: that a shadow is over, and that a camera costs more than it may."""
        for camera in views:
            if not camera.in_shadow:
                waiting = sum(one.proposal is not None for one in camera.kinds)
                self._once(Event.SHADOW_OVER, camera, "", {"days": round(camera.observed_s / DAY_S, 1), "proposals": waiting})
            for one in camera.kinds:
                if one.over and one.cost is not None and one.share is not None:
                    facts: dict[str, str | float] = {
                        "kind": one.kind.value,
                        "per_week": round(7 * one.cost.expected, 2),
                        "budget": round(7 * one.share, 3),
                    }
                    decided = one.decided.number if one.decided is not None else 0
                    self._once(Event.BUDGET_EXCEEDED, camera, f"{one.kind.value}-{decided}", facts)

    def _once(self, what: Event, view: CameraView, about: str, facts: Mapping[str, str | int | float]) -> None:
        key = f"{view.shadow.number}-{about}".rstrip("-")
        if not self._store.told(what, view.camera, key):
            self._store.tell(what, view.camera, key, facts)


def _by_camera(counts: Mapping[tuple[str, Kind], int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (camera, kind), count in counts.items():
        found.setdefault(camera, {})[kind.value] = count
    return found
