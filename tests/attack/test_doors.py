"""Strangers at the doors: too much, too slowly, too often; a real server on the loopback."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import ssl
import threading
import time

import pytest
import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import PlainTextResponse

from blickschutz.kernel.clock import SystemClock
from blickschutz.vault.io.authority import Authority
from blickschutz.web.connections import LimitedHttp, RefusableWebSocket, counted
from blickschutz.web.door import Door
from blickschutz.web.limits import MOST_BYTES, BodyLimit

_MEGABYTE = 1024 * 1024


class Hurried(LimitedHttp):
    most, most_of_one, header_s, answer_s = 12, 8, 0.5, 0.5


class Server:
    """A page that takes a form, a program's route and a WebSocket, behind the limits."""

    def __init__(self, certificates=None):
        app, self.seen = FastAPI(), []

        @app.post("/form")
        async def form(request: Request):
            self.seen.append(dict(await request.form()))
            return {"fields": len(self.seen[-1])}

        @app.post("/program")
        async def program(given: dict):
            self.seen.append(given)
            return given

        @app.get("/long")
        def long():
            return PlainTextResponse("x" * 8 * _MEGABYTE)

        @app.websocket("/live")
        async def live(socket: WebSocket):
            await socket.accept()
            await socket.receive_text()

        @app.websocket("/refused")
        async def refused(socket: WebSocket):
            await socket.send_denial_response(PlainTextResponse("", 401))

        self.listener = Door(socket.AF_INET, Hurried)
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        config = uvicorn.Config(BodyLimit(app, within_s=1.0), http=Hurried, ws=RefusableWebSocket, log_config=None, lifespan="off")
        if certificates is not None:
            config.ssl_certfile, config.ssl_keyfile = str(certificates.certificate), str(certificates.key)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]})
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def ask(self, path, body=b"", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def raw(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def end(self):
        self.server.should_exit = True
        self.thread.join(20)
        self.listener.close()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.end()


FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def test_what_people_send_is_taken(server):
    assert server.ask("/form", b"reason=Versammlung", content_type=FORM) == 200
    assert server.ask("/program", b'{"reason": "Versammlung"}', content_type=JSON) == 200
    assert server.ask("/program", b'{"reason": "' + b"x" * (MOST_BYTES - 100) + b'"}', content_type=JSON) == 200


@pytest.mark.parametrize(("path", "kind"), [("/form", FORM), ("/program", JSON)])
def test_a_body_that_is_announced_as_too_large_is_not_read(server, path, kind):
    with server.raw() as stranger:
        stranger.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {1500 * _MEGABYTE}\r\n\r\n".encode())
        assert stranger.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(("path", "kind"), [("/form", FORM), ("/program", JSON)])
def test_of_a_body_without_a_length_little_is_taken(server, path, kind):
    taken = 0
    with server.raw() as stranger:
        stranger.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        with contextlib.suppress(OSError):
            for _ in range(1500 * 16):
                stranger.sendall(chunk)
                taken += 65536
    # What the kernel holds of it is not the server's.
    assert taken < 16 * _MEGABYTE


def test_files_are_not_taken_at_all(server):
    part = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' + b"y" * 1000 + b"\r\n--x--\r\n"
    before = len(server.seen)
    assert server.ask("/form", part, content_type="multipart/form-data; boundary=x") == 415
    assert server.ask("/form", part, content_type=" Multipart/Form-Data; boundary=x") == 415
    assert len(server.seen) == before


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "99999999999999999999"])
def test_a_length_that_is_none_is_refused(server, length):
    with server.raw() as stranger:
        stranger.sendall(f"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        assert stranger.recv(100).split()[1] in {b"400", b"413"}


def test_a_body_that_drips_ends(server):
    with server.raw() as stranger:
        stranger.sendall(
            b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\na="
        )
        start = time.monotonic()
        assert stranger.recv(100).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - start < 8


@pytest.mark.parametrize("part", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_half_a_request_does_not_stay(server, part):
    with server.raw() as stranger:
        stranger.sendall(part)
        start = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert stranger.recv(1) == b""
        assert time.monotonic() - start < 8


def test_half_a_second_request_does_not_stay_either(server):
    whole = b"POST /program HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    with server.raw() as stranger:
        stranger.sendall(whole + b"POST /program HT")
        start, told = time.monotonic(), b""
        try:
            while part := stranger.recv(1000):
                told += part
        except ConnectionResetError:
            pass
        assert told.startswith(b"HTTP/1.1 200")
        assert told.count(b"HTTP/1.1") == 1
        assert time.monotonic() - start < 8


def test_one_address_has_so_many_connections_and_then_others_still_come_in(server):
    held = [server.raw() for _ in range(30)]
    try:
        time.sleep(0.2)
        assert Hurried.opened.total() <= Hurried.most_of_one + 1
    finally:
        for one in held:
            one.close()
    end = time.monotonic() + 5
    while Hurried.opened.total() and time.monotonic() < end:
        time.sleep(0.05)
    assert server.ask("/program", b"{}", content_type=JSON) == 200


def test_where_strangers_hold_every_connection_whoever_asks_at_once_is_let_in(server):
    held = []
    try:
        for host in range(2, 6):
            for _ in range(Hurried.most_of_one):
                one = socket.create_connection(("127.0.0.1", server.port), 5, (f"127.0.0.{host}", 0))
                one.sendall(b"GET / HT")
                held.append(one)
        assert [server.ask("/program", b"{}", content_type=JSON) for _ in range(5)] == [200] * 5
    finally:
        for one in held:
            one.close()


@pytest.fixture
def encrypted(tmp_path):
    certificates, _ = Authority(tmp_path, "Rathaus", ("schutz.lan",), SystemClock()).server()
    server = Server(certificates)
    yield server
    server.end()


def asks_encrypted(server):
    """The status of an answer over TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.closing(http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20, context=context)) as connection:
        connection.request("POST", "/program", b"{}", {"content-type": JSON})
        return connection.getresponse().status


@pytest.mark.parametrize("part", [b"", b"\x16\x03\x01\x02\x00\x01"])
def test_half_a_handshake_does_not_stay(encrypted, part):
    """Until it is over nothing of HTTP counts it, and asyncio would keep it for a minute."""
    with encrypted.raw() as stranger:
        stranger.settimeout(20)
        stranger.sendall(part)
        with contextlib.suppress(ConnectionResetError):
            assert stranger.recv(100) == b""
    assert asks_encrypted(encrypted) == 200


def test_one_address_has_so_many_handshakes_open(encrypted):
    held = [encrypted.raw() for _ in range(30)]
    try:
        assert asked_until(lambda: len(ended(held)) >= 30 - Hurried.most_of_one)
        assert encrypted.listener.waiting <= Hurried.most_of_one
    finally:
        for one in held:
            one.close()


def test_where_handshakes_take_every_place_whoever_comes_is_let_in(encrypted, monkeypatch):
    monkeypatch.setattr(Hurried, "header_s", 30.0)
    held = []
    try:
        for host in range(2, 6):
            for _ in range(Hurried.most_of_one):
                held.append(socket.create_connection(("127.0.0.1", encrypted.port), 5, (f"127.0.0.{host}", 0)))
        assert [asks_encrypted(encrypted) for _ in range(5)] == [200] * 5
        assert encrypted.listener.waiting <= Hurried.most
    finally:
        for one in held:
            one.close()


def test_whoever_has_a_fair_share_of_a_full_house_turns_nobody_out(server, monkeypatch):
    monkeypatch.setattr(Hurried, "header_s", 30.0)
    held = []
    try:
        for host in range(2, 6):
            for _ in range(3):
                held.append(socket.create_connection(("127.0.0.1", server.port), 5, (f"127.0.0.{host}", 0)))
        assert asked_until(lambda: Hurried.opened.total() == Hurried.most)
        held += [socket.create_connection(("127.0.0.1", server.port), 5, ("127.0.0.2", 0)) for _ in range(5)]
        assert asked_until(lambda: len(ended(held)) >= 5)
        assert ended(held) == held[-5:]
        assert server.ask("/program", b"{}", content_type=JSON) == 200
        assert len(ended(held)) == 6, "for the one that came from elsewhere the oldest went"
    finally:
        for one in held:
            one.close()


def deaf(server, number, host=1, times=20):
    """Strangers who ask for much and read nothing of it."""
    made = []
    for _ in range(number):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        one.settimeout(10)
        one.bind((f"127.0.0.{host}", 0))
        one.connect(("127.0.0.1", server.port))
        one.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n" * times)
        made.append(one)
    return made


def is_reset(connection):
    """Whether the other side is gone, whatever it left to be read."""
    asked = select.poll()
    asked.register(connection, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in asked.poll(0))


def test_whoever_reads_no_answer_does_not_stay(server):
    held = deaf(server, 4)
    try:
        assert asked_until(lambda: all(is_reset(one) for one in held))
    finally:
        for one in held:
            one.close()


def test_where_every_place_is_taken_by_whoever_reads_nothing_others_are_let_in(server, monkeypatch):
    monkeypatch.setattr(Hurried, "answer_s", 60.0)
    held = []
    try:
        for host in range(2, 6):
            held += deaf(server, 3, host)
        assert asked_until(lambda: Hurried.opened.total() == Hurried.most)
        assert asked_until(lambda: all(one._stuck for one in Hurried._all))
        assert [server.ask("/program", b"{}", content_type=JSON) for _ in range(5)] == [200] * 5
    finally:
        for one in held:
            one.close()


def test_where_every_place_is_being_answered_others_are_let_in(server, monkeypatch):
    """Nobody is silent, and nobody stuck: whoever has the most places gives one up."""
    monkeypatch.setattr(Hurried, "answer_s", 60.0)
    monkeypatch.setattr(Hurried, "pause_writing", LimitedHttp.__mro__[1].pause_writing)
    assert asked_until(lambda: Hurried.opened.total() == 0), "nobody is left of another test"
    held = []
    try:
        held += deaf(server, 8, 2) + deaf(server, 4, 3)
        assert asked_until(lambda: Hurried.opened.total() == Hurried.most and not Hurried._silent)
        assert [server.ask("/program", b"{}", content_type=JSON) for _ in range(3)] == [200] * 3
        assert Hurried.opened["127.0.0.3"] == 4
    finally:
        for one in held:
            one.close()


def test_whoever_was_refused_a_live_stream_has_a_place_until_they_are_gone(encrypted):
    """Over TLS a closed connection waits half a minute for the other side's last word."""
    context, held = ssl.create_default_context(), []
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        for _ in range(Hurried.most_of_one):
            one = context.wrap_socket(encrypted.raw())
            one.sendall(handshake("/refused"))
            assert one.recv(100).startswith(b"HTTP/1.1 401")
            held.append(one)
        assert Hurried.opened["127.0.0.1"] == Hurried.most_of_one
        with pytest.raises((OSError, http.client.HTTPException)):
            asks_encrypted(encrypted)
    finally:
        for one in held:
            one.close()
    assert asked_until(lambda: Hurried.opened.total() == 0)


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("", ""),
    ],
)
def test_a_line_into_the_house_counts_as_one_whatever_address_it_takes(address, line):
    assert counted(address) == line


def asked_until(true):
    end = time.monotonic() + 20
    while not (holds := true()) and time.monotonic() < end:
        time.sleep(0.02)
    return holds


def ended(connections):
    """Those of them that the server has closed."""
    found = []
    for one in connections:
        one.setblocking(False)
        try:
            if one.recv(1) == b"":
                found.append(one)
        except BlockingIOError:
            pass
        except OSError:
            found.append(one)
    return found


def handshake(path):
    return (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def test_a_live_stream_that_is_refused_is_refused_with_its_code_and_is_no_fault(server, caplog):
    with server.raw() as stranger:
        stranger.sendall(handshake("/refused"))
        told = b""
        while part := stranger.recv(4096):
            told += part
    assert told.startswith(b"HTTP/1.1 401")
    assert told.count(b"HTTP/1.1") == 1
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == []


def test_live_pictures_do_not_count(server):
    watching = []
    for _ in range(20):
        one = server.raw()
        one.sendall(handshake("/live"))
        assert one.recv(4096).startswith(b"HTTP/1.1 101")
        watching.append(one)
    time.sleep(2 * Hurried.header_s)
    assert server.ask("/program", b"{}", content_type=JSON) == 200
    for one in watching:
        one.setblocking(False)
        # Nothing to read is an error here; an end would be read as nothing.
        with pytest.raises(BlockingIOError):
            one.recv(1000)
        one.close()
