"""Random changes of a real site file: comments stay, what is written is what was asked for, and the way back leads there."""

from __future__ import annotations

import copy
import re
import tomllib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blickschutz.settings.model import Edit
from blickschutz.settings.rules.changes import as_edits, clashes, differences, known, reversed_
from blickschutz.settings.rules.document import plain, written
from tests.conftest import ROOT, often

WHOLE = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
FOURTH = [one.start() for one in re.finditer(r"(?m)^\[\[cameras\]\]", WHOLE)][3]
# Its head and three cameras: what is random is parsed some thousand times.
EXAMPLE = WHOLE[:FOURTH]
# Forms that people write and this program does not: comments everywhere, lists over lines, tables in a line, keys with dots.
ODD = (
    EXAMPLE.replace('name = "Vorplatz Mitte"', 'name = "Vorplatz Mitte" # so heißt er hier')
    .replace("px_per_metre = 52.0", "px_per_metre = 5_2.0 # gemessen", 1)
    .replace("[alerts]\n", "# Wer es erfährt.\n[alerts] # Meldungen\nbudget.days = 14.0\n")
    .replace(
        "polygon = [[0.05, 0.35], [0.95, 0.35], [0.95, 0.95], [0.05, 0.95]]",
        "polygon = [\n  [0.05, 0.35], # links\n  [0.95, 0.35],\n  [0.95, 0.95], [0.05, 0.95],\n]",
        1,
    )
    + '\n# Noch eine.\n[[cameras]]\nid = "hof"\nname = \'Hof\'\nside = "side"\naddress = "rtsp://192.0.2.40/x"\n'
    'zones = [{ id = "a", name = "A", polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]] }]\n'
)
CAMERAS = [one["id"] for one in tomllib.loads(ODD)["cameras"]]
SHARES = st.integers(0, 1000).map(lambda one: one / 1000)
POLYGONS = st.lists(st.lists(SHARES, min_size=2, max_size=2), min_size=3, max_size=6)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
IDS = st.sampled_from(["flaeche", "a", "neu-1", "neu-2"])
CAMERA = st.sampled_from(CAMERAS)


def under(*rest):
    return CAMERA.map(lambda camera: ("cameras", camera, *rest))


def zone_of(camera, name, polygon, title):
    return Edit(("cameras", camera, "zones", name), {"id": name, "name": title, "polygon": polygon})


def camera_called(title):
    return {"id": "ganz-neu", "name": title, "side": "side", "address": "rtsp://192.0.2.9/x"}


EDITS = st.one_of(
    st.builds(Edit, under("name"), TEXTS),
    st.builds(Edit, under("colour"), st.sampled_from(["neutral", "muted"])),
    st.builds(lambda path: Edit(path, remove=True), under("calibration")),
    st.builds(Edit, under("calibration"), st.integers(1, 99).map(lambda one: {"px_per_metre": float(one)})),
    st.builds(Edit, under("calibration", "px_per_metre"), st.floats(1, 500)),
    st.builds(Edit, under("plan", "x"), SHARES),
    st.builds(zone_of, CAMERA, IDS, POLYGONS, TEXTS),
    st.builds(lambda camera, name: Edit(("cameras", camera, "zones", name), remove=True), CAMERA, IDS),
    st.builds(lambda camera: Edit(("cameras", camera), remove=True), CAMERA),
    st.builds(Edit, st.just(("cameras", "ganz-neu")), TEXTS.map(camera_called)),
    st.builds(Edit, st.just(("alerts", "keep_hours")), st.integers(1, 99)),
    st.builds(Edit, st.just(("alerts", "budget", "days")), st.floats(1, 30)),
    st.builds(Edit, st.just(("alerts", "mqtt")), TEXTS.map(lambda one: {"host": one, "listen": True})),
    st.builds(lambda one: Edit(("redaction", one), remove=True), st.sampled_from(["style", "colour"])),
    st.builds(Edit, st.just(("site", "building")), POLYGONS),
)


def applied(data, edit):
    """The same on plain data, written anew and simply; None where the path leads nowhere."""
    data = copy.deepcopy(data)
    *path, last = edit.path
    here = data
    for depth, part in enumerate(path):
        if isinstance(here, list):
            here = next((one for one in here if one["id"] == part), None)
        elif part in here:
            here = here[part]
        elif edit.remove:
            return data
        else:
            is_list = depth == len(path) - 1 and isinstance(edit.value, dict) and edit.value.get("id") == last
            here[part] = [] if is_list else {}
            here = here[part]
        if here is None:
            return None
    if isinstance(here, list):
        index = next((number for number, one in enumerate(here) if one["id"] == last), len(here))
        here[index : index + 1] = [] if edit.remove else [edit.value]
        if not here:
            del known(data, tuple(path[:-1]))[path[-1]]
    elif edit.remove:
        here.pop(last, None)
    else:
        here[last] = edit.value
    return data


def comments(text):
    return sorted(re.findall(r"(?m)^\s*#.*$", text))


@settings(max_examples=often(25, 100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([EXAMPLE, ODD]), st.lists(EDITS, min_size=1, max_size=3), st.lists(EDITS, max_size=1))
def test_what_is_written_is_what_was_asked_for_and_leads_back(text, edits, later):
    wanted, kept = plain(text), []
    for edit in edits:
        after = applied(wanted, edit)
        if after is not None:
            wanted, kept = after, [*kept, edit]
    if not kept:
        return
    made = written(text, kept)
    assert not differences(plain(made), wanted)
    if not any(edit.path[2:] in {(), ("zones", edit.path[-1])} for edit in kept):
        assert comments(made) == comments(text), "only what is taken away takes its comments with it"
    # Lines of cameras that no edit names are there as they were.
    named = {edit.path[1] for edit in kept if edit.path[0] == "cameras"}
    for camera in set(CAMERAS) - named:
        start = text.find(f'id = "{camera}"')
        if start >= 0:
            assert text[start : text.find("\n\n", start) % (len(text) + 1)].rstrip() in made
    found = differences(plain(text), plain(made))
    assert not clashes(plain(text), found)
    back = reversed_(found)
    places = {one.path: one.place for one in back if one.has and one.place >= 0}
    assert not differences(plain(written(made, as_edits(back), text, places)), plain(text))
    # Somebody else changed something meanwhile: theirs stays, or the way back is known not to fit.
    for edit in later:
        if applied(plain(made), edit) is None:
            continue
        other = written(made, [edit])
        if not clashes(plain(other), back):
            whole = plain(written(other, as_edits(back), text, places))
            theirs = differences(plain(made), plain(other))
            assert all(one.has and known(whole, one.path) == one.after for one in theirs if one.has and "cameras" not in one.path)
