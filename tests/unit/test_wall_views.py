"""How somebody wants the wall: kept with their account, theirs alone, gone with it."""

from __future__ import annotations

import html
import json
import math
import random
import re

import pytest

from blickschutz.wall.model import NotKept, View, WallSettings
from blickschutz.wall.rules import MOST_VIEWS, NEAREST, nearest, read_settings, settings_text, with_patrol, with_view, without_view
from tests.desk import SITE

FIRST, SECOND = (camera.id for camera in SITE.cameras[:2])
KNOWN = {"a", "b", "c"}


def view(name="Nacht", cameras=("a", "b"), large=""):
    return View(name=name, cameras=cameras, large=large)


class TestRules:
    def test_a_view_is_kept_once_under_its_name(self):
        settings = with_view(WallSettings(enlarge=True), view(), KNOWN)
        again = with_view(settings, view(cameras=("c", "c", "gone"), large="b"), KNOWN)
        assert again == WallSettings(views=(view(cameras=("c",)),), enlarge=True), "what is not on the view is not large on it"
        assert without_view(again, "Nacht") == WallSettings(enlarge=True)

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"name": "  "}, NotKept.NAME),
            ({"name": "x" * 41}, NotKept.NAME),
            ({"name": "a\nb"}, NotKept.NAME),
            ({"cameras": ("gone",)}, NotKept.CAMERAS),
        ],
    )
    def test_what_is_no_view_is_not_kept(self, wrong, why):
        assert with_view(WallSettings(), view(**wrong), KNOWN) is why

    def test_there_are_at_most_twelve(self):
        settings = WallSettings()
        for number in range(MOST_VIEWS):
            settings = with_view(settings, view(f"Ansicht {number}"), KNOWN)
        assert with_view(settings, view("zu viel"), KNOWN) is NotKept.MANY
        assert with_view(settings, view("Ansicht 3", ("c",)), KNOWN).view("Ansicht 3").cameras == ("c",)

    def test_what_means_nothing_any_more_is_as_if_there_were_none(self):
        kept = WallSettings(views=(view(),), enlarge=True)
        assert read_settings(settings_text(kept)) == kept
        for text in ("", "[]", '{"other": 1}', "\u0000", "[" * 100_000):
            assert read_settings(text) == WallSettings()

    def test_a_round_has_a_time_and_two_views_at_least(self):
        timed = with_patrol(WallSettings(views=(view("a"), view("b")), enlarge=True), " 30 ")
        assert (timed.patrol_s, timed.enlarge, timed.patrols) == (30, True, True)
        assert not with_patrol(timed, "").patrols
        assert not without_view(timed, "b").patrols
        assert not with_view(timed, View(name="b", cameras=("a",), patrol=False), KNOWN).patrols

    @pytest.mark.parametrize("text", ["4", "601", "5.5", "-30", "viel", "٣٠", "1e2", "99999999999999999999"])
    def test_what_is_no_time_of_a_round_is_not_kept(self, text):
        assert with_patrol(WallSettings(), text) is NotKept.SECONDS

    def test_what_was_kept_before_there_were_rounds_is_kept(self):
        old = '{"views":[{"name":"Nacht","cameras":["a"],"large":""}],"enlarge":true}'
        assert read_settings(old) == WallSettings(views=(view(cameras=("a",)),), enlarge=True)

    def test_beside_a_camera_stand_the_nearest_on_the_plan_or_on_the_wall(self):
        places = {"a": (0.0, 0.0), "b": (0.9, 0.0), "c": (0.1, 0.0), "d": (0.2, 0.1), "e": (0.5, 0.5)}
        assert nearest(places, list(places))["a"] == ["c", "d", "e"]
        assert nearest({}, ["a", "b", "c"])["b"] == ["a", "c"]
        assert nearest({"a": (0.0, 0.0)}, ["a"]) == {"a": []}
        heap = nearest(dict.fromkeys("abcdef", (0.5, 0.5)), list("abcdef"))["d"]
        assert len(set(heap) - {"d"}) == NEAREST

    def test_they_are_the_nearest_of_all(self):
        chance = random.Random(7)
        places = {str(n): (chance.random(), chance.random()) for n in range(300)}
        found = nearest(places, list(places))
        for camera, (x, y) in places.items():
            far = sorted((math.hypot(places[one][0] - x, places[one][1] - y), one) for one in places if one != camera)
            assert found[camera] == [one for _, one in far[:NEAREST]]


def data(page):
    return json.loads(html.unescape(re.search(r'data-settings="([^"]*)"', page)[1]))


class TestPages:
    def test_a_view_is_there_at_the_next_workstation_and_is_nobody_elses(self, desk):
        kept = desk.request(
            "POST", "/wall/views", "leitstelle-1", data={"name": "Nacht & Nebel", "cameras": [SECOND, FIRST], "large": FIRST}
        )
        assert (kept.status_code, kept.headers["location"]) == (303, "/wall?view=Nacht%20%26%20Nebel")
        page = desk.get(kept.headers["location"], "leitstelle-1").text
        shown = data(page)
        assert shown["chosen"] == "Nacht & Nebel"
        assert shown["views"]["Nacht & Nebel"] == {"cameras": [SECOND, FIRST], "large": FIRST}
        assert "Nacht &amp; Nebel" in desk.get("/wall/views", "leitstelle-1").text
        preferences = desk.office.access.preferences
        others = settings_text(WallSettings(views=(view("fremd", (FIRST,)),)))
        preferences.put_wall("leitstelle-2", others)
        assert list(data(desk.get("/wall?view=fremd", "leitstelle-1").text)["views"]) == ["Nacht & Nebel"]
        assert desk.post("/wall/views/remove", "leitstelle-1", name="Nacht & Nebel").status_code == 303
        assert data(desk.get("/wall", "leitstelle-1").text)["views"] == {}
        assert preferences.wall("leitstelle-2") == others

    def test_what_is_no_view_is_said_and_nothing_typed_is_lost(self, desk):
        answer = desk.request("POST", "/wall/views", "leitstelle-1", data={"name": "Nacht", "large": FIRST})
        assert answer.status_code == 422
        assert "mindestens eine Kamera" in answer.text
        assert 'value="Nacht"' in answer.text

    def test_whether_a_camera_that_alarms_becomes_large_is_each_persons_own(self, desk):
        assert data(desk.get("/wall", "leitstelle-1").text)["enlarge"] is False
        desk.post("/wall/alarming", "leitstelle-1", enlarge="yes")
        assert data(desk.get("/wall", "leitstelle-1").text)["enlarge"] is True
        desk.post("/wall/alarming", "leitstelle-1")
        assert data(desk.get("/wall", "leitstelle-1").text)["enlarge"] is False

    def test_a_round_is_each_persons_own_and_offered_where_there_is_one(self, desk):
        for name, camera in (("Eins", FIRST), ("Zwei", SECOND)):
            fields = {"name": name, "cameras": [camera], "patrol": "yes"}
            assert desk.request("POST", "/wall/views", "leitstelle-1", data=fields).status_code == 303
        assert "data-patrol" not in desk.get("/wall", "leitstelle-1").text
        refused = desk.post("/wall/patrol", "leitstelle-1", seconds="2")
        assert (refused.status_code, "von 5 bis 600" in refused.text) == (422, True)
        assert desk.post("/wall/patrol", "leitstelle-1", seconds="20").status_code == 303
        for path in ("/wall", "/wall/window"):
            page = desk.get(path, "leitstelle-1").text
            assert 'data-on="alle 20 s"' in page
            assert data(page)["patrol"] == {"views": ["Eins", "Zwei"], "seconds": 20}
        assert "data-patrol" not in desk.get("/wall", "kvd-1").text

    def test_the_second_window_has_the_pictures_and_no_queue(self, desk):
        page = desk.get("/wall/window", "leitstelle-1").text
        assert page.count("<wall-tile ") == 2
        assert "data-queue" not in page
        assert f'data-beside-cameras="{SECOND}"' in page
        assert desk.get("/wall/window", "technik").status_code == desk.get("/wall", "technik").status_code

    def test_they_go_with_the_account(self, desk):
        access = desk.office.access
        access.preferences.put_wall("kvd-2", settings_text(WallSettings(enlarge=True)))
        access.people._forget("kvd-2", "admin")
        assert access.preferences.wall("kvd-2") == ""
