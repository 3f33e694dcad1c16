"""Alert rules and dashboard that come with the package: every figure in them exists, and promtool finds nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from blickschutz.control import vitals
from blickschutz.control.replicas import BEHIND_S
from blickschutz.web.metrics import CELL_METRICS, DECODER, DECODER_TROUBLE, METRICS, RECORDS, REFUSED, ROOM_METRICS
from tests.conftest import ROOT

FOLDER = ROOT / "monitoring"
RULES = (FOLDER / "blickschutz.rules.yml").read_text(encoding="utf-8")
DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
# What Prometheus adds to every figure, and what our configuration of it does.
OUTER = {"job", "instance", "site"}


def labels_of(name):
    known = {"blickschutz_camera_state": {"camera", "state"}, "blickschutz_cell_restarts_total": {"camera"}, REFUSED: {"reason"}}
    known |= {DECODER: {"camera", "wanted", "used"}, DECODER_TROUBLE: {"camera"}}
    if name in ROOM_METRICS:
        return set(ROOM_METRICS[name].labels)
    return {"camera"} if name in CELL_METRICS else set() if name in RECORDS else known[name]


@pytest.mark.parametrize("text", [RULES, "\n".join(EXPRESSIONS)], ids=["rules", "dashboard"])
def test_every_figure_in_them_exists_with_its_labels(text):
    found = re.findall(r"\b(blickschutz_[a-z0-9_]+)(?:\{([^}]*)\})?", text)
    assert len(found) > 20
    for name, selector in found:
        assert name in METRICS
        assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", selector)) <= labels_of(name) | OUTER, (name, selector)


def test_limits_are_those_of_the_page_of_health():
    for expression in (
        f"blickschutz_queue_oldest_seconds > {vitals.OLD_ITEM_S:g}",
        f"blickschutz_notices_oldest_seconds > {vitals.OLD_NOTICE_S:g}",
        f"blickschutz_orders_oldest_seconds > {vitals.OLD_ORDER_S:g}",
        f"blickschutz_database_replica_lag_seconds > {BEHIND_S:g}",
        f"blickschutz_event_loop_lag_p99_seconds > {vitals.SLOW_LOOP_S:g}",
        f"blickschutz_disk_forecast_seconds < {vitals.SHORT_DISK_S / 86_400:g} * 86400",
        f"blickschutz_certificate_expiry_timestamp_seconds - time() < {vitals.CERTIFICATE_S / 86_400:g} * 86400",
    ):
        assert expression in RULES


def test_each_rule_says_what_to_do_in_both_languages():
    rules = RULES.count("- alert:")
    assert rules == 29
    for key in ("summary:", "summary_de:", "severity:", "expr:"):
        assert len(re.findall(rf"\b{key}", RULES)) - (key == "severity:") == rules, key


def test_the_dashboard_is_one_that_grafana_reads():
    """grafana.com, "Dashboard JSON model": unique ids, a grid of 24 columns, each panel with its data source and targets."""
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= DASHBOARD.keys()
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["datasource", "site"]
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["targets"]


@pytest.mark.peers
def test_promtool_finds_nothing(tmp_path):
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (apt-get install prometheus)")
    rules = [{"record": f"x:y{number}", "expr": text.replace("$site", "a")} for number, text in enumerate(EXPRESSIONS)]
    (tmp_path / "dashboard.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    for command in (
        ("check", "rules", "--lint-fatal", FOLDER / "blickschutz.rules.yml"),
        ("check", "rules", tmp_path / "dashboard.yml"),
        ("test", "rules", ROOT / "tests/golden/monitoring/alerts.test.yml"),
        ("check", "config", "--syntax-only", FOLDER / "prometheus.yml"),
    ):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
