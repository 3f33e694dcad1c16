"""`stimmungsbild`: all commands of the survey."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from datetime import date
from pathlib import Path
from typing import Any

import click
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from stimmungsbild.collection.folder import create, end, facts_of, load, open_store, served, write_private
from stimmungsbild.collection.letters import make_codes, print_letters
from stimmungsbild.collection.model import Door
from stimmungsbild.collection.monitor import standing
from stimmungsbild.collection.service import Collector
from stimmungsbild.collection.web import Pages
from stimmungsbild.demo.run import beside, run
from stimmungsbild.errors import FieldError, LawError, SurveyError
from stimmungsbild.evaluation.coding import CHECK, CODED, CODERS, export, merge, sheets
from stimmungsbild.evaluation.texts import CATEGORIES
from stimmungsbild.keys.files import read_evaluation, read_holder, write_key
from stimmungsbild.keys.service import make_evaluation, make_holder
from stimmungsbild.law.files import lacking, read_facts
from stimmungsbild.law.press import print_papers
from stimmungsbild.law.retention import destroy_due, outlook, read_receipts
from stimmungsbild.law.rules import content
from stimmungsbild.paper.forms import read_entry, settle
from stimmungsbild.paper.office import ENTRIES, FORMS, LAYOUT, READ, Read, make, read_folder, read_layout, take
from stimmungsbild.publication.figures import read_figures
from stimmungsbild.publication.office import INTERNAL, PUBLIC, open_all, publish, tally
from stimmungsbild.publication.views import views
from stimmungsbild.questionnaire.io import built_in, earlier_wave, read_workbook, write_workbook
from stimmungsbild.questionnaire.model import LANGUAGES, Questionnaire, Standing
from stimmungsbild.questionnaire.rules import as_wave, compare

_FILE = click.Path(path_type=Path, dir_okay=False)
_PLACE = click.Path(path_type=Path, file_okay=False, exists=True)
_WORKBOOK = click.option("--workbook", type=_FILE, help="An XLSForm workbook; without it the questionnaire of the package.")


class _Group(click.Group):
    """Turns our errors into one clear message and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except SurveyError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group)
def main() -> None:
    """Stimmungsbild asks a town how safe its people feel."""


@main.group()
def questionnaire() -> None:
    """The questionnaire: as a workbook, and beside earlier waves."""


def _definition(workbook: Path | None) -> Questionnaire:
    return read_workbook(workbook) if workbook else built_in()


@questionnaire.command("write")
@click.argument("target", type=_FILE)
def write(target: Path) -> None:
    """Write the questionnaire as an XLSForm workbook, which the institute edits."""
    write_workbook(built_in(), target)
    click.echo(f"{target} written")


@questionnaire.command("check")
@_WORKBOOK
def check_definition(workbook: Path | None) -> None:
    """Say whether a workbook is a whole questionnaire, and in which languages."""
    found = _definition(workbook)
    unchecked = [one for one, words in found.words.items() if not words.checked]
    click.echo(f"{len(found.items())} items on {len(found.pages)} pages in {', '.join(found.words)}")
    click.echo(f"not checked by a native speaker: {', '.join(unchecked) or 'none'}")


@questionnaire.command("wave")
@_WORKBOOK
@click.option("--mode", required=True, help="How it is asked, in words.")
@click.option("--sample", required=True, help="Whom it asks, in words.")
def wave(workbook: Path | None, mode: str, sample: str) -> None:
    """Print this wave with the hash of each wording, as the next one compares with it."""
    click.echo(msgspec.json.format(msgspec.json.encode(as_wave(_definition(workbook), mode, sample)), indent=1).decode())


@questionnaire.command("compare")
@_WORKBOOK
@click.option("--earlier", type=_FILE, help="TOML file of an earlier wave; without it that of 2021.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
def compare_waves(workbook: Path | None, earlier: Path | None, as_json: bool) -> None:
    """Say of each item whether it may be compared with an earlier wave, and which changed word broke it."""
    old = earlier_wave(earlier)
    found = compare(_definition(workbook), old)
    click.echo(f"earlier wave {old.wave}: {old.sample}; {old.mode}")
    for one in found:
        words = "; ".join(f"“{before}” became “{now}”" for before, now in one.words)
        click.echo(f"{one.standing.value:8} {one.item}{f': {words}' if words else ''}")
    counted = {standing.value: sum(one.standing is standing for one in found) for standing in Standing}
    if as_json:
        click.echo(json.dumps({"wave": old.wave, **counted}))


@main.group()
def keys() -> None:
    """Keys of the evaluation: each holder's own, and the one that two of them open."""


@keys.command("holder")
@click.argument("name")
@click.argument("target", type=_FILE)
@click.option("--passphrase", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for where it is not given.")
def holder(name: str, target: Path, passphrase: str) -> None:
    """Make the key of one holder; its file is worth nothing without the passphrase."""
    write_key(target, make_holder(name, passphrase, secrets.token_bytes))
    click.echo(f"{target} written; it stays with {name}")


@keys.command("evaluation")
@click.argument("target", type=_FILE)
@click.option("--holder", "holders", type=_FILE, multiple=True, required=True, help="A holder's key file; two or more.")
def evaluation(target: Path, holders: tuple[Path, ...]) -> None:
    """Make the key that two of the holders open together; it stays with them and is kept away from the server."""
    write_key(target, make_evaluation([read_holder(one) for one in holders], secrets.token_bytes))
    click.echo(f"{target} written; any two of {len(holders)} holders open it")


@main.group()
def field() -> None:
    """A field: created, given codes, served, watched, closed."""


_FOLDER = click.option("--field", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="The field's folder.")


@field.command("create")
@_FOLDER
@_WORKBOOK
@click.option("--key", type=_FILE, required=True, help="The evaluation's key; the field takes its public halves.")
@click.option("--facts", type=_FILE, help="The facts file, its documents beside it.")
@click.option("--demo", "as_demo", is_flag=True, help="A demonstration, which says so on every page, instead of facts.")
def create_field(folder: Path, workbook: Path | None, key: Path, facts: Path | None, as_demo: bool) -> None:
    """Begin a field in an empty folder, once all its papers are there."""
    if (facts is None) is not as_demo:
        raise LawError("a field needs its facts file (--facts); only a demonstration needs none (--demo)")
    made = create(folder, read_evaluation(key), workbook, facts, secrets.token_bytes)
    click.echo(f"field {made.id}, wave {made.wave}, questionnaire {made.questionnaire}{', a demonstration' if made.demo else ''}")


@field.command("codes")
@_FOLDER
@click.option("--door", type=click.Choice([Door.REGISTER.value, Door.OUTREACH.value]), required=True)
@click.option("--count", type=click.IntRange(1, 100_000), required=True)
@click.option("--address", required=True, help="Where the pages are, as it is printed.")
@click.option("--letters", type=_FILE, required=True, help="The PDF to print; the codes are nowhere else.")
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


@field.command("serve")
@_FOLDER
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8180, show_default=True)
def serve(folder: Path, host: str, port: int) -> None:
    """Serve the pages; TLS is for the proxy before it, which keeps no addresses either."""
    made, q = load(folder)
    facts = served(folder, date.today())
    store = open_store(folder, secrets.token_bytes)
    try:
        collector = Collector(made, store, time.monotonic, date.today)
        uvicorn.run(Pages(q, collector, facts).app(), host=host, port=port, access_log=False, server_header=False, proxy_headers=False)
    finally:
        store.close()


@field.command("monitor")
@_FOLDER
@click.option("--margins", type=_FILE, help="CSV `margin,category,people` of the register: says where outreach is due.")
def monitor(folder: Path, margins: Path | None) -> None:
    """Say how many answered, in whole tens; once a week, and nothing of the answers."""
    load(folder)
    click.echo(json.dumps(standing(folder, margins, date.today(), secrets.token_bytes), ensure_ascii=False, indent=1))


@field.command("close")
@_FOLDER
@click.option("--out", type=_FILE, required=True, help="All sealed answers, for the evaluation.")
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


@main.group()
def papers() -> None:
    """The survey's own law papers, from the facts file."""


_FACTS = click.option("--facts", type=_FILE, required=True, help="The facts file, its documents beside it.")


@papers.command("check")
@_FACTS
def check_papers(facts: Path) -> None:
    """Say what keeps a field from beginning, and the hash of the facts that two people sign."""
    data = facts.read_bytes()
    found = read_facts(data)
    click.echo(f"content of these facts: {content(found)}")
    lacks = lacking(data, facts.parent)
    if lacks:
        raise LawError("a field may not begin:\n" + "\n".join(lacks))
    click.echo("a demonstration, which needs no papers" if found.demo else "everything is there; a field may begin")


@papers.command("print")
@_FACTS
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A folder.")
def print_all(facts: Path, out: Path) -> None:
    """Print impact assessment, record, roles, basis, retention and the information sheets; what is missing is printed as OFFEN."""
    for path in print_papers(read_facts(facts.read_bytes()), out, date.today()):
        click.echo(path)


@main.group()
def retention() -> None:
    """What is kept until when, and its destruction."""


_ROOM = click.option(
    "--room", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True, help="The evaluation's folder."
)


@retention.command("run")
@_FACTS
@_ROOM
def run_retention(facts: Path, room: Path) -> None:
    """Destroy what is due today and write the receipt; for a timer, once a day."""
    known = read_facts(facts.read_bytes())
    receipt = destroy_due(room, known, date.today(), secrets.token_bytes)
    click.echo(f"receipt {receipt.number}: {len(receipt.files)} files destroyed" if receipt else "nothing is due")
    for what, day in outlook(known).items():
        click.echo(f"{what} until {day}")


@retention.command("verify")
@_ROOM
def verify_receipts(room: Path) -> None:
    """Say of all receipts whether they are as they were signed, and none was taken away in between."""
    for one in read_receipts(room):
        click.echo(f"{one.number} {one.destroyed}: {', '.join(one.kinds)}, {len(one.files)} files")


@main.group()
def paper() -> None:
    """Forms on paper: printed with marks, read from scans, doubts settled by two people, sealed."""


_OUT = click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A folder.")


@paper.command("print")
@_WORKBOOK
@click.option("--language", type=click.Choice(list(LANGUAGES)), default="de", show_default=True)
@click.option("--first", type=click.IntRange(1), default=1, show_default=True, help="Number of the first form; no number twice in a field.")
@click.option("--count", type=click.IntRange(1, 500), required=True)
@_OUT
def print_paper(workbook: Path | None, language: str, first: int, count: int, out: Path) -> None:
    """Print forms, and keep where their boxes stand."""
    layout = make(_definition(workbook), language, first, count, out)
    click.echo(f"{out / FORMS}: {count} forms of {layout.pages} pages; {out / LAYOUT} is needed to read them")


@paper.command("read")
@_WORKBOOK
@click.option("--layout", type=_FILE, required=True, help="The layout of the printed forms.")
@click.option("--scans", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True, help="Pictures at 200 dpi.")
@_OUT
def read_paper(workbook: Path | None, layout: Path, scans: Path, out: Path) -> None:
    """Read scans; what is not clear is listed, with a picture of each, for two people who do not see each other's list."""
    found = read_folder(_definition(workbook), read_layout(layout), scans, out)
    for name, why in found.unreadable.items():
        click.echo(f"NOT READ {name}: {why}")
    click.echo(f"{len(found.pages)} pages read, {len(found.doubts)} doubts in {' and '.join(ENTRIES)}")


@paper.command("take")
@_FOLDER
@click.option("--layout", type=_FILE, required=True, help="The layout of the printed forms.")
@click.option("--read", "read_", type=_PLACE, required=True, help="The folder that `paper read` made.")
@click.option("--first", type=_FILE, required=True, help="What the first person entered.")
@click.option("--second", type=_FILE, required=True, help="What the second person entered.")
@click.option("--door", type=click.Choice([Door.REGISTER.value, Door.OUTREACH.value]), default=Door.OUTREACH.value, show_default=True)
@click.option("--out", type=_FILE, required=True, help="The sealed answers, for the evaluation.")
def take_paper(folder: Path, layout: Path, read_: Path, first: Path, second: Path, door: str, out: Path) -> None:
    """Seal what was read, once both people entered every doubt alike."""
    made, q = load(folder)
    found = msgspec.json.decode((read_ / READ).read_bytes(), type=Read)
    if found.unreadable:
        click.echo(f"ATTENTION: {len(found.unreadable)} scans were not read and are not in this file")
    sealed = take(q, made, read_layout(layout), found, settle(read_entry(first), read_entry(second)), Door(door), date.today())
    write_private(out, msgspec.json.encode(sealed))
    click.echo(f"{out}: {len(sealed.answers)} forms sealed; the scans are destroyed at their date")


_ANSWERS = click.option("--answers", type=_FILE, multiple=True, required=True, help="The file that left the field; those of paper besides.")
_KEY = click.option("--key", type=_FILE, required=True, help="The evaluation's key.")
_HOLDERS = click.option("--holder", "holders", type=_FILE, multiple=True, required=True, help="A holder's key file; two of them.")


def _asked(holders: tuple[Path, ...]) -> dict[Path, str]:
    return {one: click.prompt(f"passphrase of {read_holder(one).holder}", hide_input=True) for one in holders}


@main.group()
def texts() -> None:
    """Open texts: names removed, coded by two people."""


_TEXTS = click.option("--texts", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="A folder for the texts.")


@texts.command("export")
@_ANSWERS
@_KEY
@_HOLDERS
@_WORKBOOK
@_TEXTS
@click.option("--names", type=_FILE, help="Names of this town, one a line; they are taken out wherever they stand.")
def export_texts(
    answers: tuple[Path, ...], key: Path, holders: tuple[Path, ...], workbook: Path | None, folder: Path, names: Path | None
) -> None:
    """Open by two people and write every open text without names, for the person who checks that."""
    known = frozenset(one.strip().casefold() for one in names.read_text(encoding="utf-8").splitlines()) - {""} if names else frozenset()
    _, opened = open_all(_definition(workbook), answers, read_evaluation(key), _asked(holders))
    many = export(opened, folder, known, secrets.token_bytes)
    click.echo(f"{folder / CHECK}: {many} texts; a person takes out what is still in them of names and writes ja in the column checked")


@texts.command("sheets")
@_TEXTS
def text_sheets(folder: Path) -> None:
    """Make the sheets of both coders, once every text was checked."""
    many = sheets(folder)
    click.echo(f"{' and '.join(CODERS)}: {many} texts; categories: {', '.join(CATEGORIES)}; several are joined by |")


@texts.command("merge")
@_TEXTS
def merge_texts(folder: Path) -> None:
    """Say how far both agree; `decided.csv` (id,codes) decides what they coded differently."""
    for one, found in merge(folder).items():
        shown = "–" if found.kappa is None else f"{found.kappa:.2f}"
        click.echo(f"{one:10} kappa {shown}  {found.first} and {found.second} of {found.texts}{'' if found.printed else '  not printed'}")
    click.echo(f"{folder / CODED} is for the evaluation")


@main.command("evaluate")
@_ANSWERS
@_KEY
@_HOLDERS
@click.option("--margins", type=_FILE, required=True, help="CSV `margin,category,people` of the register.")
@click.option("--earlier", type=_FILE, help="TOML file of an earlier wave; without it that of 2021.")
@click.option("--texts", "coded", type=_FILE, help="The coded open texts.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="An empty folder.")
@_WORKBOOK
def evaluate(
    answers: tuple[Path, ...],
    key: Path,
    holders: tuple[Path, ...],
    margins: Path,
    earlier: Path | None,
    coded: Path | None,
    out: Path,
    workbook: Path | None,
) -> None:
    """Open all answers by two people, weight, suppress and print; at a machine without a network."""
    what = publish(_definition(workbook), earlier_wave(earlier), answers, key, _asked(holders), margins, out, date.today(), coded)
    if not what.method.converged:
        click.echo("ATTENTION: the weights do not reach the margins; the report says so")
    click.echo(f"{out / PUBLIC} may be published; {out / INTERNAL} may not")
    for said, many in tally(out / INTERNAL / "cleaning.csv").items():
        click.echo(f"{many} x {said}")


@main.command("verify")
@click.argument("file", type=_FILE)
@click.option("--verify-key", help="The evaluation's public key in hex, as it was announced before the field; else the one the file names.")
def verify(file: Path, verify_key: str | None) -> None:
    """Say whether a file of figures is as the evaluation signed it, and what it may be taken for."""
    what = read_figures(file.read_bytes(), verify_key)
    click.echo(f"wave {what.wave}, field {what.field}, printed {what.printed}: the signature holds")
    click.echo(what.purpose)


@main.command("views")
@click.argument("file", type=_FILE)
@_WORKBOOK
def show_views(file: Path, workbook: Path | None) -> None:
    """Print the figures as views of data subjects, to be typed by hand where a DSFA asks for them."""
    data = file.read_bytes()
    click.echo(views(_definition(workbook), read_figures(data), data))


@main.command("demo")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("var/survey"), show_default=True)
@click.option("--seed", type=int, default=7, show_default=True, help="Which town.")
@click.option("--seconds", type=int, help="End by itself after so many seconds; else the report is served until Ctrl-C.")
@click.option("--port", type=int, default=8181, show_default=True, help="Where the report is shown.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line, and show nothing.")
def demo(folder: Path, seed: int, seconds: int | None, port: int, as_json: bool) -> None:
    """A simulated town is asked, in fast motion, and the report shown beside the truth."""
    start = time.monotonic()
    target = folder / time.strftime("%Y%m%d-%H%M%S")
    what, truth = run(target, seed, click.echo)
    for line in beside(what, truth):
        click.echo(line)
    print_papers(facts_of(target / "field"), target / "papers", date.today())
    click.echo(f"the papers of a field, as a demonstration has them: {target / 'papers'}")
    if as_json:
        shown = {row.name: [row.town and row.town.percent, row.open and row.open.percent] for row in what.unsafe if row.name in truth}
        click.echo(json.dumps({"truth": {name: round(one * 100, 1) for name, one in truth.items()}, "shown": shown}))
        return
    left = None if seconds is None else max(0.0, seconds - (time.monotonic() - start))
    click.echo(f"the report: http://127.0.0.1:{port}/")
    asyncio.run(_show(target / "report" / PUBLIC, port, left))


async def _show(folder: Path, port: int, seconds: float | None) -> None:
    """Serve the published folder for so long."""
    app = Starlette(routes=[Mount("/", StaticFiles(directory=folder, html=True))])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, access_log=False, lifespan="off", log_level="warning"))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await server.serve()


if __name__ == "__main__":
    main()
