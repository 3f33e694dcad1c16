"""Settings of the redaction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from blickschutz.kernel.density import Density
from blickschutz.kernel.geometry import Points


class Style(StrEnum):
    """`mosaic` shows people one by one, as `Colour` says; `silhouette` fills all of them with one level."""

    MOSAIC = "mosaic"
    SILHOUETTE = "silhouette"


class Colour(StrEnum):
    """What a mosaic keeps of people: one level for each that is not theirs, half of a cell's colour and contrast, or all of it."""

    NEUTRAL = "neutral"
    MUTED = "muted"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class RedactionSettings:
    """`colour` says nothing where the style is no mosaic. `privacy_zones` are polygons in shares of width and height (0..1).

    `px_per_metre` is the camera's calibration where its picture is densest, in source pixels, or what it is
    reckoned from; None where the camera is not calibrated.
    """

    style: Style = Style.MOSAIC
    privacy_zones: tuple[Points, ...] = ()
    px_per_metre: Density | None = None
    colour: Colour = Colour.NEUTRAL
