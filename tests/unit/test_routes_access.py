"""Who gets in and who does not: the table of routes and roles, signing in, forms that are kept, accounts."""

from __future__ import annotations

import re

import pytest
from scripts.permissions import TARGET, rendered

from blickschutz.access.model import AccountState, FactorKind, Permission, Role
from blickschutz.access.rules import HALF_S, IDLE_S, PERMISSIONS, REMEMBERED_S
from blickschutz.access.service.totp import code_at, new_secret
from blickschutz.audit.model import Event
from blickschutz.web.app import API, table
from tests.desk import PASSWORD, admit, fill

WHO = {
    Role.CONTROL_ROOM: "leitstelle-1",
    Role.REVIEW: "kvd-1",
    Role.SUPERVISION: "aufsicht",
    Role.ADMINISTRATION: "technik",
    Role.DATA_PROTECTION: "dsb",
}
# What ends the session itself comes through other tests.
ENDS = {"/sign-out", "/account/sessions/end"}
OWN_WORDS = "Berg Tal Fluss Meer Wolke"


class TestTable:
    """A row per route and role, allowed and refused."""

    def test_the_table_in_the_documentation_is_the_one_in_force(self):
        assert TARGET.read_text(encoding="utf-8") == rendered(), "run `python -m scripts.permissions`"

    @pytest.mark.parametrize("role", [None, *Role])
    def test_every_page_lets_in_whom_the_table_names_and_nobody_else(self, desk, role):
        rows = [row for row in table(desk.system.app) if not row[1].startswith(API) and row[1] not in ENDS | {"/static/*"}]
        assert len(rows) > 90
        wrong = []
        for method, path, permission in rows:
            got = asked(desk, method, fill(path), WHO[role] if role is not None else "")
            if permission is Permission.PUBLIC:
                fits = got not in {"sign-in", "refused"} or path.startswith("/sign-in")
            elif role is None:
                fits = got == "sign-in" or (method == "WS" and got == "refused")
            else:
                fits = got == ("in" if role in PERMISSIONS[permission] else "refused")
            if not fits:
                wrong.append((method, path, got))
        assert wrong == []

    @pytest.mark.parametrize("role", list(Role))
    def test_every_function_for_programs_asks_token_and_person(self, desk, role):
        token = desk.token(WHO[role])
        for method, path, permission in table(desk.system.app):
            if not path.startswith(API):
                continue
            status = desk.api(method, fill(path).removeprefix(API), token, json={}).status_code
            allowed = permission is Permission.OWN or role in PERMISSIONS[permission]
            assert (status != 403) is allowed, (method, path, status)
            assert status != 401
        assert desk.events(Event.ACCESS_REFUSED)[0].facts["reason"] == "scope"

    @pytest.mark.parametrize("header", ["", "Bearer nothing", "Basic {token}"])
    def test_without_a_token_nothing_is_told(self, desk, header):
        token = desk.token("technik")
        answer = desk.get("/api/v1/me", headers={"Authorization": header.format(token=token)} if header else {})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"

    def test_a_refusal_is_written_down(self, desk):
        before = desk.events(Event.ACCESS_REFUSED)[0].number
        assert desk.get("/log", "leitstelle-1").status_code == 403
        entry = desk.events(Event.ACCESS_REFUSED)[0]
        assert entry.number > before
        assert (entry.by, entry.subject, entry.facts) == ("leitstelle-1", "/log", {"reason": "role"})


def asked(desk, method, path, person):
    """What came of it: in, refused, or sent to sign in."""
    if method == "WS":
        message = desk.socket(path, person)
        return "in" if message["type"] == "websocket.accept" else "refused"
    if path.endswith("/stream"):
        message = desk.stream(path, person)
        status, location = message["status"], dict(message["headers"]).get(b"location", b"").decode()
    else:
        answer = desk.request(method, path, person)
        status, location = answer.status_code, answer.headers.get("location", "")
        assert status < 500 or path.endswith("picture.jpg") or path == "/passphrase", (path, answer.text[-500:])
    if status == 401 or location.startswith("/sign-in?"):
        return "sign-in"
    return "refused" if status == 403 and path not in {"/sign-in", "/sign-in/factor", "/sign-in/key", "/sign-in/key/begin"} else "in"


@pytest.fixture
def known(desk):
    """Somebody with a password that the test knows, and no tries so far."""
    access = desk.office.access

    def known(person, *, factor=False):
        desk.session(person)
        access.passwords.set(person, PASSWORD, "test")
        access.tries.forget(person)
        if not factor:
            return b""
        access.factors.remove(person, None, "test")
        secret = new_secret()
        access.factors.add(person, FactorKind.TOTP, "test", secret, 0)
        return secret

    return known


class TestSignIn:
    def sign_in(self, desk, person, password, **more):
        return desk.post("/sign-in", person=person, password=password, **more)

    def test_the_right_password_opens_a_session_that_no_script_reads(self, desk, known):
        known("leitstelle-1")
        answer = self.sign_in(desk, "leitstelle-1", PASSWORD, back="/plan")
        assert (answer.status_code, answer.headers["location"]) == (303, "/plan")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("session=")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert desk.events(Event.SIGNED_IN)[0].by == "leitstelle-1"

    @pytest.mark.parametrize("person", ["leitstelle-1", "niemand", ""])
    def test_a_wrong_password_says_no_more_than_that(self, desk, known, person):
        known("leitstelle-1")
        desk.clock.sleep(61)
        desk.office.access.turned.look()
        desk.clock.sleep(61)
        answer = self.sign_in(desk, person, "falsch falsch falsch")
        assert answer.status_code == 403
        assert "Name oder Kennwort stimmen nicht." in answer.text
        assert "set-cookie" not in answer.headers
        entry = desk.events(Event.SIGN_IN_REFUSED)[0]
        assert (entry.by, entry.facts) == (person if person == "leitstelle-1" else "?", {"reason": "wrong"})

    def test_after_five_tries_the_next_is_held_and_the_right_password_is_right_all_the_same(self, desk, known):
        known("leitstelle-1")
        desk.clock.sleep(REMEMBERED_S)
        for _ in range(5):
            assert self.sign_in(desk, "leitstelle-1", "falsch").status_code == 403
        assert self.sign_in(desk, "leitstelle-1", PASSWORD).status_code == 303
        assert desk.clock.slept[-6:] == [0.0] * 5 + [1.0]

    def test_who_is_blocked_stays_out(self, desk, known):
        known("kvd-3")
        desk.office.access.accounts.set_state("kvd-3", AccountState.BLOCKED, "test")
        assert self.sign_in(desk, "kvd-3", PASSWORD).status_code == 403
        desk.office.access.accounts.set_state("kvd-3", AccountState.ACTIVE, "test")

    @pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
    def test_it_leads_to_no_other_server(self, desk, known, back):
        known("leitstelle-1")
        assert self.sign_in(desk, "leitstelle-1", PASSWORD, back=back).headers["location"] == "/"

    def test_a_second_factor_is_asked_for_and_counts_once(self, desk, known):
        secret = known("technik", factor=True)
        answer = self.sign_in(desk, "technik", PASSWORD, back="/people")
        assert answer.headers["location"] == "/sign-in/factor"
        assert "session=" not in answer.headers["set-cookie"].split("half=")[0]
        half = {"half": answer.cookies["half"]}
        assert desk.get("/people", cookies=half).headers["location"].startswith("/sign-in")
        wrong = desk.request("POST", "/sign-in/factor", cookies=half, data={"code": "000"})
        assert (wrong.status_code, "Der Code stimmt nicht" in wrong.text) == (403, True)
        step = int(desk.clock.now() // 30)
        late = desk.request("POST", "/sign-in/factor", cookies=half, data={"code": code_at(secret, step - 6)})
        assert "um etwa 3 Minuten." in late.text
        code = {"code": code_at(secret, step)}
        right = desk.request("POST", "/sign-in/factor", cookies=half, data=code)
        assert (right.status_code, right.headers["location"]) == (303, "/people")
        again = {"half": self.sign_in(desk, "technik", PASSWORD).cookies["half"]}
        assert desk.request("POST", "/sign-in/factor", cookies=again, data=code).status_code == 403

    def test_a_half_ends_by_itself(self, desk, known):
        secret = known("technik", factor=True)
        half = {"half": self.sign_in(desk, "technik", PASSWORD).cookies["half"]}
        desk.clock.sleep(HALF_S + 1)
        code = code_at(secret, int(desk.clock.now() // 30))
        assert desk.request("POST", "/sign-in/factor", cookies=half, data={"code": code}).headers["location"] == "/sign-in"

    def test_a_session_rests_for_half_an_hour_and_no_longer(self, desk):
        cookies = {"session": admit(desk.office.access, "dsb")}
        desk.clock.sleep(IDLE_S - 1)
        assert desk.get("/log", cookies=cookies).status_code == 200
        desk.clock.sleep(IDLE_S + 1)
        assert desk.get("/log?by=x", cookies=cookies).headers["location"] == "/sign-in?back=/log%3Fby%3Dx"

    def test_signing_out_ends_the_session(self, desk):
        cookies = {"session": admit(desk.office.access, "dsb")}
        assert desk.request("POST", "/sign-out", cookies=cookies).headers["location"] == "/sign-in"
        assert desk.events(Event.SIGNED_OUT)[0].by == "dsb"
        assert desk.get("/log", cookies=cookies).status_code == 303

    @pytest.mark.parametrize(
        "headers",
        [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}],
    )
    def test_foreign_hosts_and_origins_change_nothing(self, desk, headers):
        before = len(desk.events(Event.CAMERA_STOPPED))
        answer = desk.request("POST", "/stop", "leitstelle-1", headers=headers, data={"reason": "x"})
        assert answer.status_code == 403
        assert len(desk.events(Event.CAMERA_STOPPED)) == before


class TestKept:
    """A session that ends in the middle of a decision loses nothing."""

    def ended(self, desk, person):
        cookies = {"session": admit(desk.office.access, person)}
        desk.clock.sleep(IDLE_S + 1)
        return cookies

    def test_what_was_sent_is_shown_after_signing_in_to_whoever_sent_it(self, desk):
        answer = desk.request("POST", "/cases/1/hold", cookies=self.ended(desk, "aufsicht"), data={"reference": "KL-<1>"})
        assert answer.headers["location"] == "/sign-in?back=/kept"
        kept = {"kept": answer.cookies["kept"]}
        assert desk.get("/kept", "kvd-1", cookies=kept).status_code == 303
        page = desk.get("/kept", "aufsicht", cookies=kept).text
        assert "KL-&lt;1&gt;" in page
        assert 'action="/cases/1/hold"' in page
        desk.request("POST", "/kept/drop", "aufsicht", cookies=kept)
        assert desk.get("/kept", "aufsicht", cookies=kept).status_code == 303

    def test_no_password_is_ever_kept(self, desk):
        answer = desk.request("POST", "/account/password", data={"old": "geheim", "new": "x", "again": "x"})
        assert answer.status_code == 303
        assert "kept" not in answer.cookies

    def test_a_script_hears_that_the_session_is_over(self, desk):
        answer = desk.request("POST", "/alerts/1/acknowledge", headers={"sec-fetch-mode": "cors"})
        assert (answer.status_code, answer.text) == (401, "")


class TestPeople:
    def propose(self, desk, person="neu-1", roles="sichtung", by="technik", **more):
        return desk.request("POST", "/people", by, data={"person": person, "name": "Nele Neu", "roles": roles, **more})

    def change(self, desk, person):
        return next(one for one in desk.office.access.accounts.changes() if one.person == person)

    def test_an_account_takes_two_people_and_a_code_in_two_halves(self, desk):
        first = self.propose(desk)
        assert first.status_code == 200
        assert "neu-1" not in desk.office.access.members
        number = self.change(desk, "neu-1").id
        assert desk.post(f"/changes/{number}/confirm", "technik").status_code == 403
        second = desk.post(f"/changes/{number}/confirm", "dsb")
        assert second.status_code == 200
        code = half_of(first) + half_of(second)
        made = {"person": "neu-1", "new": OWN_WORDS, "again": OWN_WORDS}
        assert desk.request("POST", "/welcome", data={**made, "code": half_of(first) * 2}).status_code == 422
        done = desk.request("POST", "/welcome", data={**made, "code": code})
        assert (done.status_code, done.headers["location"]) == (303, "/")
        # The role takes a second factor: nothing else goes before that.
        session = {"session": done.cookies["session"]}
        assert desk.get("/cases", cookies=session).headers["location"] == "/account?todo=factor"
        assert desk.request("POST", "/welcome", data={**made, "code": code}).status_code == 422

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"roles": ["sichtung", "administration"]}, "Diese Rollen darf nicht dieselbe Person haben"),
            ({"roles": []}, "Bitte wählen Sie mindestens eine Rolle."),
            ({"person": "Groß!"}, "Ein Kurzname besteht aus Kleinbuchstaben"),
            ({"person": "dsb"}, "Diesen Kurznamen gibt es schon."),
            ({"trained_until": "morgen"}, "Bitte geben Sie das Datum als Jahr-Monat-Tag an."),
        ],
    )
    def test_what_cannot_be_is_refused_in_words_and_not_lost(self, desk, fields, words):
        answer = self.propose(desk, **{"person": "neu-2", **fields})
        assert answer.status_code == 422
        assert words in answer.text
        assert "Nele Neu" in answer.text

    def test_who_is_blocked_is_out_at_once(self, desk):
        session = {"session": desk.session("kvd-2")}
        assert desk.get("/plan", cookies=session).status_code == 200
        assert desk.post("/people/kvd-2/block", "technik").status_code == 303
        assert desk.get("/plan", cookies=session).headers["location"].startswith("/sign-in")
        assert desk.events(Event.ACCOUNT_BLOCKED)[0].by == "technik"

    def test_the_last_administrator_stays(self, desk):
        answer = desk.post("/people/technik/block", "technik")
        assert answer.status_code == 422
        assert desk.office.access.members["technik"].state is AccountState.ACTIVE

    def test_less_rights_hold_at_once_more_take_a_second_person(self, desk):
        desk.session("leitstelle-1")
        answer = desk.request("POST", "/people/leitstelle-1/rights", "technik", data={"roles": ["leitstelle", "sichtung"]})
        assert answer.status_code == 303
        assert desk.office.access.members["leitstelle-1"].roles == {Role.CONTROL_ROOM}
        number = self.change(desk, "leitstelle-1").id
        assert desk.post(f"/changes/{number}/withdraw", "dsb").status_code == 303
        assert desk.post(f"/changes/{number}/confirm", "dsb").status_code == 409


def half_of(answer):
    found = re.search(r'class="[^"]*secret[^"]*">([A-Z0-9]{12})<', answer.text)
    assert found is not None, answer.text[-3000:]
    return found[1]
