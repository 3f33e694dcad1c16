"""What an answer means, and which site needs somebody first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

import msgspec
from pydantic import ValidationError

from blickschutz.kernel.errors import UNREADABLE
from blickschutz.overview.model import Fault, Known, ReadError, Told

MOST_BYTES = 64 * 1024
CONTRACT = 1
# From then on an open alert waits for longer than anybody should.
OLD_ALERT_S = 300.0
CLOCK_S = 5.0
_OUT = ("lost", "stale", "redaction-fault")


class _Contract(msgspec.Struct):
    contract: int


_contract = msgspec.json.Decoder(_Contract)


def read(data: bytes) -> Told:
    """What a site told. Raises `ReadError`, which says nothing of it."""
    if len(data) > MOST_BYTES:
        raise ReadError(Fault.SIZE)
    try:
        if _contract.decode(data).contract != CONTRACT:
            raise ReadError(Fault.CONTRACT)
        return Told.model_validate_json(data)
    except ReadError:
        raise
    except (ValidationError, *UNREADABLE):
        # Without its cause: that would quote what was sent.
        raise ReadError(Fault.FORM) from None


class Rank(IntEnum):
    """How much a site needs somebody; the highest first."""

    WELL = 0
    LOOK = 1
    SOON = 2
    NOW = 3


def rank(known: Known) -> Rank:
    """A site of which nothing is known needs somebody as much as one that is away."""
    told = known.told
    if known.is_away or told is None:
        return Rank.NOW
    broken_chain = told.chain is not None and told.chain.faults > 0
    unknown = told.chain is None or told.deadlines is None
    if told.rules.gates or broken_chain or unknown:
        return Rank.NOW
    overdue = told.deadlines is not None and told.deadlines.overdue > 0
    if overdue or told.needs.urgent or oldest_alert_s(told) > OLD_ALERT_S or told.clock.suspended or out(told):
        return Rank.SOON
    looked = told.needs.other or told.rules.broken or told.alerts or not told.recording or abs(told.clock.offset_s) > CLOCK_S
    return Rank.LOOK if looked else Rank.WELL


def out(told: Told) -> int:
    """Cameras of which nothing is seen though nobody stopped them."""
    return sum(told.cameras.get(state, 0) for state in _OUT)  # type: ignore[call-overload]  # its keys are these words


def live(told: Told) -> tuple[int, int]:
    """Cameras that are live, of how many."""
    return told.cameras.get("live", 0), sum(told.cameras.values())


def open_alerts(told: Told) -> int:
    return sum(one.count for one in told.alerts.values())


def oldest_alert_s(told: Told) -> float:
    return max((one.oldest_s for one in told.alerts.values()), default=0.0)


def ordered(names: Mapping[str, str], known: Mapping[str, Known]) -> Sequence[str]:
    """Ids of sites: what needs somebody most first, then the oldest alert, then by name."""

    def place(site: str) -> tuple[int, float, str]:
        told = known[site].told
        return -rank(known[site]), -(oldest_alert_s(told) if told is not None else 0.0), names[site].casefold()

    return sorted(names, key=place)
