"""No answer of any door lacks what a browser must know: policy of content, no frames, no sniffing, no store."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote, urlencode

import httpx
import pytest
from fastapi.routing import APIRoute

from blickschutz.access.model import Permission
from blickschutz.reviewroom.keydesk import KeyDesk, make_key_app
from blickschutz.reviewroom.messages import Guest, OpenKeyDesk
from blickschutz.reviewroom.pages import make_room_app
from blickschutz.reviewroom.release import Release
from blickschutz.reviewroom.room import Seat
from blickschutz.web.security import HEADERS, RequestCheck, headers_of
from tests.attack.test_odd_words import routes, who
from tests.desk import fill
from tests.unit.test_room import PORT, make_room


def lacking(headers, expected=HEADERS):
    missing = [name for name, value in expected.items() if headers.get(name) != value]
    return missing + [name for name in ("cache-control",) if name not in headers]


def test_the_policy_of_content_lets_nothing_in_from_elsewhere():
    policy = dict(part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {source for sources in policy.values() for source in sources.split()} == {"'none'", "'self'", "blob:"}


@pytest.mark.parametrize("signed_in", [False, True])
def test_every_route_says_it_to_everybody(desk, signed_in):
    bare = []
    asked = 0
    for path, method, _, permission in routes(desk):
        if path in {"/sign-out", "/account/sessions/end"} or (signed_in and method != "GET"):
            continue
        person = who(permission) if signed_in and permission is not Permission.PUBLIC else ""
        answer = desk.request(method, fill(path), person)
        asked += 1
        bare += [(method, path, answer.status_code, lacking(answer.headers))] if lacking(answer.headers) else []
    assert bare == []
    assert asked > (50 if signed_in else 110)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("GET", "/static/wall.js", {}, 200),
        ("GET", "/static/nothing.js", {}, 404),
        ("GET", "/api/v1/nothing", {}, 404),
        ("PUT", "/sign-in", {}, 405),
        ("POST", "/sign-in", {"Content-Length": "999999999"}, 413),
        ("POST", "/sign-in", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ("GET", "/sign-in", {"Host": "evil.example"}, 403),
        ("POST", "/sign-in", {"Origin": "https://evil.example"}, 403),
        ("GET", "/cases/ü", {}, 303),
    ],
)
def test_what_is_refused_says_it_too(desk, method, path, headers, status):
    answer = desk.request(method, path, headers=headers)
    assert answer.status_code == status
    assert lacking(answer.headers) == []


def test_a_live_stream_that_is_refused_says_it_too(desk):
    message = desk.socket("/cameras/vorplatz-nord/live")
    assert message["type"] == "websocket.http.response.start"
    assert message["status"] == 401
    assert lacking({name.decode().title(): value.decode() for name, value in message["headers"]} | {"cache-control": ""}) == []


def test_a_fault_says_it_too(desk, monkeypatch):
    def fault(*_given, **_named):
        raise RuntimeError

    monkeypatch.setattr(desk.system.app.state.room.office.access, "who", fault)
    answer = desk.get("/wall")
    assert answer.status_code == 500
    assert lacking(answer.headers) == []


def test_over_tls_the_browser_stays_with_it():
    assert headers_of(True)["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in headers_of(False)
    assert RequestCheck(None, ["localhost:1"], secure=True)._headers == headers_of(True)


def rooms():
    """The pages of a review room with a seat in it, and those of the key desk."""
    room = make_room()
    room.seats["seat"] = Seat(Guest(id="kvd-1", name="Ada", sealed=None, may_release=True), "seat", None)
    yield make_room_app(room, Release(room))
    first = OpenKeyDesk(settings=room.settings, person="kvd-1", name="Ada", ticket="ticket", sealed=None)
    yield make_key_app(room.settings, KeyDesk(first, None), "ticket")


@pytest.mark.parametrize("place", [0, 1], ids=["room", "key-desk"])
def test_rooms_say_it_and_take_no_more_than_pages_do(place):
    app = list(rooms())[place]

    async def asked(method, path, headers, content=b""):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://localhost:{PORT}") as client:
            return await client.request(method, path, headers=headers, content=content)

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    found = []
    for path, method, route in [(one.path, method, one) for one in app.routes if isinstance(one, APIRoute) for method in one.methods]:
        for value in ("seat", "ticket", "ü", "²", "%00", "9" * 40):
            body = urlencode([(param.alias, value) for param in route.dependant.body_params]).encode()
            query = urlencode([(param.alias, value) for param in route.dependant.query_params])
            address = re.sub(r"\{\w+\}", quote(value, safe="%"), path)
            answer = asyncio.run(asked(method, f"{address}?{query}", form if method == "POST" else {}, body if method == "POST" else b""))
            if answer.status_code >= 500 or lacking(answer.headers):
                found.append((method, address, answer.status_code, lacking(answer.headers)))
        if method == "POST":
            for kind, content, status in ((form, b"x" * 200_000, 413), ({"Content-Type": "multipart/form-data; boundary=x"}, b"x", 415)):
                answer = asyncio.run(asked(method, re.sub(r"\{\w+\}", "seat", path), kind, content))
                assert (answer.status_code, lacking(answer.headers)) == (status, []), path
    assert found == []
    assert asyncio.run(asked("GET", "/", {"Host": "evil.example"})).status_code == 403
