"""One opened clip: rendered once in a thread of its own, read by every viewer while it grows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blickschutz.guard.rules import words
from blickschutz.guard.service import Guard
from blickschutz.guard.work import attempt
from blickschutz.pipeline.render import MOST_WIDTH, Renderer, encoded
from blickschutz.recording.io.clipfile import ClipReader, is_unsafe
from blickschutz.recording.model import ClipMode, Gop, Mark
from blickschutz.recording.rules import TICKS
from blickschutz.reviewroom.clear import clear_video
from blickschutz.reviewroom.viewing import Span, marked
from blickschutz.wall.model import EncoderSettings

_RATE = 10.0
_H264_BASELINE = "avc1.42C01F"


@dataclass(slots=True)
class PlaybackFacts:
    """What is known of the clip so far. `start` is when its first picture was taken (POSIX); lengths in seconds."""

    start: float = 0.0
    length: float = 0.0
    rate: float = _RATE
    codec: str = ""
    state: str = ""
    problem: str = ""
    marks: list[Mark] = field(default_factory=list)
    done: bool = False


class Playback:
    """Holds the key; `close` lets go of it and of all that was made with it."""

    def __init__(self, path: Path, key: bytes, installation: str, guard: Guard) -> None:
        self._path, self._key, self._installation = path, key, installation
        self._reader = ClipReader(path, key, installation)
        self.opening, self.mode = self._reader.opening, self._reader.head.header.mode
        # Pictures of the old redaction are neither shown nor given out, whoever asks and whatever else was overlooked.
        self.unsafe = is_unsafe(self._reader.head)
        self.facts = PlaybackFacts()
        self.parts: list[bytes] = []
        self._grown = threading.Condition()
        self._closed = False
        self._work = guard.once_thread("playback", self._render)

    def _render(self) -> None:
        """Whatever fails, the page says that the clip is not shown to its end."""
        error = attempt(self._render_all)
        if error is not None:
            self.facts.problem = words(error)
        with self._grown:
            self.facts.done = True
            self._grown.notify_all()
        self._reader.close()
        if error is not None:
            raise error

    def _render_all(self) -> None:
        for data in self._anonymous() if self.mode is ClipMode.ANONYMOUS else self._redacted():
            if self._closed:
                return
            self._add(data)
        self.facts.state = self._reader.state.value

    def _gops(self) -> Iterator[Gop]:
        first: int | None = None
        for gop in self._reader:
            for pts, taken in gop.times:
                self.facts.start = self.facts.start or taken - ((pts - first) / TICKS if first is not None else 0.0)
            if gop.pts:
                first = gop.pts[0] if first is None else first
                self.facts.length = (gop.pts[-1] - first) / TICKS
            self.facts.marks.extend(gop.marks)
            yield gop

    def _anonymous(self) -> Iterator[bytes]:
        """What the cell redacted is shown as it is, if each picture was redacted with evidence of its own."""
        if self.unsafe:
            return
        self.facts.codec = _H264_BASELINE
        yield self.opening.init
        for gop in self._gops():
            yield gop.data

    def _redacted(self) -> Iterator[bytes]:
        frames = Renderer(self.opening).frames(self._gops())
        for data, codec in encoded(frames, EncoderSettings(MOST_WIDTH, crf=23)):
            self.facts.codec = codec or self.facts.codec
            yield data

    def _add(self, data: bytes) -> None:
        with self._grown:
            self.parts.append(data)
            self._grown.notify_all()

    def stream(self) -> Iterator[bytes]:
        """The redacted video from its beginning, as it grows; to be read in a thread."""
        index = 0
        while True:
            with self._grown:
                while len(self.parts) <= index and not self.facts.done and not self._closed:
                    self._grown.wait(5.0)
                new = self.parts[index:]
                if self._closed or not new:
                    return
            index += len(new)
            yield b"".join(new)

    def wait_begun(self, seconds: float) -> bool:
        """Wait until there is something to play."""
        with self._grown:
            return self._grown.wait_for(lambda: bool(self.facts.codec) or self.facts.done, seconds)

    def clear(self) -> Iterator[bytes]:
        """The clip unredacted, from its beginning. Only the room decides when this is called."""
        reader = self.reader()
        try:
            yield from clear_video(reader.opening, reader)
        finally:
            reader.close()

    def reader(self) -> ClipReader:
        """The clip once more, from its beginning."""
        return ClipReader(self._path, self._key, self._installation)

    def marked(self) -> list[Span]:
        """The parts in which situations are."""
        facts = self.facts
        return marked([mark for mark in facts.marks if mark.taken >= facts.start - 60], facts.start, facts.length)

    def close(self) -> None:
        with self._grown:
            self._closed = True
            self._key = b""
            self.parts.clear()
            self._grown.notify_all()

    def as_json(self) -> dict[str, Any]:
        """What the player asks for: length, marks, state."""
        facts = self.facts
        marks = [
            {"at": max(0.0, mark.taken - facts.start), "kind": mark.kind, "began": mark.began}
            for mark in facts.marks
            if mark.taken >= facts.start - 60
        ]
        return {"length": facts.length, "start": facts.start, "done": facts.done, "problem": facts.problem, "marks": marks}
