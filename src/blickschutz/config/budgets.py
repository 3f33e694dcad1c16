"""What the alarm budget of the site file comes to for each camera: one place for the program and the documents."""

from __future__ import annotations

import hashlib
import json

from blickschutz.budget.model import DAY_S, BudgetSettings, CameraBudget
from blickschutz.config.model import Camera, SiteFile
from blickschutz.regime.model import Action, RegimeName
from blickschutz.situations.declare import Where
from blickschutz.situations.kinds import WHERE, Kind
from blickschutz.situations.model import FLOOR
from blickschutz.situations.settings import START_THRESHOLDS


def budget_settings(site: SiteFile, evidence: str = "") -> BudgetSettings:
    """What each camera may cost. `evidence` names the version of the rules that give scores."""
    budget = site.alerts.budget
    own = {one.id: one for one in budget.cameras}
    cameras = {}
    for camera in site.cameras:
        mine = own.get(camera.id)
        common = budget.false_alarms if mine is None or mine.false_alarms is None else mine.false_alarms
        kinds = {**budget.kinds, **(mine.kinds if mine is not None else {})}
        cameras[camera.id] = CameraBudget(
            per_day=common / budget.days,
            told={kind: _told(site, kind) for kind in Kind if _is_looked_for(camera, kind)},
            kinds={kind: count / budget.days for kind, count in kinds.items()},
            fixed=camera.thresholds,
            mark=_mark(site, camera, evidence),
        )
    return BudgetSettings(cameras, budget.shadow_days * DAY_S, START_THRESHOLDS, FLOOR)


def _told(site: SiteFile, kind: Kind) -> frozenset[str]:
    """Regimes in which somebody is told of a kind, or it is recorded."""
    regimes = ((RegimeName.DAY, site.regimes.day), (RegimeName.NIGHT, site.regimes.night))
    return frozenset(name.value for name, one in regimes if one.kinds.get(kind, one.on_situation) is not Action.COUNT)


def _is_looked_for(camera: Camera, kind: Kind) -> bool:
    if WHERE[kind] is Where.LINES:
        return bool(camera.lines)
    # Without zones there is one over the whole picture, with all rules.
    zones = [zone for zone in camera.zones if kind not in zone.rules.off]
    return any(zone.surface for zone in zones) if WHERE[kind] is Where.SURFACES else bool(zones) or not camera.zones


def _mark(site: SiteFile, camera: Camera, evidence: str) -> str:
    """SHA-256 (hex) of what the evidence of a camera depends on: another one, and what was counted is of another camera."""
    seen = camera.model_dump(mode="json", include={"address", "start_s", "calibration", "zones", "lines"})
    analysis = site.analysis.model_dump(mode="json")
    return hashlib.sha256(json.dumps([seen, analysis, evidence], sort_keys=True).encode()).hexdigest()
