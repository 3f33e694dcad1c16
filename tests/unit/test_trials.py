"""Cameras tried from a browser: what may be tried, how often, what a trial may say, and what is kept of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import socket
import threading

import msgspec
import pytest

from blickschutz.audit.model import Event
from blickschutz.bootstrap.cells import trial_settings
from blickschutz.config.loader import load_site
from blickschutz.config.model import Site
from blickschutz.control.service.trials import TrialDesk
from blickschutz.control.trials import MOST_IN_A_MINUTE, NotTried, Turns, device_of, networks_of, ports_of, read_wanted, refusal
from blickschutz.guard.service import Guard
from blickschutz.ingest.model import Cause, Codec, Measured, NoticeSettings, SourceKind, SourceSettings, Step
from blickschutz.ingest.rules.address import read_address
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import ProtocolError, StoreBusyError
from blickschutz.kernel.scene import Doubt
from blickschutz.pipeline.credentials import Credentials
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.profile import device_profile, trial_profile
from blickschutz.pipeline.trial import GoneError, device_told, stream_told
from blickschutz.pipeline.trials import (
    MOST_PICTURE,
    AskDevice,
    CameraAnswered,
    FromTrial,
    PictureTold,
    Seek,
    StepTold,
    StreamOffered,
    TryStream,
    order_of,
    say_order,
)
from blickschutz.settings.rules.changes import differences, touches_anchors
from blickschutz.web.routes.trials import _line
from blickschutz.web.trial_lines import picture_said, step_said
from blickschutz.web.trial_words import CODEC_WORDS, OFFER_WORDS, STEP_WORDS, TRIAL_PROBLEMS
from blickschutz.wire.frames import pack
from blickschutz.zones.model import Zone
from tests.desk import EXAMPLE
from tests.fakes.onvif_camera import OnvifPeer
from tests.fakes.web_camera import WebCamera, moving, part
from tests.live.system import until
from tests.videos import still

EXAMPLE_SITE = load_site(EXAMPLE)
_answers = msgspec.msgpack.Decoder(FromTrial)


def site_with(*networks, cameras=None, **server):
    """The example with these networks of cameras, its cameras at these addresses."""
    addresses = cameras or [EXAMPLE_SITE.cameras[0].address]
    moved = tuple(one.model_copy(update={"address": address}) for one, address in zip(EXAMPLE_SITE.cameras, addresses, strict=False))
    return EXAMPLE_SITE.model_copy(
        update={
            "site": EXAMPLE_SITE.site.model_copy(update={"camera_networks": networks}),
            "server": EXAMPLE_SITE.server.model_copy(update=server),
            "cameras": moved,
        }
    )


class TestWhatMayBeTried:
    @pytest.mark.parametrize(
        ("text", "address", "device"),
        [
            ("rtsp://10.1.2.3/live?x=1", "rtsp://10.1.2.3/live?x=1", False),
            (" 10.1.2.3 ", "http://10.1.2.3/onvif/device_service", True),
            ("fd00::7", "http://[fd00::7]/onvif/device_service", True),
            ("https://10.1.2.3:8443/onvif/device_service", "https://10.1.2.3:8443/onvif/device_service", True),
            ("http://10.1.2.3/still.jpg", "http://10.1.2.3/still.jpg", False),
        ],
    )
    def test_an_address_is_read_as_it_was_meant(self, text, address, device):
        found = read_wanted(text)
        assert (found.plain, found.device) == (address, device)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", NotTried.ADDRESS),
            ("file:/etc/passwd", NotTried.ADDRESS),
            ("gopher://10.1.2.3/x", NotTried.ADDRESS),
            ("rtsp://10.1.2.3:99999/x", NotTried.ADDRESS),
            ("rtsp://10.1.2.3/\nHost: x", NotTried.ADDRESS),
            ("rtsp://u:p@10.1.2.3/x", NotTried.SECRET),
            ("rtsp://u@10.1.2.3/x", NotTried.SECRET),
        ],
    )
    def test_what_is_none_is_refused(self, text, why):
        assert read_wanted(text) is why

    @pytest.mark.parametrize(
        ("address", "why"),
        [
            ("rtsp://10.1.2.3/x", None),
            ("rtsp://10.1.2.3:8554/x", None),
            ("rtsp://10.1.2.9:7000/x", None),
            ("http://10.1.2.3:22/x", NotTried.PORT),
            ("rtsp://10.1.2.3:8710/x", NotTried.PORT),
            ("rtsp://10.1.3.3/x", NotTried.NETWORK),
            ("rtsp://10.1.2.0/x", NotTried.NETWORK),
            ("rtsp://10.1.2.255/x", NotTried.NETWORK),
            ("rtsp://10.1.2.50/x", NotTried.NETWORK),
            ("rtsp://127.0.0.1/x", NotTried.NETWORK),
            ("rtsp://0.0.0.0/x", NotTried.NETWORK),
            ("rtsp://224.0.0.1/x", NotTried.NETWORK),
            ("rtsp://[::ffff:10.1.2.3]/x", NotTried.NETWORK),
            ("rtsp://localhost/x", NotTried.NAME),
            ("rtsp://camera.example/x", NotTried.NAME),
            ("rtsp://010.1.2.3/x", NotTried.NAME),
            ("rtsp://0x0a010203/x", NotTried.NAME),
            ("rtsp://167838211/x", NotTried.NAME),
        ],
    )
    def test_only_cameras_of_the_networks_are_tried_at_usual_ports(self, address, why):
        """10.1.2.50 is this server; the site has a camera at port 7000."""
        site = site_with("10.1.2.0/24", cameras=["rtsp://192.168.4.4:7000/x"], host="10.1.2.50")
        assert refusal(read_address(address), site) is why

    def test_this_machine_is_tried_only_where_a_network_says_so(self):
        assert refusal(read_address("rtsp://127.83.1.1:8554/x"), site_with("127.83.0.0/16")) is None

    def test_without_networks_those_around_the_cameras_count(self):
        site = site_with(
            cameras=["rtsp://192.168.4.4:7000/x", "rtsp://8.8.8.8/x", "rtsp://127.0.0.1/x", "file:a.mp4", "rtsp://[fd00::1]/x"]
        )
        assert list(map(str, networks_of(site))) == ["192.168.4.0/24", "fd00::/64"]
        assert 7000 in ports_of(site)
        assert 7000 not in ports_of(site_with(cameras=["file:a.mp4"]))
        assert refusal(read_address("rtsp://10.0.0.1/x"), site_with(cameras=["file:a.mp4"])) is NotTried.NO_NETWORK

    @pytest.mark.parametrize("value", ["10.0.0.0/8", "0.0.0.0/0", "10.0.0.1/24", "town", "::/0", "fd00::/32"])
    def test_a_network_of_a_town_is_none_of_cameras(self, value):
        with pytest.raises(ValueError, match=r"network|Netz"):
            Site(name="x", operator="y", camera_networks=(value,))

    def test_no_page_changes_the_networks(self):
        changed = differences({"site": {}}, {"site": {"camera_networks": ["10.0.0.0/16"]}})
        assert touches_anchors(changed) == ("site.camera_networks",)

    def test_the_service_beside_a_stream_is_the_same_host_and_nothing_else_of_it(self):
        found = device_of(read_address("rtsp://u:p@10.1.2.3:554/a/b"))
        assert (found.plain, found.address.user, found.address.password) == ("http://10.1.2.3/onvif/device_service", "", "")


class TestTurns:
    def test_one_for_each_person_and_two_in_all(self):
        turns = Turns()
        assert turns.begin("a", 0.0) is None
        assert turns.begin("a", 1.0) is NotTried.OWN
        assert turns.begin("b", 1.0) is None
        assert turns.begin("c", 2.0) is NotTried.MANY
        turns.end("a")
        assert turns.begin("c", 3.0) is None

    def test_a_minute_has_so_many(self):
        turns = Turns()
        for number in range(MOST_IN_A_MINUTE):
            assert turns.begin("a", float(number)) is None
            turns.end("a")
        assert turns.begin("b", 59.0) is NotTried.OFTEN
        assert turns.begin("b", 60.5) is None


def answer_of(message):
    return _answers.decode(msgspec.msgpack.encode(message))


class TestWords:
    """What goes between the control room and a trial."""

    def test_an_order_carries_no_secret_and_what_signs_in_comes_beside_it(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            with pytest.raises(ProtocolError):
                TryStream(CellSettings(camera="trial", source=SourceSettings(SourceKind.RTSP, "rtsp://u:p@10.1.2.3/x")), 1.0)
            with pytest.raises(ProtocolError):
                AskDevice(NoticeSettings("http://u:p@10.1.2.3/onvif/device_service"), True)
            order = AskDevice(NoticeSettings("http://10.1.2.3"), True)
            say_order(ours, order, Credentials(notices="http://u:p@10.1.2.3/onvif/device_service"))
            told, secret = order_of(theirs)
            assert (told, secret.notices) == (order, "http://u:p@10.1.2.3/onvif/device_service")

    @pytest.mark.parametrize(
        "message",
        [
            {"type": "step", "step": "reach", "text": "what the camera said"},
            {"type": "step", "step": "reach", "cause": "something else"},
            {"type": "step", "step": "rate", "measured": {"rate": math.nan}},
            {"type": "step", "step": "rate", "measured": {"rate": -1.0}},
            {"type": "step", "step": "rate", "measured": {"rate": math.inf}},
            {"type": "step", "step": "stream", "measured": {"codec": "<b>"}},
            {"type": "picture", "data": b"x" * (MOST_PICTURE + 1)},
            {"type": "offered", "address": "rtsp://" + "x" * 200, "width": 1, "height": 1},
            {"type": "snapshot", "number": 1, "data": b""},
        ],
    )
    def test_what_is_no_number_and_no_closed_word_is_refused(self, message):
        with pytest.raises(msgspec.ValidationError):
            answer_of(message)

    def test_a_trial_is_confined_to_its_port_and_a_service_without_a_model(self, tmp_path):
        source = SourceSettings(SourceKind.RTSP, "rtsp://u:p@10.1.2.3:8554/x")
        made = trial_profile(CellSettings(camera="trial", source=source, models=str(tmp_path)), 4711)
        assert (made.zone, made.connect, made.bind, made.udp, made.datagrams) == (Zone.TRIAL, {8554, 4711}, frozenset(), False, False)
        assert "clips" not in {one.place for one in made.files}
        asks = device_profile("http://u:p@10.1.2.3/onvif/device_service")
        assert (asks.zone, asks.connect, asks.udp) == (Zone.TRIAL, {80}, False)
        assert "models" not in {one.place for one in asks.files}

    def test_every_word_has_its_sentence(self):
        assert set(TRIAL_PROBLEMS) == {one.value for one in NotTried}
        assert set(CODEC_WORDS) == set(Codec)
        for step in (*STEP_WORDS, *OFFER_WORDS):
            for language in ("de", "en"):
                for cause in (None, *Cause):
                    line = step_said(StepTold(step, cause, Measured(key_s=1.0, clock_s=3.0)), language)
                    assert line["name"]
                    assert "{}" not in line["text"]
                    assert cause is None or line["text"]
        assert [picture_said(PictureTold(b"", doubt), "de")["state"] for doubt in Doubt] == ["unknown"] * len(Doubt)
        assert "picture" not in _line(PictureTold(b""), "de")

    @pytest.mark.parametrize(("ahead", "said"), [(0.4, "weniger als"), (7.0, "geht 7 s vor"), (-7.0, "geht 7 s nach")])
    def test_a_clock_is_told_as_people_set_it(self, ahead, said):
        assert said in step_said(StepTold(Step.CLOCK, None, Measured(clock_s=ahead)), "de")["text"]


class Scripted:
    """Launches trials that are threads: each says what `answers` gives for its order, then waits until it is ended."""

    def __init__(self, answers, *, stays=False):
        self._answers, self._stays = answers, stays
        self.orders, self.secrets, self.lives = [], [], []

    def __call__(self, connection, name):
        assert name == "trial"
        life = Life()
        self.lives.append(life)
        line = socket.socket(fileno=socket.dup(connection.fileno()))
        threading.Thread(target=self._live, args=(line, life), daemon=True).start()
        return life

    def _live(self, line, life):
        with line:
            order, secret = order_of(line)
            self.orders.append(order)
            self.secrets.append(secret)
            with contextlib.suppress(OSError):
                for one in self._answers(order):
                    line.sendall(pack(one))
                if self._stays:
                    life.killed.wait(30)
        life.over.set()


class Life:
    pid, exitcode = 1, None

    def __init__(self):
        self.killed, self.over = threading.Event(), threading.Event()

    def is_alive(self):
        return not self.over.is_set()

    def join(self, timeout=None):
        self.over.wait(timeout)

    def kill(self):
        self.killed.set()


class Log:
    def __init__(self, fails=False):
        self.entries, self.fails = [], fails

    def write(self, event, by, subject, facts):
        if self.fails:
            raise StoreBusyError("busy")
        self.entries.append((event, by, facts))


class Cell:
    def __init__(self, stopped=False):
        self.stopped = stopped


def answers_of(order):
    if isinstance(order, AskDevice):
        offers = [StreamOffered("rtsp://192.168.99.9:8554/large", 1920, 1080), StreamOffered("rtsp://10.1.2.3/small", 320, 240)]
        return [StepTold(Step.CLOCK, None, Measured(clock_s=2.0)), *(offers if order.streams else [])]
    if isinstance(order, Seek):
        return [
            CameraAnswered("10.1.2.3", "http://10.1.2.3/onvif/device_service", "Tor"),
            CameraAnswered("10.1.2.4", "http://10.1.2.5/onvif/device_service", "another's"),
            CameraAnswered("10.9.9.9", "http://10.9.9.9/onvif/device_service", "outside"),
            CameraAnswered("10.1.2.6", "http://10.1.2.6:22/onvif/device_service", "a port of others"),
            CameraAnswered("10.1.2.7", "javascript:alert(1)", "no address"),
        ]
    return [StepTold(Step.REACH), StepTold(Step.SIGN_IN), StepTold(Step.STREAM), PictureTold(b"\xff\xd8")]


def made(launch, log=None, site=None, cells=None, guard=None, **options):
    known, clock = site or site_with("10.1.2.0/24"), SystemClock()
    return TrialDesk(lambda: known, cells or {}, trial_settings, log or Log(), clock, guard or Guard(clock), launch, **options)


def said(desk, address="rtsp://10.1.2.3/x", user="viewer", password="s/e#c?r@t"):
    async def all_of():
        return [one async for one in desk.tried("technik", address, user, password)]

    return asyncio.run(all_of())


class TestDesk:
    def test_a_stream_is_tried_and_then_the_clock_asked_without_the_account(self):
        launch, log = Scripted(answers_of), Log()
        told = said(made(launch, log))
        assert [one.step if isinstance(one, StepTold) else type(one) for one in told] == [
            *(Step.REACH, Step.SIGN_IN, Step.STREAM, PictureTold, Step.CLOCK)
        ]
        stream, clock = launch.orders
        assert (stream.settings.source.address, stream.settings.clips) == ("rtsp://10.1.2.3", "")
        assert (clock.device.address, clock.streams) == ("http://10.1.2.3", False)
        assert [one.source or one.notices for one in launch.secrets] == [
            "rtsp://viewer:s%2Fe%23c%3Fr%40t@10.1.2.3/x",
            "http://10.1.2.3/onvif/device_service",
        ]
        assert log.entries == [
            (Event.CAMERA_TRIED, "technik", {"address": "rtsp://10.1.2.3"}),
            (Event.SETUP_LOOKED, "technik", {"address": "rtsp://10.1.2.3"}),
        ]

    def test_a_number_is_asked_for_its_streams_and_the_largest_is_tried_at_the_same_host(self):
        launch = Scripted(answers_of)
        told = said(made(launch), "10.1.2.3")
        assert told[0].step is Step.CLOCK
        assert told[1] == "rtsp://10.1.2.3:8554/large"
        assert [type(one) for one in launch.orders] == [AskDevice, TryStream]
        assert launch.secrets[1].source.endswith("@10.1.2.3:8554/large")

    def test_a_stream_at_a_port_of_others_is_not_followed(self):
        def answers(order):
            return [StepTold(Step.CLOCK), StreamOffered("rtsp://10.1.2.3:22/x", 1, 1), StreamOffered("nothing", 1, 1)]

        told = said(made(Scripted(answers)), "10.1.2.3")
        assert told[-1] == StepTold(Step.PROFILE, Cause.REDIRECTED)
        assert said(made(Scripted(lambda order: [StepTold(Step.CLOCK)])), "10.1.2.3")[-1] == StepTold(Step.PROFILE, Cause.ADDRESS)

    def test_what_stops_a_camera_stops_its_trial(self):
        cameras = ["rtsp://10.1.2.3/x", "rtsp://10.1.2.4/x"]
        site = site_with("10.1.2.0/24", cameras=cameras)
        first, second = (one.id for one in site.cameras)
        launch = Scripted(answers_of)
        assert said(made(launch, site=site, cells={first: Cell(True), second: Cell()})) == [NotTried.STOPPED]
        assert said(made(launch, site=site, cells={first: Cell(True), second: Cell(True)}), "rtsp://10.1.2.9/x") == [NotTried.STOPPED]
        assert said(made(launch, preparing=True)) == [NotTried.PREPARING]
        assert launch.orders == []
        desk = made(launch, site=site, cells={first: Cell(True), second: Cell()})
        assert said(desk, "rtsp://10.1.2.4/x")[0].step is Step.REACH
        # While something runs it is asked again and again.
        assert [desk.held(one) for one in ("rtsp://10.1.2.3/x", "rtsp://10.1.2.4/x", "10.1.2.3", "", "nothing")] == [
            *(NotTried.STOPPED, None, NotTried.STOPPED, None, None)
        ]

    def test_what_cannot_be_logged_is_not_tried_and_a_refusal_is_logged(self):
        launch, log = Scripted(answers_of), Log()
        assert said(made(launch, Log(fails=True))) == [NotTried.LOG]
        assert said(made(launch, log), "rtsp://10.9.9.9/x") == [NotTried.NETWORK]
        assert launch.orders == []
        assert log.entries == [(Event.CAMERA_TRIED, "technik", {"address": "rtsp://10.9.9.9", "not_tried": "network"})]

    def test_time_ends_it_and_with_it_its_process(self):
        launch = Scripted(lambda order: [StepTold(Step.REACH)], stays=True)
        assert said(made(launch, most_s=1.0)) == [StepTold(Step.REACH), NotTried.GONE]
        assert launch.lives[0].killed.is_set()

    def test_a_trial_that_breaks_the_schema_is_ended(self):
        launch = Scripted(lambda order: [Seek((), 1.0)], stays=True)
        assert said(made(launch)) == [NotTried.GONE]
        assert launch.lives[0].killed.is_set()

    def test_whoever_goes_away_ends_it_and_has_their_turn_again(self):
        launch = Scripted(lambda order: [StepTold(Step.REACH)], stays=True)
        desk = made(launch)

        async def leaves():
            async with contextlib.aclosing(desk.tried("technik", "rtsp://10.1.2.3/x", "", "")) as steps:
                assert await anext(steps) == StepTold(Step.REACH)
                again = [one async for one in desk.tried("technik", "rtsp://10.1.2.3/x", "", "")]
                assert again == [NotTried.OWN]
            assert launch.lives[0].killed.is_set()
            async with contextlib.aclosing(desk.tried("technik", "rtsp://10.1.2.3/x", "", "")) as steps:
                assert await anext(steps) == StepTold(Step.REACH)

        asyncio.run(leaves())
        assert [life.killed.is_set() for life in launch.lives] == [True, True]

    def test_a_process_that_begins_when_nobody_waits_any_more_is_ended(self):
        launch, may_begin = Scripted(answers_of, stays=True), threading.Event()

        def slowly(connection, name):
            assert may_begin.wait(30)
            return launch(connection, name)

        desk = made(slowly)

        async def leaves():
            steps = desk.tried("technik", "rtsp://10.1.2.3/x", "", "")
            first = asyncio.ensure_future(anext(steps))
            await asyncio.sleep(0.05)
            first.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await first
            assert desk.held("") is None
            may_begin.set()
            while not (launch.lives and launch.lives[0].killed.is_set()):
                await asyncio.sleep(0.01)

        asyncio.run(asyncio.wait_for(leaves(), 30))

    def test_what_nobody_foresaw_at_its_begin_is_told_by_the_guard_and_to_whoever_waits(self):
        guard = Guard(SystemClock())

        def broken(connection, name):
            raise ZeroDivisionError

        assert said(made(broken, guard=guard)) == [NotTried.GONE]
        until(lambda: [one.failures for one in guard.states() if one.name == "trial-begins"] == [1])

    def test_a_search_shows_cameras_of_the_networks_by_their_own_address_alone(self):
        launch, log = Scripted(answers_of), Log()
        desk = made(launch, log, site_with("10.1.2.0/24", "fd00::/64"))

        async def all_of():
            return [one async for one in desk.sought("technik")]

        assert [one.name for one in asyncio.run(all_of())] == ["Tor"]
        assert launch.orders[0].networks == ("10.1.2.0/24",)
        assert log.entries == [(Event.CAMERAS_SOUGHT, "technik", {"networks": ["10.1.2.0/24", "fd00::/64"]})]


class TestProcess:
    """What the process of a trial does, without its walls; with them: tests/attack/test_zones.py, tests/live/test_trial.py."""

    def test_a_service_says_its_clock_and_its_streams(self):
        peer = OnvifPeer(user="viewer", password="x", ahead_s=100.0)
        try:
            told = list(device_told(NoticeSettings(peer.address), SystemClock(), streams=True))
            assert told[0].step is Step.CLOCK
            assert told[0].measured.clock_s == pytest.approx(100.0, abs=5.0)
            assert any(isinstance(one, StreamOffered) and one.address.startswith("rtsp://") for one in told)
            peer.asked.clear()
            plain = device_told(NoticeSettings(f"http://127.0.0.1:{peer.port}/onvif/device_service"), SystemClock(), streams=False)
            assert [one.step for one in plain] == [Step.CLOCK]
            refused = device_told(NoticeSettings(f"http://127.0.0.1:{peer.port}/onvif/device_service"), SystemClock(), streams=True)
            assert list(refused)[-1] == StepTold(Step.PROFILE, Cause.PASSWORD)
        finally:
            peer.end()

    def test_nobody_there_is_one_failed_step(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        ours, theirs = socket.socketpair()
        with ours, theirs:
            settings = CellSettings(camera="trial", source=SourceSettings(SourceKind.RTSP, f"rtsp://127.0.0.1:{port}/x"))
            assert list(stream_told(settings, 1.0, SystemClock(), ours)) == [StepTold(Step.REACH, Cause.REFUSED)]
        (clock,) = device_told(NoticeSettings(f"http://127.0.0.1:{port}/onvif/device_service"), SystemClock(), streams=False)
        assert clock == StepTold(Step.CLOCK, Cause.REFUSED)

    def test_while_nothing_is_proven_there_is_no_picture_and_why(self, walk_clip):
        """Half a second is too short to learn a place; the steps are told all the same."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            settings = CellSettings(camera="trial", source=SourceSettings(SourceKind.FILE, str(walk_clip), realtime=False))
            told = list(stream_told(settings, 0.0, SystemClock(), ours))
        *steps, picture = told
        assert [one.step for one in steps] == [Step.REACH, Step.SIGN_IN, Step.STREAM, Step.KEYFRAMES, Step.RATE, Step.LOAD]
        assert all(one.cause is None for one in steps)
        assert picture.data == b""
        assert picture.doubt is not None

    def test_whoever_is_gone_is_told_nothing_more(self, walk_clip):
        ours, theirs = socket.socketpair()
        theirs.close()
        settings = CellSettings(camera="trial", source=SourceSettings(SourceKind.FILE, str(walk_clip)))
        with ours, pytest.raises(GoneError):
            list(stream_told(settings, 30.0, SystemClock(), ours))

    def test_pictures_by_http_are_a_stream_of_their_own_form(self):
        camera = WebCamera(lambda request: [moving(), *(part(still(160, 120, index)) for index in range(6))])
        ours, theirs = socket.socketpair()
        try:
            with ours, theirs:
                source = SourceSettings(SourceKind.PICTURES, f"http://127.0.0.1:{camera.port}/video", stall_s=2.0)
                told = list(stream_told(CellSettings(camera="trial", source=source), 0.0, SystemClock(), ours))
        finally:
            camera.end()
        stream = next(one for one in told if isinstance(one, StepTold) and one.step is Step.STREAM)
        assert (stream.measured.codec, stream.measured.width, stream.measured.height) == (Codec.MJPEG, 160, 120)


class TestRoute:
    """The page's line to a trial. Who may have it at all: tests/unit/test_routes_access.py."""

    @staticmethod
    def told(desk, *messages):
        """What is said to somebody who connects and says these."""
        asked, told = asyncio.Queue(), []
        for one in ({"type": "websocket.connect"}, *({"type": "websocket.receive", **message} for message in messages)):
            asked.put_nowait(one)
        host = desk.system.address.split("/")[2]
        headers = [(b"host", host.encode()), (b"origin", f"http://{host}".encode())]
        headers.append((b"cookie", f"session={desk.session('technik')}".encode()))
        scope = {"type": "websocket", "path": "/settings/cameras/trial", "raw_path": b"", "query_string": b"", "headers": headers}
        scope |= {"scheme": "ws", "http_version": "1.1", "root_path": "", "client": ("127.0.0.1", 1), "server": tuple(host.split(":"))}

        async def send(message):
            told.append(message)

        async def whole():
            async with asyncio.timeout(60):
                await desk.system.app({**scope, "subprotocols": [], "extensions": {}, "state": {}}, asked.get, send)

        desk.run(whole())
        assert told[0]["type"] == "websocket.accept"
        return [json.loads(one["text"]) for one in told if one["type"] == "websocket.send"]

    @pytest.mark.parametrize(
        "message",
        [{"text": "x"}, {"text": '{"do": "other"}'}, {"text": '{"do": "try"}'}, {"text": "[" * 4000}, {"bytes": b"\xff"}],
    )
    def test_what_is_no_order_is_refused_in_words(self, desk, message):
        assert self.told(desk, message) == [{"problem": TRIAL_PROBLEMS["address"]}, {"over": True}]

    def test_a_refusal_has_words_and_repeats_no_password(self, desk):
        order = {"do": "try", "address": "rtsp://10.9.9.9/x", "user": "viewer", "password": "s/e#c?r@t"}
        told = self.told(desk, {"text": json.dumps(order)})
        assert told == [{"problem": TRIAL_PROBLEMS["network"]}, {"over": True}]
        entry = desk.events(Event.CAMERA_TRIED)[0]
        assert (entry.by, entry.facts) == ("technik", {"address": "rtsp://10.9.9.9", "not_tried": "network"})
        page = desk.get("/log", "dsb").text
        assert "Kamera-Adresse ausprobiert" in page
        assert "liegt nicht in einem Netz der Kameras" in page
        assert "s/e#c?r@t" not in page

    def test_the_page_names_the_networks(self, desk):
        page = desk.get("/settings/cameras", "technik").text
        assert "192.0.2.0/24" in page
