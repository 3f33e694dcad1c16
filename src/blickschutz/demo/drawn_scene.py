"""A drawn forecourt with walking figures and exact ground truth: for tests, and for a demo without the real clip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.frames import RawFrame, chroma_shape
from blickschutz.kernel.geometry import Box

Bytes: TypeAlias = npt.NDArray[np.uint8]

RATE = 10.0
# How tall a walker is, as a share of the picture: at the back, and what the nearest of them has more.
_FARTHEST, _NEARER = 0.16, 0.32
_DEPTHS = (0.45, 0.8)
TALLEST = _FARTHEST + _NEARER * _DEPTHS[1]


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """One drawn picture: planes, the boxes of all figures, and the mask of their pixels (255)."""

    y: Bytes
    u: Bytes
    v: Bytes
    people: tuple[Box, ...]
    bodies: Bytes

    def i420(self) -> Bytes:
        """The planes as one array (3/2 height, width), for even sizes."""
        return np.concatenate([self.y.ravel(), self.u.ravel(), self.v.ravel()]).reshape(self.y.shape[0] * 3 // 2, self.y.shape[1])

    def frame(self, index: int, at: float | None = None) -> RawFrame:
        moment = index / RATE if at is None else at
        return RawFrame(self.y.copy(), self.u.copy(), self.v.copy(), index, moment, moment)


class DrawnScene:
    """Pictures of one forecourt, by number. The same seed gives the same pictures.

    The first `empty` pictures are without people, so that a background can be learned.
    """

    def __init__(self, width: int, height: int, seed: int, walkers: int = 4, empty: int = 0, noise: float = 1.2) -> None:
        self._width, self._height, self._empty, self._noise, self._seed = width, height, empty, noise, seed
        random = np.random.default_rng(seed)
        self._ground = self._draw_ground(random)
        self._walkers = [
            (
                float(random.uniform(0, 1)),
                float(random.uniform(*_DEPTHS)),
                float(random.uniform(0.05, 0.11)) * random.choice((-1, 1)),
                int(random.integers(20, 70)),
            )
            for _ in range(walkers)
        ]

    def picture(self, index: int) -> DrawnPicture:
        """Picture number `index`, at ten per second."""
        y = self._ground.astype(np.float32)
        rows, columns = chroma_shape(self._width, self._height)
        u, v = np.full((rows, columns), 124, np.uint8), np.full((rows, columns), 130, np.uint8)
        bodies = np.zeros((self._height, self._width), np.uint8)
        people = [self._draw_walker(y, u, v, bodies, index, *walker) for walker in self._walkers] if index >= self._empty else []
        grain = np.random.default_rng((self._seed, index)).normal(0, self._noise, y.shape)
        luma = np.clip(y + grain, 16, 235).astype(np.uint8)
        return DrawnPicture(luma, u, v, tuple(box for box in people if box.area > 0), bodies)

    def _draw_ground(self, random: np.random.Generator) -> Bytes:
        ground = np.full((self._height, self._width), 150, np.uint8)
        horizon = self._height // 3
        ground[:horizon] = 105
        for x in range(0, self._width, max(8, self._width // 12)):
            cv2.rectangle(ground, (x + 4, horizon // 4), (x + self._width // 24, horizon - 8), 70, -1)
        for y in range(horizon, self._height, max(6, self._height // 16)):
            cv2.line(ground, (0, y), (self._width, y), 138, 1)
        texture = cv2.resize(
            random.normal(0, 9, (self._height // 4 + 1, self._width // 4 + 1)).astype(np.float32),
            (self._width, self._height),
        )
        return np.asarray(np.clip(ground + texture, 20, 230), np.uint8)

    def _draw_walker(
        self,
        y: npt.NDArray[np.float32],
        u: Bytes,
        v: Bytes,
        bodies: Bytes,
        index: int,
        start: float,
        depth: float,
        speed: float,
        shade: int,
    ) -> Box:
        height = self._height * (_FARTHEST + _NEARER * depth)
        foot_y = self._height * (0.32 + 0.66 * depth)
        x = ((start + speed * index / RATE) % 1.3 - 0.15) * self._width
        swing = 0.12 * height * math.sin(index * 0.9)
        mask = np.zeros_like(bodies)
        head = height * 0.075
        cv2.circle(mask, _point(x, foot_y - height + head), max(1, round(head)), 1, -1)
        cv2.ellipse(
            mask,
            _point(x, foot_y - 0.63 * height),
            (max(1, round(0.12 * height)), max(1, round(0.22 * height))),
            0,
            0,
            360,
            2,
            -1,
        )
        for side in (-1, 1):
            cv2.line(
                mask,
                _point(x, foot_y - 0.45 * height),
                _point(x + side * swing, foot_y),
                3,
                max(1, round(0.07 * height)),
            )
            cv2.line(
                mask,
                _point(x, foot_y - 0.75 * height),
                _point(x - side * swing, foot_y - 0.42 * height),
                2,
                max(1, round(0.05 * height)),
            )
        for part, value in ((1, 175), (2, shade), (3, shade + 25)):
            y[mask == part] = value
        bodies[mask != 0] = 255
        chroma = mask[::2, ::2] == 2
        u[chroma], v[chroma] = 110 + shade // 2, 150 - shade // 3
        left, top, width, tall = cv2.boundingRect(mask)
        return Box(left, top, left + width, top + tall)


def _point(x: float, y: float) -> tuple[int, int]:
    return round(x), round(y)
