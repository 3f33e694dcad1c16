"""What the software makes of a rule that it does not know: run by `test_one_more_rule` in a process in which there is such a rule."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from scripts.kinds import rendered

from blickschutz.alerts.io.broker import Broker
from blickschutz.alerts.io.homeassistant import discovery
from blickschutz.alerts.io.wire import camera_event, message, schemas
from blickschutz.alerts.model import Alert, AlertState, Notice, Origin, Priorities, Priority
from blickschutz.bootstrap.cells import situation_settings
from blickschutz.budget.model import MUST_NOT_WAIT
from blickschutz.compliance.documents.pack import pack
from blickschutz.compliance.model import Result
from blickschutz.compliance.policy import RULES
from blickschutz.config.budgets import budget_settings
from blickschutz.config.loader import parse_site, schema
from blickschutz.control.vitals import BudgetState
from blickschutz.ingest.rules.notices import kind_of
from blickschutz.ingest.rules.onvif import Notice as Told
from blickschutz.kernel.errors import SettingsError
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Change, Scene
from blickschutz.situations.io.forests import load_learned
from blickschutz.situations.kinds import Kind, explanation, name
from blickschutz.situations.service import SituationWatch
from blickschutz.situations.settings import SituationSettings
from blickschutz.web.metrics import ROOM_METRICS
from blickschutz.web.settings import sections
from tests.conftest import ROOT
from tests.unit.test_policy import whole
from tests.unit.test_vitals import WELL

EXAMPLE = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
LANE = Kind("lane_blocked")


def site(rules="rules = { lane_s = 12.0 }"):
    return EXAMPLE.replace("[[cameras.zones]]\n", f"[[cameras.zones]]\n{rules}\n", 1)


def test_the_settings_take_its_bounds_and_the_schema_has_them():
    one = parse_site(site(), "site.toml", "de")
    watched = next(zone for camera in one.cameras for zone in situation_settings(camera).zones if camera.zones)
    assert watched.rules.lane_s == 12.0
    defined = schema()["$defs"]
    assert defined["RuleSettings"]["properties"]["lane_s"] == {
        "default": 30.0,
        "description": "lane_blocked: how long.",
        "maximum": 3600,
        "minimum": 0,
        "title": "Lane S",
        "type": "number",
    }
    assert "lane_blocked" in defined["Kind"]["enum"]
    with pytest.raises(SettingsError, match=r"rules\.lane_s"):
        parse_site(site("rules = { lane_s = 3601.0 }"), "site.toml", "de")


@pytest.mark.parametrize(("language", "meaning"), [("de", "Radweg verstellt: Dauer."), ("en", "lane_blocked: how long.")])
def test_the_page_of_settings_lists_them_with_their_meaning(language, meaning):
    found = sections(parse_site(site(), "site.toml", language), site(), language)
    rows = [row for section in found for _, rows in section.parts for row in rows if row.key.endswith(".rules.lane_s")]
    assert [(row.value.rstrip("0").rstrip(",."), row.meaning) for row in rows] == [("12", meaning)]
    assert rows[0].line > 0


def test_pages_and_messages_have_its_words():
    figures = {"seconds": 41.0, "metres": 2.1}
    assert [name(LANE, one) for one in ("de", "en")] == ["Radweg verstellt", "Lane blocked"]
    assert explanation(LANE, figures, "de") == "seit 41 s steht etwas auf 2,1 m des Weges"
    alert = Alert(1, "gate", LANE, "lane", Origin.ANALYSIS, AlertState.RAISED, 1.0, 2.0, 0.7, figures)
    told = message(Notice(7, "wire", "raised", alert), "Rathaus", "en")
    assert (told.kind, told.name, told.explanation) == (LANE, "Lane blocked", "2.1 m of the lane blocked for 41 s")
    for file in ("alert", "digest", "camera-event"):
        assert "lane_blocked" in schemas()[f"{file}.schema.json"]["$defs"]["Kind"]["enum"]
    assert camera_event(b'{"id": "1", "kind": "lane_blocked", "active": true}').kind is LANE


def test_documents_name_it():
    german = "\n".join(one.text for document in pack(whole()) for one in document.sentences())
    assert "Radweg verstellt" in german
    assert next(one for one in RULES if one.id == "KI-02").check(whole()).result is Result.HOLDS


def test_it_is_as_urgent_as_it_says_and_costs_what_it_costs():
    assert Priorities().of(LANE, "lane") is Priority.LOW
    assert LANE in MUST_NOT_WAIT
    settings = budget_settings(parse_site(EXAMPLE, "site.toml", "de"))
    assert settings.start[LANE] == 0.6
    assert all(LANE in camera.told for camera in settings.cameras.values())


def test_home_assistant_and_cameras_know_it():
    broker = Broker("127.0.0.1", "rathaus", "0123456789abcdef")
    told = discovery(broker, "Rathaus", [("gate", "Haupteingang")], ["live"], ["day"], "de")
    parts = msgspec.json.decode(told["homeassistant/device/blickschutz_0123456789abcdef_gate/config"])["components"]
    assert (parts["lane_blocked"]["name"], parts["lane_blocked"]["device_class"]) == ("Radweg verstellt", "problem")
    assert kind_of(Told("RuleEngine/LaneDetector/Blocked", (), ()), None) is LANE


def test_it_is_counted_by_its_name():
    vitals = replace(WELL, budget=[BudgetState("gate", episodes={LANE.value: 3}, alarms={LANE.value: 1})])
    for metric, count in (("blickschutz_episodes_total", 3), ("blickschutz_alarms_total", 1)):
        assert [(tuple(labels), value) for labels, value in ROOM_METRICS[metric].read(vitals)] == [(("gate", "lane_blocked"), count)]


def test_a_cell_is_told_of_it_judges_by_it_and_says_so():
    """As a cell does: the settings come as a message, scenes go in, situations and episodes come out."""
    camera = parse_site(site(), "site.toml", "de").cameras[0]
    sent = msgspec.msgpack.encode(situation_settings(camera))
    watch = SituationWatch(msgspec.msgpack.decode(sent, type=SituationSettings), load_learned())
    box, told = Box(600, 500, 700, 560), []
    for at in range(40):
        told += watch.take(Scene(float(at), taken=float(at), width=1280, height=720, changes=(Change(box, float(at), 0.0),)))
    assert [(one.kind, one.figures["seconds"]) for one in told] == [(LANE, 18.0)]
    assert [one.kind for one in watch.end()] == [LANE]
    assert watch.broken == {}


def test_lists_are_made_with_it():
    made = {path.name: text for path, text in rendered().items()}
    assert "| `lane_blocked` | something stands in the lane for 30 s |" in made["situations.md"]
    assert "| `RuleEngine/LaneDetector` | `lane_blocked` |" in made["cameras.md"]
    assert '"lane_s"' in made["site.schema.json"]
