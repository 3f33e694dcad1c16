"""What the learned rules learn from: windows of scenes with their labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blickschutz.kernel.scene import Scene
from blickschutz.situations.kinds import Kind
from blickschutz.situations.rules.contact import WINDOW_S, altercation_features, altercation_windows
from blickschutz.situations.rules.history import History
from blickschutz.situations.rules.posture import WINDOW_S as POSTURE_S
from blickschutz.situations.rules.posture import posture_features, posture_windows
from blickschutz.situations.settings import SituationSettings

Labels = Sequence[tuple[str, float, float]]
Scenes = Sequence[tuple[float, Scene]]
_BEGUN_S, _AFTER_S, _DOWN_S = 0.4, 0.5, 0.8


@dataclass(frozen=True)
class Sample:
    """The features of one moment in a clip."""

    clip: str
    features: np.ndarray
    positive: bool


def altercations(clip: str, seen: Scenes, labels: Labels) -> list[Sample]:
    """Every window of a pair; around a labelled time only the label itself counts."""
    own = [label for label in labels if label[0] == Kind.PHYSICAL_ALTERCATION.value]
    found = []
    for index, (at, now) in enumerate(seen):
        inside = any(start + _BEGUN_S <= at <= end + _AFTER_S for _, start, end in own)
        if not now.encounters or (own and not inside):
            continue
        scenes = [scene for _, scene in seen[max(0, index - 20) : index + 1] if now.at - WINDOW_S <= scene.at]
        for window in altercation_windows(scenes):
            found.append(Sample(clip, altercation_features(window), inside))
    return found


def postures(clip: str, seen: Scenes, labels: Labels) -> list[Sample]:
    """Every window of somebody who was looked at a second time; in a clip with a fall what is neither before nor after it is left out."""
    if any(kind == Kind.PHYSICAL_ALTERCATION.value for kind, _, _ in labels):
        return []
    own = [label for label in labels if label[0] == Kind.PERSON_DOWN.value]
    found, history = [], History(SituationSettings())
    for at, now in seen:
        if not now.width:
            continue
        history.add(now)
        inside = any(start + _DOWN_S <= at <= end + _AFTER_S for _, start, end in own)
        before = all(at < start for _, start, _ in own)
        if not now.postures or not (inside or before):
            continue
        for window in posture_windows(list(history.scenes_since(now.at - POSTURE_S))):
            found.append(Sample(clip, posture_features(history, window), inside))
    return found


SAMPLES: Mapping[Kind, Callable[[str, Scenes, Labels], list[Sample]]] = {
    Kind.PHYSICAL_ALTERCATION: altercations,
    Kind.PERSON_DOWN: postures,
}
