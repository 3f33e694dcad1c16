"""Facts that people enter and sign in the application. All there is to know of them stands in the log; this reads it from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from blickschutz.access.model import Member, Role
from blickschutz.audit.model import Entry, Event
from blickschutz.compliance.facts import Fact, FactKind
from blickschutz.compliance.sheets import Sheet

EVENTS = (Event.FACT_ENTERED, Event.FACT_SIGNED, Event.FACT_WITHDRAWN)
CRIME = "kriminalstatistik"
"""The police's figures (CSV) for the committee's report: no fact of a gate, entered and signed the same way."""
PHOTOGRAPH = "schild-foto"
"""A photograph of one sign; its day is the day on which the sign was seen."""
ACCEPTANCE = "abnahme-bild"
"""A redacted picture of one camera, of the day of its acceptance."""
PICTURES = frozenset({PHOTOGRAPH, ACCEPTANCE})
"""What stands for one sign or one camera, and is shown on the page."""
SHEETS = frozenset(sheet.value for sheet in Sheet)
KINDS = (*(kind.value for kind in FactKind), *(sheet.value for sheet in Sheet), PHOTOGRAPH, ACCEPTANCE, CRIME)
NEEDED = 2
_A, _T, _D = Role.SUPERVISION, Role.ADMINISTRATION, Role.DATA_PROTECTION
_ANY = (frozenset({_A, _T}), frozenset({_A, _T, _D}))
# The controller decides (Art. 24, 35 GDPR); the officer advises and has no part in it (Art. 38(6)).
_CONTROLLER = (frozenset({_A}), frozenset({_A, _T}))
_OFFICER = (frozenset({_D}), frozenset({_A}))
SIGNERS: Mapping[str, tuple[frozenset[Role], frozenset[Role]]] = {
    **dict.fromkeys(KINDS, _ANY),
    FactKind.DPO_ADVICE.value: _OFFICER,
    **{
        kind.value: _CONTROLLER
        for kind in (
            FactKind.DPIA,
            FactKind.RESIDUAL_RISK,
            FactKind.PROPORTIONALITY,
            FactKind.PRIOR_CONSULTATION,
            FactKind.PROCESSING_RECORD,
            FactKind.LEGAL_OPINION_AI,
            FactKind.AI_CLASSIFICATION,
            FactKind.APPROVAL,
            FactKind.HUMAN_REVIEW,
            FactKind.ASSEMBLIES,
            FactKind.COUNCIL,
            Sheet.PARTICULARS,
            Sheet.PURPOSES,
            Sheet.RISKS,
            Sheet.CLASSIFICATION,
        )
    },
}
"""Which roles stand for a kind of fact, and which confirm it; always two people."""
# Of these there may be several, each of its own day.
REPEATED = frozenset({FactKind.COMPLAINTS.value, FactKind.BREACHES.value, FactKind.COSTS.value, CRIME})
# What happened or was seen stays so, whatever the settings are.
LASTING = frozenset(
    {CRIME, PHOTOGRAPH, ACCEPTANCE}
    | {
        sheet.value
        for sheet in (
            *(Sheet.PARTICULARS, Sheet.INCIDENTS, Sheet.COMMITMENTS, Sheet.TRAININGS),
            *(Sheet.CONTRACT, Sheet.VISITS, Sheet.BREACHES, Sheet.TRANSLATIONS),
        )
    }
)


class Standing(StrEnum):
    """What an entered fact is worth now."""

    WAITING = "waiting"
    SIGNED = "signed"
    VOID = "void"
    WITHDRAWN = "withdrawn"


class NotSigned(StrEnum):
    """Why somebody did not sign."""

    GONE = "gone"
    COMPLETE = "complete"
    SAME_PERSON = "same-person"
    ROLE = "role"
    OTHER_SETTINGS = "other-settings"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, by short name and by name, in which role, when (POSIX), and for which settings."""

    person: str
    name: str
    role: Role
    at: float
    settings: str


@dataclass(frozen=True, slots=True)
class Entered:
    """A fact as it was entered. `number` is that of its entry in the log, `file` what its document was called, `subject` the sign or
    camera that a picture shows."""

    number: int
    kind: str
    day: date
    text: str
    file: str
    sha256: str
    size: int
    by: str
    at: float
    settings: str
    subject: str = ""
    signatures: tuple[Signature, ...] = ()
    withdrawn_by: str = ""

    @property
    def name(self) -> str:
        """How the rules call its document."""
        return f"Nachweis {self.number} ({self.file})"

    def valid(self, settings: str) -> tuple[Signature, ...]:
        """Signatures that count for these settings; what happened does not depend on any."""
        return tuple(one for one in self.signatures if self.kind in LASTING or one.settings == settings)

    def standing(self, settings: str) -> Standing:
        """What it is worth under these settings."""
        if self.withdrawn_by:
            return Standing.WITHDRAWN
        counted = self.valid(settings)
        if len(counted) >= NEEDED:
            return Standing.SIGNED
        return Standing.VOID if len(counted) < len(self.signatures) else Standing.WAITING


def entered(entries: Iterable[Entry]) -> list[Entered]:
    """What the entries of `EVENTS`, the oldest first, say is there."""
    found: dict[int, Entered] = {}
    for entry in entries:
        facts = entry.facts
        if entry.event is Event.FACT_ENTERED:
            found[entry.number] = Entered(
                entry.number,
                str(facts["kind"]),
                date.fromisoformat(str(facts["day"])),
                str(facts["text"]),
                str(facts["file"]),
                str(facts["sha256"]),
                int(str(facts["size"])),
                entry.by,
                entry.at,
                str(facts["settings"]),
                str(facts.get("subject", "")),
            )
            continue
        one = found.get(int(str(facts["entry"])))
        if one is None:
            continue
        if entry.event is Event.FACT_SIGNED:
            made = Signature(entry.by, str(facts["name"]), Role(str(facts["role"])), entry.at, str(facts["settings"]))
            # Half of a pair whose person could no longer sign when this one did.
            without = facts.get("without")
            names = without if isinstance(without, list) else []
            gone = one.valid(made.settings)
            kept = tuple(old for old in one.signatures if old not in gone or old.person not in names)
            found[one.number] = replace(one, signatures=(*kept, made))
        else:
            found[one.number] = replace(one, withdrawn_by=entry.by)
    return list(found.values())


def of_those_who_may(one: Entered, settings: str, counts: Callable[[Signature], bool]) -> Entered:
    """A fact without the signature of somebody who may no longer sign it; of what two have signed nothing is taken back."""
    counted = one.valid(settings)
    if len(counted) >= NEEDED or all(counts(made) for made in counted):
        return one
    return replace(one, signatures=tuple(made for made in one.signatures if made not in counted or counts(made)))


def roles_wanted(one: Entered, settings: str) -> frozenset[Role]:
    """The roles of whom a signature is asked now; empty where none is missing. It does not matter who is first."""
    counted, (stands, confirms) = one.valid(settings), SIGNERS[one.kind]
    if one.withdrawn_by or len(counted) >= NEEDED:
        return frozenset()
    if not counted:
        return stands | confirms
    role = counted[0].role
    return (confirms if role in stands else frozenset()) | (stands if role in confirms else frozenset())


def in_order(one: Entered, settings: str) -> tuple[Signature, ...]:
    """The signatures that count: first whoever stands for it, then whoever confirms."""
    counted, (stands, confirms) = one.valid(settings), SIGNERS[one.kind]
    fits = len(counted) < NEEDED or (counted[0].role in stands and counted[1].role in confirms)
    return counted if fits else counted[::-1]


def refusal(one: Entered, member: Member, settings: str) -> NotSigned | None:
    """Why somebody cannot sign that now; None where they can."""
    if one.withdrawn_by:
        return NotSigned.GONE
    counted = one.valid(settings)
    if len(counted) >= NEEDED:
        return NotSigned.COMPLETE
    if any(signature.person == member.id for signature in counted):
        return NotSigned.SAME_PERSON
    return None if member.may(*roles_wanted(one, settings)) else NotSigned.ROLE


def counting(found: Iterable[Entered], settings: str) -> list[Entered]:
    """What rules look at: of each kind (and sign) the newest that is signed, else the newest whose signatures are void; of what is
    repeated, all that is signed."""
    newest: dict[tuple[str, str], Entered] = {}
    repeated = []
    for one in sorted(found, key=lambda one: one.number):
        standing = one.standing(settings)
        if standing not in {Standing.SIGNED, Standing.VOID} or one.kind == CRIME:
            continue
        key = (one.kind, one.subject)
        before = newest.get(key)
        if one.kind in REPEATED:
            repeated += [one] if standing is Standing.SIGNED else []
        elif before is None or standing is Standing.SIGNED or before.standing(settings) is Standing.VOID:
            newest[key] = one
    return [*newest.values(), *repeated]


def as_fact(one: Entered, settings: str) -> Fact:
    """The same as a fact of the facts file. Whoever signed last for other settings is named where nobody did for these."""
    counted = in_order(one, settings) if one.standing(settings) is Standing.SIGNED else one.signatures[:NEEDED]
    first, second = (counted[0].name, counted[1].name) if len(counted) >= NEEDED else (counted[0].name, "")
    return Fact(
        kind=FactKind(one.kind),
        date=one.day,
        person=first,
        confirmed=second,
        text=one.text,
        document=one.name,
        sha256=one.sha256,
        settings=counted[0].settings,
    )
