"""`blickschutz units`: units of systemd for a site."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path

import click

from blickschutz.bootstrap.units import SECRETS, Setting, units
from blickschutz.cli.place import place_of, with_site
from blickschutz.config.loader import load_site
from blickschutz.kernel.errors import OperatorError
from blickschutz.upgrade.io.programs import called

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
@with_site
@click.option("--network", "networks", multiple=True, callback=_networks, help="A network of workstations, as 10.20.0.0/24.")
@click.option("--backups", type=_FOLDER, default="/srv/blickschutz-backup", show_default=True, help="Folder of daily backups.")
@click.option("--changeable", is_flag=True, help="Pages may change the site file; its folder becomes the service's.")
def make_units(out: Path, path: Path, data: Path | None, networks: tuple[str, ...], backups: Path, changeable: bool) -> None:
    """Write units of systemd for a site into the folder OUT: the service, the witness of its log, daily backups; hardened."""
    # After an upgrade the environment has a name of its own, and the units outlive it.
    site, program = load_site(path), called(Path(sys.prefix)) / "bin/blickschutz"
    folder = place_of(site, path, data).folder
    stated = os.environ.get("BLICKSCHUTZ_DATA")
    setting = Setting(
        site=site,
        path=path.resolve(),
        data=folder,
        program=str(program),
        backups=backups.resolve(),
        networks=networks,
        models=Path(stated).resolve() if stated else None,
        changeable=changeable,
    )
    for one in (setting.path, setting.data, setting.backups, program, Path(sys.prefix).resolve()):
        if any(one.is_relative_to(home) for home in _HOMES):
            raise OperatorError(
                f"{one} lies in a home, which services do not see: put it elsewhere, as /opt, /etc/blickschutz, /var/lib/blickschutz"
            )
        if any(not sign.isprintable() or sign in " \"'\\%$" for sign in str(one)):
            raise OperatorError(f"{one} has a space or a sign that systemd reads otherwise: give it a plain name")
    made = units(setting)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (out / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OperatorError(f"{out} cannot be written: {error.strerror}") from error
    click.echo(f"{len(made)} files in {out}. As root:")
    click.echo(f"  install -m 644 {out / 'blickschutz.sysusers'} /etc/sysusers.d/blickschutz.conf && systemd-sysusers")
    click.echo(f"  install -m 644 {out}/*.service {out}/*.socket {out}/*.timer /etc/systemd/system/ && systemctl daemon-reload")
    click.echo(f"  chown -R blickschutz: {folder} {backups}   # secrets: {SECRETS}, for root alone (chmod 600)")
    if changeable:
        click.echo(f"  chown blickschutz: {setting.path.parent} {setting.path}   # so that pages may change settings")
    click.echo("  systemctl enable --now blickschutz-witness.socket blickschutz.service blickschutz-backup.timer")
