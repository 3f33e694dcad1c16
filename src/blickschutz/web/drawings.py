"""What somebody drew on a camera's picture or on the site plan, as changes of the site file. Pure; hostile forms end in a problem."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from blickschutz.config.model import Camera, CrossingLine, PlanPlace, PrivacyZone, Zone
from blickschutz.kernel.density import Skew, Stander, densest, ground
from blickschutz.kernel.errors import UNREADABLE
from blickschutz.settings.model import Edit

# A share of 1,000 is a pixel or two: what differs by less was not moved.
_SAME = 0.0006
_DIGITS = 4
_MOST_SHAPES, _MOST_CORNERS = 40, 64

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Spot = tuple[Share, Share]
Text = Annotated[str, msgspec.Meta(max_length=200)]
Metres = Annotated[float, msgspec.Meta(gt=0, le=500)]


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A zone, or an area in which nothing is shown (its `name` is the reason). Without an id it is new."""

    name: Text
    points: Annotated[list[Spot], msgspec.Meta(min_length=3, max_length=_MOST_CORNERS)]
    id: Text = ""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line whose crossing is a situation."""

    points: tuple[Spot, Spot]
    both: bool = True
    id: Text = ""


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who stands in the picture, from the feet to the head."""

    foot: Spot
    head: Spot


class Ruler(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it was measured: not anew, not at all any more, by two points, or by somebody of a known height at three places."""

    kind: Literal["keep", "none", "scale", "people"] = "keep"
    points: tuple[Spot, Spot] = ((0.0, 0.0), (1.0, 1.0))
    metres: Metres = 1.0
    people: Annotated[list[Mark], msgspec.Meta(max_length=12)] = []


class Drawing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is drawn on one picture of `size` pixels."""

    size: tuple[Annotated[int, msgspec.Meta(ge=64, le=16384)], Annotated[int, msgspec.Meta(ge=64, le=16384)]] | None = None
    zones: Annotated[list[Shape], msgspec.Meta(max_length=_MOST_SHAPES)] = []
    privacy: Annotated[list[Shape], msgspec.Meta(max_length=_MOST_SHAPES)] = []
    lines: Annotated[list[Line], msgspec.Meta(max_length=_MOST_SHAPES)] = []
    ruler: Ruler = Ruler()


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a camera stands on the plan, and where it looks."""

    camera: Text
    x: Share
    y: Share
    direction: float
    angle: float
    reach: float


class NewCamera(msgspec.Struct, frozen=True):
    """A camera as somebody entered it. `password_file` names a file; the password itself is asked for nowhere."""

    name: str = ""
    address: str = ""
    side: str = ""
    user: str = ""
    password_file: str = ""


class NotDrawn(StrEnum):
    """Why a drawing is none."""

    UNREADABLE = "drawing-unreadable"
    NAME = "drawing-name"
    SIZE = "drawing-size"
    PEOPLE = "drawing-people"
    CLOSE = "drawing-close"
    UPSIDE_DOWN = "drawing-upside-down"
    APART = "drawing-apart"


_SKEWED = {Skew.FEW: NotDrawn.PEOPLE, Skew.CLOSE: NotDrawn.CLOSE, Skew.UPSIDE_DOWN: NotDrawn.UPSIDE_DOWN, Skew.APART: NotDrawn.APART}


def read_drawing(text: str) -> Drawing | NotDrawn:
    """A drawing as a page sends it."""
    try:
        return msgspec.json.decode(text, type=Drawing)
    except UNREADABLE:
        return NotDrawn.UNREADABLE


def read_places(text: str) -> list[Place] | NotDrawn:
    """Places on the plan as a page sends them."""
    try:
        return msgspec.json.decode(text, type=list[Place])
    except UNREADABLE:
        return NotDrawn.UNREADABLE


def drawn(camera: Camera, drawing: Drawing) -> list[Edit] | NotDrawn:
    """The changes that make the camera's settings what was drawn; nothing that was left as it is."""
    if any(not one.name.strip() for one in (*drawing.zones, *drawing.privacy)):
        return NotDrawn.NAME
    ruler = _measured(camera, drawing)
    if isinstance(ruler, NotDrawn):
        return ruler
    base = ("cameras", camera.id)
    return [
        *_areas((*base, "zones"), camera.zones, drawing.zones, "name"),
        *_areas((*base, "privacy_zones"), camera.privacy_zones, drawing.privacy, "reason"),
        *_lines((*base, "lines"), camera.lines, drawing.lines),
        *ruler,
    ]


def added(cameras: Iterable[Camera], new: NewCamera) -> Edit:
    """One more camera; whether it is one, the file's own checks say.

    Its first zone is the whole picture: without one nobody is told of sabotage (SI-07), and there is no picture yet to draw on.
    """
    values = {name: value for name, value in msgspec.structs.asdict(new).items() if value}
    own = _new_id(new.name, {camera.id for camera in cameras})
    zone = {"id": "bild", "name": "Ganzes Bild", "polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]}
    return Edit(("cameras", own), {"id": own, **values, "zones": [zone]})


def placed(cameras: Sequence[Camera], places: Iterable[Place]) -> list[Edit]:
    """The changes that put those cameras where they were drawn. A camera that there is not is passed over."""
    known, edits = {camera.id: camera for camera in cameras}, []
    for one in places:
        if one.camera not in known:
            continue
        before = known[one.camera].plan
        values = {
            "x": round(one.x, _DIGITS),
            "y": round(one.y, _DIGITS),
            "direction": round(one.direction % 360, 1) % 360,
            "angle": round(one.angle, 1),
            "reach": round(one.reach, _DIGITS),
        }
        if before is None:
            edits.append(Edit(("cameras", one.camera, "plan"), values))
        else:
            edits += [Edit(("cameras", one.camera, "plan", key), value) for key, value in values.items() if _moved(before, key, value)]
    return edits


def _moved(place: PlanPlace, key: str, value: float) -> bool:
    return abs(float(getattr(place, key)) - value) > (0.06 if key in {"direction", "angle"} else _SAME)


def _areas(path: tuple[str, ...], before: Sequence[Zone | PrivacyZone], now: Sequence[Shape], word: str) -> list[Edit]:
    """Zones, or areas that are filled; `word` is the setting in which their name stands."""
    known, edits, taken = {one.id: one for one in before}, list[Edit](), {one.id for one in before}
    kept = {one.id for one in now}
    edits += [Edit((*path, one.id), remove=True) for one in before if one.id not in kept]
    for shape in now:
        old, name, points = known.get(shape.id), shape.name.strip(), _rounded(shape.points)
        if old is None:
            new = _new_id(name, taken)
            edits.append(Edit((*path, new), {"id": new, word: name, "polygon": points}))
            continue
        if name != getattr(old, word):
            edits.append(Edit((*path, old.id, word), name))
        if _differ(old.polygon, shape.points):
            edits.append(Edit((*path, old.id, "polygon"), points))
    return edits


def _lines(path: tuple[str, ...], before: Sequence[CrossingLine], now: Sequence[Line]) -> list[Edit]:
    known, edits, taken = {one.id: one for one in before}, list[Edit](), {one.id for one in before}
    kept = {one.id for one in now}
    edits += [Edit((*path, one.id), remove=True) for one in before if one.id not in kept]
    for line in now:
        old, (start, end) = known.get(line.id), _rounded(line.points)
        if old is None:
            new = _new_id("linie", taken)
            edits.append(Edit((*path, new), {"id": new, "start": start, "end": end, "both_ways": line.both}))
            continue
        if _differ((old.start,), line.points[:1]):
            edits.append(Edit((*path, old.id, "start"), start))
        if _differ((old.end,), line.points[1:]):
            edits.append(Edit((*path, old.id, "end"), end))
        if old.both_ways != line.both:
            edits.append(Edit((*path, old.id, "both_ways"), line.both))
    return edits


def _measured(camera: Camera, drawing: Drawing) -> list[Edit] | NotDrawn:
    """The calibration, and the size of the picture that it was measured on."""
    path, ruler = ("cameras", camera.id, "calibration"), drawing.ruler
    if ruler.kind == "keep":
        return []
    if ruler.kind == "none":
        return [Edit(path, remove=True)] if camera.calibration is not None else []
    if drawing.size is None:
        return NotDrawn.SIZE
    value: dict[str, Any]
    if ruler.kind == "scale":
        start, end = _rounded(ruler.points)
        value = {"scale": {"start": start, "end": end, "metres": float(ruler.metres)}}
    else:
        plane = plane_of(ruler, drawing.size)
        if isinstance(plane, NotDrawn):
            return plane
        value = {"px_per_metre": round(densest(plane), 1)}
    size = [] if camera.picture == drawing.size else [Edit(("cameras", camera.id, "picture"), list(drawing.size))]
    return [Edit(path, value), *size]


def plane_of(ruler: Ruler, size: tuple[int, int]) -> tuple[float, float] | NotDrawn:
    """The density of the ground, by somebody who stands at three places or more."""
    width, height = size
    marks = []
    for one in ruler.people:
        (fx, fy), (hx, hy) = one.foot, one.head
        pixels = ((hx - fx) ** 2 * width**2 + (hy - fy) ** 2 * height**2) ** 0.5
        if pixels < 1 or hy >= fy:
            return NotDrawn.UPSIDE_DOWN
        marks.append(Stander(fy, pixels, ruler.metres))
    found = ground(marks)
    return _SKEWED[found] if isinstance(found, Skew) else found


def _rounded(points: Iterable[Spot]) -> list[list[float]]:
    return [[round(float(x), _DIGITS), round(float(y), _DIGITS)] for x, y in points]


def _differ(before: Sequence[tuple[float, float]], now: Sequence[Spot]) -> bool:
    return len(before) != len(now) or any(
        abs(x1 - x2) > _SAME or abs(y1 - y2) > _SAME for (x1, y1), (x2, y2) in zip(before, now, strict=True)
    )


def _new_id(name: str, taken: set[str]) -> str:
    """A short name of the letters of `name` that nothing else has; it is taken from now on."""
    for umlaut, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        name = name.lower().replace(umlaut, plain)
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    base = re.sub(r"[^a-z0-9]+", "-", ascii_).strip("-")[:34].strip("-") or "neu"
    new, number = base, 2
    while new in taken:
        new, number = f"{base}-{number}", number + 1
    taken.add(new)
    return new
