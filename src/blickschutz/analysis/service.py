"""The analyser of one camera: background, detector and tracker together make a scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.analysis.ports import Detector, Poser
from blickschutz.analysis.rules.attention import Attention
from blickschutz.analysis.rules.background import BackgroundModel, BackgroundState, Found
from blickschutz.analysis.rules.changes import still_changes
from blickschutz.analysis.rules.encounters import EncounterWatch
from blickschutz.analysis.rules.fallen import Around, left_over
from blickschutz.analysis.rules.heads import drop_contained, suppress_overlaps
from blickschutz.analysis.rules.lying import LyingWatch
from blickschutz.analysis.rules.postures import PostureWatch
from blickschutz.analysis.rules.proof import compared, levelled, prove, small_picture
from blickschutz.analysis.rules.regions import lively_regions
from blickschutz.analysis.rules.steadying import STILL
from blickschutz.analysis.rules.tracking import Candidate, Tracker, TrackerSettings
from blickschutz.analysis.rules.view import ViewWatch
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box, cells_under
from blickschutz.kernel.scene import Backdrop, Background, Change, Detection, Doubt, Encounter, Posture, Scene, Track

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]

_FULL = 255
_HALF_FRAME_S = 0.05
_NO_BOXES: Floats = np.zeros((0, 5), np.float32)
# For each box whether a track had it, whether it stands out from the background, and whether its track has moved on.
_NO_FACTS: npt.NDArray[np.bool_] = np.zeros((0, 3), bool)
_NEVER_S = 3600.0
_STANDS_OUT_SHARE = 0.35
_DOUBTS = {
    BackgroundState.LEARNING: Doubt.STARTING,
    BackgroundState.CHANGED: Doubt.CHANGED,
    BackgroundState.STEADY: None,
}


class Analyser:
    """Feeds on frames of one camera in order of time.

    `analyse` at the analysis rate gives the scene; `observe` for the frames between gives the proof of
    background alone. A change of size starts everything anew.
    """

    def __init__(
        self,
        detector: Detector,
        settings: AnalysisSettings | None = None,
        tracking: TrackerSettings | None = None,
        poser: Poser | None = None,
    ) -> None:
        self._detector, self._poser = detector, poser
        self._settings = settings or AnalysisSettings()
        # The second one follows whoever may fall, through glances too; nothing but postures goes by it.
        self._tracker, self._glanced = Tracker(tracking), Tracker(tracking)
        self._background: BackgroundModel | None = None
        self._size = (0, 0)
        self._attention: Attention | None = None
        self._looked_at = self._whole_at = -np.inf
        self._boxes = self._near = self._newest = _NO_BOXES
        self._facts = _NO_FACTS
        self._meetings, self._postures = EncounterWatch(), PostureWatch()
        self._view, self._lying = ViewWatch(), LyingWatch()
        self._changes: tuple[Change, ...] = ()
        self._changes_at = -np.inf
        self.detections_run = 0
        self.detections_spared = 0

    def prepare(self, width: int, height: int) -> None:
        """Make the detector ready for pictures of that size, before the first is read. Raises `ModelError` or `FaultError`."""
        self._detector.fitting(width, height, ())

    def restart(self) -> None:
        """Forget background and tracks: the stream was interrupted, and anything may have changed."""
        self._background = None
        self._tracker.reset()
        self._glanced.reset()
        self._boxes = self._near = self._newest = _NO_BOXES
        self._looked_at = self._whole_at = -np.inf
        self._facts = _NO_FACTS
        self._changes, self._changes_at = (), -np.inf
        self._lying, self._postures = LyingWatch(), PostureWatch()

    @property
    def least_height_px(self) -> int:
        """Height of the smallest person that is proven covered, in pixels of the camera's picture; 0 before the first one."""
        model, settings = self._background, self._settings
        if model is None:
            return 0
        rows = settings.proven_rows_in_weather if model.weather.falls else settings.proven_rows
        return math.ceil(rows * self._size[0] / model.shape[1])

    def observe(self, frame: RawFrame) -> Backdrop:
        """What is proven background in `frame`."""
        return prove(self.background(frame), frame)

    def background(self, frame: RawFrame) -> Background:
        """What is known of the place after all that was analysed, for `frame` and the pictures after it."""
        model = self._model(frame)
        return model.background(frame.at, _DOUBTS[model.state])

    def analyse(self, frame: RawFrame, *, watched: bool = True, before: RawFrame | None = None) -> tuple[Backdrop, Scene]:
        """What is proven background in `frame`, and who is in it. Learns from it.

        With `watched` off the detector is asked less often; tracks are predicted in between. `before` is a
        frame of about a tenth of a second earlier, from which motion is measured.
        """
        model = self._model(frame)
        known = self.background(frame)
        small = small_picture(frame, *model.shape)
        picture = levelled(known, small)
        shift = model.shift(picture, frame.at)
        if shift != STILL:
            known = replace(known, shaky=True)
        backdrop, picture, proven = compared(known, picture, frame.at, shift)
        moving = model.moving(picture, frame.at)
        waits = model.waits(frame.at)
        # What only waits to be learned is looked at with the whole picture, and calls for no look of its own.
        settled = proven if waits is None else np.asarray(cv2.bitwise_or(proven, waits), np.uint8)
        self._look(frame, moving, proven, settled, watched)
        tracks = self._tracks(self._tracker, frame.at)
        self._look_turned(frame, moving, settled, tracks)
        scene = self._scene(frame.at, tracks)
        recent = model.recently_moved(frame.at, self._settings.motion_memory_s)
        blocked, doubtful, found = self._blocked(scene, recent, frame)
        model.learn(picture, proven, blocked, doubtful, frame.at, found)
        # The picture itself may have shown that the light was switched: then nothing of it counts.
        backdrop = replace(backdrop, doubt=_DOUBTS[model.state])
        return backdrop, self._whole_scene(scene, frame, before, small, picture, proven, blocked)

    def _whole_scene(
        self, scene: Scene, frame: RawFrame, before: RawFrame | None, small: Bytes, picture: Bytes, proven: Bytes, blocked: Bytes
    ) -> Scene:
        """`scene` with what the situations need beyond people: motion of those who are close, and what of the place changed."""
        model, settings = self._model(frame), self._settings
        met = self._encounters(scene, frame, before) if before is not None else ()
        changes: tuple[Change, ...] = ()
        if model.state is BackgroundState.STEADY and frame.at - self._changes_at >= settings.changes_interval_s:
            self._changes_at = frame.at
            rows, columns = model.shape
            scale = frame.width / columns, frame.height / rows
            since = model.still_since(proven, blocked)
            changes = self._changes = still_changes(since, model.stood(), frame.at, settings.still_s, model.shown, picture, scale)
        elif model.state is BackgroundState.STEADY:
            changes = self._changes
        view = self._view.look(np.ascontiguousarray(small[..., 0]), frame.y, frame.at)
        return replace(
            scene,
            taken=frame.taken,
            width=frame.width,
            height=frame.height,
            encounters=met,
            postures=self._down(frame, proven),
            changes=changes,
            view=view,
        )

    def _encounters(self, scene: Scene, frame: RawFrame, before: RawFrame) -> tuple[Encounter, ...]:
        poser = self._poser
        crowd = [track.box for track in scene.tracks if track.confirmed]
        pictures = before.y, frame.y, frame.at - before.at
        look = partial(poser.look, frame) if poser is not None else None
        least = self._settings.encounter_height * frame.height
        return self._meetings.encounters(self._near, crowd, pictures, least, look, frame.at)

    def _down(self, frame: RawFrame, proven: Bytes) -> tuple[Posture, ...]:
        if self._poser is None:
            return ()
        model = self._model(frame)
        rows, columns = model.shape

        def remains() -> Sequence[Box]:
            return left_over(proven, self.background(frame).known, (frame.width / columns, frame.height / rows))

        tracks = self._tracks(self._glanced, frame.at)
        around = Around(self._newest, tracks, self._lying.lying(frame.at), (frame.width, frame.height), remains)
        return self._postures.postures(around, partial(self._poser.look, frame), frame.at)

    def _model(self, frame: RawFrame) -> BackgroundModel:
        if self._background is None or self._size != (frame.width, frame.height):
            if self._size != (frame.width, frame.height):
                # Only another size makes the known view worthless: a camera may be moved while its stream is interrupted.
                self._view = ViewWatch()
            self.restart()
            self._size = (frame.width, frame.height)
            width = self._settings.small_columns(frame.width)
            self._background = BackgroundModel(max(1, round(frame.height * width / frame.width)), width)
            self._attention = Attention(*self._background.shape, frame.width, frame.height)
        return self._background

    def _look(self, frame: RawFrame, moving: Bytes, proven: Bytes, settled: Bytes, watched: bool) -> None:
        """Ask the detector for the whole picture, for the parts in which somebody can be, or for nothing.

        What was found last holds where nobody looks: where nothing moves, all is proven and nobody is followed.
        """
        settings, attention = self._settings, self._attention
        assert attention is not None
        interval = settings.look_interval_s if watched else settings.unwatched_look_interval_s
        whole_interval = settings.whole_interval_s if watched else settings.unwatched_whole_interval_s
        calm_interval = settings.calm_interval_s
        if self._meetings.is_lively(frame.at) or self._postures.is_needed(frame.at):
            # Who moves hard or falls is seen anew in every analysed picture: an old box holds them no longer.
            interval = calm_interval = settings.look_interval_s
        # Half a frame of tolerance at ten frames per second, so that 0.5 s does not become 0.6 s.
        at = frame.at + _HALF_FRAME_S
        parts: list[Box] = []
        wanted = at - self._looked_at >= interval
        steady = self._background is not None and self._background.state is BackgroundState.STEADY
        if wanted and steady and at - self._whole_at < whole_interval:
            due = [] if self._is_quiet(moving, settled) else self._due(frame, moving, settled)
            parts = self._detector.fitting(frame.width, frame.height, due) if due else []
            wanted = bool(due)
        # The whole picture, where no part of it will do, is too dear for every time.
        if not wanted or (not parts and at - self._whole_at < calm_interval):
            self._glance(frame, moving, settled, steady)
            return
        self._looked_at = frame.at
        if not parts:
            self._whole_at = frame.at
        found = self._found(frame, parts)
        self._near = self._newest
        self._tracker.update(found, frame.at, parts)
        self._keep(found, parts, proven, frame)
        attention.looked(parts or [Box(0, 0, frame.width, frame.height)], frame.at)

    def _glance(self, frame: RawFrame, moving: Bytes, settled: Bytes, steady: bool) -> None:
        """A look between those that are due, at somebody who just came near, for nothing but how they stood should they fall.

        It moves no look that is due and is seen by nothing else: what is learned of fights and of the place hangs on when was looked.
        """
        came = self._postures.newcomers(frame.at)
        if not came:
            self.detections_spared += 1
            return
        regions = self._regions(frame, moving, settled) if steady else []
        around = [region for region in regions if any(region.holds(box.centre) for box in came)]
        self._found(frame, self._detector.fitting(frame.width, frame.height, around) if around else [])

    def _found(self, frame: RawFrame, parts: Sequence[Box]) -> Floats:
        """Whom the detector finds in `parts`, or in the whole picture."""
        settings = self._settings
        self.detections_run += 1
        seen = self._background.sensor.clearer(frame) if self._background is not None else frame
        self._newest = suppress_overlaps(self._detector.detect(seen, settings.weak_score, parts), settings.overlap)
        found = drop_contained(self._newest, settings.sure_score)
        self._glanced.update(found, frame.at, parts)
        return found

    def _keep(self, found: Floats, parts: Sequence[Box], proven: Bytes, frame: RawFrame) -> None:
        """What was found now, and what was found before where nobody looked: `parts` were looked at, or all of the picture."""
        scale = proven.shape[1] / frame.width, proven.shape[0] / frame.height
        seen = [candidate for candidate in self._tracker.candidates if candidate.seen_at == frame.at]
        for candidate, stands_out in zip(seen, _standing_out([one.box for one in seen], proven, scale), strict=True):
            # Who was once hard to tell from the background stays so: a headlight makes nobody easier to see for long.
            candidate.stands_out = bool(stands_out) and (candidate.stands_out or candidate.hits == 1)
        standing_out = _standing_out([Box(*sides) for sides in found[:, :4].tolist()], proven, scale)
        followed = _within(found, [one.box for one in seen])
        kept, facts = found, np.stack([followed, standing_out, np.zeros(len(found), bool)], axis=1)
        if parts:
            elsewhere = ~_within(self._boxes, parts)
            old = self._facts[elsewhere]
            old[:, 2] |= old[:, 0]
            kept, facts = np.concatenate([found, self._boxes[elsewhere]]), np.concatenate([facts, old])
        order = np.argsort(-kept[:, 4])
        self._boxes, self._facts = kept[order], facts[order]

    def _look_turned(self, frame: RawFrame, moving: Bytes, proven: Bytes, tracks: Sequence[Track]) -> None:
        """Look for somebody lying, where something is and nobody stands."""
        steady = self._background is not None and self._background.state is BackgroundState.STEADY

        def regions() -> list[Box]:
            return self._regions(frame, moving, proven) if steady else [Box(0, 0, frame.width, frame.height)]

        look = self._lying.next_look(regions, tracks, frame.at)
        if look is not None:
            found = self._detector.detect_turned(self._model(frame).sensor.clearer(frame), self._settings.lying_score, *look)
            self._lying.take(suppress_overlaps(found, self._settings.overlap), self._boxes, frame.at, self._settings.sure_score)

    def _due(self, frame: RawFrame, moving: Bytes, proven: Bytes) -> list[Box]:
        """The parts that must be looked at now, the longest unseen first."""
        assert self._attention is not None
        regions = self._regions(frame, moving, proven)
        return self._attention.due(regions, self._tracks(self._tracker, frame.at), frame.at, self._settings.calm_interval_s - _HALF_FRAME_S)

    def _is_quiet(self, moving: Bytes, proven: Bytes) -> bool:
        share = self._settings.idle_motion_share
        still = np.count_nonzero(moving) <= share * moving.size and np.count_nonzero(proven) >= (1 - share) * proven.size
        return bool(still) and not self._tracker.candidates

    def _regions(self, frame: RawFrame, moving: Bytes, proven: Bytes) -> list[Box]:
        """The parts around what moves, is not proven or is followed."""
        settings = self._settings
        lively = np.asarray(cv2.bitwise_or(cv2.bitwise_not(proven), moving), np.uint8)
        if lively.shape[1] > settings.region_columns:
            # Where a look is due is told as well by every second pixel that has any of its neighbours in it.
            lively = np.ascontiguousarray(cv2.dilate(lively, np.ones((3, 3), np.uint8))[::2, ::2])
        followed = [candidate.predicted(frame.at) for candidate in self._tracker.candidates]
        margin = settings.region_margin_share * frame.height
        return lively_regions(lively, followed, frame.width, frame.height, margin)

    def _scene(self, at: float, tracks: tuple[Track, ...]) -> Scene:
        rows = zip(self._boxes.tolist(), self._facts[:, 1:].tolist(), strict=True)
        found = tuple(Detection(Box(*sides), score, *facts) for (*sides, score), facts in rows)
        return Scene(
            at, tracks, found, lying=(*self._lying.lying(at), *self._postures.bodies(at)), looked_s=min(at - self._looked_at, _NEVER_S)
        )

    def _tracks(self, tracker: Tracker, at: float) -> tuple[Track, ...]:
        return tuple(self._track(candidate, tracker, at) for candidate in tracker.candidates)

    def _track(self, candidate: Candidate, tracker: Tracker, at: float) -> Track:
        return Track(
            candidate.number,
            candidate.predicted(at),
            candidate.velocity.centre,
            candidate.score,
            at - candidate.seen_at,
            at - candidate.born_at,
            tracker.is_confirmed(candidate),
            candidate.stands_out,
        )

    def _blocked(self, scene: Scene, recent: Bytes, frame: RawFrame) -> tuple[Bytes, Bytes, Found]:
        """Where the background must not learn (somebody may be there), where it must wait longer, and where anybody was found."""
        settings = self._settings
        blocked = recent.copy()
        doubtful, people, cut = (np.zeros_like(recent) for _ in range(3))
        found = (*scene.detections, *scene.lying)
        boxes = [detection.box for detection in found] + [track.box for track in scene.tracks]
        grown = [box.grown(settings.box_margin_share, settings.box_margin_px) for box in boxes]
        scale = recent.shape[1] / frame.width, recent.shape[0] / frame.height
        cells = cells_under(grown, scale, recent.shape)
        closer = cells_under([one.box.grown(settings.cut_margin_share, settings.cut_margin_px) for one in found], scale, recent.shape)
        near = settings.edge_share * frame.width
        for detection, where, inner in zip(found, cells, closer, strict=False):
            part = recent[where]
            moves = part.size > 0 and np.count_nonzero(part) > settings.box_motion_share * part.size
            if detection.score >= settings.sure_score or moves:
                blocked[where] = _FULL
                continue
            doubtful[where] = _FULL
            box = detection.box
            if box.width >= settings.least_across * box.height and box.grown(0, near).touches_edge(frame.width, frame.height):
                cut[inner] = _FULL
        for where in cells[len(found) :]:
            blocked[where] = _FULL
        for where in cells:
            people[where] = _FULL
        return blocked, doubtful, Found(people, cut)


def _within(boxes: Floats, people: Sequence[Box]) -> npt.NDArray[np.bool_]:
    """For each of `boxes` whether its centre lies in one of `people`."""
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    inside = np.zeros(len(boxes), bool)
    for one in people:
        inside |= (x >= one.left) & (x <= one.right) & (y >= one.top) & (y <= one.bottom)
    return inside


def _standing_out(boxes: Sequence[Box], proven: Bytes, scale: tuple[float, float]) -> npt.NDArray[np.bool_]:
    """For each of `boxes` whether some of it is not proven; `scale` (x, y) leads from their picture to `proven`."""
    parts = [proven[where] for where in cells_under(boxes, scale, proven.shape)]
    return np.array([part.size - np.count_nonzero(part) >= _STANDS_OUT_SHARE * part.size > 0 for part in parts], bool)
