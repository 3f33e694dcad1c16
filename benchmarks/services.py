"""The units of systemd as they are made, under a real systemd: `.venv/bin/python -m benchmarks.services` (root, systemd, unshare).

A systemd of its own as the first process of a PID namespace, with users, `/run`, `/var/lib` and `/srv` that are gone afterwards: the
service with two drawn cameras, the witness, a backup; then launchers, cell and control room are killed or stopped. Prints JSON; ends
with 1 where something did not hold. The units are used as made but for `ProtectHome=` where this Python lies in a home.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import ROOT
from tests.live.system import free_port, guest_clip

_LONGEST_S = 150
_USERS = {"blickschutz": 991, "blickschutz-witness": 992}
_DATA = "/var/lib/blickschutz/rathaus"
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
cp {work}/units/*.service {work}/units/*.socket /run/systemd/system/
for unit in blickschutz.service blickschutz-witness.service blickschutz-backup.service blickschutz-witness.socket; do
  mkdir /run/systemd/system/$unit.d; cp {work}/${{unit##*.}}.conf /run/systemd/system/$unit.d/tried.conf
done
cp {work}/tried.* /run/systemd/system/
export container=other
exec /lib/systemd/systemd --system --unit=tried.target --log-target=null --show-status=no
"""
_ALONE = "[Unit]\nDefaultDependencies=no\n"


def _site(work: Path) -> Path:
    guest_clip(work / "guest.mp4")
    text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
    head = text[: text.index("[[cameras]]")].replace("port = 8710", f"port = {free_port()}")
    head = head.replace("[site]\n", '[site]\ndemo = true\nid = "rathaus"\n').replace("[recording]\n", "[recording]\nreserve_mb = 50\n")
    audit = '[audit]\nwitness = "/run/blickschutz/witness.sock"\n'
    cameras = "".join(f'\n[[cameras]]\nid = "{one}"\nname = "{one}"\nside = "forecourt"\naddress = "file:guest.mp4"\n' for one in "ab")
    (work / "site.toml").write_text(head + audit + cameras, encoding="utf-8")
    return work / "site.toml"


def _prepare(work: Path) -> None:
    site, home = _site(work), Path(os.path.realpath(sys.executable))
    made = [sys.executable, "-m", "blickschutz.cli.main", "units", str(work / "units"), "--site", str(site)]
    subprocess.run([*made, "--data", _DATA, "--backups", "/srv/backup"], check=True, stdout=subprocess.DEVNULL)
    at_home = home.is_relative_to("/root")
    own = f"Environment=PYTHONPATH={ROOT / 'src'}\n" + ("ProtectHome=no\n" if at_home else "")
    wired = f"StandardOutput=append:{work}/service.out\nStandardError=inherit\n"
    (work / "service.conf").write_text(f"{_ALONE}Wants=\nAfter=\n[Service]\n{own}{wired}", encoding="utf-8")
    (work / "socket.conf").write_text(_ALONE, encoding="utf-8")
    wants = "Wants=blickschutz-witness.socket blickschutz.service tried.service\n"
    (work / "tried.target").write_text(_ALONE + wants, encoding="utf-8")
    judge = f"{sys.executable} -m benchmarks.services --inside {work}"
    inside = f"[Service]\nType=oneshot\nWorkingDirectory={ROOT}\nEnvironment=PYTHONPATH={ROOT / 'src'}:{ROOT}\nExecStart={judge}\n{wired}"
    (work / "tried.service").write_text(f"{_ALONE}After=blickschutz.service\n{inside}", encoding="utf-8")
    users = "\n".join(
        f"echo '{name}:x:{uid}:{uid}::/var/lib/{name}:/usr/sbin/nologin' >> {work}/passwd; echo '{name}:x:{uid}:' >> {work}/group"
        for name, uid in _USERS.items()
    )
    # Python alone out of root's home.
    top = Path(*home.parts[:3])
    python = f"mount --bind {top} /mnt; mount -t tmpfs -o mode=755 tmpfs /root; mkdir {top}; mount --move /mnt {top}" if at_home else ""
    text = _INSIDE.format(work=work, users=users, python=python, uid=_USERS["blickschutz"])
    (work / "boot.sh").write_text(text, encoding="utf-8")


def _systemctl(*words: str) -> str:
    return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False).stdout.strip()


def _shown(name: str, unit: str = "blickschutz") -> str:
    return _systemctl("show", "-P", name, unit)


def _processes(*kinds: str) -> list[int]:
    """Processes of the service's user by what they call themselves; the first launcher has the name of its program."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "comm").read_text().strip() in kinds:
                uid = next(line for line in (entry / "status").read_text().splitlines() if line.startswith("Uid:")).split()[1]
                found += [int(entry.name)] if int(uid) == _USERS["blickschutz"] else []
    return sorted(found)


def _walls(pid: int) -> set[tuple[str, str]]:
    lines = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {(name, lines[name].strip()) for name in ("NoNewPrivs", "Seccomp", "CapBnd")}


def _until(holds: object, within_s: float = 40.0) -> float:
    """Seconds until it held; -1 where it did not."""
    began = time.monotonic()
    while time.monotonic() - began < within_s:
        if callable(holds) and holds():
            return round(time.monotonic() - began, 1)
        time.sleep(0.1)
    return -1.0


def _live() -> bool:
    return _shown("StatusText") == "2 of 2 cameras live"


def _judge(work: Path) -> None:
    told: dict[str, object] = {"ready": _shown("ActiveState") == "active", "live_s": _until(_live)}
    expected = {("NoNewPrivs", "1"), ("Seccomp", "2"), ("CapBnd", "0" * 16)}
    everybody = _processes("blickschutz", "python", "launcher", "cell")
    told["confined"] = len(everybody) >= 5 and all(_walls(pid) == expected for pid in everybody)
    command = [str(Path(sys.executable).with_name("blickschutz")), "users", "recovery", "--site", str(work / "site.toml"), "--data", _DATA]
    account = {"user": _USERS["blickschutz"], "group": _USERS["blickschutz"], "extra_groups": ()}
    for person in ("aufsicht", "dsb"):
        subprocess.run([*command, person], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "HOME": _DATA}, **account)
    _systemctl("start", "blickschutz-backup")
    told["backup"] = bool(list(Path("/srv/backup").glob("*.backup"))) and _shown("Result", "blickschutz-backup") == "success"
    first, cell = _processes("python")[0], _processes("cell")[0]
    os.kill(first, signal.SIGKILL)
    os.kill(cell, signal.SIGKILL)
    told["launcher_replaced_s"] = _until(lambda: len(_processes("launcher")) == 2 and len(set(_processes("cell")) - {cell}) == 2)
    for pid in _processes("launcher"):
        os.kill(pid, signal.SIGKILL)
    os.kill(_processes("cell")[0], signal.SIGKILL)
    told["anew_without_launchers_s"] = _until(lambda: _shown("NRestarts") == "1" and _shown("ActiveState") == "active")
    os.kill(int(_shown("MainPID")), signal.SIGSTOP)
    told["anew_by_watchdog_s"] = _until(lambda: _shown("NRestarts") == "2" and _shown("ActiveState") == "active", 60)
    began = time.monotonic()
    _systemctl("stop", "blickschutz")
    told["stopped_s"] = round(time.monotonic() - began, 1)
    told["exit_code"] = int(_shown("ExecMainStatus"))
    told["witness"] = (Path("/var/lib/blickschutz-witness/anchors.jsonl")).stat().st_size > 0
    with contextlib.closing(sqlite3.connect(f"file:{_DATA}/control.db?mode=ro", uri=True)) as records:
        starts = [json.loads(text) for (text,) in records.execute("SELECT text FROM log WHERE event = 'system-started'")]
    missing = {one["facts"]["walls_missing"] for one in starts}
    told["starts"], told["walls_missing"] = len(starts), sorted(missing - {""})
    (work / "told.json").write_text(json.dumps(told), encoding="utf-8")


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


def main() -> None:
    if sys.argv[1:2] == ["--inside"]:
        _judge(Path(sys.argv[2]))
        return
    if os.geteuid() or not Path("/lib/systemd/systemd").exists() or shutil.which("unshare") is None:
        sys.exit("needs root, systemd and unshare")
    if Path("/run/systemd/system").exists():
        sys.exit("this machine has a systemd of its own: its control groups are not touched")
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="blickschutz-services-") as name:
        work = Path(name)
        work.chmod(0o755)
        _prepare(work)
        namespaces = ("--pid", "--fork", "--mount", "--ipc", "--uts", "--cgroup", "--mount-proc", "--kill-child")
        outer = subprocess.Popen(["unshare", *namespaces, "bash", str(work / "boot.sh")], stdin=subprocess.DEVNULL)
        try:
            _until((work / "told.json").exists, _LONGEST_S)
        finally:
            _end(outer)
        if not (work / "told.json").exists():
            sys.exit((work / "service.out").read_text(encoding="utf-8")[-4000:] if (work / "service.out").exists() else "nothing started")
        told = json.loads((work / "told.json").read_text(encoding="utf-8"))
    print(json.dumps(told))
    wrong = [name for name, value in told.items() if value is False or value == -1.0]
    sys.exit(1 if wrong or told["exit_code"] or told["walls_missing"] else 0)


if __name__ == "__main__":
    main()
