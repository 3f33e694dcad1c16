"""Packets of RTP that are missing, by their numbers (RFC 3550, 5.1)."""

from __future__ import annotations

# Kinds of RTCP as they look where the kind of an RTP packet stands (RFC 5761, 4).
_REPORTS = range(72, 77)
_HEAD, _SHORTEST = 4, 16


class Gaps:
    """Of one connection. Numbers out of order count as missing, too: whoever waits for them may give up before they come."""

    def __init__(self) -> None:
        self.count = 0
        self._next: dict[int, int] = {}

    def take_all(self, data: bytes) -> None:
        """Whole interleaved packets, one behind the other."""
        place = 0
        while place < len(data):
            self.take(data, place)
            place += _HEAD + (data[place + 2] << 8 | data[place + 3])

    def take(self, data: bytes | bytearray, place: int) -> None:
        """The interleaved packet (RFC 2326, 10.12) that lies at `place`."""
        start, length = place + _HEAD, data[place + 2] << 8 | data[place + 3]
        if length < _SHORTEST - _HEAD or data[start] >> 6 != 2 or data[start + 1] & 0x7F in _REPORTS:
            return
        channel, number = data[place + 1], data[start + 2] << 8 | data[start + 3]
        self.count += self._next.get(channel, number) != number
        self._next[channel] = number + 1 & 0xFFFF
