"""Ratsvorlage and press text: what the council is asked to decide, with what is known and what is open. It is read in public: no count of
incidents and no name of somebody who works in the office stands in it."""

from __future__ import annotations

from blickschutz.compliance.documents import hours, words
from blickschutz.compliance.documents.model import Document, Evidence, Section, Sentence, Table, fact, law, missing, rule, say, setting
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Found, Grounds, Kind, Result
from blickschutz.compliance.policy.signed import is_signed
from blickschutz.compliance.reports.suppression import Suppressor
from blickschutz.redaction.model import Style

_STATES = {Result.HOLDS: "erfüllt", Result.BROKEN: "nicht erfüllt", Result.UNKNOWN: "offen"}


def council(g: Grounds, found: list[Found]) -> Document:
    """The draft of a paper for the council; it decides nothing by itself."""
    gates = [one for one in found if Kind.GATE in one.rule.kinds]
    held = sum(one.answer.result is Result.HOLDS for one in gates)
    sections = (
        Section(
            "Beschlussvorschlag",
            (
                say(
                    "Entwurf der Verwaltung. Über Wortlaut und Zuständigkeit entscheidet, wer die Vorlage einbringt.",
                    words.COUNCIL.evidence,
                ),
                say(
                    f"Der Rat nimmt den Videoschutz an {g.site.site.name} mit {len(g.site.cameras)} Kameras in dem Umfang zur Kenntnis, "
                    "der unten beschrieben ist. Er geht erst in Betrieb, wenn alle Voraussetzungen erfüllt sind, und wird nach zwei Jahren "
                    "ausgewertet.",
                    setting("site.name"),
                    setting("cameras"),
                    rule("RG-06"),
                ),
                _told(g, FactKind.COUNCIL, "Beschluss"),
                *words.to_verify(words.COUNCIL),
            ),
        ),
        Section(
            "Sachverhalt",
            (
                Table(("Kamera", "Zweck", "Begründung"), tuple(_cameras(g))),
                *hours.hours(g, "de"),
                words.redaction(g),
                *words.retention(g),
                say("Ton wird nicht aufgenommen. Gesichter werden nicht erkannt.", rule("DM-01"), rule("KI-01")),
            ),
        ),
        Section(
            "Erforderlichkeit und mildere Mittel",
            (
                say(
                    "Vorfälle je Kamera stehen in der Prüfung der Erforderlichkeit (nichtöffentlich), denn kleine Anzahlen können Menschen "
                    "erkennbar machen.",
                    rule("RG-02"),
                ),
                _told(g, FactKind.MILDER_MEANS, "Mildere Mittel"),
                _told(g, FactKind.PROPORTIONALITY, "Verhältnismäßigkeit"),
            ),
        ),
        Section(
            "Rechtsgrundlage und Beteiligung",
            (
                say(f"Rechtsgrundlage: {words.BASIS}.", law("§ 21 Abs. 1 LDSG RLP")),
                *words.to_verify(words.WORDING),
                _told(g, FactKind.LEGAL_OPINION_AI, "Rechtsgutachten zur KI-Auswertung"),
                _told(g, FactKind.DPIA, "Datenschutz-Folgenabschätzung"),
                _told(g, FactKind.DPO_ADVICE, "Rat der Datenschutzbeauftragten"),
                _told(g, FactKind.RESIDUAL_RISK, "Restrisiko"),
                _told(g, FactKind.STAFF_COUNCIL, "Personalrat"),
                _told(g, FactKind.DATA_SUBJECTS_VIEWS, "Standpunkt der Betroffenen"),
                _told(g, FactKind.ASSEMBLIES, "Regelung für Versammlungen"),
            ),
        ),
        Section("Kosten", (_told(g, FactKind.COSTS, "Kosten"),)),
        Section(
            "Voraussetzungen des Betriebs",
            (
                say(
                    f"Erfüllt sind {held} von {len(gates)}. Solange eine fehlt, geht die Anlage nicht in Betrieb.",
                    *(rule(one.rule.id) for one in gates),
                ),
                Table(
                    ("Voraussetzung", "Grundlage", "Stand"),
                    tuple(((one.rule.title[0], one.rule.source, _STATES[one.answer.result]), (rule(one.rule.id),)) for one in gates),
                ),
            ),
        ),
        Section("Pressetext (Entwurf)", tuple(_press(g))),
    )
    return Document(
        "ratsvorlage", "Vorlage für den Rat und Pressetext", "de", "GemO RLP (zu prüfen)", sections, signers=("Verantwortlicher",)
    )


def _told(g: Grounds, kind: FactKind, about: str) -> Sentence:
    """What a recorded fact says, with its day; without names, and not where a small number stands in it."""
    found = g.facts.newest(kind)
    if found is None:
        return missing(about, fact(kind))
    text = Suppressor(public=True).text(found.text)
    bare = "" if is_signed(g, found) else f" ({words.UNSIGNED})"
    return say(f"{about}: {found.date:%d.%m.%Y}{bare}. {text}".strip(), fact(kind))


def _cameras(g: Grounds) -> list[tuple[tuple[str, ...], tuple[Evidence, ...]]]:
    grounds = {one.camera: one for one in g.facts.grounds}
    rows: list[tuple[tuple[str, ...], tuple[Evidence, ...]]] = []
    for camera in g.site.cameras:
        found = grounds.get(camera.id)
        purpose = words.PURPOSES[found.purpose] if found is not None else words.OPEN
        reason = Suppressor(public=True).text(found.reason) if found is not None else words.OPEN
        rows.append(((camera.name, purpose, reason), (fact("grounds"), setting("cameras.name"))))
    return rows


def _press(g: Grounds) -> list[Sentence]:
    """What may be told before and after the decision: only what settings say."""
    shown = "als Umriss" if g.site.redaction.style is Style.SILHOUETTE else "verpixelt"
    where = g.facts.full_information
    return [
        say(
            f"{g.site.site.operator}: {len(g.site.cameras)} Kameras an {g.site.site.name}. Wer dort vorbeigeht, ist im Live-Bild nur "
            f"{shown} zu sehen.",
            setting("site.operator"),
            setting("site.name"),
            setting("cameras"),
            setting("redaction.style"),
        ),
        *hours.hours(g, "de")[:2],
        words.retention(g)[0],
        say(f"Mehr Informationen: {where}.", fact("full_information"))
        if where
        else missing("Ort der Informationen", fact("full_information")),
    ]
