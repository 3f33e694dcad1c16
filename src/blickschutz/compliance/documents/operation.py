"""Löschkonzept (DIN 66398) and Betriebskonzept / Dienstanweisung."""

from __future__ import annotations

from blickschutz.audit.model import Event
from blickschutz.compliance.documents import hours, words
from blickschutz.compliance.documents.model import Document, Section, Table, event, law, rule, say, setting, test
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Grounds
from blickschutz.config.lives import DAY_S, HOUR_S, alert_lives
from blickschutz.rights.rules import KEEP_YEARS


def deletion(g: Grounds) -> Document:
    """Which data lives how long, and how it ends."""
    kept, lives = g.site.retention, alert_lives(g.site)
    log = g.facts.newest(FactKind.LOG_RETENTION)
    rows = (
        (
            ("Rohbilder", "nur Arbeitsspeicher", f"{g.site.recording.before_s:g} s", "–", "überschrieben"),
            (setting("recording.before_s"), rule("DM-07")),
        ),
        (
            (
                "versiegelte Clips, ungesichtet",
                "Ende der Aufnahme",
                f"{kept.unreviewed_hours} Stunden",
                f"{kept.hard_limit_days} Tage",
                "Schlüssel und Datei vernichtet",
            ),
            (setting("retention.unreviewed_hours"), setting("retention.hard_limit_days"), event(Event.SHREDDED)),
        ),
        (
            ("versiegelte Clips, kein Vorfall", "zweite übereinstimmende Bewertung", "sofort", "–", "Schlüssel und Datei vernichtet"),
            (rule("LO-04"), event(Event.SHREDDED)),
        ),
        (
            (
                "versiegelte Clips, gesperrt",
                "Sperre durch zwei Personen",
                "Ende der Sperre",
                "Ende der Sperre",
                "Schlüssel und Datei vernichtet",
            ),
            (rule("LO-03"), event(Event.HOLD_SET)),
        ),
        (
            (
                "verpixelte Sekunden einer Meldung",
                "Meldung, abgeschlossen oder nicht",
                f"{lives.clips / HOUR_S:g} Stunden",
                f"{kept.hard_limit_days} Tage",
                "gelöscht",
            ),
            (setting("alerts.keep_hours"), setting("retention.hard_limit_days"), test("tests/unit/test_alert_lives.py")),
        ),
        (
            (
                "Verlauf einer Meldung mit Namen, Notizen",
                "Meldung, und Eintrag darin",
                f"{lives.history / DAY_S:g} Tage",
                f"{lives.rows / DAY_S:g} Tage",
                "gelöscht",
            ),
            (setting("alerts.history_days"), test("tests/unit/test_alert_lives.py")),
        ),
        (
            (
                "Meldungen, gezählte Ereignisse",
                "Meldung, Ereignis",
                f"{lives.rows / DAY_S:g} Tage",
                f"{lives.rows / DAY_S:g} Tage",
                "gelöscht",
            ),
            (setting("alerts.rows_days"), test("tests/unit/test_alert_lives.py")),
        ),
        (
            (
                "Nachrichten an Meldewege",
                "Zustellung oder Zurücklegen",
                f"{lives.notices / DAY_S:g} Tage",
                f"{lives.rows / DAY_S:g} Tage",
                "gelöscht",
            ),
            (setting("alerts.notices_days"), test("tests/unit/test_alert_lives.py")),
        ),
        (
            ("Beweispakete", "Herausgabe", "mit dem Vorgang", "mit dem Vorgang", "gelöscht"),
            (event(Event.RELEASED), test("tests/live/test_review.py")),
        ),
        (
            ("Anfragen Betroffener: Name, Anschrift, Inhalt", "Antwort", f"{KEEP_YEARS} Jahre", f"{KEEP_YEARS} Jahre", "gelöscht"),
            (event(Event.REQUEST_ERASED), law("§ 31 Abs. 2 Nr. 1 OWiG")),
        ),
        (("Protokoll", "Eintrag", log.text if log and log.text else words.OPEN, "–", "gelöscht"), (rule("LO-08"),)),
    )
    sections = (
        Section("Datenarten und Fristen", (Table(("Datenart", "Beginn", "Regelfrist", "Höchstfrist", "Methode"), rows),)),
        Section(
            "Sperren",
            (
                say(
                    "Über die Frist hinaus bleibt ein Clip nur wegen einer Straftat, eines Rechtsanspruchs oder eines "
                    "schutzwürdigen Interesses, mit Aktenzeichen, verantwortlicher Person, Ende und zwei Personen.",
                    rule("LO-03"),
                    law("§ 21 Abs. 5 LDSG RLP"),
                ),
                say(
                    "Aufnahmen, die eine offene Anfrage einer betroffenen Person nennt, werden bis zur Antwort weder gelöscht noch "
                    "bewertet. Mit der Antwort endet das; was dann überfällig ist, wird sofort vernichtet.",
                    rule("BR-02"),
                    event(Event.CASE_RESTRICTED),
                    law("Art. 18 DSGVO"),
                ),
            ),
        ),
        Section(
            "Zeit",
            (
                say(
                    "Das Alter einer Aufzeichnung wird gezählt, unabhängig von der Uhr des Rechners. Ist die Zeit nicht sicher, ruhen alle "
                    "Fristen, bis die Uhr wieder übereinstimmt oder zwei verschiedene Personen aus Aufsicht oder Sichtung, die dieselbe "
                    "Liste der betroffenen Aufzeichnungen gelesen haben, entscheiden.",
                    rule("SI-05"),
                    event(Event.CLOCK_SUSPENDED),
                    event(Event.CLOCK_CONFIRMED),
                    test("tests/unit/test_time.py"),
                    test("tests/unit/test_clock_pages.py"),
                ),
            ),
        ),
        Section(
            "Nachweis",
            (
                say(
                    "Jede Vernichtung hat ein Löschprotokoll mit Gegenstand, Hash, Zeit, Grund und "
                    "Methode; es enthält kein Bild und lässt sich ohne das System prüfen.",
                    rule("LO-05"),
                    event(Event.SHREDDED),
                ),
                say(
                    "Nach der Vernichtung wird nachgesehen, dass Datei und Schlüssel fort sind.",
                    rule("LO-06"),
                    test("tests/faults/test_crashes.py"),
                ),
            ),
        ),
        Section("Kopien und Sicherungen", (words.recorded(g, FactKind.BACKUP_CONCEPT, "Sicherungskonzept ohne Aufnahmen"),)),
    )
    return Document("loeschkonzept", "Löschkonzept", "de", "DIN 66398, § 21 Abs. 5 LDSG RLP", sections)


def service_order(g: Grounds) -> Document:
    """What people do, and what they must not."""
    sections = (
        Section(
            "Zweck",
            (say(f"Schutz von {g.site.site.name}. Rechtsgrundlage ist {words.BASIS}.", setting("site.name"), law("§ 21 Abs. 1 LDSG RLP")),),
        ),
        Section(
            "Verbote",
            (
                say("Aufnahmen dienen nicht der Kontrolle von Beschäftigten.", rule("ZB-04"), law("§ 20 LDSG RLP")),
                say("Eine Ordnungswidrigkeit ist kein Grund für eine Herausgabe.", rule("ZB-02"), law("§ 21 Abs. 3 LDSG RLP")),
                say("Mit Aufnahmen des Betriebs wird keine Software trainiert.", rule("KI-06")),
            ),
        ),
        Section(
            "Rollen",
            (
                say(
                    "Leitstelle: Wand und Meldungen. Sichtung: Vorgänge, immer zu zweit. Aufsicht: dritte Stimme, Sperren, Herausgabe. "
                    "Administration: Einstellungen und Personen, keine Bilder. Datenschutz: Protokoll und Regeln, keine Bilder.",
                    rule("VA-04"),
                    test("tests/live/test_people.py"),
                ),
            ),
        ),
        Section("Zeiten", tuple(hours.hours(g, "de"))),
        Section(
            "Tag",
            (
                say(
                    "Wer Dienst hat, quittiert eine Meldung; nach "
                    f"{g.site.alerts.escalate_after_s} Sekunden ohne Quittung wird sie dringend.",
                    setting("alerts.escalate_after_s"),
                    event(Event.ALERT_DECIDED),
                ),
                say(hours.by_day(g), event(Event.RECORDING_ORDERED), rule("DM-07"), setting("regimes.day.on_situation")),
            ),
        ),
        _review(g),
        _release(),
        Section(
            "Versammlungen, Störung, Anhalten",
            (
                say(
                    "Bei Versammlungen werden Kameras angehalten; jede Rolle kann anhalten, für eine Kamera oder alle, mit Grund.",
                    rule("KI-08"),
                    event(Event.CAMERA_STOPPED),
                ),
                say(
                    "Meldet eine Kamera eine gestörte Verpixelung, ist ihr Bild ganz verdeckt; die Administration wird verständigt.",
                    rule("DM-05"),
                    test("tests/live/test_cells.py"),
                ),
            ),
        ),
        _requests(g),
        Section("Wartung", (words.recorded(g, FactKind.MAINTENANCE_CONTRACT, "Wartung durch Dritte"),)),
        Section("Schulung", (words.recorded(g, FactKind.OPERATOR_TRAINING, "Schulung der Bediener"),)),
        Section("Datenpannen", (words.recorded(g, FactKind.BREACH_PROCESS, "Verfahren für Datenpannen mit Meldung binnen 72 Stunden"),)),
    )
    return Document("betriebskonzept", "Betriebskonzept und Dienstanweisung", "de", "§ 21 LDSG RLP", sections)


def _review(g: Grounds) -> Section:
    review = g.site.review
    return Section(
        "Sichtung",
        (
            say("Zwei Personen nehmen mit je eigener Losung Platz; vorher gibt es kein Bild.", rule("VA-01"), event(Event.SEAT_TAKEN)),
            say(
                "Jede bewertet für sich; die andere Bewertung bleibt verdeckt, bis die eigene abgegeben ist.",
                event(Event.VERDICT_GIVEN),
                test("tests/properties/test_four_eyes.py"),
            ),
            say("Sagen beide „kein Vorfall“, wird der Clip sofort vernichtet.", rule("LO-04"), event(Event.SHREDDED)),
            say(
                f"Entpixelt wird nur mit Grund, Aktenzeichen und Zustimmung der zweiten Person, höchstens {review.unmask_s} Sekunden.",
                setting("review.unmask_s"),
                rule("VA-02"),
            ),
        ),
    )


def _release() -> Section:
    return Section(
        "Herausgabe",
        (
            say(
                "Die Aufsicht beantragt, die zweite Person im Raum stimmt zu; das "
                "Paket ist für den Empfänger verschlüsselt und unterschrieben.",
                rule("ZB-01"),
                event(Event.RELEASED),
            ),
        ),
    )


def _requests(g: Grounds) -> Section:
    return Section(
        "Anfragen und Informationspflicht",
        (
            words.recorded(g, FactKind.REQUESTS_PROCESS, "Verfahren für Anfragen Betroffener"),
            say(
                "Aufsicht oder Datenschutz erfasst die Anfrage mit dem Tag des Eingangs und schränkt passende Aufnahmen ein. "
                "Die Antwort ergeht binnen eines Monats; eine Person bereitet sie vor, eine zweite bestätigt sie.",
                rule("BR-01"),
                event(Event.REQUEST_RECORDED),
                event(Event.REQUEST_ANSWERED),
                law("Art. 12 Abs. 3 DSGVO"),
            ),
            say(
                "Die Kopie für eine betroffene Person entsteht zu zweit im Sichtungsraum; alle anderen darin sind verpixelt.",
                rule("BR-03"),
                test("tests/unit/test_reviewroom.py"),
            ),
            say(
                "Wird eine Aufnahme einer Person zugeordnet oder herausgegeben, ist die Person binnen eines Monats zu "
                "informieren, oder der Aufschub wird mit Grund und Wiedervorlage festgehalten.",
                rule("ZB-03"),
                event(Event.DUTY_OPENED),
                event(Event.DUTY_SETTLED),
                law("§ 21 Abs. 4 LDSG RLP"),
            ),
        ),
    )
