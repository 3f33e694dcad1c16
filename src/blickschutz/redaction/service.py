"""The redactor of one camera. The only place in the whole system that builds a `RedactedFrame`."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import structlog

from blickschutz.kernel.density import px_per_metre
from blickschutz.kernel.frames import RawFrame, RedactedFrame, chroma_shape, take_redaction_seal
from blickschutz.kernel.geometry import Points
from blickschutz.kernel.planes import enlarged
from blickschutz.kernel.scene import Backdrop, Doubt, Scene
from blickschutz.redaction.model import Colour, RedactionSettings, Style
from blickschutz.redaction.rules.figure import Figures
from blickschutz.redaction.rules.mask import MaskSettings, Region, at_the_edge, people_regions, small_mask, spare
from blickschutz.redaction.rules.mosaic import Mosaic, muted, quantised

Bytes: TypeAlias = npt.NDArray[np.uint8]
Planes: TypeAlias = tuple[Bytes, Bytes, Bytes]

_SEAL = take_redaction_seal()
_FULL = 255
_BLANK_LUMA, _SILHOUETTE_LUMA, _ZONE_LUMA, _NEUTRAL = 40, 104, 64, 128

_log = structlog.get_logger(__name__)


def blank(width: int, height: int, index: int, at: float, taken: float, doubt: Doubt) -> RedactedFrame:
    """A picture of one flat grey, with no trace of any source: for faults and for a start."""
    rows, columns = chroma_shape(width, height)
    return RedactedFrame(
        np.full((height, width), _BLANK_LUMA, np.uint8),
        np.full((rows, columns), _NEUTRAL, np.uint8),
        np.full((rows, columns), _NEUTRAL, np.uint8),
        np.full((height, width), _FULL, np.uint8),
        index,
        at,
        taken,
        doubt,
        seal=_SEAL,
    )


class Redactor:
    """Redacts the pictures of one camera, in order of time. Holds postures or the mosaic's cells between pictures."""

    def __init__(self, settings: RedactionSettings | None = None, mask_settings: MaskSettings | None = None) -> None:
        self._settings = settings or RedactionSettings()
        self._mask_settings = mask_settings or MaskSettings()
        self._mosaic: Mosaic | None = None
        self._figures: Figures | None = None
        self._zones: Bytes = np.zeros((0, 0), np.uint8)
        self._size = (0, 0, 0.0)
        self._fitted = False
        self._edges: deque[tuple[Backdrop, Bytes]] = deque(maxlen=2)
        self.faults = 0

    def redact(
        self,
        frame: RawFrame,
        backdrop: Backdrop | None,
        scenes: Sequence[Scene],
        spared: int | None = None,
        beside: Sequence[Backdrop] = (),
    ) -> RedactedFrame:
        """The picture that may be shown. Without proof of its own (`backdrop` None, in doubt or of another picture's time)
        it is blank. Never raises.

        `spared` is the track of the one person who asks for their own copy (Art. 15 GDPR): they are shown where
        nobody else can be in the picture. `beside` are the proofs of the pictures before and after: they only ever cover more.
        """
        doubt = Doubt.NO_ANALYSIS if backdrop is None or backdrop.at != frame.at else backdrop.doubt
        if backdrop is None or doubt is not None:
            return blank(frame.width, frame.height, frame.index, frame.at, frame.taken, doubt or Doubt.NO_ANALYSIS)
        try:
            return self._redact(frame, backdrop, scenes, spared, beside)
        # Whatever goes wrong here, the answer is a blank picture; it is counted, logged and shown as a fault.
        except Exception:  # noqa: BLE001 - fails closed, and says so on the tile
            self.faults += 1
            self._fitted = False
            _log.exception("redaction_failed", frame=frame.index)
            return blank(frame.width, frame.height, frame.index, frame.at, frame.taken, Doubt.FAULT)

    def _redact(
        self, frame: RawFrame, backdrop: Backdrop, scenes: Sequence[Scene], spared: int | None, beside: Sequence[Backdrop]
    ) -> RedactedFrame:
        width, height = frame.width, frame.height
        self._fit(width, height, frame.scale)
        regions = people_regions(scenes, backdrop, width, height, self._mask_settings, spared)
        small = small_mask(backdrop, regions, width, height, self._mask_settings, self._edges_of(backdrop, beside))
        if spared is not None:
            small = spare(small, regions, spared, width, height)
            regions = [region for region in regions if region.track != spared]
        mask = enlarged(small, width, height)
        masks = self._plane_masks(mask, small)
        planes = _copied(frame)
        self._fill(planes, masks, small, regions, frame.at)
        if self._zones.size:
            flat = self._plane_masks(self._zones)
            _flatten(planes, flat, _ZONE_LUMA)
            mask = np.asarray(cv2.bitwise_or(mask, self._zones), np.uint8)
        return RedactedFrame(*planes, mask, frame.index, frame.at, frame.taken, None, seal=_SEAL)

    def _edges_of(self, backdrop: Backdrop, beside: Sequence[Backdrop]) -> list[Bytes]:
        """What reaches the edge in the pictures `beside` this one; each is asked for twice, as the next one and the one before."""
        found = []
        for other in beside:
            near = abs(other.at - backdrop.at) <= self._mask_settings.edge_s
            if near and other.doubt is None and other.proven.shape == backdrop.proven.shape:
                edge = next((edge for one, edge in self._edges if one is other), None)
                if edge is None:
                    edge = at_the_edge(other.proven)
                    self._edges.append((other, edge))
                found.append(edge)
        return found

    def _fill(self, planes: Planes, masks: Planes, small: Bytes, regions: Sequence[Region], at: float) -> None:
        if self._figures is not None:
            self._figures.fill(planes, masks, regions, at)
        elif self._mosaic is not None:
            self._mosaic.fill(planes, masks, small, regions, at)
        else:
            _flatten(planes, masks, _SILHOUETTE_LUMA)

    def _fit(self, width: int, height: int, scale: float) -> None:
        """Make figures or mosaic and privacy zones for this size of picture (it changes when the camera is set up anew)."""
        if self._fitted and self._size == (width, height, scale):
            return
        self._size = (width, height, scale)
        self._mosaic = self._figures = None
        colour = self._settings.colour
        if self._settings.style is Style.MOSAIC and colour is Colour.NEUTRAL:
            self._figures = Figures(width, height)
        elif self._settings.style is Style.MOSAIC:
            # The calibration speaks of the source's pixels; what is shown was resized.
            dense = px_per_metre(self._settings.px_per_metre, width / scale, height / scale)
            self._mosaic = Mosaic(width, height, None if dense is None else dense * scale, muted if colour is Colour.MUTED else quantised)
        self._fitted = True
        zones = self._settings.privacy_zones
        self._zones = zone_mask(zones, width, height) if zones else np.zeros((0, 0), np.uint8)

    @staticmethod
    def _plane_masks(mask: Bytes, small: Bytes | None = None) -> Planes:
        """Masks for Y, U and V: a chroma sample is masked when any of its four luma pixels is.

        `small` is the mask on a smaller scale, where there is one.
        """
        if small is not None and not any(side % (2 * cells) for side, cells in zip(mask.shape, small.shape, strict=True)):
            # The small mask's cells end where chroma samples end: its samples are the cells'.
            chroma = enlarged(small, mask.shape[1] // 2, mask.shape[0] // 2)
            return mask, chroma, chroma
        # With this anchor a pixel takes the maximum of itself and its right and lower neighbours.
        wide = cv2.dilate(mask, np.ones((2, 2), np.uint8), anchor=(0, 0))
        chroma = np.ascontiguousarray(wide[::2, ::2])
        return mask, chroma, chroma


def _copied(frame: RawFrame) -> Planes:
    """The planes once more, one behind the other in one piece of memory, so that an encoder can take them where they lie."""
    shapes = frame.y.shape, frame.u.shape, frame.v.shape
    ends = list(itertools.accumulate(rows * columns for rows, columns in shapes))
    piece = np.empty(ends[-1], np.uint8)
    y, u, v = (piece[end - shape[0] * shape[1] : end].reshape(shape) for shape, end in zip(shapes, ends, strict=True))
    for target, source in ((y, frame.y), (u, frame.u), (v, frame.v)):
        np.copyto(target, source)
    return y, u, v


def zone_mask(zones: Sequence[Points], width: int, height: int) -> Bytes:
    """255 inside the polygons (in shares of the picture), one pixel wider than drawn."""
    mask = np.zeros((height, width), np.uint8)
    for zone in zones:
        corners = np.array([(round(x * width), round(y * height)) for x, y in zone], np.int32)
        cv2.fillPoly(mask, [corners], _FULL)
    return np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)


def fill_zones(frame: RawFrame, zones: Sequence[Points]) -> RawFrame:
    """`frame` with its privacy zones filled flat and everything else as it was; for a review room in which both asked."""
    if not zones:
        return frame
    planes = _copied(frame)
    _flatten(planes, Redactor._plane_masks(zone_mask(zones, frame.width, frame.height)), _ZONE_LUMA)
    return RawFrame(*planes, frame.index, frame.at, frame.taken, frame.pts, frame.scale)


def _flatten(planes: Planes, masks: Planes, luma: int) -> None:
    for plane, mask, value in zip(planes, masks, (luma, _NEUTRAL, _NEUTRAL), strict=True):
        plane[mask != 0] = value
