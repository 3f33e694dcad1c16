"""Cameras with pictures by HTTP: MJPEG and still ones, signed in, bounded, and with a cause for whatever else comes."""

from __future__ import annotations

import itertools
import socket
import ssl
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.bootstrap.cells import source_settings
from blickschutz.config.loader import load_site
from blickschutz.guard.service import Guard
from blickschutz.ingest.io.decoders import Decoders
from blickschutz.ingest.io.sources import open_source
from blickschutz.ingest.model import Cause, SourceKind, SourceSettings
from blickschutz.ingest.rules.address import read_address
from blickschutz.ingest.rules.multipart import MOST_PART, MOST_PREAMBLE, Parts, boundary_of
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.devices import Decoding
from blickschutz.kernel.errors import CameraRefusedError, CameraStalledError, CameraUnreachableError, StreamEndedError
from blickschutz.pipeline.decode import ClipDecoder
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.profile import profile_of
from blickschutz.recording.io.ring import Fragment, Head, PacketMuxer
from blickschutz.recording.model import Gop
from tests.conftest import ROOT
from tests.fakes.rtsp_camera import certificate
from tests.fakes.web_camera import moving, part, said
from tests.videos import still

JPEG = still(64, 48)


class TestParts:
    @given(st.lists(st.integers(1, 40), min_size=1), st.booleans(), st.booleans())
    def test_however_the_bytes_come_the_parts_are_the_same(self, cuts, length, dashes):
        bodies = [b"\xff\xd8one\xff\xd9", b"--b not at a line's start", b"\r\n-two\r\n"]
        name = "--b" if dashes else "b"
        data = b"hello\r\n" + b"".join(part(body, length=length) for body in bodies) + b"--b--\r\n"
        parts, found, at = Parts(boundary_of(f'multipart/x-mixed-replace; boundary="{name}"')), [], 0
        for cut in itertools.cycle(cuts):
            found += parts.feed(data[at : at + cut])
            at += cut
            if at >= len(data):
                break
        assert [one.body for one in found] == bodies
        assert {one.kind for one in found} == {"image/jpeg"}
        assert parts.ended

    @given(st.lists(st.binary(max_size=200)))
    def test_whatever_comes_is_parts_or_refused(self, pieces):
        parts = Parts("b")
        try:
            for piece in pieces:
                parts.feed(b"\r\n--b\r\n" + piece)
        except ValueError:
            pass

    def test_a_picture_is_given_before_the_next_begins(self):
        (one,) = Parts("b").feed(b"--b\r\nContent-Length: 3\r\n\r\nabc")
        assert (one.kind, one.body) == ("", b"abc")

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"--b\r\nContent-Length: 99999999999\r\n\r\n", "a part of that length"),
            (f"--b\r\nContent-Length: {MOST_PART + 1}\r\n\r\n".encode(), "a part of that length"),
            (b"--b\r\nContent-Length: -5\r\n\r\n", "a part of that length"),
            (b"--b\r\nContent-Length: 2\r\n\r\nabcdefgh\r\n--b\r\n", "another length"),
            (b"--b\r\nX: " + b"x" * 9000, "no end"),
            (b"x" * (MOST_PREAMBLE + 100), "no boundary"),
            (b"--b\r\n\r\n" + b"x" * (MOST_PART + 1), "without an end"),
        ],
    )
    def test_what_has_no_bounds_is_refused(self, data, why):
        with pytest.raises(ValueError, match=why):
            Parts("b").feed(data)

    @pytest.mark.parametrize("kind", ["multipart/x-mixed-replace", "multipart/x-mixed-replace; boundary=--", "multipart/mixed;boundary="])
    def test_parts_need_a_boundary(self, kind):
        with pytest.raises(ValueError, match="boundary"):
            boundary_of(kind)
        assert boundary_of("image/jpeg") is None


@pytest.fixture
def camera(web):
    def make(*pieces, reply=None, **kwargs):
        return web(reply or (lambda request: pieces), **kwargs)

    return make


OPEN = []


@pytest.fixture(autouse=True)
def closed():
    yield
    while OPEN:
        OPEN.pop().close()


def source(camera, scheme="http", account="", path="/video", sink=None, decoders=None, **settings):
    address = f"{scheme}://{account}127.0.0.1:{camera.port}{path}"
    made = SourceSettings(SourceKind.PICTURES, address, **{"connect_s": 1.0, "stall_s": 0.5, "every_s": 0.1, **settings})
    OPEN.append(open_source(made, SystemClock(), sink, decoders=decoders))
    return OPEN[-1]


def refused(camera, **kwargs):
    """Why it cannot be opened; what stands in an account is in no error."""
    with pytest.raises(CameraRefusedError) as caught:
        source(camera, **kwargs)
    assert "secret" not in str(caught.value)
    return caught.value


class TestMoving:
    @pytest.mark.parametrize("length", [True, False])
    def test_pictures_come_as_they_are_and_can_be_recorded(self, camera, length):
        pictures = [still(64, 48, n) for n in range(30)]
        muxer = PacketMuxer()
        one = camera(moving(), *(part(data, length=length) for data in pictures), b"--b--\r\n")
        frames = source(one, sink=muxer.connection()).frames()
        got = list(itertools.islice(frames, 30))
        assert [(frame.width, frame.height, frame.index) for frame in got[:2]] == [(64, 48, 0), (64, 48, 1)]
        assert all(later.at > sooner.at for sooner, later in itertools.pairwise(got))
        with pytest.raises(StreamEndedError):
            next(frames)
        head, *fragments = muxer.finish(muxer.ended())
        assert isinstance(head, Head)
        assert all(isinstance(one, Fragment) for one in fragments)
        kept = b"".join(fragment.data for fragment in fragments)
        assert all(data in kept for data in pictures), "byte for byte as they came"
        assert [pts for fragment in fragments for pts in fragment.pts] == [frame.pts for frame in got]
        decoder = ClipDecoder(head.data)
        gops = [Gop(data=one.data, key=one.key, pts=one.pts, times=(), masks=(), marks=()) for one in fragments]
        played = [frame for gop in gops for frame in decoder.decode(gop)] + list(decoder.rest())
        assert [frame.pts for frame in played] == [frame.pts for frame in got]
        assert all((after.y == before.y).all() for before, after in zip(got, played, strict=True)), "a clip plays what was seen"

    def test_pictures_in_chunks_and_with_the_dashes_in_the_name(self, camera):
        data = part(JPEG, boundary="--my b") * 2
        chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (data[:100], data[100:])]
        head = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/x-mixed-replace;boundary="--my b"\r\n\r\n'
        assert len(list(itertools.islice(source(camera(head, *chunks, b"0\r\n\r\n")).frames(), 2))) == 2

    def test_a_damaged_picture_is_none(self, camera):
        """Of what breaks off a decoder makes grey, which nobody saw."""
        damaged = JPEG[: len(JPEG) // 2]
        one = camera(moving(), part(JPEG), part(damaged), part(b""), part(JPEG), 2.0)
        decoders = Decoders(Decoding.SOFTWARE, Guard(SystemClock()), SystemClock())
        frames = source(one, decoders=decoders, stall_s=0.3).frames()
        assert len([next(frames), next(frames)]) == 2
        with pytest.raises(CameraStalledError):
            next(frames)
        assert decoders.withheld == 2

    def test_a_few_bytes_that_ask_for_all_memory_are_no_picture(self, camera):
        start = JPEG.index(b"\xff\xc0") + 5
        bomb = JPEG[:start] + b"\xff\xff\xff\xff" + JPEG[start + 4 :]
        error = refused(camera(moving(), part(bomb), 2.0))
        assert (error.cause, "no picture" in str(error)) == (Cause.UNREADABLE, True)

    def test_who_drips_has_stalled(self, camera):
        one = camera(moving(), part(JPEG), *itertools.chain.from_iterable((b"x", 0.05) for _ in range(300)))
        frames = source(one).frames()
        next(frames)
        began = time.monotonic()
        with pytest.raises((CameraStalledError, CameraRefusedError)):
            next(frames)
        assert time.monotonic() - began < 8

    @pytest.mark.parametrize(
        ("pieces", "cause"),
        [
            ((moving(), part(b"12", "audio/basic") * 3, 2.0), Cause.CODEC),
            ((moving(), part(b"12") * 3, 2.0), Cause.UNREADABLE),
            ((moving(), b"--b--"), Cause.UNREADABLE),
            ((moving(), b"x" * (MOST_PREAMBLE + 200)), Cause.UNREADABLE),
            ((moving(), b"--b\r\nContent-Length: 999999999\r\n\r\n", 2.0), Cause.UNREADABLE),
            ((moving("--"),), Cause.ANSWER),
            ((said(b"<html>", "text/html"),), Cause.ADDRESS),
            ((said(b"x", "video/mp4"),), Cause.CODEC),
            ((b"RTSP/1.0 200 OK\r\n\r\n",), Cause.ANSWER),
            ((b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",), Cause.ANSWER),
            ((b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",), Cause.ANSWER),
            ((b"HTTP/1.1 100 Continue\r\n\r\n", 0.1) * 20, Cause.SILENT),
            ((3.0,), Cause.SILENT),
            ((), Cause.SILENT),
            ((said(status="401 Unauthorized", fields='WWW-Authenticate: Basic realm="c"\r\n'),), Cause.PASSWORD),
            ((said(status="404 Not Found"),), Cause.ADDRESS),
            ((said(status="503 Busy rtsp://u:secret@x"),), Cause.BUSY),
            ((said(status="500 T\u00fcr kaputt"),), Cause.ANSWER),
            ((said(status="204 Nothing"),), Cause.ANSWER),
        ],
    )
    def test_whatever_else_comes_has_a_cause(self, camera, pieces, cause):
        assert refused(camera(*pieces), account="u:secret@").cause is cause

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        settings = SourceSettings(SourceKind.PICTURES, f"http://127.0.0.1:{port}/x")
        with pytest.raises(CameraUnreachableError):
            open_source(settings, SystemClock())

    def test_closing_ends_a_read_that_hangs(self, camera):
        one = source(camera(moving(), part(JPEG), 20.0), stall_s=20.0)
        frames = one.frames()
        next(frames)
        one.close()
        began = time.monotonic()
        with pytest.raises(CameraRefusedError):
            next(frames)
        assert time.monotonic() - began < 10


class TestStill:
    def test_it_is_asked_for_at_its_interval(self, camera):
        one = camera(said(JPEG))
        frames = source(one, every_s=0.1).frames()
        began = time.monotonic()
        assert len(list(itertools.islice(frames, 4))) == 4
        # Python may wait by the wall clock, which a time server moves.
        assert time.monotonic() - began >= 0.27
        assert len(one.heard) == 4

    def test_one_that_is_missing_is_none_lost_and_silence_is(self, camera):
        answers = iter([said(JPEG), said(status="503 Busy"), said(JPEG)])
        frames = source(camera(reply=lambda request: [next(answers, said(status="503 Busy"))]), every_s=0.1, stall_s=0.4).frames()
        assert len([next(frames), next(frames)]) == 2
        with pytest.raises(CameraRefusedError) as caught:
            next(frames)
        assert caught.value.cause is Cause.BUSY

    def test_one_that_has_no_end_is_refused(self, camera):
        flood = (b"x" * 2**20 for _ in range(MOST_PART // 2**20 + 2))
        assert refused(camera(b"HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n", *flood), stall_s=5.0).cause is Cause.UNREADABLE


class TestWay:
    @pytest.mark.parametrize(
        "ask", ['Basic realm="c"', 'Digest realm="c", nonce="n"', 'Digest realm="c", nonce="n", algorithm=SHA-256, qop="auth"']
    )
    def test_signing_in(self, camera, ask):
        def reply(request):
            return [said(JPEG) if "Authorization: " in request else said(status="401 Unauthorized", fields=f"WWW-Authenticate: {ask}\r\n")]

        one = camera(reply=reply)
        list(itertools.islice(source(one, account="us/er:se?c#r@et:secret@", path="/a b?c=ü#x").frames(), 2))
        assert [("Authorization: " in request) for request in one.heard] == [False, True, True]
        assert one.heard[0].startswith("GET /a%20b?c=%C3%BC HTTP/1.1\r\nHost: 127.0.0.1:")

    def test_a_wrong_password_is_tried_once(self, camera):
        one = camera(said(status="401 Unauthorized", fields='WWW-Authenticate: Digest realm="c", nonce="n"\r\n'))
        assert refused(one, account="u:secret@").cause is Cause.PASSWORD
        assert len(one.heard) == 2

    def test_a_redirect_is_followed_on_the_same_host_and_port_alone(self, camera):
        def reply(request):
            return [said(JPEG) if request.startswith("GET /there") else said(status="302 Found", fields="Location: /there?x=1\r\n")]

        assert source(camera(reply=reply)).width == 64
        with socket.create_server(("127.0.0.9", 0)) as elsewhere:
            elsewhere.settimeout(0.2)
            for place in (f"http://127.0.0.9:{elsewhere.getsockname()[1]}/", "https://127.0.0.1/x", "//x/y", "file:///etc/passwd", ""):
                one = camera(said(status="302 Found", fields=f"Location: {place}\r\n"))
                assert refused(one, account="u:secret@").cause is Cause.REDIRECTED
            with pytest.raises(TimeoutError):
                elsewhere.accept()
        assert refused(camera(said(status="301 Moved", fields="Location: /video\r\n"))).cause is Cause.REDIRECTED

    def test_a_certificate_is_pinned_or_vouched_for(self, camera, tmp_path):
        pem, fingerprint = certificate()
        path = tmp_path / "camera.pem"
        path.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        one = camera(said(JPEG), context=context)
        error = refused(one, scheme="https", account="u:secret@")
        assert error.cause is Cause.CERTIFICATE
        assert fingerprint in str(error)
        assert refused(one, scheme="https", fingerprint="0" * 64).cause is Cause.CERTIFICATE
        assert one.heard == [], "nothing was said to it"
        assert source(one, scheme="https", fingerprint=fingerprint).width == 64
        assert source(one, scheme="https", authority=str(path)).width == 64
        assert refused(camera(said(JPEG)), scheme="https").cause is Cause.CERTIFICATE


def test_what_the_site_file_says_and_what_the_cell_may(tmp_path):
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    change = {"address": "https://192.0.2.7/control/faststream.jpg?stream=full", "user": "blick", "every_s": 0.5}
    settings = source_settings(site.cameras[0].model_copy(update=change), tmp_path)
    assert (settings.kind, settings.every_s) == (SourceKind.PICTURES, 0.5)
    assert read_address(settings.address).path == "/control/faststream.jpg?stream=full"
    profile = profile_of(CellSettings(camera="a", source=settings))
    assert (profile.connect, profile.bind, profile.udp) == ({443}, frozenset(), False)
    assert any(grant.place == "certificates of authorities" for grant in profile.files)
