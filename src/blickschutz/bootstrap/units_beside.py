"""Units of systemd for what runs beside a site's own machine: cells on a host, and the overview of many sites. Pure; see `units`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from blickschutz.bootstrap.units import CLOCK_ASKED, COMMON, NO_CLOCK, SECRETS, allowed, hosts_of, network, written
from blickschutz.config.hosts import JoinFile
from blickschutz.config.overview import OverviewFile


@dataclass(frozen=True, slots=True)
class Beside:
    """`path` is the file that it runs with, `data` its folder; `networks` and `models` as in `units.Setting`."""

    path: Path
    data: Path
    program: str
    networks: Sequence[str] = ()
    models: Path | None = None


def host_units(setting: Beside, join: JoinFile) -> Mapping[str, str]:
    """For a machine beside the cameras."""
    hosts = [*hosts_of(join.cameras), urlsplit(join.broker).hostname or ""]
    files = [name for camera in join.cameras for name in (camera.password_file, camera.notify_file)]
    if join.store is not None:
        hosts.append(urlsplit(join.store.endpoint).hostname or "")
        files += [join.store.access_file, join.store.secret_file]
    names = {name for name in files if name and "/" not in name}
    # What stands behind the clock is asked: deadlines are kept by the host itself.
    lines = [*COMMON, *CLOCK_ASKED, *written(setting.data, "blickschutz-cells"), network(), *allowed(hosts, setting.networks)]
    lines += [f"LoadCredential={name}:{SECRETS / name}" for name in sorted(names)]
    return {
        "blickschutz-cells.service": _unit(_CELLS, setting, lines),
        "blickschutz-cells.sysusers": _USER.format(name="blickschutz-cells"),
    }


def overview_units(setting: Beside, file: OverviewFile) -> Mapping[str, str]:
    """For the machine of an overview."""
    hosts = [urlsplit(site.address).hostname or "" for site in file.sites]
    # Whoever looks at it comes from somewhere: only what is stated is shut out.
    addresses = (
        allowed(hosts, setting.networks)
        if file.server.local or setting.networks
        else ["# No IPAddressDeny=: no --network of workstations was stated. A firewall has to do it."]
    )
    lines = [*COMMON, *NO_CLOCK, "MemoryDenyWriteExecute=yes", *written(setting.data, "blickschutz-overview"), network(), *addresses]
    return {
        "blickschutz-overview.service": _unit(_OVERVIEW, setting, lines),
        "blickschutz-overview.sysusers": _USER.format(name="blickschutz-overview"),
    }


def _unit(head: str, setting: Beside, lines: Iterable[str]) -> str:
    environment = [f"Environment=BLICKSCHUTZ_DATA={setting.models}"] if setting.models is not None else []
    filled = head.format(program=setting.program, path=setting.path).rstrip()
    return "\n".join([filled, *environment, *lines, "", "[Install]", "WantedBy=multi-user.target"]) + "\n"


_CELLS = """\
# Made by `blickschutz units`; changes belong into `systemctl edit blickschutz-cells`.
[Unit]
Description=Cells of Blickschutz beside their cameras
Wants=network-online.target time-sync.target
After=network-online.target time-sync.target
# What films is started again for as long as it takes.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={program} cells --join {path}
User=blickschutz-cells
Group=blickschutz-cells
TimeoutStopSec=90
Restart=on-failure
RestartSec=5
# Wrong options, a join file that is wrong: a new start mends neither.
RestartPreventExitStatus=2 4
# The agent ends its cells in order. Where it is lost they live on until their lease is over, and the next one finds them.
KillMode=process
OOMPolicy=continue
LimitNOFILE=65536
TasksMax=4096
"""
_OVERVIEW = """\
# Made by `blickschutz units`; changes belong into `systemctl edit blickschutz-overview`.
[Unit]
Description=Overview of many sites of Blickschutz
Wants=network-online.target time-sync.target
After=network-online.target time-sync.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={program} overview run {path}
User=blickschutz-overview
Group=blickschutz-overview
TimeoutStopSec=30
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
TasksMax=256
"""
_USER = """\
# Made by `blickschutz units`, for /etc/sysusers.d/{name}.conf.
u {name} - "Blickschutz" /var/lib/{name} -
"""
