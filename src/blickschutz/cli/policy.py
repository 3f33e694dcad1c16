"""`blickschutz check`, and the gates before `blickschutz run`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.backup.rules import WEEK_S, YEAR_S, is_old
from blickschutz.backup.texts import say
from blickschutz.bootstrap.secrets import require_secrets
from blickschutz.cli.codes import GATES_CLOSED
from blickschutz.cli.place import place_of, require_place
from blickschutz.cli.users import if_started
from blickschutz.compliance.io.documents import facts_path
from blickschutz.compliance.model import Found, Grounds, Result
from blickschutz.compliance.policy import assess, closed_gates
from blickschutz.config.loader import load_site, operator_language
from blickschutz.config.model import SiteFile
from blickschutz.control.service.checks import Finding, check_site, check_witness
from blickschutz.control.service.grounds import gather
from blickschutz.installation.model import FolderError
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import BlickschutzError, OperatorError, SettingsError

_BACKUP, _RESTORE = "Art. 32 Abs. 1 lit. b DSGVO", "SI-09"
_DAY_S, _TRIALS = 86_400.0, 50
_ERROR = 1
_WORDS = (
    ("Kameras", "Einstellungen", "Tatsachendatei", "geschlossene Tore, „blickschutz run“ lehnt ab"),
    ("cameras", "settings", "facts file", "closed gates, `blickschutz run` refuses"),
)
_RESULTS = {"holds": ("gilt", "holds"), "broken": ("verletzt", "broken"), "not yet known": ("nicht bekannt", "not yet known")}


class GatesClosedError(OperatorError):
    """A site must not go live yet."""


def report(path: Path, data: Path | None, as_json: bool) -> int:
    """Print every rule and invariant of a site: 0 where all holds, 3 where gates are closed, 1 where something is wrong besides."""
    try:
        site = load_site(path)
    except BlickschutzError as error:
        if not as_json:
            raise
        click.echo(json.dumps({"rules": [{"id": "site-file", "result": "broken", "source": str(path), "mend": str(error)}]}))
        return 1
    # People read it in the site's language, whatever their terminal speaks; programs as before.
    examined = examine(site, path, data, operator_language() if as_json else site.site.language)
    findings, found, grounds = list(examined.findings), list(examined.found), examined.grounds
    if as_json:
        rules = [{"id": one.id, "result": one.result, "source": one.source, "mend": one.mend} for one in findings]
        click.echo(json.dumps({"settings": grounds.settings, "rules": rules}, ensure_ascii=False))
    else:
        _print(site, path, examined)
    return status(site, findings, found)


@dataclass(frozen=True, slots=True)
class Examined:
    """All that is known of a site: findings of files, keys, rows and log, then those of the rules in `found`."""

    findings: Sequence[Finding]
    found: Sequence[Found]
    grounds: Grounds


def examine(site: SiteFile, path: Path, data: Path | None, language: str) -> Examined:
    """Look at everything; nothing is changed."""
    findings = [Finding("site-file", "holds", str(path)), _check_secrets(site, path, language)]
    try:
        require_place(place_of(site, path, data, language), new=False)
        with if_started(site, path, data, language) as records:
            grounds = gather(site, path, records.inspected if records else None, SystemClock())
            findings.append(Finding("data-folder", "holds", "SI-02"))
            if records is not None:
                now = SystemClock().now()
                findings += [*check_site(site, records.inspected), *check_witness(site, records.inspected, now)]
                findings += _check_backups(path, records.office.log, now, language)
            else:
                never = (
                    "this site was never started; nothing is recorded yet",
                    "die Anlage lief noch nie; aufgezeichnet ist noch nichts",
                )
                findings.append(Finding("recordings", "not yet known", "VA-01", *never))
    except FolderError as error:
        grounds = gather(site, path, None, SystemClock())
        findings.append(Finding("data-folder", "broken", "SI-02", str(error)))
    found = assess(grounds)
    findings += [_finding(one) for one in found]
    return Examined(findings, found, grounds)


def status(site: SiteFile, findings: Sequence[Finding], found: Sequence[Found]) -> int:
    """What does not fit in files, rows or log comes first; then gates, which a demonstration has none of; then other broken rules."""
    rules = {one.rule.id for one in found}
    broken = {one.id for one in findings if one.result == "broken"}
    if broken - rules:
        return _ERROR
    if closed_gates(list(found)) and not site.site.demo:
        return GATES_CLOSED
    return _ERROR if broken else 0


def require_gates(site: SiteFile, path: Path, data: Path | None) -> None:
    """Raise `GatesClosedError` that names every gate which does not hold. A demonstration needs none."""
    if site.site.demo:
        return
    with if_started(site, path, data) as records:
        grounds = gather(site, path, records.inspected if records else None, SystemClock())
    gates = closed_gates(assess(grounds))
    if gates:
        index = _index(operator_language())
        lines = "\n".join(f"  {one.rule.id} ({one.rule.source}): {one.answer.text[index]}" for one in gates)
        first = (
            f"Diese Anlage darf noch nicht in Betrieb gehen; {len(gates)} Voraussetzungen fehlen.",
            f"This site must not go live yet; {len(gates)} gates are closed.",
        )
        last = (
            "Eintragen und zu zweit unterschreiben lässt es sich auf der Seite Nachweise, ohne Kameras: blickschutz run --prepare\n"
            "Zum Vorführen: site.demo = true",
            "It is entered and signed by two people on the page of proofs, without cameras: blickschutz run --prepare\n"
            "To show it: site.demo = true",
        )
        raise GatesClosedError(f"{first[index]}\n{lines}\n{last[index]}")


def _check_secrets(site: SiteFile, path: Path, language: str) -> Finding:
    """Whether every secret that the site file names can be read, by its owner alone."""
    try:
        require_secrets(site, path.resolve().parent, language)
    except SettingsError as error:
        return Finding("secrets", "broken", "SI-02", str(error))
    return Finding("secrets", "holds", "SI-02")


def _check_backups(path: Path, log: AuditLog, now: float, language: str) -> list[Finding]:
    """When the last backup was made, and when the last restore succeeded: a real one is as good as a trial."""

    def found(name: str, result: str, source: str, text: str, at: float = now, problem: object = "") -> Finding:
        values = {"site": path, "days": int((now - at) // _DAY_S), "problem": problem}
        return Finding(name, result, source, say(text, language, **values), say(text, "de", **values))

    made = next((entry for entry, _ in log.find(event=Event.BACKUP_MADE, most=1)), None)
    tried = [entry for event in (Event.RESTORE_TRIED, Event.RESTORED) for entry, _ in log.find(event=event, most=_TRIALS)]
    tried.sort(key=lambda entry: entry.number, reverse=True)
    last = next((entry for entry in tried if entry.facts.get("whole", True)), None)
    if made is None:
        backup = found("backup", "not yet known", _BACKUP, "never-made")
    elif is_old(made.at, now, WEEK_S):
        backup = found("backup", "broken", _BACKUP, "made-long-ago", made.at)
    else:
        backup = Finding("backup", "holds", _BACKUP)
    if tried and tried[0] is not last:
        return [backup, found("restore", "broken", _RESTORE, "try-failed", problem=tried[0].facts.get("problem"))]
    if last is None:
        return [backup, found("restore", "not yet known", _RESTORE, "never-tried")]
    if is_old(last.at, now, YEAR_S):
        return [backup, found("restore", "broken", _RESTORE, "tried-long-ago", last.at)]
    return [backup, Finding("restore", "holds", _RESTORE)]


def _index(language: str) -> int:
    return 0 if language == "de" else 1


def _finding(one: Found) -> Finding:
    if one.answer.result is Result.HOLDS:
        return Finding(one.rule.id, one.answer.result.value, one.rule.source)
    german, english = one.answer.text
    return Finding(one.rule.id, one.answer.result.value, one.rule.source, (german, english)[_index(operator_language())], german)


def is_gate(one: Finding, examined: Examined) -> bool:
    """Whether that finding is of a rule of the policy."""
    return any(found.rule.id == one.id for found in examined.found)


def in_words(one: Finding, examined: Examined, index: int) -> str:
    """The mend of a finding: German for 0, English for 1; empty where it holds."""
    english = next((found.answer.text[1] for found in examined.found if found.rule.id == one.id), one.mend)
    return one.german or one.mend if index == 0 else english if one.mend else ""


def _print(site: SiteFile, path: Path, examined: Examined) -> None:
    """In the site's language, whatever the operator's terminal speaks."""
    index = _index(site.site.language)
    cameras, settings, content, refused = _WORDS[index]
    click.echo(f"{path}: {site.site.name}, {len(site.cameras)} {cameras}\n{settings} {examined.grounds.settings}")
    if facts_path(path).exists():
        click.echo(f"{content} {examined.grounds.content}")
    for one in examined.findings:
        mend = in_words(one, examined, index)
        click.echo(f"{_RESULTS[one.result][index]:13} {one.id:14} {one.source:30} {mend}".rstrip())
    gates = closed_gates(list(examined.found))
    if gates and not site.site.demo:
        click.echo(f"{refused}: {', '.join(one.rule.id for one in gates)}")
