"""A site's pages as they are run, asked in memory: no server, no cells, no threads. What tests of routes share."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx

from blickschutz.access.model import AccountState, FactorKind
from blickschutz.access.rules import PERSONAL, needs_factor, permitted
from blickschutz.access.service.totp import new_secret
from blickschutz.bootstrap.system import Source, System
from blickschutz.config.loader import load_site
from tests.conftest import ROOT
from tests.fakes.cells import no_process
from tests.fakes.clock import ManualClock

EXAMPLE = ROOT / "examples/rathaus-kaiserslautern.toml"
SITE = load_site(EXAMPLE)
CAMERA = "vorplatz-nord"
PASSWORD = "vier Wörter ganz ohne Sinn"


def site_of(port=SITE.server.port, cameras=2):
    """The example site with so many of its cameras."""
    server = SITE.server.model_copy(update={"port": port})
    return SITE.model_copy(update={"server": server, "cameras": SITE.cameras[:cameras]})


def make_system(folder: Path, clock, site=None) -> System:
    """The system of a site in `folder`. Nothing runs yet."""
    source = Source(EXAMPLE.read_text("utf-8"), str(EXAMPLE))
    system = System(site or site_of(), folder, clock, no_process, data=folder / "state", source=source)
    system.rooms._launch = no_process
    return system


class Desk:
    """Asks pages as somebody: `desk.get("/wall", "leitstelle-1")`. What a thread would do waits for `work`."""

    def __init__(self, folder: Path, clock=None, site=None):
        self.clock, self.folder = clock or ManualClock(), folder
        self.system = make_system(folder, self.clock, site)
        self.records, self.office = self.system.records, self.system.records.office
        # Who is held at the door waits by the clock of the test.
        self.office.access.doors.sleep = self._held
        self._runner = asyncio.Runner()
        self._sessions: dict[str, str] = {}

    async def _held(self, seconds):
        self.clock.sleep(seconds)

    def close(self):
        self._runner.close()
        self.records.keeping.close()

    def work(self):
        """What the thread of disk and database would do."""
        self.records.worker.work()

    def run(self, what):
        """Run a coroutine in the loop of the pages."""
        return self._runner.run(what)

    def session(self, person: str) -> str:
        """The secret of a session of somebody who is ready to work, without the way through the sign-in page."""
        if person not in self._sessions or self.office.access.who(self._sessions[person])[0] is None:
            self._sessions[person] = admit(self.office.access, person)
        return self._sessions[person]

    def token(self, person: str) -> str:
        """A token with all that somebody may give it."""
        return make_token(self.office.access, person)

    def request(self, method, path, person="", headers=None, cookies=None, **more):
        kept = dict(cookies or {})
        if person:
            kept["session"] = self.session(person)
        headers = {**({"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())} if kept else {}), **(headers or {})}
        return self.run(self._request(method, path, headers, more))

    async def _request(self, method, path, headers, more):
        transport = httpx.ASGITransport(self.system.app, raise_app_exceptions=False)
        base = self.system.address.rstrip("/")
        async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
            return await client.request(method, path, **more)

    def get(self, path, person="", **more):
        return self.request("GET", path, person, **more)

    def post(self, path, who="", /, **data):
        return self.request("POST", path, who, data=data)

    def api(self, method, path, token, **more):
        return self.request(method, f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, **more)

    def socket(self, path, person=""):
        """What the answer to a WebSocket is: `websocket.accept`, or a refusal."""
        return self.run(self._first({"type": "websocket", "subprotocols": []}, path, person, {"type": "websocket.connect"}))

    def stream(self, path, person=""):
        """The status of an answer that goes on; whoever asked goes away then."""
        return self.run(self._first({"type": "http", "method": "GET"}, path, person, {"type": "http.request", "body": b""}))

    async def _first(self, scope, path, person, first):
        host = self.system.address.split("/")[2]
        headers = [(b"host", host.encode()), (b"origin", f"http://{host}".encode())]
        if person:
            headers.append((b"cookie", f"session={self.session(person)}".encode()))
        kind = scope["type"]
        about = {"path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers, "server": tuple(host.split(":"))}
        about |= {"scheme": "ws" if kind == "websocket" else "http", "http_version": "1.1", "root_path": "", "client": ("127.0.0.1", 1)}
        told, asked = asyncio.Queue(), asyncio.Queue()
        asked.put_nowait(first)

        async def send(message):
            told.put_nowait(message)

        running = asyncio.create_task(self.system.app({**scope, **about, "extensions": {}, "state": {}}, asked.get, send))
        try:
            async with asyncio.timeout(5):
                message = await told.get()
        finally:
            asked.put_nowait({"type": f"{kind}.disconnect", "code": 1000})
            await asyncio.wait([running], timeout=5)
        return message

    def events(self, event):
        """Entries of that event, the newest first."""
        return [entry for entry, _ in self.office.log.find(event=event)]


def admit(access, person: str) -> str:
    member = access.members[person]
    if member.state is not AccountState.ACTIVE:
        access.accounts.activate(person)
    if needs_factor(member) and not access.factors.count(person):
        access.factors.add(person, FactorKind.TOTP, "test", new_secret(), 0)
    return access.begin(person)


def make_token(access, person: str) -> str:
    admit(access, person)
    member = access.members[person]
    access.passwords.set(person, PASSWORD, "test")
    access.tries.forget(person)
    made = access.own.new_token(member, "test", permitted(member) - PERSONAL, 5, PASSWORD)
    return made[0]


def fill(path: str, **known: object) -> str:
    """A path of the table of routes with numbers and names in it; `known` ones, or those of nothing."""
    given = {"camera": CAMERA, "number": 999, "person": "x", "name": "x", **known}
    return re.sub(r"\{(\w+)\}", lambda one: str(given[one[1]]), path)
