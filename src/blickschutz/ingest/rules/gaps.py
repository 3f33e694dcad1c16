"""Packets of RTP that are missing, by their numbers (RFC 3550, 5.1), and where in the stream that is."""

from __future__ import annotations

from collections import deque

# Kinds of RTCP as they look where the kind of an RTP packet stands (RFC 5761, 4).
_REPORTS = range(72, 77)
_HEAD, _SHORTEST, _RTP = 4, 16, 12
# A gap is found again by the middles of packets behind it, which stand in the pictures as they came: of the first ones, and of every
# 32nd as long as it is not found. What is shorter may be sent again and again, word for word (parameter sets).
_PRINT, _LEAST = 24, 64
_FIRST, _EVERY, _LATER = 8, 32, 8
_MOST_WAITING = 64
# A camera of whose packets half do not follow the one before counts something else.
_JUDGED = 50


class _Gap:
    """The gap of that number, before a packet of the picture with that time; `fresh`: it began this picture, which lacks nothing."""

    __slots__ = ("behind", "fresh", "number", "prints", "stamp")

    def __init__(self, number: int, stamp: bytes, fresh: bool) -> None:
        self.number, self.stamp, self.fresh = number, stamp, fresh
        # Middles of packets, and whether the picture that they are of lacks nothing; how many packets came.
        self.prints: list[tuple[bytes, bool]] = []
        self.behind = 0

    def lies_in(self, data: bytes) -> bool | None:
        return next((whole for one, whole in list(self.prints) if one in data), None)


class Gaps:
    """Of one connection. Numbers out of order count as missing, too: whoever waits for them may give up before they come.

    One thread takes the packets; another may ask for the rest.
    """

    def __init__(self) -> None:
        self.count = self._taken = 0
        self._next: dict[int, int] = {}
        self._waiting: deque[_Gap] = deque(maxlen=_MOST_WAITING)

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
        self._taken += 1
        if self._next.get(channel, number) != number:
            # Before the count, which says that there is something to find.
            self._waiting.append(_Gap(self.count + 1, bytes(data[start + 4 : start + 8]), _begins(data, start + _RTP, start + length)))
            self.count += 1
        self._next[channel] = number + 1 & 0xFFFF
        if self._waiting:
            self._print(data, start, length)

    @property
    def tells(self) -> bool:
        """Whether the numbers say anything: those of a camera that counts wrongly do not."""
        return self._taken < _JUDGED or 2 * self.count <= self._taken

    @property
    def waiting(self) -> bool:
        """Whether there is a gap that was not found yet."""
        return bool(self._waiting)

    def found(self, data: bytes) -> bool | None:
        """Whether the coded picture `data`, which lies behind a gap that was not found yet, lacks nothing; None where it lies before."""
        for index, gap in reversed(list(enumerate(list(self._waiting)))):
            whole = gap.lies_in(data)
            if whole is not None:
                for _ in range(index + 1):
                    self._waiting.popleft()
                return whole
        return None

    def forget(self, count: int) -> None:
        """Of the first `count` none will be found any more."""
        while self._waiting and self._waiting[0].number <= count:
            self._waiting.popleft()

    def _print(self, data: bytes | bytearray, start: int, length: int) -> None:
        if length < _RTP + _LEAST:
            return
        gap = self._waiting[-1]
        gap.behind += 1
        if gap.behind <= _FIRST or gap.behind % _EVERY == 0:
            whole = gap.fresh or bytes(data[start + 4 : start + 8]) != gap.stamp
            middle = start + (_RTP + length - _PRINT) // 2
            gap.prints.append((bytes(data[middle : middle + _PRINT]), whole))
            del gap.prints[_FIRST:-_LATER]


def _begins(data: bytes | bytearray, start: int, end: int) -> bool:
    """Whether a payload is what only a picture begins with: a delimiter or parameter sets, alone or the first of several
    (H.264: RFC 6184, 5.7.1; H.265: RFC 7798, 4.4.2). What is either in one codec is neither in the other.
    """
    kinds = [data[one] for one in (start, start + 3, start + 4) if one < end]
    if len(kinds) < 3:
        return False
    first, in_h264, in_h265 = kinds
    if first & 0x1F == 24:
        first = in_h264
    elif first == 0x60:
        first = in_h265
    return first & 0x9F in {7, 9} or first in {0x40, 0x42, 0x46}
