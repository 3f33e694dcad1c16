"""The site file: what is right is read, what is wrong is refused with file, line, key and mend."""

from __future__ import annotations

import builtins
import json
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.bootstrap.cells import cell_settings
from blickschutz.config.lines import key_lines
from blickschutz.config.loader import load_site, parse_site, schema
from blickschutz.config.model import SiteFile
from blickschutz.config.texts import TEXTS
from blickschutz.kernel.density import px_per_metre
from blickschutz.kernel.errors import SettingsError
from blickschutz.pipeline.messages import CellSettings
from tests.conftest import ROOT

EXAMPLE = ROOT / "examples/rathaus-kaiserslautern.toml"
TEXT = EXAMPLE.read_text(encoding="utf-8")

BAD = [
    ('side = "forecourt"', 'sied = "forecourt"', "cameras.0.sied", "'side'"),
    ("port = 8710", "port = 80", "server.port", "1024"),
    ("port = 8710", 'port = "8710"', "server.port", "zahl"),
    ('host = "127.0.0.1"', 'host = "0.0.0.0"', "server.names", "names ="),
    ('host = "127.0.0.1"', 'host = "Rathaus!"', "server.host", "192.168.40.2"),
    ('host = "127.0.0.1"', 'host = "192.168.40.2"\ntls = false', "server.tls", "host = '127.0.0.1'"),
    ('host = "127.0.0.1"', 'host = "127.0.0.1"\nnames = ["Rathaus."]', "server.names.0", "192.168.40.2"),
    ("rate = 5.0", "rate = 60.0", "analysis.rate", "15"),
    ("rate = 5.0", "rate = true", "analysis.rate", "zahl"),
    ("width = 960", "width = 961", "wall.width", "vielfaches"),
    ('id = "vorplatz-mitte"', 'id = "vorplatz-nord"', "cameras.1.id", "zweimal"),
    ('name = "Vorplatz Mitte"', 'name = "Vorplatz Nord"', "cameras.1.name", "zweimal"),
    ('id = "kvd-2"', 'id = "kvd-1"', "people.2.id", "zweimal"),
    ('"rtsp://192.0.2.12/stream1"', '"rtsp://192.0.2.11:554/stream1"', "cameras.1.address", "hat schon die kamera 'vorplatz-nord'"),
    ('id = "vorplatz-mitte"', 'id = "Vorplatz Mitte"', "cameras.1.id", "'vorplatz-mitte'"),
    ("px_per_metre = 46.0", "", "cameras.0.calibration", "px_per_metre"),
    ("px_per_metre = 46.0", "px_per_metre = -1.0", "cameras.0.calibration.px_per_metre", "mehr als"),
    ("rtsp://192.0.2.13/stream1", "ftp://192.0.2.13/", "cameras.2.address", "rtsp://"),
    ('roles = ["administration"]', 'roles = ["administration", "sichtung"]', "people.5", "rollen"),
    ('roles = ["aufsicht"]', 'roles = ["chef"]', "people.4.roles.0", "leitstelle"),
    ("unreviewed_hours = 72", "unreviewed_hours = 100", "retention.unreviewed_hours", "72"),
    ("hard_limit_days = 60", "hard_limit_days = 90", "retention.hard_limit_days", "61"),
    ("hard_limit_days = 60", "hard_limit_days = 2", "retention", "höchstfrist"),
    ("keep_hours = 72", "keep_hours = 1416", "alerts.keep_hours", "1415"),
    ("keep_hours = 72", "keep_hours = 72\nhistory_days = 59", "alerts.history_days", "58"),
    ('starts = "20:00"', 'starts = "8 Uhr"', "regimes.night.starts", "06:00"),
    ('starts = "20:00"', 'starts = "06:00"', "regimes", "verschiedene"),
    ('weekdays = ["mo",', 'weekdays = ["montag",', "regimes.weekdays.0", "'mo'"),
    ("escalate_after_s = 120", "escalate_after_s = 1", "alerts.escalate_after_s", "mindestens 10"),
    ('style = "mosaic"', 'style = "blur"', "redaction.style", "silhouette"),
    ("[0.05, 0.35]", "[1.05, 0.35]", "cameras.0.zones.0.polygon.0.0", "1.0"),
    ("format = 1", "format = 2", "format", "1"),
    ('operator = "Stadt Kaiserslautern"\n', "", "site.operator", "ergänzen"),
    ("metres = 9.5", "metres = 0.0", "cameras.9.calibration.scale.metres", "mehr als"),
    ("picture = [1280, 720]", 'fingerprint = "ab:cd"', "cameras.9.fingerprint", "sha-256"),
    (
        'address = "rtsp://192.0.2.13/stream1"',
        'address = "file:film.mp4"\nnotify = { host = "192.0.2.2", port = 8701, secret_file = "line" }',
        "cameras.2.notify",
        "streichen sie 'notify'",
    ),
    ("picture = [1280, 720]", "stall_s = 0.5", "cameras.9.stall_s", "mindestens 1"),
]


@pytest.mark.parametrize(("old", "new", "key", "mend"), BAD, ids=[f"{key}-{new[:20]}" for _, new, key, _ in BAD])
def test_a_wrong_setting_is_named_with_its_line_and_mend(old, new, key, mend):
    assert old in TEXT
    wrong = TEXT.replace(old, new, 1)
    with pytest.raises(SettingsError) as caught:
        parse_site(wrong, "site.toml", "de")
    line = next((part for part in str(caught.value).splitlines() if f": {key}: " in part), None)
    assert line is not None, str(caught.value)
    assert mend in line.lower()
    number = int(line.split(":")[1])
    named = wrong.splitlines()[number - 1]
    # The named line holds the key itself, or heads the table in which it is missing or wrong as a whole.
    assert key.split(".")[-1] in named or "[" in named or "polygon" in named or "roles" in named


def test_the_sun_needs_a_place():
    wrong = TEXT.replace("by_sun = false", "by_sun = true").replace("latitude = 49.443\n", "")
    with pytest.raises(SettingsError, match=r"site\.toml:\d+: regimes\.by_sun: der Sonnenstand braucht den Ort"):
        parse_site(wrong, "site.toml", "de")


def test_a_wrong_bound_of_a_rule_is_named():
    for wrong, mend in (
        ("loitering_s = 5000.0", "höchstens 3600"),
        ("loitring_s = 50.0", "'loitering_s'"),
        ('off = ["spying"]', "camera_tampered"),
    ):
        with pytest.raises(SettingsError, match=r"cameras\.\d+\.zones\.0\.rules") as caught:
            parse_site(f"{TEXT}[cameras.zones.rules]\n{wrong}\n", "site.toml", "de")
        assert mend in str(caught.value)


def test_english_is_spoken_too():
    with pytest.raises(SettingsError, match="perhaps 'side' is meant"):
        parse_site(TEXT.replace("side = ", "sied = ", 1), "site.toml", "en")


def test_every_problem_is_told_at_once():
    wrong = TEXT.replace("port = 8710", "port = 1").replace("rate = 5.0", "rate = 99.0")
    with pytest.raises(SettingsError) as caught:
        parse_site(wrong, "site.toml", "de")
    assert len(str(caught.value).splitlines()) == 2


def test_broken_toml_is_told_with_its_line():
    text = 'format = 1\n\n[site]\nname = "x"\noperator = "y"\n\n# c\nxx\n'
    with pytest.raises(SettingsError, match=r"site\.toml:8: .*TOML"):
        parse_site(text, "site.toml", "de")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_missing_or_unreadable_file(tmp_path, content):
    path = tmp_path / "site.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=str(path)):
        load_site(path)


def test_the_example_has_seven_and_four_cameras():
    site = load_site(EXAMPLE)
    sides = [camera.side.value for camera in site.cameras]
    assert (sides.count("forecourt"), sides.count("side")) == (7, 4)


def test_settings_are_frozen():
    with pytest.raises(Exception, match="frozen"):
        load_site(EXAMPLE).site.name = "x"


def test_validating_does_no_input_or_output(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a file was opened")

    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr(Path, "read_text", refuse)
    assert parse_site(TEXT, "site.toml", "de").site.name == "Rathaus Kaiserslautern"


@given(st.text(alphabet="abcdefgh_", min_size=1, max_size=12))
def test_no_unknown_key_is_swallowed(key):
    if key in SiteFile.model_fields:
        return
    with pytest.raises(SettingsError, match=key):
        parse_site(f"{key} = 1\n{TEXT}", "site.toml", "en")


def test_every_setting_is_described_and_in_the_schema():
    undescribed = []

    def walk(node, path):
        for name, part in node.get("properties", {}).items():
            if not part.get("description") and "$ref" not in part:
                undescribed.append(f"{path}.{name}")

    whole = schema()
    walk(whole, "site")
    for name, part in whole["$defs"].items():
        walk(part, name)
    assert undescribed == []


def test_the_schema_in_the_project_is_the_one_made_from_the_settings():
    assert json.loads((ROOT / "schemas/site.schema.json").read_text(encoding="utf-8")) == json.loads(json.dumps(schema()))


def test_lines_are_found_in_arrays_of_tables():
    lines = key_lines('a = 1\n[[c]]\nid = "x"\n[[c.z]]\nid = "y"\n[[c]]\nid = "w"\n[c.k]\nv = 1\n')
    assert lines["c", 0, "id"] == 3
    assert lines["c", 0, "z", 0, "id"] == 5
    assert lines["c", 1, "id"] == 7
    assert lines["c", 1, "k", "v"] == 9


def test_all_messages_speak_both_languages():
    assert all((german and english and german != english) or name in {"_"} for name, (german, english) in TEXTS.items())


def test_a_cell_is_told_what_the_site_says(tmp_path):
    site = load_site(EXAMPLE)
    cell = cell_settings(site, site.cameras[0], tmp_path)
    assert cell.source.address == "rtsp://192.0.2.11/stream1"
    assert cell.redaction.px_per_metre == 46
    assert len(cell.redaction.privacy_zones) == 1
    scaled = cell_settings(site, site.cameras[9], tmp_path)
    assert px_per_metre(scaled.redaction.px_per_metre, 3840, 2160) == pytest.approx(0.5 * 3840 / 9.5)
    assert scaled.situations.px_per_metre == scaled.redaction.px_per_metre
    told = msgspec.msgpack.decode(msgspec.msgpack.encode(scaled), type=CellSettings)
    assert told.redaction.px_per_metre == scaled.redaction.px_per_metre
    secure = {"address": "rtsps://10.0.0.1/s", "authority": "ca/camera.pem", "fingerprint": "a" * 64, "stall_s": 12.0}
    source = cell_settings(site, site.cameras[0].model_copy(update=secure), tmp_path).source
    assert (source.authority, source.fingerprint, source.stall_s) == (str(tmp_path / "ca/camera.pem"), "a" * 64, 12.0)
    by_file = site.cameras[0].model_copy(update={"address": "file:clips/a.mp4", "start_s": 3.0})
    assert cell_settings(site, by_file, tmp_path).source.address == str(tmp_path / "clips/a.mp4")


def test_the_example_is_valid_toml_for_others():
    assert tomllib.loads(TEXT)["format"] == 1
