"""An exported log to be compared with what lay elsewhere, and what was cut out of it as if it had ended at its limit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from blickschutz.audit.erasures import Times, least_age_s, order_of
from blickschutz.audit.lives import LASTING
from blickschutz.audit.model import CheckpointLine, Entry, ErasedLine, Event, Fault, Head, Line
from blickschutz.audit.rules import is_erased

entries = msgspec.json.Decoder(Entry)
_lines = msgspec.json.Decoder(Line)
_erased = msgspec.json.Decoder(ErasedLine)
_points = msgspec.json.Decoder(CheckpointLine)


@dataclass(frozen=True, slots=True)
class Export:
    """An exported log: whose it is, its first entry, and of each entry hash and text (empty where it was erased at its limit).

    `erased` has for each erased entry the one that tells of it, `points` the numbers and moments of the checkpoints.
    """

    public_key: str
    first: int
    hashes: Sequence[str]
    texts: Sequence[bytes]
    erased: Mapping[int, int] = field(default_factory=dict)
    points: Sequence[tuple[int, float]] = ()

    @property
    def last(self) -> int:
        return self.first + len(self.hashes) - 1

    def hash_of(self, number: int) -> str:
        """The hash of that entry, which the entry after it names too; empty where the export does not say it."""
        if self.first <= number <= self.last:
            return self.hashes[number - self.first]
        if number == self.first - 1 and self.texts and self.texts[0]:
            return str(entries.decode(self.texts[0]).previous)
        return ""


def read_export(lines: Iterable[bytes]) -> Export:
    """An export that `audit.rules.verify` found whole. Raises `ValueError` for anything else."""
    source = iter(lines)
    head = msgspec.json.decode(next(source, b""), type=Head)
    hashes: list[str] = []
    texts: list[bytes] = []
    erased: dict[int, int] = {}
    points: list[tuple[int, float]] = []
    for line in source:
        if line.startswith(b'{"checkpoint"'):
            point = _points.decode(line).checkpoint
            points.append((point.number, point.at))
        elif is_erased(line):
            gone = _erased.decode(line)
            erased[head.first + len(hashes)] = gone.erased
            hashes.append(gone.hash)
            texts.append(b"")
        else:
            one = _lines.decode(line)
            hashes.append(one.hash)
            texts.append(bytes(one.entry))
    return Export(head.public_key, head.first, hashes, texts, erased, points)


def cuts(old: Export, new: Export) -> Iterator[Fault]:
    """Entries that `new` says ended at their limit, and that cannot have ended by what `old` says of them."""
    times, gone = Times(old.points), [number for number in new.erased if old.first <= number <= old.last]
    texts = {number: entries.decode(old.texts[number - old.first]) for number in gone if old.texts[number - old.first]}
    for number, entry in texts.items():
        if entry.event in LASTING:
            yield Fault(number, "cut", f"entry {number} ({entry.event.value}) was erased, and is one that stays")
    yield from young(new, gone, lambda number: times.of(number, texts[number].at) if number in texts else times.before(number))


def young(new: Export, gone: Iterable[int], since: Callable[[int], float]) -> Iterator[Fault]:
    """The first of each order that was erased before its limit; `since` says when an entry was written at the earliest."""
    times, told = Times(new.points), set[int]()
    for number in gone:
        position = new.erased[number] - new.first
        text = new.texts[position] if 0 <= position < len(new.texts) else b""
        entry = entries.decode(text) if text else None
        order = order_of(entry) if entry is not None and entry.event is Event.LOG_ERASED else None
        if order is None:
            yield Fault(number, "cut", f"entry {number} was erased, and no entry tells of it")
        elif order.number not in told and since(number) > times.of(order.number, order.at) - least_age_s(order.months):
            told.add(order.number)
            yield Fault(number, "cut", f"entry {number} was younger than {order.months} months when entry {order.number} erased it")
