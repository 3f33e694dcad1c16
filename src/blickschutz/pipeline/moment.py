"""The redacted seconds around a situation that nobody watched: rendered once, from the packets and proofs in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

import structlog

from blickschutz.kernel.frames import RedactedFrame
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.record import opening_of
from blickschutz.pipeline.render import Renderer, encoded
from blickschutz.recording.io.feed import Collected
from blickschutz.recording.model import ClipMode
from blickschutz.recording.rules import TICKS, BackgroundWriter
from blickschutz.wire.frames import MOST_BYTES

_log = structlog.get_logger(__name__)
_PATIENCE_S = 5.0
_MOST = 4
_MOST_MOMENT = MOST_BYTES - 1024


class Moments:
    """Waits for moments to be over, renders one after another in a thread of its own; `tell` gets number and MP4."""

    def __init__(self, settings: CellSettings, tell: Callable[[int, bytes], None]) -> None:
        self._settings, self._tell = settings, tell
        self._waiting: list[tuple[int, Collected]] = []
        self._thread: threading.Thread | None = None

    def add(self, number: int, collected: Collected | None) -> None:
        if collected is None or len(self._waiting) >= _MOST:
            self._tell(number, b"")
            return
        self._waiting.append((number, collected))

    def tick(self, now: float) -> None:
        """Render the first that is complete, or will not become complete any more."""
        if self._thread is not None and self._thread.is_alive():
            return
        for entry in self._waiting:
            if entry[1].complete or now >= entry[1].until + _PATIENCE_S:
                self._waiting.remove(entry)
                self._thread = threading.Thread(target=self._render, args=entry, name="moment", daemon=True)
                self._thread.start()
                return

    def _render(self, number: int, collected: Collected) -> None:
        try:
            data = self._video(collected)
        # Whatever fails, the alert is told that there are no pictures: it must not wait for them for ever.
        except Exception:  # noqa: BLE001 - in the log, and told as nothing
            _log.exception("moment_failed")
            data = b""
        # What does not fit into a message is told as nothing, so that nobody waits for it.
        self._tell(number, data if len(data) <= _MOST_MOMENT else b"")

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
