"""The hash chain and its verifier. Pure: works on lines, wherever they come from.

An entry that reached its limit leaves its hash, which the entry after it names, and stands in the digest of a later entry
(`log-erased`). So an entry that somebody took away by themselves is found: no entry of the chain tells of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

import msgspec

from blickschutz.audit.erasures import Erasures
from blickschutz.audit.model import GENESIS, Checkpoint, CheckpointLine, Entry, ErasedLine, Event, Fault, Head, Line
from blickschutz.kernel.errors import UNREADABLE

FORMAT = "blickschutz-log-1"

_entry_encoder = msgspec.json.Encoder(order="deterministic")
_entry_decoder = msgspec.json.Decoder(Entry)
_line_decoder = msgspec.json.Decoder(Line)
_erased_decoder = msgspec.json.Decoder(ErasedLine)
_ERASED_AT = len(b'{"hash":"') + 64 + len(b'",')

# msgspec checks UTF-8 as late as the text is built, and then says so with Python's own error.

IsSigned = Callable[[bytes, bytes, bytes], bool]


def encode(entry: Entry) -> bytes:
    """The text of an entry, the same for the same entry."""
    return _entry_encoder.encode(entry)


def digest(text: bytes) -> str:
    """The hash of an entry: SHA-256 over its text, which names the hash of the entry before."""
    return hashlib.sha256(text).hexdigest()


def signed_text(number: int, hashed: str, at: float) -> bytes:
    """What a checkpoint's signature is over."""
    return f"{FORMAT}:{number}:{hashed}:{at!r}".encode()


def verify(lines: Iterable[bytes], is_signed: IsSigned, public: bytes | None = None) -> Iterator[Fault]:
    """Everything that is wrong with an exported log; nothing where it is whole.

    `public` is the installation's key as it is known from elsewhere; without it the key in the file is
    believed, which shows changes by accident but not a log that somebody made up.
    """
    source = iter(lines)
    first = next(source, b"")
    try:
        head = msgspec.json.decode(first, type=Head)
    except UNREADABLE as error:
        yield Fault(0, "head", f"the first line is no head of a log: {error}")
        return
    if head.format != FORMAT:
        yield Fault(0, "format", f"the format {head.format!r} is not known")
        return
    if public is not None and head.public_key != public.hex():
        yield Fault(0, "foreign", "the log belongs to another installation, or its key was exchanged")
        return
    try:
        key = bytes.fromhex(head.public_key) if public is None else public
    except ValueError:
        yield Fault(0, "head", "the key in the first line is no key")
        return
    if first != encode_head(key, head.first):
        yield Fault(0, "head", "the first line was altered: it is not written as this software writes it")
    yield from _verify_chain(source, head, key, is_signed)


def _verify_chain(source: Iterator[bytes], head: Head, key: bytes, is_signed: IsSigned) -> Iterator[Fault]:
    number, previous = head.first - 1, GENESIS if head.first == 1 else ""
    checked, told = -1, Erasures(head.first)
    for position, line in enumerate(source, 2):
        if line.startswith(b'{"checkpoint"'):
            fault, checked = _verify_checkpoint(line, number, previous, key, is_signed, told), number
        else:
            number += 1
            fault, previous = _verify_entry(line, number, previous, told)
        if fault is not None:
            yield fault
            if fault.problem == "unreadable":
                yield Fault(number, "stopped", f"from line {position} on nothing can be said")
                return
    if checked != number:
        yield Fault(number, "cut", "the log does not end with a checkpoint: entries at its end may be missing")
    yield from told.faults()


def _verify_erased(line: bytes, number: int, previous: str, told: Erasures) -> tuple[Fault | None, str]:
    try:
        parsed = _erased_decoder.decode(line)
    except UNREADABLE as error:
        return Fault(number, "unreadable", f"entry {number} cannot be read: {error}"), previous
    if line != encode_erased(parsed.hash, parsed.erased):
        return Fault(number, "form", f"the line of entry {number} is not written as this software writes it"), parsed.hash
    told.gone.setdefault(parsed.erased, []).append((number, parsed.hash))
    return None, parsed.hash


def _verify_entry(line: bytes, number: int, previous: str, told: Erasures) -> tuple[Fault | None, str]:
    if is_erased(line):
        return _verify_erased(line, number, previous, told)
    try:
        parsed = _line_decoder.decode(line)
        text = bytes(parsed.entry)
        entry = _entry_decoder.decode(text)
    except UNREADABLE as error:
        return Fault(number, "unreadable", f"entry {number} cannot be read: {error}"), previous
    told.there.append((number, entry.at))
    if entry.event is Event.LOG_ERASED:
        told.told[number] = entry
    if digest(text) != parsed.hash:
        return Fault(number, "altered", f"entry {number} was altered: its text does not give its hash"), parsed.hash
    if entry.number != number:
        return Fault(number, "order", f"entry {number} is missing or in the wrong place: here stands {entry.number}"), parsed.hash
    if previous and entry.previous != previous:
        return Fault(number, "chain", f"entry {number} does not follow on the entry before it"), parsed.hash
    if line != encode_line(parsed.hash, text):
        return Fault(number, "form", f"the line of entry {number} is not written as this software writes it"), parsed.hash
    return None, parsed.hash


def _verify_checkpoint(line: bytes, number: int, hashed: str, key: bytes, is_signed: IsSigned, told: Erasures) -> Fault | None:
    try:
        point = msgspec.json.decode(line, type=CheckpointLine).checkpoint
        signature = bytes.fromhex(point.signature)
    except UNREADABLE as error:
        return Fault(number, "unreadable", f"the checkpoint after entry {number} cannot be read: {error}")
    if (point.number, point.hash) != (number, hashed):
        return Fault(number, "checkpoint", f"the checkpoint at {point.number} does not fit the entries before it")
    if not is_signed(signed_text(point.number, point.hash, point.at), signature, key):
        return Fault(number, "signature", f"the signature of the checkpoint at {point.number} is wrong")
    told.signed.append((number, point.at))
    if line != encode_checkpoint(msgspec.structs.replace(point, signature=signature.hex())):
        return Fault(number, "form", f"the line of the checkpoint at {point.number} is not written as this software writes it")
    return None


def encode_line(hashed: str, text: bytes) -> bytes:
    """One entry as a line of an exported log."""
    return b'{"hash":"' + hashed.encode() + b'","entry":' + text + b"}"


def encode_erased(hashed: str, order: int) -> bytes:
    """An entry that entry `order` tells to be erased, as a line of an exported log."""
    return b'{"hash":"' + hashed.encode() + b'","erased":' + str(order).encode() + b"}"


def is_erased(line: bytes) -> bool:
    """Whether a line of an exported log stands for an entry that was erased."""
    return line[_ERASED_AT:].startswith(b'"erased"')


def encode_checkpoint(point: Checkpoint) -> bytes:
    """A checkpoint as a line of an exported log."""
    return msgspec.json.encode(CheckpointLine(checkpoint=point), order="deterministic")


def encode_head(public: bytes, first: int) -> bytes:
    """The first line of an exported log."""
    return msgspec.json.encode(Head(format=FORMAT, installation=public.hex()[:16], public_key=public.hex(), first=first))
