"""Tiles of cameras as markup. What one says changes seldom, and a wall may have thousands: each is made once for what it says."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import Markup

from blickschutz.web import texts
from blickschutz.web.templating import templates

# Of all sites in this process, languages and states together.
_MOST = 16_384


class SaidTile(NamedTuple):
    """All that stands in a tile. `shape` is width by height of its picture, empty where that is not known."""

    camera: str
    name: str
    key: str
    state: str
    shape: str
    recording: bool
    unrecordable: bool


@lru_cache(maxsize=_MOST)
def wall_tile(said: SaidTile, beside: str, language: str) -> Markup:
    """A tile of the wall; `beside` are the cameras that stand beside it."""
    tile: Any = templates("blickschutz.web").get_template("tile.html").module
    return Markup(tile.tile_view(said, texts.translator(language), texts, beside=beside, labelled=True))
