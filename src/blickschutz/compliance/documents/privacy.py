"""DSFA (Art. 35 DSGVO) and Verzeichnis von Verarbeitungstätigkeiten (Art. 30 Abs. 1 DSGVO)."""

from __future__ import annotations

from blickschutz.audit.model import Event
from blickschutz.budget.model import MOST_DAYS
from blickschutz.compliance.documents import hosts, hours, remains, server, words
from blickschutz.compliance.documents.model import Document, Section, Sentence, Table, event, fact, law, missing, rule, say, setting, test
from blickschutz.compliance.documents.reading import overview
from blickschutz.compliance.documents.risks import risks
from blickschutz.compliance.documents.signatures import signatures
from blickschutz.compliance.documents.sources import own_analysis
from blickschutz.compliance.documents.walls import cards, walls
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.plan import CLASSES_DE, density, density_class
from blickschutz.regime.model import RegimeName
from blickschutz.rights.rules import KEEP_YEARS
from blickschutz.situations.kinds import Kind, name


def _cameras(g: Grounds) -> Table:
    grounds = {ground.camera: ground for ground in g.facts.grounds}
    rows = []
    for camera in g.site.cameras:
        ground, dense = grounds.get(camera.id), density(camera)
        about = f"{words.PURPOSES[ground.purpose]}: {ground.reason}" if ground else words.OPEN
        shown = f"{dense:.0f} px/m ({CLASSES_DE[density_class(dense)]})" if dense is not None else words.OPEN
        zones = ", ".join(zone.name for zone in camera.zones) or "keine"
        private = ", ".join(zone.reason for zone in camera.privacy_zones) or "keine"
        evidence = (setting("cameras.zones"), setting("cameras.privacy_zones"), setting("cameras.calibration"), fact("grounds"))
        rows.append(((camera.name, about, zones, private, shown), evidence))
    return Table(("Kamera", "Zweck und Grund", "Bereiche", "Privatzonen", "Pixeldichte"), tuple(rows))


def _incidents(g: Grounds) -> list[Sentence | Table]:
    if not g.facts.incidents:
        return [missing("Vorfälle je Kamerabereich der letzten 24 Monate", fact("incidents"))]
    rows = [
        ((one.camera, f"{one.first:%d.%m.%Y} bis {one.last:%d.%m.%Y}", str(one.count), one.source), (fact("incidents"),))
        for one in g.facts.incidents
    ]
    return [Table(("Kamera", "Zeitraum", "Vorfälle", "Quelle"), tuple(rows))]


def _ai(g: Grounds) -> list[Sentence]:
    zones = [zone for camera in g.site.cameras for zone in camera.zones]
    kinds = ", ".join(name(kind, "de") for kind in Kind if any(kind not in zone.rules.off for zone in zones)) or "keine"
    return [
        say(f"Erkannt werden Bewegungen und Lagen, nicht, wer jemand ist: {kinds}.", setting("cameras.zones.rules"), rule("KI-02")),
        say(
            f"Das Erkennungsmodell „{g.site.analysis.model}“ findet Personen; es erkennt weder Gesicht noch Gang, Kennzeichen oder Gefühl.",
            setting("analysis.model"),
            rule("KI-01"),
        ),
        *own_analysis(g),
        say(
            "Ein Ereignis kann von selbst eine Meldung oder eine Aufzeichnung auslösen (siehe „Beschreibung: Betrieb“); was daraus für "
            "einen Menschen folgt, entscheidet ein Mensch.",
            *dict.fromkeys((*hours.evidence(RegimeName.DAY), *hours.evidence(RegimeName.NIGHT))),
            rule("KI-03"),
            event(Event.ALERT_DECIDED),
        ),
        say(
            "Die Einstufung prüft Anhang III Nr. 1 (Biometrie), Nr. 4 lit. b (Beschäftigte im Bild) und Nr. 6 (ob der Vollzugsdienst als "
            "Strafverfolgungsbehörde gilt, Art. 3 Nr. 45 lit. b) sowie Art. 5 Abs. 1 lit. d und h.",
            law("Art. 5, 6 und Anhang III KI-VO"),
        ),
        words.recorded(g, FactKind.AI_CLASSIFICATION, "Einstufung nach der KI-Verordnung"),
        words.recorded(g, FactKind.LEGAL_OPINION_AI, "Rechtsgutachten zur KI-Auswertung"),
    ]


def _flow() -> list[Sentence]:
    return [
        say(
            "Kamera → Kameraprozess (Rohbild nur im Arbeitsspeicher, Verpixelung) → Leitstelle (verpixelte Bilder, Meldungen) und Ablage "
            "(verpixelte Sekunden, versiegelte Clips) → Sichtungsraum (zwei Personen) → Herausgabe an einen Empfänger.",
            test("tests/live/test_secrets.py"),
            rule("DM-04"),
        ),
    ]


def _recipients(g: Grounds) -> Sentence:
    if not g.facts.recipients:
        return missing("Empfänger", fact("recipients"))
    return say(f"Empfänger im Einzelfall: {', '.join(g.facts.recipients)}.", fact("recipients"), rule("ZB-01"))


def _rights() -> Sentence:
    return say(
        "Auskunft, Berichtigung, Löschung, Einschränkung und Widerspruch (Art. 15 bis 18, 21 DSGVO): Anfragen werden erfasst, passende "
        "Aufnahmen eingeschränkt, binnen eines Monats zu zweit beantwortet; wem eine Aufnahme zugeordnet wird, der wird informiert.",
        rule("BR-01"),
        rule("BR-02"),
        rule("BR-03"),
        rule("ZB-03"),
    )


def impact_assessment(g: Grounds) -> Document:
    """The DSFA of the site."""
    sections = (
        Section(
            "Anlass",
            (
                say(
                    "Systematische umfangreiche Überwachung öffentlich zugänglicher Bereiche: Eine Folgenabschätzung ist Pflicht.",
                    law("Art. 35 Abs. 3 lit. c DSGVO"),
                ),
            ),
        ),
        Section(
            "Beteiligte",
            (
                words.office(g.facts.controller, "controller"),
                words.office(g.facts.data_protection_officer, "data_protection_officer"),
                words.recorded(g, FactKind.DPO_ADVICE, "Rat der Datenschutzbeauftragten"),
                words.recorded(g, FactKind.STAFF_COUNCIL, "Beteiligung des Personalrats"),
                words.recorded(g, FactKind.DATA_SUBJECTS_VIEWS, "Standpunkt der Betroffenen (Art. 35 Abs. 9 DSGVO)"),
            ),
        ),
        Section("Beschreibung: Kameras", (words.plan(g), _cameras(g))),
        Section(
            "Beschreibung: Betrieb",
            (
                *hours.hours(g, "de"),
                words.redaction(g),
                *remains.costs(g, "de"),
                *walls(g),
                *cards(g),
                say(
                    f"Vor einem Anlass werden {g.site.recording.before_s:g} Sekunden nur im Arbeitsspeicher "
                    f"gehalten; ein Clip dauert höchstens {g.site.recording.most_s:g} Sekunden.",
                    setting("recording.before_s"),
                    setting("recording.most_s"),
                ),
                say("Ton wird nicht aufgenommen; Schwenken und Zoomen gibt es nicht.", rule("DM-01"), test("tests/unit/test_ingest.py")),
            ),
        ),
        Section("Auswertung durch Software", tuple(_ai(g))),
        Section("Fluss der Daten und Empfänger", (*_flow(), *hosts.kept_there(g), *server.kept_there(g), _recipients(g), *overview(g))),
        Section("Speicherdauer", (*words.retention(g), *hosts.erased_there(g), *words.log_kept(g))),
        Section(
            "Rechtsgrundlage",
            (
                say(words.BASIS, law("§ 21 Abs. 1 LDSG RLP")),
                say(
                    "Die Videoüberwachung einer Gemeinde fällt unter die DSGVO; neben Art. 79 ist eine Unterlassungsklage möglich "
                    "(VGH München, 30.05.2023, 5 BV 20.2104).",
                    law("Art. 2 Abs. 2 lit. d DSGVO"),
                ),
            ),
        ),
        Section("Zu prüfen, weil der Wortlaut hier nicht vorlag", words.to_verify(*words.TO_VERIFY)),
        Section(
            "Erforderlichkeit",
            (
                *_incidents(g),
                words.recorded(g, FactKind.MILDER_MEANS, "Mildere Mittel"),
                words.recorded(g, FactKind.PROPORTIONALITY, "Verhältnismäßigkeit (Art. 35 Abs. 7 lit. b DSGVO)"),
                words.recorded(g, FactKind.NECESSITY_REVIEW, "Letzte Prüfung der Erforderlichkeit"),
            ),
        ),
        Section("Rechte der Betroffenen", (_rights(),)),
        risks(g),
        Section(
            "Restrisiko und Konsultation",
            (
                words.recorded(g, FactKind.RESIDUAL_RISK, "Bewertung des Restrisikos"),
                words.recorded(g, FactKind.DPIA, "Freigabe der Folgenabschätzung"),
            ),
        ),
        signatures(g),
        Section(
            "Überprüfung",
            (
                say(
                    "Neu zu prüfen ist bei jeder Änderung der Einstellungen und spätestens nach zwölf Monaten.",
                    rule("DF-01"),
                    rule("RG-06"),
                    event(Event.SETTINGS_CHANGED),
                ),
            ),
        ),
    )
    return Document(
        "dsfa",
        "Datenschutz-Folgenabschätzung",
        "de",
        "Art. 35 DSGVO",
        sections,
        signers=("Verantwortlicher", "Datenschutzbeauftragte", "Personalrat"),
    )


def _requests(common: tuple[Sentence, ...], third: Sentence) -> Section:
    """What is kept of those who ask for their data, and of those who sign."""
    return Section(
        "Anfragen Betroffener und Nachweise",
        (
            *common,
            say(
                "Zweck: Anfragen beantworten und belegen, dass es geschah; belegen, wer für die Angaben zur Anlage einsteht.",
                rule("BR-01"),
                law("Art. 5 Abs. 2 und Art. 12 Abs. 3 DSGVO"),
            ),
            say(
                "Betroffene: wer anfragt; wer eine Angabe oder ein Dokument unterschreibt; wer den Grundriss unter dem Lageplan vorschlägt "
                "oder in Kraft setzt. Daten: Name, Anschrift und Inhalt der Anfrage mit Antwort; Name, Rolle und Zeit der Unterschrift mit "
                "dem Dokument; Name und Zeit mit dem Grundriss, der keine Menschen zeigt.",
                event(Event.REQUEST_RECORDED),
                event(Event.FACT_SIGNED),
                event(Event.PLAN_SET),
            ),
            third,
            say(
                f"Anfragen werden {KEEP_YEARS} Jahre nach der Antwort gelöscht; Nachweise bleiben mit der Anlage.",
                event(Event.REQUEST_ERASED),
                test("tests/unit/test_rights.py"),
                words.KEEPING.evidence,
            ),
            say("Rechtsgrundlage: Art. 6 Abs. 1 lit. c DSGVO.", law("Art. 6 Abs. 1 lit. c DSGVO")),
        ),
    )


def record_of_processing(g: Grounds) -> Document:
    """The entries Videoschutz and Protokollierung."""
    recipients = _recipients(g)
    purposes = sorted({words.PURPOSES[ground.purpose] for ground in g.facts.grounds})
    about = say(f"Zwecke: {'; '.join(purposes)}.", fact("grounds")) if purposes else missing("Zwecke", fact("grounds"))
    common = (words.office(g.facts.controller, "controller"), words.office(g.facts.data_protection_officer, "data_protection_officer"))
    third = server.third_countries(g)
    video = Section(
        "Videoschutz",
        (
            *common,
            about,
            say(
                "Betroffene: Menschen vor und neben dem Gebäude, Beschäftigte "
                "eingeschlossen. Daten: Bewegtbilder ohne Ton, Zeit, Ort, erkannte Lage.",
                rule("DM-01"),
                setting("cameras"),
            ),
            *hours.hours(g, "de"),
            recipients,
            *overview(g),
            *hosts.kept_there(g),
            *server.kept_there(g),
            third,
            *words.retention(g),
            *hosts.erased_there(g),
            say("Technische und organisatorische Maßnahmen: siehe das gleichnamige Dokument.", law("Art. 30 Abs. 1 lit. g DSGVO")),
            say(f"Rechtsgrundlage: {words.BASIS}.", law("§ 21 Abs. 1 LDSG RLP")),
            say(
                "Zur Einstellung der Empfindlichkeit wird gezählt, wie oft welche Art von Ereignis welchen Wert erreichte, je Kamera, "
                f"Stunde und Regelung: nur Zahlen, kein Bild, keine Spur, kein Ort. Gelöscht nach {MOST_DAYS} beobachteten Tagen.",
                setting("alerts.budget"),
                test("tests/unit/test_budget.py"),
            ),
            say(f"Auswertung durch Software: ja, Modell „{g.site.analysis.model}“.", setting("analysis.model"), rule("KI-01")),
            *own_analysis(g),
            words.recorded(g, FactKind.DPIA, "Folgenabschätzung"),
        ),
    )
    logging = Section(
        "Protokollierung",
        (
            *common,
            say(
                "Zweck: Nachweis, wer was gesehen, entschieden und geändert hat. Eine "
                "Kontrolle von Leistung oder Verhalten findet nicht statt.",
                rule("SI-04"),
                rule("ZB-04"),
            ),
            say(
                "Betroffene: Personen mit einem Konto. Daten: Kurzname, Zeit, Ereignis, Gegenstand, Grund; im Schichtbuch der Text der "
                "Notiz.",
                test("tests/unit/test_audit.py"),
                event(Event.SHIFT_NOTED),
            ),
            third,
            *words.log_kept(g),
        ),
    )
    return Document(
        "vvt",
        "Verzeichnis von Verarbeitungstätigkeiten",
        "de",
        "Art. 30 Abs. 1 DSGVO",
        (video, logging, _requests(common, third)),
        signers=("Verantwortlicher", "Datenschutzbeauftragte"),
    )
