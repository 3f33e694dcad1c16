"""Signing in, rights, kept decisions, tokens: on the running system and in a real browser."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import time
from datetime import timedelta

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from blickschutz.access.model import FactorKind, Role
from blickschutz.access.rules import PERMISSIONS
from blickschutz.access.service.totp import code_at
from blickschutz.alerts.model import AlertState
from blickschutz.audit.model import Event
from blickschutz.control.model import SituationSeen
from blickschutz.demo.site import seed
from blickschutz.kernel.geometry import Box
from blickschutz.regime.model import RegimeName
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.web.app import API, table
from tests.conftest import LONG
from tests.live.system import RunningSystem, admit, client, guest_site, signed_in, until

pytestmark = [pytest.mark.peers, pytest.mark.timeout(240)]
WHO = {
    Role.CONTROL_ROOM: "leitstelle-1",
    Role.REVIEW: "kvd-1",
    Role.SUPERVISION: "aufsicht",
    Role.ADMINISTRATION: "technik",
    Role.DATA_PROTECTION: "dsb",
}


def sign_out(page):
    """By the menu under one's own name."""
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Abmelden").click()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A site with one camera in which everybody can sign in; (system, how)."""
    base = tmp_path_factory.mktemp("people")
    running = RunningSystem(guest_site(base, 1), base)
    how = {one.person: one for one in seed(running.system.records)}
    regime = running.system.control.regime
    regime.set_override(RegimeName.DAY, regime.now() + timedelta(hours=1), "test", "test")
    yield running.system, how
    running.end()


@pytest.fixture
def requests_of(place):
    """Makes clients; all are closed in the end."""
    system, _ = place
    made = []

    def make(person="leitstelle-1"):
        made.append(client(system, person))
        made[-1].base_url = system.address
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def alert(place):
    """An open alert; its number."""
    system, _ = place
    number = len(system.control.alerting.desk.store.find(most=1000)) + 1
    figures = {"height_share": 0.4, "seconds": 0.6, "lying": 0.3}
    situation = Situation(number, Kind.PERSON_DOWN, "all", time.monotonic(), time.time(), 0.8, figures, Box(0.1, 0.1, 0.4, 0.9))
    system.control.routing.seen(SituationSeen("vorplatz-nord", f"people-{number}", situation))
    return until(lambda: system.control.alerting.desk.open_alerts())[0].id


def fill(path):
    return path.replace("{camera}", "vorplatz-nord").replace("{number}", "999").replace("{person}", "x").replace("{name}", "x")


class TestTable:
    """Every other row of the table is asked in `tests/unit/test_routes_access.py`."""

    def test_live_pictures_are_for_the_control_room(self, place):
        from websockets.exceptions import InvalidStatus
        from websockets.sync.client import connect

        system, _ = place
        address = f"{system.address.replace('http', 'ws')}cameras/vorplatz-nord/live"
        for person, fits in (("leitstelle-1", True), ("technik", False), ("dsb", False), ("kvd-1", False)):
            headers = {"Cookie": f"session={admit(system, person)}"}
            if fits:
                with connect(address, additional_headers=headers, proxy=None) as socket:
                    assert json.loads(next(part for part in socket if isinstance(part, str)))["kind"] in {"state", "head"}
            else:
                with pytest.raises(InvalidStatus, match="403"):
                    connect(address, additional_headers=headers, proxy=None)


def token_of(system, person, role):
    from blickschutz.access.rules import PERSONAL, permitted

    access = system.records.office.access
    member = access.members[person]
    access.passwords.set(person, "vier Wörter ganz ohne Sinn", "test")
    access.tries.forget(person)
    made = access.own.new_token(member, f"test {role.value}", permitted(member) - PERSONAL, 5, "vier Wörter ganz ohne Sinn")
    return made[0]


class TestSignIn:
    def test_by_password_and_code_in_the_browser(self, place, browser):
        system, how = place
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{system.address}people")
        page.get_by_label("Kurzname").fill("technik")
        page.get_by_label("Kennwort").fill("falsch falsch falsch")
        page.get_by_role("button", name="Anmelden").click()
        page.get_by_text("Name oder Kennwort stimmen nicht.").wait_for()
        page.get_by_label("Kennwort").fill(how["technik"].password)
        system.records.office.access.passwords.set("technik", how["technik"].password, "test")
        page.get_by_role("button", name="Anmelden").click()
        page.get_by_label("Sechsstelliger Code").fill("123")
        page.get_by_role("button", name="Anmelden").first.click()
        page.get_by_text("Der Code stimmt nicht").wait_for()
        page.get_by_label("Sechsstelliger Code").fill(code_at(how["technik"].totp, int(time.time() // 30) - 6))
        page.get_by_role("button", name="Anmelden").first.click()
        page.get_by_text("um etwa 3 Minuten.").wait_for()
        page.get_by_label("Sechsstelliger Code").fill(code_at(how["technik"].totp, int(time.time() // 30)))
        page.get_by_role("button", name="Anmelden").first.click()
        page.wait_for_url("**/people")
        (cookie,) = [one for one in context.cookies() if one["name"] == "session"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        sign_out(page)
        page.goto(f"{system.address}people")
        page.wait_for_url("**/sign-in?back=/people")
        context.close()

    def test_a_security_key_is_registered_and_signs_in(self, place, browser):
        """The browser's own virtual authenticator; a key is bound to a name, so the page is opened by it."""
        system, how = place
        address = system.address.replace("127.0.0.1", "localhost")
        context = browser.new_context()
        context.add_cookies([{"name": "session", "value": admit(system, "kvd-2"), "url": address}])
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": False, "hasUserVerification": False}
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "automaticPresenceSimulation": True}})
        page.goto(f"{address}account")
        page.get_by_label("Name, zum Beispiel die Farbe").fill("blau")
        page.locator("#key-password").fill("falsch")
        page.get_by_role("button", name="Schlüssel eintragen").click()
        page.get_by_text("Das Kennwort stimmt nicht.").wait_for()
        page.locator("#key-password").fill(how["kvd-2"].password)
        page.get_by_role("button", name="Schlüssel eintragen").click()
        page.get_by_text("Der Sicherheitsschlüssel ist eingetragen.").wait_for()
        sign_out(page)
        page.get_by_label("Kurzname").fill("kvd-2")
        page.get_by_label("Kennwort").fill(how["kvd-2"].password)
        page.get_by_role("button", name="Anmelden").click()
        # The page's script asks the key; it is there when the page is loaded.
        page.wait_for_load_state()
        page.get_by_role("button", name="Mit Sicherheitsschlüssel anmelden").click()
        page.wait_for_url("**/cases")
        kinds = {factor.kind: factor for factor in system.records.office.access.factors.of("kvd-2")}
        assert kinds[FactorKind.KEY].last > 0
        sign_out(page)
        page.goto(f"{system.address}sign-in")
        page.get_by_label("Kurzname").fill("kvd-2")
        page.get_by_label("Kennwort").fill(how["kvd-2"].password)
        page.get_by_role("button", name="Anmelden").click()
        # The page's script asks the key; it is there when the page is loaded.
        page.wait_for_load_state()
        page.get_by_role("button", name="Mit Sicherheitsschlüssel anmelden").click()
        page.get_by_text("gelten nur unter der Adresse http://localhost").wait_for()
        context.close()

    @pytest.mark.parametrize(
        "answer", ["", "{}", "[]", "x", '{"id": 5}', "[" * 9000, '{"id":"AA","rawId":"AA","type":"public-key","response":{}}']
    )
    def test_a_hostile_answer_of_a_key_is_refused(self, place, requests_of, answer):
        requests = requests_of("kvd-2")
        assert requests.post("/account/key", data={"name": "x", "answer": answer}).status_code == 422
        assert requests.post("/sign-in/key", data={"answer": answer}).status_code in {303, 403, 422}

    def test_at_full_speed_few_passwords_are_looked_at(self, place):
        system, _ = place
        start, statuses = time.monotonic(), []
        with httpx.Client(base_url=system.address) as requests:
            while time.monotonic() - start < 3:
                statuses.append(requests.post("/sign-in", data={"person": "kvd-3", "password": "falsch"}).status_code)
        assert set(statuses) <= {403, 429}
        assert statuses.count(403) <= 10


class TestKept:
    """A session that ends in the middle of a decision loses nothing."""

    def test_a_decision_is_finished_after_signing_in_again(self, place, browser, alert):
        system, how = place
        context = signed_in(browser.new_context(), system)
        page = context.new_page()
        page.goto(f"{system.address}alerts/{alert}")
        page.get_by_label("Fehlalarm").check()
        page.get_by_label("Notiz").fill("nur ein <b>Schatten</b>")
        system.records.office.access.sessions.end_all("leitstelle-1")
        page.get_by_role("button", name="Meldung abschließen").click()
        page.get_by_text("Ihre Eingabe ist aufgehoben").wait_for()
        assert system.control.alerting.desk.store.get(alert).state is not AlertState.CLOSED
        page.get_by_label("Kurzname").fill("leitstelle-1")
        page.get_by_label("Kennwort").fill(how["leitstelle-1"].password)
        system.records.office.access.passwords.set("leitstelle-1", how["leitstelle-1"].password, "test")
        page.get_by_role("button", name="Anmelden").click()
        page.get_by_text("nur ein <b>Schatten</b>").wait_for()
        page.get_by_role("button", name="Jetzt ausführen: Meldung abschließen").click()
        page.wait_for_url("**/alerts")
        found = system.control.alerting.desk.store.get(alert)
        assert (found.state, found.note) == (AlertState.CLOSED, "nur ein <b>Schatten</b>")
        context.close()

    def test_it_is_shown_to_nobody_else_and_may_be_dropped(self, place, requests_of):
        system, _ = place
        requests = requests_of()
        kept = httpx.post(f"{system.address}stop", data={"reason": "Probe"})
        assert kept.headers["location"] == "/sign-in?back=/kept"
        cookie = {"kept": kept.cookies["kept"]}
        requests.cookies.update(cookie)
        assert "Probe" in requests.get("/kept").text
        with client(system, "dsb") as other:
            # Nobody knows whose it was: it is shown, and would be done in the name of whoever does it.
            other.cookies.update(cookie)
            assert "Probe" in other.get(f"{system.address}kept").text
        requests.post("/kept/drop")
        requests.cookies.update(cookie)
        assert requests.get("/kept").status_code == 303

    def test_a_form_of_an_ended_session_is_only_for_its_person(self, place):
        system, _ = place
        access = system.records.office.access
        token = admit(system, "aufsicht")
        session, key = access.sessions._sessions, hashlib.sha256(token.encode()).hexdigest()
        session[key] = dataclasses.replace(session[key], seen=session[key].seen - 3600)
        answer = httpx.post(f"{system.address}cases/1/hold", data={"reference": "KL-1"}, headers={"Cookie": f"session={token}"})
        cookie = {"kept": answer.cookies["kept"]}
        with client(system, "kvd-1") as other:
            other.cookies.update(cookie)
            assert other.get(f"{system.address}kept").status_code == 303
        with client(system, "aufsicht") as own:
            own.cookies.update(cookie)
            assert "KL-1" in own.get(f"{system.address}kept").text

    def test_no_password_is_ever_kept(self, place):
        system, _ = place
        answer = httpx.post(f"{system.address}account/password", data={"old": "geheim", "new": "x", "again": "x"})
        assert answer.status_code == 303
        assert "kept" not in answer.cookies

    def test_two_tabs_that_decide_at_once_are_told_who_was_faster(self, place, browser, alert):
        system, _ = place
        context = signed_in(browser.new_context(), system)
        first, second = context.new_page(), context.new_page()
        for page in (first, second):
            page.goto(f"{system.address}alerts/{alert}")
        first.get_by_label("Fehlalarm").check()
        first.get_by_role("button", name="Meldung abschließen").click()
        first.wait_for_url("**/alerts")
        second.get_by_label("bestätigt").check()
        second.get_by_role("button", name="Meldung abschließen").click()
        second.get_by_text("Jemand anders war schneller").wait_for()
        assert system.control.alerting.desk.store.get(alert).outcome.value == "false-alarm"
        context.close()


class TestRights:
    def test_a_role_that_is_taken_ends_the_live_picture_and_the_next_decision_is_kept(self, place, browser, alert):
        system, how = place
        access = system.records.office.access
        context = signed_in(browser.new_context(), system)
        page = context.new_page()
        page.goto(f"{system.address}wall")
        page.locator("wall-tile[state=live]").wait_for(timeout=40_000)
        member = access.members["leitstelle-1"]
        access.people.change("technik", "leitstelle-1", frozenset({Role.REVIEW}), None)
        (change,) = access.accounts.changes()
        access.people.confirm(access.members["dsb"], change.id)
        try:
            page.wait_for_url("**/sign-in?back=/wall", timeout=40_000)
        finally:
            access.accounts.set_rights("leitstelle-1", member.roles, None, ["test"])
        assert any(
            entry.facts.get("people") == ["technik", "dsb"] for entry, _ in system.records.office.log.find(event=Event.RIGHTS_CHANGED)
        )
        assert how
        context.close()

    def test_an_account_is_made_by_two_and_taken_over(self, place, browser):
        system, _ = place
        admin, officer, new = (browser.new_context() for _ in range(3))
        first, second, third = signed_in(admin, system, "technik").new_page(), signed_in(officer, system, "dsb").new_page(), new.new_page()
        first.goto(f"{system.address}people")
        first.get_by_text("Neues Konto vorschlagen").click()
        first.get_by_label("Kurzname").fill("neu-1")
        first.get_by_label("Name", exact=True).fill("Nele Neu")
        first.locator("input[value=sichtung]").check()
        first.locator("input[value=administration]").check()
        first.get_by_role("button", name="Konto vorschlagen").click()
        first.get_by_text("Diese Rollen darf nicht dieselbe Person haben").wait_for()
        first.locator("input[value=administration]").uncheck()
        first.get_by_role("button", name="Konto vorschlagen").click()
        half = first.locator(".secret").inner_text()
        second.goto(f"{system.address}people")
        second.get_by_role("button", name="Als zweite Person bestätigen").click()
        other = second.locator(".secret").inner_text()
        third.goto(f"{system.address}welcome")
        third.get_by_label("Kurzname").fill("neu-1")
        third.get_by_label("Einmalcode").fill(f"{half} {other}")
        third.get_by_label("Neues Kennwort, mindestens").fill("sieben blaue Ziegel im Regal")
        third.get_by_label("Neues Kennwort noch einmal").fill("sieben blaue Ziegel im Regal")
        third.get_by_role("button", name="Konto übernehmen").click()
        third.get_by_text("Ihre Rolle verlangt einen zweiten Faktor. Bitte richten Sie ihn jetzt ein").wait_for()
        third.goto(f"{system.address}cases")
        third.wait_for_url("**/account?todo=factor")
        shared = base64.b32decode(third.locator(".secret").inner_text().replace(" ", ""))
        third.get_by_label("Code, den die App jetzt zeigt").fill(code_at(shared, int(time.time() // 30)))
        third.get_by_role("button", name="App einrichten").click()
        third.goto(f"{system.address}cases")
        assert third.get_by_role("heading", name="Vorgänge").count()
        first.goto(f"{system.address}people/neu-1")
        first.get_by_text("Konto sperren …").click()
        first.get_by_role("button", name="Konto sperren: Nele Neu").click()
        third.goto(f"{system.address}cases")
        third.wait_for_url("**/sign-in?back=/cases")
        for context in (admin, officer, new):
            context.close()


class TestForms:
    HOSTILE = (
        "",
        " ",
        "-1",
        "x" * 100_000,
        "NaN",
        "'; DROP TABLE log; --",
        "<script>alert(1)</script>",
        "../../etc",
        "💥" * 100,
        "\u202e\u0000",
    )
    CONTENTS = (
        (b"x", "multipart/form-data"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
    )

    def test_no_form_fails_on_missing_huge_or_hostile_input(self, place, requests_of, monkeypatch):
        """Every form of every role with every field in turn: an answer in words, never a fault."""
        system, _ = place

        async def at_once(_seconds):
            pass

        monkeypatch.setattr(system.records.office.access.doors, "sleep", at_once)
        fields = ("text", "reason", "outcome", "person", "name", "roles", "trained_until", "hours", "ground", "reference", "until", "code")
        fields += ("password", "old", "new", "again", "scopes", "days", "answer", "language", "theme", "back")
        fields += ("received", "contact", "rights", "cameras", "starts", "ends", "cases", "case", "settlement")
        doers = {role: requests_of(person) for role, person in WHO.items()}
        skipped = {"/sign-out", "/passphrase", "/kept/drop"}
        for method, path, permission in table(system.app):
            if method != "POST" or path.startswith(API) or path in skipped:
                continue
            role = next((one for one in WHO if one in PERMISSIONS[permission]), Role.CONTROL_ROOM)
            for value in self.HOSTILE if LONG else self.HOSTILE[3::3]:
                answer = doers[role].post(fill(path), data=dict.fromkeys(fields, value))
                assert answer.status_code < 500, (path, value[:20], answer.text[:200])
                assert "<script>alert(1)" not in answer.text
                assert "Traceback" not in answer.text
            for content, kind in self.CONTENTS if LONG else self.CONTENTS[:1]:
                assert doers[role].post(fill(path), content=content, headers={"Content-Type": kind}).status_code < 500, path
        for role, person in WHO.items():
            system.records.office.access.tries.forget(person)
            assert role

    def test_a_request_shows_what_was_typed_as_text(self, place, requests_of):
        system, _ = place
        requests = requests_of("aufsicht")
        day = system.records.orders.today().isoformat()
        typed = {"name": "<script>alert(1)</script>", "contact": "<b>Weg</b>", "text": "</dd><script>", "rights": "art-15"}
        answer = requests.post("/requests", data={"received": day, **typed}, follow_redirects=True)
        assert answer.status_code == 200
        assert "&lt;script&gt;alert(1)" in answer.text
        assert "<b>Weg" not in answer.text
        assert requests.post("/requests", data={"received": "2100-01-01", **typed}).status_code == 422
        assert requests.post("/requests", data={"received": day, **typed, "starts": "gestern"}).status_code == 422
        assert requests.post("/requests", data={"received": day, **typed, "cameras": "keine"}).status_code == 422
        assert requests.get("/requests/999999").status_code == 404
        assert requests.get("/requests/1/extension.pdf").status_code == 404

    def test_queries_take_anything(self, place, requests_of):
        system, _ = place
        # Before its cell has one, there is none, and that is said with 503.
        watching = requests_of(WHO[Role.CONTROL_ROOM])
        until(lambda: watching.get(fill("/cameras/{camera}/picture.jpg")).status_code == 200, 90)
        asked = set()
        for role, person in WHO.items():
            requests = requests_of(person)
            for method, path, permission in table(system.app):
                if method != "GET" or path.startswith(API) or role not in PERMISSIONS[permission] or path.endswith("/stream"):
                    continue
                if path in asked and not LONG:
                    continue
                asked.add(path)
                for value in ("-1", "99999999999999999999", "x", "%00", "1e9")[:: 1 if LONG else 2]:
                    answer = requests.get(
                        fill(path), params=dict.fromkeys(("page", "before", "date", "kind", "state", "event", "back"), value)
                    )
                    assert answer.status_code < 500, (path, value)


class TestPrograms:
    def test_the_description_is_followed_and_nothing_fails(self, place):
        """Schemathesis makes requests from the description, good and bad, and holds every answer against it."""
        system, _ = place
        # Who may do most; which role may do what is `TestTable`'s.
        for role, person in WHO.items() if LONG else [(Role.SUPERVISION, WHO[Role.SUPERVISION])]:
            token = token_of(system, person, role)
            headers = {"Authorization": f"Bearer {token}"}
            described = httpx.get(f"{system.address}api/v1/openapi.json", headers=headers).json()
            schema = schemathesis.openapi.from_dict(described)
            schema.config.update(base_url=f"{system.address}api/v1")
            for result in schema.get_all_operations():
                fuzz(result.ok(), headers)


def fuzz(operation, headers):
    """A few requests to one function, from its description and against it; always the same ones."""

    @settings(
        max_examples=4, deadline=None, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy())
    def check(case):
        answer = case.call(headers=headers)
        assert answer.status_code < 500 or answer.status_code == 503, (case.method, case.path, answer.text[:300])
        case.validate_response(answer)

    check()
