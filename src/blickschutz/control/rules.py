"""What a start finds missing, by the witness and by what lies there; and what waits while something is. Pure."""

from __future__ import annotations

from blickschutz.control.model import FileState, Loss, LossKind, Present, Witness
from blickschutz.retention.model import Stamp, StampedClip
from blickschutz.review.model import Case

# The alerts have a database of their own: without its older rows nothing is destroyed that should not be.
_HARMLESS = frozenset({LossKind.ALERTS_MISSING, LossKind.ALERTS_UNUSABLE})


def stops(loss: Loss) -> bool:
    """Whether everything that destroys or seals waits because of it."""
    return loss.kind not in _HARMLESS


def lost(found: Present, witness: Witness | None, *, damaged: bool = False) -> tuple[Loss, ...]:
    """All that is missing. `witness` is None where there is none that can be believed; `damaged`: there is one, and it cannot be."""
    losses = [*_witness(found, witness, damaged), *_database(found, witness), *_key(found, witness), *_factors(found, witness)]
    if found.restored:
        losses.append(Loss(LossKind.RESTORED))
    return (*losses, *_alerts(found, witness))


def _witness(found: Present, witness: Witness | None, damaged: bool) -> list[Loss]:
    if damaged:
        return [Loss(LossKind.WITNESS_DAMAGED)]
    # A backup holds no witness: that it was put back says it all.
    return [Loss(LossKind.WITNESS_MISSING)] if witness is None and found.told and not found.restored else []


def _database(found: Present, witness: Witness | None) -> list[Loss]:
    known = _known(found, witness)
    aside: dict[str, str | int] = {"aside": found.aside.get("control.db", "")}
    if found.control is FileState.UNUSABLE:
        return [Loss(LossKind.DATABASE_UNUSABLE, {**known, **aside})]
    if found.control is FileState.DAMAGED:
        return [Loss(LossKind.DATABASE_DAMAGED, {**known, **aside})]
    if found.number == 0:
        had = found.lived or (witness is not None and witness.number > 0)
        return [Loss(LossKind.DATABASE_MISSING, known)] if had else []
    if witness is None or (witness.number <= found.number and witness.hash == found.hash_then):
        return []
    # Rows are never removed: where all are there, only the log is shorter.
    cut = found.cases >= witness.cases > 0 and found.number < witness.number
    return [Loss(LossKind.LOG_CUT if cut else LossKind.DATABASE_OLDER, known)]


def _known(found: Present, witness: Witness | None) -> dict[str, str | int]:
    """What is there and what was there."""
    had = witness or Witness(installation="", public_key="", factors="", number=0, hash="", cases=0, accounts=0, alerts=0, at=0.0)
    return {"number": found.number, "had": had.number, "cases": found.cases, "had_cases": had.cases, "at": round(had.at)}


def _key(found: Present, witness: Witness | None) -> list[Loss]:
    if found.key is FileState.MISSING:
        # Where nothing was ever signed there was no key yet.
        return [Loss(LossKind.KEY_MISSING)] if witness is not None or found.signed or found.lived else []
    if found.key is not FileState.WHOLE:
        return [Loss(LossKind.KEY_DAMAGED)]
    if witness is not None and witness.public_key != found.public_key:
        return [Loss(LossKind.KEY_OTHER, {"had": witness.public_key[:16], "found": found.public_key[:16]})]
    return []


def _factors(found: Present, witness: Witness | None) -> list[Loss]:
    known = witness.factors if witness is not None else ""
    if found.factors_file is not FileState.WHOLE:
        return [Loss(LossKind.FACTORS_MISSING)] if known or found.factor_rows else []
    return [Loss(LossKind.FACTORS_OTHER)] if known and known != found.factors else []


def _alerts(found: Present, witness: Witness | None) -> list[Loss]:
    if found.alerts_file is FileState.UNUSABLE:
        return [Loss(LossKind.ALERTS_UNUSABLE, {"aside": found.aside.get("alerts.db", "")})]
    if witness is not None and found.alerts < witness.alerts:
        return [Loss(LossKind.ALERTS_MISSING, {"alerts": found.alerts, "had": witness.alerts})]
    return []


def stamped(case: Case) -> StampedClip:
    """A case as the time sees it."""
    hold = case.hold if case.hold is not None and case.hold.in_force else None
    return StampedClip(
        clip=case.clip,
        number=case.id,
        opened=case.opened,
        stamp=Stamp(case.epoch, case.stamped) if case.epoch else None,
        hold_date=hold.until if hold is not None else None,
        held_until=hold.until_retention if hold is not None and hold.until_retention else None,
        restricted=bool(case.restricted),
    )
