"""Papers about the machine: check list of the maintenance contract with visit log, Abnahmeprotokoll, Wiederanlaufplan."""

from __future__ import annotations

from dataclasses import dataclass

from blickschutz.audit.model import Entry, Event
from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import (
    Document,
    Evidence,
    Picture,
    Section,
    Sentence,
    Table,
    event,
    fact,
    law,
    missing,
    rule,
    say,
    setting,
    test,
)
from blickschutz.compliance.documents.signatures import signatures
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Form, Grounds
from blickschutz.compliance.plan import density
from blickschutz.compliance.policy.evidence import same_person
from blickschutz.compliance.recorded import Acceptance
from blickschutz.compliance.sheets import Sheet
from blickschutz.config.model import Camera

_YEAR = 366.0
_AWAY = 0.2
"""Share by which a measured density may differ from the reckoned one before the paper says so."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the check list: short name, what the contract must say, and the norm that asks for it."""

    id: str
    text: str
    norm: str


CHECKLIST = (
    Point("gegenstand", "Gegenstand, Dauer, Art und Zweck, Art der Daten, Betroffene", "Art. 28 Abs. 3 Satz 1 DSGVO"),
    Point("weisung", "nur auf dokumentierte Weisung", "Art. 28 Abs. 3 lit. a DSGVO"),
    Point("vertraulichkeit", "Personen sind zur Vertraulichkeit verpflichtet", "Art. 28 Abs. 3 lit. b DSGVO"),
    Point("sicherheit", "Maßnahmen nach Art. 32", "Art. 28 Abs. 3 lit. c DSGVO"),
    Point("unterauftrag", "Unterauftragnehmer nur mit Genehmigung", "Art. 28 Abs. 3 lit. d DSGVO"),
    Point("rechte", "Hilfe bei Anfragen Betroffener", "Art. 28 Abs. 3 lit. e DSGVO"),
    Point("pannen", "Hilfe bei Datenpannen und Folgenabschätzung", "Art. 28 Abs. 3 lit. f DSGVO"),
    Point("ende", "Löschung oder Rückgabe am Ende", "Art. 28 Abs. 3 lit. g DSGVO"),
    Point("nachweis", "Nachweise und Überprüfungen", "Art. 28 Abs. 3 lit. h DSGVO"),
    Point("keine-fernwartung", "Fernwartung ausgeschlossen", "Art. 32 DSGVO"),
    Point("begleitung", "Besuche nur angemeldet und begleitet", "Art. 32 DSGVO"),
    Point("datentraeger", "Datenträger bleiben im Haus, auch defekte", "Art. 32 DSGVO"),
)


def maintenance(g: Grounds) -> Document:
    """What the contract must have and has, and who came when."""
    found = {one.point: one for one in g.facts.contract}
    rows = []
    for point in CHECKLIST:
        one = found.get(point.id)
        said = (words.found_so(one.met, "ja", "NICHT"), one.where, f"{one.person}, {one.date:%d.%m.%Y}") if one else (words.OPEN,) * 3
        rows.append(((point.text, *said), (fact("contract"), rule("AP-01"), law(point.norm))))
    sections = (
        Section("Vertrag", (words.recorded(g, FactKind.MAINTENANCE_CONTRACT, "Wartung durch Dritte"),)),
        Section("Prüfliste", (Table(("Der Vertrag regelt", "erfüllt", "Stelle im Vertrag", "geprüft von, am"), tuple(rows)),)),
        Section(
            "Fernwartung",
            (
                say("Die Anlage hat keinen Weg in ein anderes Netz; geprüft wird das am Rechner selbst.", rule("SI-01")),
                say("Datenträger und Schnittstellen sind geregelt.", rule("SI-06"))
                if g.facts.newest(FactKind.MEDIA_CONTROL)
                else missing("Regelung für Datenträger und Schnittstellen", fact(FactKind.MEDIA_CONTROL)),
            ),
        ),
        Section("Besuchsbuch", (_visits(g),)),
        signatures(g, Sheet.CONTRACT, Sheet.VISITS),
    )
    return Document(
        "wartung",
        "Wartung: Prüfliste zum Vertrag und Besuchsbuch",
        "de",
        "Art. 28 Abs. 3, Art. 32 DSGVO",
        sections,
        signers=("Verantwortlicher", "Begleitung"),
        reticent=True,
    )


def _visits(g: Grounds) -> Sentence | Table:
    if not g.facts.visits:
        return missing("Besuche; niemand hat einen eingetragen", fact("visits"))
    rows = tuple(
        ((f"{one.date:%d.%m.%Y}", one.firm, one.person, one.escort, one.work, words.or_open(one.media)), (fact("visits"), rule("AP-01")))
        for one in sorted(g.facts.visits, key=lambda one: one.date)
    )
    return Table(("am", "Firma", "Person", "begleitet von", "Arbeiten", "Datenträger"), rows)


def acceptance(g: Grounds) -> Document:
    """What was tested of each camera, with its redacted picture where one was recorded."""
    newest: dict[str, Acceptance] = {}
    for one in sorted(g.facts.acceptances, key=lambda one: one.date):
        # What is dated in the future was tested by nobody yet, and one person alone accepts nothing.
        if one.date <= g.today and not same_person(one.person, one.confirmed):
            newest[one.camera] = one
    sections = (
        Section(
            "Wie abgenommen wird",
            (
                say(
                    "Zwei Personen prüfen jede Kamera vor Ort bei Tag und bei Dunkelheit: Sichtfeld, Privatzonen, Verpixelung, Meldung, "
                    "Anhalten, und messen die Pixeldichte an einer bekannten Länge. Jede Änderung der Einstellungen verlangt eine neue.",
                    law("Art. 32 Abs. 1 lit. d DSGVO"),
                    law("DIN EN 62676-4"),
                ),
                say(
                    "Ein Bild wird nur gedruckt, wenn es das ist, dessen Hash eingetragen wurde. Ob "
                    "es verpixelt ist, bestätigen die beiden "
                    "Personen mit ihrer Unterschrift.",
                    fact("acceptances"),
                ),
            ),
        ),
        *(_camera(g, number, camera, newest.get(camera.id)) for number, camera in enumerate(g.site.cameras, 1)),
        signatures(g, Sheet.ACCEPTANCES),
        Section(
            "Prüfung der Verpixelung im Programm",
            (say("Die Verpixelung wird mit jedem Stand des Programms geprüft.", test("tests/properties/test_redaction.py")),),
        ),
    )
    return Document(
        "abnahme",
        "Abnahmeprotokoll",
        "de",
        "Art. 32 Abs. 1 lit. d DSGVO, DIN EN 62676-4",
        sections,
        signers=("Prüfer", "Zweite Person", "Verantwortlicher"),
        reticent=True,
    )


def _camera(g: Grounds, number: int, camera: Camera, found: Acceptance | None) -> Section:
    about: tuple[Evidence, ...] = (fact("acceptances"),)

    def tested(value: bool | None) -> str:
        return words.found_so(value, "bestanden", "NICHT bestanden")

    rows = [
        ("abgenommen am", f"{found.date:%d.%m.%Y}" if found else words.OPEN, about),
        ("von", f"{found.person} und {found.confirmed}" if found else words.OPEN, about),
        ("Sichtfeld wie freigegeben", tested(found.view if found else None), about),
        ("Privatzonen decken", tested(found.private if found else None), (*about, setting("cameras.privacy_zones"), rule("DM-02"))),
        ("Pixeldichte", _densities(camera, found), (*about, setting("cameras.calibration"), rule("DM-03"))),
        ("Verpixelung bei Tag", tested(found.light if found else None), (*about, rule("DM-04"))),
        ("Verpixelung bei Dunkelheit", tested(found.dark if found else None), (*about, rule("DM-04"))),
        ("gestelltes Ereignis wird gemeldet", tested(found.alarm if found else None), (*about, event(Event.ALERT_DECIDED))),
        ("Anhalten wirkt", tested(found.stop if found else None), (*about, event(Event.CAMERA_STOPPED))),
    ]
    parts: list[Sentence | Table | Picture] = [Table(("Prüfung", "Ergebnis"), tuple(((a, b), e) for a, b, e in rows))]
    parts.append(_picture(g, camera, found))
    return Section(f"Kamera {number}: {camera.name}", parts)


def _densities(camera: Camera, found: Acceptance | None) -> str:
    """Measured beside reckoned; where they lie apart, the calibration is wrong."""
    reckoned, measured = density(camera), found.px_per_metre if found else None
    text = f"gemessen {measured:.0f} px/m" if measured else f"gemessen {words.OPEN}"
    text += f", gerechnet {reckoned:.0f} px/m" if reckoned is not None else f", gerechnet {words.OPEN}"
    if measured and reckoned and abs(measured - reckoned) > _AWAY * reckoned:
        text += ": NICHT gleich, die Kalibrierung ist zu prüfen"
    return text


def _picture(g: Grounds, camera: Camera, found: Acceptance | None) -> Sentence | Picture:
    if found is None or not found.picture or found.sha256 is None:
        return missing(f"verpixeltes Bild der Kamera {camera.name}", fact("acceptances"))
    paper = g.documents.get(found.picture)
    if paper is None or paper.sha256 != found.sha256 or paper.form is not Form.PICTURE:
        return missing(f"das eingetragene Bild der Kamera {camera.name} fehlt oder ist ein anderes", fact("acceptances"))
    caption = f"Verpixeltes Bild der Kamera {camera.name} vom {found.date:%d.%m.%Y} (SHA-256 {found.sha256[:12]}…)."
    return Picture(say(caption, fact("acceptances")), found.picture)


def restart(g: Grounds) -> Document:
    """What is done when the installation is out, and how it comes back."""
    plan = g.facts.restart
    if plan is None:
        about: tuple[Sentence, ...] = (
            missing("Wiederanlaufplan: verantwortliche Person, längster Ausfall, Ersatz, Erreichbarkeit", fact("restart")),
        )
    else:
        about = (
            say(f"Verantwortlich: {plan.person}, zuletzt überprüft am {plan.reviewed:%d.%m.%Y}.", fact("restart")),
            _line("Längster Ausfall", f"{plan.longest_hours} Stunden" if plan.longest_hours else ""),
            _line("Betrieb ohne die Anlage", plan.instead),
            _line("Ersatz", plan.spare),
            _line("Zu verständigen, in dieser Reihenfolge", "; ".join(plan.contacts)),
            _line("Zuletzt geübt", f"{plan.tried:%d.%m.%Y}" if plan.tried else ""),
        )
    sections = (
        Section("Verantwortung und Ziele", about),
        Section(
            "Was bei einem Ausfall geschieht",
            (
                say("Eine Kamera, die ausfällt, nimmt keine andere mit; sie wird neu gestartet.", test("tests/live/test_cells.py")),
                say(
                    f"Unter {g.site.recording.reserve_mb} MB freiem Speicher wird nicht aufgezeichnet; gelöscht wird weiter.",
                    setting("recording.reserve_mb"),
                    event(Event.DISK_FULL),
                    test("tests/unit/test_shredding.py"),
                ),
                say("Ist die Verpixelung gestört, bleibt das Bild verdeckt.", rule("DM-05")),
                say(
                    "Ist die Zeit unsicher, ruhen die Fristen, bis zwei Personen entscheiden.",
                    event(Event.CLOCK_SUSPENDED),
                    test("tests/unit/test_time.py"),
                ),
            ),
        ),
        Section(
            "Wiederanlauf, in dieser Reihenfolge",
            (
                say("1. Rechner und Datenträger prüfen; ein defekter Datenträger bleibt im Haus.", rule("SI-06")),
                say(
                    "2. Regeln prüfen mit „blickschutz check“; nichts anschalten, was eine Regel verbietet.",
                    test("tests/unit/test_policy.py"),
                ),
                say(
                    "3. Nach Verlust des Rechners: Sicherung mit den Wiederherstellungswörtern zweier Personen einspielen"
                    + (
                        ", danach die Datenbanken mit „blickschutz database fill“ auf den Server bringen."
                        if g.site.storage.server is not None
                        else "."
                    ),
                    event(Event.RESTORED),
                    test("tests/unit/test_backup.py"),
                ),
                say(
                    "4. Was seit der Sicherung geschah, fehlt dort; bis zwei Personen entschieden haben, wird nichts vernichtet.",
                    event(Event.LOSS_ACCEPTED),
                    test("tests/unit/test_backup.py"),
                ),
                say("5. Uhr vergleichen, Kameras und Verpixelung ansehen, Anhalten prüfen.", rule("SI-05"), rule("KI-08")),
            ),
        ),
        Section(
            "Sicherung",
            (
                words.recorded(g, FactKind.BACKUP_CONCEPT, "Sicherungskonzept ohne Aufnahmen"),
                _last(g, Event.BACKUP_MADE, "Letzte Sicherung"),
                _last(g, Event.RESTORE_TRIED, "Letzte Probe der Wiederherstellung"),
                say("Eine Sicherung enthält keine Aufnahmen und kein Bild.", rule("LO-07"), test("tests/unit/test_backup.py")),
            ),
        ),
        Section("NIS 2", (words.recorded(g, FactKind.NIS2, "Einordnung nach NIS 2"), *words.to_verify(words.NIS2))),
        signatures(g, Sheet.RESTART),
    )
    return Document(
        "wiederanlauf",
        "Notfall- und Wiederanlaufplan",
        "de",
        "Art. 32 Abs. 1 lit. b und c DSGVO",
        sections,
        signers=("Administration", "Verantwortlicher"),
    )


def _line(about: str, text: str) -> Sentence:
    return say(f"{about}: {text}.".replace("..", "."), fact("restart")) if text else missing(about, fact("restart"))


def _last(g: Grounds, what: Event, about: str) -> Sentence:
    entries: tuple[Entry, ...] = g.entries(what, _YEAR)
    if not entries:
        return missing(f"{about}; das Protokoll kennt keine der letzten zwölf Monate", event(what), rule("SI-09"))
    return say(f"{about}: {words.moment(g, max(one.at for one in entries))}.", event(what), rule("SI-09"))
