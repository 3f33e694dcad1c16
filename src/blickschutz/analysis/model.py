"""Settings of the analysis and the description of a detector model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Head(StrEnum):
    """How a network's output is read (see `rules.heads`)."""

    CENTERNET = "centernet"
    YOLOX = "yolox"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One registered detector. `sha256` is of the ONNX file; a file that differs is never loaded."""

    name: str
    file: str
    sha256: str
    head: Head
    input_width: int
    licence: str
    source: str


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """Rates per second, times in seconds, shares of the picture; `small_width` in pixels.

    The detector looks every `look_interval_s`: at the whole picture every `whole_interval_s`, in between only at
    the parts in which something moves, is not proven or is followed; where one calm walker is alone every
    `calm_interval_s`. While nobody watches it looks less often (`unwatched_...`): tracks need fewer looks than masks.

    A turned look for people who lie counts from `lying_score` on. What changed counts once it was still for
    `still_s`; it is looked for every `changes_interval_s`. The motion of two who are close is measured where they
    fill at least `encounter_height` of the picture's height.

    A detection from `sure_score` on keeps the background from learning its box for good; a weaker one,
    from `weak_score` on, keeps it for as long as something moves in the box, and some seconds longer.
    """

    rate: float = 5.0
    small_width: int = 192
    idle_motion_share: float = 0.0004
    sure_score: float = 0.3
    weak_score: float = 0.08
    overlap: float = 0.4
    motion_memory_s: float = 0.5
    box_motion_share: float = 0.03
    box_margin_share: float = 0.25
    box_margin_px: float = 8.0
    look_interval_s: float = 0.2
    calm_interval_s: float = 0.4
    whole_interval_s: float = 1.4
    unwatched_look_interval_s: float = 0.5
    unwatched_whole_interval_s: float = 4.0
    region_margin_share: float = 0.03
    lying_score: float = 0.22
    still_s: float = 3.0
    changes_interval_s: float = 1.0
    encounter_height: float = 0.3
