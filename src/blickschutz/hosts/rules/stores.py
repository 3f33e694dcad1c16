"""Which stores may keep second copies: those whose answers say that whoever deletes there deletes. Pure.

docs/decisions/0014-copies-in-a-store.md.
"""

from __future__ import annotations

from enum import StrEnum

from blickschutz.hosts.model import StoreFacts


class Unfit(StrEnum):
    """Why a store is refused."""

    LOCKED = "locked"
    LIFECYCLE = "lifecycle"
    REPLICATED = "replicated"
    UNASKED = "unasked"
    NOT_PROVEN = "not-proven"


WORDS: dict[Unfit, tuple[str, str]] = {
    Unfit.LOCKED: (
        "Objekte werden dort von selbst gesperrt (Object Lock mit Aufbewahrung): Vor deren Ende lässt sich nichts vernichten.",
        "Objects are locked there by themselves (object lock with a retention): nothing can be destroyed before its end.",
    ),
    Unfit.LIFECYCLE: (
        "Regeln des Speichers verschieben oder beenden Objekte: {what}. Nur der Rechner, der die Kopie aufbewahrt, darf das.",
        "Rules of the store move or end objects: {what}. Only the host that keeps the copy may.",
    ),
    Unfit.REPLICATED: (
        "Der Speicher kopiert Objekte an andere Orte: {what}. Dort ließe sich ihre Vernichtung nicht nachweisen.",
        "The store copies objects to other places: {what}. Their destruction there could not be proven.",
    ),
    Unfit.UNASKED: (
        "Nicht zu erfragen war: {what}. Was nicht bekannt ist, wird nicht angenommen.",
        "What could not be asked: {what}. What is not known is not taken for granted.",
    ),
    Unfit.NOT_PROVEN: (
        "Ein Probeobjekt ließ sich nicht nachweislich vernichten: {what}.",
        "An object that was put there to try could not be destroyed with proof: {what}.",
    ),
}


def unfit(facts: StoreFacts) -> list[tuple[Unfit, str, str]]:
    """Every reason to refuse a store, in German and in English; none for one that may keep copies."""
    found = {
        Unfit.LOCKED: ("", facts.locked),
        Unfit.LIFECYCLE: (", ".join(facts.lifecycle), bool(facts.lifecycle)),
        Unfit.REPLICATED: (", ".join(facts.replicated), bool(facts.replicated)),
        Unfit.UNASKED: ("; ".join(facts.unasked), bool(facts.unasked)),
        Unfit.NOT_PROVEN: (facts.not_proven, bool(facts.not_proven)),
    }
    return [(why, WORDS[why][0].format(what=what), WORDS[why][1].format(what=what)) for why, (what, holds) in found.items() if holds]
