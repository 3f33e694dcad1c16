"""Alerts over TLS to real peers: mosquitto, a mail server, an HTTP server, with certificates that are right and wrong."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import paho.mqtt.client as mqtt
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from paho.mqtt.enums import CallbackAPIVersion

from blickschutz.alerts.io.broker import Broker
from blickschutz.alerts.io.channels import MailSender, Webhook, Words
from blickschutz.alerts.io.mqtt import MqttSender
from blickschutz.alerts.io.transport import Trust, context
from blickschutz.alerts.model import Alert, AlertState, Notice, Origin
from blickschutz.kernel.errors import DeviceError, OperatorError
from blickschutz.situations.kinds import Kind
from tests.live.system import free_port, until
from tests.peers.authority import ThrowAway
from tests.peers.broker import RealBroker

pytestmark = pytest.mark.peers

WORDS = Words("Rathaus", "de", {"gate": "Haupteingang"})
NOTICE = Notice(3, "x", "raised", Alert(7, "gate", Kind.PERSON_DOWN, "all", Origin.ANALYSIS, AlertState.RAISED, 1.7e9, 1.7e9, 0.9))
WRONG = ("another's authority", "another name", "run out", "another pin", "this machine's authorities")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return ThrowAway(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def right(authority):
    return authority.server()


def attempts(authority, folder):
    """(what is wrong, certificate of the server, what is trusted): none of them may be spoken to."""
    other = ThrowAway(folder, "other")
    trusted = Trust(authority=authority.pem)
    pinned = Trust(certificate=authority.server("pinned")[0].read_text(encoding="ascii"))
    wrong = (
        (other.server("foreign"), trusted),
        (authority.server("elsewhere", "192.0.2.7"), trusted),
        (authority.server("old", days=-1.0), trusted),
        (authority.server("unpinned"), pinned),
        (authority.server("own"), Trust()),
    )
    return list(zip(WRONG, wrong, strict=True))


def believed(authority, right):
    """By its authority, and by its pin under whatever name."""
    return (Trust(authority=authority.pem), Trust(certificate=right[0].read_text(encoding="ascii")))


def server_context(certificate):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*map(str, certificate))
    return made


class Mailbox:
    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the name that aiosmtpd calls
        self.mails.append(envelope.content.decode())
        return "250 taken"


class MailServer:
    """A mail server that takes nothing without STARTTLS and an account."""

    def __init__(self, certificate):
        self.box = Mailbox()
        self._controller = Controller(
            self.box,
            hostname="127.0.0.1",
            port=free_port(),
            tls_context=server_context(certificate),
            require_starttls=True,
            auth_required=True,
            authenticator=lambda server, session, envelope, mechanism, data: AuthResult(
                success=data.password == b"Kiesel 81", handled=False
            ),
        )
        self.port = self._controller.port

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *rest):
        self._controller.stop()


def mail(port, tls, password="Kiesel 81"):
    return MailSender("127.0.0.1", port, "a@b.example", ("c@d.example",), tls, WORDS, ("wache", password))


class TestMail:
    def test_it_is_sent_encrypted_to_who_proves_who_they_are(self, authority, right):
        with MailServer(right) as server:
            for trust in believed(authority, right):
                mail(server.port, context(trust)).send(NOTICE)
            assert len(server.box.mails) == 2
            assert "Sturz" in server.box.mails[0]
            with pytest.raises(DeviceError, match="did not take it"):
                mail(server.port, context(Trust(authority=authority.pem)), "falsch").send(NOTICE)
            with pytest.raises(DeviceError, match="did not take it"):
                mail(server.port, None).send(NOTICE)
            assert len(server.box.mails) == 2

    def test_a_wrong_certificate_gets_nothing(self, authority, tmp_path):
        for why, (certificate, trust) in attempts(authority, tmp_path):
            with MailServer(certificate) as server:
                with pytest.raises(DeviceError, match="certificate verify failed"):
                    mail(server.port, context(trust)).send(NOTICE)
                assert server.box.mails == [], why

    def test_a_server_that_speaks_no_tls_gets_nothing(self, authority):
        box = Mailbox()
        controller = Controller(box, hostname="127.0.0.1", port=free_port())
        controller.start()
        try:
            with pytest.raises(DeviceError, match="STARTTLS"):
                mail(controller.port, context(Trust(authority=authority.pem))).send(NOTICE)
            assert box.mails == []
        finally:
            controller.stop()


class TestMqtt:
    def test_it_is_published_encrypted(self, authority, right, tmp_path):
        broker = RealBroker(free_port(), tmp_path, right)
        broker.start()
        heard, subscribed = [], threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.tls_set_context(context(Trust(authority=authority.pem)))
        client.on_message = lambda client, userdata, item: heard.append(json.loads(item.payload))
        client.on_subscribe = lambda *rest: subscribed.set()
        client.on_connect = lambda client, *rest: client.subscribe("#", 1)
        try:
            client.connect("127.0.0.1", broker.port)
            client.loop_start()
            assert subscribed.wait(5)
            for trust in believed(authority, right):
                channel = MqttSender(Broker("127.0.0.1", "rathaus", "0123456789abcdef", broker.port, tls=context(trust)), "Rathaus", "de")
                channel.send(NOTICE)
                channel.close()
            until(lambda: len(heard) == 2)
            assert heard[0]["alert"] == 7
            plain = MqttSender(Broker("127.0.0.1", "rathaus", "0123456789abcdef", broker.port), "Rathaus", "de")
            with pytest.raises(DeviceError, match="the broker"):
                plain.send(NOTICE)
            plain.close()
        finally:
            client.disconnect()
            client.loop_stop()
            broker.stop()

    # The library leaves a socket to the garbage collector where the handshake failed.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_a_wrong_certificate_gets_nothing(self, authority, tmp_path):
        for _, (certificate, trust) in attempts(authority, tmp_path):
            broker = RealBroker(free_port(), tmp_path, certificate)
            broker.start()
            channel = MqttSender(Broker("127.0.0.1", "rathaus", "0123456789abcdef", broker.port, tls=context(trust)), "Rathaus", "de")
            try:
                with pytest.raises(DeviceError, match="certificate verify failed"):
                    channel.send(NOTICE)
            finally:
                channel.close()
                broker.stop()


class Hooks(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append(self.headers["Authorization"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


class HookServer(ThreadingHTTPServer):
    def __init__(self, certificate):
        self.taken = []
        super().__init__(("127.0.0.1", 0), Hooks)
        self.socket = server_context(certificate).wrap_socket(self.socket, server_side=True)

    def handle_error(self, request, client_address):
        """A client that does not believe the certificate goes away: that is what is tested."""

    def __enter__(self):
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *rest):
        self.shutdown()
        self.server_close()
        self._thread.join(5)

    @property
    def address(self):
        return f"https://127.0.0.1:{self.server_port}/alerts"


class TestWebhook:
    def test_it_posts_encrypted_with_a_token_or_an_account(self, authority, right):
        with HookServer(right) as server:
            for trust, account in zip(believed(authority, right), (("", "Kiesel81"), ("wache", "Kiesel 81")), strict=True):
                Webhook("hook", server.address, "Rathaus", "de", context(trust), account).send(NOTICE)
            assert server.taken == ["Bearer Kiesel81", "Basic d2FjaGU6S2llc2VsIDgx"]

    def test_a_wrong_certificate_gets_nothing(self, authority, tmp_path):
        for why, (certificate, trust) in attempts(authority, tmp_path):
            with HookServer(certificate) as server:
                with pytest.raises(DeviceError, match="SSLCertVerificationError"):
                    Webhook("hook", server.address, "Rathaus", "de", context(trust), ("", "token")).send(NOTICE)
                assert server.taken == [], why


def test_a_file_that_is_no_certificate_is_said():
    with pytest.raises(OperatorError, match="no certificate"):
        context(Trust(authority="-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"))
