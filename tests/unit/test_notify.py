"""Lines that a camera sends by itself (IP Notify): over TCP and HTTP, from its own address, with its own secret."""

from __future__ import annotations

import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.bootstrap.cells import cell_settings
from blickschutz.bootstrap.secrets import secret_files
from blickschutz.config.loader import load_site
from blickschutz.config.model import Notify, Onvif, SiteFile
from blickschutz.guard.service import Guard
from blickschutz.ingest.io.notify import CameraLines, notify_listener
from blickschutz.ingest.model import NotifySettings
from blickschutz.ingest.rules.notices import kind_of
from blickschutz.ingest.rules.notify import notice_of_line
from blickschutz.kernel.clock import SystemClock
from blickschutz.situations.kinds import Kind
from tests.conftest import ROOT

SECRET = "wort-4711"


class TestLines:
    @pytest.mark.parametrize(
        ("line", "kind", "data", "place"),
        [
            ("wort-4711 line_crossed once Tor Nord\r\n", Kind.LINE_CROSSED, (), "Tor Nord"),
            ("wort-4711 person_in_zone on", Kind.PERSON_IN_ZONE, (("State", "true"),), ""),
            ("wort-4711 motion off Hof", Kind.PERSON_IN_ZONE, (("State", "false"),), "Hof"),
            ("GET /wort-4711/camera_tampered/on/Tor%20Nord?x=1 HTTP/1.0\r\n", Kind.CAMERA_TAMPERED, (("State", "true"),), "Tor Nord"),
            ("wort-4711 identified on", None, (("State", "true"),), ""),
        ],
    )
    def test_what_a_line_says(self, line, kind, data, place):
        notice = notice_of_line(line.encode(), SECRET)
        assert kind_of(notice, Kind.PERSON_IN_ZONE) is kind
        assert (notice.data, dict(notice.source).get("Rule", "")) == (data, place)

    @pytest.mark.parametrize("line", ["", "wort-4712 motion on", "wort motion on", "GET / HTTP/1.0", "GET", "POST /x/motion/on HTTP/1.0"])
    def test_a_line_without_the_secret_is_none(self, line):
        assert notice_of_line(line.encode(), SECRET) is None

    @pytest.mark.parametrize(
        "line", ["wort-4711", "wort-4711 motion", "wort-4711 motion maybe", "wort-4711 <b> on", "GET /wort-4711/a/b/c/d/e HTTP/1.0"]
    )
    def test_a_line_of_no_form_is_refused_without_its_words(self, line):
        with pytest.raises(ValueError, match="no line of the form") as caught:
            notice_of_line(line.encode(), SECRET)
        assert SECRET not in str(caught.value)

    @given(st.binary(max_size=100))
    def test_whatever_comes_is_a_notice_none_or_refused(self, line):
        try:
            notice_of_line(line, SECRET)
        except ValueError:
            return


@pytest.fixture
def heard():
    """What is told of the lines that `say` sends from an address of this machine."""

    class Heard:
        def __init__(self):
            self.found, self.guard = [], Guard(SystemClock())
            settings = NotifySettings("127.0.0.1", 0, "127.0.0.1", SECRET)
            self.listener = notify_listener(settings)
            self.lines = CameraLines(settings, self.listener, self.found.append, SystemClock(), self.guard)
            self.lines.start()

        def say(self, data, source="127.0.0.1"):
            with socket.create_connection(self.listener.getsockname(), 3, source_address=(source, 0)) as one:
                try:
                    one.sendall(data)
                    one.shutdown(socket.SHUT_WR)
                    return one.recv(200)
                except OSError:
                    return b""  # what comes behind the line is not waited for

        def until(self, count):
            end = time.monotonic() + 4
            while len(self.found) < count:
                assert time.monotonic() < end
                time.sleep(0.01)

    one = Heard()
    yield one
    one.lines.stop()
    one.guard.end(4.0)
    one.listener.close()


def test_a_camera_is_heard_over_tcp_and_http_and_nobody_else(heard):
    heard.say(b"wort-4711 camera_tampered on Tor\n" + b"picture" * 1000)
    heard.until(1)
    assert (heard.found[0].kind, heard.found[0].active, heard.found[0].zone) == (Kind.CAMERA_TAMPERED, True, "Tor")
    assert heard.say(b"GET /wort-4711/line_crossed/once/Tor HTTP/1.0\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.0 204")
    heard.until(3)
    assert heard.say(b"GET /other/line_crossed/once HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 403")
    heard.say(b"wort-4711 line_crossed once\n", source="127.0.0.9")
    heard.say(b"x" * 5000)
    heard.say(b"")
    heard.say(b"wort-4711 camera_tampered off Tor\n")
    heard.until(4)
    assert [one.active for one in heard.found] == [True, True, False, False]
    assert heard.lines.refused == 4


def test_who_has_stopped_hears_nothing_and_what_was_open_has_ended(heard):
    heard.say(b"wort-4711 camera_tampered on\n")
    heard.until(1)
    heard.lines.stop()
    assert [one.active for one in heard.found] == [True, False]
    assert heard.guard.end(4.0) == ()
    with socket.create_connection(heard.listener.getsockname(), 3) as late:
        late.sendall(b"wort-4711 camera_tampered on\n")
        heard.lines.start()
        end = time.monotonic() + 4
        while len(heard.found) < 4 and time.monotonic() < end:
            heard.say(b"wort-4711 line_crossed once\n")
            time.sleep(0.05)
    assert {one.kind for one in heard.found[2:]} == {Kind.LINE_CROSSED}, "what was sent meanwhile is over"


def test_a_port_that_is_taken_is_seen():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = NotifySettings("127.0.0.1", taken.getsockname()[1], "127.0.0.1", SECRET)
        why = notify_listener(settings)
        guard = Guard(SystemClock())
        lines = CameraLines(settings, why, lambda found: None, SystemClock(), guard)
        lines.start()
        end = time.monotonic() + 4
        while not any(state.failures for state in guard.states()):
            assert time.monotonic() < end
            time.sleep(0.01)
        lines.stop()
        assert guard.end(4.0) == ()


def test_what_the_site_file_says(tmp_path):
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    (tmp_path / "line.key").write_text(SECRET)
    (tmp_path / "line.key").chmod(0o600)
    notify = Notify(host="192.0.2.2", port=8701, secret_file="line.key")
    first = site.cameras[0].model_copy(update={"notify": notify, "onvif": Onvif(motion=Kind.PERSON_IN_ZONE)})
    settings = cell_settings(site, first, tmp_path)
    assert settings.notify == NotifySettings("192.0.2.2", 8701, "192.0.2.11", SECRET, Kind.PERSON_IN_ZONE)
    assert settings.notices is None
    assert SECRET not in repr(settings)
    both = site.model_copy(update={"cameras": (first, *site.cameras[1:])})
    assert (f"cameras.{first.id}.notify.secret_file", "line.key") in secret_files(both)
    parts = {name: getattr(both, name) for name in SiteFile.model_fields}
    twice = (first, site.cameras[1].model_copy(update={"notify": notify}))
    with pytest.raises(ValueError, match="twice") as caught:
        SiteFile(**parts | {"cameras": twice})
    assert "8701" in str(caught.value.errors()[0]["ctx"])
