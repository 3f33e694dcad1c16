"""Two sites' own pages over real TLS, and an overview that reads both: one is taken away, the other takes its token back."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time

import pytest
import uvicorn

from blickschutz.access.model import Permission
from blickschutz.bootstrap.overview import opened
from blickschutz.kernel.clock import SystemClock
from blickschutz.overview.model import Fault
from blickschutz.overview.rules import Rank, rank
from blickschutz.web.tls import require_modern
from tests.desk import PASSWORD, Desk, site_of
from tests.live.system import free_port

pytestmark = pytest.mark.long
PERSON = "technik"


class Site:
    """The pages of a site, served as they are, without its cells."""

    def __init__(self, folder, name):
        site = site_of(free_port())
        server = site.server.model_copy(update={"tls": True, "overview": "IT der Stadt"})
        self.desk = Desk(folder, SystemClock(), site.model_copy(update={"server": server}))
        self.port, self.name = server.port, name
        config = uvicorn.Config(self.desk.system.app, host="127.0.0.1", port=self.port, lifespan="off", log_level="warning")
        config.ssl_certfile, config.ssl_keyfile = self.desk.system.tls.files()
        config.load()
        require_modern(config)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()))
        self._thread.start()

    def give(self, folder):
        """What its administration gives the overview: authority and token."""
        access = self.desk.office.access
        self.desk.session(PERSON)
        access.passwords.set(PERSON, PASSWORD, "test")
        (token,) = access.own.new_token(access.members[PERSON], "Übersicht", frozenset({Permission.OVERVIEW}), 30, PASSWORD)
        (folder / f"{self.name}.pem").write_bytes(self.desk.system.tls.authority.pem)
        secret = folder / f"{self.name}.token"
        secret.write_text(token)
        secret.chmod(0o600)
        return f"""[[sites]]
id = "{self.name}"
name = "{self.name.title()}"
address = "https://127.0.0.1:{self.port}"
authority = "{self.name}.pem"
token_file = "{self.name}.token"
within_s = 30
"""

    def end(self):
        self._server.should_exit = True
        self._thread.join(30)

    def close(self):
        self.end()
        self.desk.close()


def test_two_sites_one_view(tmp_path):
    with contextlib.ExitStack() as ends:
        sites = {}
        for name in ("rathaus", "bahnhof"):
            (tmp_path / name).mkdir()
            sites[name] = Site(tmp_path / name, name)
            ends.callback(sites[name].close)
        text = "format = 1\n" + "".join(site.give(tmp_path) for site in sites.values())
        (tmp_path / "overview.toml").write_text(text)
        _until_up(sites.values())
        overview = ends.enter_context(opened(tmp_path / "overview.toml", SystemClock()))
        overview.app(overview.places())
        rounds = overview.rounds

        async def look():
            await asyncio.gather(*(rounds.look(name) for name in sites))

        asyncio.run(look())
        for known in rounds.known.values():
            assert known.fault is None
            assert sum(known.told.cameras.values()) == 2
            assert known.told.rules.holds > 10
        access = sites["rathaus"].desk.office.access
        access.own.remove_token(access.members[PERSON], access.tokens.of(PERSON)[0].id)
        sites["bahnhof"].end()
        asyncio.run(look())
        assert {name: known.fault for name, known in rounds.known.items()} == {"rathaus": Fault.REFUSED, "bahnhof": Fault.AWAY}
        for known in rounds.known.values():
            assert known.told is not None, "what was known stays"
            assert rank(known) is Rank.NOW


def _until_up(sites):
    end = time.monotonic() + 60
    while not all(site._server.started for site in sites):
        assert time.monotonic() < end
        time.sleep(0.05)
