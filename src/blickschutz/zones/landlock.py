"""Landlock (Linux 5.13 and newer): files and TCP ports of a process. See linux/landlock.h and Documentation/userspace-api/landlock.rst.

It binds the calling thread and whatever that thread starts from then on, so it is asked for before there is a second one.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Mapping

from blickschutz.kernel.errors import FaultError
from blickschutz.zones.model import Profile, Right

# The same numbers on every architecture.
_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_DIR, _MAKE_REG, _MAKE_SOCK, _MAKE_SYM, _REFER, _TRUNCATE, _IOCTL_DEV = (1 << bit for bit in (7, 8, 9, 12, 13, 14, 15))
_BIND_TCP, _CONNECT_TCP = 1, 2
_SCOPES = 0b11
# How many of the rights over files each version of the interface knows.
_KNOWN_BITS = {1: 13, 2: 14, 3: 15, 4: 15}
_MOST_BITS = 16
PORTS_SINCE, TRUNCATION_SINCE, SCOPES_SINCE = 4, 3, 6
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_MASKS: Mapping[Right, int] = {
    Right.LIST: _READ_DIR,
    Right.READ: _READ_FILE | _READ_DIR,
    Right.ADD: _WRITE_FILE | _MAKE_REG,
    Right.CHANGE: _WRITE_FILE | _TRUNCATE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _MAKE_SYM | _REFER,
    Right.RUN: _EXECUTE | _READ_FILE,
    Right.LISTEN: _MAKE_SOCK,
    Right.OVERWRITE: _WRITE_FILE | _TRUNCATE,
    Right.DEVICE: _READ_FILE | _WRITE_FILE | _IOCTL_DEV,
}


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def version() -> int:
    """The version of the interface that this kernel has and grants; 0 for none."""
    try:
        return max(0, _call(_CREATE, None, ctypes.c_size_t(0), _VERSION))
    except (OSError, AttributeError):
        return 0


def restrict(profile: Profile, abi: int) -> None:
    """Hold the calling thread, and what it starts, to `profile` for good, as far as `abi` goes (> 0). Raises `FaultError`."""
    known = (1 << _KNOWN_BITS.get(abi, _MOST_BITS)) - 1
    ports = _BIND_TCP | _CONNECT_TCP if abi >= PORTS_SINCE else 0
    scopes = _SCOPES if abi >= SCOPES_SINCE and not profile.signals else 0
    size = 24 if abi >= SCOPES_SINCE else 16 if abi >= PORTS_SINCE else 8
    try:
        ruleset = _call(_CREATE, ctypes.byref(_Ruleset(known, ports, scopes)), ctypes.c_size_t(size), 0)
        try:
            for grant in profile.files:
                _allow(ruleset, os.fspath(grant.path), mask_of(grant.rights) & known)
            if ports:
                _allow_ports(ruleset, profile)
            _call(_RESTRICT, ruleset, 0)
        finally:
            os.close(ruleset)
    except (OSError, AttributeError) as error:
        raise FaultError(f"the {profile.zone} could not be confined by Landlock {abi}: {error}") from error


def mask_of(rights: Right) -> int:
    """The kernel's bits for rights over files."""
    mask = 0
    for right in rights:
        mask |= _MASKS[right]
    return mask


def _allow(ruleset: int, path: str, mask: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return  # what is not there, or not for this user, needs no rule
    try:
        allowed = mask if stat.S_ISDIR(os.fstat(handle).st_mode) else mask & _FILE_RIGHTS
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(_PathBeneath(allowed, handle)), 0)
    finally:
        os.close(handle)


def _allow_ports(ruleset: int, profile: Profile) -> None:
    for port in profile.connect | profile.bind:
        allowed = (_CONNECT_TCP if port in profile.connect else 0) | (_BIND_TCP if port in profile.bind else 0)
        _call(_ADD_RULE, ruleset, _NET_PORT, ctypes.byref(_NetPort(allowed, port)), 0)


def _call(number: int, *arguments: object) -> int:
    answer = int(ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments))
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answer
