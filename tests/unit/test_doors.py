"""The doors of the control room: who gets through, and what of another page does not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI
from starlette.middleware import Middleware

from blickschutz.access.model import AccountState, FactorKind, Permission, Role
from blickschutz.access.rules import PERMISSIONS, SECOND_FACTOR
from blickschutz.audit.model import Event
from blickschutz.web.allowed import allow, allow_token
from blickschutz.web.lanes import Lanes
from blickschutz.web.security import HEADERS, RequestCheck, hosts_of
from blickschutz.web.sessions import SESSION
from tests.house import SITE, House

HERE = "http://localhost:8710"
PEOPLE = {role: next(one.id for one in SITE.people if set(one.roles) == {role}) for role in Role}


@dataclass
class Doors:
    """A route for each permission; `ask` goes through its door with somebody's session."""

    house: House
    app: FastAPI

    def session(self, role):
        return self.house.records.office.access.begin(PEOPLE[role])

    def ask(self, path, method="GET", *, session="", **headers):
        async def asked():
            self.app.state.lanes = Lanes()
            transport = httpx.ASGITransport(app=self.app)
            cookies = {SESSION: session} if session else {}
            async with httpx.AsyncClient(transport=transport, base_url=HERE, cookies=cookies) as client:
                return await client.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})

        return asyncio.run(asked())


@pytest.fixture
def doors(tmp_path):
    house = House(tmp_path)
    office = house.records.office
    for role, person in PEOPLE.items():
        office.access.accounts.set_state(person, AccountState.ACTIVE, "system")
        if role in SECOND_FACTOR:
            office.access.factors.add(person, FactorKind.TOTP, "App", bytes(20), 0)
    app = FastAPI(middleware=[Middleware(RequestCheck, hosts=hosts_of(["localhost"], 8710))])
    app.state.room = SimpleNamespace(office=office)
    for permission in Permission:
        app.add_api_route(f"/{permission.value}", lambda: "in", methods=["GET", "POST"], dependencies=[allow(permission)])
    app.add_api_route("/api/health", lambda: "in", dependencies=[allow_token(Permission.HEALTH)])
    yield Doors(house, app)
    house.close()


class TestPermissions:
    @pytest.mark.parametrize("role", Role)
    def test_everybody_gets_through_their_own_doors_and_no_other(self, doors, role):
        session = doors.session(role)
        through = {one for one in Permission if doors.ask(f"/{one.value}", session=session).status_code == 200}
        assert through == {one for one, roles in PERMISSIONS.items() if role in roles}
        refused = {entry.subject for entry in doors.house.events(Event.ACCESS_REFUSED) if entry.by == PEOPLE[role]}
        assert refused == {f"/{one.value}" for one in set(Permission) - through}

    @pytest.mark.parametrize("session", ["", "somebody's guess"])
    def test_who_is_not_signed_in_gets_through_what_is_public_only(self, doors, session):
        codes = {one: doors.ask(f"/{one.value}", session=session).status_code for one in Permission}
        assert {one for one, code in codes.items() if code == 200} == {Permission.PUBLIC}
        assert set(codes.values()) == {200, 401}

    def test_without_the_factor_that_is_needed_only_ones_own_account_is_open(self, doors):
        person = PEOPLE[Role.SUPERVISION]
        doors.house.records.office.access.factors.remove(person, None, "system")
        session = doors.session(Role.SUPERVISION)
        through = {one for one in Permission if doors.ask(f"/{one.value}", session=session).status_code == 200}
        assert through == {Permission.PUBLIC, Permission.OWN}

    def test_a_session_of_somebody_who_was_blocked_opens_nothing(self, doors):
        session = doors.session(Role.CONTROL_ROOM)
        assert doors.ask("/wall", session=session).status_code == 200
        doors.house.records.office.access.people.block(PEOPLE[Role.ADMINISTRATION], PEOPLE[Role.CONTROL_ROOM])
        assert doors.ask("/wall", session=session).status_code == 401

    def test_a_session_opens_no_door_for_programs(self, doors):
        assert doors.ask("/api/health", session=doors.session(Role.CONTROL_ROOM)).status_code == 401


class TestRequests:
    def test_every_answer_has_its_headers_and_is_kept_nowhere(self, doors):
        for path in ("/public", "/wall", "/nothing"):
            headers = doors.ask(path).headers
            assert {name: headers[name] for name in HEADERS} == dict(HEADERS)
            assert headers["cache-control"] == "no-store"

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({"origin": HERE}, 200),
            ({}, 200),
            ({"origin": "http://localhost:8711"}, 403),
            ({"origin": "https://localhost:8710"}, 403),
            ({"origin": "http://evil.example"}, 403),
            ({"origin": "null"}, 403),
            ({"sec_fetch_site": "cross-site"}, 403),
            ({"sec_fetch_site": "same-site"}, 403),
            ({"sec_fetch_site": "same-origin"}, 200),
            ({"host": "evil.example:8710", "origin": "http://evil.example:8710"}, 403),
            ({"host": "localhost"}, 403),
        ],
    )
    def test_a_form_of_another_page_changes_nothing(self, doors, headers, code):
        session = doors.session(Role.CONTROL_ROOM)
        assert doors.ask("/alerts", "POST", session=session, **headers).status_code == code
