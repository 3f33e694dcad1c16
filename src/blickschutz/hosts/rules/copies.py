"""Second copies of clips: what the control room says of one, when it ends, what comes of an order. Pure.

docs/design/clips-on-hosts.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from blickschutz.hosts.model import CopyOrder, Doom, KeptCopy, KeptState, SignedDirective
from blickschutz.hosts.rules.clips import directive_of, obeyed
from blickschutz.recording.model import Keep
from blickschutz.retention.model import Stamp
from blickschutz.review.model import Case, CaseState, Copy, CopyState
from blickschutz.review.rules import THERE

COPY: Final = b"blickschutz-clip-copy-1:"
# What no site file asks for, so that no deadline of an order can be one without an end.
LONGEST_S: Final = 72 * 3600.0
# What a copy may take before it is called missing: copying waits for recording.
COPY_WITHIN_S: Final = 600.0
# What a host keeps that was away for so long counts as lost for the time being: another one gets a copy.
AWAY_S: Final = 3600.0
# One that would end sooner is not worth the way.
LEAST_S: Final = 3600.0
# Of one clip, those that are lost or gone among them: hosts that lose everything again and again get no more.
MOST_COPIES: Final = 4
_encode = msgspec.json.Encoder(order="deterministic").encode


def wants_copy(case: Case) -> bool:
    """Whether it is a whole clip on a host, of which nobody ordered the end."""
    return bool(case.host and case.sha256 and case.size) and case.state in THERE - {CaseState.RECORDING}


def uncopied(cases: Iterable[Case], now: float) -> list[Case]:
    """Of a site that wants copies: clips that no keeper has confirmed for longer than copying takes. `now` is POSIX."""
    return [
        case
        for case in cases
        if wants_copy(case) and now - case.closed > COPY_WITHIN_S and not any(one.state is CopyState.THERE for one in case.copies)
    ]


def copy_on(case: Case, host: str) -> Copy | None:
    """The copy on this host of which something is said and heard: the newest that is not proven to be gone, else the newest."""
    own = [one for one in reversed(case.copies) if one.host == host]
    return next((one for one in own if one.state is not CopyState.GONE), own[0] if own else None)


def with_copy(case: Case, before: Copy, after: Copy) -> Case:
    return replace(case, copies=tuple(after if one == before else one for one in case.copies))


def lacks_copy(case: Case, away: Collection[str], unknown: Collection[str]) -> bool:
    """Whether it is to get a copy now: it has none on a host that is there, knows it, and can mend it. Hosts `away` were so for `AWAY_S`,
    those of `unknown` do not know the copy that they had.
    """
    counts = (one.host not in away and not (one.state is CopyState.LOST and one.host in unknown) for one in _open(case))
    return wants_copy(case) and len(case.copies) < MOST_COPIES and not any(counts)


def keeper_for(case: Case, keepers: Sequence[str], present: Collection[str], unknown: Collection[str] = ()) -> str:
    """On which host a copy is to be: the first that is there, did not make the clip and has no copy that may still lie there; else one that
    lost the copy it had. Empty where none is.
    """
    others = [host for host in keepers if host != case.host and host in present]
    taken = {one.host for one in _open(case)}
    return next((host for host in others if host not in taken), next((host for host in others if host in unknown), ""))


def _open(case: Case) -> list[Copy]:
    """Copies that are not proven to be gone."""
    return [one for one in case.copies if one.state is not CopyState.GONE]


def order_of(case: Case, copy: Copy, installation: str, ends: float, now: float) -> CopyOrder:
    """What the keeper of a copy has to know of it now (`ends` and `now` POSIX, by the same count)."""
    told = directive_of(case, installation)
    return CopyOrder(
        installation=installation,
        host=copy.host,
        origin=case.host,
        clip=case.clip,
        serial=case.version,
        opened=case.opened,
        size=case.size,
        sha256=case.sha256,
        ends=ends,
        left_s=min(LONGEST_S, max(0.0, ends - now)),
        had=copy.state in {CopyState.THERE, CopyState.LOST},
        store=copy.store,
        held_until=told.held_until,
        restricted=told.restricted,
        doom=told.doom,
    )


def meaning(order: CopyOrder) -> str:
    """A hash of what was decided: where two say the same nothing needs to be told. Never empty: a copy is confirmed once it is whole."""
    return decided(order.clip, order.held_until, order.restricted, order.doom)


def decided(clip: str, held_until: float | None, restricted: Sequence[int], doom: Doom | None) -> str:
    """The same, of what was decided itself."""
    return hashlib.sha256(_encode((clip, held_until, tuple(restricted), doom))).hexdigest()


def accepted(order: CopyOrder, signed: SignedDirective, line: str, now: Stamp, ends: float, held_at: float | None, number: int) -> KeptCopy:
    """What is kept of a copy from its first order on; `now` is this moment, `ends` how many seconds from it the copy ends by its date.

    The deadline is that of the order: its limits begin so long before their end that nothing else can come of them.
    """
    left = min(order.left_s, LONGEST_S, ends)
    return KeptCopy(
        clip=order.clip,
        camera="",
        run="",
        mode="",
        cause="",
        orders=(),
        opened=order.opened,
        epoch=now.epoch,
        stamped=now.at + left - LONGEST_S,
        number=number,
        keep=Keep(regular_s=LONGEST_S, hard_s=LONGEST_S, zone="UTC"),
        state=KeptState.COMING,
        size=order.size,
        sha256=order.sha256,
        serial=order.serial,
        held_until=order.held_until,
        held_at=held_at,
        restricted=order.restricted,
        doom=order.doom,
        origin=order.origin,
        line=line,
        order=signed,
        store=order.store,
    )


def followed(record: KeptCopy, order: CopyOrder, held_at: float | None) -> KeptCopy | None:
    """The record after an order; None where a newer one was heard, and for another file than that which is kept."""
    if (order.sha256, order.size, order.origin) != (record.sha256, record.size, record.origin):
        return None
    return obeyed(record, order, held_at)


def is_brought_anew(record: KeptCopy, order: CopyOrder) -> bool:
    """Whether what is kept is to be compared, and brought again where it is not what was ordered. `record` is that after the order."""
    return order.anew and order.serial == record.serial and record.state is KeptState.THERE and record.doom is None


def doom_without_order() -> Doom:
    """Of ciphertext of which nobody knows until when it may be kept."""
    return Doom(reason="no-order")
