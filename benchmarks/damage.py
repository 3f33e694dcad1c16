"""Pictures of damaged streams: which are given out, and what the background learns from them.

    python -m benchmarks.damage [--tries 40] [--seed 1] [--data ../shared/data] [--json FILE]

Footage (drawn where no folder is given) is encoded as cameras do it, damaged at random, and decoded as a cell decodes it. `network`:
packets of RTP get lost, and their numbers tell. `camera`: whole coded pictures are left out, broken off, or wrong in some bytes, and
no number tells. Every picture that comes out is compared with what it is without damage: it is visibly damaged where more than 2 % of
its pixels differ by more than 12 levels.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import random
import struct
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import structlog

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.analysis.ports import Floats
from blickschutz.analysis.service import Analyser
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.ingest.io.decoders import StreamDecoder
from blickschutz.ingest.io.frames import raw_frame
from blickschutz.ingest.io.planes import planes_of
from blickschutz.ingest.io.trusted import TrustedDecoder
from blickschutz.ingest.rules.gaps import Gaps
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.frames import Bytes, RawFrame
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.planes import shrunk
from blickschutz.kernel.scene import Background

RATE, GROUP, PICTURES = 25, 25, 100
WIDTH, HEIGHT = 256, 192
LEVELS, SHARE = 12, 0.02
# So small that a picture of this size has several, as a large one has of 1,400 bytes.
_PART = 300
_MARK = b"\0\0\1"
_FOOTAGE = ("pets09-s2l1/video.avi", "tud-stadtmitte/video.mp4", "cdnet-office/video.mp4")
# What cameras send: no reordering; and what they may.
ENCODERS = {
    "H.264": ("libx264", {"preset": "veryfast", "x264-params": f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0:bframes=0"}),
    "H.264, four slices": (
        "libx264",
        {"preset": "veryfast", "x264-params": f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0:bframes=0:slices=4"},
    ),
    "H.264, B-pictures, open groups": (
        "libx264",
        {"preset": "veryfast", "x264-params": f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0:bframes=3:open-gop=1"},
    ),
    "H.265": (
        "libx265",
        {"preset": "veryfast", "x265-params": f"log-level=none:pools=none:keyint={GROUP}:min-keyint={GROUP}:scenecut=0:bframes=0"},
    ),
    "H.265, four slices": (
        "libx265",
        {
            "preset": "veryfast",
            # Without a pool of threads x265 codes the first slice alone; of units of 64 this height has three rows.
            "x265-params": f"log-level=none:pools=1:ctu=32:keyint={GROUP}:min-keyint={GROUP}:scenecut=0:bframes=0:slices=4",
        },
    ),
    "H.265, B-pictures, open groups": (
        "libx265",
        {
            "preset": "veryfast",
            "x265-params": f"log-level=none:pools=none:keyint={GROUP}:min-keyint={GROUP}:scenecut=0:bframes=3:open-gop=1",
        },
    ),
}
NETWORK = ("one packet", "burst", "tail", "whole picture")
CAMERA = ("picture left out", "broken off", "wrong bytes")


@dataclass(frozen=True, slots=True)
class Coded:
    """One coded picture: its data with start codes, its time in pictures."""

    data: bytes
    pts: int
    key: bool


def footage(path: Path | None, width: int, height: int, count: int) -> list[av.VideoFrame]:
    """`count` pictures of that size, one every 1/25 s."""
    found: list[av.VideoFrame] = []
    if path is None:
        scene = DrawnScene(width, height, 3, walkers=3)
        found = [av.VideoFrame.from_ndarray(scene.picture(index).i420(), format="yuv420p") for index in range(count)]
    else:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                found.append(frame.reformat(width=width, height=height, format="yuv420p"))
                if len(found) == count:
                    break
    for index, frame in enumerate(found):
        frame.pts, frame.time_base, frame.pict_type = index, Fraction(1, RATE), av.video.frame.PictureType.NONE
    return found


def encoded(frames: Sequence[av.VideoFrame], encoder: str, options: dict[str, str]) -> list[Coded]:
    context: Any = av.CodecContext.create(encoder, "w")
    context.width, context.height, context.pix_fmt, context.time_base = frames[0].width, frames[0].height, "yuv420p", Fraction(1, RATE)
    context.thread_count, context.options, context.gop_size = 1, options, GROUP
    packets = [packet for frame in frames for packet in context.encode(frame)] + list(context.encode(None))
    return [Coded(bytes(one), int(one.pts or 0), one.is_keyframe) for one in packets]


# --- the network: packets of RTP, some of which get lost ---


def units(data: bytes) -> list[bytes]:
    return [one.rstrip(b"\0") for one in data.split(_MARK)[1:]]


def packets_of(data: bytes, h265: bool) -> list[bytes]:
    """Payloads of RTP for a coded picture: units alone, or in fragments (RFC 6184, 5.8; RFC 7798, 4.4.3)."""
    made: list[bytes] = []
    for unit in units(data):
        if len(unit) <= _PART:
            made.append(unit)
            continue
        head = 2 if h265 else 1
        body = [unit[place : place + _PART] for place in range(head, len(unit), _PART)]
        for index, part in enumerate(body):
            ends = (0x80 if index == 0 else 0) | (0x40 if index == len(body) - 1 else 0)
            kind = unit[0] >> 1 & 0x3F if h265 else unit[0] & 0x1F
            start = bytes([unit[0] & 0x81 | 49 << 1, unit[1], ends | kind]) if h265 else bytes([unit[0] & 0xE0 | 28, ends | kind])
            made.append(start + part)
    return made


def put_together(payloads: Sequence[bytes], h265: bool) -> bytes:
    """What FFmpeg makes of them: it puts fragments one behind the other, whatever is missing in between."""
    out = bytearray()
    for one in payloads:
        fragment = (one[0] >> 1 & 0x3F) == 49 if h265 else one[0] & 0x1F == 28
        if not fragment:
            out += b"\0" + _MARK + one
        elif h265:
            out += (b"\0" + _MARK + bytes([one[0] & 0x81 | (one[2] & 0x3F) << 1, one[1]]) if one[2] & 0x80 else b"") + one[3:]
        else:
            out += (b"\0" + _MARK + bytes([one[0] & 0xE0 | one[1] & 0x1F]) if one[1] & 0x80 else b"") + one[2:]
    return bytes(out)


class Network:
    """Hands over coded pictures whose packets went by a lossy network; `gaps` sees the packets that arrive `ahead` pictures before.

    A picture is handed over as FFmpeg does it: when the next one has begun, which is how it knows that this one ends.
    """

    def __init__(self, pictures: Sequence[Coded], h265: bool, lost: set[tuple[int, int]], ahead: int) -> None:
        self.gaps = Gaps()
        self._ahead, self._number = ahead, 0
        self._h265, self._pictures, self._lost = h265, pictures, lost

    def __iter__(self) -> Iterator[Coded]:
        ready: list[Coded] = []
        for index, picture in enumerate(self._pictures):
            arrived = []
            for place, payload in enumerate(packets := packets_of(picture.data, self._h265)):
                self._number = self._number + 1 & 0xFFFF
                if (index, place) in self._lost:
                    continue
                arrived.append(payload)
                head = struct.pack(">BBHII", 0x80, 96 | (0x80 if place == len(packets) - 1 else 0), self._number, index * 3600, 7)
                self.gaps.take(b"$\0" + struct.pack(">H", len(head + payload)) + head + payload, 0)
            if arrived:
                ready.append(Coded(put_together(arrived, self._h265), picture.pts, picture.key))
            if len(ready) > self._ahead + 1:
                yield ready.pop(0)
        yield from ready


def lost_packets(pictures: Sequence[Coded], kind: str, at: int, h265: bool, chance: random.Random) -> set[tuple[int, int]]:
    count = len(packets_of(pictures[at].data, h265))
    if kind == "whole picture":
        return {(at, place) for place in range(count)}
    if kind == "tail":
        return {(at, count - 1)}
    first = chance.randrange(count)
    if kind == "one packet":
        return {(at, first)}
    everything = [(index, place) for index in range(at, len(pictures)) for place in range(len(packets_of(pictures[index].data, h265)))]
    return set(everything[first : first + chance.randint(2, 12)])


def spoilt(pictures: Sequence[Coded], kind: str, at: int, chance: random.Random) -> list[Coded]:
    """What a camera may send that encodes or sends rubbish."""
    made, data = list(pictures), bytearray(pictures[at].data)
    start = data.rfind(_MARK) + 3
    if kind == "picture left out":
        return [*made[:at], *made[at + 1 :]]
    # A picture in which nothing moves may have no more than its head.
    last = len(data) - 1
    if kind == "broken off":
        del data[chance.randrange(min(start + 6, last), len(data)) :]
    else:
        for _ in range(chance.choice((1, 4, 16))):
            data[chance.randrange(min(start + 8, last), len(data))] ^= 1 << chance.randrange(8)
    made[at] = Coded(bytes(data), pictures[at].pts, pictures[at].key)
    return made


# --- what comes of it ---


def decoder_of(codec: str, gaps: Gaps | None = None) -> TrustedDecoder:
    context = av.CodecContext.create(codec, "r")
    context.thread_count = 1
    return TrustedDecoder(StreamDecoder(context), b"", SystemClock(), gaps)


class Plain:
    """FFmpeg's decoder, of which every picture counts that it does not itself call damaged."""

    def __init__(self, codec: str) -> None:
        self._context: Any = av.CodecContext.create(codec, "r")
        self._context.thread_count = 1

    def decode(self, packet: Any) -> list[av.VideoFrame]:
        return [frame for frame in self._context.decode(packet) if not frame.is_corrupt]


def given_out(pictures: Iterable[Coded], decoder: Any) -> dict[int, av.VideoFrame]:
    """The pictures that come, by their times."""
    given: dict[int, av.VideoFrame] = {}
    for one in itertools.chain(pictures, [Coded(b"", 0, False)]):
        packet = av.Packet(one.data)
        if one.data:
            packet.pts, packet.is_keyframe, packet.time_base = one.pts, one.key, Fraction(1, RATE)
        try:
            given.update({int(frame.pts or 0): frame for frame in decoder.decode(packet)})
        except av.error.InvalidDataError:
            continue
    return given


def is_damaged(frame: av.VideoFrame, clean: Bytes) -> bool:
    return apart(planes_of(frame)[0], clean)


def apart(one: Bytes, other: Bytes) -> bool:
    """Whether two brightnesses differ visibly."""
    return bool((np.abs(one.astype(np.int16) - other) > LEVELS).mean() > SHARE)


def beginning_after(pictures: Sequence[Coded], at: int) -> int:
    """Time from which on the damage at the `at`-th picture can do nothing any more."""
    return next((one.pts for one in pictures[at + 1 :] if one.key), 1 << 30)


def try_once(pictures: Sequence[Coded], clean: dict[int, Bytes], codec: str, kind: str, chance: random.Random) -> Counter[str]:
    """One random damage in the second or third group, decoded by both."""
    h265, at = codec == "hevc", chance.randrange(GROUP, 3 * GROUP)
    last = at
    if kind in NETWORK:
        lost = lost_packets(pictures, kind, at, h265, chance)
        last = max(index for index, _ in lost)
        ahead = chance.randrange(4)
        ways = [Network(pictures, h265, lost, ahead) for _ in range(2)]
        before, now = given_out(ways[0], Plain(codec)), given_out(ways[1], decoder_of(codec, ways[1].gaps))
    else:
        made = spoilt(pictures, kind, at, chance)
        before, now = given_out(made, Plain(codec)), given_out(made, decoder_of(codec))
    found = Counter(tries=1)
    for name, given in (("before", before), ("now", now)):
        damaged = [pts for pts, frame in given.items() if is_damaged(frame, clean[pts])]
        found[f"damaged {name}"] += len(damaged)
        found[f"tries with damaged {name}"] += bool(damaged)
        found[f"given {name}"] += len(given)
    # Whatever plain software gives out undamaged once a new group has begun must be given out.
    later = [pts for pts in before if pts >= beginning_after(pictures, last)]
    found["later"] += len(later)
    found["withheld later"] += sum(pts not in now for pts in later)
    return found


# --- what the background learns ---


class _Blind:
    """Nobody is found: whatever is learned wrongly is not kept away by a detector."""

    def detect(self, frame: RawFrame, least: float, regions: Sequence[Box] = ()) -> Floats:
        del frame, least, regions
        return np.zeros((0, 5), np.float32)

    def detect_turned(self, frame: RawFrame, least: float, region: Box, quarters: int) -> Floats:
        del region, quarters
        return self.detect(frame, least)

    def fitting(self, width: int, height: int, regions: Sequence[Box]) -> list[Box]:
        del width, height, regions
        return []


class Seen:
    """Which levels each pixel of the small picture ever had, without damage."""

    def __init__(self, rows: int, columns: int) -> None:
        self._near = np.zeros((rows, columns, 256), bool)
        self._rows, self._columns = np.indices((rows, columns))

    def add(self, luma: Bytes) -> None:
        rows, columns = self._near.shape[:2]
        small = shrunk(luma, columns, rows).astype(np.int16)
        for step in range(-LEVELS, LEVELS + 1):
            self._near[self._rows, self._columns, np.clip(small + step, 0, 255)] = True

    def foreign(self, known: Background) -> int:
        """Pixels that are known, and that never looked like it."""
        return int((~self._near[self._rows, self._columns, known.picture[..., 0]] & (known.known != 0)).sum())


def taught(given: dict[int, av.VideoFrame], clean: dict[int, Bytes]) -> Counter[str]:
    """What five looks a second learn of the pictures: how many were damaged, and the most pixels known that never looked like that."""
    analyser = Analyser(_Blind(), AnalysisSettings())
    found: Counter[str] = Counter()
    seen: Seen | None = None
    for index, pts in enumerate(sorted(clean)):
        if pts % 5 == 0 and pts in given:
            frame = raw_frame(given[pts], index, pts / RATE, pts / RATE, pts)
            analyser.analyse(frame)
            known = analyser.background(frame)
            seen = seen or Seen(*known.known.shape)
            seen.add(clean[pts])
            found["looks"] += 1
            found["damaged"] += is_damaged(given[pts], clean[pts])
            found["foreign pixels"] = max(found["foreign pixels"], seen.foreign(known))
        elif seen is not None:
            seen.add(clean[pts])
    return found


# --- all of it ---


def clips(folder: Path | None) -> dict[str, list[av.VideoFrame]]:
    names = [None] if folder is None else [folder / one for one in _FOOTAGE]
    return {str(one.parent.name if one else "drawn"): footage(one, WIDTH, HEIGHT, PICTURES) for one in names}


def decode_all(pictures: Sequence[Coded], codec: str) -> dict[int, Bytes]:
    return {pts: np.array(planes_of(frame)[0]) for pts, frame in given_out(pictures, Plain(codec)).items()}


def recall(folder: Path | None, tries: int, seed: int) -> dict[str, dict[str, int]]:
    """Counts by encoder and kind of damage."""
    chance, table = random.Random(seed), dict[str, dict[str, int]]()
    shown = clips(folder)
    for name, (encoder, options) in ENCODERS.items():
        codec = "hevc" if encoder == "libx265" else "h264"
        made = [encoded(frames, encoder, options) for frames in shown.values()]
        clean = [decode_all(one, codec) for one in made]
        for kind in (*NETWORK, *CAMERA):
            found: Counter[str] = Counter()
            for number in range(tries):
                which = number % len(made)
                found += try_once(made[which], clean[which], codec, kind, chance)
            table[f"{name} | {kind}"] = dict(found)
            print(f"   {name} | {kind}: {dict(sorted(found.items()))}", flush=True)
    return table


def learning(folder: Path | None, seconds: int, seed: int) -> dict[str, dict[str, int]]:
    """One packet of RTP is lost every second, for `seconds`."""
    table: dict[str, dict[str, int]] = {}
    path = None if folder is None else folder / _FOOTAGE[0]
    frames = footage(path, WIDTH, HEIGHT, seconds * RATE)
    for name in ("H.264", "H.265"):
        encoder, options = ENCODERS[name]
        codec = "hevc" if encoder == "libx265" else "h264"
        pictures = encoded(frames, encoder, options)
        clean, chance = decode_all(pictures, codec), random.Random(seed)
        # From the first second on, somewhere in every other group: half of the pictures stay whole.
        lost = set[tuple[int, int]]()
        for start in range(0, len(pictures) - GROUP, 2 * GROUP):
            lost |= lost_packets(pictures, "one packet", start + chance.randrange(1, 8), codec == "hevc", chance)
        ways = [Network(pictures, codec == "hevc", lost, 1) for _ in range(2)]
        for way, given in (
            ("undamaged", given_out(pictures, Plain(codec))),
            ("before", given_out(ways[0], Plain(codec))),
            ("now", given_out(ways[1], decoder_of(codec, ways[1].gaps))),
        ):
            table[f"{name} | {way}"] = dict(taught(given, clean))
            print(f"   {name} | {way}: {table[f'{name} | {way}']}", flush=True)
    return table


def cost(folder: Path | None) -> dict[str, float]:
    """Microseconds of the processor that a picture takes beyond decoding."""
    table: dict[str, float] = {}
    frames = footage(None if folder is None else folder / _FOOTAGE[0], WIDTH, HEIGHT, PICTURES)
    for name, (encoder, options) in ENCODERS.items():
        codec = "hevc" if encoder == "libx265" else "h264"
        pictures = encoded(frames, encoder, options)
        spent = {"plain": float("inf"), "trusted": float("inf")}
        for _ in range(5):
            for way, decoder in (("plain", Plain(codec)), ("trusted", decoder_of(codec))):
                began = time.thread_time()
                given_out(pictures, decoder)
                spent[way] = min(spent[way], time.thread_time() - began)
        table[name] = 1e6 * (spent["trusted"] - spent["plain"]) / len(pictures)
        print(f"   {name}: {table[name]:.0f} us a picture (decoding: {1e6 * spent['plain'] / len(pictures):.0f})", flush=True)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print("== which pictures are given out")
    found: dict[str, Any] = {"recall": recall(options.data, options.tries, options.seed)}
    print("== what is learned")
    found["learning"] = learning(options.data, options.seconds, options.seed)
    print("== cost")
    found["cost"] = cost(options.data)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
