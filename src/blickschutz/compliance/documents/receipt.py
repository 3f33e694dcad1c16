"""The receipt of a destruction (Löschprotokoll) on paper, with a picture code that holds the signed receipt itself."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from blickschutz.audit.model import Event
from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import Document, Section, Sentence, Table, event, missing, rule, say
from blickschutz.compliance.model import Grounds
from blickschutz.retention.model import CopyProof, Ending, Receipt, Why
from blickschutz.retention.rules import proofs_of

_WHY = {
    Why.HARMLESS: ("kein Vorfall nach Sichtung", "no incident after review"),
    Why.UNREVIEWED: ("Frist abgelaufen, nicht gesichtet", "deadline passed, not reviewed"),
    Why.HOLD_EXPIRED: ("Löschsperre abgelaufen", "hold expired"),
    Why.HOLD_RELEASED: ("Löschsperre von zwei Personen aufgehoben", "hold released by two people"),
    Why.ERASURE: ("Löschung auf Antrag der betroffenen Person", "erasure asked for by the person concerned"),
    Why.UNSAFE_REDACTION: ("von einer älteren Version verpixelt, nicht sicher genug", "redacted by an older version, not safe enough"),
    Why.DISCARDED: ("aus der Quarantäne von zwei Personen verworfen", "discarded out of quarantine by two people"),
}
_ENDINGS = {
    Ending.OVERWRITTEN: (
        "Schlüsselteile und Aufzeichnung wurden überschrieben, die Datei und alles daraus Gefertigte entfernt.",
        "Shares of the key and the recording were overwritten; the file and all that was made from it were removed.",
    ),
    Ending.INTERRUPTED: (
        "Ein unterbrochener Lauf hatte begonnen, die Datei zu überschreiben; der nächste fand keine mehr, oder eine leere, und "
        "überschrieb nichts.",
        "A run that was interrupted had begun to overwrite the file; the next one found none, or an empty one, and overwrote nothing.",
    ),
    Ending.DELETED: (
        "Jede Fassung wurde in dem Speicher gelöscht, der sie aufbewahrte; danach wurde keine mehr aufgeführt. Überschrieben wird dort "
        "nichts.",
        "Every version was deleted in the store that kept it; none was listed afterwards. Nothing is overwritten there.",
    ),
    Ending.VANISHED: (
        "Es war keine Datei mehr da, oder eine leere; dieser Auftrag hat nichts überschrieben.",
        "No file was found, or an empty one; nothing was overwritten by this order.",
    ),
}
_EVIDENCE = (event(Event.SHREDDED), rule("LO-05"), rule("LO-06"))
_ENGLISH = "en"


def receipt_paper(g: Grounds, receipt: Receipt, public: str, language: str, *, genuine: bool) -> Document:
    """The paper of `receipt`. `genuine`: its signature was verified with `public`, the installation's public key in hex digits."""
    t = words.either(language)
    sections = (
        Section(t("Was vernichtet wurde", "What was destroyed"), (_what(g, receipt, language),)),
        Section(t("Wie", "How"), tuple(_how(receipt, language))),
        Section(t("Zum Prüfen", "To verify it"), tuple(_proof(receipt, public, language, genuine=genuine))),
    )
    values = {
        "reader": "public",
        "code": code(receipt),
        "code_text": t(
            "Der Bildcode ist das ganze unterschriebene Löschprotokoll. Seinen Text mit einem Lesegerät in eine Datei speichern und "
            "prüfen: blickschutz verify receipt DATEI --public-key SCHLÜSSEL. Dabei zählt der Schlüssel, der von anderswo bekannt ist, "
            "nicht der auf diesem Blatt.",
            "The picture code is the whole signed receipt. Save its text to a file with a reader and verify it: blickschutz verify "
            "receipt FILE --public-key KEY. What counts is the key as it is known from elsewhere, not the one on this sheet.",
        ),
    }
    title = f"{t('Löschprotokoll zu Vorgang', 'Receipt of the destruction, case')} {receipt.case}"
    return Document(
        f"loeschprotokoll-{receipt.case}", title, language, "§ 21 LDSG RLP, Art. 5 Abs. 2 DSGVO", sections, values=values, reticent=True
    )


def code(receipt: Receipt) -> str:
    """What the picture code holds: the receipt as JSON. Written into a file, `blickschutz verify receipt` reads it."""
    return msgspec.json.encode(receipt, order="deterministic").decode()


def _what(g: Grounds, receipt: Receipt, language: str) -> Table:
    t = words.either(language)
    cameras = {camera.id: camera.name for camera in g.site.cameras}
    people = {member.id: member.name for member in g.members}
    by = ", ".join(f"{people[one]} ({one})" if one in people else one for one in receipt.people)
    rows = [
        (t("Vorgang", "Case"), str(receipt.case)),
        (t("Kamera", "Camera"), cameras.get(receipt.camera, receipt.camera)),
        (t("Aufgezeichnet ab", "Recorded from"), _moment(g, receipt.opened, language)),
        (t("Vernichtet", "Destroyed"), _moment(g, receipt.destroyed, language)),
        (t("Grund", "Reason"), _said(_WHY, receipt.reason, language)),
        (t("Entschieden von", "Decided by"), by or t("niemandem; die Frist lief ab", "nobody; the deadline passed")),
    ]
    rows += [_copy(g, one, language) for one in proofs_of(receipt)]
    if receipt.host:
        rows.insert(2, (t("Rechner, der sie aufbewahrte und vernichtete", "Machine that kept and destroyed it"), receipt.host))
    return Table((t("Angabe", "Item"), t("Wert", "Value")), tuple((row, _EVIDENCE) for row in rows))


def _copy(g: Grounds, proof: CopyProof, language: str) -> tuple[str, str]:
    """What became of a second copy, in one row."""
    t = words.either(language)
    done = f"{_moment(g, proof.destroyed, language)}. {_said(_ENDINGS, proof.ending, language)}"
    written = f"{t('Überschrieben', 'Overwritten')}: {_bytes(proof.overwritten, language)}."
    report = t("Unterschriebener Bericht des Rechners", "Signed report of the machine")
    place = f", {t('Speicher', 'store')} {proof.store}" if proof.store else ""
    return (
        f"{t('Zweitkopie auf Rechner', 'Second copy on machine')} {proof.host}{place}",
        f"{done} {written} {report}: SHA-256 {proof.reported}",
    )


def _how(receipt: Receipt, language: str) -> list[Sentence | Table]:
    t = words.either(language)
    # A receipt of version 1 does not tell endings apart; its method says in English what was done.
    found = say(_said(_ENDINGS, receipt.ending, language) if receipt.ending else receipt.method, *_EVIDENCE)
    absent = (
        say(
            t("Danach wurde nachgesehen: Es ist nichts davon übrig.", "Afterwards it was looked for: nothing of it is left."),
            *_EVIDENCE,
        )
        if receipt.absent
        else missing(t("Es war noch etwas davon da.", "something of it was still there"), *_EVIDENCE)
    )
    rows = [
        (t("Größe der Aufzeichnung", "Size of the recording"), _bytes(receipt.size, language)),
        (t("Davon überschrieben", "Overwritten of it"), _bytes(receipt.overwritten, language)),
        (t("Daraus gefertigte Dateien entfernt", "Files made from it that were removed"), str(receipt.derived)),
    ]
    if receipt.begun:
        rows.insert(2, (t("Überschreiben begonnen für", "Overwriting begun for"), _bytes(receipt.begun, language)))
    return [found, absent, Table((t("Angabe", "Item"), t("Wert", "Value")), tuple((row, _EVIDENCE) for row in rows))]


def _proof(receipt: Receipt, public: str, language: str, *, genuine: bool) -> list[Sentence | Table]:
    t = words.either(language)
    signed = (
        say(
            t(
                "Die Anlage hat dieses Löschprotokoll unterschrieben; beim Drucken wurde die Unterschrift geprüft.",
                "The installation signed this receipt; the signature was verified when it was printed.",
            ),
            *_EVIDENCE,
        )
        if genuine
        else missing(
            t(
                "Die Unterschrift passt nicht zum jetzigen Schlüssel dieser Anlage. Mit einem früheren Schlüssel prüfen.",
                "the signature does not belong to the present key of this installation; verify it with a former key",
            ),
            *_EVIDENCE,
        )
    )
    rows = [
        (t("Kennung der Aufzeichnung", "Id of the recording"), receipt.clip),
        (t("Prüfsumme der versiegelten Datei (SHA-256)", "Hash of the sealed file (SHA-256)"), _broken(receipt.sha256)),
        (t("Kennung der Anlage", "Id of the installation"), receipt.installation),
        (t("Öffentlicher Schlüssel der Anlage", "Public key of the installation"), _broken(public)),
    ]
    return [
        signed,
        Table((t("Angabe", "Item"), t("Wert", "Value")), tuple((row, _EVIDENCE) for row in rows)),
    ]


def _said(meanings: dict[Why, tuple[str, str]] | dict[Ending, tuple[str, str]], value: str, language: str) -> str:
    found = {str(key): both for key, both in meanings.items()}.get(value)
    return value if found is None else found[language == _ENGLISH]


def _moment(g: Grounds, at: float, language: str) -> str:
    if language == _ENGLISH:
        return f"{datetime.fromtimestamp(at, ZoneInfo(g.site.site.timezone)):%d %B %Y, %H:%M}"
    return words.moment(g, at)


def _bytes(size: int, language: str) -> str:
    grouped = f"{size:,}"
    return f"{grouped if language == _ENGLISH else grouped.replace(',', '.')} {words.either(language)('Byte', 'bytes')}"


def _broken(digits: str) -> str:
    """Hex digits in groups of eight, so that a line can break between them and somebody can compare them."""
    return " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))
