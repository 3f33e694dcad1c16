"""`blickschutz doctor`: machine, files, cameras and everything that `check` knows, as a list of what is to be mended."""

from __future__ import annotations

import json
from pathlib import Path

import click

from blickschutz.bootstrap.doctor import findings, look
from blickschutz.cli.place import place_of
from blickschutz.cli.policy import examine, in_words, is_gate, report, status
from blickschutz.cli.users import if_started
from blickschutz.config.loader import load_site, operator_language
from blickschutz.control.service.checks import Finding
from blickschutz.control.vitals import DatabaseState
from blickschutz.installation.model import FolderError
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import BlickschutzError

_HEADS = (
    ("Zu beheben", "Noch nicht bekannt", "In Ordnung", "Geschlossene Tore nennt „blickschutz check“"),
    ("To mend", "Not yet known", "In order", "`blickschutz check` names the closed gates"),
)


def diagnose(path: Path, data: Path | None, as_json: bool) -> int:
    """Print what is to be mended; ends as `check` does: 0 where all holds, 3 where gates are closed, 1 where something else is wrong."""
    try:
        site = load_site(path)
        folder = place_of(site, path, data).folder
    except BlickschutzError:
        return report(path, data, as_json)
    own = findings(site, look(site, path, folder), SystemClock().now())
    try:
        with if_started(site, path, data) as records:
            own += [_database(one.look()) for one in (records.databases if records is not None else ())]
    except FolderError:
        pass  # `examine` says it
    examined = examine(site, path, data, operator_language() if as_json else site.site.language)
    all_found = [*own, *examined.findings]
    code = status(site, all_found, examined.found)
    if as_json:
        rows = [{"id": one.id, "result": one.result, "source": one.source, "mend": one.mend} for one in all_found]
        click.echo(json.dumps({"findings": rows, "exit": code}, ensure_ascii=False))
        return code
    index = 0 if site.site.language == "de" else 1
    mend, unknown, fine, gates = _HEADS[index]
    click.echo(f"{path}: {site.site.name}")
    # Rules of the policy are what `check` lists one by one; here it is enough that some are open.
    shown = [one for one in all_found if not is_gate(one, examined)]
    for title, result in ((mend, "broken"), (unknown, "not yet known")):
        some = [one for one in shown if one.result == result]
        if some:
            click.echo(f"\n{title}:")
        for one in some:
            click.echo(f"  {one.id:14} {in_words(one, examined, index)}")
    click.echo(f"\n{fine}: {', '.join(one.id for one in shown if one.result == 'holds')}")
    if len(shown) < len(all_found) and code:
        click.echo(gates)
    return code


def _database(state: DatabaseState) -> Finding:
    name = f"database-{state.name}"
    if state.read_s is not None:
        return Finding(name, "holds", "SI-02")
    return Finding(
        name,
        "broken",
        "SI-02",
        f"it does not answer: {state.problem}; look at disk and rights, remove nothing",
        f"sie antwortet nicht: {state.problem}; prüfen Sie Datenträger und Rechte, löschen Sie nichts",
    )
