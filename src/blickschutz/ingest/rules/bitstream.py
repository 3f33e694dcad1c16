"""What the coded pictures of H.264 and H.265 say of themselves: where one can begin, and that one before it is missing.

Sources: ITU-T H.264, 7.3, 7.4.3 (frame_num) and D.2.8 (recovery point); ITU-T H.265, 7.3, 7.4.2.2 (types) and D.3.8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

_MARK = b"\0\0\1"
# So many bytes hold whatever is read of a slice, and of a parameter set with all its scaling lists.
_HEAD, _SET = 32, 640
_RECOVERY = 6
_INTRA = {2, 7}
# Profiles of H.264 whose parameter sets go on with chroma and scaling lists.
_HIGH = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}


@dataclass(frozen=True, slots=True)
class Look:
    """Of one coded picture. `clean`: it rests on no other, nor does what is shown after it. `recovers_in`: so many steps later the
    pictures are whole, whatever was before. `lost`: one that others rest on is missing before it. `step`: whether it counts as one.
    """

    clean: bool = False
    recovers_in: int | None = None
    lost: bool = False
    step: bool = True


class Looking(Protocol):
    """Looks at the coded pictures of one stream, in the order of decoding."""

    def take(self, data: bytes, marked: bool) -> Look:
        """The next picture; `marked`: the container calls it a keyframe."""
        ...


def looking(codec: str, extradata: bytes) -> Looking:
    """For `codec` as FFmpeg names it; `extradata`: the parameter sets, with start codes or as MP4 has them."""
    if codec == "h264":
        return _H264(extradata)
    return _H265(extradata) if codec == "hevc" else _Marked()


class _Marked:
    """Other codecs: what the container says."""

    def take(self, data: bytes, marked: bool) -> Look:
        del data
        return Look(clean=marked)


class _H265:
    def __init__(self, extradata: bytes) -> None:
        self._prefix = (extradata[21] & 3) + 1 if len(extradata) > 21 and extradata[0] == 1 else 0

    def take(self, data: bytes, marked: bool) -> Look:
        del marked
        recovers = None
        for nal in _nals(data, self._prefix):
            kind = nal[0] >> 1 & 0x3F
            if kind < 32:
                # Types 16 to 23 are all that a decoder can begin with.
                return Look(16 <= kind <= 23, recovers)
            if kind == 39:
                count = _recovery(nal[2:], signed=True)
                recovers = recovers if count is None else max(0, count)
        return Look()


@dataclass(frozen=True, slots=True)
class _Set:
    bits: int
    gaps: bool
    planes: bool


class _H264:
    def __init__(self, extradata: bytes) -> None:
        self._prefix = (extradata[4] & 3) + 1 if len(extradata) > 6 and extradata[0] == 1 else 0
        self._sets: dict[int, _Set] = {}
        self._set_of: dict[int, int] = {}
        # frame_num of the newest picture, and of the newest that others may rest on.
        self._number: int | None = None
        self._rested: int | None = None
        for nal in _stored(extradata) if self._prefix else _nals(extradata, 0):
            self._learn(nal)

    def take(self, data: bytes, marked: bool) -> Look:
        recovers = None
        for nal in _nals(data, self._prefix):
            kind = nal[0] & 0x1F
            if kind in {1, 5}:
                return self._slice(nal, recovers, marked)
            if kind == 6:
                count = _recovery(nal[1:], signed=False)
                recovers = recovers if count is None else count
            else:
                self._learn(nal)
        return Look()

    def _learn(self, nal: bytes) -> None:
        """Take a parameter set. One that breaks off is none: without it nothing is said to be missing."""
        kind = nal[0] & 0x1F if nal else 0
        try:
            if kind == 7:
                number, found = _read_set(_Bits(nal[1:_SET]))
                self._sets[number] = found
            elif kind == 8:
                bits = _Bits(nal[1:_HEAD])
                self._set_of[bits.exp()] = bits.exp()
        except ValueError:
            return

    def _slice(self, nal: bytes, recovers: int | None, marked: bool) -> Look:
        idr, rested_on = nal[0] & 0x1F == 5, bool(nal[0] & 0x60)
        bits = _Bits(nal[1:_HEAD])
        try:
            bits.exp()
            intra = bits.exp() in _INTRA
            known = self._sets.get(self._set_of.get(bits.exp(), -1))
            if known is None:
                return Look(idr or (recovers == 0 and intra), recovers)
            bits.skip(2 if known.planes else 0)
            number = bits.take(known.bits)
        except ValueError:
            return Look(clean=idr)
        most, before, self._number = 1 << known.bits, self._number, number
        lost = not (idr or known.gaps or self._rested is None) and (number - (self._rested or 0)) % most > 1
        if rested_on:
            self._rested = number
        return Look(idr or (recovers == 0 and intra), recovers, lost, before != number)


def _read_set(bits: _Bits) -> tuple[int, _Set]:
    """A sequence parameter set up to what a slice needs of it (7.3.2.1.1). Raises `ValueError`."""
    profile = bits.take(8)
    bits.skip(16)
    number, planes = bits.exp(), False
    if profile in _HIGH:
        chroma = bits.exp()
        planes = chroma == 3 and bool(bits.take(1))
        bits.exp()
        bits.exp()
        bits.skip(1)
        if bits.take(1):
            for index in range(12 if chroma == 3 else 8):
                if bits.take(1):
                    _skip_list(bits, 16 if index < 6 else 64)
    length = bits.exp() + 4
    order = bits.exp()
    if order == 0:
        bits.exp()
    elif order == 1:
        bits.skip(1)
        bits.exp()
        bits.exp()
        for _ in range(bits.exp()):
            bits.exp()
    bits.exp()
    if length > 16:
        raise ValueError("frame_num is longer than allowed")
    return number, _Set(length, bool(bits.take(1)), planes)


def _skip_list(bits: _Bits, size: int) -> None:
    """A scaling list (7.3.2.1.1.1)."""
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _recovery(data: bytes, *, signed: bool) -> int | None:
    """Count of the recovery point among the messages of `data`; None where there is none (7.3.2.3.1)."""
    data = _plain(data[:_SET])
    place = 0
    while place + 2 < len(data):
        kind, place = _long(data, place)
        size, place = _long(data, place)
        if kind == _RECOVERY:
            bits = _Bits(data[place : place + size], plain=True)
            try:
                return bits.signed() if signed else bits.exp()
            except ValueError:
                return None
        place += size
    return None


def _long(data: bytes, place: int) -> tuple[int, int]:
    """A number of bytes of 255 and a last one; where it ends."""
    value = 0
    while place < len(data) and data[place] == 255:
        value, place = value + 255, place + 1
    return value + (data[place] if place < len(data) else 0), place + 1


def _nals(data: bytes, prefix: int) -> Iterator[bytes]:
    """The units of an access unit, each with what its head needs at most; behind start codes, or behind their lengths."""
    place = 0
    if not prefix:
        first = data.find(_MARK)
        place = len(data) if first < 0 else first + 3
    while place < len(data):
        if prefix:
            start = place + prefix
            end = place = start + int.from_bytes(data[place:start])
        else:
            start, end = place, data.find(_MARK, place)
            place = len(data) if end < 0 else end + 3
        nal = data[start : min(start + _SET, end if end >= 0 else len(data))]
        if nal:
            yield nal


def _stored(extradata: bytes) -> Iterator[bytes]:
    """The parameter sets of an MP4 file (ISO/IEC 14496-15, 5.3.3.1)."""
    place = 5
    for mask in (0x1F, 0xFF):
        count = extradata[place] & mask if place < len(extradata) else 0
        place += 1
        for _ in range(count):
            size = int.from_bytes(extradata[place : place + 2])
            yield extradata[place + 2 : place + 2 + size]
            place += 2 + size


def _plain(data: bytes) -> bytes:
    """Without the bytes that keep start codes out (7.4.1)."""
    return data.replace(b"\0\0\3", b"\0\0")


class _Bits:
    """Reads bits; raises `ValueError` where there are no more."""

    def __init__(self, data: bytes, plain: bool = False) -> None:
        data = data if plain else _plain(data)
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("it breaks off")
        return self._value >> self._left & (1 << count) - 1

    def skip(self, count: int) -> None:
        self.take(count)

    def exp(self) -> int:
        """Exp-Golomb (9.1)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("no such number")
        return (1 << zeros) - 1 + (self.take(zeros) if zeros else 0)

    def signed(self) -> int:
        value = self.exp()
        return (value + 1) // 2 if value % 2 else -value // 2
