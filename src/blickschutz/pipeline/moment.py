"""The redacted seconds around a situation that nobody watched: rendered once, from the packets and proofs in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from blickschutz.guard.service import Guard
from blickschutz.guard.work import ThreadWork, attempt
from blickschutz.kernel.frames import RedactedFrame
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.record import opening_of
from blickschutz.pipeline.render import Renderer, encoded
from blickschutz.recording.io.feed import Collected
from blickschutz.recording.model import ClipMode
from blickschutz.recording.rules import TICKS, BackgroundWriter
from blickschutz.wire.frames import MOST_BYTES

_PATIENCE_S = 5.0
_MOST = 4
_MOST_MOMENT = MOST_BYTES - 1024


class Moments:
    """Waits for moments to be over, renders one after another in a guarded thread; `tell` gets number and MP4."""

    def __init__(self, settings: CellSettings, tell: Callable[[int, bytes], None], guard: Guard) -> None:
        self._settings, self._tell, self._guard = settings, tell, guard
        self._waiting: list[tuple[int, Collected]] = []
        self._work: ThreadWork | None = None

    def add(self, number: int, collected: Collected | None) -> None:
        if collected is None or len(self._waiting) >= _MOST:
            self._tell(number, b"")
            return
        self._waiting.append((number, collected))

    def tick(self, now: float) -> None:
        """Render the first that is complete, or will not become complete any more."""
        if self._work is not None and not self._work.ended:
            return
        for entry in self._waiting:
            if entry[1].complete or now >= entry[1].until + _PATIENCE_S:
                self._waiting.remove(entry)
                self._work = self._guard.once_thread("moment", partial(self._render, *entry))
                return

    def _render(self, number: int, collected: Collected) -> None:
        data = [b""]
        error = attempt(lambda: data.append(self._video(collected)))
        # What does not fit into a message is told as nothing, and so is whatever failed: nobody waits for it for ever.
        self._tell(number, data[-1] if len(data[-1]) <= _MOST_MOMENT else b"")
        if error is not None:
            raise error

    def _video(self, collected: Collected) -> bytes:
        settings = self._settings
        opening = opening_of(settings, collected.head, ClipMode.SEALED)
        renderer = Renderer(opening, most_width=settings.encoder.width)
        pieces = collected.pieces
        last = pieces[-1].fragment.pts[-1] / TICKS if pieces and pieces[-1].fragment.pts else 0.0
        # The stream's own time of the end: the newest packet came at the newest fragment's time.
        end = last - (pieces[-1].fragment.at - collected.until) if pieces else 0.0
        # A group of pictures may begin long before what was asked for.
        begin = end - (collected.until - collected.since)
        backgrounds = BackgroundWriter()
        asked = _between(renderer.frames(piece.gop(backgrounds) for piece in pieces), begin, end)
        return b"".join(data for data, _ in encoded(asked, settings.encoder))


def _between(frames: Iterable[RedactedFrame], begin: float, end: float) -> Iterator[RedactedFrame]:
    """The pictures from `begin` to `end` of the stream's time."""
    for shown in frames:
        if shown.at > end:
            return
        if shown.at >= begin:
            yield shown
