"""How media come: what a SETUP asks for and what its answer grants (`Transport`, RFC 2326, 12.39), from one form to the other.

Whoever reads the stream asks for packets within RTSP's own connection and gets them so. Where the camera is to send datagrams, its
side of the question and of the answer is another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

_CHANNELS = re.compile(r"interleaved=(\d{1,3})-(\d{1,3})")
_PORTS = r"{name}=(\d{{1,5}})(?:-(\d{{1,5}}))?"


@dataclass(frozen=True, slots=True)
class Channels:
    """Numbers of the packets within the connection: media, and reports about them."""

    media: int
    reports: int

    def packed(self) -> str:
        return f"RTP/AVP/TCP;unicast;interleaved={self.media}-{self.reports}"


@dataclass(frozen=True, slots=True)
class Granted:
    """To which ports the camera sends (`group`: to which group of a multicast), and from which of its own, 0 where it does not say."""

    group: str
    media: int
    reports: int
    camera_media: int
    camera_reports: int


def channels_of(transport: str) -> Channels | None:
    """What a SETUP asks for within the connection; None where it asks for something else."""
    found = _CHANNELS.search(transport)
    return Channels(int(found[1]), int(found[2])) if found and max(int(found[1]), int(found[2])) < 256 else None


def unicast(media: int) -> str:
    return f"RTP/AVP;unicast;client_port={media}-{media + 1}"


MULTICAST = "RTP/AVP;multicast"


def granted(transport: str, group: bool) -> Granted | None:
    """What the answer grants, None where that are no datagrams, or not in the way that was asked for."""
    first = transport.split(",")[0].strip()
    head, *fields = (one.strip() for one in first.split(";"))
    if head.upper() not in {"RTP/AVP", "RTP/AVP/UDP"} or ("multicast" in fields) is not group:
        return None
    if not group:
        return Granted("", 0, 0, *_ports(first, "server_port"))
    place = next((one.partition("=")[2] for one in fields if one.startswith("destination=")), "")
    media, reports = _ports(first, "port")
    try:
        is_group = ip_address(place).is_multicast
    except ValueError:
        is_group = False
    # Another address than that of a group would be one of somebody's.
    return Granted(place, media, reports, 0, 0) if is_group and 1024 <= media < reports < 65536 else None


def _ports(transport: str, name: str) -> tuple[int, int]:
    found = re.search(_PORTS.format(name=rf"(?<![a-z_]){name}"), transport)
    if found is None:
        return 0, 0
    media, reports = int(found[1]), int(found[2] or int(found[1]) + 1)
    return (media, reports) if max(media, reports) < 65536 else (0, 0)
