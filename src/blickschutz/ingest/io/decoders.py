"""What decodes a camera's stream: software, or a device that is tried beside it before it is believed (docs/design/decoding.md)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Any

import av
import av.error
import structlog

from blickschutz.guard.service import Guard
from blickschutz.ingest.io.hardware import Apart, Given, Opener, open_decoder, said
from blickschutz.ingest.io.planes import planes_of
from blickschutz.ingest.rules.beside import TRIED, Comparison, Planes, judged
from blickschutz.kernel.clock import Clock, SystemClock
from blickschutz.kernel.devices import Decoding, InUse
from blickschutz.kernel.errors import StreamEndedError

_log = structlog.get_logger(__name__)
# Between two looks whether the device still gives what software gives.
_EVERY_S = 20.0
# What is kept of a group of pictures, so that software can take it up in the middle; without it the camera is asked anew.
_MOST_PACKETS, _MOST_BYTES = 600, 32 * 1024 * 1024
# Keyframes after a gap before the device is trusted with the stream again: the gap is known before its packets are read.
_CLEAN = 2
# How often a device may refuse a packet that software decodes.
_MOST_REFUSALS = 3
_DAMAGED = "parts of the stream are missing, damaged or of another size: software until it is whole again"


class Decoders:
    """What decodes in one cell. What failed once is not tried again before the cell is started anew. `in_use` may be read by any thread.

    `withheld` counts the pictures of all its connections that were not given out, since they rest on something missing or damaged.
    """

    def __init__(self, wanted: Decoding, guard: Guard, clock: Clock, opener: Opener = open_decoder, failed: str = "") -> None:
        """`failed`: why no device is to be tried."""
        self.wanted, self.guard, self.clock, self._opener = wanted, guard, clock, opener
        self._left = list(TRIED if wanted is Decoding.AUTO else (wanted,)) if wanted is not Decoding.SOFTWARE else []
        self._failed: list[str] = []
        self._refusals, self._trouble = 0, bool(failed) and wanted is not Decoding.SOFTWARE
        self.in_use = InUse(wanted, Decoding.SOFTWARE)
        self.withheld = 0
        if failed and self._left:
            self._left, self._failed = [], [failed]
            self.tell("")
        self.begins()

    def begins(self) -> None:
        """A connection begins: in software."""
        if self._left:
            self.tell(f"{self._left[0]} waits for a keyframe")

    def tell(self, why: str) -> None:
        """Software decodes; `why`, after what failed before."""
        said = "; ".join([*self._failed, *([why] if why else [])])
        self._say(InUse(self.wanted, Decoding.SOFTWARE, said, trouble=self._trouble, tried=bool(self._left)))

    def use(self, state: InUse) -> None:
        """A device decodes; what failed before it stays said."""
        self._say(replace(state, why="; ".join([*self._failed, state.why])))

    def open(self, software: Any) -> Apart | None:
        """Begin to open the next device; None where there is none left."""
        if not self._left:
            return None
        device = self._left[0]
        return Apart(device, lambda: self._opener(device, software), self.guard)

    def lost(self, device: Decoding, why: str, *, trouble: bool) -> None:
        """The device is not used any more. `trouble`: it was in use, and it is told even to whoever left the choice to us."""
        if device in self._left:
            self._left.remove(device)
        self._failed.append(why)
        # Whoever leaves the choice to us asked for nothing that is missing.
        self._trouble = self._trouble or trouble or self.wanted is not Decoding.AUTO
        self.tell("")

    def refused(self) -> bool:
        """A device refused a packet that software decoded. Whether that was once too often."""
        self._refusals += 1
        return self._refusals >= _MOST_REFUSALS

    def never(self, why: str) -> None:
        """What comes is not for a device."""
        if self._left:
            self._left.clear()
            self.tell(why)

    def _say(self, state: InUse) -> None:
        known, self.in_use = self.in_use, state
        if (known.used, known.trouble) != (state.used, state.trouble):
            (_log.warning if state.trouble else _log.info)("decoding", used=state.used, why=state.why)


class _Mode(Enum):
    SOFTWARE = auto()
    TRIED = auto()
    """Both decode; software's pictures are taken."""
    DEVICE = auto()
    CHECKED = auto()
    """Both decode; the device's pictures are taken."""


class StreamDecoder:
    """Decodes the packets of one connection in order, whichever does it; a damaged stretch is software's, which says what it conceals.

    `decode` raises what PyAV's decoder raises of a damaged packet, and `StreamEndedError` where the camera has to be asked anew for
    a picture to begin with.
    """

    def __init__(self, software: Any, decoders: Decoders | None = None) -> None:
        """Without `decoders` it is software alone."""
        self._software, self._decoders = software, decoders or Decoders(Decoding.SOFTWARE, Guard(SystemClock()), SystemClock())
        self._mode = _Mode.SOFTWARE
        self._device: Apart | None = None
        self._ready = self._doubted = False
        self._comparison = Comparison()
        # Since the last keyframe, for software to go on from; None where that were too many.
        self._kept: list[Any] | None = None
        self._size = 0
        self._clean, self._newest, self._checked_at = _CLEAN, -1, float("-inf")
        self._decoders.begins()

    def decode(self, packet: Any) -> list[av.VideoFrame]:
        if packet.is_corrupt:
            self.doubt()
        if packet.is_keyframe:
            self._at_keyframe()
        if self._mode is _Mode.SOFTWARE:
            return self._given(self._software.decode(packet))
        self._keep(packet)
        device = self._device
        if device is None or self._doubted:
            return self._by_software()
        device.send(packet, anew=self._comparison.packets == 0 and self._mode is _Mode.TRIED)
        if self._mode is _Mode.DEVICE:
            answer = device.take()
            return self._unseen(answer.frames) if self._is_whole(answer) else self._judge_error(device, answer)
        return self._by_both(packet, device)

    @property
    def name(self) -> str:
        """FFmpeg's name of the codec."""
        return str(self._software.name)

    @property
    def settled(self) -> bool:
        """Whether no device is being opened; for who has all packets at once and can wait."""
        return self._device is None or self._is_ready()

    def doubt(self) -> None:
        """Something of the stream is missing: a device would not say which pictures it made up for that."""
        self._clean, self._doubted = 0, True

    def withheld(self, pictures: int) -> None:
        """So many more pictures are not given out."""
        self._decoders.withheld += pictures

    def close(self) -> None:
        if self._device is not None:
            self._device.close()

    def _at_keyframe(self) -> None:
        now = self._decoders.clock.monotonic()
        self._clean += 1
        self._kept, self._size = [], 0
        if self._mode is _Mode.SOFTWARE and self._is_ready() and self._clean >= _CLEAN and self._device is not None:
            self._mode, self._comparison, self._doubted = _Mode.TRIED, Comparison(), False
            self._decoders.tell(f"{self._device.device} is being tried")
        elif self._mode is _Mode.DEVICE and now >= self._checked_at + _EVERY_S:
            self._software.flush_buffers()
            self._mode, self._comparison = _Mode.CHECKED, Comparison()

    def _is_ready(self) -> bool:
        """Whether there is an open device; begins to open the next one."""
        if self._device is None:
            self._device, self._ready = self._decoders.open(self._software), False
        if self._device is not None and not self._ready:
            answer = self._device.opened()
            if answer is not None and answer.error is not None:
                self._lose(self._device, f"{self._device.device} does not open: {said(answer.error)}", trouble=False)
            self._ready = answer is not None and answer.error is None
        return self._ready

    def _keep(self, packet: Any) -> None:
        self._size += packet.size
        if self._kept is not None and len(self._kept) < _MOST_PACKETS and self._size <= _MOST_BYTES:
            self._kept.append(packet)
        else:
            self._kept = None

    def _by_both(self, packet: Any, device: Apart) -> list[av.VideoFrame]:
        error: av.error.InvalidDataError | None = None
        ours: list[av.VideoFrame] = []
        began = time.thread_time()
        try:
            ours = self._software.decode(packet)
        except av.error.InvalidDataError as damaged:
            error = damaged
        spent = time.thread_time() - began
        answer = device.take()
        # Software that began in the middle of a stream may have to leave out the first pictures.
        begun = self._mode is _Mode.TRIED or self._comparison.alike > 0
        if error is not None or (begun and any(frame.is_corrupt for frame in ours)):
            # Nothing can be compared with what is damaged. Where the device says nothing of it and no packet is missing, nobody would.
            if self._mode is _Mode.CHECKED and _is_well(answer):
                self._lose(device, f"{device.device} does not say which pictures are damaged, and the stream has some", trouble=True)
            return self._by_software()
        if not self._is_whole(answer):
            return self._judge_error(device, answer)
        self._comparison.take(_planes(ours), _planes(answer.frames), spent, answer.cpu_s)
        if self._comparison.problem:
            self._lose(device, f"{device.device}: {self._comparison.problem}", trouble=self._mode is _Mode.CHECKED)
            return self._by_software()
        shown = self._unseen(ours if self._mode is _Mode.TRIED else answer.frames)
        if self._comparison.enough:
            self._believe(device)
        return shown

    def _believe(self, device: Apart) -> None:
        state = judged(self._comparison, self._decoders.wanted, device.device)
        self._checked_at = self._decoders.clock.monotonic()
        if state.used == device.device:
            self._mode = _Mode.DEVICE
            self._decoders.use(state)
        else:
            self._mode = _Mode.SOFTWARE
            self._lose(device, state.why, trouble=False)

    def _is_whole(self, answer: Given) -> bool:
        """Whether the device gave what it says nothing against; alone also of the size that software knows."""
        size = self._software.width, self._software.height
        same = self._mode is not _Mode.DEVICE or all((one.width, one.height) == size for one in answer.frames)
        return same and _is_well(answer)

    def _judge_error(self, device: Apart, answer: Given) -> list[av.VideoFrame]:
        """Something is wrong with what the device gave: ask software about it."""
        used = self._mode in {_Mode.DEVICE, _Mode.CHECKED}
        if answer.gone and answer.error is not None:
            self._lose(device, f"{device.device} failed: {said(answer.error)}", trouble=used)
            return self._by_software()
        frames = self._by_software()
        refused = not _is_well(answer) and not any(frame.is_corrupt for frame in frames)
        if refused and self._decoders.refused():
            self._lose(device, f"{device.device} refuses what software decodes", trouble=used)
        return frames

    def _lose(self, device: Apart, why: str, *, trouble: bool) -> None:
        device.close()
        self._device = None
        self._decoders.lost(device.device, why, trouble=trouble)

    def _by_software(self) -> list[av.VideoFrame]:
        """Software goes on, in the middle of a group: it decodes that from its keyframe on, and what was not shown yet is given out."""
        self._mode, self._clean = _Mode.SOFTWARE, 0
        if self._device is not None:
            self._decoders.tell(_DAMAGED)
        if self._kept is None:
            raise StreamEndedError("the device gave up in the middle of a group of pictures that is too long to begin again")
        self._software.flush_buffers()
        frames: list[av.VideoFrame] = []
        error: av.error.InvalidDataError | None = None
        for packet in self._kept:
            error = None
            try:
                frames += self._software.decode(packet)
            except av.error.InvalidDataError as damaged:
                error = damaged
        frames = self._unseen(frames)
        if error is not None and not frames:
            raise error
        return frames

    def _unseen(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Those that were not given out yet, whoever decoded them."""
        return self._given([one for one in frames if one.pts is None or one.pts > self._newest])

    def _given(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        self._newest = max([self._newest, *(one.pts for one in frames if one.pts is not None)])
        return frames


def _is_well(answer: Given) -> bool:
    return answer.error is None and not any(frame.is_corrupt for frame in answer.frames)


def _planes(frames: list[av.VideoFrame]) -> Mapping[int, Planes]:
    return {frame.pts: planes_of(frame) for frame in frames if frame.pts is not None and not frame.is_corrupt}
