"""Media as datagrams (RTP over UDP, RFC 3550), to this camera's side of the gate and no further."""

from __future__ import annotations

import contextlib
import socket
import struct
from ipaddress import ip_address

from blickschutz.ingest.io.connection import shut
from blickschutz.ingest.rules.transport import MULTICAST, Channels, Granted, granted, unicast

_MOST_AT_ONCE, _LARGEST = 64, 65535
_BUFFER = 2 * 1024 * 1024
_TRIES = 64
# A packet of media without a picture, and a report about nothing: a firewall on the way lets in what answers them (as FFmpeg does it).
_PUNCH = b"\x80" + b"\0" * 11, b"\x80\xc9\0\x01\0\0\0\0"


class Datagrams:
    """The datagrams of one stream. `connection` is that with the camera: they come from its address, or are dropped and counted.

    Raises `OSError` where no ports are free, and in `grant` where a group cannot be joined.
    """

    def __init__(self, connection: socket.socket, channels: Channels, *, group: bool) -> None:
        self._own, self._camera = connection.getsockname()[0], connection.getpeername()[0]
        self._family, self._channels, self._group = connection.family, channels, group
        self._numbers: dict[socket.socket, int] = {}
        self._to: dict[int, tuple[socket.socket, tuple[str, int]]] = {}
        self.came = self.foreign = 0
        self._port = 0
        if not group:
            self._port = self._bind_pair()

    @property
    def sockets(self) -> list[socket.socket]:
        return list(self._numbers)

    @property
    def asked(self) -> str:
        """What a SETUP asks the camera for."""
        return MULTICAST if self._group else unicast(self._port)

    def grant(self, transport: str) -> bool:
        """Take what the camera grants; whether that is what was asked for."""
        found = granted(transport, self._group)
        if found is None:
            return False
        if self._group:
            self._join(found)
        media, reports = self._channels.media, self._channels.reports
        by_number = {number: one for one, number in self._numbers.items()}
        for number, port, punch in ((media, found.camera_media, _PUNCH[0]), (reports, found.camera_reports, _PUNCH[1])):
            if port:
                self._to[number] = by_number[number], (self._camera, port)
                self.send(number, punch)
        return True

    def receive(self, one: socket.socket) -> bytes:
        """What came there, as packets within RTSP's own connection (RFC 2326, 10.12)."""
        out = bytearray()
        for _ in range(_MOST_AT_ONCE):
            try:
                data, place = one.recvfrom(_LARGEST)
            except BlockingIOError:
                break
            except ConnectionError:
                continue  # what was sent there came to nobody
            if _plain(place[0]) != _plain(self._camera):
                self.foreign += 1
                continue
            self.came += 1
            out += struct.pack(">cBH", b"$", self._numbers[one], len(data)) + data
        return bytes(out)

    def send(self, number: int, data: bytes) -> None:
        """To the camera, where it said to which port; it may as well get lost."""
        if number in self._to:
            one, place = self._to[number]
            with contextlib.suppress(OSError):
                one.sendto(data, place)

    def close(self) -> None:
        for one in self._numbers:
            shut(one)

    def _bind_pair(self) -> int:
        """Two ports in a row, the first even (RFC 3550, 11), at the address that the camera knows."""
        for _ in range(_TRIES):
            media = self._socket(self._own, 0)
            port = int(media.getsockname()[1])
            with contextlib.suppress(OSError):  # the next one is somebody's
                if port % 2 == 0:
                    reports = self._socket(self._own, port + 1)
                    self._numbers = {media: self._channels.media, reports: self._channels.reports}
                    return port
            media.close()
        raise OSError("no two ports are free")

    def _join(self, found: Granted) -> None:
        for port, number in ((found.media, self._channels.media), (found.reports, self._channels.reports)):
            one = self._socket(found.group, port)
            self._numbers[one] = number
            if self._family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, found.group) + b"\0" * 4)
            else:
                one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(found.group) + socket.inet_aton(self._own))

    def _socket(self, address: str, port: int) -> socket.socket:
        one = socket.socket(self._family, socket.SOCK_DGRAM)
        try:
            one.setblocking(False)
            if self._group:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            one.bind((address, port))
        except OSError:
            one.close()
            raise
        return one


def _plain(address: str) -> str:
    """Without the zone of an IPv6 address, and an IPv4 address as such."""
    found = ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)
