"""What a process asks of the kernel before it touches a picture or a key. Linux: prctl(2), getrlimit(2), seccomp(2), proc(5)."""

from __future__ import annotations

import ctypes
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from blickschutz.kernel.errors import FaultError
from blickschutz.zones import landlock
from blickschutz.zones.bpf import packed, program
from blickschutz.zones.calls import checks, only
from blickschutz.zones.model import Profile, Wall
from blickschutz.zones.numbers import architecture

_log = structlog.get_logger(__name__)
# From linux/prctl.h and linux/seccomp.h.
_PR_SET_DUMPABLE, _PR_GET_DUMPABLE = 4, 3
_PR_SET_NO_NEW_PRIVS, _PR_GET_NO_NEW_PRIVS = 38, 39
_PR_SET_SECCOMP, _FILTER = 22, 2
_EFAULT = 14
_SWAPS, _STATUS, _DUMPED = Path("/proc/swaps"), Path("/proc/self/status"), Path("/proc/self/coredump_filter")
# From asm-generic/mman.h: what is mapped, what will be, each page once it is used (Linux 4.4).
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
# From linux/capability.h.
_CAP_IPC_LOCK = 14


def harden() -> frozenset[Wall]:
    """Raise those walls around this process that need no profile, for good; what it starts by `fork` has them too.

    Returns those that do not stand. A program that it starts anew (`exec`) is readable again and has to ask for itself.
    """
    missing = {wall for wall, raised in _WALLS.items() if not raised()}
    _hold()
    if missing:
        _log.error("walls_missing", walls=sorted(missing))
    return frozenset(missing)


def confine(profile: Profile) -> frozenset[Wall]:
    """Hold this process to `profile` for good, before it has a second thread; what it starts from then on is held to it too.

    Returns the walls that this kernel does not have: the process works without them, and the start says so. Raises `FaultError` where
    it has one that could not be raised: then the process must end, with nothing opened.
    """
    if threading.active_count() > 1 or _threads() > 1:
        raise FaultError(f"the {profile.zone} has threads already, which could not be confined")
    missing, abi, machine = lacking(devices=profile.devices), landlock.version(), architecture()
    if Wall.NO_NEW_RIGHTS not in standing():
        raise FaultError(f"the {profile.zone} could gain rights: nothing holds it")
    if abi:
        landlock.restrict(profile, abi)
    if machine is not None and Wall.CALLS not in missing:
        _filter(packed(program(machine.audit, checks(profile, machine), only(profile, machine))), profile)
    return missing


def lacking(*, devices: bool = False) -> frozenset[Wall]:
    """The walls that this machine does not have, whoever asks for them. Nothing is raised by asking.

    `devices`: pictures are in the memory of a driver, too, which holding a process's own does not hold.
    """
    abi = landlock.version()
    found = {
        Wall.FILES: abi > 0,
        Wall.TRUNCATION: abi >= landlock.TRUNCATION_SINCE,
        Wall.PORTS: abi >= landlock.PORTS_SINCE,
        Wall.SIGNALS: abi >= landlock.SCOPES_SINCE,
        Wall.CALLS: architecture() is not None and _has_filters(),
        Wall.NO_SWAP: (held() and not devices) or not _swaps(),
    }
    return frozenset(wall for wall, there in found.items() if not there)


def standing() -> frozenset[Wall]:
    """The walls of `harden` that stand around this process now."""
    found = {
        Wall.UNREADABLE: _prctl(_PR_GET_DUMPABLE, 0) == 0,
        Wall.NO_CORE: resource.getrlimit(resource.RLIMIT_CORE) == (0, 0),
        Wall.NO_DUMP: _left_out(),
        Wall.NO_NEW_RIGHTS: _prctl(_PR_GET_NO_NEW_PRIVS, 0) == 1,
    }
    return frozenset(wall for wall, stands in found.items() if stands)


def held() -> bool:
    """Whether every page that this process has in memory stays there, as the kernel counts it (proc(5), VmLck and VmRSS)."""
    status = _status()
    return status.get("VmLck", 0) >= status.get("VmRSS", 1)


def _prctl(option: int, value: int) -> int:
    """The kernel's answer; -1 where it refuses or does not know the option."""
    try:
        return int(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0))
    except (OSError, AttributeError):
        return -1


def _without_core() -> bool:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):
        return False
    return True


def _without_dump() -> bool:
    """Nothing of its memory is written by whatever makes a core of it: the kernel, or root's debugger. A child inherits it; who is
    unreadable already cannot change it any more.
    """
    if _left_out():
        return True
    try:
        _DUMPED.write_text("0", encoding="ascii")
    except OSError:
        return False
    return _left_out()


def _left_out() -> bool:
    try:
        return int(_DUMPED.read_text(encoding="ascii"), 16) == 0
    except FileNotFoundError:
        return _DUMPED.parent.is_dir()  # a kernel that makes no cores
    except OSError:
        return False


def _hold() -> None:
    """Keep all memory of this process out of swap, where it may hold as much as it wants. With a bound it could be refused memory in the
    middle of its work. A child has to ask for itself: holding is not inherited.
    """
    _, most = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if most != resource.RLIM_INFINITY and not _status().get("CapEff", 0) >> _CAP_IPC_LOCK & 1:
        return
    try:
        if most == resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (most, most))
        ctypes.CDLL(None, use_errno=True).mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT)
    except (ValueError, OSError, AttributeError):
        return  # `held` tells what came of it


def _status() -> dict[str, int]:
    """What the kernel says of this process: sizes in KiB, capabilities as bits. Empty where it does not say."""
    try:
        rows = (line.split() for line in _STATUS.read_text(encoding="utf-8", errors="replace").splitlines())
        return {row[0].rstrip(":"): int(row[1], 16 if row[0].startswith("Cap") else 10) for row in rows if row[0] in _ASKED}
    except (OSError, IndexError, ValueError):
        return {}


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _filter(instructions: bytes, profile: Profile) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    made = _Program(len(instructions) // 8, instructions)
    if library.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.byref(made), 0, 0) != 0:
        raise FaultError(f"the {profile.zone} could not be held to its system calls: error {ctypes.get_errno()}")


def _has_filters() -> bool:
    """A filter that lies nowhere is asked for: a kernel that has filters says that it cannot be read."""
    ctypes.set_errno(0)
    return _prctl(_PR_SET_SECCOMP, _FILTER) == -1 and ctypes.get_errno() == _EFAULT


def _swaps() -> bool:
    """Whether the machine has a swap device; where it does not say, it is taken to have one. The first line is a heading."""
    try:
        return len(_SWAPS.read_text(encoding="ascii", errors="replace").splitlines()) > 1
    except FileNotFoundError:
        return not _SWAPS.parent.is_dir()  # a kernel that was built without
    except OSError:
        return True


def _threads() -> int:
    """Threads of this process, those of libraries too; 1 where the kernel does not tell."""
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return 1


_ASKED = frozenset({"VmLck:", "VmRSS:", "CapEff:"})
# In this order: whoever is unreadable may not write to its own files under /proc any more.
_WALLS: dict[Wall, Callable[[], bool]] = {
    Wall.NO_CORE: _without_core,
    Wall.NO_DUMP: _without_dump,
    Wall.UNREADABLE: lambda: _prctl(_PR_SET_DUMPABLE, 0) == 0,
    Wall.NO_NEW_RIGHTS: lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1) == 0,
}
