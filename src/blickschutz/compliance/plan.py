"""The site plan: fields of view, density of pixels, and whether each way meets a sign before a camera's field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from blickschutz.compliance.facts import Facts, Sign, Way
from blickschutz.config.model import Camera, PlanPlace, SiteFile
from blickschutz.kernel.density import px_per_metre

EDITION = "DIN EN 62676-4:2016"
# Its classes, px/m.
CLASSES = ((12.5, "monitor"), (25.0, "detect"), (62.5, "observe"), (125.0, "recognise"), (250.0, "identify"), (1000.0, "inspect"))
CLASSES_DE = {
    "": "unter Überwachen",
    "monitor": "Überwachen",
    "detect": "Detektieren",
    "observe": "Beobachten",
    "recognise": "Wiedererkennen",
    "identify": "Identifizieren",
    "inspect": "Begutachten",
}
"""Names of the classes in the German edition, as documents print them."""
SIGN_REACH = 0.06
"""How far from a way a sign may hang to be seen by who walks there, as a share of the plan's width."""
_STEPS = 200
_CONE_STEPS = 12


def density(camera: Camera, size: tuple[int, int] | None = None) -> float | None:
    """Greatest density of a camera's picture in px/m, as its cell reckons it; None without calibration.

    `size` (width, height) is that of the source where it is known, else what the site file says. A scale without either gives None:
    its density is another with every size.
    """
    # Of two streams a cell sees the small one, and what is asked for is the picture that is recorded.
    size = camera.picture if camera.substream is not None else size or camera.picture
    if camera.calibration is None or (size is None and camera.calibration.scale is not None):
        return None
    return px_per_metre(camera.calibration.density, *(size or (0, 0)))


def density_class(px_per_metre: float) -> str:
    """Name of the highest class of DIN EN 62676-4:2016 that the density reaches, "" below all."""
    return next((name for least, name in reversed(CLASSES) if px_per_metre >= least), "")


def sees(place: PlanPlace, x: float, y: float) -> bool:
    """Whether a camera on the plan sees that point: within its reach, and within half its angle to either side."""
    if math.dist((place.x, place.y), (x, y)) > place.reach:
        return False
    if (x, y) == (place.x, place.y):
        return True
    towards = math.degrees(math.atan2(x - place.x, place.y - y)) % 360
    aside = abs((towards - place.direction + 180) % 360 - 180)
    return aside <= place.angle / 2


def unannounced(ways: Sequence[Way], signs: Sequence[Sign], cameras: Sequence[PlanPlace]) -> list[str]:
    """Ways on which a camera sees somebody before they passed a sign."""
    return [way.id for way in ways if _seen_first(way, signs, cameras)]


def _seen_first(way: Way, signs: Sequence[Sign], cameras: Sequence[PlanPlace]) -> bool:
    for x, y in _walk(way):
        if any(math.dist((sign.x, sign.y), (x, y)) <= SIGN_REACH for sign in signs):
            return False
        if any(sees(place, x, y) for place in cameras):
            return True
    return False


def _walk(way: Way) -> list[tuple[float, float]]:
    points = []
    for (ax, ay), (bx, by) in zip(way.points, way.points[1:], strict=False):
        points += [(ax + (bx - ax) * step / _STEPS, ay + (by - ay) * step / _STEPS) for step in range(_STEPS + 1)]
    return points


def sign_code(address: str, sign: str = "") -> str:
    """What the picture code on a sign says: the sheet's address, with the sign's short name as a part of the page (RFC 3986, 3.5), which
    a browser keeps for itself. So a photograph shows which sign it is. An address that has such a part already stays as it is."""
    return f"{address}#{sign}" if address and sign and "#" not in address else address


def shows_sign(code: str, address: str, sign: str) -> bool:
    """Whether a picture code that was read belongs to that sign; signs of older versions have the address alone."""
    return bool(code) and code in {address, sign_code(address, sign)}


def drawing(site: SiteFile, facts: Facts) -> dict[str, Any]:
    """What a drawing of the site plan needs, in shares of its sides: building, cameras with their cones, ways, signs; north in degrees."""
    cameras = []
    for number, camera in enumerate(site.cameras, 1):
        if camera.plan is not None:
            dense = density(camera)
            label = f"{dense:.0f} px/m, {CLASSES_DE[density_class(dense)]}" if dense is not None else "OFFEN"
            place = {"x": camera.plan.x, "y": camera.plan.y, "cone": _cone(camera.plan)}
            cameras.append({"number": number, "name": camera.name, "density": label, **place})
    return {
        "building": [list(point) for point in site.site.building or ()],
        "cameras": cameras,
        "ways": [[list(point) for point in way.points] for way in facts.ways],
        "signs": [[sign.x, sign.y] for sign in facts.signs],
        "north": facts.north,
    }


def _cone(place: PlanPlace) -> list[list[float]]:
    """Corners of the camera's field, cut at the plan's edges."""
    corners = [[place.x, place.y]]
    for step in range(_CONE_STEPS + 1):
        angle = math.radians(place.direction - place.angle / 2 + place.angle * step / _CONE_STEPS)
        x, y = place.x + place.reach * math.sin(angle), place.y - place.reach * math.cos(angle)
        corners.append([min(1.0, max(0.0, x)), min(1.0, max(0.0, y))])
    return corners
