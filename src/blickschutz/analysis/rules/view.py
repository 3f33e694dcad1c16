"""Whether the camera still sees what it saw: each picture against the long-term picture, part by part.

Light may change by day and night; structure stays where it is as long as nobody covers, defocuses, darkens, blinds or moves
the camera (IEC 62676-1-1 asks for an alarm in these cases). What tells one from another: where a cover lies nothing is left of the
structure; out of focus its fine part goes first; darkness and a torch show in the brightness itself; a moved camera shows much
structure, elsewhere, and nothing of the old one is left in its place. A picture that is frozen lacks the sensor's noise
(`analysis.rules.frozen`).
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blickschutz.analysis.rules.frozen import Stillness
from blickschutz.analysis.rules.restless import Restlessness
from blickschutz.analysis.rules.view_causes import BLURRED, COVERED, WHITE, Evidence, Told, evidence, told_by
from blickschutz.analysis.rules.view_known import Compared, KnownView
from blickschutz.analysis.rules.view_parts import COLUMNS, ROWS, Looked, measured, ranked
from blickschutz.kernel.scene import Cause, View

Bytes: TypeAlias = npt.NDArray[np.uint8]

# Ready after so many pictures: by then the long-term picture is a mean of as many.
_READY = 6
# Where the view is known and nothing speaks against it, two or three looks a second do.
_EAGER, _CALM, _CALM_S = 30, 0.2, 0.3
_DOUBTED = 0.5
# Headlights that pass are as bright as a torch, but not as large or not for long.
_PASSING_LIGHT, _PASSES_S = 0.6, 1.8
# What covers a good part of the lens and stays there may spread: a hand that comes slowly is no person.
_SPREADING = 2.0
# Evidence counts once it has lasted in the same parts: all but one of the looks of so many seconds.
_WINDOW_S, _EVIDENCE = 1.2, 0.2
_MANY_LOOKS = 5
# Nobody put it right: what the camera sees now is its view from here on. Sooner where the view was hardly known.
_ACCEPT_S, _ACCEPT_LEAST_S, _ACCEPT_TIMES = 900.0, 20.0, 3.0
_MOST_GAP_S = 2.5
_ROUNDING_S = 1e-6


class ViewWatch:
    """Keeps the long-term picture of one camera. `look` once per analysed picture."""

    def __init__(self) -> None:
        self._known: KnownView | None = None
        self._seen: Looked | None = None
        self._view: View | None = None
        self._is_calm = False
        self._looks = 0
        self._looked_at = self._detailed_at = self._agreed_at = -np.inf
        self._stillness, self._restlessness = Stillness(), Restlessness()
        self._restless: frozenset[int] = frozenset()
        self._window: deque[tuple[float, Told, bool]] = deque()
        self._white: deque[tuple[float, Told]] = deque()
        self._since: dict[Cause, float] = {}

    def look(self, small: Bytes, full: Bytes, at: float) -> View | None:
        """Compare a picture of time `at` (seconds, its luma in `small` and in `full` size); None while too little is known.

        Learns the usual view from it, unless it is doubted.
        """
        if small.shape[0] < 2 * ROWS or small.shape[1] < 2 * COLUMNS:
            return None
        if self._known is not None and self._known.watch_shift(small, at):
            self._is_calm = False
        if self._is_calm and 0 <= at - self._looked_at < _CALM_S:
            return self._view
        # Detail is the dearest measure: two or three a second settle it.
        fresh = 0 <= at - self._detailed_at < _CALM_S
        seen = self._seen = measured(small, full, self._seen if fresh else None)
        self._detailed_at = self._detailed_at if fresh else at
        if not 0 <= at - self._looked_at <= _MOST_GAP_S:
            self._interrupt()
        self._looked_at = at
        if self._known is None:
            self._known = KnownView(seen, at)
        compared = self._known.compare(seen)
        self._known.watch_rest(seen, compared, at)
        told = told_by(seen, compared)
        moment = self._evidence(told, compared, at, moved=self._known.was_moved)
        moment = {**moment, Cause.MOVED: max(moment[Cause.MOVED], self._known.felt)}
        frozen, still_s = self._stillness.look(small, at)
        self._restless = self._restlessness.look(small, at)
        self._learn(seen, compared, moment, at)
        self._looks += 1
        if self._looks < _READY:
            return None
        self._view = self._judged(seen, compared, told, moment, (frozen, still_s), at)
        self._is_calm = self._looks > _EAGER and self._view.doubt < _CALM
        return self._view

    def _judged(self, seen: Looked, compared: Compared, told: Told, moment: Evidence, frozen: tuple[float, float], at: float) -> View:
        """What the window says; `frozen` is the evidence that the picture is, and for how many seconds it has been still."""
        lasting = self._lasting(told, compared, moment, at)
        scores = {**lasting, Cause.FROZEN: frozen[0]}
        known = self._known
        assert known is not None
        if known.felt_to_rest(at):
            scores[Cause.MOVED] = max(scores.get(Cause.MOVED, 0.0), known.felt)
        cause = max(scores, key=lambda each: scores[each])
        seconds = self._seconds(scores, at)
        passing = {**moment, Cause.BLINDED: _PASSING_LIGHT * moment[Cause.BLINDED]}
        if known.drifts and not known.felt and not known.rest.lies_elsewhere(at):
            # Whether it was a push or a pan is seen once the camera rests: whoever pans after somebody goes on seeing them.
            passing[Cause.MOVED] = 0.0
        spreading = (_SPREADING * lasting.get(each, 0.0) for each in (Cause.COVERED, Cause.DEFOCUSED))
        still = 1.0 if frozen[1] > 0 and self._stillness.certain else 0.0
        return View(
            compared.agreement,
            ranked(compared.sharpness[compared.judged], 0.5) if compared.judged.any() else 1.0,
            float(seen.mean.mean()),
            float(seen.mean.std()),
            cause if scores[cause] > 0 else None,
            scores[cause],
            min(1.0, max(still, *scores.values(), *passing.values(), *spreading)),
            frozen[1] if cause is Cause.FROZEN else seconds.get(cause, 0.0),
            self._restless,
        )

    def _interrupt(self) -> None:
        """Pictures are missing: nothing has lasted."""
        self._window.clear()
        self._white.clear()
        self._since.clear()
        self._stillness.interrupt()
        if self._known is not None:
            self._known.interrupt()

    def _learn(self, seen: Looked, compared: Compared, moment: Evidence, at: float) -> None:
        """Follow the usual view; what is doubted is not learned, unless nobody put it right for long."""
        known = self._known
        assert known is not None
        usual = max(moment.values()) < _DOUBTED or self._looks < _READY
        known.watch_steadiness(compared, usual, at)
        if usual:
            self._agreed_at = at
            known.learn(seen, compared, at)
        elif at - self._agreed_at >= min(_ACCEPT_S, max(_ACCEPT_LEAST_S, _ACCEPT_TIMES * (self._agreed_at - known.since))):
            self._known, self._agreed_at, self._looks, self._is_calm = KnownView(seen, at), at, 0, False
            self._interrupt()

    def _lasting(self, told: Told, compared: Compared, moment: Evidence, at: float) -> Evidence:
        """The evidence of what every part has told for the length of the window; one look that says otherwise is passed over."""
        white = self._white_for_long(told, at)
        self._window.append((at, told, max(moment.values()) >= _EVIDENCE))
        while self._window[0][0] < at - _WINDOW_S - _ROUNDING_S:
            self._window.popleft()
        count = len(self._window)
        least = count - 1 if count >= _MANY_LOOKS else count
        if at - self._window[0][0] < 0.8 * _WINDOW_S or count < 2 or sum(doubted for *_, doubted in self._window) < least:
            return {}
        sums = np.sum([flags for _, flags, _ in self._window], axis=0, dtype=np.uint8)
        lasting = np.asarray(sums >= least, np.uint8)
        lasting[WHITE] &= white
        # A lens on which paint spreads is out of focus before it is covered.
        gone = np.sum([flags[COVERED] | flags[BLURRED] for _, flags, _ in self._window], axis=0, dtype=np.uint8) >= least
        lasting[COVERED] |= np.asarray(gone & (told[COVERED] != 0), np.uint8)
        lasting[BLURRED] |= np.asarray(gone & (told[BLURRED] != 0), np.uint8)
        assert self._known is not None
        return self._evidence(lasting, compared, at, moved=self._known.lies_elsewhere(at))

    def _evidence(self, told: Told, compared: Compared, at: float, *, moved: bool) -> Evidence:
        """What `told` says; of a camera that does not hang still it counts as a move only where a push was seen to have `moved` it."""
        assert self._known is not None
        drifts = self._known.drifts
        return evidence(told, compared, drifts=drifts and not moved, sways=drifts and not self._known.rest.is_calm(at))

    def _white_for_long(self, told: Told, at: float) -> Told:
        """Where a light shines for longer than the headlights of a car that passes."""
        self._white.append((at, told[WHITE]))
        while self._white[0][0] < at - _PASSES_S - _ROUNDING_S:
            self._white.popleft()
        if at - self._white[0][0] < 0.8 * _PASSES_S:
            return np.zeros_like(told[WHITE])
        least = len(self._white) - (1 if len(self._white) >= _MANY_LOOKS else 0)
        return np.asarray(np.sum([flags for _, flags in self._white], axis=0, dtype=np.uint8) >= least, np.uint8)

    def _seconds(self, scores: Evidence, at: float) -> Evidence:
        """For how long there has been evidence for each cause."""
        for cause, score in scores.items():
            if score < _EVIDENCE:
                self._since.pop(cause, None)
            else:
                self._since.setdefault(cause, self._window[0][0])
        return {cause: at - since for cause, since in self._since.items()}
