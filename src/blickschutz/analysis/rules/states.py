"""The other state of a pixel: a leaf that swings before the wall, a flag, a screen.

Whatever comes back to the same place again and again, with nobody found there, is the place's other face. Each pixel has
one besides the background. It is learned from visits: somebody who stands or passes makes one, a leaf makes many.

Source: Kim et al. 2005, "Real-time foreground-background segmentation using codebook model": a word of the book counts
once it recurs, and is dropped when it stays away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = npt.NDArray[np.intp]

_FULL = 255
_FOLLOW = 0.2
_MOST_VISITS = 250


@dataclass(frozen=True, slots=True)
class StatesSettings:
    """A state counts after so many visits over at least `least_s`; it is another visit when it was away at the look before.

    Where nothing is known it also counts when it did not change for `steady_s`, whatever moves beside it. It is forgotten
    when it stays away for `most_away_s` before it counts, for `forget_s` after.
    """

    visits: int = 6
    least_s: float = 6.0
    most_away_s: float = 4.0
    steady_s: float = 12.0
    forget_s: float = 120.0
    sweep_s: float = 10.0


class OtherStates:
    """One other state for each pixel of a small picture of shape (height, width, 3)."""

    def __init__(self, height: int, width: int, settings: StatesSettings | None = None) -> None:
        self._settings = settings or StatesSettings()
        count = height * width
        self._colour = np.zeros((count, 3), np.float32)
        self._since, self._seen_at = np.full(count, -np.inf), np.full(count, -np.inf)
        self._steady_since = np.full(count, np.inf)
        self._visits = np.zeros(count, np.uint8)
        self._swept_at = self._looked_at = -np.inf
        self.known = np.zeros((height, width), np.uint8)
        self.shown = np.zeros((height, width, 3), np.uint8)

    @property
    def any(self) -> bool:
        return bool(self.known.any())

    def forget(self) -> None:
        """The place is another one."""
        self._visits[:] = 0
        self._since[:] = self._seen_at[:] = -np.inf
        self._steady_since[:] = np.inf
        self.known, self.shown = np.zeros_like(self.known), np.zeros_like(self.shown)

    def look(
        self, picture: Bytes, different: npt.NDArray[np.bool_], people: npt.NDArray[np.bool_], unknown: Bytes, most: int, at: float
    ) -> Places:
        """Learn from the pixels that differ from the background at time `at`, or of which none is known (`unknown`: 255).

        Whatever `people` may be proves nothing. Colours at most `most` steps apart are one state. Gives the places that
        count from now on.
        """
        s = self._settings
        before, self._looked_at = self._looked_at, at
        there = people.reshape(-1)
        np.copyto(self._visits, np.uint8(0), where=there)
        np.copyto(self._since, at, where=there)
        np.copyto(self._steady_since, np.inf, where=there)
        where = np.flatnonzero(different & ~people)
        new = np.zeros(0, np.intp)
        if where.size:
            colours = picture.reshape(-1, 3)[where].astype(np.float32)
            held, seen = self._colour[where], self._seen_at[where]
            same = (np.abs(colours - held) <= most).all(axis=1)
            lost = ~same & (at - seen > s.most_away_s) & (self.known.reshape(-1)[where] == 0)
            again = same & (seen < before)
            self._visits[where] = np.where(lost, 0, np.minimum(self._visits[where] + again, _MOST_VISITS))
            self._since[where[lost]] = at
            self._colour[where] = np.where(lost[:, None], colours, np.where(same[:, None], held + _FOLLOW * (colours - held), held))
            self._seen_at[where[same | lost]] = at
            steady = self._steady_since[where] = np.where(same, np.minimum(self._steady_since[where], at), np.inf)
            counts = same & (self._visits[where] >= s.visits) & (at - self._since[where] >= s.least_s)
            counts |= (unknown.reshape(-1)[where] != 0) & (at - steady >= s.steady_s)
            new = where[counts & (self.known.reshape(-1)[where] == 0)]
        self._keep(new, at)
        return new

    def seen(self, agrees: npt.NDArray[np.bool_], at: float) -> None:
        """These pixels showed their other state."""
        self._seen_at[agrees.reshape(-1)] = at

    def drop(self, places: Places) -> None:
        """These places have become the background itself; another state of theirs is learned from the beginning."""
        known = self.known.copy()
        known.reshape(-1)[places] = 0
        self.known, self._visits[places], self._seen_at[places] = known, 0, -np.inf

    def _keep(self, new: Places, at: float) -> None:
        sweep = at - self._swept_at >= self._settings.sweep_s
        if not new.size and not sweep:
            return
        known = self.known.copy()
        known.reshape(-1)[new] = _FULL
        if sweep:
            self._swept_at = at
            known.reshape(-1)[self._seen_at < at - self._settings.forget_s] = 0
        self.known = known
        if new.size:
            shown = self.shown.copy()
            shown.reshape(-1, 3)[new] = np.round(self._colour[new]).astype(np.uint8)
            self.shown = shown
