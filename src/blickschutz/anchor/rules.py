"""Whether a log goes on from what was seen of it before, and how it does not. Pure.

The log is a chain of hashes: the hash of an entry commits to all before it (as the head of a tree does in RFC 6962). A witness keeps
the hash of every entry instead of tree heads; a proof of consistency is then that they are equal, and a difference has a place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from blickschutz.anchor.cuts import Export, cuts, entries, young
from blickschutz.anchor.model import Anchor, AskHead, Bond, HeadTold, Problem, Record, Seen
from blickschutz.audit.erasures import Times
from blickschutz.audit.model import GENESIS, Event, Fault
from blickschutz.audit.rules import IsSigned, digest
from blickschutz.kernel.errors import UNREADABLE

MOST_HASHES = 50_000
_ANCHOR, _RECORD, _HEAD = b"blickschutz-anchor-1:", b"blickschutz-anchor-record-1:", b"blickschutz-anchor-head-1:"
_HASH = re.compile(r"[0-9a-f]{64}")
_anchors = msgspec.json.Decoder(Anchor)
_records = msgspec.json.Decoder(Record)


# --- between control room and witness ---


def anchor_text(anchor: Anchor) -> bytes:
    """An anchor as it is signed and handed over."""
    return msgspec.json.encode(anchor)


def signed_anchor(text: bytes) -> bytes:
    """What the installation's signature is over."""
    return _ANCHOR + text


def signed_record(text: bytes, signature: str, previous: str, received: float) -> bytes:
    """What the countersignature is over."""
    return _RECORD + f"{hashlib.sha256(text).hexdigest()}:{signature}:{previous}:{received!r}".encode()


def signed_head(asked: AskHead, seen: Seen) -> bytes:
    """What the witness signs where it is asked how far it saw."""
    return _HEAD + f"{asked.nonce}:{seen.number}:{seen.hash}:{seen.public_key}".encode()


def parsed_anchor(text: bytes, signature: str, is_signed: IsSigned) -> Anchor | None:
    """An anchor that holds together and was signed by the key that it names; None for anything else."""
    try:
        anchor = _anchors.decode(text)
        fits = is_signed(signed_anchor(text), bytes.fromhex(signature), bytes.fromhex(anchor.public_key))
    except UNREADABLE:
        return None
    whole = 0 < len(anchor.hashes) <= MOST_HASHES and len(anchor.hashes) == anchor.number - anchor.after and anchor.after >= 0
    well = all(_HASH.fullmatch(one) for one in (anchor.after_hash, *anchor.hashes))
    return anchor if fits and whole and well else None


def refusal(anchor: Anchor, seen: Seen, keys: Iterable[str] = ()) -> Problem | None:
    """Why a witness that saw so far does not take an anchor. `keys` are further keys of the same installation, which people vouched for."""
    if seen.public_key and anchor.public_key not in {seen.public_key, *keys}:
        return Problem.FOREIGN
    if anchor.number <= seen.number or anchor.after < seen.number:
        return Problem.ROLLED_BACK
    if (anchor.after, anchor.after_hash) != (seen.number, seen.hash):
        return Problem.FORKED
    return None


def disagreement(head: HeadTold, bond: Bond | None, number: int, hash_then: str, own: Iterable[str]) -> Problem | None:
    """What is wrong between the log here and what its witness saw. `number` is the newest entry here, `hash_then` the hash here of the
    entry that the witness saw last (empty where there is none), `own` all keys (hex) that this installation had."""
    if bond is not None and bond.witness != head.witness:
        return Problem.OTHER_WITNESS
    if head.public_key and head.public_key not in set(own):
        return Problem.FOREIGN
    if bond is not None and head.number < bond.number:
        return Problem.WITNESS_ROLLED_BACK
    if head.number > number:
        return Problem.ROLLED_BACK
    return Problem.FORKED if head.number and hash_then != head.hash else None


# --- a log against what was seen of it ---


def against(old: Export, new: Export) -> Iterator[Fault]:
    """Everything in which `new` does not go on from `old`, an export of the same log that lay elsewhere."""
    if new.public_key != old.public_key and not _is_replaced(old.public_key, new):
        yield Fault(0, "foreign", "the two logs belong to different installations, or the key was exchanged without an entry")
        return
    if new.last < old.last:
        yield Fault(new.last + 1, "rolled-back", f"entries {new.last + 1} to {old.last} are gone: the older export has them")
    start, end = max(old.first, new.first - 1), min(old.last, new.last)
    if start > end:
        if new.last >= old.last:
            yield Fault(new.first, "gap", f"nothing connects them: the older export ends with {old.last}, this one begins with {new.first}")
        return
    differs = next((n for n in range(start, end + 1) if not _is_same(old.hash_of(n), new.hash_of(n))), 0)
    if differs:
        yield from _named(old, new, differs)
    else:
        yield from cuts(old, new)


def _is_same(before: str, after: str) -> bool:
    """What an export does not say (the hash before its first entry, where that one was erased) is no difference."""
    return before == after or not before or not after


def _is_replaced(before: str, new: Export) -> bool:
    """Whether the log itself says that people replaced that key."""
    told = (entries.decode(text) for text in new.texts if text)
    return any(entry.event is Event.KEY_REPLACED and entry.facts.get("before") == before for entry in told)


def _named(old: Export, new: Export, start: int) -> Iterator[Fault]:
    """What was done from entry `start` on, where the hashes part: removed, added, altered, or another history.

    Numbers and hashes of all that follows change with the first difference; what entries say is compared without them.
    """
    before, after = (_all_said(export, max(0, start - export.first)) for export in (old, new))
    if start < new.first or start < old.first:
        yield Fault(start, "forked", f"entry {start} is another than the one on which the newer export follows")
        return
    where = {said: position for position, said in reversed(list(enumerate(after)))}
    there = set(before)
    i = j = same = 0
    faults: list[Fault] = []
    while i < len(before) and j < len(after):
        if before[i] == after[j]:
            i, j, same = i + 1, j + 1, same + 1
            continue
        number = start + i
        if where.get(before[i], -1) > j:
            faults.append(Fault(number, "added", f"before entry {number} of the older export something was added"))
            j = where[before[i]]
        elif after[j] in there:
            faults.append(Fault(number, "removed", f"entry {number} of the older export was removed"))
            i += 1
        else:
            faults.append(Fault(number, "altered", f"entry {number} was altered: the older export says something else"))
            i, j = i + 1, j + 1
    gone = len(before) - i
    if not same and len(before) > 1:
        yield Fault(start, "forked", f"from entry {start} on this is another history than that of the older export")
        return
    yield from faults
    if gone and new.last >= old.last:
        yield Fault(start + i, "removed", f"entries {start + i} to {old.last} of the older export were removed")
    if not faults and not gone:
        yield Fault(start, "forked", f"from entry {start} on the chain is another than that of the older export")


def _all_said(export: Export, skipped: int) -> list[bytes]:
    """What each entry says; of an erased one its hash, which is nobody else's."""
    pairs = list(zip(export.texts, export.hashes, strict=True))[skipped:]
    return [_said(text) if text else hashed.encode() for text, hashed in pairs]


def _said(text: bytes) -> bytes:
    """What an entry says, whatever its number and what it follows on."""
    entry = entries.decode(text)
    return msgspec.json.encode(msgspec.structs.replace(entry, number=0, previous=GENESIS), order="deterministic")


# --- a witness's folder ---


def read_records(lines: Iterable[bytes], is_signed: IsSigned, witness: str = "") -> tuple[list[Anchor], list[Fault]]:
    """The anchors in a witness's folder, and everything that is wrong with it. `witness` is its public key (hex) as it is known."""
    anchors: list[Anchor] = []
    faults: list[Fault] = []
    previous, seen = GENESIS, Seen()
    for position, line in enumerate(lines, 1):
        problem, anchor = _record_problem(line, previous, seen, is_signed, witness)
        if problem or anchor is None:
            faults.append(Fault(position, "witness", f"record {position} of the witness {problem}"))
            break
        anchors.append(anchor)
        witness = witness or _records.decode(line).witness
        previous, seen = digest(line), Seen(anchor.number, anchor.hashes[-1], anchor.public_key)
    return anchors, faults


def _record_problem(line: bytes, previous: str, seen: Seen, is_signed: IsSigned, witness: str) -> tuple[str, Anchor | None]:
    try:
        record = _records.decode(line)
        text, key = bytes(record.anchor), bytes.fromhex(record.witness)
        said = signed_record(text, record.signature, record.previous, record.received)
        fits = is_signed(said, bytes.fromhex(record.countersignature), key)
    except UNREADABLE as error:
        return f"cannot be read: {error}", None
    if witness and record.witness != witness:
        return "was made by another witness", None
    if not fits:
        return "was altered: its countersignature is wrong", None
    if record.previous != previous:
        return "does not follow on the one before it", None
    anchor = parsed_anchor(text, record.signature, is_signed)
    if anchor is None:
        return "holds no anchor that an installation signed", None
    # A key that people vouched for was accepted then; whose log it is says the log.
    if refusal(anchor, seen, (anchor.public_key,)) is not None:
        return "does not go on from the one before it", None
    return "", anchor


def against_witness(anchors: Sequence[Anchor], new: Export) -> Iterator[Fault]:
    """Everything in which a log is another than the one whose hashes a witness keeps."""
    if not anchors:
        yield Fault(0, "witness", "the witness has seen nothing yet")
        return
    newest = anchors[-1]
    if newest.public_key != new.public_key and not _is_replaced(newest.public_key, new):
        yield Fault(0, "foreign", "the witness belongs to another installation, or the key was exchanged without an entry")
        return
    if new.last < newest.number:
        yield Fault(new.last + 1, "rolled-back", f"entries {new.last + 1} to {newest.number} are gone: the witness has their hashes")
    if new.first - 1 > newest.number:
        yield Fault(new.first, "gap", f"nothing connects them: the witness saw up to {newest.number}, the export begins with {new.first}")
        return
    for anchor in anchors:
        for number, hashed in enumerate(anchor.hashes, anchor.after + 1):
            if number < new.first - 1:
                continue
            if number > new.last:
                break
            if not _is_same(new.hash_of(number), hashed):
                yield Fault(number, "forked", f"from entry {number} on this is another log than the one that the witness saw")
                return
    # What an anchor has that the one before it had not, was written after that one.
    seen = Times((anchor.number, anchor.at) for anchor in anchors)
    yield from young(new, (number for number in new.erased if number <= newest.number), seen.before)
