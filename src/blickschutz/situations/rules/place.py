"""Rules about the place itself: things, surfaces, and the camera's own view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Change
from blickschutz.situations.declare import Where, bound, rule
from blickschutz.situations.model import FLOOR, Area, Declaration, Finding, Seconds, graded
from blickschutz.situations.rules.history import PERSON_M, History
from blickschutz.situations.rules.things import is_thing, stands_out, visits

_STANDS_OUT = 0.2


OBJECT_LEFT = Declaration(
    id="object_left",
    order=100,
    name=("Abgestellter Gegenstand", "Object left"),
    explanation=("Gegenstand steht seit {seconds:.0f} s, niemand ist dabei", "object there for {seconds:.0f} s with nobody near"),
    release_s=10.0,
    same_place=0.06,
    device_class="problem",
)
OBJECT_REMOVED = Declaration(
    id="object_removed",
    order=110,
    name=("Entfernter Gegenstand", "Object removed"),
    explanation=("Gegenstand fehlt seit {seconds:.0f} s", "object gone for {seconds:.0f} s"),
    release_s=10.0,
    same_place=0.06,
    priority="low",
    device_class="problem",
)


@dataclass(frozen=True)
class StillThing:
    """How long a thing is there, or gone."""

    object_s: Seconds = bound(
        10.0,
        "Gegenstand zurückgelassen oder entfernt: wie lange niemand in der Nähe war.",
        "object_left, object_removed: how long nobody was near.",
    )


@rule(
    90,
    OBJECT_LEFT,
    OBJECT_REMOVED,
    bounds=StillThing,
    true_when="something stands out now (or did before), still for 10 s, somebody walked up before and nobody is near, and it is no body, "
    "car, chair or light ([card](../models/object_left.md))",
    slow=True,
)
def still_thing(history: History, zone: Area, asked: StillThing) -> Iterator[Finding]:
    """Something was put down or taken away by somebody, and nobody is near it any more."""
    if zone.surface:
        return
    for change in history.now.changes:
        still = change.since_s, asked.object_s
        if graded(still) < FLOOR or not history.inside(zone, change.box.centre):
            continue
        score = graded(still, (stands_out(history, change), _STANDS_OUT))
        if score < FLOOR:
            continue
        if not is_thing(history, change, visits(history, change)):
            continue
        kind = OBJECT_LEFT if change.appeared > 0 else OBJECT_REMOVED
        yield Finding(kind, zone.id, _place(history, change.box), score, change.box, {"seconds": change.since_s})


SURFACE_CHANGED = Declaration(
    id="surface_changed",
    order=90,
    name=("Veränderte Oberfläche", "Surface changed"),
    explanation=(
        "Fläche von {square_metres:.2f} {sqm} seit {seconds:.0f} s verändert, zuvor war jemand daran",
        "an area of {square_metres:.2f} {sqm} changed for {seconds:.0f} s, after somebody was near it",
    ),
    same_place=0.1,
    priority="low",
    device_class="problem",
)


@dataclass(frozen=True)
class SurfaceChanged:
    """How long a surface looks different."""

    surface_s: Seconds = bound(10.0, "Veränderte Fläche: wie lange die Veränderung bleibt.", "surface_changed: how long the change stays.")


@rule(
    100,
    SURFACE_CHANGED,
    bounds=SurfaceChanged,
    true_when="in a zone with `surface = true`: changed and still for 10 s after somebody was near",
    where=Where.SURFACES,
    slow=True,
)
def surface_changed(history: History, zone: Area, asked: SurfaceChanged) -> Iterator[Finding]:
    """A protected surface looks different and stays so, after somebody was near it."""
    for change in history.now.changes:
        score = graded((change.since_s, asked.surface_s))
        if score < FLOOR or not history.inside(zone, change.box.centre) or not visits(history, change):
            continue
        metres = [history.metres(side, _body_near(history, change)) for side in (change.box.width, change.box.height)]
        figures = {"seconds": change.since_s, "square_metres": metres[0] * metres[1]}
        yield Finding(SURFACE_CHANGED, zone.id, _place(history, change.box), score, change.box, figures)


def _body_near(history: History, change: Change) -> Box:
    """Somebody's box near the change, for its scale; a tenth of the picture's height where nobody is known."""
    heights = [trail.heights for trail in history.trails.values() if trail.heights]
    height = sorted(heights)[len(heights) // 2] if heights else history.now.height / 10 * PERSON_M
    return Box(0, 0, height / 3, height)


def _place(history: History, box: Box) -> str:
    x, y = history.share_box(box).centre
    return f"{round(20 * x)}-{round(20 * y)}"


CAMERA_TAMPERED = Declaration(
    id="camera_tampered",
    order=130,
    name=("Kamera verstellt oder verdeckt", "Camera tampered with"),
    explanation=(
        "{agreement:.0%} der gewohnten Ansicht, Schärfe {sharpness:.0%}, Helligkeit {luma:.0f}, seit {seconds:.1f} s",
        "{agreement:.0%} of the usual view, sharpness {sharpness:.0%}, brightness {luma:.0f}, for {seconds:.1f} s",
    ),
    release_s=20.0,
    one_per_zone=True,
    must_not_wait=True,
    device_class="tamper",
    onvif=(
        "VideoSource/GlobalSceneChange",
        "VideoSource/ImageTooBlurry",
        "VideoSource/ImageTooDark",
        "VideoSource/ImageTooBright",
        "VideoSource/SignalLoss",
        "VideoSource/SignalTooBlurry",
        "RuleEngine/TamperDetector",
    ),
)


@dataclass(frozen=True)
class CameraTampered:
    """How long a camera is blind."""

    tamper_s: Seconds = bound(
        1.0,
        "Kamera gestört: wie lange die Kamera nicht sieht, was sie sonst sieht.",
        "camera_tampered: how long the camera does not see what it usually sees.",
    )


@rule(
    120,
    CAMERA_TAMPERED,
    bounds=CameraTampered,
    true_when="the lens is covered, sprayed on, out of focus or blinded, the picture dark or frozen, the camera turned or moved, for 1 s "
    "([card](../models/camera_tampered.md))",
    when_blind=True,
)
def camera_tampered(history: History, zone: Area, asked: CameraTampered) -> Iterator[Finding]:
    """The camera is covered, out of focus, dark, blinded, moved, or its picture frozen, and has been for a while."""
    now = history.now
    view = now.view
    if view is None or view.cause is None:
        return
    score = min(view.score, graded((view.seconds, asked.tamper_s)))
    if score < FLOOR:
        return
    figures = {
        "agreement": view.agreement,
        "sharpness": view.sharpness,
        "luma": view.luma,
        "seconds": view.seconds,
        view.cause.value: view.score,
    }
    yield Finding(CAMERA_TAMPERED, zone.id, "", score, Box(0, 0, now.width, now.height), figures)
