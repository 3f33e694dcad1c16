"""Run a registered detector with OpenVINO: one request, one picture at a time; on the CPU with one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import openvino

from blickschutz.analysis.io.devices import Runner, engine
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.model import DETECTOR_HEADS, Head, ModelCard
from blickschutz.analysis.rules.heads import decode_centernet, decode_yolox
from blickschutz.analysis.rules.packing import Placement, fitting, pack, turned_back, unpack
from blickschutz.kernel.devices import Device, InUse
from blickschutz.kernel.errors import FaultError, ModelError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.planes import shrunk

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]

_STRIDE = 32
_SMALL_SHARE = 0.62
_CENTERNET_OUTPUTS = {"keypoints", "wh"}
_GREY = 114


class _Network:
    """The model compiled for one size of input. What lies in `picture` (height, width, 3; uint8) is looked at there: no copy."""

    def __init__(self, compiled: openvino.CompiledModel, width: int, height: int) -> None:
        self.picture: Bytes = np.full((height, width, 3), _GREY, np.uint8)
        self._request = compiled.create_infer_request()
        self._request.set_input_tensor(openvino.Tensor(self.picture[None], shared_memory=True))
        # Outputs of one size stay where they are from run to run.
        tensors = [(output.names, self._request.get_tensor(output)) for output in compiled.outputs]
        self._outputs = {name: tensor.data for names, tensor in tensors for name in names}

    def run(self) -> None:
        """Raises `RuntimeError` where the engine fails."""
        self._request.infer(share_outputs=True)

    def output(self, name: str = "") -> Floats:
        """An output of the last run, by name, or the only one; good until the next run."""
        return self._outputs[name] if name else next(iter(self._outputs.values()))


class OpenVinoDetector:
    """A person detector from the registry. CenterNet is compiled for two sizes of input: the whole picture and
    a small one for its interesting parts; both when the shape of the pictures is known.
    """

    def __init__(self, card: ModelCard, load: Callable[[], bytes], device: Device = Device.CPU) -> None:
        self.card = card
        self._core = engine()
        self._runner = Runner(self._core, device)
        self._networks: dict[tuple[int, int], _Network] = {}
        # Read here, so that an unusable model is known before a camera is opened; compiled when the shape of its pictures is known.
        self._model = self._read(load)
        if card.head is Head.YOLOX:
            self._network(card.input_width, card.input_width)

    @property
    def in_use(self) -> InUse:
        """Where it computes."""
        return self._runner.in_use

    @classmethod
    def from_registry(cls, name: str, registry: ModelRegistry | None = None, device: Device = Device.CPU) -> OpenVinoDetector:
        """Load model `name`; raises `ModelError` if it is missing, altered or unusable."""
        models = registry or ModelRegistry()
        card = models.card(name)
        if card.head not in DETECTOR_HEADS:
            raise ModelError(f"the model {name!r} is no detector: it looks at people whom a detector found")
        return cls(card, lambda: models.load(name)[1], device)

    def fitting(self, width: int, height: int, regions: Sequence[Box]) -> list[Box]:
        """See `Detector.fitting`. YOLOX looks at the whole picture always."""
        if self.card.head is Head.YOLOX:
            return []
        whole, small = self._inputs(width, height)
        scaled = [region.scaled(whole[0] / width, whole[1] / height) for region in regions]
        return [regions[index] for index in fitting(scaled, whole, small)]

    def detect(self, frame: RawFrame, least: float, regions: Sequence[Box] = ()) -> Floats:
        """See `Detector.detect`."""
        if self.card.head is Head.YOLOX:
            return self._detect_yolox(frame, least)
        whole, small = self._inputs(frame.width, frame.height)
        x, y = frame.width / whole[0], frame.height / whole[1]
        parts = pack([region.scaled(1 / x, 1 / y) for region in regions], whole, small) if regions else None
        size = small if parts else whole
        parts = parts or [Placement(0, 0, *whole, 0, 0)]
        network = self._run(size, lambda picture: _fill(picture, frame, parts, x, y))
        boxes = unpack(decode_centernet(network.output("keypoints"), network.output("wh"), least), parts)
        boxes[:, 0:4:2] *= x
        boxes[:, 1:4:2] *= y
        return boxes

    def detect_turned(self, frame: RawFrame, least: float, region: Box, quarters: int) -> Floats:
        """See `Detector.detect_turned`. A model that looks at whole pictures only finds nobody here."""
        left, top, right, bottom = region.clipped(frame.width, frame.height)
        if self.card.head is Head.YOLOX or right - left < _STRIDE or bottom - top < _STRIDE:
            return np.zeros((0, 5), np.float32)
        whole, small = self._inputs(frame.width, frame.height)
        part = crop(frame, left, top, right, bottom)
        left, top = left // 2 * 2, top // 2 * 2
        # Turned, its height lies along the input's width.
        scale = min(whole[0] / frame.width, small[0] / part.height, small[1] / part.width)
        width, height = (max(2, int(side * scale) // 2 * 2) for side in (part.width, part.height))

        def fill(picture: Bytes) -> None:
            picture[:] = _GREY
            picture[:width, :height] = np.rot90(_colour(part, width, height, cv2.COLOR_YUV2RGB_I420), quarters)

        network = self._run(small, fill)
        boxes = turned_back(decode_centernet(network.output("keypoints"), network.output("wh"), least), width, height, quarters)
        boxes[:, 0:4:2] = boxes[:, 0:4:2] * (part.width / width) + left
        boxes[:, 1:4:2] = boxes[:, 1:4:2] * (part.height / height) + top
        return boxes

    def _inputs(self, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Sizes of the whole and the small input for a picture of that shape; both are compiled when a shape is new."""
        whole = self.card.input_width, _height_for(self.card.input_width, width, height)
        small = _small_side(whole[0]), _small_side(whole[1])
        if whole not in self._networks:
            # Another shape of picture: what was compiled for the last one is not needed again.
            self._networks.clear()
            self._network(*whole)
            self._network(*small)
        return whole, small

    def _detect_yolox(self, frame: RawFrame, least: float) -> Floats:
        edge = self.card.input_width
        scale = min(edge / frame.width, edge / frame.height)
        width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))

        def fill(picture: Bytes) -> None:
            picture[:] = _GREY
            picture[:height, :width] = _colour(frame, width, height, cv2.COLOR_YUV2BGR_I420)

        network = self._run((edge, edge), fill)
        boxes = decode_yolox(network.output(), edge, edge, least)
        boxes[:, 0:4:2] *= frame.width / width
        boxes[:, 1:4:2] *= frame.height / height
        return boxes

    def _run(self, size: tuple[int, int], fill: Callable[[Bytes], None]) -> _Network:
        """Look at what `fill` puts into the picture. Where a device fails the CPU looks once more, from then on for good.

        Raises `FaultError` where the engine fails there too.
        """
        network = self._network(*size)
        try:
            fill(network.picture)
            network.run()
        except RuntimeError as error:
            if not self._runner.lost(error):
                raise FaultError(f"the detector failed: {error}") from error
            self._networks.clear()
            return self._run(size, fill)
        return network

    def _network(self, width: int, height: int) -> _Network:
        if (width, height) not in self._networks:
            try:
                self._networks[width, height] = _Network(self._compile(width, height), width, height)
            except RuntimeError as error:
                raise self._unusable(error) from error
        return self._networks[width, height]

    def _read(self, load: Callable[[], bytes]) -> openvino.Model:
        try:
            model = self._core.read_model(model=load(), weights=b"")
            names = {name for output in model.outputs for name in output.names}
            if self.card.head is Head.CENTERNET and not names >= _CENTERNET_OUTPUTS:
                raise RuntimeError(f"it gives out {sorted(names)} and not {sorted(_CENTERNET_OUTPUTS)}")
        except RuntimeError as error:
            raise self._unusable(error) from error
        return model

    def _unusable(self, error: Exception) -> ModelError:
        return ModelError(f"the model {self.card.name!r} is no ONNX model that can be used: {error}")

    def _compile(self, width: int, height: int) -> openvino.CompiledModel:
        model = self._model.clone()
        model.reshape([1, 3, height, width])
        steps = openvino.preprocess.PrePostProcessor(model)
        steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
        steps.input().model().set_layout(openvino.Layout("NCHW"))
        return self._runner.compile(steps.build())


def _height_for(input_width: int, width: int, height: int) -> int:
    """The input's height for a picture of that shape: a multiple of the network's stride."""
    return max(_STRIDE, round(input_width * height / width / _STRIDE) * _STRIDE)


def load_engine() -> None:
    """Load the engine's library for this kind of processor, without any model."""
    engine().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _small_side(whole: int) -> int:
    return max(_STRIDE, round(whole * _SMALL_SHARE / _STRIDE) * _STRIDE)


def _fill(picture: Bytes, frame: RawFrame, parts: Sequence[Placement], x: float, y: float) -> None:
    """Put the parts of `frame` at their places in `picture` (RGB), grey elsewhere. `x`, `y`: source pixels per input pixel."""
    if (parts[0].height // parts[0].shrink, parts[0].width // parts[0].shrink) != picture.shape[:2]:
        # What the last run looked at must not be seen again.
        picture[:] = _GREY
    for part in parts:
        width, height = part.width // part.shrink, part.height // part.shrink
        pixels = _colour(_part(frame, part, x, y), width, height, cv2.COLOR_YUV2RGB_I420)
        picture[part.y : part.y + height, part.x : part.x + width] = pixels


def _part(frame: RawFrame, part: Placement, x: float, y: float) -> RawFrame:
    right, bottom = round((part.left + part.width) * x), round((part.top + part.height) * y)
    return crop(frame, round(part.left * x), round(part.top * y), right, bottom)


def crop(frame: RawFrame, left: int, top: int, right: int, bottom: int) -> RawFrame:
    """That part of `frame`, as views; left and top are rounded down to even, right and bottom are cut at the edge."""
    left, top = left // 2 * 2, top // 2 * 2
    right, bottom = min(right, frame.width), min(bottom, frame.height)
    rows, columns = slice(top // 2, (bottom + 1) // 2), slice(left // 2, (right + 1) // 2)
    y, u, v = frame.y[top:bottom, left:right], frame.u[rows, columns], frame.v[rows, columns]
    return RawFrame(y, u, v, frame.index, frame.at, frame.taken)


def _colour(frame: RawFrame, width: int, height: int, code: int) -> Bytes:
    """The frame as (height, width, 3) uint8 in the colour order of `code`; both sides even."""
    half = (width // 2, height // 2)
    y = shrunk(frame.y, width, height)
    u, v = (shrunk(plane, *half) for plane in (frame.u, frame.v))
    planar = np.concatenate([y.ravel(), u.ravel(), v.ravel()]).reshape(height * 3 // 2, width)
    return np.asarray(cv2.cvtColor(planar, code), np.uint8)
