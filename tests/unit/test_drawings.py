"""What is drawn on a camera's picture or on the plan: only what was moved becomes a change, and what is no area or no ground is refused."""

from __future__ import annotations

import html
import json
import re

import msgspec
import pytest

from blickschutz.audit.model import Event
from blickschutz.config.loader import parse_site
from blickschutz.kernel.density import Skew, Stander, densest, ground
from blickschutz.kernel.errors import SettingsError
from blickschutz.settings.model import Edit
from blickschutz.settings.rules.changes import differences, needs_second
from blickschutz.settings.rules.document import plain, written
from blickschutz.web.drawings import (
    Drawing,
    Line,
    Mark,
    NewCamera,
    NotDrawn,
    Place,
    Ruler,
    Shape,
    added,
    drawn,
    placed,
    read_drawing,
    read_places,
)
from blickschutz.web.routes.setup import as_drawing
from tests.desk import EXAMPLE, SITE

TEXT = EXAMPLE.read_text(encoding="utf-8")
CAMERA = next(one for one in SITE.cameras if one.zones)
SQUARE = [(0.1, 0.1), (0.4, 0.1), (0.4, 0.4), (0.1, 0.4)]
SIZE = (1280, 720)


def after(edits, camera=CAMERA.id):
    """The camera as the site file says it with the changes in it."""
    return next(one for one in parse_site(written(TEXT, edits), "x.toml", "de").cameras if one.id == camera)


def with_(**changes):
    return msgspec.structs.replace(as_drawing(CAMERA, SIZE), **changes)


class TestGround:
    def mark(self, foot, metres=1.8):
        return Stander(foot, (20 + 80 * foot) * metres, metres)

    def test_three_places_give_the_density_everywhere(self):
        slope, top = ground([self.mark(0.4), self.mark(0.6), self.mark(0.95)])
        assert (slope, top) == (pytest.approx(80), pytest.approx(20))
        assert densest((slope, top)) == pytest.approx(100)

    @pytest.mark.parametrize("height", [480, 720, 1080, 2160])
    def test_marks_that_are_two_pixels_off_are_five_percent_off_at_most(self, height):
        """The same scene at other sizes of the picture: 2 px of 720 wrong at the far end, as a hand is."""
        share, marks = height / 720, []
        for foot, wrong in ((0.5, 2), (0.7, -2), (0.9, 2)):
            marks.append(Stander(foot, ((20 + 80 * foot) * 1.8 + wrong) * share, 1.8))
        assert densest(ground(marks)) == pytest.approx(100 * share, rel=0.05)

    def test_what_is_no_ground_says_why(self):
        assert ground([self.mark(0.4), self.mark(0.9)]) is Skew.FEW
        assert ground([self.mark(0.5), self.mark(0.52), self.mark(0.55)]) is Skew.CLOSE
        assert ground([self.mark(0.4), self.mark(0.6), Stander(0.95, 10, 1.8)]) is Skew.UPSIDE_DOWN
        assert ground([self.mark(0.4), Stander(0.6, 400, 1.8), self.mark(0.95)]) is Skew.APART


class TestChanges:
    def test_what_was_not_moved_is_no_change(self):
        for camera in SITE.cameras:
            assert drawn(camera, as_drawing(camera, SIZE)) == []

    def test_a_new_zone_a_moved_one_and_one_that_is_gone(self):
        zone = CAMERA.zones[0]
        moved = Shape("Treppe vorn", SQUARE, zone.id)
        edits = drawn(CAMERA, with_(zones=[moved, Shape("Fläche für Räder", SQUARE), Shape("Fläche für Räder", SQUARE)]))
        found = {one.id: one for one in after(edits).zones}
        assert (found[zone.id].name, found[zone.id].polygon) == ("Treppe vorn", tuple(SQUARE))
        assert found[zone.id].rules == zone.rules, "its rules are left as they were"
        assert set(found) == {zone.id, "flaeche-fuer-raeder", "flaeche-fuer-raeder-2"}
        assert after(drawn(CAMERA, with_(zones=[]))).zones == ()

    def test_areas_that_are_hidden_and_lines(self):
        edits = drawn(CAMERA, with_(privacy=[Shape("Fenster der Nachbarn", SQUARE)], lines=[Line(((0.1, 0.5), (0.9, 0.5)), both=False)]))
        found = after(edits)
        assert [(one.reason, one.polygon) for one in found.privacy_zones] == [("Fenster der Nachbarn", tuple(SQUARE))]
        assert [(one.start, one.end, one.both_ways) for one in found.lines] == [((0.1, 0.5), (0.9, 0.5), False)]

    def test_two_points_and_three_people_measure(self):
        found = after(drawn(CAMERA, with_(ruler=Ruler("scale", ((0.2, 0.8), (0.6, 0.8)), 4.0))))
        assert (found.calibration.scale.metres, found.picture) == (4.0, SIZE)
        people = [Mark((0.5, foot), (0.5, foot - (20 + 80 * foot) * 1.8 / 720)) for foot in (0.5, 0.7, 0.95)]
        found = after(drawn(CAMERA, with_(ruler=Ruler("people", metres=1.8, people=people))))
        assert found.calibration.px_per_metre == pytest.approx(100, abs=0.1)
        assert after(drawn(CAMERA, with_(ruler=Ruler("none")))).calibration is None

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"zones": [Shape(" ", SQUARE)]}, NotDrawn.NAME),
            ({"privacy": [Shape("", SQUARE)]}, NotDrawn.NAME),
            ({"ruler": Ruler("scale"), "size": None}, NotDrawn.SIZE),
            ({"ruler": Ruler("people")}, NotDrawn.PEOPLE),
            ({"ruler": Ruler("people", people=[Mark((0.5, 0.5), (0.5, 0.6))] * 3)}, NotDrawn.UPSIDE_DOWN),
            ({"ruler": Ruler("people", people=[Mark((0.5, 0.5), (0.5, 0.4))] * 3)}, NotDrawn.CLOSE),
        ],
    )
    def test_what_is_no_drawing_says_why(self, changes, why):
        assert drawn(CAMERA, with_(**changes)) is why

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "null",
            "[]",
            "{",
            '{"zones": 1}',
            '{"other": []}',
            '{"zones": [{"name": "x", "points": [[0, 0], [1, 1]]}]}',
            '{"zones": [{"name": "x", "points": [[0, 0], [1, 2], [0, 1]]}]}',
            '{"ruler": {"kind": "scale", "metres": 1e999}}',
            '{"ruler": {"kind": "own"}}',
            '{"size": [1, 1]}',
            "[" * 50_000,
            '{"zones": [' + '{"name":"x","points":[[0,0],[1,0],[0,1]]},' * 41 + "]}",
        ],
    )
    def test_what_no_page_sends_is_unreadable(self, text):
        assert read_drawing(text) is NotDrawn.UNREADABLE

    def test_a_drawing_is_read_as_it_is_sent(self):
        sent = as_drawing(CAMERA, SIZE)
        assert read_drawing(msgspec.json.encode(sent).decode()) == sent
        assert read_drawing("{}") == Drawing()
        assert read_places('[{"camera": "x"}]') is read_places("{}") is NotDrawn.UNREADABLE


class TestPlaces:
    def test_a_camera_is_set_moved_and_turned(self):
        places = [Place(one.id, one.plan.x, one.plan.y, one.plan.direction, one.plan.angle, one.plan.reach) for one in SITE.cameras]
        assert placed(SITE.cameras, places) == []
        moved = [msgspec.structs.replace(places[0], x=0.25, direction=-90.0), Place("none", 0, 0, 0, 70, 0.2)]
        edits = placed(SITE.cameras, moved)
        assert edits == [
            Edit(("cameras", places[0].camera, "plan", "x"), 0.25),
            Edit(("cameras", places[0].camera, "plan", "direction"), 270.0),
        ]
        assert needs_second(differences(plain(TEXT), plain(written(TEXT, edits)))), "as the plan under it"
        bare = SITE.cameras[0].model_copy(update={"plan": None})
        (edit,) = placed([bare], [Place(bare.id, 0.5, 0.5, 359.99, 70.0, 0.2)])
        assert edit == Edit(("cameras", bare.id, "plan"), {"x": 0.5, "y": 0.5, "direction": 0.0, "angle": 70.0, "reach": 0.2})


class TestPages:
    PATH = f"/cameras/{SITE.cameras[0].id}/setup"

    def test_it_is_for_the_administration_alone(self, desk):
        for path in (self.PATH, "/plan/cameras"):
            assert desk.get(path, "technik").status_code == 200
            for person in ("leitstelle-1", "aufsicht", "dsb", "kvd-1"):
                assert desk.get(path, person).status_code == 403
                assert desk.post(path, person, drawing="{}", places="[]").status_code == 403
        assert desk.get("/cameras/none/setup", "technik").status_code == 404

    def test_the_picture_is_the_redacted_one_and_the_log_says_who_looked(self, desk):
        """There is no cell here, so no picture: then nobody looked at one. With one: tests/live/test_setup.py."""
        assert desk.get(f"{self.PATH}/picture.jpg", "technik").status_code == 503
        assert desk.events(Event.SETUP_LOOKED) == []
        assert desk.get(f"{self.PATH}/picture.jpg", "leitstelle-1").status_code == 403

    def test_the_page_holds_what_is_in_force(self, desk):
        page = desk.get(self.PATH, "technik").text
        data = json.loads(html.unescape(re.search(r'data-setup="([^"]*)"', page)[1]))
        camera = desk.system.site.cameras[0]
        assert [zone["id"] for zone in data["drawing"]["zones"]] == [zone.id for zone in camera.zones]
        assert data["classes"][0][0] == 12.5
        plan = desk.get("/plan/cameras", "technik").text
        placing = json.loads(html.unescape(re.search(r'data-placing="([^"]*)"', plan)[1]))
        assert [one["camera"] for one in placing["places"]] == [one.id for one in desk.system.site.cameras]

    def test_what_is_no_drawing_is_refused_in_words(self, desk):
        answer = desk.post(self.PATH, "technik", drawing='{"zones": 1}')
        assert (answer.status_code, "kam nicht vollständig an" in answer.text) == (422, True)
        answer = desk.post(self.PATH, "technik", drawing="{}", act="propose")
        assert answer.status_code == 422
        assert desk.post("/plan/cameras", "technik", places="x").status_code == 422

    def test_a_camera_is_entered_in_words_and_the_file_checks_it(self, desk):
        page = desk.get("/settings/cameras", "technik")
        assert page.text.count('/setup"') == len(desk.system.site.cameras)
        assert desk.get("/settings/cameras", "aufsicht").status_code == 403
        assert desk.post("/settings/cameras", "aufsicht", name="x", address="y").status_code == 403
        answer = desk.post("/settings/cameras", "technik", name="Am Tor", address="rtsp://10.0.0.9/1", side="side")
        assert (answer.status_code, 'value="rtsp://10.0.0.9/1"' in answer.text) == (422, True), "nothing typed is lost"


def test_a_new_camera_gets_a_short_name_of_its_own():
    edit = added(SITE.cameras, NewCamera("Brücke am Markt", "rtsp://10.0.0.9/1", "side", "wache"))
    assert edit.path == ("cameras", "bruecke-am-markt")
    new = after([edit], "bruecke-am-markt")
    assert new.zones[0].polygon == ((0, 0), (1, 0), (1, 1), (0, 1)), "sabotage is told from the first picture on"
    assert (new.name, new.address, new.user, new.password_file) == ("Brücke am Markt", "rtsp://10.0.0.9/1", "wache", "")
    assert added([new], NewCamera("Brücke am Markt")).path == ("cameras", "bruecke-am-markt-2")
    with pytest.raises(SettingsError, match="Kennwort"):
        after([added(SITE.cameras, NewCamera("Neu", "rtsp://u:geheim@10.0.0.9/1", "side"))], "neu")
