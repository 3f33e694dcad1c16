"""Which state a tile is in: the first row that fits; what is kept of how somebody wants the wall."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from blickschutz.kernel.errors import UNREADABLE
from blickschutz.wall.model import CameraFacts, NotKept, TileState, View, WallSettings

STALE_AFTER_S = 2.0

# From the gravest to the harmless. A stopped camera is stopped, whatever else is true of it; a picture
# that is redacted because of a fault is never called live.
TABLE: tuple[tuple[TileState, Callable[[CameraFacts], bool]], ...] = (
    (TileState.STOPPED, lambda facts: facts.stopped),
    (TileState.LOST, lambda facts: not facts.cell_alive or not facts.connected),
    (TileState.REDACTION_FAULT, lambda facts: facts.fault),
    (TileState.STALE, lambda facts: facts.last_picture_s is not None and facts.last_picture_s > STALE_AFTER_S),
    (TileState.STARTING, lambda facts: facts.last_picture_s is None or not facts.proven),
    (TileState.LIVE, lambda facts: True),
)


def tile_state(facts: CameraFacts) -> TileState:
    """The state that a tile shows for these facts."""
    for state, holds in TABLE:
        if holds(facts):
            return state
    raise AssertionError("the last row holds for all")


def rebased(fragments: Sequence[bytes]) -> bytes:
    """Fragments of one MP4 stream in a row, with decode times that start at 0 (box `tfdt`, ISO/IEC 14496-12, 8.8.12)."""
    start: int | None = None
    result = bytearray()
    for fragment in fragments:
        data = bytearray(fragment)
        place = data.find(b"tfdt")
        if place >= 0:
            size = 8 if data[place + 4] == 1 else 4
            time = int.from_bytes(data[place + 8 : place + 8 + size], "big")
            start = time if start is None else start
            data[place + 8 : place + 8 + size] = max(0, time - start).to_bytes(size, "big")
        result += data
    return bytes(result)


MOST_VIEWS, MOST_NAME, NEAREST = 12, 40, 3
LEAST_PATROL_S, MOST_PATROL_S = 5, 600


def read_settings(text: str) -> WallSettings:
    """Settings as they were written; those that mean nothing any more are as if there were none."""
    if not text:
        return WallSettings()
    try:
        return msgspec.json.decode(text, type=WallSettings)
    except UNREADABLE:
        return WallSettings()


def settings_text(settings: WallSettings) -> str:
    """Settings as text."""
    return msgspec.json.encode(settings, order="deterministic").decode()


def with_view(settings: WallSettings, view: View, known: Collection[str]) -> WallSettings | NotKept:
    """Settings with `view`, in place of one of the same name; why not. `known` are the cameras that there are."""
    cameras = tuple(dict.fromkeys(camera for camera in view.cameras if camera in known))
    name = view.name.strip()
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        return NotKept.NAME
    if not cameras:
        return NotKept.CAMERAS
    new = View(name=name, cameras=cameras, large=view.large if view.large in cameras else "", patrol=view.patrol)
    views = tuple(new if one.name == name else one for one in settings.views)
    views = views if new in views else (*views, new)
    return NotKept.MANY if len(views) > MOST_VIEWS else msgspec.structs.replace(settings, views=views)


def without_view(settings: WallSettings, name: str) -> WallSettings:
    """Settings without the view of that name."""
    return msgspec.structs.replace(settings, views=tuple(one for one in settings.views if one.name != name))


def with_patrol(settings: WallSettings, text: str) -> WallSettings | NotKept:
    """Settings whose views change after as many seconds as somebody wrote; nothing written is never."""
    text = text.strip()
    if not text:
        return msgspec.structs.replace(settings, patrol_s=0)
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and LEAST_PATROL_S <= int(text) <= MOST_PATROL_S):
        return NotKept.SECONDS
    return msgspec.structs.replace(settings, patrol_s=int(text))


def nearest(places: Mapping[str, tuple[float, float]], order: Sequence[str]) -> dict[str, list[str]]:
    """Of each camera in `order` those next to it: nearest on the plan, or beside it on the wall where it or they stand on none.

    Looked for from west to east, and no farther than what was found: the time grows little faster than the number of cameras.
    """
    from_west = sorted(places, key=lambda one: places[one])
    index = {camera: at for at, camera in enumerate(from_west)}
    out = {}
    for at, camera in enumerate(order):
        if camera in index and len(places) > 1:
            out[camera] = _around(index[camera], from_west, places)
        else:
            out[camera] = [one for one in (*order[max(0, at - 1) : at], *order[at + 1 : at + 2]) if one != camera]
    return out


def _around(at: int, from_west: Sequence[str], places: Mapping[str, tuple[float, float]]) -> list[str]:
    x, y = places[from_west[at]]
    best: list[tuple[float, str]] = []
    west, east = at - 1, at + 1
    while west >= 0 or east < len(from_west):
        to_west = x - places[from_west[west]][0] if west >= 0 else math.inf
        to_east = places[from_west[east]][0] - x if east < len(from_west) else math.inf
        if len(best) == NEAREST and min(to_west, to_east) >= best[-1][0]:
            break
        if to_west <= to_east:
            one, west = from_west[west], west - 1
        else:
            one, east = from_west[east], east + 1
        best = sorted([*best, (math.hypot(places[one][0] - x, places[one][1] - y), one)])[:NEAREST]
    return [one for _, one in best]
