"""The pages about the time for deadlines: what they say, and that it takes two people who read the same list."""

from __future__ import annotations

import asyncio
import html
import re
from dataclasses import replace

import httpx
import pytest

from blickschutz.access.model import Member, Permission, Role
from blickschutz.access.rules import PERMISSIONS
from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.config.loader import load_site
from blickschutz.kernel.errors import DeviceError
from blickschutz.retention.model import (
    FAULTS,
    JUMPS,
    Basis,
    Choice,
    Confirmed,
    Proposal,
    Reason,
    TimeView,
    Void,
)
from blickschutz.review.io.beside import NotesBeside
from blickschutz.review.io.store import METADATA as CASE_TABLES
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.model import Case, CaseState
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import InstallationKey
from blickschutz.web import texts
from blickschutz.web.routes.clock import mark, span
from tests.conftest import ROOT
from tests.databases import by_hand
from tests.fakes.clock import ManualClock
from tests.fakes.time import DAY
from tests.fakes.timedesk import ClockPages, Doors, ScriptedTime
from tests.house import House

pytestmark = pytest.mark.both_databases

SITE = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
CAMERA = SITE.cameras[0]
PEOPLE = (
    Member("aufsicht", "Anna Aufsicht", frozenset({Role.SUPERVISION})),
    Member("kvd-1", "Karl Dienst", frozenset({Role.REVIEW})),
    Member("leitstelle-1", "Lea Leitstelle", frozenset({Role.CONTROL_ROOM})),
    Member("technik", "Tim Technik", frozenset({Role.ADMINISTRATION})),
    Member("dsb", "Dora Schutz", frozenset({Role.DATA_PROTECTION})),
)
NOW = 1_700_000_000.0
CLIPS = ["a" * 32, "b" * 32]
WALL, COUNT = Choice(Basis.WALL, 5 * DAY + 1, (*CLIPS,)), Choice(Basis.COUNT, 0.0, ())
FINE = TimeView(None, None, NOW, NOW, True, 0.0, (), None, (), "")
JUMPED = replace(FINE, reason=Reason.JUMP_AHEAD, since=NOW - 600, wall=NOW + 5 * DAY + 1, synchronised=False, choices=(WALL, COUNT))
PROPOSED = Proposal(7, "aufsicht", WALL, Reason.JUMP_AHEAD, 5 * DAY + 1, NOW)


class Place:
    """Pages over a desk, real cases and a real log, and people who look at them."""

    def __init__(self, folder, desk, clock=None, stores=None):
        self.clock = clock or ManualClock()
        self.key = InstallationKey(folder / "key")
        self.engine = open_engine(folder / "control.db", LOG_TABLES, CASE_TABLES)
        self.log = AuditLog(self.engine, self.clock, self.key.sign, self.key.public)
        self.cases = SqlCaseStore(self.engine, self.log, NotesBeside(folder / "clips", self.key))
        self.cases, self.log = stores or (self.cases, self.log)
        self.open(desk)

    def open(self, desk):
        self.desk = desk
        self.pages = ClockPages(SITE, desk, self.cases, self.log, self.clock, Doors(*PEOPLE))

    def record(self, clip, opened=NOW - DAY):
        return self.cases.add(Case(0, clip, CAMERA.id, "sealed", "person_down", opened, CaseState.WAITING)).id

    def ask(self, method, path, person="aufsicht", language="de", **data):
        async def ask():
            transport = httpx.ASGITransport(self.pages.app)
            cookies = {"session": person, "language": language}
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
                return await client.request(method, path, data=data or None)

        return asyncio.run(ask())

    def read(self, person="aufsicht", language="de"):
        answer = self.ask("GET", "/clock", person, language)
        assert answer.status_code == 200, answer.text
        return html.unescape(answer.text)

    def propose(self, person, basis, page=None, **more):
        """Send the form of a choice as it was on the page."""
        form = re.search(rf'name="basis" value="{basis}">.*?</form>', page or self.read(person), re.S)[0]
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        ticked = {} if "read" not in fields else {"read": ""}
        return self.ask("POST", "/clock/propose", person, **{**fields, **ticked, **more})

    def confirm(self, person, number, **more):
        return self.ask("POST", "/clock/confirm", person, number=number, **more)


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path, ScriptedTime(JUMPED))
    made.numbers = [made.record(clip, NOW - (3 - n) * DAY) for n, clip in enumerate(CLIPS)]
    yield made
    made.engine.dispose()


def lists(page):
    """The numbers of the cases in each list of the page, in order."""
    return [[int(n) for n in re.findall(r'href="/cases/(\d+)"', table)] for table in re.findall(r"<tbody>(.*?)</tbody>", page, re.S)]


class TestWhatThePageSays:
    @pytest.mark.parametrize("language", ["de", "en"])
    @pytest.mark.parametrize("reason", list(Reason))
    def test_every_reason_is_named_with_what_to_check(self, place, reason, language):
        place.desk.now = replace(JUMPED, reason=reason)
        page, translate = place.read(language=language), texts.translator(language)
        what, checks = texts.SUSPENDED_WORDS[reason.value]
        assert translate(what) in page
        assert len(checks) >= 3
        for check in checks:
            assert translate(check) in page
        assert (translate("Das endet nur, wenn zwei Personen entscheiden.") in page) is (reason in FAULTS)
        kind = "damage" if reason in FAULTS else "jump" if reason in JUMPS else "start"
        for basis in Basis:
            assert translate(texts.CHOICE_MEANINGS[kind, basis.value]) in page

    def test_both_clocks_since_when_and_how_far_apart(self, place):
        page = place.read()
        for said in ("14.11.2023, 23:03:20 Uhr", "19.11.2023, 23:13:21 Uhr", "14.11.2023, 23:13:20 Uhr", "die Uhr liegt 5 Tage 0 h vorn"):
            assert said in page
        assert "keiner bestätigt die Uhr" in page
        place.desk.now = replace(JUMPED, wall=NOW - 90, synchronised=True, choices=(COUNT,))
        page = place.read(language="en")
        assert "the clock is 1 min behind" in page
        assert "confirms the clock now" in page
        assert "only one choice" in page

    def test_each_choice_shows_what_it_would_end_and_how_much_older_everything_gets(self, place):
        page = place.read()
        assert lists(page) == [place.numbers]
        assert "um 5 Tage 0 h älter" in page
        assert "Sofort oder innerhalb einer Stunde werden vernichtet: 2" in page
        assert CAMERA.name in page
        assert "11.11.2023, 23:13:20 Uhr" in page
        assert "Nichts wird dadurch älter." in page
        assert "Keine Aufzeichnung endet dadurch" in page

    def test_nothing_is_chosen_and_what_destroys_asks_for_a_tick(self, place):
        page = place.read()
        main = page[page.index("<main") :]
        assert 'type="radio"' not in main
        assert " checked" not in main
        assert len(re.findall(r'type="checkbox"[^>]* required', main)) == 1, "only the choice that destroys"
        assert len(re.findall(r'action="/clock/propose"', main)) == 2

    def test_a_clip_without_a_case_or_with_a_damaged_one_is_named_all_the_same(self, place):
        by_hand(place.engine, "update cases set facts = 'x' where clip = ?", CLIPS[1])
        lost = "c" * 32
        place.desk.now = replace(JUMPED, choices=(Choice(Basis.WALL, 1.0, (*CLIPS, lost)), COUNT))
        page = place.read()
        assert lists(page) == [place.numbers[:1]]
        assert page.count("Aufzeichnung ohne lesbaren Vorgang") == 2
        assert "werden vernichtet: 3" in page

    def test_clips_that_nobody_can_judge_are_named(self, place):
        place.desk.now = replace(JUMPED, reason=Reason.EPOCH_UNKNOWN, unjudged=(CLIPS[1],), choices=(COUNT,))
        page = place.read()
        assert "Aufzeichnungen, deren Alter niemand kennt" in page
        assert lists(page) == [place.numbers[1:]]

    @pytest.mark.parametrize("wall", [0.0, 253_402_300_799.0, 1e17, float("nan"), float("inf")])
    def test_a_clock_that_says_anything_at_all_is_shown(self, place, wall):
        place.desk.now = replace(JUMPED, reason=Reason.IMPOSSIBLE, wall=wall, choices=())
        page = place.read()
        assert "Erst wenn sie gestellt ist" in page
        assert "/clock/propose" not in page

    def test_when_all_is_well_it_says_so_with_the_state_of_the_sources(self, place):
        place.desk.now = replace(FINE, claim=120.0, unsaved="Input/output error")
        page = place.read()
        for said in ("Die Fristen laufen.", "bestätigt die Uhr jetzt", "keiner", "noch nicht gezählt", "2 min", "Input/output error"):
            assert said in page
        assert "Was stimmt?" not in page
        assert "/clock/propose" not in page

    def test_spans(self):
        said = [span(s, lambda text: text) for s in (0, 59, 60, 3599, 3600, 48 * 3600 - 1, 48 * 3600, 5 * DAY + 7300, float("inf"))]
        assert said == ["0 s", "59 s", "1 min", "59 min", "1 h 0 min", "47 h 59 min", "2 Tage 0 h", "5 Tage 2 h", "∞"]


class TestTwoPeople:
    def test_one_proposes_what_was_on_the_page(self, place):
        place.desk.answers.append(PROPOSED)
        answer = place.propose("aufsicht", Basis.WALL, read="1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/clock")
        assert place.desk.asked == [("aufsicht", Basis.WALL)]

    def test_without_the_tick_nothing_that_destroys_is_proposed(self, place):
        answer = place.propose("aufsicht", Basis.WALL)
        assert answer.status_code == 422
        assert "mit dem Haken" in answer.text
        assert place.desk.asked == []
        place.desk.answers.append(replace(PROPOSED, choice=COUNT))
        assert place.propose("aufsicht", Basis.COUNT).status_code == 303

    @pytest.mark.parametrize(
        ("now", "problem", "status"),
        [
            (replace(JUMPED, choices=(replace(WALL, due=(CLIPS[0],)), COUNT)), "changed", 409),
            (replace(JUMPED, choices=(replace(WALL, seconds=5 * DAY + 60), COUNT)), "changed", 409),
            (replace(JUMPED, reason=Reason.START_AHEAD), "changed", 409),
            (replace(JUMPED, choices=(COUNT,)), "not-possible", 409),
            (FINE, "not-suspended", 409),
        ],
    )
    def test_what_is_no_longer_what_was_seen_is_shown_anew(self, place, now, problem, status):
        page = place.read()
        place.desk.now = now
        answer = place.propose("aufsicht", Basis.WALL, page, read="1")
        assert answer.status_code == status
        assert texts.CLOCK_PROBLEMS[problem] in html.unescape(answer.text)
        assert place.desk.asked == []

    def test_a_drift_of_a_second_is_no_change(self, place):
        page = place.read()
        place.desk.now = replace(JUMPED, choices=(replace(WALL, seconds=WALL.seconds + 1), COUNT))
        place.desk.answers.append(PROPOSED)
        assert place.propose("aufsicht", Basis.WALL, page, read="1").status_code == 303

    @pytest.mark.parametrize("basis", ["", "both"])
    def test_a_choice_that_is_none(self, place, basis):
        answer = place.ask("POST", "/clock/propose", basis=basis, seen=mark(Reason.JUMP_AHEAD, WALL), read="1")
        assert answer.status_code == 422
        assert place.desk.asked == []

    def test_what_the_desk_refuses_is_said(self, place):
        place.desk.answers.append(Void.NOT_POSSIBLE)
        answer = place.propose("aufsicht", Basis.COUNT)
        assert answer.status_code == 409
        assert texts.CLOCK_PROBLEMS["not-possible"] in answer.text

    def test_the_second_sees_the_same_list_and_confirms_it(self, place):
        place.desk.now = replace(JUMPED, proposal=PROPOSED)
        page = place.read("kvd-1")
        before, after = page.split("Anderes vorschlagen")
        assert "Vorgeschlagen von Anna Aufsicht: Die Uhr des Rechners stimmt" in before
        assert lists(before) == [place.numbers]
        assert "um 5 Tage 0 h älter" in before
        assert re.search(r'action="/clock/confirm".*?name="number" value="7".*?type="checkbox"[^>]* required', before, re.S)
        assert "/clock/propose" not in before
        assert "/clock/propose" in after
        assert place.confirm("kvd-1", 7).status_code == 422, "not without the tick"
        assert place.desk.asked == []
        place.desk.answers.append(Confirmed(Basis.WALL, ("aufsicht", "kvd-1"), Reason.JUMP_AHEAD, WALL.seconds, WALL.due, 3))
        assert place.confirm("kvd-1", 7, read="1").status_code == 303
        assert place.desk.asked == [("kvd-1", 7)]

    def test_whoever_proposed_sees_no_way_to_confirm(self, place):
        place.desk.now = replace(JUMPED, proposal=PROPOSED)
        page = place.read("aufsicht")
        assert "/clock/confirm" not in page
        assert "Bestätigung einer zweiten Person" in page
        place.desk.answers.append(Void.SAME_PERSON)
        answer = place.confirm("aufsicht", 7, read="1")
        assert answer.status_code == 409
        assert texts.CLOCK_PROBLEMS["same-person"] in answer.text

    @pytest.mark.parametrize("void", list(Void))
    @pytest.mark.parametrize("language", ["de", "en"])
    def test_why_a_confirmation_is_not_taken_is_said_and_the_list_shown_anew(self, place, void, language):
        place.desk.answers.append(void)
        answer = place.ask("POST", "/clock/confirm", "kvd-1", language, number=7, read="1")
        assert answer.status_code == 409
        page = html.unescape(answer.text)
        assert texts.translator(language)(texts.CLOCK_PROBLEMS[void.value]) in page
        assert lists(page) == [place.numbers]

    def test_what_cannot_be_kept_is_said(self, place):
        place.desk.answers.append(DeviceError("No space left on device"))
        answer = place.confirm("kvd-1", 7, read="1")
        assert answer.status_code == 503
        assert texts.CLOCK_PROBLEMS["unsaved"] in answer.text


class TestWhoMay:
    @pytest.mark.parametrize("member", PEOPLE, ids=lambda member: member.id)
    def test_supervision_and_review_and_nobody_else(self, place, member):
        fits = bool(member.roles & {Role.SUPERVISION, Role.REVIEW})
        place.desk.answers.extend([Void.GONE, Void.GONE])
        assert (place.ask("GET", "/clock", member.id).status_code == 200) is fits
        for path in ("/clock/propose", "/clock/confirm"):
            assert (place.ask("POST", path, member.id, number=7).status_code != 403) is fits

    def test_one_supervisor_and_one_reviewer_are_two(self):
        assert PERMISSIONS[Permission.CLOCK] == {Role.SUPERVISION, Role.REVIEW}

    @pytest.mark.parametrize("member", PEOPLE, ids=lambda member: member.id)
    def test_everybody_who_is_signed_in_is_told_on_every_page(self, tmp_path, member):
        place = Place(tmp_path, ScriptedTime(JUMPED))
        page = self.any_page(place, member)
        assert "Die Zeit für die Fristen ist unklar" in page
        assert ('href="/clock"' in page) is bool(member.roles & {Role.SUPERVISION, Role.REVIEW})
        place.desk.now = FINE
        assert "Die Zeit für die Fristen ist unklar" not in self.any_page(place, member)
        place.engine.dispose()

    @staticmethod
    def any_page(place, member):
        """A page with nothing of its own in the frame that all share."""
        answer = place.ask("GET", "/nothing", member.id)
        assert answer.status_code == 404
        return html.unescape(answer.text)


class JumpingClock(ManualClock):
    """A clock whose wall time somebody sets."""

    ahead = 0.0

    def now(self):
        return super().now() + self.ahead


class TestTheRealTime:
    def test_a_jump_two_people_and_what_follows(self, tmp_path):
        clock = JumpingClock()
        house = House(tmp_path, clock)
        desk, cases, log = house.records.clock, house.records.office.cases, house.records.office.log
        place = Place(tmp_path / "pages", desk, clock, (cases.store, log))

        def record(clip):
            return cases.opened(Case(0, clip, CAMERA.id, "sealed", "person_down", clock.now(), CaseState.RECORDING)).id

        desk.look()
        number = record(CLIPS[0])
        assert "Die Fristen laufen." in place.read()
        clock.sleep(60)
        clock.ahead = 4 * DAY
        page = place.read("kvd-1")
        assert texts.SUSPENDED_WORDS["jump-ahead"][0] in page
        assert lists(page) == [[number]]
        assert "um 4 Tage 0 h älter" in page
        assert place.propose("kvd-1", Basis.WALL, page, read="1").status_code == 303
        proposed = int(re.search(r'name="number" value="(\d+)"', place.read("aufsicht"))[1])
        assert place.confirm("kvd-1", proposed, read="1").status_code == 409, "the same person"
        # Something ends meanwhile: nobody confirms what they did not see.
        ended = cases.store.get(number)
        assert cases.store.doom(replace(ended), "erasure", ("aufsicht", "dsb"))
        answer = place.confirm("aufsicht", proposed, read="1")
        assert answer.status_code == 409
        assert lists(answer.text) == []
        assert list(log.find(event=Event.CLOCK_CONFIRMED)) == []
        assert place.propose("aufsicht", Basis.COUNT).status_code == 303
        proposed = int(re.search(r'name="number" value="(\d+)"', place.read("kvd-1"))[1])
        assert place.confirm("kvd-1", proposed).status_code == 303
        entries = [entry for event in (Event.CLOCK_PROPOSED, Event.CLOCK_CONFIRMED) for entry, _ in log.find(event=event)]
        assert [(one.by, one.facts["basis"], one.facts["clips"]) for one in entries] == [
            ("aufsicht", "count", []),
            ("kvd-1", "wall", [CLIPS[0]]),
            ("kvd-1", "count", []),
        ]
        assert entries[-1].facts["people"] == ["aufsicht", "kvd-1"]
        assert "Die Fristen laufen." in place.read()
        assert desk.suspended == ""
        place.engine.dispose()
        house.close()


def test_every_reason_and_every_void_has_words():
    assert set(texts.SUSPENDED_WORDS) == set(Reason)
    assert set(texts.CLOCK_PROBLEMS) >= set(Void)
