"""The log's limit: what is erased at it and what stays, and that a whole log still verifies while one that somebody cut does not."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from blickschutz.anchor.cuts import read_export
from blickschutz.anchor.model import Anchor
from blickschutz.anchor.rules import against, against_witness
from blickschutz.audit.erasures import erased_digest
from blickschutz.audit.io.log import METADATA, AuditLog, erased
from blickschutz.audit.lives import LASTING, STANDING, Dated, LogLife, ended
from blickschutz.audit.model import Event
from blickschutz.audit.rules import encode_erased, is_erased, verify
from blickschutz.control.io.orders import METADATA as ORDER_TABLES
from blickschutz.control.io.orders import SqlOrderStore
from blickschutz.control.model import OrderState, RecordingOrder
from blickschutz.control.service.logend import BUSY_S, EVERY_S, LogEnd
from blickschutz.kernel.errors import StoreBusyError
from blickschutz.kernel.periods import DONE_S
from blickschutz.retention.io.sources import ClockSources
from blickschutz.retention.io.timefile import TimeFile
from blickschutz.retention.service import RetentionTime
from blickschutz.review.io.store import METADATA as CASE_TABLES
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.review.model import Case, CaseState, GivenVerdict, Verdict
from blickschutz.storage.engine import check, open_engine, writing
from blickschutz.storage.reserve import Reserve
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.databases import is_kept
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.both_databases

BERLIN, DAY_S = ZoneInfo("Europe/Berlin"), 86_400.0
LIFE = LogLife(24, BERLIN)
YEARS = [date(2027, 1, 1) + timedelta(days=offset) for offset in range(365 + 366)]
# What everybody who erased the log by hand would like to be gone.
SECRET = "Schluesselwort"


def at(day, hour=12, minute=0):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN).timestamp()


class Clock(ManualClock):
    """Time goes on by `step`; `jump` moves only what the machine says of the date."""

    def __init__(self, start):
        super().__init__(1000.0)
        self.offset = start - self.time

    def now(self):
        return self.time + self.offset

    def step(self, seconds):
        self.time += seconds

    def jump(self, seconds):
        self.offset += seconds


class NoClips:
    def stamped(self):
        return []


class NoNotes:
    def keep(self, *told):
        pass


class NoJournal:
    def begun(self):
        return False

    def serial(self):
        return 0


class House:
    """A log of three years on real SQLite, with all that its end needs."""

    def __init__(self, tmp_path):
        self.path = tmp_path / "control.db"
        self.clock, self.key = Clock(at(date(2027, 1, 1))), InstallationKey(tmp_path / "installation.key")
        self.engine = open_engine(self.path, METADATA, CASE_TABLES, ORDER_TABLES)
        self.log = AuditLog(self.engine, self.clock, self.key.try_sign, self.key.public)
        self.there: set[str] = set()
        self.lost = False
        file = TimeFile(tmp_path / "retention.clock", self.key.sign, self.key.signed, keep=True)
        self.time = RetentionTime(ClockSources(self.clock), file, NoClips(), NoJournal(), None)
        reserve = Reserve(tmp_path / "reserve", 4096)
        self.end = LogEnd(self.log, LIFE, self.time, self.clock, lambda: self.there, lambda: self.lost, reserve)
        self.time.check()

    def write(self, day, what=Event.SIGNED_IN, by="ada", subject="", facts=None):
        self.clock.step(at(day) - self.clock.now())
        return self.log.write(what, by, subject, facts).number

    def look(self, day, hour=23):
        self.clock.step(max(at(day, hour) - self.clock.now(), EVERY_S))
        self.end.look()

    def numbers(self):
        return [entry.number for entry, _ in reversed(self.log.find(most=10_000))]

    def problems(self, lines=None):
        return [fault.problem for fault in verify(self.log.export() if lines is None else lines, is_signed, self.key.public)]


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.engine.dispose()


def test_every_entry_of_two_years_is_erased_at_its_limit_and_none_before():
    """Asked an hour and a second before each midnight, and at the hour: as for clips, destruction begins an hour before the end."""
    entries = [Dated(number, at(day, 0, 1), "signed-in", "") for number, day in enumerate(YEARS, 1)]
    for number, day in enumerate(YEARS, 1):
        last = date(day.year + 2, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)
        end = at(last + timedelta(days=1), 0) - DONE_S
        following = entries[number - 1 : number + 1]
        assert list(ended(following, LIFE, end - 1, set)) == []
        gone = list(ended(following, LIFE, end, set))
        # What was written on 28 and on 29 February ends with the same 28 February.
        assert gone == [number, number + 1] if (day.month, day.day) == (2, 28) and day.year == 2028 else [number]


@pytest.mark.parametrize("months", [12, 24, 25, 30, 36])
def test_the_log_is_whole_from_the_first_day_of_which_nothing_is_to_end(months):
    """Each day of 2027 and 2028, before and after the hour at which a day's entries begin to end."""
    life = LogLife(months, BERLIN)
    for day in YEARS:
        for hour, minute in ((0, 0), (22, 59), (23, 0), (23, 59)):
            now = at(day, hour, minute)
            first = life.whole_from(now)
            assert life.ends(at(first, 0)) > now
            assert all(life.ends(at(first - timedelta(days=before), 23, 59)) <= now for before in (1, 2, 3, 31))
            assert life.ends(at(first, 23, 59)) == life.ends(at(first, 0))


@pytest.mark.parametrize(
    ("today", "months", "first"),
    [
        (date(2028, 2, 29), 24, date(2026, 3, 1)),
        (date(2028, 2, 28), 24, date(2026, 2, 28)),
        (date(2028, 8, 29), 30, date(2026, 3, 1)),
        (date(2028, 8, 31), 30, date(2026, 3, 1)),
        (date(2028, 3, 31), 25, date(2026, 3, 1)),
    ],
)
def test_the_log_is_whole_at_the_ends_of_months(today, months, first):
    assert LogLife(months, BERLIN).whole_from(at(today)) == first


def test_what_is_erased_is_gone_from_every_file_and_the_log_still_verifies(house, tmp_path):
    number = house.write(date(2027, 1, 5), facts={"reason": SECRET})
    kept = house.write(date(2028, 6, 1))
    old = read_export(list(house.log.export()))
    house.look(date(2029, 1, 4))
    assert number in house.numbers()
    house.look(date(2029, 1, 5))
    assert house.numbers() == [kept, kept + 1]
    assert house.problems() == []
    told = house.log.find(event=Event.LOG_ERASED)[0][0]
    assert (told.facts["entries"], told.facts["first"], told.facts["last"], told.facts["months"]) == (1, number, number, 24)
    assert house.log.hash_of(number) == old.hash_of(number)
    assert house.log.hashes(0, 10)[:2] == list(old.hashes)
    assert not is_kept(SECRET.encode(), tmp_path)
    assert check(house.engine, METADATA, deep=True) == []
    assert house.end.overdue() == 0


def test_a_hash_alone_does_not_tell_what_it_was_made_of(house):
    """Two entries that say the same have different salts: whoever tries all that could have been said finds nothing."""
    first, second = house.write(date(2027, 1, 5)), house.write(date(2027, 1, 5))
    salts = {entry.salt for entry, _ in house.log.find(most=10)}
    assert len(salts) == second - first + 1
    assert all(len(salt) == 32 for salt in salts)


def test_what_still_stands_stays(house):
    day = date(2027, 1, 5)
    for what in sorted(LASTING - {Event.LOG_ERASED}):
        house.write(day, what)
    for what in sorted(STANDING):
        for subject in ("gate", "door"):
            house.write(day, what, subject=subject)
            house.write(day, what, subject=subject)
    house.there = {"clip-1"}
    for subject in ("clip-1", "clip-2"):
        house.write(day, Event.CLIP_SHOWN, subject=subject)
    house.look(date(2029, 1, 5))
    left = [entry for entry, _ in house.log.find(most=10_000) if entry.event is not Event.LOG_ERASED]
    assert {entry.event for entry in left} == (LASTING | STANDING | {Event.CLIP_SHOWN}) - {Event.LOG_ERASED}
    assert sorted((entry.event, entry.subject) for entry in left if entry.event in STANDING) == sorted(
        (what, subject) for what in STANDING for subject in ("gate", "door")
    )
    assert [entry.subject for entry in left if entry.event is Event.CLIP_SHOWN] == ["clip-1"]
    house.there = set()
    house.look(date(2029, 1, 6))
    assert not house.log.find(event=Event.CLIP_SHOWN)
    assert house.problems() == []


@pytest.mark.parametrize("why", ["lost", "suspended", "no key", "looked just now"])
def test_nothing_ends_while(house, why):
    house.write(date(2027, 1, 5))
    house.clock.step(at(date(2029, 2, 1)) - house.clock.now())
    if why == "lost":
        house.lost = True
    elif why == "suspended":
        house.time.check()
        house.clock.jump(-400 * DAY_S)
    elif why == "no key":
        house.log = house.end._log = AuditLog(house.engine, house.clock, lambda data: None, house.key.public)
    else:
        house.end.look()
        house.write(date(2029, 2, 1))
        house.clock.step(60.0)
    before = house.numbers()
    house.end.look()
    assert house.numbers() == before


def ends_on(entries, number, days):
    """The first of these days on which that entry is to end."""
    return next((day for day in days if number in ended(entries, LIFE, at(day, 23), set)), None)


def test_a_clock_that_was_wrong_ends_nothing_early():
    """1970 in between, and a date that is still to come: all were written before the next that is dated well."""
    days = (date(2027, 1, 1), date(1970, 1, 2), date(2026, 12, 1), date(2040, 1, 1), date(2027, 1, 3))
    entries = [Dated(number, at(day), "signed-in", "") for number, day in enumerate(days, 1)]
    assert list(ended(entries, LIFE, at(date(2028, 12, 31), 23), set)) == []
    assert list(ended(entries, LIFE, at(date(2029, 1, 1), 23), set)) == [1]
    assert list(ended(entries, LIFE, at(date(2029, 1, 3), 23), set)) == [1, 2, 3, 4, 5]
    assert list(ended(entries[:4], LIFE, at(date(2029, 1, 3), 23), set)) == [1], "whose age nobody can say stays"


@pytest.mark.parametrize("wrong", [date(2023, 1, 2), date(2031, 1, 1), date(2026, 2, 1)])
def test_after_six_weeks_of_a_dead_clock_an_entry_ends_with_the_next_that_is_dated_well(wrong):
    """Written on 10 March in truth, and six weeks before that no entry at all."""
    entries = [Dated(1, at(date(2026, 2, 1)), "", ""), Dated(2, at(wrong, 11), "", ""), Dated(3, at(date(2026, 3, 15)), "", "")]
    assert ends_on(entries, 2, [date(2028, 2, 1), date(2028, 3, 10), date(2028, 3, 14), date(2028, 3, 15)]) == date(2028, 3, 15)


def test_one_entry_half_a_year_ahead_keeps_none_after_it_where_the_log_goes_on():
    days = [date(2026, 1, 1) + timedelta(days=offset) for offset in range(1000)]
    entries = [Dated(number, at(day), "", "") for number, day in enumerate(days, 1)]
    entries[60] = replace(entries[60], at=at(days[60] + timedelta(days=190)))
    for number in (60, 61, 62, 100, 250):
        day = days[max(number, 62) - 1] if number == 61 else days[number - 1]
        limit = date(day.year + 2, day.month, day.day)
        around = [limit + timedelta(days=offset) for offset in (-2, -1, 0, 1)]
        assert next(day for day in around if ends_on(entries[: (day - days[0]).days + 1], number, [day])) == limit, number
    alone = [entries[59], entries[60], entries[61]]
    assert ends_on(alone, 62, [date(2028, 3, 3), date(2028, 9, 8), date(2029, 3, 1)]) is None, "nobody knows: the one may be right"


def test_whatever_clocks_showed_none_ends_early_and_of_a_log_that_goes_on_none_a_week_late():
    """200 logs in which the clock stood wrong up to three times, for an entry to eight weeks, by a week to four years."""
    chance = random.Random(17)
    late = []
    for _ in range(200):
        true, moment, now = [], at(date(2026, 1, 1)), at(date(2028, 1, 1)) + chance.uniform(0, 330) * DAY_S
        while moment < now - DAY_S:
            moment += chance.uniform(0.02, 0.98) * DAY_S
            true.append(moment)
        shown = list(true)
        for _ in range(chance.randint(1, 3)):
            start, length = chance.randrange(1, 600), chance.choice((1, 2, 10, 60, 110))
            off = chance.choice((-1, 1)) * chance.uniform(7, chance.choice((30, 200, 1400))) * DAY_S
            for index in range(start, min(start + length, len(true) - 8)):
                shown[index] = true[index] + off
        entries = [Dated(number, moment, "", "") for number, moment in enumerate(shown)]
        gone = set(ended(entries, LIFE, now, set))
        assert all(LIFE.ends(true[number]) <= now for number in gone), [(n, true[n], shown[n]) for n in gone if LIFE.ends(true[n]) > now]
        late.append(sum(LIFE.ends(moment) + 7 * DAY_S <= now for number, moment in enumerate(true) if number not in gone))
    assert sum(map(bool, late)) == 0


def test_what_was_erased_before_still_says_how_late_it_was(house):
    """The clock died when the older entry was signed, and that one is gone now."""
    house.write(date(2027, 2, 1))
    house.log.checkpoint()
    house.clock.jump(-900 * DAY_S)
    number = house.log.write(Event.UNMASK_GRANTED, "ada").number
    house.clock.jump(900 * DAY_S)
    house.write(date(2027, 3, 15))
    house.look(date(2029, 2, 1))
    assert house.numbers()[0] == number
    house.look(date(2029, 3, 14))
    assert house.numbers()[0] == number
    house.look(date(2029, 3, 15))
    assert number not in house.numbers()
    assert house.problems() == []


def erased_house(house):
    numbers = [house.write(date(2027, 1, day), facts={"day": day}) for day in range(5, 12)]
    house.write(date(2028, 6, 1))
    house.look(date(2029, 1, 8))
    return numbers


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda lines: [*lines[:1], *lines[2:]], "order"),
        (lambda lines: [*lines[:1], lines[1].replace(b'"hash":"', b'"hash":"0', 1), *lines[2:]], "unreadable"),
        (lambda lines: [*lines[:1], encode_erased("0" * 64, 9), *lines[2:]], "erased"),
        (lambda lines: [*lines[:1], lines[1].replace(b'"erased":', b'"erased": '), *lines[2:]], "form"),
        (lambda lines: [*lines[:5], encode_erased(lines[5][9:73].decode(), 9), *lines[6:]], "erased"),
        (lambda lines: [*lines[:5], encode_erased(lines[5][9:73].decode(), 99), *lines[6:]], "erased"),
        (lambda lines: [*lines[:4], encode_erased("1" * 64, 9), *lines[5:]], "chain"),
    ],
)
def test_an_entry_that_somebody_took_away_is_found(house, change, problem):
    erased_house(house)
    lines = list(house.log.export())
    assert [is_erased(line) for line in lines[1:6]] == [True, True, True, True, False]
    assert house.problems(lines) == []
    assert problem in house.problems(change(lines))


def test_every_flipped_bit_of_an_erased_log_is_found(house):
    erased_house(house)
    lines = list(house.log.export())
    data = b"\n".join(lines)
    for place in range(0, 8 * sum(map(len, lines[:6])), 37):
        altered = bytearray(data)
        altered[place // 8] ^= 1 << place % 8
        assert house.problems(bytes(altered).split(b"\n")), place


def test_an_export_that_begins_later_verifies_too(house):
    first = erased_house(house)[0]
    for start in (first + 1, first + 4, first + 6):
        assert house.problems(house.log.export(start)) == []


def test_the_database_lets_nothing_go_that_no_entry_tells_of(house):
    number = erased_house(house)[-1]
    hashed = house.log.hash_of(number)
    commands = (
        f"DELETE FROM log WHERE number = {number}",
        f"INSERT INTO log_erased VALUES ({number}, '{hashed}', {number})",
        "DELETE FROM log_erased",
        "UPDATE log_erased SET hash = ''",
    )
    for command in commands:
        with pytest.raises(IntegrityError, match="append only"), writing(house.engine) as connection:
            connection.execute(text(command))


@pytest.mark.files_alone  # on a server its owner makes it anew: test_server_store.py
def test_a_guard_that_somebody_weakened_is_named_and_made_anew(house):
    with writing(house.engine) as connection:
        connection.execute(text("DROP TRIGGER log_no_delete"))
        connection.execute(text("CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT 1; END"))
    assert [fault.kind.value for fault in check(house.engine, METADATA)] == ["unguarded"]
    open_engine(house.path, METADATA).dispose()
    assert check(house.engine, METADATA) == []


def test_an_older_export_and_the_witness_still_agree(house):
    house.write(date(2027, 1, 5))
    older = read_export(list(house.log.export()))
    anchor = Anchor(public_key=house.key.public.hex(), after=0, after_hash="0" * 64, number=1, at=0.0, hashes=list(older.hashes))
    erased_house(house)
    newer = read_export(list(house.log.export()))
    assert list(against(older, newer)) == []
    assert list(against_witness([anchor], newer)) == []
    assert list(against(newer, read_export(list(house.log.export(3))))) == []
    other = AuditLog(open_engine(house.path.with_name("other.db"), METADATA), house.clock, house.key.sign, house.key.public)
    for _ in range(20):
        other.write(Event.SIGNED_IN, "eve")
    assert [fault.problem for fault in against(newer, read_export(list(other.export())))]
    assert [fault.problem for fault in against_witness([anchor], read_export(list(other.export())))] == ["forked"]


def test_what_a_reader_keeps_in_the_journal_goes_when_they_are_done(house, tmp_path):
    house.write(date(2027, 1, 5), facts={"reason": SECRET})
    house.write(date(2028, 1, 5))
    with house.engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM log")).scalar_one()
        house.look(date(2029, 1, 5))
        with pytest.raises(StoreBusyError):
            house.log.forget()
    house.clock.step(5.0)
    house.end.look()
    assert is_kept(SECRET.encode(), tmp_path), "whoever was busy is left alone"
    house.clock.step(BUSY_S)
    house.end.look()
    assert not is_kept(SECRET.encode(), tmp_path)


def test_whoever_waits_for_the_journal_keeps_nobody_from_writing(house):
    house.write(date(2027, 1, 5))
    with house.engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM log")).scalar_one()
        house.write(date(2027, 1, 6))
        began = time.monotonic()
        for _ in range(5):
            with pytest.raises(StoreBusyError):
                house.log.forget()
        assert time.monotonic() - began < 4, "five waits for a lock are longer"


def case_of(clip, destroyed):
    verdict = GivenVerdict(person="kvd-1", verdict=Verdict.NO_INCIDENT, note="eine Notiz", at=destroyed)
    told = {"verdicts": (verdict,), "shred_by": ("kvd-1", "kvd-2"), "shred_reason": "harmless", "sha256": "a" * 64}
    return Case(0, clip, "gate", "sealed", "manual", destroyed - 60, CaseState.DESTROYED, destroyed=destroyed, ending="overwritten", **told)


def test_what_a_case_says_of_people_ends_with_the_entries_about_it(house):
    store = SqlCaseStore(house.engine, house.log, NoNotes())
    cases = [store.add(case_of(f"{number:032x}", at(day))) for number, day in enumerate((date(2027, 1, 5), date(2027, 1, 6)))]
    waiting = store.add(replace(case_of("f" * 32, at(date(2027, 1, 5))), state=CaseState.WAITING))
    house.end._forget = (store.forget,)
    house.look(date(2029, 1, 4))
    assert all(store.get(case.id).verdicts for case in cases)
    house.look(date(2029, 1, 5))
    gone, there, other = (store.get(case.id) for case in (*cases, waiting))
    assert (gone.verdicts, gone.shred_by, gone.sha256) == ((), (), "")
    assert (gone.clip, gone.camera, gone.state, gone.ending, gone.shred_reason) == (
        "0" * 32,
        "gate",
        CaseState.DESTROYED,
        "overwritten",
        "harmless",
    )
    assert there.verdicts
    assert other.verdicts, "what is there is nobody's past"
    assert store.forget(lambda at: True) == 1
    assert store.forget(lambda at: True) == 0


def test_an_order_of_a_recording_ends_with_the_log_too_and_its_number_is_not_given_out_again(house):
    store = SqlOrderStore(house.engine, house.log, house.clock)
    for number in (1, 2, 3):
        store.add(RecordingOrder(number, "gate", "sealed", "manual", "ada", "Rauferei", house.clock.now()))
    store.end(1, OrderState.FAILED, "disk")
    store.end(3, OrderState.FAILED, "disk")
    house.end._forget = (store.drop,)
    house.look(date(2028, 12, 31))
    assert store.get(1) is not None
    house.look(date(2029, 1, 1))
    assert store.get(1) is None
    assert store.get(2) is not None, "it has no outcome yet"
    assert store.newest() == 3


def test_many_are_erased_in_parts_that_each_have_their_entry(house):
    with writing(house.engine) as connection:
        for _ in range(4500):
            house.log.append(connection, Event.SIGNED_IN, "ada")
    house.look(date(2029, 1, 1))
    assert [entry.facts["entries"] for entry, _ in house.log.find(event=Event.LOG_ERASED)] == [2000]
    house.lost = True
    house.end.look()
    assert len(house.log.find(event=Event.LOG_ERASED)) == 1, "asked again before each part"
    house.lost = False
    for _ in range(3):
        house.clock.step(5.0)
        house.end.look()
    assert [entry.facts["entries"] for entry, _ in house.log.find(event=Event.LOG_ERASED)] == [500, 2000, 2000]
    with house.engine.connect() as connection:
        rows = connection.execute(erased.select().where(erased.c.entry == 4501).order_by(erased.c.number)).all()
    assert house.log.find(before=4502, most=1)[0][0].facts["digest"] == erased_digest([(row.number, row.hash) for row in rows])
    assert house.problems() == []
