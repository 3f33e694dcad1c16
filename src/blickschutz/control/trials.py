"""What may be tried from a browser, and what not: an address by scheme, host, port and network. Pure."""

from __future__ import annotations

import ipaddress
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from blickschutz.config.model import SiteFile
from blickschutz.ingest.rules.address import CameraAddress, read_address
from blickschutz.kernel.hosts import number_of

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
# Where cameras are reached; others only where the site file has a camera there.
PORTS: Final = frozenset({80, 322, 443, 554, 8080, 8443, 8554})
DEVICE_PATH: Final = "/onvif/device_service"
MOST_AT_ONCE: Final = 2
MOST_IN_A_MINUTE: Final = 12
_AROUND_4, _AROUND_6 = 24, 64
_MINUTE_S = 60.0


class NotTried(StrEnum):
    """Why nothing was tried. The pages have words for each."""

    ADDRESS = "address"
    SECRET = "secret"
    NAME = "name"
    NO_NETWORK = "no-network"
    NETWORK = "network"
    PORT = "port"
    STOPPED = "stopped"
    PREPARING = "preparing"
    OWN = "own"
    MANY = "many"
    OFTEN = "often"
    LOG = "log"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants tried: a stream, or (`device`) a camera's ONVIF service, which says where its streams are."""

    address: CameraAddress
    device: bool

    @property
    def shown(self) -> str:
        """Scheme, host and port: what the log says."""
        return f"{self.address.scheme}://{self.address.place}"

    @property
    def plain(self) -> str:
        """The whole address, without an account."""
        return f"{self.shown}{self.address.path}"


def read_wanted(text: str) -> Wanted | NotTried:
    """An address as somebody typed it; a number alone is a camera whose ONVIF service is asked."""
    text = text.strip()
    number = number_of(text)
    if number is not None:
        text = f"http://[{number}]{DEVICE_PATH}" if number.version == 6 else f"http://{number}{DEVICE_PATH}"
    found = read_address(text)
    if found is None:
        return NotTried.ADDRESS
    if found.user or found.password:
        return NotTried.SECRET
    return Wanted(found, found.scheme in {"http", "https"} and found.path.startswith("/onvif/"))


def device_of(stream: CameraAddress) -> Wanted:
    """Where the same camera would have its ONVIF service by custom."""
    return Wanted(CameraAddress("http", stream.host, 80, DEVICE_PATH), True)


def networks_of(site: SiteFile) -> tuple[Network, ...]:
    """Where cameras may be tried: as the file says, else around the cameras that it names by a private number."""
    if site.site.camera_networks:
        return tuple(ipaddress.ip_network(one) for one in site.site.camera_networks)
    numbers = (number_of(one.host) for one in _cameras(site))
    around = (
        ipaddress.ip_network(f"{number}/{_AROUND_4 if number.version == 4 else _AROUND_6}", strict=False)
        for number in numbers
        if number is not None and number.is_private and not number.is_loopback
    )
    return tuple(dict.fromkeys(around))


def ports_of(site: SiteFile) -> frozenset[int]:
    """Ports that are tried: the usual ones, and those of the site's cameras."""
    return PORTS | {one.port for one in _cameras(site)}


def refusal(address: CameraAddress, site: SiteFile) -> NotTried | None:
    """Why that address is not tried on this site; None where it may be."""
    number = number_of(address.host)
    if number is None:
        return NotTried.NAME
    networks = networks_of(site)
    if not networks:
        return NotTried.NO_NETWORK
    within = next((network for network in networks if number in network), None)
    if within is None or not _is_one_host(number, within) or address.host == site.server.host:
        return NotTried.NETWORK
    return None if address.port in ports_of(site) else NotTried.PORT


def _is_one_host(number: ipaddress.IPv4Address | ipaddress.IPv6Address, network: Network) -> bool:
    """No group, no broadcast; this machine only where the network is a part of it."""
    if number.is_multicast or number.is_unspecified or (number.is_loopback and not network.is_loopback):
        return False
    edges = {network.network_address, network.broadcast_address} if network.num_addresses > 2 and number.version == 4 else set()
    return number not in edges


def _cameras(site: SiteFile) -> Iterator[CameraAddress]:
    for camera in site.cameras:
        for address in camera.addresses:
            found = read_address(address)
            if found is not None:
                yield found


@dataclass(slots=True)
class Turns:
    """Who tries something now, and how often something was tried lately."""

    people: set[str] = field(default_factory=set)
    begun: deque[float] = field(default_factory=deque)

    def begin(self, person: str, now: float) -> NotTried | None:
        """Take a turn at `now` (monotonic); or why there is none."""
        while self.begun and self.begun[0] <= now - _MINUTE_S:
            self.begun.popleft()
        if person in self.people:
            return NotTried.OWN
        if len(self.people) >= MOST_AT_ONCE:
            return NotTried.MANY
        if len(self.begun) >= MOST_IN_A_MINUTE:
            return NotTried.OFTEN
        self.people.add(person)
        self.begun.append(now)
        return None

    def end(self, person: str) -> None:
        self.people.discard(person)
