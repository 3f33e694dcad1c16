"""Which state a tile is in: the first row that fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from blickschutz.wall.model import CameraFacts, TileState

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
    return next(state for state, holds in TABLE if holds(facts))


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
