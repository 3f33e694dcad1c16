"""The watch of one camera: takes scenes, keeps episodes of evidence, and says when a situation begins, goes on and ends.

Rules give scores; here alone a threshold is laid on them. What reaches it is a situation, told once and not per scene; every
episode, told or not, is counted with its peak (`take_episodes`), so that the price of a threshold can be reckoned.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from blickschutz.kernel.errors import ModelError
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Scene
from blickschutz.situations import kinds
from blickschutz.situations.declare import NoBounds, Where
from blickschutz.situations.kinds import DECLARED, UNCALIBRATED, Episode, Kind, Situation
from blickschutz.situations.model import FLOOR, Finding
from blickschutz.situations.rules.causes import Blindness, unseen
from blickschutz.situations.rules.forest import Learned
from blickschutz.situations.rules.history import PERSON_M, History
from blickschutz.situations.settings import SituationSettings

_log = structlog.get_logger(__name__)

RULES = {rule.name: rule for rule in kinds.RULES}
# What takes minutes or is measured once a second is judged once a second.
_SLOW_S = 1.0
_NOTHING = NoBounds()


# An alarm goes on while its score is at least this share of the threshold: one that wavers around it is told once.
_HOLD = 0.8
# Weak evidence that never ends (a crowd) is counted anew so often, as alarms would be.
_MOST_WEAK_S = 60.0


@dataclass(slots=True)
class _Running:
    """An episode that goes on: its best finding so far, and the situation that people were told of, if they were."""

    best: Finding
    box: Box
    at: float
    taken: float
    begun_at: float
    true_at: float
    threshold: float
    situation: Situation | None = None

    @property
    def held_from(self) -> float:
        """The least score that keeps it going."""
        return FLOOR if self.situation is None else max(FLOOR, _HOLD * self.threshold)


class SituationWatch:
    """Feeds on the scenes of one camera in order of time."""

    def __init__(self, settings: SituationSettings | None = None, learned: Learned | None = None) -> None:
        self._settings = settings or SituationSettings()
        self._thresholds = dict(self._settings.thresholds)
        self._ended: list[Episode] = []
        self._history = History(self._settings, learned)
        self._running: dict[tuple[Kind, str, str], _Running] = {}
        self._numbers = itertools.count(1)
        self._slow_at = -math.inf
        self._blindness = Blindness()
        self.broken: dict[str, str] = {}

    def restart(self) -> None:
        """The stream was interrupted: what went on has ended, as far as anybody can tell."""
        self._history.clear()

    def set_thresholds(self, thresholds: Mapping[Kind, float]) -> None:
        """Lay these from now on; a situation that goes on is not taken back."""
        self._thresholds = dict(thresholds)

    def set_places(self, settings: SituationSettings) -> None:
        """Look in these zones and at these lines from now on. The thresholds stay; what goes on where nobody looks any more has its end."""
        self._settings = settings

    def take_episodes(self) -> Sequence[Episode]:
        """The episodes that ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def end(self) -> Sequence[Episode]:
        """Nothing follows any more: the episodes that ended and those that went on."""
        self._ended += [_episode(key, running, self._history.now.at) for key, running in self._running.items()]
        self._running.clear()
        return self.take_episodes()

    def take(self, scene: Scene) -> Sequence[Situation]:
        """Situations that began (without `ended_at`) or ended with this scene."""
        if self._history.scenes and scene.at < self._history.now.at:
            self._history.clear()
        blind, lost = self._blindness.take(scene)
        if lost:
            self._history.clear()
        self._history.add(unseen(scene) if blind else scene)
        told: list[Situation] = []
        for finding in self._findings(blind):
            told.extend(self._keep(finding, scene))
        told.extend(self._release(scene.at))
        return told

    @property
    def running(self) -> Sequence[Situation]:
        """What goes on at this moment, with the newest figures."""
        return [item.situation for item in self._running.values() if item.situation is not None]

    def _findings(self, blind: bool) -> Iterator[Finding]:
        """A camera that does not see the place says that, and nothing else."""
        at = self._history.now.at
        slow = not 0 <= at - self._slow_at < _SLOW_S
        self._slow_at = at if slow else self._slow_at
        due = [rule for rule in RULES.values() if (slow or not rule.slow) and (rule.when_blind or not blind)]
        for zone in self._settings.zones:
            for rule in due:
                if rule.where is Where.LINES or (rule.where is Where.SURFACES and not zone.surface):
                    continue
                if not all(one.id in zone.rules.off for one in rule.kinds):
                    found = self._try(rule.name, partial(rule.judge, self._history, zone, zone.rules))
                    yield from (finding for finding in found if finding.kind.id not in zone.rules.off)
        for line in self._settings.lines:
            for rule in due:
                if rule.where is Where.LINES:
                    yield from self._try(rule.name, partial(rule.judge, self._history, line, _NOTHING))

    def _try(self, name: str, work: Callable[[], Iterator[Finding]]) -> list[Finding]:
        try:
            found = list(work())
        except ModelError as error:
            self.broken[name] = str(error)
            return []
        # A rule that fails says nothing about the others; it is logged once and shown as a fault of that rule.
        except Exception as error:  # noqa: BLE001 - the other rules go on, and the camera's page shows which one failed
            if name not in self.broken:
                _log.exception("rule_failed", rule=name)
            self.broken[name] = f"{type(error).__name__}: {error}"
            return []
        self.broken.pop(name, None)
        return found

    def _keep(self, finding: Finding, scene: Scene) -> Iterator[Situation]:
        box = self._history.share_box(finding.box)
        figures = finding.figures if self._settings.px_per_metre else {**finding.figures, UNCALIBRATED: PERSON_M}
        kind = Kind(finding.kind.id)
        key = kind, finding.zone, self._subject(finding, box)
        finding = replace(finding, figures=figures)
        running = self._running.get(key)
        if running is None:
            threshold = self._thresholds.get(kind, finding.kind.start)
            running = _Running(finding, box, scene.at, scene.taken, scene.at, scene.at, threshold)
            self._running[key] = running
        elif finding.score < running.held_from:
            return
        running.true_at, running.box = scene.at, box
        told = running.situation
        if finding.score > running.best.score:
            running.best = finding
            if told is None:
                running.at, running.taken = scene.at, scene.taken
        if told is not None:
            running.situation = replace(told, confidence=running.best.score, figures=figures, box=box)
        elif finding.score >= running.threshold:
            number = next(self._numbers)
            running.situation = Situation(number, kind, finding.zone, scene.at, scene.taken, finding.score, figures, box)
            yield running.situation

    def _subject(self, finding: Finding, box: Box) -> str:
        """What tells this finding from others: nothing, who it is about, or for what stays in one place the nearest known one."""
        if finding.kind.one_per_zone:
            return ""
        reach = finding.kind.same_place
        for kind, zone, subject in self._running if reach else ():
            known = self._running[kind, zone, subject].box
            if kind == finding.kind.id and zone == finding.zone and math.dist(known.centre, box.centre) <= reach:
                return subject
        return finding.subject

    def _release(self, at: float) -> Iterator[Situation]:
        for key, running in list(self._running.items()):
            silent = at - running.true_at > max(self._settings.release_s, DECLARED[key[0]].release_s) or at < running.true_at
            if not silent and (running.situation is not None or at - running.begun_at <= _MOST_WEAK_S):
                continue
            del self._running[key]
            self._ended.append(_episode(key, running, at))
            if running.situation is not None:
                yield replace(running.situation, ended_at=at)


def _episode(key: tuple[Kind, str, str], running: _Running, at: float) -> Episode:
    kind, zone, _ = key
    best = running.best
    return Episode(kind, zone, running.at, running.taken, max(at, running.at), best.score, running.threshold, best.figures)
