"""Odd words at every door: whatever stands in a field, a path, a query or a header, it is answered, and never by a fault."""

from __future__ import annotations

import json
import os
from urllib.parse import quote, urlencode

from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from blickschutz.access.model import Permission
from blickschutz.access.rules import PERMISSIONS
from blickschutz.access.service.totp import drift_of, step_of
from blickschutz.web.allowed import permission_of
from blickschutz.web.app import API
from tests.conftest import often
from tests.unit.test_routes_access import WHO

# What has broken programs before: no digits that count as such, other alphabets, ends of texts, numbers beyond every column.
ODD = (
    "ü",
    "üöäß€",
    "²",
    "١٢٣٤٥٦",
    "\x00",
    "a\x00b",
    "\ud800",
    "\U0001f600",
    "\u202e",
    "\r\n",
    " ",
    "",
    "-1",
    "0",
    "1e400",
    "nan",
    "inf",
    "9" * 40,
    str(2**63),
    "true",
    "null",
    "[]",
    "{}",
    "{{7*7}}",
    "../../etc/passwd",
    "..%2f",
    "%",
    "%zz",
    "%C3%28",
    "\xff\xfe",
    "' or 1=1 --",
    "2026-13-45",
    "0000-00-00",
    "9999-12-31",
    "0001-01-01",
    "2026-11-26T99:99",
    "<script>",
    "x" * 5000,
    "age1x",
    "https://[",
    "//[::1",
    "Bearer",
)
WORDS = st.one_of(st.sampled_from(ODD), st.text(max_size=30))
JSON = st.one_of(WORDS, st.sampled_from([None, True, -1, 2**70, 1.5, [], {}, [[["ü"]]], {"ü": None}]))
# Nothing to be drawn from comes first: that is the form that a route takes.
BODIES = (b"", b"", b"null", b"[]", b"{", b'"\\ud800"', b"\xff\xfe{}", b"[" * 9000, b"{}" + b" " * 9000, b"NaN", b'{"a":1e999}')
COOKIES = ("half", "kept", "language", "theme", "known")
HEADERS = ("Authorization", "Referer", "Accept-Language", "Sec-Fetch-Mode", "Last-Event-ID", "Range", "If-None-Match", "Content-Type")
EXAMPLES = int(os.environ.get("BLICKSCHUTZ_ODD_REQUESTS", often(150, 300)))
# A stream does not end by itself; what it is asked with is nothing but a session.
WITHOUT_END = {"/alerts/stream", "/bar/stream"}
# There is no picture and no room in these tests, whoever asks.
NO_PICTURE = ("/picture.jpg", "/passphrase")


def routes(desk):
    """Every route over HTTP: path, method, names of what it takes, who may."""
    app = desk.system.app
    api = next(route.app for route in app.routes if getattr(route, "path", "") == API)
    for prefix, one in (("", app), (API, api)):
        for route in one.routes:
            if isinstance(route, APIRoute) and route.path not in WITHOUT_END:
                for method in sorted(route.methods - {"HEAD"}):
                    yield prefix + route.path, method, route, permission_of(route)


def names(params):
    return [param.alias for param in params]


def fields_of(route):
    """Names of the fields of a form, or of what a program sends."""
    found = []
    for param in route.dependant.body_params:
        annotation = param.field_info.annotation
        found += annotation.model_fields if hasattr(annotation, "model_fields") else [param.alias]
    return found


def who(permission):
    if permission in {Permission.PUBLIC, None}:
        return ""
    return next(WHO[role] for role in WHO if role in PERMISSIONS[permission])


def latin(text):
    """A header as bytes, as a stranger writes it: anything but the end of a line."""
    return text.replace("\r", "").replace("\n", "").replace("\x00", "").encode("utf-8", "replace")


def encoded(text):
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def asked(desk, path, method, route, permission, draw):
    """The answer to one request made of odd words."""
    for name in names(route.dependant.path_params):
        path = path.replace("{" + name + "}", encoded(draw(WORDS)) or "%20")
    query = [(name, draw(WORDS)) for name in names(route.dependant.query_params) if draw(st.booleans())]
    if query:
        path += "?" + urlencode([(name, text.encode("utf-8", "surrogatepass")) for name, text in query])
    headers = {name: latin(draw(WORDS)) for name in draw(st.lists(st.sampled_from(HEADERS), max_size=2, unique=True))}
    cookies = [f"{name}=".encode() + latin(draw(WORDS)) for name in draw(st.lists(st.sampled_from(COOKIES), max_size=2, unique=True))]
    body = b""
    if method != "GET" and path.startswith(API):
        headers.setdefault("Content-Type", b"application/json")
        body = draw(st.sampled_from(BODIES)) or json.dumps({name: draw(JSON) for name in fields_of(route)}).encode()
    elif method != "GET":
        headers.setdefault("Content-Type", b"application/x-www-form-urlencoded")
        fields = [(name, draw(WORDS).encode("utf-8", "surrogatepass")) for name in fields_of(route)]
        body = urlencode(fields).encode()
    if path.startswith(API):
        headers["Authorization"] = f"Bearer {desk.token(who(permission))}".encode()
    elif permission is not Permission.PUBLIC:
        cookies.append(f"session={desk.session(who(permission))}".encode())
    if cookies:
        headers["Cookie"] = b"; ".join(cookies)
    return desk.request(method, path, headers=headers, content=body)


def test_odd_words_never_make_a_fault(desk):
    every = list(routes(desk))
    assert len(every) > 110

    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(every), st.data())
    def attack(row, data):
        path, method, route, permission = row
        answer = asked(desk, path, method, route, permission, data.draw)
        assert answer.status_code < 500 or (answer.status_code == 503 and path.endswith(NO_PICTURE)), (method, path, answer.status_code)

    attack()


def test_no_code_with_other_digits_is_a_fault():
    secret = bytes(20)
    for text in ODD:
        assert step_of(secret, text, 1e9) is None
        assert drift_of(secret, text, 1e9) is None


def test_a_second_factor_with_an_umlaut_is_a_wrong_one(desk):
    desk.session("technik")
    half = desk.office.access.sessions.begin_half("technik")
    assert desk.request("POST", "/sign-in/factor", cookies={"half": half}, data={"code": "ä23456"}).status_code == 403
