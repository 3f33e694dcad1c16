"""Papers about the people who work with the installation: Dienstvereinbarung, Rollen, Verpflichtung and Schulungsnachweis."""

from __future__ import annotations

from blickschutz.access.model import Role
from blickschutz.audit.model import Event
from blickschutz.compliance.documents import hours, words
from blickschutz.compliance.documents.model import (
    Document,
    Evidence,
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
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.sheets import Sheet
from blickschutz.kernel.periods import add_months

REVIEW_MONTHS = 6
TRAINING_MONTHS = 12
ROLES = {
    Role.CONTROL_ROOM: "Leitstelle: Wand und Meldungen, Anordnung einer Aufzeichnung, Anhalten",
    Role.REVIEW: "Sichtung: Vorgänge, immer zu zweit",
    Role.SUPERVISION: "Aufsicht: dritte Stimme, Sperren, Herausgabe",
    Role.ADMINISTRATION: "Administration: Einstellungen und Personen; zum Einrichten einer Kamera einzelne verpixelte Bilder, "
    "jedes im Protokoll",
    Role.DATA_PROTECTION: "Datenschutz: Protokoll und Regeln, keine Bilder",
}
_Row = tuple[tuple[str, ...], tuple[Evidence, ...]]


def works_agreement(g: Grounds) -> Document:
    """Draft of the agreement with the Personalrat; it is in force when both have signed it."""
    sections = (
        Section(
            "Stand",
            (
                say(
                    "Entwurf zur Verhandlung. Eine Vereinbarung ist dies erst, wenn Dienststelle und Personalrat sie unterschrieben haben.",
                    words.CODETERMINATION.evidence,
                ),
                words.recorded(g, FactKind.STAFF_COUNCIL, "Beteiligung des Personalrats"),
            ),
        ),
        Section(
            "Gegenstand und Geltung",
            (
                say(
                    f"Videoschutz an {g.site.site.name} mit {len(g.site.cameras)} Kameras und das Protokoll der Anlage. Sie gilt für alle "
                    f"Beschäftigten der {g.site.site.operator}, die im Bild sein können oder mit der Anlage arbeiten.",
                    setting("site.name"),
                    setting("site.operator"),
                    setting("cameras"),
                ),
            ),
        ),
        Section(
            "Keine Kontrolle von Leistung und Verhalten",
            (
                say(
                    "Bilder, Meldungen und Protokoll dienen nicht der Kontrolle von Leistung oder Verhalten der Beschäftigten. Was unter "
                    "Verstoß dagegen gewonnen wird, darf nicht gegen sie verwendet werden.",
                    rule("ZB-04"),
                    law("§ 20 LDSG RLP"),
                ),
                say("Wer im Protokoll sucht, steht mit dem, wonach gesucht wurde, selbst im Protokoll.", event(Event.LOG_SEEN)),
                words.recorded(g, FactKind.STAFF_CONTROL, "Erklärung zur Leistungskontrolle"),
            ),
        ),
        Section("Zeiten und Folgen", tuple(hours.hours(g, "de"))),
        Section(
            "Was von Beschäftigten gespeichert wird",
            (
                words.redaction(g),
                *words.retention(g),
                say(
                    "Vom Umgang mit der Anlage hält das Protokoll Kurzname, Zeit, Ereignis und Gegenstand fest.",
                    test("tests/unit/test_audit.py"),
                ),
                *words.log_kept(g),
            ),
        ),
        Section(
            "Rechte von Personalrat und Beschäftigten",
            (
                say(
                    "Der Personalrat kann die Einstellungen, die Regeln und was sie ergeben einsehen und wird vor jeder Änderung der "
                    "Einstellungen beteiligt; jede Änderung steht im Protokoll.",
                    event(Event.SETTINGS_CHANGED),
                    words.CODETERMINATION.evidence,
                ),
                say(
                    "Jede Person mit einem Konto kann eine Kamera oder alle anhalten; niemandem entsteht daraus ein Nachteil.",
                    rule("KI-08"),
                    event(Event.CAMERA_STOPPED),
                ),
                say("Wer mit der Anlage arbeitet, wird vorher und danach jährlich geschult.", rule("KI-07")),
            ),
        ),
        Section(
            "Inkrafttreten und Kündigung", (missing("Tag des Inkrafttretens, Kündigungsfrist, Nachwirkung", words.AGREEMENT.evidence),)
        ),
        Section("Rechtliche Prüfung", words.to_verify(words.CODETERMINATION, words.AGREEMENT)),
    )
    return Document(
        "dienstvereinbarung",
        "Dienstvereinbarung Videoschutz (Entwurf)",
        "de",
        "LPersVG Rheinland-Pfalz (zu prüfen), § 20 LDSG RLP",
        sections,
        signers=("Dienststellenleitung", "Personalrat"),
    )


def roles(g: Grounds) -> Document:
    """Who may do what, who stands in, and when each right is looked at again."""
    rows: list[_Row] = []
    for role, about in ROLES.items():
        found = [one for one in g.facts.assignments if one.role is role]
        evidence = (fact("assignments"), rule("SI-09"))
        for one in found:
            looked = f"{one.reviewed:%d.%m.%Y}" if one.reviewed else words.OPEN
            again = f"{add_months(one.reviewed, REVIEW_MONTHS):%d.%m.%Y}" if one.reviewed else words.OPEN
            rows.append(((about.split(":")[0], one.person, words.or_open(one.deputy), looked, again), evidence))
        if not found:
            rows.append(((about.split(":")[0], *[words.OPEN] * 4), evidence))
    sections = (
        Section("Rollen", tuple(say(f"{about}.", rule("VA-04"), test("tests/live/test_people.py")) for about in ROLES.values())),
        Section(
            "Grundsätze",
            (
                say(
                    "Wer verwaltet, sieht weder Livebild noch Aufnahmen; wer sichtet, verwaltet nicht.",
                    rule("VA-04"),
                    setting("people.roles"),
                ),
                say(
                    "Ein Recht geben zwei Personen; eine genügt, um es zu nehmen. Beides steht im Protokoll.",
                    event(Event.RIGHTS_CHANGED),
                    test("tests/unit/test_access.py"),
                ),
                say("Konten lauten auf einzelne Personen; gemeinsame sind nicht vorgesehen.", rule("SI-03")),
            ),
        ),
        Section("Wer, und wer vertritt", (Table(("Rolle", "Person", "Vertretung", "zuletzt überprüft", "wieder zu prüfen"), tuple(rows)),)),
        Section("Konten der Anlage", (_accounts(g),)),
        Section("Überprüfung der Rechte", (words.recorded(g, FactKind.RIGHTS_REVIEW, "Letzte Überprüfung der Rechte"),)),
        signatures(g, Sheet.ASSIGNMENTS),
    )
    return Document(
        "rollenkonzept",
        "Rollen- und Berechtigungskonzept",
        "de",
        "Art. 32 Abs. 1 lit. b, Art. 29 DSGVO",
        sections,
        signers=("Verantwortlicher", "Datenschutzbeauftragte"),
        reticent=True,
    )


def _accounts(g: Grounds) -> Sentence | Table:
    evidence = (event(Event.ACCOUNT_ACTIVATED), event(Event.RIGHTS_CHANGED))
    if not g.members:
        return missing("Konten; die Anlage lief noch nicht", *evidence)
    rows = [
        (
            (
                one.id,
                ", ".join(sorted(ROLES[role].split(":")[0] for role in one.roles)),
                f"{one.trained_until:%d.%m.%Y}" if one.trained_until else words.OPEN,
            ),
            evidence,
        )
        for one in sorted(g.members, key=lambda one: one.id)
    ]
    return Table(("Kurzname", "Rollen", "Schulung gilt bis"), tuple(rows))


def training(g: Grounds) -> Document:
    """Text of the commitment, who gave it, and who was trained in what."""
    people = sorted({one.person for one in g.facts.assignments} | {one.deputy for one in g.facts.assignments if one.deputy})
    committed = {one.person: one for one in g.facts.commitments}
    rows: list[_Row] = []
    for person in sorted(set(people) | set(committed)):
        given = committed.get(person)
        rows.append(
            ((person, f"{given.date:%d.%m.%Y}" if given else words.OPEN, given.by if given else words.OPEN), (fact("commitments"),))
        )
    proofs: list[_Row] = []
    for person in sorted(set(people) | {one.person for one in g.facts.trainings}):
        mine = sorted((one for one in g.facts.trainings if one.person == person), key=lambda one: one.date)
        if not mine:
            proofs.append(((person, *[words.OPEN] * 5), (fact("trainings"), rule("KI-07"))))
        for one in mine:
            until = add_months(one.date, TRAINING_MONTHS)
            cells = (person, f"{one.date:%d.%m.%Y}", one.content, one.trainer, words.or_open(one.examined), f"{until:%d.%m.%Y}")
            proofs.append((cells, (fact("trainings"), rule("KI-07"))))
    open_people = missing("Personen, die mit der Anlage arbeiten", fact("assignments"), fact("commitments"))
    sections = (
        Section(
            "Verpflichtung",
            (
                say(
                    "Ich verarbeite Daten der Anlage nur auf Weisung und für ihren Zweck, gebe nichts an Unbefugte weiter, nehme keine "
                    "Bilder mit eigenem Gerät auf und melde, was ich an Verstößen bemerke. Das gilt auch nach dem Ende der Tätigkeit.",
                    law("Art. 29 und 32 Abs. 4 DSGVO"),
                    words.COMMITTING.evidence,
                ),
                say(
                    "Mir ist bekannt, dass ein Verstoß Folgen im Dienst- oder Arbeitsrecht haben und strafbar sein kann.",
                    law("§ 203 Abs. 2 StGB"),
                ),
                Table(("Person", "verpflichtet am", "durch"), tuple(rows)) if rows else open_people,
            ),
        ),
        Section(
            "Inhalt der Schulung",
            (
                say(
                    "Zweck und Verbote; Meldungen und was sie nicht sagen; Sichtung zu zweit; Entpixelung; Sperre und Herausgabe; Anfragen "
                    "Betroffener; Anhalten, Versammlungen und Störung; Datenpannen; Grenzen der Erkennung und der Verpixelung.",
                    law("Art. 4 KI-VO"),
                    rule("KI-07"),
                ),
            ),
        ),
        Section(
            "Schulungsnachweis",
            (
                Table(("Person", "am", "Inhalt", "durch", "Prüfung", "gilt bis"), tuple(proofs)) if proofs else open_people,
                words.recorded(g, FactKind.OPERATOR_TRAINING, "Schulung der Bediener insgesamt"),
            ),
        ),
        Section("Rechtliche Prüfung", words.to_verify(words.COMMITTING)),
        signatures(g, Sheet.COMMITMENTS, Sheet.TRAININGS),
    )
    return Document(
        "verpflichtung-schulung",
        "Verpflichtung und Schulungsnachweis",
        "de",
        "Art. 29, 32 Abs. 4 DSGVO, Art. 4 KI-VO",
        sections,
        signers=("Verpflichtete Person", "Wer verpflichtet hat"),
        reticent=True,
    )
