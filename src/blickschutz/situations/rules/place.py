"""Rules about the place itself: things, surfaces, and the camera's own view."""

from __future__ import annotations

from collections.abc import Iterator

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Change
from blickschutz.situations.kinds import Kind
from blickschutz.situations.model import FLOOR, Finding, WatchedZone, graded
from blickschutz.situations.rules.history import PERSON_M, History
from blickschutz.situations.rules.things import is_thing, stands_out, visits

_STANDS_OUT = 0.2


def still_thing(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """Something was put down or taken away by somebody, and nobody is near it any more."""
    if zone.surface:
        return
    for change in history.now.changes:
        still = change.since_s, zone.rules.object_s
        if graded(still) < FLOOR or not history.inside(zone, change.box.centre):
            continue
        score = graded(still, (stands_out(history, change), _STANDS_OUT))
        if score < FLOOR:
            continue
        if not is_thing(history, change, visits(history, change)):
            continue
        kind = Kind.OBJECT_LEFT if change.appeared > 0 else Kind.OBJECT_REMOVED
        yield Finding(kind, zone.id, _place(history, change.box), score, change.box, {"seconds": change.since_s})


def surface_changed(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """A protected surface looks different and stays so, after somebody was near it."""
    if not zone.surface:
        return
    for change in history.now.changes:
        score = graded((change.since_s, zone.rules.surface_s))
        if score < FLOOR or not history.inside(zone, change.box.centre) or not visits(history, change):
            continue
        metres = [history.metres(side, _body_near(history, change)) for side in (change.box.width, change.box.height)]
        figures = {"seconds": change.since_s, "square_metres": metres[0] * metres[1]}
        yield Finding(Kind.SURFACE_CHANGED, zone.id, _place(history, change.box), score, change.box, figures)


def _body_near(history: History, change: Change) -> Box:
    """Somebody's box near the change, for its scale; a tenth of the picture's height where nobody is known."""
    heights = [trail.heights for trail in history.trails.values() if trail.heights]
    height = sorted(heights)[len(heights) // 2] if heights else history.now.height / 10 * PERSON_M
    return Box(0, 0, height / 3, height)


def _place(history: History, box: Box) -> str:
    x, y = history.share_box(box).centre
    return f"{round(20 * x)}-{round(20 * y)}"


def camera_tampered(history: History, zone: WatchedZone) -> Iterator[Finding]:
    """The camera is covered, out of focus, dark, blinded, moved, or its picture frozen, and has been for a while."""
    rules, now = zone.rules, history.now
    view = now.view
    if view is None or view.cause is None:
        return
    score = min(view.score, graded((view.seconds, rules.tamper_s)))
    if score < FLOOR:
        return
    figures = {
        "agreement": view.agreement,
        "sharpness": view.sharpness,
        "luma": view.luma,
        "seconds": view.seconds,
        view.cause.value: view.score,
    }
    yield Finding(Kind.CAMERA_TAMPERED, zone.id, "", score, Box(0, 0, now.width, now.height), figures)
