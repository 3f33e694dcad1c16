"""Which settings count at once is declared beside them; here each is changed alone, and what is said of it is what happens."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from enum import Enum

import pytest

from blickschutz.bootstrap.cells import cell_settings
from blickschutz.config.about import every, section_of
from blickschutz.config.loader import _with_tuples
from blickschutz.config.model import SiteFile
from blickschutz.control.service.inforce import reach
from blickschutz.settings.model import Difference, Reach
from blickschutz.settings.rules.changes import differences, in_force, is_live, needs_restart
from tests.desk import EXAMPLE, Desk

# Every setting of a section that counts at once has a value here, and so have some that wait.
ALL = """
[[cameras.privacy_zones]]
id = "hof"
reason = "Hof"
polygon = [[0.5, 0.5], [0.6, 0.5], [0.6, 0.6]]

[[cameras.lines]]
id = "tor"
start = [0.1, 0.5]
end = [0.9, 0.5]
both_ways = true
"""
FIRST = {
    "address": "rtsps://192.0.2.11/stream1",
    "substream": "rtsps://192.0.2.11/stream2",
    "user": "blick",
    "password_file": "wort",
    "picture": [1280, 720],
    "fingerprint": "0" * 64,
    "authority": "stelle.pem",
    "colour": "muted",
    "notify": {"host": "127.0.0.1", "port": 9100, "secret_file": "wort"},
    "onvif": {"address": "http://192.0.2.11/onvif/device_service", "events": True, "motion": "loitering"},
    "thresholds": {"loitering": 0.6},
    "calibration": {"scale": {"start": [0.1, 0.5], "end": [0.9, 0.5], "metres": 20.0}},
}
# What no rule of thumb gives: another value that the file takes.
OTHERS = {
    "site.timezone": "Europe/Vienna",
    "site.building": [[0.3, 0.3], [0.6, 0.3], [0.6, 0.6]],
    "regimes.weekdays": ["mo"],
    "regimes.holidays": "BY",
    "regimes.day.starts": "07:00",
    "regimes.night.starts": "21:00",
    "regimes.day.kinds": {},
    "regimes.night.kinds": {},
    "review.root": "0" * 64,
    "audit.witness": "/run/zeuge",
    "audit.witness_key": "1" * 64,
    "cameras.address": "rtsps://192.0.2.11/stream9",
    "cameras.substream": "rtsps://192.0.2.11/stream8",
    "cameras.fingerprint": "1" * 64,
    "cameras.onvif.address": "http://192.0.2.11/onvif/other",
    "cameras.onvif.motion": "gathering",
    "cameras.notify.host": "127.0.0.2",
    "cameras.notify.secret_file": "anderes",
    "cameras.password_file": "anderes",
    "cameras.picture": [1920, 1080],
    "cameras.thresholds": {"loitering": 0.7},
    "cameras.calibration.px_per_metre": 46.0,
    "cameras.calibration.scale.start": [0.2, 0.5],
    "cameras.calibration.scale.end": [0.8, 0.5],
    "cameras.zones.polygon": [[0.1, 0.4], [0.9, 0.4], [0.9, 0.9], [0.1, 0.9]],
    "cameras.zones.rules.off": ["loitering"],
    "cameras.privacy_zones.polygon": [[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]],
    "cameras.lines.start": [0.1, 0.4],
    "cameras.lines.end": [0.9, 0.4],
}
# No cell is another one by them: the pages and documents that show them read the settings in force.
DOCUMENTS = ""
ON_PAGES = {
    "site.building": "/plan",
    "cameras.name": "/wall",
    "cameras.side": "/wall",
    "cameras.plan.x": "/plan",
    "cameras.plan.y": "/plan",
    "cameras.plan.direction": "/plan",
    "cameras.plan.angle": "/plan",
    "cameras.plan.reach": "/plan",
    "cameras.picture": DOCUMENTS,
    "cameras.zones.name": "/settings",
    "cameras.privacy_zones.id": "/settings",
    "cameras.privacy_zones.reason": DOCUMENTS,
}
# Of pictures over HTTP, of a file, and what `scale` stands in the place of: at the second and third camera.
ELSEWHERE = {"cameras.every_s": 1, "cameras.start_s": 2, "cameras.calibration.px_per_metre": 1}


def leaves():
    """Every setting that is a value, without what a list names its entries by."""
    return {".".join(path): said for path, said in every(SiteFile) if section_at(path) is None}


def section_at(path):
    here = SiteFile
    for part in path:
        here = section_of(here.model_fields[part].annotation) if hasattr(here, "model_fields") else None
    return here


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("secrets")
    for name in "wort", "anderes":
        (folder / name).write_text(f"{name} hier\n")
        (folder / name).chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def data():
    """A site file in which everything is said that may count at once."""
    text = EXAMPLE.read_text(encoding="utf-8")
    at = text.index('[[cameras]]\nid = "vorplatz-mitte"')
    known = tomllib.loads(text[:at] + ALL + text[at:])
    known["cameras"][0].update(FIRST)
    known["cameras"][1].update(address="http://192.0.2.13/bild")
    known["cameras"][2].update(address="file:bild.mp4")
    return {**known, "cameras": known["cameras"][:3]}


def parsed(data):
    return SiteFile.model_validate(_with_tuples(data))


def place_of(data, path, camera=0):
    """Where a setting stands: in that camera, and in the first of each other list that it leads through."""
    here = data
    for part in path[:-1]:
        here = here.setdefault(part, {})
        here = here[camera if part == "cameras" else 0] if isinstance(here, list) else here
    return here


def default_of(site, path):
    here = site
    for part in path:
        here = getattr(here, part)
        here = here[0] if isinstance(here, tuple) and here and hasattr(here[0], "id") else here
    return here


def candidates(value):
    """Other values of that kind, the nearest first; a file that does not take one is asked the next."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, Enum):
        return [one.value for one in type(value) if one is not value]
    if isinstance(value, int):
        return [value + 1, value - 1, value + 2, value * 2]
    if isinstance(value, float):
        return [one for one in (value * 0.9, value * 1.1, value + 0.1, value + 1) if one != value]
    if isinstance(value, str):
        return [f"{value}x", "de" if value != "de" else "en"]
    return [True, 7, "anders", "10.20.0.0/24"] if value is None else []


def changed(data, site, key):
    """The same site with one other setting, or None where this file has no place for it."""
    path = tuple(key.split("."))
    try:
        value = default_of(site, path)
    except (AttributeError, IndexError):
        return None
    for one in [OTHERS[key]] if key in OTHERS else candidates(value):
        other = deepcopy(data)
        place_of(other, path, ELSEWHERE.get(key, 0))[path[-1]] = one
        try:
            return other, parsed(other)
        except ValueError:
            continue
    return None


def told(site, folder):
    return {camera.id: cell_settings(site, camera, folder, folder / "clips") for camera in site.cameras}


LIVE = sorted(key for key in leaves() if is_live(tuple(key.split("."))))
WAITING = sorted(leaves().keys() - set(LIVE))


def test_what_is_said_to_wait_waits(data):
    site, tried = parsed(data), []
    for key in WAITING:
        if (made := changed(data, site, key)) is not None:
            other, wanted = made
            assert in_force(site, wanted) == site, key
            assert needs_restart(differences(data, other)), key
            tried.append(key)
    assert len(tried) > 50
    assert {"site.name", "server.port", "analysis.model", "recording.before_s", "alerts.budget.days"} <= set(tried)


def test_what_is_said_to_count_at_once_reaches_a_cell_or_the_pages(data, folder):
    site = parsed(data)
    before = told(site, folder)
    for key in LIVE:
        made = changed(data, site, key)
        assert made is not None, f"{key}: this test knows no other value; name one in OTHERS"
        other, wanted = made
        assert in_force(site, wanted) == wanted, key
        assert needs_restart(differences(data, other)) == (), key
        reached = reach(before, told(wanted, folder))
        assert bool(reached) is (key not in ON_PAGES), key
        # An id names another camera; a camera whose zones or thresholds are others goes on.
        if key.startswith(("cameras.zones.", "cameras.lines.", "cameras.thresholds")) and reached:
            assert set(reached.values()) == {Reach.TOLD} or key.endswith("altercation_height"), key


def test_pages_and_documents_say_what_is_in_force(tmp_path):
    """What no cell is told."""
    known = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    known = {**known, "cameras": known["cameras"][:2]}
    desk, site = Desk(tmp_path, site=parsed(known)), parsed(known)
    settings, policy = desk.system.control.settings, desk.system.app.state.room.policy

    def said(page):
        if page == DOCUMENTS:
            return policy._gathered().site
        return desk.get(page, "technik" if page == "/settings" else "leitstelle-1").text

    try:
        before = {page: said(page) for page in set(ON_PAGES.values())}
        for key, page in ON_PAGES.items():
            _, wanted = changed(known, site, key)
            assert settings.prepare(wanted)() == {}, key
            assert said(page) != before[page], key
        settings.prepare(site)()
        assert {page: said(page) for page in before} == before
    finally:
        desk.close()


def test_a_section_that_is_new_in_the_file_is_as_many_settings_as_it_says():
    both = Difference(("analysis",), None, {"model": "other", "rate": 4.0}, False, True)
    assert needs_restart([both]) == ("analysis.model",)
    gone = Difference(("analysis",), {"rate": 4.0}, None, True, False)
    assert needs_restart([gone]) == ()
    assert needs_restart([Difference(("review",), None, {"port": 8711}, False, True)]) == ("review.port",)
    assert needs_restart([Difference(("cameras", "hof"), None, {"id": "hof"}, False, True)]) == ()
