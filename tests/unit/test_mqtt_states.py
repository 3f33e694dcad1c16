"""What lies at the broker of a site: its states by their schema, what Home Assistant finds by its own, and never a picture."""

from __future__ import annotations

import json
import re

import jsonschema_rs
import msgspec
import pytest

from blickschutz.alerts.io.broker import Broker, make_client, properties
from blickschutz.alerts.io.homeassistant import discovery
from blickschutz.alerts.io.states import CameraNow, MqttStates, SiteNow, topics_of
from blickschutz.alerts.io.wire import schemas
from blickschutz.alerts.model import AlertState, Mark
from blickschutz.bootstrap.alerting import broker
from blickschutz.config.channels import MqttChannel
from blickschutz.guard.service import Guard
from blickschutz.kernel.errors import SettingsError
from blickschutz.situations.kinds import Kind, Situation
from tests.conftest import ROOT
from tests.desk import CAMERA, SITE, Desk, site_of
from tests.fakes.clock import ManualClock
from tests.peers.authority import ThrowAway

BROKER = Broker("127.0.0.1", "rathaus", "0123456789abcdef")
NOW = SiteNow(
    "night",
    (CameraNow("gate", "Haupteingang", "live", False), CameraNow("yard", "Hof", "stopped", True)),
    (
        Mark(1, "gate", Kind.LOITERING, "all", AlertState.ESCALATED, 1.0),
        Mark(2, "gate", Kind.PERSON_DOWN, "all", AlertState.ACTING, 2.0),
    ),
)
HOME = json.loads((ROOT / "tests/golden/homeassistant/discovery.schema.json").read_text(encoding="utf-8"))
FOUND = discovery(BROKER, "Rathaus", [("gate", "Haupteingang"), ("yard", "Hof")], ["live", "stopped"], ["day", "night"], "de")


def test_states_are_as_their_schemas_say():
    told = topics_of(NOW, BROKER, "Rathaus")
    assert set(told) == {f"blickschutz/rathaus/{one}" for one in ("state", "cameras/gate/state", "cameras/yard/state")}
    for topic, data in told.items():
        schema = schemas()["camera-state.schema.json" if "/cameras/" in topic else "site-state.schema.json"]
        jsonschema_rs.validator_for(schema).validate(json.loads(data))


def test_a_state_says_what_is_true():
    told = {topic.removeprefix("blickschutz/rathaus/"): msgspec.json.decode(data) for topic, data in topics_of(NOW, BROKER, "R").items()}
    whole, gate, yard = told["state"], told["cameras/gate/state"], told["cameras/yard/state"]
    assert (whole["regime"], whole["open"], whole["escalated"], whole["in_hand"], whole["live"]) == ("night", 2, 1, 1, 1)
    assert (whole["stopped"], gate["stopped"], yard["stopped"]) == ("OFF", "OFF", "ON")
    assert {kind for kind, on in gate["kinds"].items() if on == "ON"} == {"loitering", "person_down"}
    assert set(gate["kinds"]) == {kind.value for kind in Kind}
    assert set(yard["kinds"].values()) == {"OFF"}


@pytest.mark.parametrize("topic", sorted(FOUND))
def test_home_assistant_takes_what_it_is_told(topic):
    jsonschema_rs.validator_for(HOME).validate(json.loads(FOUND[topic]))
    # homeassistant/components/mqtt/discovery.py, TOPIC_MATCHER
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic)


def test_the_schema_of_home_assistant_refuses_what_it_does_not_know():
    (payload, *_) = (json.loads(data) for data in FOUND.values())
    for key, wrong in (("state", {"platform": "camera", "unique_id": "x", "topic": "y"}), ("open", {"platform": "sensor", "name": "x"})):
        broken = {**payload, "components": {**payload["components"], key: wrong}}
        assert not jsonschema_rs.validator_for(HOME).is_valid(broken)


def test_what_home_assistant_finds_can_be_read_from_the_states():
    """Each template names a value that is there, and each option one that can come."""
    told = topics_of(NOW, BROKER, "Rathaus")
    identities = []
    for data in FOUND.values():
        device = json.loads(data)
        state = json.loads(told[device["state_topic"]])
        assert device["availability_topic"] == "blickschutz/rathaus/availability"
        for component in device["components"].values():
            identities.append(component["unique_id"])
            value = state
            for key in re.fullmatch(r"\{\{ value_json\.([a-z_.]+) \}\}", component["value_template"])[1].split("."):
                value = value[key]
            if component["platform"] == "binary_sensor":
                assert value in {"ON", "OFF"}
            else:
                assert value in component.get("options", [value])
    assert len(identities) == len(set(identities)) == 7 + 2 * (3 + len(Kind))


def test_nothing_can_be_commanded_and_nothing_is_a_picture():
    text = b"".join([*FOUND.values(), *topics_of(NOW, BROKER, "Rathaus").values()]).decode()
    for word in ("command", "image", "picture", "jpg", "url", "base64"):
        assert word not in text
    assert {one["platform"] for data in FOUND.values() for one in json.loads(data)["components"].values()} == {"sensor", "binary_sensor"}


def test_names_are_in_the_language_of_the_site():
    english = discovery(BROKER, "Town hall", [("gate", "Gate")], ["live"], ["day"], "en")
    parts = json.loads(english["homeassistant/device/blickschutz_0123456789abcdef_gate/config"])["components"]
    assert (parts["stopped"]["name"], parts["loitering"]["name"], parts["person_down"]["device_class"]) == (
        "Stopped",
        "Loitering",
        "safety",
    )


def test_a_client_is_of_its_installation_and_its_part():
    other = Broker("127.0.0.1", "rathaus", "fedcba9876543210")
    names = {make_client(broker, part)._client_id for broker in (BROKER, other) for part in ("alerts", "cameras", "states")}
    assert len(names) == 6
    assert b"blickschutz-0123456789abcdef-alerts" in names


def test_a_message_says_its_form_its_owner_and_when_it_is_over():
    about = properties(BROKER, expires_s=60)
    assert (about.ContentType, about.PayloadFormatIndicator, about.MessageExpiryInterval) == ("application/json", 1, 60)
    assert about.UserProperty == [("installation", "0123456789abcdef")]
    assert not hasattr(properties(BROKER), "MessageExpiryInterval")


class Recorder:
    """Takes the place of the library's client, connected or not."""

    def __init__(self):
        self.there, self.sent = True, []

    def is_connected(self):
        return self.there

    def publish(self, topic, data, qos, *, retain, properties):
        assert (qos, retain) == (1, True)
        self.sent.append((topic, data, getattr(properties, "MessageExpiryInterval", None)))


class TestLooking:
    @pytest.fixture
    def states(self):
        self.clock, self.now, self.found = ManualClock(), NOW, FOUND
        states = MqttStates(BROKER, "Rathaus", lambda: self.now, Guard(self.clock), self.clock, lambda: self.found)
        states._client = self.client = Recorder()
        return states

    def test_it_says_all_once_and_then_what_has_changed(self, states):
        states.look()
        assert len(self.client.sent) == 3 + len(FOUND)
        states.look()
        assert len(self.client.sent) == 3 + len(FOUND)
        self.now = SiteNow("day", NOW.cameras, NOW.open)
        states.look()
        assert [topic for topic, *_ in self.client.sent[3 + len(FOUND) :]] == ["blickschutz/rathaus/state"]

    def test_states_end_at_the_broker_and_are_said_again_before(self, states):
        states.look()
        assert {expiry for topic, _, expiry in self.client.sent if topic.endswith("/state")} == {86_400}
        self.clock.time += 3601
        states.look()
        assert len(self.client.sent) == 2 * (3 + len(FOUND))

    def test_a_new_connection_is_told_all(self, states):
        states.look()
        self.client.sent.clear()
        states._connected(None, None, None, type("Fine", (), {"is_failure": False}), None)
        states.look()
        assert self.client.sent[0][:2] == ("blickschutz/rathaus/availability", b"online")
        assert len(self.client.sent) == 1 + 3 + len(FOUND)

    def test_a_camera_that_comes_is_found_and_one_that_goes_is_taken_back(self, states):
        states.look()
        self.client.sent.clear()
        *_, gone = FOUND
        self.found = {**{topic: data for topic, data in FOUND.items() if topic != gone}, "homeassistant/device/new/config": b"{}"}
        for _ in range(2):
            states.look()
        assert self.client.sent == [(gone, b"", None), ("homeassistant/device/new/config", b"{}", None)]
        self.client.sent.clear()
        self.found = FOUND
        states.look()
        assert [one for one in self.client.sent if one[0] == gone] == [(gone, FOUND[gone], None)]

    def test_without_a_connection_nothing_is_asked(self, states):
        self.client.there = False
        states._look = None
        states.look()
        assert self.client.sent == []


class TestSettings:
    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"user": "a", "user_file": "b"}, "user_or_file"),
            ({"client_certificate": "a.pem", "tls": True}, "own_certificate"),
            ({"client_certificate": "a.pem", "client_key": "a.key", "tls": False}, "own_certificate"),
            ({"discovery": True, "states": False}, "discovery_states"),
        ],
    )
    def test_what_does_not_go_together_is_refused(self, more, said):
        with pytest.raises(ValueError, match=said):
            MqttChannel(host="127.0.0.1", **more)

    def test_a_certificate_of_its_own_goes_with_tls(self):
        made = MqttChannel(host="192.0.2.5", client_certificate="a.pem", client_key="a.key", user_file="user", discovery=True)
        assert (made.secure, made.known_port, made.states) == (True, 8883, True)


class TestTheSiteOfTheFile:
    """What `bootstrap` makes of the settings."""

    def site(self, **more):
        mqtt = MqttChannel(host="127.0.0.1", discovery=True, **more)
        site = site_of()
        named = site.site.model_copy(update={"id": "rathaus"})
        return site.model_copy(update={"site": named, "alerts": site.alerts.model_copy(update={"mqtt": mqtt})})

    def test_states_are_those_of_its_cameras_and_alerts(self, tmp_path):
        desk = Desk(tmp_path, site=self.site())
        try:
            states = desk.system.control.alerting.states
            told = {topic: msgspec.json.decode(data) for topic, data in topics_of(states._look(), states._broker, "R").items()}
            assert told["blickschutz/rathaus/state"]["cameras"] == 2
            desk.system.control.alerting.desk.take(
                CAMERA, Situation(1, Kind.LOITERING, "all", 1.0, 1.7e9, 0.8, {"seconds": 200.0, "metres": 2.0}), notify=True
            )
            desk.system.records.stops.stop(CAMERA, "leitstelle-1", "Wartung")
            told = topics_of(states._look(), states._broker, "R")
            seen = msgspec.json.decode(told[f"blickschutz/rathaus/cameras/{CAMERA}/state"])
            assert (seen["open"], seen["kinds"]["loitering"], seen["stopped"], seen["state"]) == (1, "ON", "ON", "stopped")
            identity = f"blickschutz_{desk.records.archive.key.installation}"
            assert {topic for topic in states._fixed() if topic.startswith(f"homeassistant/device/{identity}")} == set(states._fixed())
            # One that comes while all of it runs is known there, too; by its message of events besides.
            third = SITE.cameras[2]
            wanted = desk.system.site.model_copy(update={"cameras": (*desk.system.site.cameras, third)})
            desk.system.control.settings.prepare(wanted)()
            assert f"homeassistant/device/{identity}_{third.id}/config" in states._fixed()
            assert [camera.name for camera in states._look().cameras][2:] == [third.name]
        finally:
            desk.close()

    def test_none_are_kept_where_none_are_wanted(self, tmp_path):
        site = self.site()
        quiet = site.alerts.model_copy(update={"mqtt": MqttChannel(host="127.0.0.1", states=False)})
        desk = Desk(tmp_path, site=site.model_copy(update={"alerts": quiet}))
        assert desk.system.control.alerting.states is None
        desk.close()

    def test_the_key_of_an_own_certificate_is_its_owners_alone(self, tmp_path):
        certificate, key = ThrowAway(tmp_path).server("site", "rathaus")
        mqtt = MqttChannel(host="127.0.0.1", tls=True, client_certificate=certificate.name, client_key=key.name)
        key.chmod(0o644)
        with pytest.raises(SettingsError, match=r"alerts\.mqtt\.client_key: .*chmod 600"):
            broker(site_of(), mqtt, "0123456789abcdef", tmp_path)
        key.chmod(0o600)
        assert broker(site_of(), mqtt, "0123456789abcdef", tmp_path).tls is not None
        key.write_text("no key")
        with pytest.raises(SettingsError, match=r"alerts\.mqtt\.client_certificate: .*no certificate with its key"):
            broker(site_of(), mqtt, "0123456789abcdef", tmp_path)
