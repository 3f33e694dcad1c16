"""Generated scenes with exact truth: people who walk, stand, fall and meet, as the analysis would tell them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Detection, Encounter, Scene, Track, View

WIDTH, HEIGHT, BODY = 1000, 600, 175.0
GOOD_VIEW = View(1.0, 1.0, 120.0, 40.0)

# Where somebody stands at a time: x and y of the feet in metres, or None where they are not in the picture.
Way = Callable[[float], tuple[float, float] | None]
METRE = BODY / 1.75


def standing(x: float, y: float, height: float = BODY, width: float = 0.0) -> Box:
    """The box of somebody whose feet are at (x, y) in pixels."""
    half = (width or height / 3) / 2
    return Box(x - half, y - height, x + half, y)


def person(number: int, box: Box, at: float, born: float = 0.0, velocity=(0.0, 0.0), seen=0.0, confirmed=True) -> Track:
    return Track(number, box, velocity, 0.8, seen, at - born, confirmed)


def scene(at: float, *tracks: Track, **more) -> Scene:
    return Scene(at, tracks, taken=1.7e9 + at, width=WIDTH, height=HEIGHT, **{"view": GOOD_VIEW, **more})


def walk(ways: list[Way], seconds: float, rate: float = 5.0, start: float = 100.0, scale: float = 1.0) -> list[Scene]:
    """Scenes of people on their ways; places in metres from the left and from the top of the ground."""
    result = []
    for index in range(round(seconds * rate) + 1):
        at = index / rate
        tracks = []
        for number, way in enumerate(ways, 1):
            place = way(at)
            if place is not None:
                x, y = place[0] * METRE * scale, (place[1] * METRE + 100) * scale
                tracks.append(person(number, standing(x, y, BODY * scale), start + at, start))
        result.append(
            Scene(start + at, tuple(tracks), taken=1.7e9 + at, width=round(WIDTH * scale), height=round(HEIGHT * scale), view=GOOD_VIEW)
        )
    return result


def fall(rate: float = 5.0, speed_s: float = 0.6, start: float = 100.0, gets_up: bool = False) -> list[Scene]:
    """Somebody stands for 3 s, falls within `speed_s` and stays down (or is up again 0.6 s later)."""
    result = []
    for index in range(round(9 * rate)):
        at = index / rate
        down = min(1.0, max(0.0, (at - 3.0) / speed_s))
        if gets_up and at > 3.0 + speed_s + 0.3:
            down = 0.0
        height = BODY * (1 - 0.68 * down)
        width = BODY * (1 / 3 + 0.6 * down)
        result.append(scene(start + at, person(1, standing(500, 500, height, width), start + at, start)))
    return result


def fight(limbs: float, spread: float, seconds: float = 3.0, rate: float = 5.0, start: float = 100.0) -> list[Scene]:
    """Two people close together whose motion is as given."""
    first, second = standing(480, 560, 400), standing(560, 560, 400)
    met = Encounter(first.united(second), 0.3, limbs, spread)
    return [
        scene(start + i / rate, person(1, first, start + i / rate, start), person(2, second, start + i / rate, start), encounter=met)
        for i in range(round(seconds * rate))
    ]


def lying(at: float, score: float, box: Box, *tracks: Track) -> Scene:
    return scene(at, *tracks, lying=(Detection(box, score),))


def mirrored(scenes: list[Scene]) -> list[Scene]:
    """The same scenes seen in a mirror."""

    def flip(box: Box, width: int) -> Box:
        return Box(width - box.right, box.top, width - box.left, box.bottom)

    result = []
    for item in scenes:
        tracks = tuple(replace(t, box=flip(t.box, item.width), velocity=(-t.velocity[0], t.velocity[1])) for t in item.tracks)
        found = tuple(replace(d, box=flip(d.box, item.width)) for d in item.lying)
        met = replace(item.encounter, box=flip(item.encounter.box, item.width)) if item.encounter else None
        changes = tuple(replace(c, box=flip(c.box, item.width)) for c in item.changes)
        result.append(replace(item, tracks=tracks, lying=found, encounter=met, changes=changes))
    return result
