"""Channels against real peers: mosquitto, a mail server, an HTTP server; each of them down, refusing or hanging first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import paho.mqtt.client as mqtt
import pytest
from aiosmtpd.controller import Controller
from paho.mqtt.enums import CallbackAPIVersion

from blickschutz.alerts.io.broker import Broker
from blickschutz.alerts.io.channels import AppriseChannel, MailSender, Webhook, Words
from blickschutz.alerts.io.mqtt import MqttSender, MqttSource
from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA
from blickschutz.alerts.model import ChannelQueue
from blickschutz.alerts.service import AlertDesk, Sender
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import DeviceError
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.storage.engine import open_engine
from tests.conftest import ROOT
from tests.live.system import free_port, until
from tests.peers.broker import RealBroker

pytestmark = pytest.mark.peers

WORDS = Words("Rathaus", "de", {"gate": "Haupteingang"})


def situation(number):
    return Situation(number, Kind.LOITERING, "all", 1.0, 1.7e9, 0.8, {"seconds": 200.0, "metres": 2.0})


@pytest.fixture
def desk(tmp_path):
    store = SqlAlertStore(open_engine(tmp_path / "alerts.db", METADATA))
    yield lambda channel: AlertDesk(store, SystemClock(), [channel])
    store.close()


def notice_of(desk, channel):
    alert = desk.take("gate", situation(1), notify=True)
    return desk.store.outbox.due(channel, time.time() + 1)[0], alert


def queue_of(desk, channel):
    return desk.queues().get(channel, ChannelQueue())


class Subscriber:
    """Hears everything at the broker that is JSON."""

    def __init__(self, port):
        self.heard = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._take
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *rest: subscribed.set()
        self._client.on_connect = lambda client, *rest: client.subscribe("#", 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(5)

    def _take(self, client, userdata, item):
        if not item.topic.endswith("/availability"):
            self.heard.append((item.topic, json.loads(item.payload)))

    def publish(self, topic, data):
        self._client.publish(topic, data, 1).wait_for_publish(5)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


CONFINED = """
import json, sys, threading
from pathlib import Path
from blickschutz.alerts.io.channels import AppriseChannel, MailSender, Webhook, Words
from blickschutz.alerts.io.broker import Broker
from blickschutz.alerts.io.mqtt import MqttSender, MqttSource
from blickschutz.alerts.io.states import MqttStates, SiteNow
from blickschutz.alerts.model import FaultNotice
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.zones import profiles
from blickschutz.zones.hardening import confine, harden
folder, ports, words = Path(sys.argv[1]), json.loads(sys.argv[2]), Words("Rathaus", "de", {})
harden()
confine(profiles.control_room(
    data=folder, site=[], models=folder, memory=folder, temporary=folder, connect=frozenset(ports.values()), bind=8710))
web = f"127.0.0.1:{ports['web']}"
broker = Broker("127.0.0.1", "rathaus", "0123456789abcdef", ports["mqtt"])
channels = (
    MqttSender(broker, "Rathaus", "de"),
    MailSender("127.0.0.1", ports["mail"], "a@b.example", ("c@d.example",), None, words),
    Webhook("desk", f"http://{web}/alerts", "Rathaus", "de"),
    AppriseChannel("app", f"json://{web}/alerts", words),
)
for channel in channels:
    channel.send_fault(FaultNotice("disk", "disk", "full", False, 1.7e9))
print("told", flush=True)
heard = threading.Event()
states = MqttStates(broker, "Rathaus", lambda: SiteNow("day", (), ()), Guard(SystemClock()), SystemClock())
states.start()
source = MqttSource(broker, frozenset({"gate"}), lambda camera, event: heard.set(), Guard(SystemClock()))
source.start()
print("heard" if heard.wait(20) else "deaf", flush=True)
source.close()
"""


def test_a_confined_control_room_reaches_all_its_channels(tmp_path, hooks):
    """Libraries bind ports and open sockets where nobody expects it, and its profile refuses them."""
    mailbox = _Mailbox()
    mailbox.refuse = False
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    broker = RealBroker(free_port(), tmp_path)
    broker.start()
    speaker = Subscriber(broker.port)
    ports = {"mqtt": broker.port, "mail": controller.port, "web": hooks.server_port}
    (tmp_path / "data").mkdir()
    command = [sys.executable, "-c", CONFINED, str(tmp_path / "data"), json.dumps(ports)]
    said = threading.Event()

    def speak():
        while not said.wait(0.3):
            speaker.publish("blickschutz/rathaus/cameras/gate/events", json.dumps({"id": "7", "kind": "loitering"}))

    speaking = threading.Thread(target=speak)
    alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # no thread of a library before it is confined
    with subprocess.Popen(command, cwd=ROOT, env=alone, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "told\n", process.communicate(timeout=20)[1]
            speaking.start()
            assert process.stdout.readline() == "heard\n"
        finally:
            said.set()
            process.kill()
            if speaking.ident is not None:
                speaking.join(10)
            speaker.close()
            broker.stop()
            controller.stop()
    assert [topic for topic, _ in speaker.heard if topic == "blickschutz/rathaus/faults"] == ["blickschutz/rathaus/faults"]
    assert len(mailbox.mails) == 1
    assert len(hooks.taken) == 2


class TestMqtt:
    def test_a_broker_that_is_down_gets_it_later_once(self, desk, tmp_path):
        broker = RealBroker(free_port(), tmp_path)
        alerts = desk("mqtt")
        sender = Sender(
            MqttSender(Broker("127.0.0.1", "rathaus", "0123456789abcdef", broker.port), "Rathaus", "de"),
            alerts.store,
            SystemClock(),
            idle_s=0.2,
        )
        sender.start()
        try:
            started = time.monotonic()
            number = alerts.take("gate", situation(1), notify=True).id
            assert time.monotonic() - started < 5
            until(lambda: queue_of(alerts, "mqtt").failing == 1)
            assert [alert.id for alert in alerts.open_alerts()] == [number]
            broker.start()
            heard = Subscriber(broker.port)
            until(lambda: heard.heard)
            time.sleep(0.6)
            assert len(heard.heard) == 1
            topic, payload = heard.heard[0]
            assert topic == "blickschutz/rathaus/alerts/gate/loitering"
            assert (payload["alert"], payload["event"], payload["name"]) == (number, "raised", "Verweilen")
            assert alerts.queues() == {}
            heard.close()
        finally:
            sender.end()
            broker.stop()

    def test_a_broker_that_goes_away_in_between(self, desk, tmp_path):
        broker = RealBroker(free_port(), tmp_path)
        broker.start()
        alerts = desk("mqtt")
        channel = MqttSender(Broker("127.0.0.1", "rathaus", "0123456789abcdef", broker.port), "Rathaus", "de")
        try:
            notice, _ = notice_of(alerts, "mqtt")
            channel.send(notice)
            broker.stop()
            time.sleep(0.3)
            with pytest.raises(DeviceError, match="broker"):
                channel.send(notice)
            broker.start()
            channel.send(notice)
        finally:
            channel.close()
            broker.stop()

    def test_cameras_are_heard_and_nonsense_is_refused(self, tmp_path):
        broker = RealBroker(free_port(), tmp_path)
        broker.start()
        events, notices = [], []
        source = MqttSource(
            Broker("127.0.0.1", "rathaus", "0123456789abcdef", broker.port),
            frozenset({"gate"}),
            lambda camera, event: events.append((camera, event)),
            on_notice=lambda camera, topic, payload: lambda: notices.append((camera, topic, payload)),
        )
        source.start()
        speaker = Subscriber.__new__(Subscriber)
        try:
            speaker._client = mqtt.Client(CallbackAPIVersion.VERSION2)
            speaker._client.connect("127.0.0.1", broker.port)
            speaker._client.loop_start()
            good = b'{"id": "7", "kind": "line_crossed", "confidence": 0.7}'

            def speak_until_heard():
                speaker.publish("blickschutz/rathaus/cameras/gate/events", good)
                time.sleep(0.1)
                return events

            until(speak_until_heard)
            assert events[0][0] == "gate"
            assert events[0][1].kind is Kind.LINE_CROSSED
            speaker.publish("blickschutz/rathaus/cameras/gate/onvif-ej/VideoSource/MotionAlarm/&1", b"{}")
            until(lambda: notices)
            assert notices[0] == ("gate", "VideoSource/MotionAlarm/&1", b"{}")
            before = len(events)
            for topic, data in (("gate", b"{"), ("gate", b'{"id": "7", "kind": "guilty"}'), ("nowhere", good), ("gate", b"x" * 20_000)):
                speaker.publish(f"blickschutz/rathaus/cameras/{topic}/events", data)
            until(lambda: source.refused == 4)
            assert len(events) == before
        finally:
            speaker.close()
            source.close()
            broker.stop()


class _Mailbox:
    def __init__(self):
        self.mails, self.refuse = [], True

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the name that aiosmtpd calls
        if self.refuse:
            return "451 come back later"
        self.mails.append(envelope)
        return "250 taken"


class TestMail:
    def test_a_server_that_refuses_gets_it_later_once(self, desk):
        mailbox = _Mailbox()
        controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
        controller.start()
        alerts = desk("mail")
        channel = MailSender("127.0.0.1", controller.port, "wache@rathaus.example", ("dienst@rathaus.example",), None, WORDS)
        sender = Sender(channel, alerts.store, SystemClock(), idle_s=0.2)
        sender.start()
        try:
            alerts.take("gate", situation(1), notify=True)
            until(lambda: "451" in queue_of(alerts, "mail").problem)
            mailbox.refuse = False
            until(lambda: mailbox.mails)
            time.sleep(0.5)
            assert len(mailbox.mails) == 1
            text = mailbox.mails[0].content.decode()
            assert mailbox.mails[0].rcpt_tos == ["dienst@rathaus.example"]
            assert "Subject: Meldung 1: Verweilen, Haupteingang" in text
            assert "seit 200 s" in text
        finally:
            sender.end()
            controller.stop()

    def test_no_server_is_a_clear_problem(self, desk):
        channel = MailSender("127.0.0.1", free_port(), "a@b.example", ("c@d.example",), None, WORDS)
        notice, _ = notice_of(desk("mail"), "mail")
        with pytest.raises(DeviceError, match=r"the mail server 127\.0\.0\.1"):
            channel.send(notice)


class _Hooks(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        time.sleep(self.server.hang_s)
        if self.server.answer == 200:
            self.server.taken.append((self.headers["Idempotency-Key"], json.loads(body)))
        self.send_response(self.server.answer)
        self.send_header("Location", "http://203.0.113.7/elsewhere")
        self.end_headers()

    def log_message(self, *args):
        pass


class _HookServer(ThreadingHTTPServer):
    """A server of one test; what a hanging request of an earlier test still does reaches that one's server."""

    def __init__(self):
        self.taken, self.asked, self.answer, self.hang_s = [], 0, 200, 0.0
        super().__init__(("127.0.0.1", 0), _Hooks)
        self.address = f"http://127.0.0.1:{self.server_port}/alerts"


@pytest.fixture
def hooks():
    server = _HookServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


class TestWebhook:
    def test_it_posts_json(self, desk, hooks):
        channel = Webhook("hook", hooks.address, "Rathaus", "en")
        notice, alert = notice_of(desk("hook"), "hook")
        channel.send(notice)
        channel.close()
        key, body = hooks.taken[0]
        assert key == f"blickschutz-{notice.number}"
        assert (body["alert"], body["kind"], body["name"]) == (alert.id, "loitering", "Loitering")

    @pytest.mark.parametrize("answer", [302, 404, 500])
    def test_a_refusal_or_a_redirect_is_a_problem_and_leads_nowhere(self, desk, hooks, answer):
        hooks.answer = answer
        channel = Webhook("hook", hooks.address, "Rathaus", "en")
        notice, _ = notice_of(desk("hook"), "hook")
        with pytest.raises(DeviceError, match=str(answer)):
            channel.send(notice)
        channel.close()

    def test_one_that_hangs_holds_up_nobody(self, desk, hooks, monkeypatch):
        monkeypatch.setattr("blickschutz.alerts.io.channels._TIMEOUT_S", 5.0)
        hooks.hang_s = 6.0
        alerts = desk("hook")
        sender = Sender(Webhook("hook", hooks.address, "Rathaus", "en"), alerts.store, SystemClock(), idle_s=0.1)
        sender.start()
        alerts.take("gate", situation(1), notify=True)
        until(lambda: hooks.asked)
        for number in range(2, 6):
            alerts.take("gate", situation(number), notify=True)
        assert not queue_of(alerts, "hook").failing, "the first one still hangs"
        until(lambda: queue_of(alerts, "hook").failing)
        sender.end()
        assert len(alerts.open_alerts()) == 5


class TestApprise:
    def test_it_speaks_to_what_it_knows(self, desk, hooks):
        channel = AppriseChannel("other", hooks.address.replace("http://", "json://"), WORDS)
        notice, _ = notice_of(desk("other"), "other")
        channel.send(notice)
        assert "Verweilen" in hooks.taken[0][1]["title"]

    def test_an_address_of_no_known_kind_is_a_clear_problem(self, desk):
        notice, _ = notice_of(desk("other"), "other")
        with pytest.raises(DeviceError, match="does not know"):
            AppriseChannel("other", "nonsense", WORDS).send(notice)
