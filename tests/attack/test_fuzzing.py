"""Bytes of a stranger at every reader: each is taken or refused by its own error, in bounded time and memory.

`BLICKSCHUTZ_FUZZ` sets how many examples each reader gets (100; docs/benchmarks.md says what longer runs found).
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import socket
import struct
import tarfile
import threading
import tracemalloc
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from blickschutz.anchor.rules import read_records
from blickschutz.audit.rules import verify as verify_log
from blickschutz.config.loader import load_site, parse_site
from blickschutz.evidence.io.package import make_bag, tar, unpack
from blickschutz.evidence.io.verify import verify as verify_package
from blickschutz.ingest.model import SessionState
from blickschutz.ingest.rules.rtsp import read_message
from blickschutz.kernel.errors import OperatorError, ProtocolError, SettingsError
from blickschutz.kernel.scene import Doubt
from blickschutz.pipeline.channel import pack, read_from_cell, unpack_from_cell
from blickschutz.pipeline.messages import Fragment, Head, Health, Snapshot, ToCell
from blickschutz.recording.io.clipfile import CHUNK_PREFIX, MAGIC, SIZE, ClipError, ClipReader, envelope_range, head_of, tag_of
from blickschutz.recording.model import ClipState
from blickschutz.reviewroom import messages as room
from blickschutz.vault import service
from blickschutz.vault.io.files import is_signed
from blickschutz.vault.register import RegisterError
from blickschutz.vault.register import read as read_register
from blickschutz.web.limits import MOST_BYTES, BodyLimit
from blickschutz.web.uploads import FormError, plain_name, receive
from blickschutz.wire import frames
from blickschutz.zones.forking import serve
from tests.attack.test_doors import Server
from tests.desk import EXAMPLE
from tests.unit.test_recording import write_clip

EXAMPLES = int(os.environ.get("BLICKSCHUTZ_FUZZ", "100"))
fuzzed = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
_MEGABYTE = 1 << 20
# What has broken readers before: depths, lengths that nothing follows, ends of texts, numbers without end.
ODD = (
    *(
        b"",
        b"\0",
        b"\xff" * 8,
        b"\r\n\r\n",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"nan",
        b"1e999",
        b"9" * 5000,
        b"-1",
        b"../" * 40,
        b"\\u0000",
    ),
    *(b"[" * 3000, b'{"a":' * 3000, b"\x91" * 3000, b"\x81\xa1a" * 3000, b"a." * 3000 + b"b=1\n", b"$" * 3000),
    *(b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\x7f\xff\xff\xff", b"\xd3" + b"\x80" * 8, b"\xc1"),
)
PIECES = st.one_of(st.sampled_from(ODD), st.binary(max_size=40))
_CHANGES = st.lists(st.tuples(st.sampled_from(["flip", "put", "cut", "copy"]), st.integers(0, 1 << 30), PIECES), min_size=1, max_size=5)


def mutations(*bases):
    """One of these texts with a few changes, or something else entirely."""
    return st.one_of(st.builds(_changed, st.sampled_from(bases), _CHANGES), st.lists(PIECES, max_size=4).map(b"".join))


def _changed(base, changes):
    data = bytearray(base)
    for kind, number, piece in changes:
        at = number % (len(data) + 1)
        if kind == "flip" and at < len(data):
            data[at] ^= 1 << (number >> 20) % 8
        elif kind == "put":
            data[at : at + number % 3 * len(piece)] = piece
        elif kind == "cut":
            del data[at : at + (len(piece) or 1)]
        else:
            data[at:at] = data[at // 2 : at]
        del data[4 * _MEGABYTE :]
    return bytes(data)


# --- messages between our own processes ---

_HEALTH = Health(session=SessionState.LIVE, stopped=False, doubt=Doubt.STARTING, frames=3)
FROM_CELL = [pack(one)[4:] for one in (_HEALTH, Head(1, "avc1", b"x" * 50), Fragment(1, True, 1.5, 2.5, b"y" * 50), Snapshot(4, b""))]
FROM_ROOM = [msgspec.msgpack.encode(one) for one in (room.Ready(port=8), room.RoomEmpty())]
FOR_ROOM = [msgspec.msgpack.encode(one) for one in (room.Expel(person="kvd-1"), room.CloseRoom(), room.Suspended(why="x"))]
DEEP = b"\x81\xa1a" * 100_000


@fuzzed
@given(mutations(*FROM_CELL))
def test_what_a_cell_says_is_a_message_or_a_breach(data):
    with contextlib.suppress(ProtocolError):
        assert isinstance(unpack_from_cell(data), msgspec.Struct)


@fuzzed
@given(mutations(*(pack(_HEALTH) + pack(Snapshot(4, b"")),)))
def test_a_stream_of_a_cell_is_messages_an_end_or_a_breach(data):
    async def heard():
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        while await read_from_cell(reader) is not None:
            pass

    with contextlib.suppress(ProtocolError):
        asyncio.run(heard())


@pytest.mark.parametrize(("kind", "known"), [(ToCell, FROM_CELL), (room.ToRoom, FOR_ROOM), (room.FromRoom, FROM_ROOM)])
def test_the_other_ends_refuse_alike(kind, known):
    decoder = msgspec.msgpack.Decoder(kind)

    @fuzzed
    @given(mutations(*known))
    def told(data):
        with contextlib.suppress(ProtocolError):
            frames.unpack(data, decoder)

    told()
    with pytest.raises(ProtocolError):
        frames.unpack(DEEP, decoder)


@fuzzed
@given(st.binary(max_size=80), st.integers(0, 4))
def test_the_launcher_starts_nothing_that_it_does_not_know(word, count):
    """It ends, holds no descriptor, and no process was forked: a fork would be this test once more."""
    before, me = len(os.listdir("/proc/self/fd")), os.getpid()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, socket.socket() as given_:
        socket.send_fds(ours, [word], [given_.fileno()] * count)
        serve(theirs, {"cell": lambda _: None})
    assert os.getpid() == me
    assert len(os.listdir("/proc/self/fd")) == before


# --- files ---


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    return folder / "a.clip", write_clip(folder / "a.clip", 2)


@fuzzed
@given(data=st.data())
def test_a_clip_is_read_or_named(data, clip, tmp_path):
    path, key = clip
    whole = path.read_bytes()
    changed = data.draw(mutations(whole, whole[:300], MAGIC + b"\0\2" + SIZE.pack(60_000) + b'{"x":' * 12_000))
    other = tmp_path / "b.clip"
    other.write_bytes(changed)
    with contextlib.suppress(ClipError):
        head_of(changed)
    with contextlib.suppress(ClipError):
        envelope_range(other)
    try:
        reader = ClipReader(other, key)
    except ClipError:
        return
    list(reader)
    reader.close()
    assert changed == whole or reader.state is not ClipState.WHOLE


@fuzzed
@given(st.lists(PIECES, min_size=1, max_size=3))
def test_what_is_sealed_rightly_and_says_nonsense_is_altered(clip, tmp_path, said):
    """A cell that was taken over has its clip's key: a review room reads what it sealed."""
    path, key = clip
    head = head_of(path.read_bytes())
    sealer = service.StreamSealer(key)
    start = bytearray(path.read_bytes()[: _start_of(path)])
    start[-len(sealer.header) :] = sealer.header
    for number, piece in enumerate(said):
        prefix = CHUNK_PREFIX.pack(len(piece) + service.SEALED_OVERHEAD, number, tag_of(head.header.clip))
        start += prefix + sealer.seal(piece, prefix, last=number == len(said) - 1)
    other = tmp_path / "c.clip"
    other.write_bytes(bytes(start))
    with pytest.raises(ClipError):
        ClipReader(other, key)


def _start_of(path):
    """Where the chunks of a clip begin."""
    data, at = path.read_bytes(), len(MAGIC) + 2
    for _ in range(2):
        at += SIZE.size + SIZE.unpack_from(data, at)[0]
    return at + service.STREAM_HEADER


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A package of evidence as a tar, not signed."""
    folder = tmp_path_factory.mktemp("package")
    for name, data in (("original.mp4", b"\0\1" * 300), ("custody.json", b"{}\n")):
        (folder / name).write_bytes(data)
    make_bag(folder, {"External-Identifier": "KL-17"})
    (folder / "signature.json").write_bytes(b'{"format": "x", "public_key": "00", "digests": {}, "signature": "00"}')
    return tar(folder)


@settings(fuzzed, max_examples=max(20, EXAMPLES // 3))
@given(data=st.data())
def test_a_package_is_verified_or_named(data, packed, tmp_path):
    other = tmp_path / "a.tar"
    other.write_bytes(data.draw(mutations(packed, packed[:2048], b"age-encryption.org/v1\n-> X25519 x\n")))
    with contextlib.suppress(OperatorError):
        assert verify_package(other, is_signed)


def bomb(**more):
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("data/x")
        for name, value in more.items():
            setattr(entry, name, value)
        archive.addfile(entry)
    return target.getvalue()


def compressed():
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        entry = tarfile.TarInfo("data/x")
        entry.size = 64 * _MEGABYTE
        archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    return target.getvalue()


HOLES = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 40), "GNU.sparse.name": "data/x"}
BOMBS = {
    "compressed": compressed,
    "holes": lambda: bomb(pax_headers={"GNU.sparse.map": "0,0", "GNU.sparse.size": str(1 << 40), "GNU.sparse.name": "data/x"}),
    "holes-1.0": lambda: bomb(pax_headers=HOLES),
    "link": lambda: bomb(type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "hard-link": lambda: bomb(type=tarfile.LNKTYPE, linkname="../../etc/passwd"),
    "device": lambda: bomb(type=tarfile.CHRTYPE),
    "pipe": lambda: bomb(type=tarfile.FIFOTYPE),
    "no-time": lambda: bomb(pax_headers={"mtime": "1e300"}),
    "endless-names": lambda: bomb(type=tarfile.XHDTYPE)[:512] * 3000,
    "parent": lambda: bomb(name="../x"),
    "root": lambda: bomb(name="/tmp/of-a-stranger"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_tar_unpacks_to_more_than_it_is(name, tmp_path):
    data = BOMBS[name]()
    with contextlib.suppress(OperatorError):
        unpack(data, tmp_path)
    found = list(tmp_path.rglob("*"))
    assert sum(one.stat().st_size for one in found if one.is_file()) <= len(data)
    assert not any(one.is_symlink() or one.is_fifo() for one in found)
    assert not os.path.exists("/tmp/of-a-stranger")
    assert not (tmp_path.parent / "x").exists()


SITE = EXAMPLE.read_bytes()


@settings(fuzzed, max_examples=max(20, EXAMPLES // 3))
@given(mutations(SITE, SITE[:600], b"[site]\nname = 'x'\n[[cameras]]\nid = 'a'\n"))
def test_a_site_file_is_read_or_its_fault_named(data):
    with contextlib.suppress(SettingsError):
        parse_site(data.decode("utf-8", "surrogateescape"), "site.toml", "en")


@pytest.mark.parametrize(
    "data", [b"\xff", b"a = " + b"[" * 5000, b"a = " + b"9" * 5000, b"a." * 2500 + b"b = 1", b"# " + b"x" * 5 * _MEGABYTE]
)
def test_a_site_file_without_end_is_refused(data, tmp_path):
    (tmp_path / "site.toml").write_bytes(data)
    with pytest.raises(SettingsError):
        load_site(tmp_path / "site.toml")


def test_a_site_file_that_never_ends_is_not_read_to_its_end():
    tracemalloc.start()
    try:
        with pytest.raises(SettingsError):
            load_site(Path("/dev/zero"))
        assert tracemalloc.get_traced_memory()[1] < 32 * _MEGABYTE
    finally:
        tracemalloc.stop()


_LOG = b'{"format":"blickschutz-log-1","installation":"ab","public_key":"00","first":1}\n{"hash":"00","entry":{}}\n{"checkpoint":{}}'


@fuzzed
@given(mutations(_LOG, _LOG[:90]))
def test_a_log_a_witness_and_a_register_are_read_or_named(data):
    lines = data.split(b"\n")
    list(verify_log(lines, is_signed))
    read_records(lines, is_signed)
    with contextlib.suppress(RegisterError):
        read_register(tuple(line.decode("utf-8", "replace") for line in lines), "00", "ab")


# --- the network ---

_RTSP = b"RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Digest realm=x\r\nContent-Length: 3\r\n\r\nabc"


@fuzzed
@given(mutations(_RTSP, b"OPTIONS rtsp://127.0.0.1/x RTSP/1.0\r\nCSeq: 1\r\n\r\n"))
def test_what_a_camera_says_is_read_or_refused(data):
    with contextlib.suppress(ValueError):
        found = read_message(data)
        assert found is None or 0 < found[1] <= len(data)


_KINDS = (
    "multipart/form-data; boundary=x",
    "Multipart/Form-Data;boundary=x",
    " multipart/mixed",
    "multipart",
    "application/x-www-form-urlencoded",
)
_PART = b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: text/plain\r\n\r\nabc\r\n--x--\r\n'


@settings(fuzzed, max_examples=max(20, EXAMPLES // 3))
@given(mutations(_PART, b"a=1&b=%C3%28&c=" + b"x" * 300), st.lists(st.one_of(st.sampled_from(_KINDS), st.text(max_size=30)), max_size=2))
def test_no_form_leaves_a_file_or_a_fault(data, kinds):
    """Whatever the headers call it, it is refused or read as fields; nothing is spooled to disk before anybody knows who asks."""
    seen, answers = [], []

    async def form(request: Request):
        async with request.form() as found:
            seen.extend(found.values())
        return PlainTextResponse("")

    async def ask():
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "http_version": "1.1",
        }
        scope["headers"] = [(b"content-type", one.encode("latin-1", "ignore")) for one in kinds]
        parts = [{"type": "http.request", "body": data[:99], "more_body": True}, {"type": "http.request", "body": data[99:]}]

        async def receive():
            return parts.pop(0) if parts else {"type": "http.disconnect"}

        async def send(message):
            answers.append(message.get("status"))

        await BodyLimit(Starlette(routes=[Route("/", form, methods=["POST"])]))(scope, receive, send)

    asyncio.run(ask())
    assert answers[0] in {200, 400, 413, 415}
    assert not any(isinstance(one, UploadFile) for one in seen)
    assert answers[0] == 413 or len(data) <= MOST_BYTES or answers[0] == 415


_UPLOAD = (
    b'--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\nstaff\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--x--\r\n'
)
_CONTENT = st.one_of(
    st.sampled_from(_KINDS), st.text(st.characters(max_codepoint=255), max_size=40).map("multipart/form-data; boundary=".__add__)
)


@fuzzed
@given(mutations(_UPLOAD, _UPLOAD[:140]), _CONTENT, st.integers(1, 64))
def test_an_upload_is_taken_in_bounds_or_refused(data, kind, size):
    handed = []

    async def body():
        for at in range(0, len(data), size):
            yield data[at : at + size]

    async def hand_on(part):
        handed.append(part)

    with contextlib.suppress(FormError):
        found = asyncio.run(receive(kind, body(), hand_on, 1000, "file"))
        assert len(found.fields) <= 12
        assert "/" not in found.file
        assert plain_name(found.file) in {found.file, "dokument"}
    assert sum(map(len, handed)) <= 1000


@pytest.mark.parametrize("part", [b"X-Odd: " + b"x" * 8 * _MEGABYTE, b"".join(b"X-%d: y\r\n" % number for number in range(200_000))])
def test_headers_of_a_part_are_bounded(part):
    data = b"--x\r\n" + part + b"\r\n" + _UPLOAD[5:]

    async def body():
        for at in range(0, len(data), 65536):
            yield data[at : at + 65536]

    async def hand_on(_):
        pass

    tracemalloc.start()
    try:
        with pytest.raises(FormError):
            asyncio.run(receive(_KINDS[0], body(), hand_on, 1000, "file"))
        assert tracemalloc.get_traced_memory()[1] < _MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def server():
    one = Server()
    yield one
    one.end()


_HANDSHAKE = (
    b"GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
# Text, a ping, a close, half a message, a frame of 2^63 bytes, reserved bits, no mask.
_FRAMES = (
    *(b"\x81\x83\0\0\0\0abc", b"\x89\x80\0\0\0\0", b"\x88\x82\0\0\0\0\x03\xe8", b"\x01\x81\0\0\0\0a"),
    *(b"\x82\xff" + b"\x7f" + b"\xff" * 7 + b"\0\0\0\0", b"\xf1\x80\0\0\0\0", b"\x81\x03abc", b"\x81\x82\0\0\0\0\xff\xfe"),
)


@settings(fuzzed, max_examples=max(20, EXAMPLES // 3))
@given(st.one_of(mutations(_HANDSHAKE), mutations(*_FRAMES).map(_HANDSHAKE.__add__)))
def test_whatever_comes_over_a_websocket_the_next_one_is_served(server, data):
    with server.raw() as stranger:
        stranger.settimeout(3)
        with contextlib.suppress(OSError):
            stranger.sendall(data)
            stranger.shutdown(socket.SHUT_WR)
            while stranger.recv(65536):
                pass
    assert server.thread.is_alive()


def test_the_server_of_the_test_before_still_takes_a_websocket(server):
    assert server.ask("/form", b"a=1", content_type="application/x-www-form-urlencoded") == 200
    with server.raw() as friend:
        friend.sendall(_HANDSHAKE)
        assert friend.recv(100).startswith(b"HTTP/1.1 101")
        friend.sendall(_FRAMES[0])


def test_a_breach_by_depth_takes_no_time_and_no_memory():
    """8 MB, the longest message, nothing but depth or breadth."""
    for data in (
        b"\x81\xa1a" * (frames.MOST_BYTES // 3),
        b"\x91" * frames.MOST_BYTES,
        struct.pack(">BI", 0xDD, frames.MOST_BYTES) + b"\xc0" * 8,
    ):
        took = threading.Event()

        def breach(data=data, took=took):
            with contextlib.suppress(ProtocolError):
                unpack_from_cell(data)
            took.set()

        tracemalloc.start()
        thread = threading.Thread(target=breach)
        thread.start()
        thread.join(5)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert took.is_set()
        assert most < 64 * _MEGABYTE
