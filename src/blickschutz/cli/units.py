"""`blickschutz units`: units of systemd for a site, for cells on a machine of their own, for an overview."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from blickschutz.bootstrap.units import SECRETS, Setting, units
from blickschutz.cli.place import place_of
from blickschutz.config.loader import load_site
from blickschutz.kernel.errors import OperatorError
from blickschutz.upgrade.io.programs import called

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
# Hidden from the services by `ProtectHome=`.
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))


def _networks(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            ipaddress.ip_network(value)
        except ValueError as error:
            raise click.BadParameter(f"{value}: {error}") from error
    return values


@click.command("units")
@click.argument("out", type=_FOLDER)
@click.option("--site", "path", type=_FILE, help="Site file (TOML): its service, the witness of its log, daily backups.")
@click.option("--data", type=_FOLDER, help="Data folder, instead of the one that the site file names.")
@click.option("--join", type=_FILE, help="join.toml of a machine beside the cameras, completed: its cells.")
@click.option("--overview", type=_FILE, help="File of an overview of many sites: its service.")
@click.option("--network", "networks", multiple=True, callback=_networks, help="A network of workstations, as 10.20.0.0/24.")
@click.option("--backups", type=_FOLDER, default="/srv/blickschutz-backup", show_default=True, help="Folder of daily backups.")
@click.option("--changeable", is_flag=True, help="Pages may change the site file; its folder becomes the service's.")
def make_units(
    out: Path,
    path: Path | None,
    data: Path | None,
    join: Path | None,
    overview: Path | None,
    networks: tuple[str, ...],
    backups: Path,
    changeable: bool,
) -> None:
    """Write units of systemd into the folder OUT, hardened: for a site, for cells on a machine of their own, or for an overview."""
    if sum(one is not None for one in (path, join, overview)) != 1:
        raise click.UsageError("one of --site, --join, --overview says what the units are for")
    if join is not None or overview is not None:
        _beside(out, join, overview, networks)
        return
    assert path is not None
    site, program, models = load_site(path), _program(), _models()
    folder = place_of(site, path, data).folder
    setting = Setting(
        site=site,
        path=path.resolve(),
        data=folder,
        program=str(program),
        backups=backups.resolve(),
        networks=networks,
        models=models,
        changeable=changeable,
    )
    _require_seen(setting.path, setting.data, setting.backups, program)
    made = units(setting)
    _write(out, made)
    click.echo(f"{len(made)} files in {out}. As root:")
    click.echo(f"  install -m 644 {out / 'blickschutz.sysusers'} /etc/sysusers.d/blickschutz.conf && systemd-sysusers")
    click.echo(f"  install -m 644 {out}/*.service {out}/*.socket {out}/*.timer /etc/systemd/system/ && systemctl daemon-reload")
    click.echo(f"  chown -R blickschutz: {folder} {backups}   # secrets: {SECRETS}, for root alone (chmod 600)")
    if changeable:
        click.echo(f"  chown blickschutz: {setting.path.parent} {setting.path}   # so that pages may change settings")
    click.echo("  systemctl enable --now blickschutz-witness.socket blickschutz.service blickschutz-backup.timer")
    if "blickschutz-standby.service" in made:
        click.echo("  # with a second control room, on both machines, in place of blickschutz.service: blickschutz-standby.service")


def _beside(out: Path, join: Path | None, overview: Path | None, networks: tuple[str, ...]) -> None:
    from blickschutz.bootstrap.units_beside import Beside, host_units, overview_units
    from blickschutz.config.hosts import JoinFile
    from blickschutz.config.loader import load_file
    from blickschutz.config.overview import OverviewFile

    program, models = _program(), _models()

    def setting(path: Path, data: str) -> Beside:
        made = Beside(path.resolve(), (path.resolve().parent / data).resolve(), str(program), networks, models)
        _require_seen(made.path, made.data, program)
        return made

    if join is not None:
        file = load_file(JoinFile, join)
        about = setting(join, file.data)
        name, made = "blickschutz-cells", host_units(about, file)
    else:
        assert overview is not None
        watched = load_file(OverviewFile, overview)
        about = setting(overview, watched.data)
        name, made = "blickschutz-overview", overview_units(about, watched)
    _write(out, made)
    click.echo(f"{len(made)} files in {out}. As root:")
    click.echo(f"  install -m 644 {out / name}.sysusers /etc/sysusers.d/{name}.conf && systemd-sysusers")
    click.echo(f"  install -m 644 {out / name}.service /etc/systemd/system/ && systemctl daemon-reload")
    click.echo(f"  chown -R {name}: {about.data} {about.path.parent}   # keys and tokens stay for their owner alone (chmod 600)")
    click.echo(f"  systemctl enable --now {name}.service")


def _program() -> Path:
    # After an upgrade the environment has a name of its own, and the units outlive it.
    return called(Path(sys.prefix)) / "bin/blickschutz"


def _models() -> Path | None:
    stated = os.environ.get("BLICKSCHUTZ_DATA")
    return Path(stated).resolve() if stated else None


def _require_seen(*paths: Path) -> None:
    """Raises `OperatorError` unless services see these paths, and the manager reads them as they are."""
    for one in (*paths, Path(sys.prefix).resolve()):
        if any(one.is_relative_to(home) for home in _HOMES):
            raise OperatorError(
                f"{one} lies in a home, which services do not see: put it elsewhere, as /opt, /etc/blickschutz, /var/lib/blickschutz"
            )
        if any(not sign.isprintable() or sign in " \"'\\%$" for sign in str(one)):
            raise OperatorError(f"{one} has a space or a sign that systemd reads otherwise: give it a plain name")


def _write(out: Path, made: Mapping[str, str]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (out / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OperatorError(f"{out} cannot be written: {error.strerror}") from error
