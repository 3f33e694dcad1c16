"""`stimmungsbild`: all commands of the survey."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from datetime import date
from pathlib import Path

import click
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from stimmungsbild.cli.asking import field, keys, questionnaire
from stimmungsbild.cli.common import Group
from stimmungsbild.cli.desk import paper
from stimmungsbild.cli.law import papers, retention
from stimmungsbild.cli.room import evaluate, show_views, texts, verify
from stimmungsbild.collection.folder import facts_of
from stimmungsbild.demo.run import beside, run
from stimmungsbild.law.press import print_papers
from stimmungsbild.publication.office import PUBLIC


@click.group(cls=Group)
def main() -> None:
    """Stimmungsbild asks a town how safe its people feel."""


for _one in (questionnaire, keys, field, papers, retention, paper, texts, evaluate, verify, show_views):
    main.add_command(_one)


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
