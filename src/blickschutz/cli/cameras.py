"""`blickschutz cameras`: find them on the network, and try one step by step."""

from __future__ import annotations

import json
from pathlib import Path

import click

from blickschutz.kernel.errors import OperatorError

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def cameras() -> None:
    """Cameras on the network: who is there, and whether one works."""


@cameras.command("find")
@click.option("--seconds", type=click.FloatRange(0.1, 60), default=4.0, show_default=True, help="How long to listen.")
@click.option("--interface", default="", help="This machine's address in the cameras' network.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
def find_cameras(seconds: float, interface: str, as_json: bool) -> None:
    """Ask the network for cameras (ONVIF, WS-Discovery). What answers says who it is; nothing of it is proven."""
    from blickschutz.ingest.io.discovery import find
    from blickschutz.kernel.clock import SystemClock

    found = find(SystemClock(), seconds, interface)
    if as_json:
        click.echo(json.dumps({"cameras": [{"host": one.host, "address": one.address, "name": one.name} for one in found]}))
        return
    for one in found:
        click.echo(f"{one.host}  {one.name or '-'}  {one.address}")
    click.echo(f"{len(found)} answered in {seconds:g} s")


@cameras.command("test")
@click.argument("camera")
@click.option("--site", "path", type=_FILE, required=True, help="Site file (TOML).")
@click.option("--seconds", type=click.FloatRange(1, 120), default=10.0, show_default=True, help="How long to look at its stream.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
def test_camera(camera: str, path: Path, seconds: float, as_json: bool) -> None:
    """Try CAMERA of a site file step by step: reach, sign in, stream, keyframes, rate; a second stream, and whether both show the same;
    by ONVIF its clock, make and streams.

    Ends with 1 where one fails.
    """
    from blickschutz.analysis.rules.sameview import show_the_same
    from blickschutz.bootstrap.cells import onvif_settings, small_settings, source_settings
    from blickschutz.config.loader import load_site
    from blickschutz.ingest.io.trial import try_camera
    from blickschutz.kernel.clock import SystemClock

    site, base = load_site(path), path.resolve().parent
    found = next((one for one in site.cameras if one.id == camera), None)
    if found is None:
        raise OperatorError(f"there is no camera {camera}; the site file has {', '.join(one.id for one in site.cameras)}")
    steps = []
    small, onvif = small_settings(found, base), onvif_settings(found, base)
    for told in try_camera(source_settings(found, base), onvif, seconds, SystemClock(), small, show_the_same):
        steps.append({"step": told.step.value, "cause": told.cause.value if told.cause is not None else None, "text": told.text})
        if not as_json:
            click.echo(f"{told.step.value:10} {'ok' if told.cause is None else told.cause.value:12} {told.text}")
    if as_json:
        click.echo(json.dumps({"camera": camera, "steps": steps}, ensure_ascii=False))
    if any(one["cause"] for one in steps):
        raise SystemExit(1)
