"""The two ends of a review room without its process: what the control room sees of it, and what the room has of the control room."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from blickschutz.recording.model import ClipMode
from blickschutz.reviewroom.messages import Answer


class Door:
    """A room as the book sees it; `said` is what it was told."""

    def __init__(self, *present: str) -> None:
        self.present, self.shown, self.agreed, self.said = list(present), set(present), (), []

    def say(self, message):
        self.said.append(message)


class Line:
    """A room's end of the channel: `sent` is what it told, `asked` what it asked. `answers` are given in order, then plain ones.

    `meanwhile` is done while an answer is waited for; with `slow` others go on meanwhile.
    """

    def __init__(self, *answers: Answer, meanwhile=lambda: None, slow: bool = False) -> None:
        self.sent, self.asked, self._answers, self._meanwhile, self._slow = [], [], list(answers), meanwhile, slow

    def send(self, message):
        self.sent.append(message)

    async def ask(self, make):
        self.asked.append(make(len(self.asked) + 1))
        self._meanwhile()
        if self._slow:
            await asyncio.sleep(0)
        return self._answers.pop(0) if self._answers else Answer(number=len(self.asked))


class Clip:
    """An opened clip that shows nothing; `closed` once its key is gone."""

    def __init__(self, mode=ClipMode.SEALED):
        self.mode, self.unsafe, self.closed = mode, False, False
        self.facts = SimpleNamespace(done=True, length=10.0, start=0.0, marks=[])

    def marked(self):
        return []

    def close(self):
        self.closed = True
