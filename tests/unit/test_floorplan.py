"""A floor plan: drawn anew and never shown as it came, hostile ones refused in words, put in force by a second person."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest

from blickschutz.audit.model import Event
from blickschutz.compliance.floorplan import Form, NotTaken, form_of
from blickschutz.compliance.io.floorplan import WIDTH, drawn
from blickschutz.config.model import PlanPlace
from blickschutz.control.service.floorplan import FloorPlanDesk
from blickschutz.web.routes.place import cone, scale

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 200 100">'
GOOD = (
    HEAD
    + '<style>.a{fill:url(#g)}</style><defs><linearGradient id="g"/></defs><rect class="a" width="200" height="100" fill="#fff"/></svg>'
)
DOT = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def svg(inside):
    return f"{HEAD}{inside}</svg>".encode()


def encoded(form=".png", width=200, height=100):
    return cv2.imencode(form, np.full((height, width, 3), 200, np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("<script>alert(1)</script>", NotTaken.RUNS),
        ("<SCRIPT/>", NotTaken.RUNS),
        ('<x:script xmlns:x="http://www.w3.org/2000/svg"/>', NotTaken.RUNS),
        ('<rect onclick="alert(1)"/>', NotTaken.RUNS),
        ('<rect ONLOAD="alert(1)"/>', NotTaken.RUNS),
        ('<a xlink:href="java\nscript:alert(1)"/>', NotTaken.RUNS),
        ("<foreignObject><iframe/></foreignObject>", NotTaken.RUNS),
        ('<image href="https://example.org/a.png"/>', NotTaken.OUTSIDE),
        ('<image xlink:href="file:///etc/passwd"/>', NotTaken.OUTSIDE),
        ('<image href="../../state/control.db"/>', NotTaken.OUTSIDE),
        ('<image href="data:image/svg+xml;base64,AAAA"/>', NotTaken.OUTSIDE),
        ('<use href="other.svg#a"/>', NotTaken.OUTSIDE),
        ('<a href="//example.org/"/>', NotTaken.OUTSIDE),
        ('<rect style="fill:url(http://example.org/a)"/>', NotTaken.OUTSIDE),
        ('<rect fill="url( &quot;http://example.org/a&quot;)"/>', NotTaken.OUTSIDE),
        ("<style>@import 'http://example.org/a.css';</style>", NotTaken.OUTSIDE),
        ("<style>a{b:u\\72l(http://example.org)}</style>", NotTaken.OUTSIDE),
        ('<g xml:base="http://example.org/"/>', NotTaken.OUTSIDE),
        ("<?xml-stylesheet href='a.css'?>", NotTaken.OUTSIDE),
        ("<g>" * 200 + "</g>" * 200, NotTaken.LARGE),
        ("<g/>" * 50_001, NotTaken.LARGE),
        ("<g>", NotTaken.UNREADABLE),
    ],
)
def test_a_hostile_drawing_is_refused_and_says_why(inside, why):
    assert form_of(svg(inside)) is why


def test_entities_that_unfold_and_files_that_they_name_are_refused():
    for declared in ('<!ENTITY a "x">', '<!ENTITY a SYSTEM "file:///etc/passwd">', ""):
        assert form_of(f"<!DOCTYPE svg [{declared}]>{GOOD}".encode()) is NotTaken.ENTITIES


def test_what_is_taken():
    assert form_of(GOOD.encode()) is Form.SVG
    assert form_of(svg(f'<use href="#a"/><image href="{DOT}"/>')) is Form.SVG
    assert form_of(encoded()) is Form.PNG
    assert form_of(encoded(".jpg")) is Form.JPEG


def test_what_is_none_or_too_large_or_too_flat():
    assert form_of(b"GIF89a") is NotTaken.UNKNOWN
    assert form_of(b"") is NotTaken.UNKNOWN
    assert form_of(b"\x89PNG\r\n\x1a\n") is NotTaken.UNREADABLE
    assert form_of(b"\xff\xd8\xff\xe0\x00\x00") is NotTaken.UNREADABLE
    assert form_of(GOOD.encode() + b" " * (2 << 20)) is NotTaken.LARGE
    bomb = bytearray(encoded())
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    assert form_of(bytes(bomb)) is NotTaken.LARGE
    assert form_of(encoded(width=1000, height=100)) is NotTaken.SHAPE


@pytest.mark.parametrize("data", [GOOD.encode(), encoded(), encoded(".jpg")])
def test_only_a_picture_of_our_own_comes_out(data):
    """Whatever lay in the file beside the picture (notes, places, people) is not in the one that is shown."""
    secret = b"Aufgenommen von Frau Adam"
    marked = data[:2] + b"\xff\xfe" + (len(secret) + 2).to_bytes(2, "big") + secret + data[2:] if data[:2] == b"\xff\xd8" else data + secret
    if data.startswith(b"<svg"):
        marked = data.replace(b"</svg>", b"<metadata>" + secret + b"</metadata></svg>")
    picture = drawn(marked, form_of(marked))
    assert picture.startswith(b"\x89PNG")
    assert secret not in picture
    shown = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (WIDTH // 2, WIDTH, 3)


def test_what_cannot_be_drawn_is_said():
    assert drawn(encoded()[:60], Form.PNG) is NotTaken.UNREADABLE
    assert drawn(svg('<rect width="1"'), Form.SVG) is NotTaken.UNREADABLE


def test_a_scale_is_round_and_not_longer_than_a_quarter():
    assert [scale(metres)[0] for metres in (2, 80, 100, 250, 5000)] == [0.5, 20, 20, 50, 1000]
    assert scale(80) == (20, 25)
    assert cone(PlanPlace(x=0.5, y=0.5, direction=0, angle=90, reach=0.1), 50).startswith("M50.00 25.00 ")


class TestPages:
    def hand_in(self, desk, person="technik", data=None, **fields):
        given = {"metres": "80", "north": "30", **fields}
        return desk.request(
            "POST", "/plan/picture", person, data=given, files={"picture": ("plan.svg", GOOD.encode() if data is None else data)}
        )

    def test_it_takes_two_and_then_lies_under_the_plan(self, desk):
        assert self.hand_in(desk).status_code == 303
        proposal = desk.events(Event.PLAN_PROPOSED)[0]
        assert "plan-picture" not in desk.get("/plan", "technik").text, "nothing counts before a second person"
        page = desk.get("/plan/picture", "technik").text
        assert "Es fehlt die Bestätigung einer zweiten Person" in page
        assert desk.post("/plan/picture/confirm", "technik", number=proposal.number).status_code == 403
        picture = desk.get(f"/plan/picture/{proposal.number}.png", "aufsicht")
        assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")
        assert desk.post("/plan/picture/confirm", "aufsicht", number=proposal.number + 1).status_code == 409
        assert desk.post("/plan/picture/confirm", "aufsicht", number=proposal.number).status_code == 303
        put = desk.events(Event.PLAN_SET)[0]
        assert (put.by, put.facts["people"], put.facts["metres"]) == ("aufsicht", ["technik", "aufsicht"], 80.0)
        plan = desk.get("/plan", "technik").text
        assert f'href="/plan/picture/{put.number}.png"' in plan
        assert 'viewBox="0 0 100 50.0"' in plan
        assert 'aria-label="Maßstab: 20 m"' in plan
        assert "rotate(30.0)" in plan
        assert desk.get(f"/plan/picture/{put.number}.png", "technik").content == picture.content
        assert desk.get(f"/plan/picture/{proposal.number}.png", "technik").status_code == 404
        # A picture that is another one now is not shown.
        desk.records.archive.data.joinpath("plan", f"{put.subject}.png").write_bytes(b"other")
        assert "plan-picture" not in desk.get("/plan", "technik").text

    def test_whoever_proposed_cannot_confirm_though_they_might(self, desk):
        self.hand_in(desk, data=encoded())
        proposal = desk.events(Event.PLAN_PROPOSED)[0]
        service = FloorPlanDesk(desk.records.archive.data, desk.office.log, desk.office.access.voices)
        assert service.confirm(proposal.number, "technik") is NotTaken.SAME
        assert service.confirm(proposal.number, "dsb") is None

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"data": svg("<script/>")}, "Programmteile"),
            ({"data": svg('<image href="http://x/"/>')}, "verweist nach außen"),
            ({"data": b"x"}, "weder eine Zeichnung"),
            ({"metres": "viel"}, "Breite in Metern"),
            ({"metres": "nan"}, "Breite in Metern"),
            ({"north": "360"}, "wo Norden ist"),
        ],
    )
    def test_a_refusal_is_in_words(self, desk, more, words):
        answer = self.hand_in(desk, **more)
        assert answer.status_code == 422
        assert re.search(words, answer.text)

    def test_only_the_administration_proposes(self, desk):
        assert self.hand_in(desk, "leitstelle-1").status_code == 403
        assert self.hand_in(desk, "aufsicht").status_code == 403

    def test_each_camera_can_be_pointed_at_and_says_its_state(self, desk):
        page = desk.get("/plan", "leitstelle-1").text
        assert re.search(r'data-camera="[a-z-]+" data-state="[a-z-]+"', page)
        assert "data-plan-preview" in page
        assert "data-plan-preview" not in desk.get("/plan", "dsb").text, "no picture for whoever sees none"
