"""Every decision that two people make: the first voice counts only while its person may still give it, whatever is decided.

Each is tried on a real site, in three ways: nothing happens in between, whoever was first is blocked, or has another role. The last
tests find decisions that ask nobody.
"""

from __future__ import annotations

import ast
import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache

import cv2
import numpy as np
import pytest

from blickschutz.access.model import AccountState, Member, Role
from blickschutz.access.model import Refusal as AccountRefusal
from blickschutz.access.voices import VOICES, Decision, Lack, Voices
from blickschutz.audit.model import Event
from blickschutz.bootstrap.hosts import HostOffice
from blickschutz.bootstrap.system import Source, System
from blickschutz.compliance.entered import Standing
from blickschutz.config.loader import load_site
from blickschutz.control.model import Given, Loss, LossKind
from blickschutz.evidence.model import Basis as Ground4
from blickschutz.kernel.errors import OperatorError
from blickschutz.retention.model import Basis, Confirmed, Proposal
from blickschutz.review.model import Case, CaseState, Fate, Ground, Quarantine, QuarantineReason, Refusal, Verdict
from blickschutz.reviewroom import messages as m
from blickschutz.reviewroom.book import RoomBook
from blickschutz.rights.model import Outcome, Request, RequestState, Right
from blickschutz.settings.model import Edit, State
from tests.conftest import ROOT
from tests.documents import pdf
from tests.fakes.cells import no_process
from tests.fakes.clock import ManualClock
from tests.fakes.rooms import Door
from tests.unit.test_enrolment import People

DAY = 86_400.0
ZONE = ("cameras", "vorplatz-nord", "zones", "flaeche", "polygon")
SOURCE = ROOT / "src/blickschutz"
MORE = """
[[people]]
id = "technik-2"
name = "Zweite Technik"
roles = ["administration"]

[[people]]
id = "aufsicht-2"
name = "Zweite Aufsicht"
roles = ["aufsicht"]
trained_until = 2027-06-30

[hosts]
broker = "tls://127.0.0.1:4222"
[[hosts.cameras]]
id = "vorplatz-nord"
network = "hall"
"""


class Clock(ManualClock):
    ahead = 0.0

    def now(self):
        return super().now() + self.ahead


class Site:
    """A whole system with a site file of its own; nothing runs."""

    def __init__(self, folder):
        self.folder, self.clock, self.turn = folder, Clock(), 0
        path = folder / "anlage.toml"
        path.write_text((ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8") + MORE, encoding="utf-8")
        site, source = load_site(path), Source(path.read_text(encoding="utf-8"), str(path))
        self.system = System(site, folder, self.clock, no_process, data=folder / "state", source=source)
        self.records, self.room = self.system.records, self.system.app.state.room
        self.office, self.accounts = self.records.office, self.records.office.access.accounts
        for person in self.members:
            self.accounts.activate(person)
        self.before = dict(self.members)

    @property
    def members(self):
        return self.office.access.members

    def next(self):
        self.turn += 1
        return self.turn

    def lose(self, person, how):
        """Whoever was first is blocked, has another role, or nothing happens."""
        if how == "blocked":
            self.accounts.set_state(person, AccountState.BLOCKED, "test")
        if how == "other role":
            self.accounts.set_rights(person, frozenset({Role.CONTROL_ROOM}), None, ["test"])

    def back(self):
        for one in self.before.values():
            self.accounts.set_rights(one.id, one.roles, one.trained_until, ["test"])
            self.accounts.set_state(one.id, AccountState.ACTIVE, "test")

    def case(self, state=CaseState.WAITING, **more):
        return self.office.cases.store.add(Case(0, f"{self.next():032x}", "brunnen", "sealed", "manual", self.clock.now(), state, **more))

    def now(self, case):
        return self.office.cases.store.get(case.id)

    def events(self, event):
        return [entry for entry, _ in self.office.log.find(event=event)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.records.keeping.close()


@dataclass
class Asked:
    """Somebody proposed: `first` is who, `second` does the rest, `taken` says whether it is decided."""

    first: str
    second: object
    taken: object


def account(site):
    people, name = site.office.access.people, f"neu-{site.next()}"
    people.invite("technik-2", name, "Neu", frozenset({Role.CONTROL_ROOM}), None)
    change = next(one for one in site.accounts.changes() if one.person == name)
    return Asked("technik-2", lambda: people.confirm(site.members["dsb"], change.id), lambda: name in site.members)


def settings(site):
    desk, place = site.system.control.desk, 0.05 + site.next() / 1000
    made = desk.propose("technik-2", [Edit(ZONE, [[place, 0.4], [0.9, 0.4], [0.9, 0.9], [0.1, 0.9]])])
    return Asked("technik-2", lambda: desk.confirm(made.number, "dsb"), lambda: desk.proposal(made.number).state is State.APPLIED)


def plan(site):
    desk = site.room.floorplan
    picture = cv2.imencode(".png", np.full((50, 100 + site.next(), 3), 200, np.uint8))[1].tobytes()
    assert desk.propose(picture, 20.0, 0.0, "technik-2") is None
    number = desk.proposed().number
    return Asked("technik-2", lambda: desk.confirm(number, "dsb"), lambda: desk.proposed() is None)


def fact(site):
    desk = site.room.policy.desk
    incoming = desk.begin()
    incoming.write(pdf(f"Gutachten {site.next()}"))
    day = date.fromtimestamp(site.clock.now()).isoformat()
    made = desk.enter(incoming, Given("rechtsgutachten-ki", day, "ein Gutachten, das alles sagt", "g.pdf", ""), "technik", "de")
    assert desk.sign(made.number, site.members["technik-2"], desk.settings) is None
    return Asked(
        "technik-2",
        lambda: desk.sign(made.number, site.members["aufsicht"], desk.settings),
        lambda: desk.get(made.number).standing(desk.settings) is Standing.SIGNED,
    )


def clock(site):
    desk = site.records.clock
    if desk.suspended:
        site.back()
        assert isinstance(desk.confirm("kvd-1", desk.propose("aufsicht", Basis.COUNT).number), Confirmed)
    desk.look()
    site.clock.ahead += 4 * DAY
    desk.look()
    made = desk.propose("kvd-3", Basis.COUNT)
    assert isinstance(made, Proposal)
    return Asked("kvd-3", lambda: desk.confirm("aufsicht", made.number), lambda: not desk.suspended)


def loss(site):
    safety = site.records.keeping.safety
    safety._losses, safety._seen_by = (Loss(LossKind.ALERTS_MISSING),), ""
    assert safety.accept("aufsicht-2", safety.what) is None
    return Asked("aufsicht-2", lambda: safety.accept("aufsicht", safety.what), lambda: not safety.losses)


def fate(site):
    desk = site.office.quarantine
    case = site.case(CaseState.QUARANTINED, quarantine=Quarantine(QuarantineReason.NO_ROW, site.clock.now()))
    assert desk.propose(case.id, "aufsicht-2", Fate.RELEASE) is None
    version = site.now(case).version
    return Asked("aufsicht-2", lambda: desk.confirm(case.id, "aufsicht", version), lambda: site.now(case).state is CaseState.WAITING)


def hold(site):
    desk, case = site.office.cases, site.case()
    assert desk.propose_hold(case.id, "kvd-3", Ground.LEGAL_CLAIM, "KL-1", site.clock.now() + DAY)
    version = site.now(case).version
    return Asked("kvd-3", lambda: desk.confirm(case.id, "kvd-1", version), lambda: site.now(case).state is CaseState.HELD)


def verdict(site):
    desk, case = site.office.cases, site.case()
    assert desk.verdict(case.id, "kvd-3", Verdict.NO_INCIDENT, "") is CaseState.SECOND
    return Asked(
        "kvd-3", lambda: desk.verdict(case.id, "kvd-1", Verdict.FALSE_ALARM, ""), lambda: site.now(case).state is CaseState.DESTROYING
    )


def _told(site, message):
    """A room in which both still sit, as far as the control room knows, says that the second agreed."""
    book, door = RoomBook(site.system.site, site.office, site.records.archive, site.clock), Door("aufsicht-2", "kvd-1")
    asyncio.run(book.take(door, 1, "c" * 32, message))
    return door


def unmask(site):
    count = len(site.events(Event.UNMASK_GRANTED))
    asked = m.UnmaskConsented(number=7, asked="aufsicht-2", person="kvd-1", reason="Gesicht", reference="KL-1")
    return Asked("aufsicht-2", lambda: _told(site, asked), lambda: len(site.events(Event.UNMASK_GRANTED)) > count)


def release(site):
    wish = m.ReleaseAgreed(
        number=7, asked="aufsicht-2", person="kvd-1", basis=Ground4.PROSECUTION.value, recipient="Polizei", reference="KL-1"
    )
    doors = []
    return Asked("aufsicht-2", lambda: doors.append(_told(site, wish)), lambda: bool(doors[0].agreed) and not doors[0].said[-1].problem)


def request(site):
    desk, today = site.office.rights, date.fromtimestamp(site.clock.now())
    made = desk.record(Request(0, RequestState.OPEN, today, (Right.ACCESS,), "N. N.", "", "de", "aufsicht", 0.0))
    assert desk.prepare(made.id, Outcome.NOTHING_FOUND, "", "aufsicht-2") is None
    version = desk.store.get(made.id).version
    return Asked(
        "aufsicht-2",
        lambda: desk.confirm(made.id, "dsb", version),
        lambda: desk.store.get(made.id).state is RequestState.ANSWERED,
    )


def reviewer(site):
    people = PEOPLE.setdefault(site, People(site))
    if not people.keys:
        for person in ("kvd-1", "kvd-2", "kvd-3"):
            people.make(person)
        assert people.found("kvd-1", "kvd-2", "kvd-3") == ["", "", ""]
        people.pin()
    if "kvd-3" not in people.enrolment.certified():
        key = next(one.key for one in people.enrolment.waiting() if one.key.id == "kvd-3")
        assert [people.confirm(by, key) for by in ("kvd-1", "kvd-2")] == ["", ""]
    people.enrolment.revoke("aufsicht", "left", "test")
    key = people.make("aufsicht")
    assert people.confirm("kvd-3", key) == ""
    return Asked("kvd-3", lambda: people.confirm("kvd-1", key), lambda: "aufsicht" in people.enrolment.certified())


def host(site):
    office = HostOffice(site.system.site, site.records.archive.data, site.records.archive.key.installation, site.clock)
    first, second, name = site.members["technik-2"], site.members["dsb"], f"halle-{site.next()}"

    def typed():
        with suppress(OperatorError):
            office.enrol(name, first, second, site.folder / name, site.office.log, site.office.access.voices)

    return Asked("technik-2", typed, lambda: name in office.register.valid())


PEOPLE = {}
SCENES = {
    Decision.ACCOUNT: account,
    Decision.SETTINGS: settings,
    Decision.PLAN: plan,
    Decision.FACT: fact,
    Decision.CLOCK: clock,
    Decision.LOSS: loss,
    Decision.FATE: fate,
    Decision.HOLD: hold,
    Decision.VERDICT: verdict,
    Decision.UNMASK: unmask,
    Decision.RELEASE: release,
    Decision.REQUEST: request,
    Decision.REVIEWER: reviewer,
    Decision.HOST: host,
}


@pytest.mark.parametrize("how", ["nothing", "blocked", "other role"])
@pytest.mark.parametrize("decision", list(Decision))
def test_the_first_of_two_counts_only_while_they_may(site, decision, how):
    asked = SCENES[decision](site)
    site.lose(asked.first, how)
    try:
        asked.second()
        assert asked.taken() is (how == "nothing")
    finally:
        site.back()


@pytest.mark.parametrize("decision", [Decision.FACT, Decision.VERDICT])
def test_whoever_comes_back_is_not_the_second_to_one_who_came_meanwhile(site, decision):
    asked = SCENES[decision](site)
    site.lose(asked.first, "blocked")
    asked.second()
    site.back()
    assert not asked.taken(), "the voice that counted no more when the other was given does not come back to it"


def test_a_verdict_of_somebody_who_left_is_asked_for_anew(site):
    desk, case = site.office.cases, site.case()
    desk.verdict(case.id, "kvd-3", Verdict.NO_INCIDENT, "")
    assert desk.verdict(case.id, "kvd-1", Verdict.INCIDENT, "", Ground.LEGAL_CLAIM, "KL-1") is CaseState.THIRD
    site.lose("kvd-3", "blocked")
    try:
        assert desk.verdict(case.id, "kvd-2", Verdict.NO_INCIDENT, "") is CaseState.THIRD, "one against one"
        assert desk.verdict(case.id, "aufsicht", Verdict.FALSE_ALARM, "") is CaseState.DESTROYING
    finally:
        site.back()
    assert site.now(case).shred_by == ("kvd-1", "kvd-2", "aufsicht")


def test_no_package_is_signed_for_one_who_was_blocked_after_agreeing(site):
    wish = m.ReleaseAgreed(
        number=7, asked="aufsicht-2", person="kvd-1", basis=Ground4.PROSECUTION.value, recipient="Polizei", reference="KL-1"
    )
    book = RoomBook(site.system.site, site.office, site.records.archive, site.clock)
    package = m.SignThis(number=8, text=b'blickschutz-evidence-1:{"manifest":"00"}')
    for how, is_signed in (("nothing", True), ("blocked", False)):
        door = _told(site, wish)
        site.lose("aufsicht-2", how)
        try:
            asyncio.run(book.take(door, 1, "c" * 32, package))
        finally:
            site.back()
        assert bool(door.said[-1].signature) is is_signed


def test_the_page_of_people_says_why_nobody_can_confirm(site):
    asked = account(site)
    site.lose(asked.first, "blocked")
    try:
        change = site.accounts.changes()[-1]
        people = site.office.access.people
        assert (people.confirmers(change), people.is_left(change)) == ([], True)
    finally:
        site.back()
    assert people.confirmers(change)


def test_a_fact_is_signed_for_the_settings_that_its_page_showed(site):
    desk = site.room.policy.desk
    asked = fact(site)
    number = desk.all()[-1].number
    assert desk.sign(number, site.members["aufsicht"], "0" * 64).value == "other-settings"
    assert not asked.taken()


# --- nor for something else than was seen ---


def test_a_hold_whose_end_came_before_the_second_person_keeps_nothing_and_ends_nothing(site):
    """Confirmed after its end it would have replaced the hold in force, and the clip would have gone at once."""
    desk, case = site.office.cases, site.case()
    for person, until in (("kvd-1", 30 * DAY), ("kvd-2", DAY)):
        assert desk.propose_hold(case.id, person, Ground.LEGAL_CLAIM, "KL-1", site.clock.now() + until)
        if until > DAY:
            assert desk.confirm(case.id, "kvd-3", site.now(case).version) is None
    before = site.now(case).hold
    fates = site.office.quarantine
    strange = site.case(CaseState.QUARANTINED, quarantine=Quarantine(QuarantineReason.NO_ROW, site.clock.now()))
    assert fates.propose(strange.id, "aufsicht-2", Fate.HOLD, Ground.LEGAL_CLAIM, "KL-1", site.clock.now() + DAY) is None
    site.clock.sleep(2 * DAY)
    assert desk.confirm(case.id, "kvd-3", site.now(case).version) is Refusal.NO_GROUND
    assert fates.confirm(strange.id, "aufsicht", site.now(strange).version) is Refusal.NO_GROUND
    assert (site.now(case).hold, site.now(strange).state) == (before, CaseState.QUARANTINED)


def test_what_was_taken_from_somebody_is_not_given_back_by_an_older_proposal(site):
    people, accounts = site.office.access.people, site.accounts
    more = frozenset({Role.REVIEW, Role.SUPERVISION})
    assert people.change("technik-2", "kvd-3", more, site.members["kvd-3"].trained_until) is False
    (change,) = [one for one in accounts.changes() if one.person == "kvd-3"]
    assert people.change("technik", "kvd-3", frozenset({Role.CONTROL_ROOM}), None) is False, "that gives something, so it waits"
    (change,) = [one for one in accounts.changes() if one.person == "kvd-3"]
    accounts.set_rights("kvd-3", frozenset({Role.REVIEW}), None, ["technik"])
    try:
        assert people.confirm(site.members["dsb"], change.id) is AccountRefusal.NOT_THERE
        assert site.events(Event.ACCOUNT_WITHDRAWN)[0].subject == "kvd-3"
    finally:
        site.back()


def test_an_invitation_is_no_code_for_somebody_who_has_that_name_by_now(site):
    people, name = site.office.access.people, f"neu-{site.next()}"
    people.invite("technik-2", name, "Neu", frozenset({Role.CONTROL_ROOM}), None)
    change = next(one for one in site.accounts.changes() if one.person == name)
    site.accounts.take_over([Member(name, "Alt", frozenset({Role.SUPERVISION}))])
    codes = len(site.events(Event.CODE_ISSUED))
    assert people.confirm(site.members["dsb"], change.id) is AccountRefusal.TAKEN
    assert len(site.events(Event.CODE_ISSUED)) == codes
    assert site.accounts.code(name) is None


# --- nothing goes around ---

# Where two people are compared besides, and why nobody has to be asked there.
BESIDES = {
    "access/voices.py:lack": "it is what is asked",
    "cli/apply.py:_outcome": "compares hashes of a file",
    "compliance/entered.py:refusal": "pure; `FactDesk.sign` leaves out signatures of those who may no longer before it asks",
    "retention/service.py:confirm": "knows no accounts; `ClockDesk.confirm` asks first and is its only caller",
    "review/rules.py:judge": "pure; `CaseDesk.verdict` hands it the verdicts that count",
    "rights/service.py:free": "the first of two restricted, which keeps a recording; nothing of theirs decides",
    "reviewroom/room.py:consent": "the room knows no accounts; the control room's book asks once more before anything is shown",
    "reviewroom/release.py:consent": "the room knows no accounts; the control room's book asks once more before anything is signed",
    "vault/service.py:join_shares": "two secrets, whoever has them",
    "vault/register.py:_confirm": "the register knows no accounts; `Enrolment.confirm` takes voices away first that count no more",
}
SAME = frozenset({"SAME_PERSON", "SAME", "NOT_YOU"})
FIRST = frozenset({"by", "asked", "proposed_by", "seen_by"})
# Where decisions are made; pages only show what they would be told, reports and the log count.
DECIDES = (
    *("access", "bootstrap", "cli", "compliance/entered.py", "control", "hosts"),
    *("retention", "review", "reviewroom", "rights", "settings", "vault"),
)


@cache
def functions():
    """Every function where decisions are made: file and name, its node, the names of attributes in it."""
    found = []
    parts = [SOURCE / part for part in DECIDES]
    paths = [path for part in parts for path in ([part] if part.is_file() else sorted(part.rglob("*.py")))]
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
                found.append((f"{path.relative_to(SOURCE)}:{node.name}", node, names))
    return found


def compares(node):
    """Whether somebody's name is compared with that of whoever was first."""
    sides = [side for one in ast.walk(node) if isinstance(one, ast.Compare) for side in (one.left, *one.comparators)]
    return any(isinstance(side, ast.Attribute) and side.attr in FIRST for side in sides)


def test_whoever_compares_two_people_asks_whether_both_still_may():
    found = {
        name for name, node, names in functions() if name.startswith(DECIDES) and "lack" not in names and (names & SAME or compares(node))
    }
    assert found == set(BESIDES), "ask `Voices.lack`, or say here why nobody has to be asked"


def test_what_is_confirmed_on_a_page_is_a_decision_of_two(site):
    """A route that ends so is where a second voice comes in; a new one has to be named here."""
    known = {
        "/changes/{number}/confirm": Decision.ACCOUNT,
        "/settings/changes/{number}/confirm": Decision.SETTINGS,
        "/plan/picture/confirm": Decision.PLAN,
        "/facts/{number}/sign": Decision.FACT,
        "/clock/confirm": Decision.CLOCK,
        "/loss/accept": Decision.LOSS,
        "/cases/{number}/fate/confirm": Decision.FATE,
        "/cases/{number}/hold/confirm": Decision.HOLD,
        "/requests/{number}/confirm": Decision.REQUEST,
    }
    ends = ("/confirm", "/sign", "/accept", "/agree", "/consent", "/approve", "/second")
    table = (ROOT / "docs/permissions.md").read_text(encoding="utf-8")
    there = {line.split("`")[1] for line in table.splitlines() if line.startswith("| POST | `")}
    # Of a threshold that the machine proposes one person decides.
    assert {path for path in there if path.endswith(ends)} - {"/sensitivity/{camera}/accept"} == set(known)
    assert set(known.values()) <= set(SCENES)


def test_every_decision_is_asked_about_somewhere_and_tried_here():
    used = {name for _, _, names in functions() for name in names}
    assert {one.name for one in Decision} <= used
    assert set(VOICES) == set(SCENES) == set(Decision)


def test_why_two_voices_are_not_two():
    members = {name: Member(name, name, frozenset(Role)) for name in ("a", "b")}
    voices = Voices(lambda: members)
    assert voices.lack(Decision.HOLD, ("a",), "b") is None
    assert voices.lack(Decision.HOLD, ("a",), "a") is Lack.SAME
    assert voices.lack(Decision.HOLD, ("c",), "b") is Lack.LEFT
    assert voices.lack(Decision.HOLD, (), "b") is Lack.LEFT, "nobody is no first"
    assert voices.lack(Decision.HOLD, ("a",), "c") is Lack.MAY_NOT
