"""What a start finds missing, by the witness and by what lies there; and what waits while something is. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.access.model import AccountState, Member
from blickschutz.audit.io.log import Facts
from blickschutz.audit.model import Event
from blickschutz.control.model import FileState, Loss, LossKind, Present, Witness
from blickschutz.retention.model import Stamp, StampedClip
from blickschutz.review.model import Case
from blickschutz.vault.model import Vouched

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


def strayed(
    files: Mapping[str, str],
    digests: Mapping[str, str],
    certified: Mapping[str, Vouched],
    members: Mapping[str, Member],
    keys: Mapping[str, Facts],
    rights: Mapping[str, Facts],
    states: Mapping[str, Facts],
) -> list[str]:
    """What of key files and accounts is not as the log says. By person, `files` are public keys (hex), `digests` the
    SHA-256 of the files themselves; the rest is what the log said last of each person's key, rights and account. A key of which it never
    said a digest (made before November 2026) is not compared by that."""
    faults = []
    for name, public in sorted(files.items()):
        told = keys.get(name, {})
        if told.get("event") == Event.REVIEWER_LEFT.value or told.get("public") != public:
            faults.append(f"the key file of {name} was not made at the key desk")
        elif told.get("sealed", digests.get(name)) != digests.get(name):
            # An older file opens with the passphrase that its person gave up, or without the half that they added.
            faults.append(f"the key file of {name} is not the one that was made last at the key desk")
    for name, key in sorted(certified.items()):
        if files.get(name) != key.public:
            faults.append(f"the key file of {name} is not the one that others vouched for")
        if name in members and _is_altered(members[name], rights.get(name), states.get(name)):
            faults.append(f"the account of {name} is not as the log says")
    return faults


def _is_altered(member: Member, rights: Facts | None, state: Facts | None) -> bool:
    if state is not None and state.get("event") == Event.ACCOUNT_BLOCKED.value and member.state is not AccountState.BLOCKED:
        return True
    if rights is None:
        return False
    trained = member.trained_until.isoformat() if member.trained_until else ""
    # An account that two people made before November 2026 was entered without its training.
    known = "trained_until" in rights or "people" not in rights or rights.get("event") == Event.RIGHTS_CHANGED.value
    return rights.get("roles") != sorted(role.value for role in member.roles) or (known and rights.get("trained_until", "") != trained)
