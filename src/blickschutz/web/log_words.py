"""Entries of the log as people read them: who did what about what, and why. Keys, hashes and the like are for unfolding."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from blickschutz.audit.model import Entry, Event
from blickschutz.situations.kinds import Kind, name
from blickschutz.web import texts
from blickschutz.web.trial_words import TRIAL_PROBLEMS
from blickschutz.web.words import N_, ROLE_WORDS

_LEAST_MOMENT = 1e9
_HASH = re.compile(r"[0-9a-f]{16,}")
_ALL = "all"
_PROGRAMS: Mapping[str, str] = {"system": N_("Anlage"), "site-file": N_("Anlagendatei")}
FACT_WORDS: Mapping[str, str] = {
    "reason": N_("Grund"),
    "why": N_("Grund"),
    "text": N_("Text"),
    "note": N_("Notiz"),
    "reference": N_("Aktenzeichen"),
    "ground": N_("Rechtlicher Grund"),
    "basis": N_("Rechtsgrundlage"),
    "recipient": N_("Empfänger"),
    "decision": N_("Entscheidung"),
    "outcome": N_("Ergebnis"),
    "verdict": N_("Bewertung"),
    "people": N_("Personen"),
    "by": N_("von"),
    "person": N_("Person"),
    "case": N_("Vorgang"),
    "request": N_("Anfrage"),
    "camera": N_("Kamera"),
    "kind": N_("Art"),
    "cause": N_("Anlass"),
    "mode": N_("Weise"),
    "regime": N_("Regelung"),
    "until": N_("bis"),
    "since": N_("seit"),
    "seconds": N_("Sekunden"),
    "length": N_("Länge in Sekunden"),
    "took": N_("innerhalb von Sekunden"),
    "keys": N_("Einstellungen"),
    "undoes": N_("nimmt zurück"),
    "count": N_("Anzahl"),
    "counted": N_("Anzahl"),
    "entries": N_("Einträge"),
    "entry": N_("Nachweis"),
    "day": N_("Vom"),
    "quota": N_("Kontingent"),
    "tries": N_("Versuche"),
    "file": N_("Datei"),
    "version": N_("Version"),
    "event": N_("Ereignis"),
    "roles": N_("Rollen"),
    "owner": N_("verantwortlich"),
    "trained_until": N_("Schulung gilt bis"),
    "words": N_("Kennwort gelesen von"),
    "recipient_key": N_("Schlüssel des Empfängers"),
    "successor": N_("Schicht übergeben an"),
    "open_count": N_("Offene Meldungen"),
    "open_alerts": N_("Nummern"),
    "dark_cameras": N_("Nicht live"),
    "address": N_("Adresse"),
    "networks": N_("Netze"),
    "not_tried": N_("Nicht ausprobiert"),
}
_REASONS: Mapping[str, str] = {
    **texts.SHRED_WORDS,
    **texts.ROOM_PROBLEMS,
    **texts.DOOR_PROBLEMS,
    **texts.RECORDING_PROBLEMS,
    **texts.QUARANTINE_WORDS,
    "role": N_("nicht für diese Rolle"),
    "words": N_("hatte das Kennwort gelesen"),
    "interrupted": N_("Der Platz wurde geschlossen, bevor das Kennwort geprüft war."),
    "key": N_("hatte den Schlüssel angegeben"),
    "scope": N_("nicht für diesen Token"),
}
_DECISIONS: Mapping[str, str] = {key: texts.HISTORY_WORDS[key] for key in ("acknowledge", "undo", "act", "close", "record")}
# What the value of a fact may be, in words.
_VALUES: Mapping[str, Mapping[str, str]] = {
    "reason": _REASONS,
    "why": _REASONS,
    "decision": _DECISIONS,
    "outcome": {**texts.OUTCOME_WORDS, "harmless": texts.SHRED_WORDS["harmless"], "third": texts.CASE_WORDS["third"]},
    "verdict": texts.VERDICT_WORDS,
    "ground": texts.GROUND_WORDS,
    "basis": texts.BASIS_WORDS,
    "mode": texts.MODE_WORDS,
    "regime": texts.REGIME_WORDS,
    "event": texts.EVENT_WORDS,
    "roles": ROLE_WORDS,
    "not_tried": TRIAL_PROBLEMS,
}
_PEOPLE = frozenset({"people", "by", "person", "owner", "words"})


@dataclass(frozen=True, slots=True)
class Said:
    """One entry in words. `raw` is all that it holds as it is, with its hash: for whoever unfolds it.

    `receipt`: it is the receipt of a destruction, which is to be had on paper.
    """

    number: int
    at: str
    who: str
    what: str
    about: str
    facts: list[tuple[str, str]]
    raw: list[tuple[str, str]]
    receipt: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called, and when a moment (POSIX) was."""

    language: str
    person: Callable[[str], str]
    camera: Callable[[str], str]
    when: Callable[[float], str]


def said(entry: Entry, hashed: str, names: Names) -> Said:
    """`entry` in the language of `names`."""
    translate = texts.translator(names.language)
    raw = [("by", entry.by), ("subject", entry.subject)] if entry.subject else [("by", entry.by)]
    raw += [(key, ", ".join(map(str, value)) if isinstance(value, list) else str(value)) for key, value in entry.facts.items()]
    shown = [
        (translate(FACT_WORDS[key]), text)
        for key, value in entry.facts.items()
        if key in FACT_WORDS and (text := _value(key, value, names, translate))
    ]
    who = _who(entry.by, names, translate)
    what = translate(texts.EVENT_WORDS[entry.event.value])
    return Said(
        entry.number,
        names.when(entry.at),
        who,
        what,
        _about(entry.subject, names, translate),
        shown,
        [*raw, ("hash", hashed)],
        entry.event is Event.SHREDDED,
    )


def _who(person: str, names: Names, translate: texts.Translate) -> str:
    return translate(_PROGRAMS[person]) if person in _PROGRAMS else names.person(person)


def _about(subject: str, names: Names, translate: texts.Translate) -> str:
    """What an entry is about; nothing where only an id or a hash says that."""
    if subject == _ALL:
        return translate(N_("alle Kameras"))
    if subject.startswith("alert-"):
        return f"{translate(N_('Meldung'))} {subject.removeprefix('alert-')}"
    if subject.startswith("/"):
        return f"{translate(N_('Seite'))} {subject}"
    if _HASH.fullmatch(subject):
        return ""
    camera = names.camera(subject)
    return camera if camera != subject else names.person(subject)


def _value(key: str, value: object, names: Names, translate: texts.Translate) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, (_value(key, one, names, translate) for one in value)))
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float) and value > _LEAST_MOMENT:
        return names.when(value)
    if isinstance(value, (int, float)):
        return texts.number(value, names.language, 0 if float(value).is_integer() else 1)
    text = str(value)
    if key in _PEOPLE:
        return _who(text, names, translate)
    if key in {"camera", "dark_cameras"}:
        return names.camera(text)
    if key in {"kind", "cause"} and text in set(Kind):
        return name(Kind(text), names.language)
    if key == "kind" and text in texts.FACT_KINDS:
        return translate(texts.FACT_KINDS[text])
    if key == "kind" and text in texts.STATE_WORDS:
        return translate(texts.STATE_WORDS[text])
    if key in _VALUES and text in _VALUES[key]:
        return translate(_VALUES[key][text]).removesuffix(".")
    # What is meant for programs is not for reading.
    return "" if _HASH.search(text) or text[:1] in "{[" else text
