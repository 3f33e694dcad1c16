"""From the numbers that a detector network gives out to boxes of people.

Sources: Zhou et al. 2019, "Objects as Points" (CenterNet; here with the four-distance head of TTFNet,
Liu et al. 2020); Ge et al. 2021, "YOLOX".
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from blickschutz.kernel.geometry import pairwise_iou

Floats: TypeAlias = npt.NDArray[np.float32]

_CENTERNET_STRIDE = 4
_YOLOX_STRIDES = (8, 16, 32)


def decode_centernet(keypoints: Floats, distances: Floats, least: float) -> Floats:
    """Boxes (n, 5) as left, top, right, bottom, score in input pixels, best first.

    `keypoints` is (1, 1, h, w), the heat map of the class person after the sigmoid; `distances` is
    (1, 4, h, w): left, top, right, bottom. A box is a local maximum of 3x3 with a score over `least`.
    """
    heat = keypoints[0, 0]
    peak = (heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8))) & (heat > least)
    ys, xs = np.nonzero(peak)
    left, top, right, bottom = distances[0][:, ys, xs]
    stride = _CENTERNET_STRIDE
    boxes = np.stack([xs * stride - left, ys * stride - top, xs * stride + right, ys * stride + bottom, heat[ys, xs]], axis=1)
    return np.asarray(boxes[np.argsort(-boxes[:, 4])], np.float32)


def decode_yolox(raw: Floats, width: int, height: int, least: float, person: int = 0) -> Floats:
    """Boxes (n, 5) as left, top, right, bottom, score in input pixels, best first.

    `raw` is (1, cells, 5 + classes) as YOLOX gives it out for an input of `width` x `height` pixels:
    centre offsets and log sizes per cell, objectness and class scores after the sigmoid.
    """
    grids, strides = [], []
    for stride in _YOLOX_STRIDES:
        columns, rows = width // stride, height // stride
        ys, xs = np.mgrid[0:rows, 0:columns]
        grids.append(np.stack([xs.ravel(), ys.ravel()], axis=1))
        strides.append(np.full(columns * rows, stride))
    grid, scale = np.concatenate(grids), np.concatenate(strides)[:, None]
    score = raw[0, :, 4] * raw[0, :, 5 + person]
    wanted = score > least
    centre = (raw[0, wanted, :2] + grid[wanted]) * scale[wanted]
    half = np.exp(raw[0, wanted, 2:4]) * scale[wanted] / 2
    boxes = np.concatenate([centre - half, centre + half, score[wanted, None]], axis=1)
    return np.asarray(boxes[np.argsort(-boxes[:, 4])], np.float32)


def suppress_overlaps(boxes: Floats, most: float) -> Floats:
    """Drop each box that overlaps a better one by more than `most` (greedy non-maximum suppression)."""
    if len(boxes) < 2:
        return boxes
    overlaps = pairwise_iou(boxes[:, :4], boxes[:, :4]) > most
    dropped = np.zeros(len(boxes), bool)
    for index in range(len(boxes)):
        if not dropped[index]:
            # What lies before it is decided already.
            dropped[index + 1 :] |= overlaps[index, index + 1 :]
    return boxes[~dropped]


def drop_contained(boxes: Floats, sure: float, share: float = 0.8) -> Floats:
    """Drop each box with a score below `sure` that lies to `share` of its area inside a better one: it adds nothing."""
    if len(boxes) < 2:
        return boxes
    corner = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:4], boxes[None, :, 2:4])
    shared = np.prod(np.clip(opposite - corner, 0, None), axis=2)
    area = np.maximum(np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1), 1e-9)
    inside_better = np.tril(shared / area[:, None] >= share, -1).any(axis=1)
    return np.asarray(boxes[~(inside_better & (boxes[:, 4] < sure))], np.float32)
