"""Recorded pictures redacted after the fact, each on evidence of its own. Knows no files and decodes nothing.

A clip carries the background of the place, sealed beside the camera's packets, and who was seen at each look. Here every
picture is compared anew with the background that was in force when it was taken, exactly as the cell compares what it
shows live. No proof is carried over from one picture to the next (what reaches the edge in the one beside only covers
more): what lies between two looks and is not proven by itself is covered.

Where the camera's small stream was looked at and its large one recorded, moments of both may be `skew_s` apart: then everybody counts
who was seen at any look so near, backgrounds count so much later, and nothing is shown that is not the same view
(docs/design/substream.md).
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import structlog

from blickschutz.analysis.rules.proof import prove, recorded_proof, small_picture
from blickschutz.analysis.rules.sameview import is_same_view
from blickschutz.kernel.frames import RawFrame, RedactedFrame
from blickschutz.kernel.scene import Backdrop, Background, Doubt, Scene
from blickschutz.pipeline.showing import Showing
from blickschutz.recording.model import BackgroundSample, MaskSample
from blickschutz.recording.rules import TICKS, BackgroundReader, doubt_of, proven, scene_of

_log = structlog.get_logger(__name__)
# Pictures between two looks that lie further apart are blank: nobody looked for people in between.
LONGEST_S = 1.5
# A look this old is a look at the picture itself: the detector was asked about it, not about one before.
OWN_LOOK_S = 0.05
# For so long a recorded stream is the same view as the one that was looked at, once a picture has shown it.
_SAME_VIEW_S = 10
# More looks than lie within a second.
_MOST_NEAR = 64


class Replay:
    """Takes what was known and pictures, both in the order of a clip; gives redacted pictures in the same order.

    A picture waits for the look and the picture after it. Pictures of clips of format 1, which have no background, are left
    out unless they have a proof of their own. `spared` is the track of somebody who gets a copy of their own data: it has only the
    pictures that the detector itself was asked about, since nothing else says that nobody passes before them.
    """

    def __init__(self, showing: Showing, spared: int | None = None, skew_s: float = 0.0) -> None:
        self._showing, self._spared = showing, spared
        self._skew, self._same_until = round(skew_s * TICKS), -1
        self._looks: deque[MaskSample] = deque()
        self._backgrounds: deque[tuple[int, Background]] = deque()
        self._doubts: deque[int] = deque()
        self._newest: tuple[RawFrame, Backdrop | None] | None = None
        self._reader = BackgroundReader()
        self._waiting: deque[RawFrame] = deque()
        self._reach = -1

    @property
    def is_short(self) -> bool:
        """Whether a picture waits for a look that is not known yet: before more is known, more pictures only take memory."""
        return bool(self._waiting) and self._lacks_a_look(self._waiting[0])

    def know(self, looks: Iterable[MaskSample], backgrounds: Iterable[BackgroundSample], reach: int = -1) -> None:
        """What became known: looks at single pictures, and backgrounds. A damaged background is none.

        `reach` is the time of the newest picture that there is, also of those that were not handed over yet.
        """
        self._newest = None
        self._reach = max(self._reach, reach)
        new = sorted(looks, key=lambda look: look.pts)
        self._looks.extend(new)
        self._doubts.extend(look.pts for look in new if look.doubt)
        for sample in backgrounds:
            try:
                self._backgrounds.append((sample.pts, self._reader.read(sample)))
            except ValueError:
                # What follows builds on it: nothing more of this clip is proven.
                self._backgrounds.clear()

    def push(self, frame: RawFrame) -> Iterator[RedactedFrame]:
        """Take the next picture; give those that need not wait any longer."""
        self._waiting.append(frame)
        self._reach = max(self._reach, frame.pts)
        while self._waiting and not self._must_wait(self._waiting[0], frame):
            yield from self._shown(self._waiting.popleft())

    def rest(self) -> Iterator[RedactedFrame]:
        """All that still wait: nothing more will be known."""
        while self._waiting:
            yield from self._shown(self._waiting.popleft())

    def _must_wait(self, frame: RawFrame, newest: RawFrame) -> bool:
        return self._lacks_a_look(frame) or (frame is newest and self._is_looked_beyond(frame))

    def _lacks_a_look(self, frame: RawFrame) -> bool:
        """Whether a look after the picture may still become known."""
        return not self._is_looked_beyond(frame) and self._reach - frame.pts <= LONGEST_S * TICKS

    def _is_looked_beyond(self, frame: RawFrame) -> bool:
        return bool(self._looks) and self._looks[-1].pts >= frame.pts + self._skew

    def _shown(self, frame: RawFrame) -> Iterator[RedactedFrame]:
        before, after = self._around(frame.pts)
        ends = [look for look in ((before,) if before is after else (before, after)) if look is not None]
        near = self._near(frame.pts)
        doubt = next((doubt_of(look) for look in (*ends, *near) if look.doubt), None)
        if before is None or after is None or self._longest_gap(before, near, after) > LONGEST_S * TICKS:
            yield self._showing.withheld(frame, doubt or Doubt.NO_ANALYSIS)
            return
        if doubt is not None:
            yield self._showing.withheld(frame, doubt)
            return
        if before is not after and before.bits and after.bits:
            return  # format 1, and nobody compared this picture with anything
        if self._spared is not None and not (before is after and self._was_looked_at(before)):
            return  # somebody else may be passing where the one who is shown stands
        try:
            scenes = [scene_of(look, frame.width, frame.height) for look in ends]
            scenes += [_apart(scene_of(look, frame.width, frame.height), number) for number, look in enumerate(near, 1)]
            shown = self._showing.show(frame, self._proof(frame, before), scenes, self._spared, self._following())
        # Whatever a record holds, the answer is a blank picture, which says that it is a fault; the clip goes on.
        except Exception:  # noqa: BLE001 - fails closed, in the log and on the picture
            _log.exception("replay_failed", pts=frame.pts)
            shown = self._showing.withheld(frame, Doubt.FAULT)
        yield shown

    def _near(self, pts: int) -> list[MaskSample]:
        """The looks that may have been at the moment of the picture; none where both are of one stream, and the times are the same."""
        return [look for look in self._looks if abs(look.pts - pts) <= self._skew] if self._skew else []

    @staticmethod
    def _longest_gap(before: MaskSample, near: Sequence[MaskSample], after: MaskSample) -> int:
        """The longest time, in ticks, in which nobody looked."""
        times = sorted({before.pts, *(look.pts for look in near), after.pts})
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0)

    def _was_looked_at(self, look: MaskSample) -> bool:
        """Whether the detector was asked about that very picture, and where the one who is shown stands."""
        return look.looked_s <= OWN_LOOK_S and any(number == self._spared and seen <= OWN_LOOK_S for number, seen, _ in look.tracks)

    def _following(self) -> Backdrop | None:
        """The proof of the next picture, where it is there."""
        look = self._around(self._waiting[0].pts)[0] if self._waiting else None
        return self._proof(self._waiting[0], look) if look is not None else None

    def _proof(self, frame: RawFrame, look: MaskSample) -> Backdrop | None:
        """The proof of `frame`; the newest is kept for its own turn, unless more became known until then."""
        if self._newest is None or self._newest[0] is not frame:
            self._newest = frame, self._proven(frame, look)
        return self._newest[1]

    def _proven(self, frame: RawFrame, look: MaskSample) -> Backdrop | None:
        if look.bits:
            try:
                return recorded_proof(frame.at, proven(look)) if look.pts == frame.pts else None
            except ValueError:
                return None
        background = self._background(frame.pts)
        if background is None or (self._skew and not self._is_same_view(background, frame)):
            return None
        return prove(background, frame)

    def _is_same_view(self, background: Background, frame: RawFrame) -> bool:
        """Whether the recorded stream shows what was looked at, in this picture or in one shortly before: somebody may stand close."""
        luma = small_picture(frame, *background.known.shape)[..., 0]
        if is_same_view(np.ascontiguousarray(background.picture[..., 0]), background.known, np.ascontiguousarray(luma)):
            self._same_until = frame.pts + _SAME_VIEW_S * TICKS
        return frame.pts <= self._same_until

    def _background(self, pts: int) -> Background | None:
        """What was known before the picture at `pts` was taken: no picture proves itself, and none is proven over a doubt."""
        earliest = pts - self._skew
        while len(self._backgrounds) > 1 and self._backgrounds[1][0] < earliest:
            self._backgrounds.popleft()
        if not self._backgrounds or self._backgrounds[0][0] >= earliest:
            return None
        since, background = self._backgrounds[0]
        while self._doubts and self._doubts[0] < since:
            self._doubts.popleft()
        return None if self._doubts and self._doubts[0] <= pts + self._skew else background

    def _around(self, pts: int) -> tuple[MaskSample | None, MaskSample | None]:
        """The looks before and after a picture (and what may be its moment); the same one twice where the picture itself was looked at."""
        earliest, latest = pts - self._skew, pts + self._skew
        while len(self._looks) > 1 and self._looks[1].pts <= earliest:
            self._looks.popleft()
        before = self._looks[0] if self._looks and self._looks[0].pts <= earliest else None
        if before is not None and before.pts == latest:
            return before, before
        return before, next((look for look in self._looks if look.pts > latest), None)


def _apart(scene: Scene, number: int) -> Scene:
    """A look at a moment that may be the picture's: who was seen there counts at that place, not on the way between others."""
    return replace(scene, tracks=tuple(replace(track, number=-1 - (track.number * _MOST_NEAR + number)) for track in scene.tracks))
