"""Cameras on the network, by WS-Discovery (OASIS WS-Discovery 2005/04, as ONVIF Core 7 has it)."""

from __future__ import annotations

import socket
import uuid
from dataclasses import dataclass

from blickschutz.ingest.rules.onvif import matches_of, probe
from blickschutz.ingest.rules.xml import read_xml
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import OperatorError

GROUP = ("239.255.255.250", 3702)
_MOST, _LARGEST = 256, 65_535


@dataclass(frozen=True, slots=True)
class Answered:
    """Who answered: from where, what address it says of its service, how it calls itself. Nothing of it is proven."""

    host: str
    address: str
    name: str


def find(clock: Clock, seconds: float, interface: str = "", group: tuple[str, int] = GROUP) -> list[Answered]:
    """Ask once, and listen so long. `interface` is this machine's address in the network to be asked, empty for the usual one.

    Raises `OperatorError` where nothing can be asked there.
    """
    found: dict[Answered, None] = {}
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asks:
            if interface:
                asks.bind((interface, 0))
                asks.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
            asks.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            asks.sendto(probe(uuid.uuid4().urn), group)
            until = clock.monotonic() + seconds
            while len(found) < _MOST and (left := until - clock.monotonic()) > 0:
                asks.settimeout(left)
                try:
                    data, place = asks.recvfrom(_LARGEST)
                    found |= dict.fromkeys(Answered(place[0], *match) for match in matches_of(read_xml(data)))
                except (TimeoutError, ValueError):
                    continue  # the time is over, or somebody said something else
    except OSError as error:
        raise OperatorError(f"nobody can be asked{f' from {interface}' if interface else ''}: {error.strerror or error}") from error
    return sorted(found, key=lambda one: (one.host, one.address))
