"""Builds the overview of many sites from its file, and serves it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import uvicorn
from fastapi import FastAPI

from blickschutz.access.io.accounts import METADATA as ACCOUNT_TABLES
from blickschutz.access.io.accounts import AccountStore
from blickschutz.access.io.factors import METADATA as FACTOR_TABLES
from blickschutz.access.io.factors import FactorStore, TokenStore
from blickschutz.access.io.preferences import METADATA as PREFERENCE_TABLES
from blickschutz.access.io.preferences import PreferenceStore
from blickschutz.access.io.store import METADATA as PASSWORD_TABLES
from blickschutz.access.io.store import PasswordStore
from blickschutz.access.model import Member, Role
from blickschutz.access.rules import is_short_name
from blickschutz.access.service import Access
from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.config.loader import load_file
from blickschutz.config.overview import OverviewFile, WatchedSite
from blickschutz.guard.service import Guard
from blickschutz.installation.io.lock import held
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import FaultError, OperatorError, SettingsError
from blickschutz.overview.io.reader import Place, fetch, trusting
from blickschutz.overview.pages import House, make_overview
from blickschutz.overview.service import Rounds
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import InstallationKey
from blickschutz.web.connections import LimitedHttp
from blickschutz.web.encryption import Encryption
from blickschutz.web.security import hosts_of

_DEVICES: Final = b"blickschutz-known-devices-1"
_MOST_FILE, _MOST_TOKEN = 1024 * 1024, 200
_GRACE_S, _HTTPS, _LOOK_S = 3, 443, 2.0
# Who looks at the sites, and who reads the log of who did.
ROLES: Final = (Role.ADMINISTRATION, Role.DATA_PROTECTION)


def load_overview(path: Path) -> OverviewFile:
    """Raises `SettingsError` with one line for each problem."""
    return load_file(OverviewFile, path, _MOST_FILE)


class Overview:
    """One overview in its folder, which this process alone uses. `base` is the folder of its file."""

    def __init__(self, file: OverviewFile, base: Path, clock: Clock) -> None:
        self.file, self._base, self._clock, self._data = file, base, clock, base / file.data
        try:
            self._zone = ZoneInfo(file.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise SettingsError(f"timezone: {file.timezone!r} is no time zone; write 'Europe/Berlin'") from error
        self.guard = Guard(clock)
        self._tls: Encryption | None = None
        key = InstallationKey(self._data / "installation.key")
        tables = (LOG_TABLES, ACCOUNT_TABLES, FACTOR_TABLES, PASSWORD_TABLES, PREFERENCE_TABLES)
        self.engine = open_engine(self._data / "control.db", *tables)
        self.log = AuditLog(self.engine, clock, key.try_sign, key.public)
        accounts = AccountStore(self.engine, self.log, clock)
        factors = FactorStore(self.engine, self.log, clock, self._data / "factors.key")
        passwords, tokens = PasswordStore(self.engine, self.log, clock), TokenStore(self.engine, self.log, clock)
        self.access = Access(
            accounts, passwords, factors, tokens, PreferenceStore(self.engine), self.log, clock, key.try_sign(_DEVICES) or b""
        )

    def invite(self, person: str, name: str, role: Role) -> str:
        """A one-time code, by which somebody takes their account over; the account is made where there is none."""
        if role not in ROLES or not is_short_name(person):
            raise OperatorError(f"{person!r} is no short name, or {role.value!r} has nothing to do here")
        if person not in self.access.members:
            self.access.accounts.take_over([Member(person, name, frozenset({role}))])
        return self.access.people.issue(person, "terminal")

    def app(self, places: Mapping[str, Place]) -> FastAPI:
        """The pages; while they are served the sites in `places` are asked."""
        rounds = self.rounds = Rounds([one.id for one in self.file.sites], lambda site: fetch(places[site]), self._write, self._clock)

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            del app
            rounds.start(self.guard, {one.id: one.every_s for one in self.file.sites})
            if (tls := self._tls) is not None:
                self.guard.thread("certificate", tls.renew, every_s=_LOOK_S)
            yield
            await self.guard.finish()

        house = House(
            self.file.name,
            self.file.language,
            self._zone,
            self.access,
            self.log,
            {one.id: one.name for one in self.file.sites},
            {one.id: one.address for one in self.file.sites},
            lambda: rounds.known,
            self._clock,
        )
        server = self.file.server
        return make_overview(house, hosts_of(server.known_names, server.port), secure=server.secure, lifespan=lifespan)

    def places(self) -> dict[str, Place]:
        """Where each site is asked, and with what. Raises `SettingsError` where a token or an authority is none."""
        return {one.id: place_of(one, self._base) for one in self.file.sites}

    async def serve(self) -> None:
        """Until a signal comes."""
        server = self.file.server
        config = uvicorn.Config(
            self.app(self.places()),
            host=server.host,
            port=server.port,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            http=LimitedHttp,
            ws="none",
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._tls = await asyncio.to_thread(Encryption, self.file.name, server, self._data / "tls", self._clock, self.log)
        self._tls.apply(config)
        await asyncio.to_thread(self.log.write, Event.SYSTEM_STARTED, "system", "", {"sites": len(self.file.sites)})
        try:
            await uvicorn.Server(config).serve()
        except SystemExit as error:
            raise FaultError("the overview could not be started; what stands above says why") from error
        await asyncio.to_thread(self.log.write, Event.SYSTEM_ENDED, "system")

    def close(self) -> None:
        self.guard.end()
        self.engine.dispose()

    def _write(self, event: Event, site: str, facts: Mapping[str, str]) -> None:
        self.log.write(event, "system", site, dict(facts))


@contextmanager
def opened(path: Path, clock: Clock) -> Iterator[Overview]:
    """The overview of that file, used by this process alone. Raises `SettingsError`, `OperatorError`."""
    file = load_overview(path)
    data = path.parent / file.data
    with held(data, f"another process uses {data}"), contextlib.closing(Overview(file, path.parent, clock)) as found:
        yield found


def place_of(site: WatchedSite, base: Path) -> Place:
    """Where a site is asked. Raises `SettingsError`."""
    parts = urlsplit(site.address)
    return Place(
        parts.hostname or "", parts.port or _HTTPS, _token(site, base / site.token_file), trusting(base / site.authority), site.within_s
    )


def _token(site: WatchedSite, path: Path) -> str:
    """A token that others could read is none."""
    try:
        with path.open("rb") as file:
            mode, data = os.fstat(file.fileno()).st_mode, file.read(_MOST_TOKEN + 1)
    except OSError as error:
        raise SettingsError(f"sites.{site.id}.token_file: {path} cannot be read: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"sites.{site.id}.token_file: others may read {path}; chmod 600")
    text = data.decode("ascii", "replace").strip()
    if not text or len(text) > _MOST_TOKEN or not text.isprintable() or " " in text:
        raise SettingsError(f"sites.{site.id}.token_file: {path} holds no token")
    return text
