"""Tampering drawn over the planes of a picture: what a hand, a spray can, a torch or a shove does to a camera's view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]

# For each kind, between how many seconds it takes to be complete.
ONSET_S: Mapping[str, tuple[float, float]] = {
    "cover": (0.1, 0.8),
    "cover-part": (0.1, 0.8),
    "spray": (1.0, 4.0),
    "defocus": (0.05, 1.0),
    "dark": (0.05, 1.0),
    "blind": (0.05, 0.6),
    "turn": (0.2, 1.0),
    "shift": (0.05, 0.6),
    "freeze": (0.01, 0.02),
    "cover-slow": (5.0, 30.0),
    "defocus-slow": (8.0, 40.0),
    "dark-slow": (10.0, 40.0),
}
SLOW = frozenset(kind for kind, (_, longest) in ONSET_S.items() if longest > 4)
_WINDOW = 0.8


@dataclass(frozen=True, slots=True)
class Drawn:
    """How strong a tampering is: all that chance decides of it, in shares of the picture."""

    kind: str
    onset_s: float
    share: float
    direction: float
    grey: float
    colour: tuple[float, float]
    blur: float
    gain: float
    torch: tuple[float, float, float, float]
    degrees: float
    shift: tuple[float, float]
    noise: float
    blots: tuple[tuple[float, float, float], ...]

    @classmethod
    def by_chance(cls, kind: str, rng: np.random.Generator) -> Drawn:
        sign = rng.choice([-1.0, 1.0], 2)
        return cls(
            kind,
            rng.uniform(*ONSET_S[kind]),
            rng.uniform(0.55, 0.8) if kind == "cover-part" else 1.0,
            rng.uniform(0, 2 * np.pi),
            rng.uniform(20, 180),
            (rng.uniform(100, 156), rng.uniform(100, 156)),
            rng.uniform(4, 7) / 640,
            rng.uniform(0.02, 0.06),
            (rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), rng.uniform(0.22, 0.35), rng.uniform(210, 260)),
            float(sign[0]) * rng.uniform(4, 10),
            (float(sign[1]) * rng.uniform(0.018, 0.2), rng.uniform(-0.08, 0.08)),
            rng.uniform(1, 2.5),
            tuple((rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.12, 0.3)) for _ in range(40)),
        )


class Tampering:
    """Draws one tampering over pictures of one size, from the moment `at` (seconds) on."""

    def __init__(self, drawn: Drawn, width: int, height: int, at: float, rng: np.random.Generator) -> None:
        self.drawn, self.at, self._rng = drawn, at, rng
        self._frozen: tuple[Bytes, Bytes, Bytes] | None = None
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        self._x, self._y = columns / width, rows / height
        self._narrow = height / width
        texture = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), width / 25)
        self._texture = texture * (6 / max(1e-6, float(texture.std())))
        along = np.cos(drawn.direction) * self._x + np.sin(drawn.direction) * self._y
        ranks = np.empty(along.size, np.float32)
        ranks[np.argsort(along.ravel(), kind="stable")] = np.linspace(0, 1, along.size, dtype=np.float32)
        self._reached = ranks.reshape(along.shape)

    def drawn_over(self, planes: tuple[Bytes, Bytes, Bytes], second: float) -> tuple[Bytes, Bytes, Bytes]:
        """The planes Y, U, V of the picture at `second` as the tampered camera sends them."""
        elapsed = second - self.at
        if elapsed < 0:
            return self._windowed(planes, 0.0) if self.drawn.kind == "shift" else planes
        if self.drawn.kind == "freeze":
            self._frozen = self._frozen or planes
            return self._frozen
        done = min(1.0, elapsed / self.drawn.onset_s)
        if self.drawn.kind == "shift":
            changed = self._windowed(planes, done)
        elif self.drawn.kind in ("cover", "cover-part", "cover-slow", "spray"):
            changed = self._painted(planes, self._cover(done))
        else:
            changed = (self._luma(planes[0].astype(np.float32), done), *(self._chroma(plane, done) for plane in planes[1:]))
        noise = self.drawn.noise * self._rng.standard_normal(changed[0].shape).astype(np.float32)
        return np.clip(changed[0] + noise, 0, 255).astype(np.uint8), changed[1], changed[2]

    def _cover(self, done: float) -> Floats:
        """How opaque the lens is at each place."""
        if self.drawn.kind != "spray":
            return cv2.GaussianBlur((self._reached <= done * self.drawn.share).astype(np.float32), (0, 0), self._x.shape[1] / 80)
        opaque = np.zeros_like(self._x)
        for x, y, radius in self.drawn.blots[: int(np.ceil(done * len(self.drawn.blots)))]:
            around = ((self._x - x) ** 2 + ((self._y - y) * self._narrow) ** 2) / radius**2
            opaque = np.maximum(opaque, np.clip(1.6 - 1.6 * around, 0, 0.97))
        return opaque

    def _painted(self, planes: tuple[Bytes, Bytes, Bytes], opaque: Floats) -> tuple[Bytes, Bytes, Bytes]:
        small = cv2.resize(opaque, planes[1].shape[::-1], interpolation=cv2.INTER_AREA)
        luma = planes[0] * (1 - opaque) + opaque * (self.drawn.grey + self._texture)
        blue, red = (plane * (1 - small) + small * tone for plane, tone in zip(planes[1:], self.drawn.colour, strict=True))
        return luma, blue.astype(np.uint8), red.astype(np.uint8)

    def _luma(self, luma: Floats, done: float) -> Floats:
        drawn = self.drawn
        if drawn.kind.startswith("dark"):
            return luma * (1 - done * (1 - drawn.gain))
        if drawn.kind == "blind":
            x, y, spread, light = drawn.torch
            around = ((self._x - x) ** 2 + ((self._y - y) * self._narrow) ** 2) / (2 * spread**2)
            return luma + done * light * np.exp(-around)
        return self._bent(luma, done)

    def _chroma(self, plane: Bytes, done: float) -> Bytes:
        if self.drawn.kind.startswith("dark") or self.drawn.kind == "blind":
            left = 1 - done * (0.9 if self.drawn.kind.startswith("dark") else 0.5)
            return np.clip(128 + (plane.astype(np.float32) - 128) * left, 0, 255).astype(np.uint8)
        return self._bent(plane, done)

    def _bent(self, plane: npt.NDArray, done: float) -> npt.NDArray:
        """A plane out of focus or turned."""
        height, width = plane.shape
        if self.drawn.kind.startswith("defocus"):
            return cv2.GaussianBlur(plane, (0, 0), max(0.05, done * self.drawn.blur * width))
        around = cv2.getRotationMatrix2D((width / 2, height / 2), self.drawn.degrees * done, 1)
        return cv2.warpAffine(plane, around, (width, height), borderMode=cv2.BORDER_REFLECT)

    def _windowed(self, planes: tuple[Bytes, Bytes, Bytes], done: float) -> tuple[Bytes, Bytes, Bytes]:
        """The camera looks at a part of what was filmed, and at another part once it was pushed aside."""
        result = []
        for plane in planes:
            height, width = plane.shape
            x, y = (-(1 - _WINDOW) / 2 + done * way for way in self.drawn.shift)
            place = np.array([[1, 0, x * width], [0, 1, y * height]], np.float32) / _WINDOW
            result.append(cv2.warpAffine(plane, place, (width, height), borderMode=cv2.BORDER_REFLECT))
        return result[0], result[1], result[2]
