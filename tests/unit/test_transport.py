"""How RTSP's media come: datagrams to this machine and to a group, and RTSP within HTTP. The camera only talks; packets are ours."""

from __future__ import annotations

import re
import socket
import threading
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.bootstrap.cells import source_settings
from blickschutz.config.loader import load_site
from blickschutz.guard.service import Guard
from blickschutz.ingest.io.gate import Gate
from blickschutz.ingest.io.line import opened
from blickschutz.ingest.io.sources import open_source
from blickschutz.ingest.model import Cause, SourceKind, SourceSettings, Transport
from blickschutz.ingest.rules.address import read_address
from blickschutz.ingest.rules.transport import channels_of, granted
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import CameraRefusedError, DeviceError
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.profile import profile_of
from blickschutz.zones.calls import only
from blickschutz.zones.numbers import Architecture
from blickschutz.zones.table import table
from tests.conftest import ROOT

GROUP = "239.255.18.4"
MEDIA, REPORT = b"\x80\x60" + b"m" * 30, b"\x80\xc8" + b"r" * 20


class TestGrants:
    @pytest.mark.parametrize(
        ("transport", "ports"),
        [
            ("RTP/AVP;unicast;client_port=6000-6001;server_port=7000-7001", (7000, 7001)),
            ("RTP/AVP/UDP;unicast;server_port=7000;client_port=6000-6001", (7000, 7001)),
            ("RTP/AVP;unicast;client_port=6000-6001", (0, 0)),
            ("RTP/AVP;unicast;server_port=99999-100000", (0, 0)),
        ],
    )
    def test_datagrams_to_this_machine(self, transport, ports):
        found = granted(transport, group=False)
        assert (found.camera_media, found.camera_reports, found.group) == (*ports, "")
        assert granted(transport, group=True) is None

    def test_datagrams_to_a_group(self):
        found = granted(f"RTP/AVP;multicast;destination={GROUP};port=5000-5001;ttl=1", group=True)
        assert (found.group, found.media, found.reports) == (GROUP, 5000, 5001)
        assert granted(f"RTP/AVP;multicast;destination={GROUP};port=5000-5001", group=False) is None

    @pytest.mark.parametrize(
        "transport",
        [
            "RTP/AVP;multicast;destination=10.0.0.1;port=5000-5001",
            "RTP/AVP;multicast;destination=camera;port=5000-5001",
            "RTP/AVP;multicast;port=5000-5001",
            f"RTP/AVP;multicast;destination={GROUP};port=22-23",
            f"RTP/AVP;multicast;destination={GROUP};port=5001-5000",
            f"RTP/AVP;multicast;destination={GROUP}",
            "RTP/AVP/TCP;multicast;interleaved=0-1",
            "",
        ],
    )
    def test_what_is_no_group_of_datagrams_is_none(self, transport):
        assert granted(transport, group=True) is None

    @given(st.text(max_size=80))
    def test_whatever_comes_is_read_or_none(self, transport):
        for group in (False, True):
            found = granted(transport, group)
            assert found is None or max(found.camera_media, found.camera_reports) < 65536
        assert channels_of(transport) is None or "interleaved=" in transport


class Reader:
    """Speaks with the gate as FFmpeg does."""

    def __init__(self, camera, transport):
        self.address = read_address(f"rtsp://127.0.0.1:{camera.port}/stream")
        settings = SourceSettings(SourceKind.RTSP, "", stall_s=2.0, connect_s=2.0, transport=transport)
        self.gate = Gate(self.address, settings, Guard(SystemClock()))
        port = int(re.search(r":(\d+)/", self.gate.url)[1])
        self.socket = socket.create_connection(("127.0.0.1", port), 2)
        self.socket.settimeout(2)

    def ask(self, method, fields=""):
        self.socket.sendall(f"{method} {self.gate.url} RTSP/1.0\r\nCSeq: 7\r\n{fields}\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = self.socket.recv(4096)
            if not part:
                return ""
            answer += part
        return answer.decode("latin-1")

    def setup(self):
        return self.ask("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n")

    def packet(self):
        head = self.socket.recv(4, socket.MSG_WAITALL)
        return head[1], self.socket.recv(int.from_bytes(head[2:], "big"), socket.MSG_WAITALL)

    def close(self):
        self.socket.close()
        self.gate.close()


@pytest.fixture
def reader():
    made = []

    def make(camera, transport):
        made.append(Reader(camera, transport))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_datagrams_of_the_camera_come_within_the_connection_and_of_nobody_else(camera, reader):
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reports,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        for one, address in ((media, "127.0.0.1"), (reports, "127.0.0.1"), (stranger, "127.0.0.9")):
            one.bind((address, 0))
            one.settimeout(2)
        ports = f"server_port={media.getsockname()[1]}-{reports.getsockname()[1]}"

        def setup(request):
            asked = re.search(r"Transport: (RTP/AVP;unicast;client_port=\d+-\d+)\r", request + "\r")
            return "200 OK", f"Transport: {asked[1]};{ports}\r\nSession: 1\r\n"

        one = camera({"SETUP": setup})
        ours = reader(one, Transport.UDP)
        assert "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n" in ours.setup()
        port = int(re.search(r"client_port=(\d+)-(\d+)", one.heard[0])[1])
        assert port % 2 == 0
        assert (media.recv(100)[:1], reports.recv(100)[:2]) == (b"\x80", b"\x80\xc9"), "a firewall on the way lets in what answers them"
        assert ours.gate.silent() == "no datagram came"
        stranger.sendto(b"x" * 40, ("127.0.0.1", port))
        media.sendto(MEDIA, ("127.0.0.1", port))
        reports.sendto(REPORT, ("127.0.0.1", port + 1))
        assert sorted([ours.packet(), ours.packet()]) == [(0, MEDIA), (1, REPORT)]
        assert ours.gate.silent() == ""
        ours.socket.sendall(b"$\x01\0\x08" + b"report!!")
        assert reports.recv(100) == b"report!!"
        ours.ask("PLAY")
        assert [request.split()[0] for request in one.heard] == ["SETUP", "PLAY"], "what is a datagram is not said in the connection"


def test_datagrams_to_a_group(camera, reader):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1] // 2 * 2 - 4
    grant = f"Transport: RTP/AVP;multicast;destination={GROUP};port={port}-{port + 1};ttl=1\r\n"
    one = camera({"SETUP": ("200 OK", grant)})
    ours = reader(one, Transport.MULTICAST)
    assert "interleaved=0-1" in ours.setup()
    assert "Transport: RTP/AVP;multicast" in one.heard[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sends:
        sends.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        sends.sendto(MEDIA, (GROUP, port))
    assert ours.packet() == (0, MEDIA)


@pytest.mark.parametrize(
    ("transport", "granted"),
    [
        (Transport.UDP, "RTP/AVP/TCP;unicast;interleaved=0-1"),
        (Transport.UDP, f"RTP/AVP;multicast;destination={GROUP};port=5000-5001"),
        (Transport.MULTICAST, "RTP/AVP;unicast;server_port=7000-7001"),
        (Transport.MULTICAST, "RTP/AVP;multicast;destination=127.0.0.1;port=5000-5001"),
    ],
)
def test_a_camera_that_sends_in_another_way_than_asked_is_refused(camera, reader, transport, granted):
    ours = reader(camera({"SETUP": ("200 OK", f"Transport: {granted}\r\n")}), transport)
    assert ours.setup() == ""
    assert ours.gate.refused[0] is Cause.TRANSPORT


def test_a_camera_whose_datagrams_are_lost_on_the_way_says_so(camera):
    """As behind a firewall: all goes well, and nothing comes."""
    one = camera({"SETUP": ("200 OK", "Transport: RTP/AVP;unicast;client_port=1-2;server_port=9-10\r\nSession: 1\r\n")})
    address = f"rtsp://127.0.0.1:{one.port}/stream"
    settings = SourceSettings(SourceKind.RTSP, address, connect_s=2.0, stall_s=0.5, transport=Transport.UDP)
    source = open_source(settings, SystemClock())
    with pytest.raises(CameraRefusedError) as caught:
        list(source.frames())
    source.close()
    assert caught.value.cause is Cause.TRANSPORT
    assert any(request.startswith("PLAY") for request in one.heard)


class TestTunnel:
    def line(self, web, account=""):
        settings = SourceSettings(SourceKind.RTSP, "", stall_s=1.0, connect_s=1.0, transport=Transport.HTTP)
        return opened(read_address(f"rtsp://{account}127.0.0.1:{web.port}/a b"), settings)

    def test_requests_go_in_the_one_answers_come_in_the_other_connection(self):
        heard, done = [], threading.Event()

        def serve(server):
            down, _ = server.accept()
            heard.append(down.recv(4096))
            down.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\nRTSP/1.0 ")
            up, _ = server.accept()
            said = b""
            # Head and first request come together or apart, as the kernel has it.
            while not said.partition(b"\r\n\r\n")[2]:
                said += up.recv(4096)
            heard.extend(said.split(b"\r\n\r\n", 1))
            down.sendall(b"200 OK\r\n\r\n")
            done.wait(3)
            up.close()
            down.close()

        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(3)
            thread = threading.Thread(target=serve, args=(server,))
            thread.start()
            settings = SourceSettings(SourceKind.RTSP, "", stall_s=1.0, connect_s=1.0, transport=Transport.HTTP)
            line = opened(read_address(f"rtsp://127.0.0.1:{server.getsockname()[1]}/a b"), settings)
            line.send(b"OPTIONS * RTSP/1.0\r\n\r\n")
            assert line.receive() + line.receive() == b"RTSP/1.0 200 OK\r\n\r\n"
            line.close()
            done.set()
            thread.join()
        assert heard[0].startswith(b"GET /a%20b HTTP/1.0\r\n")
        assert heard[1].startswith(b"POST /a%20b HTTP/1.0\r\n")
        cookies = {re.search(rb"x-sessioncookie: (\w+)", one)[1] for one in heard[:2]}
        assert len(cookies) == 1
        assert b64decode(heard[2]) == b"OPTIONS * RTSP/1.0\r\n\r\n"

    def test_signing_in(self, web):
        def reply(request):
            signed = "Authorization: Basic dTpzZWNyZXQ=" in request
            return [b"HTTP/1.0 200 OK\r\n\r\n" if signed else b'HTTP/1.0 401 No\r\nWWW-Authenticate: Basic realm="c"\r\n\r\n', 0.2]

        one = web(reply)
        self.line(one, "u:secret@").close()
        assert [("Authorization" in request) for request in one.heard[:2]] == [False, True]

    @pytest.mark.parametrize(
        ("answer", "cause"),
        [
            (b'HTTP/1.0 401 No\r\nWWW-Authenticate: Basic realm="c"\r\n\r\n', Cause.PASSWORD),
            (b"HTTP/1.0 404 None\r\n\r\n", Cause.TRANSPORT),
            (b"RTSP/1.0 400 Bad\r\n\r\n", Cause.TRANSPORT),
            (b"x" * 70_000, Cause.TRANSPORT),
            (b"", Cause.TRANSPORT),
        ],
    )
    def test_a_camera_without_a_tunnel_says_so(self, web, answer, cause):
        with pytest.raises(CameraRefusedError) as caught:
            self.line(web(lambda request: [answer]), "u:secret@")
        assert caught.value.cause is cause
        assert "secret" not in str(caught.value)

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        settings = SourceSettings(SourceKind.RTSP, "", transport=Transport.HTTP)
        with pytest.raises(DeviceError):
            opened(read_address(f"rtsp://127.0.0.1:{port}/x"), settings)


def test_only_the_cell_of_a_camera_with_datagrams_may_bind_ports_for_them(tmp_path):
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    machine = Architecture(0xC000003E, 0)
    found = {}
    for transport in Transport:
        settings = source_settings(site.cameras[0].model_copy(update={"transport": transport}), tmp_path)
        assert settings.transport is transport
        profile = profile_of(CellSettings(camera="a", source=settings))
        assert profile.bind == frozenset()
        found[transport] = profile.datagrams, machine.number("bind") in only(profile, machine), "UDP (media" in table([profile])
    assert found == {one: (one.datagrams,) * 3 for one in Transport}
