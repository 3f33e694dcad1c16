"""`blickschutz witness`: keeps the hashes of a log that runs elsewhere, and countersigns them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import click

from blickschutz.cli.verify import public_key
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.logs import configure_logs

_FOLDER = click.Path(path_type=Path, file_okay=False)
_SOCKET = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--folder", type=_FOLDER, required=True, help="Folder of the witness; made where it is not there.")
@click.option(
    "--socket",
    "path",
    type=_SOCKET,
    help="Unix socket at which the site asks. Not needed where systemd passes one.",
)
@click.option("--accept-key", default="", help="A further public key (64 hex digits) of the same site: two people replaced its key.")
def witness(folder: Path, path: Path | None, accept_key: str) -> None:
    """Be the witness of a site's log: on another medium or machine, under another person's hand than the site."""
    from blickschutz.anchor.io.channel import passed_door, serve, serve_at
    from blickschutz.anchor.io.ledger import Ledger

    configure_logs()
    door = passed_door(os.environ, os.getpid())
    if door is None and path is None:
        raise click.UsageError("say with --socket where the site asks")
    further = public_key(accept_key)
    ledger = Ledger(folder, SystemClock(), [further.hex()] if further else [])
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: ended.append(number))
    click.echo(f"witness {ledger.public}, log seen up to entry {ledger.seen.number}")
    try:
        if door is not None:
            with door:
                serve_at(door, ledger, lambda: bool(ended))
        elif path is not None:
            serve(ledger, path, lambda: bool(ended))
    finally:
        ledger.close()
