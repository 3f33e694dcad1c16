"""The Python client: the committed one is what the description gives, and its documented examples do what they say on the real pages."""

from __future__ import annotations

import importlib
import re
import ssl
from types import SimpleNamespace

import httpx
import pytest

from blickschutz.access.model import Permission
from blickschutz.situations.kinds import Kind, Situation
from tests.conftest import ROOT
from tests.desk import CAMERA, PASSWORD, Desk, make_token

CLIENT = ROOT / "clients/python"
ADDRESS = "https://rathaus.example:8710"
# What the documentation shows, by its heading, with the permission that it says is enough.
EXAMPLES = {
    heading: (permission, code)
    for heading, permission, code in re.findall(
        r"^## (.+?)\n\nPermission `(\w+)`.*?```python\n(.*?)```", (ROOT / "docs/client.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
}


class Door(httpx.BaseTransport):
    """The pages in memory, for a client that waits."""

    def __init__(self, desk):
        self._desk, self._inner = desk, httpx.ASGITransport(desk.system.app)

    def handle_request(self, request):
        return self._desk.run(self._answer(request))

    async def _answer(self, request):
        answer = await self._inner.handle_async_request(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("desk"))
    yield desk
    desk.close()


@pytest.fixture
def shown(desk, monkeypatch, capsys):
    """Run an example against the pages, with a token of only that permission; what it printed."""
    monkeypatch.syspath_prepend(str(CLIENT))
    inner = httpx.ASGITransport(desk.system.app)
    through = SimpleNamespace(
        Client=lambda **more: httpx.Client(**{**more, "verify": True, "transport": Door(desk)}),
        AsyncClient=lambda **more: httpx.AsyncClient(**{**more, "verify": True, "transport": inner}),
    )
    monkeypatch.setattr(importlib.import_module("blickschutz_client.client"), "httpx", through)
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile: None)
    # The example brings a loop of its own; the pages have theirs.
    monkeypatch.setattr("asyncio.run", desk.run)
    make_token(desk.office.access, "leitstelle-1")

    def run(heading):
        permission, code = EXAMPLES[heading]
        access = desk.office.access
        (token,) = access.own.new_token(access.members["leitstelle-1"], "test", frozenset({Permission(permission)}), 5, PASSWORD)
        monkeypatch.setenv("TOKEN", token)
        exec(compile(code.replace(ADDRESS, desk.system.address.rstrip("/")), heading, "exec"), {"__name__": "example"})
        return capsys.readouterr().out

    return run


def test_the_committed_client_is_what_the_description_gives(tmp_path):
    pytest.importorskip("openapi_python_client", reason="the generator is not installed (scripts/set_up.py test)")
    from scripts.client import described, generate

    generate(described(), tmp_path / "blickschutz_client")
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    committed = {
        path.relative_to(CLIENT): path.read_bytes()
        for path in (CLIENT / "blickschutz_client").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert made == committed, "the description is another one: python -m scripts.client"


def test_three_examples_are_shown():
    assert len(EXAMPLES) == 3


def test_cameras_that_are_not_live_are_named(shown, desk):
    names = [camera.name for camera in desk.system.site.cameras]
    assert [line.partition(" starting")[0] for line in shown("Which cameras are not live").splitlines()] == names


def test_all_alerts_are_read_over_pages(shown, desk):
    alerts = desk.system.control.alerting.desk
    situations = (Situation(number, Kind.LOITERING, "z", 1.0, desk.clock.now(), 0.9) for number in range(103))
    raised = [alerts.take(CAMERA, one, notify=True, run="client").id for one in situations]
    lines = shown("All alerts, a hundred at a time, for programs with a loop").splitlines()
    assert [int(line.split()[0]) for line in lines] == sorted(raised, reverse=True)
    assert all(line.split()[2:] == [CAMERA, "loitering", "raised"] for line in lines)


def test_a_camera_is_stopped_and_not_started_again_with_a_token_that_may_not(shown, desk):
    assert shown("Stop a camera while somebody works on it") == "Vorplatz Nord stopped: True\n403 forbidden\n"
    (entry,) = desk.events("camera-stopped")
    assert (entry.subject, entry.facts["reason"]) == (CAMERA, "Wartung am Mast")
