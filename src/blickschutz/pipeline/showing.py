"""The one way from a raw picture to one that may be shown: live, of an alert, recorded redacted, reviewed, given out.

Whoever shows a picture hands over the same: the picture, the proof of its own background, and who was seen around that
moment. A proof of another moment, or none, gives a blank picture (`docs/design/redaction.md`, invariant 7).
"""

from __future__ import annotations

from collections.abc import Sequence

from blickschutz.kernel.frames import RawFrame, RedactedFrame
from blickschutz.kernel.scene import Backdrop, Doubt, Scene
from blickschutz.redaction.model import RedactionSettings
from blickschutz.redaction.service import Redactor, blank


class Showing:
    """For the pictures of one camera or clip, in order of time; at most `most_width` pixels wide where that is given."""

    def __init__(self, settings: RedactionSettings | None = None, most_width: int | None = None) -> None:
        self._redactor = Redactor(settings)
        self._most_width = most_width
        self._before: Backdrop | None = None

    @property
    def faults(self) -> int:
        """Pictures that came out blank because the redaction itself failed."""
        return self._redactor.faults

    def show(
        self,
        frame: RawFrame,
        backdrop: Backdrop | None,
        scenes: Sequence[Scene],
        spared: int | None = None,
        after: Backdrop | None = None,
    ) -> RedactedFrame:
        """`frame` redacted. `scenes` are in its pixels; `spared` is the track of who gets a copy of their own data.

        `after` is the proof of the next picture where it is known already; that of the one before is remembered.
        """
        beside = [one for one in (self._before, after) if one is not None]
        self._before = backdrop
        shown = self._sized(frame)
        x, y = shown.width / frame.width, shown.height / frame.height
        return self._redactor.redact(shown, backdrop, [scene.scaled(x, y) for scene in scenes], spared, beside)

    def withheld(self, frame: RawFrame, doubt: Doubt) -> RedactedFrame:
        """A blank picture in place of `frame`, and why."""
        shown = self._sized(frame)
        return blank(shown.width, shown.height, frame.index, frame.at, frame.taken, doubt)

    def _sized(self, frame: RawFrame) -> RawFrame:
        return frame if self._most_width is None else frame.at_most(self._most_width)
