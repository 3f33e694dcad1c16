"""`blickschutz verify`: check what left the system, offline, with nothing but the file and a public key."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from blickschutz.kernel.errors import MediaError, OperatorError

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
_KEY = click.option("--public-key", "key", default="", help="The installation's public key (64 hex digits), as it is known from elsewhere.")


@click.group()
def verify() -> None:
    """Verify a log, a receipt or an evidence package; says exactly what is wrong."""


@verify.command("audit")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_KEY
@_JSON
def audit(file: Path, key: str, as_json: bool) -> None:
    """Verify an exported log: chain, order, checkpoints, signatures."""
    from blickschutz.audit.rules import verify as verify_log
    from blickschutz.vault.io.files import is_signed

    lines = read(file).removesuffix(b"\n").split(b"\n")
    faults = list(verify_log(lines, is_signed, public_key(key)))
    entries = sum(not line.startswith(b'{"checkpoint"') for line in lines[1:])
    answer(as_json, [(fault.problem, fault.text) for fault in faults], {"entries": entries, "key_known": bool(key)}, f"{entries} entries")
    if not key and not as_json:
        click.echo("The key in the file was believed. Give --public-key to be sure whose log it is.")
    sys.exit(bool(faults))


def read(file: Path) -> bytes:
    """The bytes of a file. Raises `MediaError`."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise MediaError(f"{file} cannot be read: {error.strerror}") from error


def public_key(text: str) -> bytes | None:
    """A public key from its hex digits, None where none is given. Raises `OperatorError`."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b"?"
    if text and len(key) != 32:
        raise OperatorError("a public key has 64 hex digits")
    return key or None


def answer(as_json: bool, faults: list[tuple[str, str]], facts: dict[str, object], whole: str) -> None:
    """Say what is wrong, or that all is whole."""
    if as_json:
        click.echo(json.dumps({"whole": not faults, "faults": [{"problem": p, "text": t} for p, t in faults], **facts}))
        return
    for _, text in faults:
        click.echo(f"WRONG  {text}")
    click.echo(f"{len(faults)} faults, {whole}" if faults else f"whole: {whole}, nothing is missing or altered")
