"""Fill masked pixels with figures that are drawn, not seen: a flat box for everybody, without a pixel of the source.

Whatever a held cell keeps of somebody's clothes tells them from their neighbours for as long as it is held: levels ranked
for each person, inverted or exchanged at random, and the bare outline of what differs from the background were all found
by an attacker who compares 12x4 cells; so was a drawn figure with head and limbs, by where in its box it stood
(`docs/design/redaction.md`, "Colour"). So a figure is one level. It says that somebody is there, how much room they take,
and whether they lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.frames import chroma_shape
from blickschutz.kernel.geometry import Box
from blickschutz.redaction.rules.mask import Region
from blickschutz.redaction.rules.mosaic import HOLD_S

Bytes: TypeAlias = npt.NDArray[np.uint8]
Planes: TypeAlias = tuple[Bytes, Bytes, Bytes]

# Levels of luma, whole steps of 16 as a mosaic's: masked without anybody known there, somebody upright, somebody lying.
GROUND, UPRIGHT, LYING = 96, 144, 176
NEUTRAL = 128
# How far a figure reaches beyond its region, as a share of it to each side, under the mask only: a box that is off the person, or
# too small for them, tells who they are (PETS09-S2L1, other times: .08 without, .03 with it, chance .05).
_BEYOND = 0.2
# How much wider than high whoever lies is: a stride opens a walker's box to two thirds of its height, arms to about all of it.
_LYING_FROM = 1.25


@dataclass(slots=True)
class _Held:
    level: int
    until: float


class Figures:
    """The figures of one camera."""

    def __init__(self, width: int, height: int) -> None:
        self._ground = np.full((height, width), GROUND, np.uint8)
        self._grey = np.full(chroma_shape(width, height), NEUTRAL, np.uint8)
        self._held: dict[int, _Held] = {}

    def fill(self, planes: Planes, masks: Planes, regions: Sequence[Region], at: float) -> None:
        """Overwrite `planes` under `masks` (255 = redacted; per plane). No value of `planes` is read."""
        self._hold(regions, at)
        drawing = self._ground.copy() if regions else self._ground
        height, width = drawing.shape
        levels = [(_level(region.box) if region.track is None else self._held[region.track].level, region.box) for region in regions]
        # Whoever lies is on top: their box is low, and the one of somebody who stands over them would hide it.
        for level, box in sorted(levels, key=lambda pair: pair[0]):
            left, top, right, bottom = box.grown(_BEYOND).clipped(width, height)
            drawing[top:bottom, left:right] = level
        cv2.copyTo(drawing, masks[0], planes[0])
        for plane, mask in zip(planes[1:], masks[1:], strict=True):
            cv2.copyTo(self._grey, mask, plane)

    def _hold(self, regions: Iterable[Region], at: float) -> None:
        """Whether somebody lies is held like a mosaic's cells: what changed with every step would tell of a gait."""
        there = set()
        for region in regions:
            if region.track is None:
                continue
            there.add(region.track)
            held = self._held.get(region.track)
            if held is None or held.until <= at:
                self._held[region.track] = _Held(_level(region.box), at + HOLD_S)
        for number in [number for number, held in self._held.items() if held.until <= at and number not in there]:
            del self._held[number]


def _level(box: Box) -> int:
    return LYING if box.width > _LYING_FROM * box.height else UPRIGHT
