"""A systemd of its own as the first process of a PID namespace, with users, `/run`, `/var/lib` and `/srv` that are gone afterwards.

For what has to be tried under a real service manager (root, systemd, unshare). The units are used as `blickschutz units` makes them,
but for `ProtectHome=` where this Python lies in a home.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.live.system import free_port, guest_clip

DATA = "/var/lib/blickschutz/rathaus"
USERS = {"blickschutz": 991, "blickschutz-witness": 992}
_INSIDE = """
set -e
mount --make-rprivate /
for name in passwd group; do cp /etc/$name {work}/$name; done
{users}
for name in passwd group; do mount --bind {work}/$name /etc/$name; done
{python}
mount -t tmpfs -o mode=755 tmpfs /run; mkdir -p /run/systemd/system /run/lock
mount -t tmpfs -o mode=755 tmpfs /var/lib; mount -t tmpfs tmpfs /var/log; mount -t tmpfs -o mode=755 tmpfs /srv
mkdir /srv/backup; chown {uid}:{uid} /srv/backup
{before}
cp {work}/units/*.service {work}/units/*.socket /run/systemd/system/
for unit in blickschutz.service blickschutz-witness.service blickschutz-backup.service blickschutz-witness.socket; do
  mkdir /run/systemd/system/$unit.d; cp {work}/${{unit##*.}}.conf /run/systemd/system/$unit.d/tried.conf
done
cp {work}/tried.* /run/systemd/system/
export container=other
exec /lib/systemd/systemd --system --unit=tried.target --log-target=null --show-status=no
"""
_ALONE = "[Unit]\nDefaultDependencies=no\n"


def site_in(work: Path) -> Path:
    """A site file with two drawn cameras and a witness."""
    guest_clip(work / "guest.mp4")
    text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
    head = text[: text.index("[[cameras]]")].replace("port = 8710", f"port = {free_port()}")
    head = head.replace("[site]\n", '[site]\ndemo = true\nid = "rathaus"\n').replace("[recording]\n", "[recording]\nreserve_mb = 50\n")
    audit = '[audit]\nwitness = "/run/blickschutz/witness.sock"\n'
    cameras = "".join(f'\n[[cameras]]\nid = "{one}"\nname = "{one}"\nside = "forecourt"\naddress = "file:guest.mp4"\n' for one in "ab")
    (work / "site.toml").write_text(head + audit + cameras, encoding="utf-8")
    return work / "site.toml"


def prepare(work: Path, program: Sequence[str], judge: str, *, sources: bool, before: str = "") -> None:
    """Units by `program`, and what tries them: the module `judge` with `--inside WORK`.

    `sources`: the programs are those of this checkout. `before`: lines of shell for before the manager.
    """
    site, home = site_in(work), Path(os.path.realpath(sys.executable))
    made = [*program, "units", str(work / "units"), "--site", str(site), "--data", DATA, "--backups", "/srv/backup"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    at_home = home.is_relative_to("/root")
    own = (f"Environment=PYTHONPATH={ROOT / 'src'}\n" if sources else "") + ("ProtectHome=no\n" if at_home else "")
    wired = f"StandardOutput=append:{work}/service.out\nStandardError=inherit\n"
    (work / "service.conf").write_text(f"{_ALONE}Wants=\nAfter=\n[Service]\n{own}{wired}", encoding="utf-8")
    (work / "socket.conf").write_text(_ALONE, encoding="utf-8")
    wants = "Wants=blickschutz-witness.socket blickschutz.service tried.service\n"
    (work / "tried.target").write_text(_ALONE + wants, encoding="utf-8")
    command = f"{sys.executable} -m {judge} --inside {work}"
    inside = f"[Service]\nType=oneshot\nWorkingDirectory={ROOT}\nEnvironment=PYTHONPATH={ROOT / 'src'}:{ROOT}\nExecStart={command}\n{wired}"
    (work / "tried.service").write_text(f"{_ALONE}After=blickschutz.service\n{inside}", encoding="utf-8")
    users = "\n".join(
        f"echo '{name}:x:{uid}:{uid}::/var/lib/{name}:/usr/sbin/nologin' >> {work}/passwd; echo '{name}:x:{uid}:' >> {work}/group"
        for name, uid in USERS.items()
    )
    # Python alone out of root's home.
    top = Path(*home.parts[:3])
    python = f"mount --bind {top} /mnt; mount -t tmpfs -o mode=755 tmpfs /root; mkdir {top}; mount --move /mnt {top}" if at_home else ""
    text = _INSIDE.format(work=work, users=users, python=python, uid=USERS["blickschutz"], before=before)
    (work / "boot.sh").write_text(text, encoding="utf-8")


def tried(name: str, make: Callable[[Path], None], longest_s: float) -> dict[str, Any]:
    """What the judge told, from a folder that `make` has prepared. Ends the program where nothing could be tried."""
    if os.geteuid() or not Path("/lib/systemd/systemd").exists() or shutil.which("unshare") is None:
        sys.exit("needs root, systemd and unshare")
    if Path("/run/systemd/system").exists():
        sys.exit("this machine has a systemd of its own: its control groups are not touched")
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix=f"blickschutz-{name}-") as place:
        work = Path(place)
        work.chmod(0o755)
        make(work)
        namespaces = ("--pid", "--fork", "--mount", "--ipc", "--uts", "--cgroup", "--mount-proc", "--kill-child")
        outer = subprocess.Popen(["unshare", *namespaces, "bash", str(work / "boot.sh")], stdin=subprocess.DEVNULL)
        try:
            until((work / "told.json").exists, longest_s)
        finally:
            _end(outer)
        if not (work / "told.json").exists():
            sys.exit((work / "service.out").read_text(encoding="utf-8")[-4000:] if (work / "service.out").exists() else "nothing started")
        told: dict[str, Any] = json.loads((work / "told.json").read_text(encoding="utf-8"))
        return told


def systemctl(*words: str) -> str:
    return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False).stdout.strip()


def shown(name: str, unit: str = "blickschutz") -> str:
    return systemctl("show", "-P", name, unit)


def is_live() -> bool:
    return shown("StatusText") == "2 of 2 cameras live"


def until(holds: object, within_s: float = 40.0) -> float:
    """Seconds until it held; -1 where it did not."""
    began = time.monotonic()
    while time.monotonic() - began < within_s:
        if callable(holds) and holds():
            return round(time.monotonic() - began, 1)
        time.sleep(0.1)
    return -1.0


def give_words(program: Sequence[str], work: Path) -> None:
    """Recovery words to two people, as the service's user, so that backups can be made."""
    account = {"user": USERS["blickschutz"], "group": USERS["blickschutz"], "extra_groups": ()}
    for person in ("aufsicht", "dsb"):
        command = [*program, "users", "recovery", "--site", str(work / "site.toml"), "--data", DATA, person]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "HOME": DATA}, **account)  # type: ignore[call-overload]


def _end(outer: subprocess.Popen[bytes]) -> None:
    """The first process of the namespace ends, and with it everybody in it; then the groups that it made are empty and go."""
    outer.kill()
    outer.wait(10)
    time.sleep(1)
    for top in [one for name in ("system.slice", "init.scope") for one in Path("/sys/fs/cgroup").glob(f"**/{name}")]:
        for folder in sorted((one for one in top.rglob("*") if one.is_dir()), reverse=True):
            with contextlib.suppress(OSError):  # somebody else's, who lives
                folder.rmdir()
        with contextlib.suppress(OSError):
            top.rmdir()
