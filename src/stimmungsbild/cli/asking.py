"""Questionnaire, keys, field."""

from __future__ import annotations

import json
import secrets
import time
from datetime import date
from pathlib import Path

import click
import msgspec
import uvicorn

from stimmungsbild.cli.common import FILE, FOLDER, WORKBOOK, definition
from stimmungsbild.collection.folder import create, end, load, map_of, open_store, served, set_map, write_private
from stimmungsbild.collection.forgetting import begin_anew
from stimmungsbild.collection.letters import make_codes, print_letters
from stimmungsbild.collection.model import Door, Map
from stimmungsbild.collection.monitor import standing
from stimmungsbild.collection.service import Collector
from stimmungsbild.collection.web import Pages
from stimmungsbild.errors import FieldError, LawError
from stimmungsbild.evaluation.places import square as read_square
from stimmungsbild.keys.files import read_evaluation, read_holder, write_key
from stimmungsbild.keys.service import make_evaluation, make_holder
from stimmungsbild.questionnaire.io import built_in, earlier_wave, write_workbook
from stimmungsbild.questionnaire.model import Standing
from stimmungsbild.questionnaire.rules import as_wave, compare


@click.group()
def questionnaire() -> None:
    """The questionnaire: as a workbook, and beside earlier waves."""


@questionnaire.command("write")
@click.argument("target", type=FILE)
def write(target: Path) -> None:
    """Write the questionnaire as an XLSForm workbook, which the institute edits."""
    write_workbook(built_in(), target)
    click.echo(f"{target} written")


@questionnaire.command("check")
@WORKBOOK
def checkdefinition(workbook: Path | None) -> None:
    """Say whether a workbook is a whole questionnaire, and in which languages."""
    found = definition(workbook)
    unchecked = [one for one, words in found.words.items() if not words.checked]
    click.echo(f"{len(found.items())} items on {len(found.pages)} pages in {', '.join(found.words)}")
    click.echo(f"not checked by a native speaker: {', '.join(unchecked) or 'none'}")


@questionnaire.command("wave")
@WORKBOOK
@click.option("--mode", required=True, help="How it is asked, in words.")
@click.option("--sample", required=True, help="Whom it asks, in words.")
def wave(workbook: Path | None, mode: str, sample: str) -> None:
    """Print this wave with the hash of each wording, as the next one compares with it."""
    click.echo(msgspec.json.format(msgspec.json.encode(as_wave(definition(workbook), mode, sample)), indent=1).decode())


@questionnaire.command("compare")
@WORKBOOK
@click.option("--earlier", type=FILE, help="TOML file of an earlier wave; without it that of 2021.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
def compare_waves(workbook: Path | None, earlier: Path | None, as_json: bool) -> None:
    """Say of each item whether it may be compared with an earlier wave, and which changed word broke it."""
    old = earlier_wave(earlier)
    found = compare(definition(workbook), old)
    click.echo(f"earlier wave {old.wave}: {old.sample}; {old.mode}")
    for one in found:
        words = "; ".join(f"“{before}” became “{now}”" for before, now in one.words)
        click.echo(f"{one.standing.value:8} {one.item}{f': {words}' if words else ''}")
    counted = {standing.value: sum(one.standing is standing for one in found) for standing in Standing}
    if as_json:
        click.echo(json.dumps({"wave": old.wave, **counted}))


@click.group()
def keys() -> None:
    """Keys of the evaluation: each holder's own, and the one that two of them open."""


@keys.command("holder")
@click.argument("name")
@click.argument("target", type=FILE)
@click.option("--passphrase", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for where it is not given.")
def holder(name: str, target: Path, passphrase: str) -> None:
    """Make the key of one holder; its file is worth nothing without the passphrase."""
    write_key(target, make_holder(name, passphrase, secrets.token_bytes))
    click.echo(f"{target} written; it stays with {name}")


@keys.command("evaluation")
@click.argument("target", type=FILE)
@click.option("--holder", "holders", type=FILE, multiple=True, required=True, help="A holder's key file; two or more.")
def evaluation(target: Path, holders: tuple[Path, ...]) -> None:
    """Make the key that two of the holders open together; it stays with them and is kept away from the server."""
    write_key(target, make_evaluation([read_holder(one) for one in holders], secrets.token_bytes))
    click.echo(f"{target} written; any two of {len(holders)} holders open it")


@click.group()
def field() -> None:
    """A field: created, given codes, served, watched, closed."""


@field.command("create")
@FOLDER
@WORKBOOK
@click.option("--key", type=FILE, required=True, help="The evaluation's key; the field takes its public halves.")
@click.option("--facts", type=FILE, help="The facts file, its documents beside it.")
@click.option("--demo", "as_demo", is_flag=True, help="A demonstration, which says so on every page, instead of facts.")
def create_field(folder: Path, workbook: Path | None, key: Path, facts: Path | None, as_demo: bool) -> None:
    """Begin a field in an empty folder, once all its papers are there."""
    if (facts is None) is not as_demo:
        raise LawError("a field needs its facts file (--facts); only a demonstration needs none (--demo)")
    made = create(folder, read_evaluation(key), workbook, facts, secrets.token_bytes)
    click.echo(f"field {made.id}, wave {made.wave}, questionnaire {made.questionnaire}{', a demonstration' if made.demo else ''}")


@field.command("codes")
@FOLDER
@click.option("--door", type=click.Choice([Door.REGISTER.value, Door.OUTREACH.value]), required=True)
@click.option("--count", type=click.IntRange(1, 100_000), required=True)
@click.option("--address", required=True, help="Where the pages are, as it is printed.")
@click.option("--letters", type=FILE, required=True, help="The PDF to print; the codes are nowhere else.")
def codes(folder: Path, door: str, count: int, address: str, letters: Path) -> None:
    """Draw codes into letters that nobody can tell apart; the field keeps their hashes."""
    made, q = load(folder)
    store = open_store(folder, secrets.token_bytes)
    try:
        drawn = make_codes(made, store, Door(door), count, secrets.randbelow)
    finally:
        store.close()
    write_private(letters, print_letters(q, drawn, address))
    click.echo(f"{letters} written with {count} codes; destroy it once it is printed")


@field.command("map")
@FOLDER
@click.option("--picture", type=FILE, required=True, help="The town as an SVG, north up.")
@click.option("--square", "corner", required=True, help="Its lower left square, as in 100mN29280E41180.")
@click.option("--wide", type=int, required=True, help="How many squares of 100 m it is wide.")
@click.option("--high", type=int, required=True, help="How many squares of 100 m it is high.")
def draw_map(folder: Path, picture: Path, corner: str, wide: int, high: int) -> None:
    """Give a field a picture of the town, on which people with a script point at squares."""
    found = read_square(corner)
    if found is None:
        raise FieldError(f"{corner} is no name of a 100 m square")
    set_map(folder, picture.read_bytes(), Map(*found, wide, high))
    click.echo(f"{wide} x {high} squares from {corner} on; it is shown from the next start on")


@field.command("serve")
@FOLDER
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8180, show_default=True)
def serve(folder: Path, host: str, port: int) -> None:
    """Serve the pages; TLS is for the proxy before it, which keeps no addresses either."""
    begin_anew()
    made, q = load(folder)
    facts = served(folder, date.today())
    store = open_store(folder, secrets.token_bytes)
    try:
        collector = Collector(made, store, time.monotonic, date.today)
        uvicorn.run(
            Pages(q, collector, facts, picture=map_of(folder)).app(),
            host=host,
            port=port,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
    finally:
        store.close()


@field.command("monitor")
@FOLDER
@click.option("--margins", type=FILE, help="CSV `margin,category,people` of the register: says where outreach is due.")
def monitor(folder: Path, margins: Path | None) -> None:
    """Say how many answered, in whole tens; once a week, and nothing of the answers."""
    load(folder)
    click.echo(json.dumps(standing(folder, margins, date.today(), secrets.token_bytes), ensure_ascii=False, indent=1))


@field.command("close")
@FOLDER
@click.option("--out", type=FILE, required=True, help="All sealed answers, for the evaluation.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def close(folder: Path, out: Path, yes: bool) -> None:
    """End the field for good and write all that leaves it."""
    if not yes:
        click.confirm("The field takes no answer any more after this. Close it?", abort=True)
    sealed, digest = end(folder, out, secrets.token_bytes)
    if len(sealed.answers) != sealed.acknowledged:
        there = f"{sealed.acknowledged} forms were acknowledged and {len(sealed.answers)} answers are there"
        raise FieldError(f"{there}; keep the folder as it is")
    click.echo(f"{out}: {len(sealed.answers)} answers, sha256 {digest}")
