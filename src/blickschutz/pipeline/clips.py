"""Situations in files, through the very path of a cell with nobody watching."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.analysis.ports import Detector
from blickschutz.analysis.service import Analyser
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import MediaError
from blickschutz.kernel.scene import Scene
from blickschutz.kernel.situation import Situation
from blickschutz.pipeline.offline import FileReader
from blickschutz.pipeline.path import RedactionPath
from blickschutz.pipeline.showing import Showing
from blickschutz.situations.model import SituationSettings
from blickschutz.situations.service import SituationWatch


def scenes_in(clip: Path, detector: Detector, clock: Clock, progress: Callable[[int], object]) -> Iterator[tuple[float, Scene]]:
    """(seconds since the first frame, scene) of every analysed frame, and at last the clip's length with an empty scene."""
    settings = AnalysisSettings()
    path = RedactionPath(Analyser(detector, settings), Showing(), settings.rate)
    start = last = None
    for frame in FileReader(clip, clock):
        start = frame.at if start is None else start
        last = frame.at
        path.push(frame, wanted=False)
        progress(1)
        scene = path.take_scene()
        if scene is not None:
            yield frame.at - start, scene
    if start is not None and last is not None:
        yield last - start, Scene(last)


def analyse_file(
    clip: Path, detector: Detector, clock: Clock, settings: SituationSettings, progress: Callable[[int], object]
) -> tuple[list[Situation], float]:
    """The situations in `clip` with times in seconds since its first frame, and the clip's length. Raises `MediaError`."""
    watch = SituationWatch(settings)
    found: dict[int, Situation] = {}
    length, offset = 0.0, None
    for at, scene in scenes_in(clip, detector, clock, progress):
        length = max(length, at)
        offset = scene.at - at if offset is None else offset
        if scene.width:
            found.update((situation.number, situation) for situation in watch.take(scene))
    found.update((situation.number, situation) for situation in watch.running if situation.number in found)
    return [_from_start(situation, offset or 0.0) for situation in sorted(found.values(), key=lambda s: s.number)], length


def _from_start(situation: Situation, offset: float) -> Situation:
    ended = None if situation.ended_at is None else situation.ended_at - offset
    return replace(situation, at=situation.at - offset, ended_at=ended)


def jsonl_lines(name: str, situations: list[Situation], length: float) -> list[str]:
    """One line for each situation and one for the clip, in the form that `event_score.py` reads."""
    lines = [
        {
            "clip": name,
            "kind": s.kind.value,
            "start_s": round(s.at, 2),
            "end_s": round(length if s.ended_at is None else s.ended_at, 2),
            "confidence": round(s.confidence, 3),
            "figures": {key: round(value, 3) for key, value in s.figures.items()},
        }
        for s in situations
    ]
    return [json.dumps(line) for line in (*lines, {"clip": name, "analysed_s": round(length, 2)})]


def clip_name(clip: Path, root: Path) -> str:
    """The clip's name relative to `root`. Raises `MediaError` when it lies elsewhere."""
    try:
        return clip.resolve().relative_to(root.resolve()).as_posix()
    except ValueError as error:
        raise MediaError(f"{clip} does not lie in {root}; name the folder that holds all clips with --root") from error
