"""How the pages are kept: what runs in the event loop asks no store and no disk."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from blickschutz.audit.model import Event
from blickschutz.web.texts import EVENT_WORDS
from tests.conftest import ROOT

WEB = ROOT / "src/blickschutz/web"
MODULES = sorted(WEB.rglob("*.py"))
# Parts of the system that ask a database or a disk when they are called.
STORES = {
    "office",
    "alerts",
    "recordings",
    "stops",
    "policy",
    "regime",
    "access",
    "log",
    "cases",
    "rights",
    "store",
    "desk",
    "vitals",
    "models",
}
RENDERS = {"render"}
# What looks like one of them and touches memory only, or is a coroutine of the rooms that goes through threads itself.
IN_MEMORY = {
    "pages.room.alerts.listen",
    "pages.room.office.access.sessions.whose",
    "pages.room.rooms.key_desk",
    "rooms.enter",
}
# Functions that may be called with the pages: these ask nothing, or go through threads themselves.
HARMLESS = {"_crowded", "partial", "find", "require", "changes", "_lines", "_to_sign_in", "_while_allowed", "_show", "stream_of"}
HARMLESS |= {"_run_trial"}


def chain(node: ast.expr) -> str:
    """`pages.room.alerts.listen` of the call of it; what is called on another call has a "()" in it."""
    if isinstance(node, ast.Attribute):
        return f"{chain(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{chain(node.func)}()"
    return node.id if isinstance(node, ast.Name) else ""


def calls_in_loop(function: ast.AsyncFunctionDef):
    """Calls of a coroutine itself: not of what it hands on as a function."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting.extend(ast.iter_child_nodes(node))


def offences(text: str) -> list[str]:
    """Calls in coroutines of a module that ask a store, or hand the pages to a function that may."""
    found = []
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        for call in calls_in_loop(function):
            name = chain(call.func)
            parts = set(name.replace("()", "").split("."))
            asks = bool(parts & STORES) and "." in name and name not in IN_MEMORY
            given = [one.id for one in call.args if isinstance(one, ast.Name)]
            helper = "." not in name and "pages" in given and name not in HARMLESS
            if asks or helper or name.split(".")[-1] in RENDERS:
                found.append(f"{function.name}:{call.lineno} {name}")
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(WEB).as_posix())
def test_no_coroutine_of_the_pages_asks_a_store(module: Path):
    assert offences(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "pages.room.office.log.write('x', 'y')",
        "member = office.access.who(token)",
        "return pages.render(request, 'wall.html')",
        "for one in pages.room.alerts.open_alerts(): pass",
        "x = [case for case in pages.room.office.cases.store.find()]",
        "return _page(pages, request)",
        "pages.room.vitals()",
    ],
)
def test_such_a_call_is_found(line):
    assert offences(f"async def handler(request):\n    {line}\n") != []
    assert offences(f"def handler(request):\n    {line}\n") == []


def test_every_route_is_plain_unless_it_must_wait_for_something_else():
    """What waits for a camera, a room, a viewer or a file, or is held at the door; everything else runs in a thread of its lane."""
    coroutines = set()
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef):
                marks = [
                    mark
                    for mark in node.decorator_list
                    if isinstance(mark, ast.Call) and chain(mark.func).split(".")[0] in {"router", "api"}
                ]
                coroutines |= {(module.relative_to(WEB).as_posix(), node.name) for _ in marks}
    assert coroutines == {
        ("routes/account.py", "passphrase"),
        ("routes/alerts.py", "stream"),
        ("routes/bar.py", "stream"),
        ("routes/cases.py", "enter"),
        ("routes/facts.py", "enter"),
        ("routes/floorplan.py", "propose"),
        ("routes/live.py", "live"),
        ("routes/setup.py", "picture"),
        ("routes/sign_in.py", "begin"),
        ("routes/sign_in.py", "sign_in"),
        ("routes/trials.py", "trial"),
        ("routes/wall.py", "picture"),
        ("api/cameras.py", "picture"),
    }


def test_every_event_of_the_log_has_its_words():
    """The page of the log lists them all: one without words would take the page with it."""
    assert {event.value for event in Event} == set(EVENT_WORDS)


def test_routes_come_from_the_pages_so_that_they_have_a_lane():
    for module in (*WEB.glob("routes/*.py"), *WEB.glob("api/*.py")):
        assert "APIRouter()" not in module.read_text(encoding="utf-8"), module


@pytest.mark.parametrize("catalogue", sorted((ROOT / "src").rglob("*.po")), ids=lambda path: path.parts[-3] + path.stem)
def test_each_text_of_a_catalogue_ends_where_it_says(catalogue: Path):
    """GNU gettext's own form: one with a stray backslash before its end was shown with it."""
    lines = catalogue.read_text(encoding="utf-8").splitlines()
    texts = [line for line in lines if line and not line.startswith("#")]
    assert texts
    assert [line for line in texts if not re.fullmatch(r'(?:msgid |msgstr |)"(?:[^"\\]|\\[nt"\\])*"', line)] == []
