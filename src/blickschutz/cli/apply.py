"""`blickschutz apply`: put a site file that was edited by hand in force, without a restart of what the change does not touch."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import click

from blickschutz.cli.codes import GATES_CLOSED
from blickschutz.cli.place import place_of, require_place
from blickschutz.cli.users import if_started
from blickschutz.config.loader import load_site, operator_language
from blickschutz.config.model import SiteFile
from blickschutz.control.service.grounds import gather
from blickschutz.control.service.inforce import judged
from blickschutz.installation.io.lock import holder_of, is_held
from blickschutz.kernel.clock import Clock, SystemClock
from blickschutz.settings.io.file import SettingsFile
from blickschutz.settings.model import Difference, Noted, Verdict, Why
from blickschutz.settings.rules.changes import differences
from blickschutz.settings.rules.document import plain
from blickschutz.settings.service import hash_of, site_of

_ERROR = 1
_WAIT_S, _LOOK_S = 60.0, 0.1
_WORDS = {
    "none": ("Kein Unterschied zu dem, was in Kraft ist.", "No difference to what is in force."),
    "never": (
        "Diese Anlage lief noch nie; die Datei gilt mit dem ersten Start.",
        "This site never ran; the file comes into force with the first start.",
    ),
    "not-running": (
        "Die Anlage läuft nicht; die Datei gilt mit dem nächsten Start.",
        "The site does not run; the file comes into force with the next start.",
    ),
    "refused": ("Nicht in Kraft gesetzt: Die Änderung widerspricht", "Not put in force: the change contradicts"),
    "anew": ("Danach neu zu unterschreiben", "To be signed anew afterwards"),
    "done": ("In Kraft gesetzt.", "Put in force."),
    "restart": ("Erst nach einem Neustart der Anlage in Kraft", "In force only after a restart of the site"),
    "no-answer": (
        "Die Anlage hat nicht geantwortet; sehen Sie auf der Seite „Einstellungen“ nach.",
        "The site did not answer; look at the page of settings.",
    ),
    "not-allowed": (
        "Die Anlage läuft unter einem anderen Benutzer ({user}); rufen Sie den Befehl unter diesem auf.",
        "The site runs under another user ({user}); call the command as that one.",
    ),
}


def apply(path: Path, data: Path | None) -> int:
    """Print the difference and what follows; 0 where the file is in force (or will be, with a start), 3 where the law or a closed gate is
    against it, 1 where something is wrong besides. Raises `SettingsError`, `FolderError`."""
    site, index = load_site(path), 0 if operator_language() == "de" else 1
    place = place_of(site, path, data)
    require_place(place, new=False)
    file = SettingsFile(path.resolve(), place.folder)
    noted, text = file.noted(), file.read()
    before = file.version(noted.in_force) if noted is not None else None
    if noted is None or before is None:
        click.echo(_WORDS["never"][index])
        return 0
    found = differences(plain(before), plain(text))
    if not found:
        click.echo(_WORDS["none"][index])
        return 0
    _print(found)
    against, anew = _judged(site_of(before, str(path), operator_language()), site, path, data)
    _say(anew, _WORDS["anew"][index], index)
    if against:
        _say(against, _WORDS["refused"][index], index)
        return GATES_CLOSED
    holder = holder_of(place.folder)
    if holder is None or not is_held(place.folder):
        click.echo(_WORDS["not-running"][index])
        return 0
    try:
        os.kill(holder.pid, signal.SIGHUP)
    except PermissionError:
        click.echo(_WORDS["not-allowed"][index].format(user=holder.user), err=True)
        return _ERROR
    except ProcessLookupError:
        click.echo(_WORDS["not-running"][index])
        return 0
    return _outcome(file, noted, hash_of(text), index, SystemClock())


def _judged(before: SiteFile, after: SiteFile, path: Path, data: Path | None) -> tuple[Sequence[Verdict], Sequence[Verdict]]:
    with if_started(after, path, data) as records:
        inspected = records.inspected if records else None
        then = gather(before, path, inspected, SystemClock())
        now = gather(after, path, inspected, SystemClock(), then)
    against, _, anew = judged(then, now, lenient=after.site.demo)
    return against, anew


def _print(found: Sequence[Difference]) -> None:
    for one in found:
        if one.had:
            click.echo(f"- {one.key} = {one.before!r}")
        if one.has:
            click.echo(f"+ {one.key} = {one.after!r}")


def _say(found: Sequence[Verdict], head: str, index: int) -> None:
    if found:
        click.echo(f"{head}:")
    for one in found:
        click.echo(f"  {one.rule} ({one.source}): {one.text[index]}")


def _outcome(file: SettingsFile, before: Noted, asked: str, index: int, clock: Clock) -> int:
    """What the running site made of it."""
    until = clock.monotonic() + _WAIT_S
    while clock.monotonic() < until:
        noted = file.noted()
        if noted is not None and noted.asked == asked and noted.turn > before.turn:
            return _told(noted, index)
        clock.sleep(_LOOK_S)
    click.echo(_WORDS["no-answer"][index], err=True)
    return _ERROR


def _told(noted: Noted, index: int) -> int:
    if noted.why and noted.why != Why.NOTHING.value:
        click.echo("\n".join([noted.why, *noted.lines]), err=True)
        return GATES_CLOSED if noted.why == Why.LAW.value else _ERROR
    click.echo(_WORDS["done"][index])
    if noted.pending:
        click.echo(f"{_WORDS['restart'][index]}: {', '.join(noted.pending)}")
    return 0
