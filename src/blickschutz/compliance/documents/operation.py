"""Löschkonzept (DIN 66398) and Betriebskonzept / Dienstanweisung."""

from __future__ import annotations

from blickschutz.audit.model import Event
from blickschutz.budget.model import MOST_DAYS
from blickschutz.compliance.documents import hosts, hours, server, words
from blickschutz.compliance.documents.model import Document, Evidence, Section, Table, event, law, rule, say, setting, test
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Grounds
from blickschutz.config.lives import DAY_S, HOUR_S, alert_lives, limits_of
from blickschutz.kernel.periods import DONE_S
from blickschutz.rights.rules import KEEP_YEARS

_TWO_MONTHS = law("§ 21 Abs. 5 LDSG RLP")
_LIVES, _RULES = test("tests/unit/test_alert_lives.py"), test("tests/unit/test_periods.py")
_Row = tuple[tuple[str, ...], tuple[Evidence, ...]]


def _kinds(g: Grounds) -> tuple[_Row, ...]:
    """Each kind of data with its limits, as the functions have them that delete."""
    limits, lives = limits_of(g.site), alert_lives(g.site)
    regular, hard = f"{limits.regular_s / HOUR_S:g} Stunden", f"{limits.hard_s / DAY_S:g} Tage, nie länger als zwei Kalendermonate"
    gone, rows = "Schlüssel und Datei vernichtet", f"{lives.rows / DAY_S:g} Tage"
    made = f"{min(lives.made, lives.rows) / DAY_S:.0f} Tage, nie länger als zwei Kalendermonate"
    kept = f"{g.site.audit.keep_months} Kalendermonate"
    of_log = (setting("audit.keep_months"), rule("LO-08"), test("tests/unit/test_log_limit.py"))
    of_clips = (setting("retention.unreviewed_hours"), setting("retention.hard_limit_days"), _RULES, _TWO_MONTHS)
    return (
        (
            ("Rohbilder", "nur Arbeitsspeicher", f"{g.site.recording.before_s:g} s", "–", "überschrieben"),
            (setting("recording.before_s"), rule("DM-07")),
        ),
        (("versiegelte Clips, ungesichtet", "Aufnahme", regular, hard, gone), (*of_clips, event(Event.SHREDDED))),
        (
            ("versiegelte Clips, kein Vorfall", "zweite übereinstimmende Bewertung", "sofort", "–", gone),
            (rule("LO-04"), event(Event.SHREDDED)),
        ),
        (
            ("versiegelte Clips, von zweien als Vorfall bewertet, ohne eigene Sperre", "Aufnahme", hard, hard, gone),
            (setting("retention.hard_limit_days"), _RULES, _TWO_MONTHS),
        ),
        (
            ("versiegelte Clips, gesperrt", "Sperre durch zwei Personen", "Ende der Sperre", "Ende der Sperre", gone),
            (rule("LO-03"), event(Event.HOLD_SET)),
        ),
        (
            ("Aufzeichnungen in Quarantäne nach einer Störung", "Störung", "Entscheidung durch zwei Personen", "keine", gone),
            (rule("VA-05"), test("tests/unit/test_quarantine.py"), _TWO_MONTHS),
        ),
        (
            ("Notizen der Sichtung", "Bewertung", "mit dem Clip", "mit dem Clip", "gelöscht; im Protokoll steht nur, dass es eine gab"),
            (event(Event.VERDICT_GIVEN), test("tests/unit/test_receipts.py"), _TWO_MONTHS),
        ),
        (
            (
                "Beweispakete (Herausgabe), Kopien für Betroffene",
                "Herausgabe",
                "mit dem Clip",
                "mit dem Clip",
                "überschrieben und gelöscht",
            ),
            (event(Event.RELEASED), test("tests/live/test_night.py"), _TWO_MONTHS),
        ),
        (
            (
                "verpixelte Sekunden einer Meldung",
                "Meldung, abgeschlossen oder nicht",
                f"{lives.clips / HOUR_S:g} Stunden",
                f"{limits.hard_s / DAY_S:g} Tage, nie länger als zwei Kalendermonate",
                "gelöscht",
            ),
            (setting("alerts.keep_hours"), setting("retention.hard_limit_days"), _LIVES, _RULES, _TWO_MONTHS),
        ),
        (
            ("Verlauf einer Meldung mit Namen, Notizen", "Meldung, und Eintrag darin", f"{lives.history / DAY_S:g} Tage", made, "gelöscht"),
            (setting("alerts.history_days"), _LIVES, _RULES, _TWO_MONTHS),
        ),
        (
            ("Meldungen ohne Bild, Namen und Notiz, gezählte Ereignisse", "Meldung, Ereignis", rows, rows, "gelöscht"),
            (setting("alerts.rows_days"), _LIVES),
        ),
        (
            ("Nachrichten an Meldewege", "Zustellung oder Zurücklegen", f"{lives.notices / DAY_S:g} Tage", rows, "gelöscht"),
            (setting("alerts.notices_days"), _LIVES),
        ),
        (
            (
                "Anfragen Betroffener mit Antwort: Name, Anschrift, Inhalt; Aufnahmen darin nur als Kurzname und Zeit",
                "Antwort",
                f"{KEEP_YEARS} Jahre",
                f"{KEEP_YEARS} Jahre",
                "gelöscht; Schreiben werden bei Bedarf neu gedruckt, nicht gespeichert",
            ),
            (event(Event.REQUEST_ERASED), law("Art. 5 Abs. 2 DSGVO"), test("tests/unit/test_rights.py")),
        ),
        (
            (
                "Informationspflichten nach § 21 Abs. 4 mit Vermerk",
                "Erledigung",
                f"{KEEP_YEARS} Jahre",
                f"{KEEP_YEARS} Jahre",
                "Vermerk und Name gelöscht",
            ),
            (event(Event.REQUEST_ERASED), law("Art. 5 Abs. 2 DSGVO"), test("tests/unit/test_rights.py")),
        ),
        (
            (
                "Vorgänge, deren Clip vernichtet ist: wer ihn sah und was entschieden wurde; Anordnungen von Aufzeichnungen",
                "Vernichtung; Ende der Anordnung",
                kept,
                kept,
                "Namen, Bewertungen und Gründe gelöscht; es bleiben Kamera, Zeit und Ausgang",
            ),
            of_log,
        ),
        (
            (
                "Nachweise (Gutachten, DSFA, Zahlen der Polizei, Fotos der Schilder, verpixelte Bilder der Abnahme ohne Unbeteiligte) mit "
                "den Namen derer, die unterschrieben haben; sonst ohne Aufnahmen",
                "Eintrag",
                "mit der Anlage, auch zurückgezogen",
                "–",
                "mit dem Datenordner gelöscht",
            ),
            (event(Event.FACT_ENTERED), event(Event.FACT_WITHDRAWN), law("Art. 5 Abs. 2 DSGVO"), test("tests/unit/test_fact_pages.py")),
        ),
        (
            ("Löschprotokolle, ohne Bild", "Vernichtung", kept, kept, "gelöscht, als Teil des Protokolls"),
            (rule("LO-05"), event(Event.SHREDDED), *of_log),
        ),
        (
            (
                "Konten: Name, Rollen, Schulungstag, Prüfwerte von Kennwort und zweitem Faktor, eigene Ansichten der Wand",
                "Anlegen des Kontos",
                "mit der Anlage, auch gesperrt",
                "–",
                "mit der Datenbank auf dem Server gelöscht" if server.where(g) else "mit dem Datenordner gelöscht",
            ),
            (setting("people"), test("tests/unit/test_access.py"), law("Art. 5 Abs. 2 DSGVO")),
        ),
        (
            (
                "Grundriss unter dem Lageplan, wie zwei Personen ihn in Kraft setzten; ohne Aufnahmen",
                "Vorschlag",
                "bis ein anderer gilt",
                "–",
                "die Datei gelöscht, sobald ein anderer Grundriss gilt; sonst mit dem Datenordner",
            ),
            (event(Event.PLAN_SET), event(Event.PLAN_PROPOSED), test("tests/unit/test_floorplan.py")),
        ),
        (
            (
                "Zählungen zur Empfindlichkeit, ohne Bild, Spur und Ort",
                "Beobachtung",
                f"{MOST_DAYS} beobachtete Tage",
                f"{MOST_DAYS} beobachtete Tage",
                "gelöscht",
            ),
            (setting("alerts.budget"), test("tests/unit/test_budget.py")),
        ),
        (
            ("Schichtbuch der Leitstelle: Notizen und Übergaben mit Namen", "Eintrag", kept, kept, "gelöscht, als Teil des Protokolls"),
            (event(Event.SHIFT_NOTED), *of_log, _TWO_MONTHS),
        ),
        (
            ("Protokoll", "Eintrag", kept, "mit dem Clip, dem Zustand oder der Anlage", "gelöscht bis auf eine Prüfsumme"),
            (event(Event.LOG_ERASED), *of_log),
        ),
    )


def deletion(g: Grounds) -> Document:
    """Which data lives how long, and how it ends."""
    sections = (
        Section("Datenarten und Fristen", (Table(("Datenart", "Beginn", "Regelfrist", "Höchstfrist", "Methode"), _kinds(g)),)),
        Section(
            "Zwei Monate",
            (
                say(
                    "Zwei Kalendermonate, gerechnet von der Aufnahme, auch ihrem Vorlauf: Sie enden mit dem Tag, dessen Zahl der Tag der "
                    "Aufnahme hat, oder mit dem letzten des Monats (31. Dezember bis 28. Februar), auch an Sonn- und Feiertagen. "
                    f"Die Vernichtung beginnt {DONE_S / HOUR_S:g} Stunde davor.",
                    law("§ 31 VwVfG, §§ 187 Abs. 1, 188 Abs. 2 und 3 BGB"),
                    _TWO_MONTHS,
                    _RULES,
                ),
                *words.to_verify(words.WORDING, words.MADE_FROM, words.KEEPING, words.LOG_KEEPING),
            ),
        ),
        Section("Protokoll und Schichtbuch", words.log_kept(g)),
        *([Section("Rechner bei den Kameras", (*hosts.kept_there(g), *hosts.erased_there(g)))] if g.site.hosts is not None else []),
        *([Section("Datenbankserver", (*server.kept_there(g), *server.erased_there(g)))] if server.where(g) else []),
        Section("Quarantäne", (words.retention(g)[-1],)),
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
    return Document(
        "loeschkonzept",
        "Löschkonzept",
        "de",
        "DIN 66398, § 21 Abs. 5 LDSG RLP",
        sections,
        signers=("Verantwortlicher", "Datenschutzbeauftragte"),
    )


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
                    "Administration: Einstellungen und Personen; zum Einrichten einer Kamera einzelne verpixelte Bilder, jedes im "
                    "Protokoll. "
                    "Datenschutz: Protokoll und Regeln, keine Bilder.",
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
                words.recorded(g, FactKind.HUMAN_REVIEW, "Wer jede Meldung prüft"),
                say(hours.by_day(g), event(Event.RECORDING_ORDERED), rule("DM-07"), setting("regimes.day.on_situation")),
            ),
        ),
        _review(g),
        _release(),
        Section(
            "Versammlungen, Störung, Anhalten",
            (
                words.recorded(g, FactKind.ASSEMBLIES, "Regelung für Versammlungen"),
                say(
                    "Jede Rolle kann anhalten, eine Kamera oder alle, mit Grund; eine angehaltene Kamera zeigt und speichert nichts.",
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
    return Document(
        "betriebskonzept",
        "Betriebskonzept und Dienstanweisung",
        "de",
        "§ 21 LDSG RLP",
        sections,
        signers=("Verantwortlicher", "Personalrat"),
    )


def _review(g: Grounds) -> Section:
    review = g.site.review
    return Section(
        "Sichtung",
        (
            say(
                "Zwei Personen nehmen mit je eigenem Sichtungskennwort Platz; vorher gibt es kein Bild.",
                rule("VA-01"),
                event(Event.SEAT_TAKEN),
            ),
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
