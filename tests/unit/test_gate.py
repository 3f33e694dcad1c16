"""The way to a camera: addresses, signing in, what it answers, who it is, and where nobody follows."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.bootstrap.cells import with_account
from blickschutz.config.parts import _address
from blickschutz.config.texts import SiteError, say
from blickschutz.guard.service import Guard
from blickschutz.ingest.io.gate import Gate
from blickschutz.ingest.io.sources import open_source
from blickschutz.ingest.model import Cause, SourceKind, SourceSettings
from blickschutz.ingest.rules.address import read_address, without_secrets
from blickschutz.ingest.rules.rtsp import SignIn, cause_of, read_message
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import CameraRefusedError, CameraStalledError
from blickschutz.pipeline.logs import configure_logs
from blickschutz.web.settings import shown_address
from blickschutz.web.texts import CAUSE_WORDS
from tests.fakes.rtsp_camera import certificate

PASSWORDS = [
    "secret",
    "s/ecret",
    "s#ecret",
    "s?ecret",
    "s@ecret",
    "s:ecret",
    "/#?@:s",
    "12/34secret",
    "s ecret?x=1&y",
    "s%41ecret",
    "pässwort/ß",
]


class TestAddresses:
    @pytest.mark.parametrize("password", PASSWORDS)
    @pytest.mark.parametrize("place", ["10.0.0.1/s", "cam.example:8554/a/b?c=d", "[fe80::1]:554/x#y", "10.0.0.1"])
    def test_a_password_is_read_as_it_stands_and_never_shown(self, password, place):
        value = f"rtsp://admin:{password}@{place}"
        found = read_address(value)
        assert (found.user, found.password) == ("admin", password.replace("%41", "A"))
        for shown in (found.shown, repr(found), without_secrets(value), shown_address(value), without_secrets(f"error at {value}: no")):
            assert password not in shown
            assert "ecret" not in shown
            assert "admin" not in shown
        assert found.shown == f"rtsp://{place.replace(':554', '')}"
        with pytest.raises(SiteError) as caught:
            _address(value)
        assert "password_file" in say("secret_in_address", "en", value="")
        assert caught.value.context["value"] == without_secrets(value)

    @pytest.mark.parametrize("password", PASSWORDS)
    def test_a_password_from_a_file_reaches_the_camera_as_it_stands(self, password):
        address = with_account("rtsp://10.0.0.1:8554/s?x=1", "admin", password)
        found = read_address(address)
        assert (found.user, found.password, found.place, found.path) == ("admin", password, "10.0.0.1:8554", "/s?x=1")

    @pytest.mark.parametrize(
        ("value", "parts"),
        [
            ("rtsp://10.0.0.1/s", ("10.0.0.1", 554, "/s", "")),
            ("RTSPS://Cam.Example/s", ("cam.example", 322, "/s", "")),
            ("rtsp://10.0.0.1:8554/user@home", ("10.0.0.1", 8554, "/user@home", "")),
            ("rtsp://admin:pw@10.0.0.1/user@home", ("10.0.0.1", 554, "/user@home", "pw")),
            ("rtsp://[::1]:9/x", ("::1", 9, "/x", "")),
        ],
    )
    def test_what_stands_in_an_address(self, value, parts):
        found = read_address(value)
        assert (found.host, found.port, found.path, found.password) == parts

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("rtsp://u:p@cam/a@b", "rtsp://cam/…@b"),
            ("rtsp://cam/a@b", "rtsp://cam/…@b"),
            ("rtsp://10.0.0.1:8554/user=u&password=p@x/live@2", "rtsp://10.0.0.1:8554/…@2"),
            ("rtsp://cam?u@b", "rtsp://cam?…@b"),
            ("rtsp://u:p@[fe80::1]/live", "rtsp://[fe80::1]/live"),
        ],
    )
    def test_an_at_in_the_path_hides_the_path_and_not_the_host(self, value, shown):
        found = read_address(value)
        assert found is not None
        assert found.shown == shown

    @pytest.mark.parametrize(
        "value", ["", "ftp://x/y", "rtsp://", "rtsp:///x", "rtsp://a:b@", "rtsp://h:99999/x", "rtsp://h\r\nX: y/", "rtsp://h h/x"]
    )
    def test_what_is_no_address_is_refused_without_the_account_in_the_message(self, value):
        assert read_address(value) is None
        with pytest.raises(SiteError) as caught:
            _address(value.replace("rtsp://", "rtsp://admin:secret@") if "@" not in value else value)
        assert "secret" not in str(caught.value)

    @given(st.text(min_size=1, max_size=30), st.text(max_size=10))
    def test_nothing_before_an_at_sign_is_ever_shown(self, password, path):
        address = f"rtsp://u:{password}@10.0.0.1/{path}"
        found = read_address(address)
        assert found is None or "@" in path or password in path or password not in found.shown or password in "rtsp://10.0.0.1/"

    def test_no_log_line_has_an_account(self, capsys):
        before = structlog.get_config()
        try:
            configure_logs()
            structlog.get_logger("x").warning("lost", problem="rtsp://admin:s/e#c?r@t@10.0.0.1/s: gone", n=1)
        finally:
            structlog.configure(**before)
        written = capsys.readouterr().err
        assert "rtsp://10.0.0.1/s: gone" in written
        assert "admin" not in written
        assert "e#c?r" not in written


class TestMessages:
    @pytest.mark.parametrize(
        ("status", "cause"),
        [
            (200, None),
            (302, "redirected"),
            (401, "password"),
            (403, "password"),
            (404, "address"),
            (453, "busy"),
            (461, "transport"),
            (500, "answer"),
            (503, "busy"),
        ],
    )
    def test_every_answer_has_a_cause(self, status, cause):
        assert cause_of(status) == cause

    def test_every_cause_has_words(self):
        assert {cause.value for cause in Cause} <= set(CAUSE_WORDS)

    @given(st.binary(max_size=300))
    def test_whatever_comes_is_a_message_or_none(self, data):
        try:
            found = read_message(data)
        except ValueError:
            return
        assert found is None or found[1] <= len(data)

    @pytest.mark.parametrize("length", ["-1", "x", "99999999999"])
    def test_a_body_without_bounds_is_refused(self, length):
        with pytest.raises(ValueError, match="a body of that length"):
            read_message(f"RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())

    def test_the_example_of_the_standard(self):
        """RFC 7616, 3.9.1, both algorithms."""
        sign_in = SignIn(read_address("rtsp://Mufasa:Circle of Life@h/dir/index.html"))
        rest = 'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQ"'
        assert sign_in.ask([f"Digest {rest}, algorithm=MD5", f"Digest {rest}, algorithm=SHA-256"])
        answer = sign_in.answer("GET", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
        assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in answer
        assert sign_in.ask([f"Digest {rest.replace('7ypf', '8ypf')}, algorithm=MD5"])
        sign_in = SignIn(read_address("rtsp://Mufasa:Circle of Life@h/dir/index.html"))
        assert sign_in.ask([f"Digest {rest}, algorithm=MD5"])
        answer = sign_in.answer("GET", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
        assert 'response="8ca523f5e9506fed4657c9700eebdbec"' in answer


def opened(camera, scheme="rtsp", account="", **settings):
    """Try to open `camera`; the error."""
    address = f"{scheme}://{account}127.0.0.1:{camera.port}/stream"
    with pytest.raises(CameraRefusedError) as caught:
        open_source(SourceSettings(SourceKind.RTSP, address, **{"connect_s": 2.0, "stall_s": 1.0, **settings}), SystemClock())
    assert "secret" not in str(caught.value)
    return caught.value


class TestAnswers:
    @pytest.mark.parametrize(
        ("method", "status", "cause"),
        [
            ("DESCRIBE", "401 Unauthorized", Cause.PASSWORD),
            ("DESCRIBE", "404 Not Found", Cause.ADDRESS),
            ("SETUP", "453 Not Enough Bandwidth", Cause.BUSY),
            ("PLAY", "503 Service Unavailable", Cause.BUSY),
            ("SETUP", "461 Unsupported Transport", Cause.TRANSPORT),
            ("DESCRIBE", "500 T\u00fcr kaputt", Cause.ANSWER),
        ],
    )
    def test_the_cause_is_told(self, camera, method, status, cause):
        assert opened(camera({method: (status, "")})).cause is cause

    def test_somebody_who_says_nothing(self, camera):
        assert opened(camera(silent=True)).cause is Cause.SILENT

    def test_somebody_who_plays_nothing(self, camera):
        one = camera()
        settings = SourceSettings(SourceKind.RTSP, f"rtsp://127.0.0.1:{one.port}/stream", connect_s=2.0, stall_s=0.5)
        with pytest.raises(CameraStalledError):
            list(open_source(settings, SystemClock()).frames())
        assert any(request.startswith("PLAY") for request in one.heard)

    def test_another_protocol(self, camera):
        web = camera()
        web._reply = lambda connection, request: connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        assert opened(web).cause is Cause.ANSWER

    def test_a_redirect_to_another_host_is_not_followed(self, camera):
        with socket.create_server(("127.0.0.9", 0)) as elsewhere:
            elsewhere.settimeout(0.3)
            location = f"Location: rtsp://127.0.0.9:{elsewhere.getsockname()[1]}/x\r\n"
            for method in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY"):
                assert opened(camera({method: ("302 Moved", location)}), account="u:secret@").cause is Cause.REDIRECTED
            with pytest.raises(TimeoutError):
                elsewhere.accept()

    def test_a_redirect_on_the_same_host_is_followed_and_not_in_a_circle(self, camera):
        one = camera()
        moved = ("301 Moved", f"Location: rtsp://127.0.0.1:{one.port}/there\r\n")
        one._answers = {"DESCRIBE": lambda request: ("404 Not Found", "") if "/there" in request else moved}
        assert opened(one, account="u:secret@").cause is Cause.ADDRESS
        assert any("/there" in request for request in one.heard)
        circle = camera()
        circle._answers = {"DESCRIBE": ("301 Moved", f"Location: rtsp://127.0.0.1:{circle.port}/round\r\n")}
        assert opened(circle).cause is Cause.REDIRECTED

    def test_a_redirect_to_another_port_is_named_and_not_followed(self, camera):
        """A cell may connect to the ports of the site file alone: followed, it would read as a camera that cannot be reached."""
        other = camera()
        one = camera({"DESCRIBE": ("301 Moved", f"Location: rtsp://u:p@127.0.0.1:{other.port}/there?secret\r\n")})
        refused = opened(one, account="u:secret@")
        assert refused.cause is Cause.REDIRECTED
        assert f"redirects to rtsp://127.0.0.1:{other.port}" in str(refused)
        assert "secret" not in str(refused)
        assert not other.heard

    @pytest.mark.parametrize(
        "ask", ['Basic realm="c"', 'Digest realm="c", nonce="n"', 'Digest realm="c", nonce="n", algorithm=SHA-256, qop="auth"']
    )
    def test_signing_in_reaches_the_camera_and_not_the_library(self, camera, ask):
        def describe(request):
            return None if "Authorization: " in request else ("401 Unauthorized", f"WWW-Authenticate: {ask}\r\n")

        one = camera({"OPTIONS": describe, "DESCRIBE": describe, "SETUP": ("404 Not Found", "")})
        assert opened(one, account="us/er:se?c#r@et:secret@").cause is Cause.ADDRESS
        signed = [request for request in one.heard if "Authorization: " in request]
        assert signed[-1].startswith("SETUP rtsp://127.0.0.1")
        assert all(request.count("127.0.0.1:") == request.count(f"127.0.0.1:{one.port}") for request in one.heard)
        numbers = [int(re.search(r"CSeq: (\d+)", request)[1]) for request in one.heard]
        assert numbers == sorted(set(numbers)), "each request has a number of its own"

    def test_a_wrong_password_is_tried_once_for_each_question(self, camera):
        ask = ("401 Unauthorized", 'WWW-Authenticate: Digest realm="c", nonce="n"\r\n')
        one = camera({"DESCRIBE": ask})
        assert opened(one, account="u:secret@").cause is Cause.PASSWORD
        assert len([request for request in one.heard if request.startswith("DESCRIBE")]) == 2

    def test_only_who_knows_the_token_gets_the_stream(self, camera):
        """Another program of this machine that finds the socket hears nothing."""
        one = camera()
        address = read_address(f"rtsp://127.0.0.1:{one.port}/stream")
        gate = Gate(address, SourceSettings(SourceKind.RTSP, "", connect_s=3.0), Guard(SystemClock()))
        port = int(re.search(r"127\.0\.0\.1:(\d+)/", gate.url)[1])
        with socket.create_connection(("127.0.0.1", port), 3) as stranger:
            stranger.sendall(f"OPTIONS rtsp://127.0.0.1:{port}/stream RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
            stranger.settimeout(3)
            assert stranger.recv(100) == b""
        assert one.heard == []
        gate.close()

    def test_strangers_who_say_nothing_keep_nobody_from_the_stream(self, camera):
        """Another user of this machine finds the port and holds two hundred connections open."""
        one = camera()
        address = read_address(f"rtsp://127.0.0.1:{one.port}/stream")
        gate = Gate(address, SourceSettings(SourceKind.RTSP, "", connect_s=5.0), Guard(SystemClock()))
        port = int(re.search(r"127\.0\.0\.1:(\d+)/", gate.url)[1])
        strangers = [socket.create_connection(("127.0.0.1", port), 3) for _ in range(200)]
        try:
            for number, stranger in enumerate(strangers[100:]):
                with contextlib.suppress(OSError):  # the first of them were shown out already
                    stranger.sendall(b"x" if number % 2 else b"OPTIONS rtsp://127.0.0.1/guess RTSP/1.0\r\n\r\n")
            with socket.create_connection(("127.0.0.1", port), 3) as reader:
                reader.settimeout(1.0)
                reader.sendall(f"OPTIONS {gate.url} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
                assert reader.recv(100).startswith(b"RTSP/1.0 200")
        finally:
            for stranger in strangers:
                stranger.close()
            gate.close()
        assert [request.split()[0] for request in one.heard] == ["OPTIONS"]


class TestCertificates:
    @pytest.fixture
    def secure(self, camera, tmp_path):
        pem, fingerprint = certificate()
        path = tmp_path / "camera.pem"
        path.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        # A camera that is let in says that the path is not there.
        return camera({"DESCRIBE": ("404 Not Found", "")}, context=context), path, fingerprint

    def test_one_that_nobody_vouches_for_is_refused_and_its_fingerprint_told(self, secure):
        one, _, fingerprint = secure
        error = opened(one, "rtsps", "u:secret@")
        assert error.cause is Cause.CERTIFICATE
        assert fingerprint in str(error)
        assert one.heard == [], "nothing was said to it"

    def test_the_pinned_one_is_taken_and_no_other(self, secure):
        one, _, fingerprint = secure
        assert opened(one, "rtsps", fingerprint=fingerprint).cause is Cause.ADDRESS
        one.heard.clear()
        assert opened(one, "rtsps", fingerprint="0" * 64).cause is Cause.CERTIFICATE
        assert one.heard == []

    def test_one_of_the_named_authority_is_taken_and_of_another_not(self, secure, tmp_path):
        one, path, _ = secure
        assert opened(one, "rtsps", authority=str(path)).cause is Cause.ADDRESS
        other = tmp_path / "other.pem"
        other.write_bytes(certificate()[0])
        assert opened(one, "rtsps", authority=str(other)).cause is Cause.CERTIFICATE
        assert opened(one, "rtsps", authority=str(tmp_path / "none.pem")).cause is Cause.CERTIFICATE

    def test_one_without_tls_is_refused(self, camera):
        assert opened(camera(), "rtsps").cause is Cause.CERTIFICATE
