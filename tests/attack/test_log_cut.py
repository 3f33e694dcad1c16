"""Somebody who may write to the database, but has no key, takes entries away as if they had ended at their limit: each time it is named."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from blickschutz.anchor.cuts import read_export
from blickschutz.anchor.model import Anchor
from blickschutz.anchor.rules import against, against_witness
from blickschutz.audit.erasures import Times, erased_digest
from blickschutz.audit.io.log import METADATA, AuditLog, entries
from blickschutz.audit.model import GENESIS, Checkpoint, Entry, Event
from blickschutz.audit.rules import digest, encode, encode_checkpoint, encode_erased, encode_head, encode_line, signed_text, verify
from blickschutz.storage.engine import let_go, open_engine, writing
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.databases import past_guards
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.both_databases

DAY_S, START = 86_400.0, 1_790_000_000.0


class Clock(ManualClock):
    def now(self):
        return START + self.time


class Victim:
    """Ten entries of some minutes, exported, and whoever has SQL and no key."""

    def __init__(self, folder):
        self.key, self.clock = InstallationKey(folder / "key"), Clock()
        self.engine = open_engine(folder / "control.db", METADATA)
        self.log = AuditLog(self.engine, self.clock, self.key.try_sign, self.key.public)
        for what in (Event.SIGNED_IN, Event.UNMASK_GRANTED, Event.FACT_SIGNED) * 3 + (Event.SIGNED_IN,):
            self.write(what)

    def write(self, what=Event.SIGNED_IN):
        self.clock.time += 60.0
        return self.log.write(what, "boss", "clip-7").number

    def lines(self, first=1):
        return list(self.log.export(first))

    def cut(self, gone, facts=None, order=0, later=0.0):
        """An entry `log-erased` by SQL (or one that is there already), and away with what is `gone`."""
        with writing(self.engine) as connection:
            hashes = [(number, self.log.hash_of(number)) for number in gone]
            if not order:
                number, hashed, _ = self.log.state()
                honest = {"entries": len(gone), "first": gone[0], "last": gone[-1], "months": 24, "digest": erased_digest(hashes)}
                entry = Entry(
                    number=number + 1,
                    at=self.clock.now() + later,
                    event=Event.LOG_ERASED,
                    by="system",
                    facts=honest if facts is None else facts,
                    previous=hashed,
                    salt="0" * 32,
                )
                row = {"n": entry.number, "at": entry.at, "text": encode(entry).decode(), "hash": digest(encode(entry))}
                connection.execute(text("INSERT INTO log VALUES (:n, :at, 'log-erased', 'system', '', :text, :hash)"), row)
                order = entry.number
            for number, hashed in hashes:
                connection.execute(text(f"INSERT INTO log_erased VALUES ({number}, '{hashed}', {order})"))
                let_go(connection, entries, [number])

    def problems(self, first=1):
        return [fault.problem for fault in verify(self.lines(first), is_signed, self.key.public)]


@pytest.fixture
def victim(tmp_path):
    made = Victim(tmp_path)
    yield made
    made.engine.dispose()


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("later", [0.0, 3 * 365 * DAY_S])
def test_a_cut_of_yesterday_is_found_by_the_verifier_and_by_an_older_export(victim, before, later):
    old = read_export(victim.lines()) if before else None
    victim.cut([2, 3, 5, 6], later=later)
    assert "cut" in victim.problems()
    assert victim.log.find(event=Event.LOG_BROKEN)[0][0].facts == {"entry": 11}, "signed is not what the program did not write"
    victim.write()
    assert "cut" in victim.problems()
    if old is not None:
        found = list(against(old, read_export(victim.lines())))
        assert [fault.problem for fault in found] == ["cut", "cut", "cut"]
        assert [fault.number for fault in found] == [3, 6, 2], "two that stay, and one that was too young"


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"first": "x"},
        {"first": 0, "last": 4, "entries": 1, "months": 24, "digest": "0" * 64},
        {"first": 1, "last": 4, "entries": True, "months": 24, "digest": "0" * 64},
        {"first": 1.0, "last": 4, "entries": 1, "months": 24, "digest": "0" * 64},
        {"first": 1, "last": 99, "entries": 1, "months": 24, "digest": "0" * 64},
        {"first": 4, "last": 1, "entries": 1, "months": 24, "digest": "0" * 64},
        {"first": 1, "last": 4, "entries": 9, "months": 24, "digest": "0" * 64},
        {"first": 1, "last": 4, "entries": 1, "months": 1, "digest": "0" * 64},
        {"first": 1, "last": 4, "entries": 1, "months": 10**30, "digest": "0" * 64},
        {"first": 1, "last": 4, "entries": 1, "months": 24, "digest": ["0"]},
        {"first": 1, "last": 4, "entries": 1, "months": 24},
    ],
)
def test_an_order_that_does_not_say_all_is_a_fault_and_no_error(victim, facts):
    victim.cut([2], facts)
    for first in (1, 2, 3):
        assert "erased" in victim.problems(first)


def aged(victim, months=24):
    """A genuine erasure of the first three, three years later; its number."""
    victim.lines()
    victim.clock.time += 3 * 365 * DAY_S
    victim.log.erase([1, 2, 4], months)
    return victim.log.state()[0]


def test_a_genuine_erasure_is_none(victim):
    old = read_export(victim.lines())
    aged(victim)
    assert [victim.problems(first) for first in (1, 2, 3, 5)] == [[], [], [], []]
    assert list(against(old, read_export(victim.lines()))) == []


def test_what_is_hung_on_a_genuine_order_is_found_in_part_of_the_log_too(victim):
    order = aged(victim)
    young = victim.write(Event.UNMASK_GRANTED)
    victim.write()
    with pytest.raises(IntegrityError, match="append only"):
        victim.cut([young], order=order)
    with past_guards(victim.engine, "log_erased"):
        pass
    victim.cut([young], order=order)
    assert [victim.problems(first) != [] for first in (1, 2, 4, order)] == [True] * 4


def test_more_than_the_order_counts_is_found_in_part_of_the_log(victim):
    order = aged(victim)
    victim.cut([3], order=order)
    assert victim.problems(2) == ["erased"]


def forged(victim, gone, at):
    """The log as whoever holds the key as well would export it, after erasing by hand: signed at that moment."""
    lines = victim.lines()
    entries = [msgspec.json.decode(line, type=dict)["entry"] for line in lines if b'"entry"' in line]
    hashes = read_export(lines).hashes
    facts = {
        "entries": len(gone),
        "first": gone[0],
        "last": gone[-1],
        "months": 12,
        "digest": erased_digest((n, hashes[n - 1]) for n in gone),
    }
    order = Entry(number=len(hashes) + 1, at=at, event=Event.LOG_ERASED, by="system", facts=facts, previous=hashes[-1], salt="0" * 32)
    number, hashed = order.number, digest(encode(order))
    point = Checkpoint(number=number, hash=hashed, at=at, signature=victim.key.sign(signed_text(number, hashed, at)).hex())
    kept = [
        encode_erased(hashes[n - 1], number) if n in gone else encode_line(hashes[n - 1], encode(msgspec.convert(entries[n - 1], Entry)))
        for n in range(1, number)
    ]
    return [encode_head(victim.key.public, 1), *kept, encode_line(hashed, encode(order)), encode_checkpoint(point)]


def test_whoever_signs_a_cut_is_named_by_what_lay_elsewhere_only(victim):
    """With the key a log says what its holder wants, and its checkpoints too: what others have seen of it stands against that."""
    victim.clock.time += 7 * DAY_S
    old = read_export(victim.lines())
    anchors = [
        Anchor(
            public_key=victim.key.public.hex(),
            after=after,
            after_hash=old.hashes[after - 1] if after else GENESIS,
            number=number,
            at=START + number * 60.0,
            hashes=list(old.hashes[after:number]),
        )
        for after, number in ((0, 4), (4, 10))
    ]
    lines = forged(victim, [5, 7], START + 9 * DAY_S)
    new = read_export(lines)
    assert [(fault.number, fault.problem) for fault in verify(lines, is_signed, victim.key.public)] == [(5, "cut")]
    assert [(fault.number, fault.problem) for fault in against(old, new)] == [(5, "cut")]
    assert [(fault.number, fault.problem) for fault in against_witness(anchors, new)] == [(5, "cut")]
    late = read_export(forged(victim, [5, 7], START + 400 * DAY_S))
    assert list(against(old, late)) == []
    assert list(against_witness(anchors, late)) == []


def test_a_clock_that_was_wrong_for_a_while_makes_no_fault_and_hides_none():
    """Some moments far ahead, one of 1970: the most that follow on each other are believed."""
    times = Times([(1, 100.0), (2, 900.0), (3, 110.0), (4, 0.0), (5, 120.0), (6, 130.0)])
    assert times.points == [(1, 100.0), (3, 110.0), (5, 120.0), (6, 130.0)]
    assert (times.before(1), times.before(4), times.after(4), times.after(7)) == (float("-inf"), 110.0, 120.0, float("inf"))
    assert [times.of(4, at) for at in (0.0, 115.0, 900.0)] == [110.0, 115.0, 120.0]
    assert Times([]).of(1, 5.0) == 5.0
