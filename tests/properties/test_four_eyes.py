"""No sequence of events opens a clip for fewer than two, deletes a held clip, or keeps a harmless one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.retention.model import Kept, Limits, Why
from blickschutz.retention.rules import deadline, is_due, is_near
from blickschutz.review.io.beside import NotesBeside
from blickschutz.review.io.store import METADATA as CASE_TABLES
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.model import (
    Case,
    CaseEvent,
    CaseState,
    Fate,
    GivenVerdict,
    Ground,
    Hold,
    QuarantineReason,
    Refusal,
    Verdict,
)
from blickschutz.review.rules import (
    MORTAL,
    OPENABLE,
    THERE,
    TRANSITIONS,
    as_mermaid,
    fates,
    is_harmless,
    judge,
    next_state,
    visible,
    waits_for,
)
from blickschutz.review.service import CaseDesk, QuarantineDesk
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.conftest import ROOT, often
from tests.fakes.case_time import CaseClock
from tests.fakes.clock import ManualClock
from tests.fakes.voices import ALL_VOICES

PEOPLE = ("ada", "bert", "cleo", "dora")
CASE = Case(0, "c" * 32, "vorplatz", "sealed", "manual", 1.7e9, CaseState.RECORDING)

acts = st.lists(
    st.one_of(
        st.tuples(st.just("verdict"), st.sampled_from(PEOPLE), st.sampled_from(list(Verdict))),
        st.tuples(st.just("hold"), st.sampled_from(PEOPLE), st.floats(1, 90)),
        st.tuples(st.just("release"), st.sampled_from(PEOPLE), st.none()),
        st.tuples(st.just("confirm"), st.sampled_from(PEOPLE), st.none()),
        st.tuples(st.just("contradict"), st.just(""), st.sampled_from(list(QuarantineReason))),
        st.tuples(st.just("fate"), st.sampled_from(PEOPLE), st.sampled_from(list(Fate))),
        st.tuples(st.just("decide"), st.sampled_from(PEOPLE), st.none()),
        st.tuples(st.just("expire"), st.just(""), st.none()),
        st.tuples(st.just("days"), st.just(""), st.floats(0, 40)),
    ),
    max_size=25,
)


class Desk:
    """A case desk on a real database, in a folder of its own."""

    def __init__(self, folder):
        self.clock = ManualClock()
        key = InstallationKey(folder / "key")
        self.engine = open_engine(folder / "control.db", LOG_TABLES, CASE_TABLES)
        self.log = AuditLog(self.engine, self.clock, key.sign, key.public)
        self.notes = NotesBeside(folder / "clips", key)
        self.store = SqlCaseStore(self.engine, self.log, self.notes)
        self.desk = CaseDesk(self.store, self.clock, 60, CaseClock(self.clock), ALL_VOICES)
        self.quarantine = QuarantineDesk(self.store, self.clock, self.clock.now, self.desk.doomed, CaseClock(self.clock), ALL_VOICES)
        self.limits = Limits(72 * 3600, 60 * 86400)
        case = self.desk.opened(replace(CASE, opened=self.clock.now()))
        self.number = case.id
        self.desk.closed(replace(case, seconds=10.0, size=5, sha256="ab"))

    @property
    def case(self):
        return self.store.get(self.number)

    def do(self, act, person, value):
        if act == "verdict":
            ground = Ground.CRIMINAL_OFFENCE if value is Verdict.INCIDENT else None
            return self.desk.verdict(self.number, person, value, "", ground, "KL-1")
        if act == "hold":
            return self.desk.propose_hold(self.number, person, Ground.LEGAL_CLAIM, "KL-2", self.clock.now() + value * 86400)
        if act == "release":
            return self.desk.propose_end(self.number, person)
        if act == "confirm":
            return self.desk.confirm(self.number, person, self.case.version)
        if act == "contradict":
            return self.quarantine.contradicted(self.case, value)
        if act == "fate":
            until = self.clock.now() + 86400
            return self.quarantine.propose(self.number, person, value, Ground.LEGAL_CLAIM, "KL-3", until)
        if act == "decide":
            return self.quarantine.confirm(self.number, person, self.case.version)
        if act == "days":
            self.clock.sleep(value * 86400)
            return None
        kept = Kept(self.case.clip, self.case.opened, self.case.hold.until if self.case.hold else None)
        if self.case.state in MORTAL and is_due(kept, self.limits, self.clock.now()):
            return self.desk.expire(self.case, deadline(kept, self.limits).why.value)
        return None


@settings(max_examples=often(30, 300), deadline=None)
@given(acts)
def test_no_sequence_breaks_the_promises(tmp_path_factory, sequence):
    desk = Desk(tmp_path_factory.mktemp("desk"))
    try:
        for act, person, value in sequence:
            before = desk.case
            desk.do(act, person, value)
            after = desk.case
            check(before, after, (act, person), desk)
        assert list(verify(desk.log.export(), is_signed)) == []
    finally:
        desk.engine.dispose()


def check(before, after, done, desk):
    act, by = done
    people = [one.person for one in after.verdicts]
    assert len(people) == len(set(people)), "nobody judges twice"
    assert len(people) <= 3
    held = before.hold is not None and before.hold.in_force and before.hold.until > desk.clock.now()
    if before.state in THERE and after.state is CaseState.DESTROYING:
        why = after.shred_reason
        if why == "harmless":
            harmless = [one for one in after.verdicts if is_harmless(one.verdict)]
            assert len({one.person for one in harmless}) >= 2, "one person alone destroys nothing"
        elif why in {Why.HOLD_RELEASED, Why.DISCARDED}:
            assert len(set(after.shred_by)) == 2
        else:
            assert not held, "what is held is not destroyed by itself"
    if after.hold is not None:
        assert len(set(after.hold.by)) >= 2, "a hold stands on two people"
    harmless = [one for one in after.verdicts if is_harmless(one.verdict)]
    if before.state is CaseState.QUARANTINED and after.state is not CaseState.QUARANTINED:
        assert (act, by != before.fate.by) == ("decide", True), "only two people end a quarantine"
        assert before.fate.fate in fates(before)
    if len(harmless) >= 2 and after.state is not CaseState.QUARANTINED and (after.hold is None or not after.hold.in_force):
        assert after.state in {CaseState.DESTROYING, CaseState.DESTROYED}, "what two find harmless is not kept"
    if before.state in {CaseState.DESTROYING, CaseState.DESTROYED} and act != "contradict":
        assert after.state is before.state, "the end is the end"
    if act == "expire" and after.state in MORTAL:
        kept = Kept(after.clip, after.opened, after.hold.until if after.hold else None)
        assert not is_due(kept, desk.limits, desk.clock.now()), "what is due is destroyed"


def given_verdict(person, verdict, at=1.0):
    return GivenVerdict(person, verdict, "", at, Ground.CRIMINAL_OFFENCE if verdict is Verdict.INCIDENT else None, "KL-1")


@given(st.lists(st.sampled_from(list(Verdict)), min_size=3, max_size=3))
def test_two_agree_or_a_third_decides(verdicts):
    given_so_far, state = [], CaseState.WAITING
    for person, verdict in zip(PEOPLE, verdicts, strict=False):
        event = judge(state, given_so_far, given_verdict(person, verdict))
        if isinstance(event, Refusal):
            assert event is Refusal.NOT_NOW
            assert state in {CaseState.HELD, CaseState.DESTROYING}
            break
        given_so_far.append(given_verdict(person, verdict))
        state = next_state(state, event)
    harmless = [is_harmless(v) for v in verdicts]
    expected = harmless[0] if harmless[0] is harmless[1] else harmless[2]
    assert state is (CaseState.DESTROYING if expected else CaseState.HELD)


def test_a_verdict_of_incident_names_its_ground_and_case_number():
    bare = GivenVerdict("ada", Verdict.INCIDENT, "", 1.0)
    assert judge(CaseState.WAITING, [], bare) is Refusal.NO_GROUND
    assert judge(CaseState.WAITING, [], replace(bare, ground=Ground.LEGAL_CLAIM)) is Refusal.NO_REFERENCE
    first = given_verdict("ada", Verdict.NO_INCIDENT)
    assert judge(CaseState.SECOND, [first], given_verdict("ada", Verdict.INCIDENT)) is Refusal.SAME_PERSON


def test_nobody_sees_anothers_verdict_before_their_own():
    first = given_verdict("ada", Verdict.NO_INCIDENT)
    case = replace(CASE, state=CaseState.SECOND, verdicts=(first,))
    assert visible(case, "ada") == (first,)
    assert visible(case, "bert") == ()
    assert (waits_for(case, "ada"), waits_for(case, "bert")) == (False, True)
    third = replace(case, state=CaseState.THIRD, verdicts=(first, given_verdict("bert", Verdict.INCIDENT)))
    assert visible(third, "cleo") == ()
    assert len(visible(third, "bert")) == 2


def test_every_state_leads_to_the_end_and_every_event_is_in_the_table():
    assert {event for _, event in TRANSITIONS} == set(CaseEvent)
    reach = {CaseState.DESTROYED}
    for _ in CaseState:
        reach |= {start for (start, _), end in TRANSITIONS.items() if end in reach}
    assert reach == set(CaseState)
    assert CaseState.DESTROYING not in OPENABLE


@given(st.floats(0, 1e6), st.one_of(st.none(), st.floats(0, 1e7)), st.floats(0, 1e7))
def test_a_hold_decides_alone_and_else_the_shorter_limit(opened, until, now):
    limits, kept = Limits(100.0, 50.0, 10.0), Kept("c", opened, until)
    end = deadline(kept, limits)
    assert end.at == (until if until is not None else opened + 50.0)
    assert is_due(kept, limits, now) == (now >= end.at)
    assert not (is_due(kept, limits, now) and is_near(kept, limits, now))


def test_of_two_who_decide_at_once_one_is_told(tmp_path):
    desk = Desk(tmp_path)
    known = desk.case
    hold = Hold(Ground.LEGAL_CLAIM, "KL", "ada", 1e12, ("ada",), 1.0)
    assert desk.store.propose(known, hold)
    assert not desk.store.propose(known, replace(hold, by=("bert",)))
    assert desk.store.give_verdict(desk.case, given_verdict("ada", Verdict.NO_INCIDENT), CaseState.SECOND, None)
    assert not desk.store.doom(known, "harmless", ("ada", "bert"))
    events = [entry.event for entry, _ in desk.log.find()]
    assert events.count(Event.HOLD_PROPOSED) == 1
    assert Event.SHRED_ORDERED not in events
    desk.engine.dispose()


def test_the_diagram_in_the_documentation_is_drawn_from_the_table():
    assert as_mermaid() in (ROOT / "docs/design/review.md").read_text(encoding="utf-8")
