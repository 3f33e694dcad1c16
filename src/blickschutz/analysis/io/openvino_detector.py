"""Run a registered detector on the CPU with OpenVINO: one thread, one request, one picture at a time."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import openvino

from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.model import Head, ModelCard
from blickschutz.analysis.rules.heads import decode_centernet, decode_yolox
from blickschutz.kernel.errors import FaultError, ModelError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]

_STRIDE = 32
_SNAP = 64
_LEAST_REGION = 96
_YOLOX_PADDING = 114


class OpenVinoDetector:
    """A person detector from the registry. Compiled again when the picture's shape changes."""

    def __init__(self, card: ModelCard, data: bytes) -> None:
        self.card = card
        self._core = openvino.Core()
        try:
            self._request = self._compile(self._core.read_model(model=data, weights=b""))
        except RuntimeError as error:
            raise ModelError(f"the model {card.name!r} is no ONNX model that can be used: {error}") from error

    @classmethod
    def from_registry(cls, name: str, registry: ModelRegistry | None = None) -> OpenVinoDetector:
        """Load model `name`; raises `ModelError` if it is missing, altered or unusable."""
        return cls(*(registry or ModelRegistry()).load(name))

    def detect(self, frame: RawFrame, least: float, region: Box | None = None) -> Floats:
        """See `Detector.detect`. YOLOX looks at the whole picture always: its input has one size."""
        if self.card.head is Head.YOLOX:
            return self._detect_yolox(frame, least)
        width = self.card.input_width
        height = max(_STRIDE, round(width * frame.height / frame.width / _STRIDE) * _STRIDE)
        x, y = frame.width / width, frame.height / height
        left, top, right, bottom = (
            snapped(region.scaled(1 / x, 1 / y), width, height) if region else (0, 0, width, height)
        )
        part = crop(frame, round(left * x), round(top * y), round(right * x), round(bottom * y))
        self._infer(_colour(part, right - left, bottom - top, cv2.COLOR_YUV2RGB_I420))
        boxes = decode_centernet(self._request.get_tensor("keypoints").data, self._request.get_tensor("wh").data, least)
        boxes[:, 0:4:2] = (boxes[:, 0:4:2] + left) * x
        boxes[:, 1:4:2] = (boxes[:, 1:4:2] + top) * y
        return boxes

    def _detect_yolox(self, frame: RawFrame, least: float) -> Floats:
        edge = self.card.input_width
        scale = min(edge / frame.width, edge / frame.height)
        width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
        picture = np.full((edge, edge, 3), _YOLOX_PADDING, np.uint8)
        picture[:height, :width] = _colour(frame, width, height, cv2.COLOR_YUV2BGR_I420)
        self._infer(picture)
        boxes = decode_yolox(self._request.get_output_tensor(0).data, edge, edge, least)
        boxes[:, 0:4:2] *= frame.width / width
        boxes[:, 1:4:2] *= frame.height / height
        return boxes

    def _infer(self, picture: Bytes) -> None:
        try:
            self._request.infer([picture[None]])
        except RuntimeError as error:
            raise FaultError(f"the detector failed: {error}") from error

    def _compile(self, model: Any) -> Any:
        """Compile for sizes up to the model's width; the engine keeps what it made for the last few sizes."""
        most = self.card.input_width
        if self.card.head is Head.CENTERNET:
            model.reshape([1, 3, openvino.Dimension(_LEAST_REGION, 2 * most), openvino.Dimension(_LEAST_REGION, most)])
        steps = openvino.preprocess.PrePostProcessor(model)
        steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
        steps.input().model().set_layout(openvino.Layout("NCHW"))
        # bfloat16 where the processor has it: 40 % less time, 0.002 less AP50 (docs/benchmarks.md).
        exact = "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        settings = {
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f32" if exact else "bf16",
            "ENABLE_CPU_PINNING": False,
        }
        return self._core.compile_model(steps.build(), "CPU", settings).create_infer_request()


def snapped(region: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """`region` widened to multiples of `_SNAP` inside a picture of that size, so that few sizes occur.

    The result starts at a multiple of the network's stride: a body lies on the same cells as in the whole picture.
    """
    spans = []
    for low, high, limit in ((region.left, region.right, width), (region.top, region.bottom, height)):
        size = min(limit, max(_LEAST_REGION, math.ceil((high - low) / _SNAP) * _SNAP))
        start = min(max(0, math.floor(low / _STRIDE) * _STRIDE), limit - size)
        if start + size < min(limit, high):
            size = min(limit - start, size + _SNAP)
        spans.append((start, start + size))
    return spans[0][0], spans[1][0], spans[0][1], spans[1][1]


def crop(frame: RawFrame, left: int, top: int, right: int, bottom: int) -> RawFrame:
    """That part of `frame`, as views; left and top are rounded down to even, right and bottom are cut at the edge."""
    left, top = left // 2 * 2, top // 2 * 2
    right, bottom = min(right, frame.width), min(bottom, frame.height)
    rows, columns = slice(top // 2, (bottom + 1) // 2), slice(left // 2, (right + 1) // 2)
    return RawFrame(
        frame.y[top:bottom, left:right],
        frame.u[rows, columns],
        frame.v[rows, columns],
        frame.index,
        frame.at,
        frame.taken,
    )


def _colour(frame: RawFrame, width: int, height: int, code: int) -> Bytes:
    """The frame as (height, width, 3) uint8 in the colour order of `code`; both sides even."""
    half = (width // 2, height // 2)
    y = cv2.resize(frame.y, (width, height), interpolation=cv2.INTER_AREA)
    u, v = (cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in (frame.u, frame.v))
    planar = np.concatenate([y.ravel(), u.ravel(), v.ravel()]).reshape(height * 3 // 2, width)
    return np.asarray(cv2.cvtColor(planar, code), np.uint8)
