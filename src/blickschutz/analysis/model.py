"""Settings of the analysis, the description of a model, and what a look at one person says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import Box

Floats: TypeAlias = npt.NDArray[np.float32]

# Points of a body, by number (Bazarevsky et al. 2020, "BlazePose").
POINT_COUNT = 33
NOSE, SHOULDERS, WRISTS, HIPS, KNEES, ANKLES = 0, (11, 12), (15, 16), (23, 24), (25, 26), (27, 28)


class Head(StrEnum):
    """How a network's output is read (see `rules.heads`); `BLAZEPOSE` finds nobody, it looks at a person found (`rules.pose`)."""

    CENTERNET = "centernet"
    YOLOX = "yolox"
    BLAZEPOSE = "blazepose"


DETECTOR_HEADS = (Head.CENTERNET, Head.YOLOX)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One registered network. `sha256` is of its file; a file that differs is never loaded. `engine` is the name of what runs it."""

    name: str
    file: str
    sha256: str
    head: Head
    input_width: int
    licence: str
    source: str
    engine: str = "openvino"


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """Rates per second, times in seconds, shares of the picture; `small_width` and `most_small_width` in pixels.

    Background is known on a small picture of one pixel for `small_step` of the camera's, within those two widths.

    The detector looks every `look_interval_s`: at the whole picture every `whole_interval_s`, in between only at
    the parts in which something moves, is not proven or is followed; where one calm walker is alone every
    `calm_interval_s`. While nobody watches it looks less often (`unwatched_...`): tracks need fewer looks than masks.

    A turned look for people who lie counts from `lying_score` on. What changed counts once it was still for
    `still_s`; it is looked for every `changes_interval_s`. The motion of two who are close is measured where they
    fill at least `encounter_height` of the picture's height.

    Somebody at least `proven_rows` pixels of the small picture tall is proven covered (docs/benchmarks.md), in rain and snow
    `proven_rows_in_weather`.

    A detection from `sure_score` on keeps the background from learning its box for good; a weaker one,
    from `weak_score` on, keeps it for as long as something moves in the box, and some seconds longer; within `edge_share`
    of the picture's width from its edge many minutes longer, unless it is narrower than `least_across` of its height.
    """

    rate: float = 5.0
    small_width: int = 192
    most_small_width: int = 480
    small_step: int = 4
    idle_motion_share: float = 0.0004
    sure_score: float = 0.3
    weak_score: float = 0.08
    overlap: float = 0.4
    motion_memory_s: float = 0.5
    box_motion_share: float = 0.03
    box_margin_share: float = 0.25
    box_margin_px: float = 8.0
    cut_margin_share: float = 0.05
    cut_margin_px: float = 4.0
    edge_share: float = 0.01
    least_across: float = 0.12
    look_interval_s: float = 0.2
    calm_interval_s: float = 0.4
    whole_interval_s: float = 1.4
    unwatched_look_interval_s: float = 0.5
    unwatched_whole_interval_s: float = 4.0
    region_margin_share: float = 0.03
    region_columns: int = 256
    proven_rows: float = 8.0
    proven_rows_in_weather: float = 11.0
    lying_score: float = 0.22
    still_s: float = 3.0
    changes_interval_s: float = 1.0
    encounter_height: float = 0.3

    def small_columns(self, width: int) -> int:
        """Columns of the small picture of a camera whose pictures are `width` wide."""
        return min(width, self.most_small_width, max(self.small_width, width // self.small_step))


@dataclass(frozen=True, slots=True)
class Outline:
    """The body's outline: its area in source pixels, its middle, its extent along and across its main axis (standard
    deviations), how far that axis is from upright (0 to a right angle), and the box that holds nearly all of it.
    """

    area: float
    centre: tuple[float, float]
    along: float
    across: float
    lean: float
    box: Box


@dataclass(frozen=True, slots=True)
class Pose:
    """`points` is (33, 4): x, y, visibility, presence in the crop. `presence` says whether anybody is there at all (0..1)."""

    presence: float
    points: Floats
    outline: Outline | None

    def middle(self, pair: tuple[int, int]) -> tuple[float, float]:
        """Between the left and the right one of a pair of points."""
        x, y = self.points[list(pair), :2].mean(axis=0).tolist()
        return x, y

    @property
    def trunk(self) -> float:
        """From the middle of the shoulders to that of the hips, in pixels."""
        return math.dist(self.middle(SHOULDERS), self.middle(HIPS))

    @property
    def tilt(self) -> float:
        """How far the trunk is from upright, 0 to pi (head down)."""
        (sx, sy), (hx, hy) = self.middle(SHOULDERS), self.middle(HIPS)
        return abs(math.atan2(hx - sx, hy - sy))
