"""`blickschutz check`: what of a site's settings, files, keys and rows does not fit, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blickschutz.access.model import AccountState
from blickschutz.access.rules import needs_factor
from blickschutz.audit.rules import verify
from blickschutz.config.model import SiteFile
from blickschutz.control.model import Loss
from blickschutz.control.rules import stops
from blickschutz.control.service.office import Inspected
from blickschutz.control.service.orders import LEAST_REVIEWERS
from blickschutz.control.service.renewal import OldClips
from blickschutz.control.words import said
from blickschutz.kernel.errors import BlickschutzError
from blickschutz.review.model import Case
from blickschutz.vault.io.files import is_signed

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule: does it hold, where it comes from, and the mend in one sentence where it does not, in English and German."""

    id: str
    result: str
    source: str
    mend: str = ""
    german: str = ""


def check_site(site: SiteFile, records: Inspected) -> list[Finding]:
    """Recordings, keys, log and rows of a site."""
    return [
        *_check_losses(records),
        *_check_people(records),
        *_check_files(records),
        *_check_pictures(records),
        _check_log(records),
        _check_disk(site, records),
    ]


def _finding(name: str, source: str, wrong: object, mend: str, german: str) -> Finding:
    """Broken where `wrong` says that something is."""
    return Finding(name, "broken", source, mend, german) if wrong else Finding(name, "holds", source)


def _check_losses(records: Inspected) -> list[Finding]:
    """What is missing, and what was set aside because of it."""
    losses = records.safety.losses
    stopping, stopping_de = (_told(losses, language, stopping=True) for language in ("en", "de"))
    others, others_de = (_told(losses, language, stopping=False) for language in ("en", "de"))
    aside = sorted(path.name for path in records.archive.data.glob("*.damaged*"))
    found = records.office.quarantine.waiting()
    stuck = "; ".join(f"case {one.case} ({one.clip}): {one.problem}" for one in records.stuck())
    stuck_de = "; ".join(f"Vorgang {one.case} ({one.clip}): {one.problem}" for one in records.stuck())
    return [
        _finding(
            "safe-mode",
            "LO-05, SI-04",
            stopping,
            f"nothing is destroyed or recorded: {stopping}",
            f"nichts wird vernichtet oder aufgezeichnet: {stopping_de}",
        ),
        _finding("lost-alerts", "KI-03", others, others, others_de),
        _finding(
            "set-aside",
            "LO-06",
            aside,
            f"set aside because they are damaged: {', '.join(aside)}; have them rescued or remove them, they hold personal data",
            f"beiseitegelegt, weil beschädigt: {', '.join(aside)}; lassen Sie sie retten oder entfernen Sie sie, sie enthalten "
            "personenbezogene Daten",
        ),
        _finding(
            "quarantine",
            "LO-06",
            found,
            f"in quarantine: {_cases(found)}; two people of the supervision decide on the page Vorgänge",
            f"in Quarantäne: {_cases(found, 'Vorgang')}; zwei Personen der Aufsicht entscheiden auf der Seite Vorgänge",
        ),
        _finding(
            "stuck",
            "LO-04",
            stuck,
            f"these do not go, and are tried again: {stuck}",
            f"lassen sich nicht vernichten und werden erneut versucht: {stuck_de}",
        ),
    ]


def _told(losses: Sequence[Loss], language: str, *, stopping: bool) -> str:
    return " ".join(" ".join(said(loss, language)) for loss in losses if stops(loss) is stopping)


def _check_people(records: Inspected) -> list[Finding]:
    enrolment, stray = records.archive.enrolment, records.archive.keys.faults()
    ready, strayed, root = len(records.orders.openers()), "; ".join(enrolment.compare()), enrolment.known_root()
    found = [
        _finding(
            "reviewers",
            "VA-01, SI-02",
            records.orders.records and ready < LEAST_REVIEWERS,
            f"the keys of {ready} people count; {LEAST_REVIEWERS} at least set a passphrase and have "
            f"their key confirmed (Mein Sichtungskennwort)",
            f"die Schlüssel von {ready} Personen zählen; mindestens {LEAST_REVIEWERS} setzen ein "
            f"Sichtungskennwort und lassen ihren Schlüssel "
            "bestätigen (Mein Sichtungskennwort)",
        ),
        _finding(
            "register",
            "VA-01",
            strayed,
            f"{strayed}; nothing is sealed until it is as people made it",
            f"{strayed}; es wird nichts versiegelt, bis es ist, wie Menschen es gemacht haben",
        ),
        _finding(
            "root",
            "VA-01",
            root and root != enrolment.pin,
            f'[review] of the site file names another root; two people compare it at the key desk: root = "{root}"',
            f'[review] der Anlagendatei nennt eine andere Wurzel; zwei vergleichen sie am Schlüsselplatz: root = "{root}"',
        ),
        _finding(
            "keys",
            "VA-01",
            stray,
            f"in keys/reviewers: {'; '.join(stray)}; put them right or remove them",
            f"in keys/reviewers: {'; '.join(stray)}; berichtigen oder entfernen Sie sie",
        ),
    ]
    access = records.office.access
    people = [member for member in access.members.values() if member.state is not AccountState.BLOCKED]
    missing = [member.id for member in people if not access.passwords.is_set(member.id)]
    found.append(
        _finding(
            "passwords",
            "SI-03",
            missing,
            f"these people never signed in; propose a one-time code on the page Personen: {', '.join(missing)}",
            f"nie angemeldet; schlagen Sie auf der Seite Personen einen Einmalcode vor: {', '.join(missing)}",
        )
    )
    counts = access.factors.counts()
    without = [one.id for one in people if needs_factor(one) and one.state is AccountState.ACTIVE and not counts.get(one.id)]
    factor = _finding(
        "second-factor",
        "SI-03",
        without,
        f"these people set up a second factor when they sign in next: {', '.join(without)}",
        f"richten bei der nächsten Anmeldung einen zweiten Faktor ein: {', '.join(without)}",
    )
    return [*found, factor]


def _check_files(records: Inspected) -> list[Finding]:
    missing = ", ".join(f"case {case.id} ({case.clip})" for case in records.intake.missing())
    missing_de = ", ".join(f"Vorgang {case.id} ({case.clip})" for case in records.intake.missing())
    strays = sorted(clip for clip in records.archive.shelf.clips() if not records.office.cases.store.knows(clip))
    return [
        _finding(
            "missing-file",
            "LO-05",
            missing,
            f"the file is not there: {missing}; look for it in the disk's lost files, else let the deadline close the case",
            f"die Datei fehlt: {missing_de}; suchen Sie sie unter den verlorenen Dateien des Datenträgers, sonst schließt die Frist den "
            "Vorgang",
        ),
        _finding(
            "missing-row",
            "LO-06",
            strays,
            f"no case knows these files: {', '.join(strays)}; the next start puts those of this installation into quarantine",
            f"kein Vorgang kennt diese Dateien: {', '.join(strays)}; der nächste Start stellt die dieser Anlage in Quarantäne",
        ),
    ]


def _check_pictures(records: Inspected) -> list[Finding]:
    """Redacted pictures that an older version stored."""
    renewal = records.renewal
    clips, packages = renewal.clips(), renewal.packages()
    count, problem = 0, ""
    try:
        count = renewal.alerts()
    except BlickschutzError as error:
        problem = str(error)
    result = [
        _finding(
            "old-alerts",
            "DM-05",
            count or problem,
            problem or f"{count} alerts have seconds that an older version redacted; they are destroyed at the next start",
            problem or f"{count} Meldungen haben Sekunden, die eine ältere Version verpixelt hat; der nächste Start vernichtet sie",
        ),
        _finding(
            "old-clips",
            "DM-05",
            clips.ending,
            f"an older version redacted these recordings: {_cases(clips.ending)}; they are destroyed at the next start",
            f"eine ältere Version hat diese Aufzeichnungen verpixelt: {_cases(clips.ending, 'Vorgang')}; der nächste Start vernichtet sie",
        ),
        _old_kept(clips),
    ]
    if not packages:
        return [*result, Finding("old-packages", "holds", "DM-05")]
    listed = ", ".join(packages)
    text = (
        f"made by an older version, whose redaction could leave fast people visible: {listed}; they are encrypted and "
        "cannot be looked into here; tell the recipients, and make new packages; each is removed with its recording"
    )
    german = (
        f"von einer älteren Version, deren Verpixelung schnelle Personen sichtbar lassen konnte: {listed}; sie sind verschlüsselt und "
        "hier nicht einzusehen; unterrichten Sie die Empfänger und erstellen Sie neue Pakete; jedes endet mit seiner Aufzeichnung"
    )
    return [*result, Finding("old-packages", "not yet known", "DM-05", text, german)]


def _old_kept(clips: OldClips) -> Finding:
    kept = [*(f"held: {_cases([case])}, ends with its hold" for case in clips.held)]
    kept += [f"restricted: {_cases([case])}, destroyed when request {case.restricted[0]} needs it no longer" for case in clips.restricted]
    kept += [f"half decided: {_cases([case])}, ends with its deadline" for case in clips.half_held]
    german = [*(f"gesperrt: Vorgang {case.id}, endet mit der Sperre" for case in clips.held)]
    german += [
        f"eingeschränkt: Vorgang {case.id}, endet, wenn Anfrage {case.restricted[0]} ihn nicht mehr braucht" for case in clips.restricted
    ]
    german += [f"halb entschieden: Vorgang {case.id}, endet mit der Frist" for case in clips.half_held]
    return _finding(
        "old-kept",
        "DM-05, LO-03",
        kept,
        f"an older version redacted these recordings; they are shown to nobody and are not released; {'; '.join(kept)}",
        f"eine ältere Version hat diese Aufzeichnungen verpixelt; niemand sieht sie, und sie gehen nicht hinaus; {'; '.join(german)}",
    )


def _cases(cases: Sequence[Case], word: str = "case") -> str:
    return ", ".join(f"{word} {case.id}" for case in cases)


def _check_log(records: Inspected) -> Finding:
    faults = list(verify(records.office.log.export(), is_signed, records.archive.key.public)) if records.office.log.state()[0] else []
    what = faults[0].text if faults else ""
    return _finding(
        "log",
        "SI-04",
        faults,
        f"the log is not intact: {what}; keep the disk and tell the data protection officer",
        f"das Protokoll ist nicht heil: {what}; bewahren Sie den Datenträger und sagen Sie es der Datenschutzbeauftragten",
    )


def check_witness(site: SiteFile, records: Inspected, now: float) -> list[Finding]:
    """How long before `now` (POSIX) the witness confirmed the log, and up to which entry. Whether that is enough says the rule SI-11."""
    state = records.anchoring.state
    if site.audit.witness is None:
        return []
    if not state.at:
        return [Finding("witness", "not yet known", "SI-11", "the witness has confirmed nothing yet; start it and the site")]
    said = f"confirmed up to entry {state.number}, {(now - state.at) / 3600:.1f} hours ago"
    if state.problem is not None:
        return [Finding("witness", "broken", "SI-11", f"{state.problem.value}; {said}; see docs/design/anchor.md")]
    return [Finding("witness", "holds", f"SI-11, {said}")]


def _check_disk(site: SiteFile, records: Inspected) -> Finding:
    try:
        free = records.archive.shelf.free() // _MB
    except OSError as error:
        folder = records.archive.shelf.folder
        return _finding(
            "disk", "SI-02", True, f"{folder} cannot be used: {error.strerror}", f"{folder} ist nicht nutzbar: {error.strerror}"
        )
    most = site.recording.reserve_mb
    return _finding(
        "disk",
        "LO-01",
        free < most,
        f"{free} MB are free, {most} MB must be; make room or nothing is recorded",
        f"{free} MB sind frei, {most} MB müssen es sein; schaffen Sie Platz, sonst wird nicht aufgezeichnet",
    )
