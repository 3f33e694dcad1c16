"""What the recorder needs from outside."""

from __future__ import annotations

from typing import Protocol

from blickschutz.recording.model import ClipNews


class Tell(Protocol):
    """Hears what becomes of clips; called from any thread, never waits."""

    def __call__(self, news: ClipNews) -> None: ...
