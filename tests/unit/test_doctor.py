"""`blickschutz doctor`: each thing that is wrong is named with its mend, nothing is asked of a camera but a connection."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace

import pytest
from click.testing import CliRunner

from blickschutz.bootstrap import doctor
from blickschutz.bootstrap.doctor import Seen, findings, unreachable
from blickschutz.cli.main import cli
from blickschutz.config.loader import load_site
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import SettingsError
from blickschutz.zones.model import Wall
from tests.conftest import ROOT

EXAMPLE = ROOT / "examples/rathaus-kaiserslautern.toml"
SITE = load_site(EXAMPLE)
NOW = 1.8e9
FINE = Seen(
    cores=4,
    memory_mb=8000,
    free_mb=200_000,
    walls=frozenset(),
    namespaces=True,
    synchronised=True,
    engine=True,
    telemetry=False,
    models={"centernet": "ok", "blazepose": "ok"},
    cameras={},
    until={"tls/server.crt": NOW + 80 * 86_400.0},
    open=(),
)
WRONG = {
    "memory": ({"memory_mb": 1000}, "machine", "2580 MB"),
    "cores": ({"cores": 1}, "machine", "2 cores"),
    "engine": ({"engine": False}, "engine", "models install"),
    "model": ({"models": {"centernet": "altered"}}, "engine", "centernet: altered"),
    "telemetry": ({"telemetry": True}, "telemetry", "pip uninstall openvino-telemetry"),
    "landlock": ({"walls": frozenset({Wall.FILES, Wall.PORTS})}, "kernel", "files, ports"),
    "swap": ({"walls": frozenset({Wall.NO_SWAP})}, "swap", "swapoff"),
    "namespaces": ({"namespaces": False}, "namespaces", "PrivateUsers"),
    "clock": ({"synchronised": False}, "clock", "chrony"),
    "space": ({"free_mb": 10}, "space", "10 MB are free"),
    "no-disk": ({"free_mb": None}, "space", "recording.reserve_mb"),
    "rights": ({"open": ("/etc/blickschutz/site.toml",)}, "rights", "chmod go-w"),
    "camera": ({"cameras": {"tiefgarage": "No route to host"}}, "camera tiefgarage", "No route to host"),
    "ending": ({"until": {"site.pem": NOW + 86_400.0}}, "certificates", "site.pem: 2027-01-16"),
    "unreadable": ({"until": {"site.pem": None}}, "certificates", "site.pem"),
}


def test_where_all_is_well_nothing_is_to_be_mended():
    assert {one.result for one in findings(SITE, FINE, NOW)} == {"holds"}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_alone_and_with_its_mend(name):
    change, which, words = WRONG[name]
    broken = [one for one in findings(SITE, replace(FINE, **change), NOW) if one.result == "broken"]
    assert [one.id for one in broken] == [which]
    assert words in broken[0].mend
    assert broken[0].german
    assert broken[0].german != broken[0].mend


class TestCameras:
    def test_all_are_asked_at_once_and_each_says_its_own_problem(self, tmp_path):
        (tmp_path / "there.mp4").touch()
        with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))

            def rtsp(port):
                return lambda: SourceSettings(SourceKind.RTSP, f"rtsp://wache:geheim@127.0.0.1:{port}/stream")

            def refused():
                raise SettingsError("cameras.x.password_file: gone")

            asked = {
                "there": lambda: SourceSettings(SourceKind.FILE, str(tmp_path / "there.mp4")),
                "gone": lambda: SourceSettings(SourceKind.FILE, str(tmp_path / "gone.mp4")),
                "up": rtsp(listening.getsockname()[1]),
                "web": lambda: SourceSettings(SourceKind.PICTURES, f"http://127.0.0.1:{listening.getsockname()[1]}/video.mjpg"),
                "down": rtsp(closed.getsockname()[1]),
                "secret": refused,
                "odd": lambda: SourceSettings(SourceKind.RTSP, "rtsp://"),
            }
            found = unreachable(asked, SystemClock())
        assert set(found) == {"gone", "down", "secret", "odd"}
        assert "refused" in found["down"]
        assert "geheim" not in str(found)

    def test_one_that_never_answers_holds_nobody_up(self, monkeypatch):
        monkeypatch.setattr(doctor, "_ALL_S", 0.3)
        started = time.monotonic()
        found = unreachable({"slow": lambda: time.sleep(20)}, SystemClock())
        assert time.monotonic() - started < 10
        assert found == {"slow": "no answer within 0.3 s"}


class TestCommand:
    @pytest.fixture(autouse=True)
    def nothing_is_asked(self, monkeypatch):
        monkeypatch.setattr("blickschutz.cli.doctor.look", lambda *rest: replace(FINE, synchronised=False))

    def site(self, folder, language="de", demo="true"):
        path = folder / "site.toml"
        text = EXAMPLE.read_text(encoding="utf-8").replace("[site]\n", f"[site]\ndemo = {demo}\n")
        path.write_text(text.replace('language = "de"', f'language = "{language}"'))
        return path

    def test_it_speaks_the_language_of_the_site(self, tmp_path):
        for language, head, words in (("de", "Zu beheben:", "Zeitserver"), ("en", "To mend:", "time server")):
            path = self.site(tmp_path, language)
            result = CliRunner().invoke(cli, ["doctor", "--site", str(path), "--data", str(tmp_path / "data")])
            assert result.exit_code == 1, result.output
            assert head in result.output
            assert words in result.output

    def test_it_knows_what_check_knows_and_ends_alike(self, tmp_path, monkeypatch):
        monkeypatch.setattr("blickschutz.cli.doctor.look", lambda *rest: FINE)
        path = self.site(tmp_path, demo="false")
        words = ["--site", str(path), "--data", str(tmp_path / "data"), "--json"]
        checked, seen = CliRunner().invoke(cli, ["check", *words]), CliRunner().invoke(cli, ["doctor", *words])
        known, found = json.loads(checked.output)["rules"], json.loads(seen.output)
        assert [one for one in found["findings"] if one in known] == known
        assert (checked.exit_code, seen.exit_code, found["exit"]) == (3, 3, 3)

    def test_a_site_file_that_is_wrong_is_said_as_check_says_it(self, tmp_path):
        path = tmp_path / "site.toml"
        path.write_text("[site]\n")
        words = ["--site", str(path), "--json"]
        assert CliRunner().invoke(cli, ["doctor", *words]).output == CliRunner().invoke(cli, ["check", *words]).output
