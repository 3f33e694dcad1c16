"""Namespaces of our own: what is mounted, started or listens here is gone with this process, however it ends."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_MARK = "BLICKSCHUTZ_FAULTS_INSIDE"
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_PR_SET_CHILD_SUBREAPER = 36


def enter() -> None:
    """Run this command again inside namespaces for mounts, processes and network; returns there.

    Ends with a message where the machine does not allow it.
    """
    if os.environ.get(_MARK) != "1":
        if shutil.which("unshare") is None or os.getuid() != 0:
            sys.exit("benchmarks.faults mounts disks and starts processes in namespaces of their own: it needs root and util-linux")
        options = ["--mount", "--pid", "--net", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
        os.environ[_MARK] = "1"
        os.execvp("unshare", ["unshare", *options, *sys.orig_argv])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        asked = fcntl.ioctl(probe, _SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        (flags,) = struct.unpack_from("h", asked, 16)
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))
    # What loses its parent becomes ours, also where we are not the first process of the namespace.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("told to end"))


def mount_disk(path: Path, megabytes: int) -> None:
    """A disk of its own in memory."""
    path.mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "disk", str(path))


def unmount(path: Path) -> None:
    """At once, even if somebody still uses it."""
    subprocess.run(["umount", "-R", "-l", str(path)], check=False, capture_output=True)


def remount(path: Path, *, writable: bool) -> bool:
    """Whether it could be done: a disk on which a file is open for writing does not become read-only."""
    how = "remount,rw" if writable else "remount,ro"
    return subprocess.run(["mount", "-o", how, str(path)], check=False, capture_output=True).returncode == 0


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def children(pid: int) -> list[int]:
    """The processes that a process started and that are still there."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            found += [int(one) for one in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    return found


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def name_of(pid: int) -> str:
    """What it calls itself; empty where there is no such process."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return ""


def state_of(pid: int) -> str:
    """One letter as in `ps`: R, S, D, T, Z; empty where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def everybody() -> list[int]:
    """All processes of the namespace."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def family(pid: int) -> Iterator[int]:
    """A process and everything that it started, the youngest first."""
    for child in children(pid):
        yield from family(child)
    yield pid


def send(pid: int, number: int) -> None:
    """A signal to one process; 0 would be all of our own group, -1 everybody."""
    if pid <= 1:
        raise ProcessLookupError(f"{pid} is no process of the system")
    os.kill(pid, number)


def end_all(pids: list[int]) -> None:
    """Kill these processes, by id, and take their remains."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            send(pid, signal.SIGCONT)
            send(pid, signal.SIGKILL)
    end = time.monotonic() + 5
    while any(state_of(pid) not in {"", "Z"} for pid in pids) and time.monotonic() < end:
        time.sleep(0.01)
    reap(pids)


def reap(pids: list[int]) -> None:
    """Orphans that ended are ours to bury."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
