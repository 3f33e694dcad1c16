"""Generated scenes with exact truth: people who walk, stand, fall and meet, as the analysis would tell them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import ENCOUNTER_FIGURES, POSTURE_FIGURES, Encounter, Posture, Scene, Track, View

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


# Figures of two who stand and talk, and the greatest and the least of two who fight (medians over many places, rounded).
CALM = dict(
    zip(
        ENCOUNTER_FIGURES,
        (
            *(0.23, 0.11, 0.28, 0.09, 0.34, 0.15, 0.15, 0.06, 0.19, 0.36, 0.03, 0.12, 0.9, 0.86),
            *(0.74, 0.01, 0.02, 0.6, 1.28, 0.46, 0.32, 2.0, 3.0),
            *(1.0, 0.77, 0.61, 0.06, 0.02, -0.13, 0.34, 0.07, 0.32, 0.16, 0.41, 0.54, 0.33, 0.04),
        ),
        strict=True,
    )
)
HARD = dict(
    zip(
        ENCOUNTER_FIGURES,
        (
            *(0.67, 0.46, 0.7, 0.34, 1.09, 0.7, 0.55, 0.33, 0.66, 0.83, 0.18, 0.31, 2.96, 2.96),
            *(1.04, 0.22, 0.54, 0.57, 1.76, 0.42, 0.31, 1.0, 1.0),
            *(1.0, 0.93, 0.65, 0.09, 0.08, 0.07, 0.39, 0.24, 0.99, 0.94, 1.12, 1.72, 0.96, 0.1),
        ),
        strict=True,
    )
)
LESS_HARD = dict(
    zip(
        ENCOUNTER_FIGURES,
        (
            *(0.26, 0.12, 0.15, 0.04, 0.43, 0.18, 0.18, 0.06, 0.09, 0.47, 0.03, 0.15, 1.16, 1.14),
            *(0.34, 0.0, 0.0, 0.29, 1.04, 0.24, 0.14, 0.0, 0.0),
            *(0.11, 0.0, 0.26, 0.02, 0.01, -0.17, 0.2, 0.05, 0.34, 0.22, 0.43, 0.39, 0.2, 0.02),
        ),
        strict=True,
    )
)
LIES = dict(
    zip(
        POSTURE_FIGURES,
        (
            *(0.95, 0.5, 0.5, 0.92, 0.45, 0.67, 2.2, 2.0),
            *(0.9, 0.9, 0.0, 0.42, 0.9),
            *(1.0, 1.3, 0.36, 0.7, 0.4),
            *(0.3, 0.4, 0.0, 1.0, 0.0, 0.0, 0.0, 0.25, 0.2),
            *(0.85, 1.0),
        ),
        strict=True,
    )
)
BOWS = dict(
    zip(
        POSTURE_FIGURES,
        (
            *(0.95, 0.95, 0.0, 0.25, 0.5, 0.72, 0.7, 0.75),
            *(0.3, 0.2, -0.4, 0.5, 0.9),
            *(1.0, 0.8, 0.67, 0.7, 0.45),
            *(0.0, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0, 0.35, 0.3),
            *(0.6, 0.0),
        ),
        strict=True,
    )
)


def between(first: dict[str, float], second: dict[str, float], share: float) -> tuple[float, ...]:
    return tuple(first[name] + share * (second[name] - first[name]) for name in first)


def fight(vigour: float = 1.0, bodies: int | None = 2, seconds: float = 3.0, rate: float = 5.0, start: float = 100.0) -> list[Scene]:
    """Two people close together who move as people who talk do (0) or as people who fight (1), harder and less hard in turn."""
    first, second = standing(480, 560, 400), standing(560, 560, 400)
    result = []
    for index in range(round(seconds * rate)):
        at = start + index / rate
        figures = between(CALM, HARD if index % 2 else LESS_HARD, vigour)
        named = dict(zip(CALM, figures, strict=True))
        met = Encounter(first.united(second), 400.0, named["distance"], named["limbs_1"], named["spread"], bodies, figures)
        result.append(scene(at, person(1, first, at, start), person(2, second, at, start), encounters=(met,)))
    return result


LOW = Box(420, 440, 590, 500)


def looked_at(share: float = 1.0, presence: float = 0.95, box: Box = LOW) -> tuple[Posture, ...]:
    """A second look at somebody who bows (0) or lies (1)."""
    named = {**dict(zip(BOWS, between(BOWS, LIES, share), strict=True)), "presence": presence}
    return (Posture(box, presence, named["lean"], tuple(named.values())),)


def down(share: float = 1.0, presence: float = 0.95, seconds: float = 3.0, start: float = 103.6) -> list[Scene]:
    """Looks again and again at somebody who bows or lies."""
    times = [start + index / 5 for index in range(round(seconds * 5))]
    return [scene(at, person(1, LOW, at, 100), postures=looked_at(share, presence)) for at in times]


def seen_down(scenes: list[Scene], share: float = 1.0) -> list[Scene]:
    """The scenes of a fall with the second looks that the analysis spends on whoever is low and wide."""

    def looks(item: Scene) -> tuple[Posture, ...]:
        low = item.tracks and item.tracks[0].box.width > 0.6 * item.tracks[0].box.height
        return looked_at(share) if low else ()

    return [replace(item, postures=looks(item)) for item in scenes]


def mirrored(scenes: list[Scene]) -> list[Scene]:
    """The same scenes seen in a mirror."""

    def flip(box: Box, width: int) -> Box:
        return Box(width - box.right, box.top, width - box.left, box.bottom)

    result = []
    for item in scenes:
        tracks = tuple(replace(t, box=flip(t.box, item.width), velocity=(-t.velocity[0], t.velocity[1])) for t in item.tracks)
        found = tuple(replace(d, box=flip(d.box, item.width)) for d in item.lying)
        met = tuple(replace(e, box=flip(e.box, item.width)) for e in item.encounters)
        looks = tuple(replace(one, box=flip(one.box, item.width)) for one in item.postures)
        changes = tuple(replace(c, box=flip(c.box, item.width)) for c in item.changes)
        result.append(replace(item, tracks=tracks, lying=found, encounters=met, postures=looks, changes=changes))
    return result
