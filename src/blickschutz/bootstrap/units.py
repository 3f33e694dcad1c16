"""Units of systemd for a site: its service, the witness of its log, its backups. Pure: from the site file and four paths to text.

What is asked of the manager here stands beside what each process does by itself (`zones`), and does not replace it: the manager holds
the whole service to one list, a process of a zone holds itself to its own. systemd.service(5), systemd.exec(5), systemd-analyze(1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from blickschutz.bootstrap.secrets import key_files, secret_files
from blickschutz.config.cameras import Camera
from blickschutz.config.channels import host_of
from blickschutz.config.hosts import JoinedCamera
from blickschutz.config.model import SiteFile
from blickschutz.ingest.rules.address import read_address
from blickschutz.kernel.devices import Decoding, Device
from blickschutz.kernel.hosts import number_of

STATE = Path("/var/lib/blickschutz")
SECRETS = Path("/etc/blickschutz/secrets")
_SOCKET = "/run/blickschutz/witness.sock"
# Seconds. A start brings files and rows of a long time together; an end closes recordings (6), rooms (10), notices, databases.
_START_S, _STOP_S, _WATCHDOG_S = 900, 90, 30


@dataclass(frozen=True, slots=True)
class Setting:
    """What units are made for. `networks`: those of the workstations, empty where anybody may come that the firewall lets through.
    `changeable`: pages may change the site file.
    """

    site: SiteFile
    path: Path
    data: Path
    program: str
    backups: Path
    networks: Sequence[str] = ()
    models: Path | None = None
    changeable: bool = False


def units(setting: Setting) -> Mapping[str, str]:
    """Files by name: what belongs in `/etc/systemd/system`, and the users for `/etc/sysusers.d`."""
    alone = (*COMMON, *NO_CLOCK, *_ALONE)
    backup = (*alone, *written(setting.data), f"ReadWritePaths={setting.backups}")
    waits = {"blickschutz-standby.service": _unit(_STANDBY, setting, _service(setting))} if setting.site.storage.server else {}
    return waits | {
        "blickschutz.service": _unit(_SERVICE, setting, _service(setting)),
        "blickschutz-prepare.service": _unit(_PREPARE, setting, _service(setting)),
        "blickschutz-witness.socket": _WITNESS_SOCKET,
        "blickschutz-witness.service": _unit(_WITNESS, setting, alone),
        "blickschutz-backup.service": _unit(_BACKUP, setting, backup),
        "blickschutz-backup.timer": _TIMER,
        "blickschutz.sysusers": _USERS,
    }


def _service(setting: Setting) -> list[str]:
    lines = [*_common(setting.site), *CLOCK_ASKED, *written(setting.data)]
    if setting.changeable:
        # The file is replaced as a whole, which takes its folder; secrets in it are none of that.
        lines += [f"ReadWritePaths={setting.path.parent}", f"ReadOnlyPaths=-{SECRETS}"]
    lines += [network(), *_addresses(setting)]
    names = {name for _, name in (*secret_files(setting.site), *key_files(setting.site)) if name and "/" not in name}
    return lines + [f"LoadCredential={name}:{SECRETS / name}" for name in sorted(names)]


def _common(site: SiteFile) -> list[str]:
    """Of a service whose cells may use a graphics card or neural unit: those kinds of devices, and no other."""
    kinds, analysis = [], site.analysis
    if analysis.device is not Device.CPU or analysis.decoding in _BY_DRI:
        kinds += ["SupplementaryGroups=render", "DeviceAllow=char-drm rw"]
    if analysis.device is not Device.CPU:
        kinds.append("DeviceAllow=char-accel rw")
    if analysis.decoding in _BY_NVIDIA:
        kinds.append("DeviceAllow=char-nvidia* rw")
    return [one for one in COMMON if not kinds or one != "PrivateDevices=yes"] + kinds


def _unit(head: str, setting: Setting, lines: Iterable[str]) -> str:
    paths = {"program": setting.program, "site": setting.path, "data": setting.data, "backups": setting.backups}
    filled = head.format(**paths, start=_START_S, stop=_STOP_S, watchdog=_WATCHDOG_S).rstrip()
    environment = [f"Environment=BLICKSCHUTZ_DATA={setting.models}"] if setting.models is not None else []
    return "\n".join([filled, *environment, *lines, *_INSTALL[head]]) + "\n"


def written(data: Path, name: str = "blickschutz") -> list[str]:
    """The data folder is the one place that is written to; of the service of that name."""
    if data.is_relative_to(STATE.with_name(name)):
        return [f"StateDirectory={name}", "StateDirectoryMode=0700"]
    return [f"ReadWritePaths={data}"]


def _addresses(setting: Setting) -> list[str]:
    """Landlock knows ports alone; the manager knows addresses (BPF on the unit's control group)."""
    site = setting.site
    hosts = hosts_of(site.cameras)
    alerts = site.alerts
    hosts += [one.host for one in (alerts.mail, alerts.mqtt) if one is not None]
    hosts += [host_of(hook.address) for hook in alerts.webhooks]
    database = site.storage.server
    hosts += [database.host] if database is not None and not database.local else []
    hosts += [urlsplit(site.hosts.broker).hostname or ""] if site.hosts is not None else []
    if alerts.apprise:
        hosts.append("those of apprise")
    elif not (site.server.local or setting.networks):
        return ["# No IPAddressDeny=: no --network of workstations was stated. A firewall has to do it."]
    return allowed(hosts, setting.networks)


def hosts_of(cameras: Iterable[Camera | JoinedCamera]) -> list[str]:
    """Machines that are connected to for cameras; none for a file."""
    return [found.host for camera in cameras for one in camera.addresses if (found := read_address(one)) is not None]


def allowed(hosts: Iterable[str], networks: Sequence[str]) -> list[str]:
    """What a service may reach and be reached from, as far as the manager knows it."""
    every = {host for host in hosts if host and host != "localhost"}
    if named := sorted(host for host in every if number_of(host) is None):
        return [f"# No IPAddressDeny=: the manager knows addresses alone, and these are names: {', '.join(named)}."]
    return ["IPAddressDeny=any", f"IPAddressAllow={' '.join(dict.fromkeys(['localhost', *sorted(every), *networks]))}"]


def network() -> str:
    """Of what has one."""
    return "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"


_SERVICE = """\
# Made by `blickschutz units`; changes belong into `systemctl edit blickschutz`.
[Unit]
Description=Blickschutz
Documentation=https://www.freedesktop.org/software/systemd/man/systemd.exec.html
Wants=network-online.target time-sync.target
After=network-online.target time-sync.target blickschutz-witness.socket
# It is started again for as long as it takes: a place that is not watched over is told by nobody else.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} run --site {site} --data {data}
# The site file was edited by hand: what a change does not touch goes on. `blickschutz apply` says more.
ExecReload=/bin/kill -HUP $MAINPID
User=blickschutz
Group=blickschutz
TimeoutStartSec={start}
TimeoutStopSec={stop}
WatchdogSec={watchdog}
Restart=on-failure
RestartSec=5
# Wrong options, closed gates, a site file that is wrong: a new start mends none of them.
RestartPreventExitStatus=2 3 4
# The control room ends cells and rooms in order. Where it is lost its cells live on for 90 s, and the next one finds them.
KillMode=process
# A cell that the kernel ends for its memory is started again; it takes nobody with it.
OOMPolicy=continue
LimitNOFILE=65536
TasksMax=4096
"""
# Without an [Install]: started by hand while gates are closed, in place of the other.
_PREPARE = (
    _SERVICE.replace(" run --site", " run --prepare --site")
    .replace("Description=Blickschutz\n", "Description=Blickschutz, pages without a camera\nConflicts=blickschutz.service\n")
    .replace("systemctl edit blickschutz`", "systemctl edit blickschutz-prepare`")
)
# On both machines: whoever comes first leads, the other one waits to take over.
_STANDBY = (
    _SERVICE.replace(" run --site", " run --standby --site")
    .replace("Description=Blickschutz\n", "Description=Blickschutz, leads or waits to take over\nConflicts=blickschutz.service\n")
    .replace("systemctl edit blickschutz`", "systemctl edit blickschutz-standby`")
)
_WITNESS = """\
# Made by `blickschutz units`; changes belong into `systemctl edit blickschutz-witness`.
[Unit]
Description=Witness of the log of Blickschutz
Requires=blickschutz-witness.socket
After=blickschutz-witness.socket

[Service]
ExecStart={program} witness --folder /var/lib/blickschutz-witness
User=blickschutz-witness
Group=blickschutz-witness
StateDirectory=blickschutz-witness
StateDirectoryMode=0700
Restart=on-failure
RestartSec=5
MemoryDenyWriteExecute=yes
"""
_BACKUP = """\
# Made by `blickschutz units`; changes belong into `systemctl edit blickschutz-backup`.
[Unit]
Description=Backup of Blickschutz
RequiresMountsFor={backups}

[Service]
Type=oneshot
ExecStart={program} backup {backups} --site {site} --data {data} --keep-days 28
User=blickschutz
Group=blickschutz
MemoryDenyWriteExecute=yes
"""
_WITNESS_SOCKET = f"""\
# Made by `blickschutz units`. The site alone may ask; the witness is another user, and opens no socket of its own.
[Unit]
Description=Socket of the witness of the log of Blickschutz

[Socket]
ListenStream={_SOCKET}
SocketUser=blickschutz
SocketGroup=blickschutz
SocketMode=0600
DirectoryMode=0755
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
"""
_TIMER = """\
# Made by `blickschutz units`.
[Unit]
Description=Daily backup of Blickschutz

[Timer]
OnCalendar=daily
RandomizedDelaySec=1h
Persistent=yes

[Install]
WantedBy=timers.target
"""
_USERS = """\
# Made by `blickschutz units`, for /etc/sysusers.d/blickschutz.conf.
u blickschutz - "Blickschutz" /var/lib/blickschutz -
u blickschutz-witness - "Witness of the log of Blickschutz" /var/lib/blickschutz-witness -
"""
_BY_DRI = frozenset({Decoding.AUTO, Decoding.QSV, Decoding.VAAPI})
_BY_NVIDIA = frozenset({Decoding.AUTO, Decoding.NVDEC})
# Of all services alike. Raw pictures and keys: no core, no swap, nothing in a terminal's or another service's /tmp.
COMMON = (
    "UMask=0077",
    "LimitCORE=0",
    "LimitMEMLOCK=infinity",
    "MemorySwapMax=0",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateMounts=yes",
    "PrivateDevices=yes",
    "DevicePolicy=closed",
    "PrivateUsers=yes",
    "ProtectHostname=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    # Not `invisible`: a folder in memory is removed where its process is gone, and a process of another zone must not seem so.
    "ProtectProc=noaccess",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "RemoveIPC=yes",
    "KeyringMode=private",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service landlock_create_ruleset landlock_add_rule landlock_restrict_self",
    "SystemCallFilter=~@privileged @keyring kcmp name_to_handle_at process_vm_readv process_vm_writev userfaultfd vmsplice",
    "SystemCallErrorNumber=EPERM",
)
# `ProtectClock=` refuses the question, too, whether a time server stands behind the clock, by which deadlines are believed.
CLOCK_ASKED = ("SystemCallFilter=adjtimex",)
NO_CLOCK = ("ProtectClock=yes",)
# Of what needs no network.
_ALONE = ("PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX", "IPAddressDeny=any")
_INSTALL: Mapping[str, Sequence[str]] = {
    _SERVICE: ("", "[Install]", "WantedBy=multi-user.target"),
    _WITNESS: ("", "[Install]", "Also=blickschutz-witness.socket"),
    _BACKUP: (),
    _PREPARE: (),
    _STANDBY: ("", "[Install]", "WantedBy=multi-user.target"),
}
