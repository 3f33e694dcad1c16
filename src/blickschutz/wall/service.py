"""One camera's live stream for all of its viewers: one encode, many readers, none waits for another."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from blickschutz.wall.model import StreamFragment, StreamInit

_MOST_QUEUED = 30
_MOST_KEPT = 400
RING_S = 32.0


class Viewer:
    """One reader of a stream. A slow one loses what it has not read and goes on with the newest key picture."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[StreamInit | StreamFragment] = asyncio.Queue()
        self._wait_for_key = False
        self.skipped = 0

    def offer(self, item: StreamInit | StreamFragment) -> None:
        """Queue `item`; never waits."""
        if isinstance(item, StreamInit):
            self._clear()
            self._wait_for_key = False
        elif self._wait_for_key and not item.key:
            self.skipped += 1
            return
        elif self._queue.qsize() >= _MOST_QUEUED:
            self.skipped += self._queue.qsize()
            self._clear()
            self._wait_for_key = not item.key
            if self._wait_for_key:
                self.skipped += 1
                return
        else:
            self._wait_for_key = False
        self._queue.put_nowait(item)

    def _clear(self) -> None:
        kept = [item for item in self._drain() if isinstance(item, StreamInit)]
        for item in kept[-1:]:
            self._queue.put_nowait(item)

    def _drain(self) -> list[StreamInit | StreamFragment]:
        items = []
        while not self._queue.empty():
            items.append(self._queue.get_nowait())
        return items

    async def next(self) -> StreamInit | StreamFragment:
        """The next part; waits for it."""
        return await self._queue.get()


class LiveStream:
    """The stream of one camera in the control room. `watched` is called with True for the first viewer and
    with False after the last: only in between does the cell encode.
    """

    def __init__(self, watched: Callable[[bool], None]) -> None:
        self._watched = watched
        self._viewers: set[Viewer] = set()
        self._init: StreamInit | None = None
        self._since_key: list[StreamFragment] = []
        self._ring: deque[StreamFragment] = deque()

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def join(self) -> Viewer:
        """A new viewer; it gets the stream from the last key picture on, at once where there is one."""
        viewer = Viewer()
        if self._init is not None:
            viewer.offer(self._init)
            for fragment in self._since_key if len(self._since_key) <= _MOST_QUEUED else []:
                viewer.offer(fragment)
        self._viewers.add(viewer)
        if len(self._viewers) == 1:
            self._watched(True)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        if not self._viewers:
            self.reset()
            self._watched(False)

    def feed(self, item: StreamInit | StreamFragment) -> None:
        """Hand a part on to all viewers. A fragment of another generation than the newest head is dropped."""
        if isinstance(item, StreamInit):
            self._init, self._since_key = item, []
        elif self._init is None or item.generation != self._init.generation:
            return
        else:
            if item.key or len(self._since_key) >= _MOST_KEPT:
                self._since_key = []
            if item.key or self._since_key:
                self._since_key.append(item)
        if isinstance(item, StreamInit):
            self._ring.clear()
        else:
            self._ring.append(item)
            while item.at - self._ring[0].at > RING_S:
                self._ring.popleft()
        for viewer in self._viewers:
            viewer.offer(item)

    def recent(self, since: float) -> tuple[StreamInit, list[StreamFragment]] | None:
        """Head and pictures from the last key picture at or before `since` (monotonic) on; None while nobody watches.

        What is there is redacted, in memory only, and at most `RING_S` old.
        """
        if self._init is None:
            return None
        kept = list(self._ring)
        keys = [index for index, item in enumerate(kept) if item.key]
        before = [index for index in keys if kept[index].at <= since]
        start = before[-1] if before else keys[0] if keys else len(kept)
        return self._init, kept[start:]

    def reset(self) -> None:
        """The cell is gone or nobody watches: nothing old is shown to whoever comes next."""
        self._init, self._since_key = None, []
        self._ring.clear()

    @property
    def is_watched(self) -> bool:
        return bool(self._viewers)
