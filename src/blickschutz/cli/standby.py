"""`blickschutz standby`, and who leads before `blickschutz run` begins."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blickschutz.cli.place import with_site
from blickschutz.config.loader import load_site, operator_language
from blickschutz.config.model import SiteFile
from blickschutz.kernel.errors import OperatorError
from blickschutz.storage.lead import Led, lead_of
from blickschutz.web.waiting import limits_of, words_of

if TYPE_CHECKING:
    from blickschutz.bootstrap.leading import Leading
    from blickschutz.bootstrap.manager import ServiceManager

_KEY = "keys/installation.key"
# Who waits says so every second.
_GONE_S = 10.0
_TEXTS = {
    "files-there": (
        "In {folder} liegen noch Datenbanken als Dateien (control.db), obwohl storage.database einen Server nennt. Bringen Sie sie zuerst "
        "dorthin: blickschutz database fill. Oder legen Sie sie beiseite, wenn auf dem Server schon alles steht.",
        "{folder} still has databases as files (control.db), though storage.database names a server. Bring them there first: "
        "blickschutz database fill. Or move them away, where everything is on the server already.",
    ),
    "waits": (
        "{name}: Diese Leitstelle wartet. Es führt: {holder}. Endet sie, übernimmt diese hier. Strg-C beendet.",
        "{name}: this control room waits. {holder} leads. When it ends, this one takes over. Ctrl-C ends.",
    ),
    "took": ("Diese Leitstelle führt jetzt (Nr. {term}).", "This control room leads now (no. {term})."),
    "no-key": (
        "In {folder} fehlt {key}: Legen Sie dort die Datei der führenden Leitstelle ab (0600), dann wartet diese hier.",
        "{key} is missing in {folder}: put the leading control room's file there (0600), and this one will wait.",
    ),
    "nobody": ("niemand", "nobody"),
    "files": (
        "storage.database: Die Datenbanken dieser Anlage sind Dateien in ihrem Datenordner; es kann keine zweite Leitstelle warten.",
        "storage.database: this site's databases are files in its data folder; no second control room can wait.",
    ),
    "leads": ("Es führt: {holder} (Nr. {term}, seit {since})", "Leading: {holder} (no. {term}, since {since})"),
    "waiting": ("Es wartet: {name}", "Waiting: {name}"),
    "gone": ("Wartet nicht mehr: {name} (zuletzt vor {ago:.0f} s)", "Waits no more: {name} (last {ago:.0f} s ago)"),
    "none": ("Es wartet keine Leitstelle.", "No control room waits."),
}


@click.command("standby")
@with_site
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
def standby(path: Path, data: Path | None, as_json: bool) -> None:
    """Show which control room leads a site, and which one waits. Ends with 1 where none waits."""
    from blickschutz.bootstrap.databases import server_of

    del data
    site, language = load_site(path), operator_language()
    server = server_of(site, path.resolve().parent)
    if server is None:
        raise OperatorError(_say("files", language))
    lead = lead_of(server)
    try:
        led = lead.look()
    finally:
        lead.close()
    there = [name for name, ago in led.waiting if ago < _GONE_S]
    if as_json:
        waiting = {name: round(ago, 1) for name, ago in led.waiting}
        click.echo(json.dumps({"holder": led.holder, "term": led.term, "since": led.since, "waiting": waiting}, ensure_ascii=False))
    else:
        for line in _lines(led, site, language):
            click.echo(line)
    if not there:
        raise SystemExit(1)


def _lines(led: Led, site: SiteFile, language: str) -> Iterator[str]:
    since = datetime.fromtimestamp(led.since).astimezone().isoformat(" ", "seconds")
    yield _say("leads", language, holder=led.holder or _say("nobody", language), term=led.term, since=since)
    for name, ago in led.waiting:
        yield _say("waiting" if ago < _GONE_S else "gone", language, name=name, ago=ago)
    if not led.waiting:
        yield _say("none", language)
    yield from words_of(limits_of(site), site, language)


def lead(site: SiteFile, path: Path, folder: Path, manager: ServiceManager, *, standby: bool) -> Leading | None:
    """The lead of a site whose data lie in `folder`; None for one whose databases are files. With `standby` it is waited for."""
    from blickschutz.bootstrap.leading import Candidate

    if site.storage.server is None and not standby:
        return None
    language = operator_language()
    if (folder / "control.db").exists():
        # After a restore, or from before: what is on the server would look like all that there ever was.
        raise OperatorError(_say("files-there", language, folder=folder))
    candidate = Candidate(site, path.resolve().parent, folder)
    if not standby:
        return candidate.take_at_once()
    if candidate.papers() is None:
        raise OperatorError(_say("no-key", language, folder=folder, key=_KEY))
    from blickschutz.bootstrap.standby import Standby

    holder = candidate.look().holder or _say("nobody", language)
    click.echo(_say("waits", language, name=site.site.name, holder=holder))
    for line in words_of(limits_of(site), site, language):
        click.echo(line)
    try:
        leading = asyncio.run(Standby(site, folder, candidate, manager).wait())
    except KeyboardInterrupt:
        raise SystemExit(0) from None
    click.echo(_say("took", language, term=leading.leader.term))
    return leading


@contextlib.contextmanager
def handed_back(leading: Leading | None) -> Iterator[None]:
    """Whatever ends this process in order, nobody has to wait for a control room that does not lead any more."""
    try:
        yield
    finally:
        if leading is not None:
            leading.end()


def _say(what: str, language: str, **values: object) -> str:
    german, english = _TEXTS[what]
    return (german if language == "de" else english).format(**values)
