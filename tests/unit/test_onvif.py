"""ONVIF: a camera's answers within bounds, its account, its clock, what it finds itself; and XML that wants more than that."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import MQTTMessage

from blickschutz.alerts.io.broker import Broker
from blickschutz.alerts.io.mqtt import MqttSource
from blickschutz.alerts.model import Origin
from blickschutz.bootstrap.cells import cell_settings
from blickschutz.cli.main import cli
from blickschutz.compliance.policy.security import allowed_hosts
from blickschutz.config.loader import load_site
from blickschutz.config.model import Onvif
from blickschutz.control.model import CameraFound
from blickschutz.control.service.notices import PublishedNotices
from blickschutz.guard.service import Guard
from blickschutz.ingest.io.discovery import Answered, find
from blickschutz.ingest.io.notices import CameraNotices
from blickschutz.ingest.io.onvif import OnvifCamera
from blickschutz.ingest.model import Cause, Found, NoticeSettings
from blickschutz.ingest.rules.notices import MOST_ACTIVE, Notices, kind_of, state_of
from blickschutz.ingest.rules.onvif import Account, MediaProfile, Notice, envelope, notices_of, path_of, time_of
from blickschutz.ingest.rules.onvif_json import notice_of
from blickschutz.ingest.rules.xml import MOST_BYTES, MOST_DEPTH, MOST_ELEMENTS, read_xml
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import UNREADABLE, CameraRefusedError, DeviceError, OperatorError
from blickschutz.pipeline.profile import profile_of
from blickschutz.situations.kinds import Kind
from tests.conftest import ROOT
from tests.fakes.onvif_camera import OnvifPeer, notice
from tests.fakes.onvif_camera import envelope as said_envelope
from tests.fakes.web_camera import WebCamera, moving, part, said
from tests.house import CAMERA, House
from tests.videos import still

LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><l>&c;</l>'
)
FILES = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l>&x;</l>'


class TestXml:
    def test_a_tree_without_namespaces(self):
        root = read_xml(b'<a:x xmlns:a="urn:a"><a:y z="1">t<w/>u</a:y><y>v</y></a:x>')
        assert (root.name, root.space) == ("x", "urn:a")
        assert [(one.name, one.text, one.attributes) for one in root.all("y")] == [("y", "tu", {"z": "1"}), ("y", "v", {})]
        assert root.said("nothing", "here") == ""

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (LAUGHS, "document type"),
            (FILES, "document type"),
            (b'<!DOCTYPE html PUBLIC "-" "http://10.0.0.1/x.dtd"><html/>', "document type"),
            (b"<a>" * (MOST_DEPTH + 1) + b"</a>" * (MOST_DEPTH + 1), "without end"),
            (b"<a>" + b"<b/>" * MOST_ELEMENTS + b"</a>", "without end"),
            (b"<a>" + b" " * MOST_BYTES + b"</a>", "without end"),
            (b"<a>&x;</a>", "no XML"),
            (b"<a>", "no XML"),
            (b"", "no XML"),
            (b"\xff\xfe\x00", "no XML"),
        ],
    )
    def test_what_is_more_than_a_camera_says_is_refused(self, data, why):
        with pytest.raises(ValueError, match=why):
            read_xml(data)

    @given(st.binary(max_size=200))
    def test_whatever_comes_is_a_tree_or_refused(self, data):
        try:
            read_xml(b"<a>" + data + b"</a>")
        except ValueError:
            return


class TestWords:
    def test_the_token_of_the_standard(self):
        """ONVIF Application Programmer's Guide 1.0, 6.1.1.3."""
        created, nonce = datetime(2010, 9, 16, 7, 50, 45, tzinfo=UTC), base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
        packed = Account("user", "userpassword", created, nonce).packed()
        assert ">tuOSpGlFlIXsozq4HFNeeGeFLEI=<" in packed
        assert "<wsu:Created>2010-09-16T07:50:45Z</wsu:Created>" in packed
        assert "userpassword" not in packed

    @given(st.text(max_size=30))
    def test_what_we_say_is_always_well_formed(self, text):
        text = "".join(one for one in text if one.isprintable())
        account = Account(text, text, datetime(2026, 1, 1, tzinfo=UTC), b"n" * 16)
        assert read_xml(envelope("<tds:X/>", text, account)).said("Username") == text.strip()

    @pytest.mark.parametrize(
        ("address", "path"),
        [("http://10.0.0.1:8000/a?b=1", "/a?b=1"), ("http://10.0.0.1", "/"), ("/x", "/x"), ("http://h/a\r\nX: y", "/aX: y")],
    )
    def test_of_an_address_the_path_alone_is_believed(self, address, path):
        assert path_of(address) == path

    @pytest.mark.parametrize("year", ["", "x", "99999999", "-1"])
    def test_a_time_that_is_none(self, year):
        with pytest.raises(ValueError):
            time_of(read_xml(f"<a><UTCDateTime><Year>{year}</Year></UTCDateTime></a>".encode()))


class TestNotices:
    @pytest.mark.parametrize(
        ("topic", "kind"),
        [
            ("RuleEngine/TamperDetector/Tamper", Kind.CAMERA_TAMPERED),
            ("VideoSource/GlobalSceneChange/AnalyticsService", Kind.CAMERA_TAMPERED),
            ("VideoSource/ImageTooDark/ImagingService", Kind.CAMERA_TAMPERED),
            ("RuleEngine/FieldDetector/ObjectsInside", Kind.PERSON_IN_ZONE),
            ("RuleEngine/LineDetector/Crossed", Kind.LINE_CROSSED),
            ("RuleEngine/LoiteringDetector/ObjectIsLoitering", Kind.LOITERING),
            ("RuleEngine/CellMotionDetector/Motion", None),
            ("RuleEngine/Recognition/Face", None),
            ("RuleEngine/Recognition/LicensePlate", None),
            ("RuleEngine/TamperDetectorOfSomebody", None),
            ("Device/Trigger/DigitalInput", None),
        ],
    )
    def test_what_a_topic_stands_for(self, topic, kind):
        (one,) = notices_of(read_xml(said_envelope(notice(topic, (("State", "true"),)))))
        assert one.topic == topic
        assert kind_of(one, None) is kind

    def test_motion_counts_as_what_the_site_file_says(self):
        for topic in ("VideoSource/MotionAlarm", "RuleEngine/CellMotionDetector/Motion"):
            assert kind_of(Notice(topic, (), ()), Kind.PERSON_IN_ZONE) is Kind.PERSON_IN_ZONE

    @pytest.mark.parametrize(
        ("data", "state"),
        [
            ((("IsMotion", "true"),), True),
            ((("IsTamper", "0"),), False),
            ((("ObjectId", "44"), ("IsInside", "1")), True),
            ((("ClassTypes", "Vehicle Human"),), True),
            ((("ClassTypes", "Animal"),), False),
            ((("ObjectId", "44"),), None),
            ((), None),
        ],
    )
    def test_whether_it_is_so(self, data, state):
        assert state_of(Notice("x", (), data)) is state
        assert state_of(Notice("x", (), data, over=True)) is False

    def test_each_thing_begins_and_ends_once(self):
        notices = Notices(None)
        on, off = ((("IsTamper", "true"),), (("IsTamper", "false"),))
        source = (("VideoSourceConfigurationToken", "1"), ("Rule", "Tür <b>"))
        (rest,) = notices.take(Notice("RuleEngine/TamperDetector", source, off), 0.0)
        assert not rest.active, "an earlier life of the cell may have told of it"
        assert notices.take(Notice("RuleEngine/TamperDetector", source, off), 0.0) == []
        (began,) = notices.take(Notice("RuleEngine/TamperDetector", source, on), 0.0)
        assert (began.kind, began.active, began.zone) == (Kind.CAMERA_TAMPERED, True, "Tür b")
        assert notices.take(Notice("RuleEngine/TamperDetector", source, on), 1.0) == []
        assert notices.take(Notice("RuleEngine/TamperDetector", source, off), 2.0) == [Found(began.id, began.kind, False, began.zone)]
        moment = notices.take(Notice("RuleEngine/LineDetector/Crossed", (), ()), 3.0)
        assert [one.active for one in moment] == [True, False]

    def test_a_camera_that_tells_without_end_tells_little(self):
        notices, told = Notices(None), []
        for n in range(10_000):
            told += notices.take(Notice("RuleEngine/FieldDetector", (("Rule", str(n)),), (("IsInside", "true"),)), n / 1000)
        assert len(told) <= 16
        assert notices.refused == 10_000 - len(told)
        for n in range(1000):
            told += notices.take(Notice("RuleEngine/FieldDetector", (("Rule", str(n)),), (("IsInside", "true"),)), 100.0 + 10 * n)
        assert len(told) <= MOST_ACTIVE
        assert {one.active for one in notices.end()} == {False}
        assert notices.end() == []


@pytest.fixture
def peer():
    made = []

    def make(**options):
        made.append(OnvifPeer(**options))
        return made[-1]

    yield make
    for one in made:
        one.end()


def camera(peer, address=""):
    return OnvifCamera(address or peer.address, SystemClock())


class TestCamera:
    def test_what_it_is_and_what_it_sends(self, peer):
        one = peer(user="blick", password="s/e#c?r@t", ahead_s=3600)
        device = camera(one)
        assert abs(device.difference_s() - 3600) < 1.5
        told = device.device()
        assert (told.maker, told.model, told.firmware) == ("Werk", "K 1", "7.1")
        assert device.services() == {"Media": "/onvif/media", "Events": "/onvif/events"}
        main, empty = device.profiles()
        assert main == MediaProfile("a&b", "Haupt", "H264", 1920, 1080, 25.0, 50)
        assert (empty.codec, empty.width) == ("", 0)
        assert device.stream(main.token) == "rtsp://10.9.8.7/stream1"
        assert not any("s/e#c?r@t" in request for request in one.heard)
        assert "Username" not in one.heard[0], "its time is asked without signing in"

    def test_one_that_tells_its_time_to_those_who_sign_in_alone(self, peer):
        one = peer(user="blick", password="right", open_time=False)
        device = camera(one)
        assert abs(device.difference_s()) < 1.5
        assert device.device().maker == "Werk"
        stranger = camera(one, one.address.replace("blick:right@", ""))
        with pytest.raises(CameraRefusedError) as caught:
            stranger.difference_s()
        assert caught.value.cause is Cause.PASSWORD

    def test_a_wrong_password(self, peer):
        one = peer(user="blick", password="right")
        device = camera(one, one.address.replace("right", "secret"))
        device.difference_s()
        with pytest.raises(CameraRefusedError, match="not Authorized") as caught:
            device.device()
        assert caught.value.cause is Cause.PASSWORD
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        ("reply", "cause"),
        [
            ([said(LAUGHS, "text/xml")], Cause.ANSWER),
            ([said(FILES, "text/xml")], Cause.ANSWER),
            ([b"HTTP/1.0 200 OK\r\n\r\n", *([b" " * 2**20] * 50)], Cause.UNREADABLE),
            ([said(b"<html>", "text/html")], Cause.ANSWER),
            ([said(b"no", "text/plain", "401 Unauthorized")], Cause.PASSWORD),
            ([said(b"", status="404 Not Found")], Cause.ADDRESS),
            ([said(b"", status="302 Found", fields="Location: http://10.9.8.7/\r\n")], Cause.REDIRECTED),
            ([said(said_envelope("<s:Fault><s:Reason><s:Text>kaputt</s:Text></s:Reason></s:Fault>"), status="500 No")], Cause.ANSWER),
            ([3.0], Cause.SILENT),
        ],
    )
    def test_whatever_else_it_answers_has_a_cause(self, peer, reply, cause):
        one = peer()
        one.replies["GetDeviceInformation"] = reply
        with pytest.raises(DeviceError) as caught:
            OnvifCamera(one.address, SystemClock(), pull_s=-7 if cause is Cause.SILENT else 5).device()
        assert caught.value.cause is cause

    @pytest.mark.parametrize("reply", [b"<a/>", b"<a><SubscriptionReference><Address>x y</Address></SubscriptionReference></a>"])
    def test_a_subscription_that_is_none(self, peer, reply):
        one = peer()
        one.replies["CreatePullPointSubscription"] = [said(reply, "text/xml")]
        device = camera(one)
        with pytest.raises(CameraRefusedError) as caught:
            device.pull(device.subscribe())
        assert caught.value.cause is Cause.ANSWER

    @pytest.mark.parametrize("address", ["rtsp://h/x", "file:x", ""])
    def test_an_address_that_is_none(self, address):
        with pytest.raises(CameraRefusedError):
            OnvifCamera(address, SystemClock())


class TestListening:
    def until(self, holds, within_s=30.0):
        end = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.01)

    def test_what_a_camera_finds_is_told_while_it_is_asked_and_ends_with_the_listening(self, peer):
        one, found = peer(user="blick", password="s/e", ahead_s=-86_400), []
        guard = Guard(SystemClock())
        listening = CameraNotices("a", NoticeSettings(one.address), found.append, SystemClock(), guard)
        listening.start()
        self.until(lambda: "PullMessages" in one.asked)
        began = time.monotonic()
        one.tell(notice("RuleEngine/TamperDetector/Tamper", (("IsTamper", "true"),)))
        self.until(lambda: found)
        assert time.monotonic() - began < 3, "the answer to the next question is not waited for"
        assert (found[0].kind, found[0].active, found[0].zone) == (Kind.CAMERA_TAMPERED, True, "Eingang")
        listening.stop()
        assert [one.active for one in found] == [True, False]
        one.tell(notice("RuleEngine/TamperDetector/Tamper", (("IsTamper", "true"),)))
        assert guard.end(4.0) == ()
        assert len(found) == 2, "who has stopped hears nothing more"

    def test_one_that_fails_is_tried_again_and_seen(self, peer):
        one, found = peer(), []
        one.replies["PullMessages"] = [said(LAUGHS, "text/xml")]
        guard = Guard(SystemClock())
        listening = CameraNotices("a", NoticeSettings(one.address, Kind.PERSON_IN_ZONE), found.append, SystemClock(), guard)
        listening.start()
        self.until(lambda: any(state.failures for state in guard.states()))
        assert found == []
        del one.replies["PullMessages"]
        one.tell(notice("VideoSource/MotionAlarm", (("State", "true"),)))
        self.until(lambda: found, within_s=30)
        assert found[0].kind is Kind.PERSON_IN_ZONE
        listening.stop()
        assert guard.end(4.0) == ()


def test_what_the_site_file_says_and_what_the_cell_may(tmp_path):
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    (tmp_path / "cam.key").write_text("pw")
    (tmp_path / "cam.key").chmod(0o600)
    onvif = Onvif(address="http://192.0.2.99:8000/onvif/device_service", motion=Kind.PERSON_IN_ZONE)
    change = {"onvif": onvif, "user": "blick", "password_file": "cam.key"}
    first = site.cameras[0].model_copy(update=change)
    settings = cell_settings(site, first, tmp_path)
    assert settings.notices == NoticeSettings("http://blick:pw@192.0.2.99:8000/onvif/device_service", Kind.PERSON_IN_ZONE)
    assert "pw@" not in repr(settings)
    assert profile_of(settings).connect == {554, 8000}
    quiet = first.model_copy(update={"onvif": onvif.model_copy(update={"events": False})})
    assert cell_settings(site, quiet, tmp_path).notices is None
    assert "192.0.2.99" in allowed_hosts(site.model_copy(update={"cameras": (first,)}))


def test_what_a_camera_finds_takes_the_path_of_every_situation(tmp_path):
    house = House(tmp_path)
    tampered = Found("1f", Kind.CAMERA_TAMPERED, True, "Eingang")
    house.routing.found(CameraFound(CAMERA, tampered))
    house.work()
    (alert,) = house.desk.store.queue()
    assert (alert.kind, alert.origin, alert.zone, alert.ended) == (Kind.CAMERA_TAMPERED, Origin.CAMERA, "Eingang", None)
    house.routing.found(CameraFound(CAMERA, replace(tampered, active=False)))
    house.work()
    assert house.desk.store.get(alert.id).ended is not None
    house.close()


class TestFinding:
    @pytest.fixture
    def answering(self):
        """Somebody on the loopback address who answers each probe, with whatever `says` gives."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            one.settimeout(3)

            def answer(says):
                data, place = one.recvfrom(65535)
                assert read_xml(data).said("Types").endswith("NetworkVideoTransmitter")
                for piece in says:
                    one.sendto(piece, place)

            def start(says):
                thread = threading.Thread(target=answer, args=(says,), daemon=True)
                thread.start()
                return one.getsockname(), thread

            yield start

    def test_who_answers_is_told_and_nonsense_is_not(self, answering):
        match = (
            b"<d:ProbeMatches xmlns:d='urn:d'><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/type/x onvif://www.onvif.org/name/Hof</d:Scopes>"
            b"<d:XAddrs>http://127.0.0.1/onvif/device_service http://[fe80::1]/x</d:XAddrs></d:ProbeMatch>"
            b"<d:ProbeMatch><d:XAddrs>file:///etc/passwd</d:XAddrs></d:ProbeMatch></d:ProbeMatches>"
        )
        place, thread = answering([LAUGHS, b"\xff", match, match])
        found = find(SystemClock(), 0.3, "127.0.0.1", place)
        thread.join()
        assert found == [Answered("127.0.0.1", "http://127.0.0.1/onvif/device_service", "Hof")]

    def test_where_nobody_can_be_asked(self):
        with pytest.raises(OperatorError, match=r"from 192\.0\.2\.1"):
            find(SystemClock(), 0.1, "192.0.2.1")


class TestTrying:
    """`blickschutz cameras test`."""

    def site(self, tmp_path, address, onvif=""):
        (tmp_path / "cam.key").write_text("s/ecret")
        (tmp_path / "cam.key").chmod(0o600)
        text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text()
        account = 'user = "blick"\npassword_file = "cam.key"\n' + (f'onvif = {{ address = "{onvif}" }}\n' if onvif else "")
        path = tmp_path / "site.toml"
        path.write_text(text.replace('address = "rtsp://192.0.2.11/stream1"', f'address = "{address}"\n{account}', 1))
        return str(path), load_site(path).cameras[0].id

    def test_each_step_is_named(self, peer, tmp_path):
        pictures = [still(64, 48, n) for n in range(200)]

        def reply(request):
            if "Authorization: Basic " not in request:
                return [said(status="401 No", fields='WWW-Authenticate: Basic realm="c"\r\n')]
            return [moving(), *(piece for data in pictures for piece in (part(data), 0.02))]

        web, onvif = WebCamera(reply), peer(user="blick", password="s/ecret", ahead_s=-60)
        try:
            address = f"http://127.0.0.1:{onvif.port}/onvif/device_service"
            path, camera = self.site(tmp_path, f"http://127.0.0.1:{web.port}/video", address)
            result = CliRunner().invoke(cli, ["cameras", "test", camera, "--site", path, "--seconds", "1", "--json"])
        finally:
            web.end()
        assert result.exit_code == 0, result.output
        assert "ecret" not in result.output
        steps = json.loads(result.output)["steps"]
        assert [one["step"] for one in steps][:6] == ["reach", "sign-in", "stream", "keyframes", "rate", "clock"]
        assert [one["step"] for one in steps][6:] == ["device", "profile", "profile", "events"]
        assert steps[2]["text"] == "mjpeg 64x48"
        assert -62 < float(steps[5]["text"].split()[0]) < -58

    @pytest.mark.parametrize(("status", "step", "cause"), [("401 No", "sign-in", "password"), ("404 No", "stream", "address")])
    def test_the_step_that_fails_ends_with_1(self, tmp_path, status, step, cause):
        web = WebCamera(lambda request: [said(status=status)])
        try:
            path, camera = self.site(tmp_path, f"http://127.0.0.1:{web.port}/video")
            result = CliRunner().invoke(cli, ["cameras", "test", camera, "--site", path])
        finally:
            web.end()
        assert result.exit_code == 1
        assert [line.split()[:2] for line in result.output.splitlines()] == [["reach", "ok"], [step, cause]]

    def test_nobody_there(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        path, camera = self.site(tmp_path, f"rtsp://127.0.0.1:{port}/x")
        result = CliRunner().invoke(cli, ["cameras", "test", camera, "--site", path])
        assert (result.exit_code, result.output.split()[:2]) == (1, ["reach", "refused"])
        assert CliRunner().invoke(cli, ["cameras", "test", "nobody", "--site", path]).exit_code == 1


class TestPublished:
    """What cameras publish themselves by MQTT."""

    FENCE = b'{"UtcTime":"2026-11-27T01:02:03Z","Source":{"VideoSource":"1","Rule":"Zaun"},"Data":{"IsInside":true,"x":{"y":1}}}'

    @pytest.mark.parametrize(
        ("topic", "payload", "notice"),
        [
            (
                "RuleEngine/FieldDetector/ObjectsInside/&1/Zaun",
                FENCE,
                Notice("RuleEngine/FieldDetector/ObjectsInside", (("VideoSource", "1"), ("Rule", "Zaun")), (("IsInside", "true"),)),
            ),
            (
                "VideoSource/tns1:MotionAlarm/&1",
                b'{"Data":{"SimpleItem":[{"Name":"State","Value":"false"},7]}}',
                Notice("VideoSource/MotionAlarm", (("0", "1"),), (("State", "false"),)),
            ),
            ("Device/Trigger", b'{"PropertyOperation":"Deleted"}', Notice("Device/Trigger", (), (), True)),
        ],
    )
    def test_both_forms_are_read(self, topic, payload, notice):
        assert notice_of(topic, payload) == notice

    @given(st.text(max_size=40), st.binary(max_size=80))
    def test_whatever_comes_is_a_notice_or_refused(self, topic, payload):
        try:
            notice_of(topic, b'{"Source":' + payload + b"}")
        except UNREADABLE:
            return

    def test_the_broker_hands_it_on_and_nonsense_is_refused(self):
        told = []
        published = PublishedNotices({"gate": Kind.PERSON_IN_ZONE}, told.append, SystemClock())
        broker = Broker("127.0.0.1", "rathaus", "0123456789abcdef")
        source = MqttSource(broker, frozenset({"gate"}), lambda camera, event: told.append(event.id), None, published.read)
        said = [
            ("gate/onvif-ej/VideoSource/MotionAlarm/&1", b'{"Data":{"State":"true"}}'),
            ("gate/onvif-ej/VideoSource/MotionAlarm/&1", b"{"),
            ("gate/onvif-ej/VideoSource/MotionAlarm/&1", b"[" * 8000),
            ("nobody/onvif-ej/VideoSource/MotionAlarm/&1", b'{"Data":{"State":"true"}}'),
            ("gate/onvif-ej/RuleEngine/Recognition/Face/&1", b'{"Data":{"State":"true"}}'),
            ("gate/events", b'{"id":"own","kind":"gathering"}'),
            ("gate/onvif-ej/VideoSource/MotionAlarm/&1", b'{"Data":{"State":"false"}}'),
        ]
        for topic, payload in said:
            message = MQTTMessage(topic=f"blickschutz/rathaus/cameras/{topic}".encode())
            message.payload = payload
            source._take(source._client, None, message)
        assert [one if isinstance(one, str) else (one[0], one[1].kind, one[1].active) for one in told] == [
            ("gate", Kind.PERSON_IN_ZONE, True),
            "own",
            ("gate", Kind.PERSON_IN_ZONE, False),
        ]
        assert source.refused == 3

    def test_what_motion_counts_as_and_who_is_heard_follow_the_settings(self):
        told, cameras = [], {"gate": None}
        published = PublishedNotices({"gate": None}, told.append, SystemClock())
        source = MqttSource(Broker("127.0.0.1", "rathaus", "0123456789abcdef"), cameras, None, None, published.read)

        def moves(camera, state="true"):
            message = MQTTMessage(topic=f"blickschutz/rathaus/cameras/{camera}/onvif-ej/VideoSource/MotionAlarm/&1".encode())
            message.payload = b'{"Data":{"State":"%s"}}' % state.encode()
            source._take(source._client, None, message)

        moves("gate")
        moves("yard")
        assert (told, source.refused) == ([], 1)
        cameras["yard"] = None
        published.settle({"gate": Kind.PERSON_IN_ZONE, "yard": Kind.LOITERING})
        moves("gate")
        moves("yard")
        # What goes on at a camera whose meaning is the same is still known: its end is told.
        published.settle({"gate": Kind.GATHERING, "yard": Kind.LOITERING})
        moves("yard", "false")
        moves("gate")
        assert [(camera, one.kind, one.active) for camera, one in told] == [
            ("gate", Kind.PERSON_IN_ZONE, True),
            ("yard", Kind.LOITERING, True),
            ("yard", Kind.LOITERING, False),
            ("gate", Kind.GATHERING, True),
        ]
        # A message that was read before its camera went is nobody's.
        act = published.read("gate", "onvif-ej/VideoSource/MotionAlarm/&1".removeprefix("onvif-ej/"), b'{"Data":{"State":"true"}}')
        published.settle({})
        act()
        assert len(told) == 4
