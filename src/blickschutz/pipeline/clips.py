"""Episodes of evidence in files, through the very path of a cell with nobody watching."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.analysis.ports import Detector, Poser
from blickschutz.analysis.service import Analyser
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import MediaError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.scene import Scene
from blickschutz.pipeline.offline import FileReader
from blickschutz.pipeline.path import RedactionPath
from blickschutz.pipeline.senses import Senses
from blickschutz.pipeline.showing import Showing
from blickschutz.situations.kinds import Episode
from blickschutz.situations.rules.forest import Learned
from blickschutz.situations.service import SituationWatch
from blickschutz.situations.settings import SituationSettings


def scenes_in(
    clip: Path, detector: Detector, clock: Clock, progress: Callable[[int], object], poser: Poser | None = None
) -> Iterator[tuple[float, Scene]]:
    """Those of a file (`scenes_of`). Raises `MediaError`."""
    return scenes_of(FileReader(clip, clock), detector, progress, poser)


def scenes_of(
    frames: Iterable[RawFrame], detector: Detector, progress: Callable[[int], object], poser: Poser | None = None
) -> Iterator[tuple[float, Scene]]:
    """(seconds since the first frame, scene) of every analysed frame, and at last the length with an empty scene."""
    settings = AnalysisSettings()
    path = RedactionPath(Analyser(detector, settings, poser=poser), Showing(), settings.rate)
    start = last = None
    for frame in frames:
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
    clip: Path, detector: Detector, clock: Clock, settings: SituationSettings, progress: Callable[[int], object], senses: Senses
) -> tuple[list[Episode], float]:
    """The episodes in `clip` in order, with times in seconds since its first frame, and the clip's length. Raises `MediaError`.

    An episode that people are told of starts when they are told, any other at its peak.
    """
    return episodes_in(scenes_in(clip, detector, clock, progress, senses.poser), settings, senses.learned)


def episodes_in(scenes: Iterable[tuple[float, Scene]], settings: SituationSettings, learned: Learned) -> tuple[list[Episode], float]:
    """The episodes in the scenes of a file (`scenes_in`), as `analyse_file` gives them."""
    watch = SituationWatch(settings, learned)
    found: list[Episode] = []
    length, offset = 0.0, None
    for at, scene in scenes:
        length = max(length, at)
        offset = scene.at - at if offset is None else offset
        if scene.width:
            watch.take(scene)
            found += watch.take_episodes()
    found += watch.end() if offset is not None else ()
    return sorted((_from_start(episode, offset or 0.0) for episode in found), key=lambda episode: episode.at), length


def _from_start(episode: Episode, offset: float) -> Episode:
    return replace(episode, at=episode.at - offset, ended_at=episode.ended_at - offset)


def jsonl_lines(name: str, episodes: Sequence[Episode], length: float) -> list[str]:
    """One line for each episode and one for the clip: `peak` is its highest score, `alarm` whether people would be told of it."""
    lines = [
        {
            "clip": name,
            "kind": one.kind.value,
            "start_s": round(one.at, 2),
            "end_s": round(min(length, one.ended_at), 2),
            "peak": round(one.peak, 4),
            "alarm": one.alarmed,
            "figures": {key: round(value, 3) for key, value in one.figures.items()},
        }
        for one in episodes
    ]
    return [json.dumps(line) for line in (*lines, {"clip": name, "analysed_s": round(length, 2)})]


def clip_name(clip: Path, root: Path) -> str:
    """The clip's name relative to `root`. Raises `MediaError` when it lies elsewhere."""
    try:
        return clip.resolve().relative_to(root.resolve()).as_posix()
    except ValueError as error:
        raise MediaError(f"{clip} does not lie in {root}; name the folder that holds all clips with --root") from error
