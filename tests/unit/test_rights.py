"""Requests of those concerned and duties to inform: deadlines, restriction, answers by two, letters; on a real database and real clips."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.audit.model import Event
from blickschutz.compliance.documents.letter import answer_letter, extension_letter
from blickschutz.compliance.io.press import render
from blickschutz.kernel.periods import add_months
from blickschutz.review.model import Case, CaseState, Ground, Refusal, Verdict
from blickschutz.review.rules import waits_for
from blickschutz.rights.model import (
    DutySource,
    Extension,
    Outcome,
    Problem,
    Request,
    RequestAnswer,
    RequestState,
    Restricted,
    Right,
    Settlement,
)
from blickschutz.rights.rules import deadline, is_late, is_near, is_unmet, may_extend, to_be_erased
from tests.house import House
from tests.unit.test_documents import exists
from tests.unit.test_policy import whole

pytestmark = pytest.mark.both_databases
DAY_S = 86_400.0
SUPERVISOR, OFFICER = "aufsicht", "dsb"


def asked(**more):
    values = {
        "id": 0,
        "state": RequestState.OPEN,
        "received": date(2026, 11, 20),
        "rights": (Right.ACCESS,),
        "name": "Erika Mustermann",
        "contact": "Musterweg 1\n67655 Kaiserslautern",
        "language": "de",
        "by": SUPERVISOR,
        "at": 0.0,
    }
    return Request(**{**values, **more})


# --- deadlines ---


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        (date(2026, 11, 5), 1, date(2026, 12, 5)),
        (date(2026, 12, 5), 1, date(2027, 1, 5)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 8, 31), 1, date(2026, 9, 30)),
        (date(2024, 2, 29), 36, date(2027, 2, 28)),
    ],
)
def test_a_period_of_months_ends_on_the_same_day_or_the_last_of_the_month(day, months, end):
    assert add_months(day, months) == end


@pytest.mark.files_alone  # draws, and asks no database
@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 60))
def test_a_period_never_ends_in_another_month_than_it_should(day, months):
    end = add_months(day, months)
    assert (end.year - day.year) * 12 + end.month - day.month == months
    assert end.day == day.day or (end + timedelta(days=1)).day == 1


def test_a_request_is_near_then_late_and_an_answer_in_time_stays_in_time():
    request = asked()
    assert deadline(request) == date(2026, 12, 20)
    assert not is_near(request, date(2026, 12, 12))
    assert is_near(request, date(2026, 12, 13))
    assert not is_late(request, date(2026, 12, 20))
    # The twentieth is a Sunday: the period ends with the Monday.
    assert not is_late(request, date(2026, 12, 21))
    assert is_late(request, date(2026, 12, 22))
    longer = replace(request, extension=Extension("viele Aufnahmen", date(2026, 12, 1), SUPERVISOR))
    assert deadline(longer) == date(2027, 2, 20)
    answer = RequestAnswer(Outcome.NOTHING_FOUND, "", (SUPERVISOR, OFFICER), date(2026, 12, 20))
    answered = replace(request, state=RequestState.ANSWERED, answer=answer)
    assert not is_late(answered, date(2030, 1, 1))
    assert not is_late(replace(answered, answer=replace(answer, day=date(2026, 12, 21))), date(2026, 12, 21))
    assert is_late(replace(answered, answer=replace(answer, day=date(2026, 12, 22))), date(2026, 12, 22))
    assert may_extend(request, date(2026, 12, 20)) is None
    assert may_extend(request, date(2026, 12, 21)) is Problem.TOO_LATE
    assert may_extend(longer, date(2026, 12, 1)) is Problem.NOT_NOW
    assert not to_be_erased(answered, date(2029, 12, 20))
    assert to_be_erased(answered, date(2029, 12, 21))


# --- the desk ---


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    house.enrol()
    yield house
    house.close()


@pytest.fixture
def desk(house):
    return house.records.office.rights


def confirm(desk, number, by):
    """With what the row is now."""
    found = desk.store.get(number)
    return desk.confirm(number, by, found.version if found is not None else 0)


def record(house, **more):
    """A request about now, and its number."""
    now = house.clock.now()
    found = house.records.office.rights.record(
        asked(received=house.records.orders.today(), starts=now - 600, ends=now + 600, identity="", **more),
    )
    assert isinstance(found, Request)
    return found.id


def test_a_restricted_recording_outlives_every_deadline_and_goes_when_the_answer_is_given(house, desk):
    case = house.clip()
    number = record(house)
    assert [one.case for one in desk.candidates(desk.store.get(number))] == [case.id]
    assert desk.restrict(number, [case.id], SUPERVISOR) is None
    house.clock.time += 70 * DAY_S
    assert house.records.shredder.expire() == 0
    assert house.records.archive.shelf.path(case.clip).exists()
    kept = house.records.office.cases.store.get(case.id)
    assert kept.restricted == (number,)
    assert not waits_for(kept, "kvd-1")
    assert house.records.office.cases.verdict(case.id, "kvd-1", Verdict.NO_INCIDENT, "") is Refusal.RESTRICTED
    assert desk.prepare(number, Outcome.NOTHING_FOUND, "", SUPERVISOR) is Problem.STILL_RECORDINGS
    assert desk.prepare(number, Outcome.GRANTED, "", SUPERVISOR) is Problem.IDENTITY
    assert desk.identify(number, "Ausweis vorgelegt", SUPERVISOR) is None
    assert desk.prepare(number, Outcome.GRANTED, "", SUPERVISOR) is None
    assert confirm(desk, number, SUPERVISOR) is Problem.SAME_PERSON
    assert house.records.shredder.expire() == 0
    assert confirm(desk, number, OFFICER) is None
    assert house.records.office.cases.store.get(case.id).restricted == ()
    assert house.records.shredder.expire() == 1
    assert house.records.shredder.work() == 1
    assert house.records.office.cases.store.get(case.id).state is CaseState.DESTROYED
    assert house.records.office.cases.store.get(case.id).shred_reason == "unreviewed"


def test_two_requests_keep_a_recording_until_both_are_answered(house, desk):
    case = house.clip()
    first, second = record(house), record(house, rights=(Right.RESTRICTION,))
    for number in (first, second):
        assert desk.restrict(number, [case.id], SUPERVISOR) is None
    assert desk.prepare(first, Outcome.REFUSED, "offenkundig unbegründet", SUPERVISOR) is None
    assert confirm(desk, first, OFFICER) is None
    assert house.records.office.cases.store.get(case.id).restricted == (second,)
    house.clock.time += 4 * DAY_S
    assert house.records.shredder.expire() == 0


def test_an_erasure_that_is_granted_destroys_at_once_by_two_but_not_what_is_held(house, desk):
    case, held = house.clip("a" * 32), house.clip("b" * 32)
    for number in (held.id,):
        house.records.office.cases.propose_hold(number, "kvd-1", Ground.CRIMINAL_OFFENCE, "KL-1", house.clock.now() + 9 * DAY_S)
        assert house.records.office.cases.confirm(number, "kvd-2", house.records.office.cases.store.get(number).version) is None
    number = record(house, rights=(Right.ERASURE,))
    assert desk.restrict(number, [case.id, held.id], SUPERVISOR) is None
    assert not house.records.office.cases.propose_end(held.id, "kvd-1")
    desk.identify(number, "Ausweis", OFFICER)
    assert desk.prepare(number, Outcome.GRANTED, "", OFFICER) is None
    assert confirm(desk, number, SUPERVISOR) is None
    house.work()
    gone = house.records.office.cases.store.get(case.id)
    assert (gone.state, gone.shred_reason, gone.shred_by) == (CaseState.DESTROYED, "erasure", (OFFICER, SUPERVISOR))
    assert house.records.office.cases.store.get(held.id).state is CaseState.HELD
    assert not house.records.archive.shelf.path(case.clip).exists()


def test_freeing_takes_another_person_and_nothing_that_is_ending_is_restricted(house, desk):
    case, ending = house.clip("a" * 32), house.clip("b" * 32)
    number = record(house)
    assert desk.restrict(number, [], SUPERVISOR) is Problem.NO_RECORDING
    assert desk.restrict(number, [case.id], SUPERVISOR) is None
    assert desk.free(number, case.id, SUPERVISOR) is Problem.SAME_PERSON
    assert desk.free(number, 999, OFFICER) is Problem.NO_RECORDING
    assert desk.free(number, case.id, OFFICER) is None
    assert house.records.office.cases.store.get(case.id).restricted == ()
    for person in ("kvd-1", "kvd-2"):
        house.records.office.cases.verdict(ending.id, person, Verdict.NO_INCIDENT, "")
    assert desk.restrict(number, [ending.id], SUPERVISOR) is Problem.NO_RECORDING
    assert not house.records.office.cases.restrict(ending.id, number, SUPERVISOR)


def test_a_recording_that_ends_meanwhile_is_not_promised(house, desk, monkeypatch):
    case = house.clip()
    number = record(house)
    candidates = desk.candidates(desk.store.get(number))
    for person in ("kvd-1", "kvd-2"):
        house.records.office.cases.verdict(case.id, person, Verdict.NO_INCIDENT, "")
    monkeypatch.setattr(desk, "candidates", lambda request: candidates)
    assert desk.restrict(number, [case.id], SUPERVISOR) is Problem.NO_RECORDING
    assert desk.store.get(number).restricted == ()


def test_after_a_crash_requests_and_recordings_agree_again(house, desk, monkeypatch):
    case = house.clip()
    number = record(house)
    # Ended between the row and the recording: what was promised is kept.
    monkeypatch.setattr(type(desk._recordings), "restrict", lambda *_: (_ for _ in ()).throw(RuntimeError("ended")))
    with pytest.raises(RuntimeError):
        desk.restrict(number, [case.id], SUPERVISOR)
    monkeypatch.undo()
    house.again()
    assert house.records.office.cases.store.get(case.id).restricted == (number,)
    # Ended between the answer and the recording: what is answered is freed.
    desk = house.records.office.rights
    desk.prepare(number, Outcome.WITHDRAWN, "", SUPERVISOR)
    monkeypatch.setattr(type(desk._recordings), "free", lambda *_: (_ for _ in ()).throw(RuntimeError("ended")))
    with pytest.raises(RuntimeError):
        confirm(desk, number, OFFICER)
    monkeypatch.undo()
    house.again()
    assert house.records.office.cases.store.get(case.id).restricted == ()


def test_a_prepared_answer_can_be_given_back_and_the_deadline_extended_once(house, desk):
    number = record(house)
    assert desk.extend(number, " ", SUPERVISOR) is Problem.REASON
    assert desk.extend(number, "viele Aufnahmen", SUPERVISOR) is None
    assert desk.extend(number, "noch mehr", SUPERVISOR) is Problem.NOT_NOW
    assert desk.prepare(number, Outcome.REFUSED, " ", SUPERVISOR) is Problem.REASON
    assert desk.prepare(number, Outcome.GRANTED, "", SUPERVISOR) is Problem.IDENTITY
    assert desk.identify(number, "Ausweis", SUPERVISOR) is None
    assert desk.prepare(number, Outcome.GRANTED, "", SUPERVISOR) is Problem.NO_RECORDING
    assert desk.prepare(number, Outcome.NOTHING_FOUND, "", SUPERVISOR) is None
    assert desk.prepare(number, Outcome.REFUSED, "x", OFFICER) is Problem.NOT_NOW
    assert desk.give_back(number, OFFICER) is None
    assert desk.store.get(number).answer is None
    assert desk.prepare(number, Outcome.NOTHING_FOUND, "", OFFICER) is None
    assert confirm(desk, number, SUPERVISOR) is None
    assert confirm(desk, number, SUPERVISOR) is Problem.NOT_NOW
    assert confirm(desk, 999, SUPERVISOR) is Problem.NOT_NOW


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"name": " "}, Problem.NAME),
        ({"rights": ()}, Problem.RIGHTS),
        ({"received": date(2100, 1, 1)}, Problem.RECEIVED),
        ({"starts": 5.0, "ends": 1.0}, Problem.WINDOW),
        ({"starts": 0.0, "ends": 32 * DAY_S}, Problem.WINDOW),
    ],
)
def test_a_request_that_lacks_something_is_not_taken(desk, more, problem):
    assert desk.record(asked(**{"received": date(2020, 1, 1), **more})) is problem


def test_the_log_never_holds_a_name_and_the_row_loses_it_after_three_years(house, desk):
    number = record(house)
    desk.prepare(number, Outcome.NOTHING_FOUND, "", SUPERVISOR)
    confirm(desk, number, OFFICER)
    text = b"\n".join(house.records.office.log.export()).decode()
    assert "Mustermann" not in text
    assert "Musterweg" not in text
    assert "request-answered" in text
    house.clock.time += 3 * 366 * DAY_S
    desk.settle()
    erased = desk.store.get(number)
    assert (erased.name, erased.contact, erased.erased) == ("", "", house.records.orders.today())
    assert house.events(Event.REQUEST_ERASED)
    desk.settle()
    assert len(house.events(Event.REQUEST_ERASED)) == 1
    # Gone from the file too, not only from the row.
    house.close()
    assert not any(b"Mustermann" in path.read_bytes() for path in house.folder.glob("control.db"))


# --- the duty to inform ---


def test_what_was_noted_of_a_duty_is_erased_after_three_years_and_not_while_it_is_put_off(house, desk):
    case, other = house.clip("a" * 32), house.clip("b" * 32)
    met, put_off = (desk.assigned(one.id, one.clip, DutySource.RELEASE, "kvd-1") for one in (case, other))
    assert desk.meet(met.id, Settlement.INFORMED, "Brief an Frau Mustermann", None, SUPERVISOR) is None
    later = house.records.orders.today() + timedelta(days=90)
    assert desk.meet(put_off.id, Settlement.DEFERRED, "Ermittlung läuft", later, SUPERVISOR) is None
    desk.settle()
    assert desk.store.get_duty(met.id).settled.text
    house.clock.time += 3 * 366 * DAY_S
    desk.settle()
    told = desk.store.get_duty(met.id)
    assert (told.by, told.settled.text, told.settled.by, told.settled.settlement) == ("", "", "", Settlement.INFORMED)
    assert desk.store.get_duty(put_off.id).settled.text == "Ermittlung läuft"
    count = len(house.events(Event.REQUEST_ERASED))
    desk.settle()
    assert len(house.events(Event.REQUEST_ERASED)) == count
    house.close()
    assert not any(b"Mustermann" in path.read_bytes() for path in house.folder.glob("control.db"))


def test_a_duty_is_opened_once_met_once_and_a_deferral_comes_back(house, desk):
    case = house.clip()
    duty = desk.assigned(case.id, case.clip, DutySource.RELEASE, "kvd-1")
    assert desk.assigned(case.id, case.clip, DutySource.HAND, "kvd-2") == duty
    today = house.records.orders.today()
    assert desk.meet(duty.id, Settlement.INFORMED, " ", None, SUPERVISOR) is Problem.REASON
    assert desk.meet(duty.id, Settlement.DEFERRED, "Ermittlung läuft", today, SUPERVISOR) is Problem.UNTIL
    assert desk.meet(duty.id, Settlement.DEFERRED, "Ermittlung läuft", today + timedelta(days=90), SUPERVISOR) is None
    (deferred,) = desk.store.duties(settled=False)
    assert not is_unmet(deferred, today + timedelta(days=90))
    assert is_unmet(deferred, today + timedelta(days=91))
    assert desk.meet(duty.id, Settlement.INFORMED, "Schreiben vom 1. Februar", None, OFFICER) is None
    assert desk.store.duties(settled=False) == []
    assert desk.meet(duty.id, Settlement.NOBODY, "x", None, OFFICER) is Problem.NOT_NOW
    assert desk.assigned(case.id, case.clip, DutySource.HAND, "kvd-2").id != duty.id


# --- letters ---

FOUND = (Restricted(4, "c" * 32, "vorplatz-nord", 1_795_500_000.0, 42.0, SUPERVISOR),)


def answered(outcome, language="de", **more):
    answer = RequestAnswer(outcome, more.pop("text", ""), (SUPERVISOR, OFFICER), date(2026, 11, 25))
    return asked(id=3, state=RequestState.ANSWERED, language=language, answer=answer, **more)


LETTERS = {
    "granted": answered(Outcome.GRANTED, rights=tuple(Right), restricted=FOUND, identity="Ausweis"),
    "granted-en": answered(Outcome.GRANTED, "en", rights=tuple(Right), restricted=FOUND, identity="passport"),
    "nothing": answered(Outcome.NOTHING_FOUND),
    "not-identified": answered(Outcome.NOT_IDENTIFIED, text="Bitte nennen Sie Ihre Kleidung."),
    "refused": answered(Outcome.REFUSED, text="Der Antrag ist offenkundig unbegründet (Art. 12 Abs. 5 DSGVO)."),
    "withdrawn": answered(Outcome.WITHDRAWN, "en"),
}


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_answers_and_names_the_remedies(name, tmp_path):
    request = LETTERS[name]
    document = answer_letter(whole(), request)
    for sentence in document.sentences():
        assert all(exists(one) for one in sentence.evidence), sentence
    path = tmp_path / "letter.pdf"
    path.write_bytes(render(document, whole()))
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    assert "Erika Mustermann" in text
    assert "67655 Kaiserslautern" in text
    assert "77" in text
    assert "Draft" not in text
    assert "Entwurf" not in text
    if request.answer.text:
        assert request.answer.text[:20] in text
    if name.startswith("granted"):
        assert "Vorplatz Nord" in text
        assert "Art. 21" in text


def test_a_draft_says_so_and_a_late_answer_is_announced(tmp_path):
    draft = replace(LETTERS["nothing"], state=RequestState.PREPARED)
    path = tmp_path / "letter.pdf"
    path.write_bytes(render(answer_letter(whole(), draft), whole()))
    assert "Entwurf" in subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
    longer = asked(id=3, extension=Extension("Es sind sehr viele Aufnahmen zu prüfen.", date(2026, 11, 24), SUPERVISOR))
    path.write_bytes(render(extension_letter(whole(), longer), whole()))
    text = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
    assert "20.02.2027" in text
    assert "sehr viele" in text


def test_what_people_type_is_printed_and_never_run(tmp_path):
    hostile = '#panic("x") $y$ *fett* <b>'
    request = replace(LETTERS["refused"], name=hostile, contact="[Weg] \\ 1")
    path = tmp_path / "letter.pdf"
    path.write_bytes(render(answer_letter(whole(), replace(request, answer=replace(request.answer, text=hostile))), whole()))
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    assert text.count('#panic("x") $y$ *fett* <b>') == 2
    assert "[Weg] \\ 1" in text


def test_a_case_in_the_rows_keeps_its_restrictions(house):
    case = house.clip()
    assert house.records.office.cases.restrict(case.id, 7, SUPERVISOR)
    read = house.records.office.cases.store.get(case.id)
    assert isinstance(read, Case)
    assert read.restricted == (7,)
    house.records.office.cases.free(case.id, 7, SUPERVISOR)
    assert house.records.office.cases.store.get(case.id).restricted == ()
