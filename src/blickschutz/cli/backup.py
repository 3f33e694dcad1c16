"""`blickschutz backup` and `blickschutz restore`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from blickschutz.audit.io.log import Facts
from blickschutz.audit.model import Event
from blickschutz.backup.io.bring import restore as bring_back
from blickschutz.backup.io.container import Outer, look
from blickschutz.backup.io.make import Plan, make_backup, scratch, size_of
from blickschutz.backup.io.prune import end_older
from blickschutz.backup.io.restore import Unpacking, examine, restored, unseal, unseal_here
from blickschutz.backup.model import LEAST_PEOPLE, Found, Manifest
from blickschutz.backup.texts import say
from blickschutz.bootstrap.databases import server_of
from blickschutz.cli.logbook import log_of
from blickschutz.cli.place import beside, place_of, require_started, with_site
from blickschutz.cli.progress import frame_progress
from blickschutz.cli.verify import public_key
from blickschutz.compliance.io.documents import facts_path
from blickschutz.config.loader import load_site, operator_language
from blickschutz.installation.io.folder import DataFolder
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import OperatorError
from blickschutz.storage.places import Server
from blickschutz.vault.io.files import is_signed

_MB, _DAY_S, _SHOWN, _LONGEST = 1_000_000, 86_400.0, 10, 300
_BY = "terminal"
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@with_site
@click.option("--keep-days", type=click.IntRange(1, 3650), help="Afterwards destroy this installation's older backups in the same folder.")
def backup(out: Path, path: Path, data: Path | None, keep_days: int | None) -> None:
    """Back up a site into the file OUT, or into the folder OUT under a name of its own; the system may run meanwhile."""
    site, clock, language = load_site(path), SystemClock(), operator_language()
    place = place_of(site, path, data)
    require_started(place)
    with beside(place, make=True) as folder:
        reserve = site.recording.reserve_mb * 1024 * 1024
        server = server_of(site, path.parent)
        plan = Plan(folder.path, folder.mark.id, path, facts_path(path), reserve, language, server)
        with frame_progress("Backing up", size_of(plan)) as step:
            made = make_backup(plan, out, clock, step)
        with log_of(folder.path, clock, server) as log:
            if log is not None:
                entries, name = made.manifest.log_number, made.manifest.name
                log.write(Event.BACKUP_MADE, _BY, name, {"sha256": made.sha256, "bytes": made.size, "entries": entries})
        manifest = made.manifest
        words = {"size": f"{made.size / _MB:.1f}", "log": manifest.log_number, "cases": manifest.cases, "held": manifest.held}
        click.echo(say("made", language, path=made.path, sha256=made.sha256, **words))
        click.echo(say("not-in-it", language))
        if manifest.left:
            click.echo(say("unknown", language, names=", ".join(manifest.left)))
        if keep_days is not None:
            count = end_older(made.path, folder.path, clock.now() - keep_days * _DAY_S, language)
            click.echo(say("removed", language, count=count, days=keep_days))


@click.command()
@click.argument("file", metavar="IN", type=_FILE)
@click.option("--data", type=_FOLDER, help="Empty folder for the data; with --try the site's data folder.")
@click.option("--old", type=_FOLDER, help="Data folder that survived: clips, packages and reviewers' keys are moved from it.")
@click.option("--try", "trial", is_flag=True, help="Only try: unpack, verify, destroy again. Needs --site.")
@click.option("--site", "path", type=_FILE, help="With --try: the site file of the installation that notes the trial.")
@click.option("--words", "ask", is_flag=True, help="With --try: let two people open the backup, as after a loss.")
@click.option("--stdin", is_flag=True, help="Read the words from standard input, a line for each person: PERSON WORDS.")
@click.option("--public-key", "public", default="", help="The installation's public key (64 hex digits), as it is known from elsewhere.")
def restore(file: Path, data: Path | None, old: Path | None, trial: bool, path: Path | None, ask: bool, stdin: bool, public: str) -> None:
    """Restore the backup IN into an empty data folder: verified first, opened by two people with their recovery words."""
    language = operator_language()
    outer = look(file, is_signed, language, public_key(public))
    if trial:
        if path is None:
            raise click.UsageError("--try needs --site: its log notes the trial")
        site = load_site(path)
        place = place_of(site, path, data)
        require_started(place)
        with beside(place, make=True) as folder:
            _try(outer, folder, language, server_of(site, path.parent), ask=ask, stdin=stdin)
        return
    if data is None:
        raise click.UsageError("--data names the empty folder to restore into")
    if not public:
        click.echo(say("signed-by", language, key=outer.public.hex()))
    key = unseal(outer, _words(outer, language, stdin), language)
    with frame_progress("Restoring", outer.end - outer.start) as step:
        manifest, found = bring_back(outer, key, data.resolve(), old, is_signed, SystemClock(), language, step)
    _report(manifest, found, data.resolve(), language)


def _try(outer: Outer, folder: DataFolder, language: str, server: Server | None, *, ask: bool, stdin: bool) -> None:
    clock = SystemClock()
    key = None if ask else unseal_here(outer, folder.path)
    opened_by_two = key is None
    if key is None:
        key = unseal(outer, _words(outer, language, stdin), language)
    problem: OperatorError | None = None
    with scratch(folder.path) as work:
        try:
            inside = Unpacking(outer, key, is_signed, language)
            with frame_progress("Trying", outer.end - outer.start) as step:
                inside.into(work, step)
            found = examine(work, inside.manifest, outer.public, is_signed, clock, language)
        except OperatorError as error:
            problem = error
    with log_of(folder.path, clock, server) as log:
        if log is not None:
            facts: Facts = {"made": outer.header.made, "backup": outer.sha256, "whole": problem is None, "words": opened_by_two}
            if problem is not None:
                facts["problem"] = str(problem)[:_LONGEST]
            log.write(Event.RESTORE_TRIED, _BY, outer.header.name, facts)
    if problem is not None:
        raise problem
    words = {"made": _when(outer.header.made), "log": found.log_entries, "cases": found.cases, "held": found.held}
    click.echo(say("tried", language, words=say("with-words", language) if opened_by_two else "", **words))


def _words(outer: Outer, language: str, stdin: bool) -> Mapping[str, str]:
    """The words of people who are here, of two at most."""
    if stdin:
        lines = (line.strip().split(maxsplit=1) for line in sys.stdin)
        return {line[0]: line[1] for line in lines if len(line) == 2}
    given: dict[str, str] = {}
    for one in outer.header.people:
        if len(given) == LEAST_PEOPLE:
            break
        if words := click.prompt(say("ask-words", language, person=one.id), default="", show_default=False, hide_input=True):
            given[one.id] = words
    return given


def _report(manifest: Manifest, found: Found, folder: Path, language: str) -> None:
    made = _when(manifest.made)
    words = {"log": manifest.log_number, "cases": found.cases, "held": found.held}
    click.echo(say("restored", language, folder=folder, id=manifest.id, made=made, **words))
    click.echo(say("since", language, made=made))
    if found.missing:
        # The held ones first: they are what somebody must look for.
        names = [*found.missing_held, *(clip for clip in found.missing if clip not in found.missing_held)]
        shown = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
        click.echo(say("clips-missing", language, count=len(found.missing), held=len(found.missing_held), names=shown))
    else:
        click.echo(say("clips-there", language))
    if found.strangers:
        click.echo(say("strangers", language, count=len(found.strangers)))
    if found.without_key:
        click.echo(say("keys-missing", language, people=", ".join(found.without_key)))
    click.echo(say("not-in-it", language))
    click.echo(say("settings-are", language, folder=folder / "settings", id=manifest.id, data=folder))


def restored_note(folder: Path) -> list[str]:
    """What whoever starts a system must know while nobody has confirmed that its folder came out of a backup."""
    found = restored(folder)
    return [say("came-from", operator_language(), made=_when(found.made))] if found is not None else []


def _when(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(" ", "seconds")
