"""Look at one person with BlazePose on the CPU: one thread, one crop at a time."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import openvino

from blickschutz.analysis.io.blazepose import NAME, OUTLINE, POINTS, PRESENCE, read
from blickschutz.analysis.io.devices import engine, one_core
from blickschutz.analysis.io.openvino_detector import crop
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.model import Head, ModelCard, Pose
from blickschutz.analysis.rules.pose import Window, read_pose
from blickschutz.kernel.errors import FaultError, ModelError
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.planes import shrunk

Bytes: TypeAlias = npt.NDArray[np.uint8]

_BLACK, _GREY = 16, 128


class OpenVinoPoser:
    """The registered network for poses."""

    def __init__(self, card: ModelCard, data: bytes) -> None:
        if card.head is not Head.BLAZEPOSE:
            raise ModelError(f"the model {card.name!r} is no network for poses")
        self._edge = card.input_width
        core = engine()
        try:
            compiled = core.compile_model(_prepared(read(core, data)), "CPU", one_core(core))
            self._picture: Bytes = np.zeros((self._edge, self._edge, 3), np.uint8)
            self._request = compiled.create_infer_request()
            self._request.set_input_tensor(openvino.Tensor(self._picture[None], shared_memory=True))
            self._outputs = {name: self._request.get_tensor(output).data for output in compiled.outputs for name in output.names}
        except RuntimeError as error:
            raise ModelError(f"the model {card.name!r} is no network for poses that can be used: {error}") from error

    @classmethod
    def from_registry(cls, registry: ModelRegistry | None = None) -> OpenVinoPoser:
        """Load it; raises `ModelError` if it is missing, altered or unusable."""
        return cls(*(registry or ModelRegistry()).load(NAME))

    def look(self, frame: RawFrame, box: Box, quarters: int = 0) -> Pose:
        """See `Poser.look`."""
        window = Window.around(box, quarters)
        self._picture[:] = _patch(frame, window, self._edge)
        try:
            self._request.infer(share_outputs=True)
        except RuntimeError as error:
            raise FaultError(f"the network for poses failed: {error}") from error
        presence = float(self._outputs[PRESENCE].ravel()[0])
        return read_pose(self._outputs[POINTS], presence, self._outputs[OUTLINE], window, self._edge)


def _patch(frame: RawFrame, window: Window, edge: int) -> Bytes:
    """The window's part of the picture as (edge, edge, 3) RGB, black where it lies outside, turned."""
    left, top, side = window.left, window.top, window.side
    inside = crop(frame, max(0, left), max(0, top), left + side, top + side)
    planes = []
    for plane, share, fill in ((inside.y, 1, _BLACK), (inside.u, 2, _GREY), (inside.v, 2, _GREY)):
        whole = np.full((side // share, side // share), fill, np.uint8)
        y, x = max(0, -top) // share, max(0, -left) // share
        part = plane[: whole.shape[0] - y, : whole.shape[1] - x]
        whole[y : y + part.shape[0], x : x + part.shape[1]] = part
        planes.append(_sized(whole, edge // share).ravel())
    colour = cv2.cvtColor(np.concatenate(planes).reshape(edge * 3 // 2, edge), cv2.COLOR_YUV2RGB_I420)
    return np.asarray(np.rot90(colour, window.quarters), np.uint8)


def _sized(plane: Bytes, edge: int) -> Bytes:
    if plane.shape[0] < edge:
        return np.asarray(cv2.resize(plane, (edge, edge), interpolation=cv2.INTER_LINEAR), np.uint8)
    return shrunk(plane, edge, edge)


def _prepared(model: openvino.Model) -> openvino.Model:
    steps = openvino.preprocess.PrePostProcessor(model)
    steps.input().tensor().set_element_type(openvino.Type.u8)
    steps.input().preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
    return steps.build()
