"""What joins cells and alarm budget: episodes and outcomes on their way in, observed time, thresholds on their way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from blickschutz.alerts.model import Alert, Origin, Outcome
from blickschutz.budget.model import BudgetSettings, CameraView, NotDone
from blickschutz.budget.service import BudgetDesk
from blickschutz.control.model import EpisodeHeard
from blickschutz.control.service.shared import Shared
from blickschutz.control.vitals import BudgetState
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import StoreError
from blickschutz.pipeline.messages import Health
from blickschutz.review.model import Case
from blickschutz.situations.kinds import Kind

_log = structlog.get_logger(__name__)


# So old what the page of health and the figures show of budgets may be: it changes within days.
STATED_S = 10.0


class Watched(Protocol):
    """A camera's cell as the budget sees it."""

    health: Health | None

    def set_thresholds(self, thresholds: Mapping[Kind, float]) -> None: ...


class Sensitivity:
    """`heard` and `closed` never wait; `look` and what people do wait for the database."""

    def __init__(self, cells: Mapping[str, Watched], desk: BudgetDesk, clock: Clock) -> None:
        self._cells, self.desk, self._clock = cells, desk, clock
        self._looked = clock.monotonic()
        self._analysed: dict[str, int] = {}
        self._stated = Shared(self._judged, clock, STATED_S, 2 * STATED_S)
        desk.changed.listen(self._lay)

    def begin(self) -> None:
        """Before any cell is started: lay what people accepted. Where that cannot be read yet, what holds without them."""
        try:
            self.desk.load()
        except StoreError as error:
            _log.error("thresholds_not_read", problem=str(error))
        for camera in self._cells:
            self._lay(camera)

    def settle(self, settings: BudgetSettings) -> None:
        """The site is another one: what depends on it begins anew, and thresholds are laid where they are others now."""
        self.desk.settle(settings)
        for camera in self._cells:
            self._lay(camera)

    def _lay(self, camera: str) -> None:
        self._stated.forget()
        if camera in self._cells:
            self._cells[camera].set_thresholds(self.desk.thresholds(camera))

    def heard(self, told: EpisodeHeard) -> None:
        """An episode ended at a camera."""
        self.desk.heard(told.camera, told.kind, told.peak, told.seconds, told=told.peak >= told.threshold)

    def closed(self, alert: Alert) -> None:
        """A person said what an alert of our own analysis was."""
        self._closed(alert, 1)

    def reopened(self, alert: Alert) -> None:
        """That was taken back."""
        self._closed(alert, -1)

    def _closed(self, alert: Alert, times: int) -> None:
        if alert.outcome is not None and alert.origin is Origin.ANALYSIS:
            confirmed = alert.outcome is Outcome.CONFIRMED
            self.desk.closed(alert.camera, alert.kind, alert.confidence, alert.outcome.value, confirmed=confirmed, times=times)

    def reviewed(self, told: tuple[Case, bool]) -> None:
        """People decided a case. Its clip was ordered by a peak at or above the threshold; which one nobody kept."""
        case, incident = told
        if case.cause in set(Kind):
            kind, outcome = Kind(case.cause), Outcome.CONFIRMED if incident else Outcome.NO_FINDING
            threshold = self.desk.thresholds(case.camera).get(kind, 0.0) if case.camera in self._cells else 0.0
            self.desk.closed(case.camera, kind, threshold, outcome.value, confirmed=incident)

    def look(self) -> None:
        """Every few seconds. Time is observed where pictures were analysed since the last look."""
        now = self._clock.monotonic()
        passed, self._looked = now - self._looked, now
        for name, cell in self._cells.items():
            health = cell.health
            count = health.analysed if health is not None and not health.stopped else -1
            before, self._analysed[name] = self._analysed.get(name, -1), count
            if 0 <= before < count:
                self.desk.observed(name, passed)
        self.desk.keep()

    def end(self) -> None:
        """Write what was counted last; where that cannot be, a minute of observation and its episodes are lost together."""
        try:
            self.desk.write()
        except StoreError as error:
            _log.error("budget_numbers_not_written", problem=str(error))

    def states(self) -> Sequence[BudgetState]:
        """What was judged last, for the page of health and the figures; some seconds old."""
        return self._stated()

    def _judged(self) -> Sequence[BudgetState]:
        known = {view.camera: view for view in self.desk.known()}
        episodes, alarms = self.desk.seen()
        return [_state(camera, known.get(camera), episodes.get(camera, {}), alarms.get(camera, {})) for camera in self._cells]

    # --- what pages ask ---

    def views(self) -> Sequence[CameraView]:
        return self.desk.views()

    def drawn(self, camera: str) -> CameraView | None:
        return self.desk.drawn(camera)

    def accept(self, camera: str, kind: Kind, seen: float, by: str) -> NotDone | None:
        return self.desk.accept(camera, kind, seen, by)

    def undo(self, camera: str, kind: Kind, by: str) -> NotDone | None:
        return self.desk.undo(camera, kind, by)

    def renew(self, camera: str, by: str) -> NotDone | None:
        return self.desk.renew(camera, by)


def _state(camera: str, view: CameraView | None, episodes: Mapping[str, int], alarms: Mapping[str, int]) -> BudgetState:
    if view is None:
        return BudgetState(camera, episodes=episodes, alarms=alarms)
    return BudgetState(
        view.camera,
        view.in_shadow,
        view.observed_s,
        waiting=len(view.waiting),
        over=tuple(one.kind.value for one in view.kinds if one.over),
        unavailable=tuple(one.kind.value for one in view.kinds if one.unavailable is not None),
        shares={
            one.kind.value: one.cost.expected / one.share
            for one in view.kinds
            if one.cost is not None and one.share is not None and one.share > 0
        },
        episodes=episodes,
        alarms=alarms,
    )
