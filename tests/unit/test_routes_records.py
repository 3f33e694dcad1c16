"""Cases, requests, the stop control and the regime, asked as people ask them; and what the pages say when nothing can be stored."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest

from blickschutz.access.model import AccountState, Role
from blickschutz.audit.model import Event
from blickschutz.kernel.errors import StoreDamagedError, StoreFullError
from blickschutz.regime.model import RegimeName
from blickschutz.review.model import Case, CaseState
from blickschutz.rights.model import DutySource, Outcome, RequestState, Right
from blickschutz.web.lanes import SIZES, CrowdedError, Lane
from tests.desk import CAMERA, admit
from tests.fakes.holder import write_lock

pytestmark = pytest.mark.both_databases


@pytest.fixture
def locked(desk):
    """Another process holds the right to write meanwhile. Everybody signed in before, whichever test comes first."""
    for person in ("aufsicht", "kvd-1", "leitstelle-1", "technik", "dsb"):
        desk.session(person)

    def lock():
        state = desk.folder / "state"
        return write_lock(state / "control.db", state / "alerts.db")

    return lock


@pytest.fixture
def case(desk):
    """A case that waits for review; its number. Its clip is another one each time."""
    cases = desk.office.cases
    clip = f"{len(cases.store.find(most=1000)) + 1:032x}"
    new = cases.store.add(Case(0, clip, CAMERA, "sealed", "person_down", desk.clock.now(), CaseState.RECORDING))
    assert cases.store.close(replace(new, state=CaseState.WAITING, seconds=30.0, size=1000))
    return new.id


def become(desk, monkeypatch, person, **other):
    """Somebody's account is another one from now on."""
    accounts = desk.office.access.accounts
    changed = {**accounts.members(), person: replace(accounts.members()[person], **other)}
    monkeypatch.setattr(accounts, "members", lambda: changed)


class TestCases:
    HOLD: ClassVar = {"ground": "straftat", "reference": "Az <7>", "until": "2099-01-01"}

    def test_who_looks_at_a_case_is_written_down_first(self, desk, case):
        assert desk.get(f"/cases/{case}", "kvd-1").status_code == 200
        entry = desk.events(Event.CASE_SEEN)[0]
        assert (entry.by, entry.facts) == ("kvd-1", {"case": case})
        assert desk.get("/cases/999999", "kvd-1").status_code == 404

    def test_what_cannot_be_written_down_is_not_shown(self, desk, case, locked):
        with locked():
            answer = desk.get(f"/cases/{case}", "kvd-1")
            assert answer.status_code == 503
            assert "person_down" not in answer.text
            # The queue shows no single case and asks for no entry.
            assert desk.get("/cases", "kvd-1").status_code == 200

    def test_a_hold_takes_two_people(self, desk, case):
        store = desk.office.cases.store
        assert desk.post(f"/cases/{case}/hold", "kvd-1", **self.HOLD).status_code == 303
        assert store.get(case).state is CaseState.WAITING
        own = desk.post(f"/cases/{case}/hold/confirm", "kvd-1", version=store.get(case).version)
        assert (own.status_code, "Das muss eine zweite Person bestätigen" in own.text) == (409, True)
        assert desk.post(f"/cases/{case}/hold/confirm", "kvd-2", version=store.get(case).version).status_code == 303
        assert store.get(case).state is CaseState.HELD
        assert store.get(case).hold.by == ("kvd-1", "kvd-2")
        # So does its end, which destroys.
        assert desk.post(f"/cases/{case}/hold/end", "aufsicht").status_code == 303
        assert desk.post(f"/cases/{case}/hold/confirm", "aufsicht", version=store.get(case).version).status_code == 409
        assert store.get(case).state is CaseState.HELD
        assert desk.post(f"/cases/{case}/hold/confirm", "kvd-2", version=store.get(case).version).status_code == 303
        assert store.get(case).state is CaseState.DESTROYING

    def test_whoever_confirms_confirms_what_they_saw(self, desk, case):
        """A longer hold was on the page; meanwhile somebody proposed its end, which destroys."""
        store = desk.office.cases.store
        desk.post(f"/cases/{case}/hold", "kvd-1", **self.HOLD)
        desk.post(f"/cases/{case}/hold/confirm", "kvd-2", version=store.get(case).version)
        desk.post(f"/cases/{case}/hold", "kvd-1", **self.HOLD)
        (seen,) = re.findall(r'hold/confirm"><input type="hidden" name="version" value="(\d+)"', desk.get(f"/cases/{case}", "kvd-2").text)
        assert desk.post(f"/cases/{case}/hold/end", "aufsicht").status_code == 303
        for given in ({"version": seen}, {}):
            old = desk.post(f"/cases/{case}/hold/confirm", "kvd-2", **given)
            assert (old.status_code, "Der Stand hat sich geändert" in old.text) == (409, True)
        assert store.get(case).state is CaseState.HELD

    def test_the_voice_of_who_was_blocked_counts_no_more(self, desk, case, monkeypatch):
        store = desk.office.cases.store
        desk.post(f"/cases/{case}/hold", "kvd-1", **self.HOLD)
        become(desk, monkeypatch, "kvd-1", state=AccountState.BLOCKED)
        answer = desk.post(f"/cases/{case}/hold/confirm", "kvd-2", version=store.get(case).version)
        assert (answer.status_code, "darf es nicht mehr" in answer.text) == (409, True)
        assert store.get(case).state is CaseState.WAITING

    @pytest.mark.parametrize("wrong", [{"ground": "neugier"}, {"reference": " "}, {"until": "2001-01-01"}, {"until": "bald"}])
    def test_a_hold_without_ground_reference_or_end_is_refused(self, desk, case, wrong):
        answer = desk.post(f"/cases/{case}/hold", "kvd-1", **{**self.HOLD, **wrong})
        assert answer.status_code == 422
        assert desk.office.cases.store.get(case).proposal is None

    def test_without_a_key_there_is_no_way_into_the_room(self, desk, case):
        answer = desk.post(f"/cases/{case}/enter", "kvd-1")
        assert (answer.status_code, "Sie haben noch kein Sichtungskennwort festgelegt" in answer.text) == (403, True)
        assert desk.events(Event.ACCESS_REFUSED)[0].facts == {"reason": "no-key"}


class TestRequests:
    FORM: ClassVar = {"name": "Erika <b>", "contact": "Weg 1", "rights": Right.ACCESS.value, "text": "Bin ich zu sehen?"}

    def record(self, desk, by="aufsicht", **more):
        given = {"received": desk.records.orders.today().isoformat(), **self.FORM, **more}
        return desk.post("/requests", by, **given)

    def test_an_answer_takes_two_people(self, desk):
        made = self.record(desk)
        assert made.status_code == 303
        path = made.headers["location"]
        assert "Erika &lt;b&gt;" in desk.get(path, "dsb").text
        store, number = desk.office.rights.store, int(path.rsplit("/", 1)[1])
        answer = {"outcome": Outcome.NOTHING_FOUND.value, "text": ""}
        assert desk.post(f"{path}/answer", "aufsicht", **answer).status_code == 303
        own = desk.post(f"{path}/confirm", "aufsicht", version=store.get(number).version)
        assert own.status_code == 409
        assert store.get(number).state is RequestState.PREPARED
        assert desk.post(f"{path}/confirm", "dsb", version=store.get(number).version).status_code == 303
        assert store.get(number).answer.by == ("aufsicht", "dsb")
        assert desk.get(f"{path}/answer.pdf", "dsb").content.startswith(b"%PDF")
        assert desk.get(f"{path}/extension.pdf", "dsb").status_code == 404

    def test_whoever_confirms_an_answer_confirms_what_they_saw(self, desk, monkeypatch):
        path = self.record(desk).headers["location"]
        store, number = desk.office.rights.store, int(path.rsplit("/", 1)[1])
        desk.post(f"{path}/answer", "aufsicht", outcome=Outcome.NOTHING_FOUND.value, text="")
        (seen,) = re.findall(r'confirm"><input type="hidden" name="version" value="(\d+)"', desk.get(path, "dsb").text)
        desk.post(f"{path}/return", "aufsicht")
        desk.post(f"{path}/answer", "aufsicht", outcome=Outcome.NOTHING_FOUND.value, text="anders")
        for given in ({"version": seen}, {}):
            assert desk.post(f"{path}/confirm", "dsb", **given).status_code == 409
        assert store.get(number).state is RequestState.PREPARED
        become(desk, monkeypatch, "aufsicht", roles=frozenset())
        refused = desk.post(f"{path}/confirm", "dsb", version=store.get(number).version)
        assert (refused.status_code, "darf es nicht mehr" in refused.text) == (409, True)
        assert store.get(number).state is RequestState.PREPARED

    def test_a_duty_has_its_letter_in_both_languages(self, desk):
        desk.office.rights.assigned(7, "c" * 32, DutySource.HAND, "kvd-1")
        number = desk.office.rights.store.duties(settled=False)[-1].id
        assert "/duties/" in desk.get("/requests", "dsb").text
        for language in ("de", "en"):
            answer = desk.get(f"/duties/{number}/letter.pdf?language={language}", "dsb")
            assert answer.content.startswith(b"%PDF")
            assert f"information-7-{language}.pdf" in answer.headers["content-disposition"]
        assert desk.get("/duties/999/letter.pdf", "dsb").status_code == 404
        assert desk.get(f"/duties/{number}/letter.pdf?language=xx", "dsb").status_code == 422
        assert desk.get(f"/duties/{number}/letter.pdf", "kvd-1").status_code == 403

    @pytest.mark.parametrize(
        "wrong",
        [{"received": "2100-01-01"}, {"received": "heute"}, {"starts": "gestern"}, {"cameras": "keine"}, {"name": " "}, {"rights": "x"}],
    )
    def test_what_is_wrong_is_said_and_what_was_typed_stays(self, desk, wrong):
        before = len(desk.office.rights.store.open())
        answer = self.record(desk, **wrong)
        assert answer.status_code == 422
        assert "Bin ich zu sehen?" in answer.text
        assert len(desk.office.rights.store.open()) == before

    def test_a_refusal_needs_its_reason(self, desk):
        path = self.record(desk).headers["location"]
        answer = desk.post(f"{path}/answer", "aufsicht", outcome=Outcome.REFUSED.value, text=" ")
        assert (answer.status_code, "Bitte nennen Sie den Grund." in answer.text) == (422, True)

    def test_what_was_typed_is_there_when_it_cannot_be_stored(self, desk, locked):
        with locked():
            answer = self.record(desk)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) == 2
        assert 'action="/requests"' in answer.text
        for name, value in (("name", "Erika &lt;b&gt;"), ("text", "Bin ich zu sehen?")):
            assert f'<input type="hidden" name="{name}" value="{value}">' in answer.text
        assert "Noch einmal versuchen: Anfrage bearbeiten" in answer.text


class TestStopControl:
    @pytest.fixture(autouse=True)
    def running(self, desk):
        yield
        desk.work()
        desk.post("/resume", "aufsicht", reason="vorbei")
        assert not any(self.stopped(desk).values())

    def stopped(self, desk):
        return {name: keeper.stopped for name, keeper in desk.system.supervisor.keepers.items()}

    @pytest.mark.parametrize("person", ["leitstelle-1", "kvd-1", "aufsicht", "technik", "dsb"])
    def test_everybody_stops_with_a_reason(self, desk, person):
        assert desk.post(f"/cameras/{CAMERA}/stop", person, reason=" ").status_code == 422
        assert not any(self.stopped(desk).values())
        assert desk.post(f"/cameras/{CAMERA}/stop", person, reason="Versammlung").status_code == 303
        assert [name for name, on in self.stopped(desk).items() if on] == [CAMERA]
        entry = desk.events(Event.CAMERA_STOPPED)[0]
        assert (entry.by, entry.subject, entry.facts) == (person, CAMERA, {"reason": "Versammlung"})

    @pytest.mark.parametrize("person", ["kvd-1", "technik", "dsb"])
    def test_not_everybody_lets_it_go_on(self, desk, person):
        desk.post("/stop", "leitstelle-1", reason="Versammlung")
        assert desk.post("/resume", person, reason="vorbei").status_code == 403
        assert all(self.stopped(desk).values())

    def test_it_stops_while_the_log_takes_no_entry_and_the_entry_follows(self, desk, locked):
        before = len(desk.events(Event.CAMERA_STOPPED))
        with locked():
            assert desk.post("/stop", "leitstelle-1", reason="Versammlung").status_code == 303
            assert all(self.stopped(desk).values())
            assert len(desk.events(Event.CAMERA_STOPPED)) == before
        desk.work()
        entries = desk.events(Event.CAMERA_STOPPED)
        assert len(entries) == before + 1
        assert (entries[0].by, entries[0].subject) == ("leitstelle-1", "all")

    def test_it_goes_on_only_with_an_entry(self, desk, locked):
        desk.post("/stop", "leitstelle-1", reason="Versammlung")
        with locked():
            answer = desk.post("/resume", "leitstelle-1", reason="vorbei <1>")
            assert answer.status_code == 503
            assert all(self.stopped(desk).values())
        assert "Noch einmal versuchen: Wieder starten" in answer.text
        assert 'name="reason" value="vorbei &lt;1&gt;"' in answer.text
        assert desk.post("/resume", "leitstelle-1", reason="vorbei").status_code == 303
        assert not any(self.stopped(desk).values())

    def test_programs_stop_and_are_refused_alike(self, desk, locked):
        staff, officer = desk.token("leitstelle-1"), desk.token("dsb")
        assert desk.api("POST", f"/cameras/{CAMERA}/stop", officer, json={"reason": "Versammlung"}).json()["stopped"] is True
        assert desk.api("POST", f"/cameras/{CAMERA}/resume", officer, json={"reason": "vorbei"}).status_code == 403
        with locked():
            answer = desk.api("POST", f"/cameras/{CAMERA}/resume", staff, json={"reason": "vorbei"})
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "2"
        assert (answer.json()["problem"], answer.json()["status"]) == ("busy", 503)


class TestRegime:
    @pytest.fixture(autouse=True)
    def by_plan(self, desk):
        yield
        desk.post("/regime/end", "aufsicht")

    def test_by_hand_it_holds_for_a_while_and_is_written_down(self, desk):
        regime = desk.system.control.regime
        assert desk.post("/regime", "leitstelle-1", name="night", hours="1,5", reason="Übung").status_code == 303
        assert regime.current().name is RegimeName.NIGHT
        assert regime.override.until == regime.now() + timedelta(hours=1.5)
        assert desk.events(Event.REGIME_SET)[0].facts["reason"] == "Übung"
        desk.clock.sleep(1.6 * 3600)
        assert regime.override is None or regime.current().reason.value != "override"

    @pytest.mark.parametrize("wrong", [{"name": "dusk"}, {"hours": "0"}, {"hours": "73"}, {"hours": "nan"}, {"reason": " "}])
    def test_what_is_wrong_changes_nothing(self, desk, wrong):
        answer = desk.post("/regime", "leitstelle-1", **{"name": "night", "hours": "2", "reason": "Übung", **wrong})
        assert answer.status_code == 422
        assert desk.system.control.regime.override is None

    def test_without_an_entry_it_stays_as_it_was(self, desk, locked):
        with locked():
            answer = desk.post("/regime", "leitstelle-1", name="night", hours="2", reason="Übung")
        assert (answer.status_code, 'name="hours" value="2"' in answer.text) == (503, True)
        assert desk.system.control.regime.override is None


class TestNotNow:
    """What people read when something does not go: words and a way on, never a trace."""

    @pytest.mark.parametrize(
        ("error", "status", "german", "english"),
        [
            (StoreFullError("x"), 503, "Der Datenträger ist voll", "The disk is full"),
            (StoreDamagedError("x"), 503, "Es konnte nicht gespeichert oder gelesen werden", "It could not be stored or read"),
            (RuntimeError("geheim"), 500, "Das ist ein Fehler in Blickschutz", "This is a fault of Blickschutz"),
        ],
    )
    def test_every_error_has_its_words(self, desk, monkeypatch, error, status, german, english):
        monkeypatch.setattr(desk.office.rights.store, "open", fails_with(error))
        for language, words in (("de", german), ("en", english)):
            answer = desk.get("/requests", "aufsicht", cookies={"language": language})
            assert answer.status_code == status
            assert words in answer.text
            assert "geheim" not in answer.text
            assert "Traceback" not in answer.text
            assert ("retry-after" in answer.headers) is (status == 503)
            # Also what nobody foresaw is answered with what every answer carries.
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"

    def test_a_program_hears_the_same_in_a_word(self, desk, monkeypatch):
        token = desk.token("aufsicht")
        for error, status, word in ((StoreFullError("x"), 503, "full"), (RuntimeError("geheim"), 500, "fault")):
            monkeypatch.setattr(desk.office.cases.store, "queue", fails_with(error))
            answer = desk.api("GET", "/cases", token)
            assert (answer.status_code, answer.json()["problem"]) == (status, word)
            assert "geheim" not in answer.text

    def test_no_password_comes_back(self, desk, locked):
        desk.session("leitstelle-1")
        with locked():
            answer = desk.post("/sign-in", person="leitstelle-1", password="kein Kennwort")
        assert answer.status_code == 503
        assert "kein Kennwort" not in answer.text
        assert "bitte geben Sie sie noch einmal ein" in answer.text

    def test_a_refusal_of_access_stands_without_its_entry_which_follows(self, desk, locked):
        desk.session("kvd-1")
        last = desk.office.log.state()[0]
        with locked():
            assert desk.get("/settings", "kvd-1").status_code == 403
        desk.work()
        entry = desk.events(Event.ACCESS_REFUSED)[0]
        assert (entry.number, entry.by, entry.subject) == (last + 1, "kvd-1", "/settings")

    def test_signing_out_ends_the_session_without_its_entry_which_follows(self, desk, locked):
        session = {"session": admit(desk.office.access, "dsb")}
        with locked():
            assert desk.request("POST", "/sign-out", cookies=session).status_code == 303
        assert desk.office.access.who(session["session"]) == (None, None)
        desk.work()
        assert desk.events(Event.SIGNED_OUT)[0].by == "dsb"

    def test_a_lane_that_is_full_says_so_and_holds_up_no_other(self, desk):
        lanes, release = desk.system.app.state.lanes, threading.Event()

        async def crowded():
            holding = [asyncio.create_task(lanes.run(Lane.WRITE, lambda: release.wait(5))) for _ in range(SIZES[Lane.WRITE])]
            await asyncio.sleep(0.05)
            got = [await lanes.run(lane, lambda: "done") for lane in Lane if lane is not Lane.WRITE]
            with pytest.raises(CrowdedError):
                await lanes.run(Lane.WRITE, lambda: "done")
            release.set()
            await asyncio.gather(*holding)
            return [*got, await lanes.run(Lane.WRITE, lambda: "done")]

        assert desk.run(crowded()) == ["done"] * len(Lane)


def fails_with(error):
    def fails(*_, **__):
        raise error

    return fails


class TestPackages:
    """Packages of evidence: fetched by name, named for people, and never by whoever may hold what opens them."""

    @pytest.fixture
    def package(self, desk, case):
        clip = desk.office.cases.store.get(case).clip
        exports = desk.records.archive.exports
        exports.mkdir(exist_ok=True)
        file = exports / f"{clip}-1764000000.tar.age"
        file.write_bytes(b"age-encryption.org/v1\n")
        yield file
        file.unlink()

    def release(self, desk, package, **more):
        facts = {"people": ["aufsicht", "kvd-1"], "basis": "gesetzlich", "recipient": "Polizei", "reference": "KL-1", "sha256": "0" * 64}
        desk.office.log.write(Event.RELEASED, "kvd-1", package.name.split("-")[0], {**facts, "file": package.name, **more})

    def test_it_is_named_by_case_and_date(self, desk, case, package):
        self.release(desk, package, people=["aufsicht-2", "kvd-1"], recipient_key="age1x")
        assert f'href="/exports/{package.name}">Beweispaket, Vorgang {case}<' in desk.get("/evidence", "aufsicht").text
        answer = desk.get(f"/exports/{package.name}", "aufsicht")
        assert answer.content == package.read_bytes()
        assert re.fullmatch(
            rf'attachment; filename="Beweispaket-Vorgang-{case}-\d{{4}}-\d\d-\d\d\.tar\.age"', answer.headers["content-disposition"]
        )
        assert desk.events(Event.RELEASE_FETCHED)[0].facts == {"file": package.name}
        assert desk.get("/exports/../site.toml", "aufsicht").status_code == 404

    def test_whoever_read_the_words_does_not_get_the_package(self, desk, package):
        self.release(desk, package, words="aufsicht")
        answer = desk.get(f"/exports/{package.name}", "aufsicht")
        assert answer.status_code == 403
        assert "Das Paket holt eine andere Person ab" in answer.text
        assert package.read_bytes() not in answer.content
        assert desk.events(Event.RELEASE_REFUSED)[0].facts == {"why": "words", "file": package.name}

    @pytest.mark.parametrize("facts", [{"recipient_key": "age1x"}, {}], ids=["now", "before the log named keys"])
    def test_whoever_gave_the_key_does_not_get_the_package(self, desk, package, facts):
        self.release(desk, package, **facts)
        answer = desk.get(f"/exports/{package.name}", "aufsicht")
        assert answer.status_code == 403
        assert "Sie haben den Schlüssel angegeben" in answer.text
        # The house has one person of the supervision: whoever is refused is told how it goes on.
        assert "Der Weg weiter: im Sichtungsraum des Vorgangs noch einmal herausgeben, diesmal mit einem Kennwort" in answer.text
        assert package.read_bytes() not in answer.content
        assert desk.events(Event.RELEASE_REFUSED)[0].facts == {"why": "key", "file": package.name}

    def test_a_house_with_one_supervisor_is_told_to_take_a_password(self, desk, case, package, monkeypatch):
        hint = "Mit dem Schlüssel des Empfängers könnte niemand das Paket abholen"
        key = "age1" + "q" * 58
        self.release(desk, package, recipient_key=key)
        page = desk.get("/evidence", "aufsicht").text
        assert (hint in page, key in page) == (True, True)
        self.release(desk, package, words="kvd-1")
        assert "Kennwort, gelesen von" in desk.get("/evidence", "aufsicht").text
        become(desk, monkeypatch, "kvd-2", roles=frozenset({Role.SUPERVISION}), state=AccountState.ACTIVE)
        assert hint not in desk.get("/evidence", "aufsicht").text
        refused = desk.get(f"/exports/{package.name}", "aufsicht").text
        assert "Der Weg weiter" not in refused

    def test_another_person_fetches_it(self, desk, package):
        self.release(desk, package, words="kvd-1")
        assert desk.get(f"/exports/{package.name}", "aufsicht").status_code == 200
