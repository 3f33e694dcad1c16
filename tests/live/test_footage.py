"""From real footage to an alert, over a running system with one cell."""

from __future__ import annotations

import pytest

from blickschutz.config.budget import Budget
from blickschutz.config.loader import load_site
from blickschutz.config.model import Zone
from blickschutz.demo import footage
from blickschutz.situations.kinds import Kind
from blickschutz.situations.settings import RuleSettings
from tests.conftest import ROOT
from tests.live.system import RunningSystem, free_port, until

pytestmark = [pytest.mark.timeout(240)]


@pytest.mark.later
def test_a_real_person_in_real_footage_becomes_an_alert(tmp_path):
    """From the cell's detector to the alert, on the demo's footage; the cell's rule runs with short bounds."""
    clip = footage.folder() / "view-03-day.mp4"
    if not clip.exists():
        pytest.skip("the demo's footage is not here (blickschutz demo --prepare)")
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    zone = Zone(id="all", name="Alles", polygon=((0, 0), (1, 0), (1, 1), (0, 1)), rules=RuleSettings(loitering_s=3.0, loitering_m=50.0))
    camera = site.cameras[0].model_copy(update={"address": f"file:{clip}", "calibration": None, "zones": (zone,), "privacy_zones": ()})
    server = site.server.model_copy(update={"port": free_port()})
    alerts = site.alerts.model_copy(update={"budget": Budget(shadow_days=0.0)})
    system = RunningSystem(site.model_copy(update={"cameras": (camera,), "server": server, "alerts": alerts}), tmp_path)
    try:
        alert = until(lambda: next((a for a in system.system.control.alerting.desk.open_alerts() if a.kind is Kind.LOITERING), None), 90)
        assert alert.figures["seconds"] >= 3
        assert alert.raised - alert.taken < 5.0
        until(lambda: system.system.control.alerting.desk.store.get(alert.id).has_clip, 50)
    finally:
        system.end()
