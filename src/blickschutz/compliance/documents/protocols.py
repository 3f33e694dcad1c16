"""Printed protocols of what happened to clips, from the log: Sichtung, Löschung, Übergabe, Entpixelung. No note and no picture."""

from __future__ import annotations

from collections.abc import Callable

from blickschutz.audit.model import Entry, Event
from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import Document, Evidence, Section, Sentence, Table, event, law, missing, rule, say
from blickschutz.compliance.model import Grounds

DAYS = 92.0
"""A protocol goes back for a quarter of a year."""
MOST = 200
_CLIP, _GROUP = 8, 8
_OUTCOMES = {"incident": "Vorfall", "harmless": "kein Vorfall", "third": "dritte Stimme nötig"}
_REASONS = {
    "unreviewed": "Frist abgelaufen, nicht gesichtet",
    "harmless": "kein Vorfall nach Sichtung",
    "hold-expired": "Löschsperre abgelaufen",
    "hold-released": "Löschsperre von zweien aufgehoben",
    "erasure": "Löschung auf Antrag",
    "unsafe-redaction": "von einer älteren Version verpixelt, nicht sicher genug",
    "discarded": "aus der Quarantäne von zweien verworfen",
}
_ENDINGS = {"overwritten": "überschrieben und Schlüssel vernichtet", "interrupted": "unterbrochen, dann fort", "vanished": "Datei war fort"}
_BASES = {
    "strafverfolgung": "Strafverfolgung",
    "gefahrenabwehr": "Gefahrenabwehr",
    "gesetzlich": "gesetzlich angeordnet",
    "betroffener": "betroffene Person",
}
_Cells = Callable[[Grounds, Entry], tuple[str, ...]]


def _people(entry: Entry) -> str:
    found = entry.facts.get("people")
    return ", ".join(found) if isinstance(found, list) else entry.by


def _text(entry: Entry, key: str, meanings: dict[str, str] | None = None) -> str:
    value = str(entry.facts.get(key, ""))
    return words.or_open((meanings or {}).get(value, value))


def _opened_with(entry: Entry) -> str:
    """What opens a package: the recipient's public key, in groups that can be read to each other, or words, which are printed nowhere."""
    key, reader = str(entry.facts.get("recipient_key", "")), str(entry.facts.get("words", ""))
    if key:
        return " ".join(key[start : start + _GROUP] for start in range(0, len(key), _GROUP))
    return f"Kennwort, gelesen von {reader}" if reader else words.or_open("")


def _listed(g: Grounds, what: Event, columns: tuple[str, ...], cells: _Cells, more: tuple[Evidence, ...]) -> list[Sentence | Table]:
    """Entries of the last quarter as a table; that there were none is a finding of the log, not of nobody having looked."""
    evidence = (event(what), *more)
    if not g.started:
        return [missing("Die Anlage lief noch nicht; es gibt kein Protokoll", *evidence)]
    entries = sorted(g.entries(what, DAYS), key=lambda one: one.number, reverse=True)
    if not entries:
        return [say(f"Das Protokoll der letzten {DAYS:.0f} Tage hat keinen Eintrag.", *evidence)]
    rows = tuple(((words.moment(g, one.at), one.subject[:_CLIP], *cells(g, one)), evidence) for one in entries[:MOST])
    found: list[Sentence | Table] = [Table(("Zeit", "Clip", *columns), rows)]
    if len(entries) > MOST:
        found.insert(0, say(f"Von {len(entries)} Einträgen der letzten {DAYS:.0f} Tage stehen die jüngsten {MOST} hier.", *evidence))
    return found


def protocols(g: Grounds) -> Document:
    """The four lists, and the form that goes with a hand-over."""
    sections = (
        Section(
            "Was hier steht",
            (
                say(
                    f"Auszug aus dem Protokoll der Anlage für {DAYS:.0f} Tage, mit Kurznamen. "
                    f"Notizen und Bilder enthält es nicht; sie enden "
                    "mit dem Clip.",
                    rule("SI-04"),
                    rule("LO-05"),
                ),
            ),
        ),
        Section(
            "Sichtungsprotokoll",
            _listed(
                g,
                Event.CASE_DECIDED,
                ("Ergebnis", "bewertet von"),
                lambda _, one: (_text(one, "outcome", _OUTCOMES), _people(one)),
                (rule("VA-01"),),
            ),
        ),
        Section(
            "Löschprotokoll",
            _listed(
                g,
                Event.SHREDDED,
                ("Grund", "Methode", "nachgesehen", "Hash"),
                lambda _, one: (
                    _text(one, "reason", _REASONS),
                    _text(one, "ending", _ENDINGS),
                    {True: "fort", False: "NICHT fort"}.get(bool(one.facts.get("absent")), "") if "absent" in one.facts else words.OPEN,
                    _text(one, "sha256")[:12],
                ),
                (rule("LO-05"), rule("LO-06")),
            ),
        ),
        Section(
            "Übergabeprotokoll",
            [
                *_listed(
                    g,
                    Event.RELEASED,
                    ("Rechtsgrundlage", "Empfänger", "Aktenzeichen", "herausgegeben von", "Hash", "geöffnet mit"),
                    lambda _, one: (
                        _text(one, "basis", _BASES),
                        _text(one, "recipient"),
                        _text(one, "reference"),
                        _people(one),
                        _text(one, "sha256")[:12],
                        _opened_with(one),
                    ),
                    (rule("ZB-01"),),
                ),
                say(
                    "Bei der Übergabe: Empfänger weist sich aus, vergleicht den Hash und den öffentlichen Schlüssel, mit dem das Paket "
                    "verschlüsselt ist, und unterschreibt; was es öffnet, hat nur der Empfänger.",
                    rule("SI-08"),
                    law("§ 21 Abs. 3 LDSG RLP"),
                ),
            ],
        ),
        Section(
            "Entpixelungsverzeichnis",
            _listed(
                g,
                Event.UNMASK_GRANTED,
                ("Grund", "Aktenzeichen", "durch", "Sekunden"),
                lambda _, one: (_text(one, "reason"), _text(one, "reference"), _people(one), _text(one, "seconds")),
                (rule("VA-02"), rule("VA-03")),
            ),
        ),
    )
    return Document(
        "protokolle",
        "Sichtungs-, Lösch- und Übergabeprotokoll",
        "de",
        "§ 21 LDSG RLP, Art. 5 Abs. 2 DSGVO",
        sections,
        signers=("Aufsicht", "Empfänger (bei Übergabe)"),
        reticent=True,
    )
