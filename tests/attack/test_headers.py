"""No answer of any door lacks what a browser must know: policy of content, no frames, no sniffing, no store."""

from __future__ import annotations

import pytest

from blickschutz.access.model import Permission
from blickschutz.web.security import HEADERS, RequestCheck, headers_of
from tests.attack.test_odd_words import routes, who
from tests.desk import fill


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
