"""What a process asks of the kernel before it touches a picture or a key. Linux: prctl(2), getrlimit(2)."""

from __future__ import annotations

import ctypes
import resource
from collections.abc import Callable
from enum import StrEnum

import structlog

_log = structlog.get_logger(__name__)
# From linux/prctl.h.
_PR_SET_DUMPABLE, _PR_GET_DUMPABLE = 4, 3
_PR_SET_NO_NEW_PRIVS, _PR_GET_NO_NEW_PRIVS = 38, 39


class Wall(StrEnum):
    """What can be asked for."""

    UNREADABLE = "unreadable"
    """No other process of the same user reads its memory, traces it, or takes its descriptors."""
    NO_CORE = "no-core"
    """A crash writes no memory to disk."""
    NO_NEW_RIGHTS = "no-new-rights"
    """No program that it starts has more rights than itself."""


def harden() -> frozenset[Wall]:
    """Raise every wall around this process, for good; what it starts by `fork` has them too. Returns those that do not stand.

    A program that it starts anew (`exec`) is readable again and has to ask for itself.
    """
    missing = {wall for wall, raised in _WALLS.items() if not raised()}
    if missing:
        _log.error("walls_missing", walls=sorted(missing))
    return frozenset(missing)


def standing() -> frozenset[Wall]:
    """The walls that stand around this process now."""
    found = {
        Wall.UNREADABLE: _prctl(_PR_GET_DUMPABLE, 0) == 0,
        Wall.NO_CORE: resource.getrlimit(resource.RLIMIT_CORE) == (0, 0),
        Wall.NO_NEW_RIGHTS: _prctl(_PR_GET_NO_NEW_PRIVS, 0) == 1,
    }
    return frozenset(wall for wall, stands in found.items() if stands)


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


_WALLS: dict[Wall, Callable[[], bool]] = {
    Wall.UNREADABLE: lambda: _prctl(_PR_SET_DUMPABLE, 0) == 0,
    Wall.NO_CORE: _without_core,
    Wall.NO_NEW_RIGHTS: lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1) == 0,
}
