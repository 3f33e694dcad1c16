"""What this machine says of its network, its clock and its walls between processes, from /proc and the kernel (Linux)."""

from __future__ import annotations

import ctypes
import ipaddress
from pathlib import Path

from blickschutz.compliance.model import Machine
from blickschutz.zones.hardening import lacking

_LISTEN, _ESTABLISHED, _SYN_SENT = "0A", "01", "02"
_TIME_ERROR = 5
_MICRO = 1e6


class _TimeVal(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_usec", ctypes.c_long))


class _NtpTime(ctypes.Structure):
    """`struct ntptimeval` of glibc's <sys/timex.h>."""

    _fields_ = (
        ("time", _TimeVal),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("tai", ctypes.c_long),
        ("reserved", ctypes.c_long * 4),
    )


def look(proc: Path = Path("/proc"), resolv: Path = Path("/etc/resolv.conf"), *, devices: bool = False) -> Machine:
    """Look at the machine. What cannot be read is left out. `devices`: pictures are in the memory of graphics cards or the like, too."""
    sockets = [*_sockets(proc / "net/tcp"), *_sockets(proc / "net/tcp6")]
    return Machine(
        default_routes=(*_routes_4(proc / "net/route"), *_routes_6(proc / "net/ipv6_route")),
        resolvers=tuple(parts[1] for parts in _rows(resolv) if len(parts) > 1 and parts[0] == "nameserver"),
        listening=tuple(sorted({here for state, here, _ in sockets if state == _LISTEN})),
        connections=tuple(sorted({there for state, _, there in sockets if state in {_ESTABLISHED, _SYN_SENT}})),
        drift_s=_drift(),
        walls_missing=tuple(sorted(lacking(devices=devices))),
    )


def unroutable(proc: Path = Path("/proc")) -> int:
    """How often since its start the kernel had no way for what somebody wanted to send (RFC 4293, ipSystemStatsOutNoRoutes)."""
    four = [row for row in _rows(proc / "net/snmp") if row and row[0] == "Ip:"]
    count = int(dict(zip(four[0], four[1], strict=True))["OutNoRoutes"]) if len(four) == 2 else 0
    return count + sum(int(row[1]) for row in _rows(proc / "net/snmp6") if row and row[0] == "Ip6OutNoRoutes")


def _rows(path: Path) -> list[list[str]]:
    try:
        return [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return []


def _routes_4(path: Path) -> list[str]:
    """Interfaces with a default route: destination and mask are nought, and the route is up."""
    return [row[0] for row in _rows(path)[1:] if len(row) > 7 and row[1] == row[7] == "00000000" and int(row[3], 16) & 1]


def _routes_6(path: Path) -> list[str]:
    """The same for IPv6; the kernel's own reject routes lead to the loopback and nowhere."""
    return [row[9] for row in _rows(path) if len(row) > 9 and row[0] == "0" * 32 and row[1] == "00" and row[9] != "lo"]


def _sockets(path: Path) -> list[tuple[str, str, str]]:
    """State, own address and other address of each TCP socket, as `host:port`."""
    return [(row[3], _address(row[1]), _address(row[2])) for row in _rows(path)[1:] if len(row) > 3]


def _address(text: str) -> str:
    host, port = text.split(":")
    # Words of four bytes, each in the machine's byte order.
    words = b"".join(bytes.fromhex(host[start : start + 8])[::-1] for start in range(0, len(host), 8))
    address = ipaddress.ip_address(words)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return f"{mapped or address}:{int(port, 16)}"


def _drift() -> float | None:
    """The most by which the clock can be off, in seconds, where something keeps it right (ntp_gettime(3))."""
    try:
        library = ctypes.CDLL(None)
        now = _NtpTime()
        state = library.ntp_gettime(ctypes.byref(now))
    except (OSError, AttributeError):
        return None
    return None if state in {-1, _TIME_ERROR} else now.maxerror / _MICRO
