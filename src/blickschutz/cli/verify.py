"""`blickschutz verify`: check what left the system, offline, with nothing but the file and a public key."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from blickschutz.kernel.errors import UNREADABLE, MediaError, OperatorError

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
_KEY = click.option("--public-key", "key", default="", help="The installation's public key (64 hex digits), as it is known from elsewhere.")


@click.group()
def verify() -> None:
    """Verify a log, a receipt, an evidence package or a backup; says exactly what is wrong."""


@verify.command("audit")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--against", "old", type=click.Path(path_type=Path, dir_okay=False), help="An older export of the same log, from elsewhere.")
@click.option("--witness", "folder", type=click.Path(path_type=Path, file_okay=False), help="The folder of the log's witness.")
@click.option("--witness-key", default="", help="The witness's public key (64 hex digits), as it is known from elsewhere.")
@_KEY
@_JSON
def audit(file: Path, old: Path | None, folder: Path | None, witness_key: str, key: str, as_json: bool) -> None:
    """Verify an exported log: chain, order, checkpoints, signatures; that it goes on from an older one, or from what a witness saw."""
    from blickschutz.audit.rules import verify as verify_log
    from blickschutz.vault.io.files import is_signed

    lines = log_lines(file)
    faults = [(fault.problem, fault.text) for fault in verify_log(lines, is_signed, public_key(key))]
    entries = sum(not line.startswith(b'{"checkpoint"') for line in lines[1:])
    faults += _outside(lines, old, folder, public_key(witness_key))
    answer(as_json, faults, {"entries": entries, "key_known": bool(key)}, f"{entries} entries")
    if not key and not as_json:
        click.echo("The key in the file was believed. Give --public-key to be sure whose log it is.")
    if folder is not None and not witness_key and not as_json:
        click.echo("The key in the witness's folder was believed. Give --witness-key to be sure whose it is.")
    sys.exit(bool(faults))


def _outside(lines: list[bytes], old: Path | None, folder: Path | None, witness: bytes | None) -> list[tuple[str, str]]:
    """What is wrong between a log and what lay elsewhere: an older export, the folder of a witness."""
    from blickschutz.anchor.cuts import read_export
    from blickschutz.anchor.io.ledger import read_folder
    from blickschutz.anchor.rules import against, against_witness, read_records
    from blickschutz.audit.rules import verify as verify_log
    from blickschutz.vault.io.files import is_signed

    if old is None and folder is None:
        return []
    try:
        new = read_export(lines)
    except ValueError as error:
        return [("unreadable", f"the log cannot be compared: {error}")]
    found: list[tuple[str, str]] = []
    if old is not None:
        before = log_lines(old)
        broken = [(fault.problem, f"the older export itself: {fault.text}") for fault in verify_log(before, is_signed)]
        found += broken or [(fault.problem, fault.text) for fault in against(read_export(before), new)]
    if folder is not None:
        anchors, wrong = read_records(read_folder(folder), is_signed, witness.hex() if witness else "")
        found += [(fault.problem, fault.text) for fault in (*wrong, *against_witness(anchors, new))]
    return found


def log_lines(file: Path) -> list[bytes]:
    """The lines of an exported log. Raises `MediaError`."""
    return read(file).removesuffix(b"\n").split(b"\n")


@verify.command("receipt")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_KEY
@_JSON
def receipt(file: Path, key: str, as_json: bool) -> None:
    """Verify the receipt of a destruction (the facts of an entry "shredded", as JSON)."""
    import msgspec

    from blickschutz.retention.model import Receipt
    from blickschutz.retention.rules import receipt_text
    from blickschutz.vault.io.files import is_signed

    public = public_key(key)
    if public is None:
        raise OperatorError("a receipt is verified with --public-key")
    faults: list[tuple[str, str]] = []
    try:
        found = msgspec.json.decode(read(file), type=Receipt)
        if not is_signed(receipt_text(found), bytes.fromhex(found.signature), public):
            faults.append(("signature", "the receipt was altered, or signed by another installation"))
        elif not found.absent:
            faults.append(("absent", "the receipt says that something was still there"))
    except UNREADABLE as error:
        faults.append(("unreadable", f"the file is no receipt: {error}"))
    answer(as_json, faults, {}, "the receipt")
    sys.exit(bool(faults))


@verify.command("evidence")
@click.argument("path", type=click.Path(path_type=Path))
@_KEY
@click.option(
    "--identity", "identity_file", type=click.Path(path_type=Path, dir_okay=False), help="File with the recipient's age identity."
)
@click.option("--words", "words_file", type=click.Path(path_type=Path, dir_okay=False), help="File with the words that open the package.")
@_JSON
def evidence(path: Path, key: str, identity_file: Path | None, words_file: Path | None, as_json: bool) -> None:
    """Verify a package of evidence: a folder, a tar, or an encrypted tar with the recipient's identity or the words that open it."""
    from blickschutz.evidence.io.verify import verify as verify_package
    from blickschutz.vault.io.files import is_signed

    identity = ""
    if identity_file is not None:
        lines = read(identity_file).decode("utf-8", "replace").splitlines()
        identity = next((line for line in lines if line.startswith("AGE-SECRET-KEY-")), "")
    words = read(words_file).decode("utf-8", "replace") if words_file is not None else ""
    faults = [(fault.problem, fault.text) for fault in verify_package(path, is_signed, public_key(key), identity, words)]
    answer(as_json, faults, {"key_known": bool(key)}, "the package")
    if not key and not as_json:
        click.echo("The key in the package was believed. Give --public-key to be sure who signed it.")
    sys.exit(bool(faults))


@verify.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_KEY
@_JSON
def backup(file: Path, key: str, as_json: bool) -> None:
    """Verify a backup as far as nobody opens it: whole, unaltered, and whose it is."""
    from datetime import datetime

    from blickschutz.backup.io.container import look
    from blickschutz.backup.model import BackupError
    from blickschutz.backup.texts import say
    from blickschutz.config.loader import operator_language
    from blickschutz.vault.io.files import is_signed

    faults: list[tuple[str, str]] = []
    facts: dict[str, object] = {"key_known": bool(key)}
    whole = ""
    try:
        found = look(file, is_signed, operator_language(), public_key(key))
        header, shown = found.header, found.public.hex()
        made = datetime.fromtimestamp(header.made).astimezone().isoformat(" ", "seconds")
        facts |= {"id": header.id, "made": header.made, "public_key": shown, "people": [one.id for one in header.people]}
        whole = say("whole", operator_language(), made=made, id=header.id, key=shown)
    except BackupError as error:
        faults.append((error.problem.value, str(error)))
    answer(as_json, faults, facts, whole or "the backup")
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
