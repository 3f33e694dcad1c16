"""Cameras on the network, by WS-Discovery (OASIS WS-Discovery 2005/04, as ONVIF Core 7 has it)."""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import uuid
from collections.abc import Sequence
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
    try:
        with asking(interface) as asks:
            return answers(clock, seconds, [asks], group)
    except OSError as error:
        raise OperatorError(f"nobody can be asked{f' from {interface}' if interface else ''}: {error.strerror or error}") from error


def asking(interface: str = "") -> socket.socket:
    """From where a network is asked. Raises `OSError`."""
    asks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if interface:
            asks.bind((interface, 0))
            asks.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        asks.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    except OSError:
        asks.close()
        raise
    return asks


def own_address(network: ipaddress.IPv4Network) -> str:
    """This machine's address in that network, empty where it has none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as looks:
        try:
            looks.connect((str(network.network_address + (1 if network.num_addresses > 2 else 0)), GROUP[1]))
        except OSError:
            return ""
        own = str(looks.getsockname()[0])
    return own if ipaddress.ip_address(own) in network else ""


def answers(clock: Clock, seconds: float, asked: Sequence[socket.socket], group: tuple[str, int] = GROUP) -> list[Answered]:
    """Ask once from each of those sockets, and listen to all of them so long. Raises `OSError` where nobody can be asked."""
    found: dict[Answered, None] = {}
    for one in asked:
        one.sendto(probe(uuid.uuid4().urn), group)
    until = clock.monotonic() + seconds
    while len(found) < _MOST and (left := until - clock.monotonic()) > 0:
        for one in select.select(asked, [], [], left)[0]:
            data, place = one.recvfrom(_LARGEST)
            with contextlib.suppress(ValueError):  # somebody said something else
                found |= dict.fromkeys(Answered(place[0], *match) for match in matches_of(read_xml(data)))
    return sorted(found, key=lambda one: (one.host, one.address))
