"""How many live streams of one session are open at once: pictures and trials by WebSocket, changes by Server-Sent Events.

OWASP ASVS 5, 15.2.2.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from enum import StrEnum

from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from blickschutz.access.service.sessions import hashed

# Each page listens to one stream, the wall to two: a dozen tabs.
MOST_CHANGES = 24
# One runs; others are told so, or have not said yet what they want.
MOST_TRIALS = 4
# Windows of one session that show the whole wall; a site of a few cameras has as many as one of this many.
_WINDOWS, _LEAST_CAMERAS = 4, 4
AGAIN_S = 30


class Kind(StrEnum):
    """What is streamed."""

    PICTURES = "pictures"
    CHANGES = "changes"
    TRIALS = "trials"


def most_pictures(cameras: int) -> int:
    """How many streams of pictures a session may have on a site of so many cameras."""
    return _WINDOWS * max(cameras, _LEAST_CAMERAS)


class OpenStreams:
    """The streams that are open, by session. Touched in the event loop alone."""

    def __init__(self) -> None:
        self._open: Counter[tuple[str, Kind]] = Counter()

    def count(self, session: str, kind: Kind) -> int:
        """How many a session (its secret) has open."""
        return self._open[hashed(session), kind]

    @contextlib.contextmanager
    def held(self, session: str, kind: Kind, most: int) -> Iterator[bool]:
        """Whether one more of a session is open in this block: it has fewer than `most`."""
        key = hashed(session), kind
        if self._open[key] >= most:
            yield False
            return
        self._open[key] += 1
        try:
            yield True
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


class ChangesResponse(StreamingResponse):
    """A stream of changes, which is counted while it is sent; one too many is answered with 429 and a sentence."""

    def __init__(self, streams: OpenStreams, session: str, changes: Callable[[], AsyncIterator[str]], sentence: str) -> None:
        super().__init__(_begun(changes), media_type="text/event-stream")
        self._streams, self._session, self._sentence = streams, session, sentence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._streams.held(self._session, Kind.CHANGES, MOST_CHANGES) as there:
            if there:
                await super().__call__(scope, receive, send)
                return
        refused = PlainTextResponse(self._sentence, 429, headers={"Retry-After": str(AGAIN_S), "Connection": "close"})
        await refused(scope, receive, send)


async def _begun(changes: Callable[[], AsyncIterator[str]]) -> AsyncIterator[str]:
    """Nothing of it listens to anything before it is sent."""
    async for change in changes():
        yield change
