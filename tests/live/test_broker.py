"""A real broker: two sites beside each other, a last will, a certificate of one's own, a refusal in words."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from blickschutz.alerts.io.broker import Broker
from blickschutz.alerts.io.homeassistant import discovery
from blickschutz.alerts.io.mqtt import MqttSender, MqttSource
from blickschutz.alerts.io.states import CameraNow, MqttStates, SiteNow
from blickschutz.alerts.io.transport import Trust, context, show
from blickschutz.alerts.model import FaultNotice
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import DeviceError
from tests.conftest import often
from tests.live.system import free_port, until
from tests.peers.authority import ThrowAway
from tests.peers.broker import RealBroker

pytestmark = pytest.mark.peers

FAULT = FaultNotice("disk", "disk", "full", False, 1.7e9)
NOW = SiteNow("day", (CameraNow("gate", "Haupteingang", "live", False),), ())


@pytest.fixture
def running(tmp_path):
    broker = RealBroker(free_port(), tmp_path)
    broker.start()
    yield broker
    broker.stop()


class Listener:
    """Hears everything at a broker, with the properties of MQTT 5."""

    def __init__(self, port):
        self.heard, subscribed = {}, threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_message = lambda client, userdata, item: self.heard.__setitem__(item.topic, item)
        self._client.on_subscribe = lambda *rest: subscribed.set()
        self._client.on_connect = lambda client, *rest: client.subscribe("#", 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(5)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


def states_of(at, guard):
    found = discovery(at, at.site, [("gate", "Haupteingang")], ["live"], ["day"], "de")
    return MqttStates(at, at.site, lambda: NOW, guard, SystemClock(), lambda: found)


def test_two_sites_on_one_broker_do_not_disturb_each_other(running):
    """Both with the same prefix and cameras of the same name: each is connected once and stays so."""
    guard, ends = Guard(SystemClock()), []
    sites = [Broker("127.0.0.1", name, name[0] * 16, running.port) for name in ("altstadt", "bahnhof")]
    heard = {at.site: [] for at in sites}
    try:
        senders = [MqttSender(at, at.site, "de") for at in sites]
        for at, sender in zip(sites, senders, strict=True):
            source = MqttSource(at, frozenset({"gate"}), lambda camera, event, name=at.site: heard[name].append(event.id), guard)
            states = states_of(at, guard)
            source.start()
            states.start()
            ends += [sender, source, states]
        until(lambda: running.log().count("SUBSCRIBE") >= 2)
        speaker = MqttSender(Broker("127.0.0.1", "speaker", "s" * 16, running.port), "speaker", "de")
        ends.append(speaker)
        end = time.monotonic() + often(2, 60)
        while time.monotonic() < end:
            for sender in senders:
                sender.send_fault(FAULT)
            speaker._publish("blickschutz/altstadt/cameras/gate/events", b'{"id": "1", "kind": "loitering"}')
            time.sleep(0.3)
        until(lambda: heard["altstadt"])
        log = running.log()
    finally:
        for one in ends:
            one.close()
    assert heard["bahnhof"] == []
    assert len(re.findall(r"as blickschutz-\w+-\w+ \(p5", log)) == 7, log
    assert "already connected" not in log
    assert not re.search(r"Client blickschutz-\S+ (disconnected|closed|has exceeded)", log)


def test_what_is_true_is_there_for_whoever_comes_later(running):
    guard = Guard(SystemClock())
    at = Broker("127.0.0.1", "rathaus", "0123456789abcdef", running.port)
    states = states_of(at, guard)
    states.start()
    until(lambda: running.log().count("PUBLISH") >= 5)
    late = Listener(running.port)
    try:
        until(lambda: len(late.heard) == 5)
        gate = late.heard["blickschutz/rathaus/cameras/gate/state"]
        assert json.loads(gate.payload)["state"] == "live"
        assert gate.retain
        assert gate.properties.ContentType == "application/json"
        assert 0 < gate.properties.MessageExpiryInterval <= 86_400
        assert late.heard["blickschutz/rathaus/availability"].payload == b"online"
        assert "homeassistant/device/blickschutz_0123456789abcdef_gate/config" in late.heard
        states.close()
        until(lambda: late.heard["blickschutz/rathaus/availability"].payload == b"offline")
    finally:
        late.close()
        states.close()


def test_a_site_that_is_cut_off_is_said_to_be_gone(running):
    """Without a goodbye: its last will."""
    guard = Guard(SystemClock())
    states = states_of(Broker("127.0.0.1", "rathaus", "0123456789abcdef", running.port), guard)
    states.start()
    listener = Listener(running.port)
    try:
        until(lambda: listener.heard.get("blickschutz/rathaus/availability"))
        assert listener.heard["blickschutz/rathaus/availability"].payload == b"online"
        seen = []
        listener._client.on_message = lambda client, userdata, item: seen.append((item.topic, item.payload))
        states._client.socket().shutdown(2)
        until(lambda: ("blickschutz/rathaus/availability", b"offline") in seen)
        # It comes back by itself and says so.
        until(lambda: ("blickschutz/rathaus/availability", b"online") in seen)
    finally:
        listener.close()
        states.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_asks_for_certificates_is_shown_one(tmp_path):
    authority = ThrowAway(tmp_path)
    certificate, key = authority.server("site", "rathaus")
    more = f"cafile {authority.file}\nrequire_certificate true\nuse_identity_as_username true\n"
    broker = RealBroker(free_port(), tmp_path, authority.server(), more)
    broker.start()
    try:
        for own in (True, False):
            tls = context(Trust(authority=authority.pem))
            if own:
                show(tls, certificate, key)
            sender = MqttSender(Broker("127.0.0.1", "rathaus", "0123456789abcdef", broker.port, tls=tls), "Rathaus", "de")
            try:
                if own:
                    sender.send_fault(FAULT)
                    assert "u'rathaus'" in broker.log()
                else:
                    with pytest.raises(DeviceError, match="the broker"):
                        sender.send_fault(FAULT)
            finally:
                sender.close()
    finally:
        broker.stop()


def test_a_broker_says_why_it_refuses(tmp_path):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "rathaus", "right"], check=True)
    rights = tmp_path / "rights"
    rights.write_text("user rathaus\ntopic write blickschutz/rathaus/#\n")
    more = f"password_file {passwords}\nacl_file {rights}\n"
    broker = RealBroker(free_port(), tmp_path, more=more)
    broker.start()

    def sender(site, password):
        return MqttSender(Broker("127.0.0.1", site, "0123456789abcdef", broker.port, user="rathaus", password=password), "R", "de")

    try:
        for one, why in ((sender("elsewhere", "right"), "refuses: Not authorized"), (sender("rathaus", "wrong"), "Not authorized")):
            with pytest.raises(DeviceError, match=why):
                one.send_fault(FAULT)
            one.close()
        fine = sender("rathaus", "right")
        fine.send_fault(FAULT)
        fine.close()
    finally:
        broker.stop()
