"""`blickschutz`: all commands."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blickschutz import __version__
from blickschutz.access.model import AccountState, Role
from blickschutz.analysis.io.engine import ENGINE
from blickschutz.cli.backup import backup, restore, restored_note
from blickschutz.cli.bundle import bundle
from blickschutz.cli.cameras import cameras
from blickschutz.cli.codes import GATES_CLOSED, SETTINGS_WRONG, ends_with
from blickschutz.cli.database import database
from blickschutz.cli.files import files
from blickschutz.cli.hosts import cells, hosts
from blickschutz.cli.loss import accept_loss
from blickschutz.cli.models import models, require_models
from blickschutz.cli.move import move
from blickschutz.cli.overview import overview
from blickschutz.cli.place import beside, held, place_of, require_place, with_site
from blickschutz.cli.progress import frame_progress
from blickschutz.cli.sensitivity import sensitivity
from blickschutz.cli.standby import handed_back, lead, standby
from blickschutz.cli.units import make_units
from blickschutz.cli.upgrade import upgrade, upgrade_records
from blickschutz.cli.users import users
from blickschutz.cli.verify import verify
from blickschutz.cli.witness import witness
from blickschutz.config.loader import load_site, schema
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import BlickschutzError, MediaError, SettingsError
from blickschutz.pipeline.logs import FORM, JSON, TEXT, configure_logs
from blickschutz.redaction.model import Colour, RedactionSettings, Style
from blickschutz.upgrade.io.copies import REHEARSAL, erase_in

if TYPE_CHECKING:
    from blickschutz.bootstrap.leading import Leading
    from blickschutz.bootstrap.manager import ServiceManager
    from blickschutz.bootstrap.system import System

_FILE = click.Path(path_type=Path, dir_okay=False)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")


class _Group(click.Group):
    """Turns our errors into one clear message and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except BlickschutzError as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            if error.name != ENGINE:
                raise
            raise click.ClickException("the inference engine is not installed; run `blickschutz models install`") from error


@click.group(cls=_Group)
@click.version_option(__version__)
def cli() -> None:
    """Blickschutz watches a place without watching its people."""


cli.add_command(models)
cli.add_command(cameras)
cli.add_command(verify)
cli.add_command(users)
cli.add_command(hosts)
cli.add_command(cells)
cli.add_command(sensitivity)
cli.add_command(accept_loss)
cli.add_command(move)
cli.add_command(overview)
cli.add_command(backup)
cli.add_command(restore)
cli.add_command(witness)
cli.add_command(make_units)
cli.add_command(files)
cli.add_command(bundle)
cli.add_command(database)
cli.add_command(standby)
cli.add_command(upgrade)
cli.add_command(upgrade_records)


@cli.command()
@click.argument("source", type=_FILE)
@click.argument("target", type=_FILE)
@click.option("--masks", type=_FILE, help="Also write the masks: gray FFV1, 255 = redacted.")
@click.option("--style", type=click.Choice([style.value for style in Style]), default=Style.MOSAIC.value, show_default=True)
@click.option("--colour", type=click.Choice([colour.value for colour in Colour]), default=Colour.NEUTRAL.value, show_default=True)
@click.option("--model", default="centernet", show_default=True, help="Name of the registered detector.")
@click.option("--px-per-metre", type=click.FloatRange(0, min_open=True), help="Where the picture is densest; else mosaics are coarse.")
@click.option("--as-recorded", is_flag=True, help="What the playback of a recording would show, through a real sealed clip.")
@click.option("--proofs-per-second", type=click.FloatRange(0.2, 60), help="With --as-recorded: looks of an overloaded cell.")
@_JSON
def mask(
    source: Path,
    target: Path,
    masks: Path | None,
    style: str,
    colour: str,
    model: str,
    px_per_metre: float | None,
    as_recorded: bool,
    proofs_per_second: float | None,
    as_json: bool,
) -> None:
    """Redact the video file SOURCE into TARGET through the very path of a cell, or of a recording's playback."""
    from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
    from blickschutz.pipeline.offline import FileReader, mask_file
    from blickschutz.pipeline.recorded import mask_as_recorded

    if proofs_per_second is not None and not as_recorded:
        raise click.UsageError("--proofs-per-second goes with --as-recorded; a live picture is always compared by itself")
    clock = SystemClock()
    detector = OpenVinoDetector.from_registry(model)
    redaction = RedactionSettings(style=Style(style), px_per_metre=px_per_metre, colour=Colour(colour))
    with frame_progress("Redacting", FileReader(source, clock).frame_count) as step:
        if as_recorded:
            report = mask_as_recorded(source, target, masks, detector, clock, redaction, step, proofs_per_second)
        else:
            report = mask_file(source, target, masks, detector, clock, redaction, step)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "frames": report.frames,
                    "blank_frames": report.blank_frames,
                    "redacted_share": report.redacted_share,
                    "faults": report.faults,
                }
            )
        )
    else:
        click.echo(f"{report.frames} frames, {report.blank_frames} wholly redacted, {report.faults} faults")
        click.echo(f"{report.redacted_share:.1%} of all pixels are redacted")


@cli.command()
@click.argument("source", type=_FILE)
@click.option("--mot", "target", type=_FILE, required=True, help="File to write, in MOTChallenge form.")
@click.option("--model", default="centernet", show_default=True, help="Name of the registered detector.")
def tracks(source: Path, target: Path, model: str) -> None:
    """Write the person tracks of the video file SOURCE (source pixels, frame from 1)."""
    from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
    from blickschutz.pipeline.offline import FileReader, track_file

    clock = SystemClock()
    detector = OpenVinoDetector.from_registry(model)
    with frame_progress("Following", FileReader(source, clock).frame_count) as step:
        rows = track_file(source, target, detector, clock, step)
    click.echo(f"{rows} rows in {target}")


@cli.command()
@click.argument("clips", type=_FILE, nargs=-1, required=True)
@click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path(), help="Folder that clip names are relative to."
)
@click.option("--jsonl", "target", type=_FILE, required=True, help="File to write: one line per episode, one per clip.")
@click.option("--model", default="centernet", show_default=True, help="Name of the registered detector.")
def analyse(clips: tuple[Path, ...], root: Path, target: Path, model: str) -> None:
    """Find situations in video files, with default settings for one zone over the whole picture.

    Writes every episode with the peak of its score, and whether people would be told of it. A file that cannot be read has a line
    that says so; the others are analysed all the same, and the command ends with 1.
    """
    from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
    from blickschutz.pipeline.clips import analyse_file, clip_name, jsonl_lines
    from blickschutz.pipeline.offline import frames_in
    from blickschutz.pipeline.senses import load_senses
    from blickschutz.situations.settings import SituationSettings

    clock = SystemClock()
    detector, senses = OpenVinoDetector.from_registry(model), load_senses()
    paths = [clip if clip.exists() else root / clip for clip in clips]
    lines: list[str] = []
    failed: dict[str, str] = {}
    with frame_progress("Analysing", sum(frames_in(path, clock) for path in paths)) as step:
        for path in paths:
            try:
                name = clip_name(path, root)
                lines.extend(jsonl_lines(name, *analyse_file(path, detector, clock, SituationSettings(), step, senses)))
            except MediaError as error:
                failed[str(path)] = str(error)
                lines.append(json.dumps({"clip": str(path), "error": str(error)}))
    try:
        target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise MediaError(f"{target} cannot be written: {error.strerror}") from error
    read = len(paths) - len(failed)
    click.echo(f"{len(lines) - len(paths)} episodes in {read} clips")
    for name, problem in failed.items():
        click.echo(f"Not analysed: {name}: {problem}", err=True)
    if failed:
        sys.exit(1)


@cli.group()
def bench() -> None:
    """Measure."""


@bench.command("cell")
@click.option(
    "--input",
    "source",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="Video that every camera plays.",
)
@click.option("--cameras", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(2, 3600),
    default=20.0,
    show_default=True,
    help="Length of each of the two parts.",
)
@click.option("--width", type=click.IntRange(160, 1920), default=960, show_default=True, help="Most width of a live picture.")
@_JSON
def bench_cell(source: Path, cameras: int, seconds: float, width: int, as_json: bool) -> None:
    """Cost of real cells: first with nobody watching, then with one viewer of each."""
    from blickschutz.demo.bench import measure_cells

    configure_logs()
    with frame_progress("Measuring", round(2 * seconds)) as step:
        figures = asyncio.run(measure_cells(source, cameras, seconds, width, step))
    click.echo(json.dumps(figures) if as_json else "\n".join(f"{name:26s} {value}" for name, value in figures.items()))


@cli.command()
@click.option("--prepare", is_flag=True, help="Only fetch and cut the footage.")
@click.option("--night", is_flag=True, help="Show the cameras at night.")
@click.option("--seconds", type=click.FloatRange(1), help="End by itself after so many seconds.")
@click.option("--port", type=click.IntRange(1024, 65535), default=8710, show_default=True)
@click.option("--codes", is_flag=True, help="Print the codes of the second factor for the demo that runs now.")
@click.option("--story", is_flag=True, help="Run the mission from end to end without a browser.")
@_JSON
def demo(prepare: bool, night: bool, seconds: float | None, port: int, codes: bool, story: bool, as_json: bool) -> None:
    """Eleven cameras of a town hall on real footage."""
    from blickschutz.bootstrap.system import Source, require_port
    from blickschutz.demo import footage
    from blickschutz.demo.site import EXAMPLE, current_codes, demo_site

    if codes:
        for person, code in current_codes(port).items():
            click.echo(f"{person:14} {code}")
        return

    if prepare:
        with contextlib.ExitStack() as stack:
            footage.prepare(click.echo, lambda total: stack.enter_context(frame_progress("Cutting", total)))
        return
    require_models()
    # In a process of its own: cutting leaves threads behind, and a control room that has some cannot confine itself.
    if (
        not footage.is_ready()
        and subprocess.run([sys.executable, "-m", "blickschutz.cli.main", "demo", "--prepare"], check=False).returncode
    ):
        raise MediaError("the footage could not be made; what is wrong stands above")
    if not footage.is_real():
        click.echo("The real clip was not to be had; this demo shows a drawn forecourt.")
    site = demo_site(night, port)
    configure_logs()
    if story:
        from blickschutz.demo.story import tell

        report = asyncio.run(tell(site, (lambda line: None) if as_json else click.echo))
        if as_json:
            click.echo(json.dumps(report))
        sys.exit(0 if report["held"] else 1)
    with tempfile.TemporaryDirectory(prefix="blickschutz-demo-") as data:
        require_port(site)
        with held(place_of(site, EXAMPLE, Path(data)), new=True) as folder:
            source = Source(EXAMPLE.read_text(encoding="utf-8"), str(EXAMPLE))
            _begin()
            _serve(site, Path.cwd(), seconds, folder.path, source, seeded=True)


@cli.command()
@with_site
@click.option("--new", is_flag=True, help="Begin with an empty data folder though data are known to lie elsewhere.")
@click.option("--prepare", is_flag=True, help="Pages only, without any camera: for accounts and signatures while gates are closed.")
@click.option("--standby", is_flag=True, help="Wait while another control room leads this site, and take over when it ends.")
@click.option("--seconds", type=click.FloatRange(1), help="End by itself after so many seconds.")
@click.option("--log", type=click.Choice([TEXT, JSON]), default=TEXT, show_default=True, envvar=FORM, help="Form of the log.")
def run(path: Path, data: Path | None, new: bool, prepare: bool, standby: bool, seconds: float | None, log: str) -> None:
    """Run the site that a site file describes. Every gate of the policy must hold (`blickschutz check`)."""
    os.environ[FORM] = log
    from blickschutz.bootstrap.manager import ServiceManager
    from blickschutz.bootstrap.system import Source, require_port, require_zone
    from blickschutz.cli.policy import GatesClosedError, require_gates

    with ends_with(SETTINGS_WRONG, SettingsError):
        site = load_site(path)
        require_zone(site)
    require_port(site)
    place = place_of(site, path, data)
    require_place(place, new=new or standby)
    if not prepare and not standby:
        with ends_with(GATES_CLOSED, GatesClosedError):
            require_gates(site, path, data)
    with held(place, new=new or standby) as folder:
        _begin()
        manager = ServiceManager.from_environment(os.environ, os.getpid())
        leading = lead(site, path, folder.path, manager, standby=standby)
        with handed_back(leading):
            if standby and not prepare:
                # What the gates look at has only now arrived.
                with ends_with(GATES_CLOSED, GatesClosedError):
                    require_gates(site, path, data)
            erase_in(folder.path / REHEARSAL)  # of an upgrade that was killed: whole databases
            for note in (*folder.notes, *restored_note(folder.path)):
                click.echo(note)
            source = Source(path.read_text(encoding="utf-8"), str(path.resolve()))
            _serve(site, path.resolve().parent, seconds, folder.path, source, preparing=prepare, leading=leading, manager=manager)


@cli.command()
@with_site
@_JSON
def check(path: Path, data: Path | None, as_json: bool) -> None:
    """Check a site: settings, policy, and the invariants between files, keys, rows and log. Ends with 0 where all holds,
    3 where gates are closed, 1 where something is wrong besides."""
    from blickschutz.cli.policy import report

    sys.exit(report(path, data, as_json))


@cli.command()
@with_site
def apply(path: Path, data: Path | None) -> None:
    """Put a site file that was edited by hand in force, without a restart of what the change does not touch; prints the difference.
    Ends with 0 where it is, 3 where law or a gate is against it, 1 where something is wrong besides."""
    from blickschutz.cli.apply import apply as put_in_force

    sys.exit(put_in_force(path, data))


@cli.command()
@with_site
@_JSON
def doctor(path: Path, data: Path | None, as_json: bool) -> None:
    """Look at machine, files, clock, disk, kernel, cameras, certificates and at what `check` knows, and say what is to be mended.
    Ends as `check` does."""
    from blickschutz.cli.doctor import diagnose

    sys.exit(diagnose(path, data, as_json))


@cli.command()
@with_site
@click.option("--out", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the documents.")
def documents(path: Path, data: Path | None, folder: Path) -> None:
    """Print the documents of a site (PDF/A, tagged): TOM, DSFA, records, information sheet, signs, service order, deletion."""
    from blickschutz.cli.documents import print_documents

    print_documents(path, data, folder)


@cli.command()
@with_site
@click.option("--out", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the report.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day, as 2026-01-01.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last day.")
@click.option("--crime", type=_FILE, help="The police's figures (CSV).")
@click.option("--public", is_flag=True, help="For the committee's public part: small counts are hidden.")
def report(path: Path, data: Path | None, folder: Path, first: datetime, last: datetime, crime: Path | None, public: bool) -> None:
    """Print the committee's report for a period."""
    from blickschutz.cli.report import print_report

    print_report(path, data, folder, first.date(), last.date(), crime, public=public)


@cli.command()
@with_site
def tls(path: Path, data: Path | None) -> None:
    """Fingerprint of the certificate authority, to compare on the page /trust; makes the authority where there is none yet."""
    from blickschutz.vault.io.authority import Authority

    site = load_site(path)
    if not site.server.secure:
        raise SettingsError("server.host: the pages are served on this machine only, without a certificate")
    with beside(place_of(site, path, data), make=True) as folder:
        authority = Authority(folder.path / "tls", site.site.name, site.server.known_names, SystemClock())
    click.echo(f"SHA-256 {authority.fingerprint}\ngood until {authority.until:%Y-%m-%d} for {', '.join(site.server.known_names)}")


@cli.command("schema")
def schema_() -> None:
    """Print the JSON Schema of the site file, for editors."""
    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))


def _begin() -> None:
    """What a process that serves has from its begin on."""
    configure_logs()
    # What is cleaned up after Ctrl-C is cleaned up when a service manager ends this process, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Until the system can look at its file again, a wish that it did is no reason to end.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _serve(
    site: Any,
    base: Path,
    seconds: float | None,
    data: Path,
    source: Any,
    *,
    seeded: bool = False,
    preparing: bool = False,
    leading: Leading | None = None,
    manager: ServiceManager | None = None,
) -> None:
    from blickschutz.bootstrap.system import System
    from blickschutz.bootstrap.zones import confine_control
    from blickschutz.demo.site import codes_file, keep_codes, seed
    from blickschutz.zones.hardening import harden

    missing = harden() | confine_control(site, base, data, source.path, shared=seeded, changed=source.says(site))
    if leading is not None:
        leading.leader.beat()  # confining took its time
    system = System(
        site,
        base,
        SystemClock(),
        data=data,
        source=source,
        walls_missing=missing,
        manager=manager,
        preparing=preparing,
        leading=leading,
    )
    if seeded:
        made = seed(system.records)
        keep_codes(made, site.server.port)
        click.echo("Sign-in for this demonstration, new at every start (person, password, passphrase for clips):")
        for one in made:
            click.echo(f"  {one.person:14} {one.password:18} {one.passphrase}")
        click.echo("leitstelle-1 sees the wall. Most others are asked for a code too: `blickschutz demo --codes` shows them.")
    else:
        _first_administrator(system)
    where = "on this machine" if site.server.local else f"on a workstation; what it must trust first: {system.address}trust"
    cameras = "preparing, no camera runs" if preparing else f"{len(site.cameras)} cameras"
    click.echo(f"{site.site.name}: {cameras}. Open {system.address} in a browser {where}. Ctrl-C ends.")
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(system.serve(seconds))
    finally:
        if seeded:
            codes_file(site.server.port).unlink(missing_ok=True)
    click.echo("Ended.")


def _first_administrator(system: System) -> None:
    """While nobody can administer, each start gives a code to the first who may."""
    access = system.records.office.access
    if access.accounts.any_active(Role.ADMINISTRATION):
        return
    first = next((one for one in access.members.values() if one.may(Role.ADMINISTRATION) and one.state is AccountState.INVITED), None)
    if first is None:
        raise SettingsError("nobody may administer: add somebody with the role 'administration' to [[people]] in the site file")
    code = access.people.issue(first.id, "terminal")
    click.echo(f"Nobody can administer yet. First sign-in: {system.address}welcome, short name {first.id}, one-time code {code}")


def main() -> None:
    """Entry point of the command."""
    cli(prog_name="blickschutz")


if __name__ == "__main__":
    main()
