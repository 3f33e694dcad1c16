"""Settings of the redaction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from blickschutz.kernel.density import Density
from blickschutz.kernel.geometry import Points


class Style(StrEnum):
    """`mosaic` keeps a coarse impression of a person; `silhouette` keeps no source pixel at all."""

    MOSAIC = "mosaic"
    SILHOUETTE = "silhouette"


@dataclass(frozen=True, slots=True)
class RedactionSettings:
    """`privacy_zones` are polygons in shares of width and height (0..1).

    `px_per_metre` is the camera's calibration where its picture is densest, in source pixels, or what it is
    reckoned from; None where the camera is not calibrated.
    """

    style: Style = Style.MOSAIC
    privacy_zones: tuple[Points, ...] = ()
    px_per_metre: Density | None = None
