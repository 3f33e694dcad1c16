"""TOM (Art. 32 DSGVO): the measures in force, each with component, status and evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blickschutz.audit.model import Event
from blickschutz.compliance.documents import reading, remains, words
from blickschutz.compliance.documents.model import Document, Evidence, Section, Table, event, fact, law, rule, say, setting, test
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Found, Grounds, Result

_STATES = {Result.HOLDS: "wirksam", Result.BROKEN: "NICHT wirksam", Result.UNKNOWN: "OFFEN"}


@dataclass(frozen=True, slots=True)
class _Measure:
    """One row: what is done, which SDM goal, which letter of Art. 32(1), which component, which rule watches over it; where it is so."""

    text: Callable[[Grounds], str]
    goal: str
    letter: str
    component: str
    rule: str
    evidence: tuple[Evidence, ...]
    where: Callable[[Grounds], bool] = lambda g: True


def _plain(text: str) -> Callable[[Grounds], str]:
    return lambda g: text


def _arranged(kind: FactKind, about: str, goal: str, letter: str, component: str, watched: str) -> _Measure:
    """What people arranged and who stands for it; OFFEN until they did."""
    return _Measure(lambda g: words.recorded(g, kind, about).text, goal, letter, component, watched, (fact(kind),))


def _ways_out(g: Grounds) -> str:
    """How alerts leave the machine; what is not encrypted, and why, as the site file says."""
    plain = g.site.alerts.plain()
    text = "Meldungen verlassen den Rechner nur verschlüsselt und nur zu Gegenstellen, deren Zertifikat geprüft wird."
    if not plain:
        return text
    listed = "; ".join(f"{name} zu {host} ({why.strip()})" for name, host, why in plain)
    return f"{text[:-1]}, außer unverschlüsselt: {listed}."


_CONTROLS: tuple[tuple[str, tuple[_Measure, ...]], ...] = (
    (
        "Pseudonymisierung und Verpixelung",
        (
            _Measure(
                lambda g: words.redaction(g).text,
                "Vertraulichkeit",
                "a",
                "Kameraprozess",
                "DM-04",
                (setting("redaction.style"), setting("redaction.colour")),
            ),
            _Measure(
                _plain("Gezeigt wird nur, was nachweislich Hintergrund ist; ohne Nachweis ist das ganze Bild verdeckt."),
                "Vertraulichkeit",
                "a",
                "Kameraprozess",
                "DM-05",
                (test("tests/properties/test_redaction.py"),),
            ),
            _Measure(
                _plain(
                    "In der Maske bleiben höchstens 12,5 Zellen je Meter; Grenze: "
                    "Personen können an Gang und Größe erkennbar bleiben, im gedämpften und farbigen Mosaik auch an Kleidung."
                ),
                "Datenminimierung",
                "a",
                "Kameraprozess",
                "DM-06",
                (test("tests/properties/test_redaction.py"),),
            ),
        ),
    ),
    (
        "Verschlüsselung und Schlüssel",
        (
            _Measure(
                _plain("Jeder Clip hat einen eigenen Schlüssel; ihn öffnen nur zwei Personen gemeinsam. Der Server besitzt ihn nicht."),
                "Vertraulichkeit",
                "a",
                "Tresor",
                "SI-02",
                (test("tests/live/test_secrets.py"),),
            ),
            _Measure(
                lambda g: (
                    "Der Zugriff auf die Seiten ist "
                    f"{'auf diesen Rechner beschränkt' if g.site.server.local else 'mit TLS 1.3 verschlüsselt'}."
                ),
                "Vertraulichkeit",
                "a",
                "Leitstelle",
                "SI-02",
                (setting("server.host"), setting("server.tls")),
            ),
            _Measure(_ways_out, "Vertraulichkeit", "a", "Leitstelle", "SI-02", (setting("alerts"), test("tests/live/test_transport.py"))),
        ),
    ),
    (
        "Zugang und Zugriff",
        (
            _Measure(
                _plain(
                    "Konten lauten auf einzelne Personen, gemeinsame sind nicht vorgesehen; "
                    "Sichtung, Aufsicht und Administration brauchen einen zweiten Faktor."
                ),
                "Vertraulichkeit",
                "b",
                "Konten",
                "SI-03",
                (test("tests/unit/test_access.py"),),
            ),
            _Measure(
                _plain("Wer verwaltet, sieht weder Livebild noch Aufnahmen; wer sichtet, verwaltet nicht."),
                "Nichtverkettung",
                "b",
                "Rechte",
                "VA-04",
                (setting("people.roles"), test("tests/live/test_people.py")),
            ),
            _Measure(
                _plain("Eine Sichtung öffnet sich nur für zwei verschiedene, geschulte Personen."),
                "Vertraulichkeit",
                "b",
                "Sichtungsraum",
                "VA-01",
                (event(Event.CLIP_OPENED), test("tests/properties/test_four_eyes.py")),
            ),
            _Measure(
                lambda g: (
                    f"Eine Entpixelung endet nach {g.site.review.unmask_s} Sekunden; über "
                    f"{g.site.review.unmask_quota} in 30 Tagen erfährt es die Datenschutzbeauftragte."
                ),
                "Intervenierbarkeit",
                "b",
                "Sichtungsraum",
                "VA-03",
                (setting("review.unmask_s"), setting("review.unmask_quota"), event(Event.UNMASK_GRANTED)),
            ),
        ),
    ),
    (
        "Weitergabe",
        (
            _Measure(
                _plain(
                    "Eine Herausgabe braucht Empfänger, Rechtsgrundlage und zwei Personen; das Paket ist für den Empfänger verschlüsselt."
                ),
                "Vertraulichkeit",
                "b",
                "Beweise",
                "ZB-01",
                (event(Event.RELEASED),),
            ),
            _Measure(
                _plain("Original, Verzeichnis, SHA-256, Signatur und Gewahrsam gehen mit."),
                "Integrität",
                "b",
                "Beweise",
                "SI-08",
                (test("tests/unit/test_evidence.py"),),
            ),
            _Measure(reading.row, "Vertraulichkeit", "b", "Leitstelle", "SI-02", reading.READ_BY, where=reading.is_read),
        ),
    ),
    (
        "Eingabe und Protokollierung",
        (
            _Measure(
                _plain("Jede Entscheidung, Einsicht und Änderung ist ein Eintrag in einem verketteten, unterschriebenen Protokoll."),
                "Transparenz",
                "b",
                "Protokoll",
                "SI-04",
                (test("tests/unit/test_audit.py"),),
            ),
            _Measure(
                _plain("Jeder Start vermerkt Programmstand, Modell und Hash der Einstellungen."),
                "Transparenz",
                "d",
                "Protokoll",
                "KI-04",
                (event(Event.SYSTEM_STARTED),),
            ),
        ),
    ),
    (
        "Verfügbarkeit und Wiederherstellung",
        (
            _Measure(
                lambda g: (
                    f"Mit weniger als {g.site.recording.reserve_mb} MB freiem Speicher wird nicht aufgezeichnet, und es wird gemeldet."
                ),
                "Verfügbarkeit",
                "b",
                "Aufzeichnung",
                "LO-01",
                (setting("recording.reserve_mb"), event(Event.DISK_FULL)),
            ),
            _Measure(
                _plain("Endet der Prozess einer Kamera, wird er neu gestartet; die anderen Kameras laufen weiter."),
                "Verfügbarkeit",
                "b",
                "Überwachung der Kameraprozesse",
                "DM-05",
                (test("tests/live/test_cells.py"),),
            ),
            _Measure(_plain("Die Wiederherstellung wird jährlich geprüft."), "Verfügbarkeit", "c", "Betrieb", "SI-09", (rule("SI-09"),)),
        ),
    ),
    (
        "Trennung der Netze",
        (
            _Measure(
                _plain("Die Anlage hat keinen Weg in das städtische Netz oder das Internet."),
                "Nichtverkettung",
                "b",
                "Netz",
                "SI-01",
                (rule("SI-01"),),
            ),
            _arranged(FactKind.CAMERA_LINK, "Was sonst im Netz der Kameras ist", "Vertraulichkeit", "b", "Netz", "SI-02"),
        ),
    ),
    (
        "Löschung",
        (
            _Measure(
                lambda g: words.retention(g)[0].text, "Datenminimierung", "b", "Löschung", "LO-01", (setting("retention.unreviewed_hours"),)
            ),
            _Measure(
                _plain("Vernichtet wird der Schlüssel des Clips und die Datei; danach wird nachgesehen, dass nichts blieb."),
                "Datenminimierung",
                "b",
                "Löschung",
                "LO-06",
                (event(Event.SHREDDED), test("tests/faults/test_crashes.py")),
            ),
        ),
    ),
    (
        "Überprüfung und Auftrag",
        (
            _Measure(_plain("Rechte werden halbjährlich überprüft."), "Transparenz", "d", "Betrieb", "SI-09", (rule("SI-09"),)),
            _arranged(FactKind.HUMAN_REVIEW, "Wer jede Meldung prüft", "Intervenierbarkeit", "d", "Betrieb", "KI-03"),
            _arranged(FactKind.ASSEMBLIES, "Anhalten bei Versammlungen", "Intervenierbarkeit", "d", "Betrieb", "KI-08"),
            _arranged(FactKind.MAINTENANCE_CONTRACT, "Wartung durch Dritte", "Vertraulichkeit", "d", "Betrieb", "AP-01"),
        ),
    ),
)


def _of_server(g: Grounds) -> tuple[tuple[str, tuple[_Measure, ...]], ...]:
    """What holds of a database server, where there is one."""
    if g.site.storage.server is None:
        return ()
    tried, stated = test("tests/unit/test_server_store.py"), setting("storage.database")
    way = (
        "Die Datenbank wird über einen Anschluss dieses Rechners angesprochen, nicht über das Netz."
        if g.site.storage.server.local
        else "Zum Datenbankserver führt nur eine mit TLS verschlüsselte Verbindung mit geprüftem Zertifikat; das Kennwort wird nur im "
        "Verfahren SCRAM nachgewiesen."
    )
    rows = (
        _Measure(_plain(way), "Vertraulichkeit", "a", "Datenbankserver", "SI-02", (stated, test("tests/unit/test_server_doors.py"))),
        _Measure(
            _plain(
                "Auf dem Datenbankserver kann das System im Protokoll nur anfügen und lesen; Tabellen gehören einer anderen Rolle, die nur "
                "zum Einrichten gebraucht wird. Wer den Server verwaltet, ist daran nicht gebunden: Änderungen zeigt die Kette des "
                "Protokolls."
            ),
            "Integrität",
            "b",
            "Datenbankserver",
            "SI-02",
            (stated, tried),
        ),
    )
    return (("Datenbankserver", rows),)


def _cells(g: Grounds, row: _Measure, state: str) -> tuple[str, ...]:
    """A measure that nobody arranged, or nobody signed, is in force nowhere, whatever its rule says."""
    text = row.text(g)
    is_open = text.startswith(words.OPEN) or words.UNSIGNED in text
    return text, row.goal, f"Art. 32 Abs. 1 lit. {row.letter}", row.component, words.OPEN if is_open else state


def measures(g: Grounds, found: list[Found]) -> Document:
    """The TOM of the site."""
    states = {one.rule.id: _STATES[one.answer.result] for one in found}
    sections = [
        Section(
            "Geltungsbereich",
            (
                say(
                    f"{g.site.site.name} der {g.site.site.operator} mit {len(g.site.cameras)} Kameras.",
                    setting("site.name"),
                    setting("site.operator"),
                    setting("cameras"),
                ),
                say(
                    "Drei Bereiche: Die Prozesse der Kameras halten Rohbilder im Arbeitsspeicher, die Leitstelle nur Verpixeltes und "
                    "Verschlüsseltes, der Sichtungsraum den Schlüssel eines Clips, solange zwei Personen darin sind.",
                    test("tests/live/test_secrets.py"),
                ),
                say(
                    "Schutzbedarf: hoch, denn betroffen sind viele Menschen, die der Beobachtung nicht ausweichen können.",
                    law("Art. 32 Abs. 1 DSGVO"),
                ),
            ),
        )
    ]
    for title, rows in (*_CONTROLS, *_of_server(g)):
        cells = tuple((_cells(g, row, states[row.rule]), (*row.evidence, rule(row.rule))) for row in rows if row.where(g))
        sections.append(Section(title, (Table(("Maßnahme", "Gewährleistungsziel", "Rechtsgrundlage", "Komponente", "Stand"), cells),)))
    sections.append(
        Section(
            "Restrisiken",
            (
                say(
                    "Personen können trotz Verpixelung an Größe, Gang oder Begleitung erkannt werden, "
                    "im gedämpften und farbigen Mosaik auch an Kleidung.",
                    rule("DM-06"),
                ),
                *remains.costs(g, "de"),
                say(
                    "Wer lange stillsteht, bleibt verpixelt; eine Person, die nie erkannt "
                    "wird, bleibt verdeckt, solange der Hintergrund nicht belegt ist.",
                    test("tests/properties/test_redaction.py"),
                ),
                words.recorded(g, FactKind.RESIDUAL_RISK, "Bewertung des Restrisikos"),
            ),
        )
    )
    return Document(
        "tom",
        "Technische und organisatorische Maßnahmen",
        "de",
        "Art. 32 DSGVO",
        tuple(sections),
        signers=("Verantwortlicher", "Datenschutzbeauftragte"),
    )
