"""Convert a TensorFlow.js graph-model (NHWC, TensorFlow ops) into ONNX (NCHW).

Only the ops that MobileNetV3-CenterNet needs are known; any other op is refused, so that a changed
upstream graph cannot be converted into something that merely looks right.

Sources: TensorFlow.js graph-model format (`modelTopology`, `weightsManifest`); ONNX operator
specification, opset 17.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from blickschutz.kernel.errors import ModelError

_OPSET = 17
_DTYPES: Mapping[str, Any] = {"float32": np.float32, "int32": np.int32, "float16": np.float16}

Array = npt.NDArray[Any]


def read_weights(manifest: Path) -> dict[str, Array]:
    """Read all weights of the model beside `manifest` as arrays in their original layout.

    float16-quantised weights come back as float32. Raises `ModelError` where the data is too short.
    """
    topology = json.loads(manifest.read_text(encoding="utf-8"))
    weights: dict[str, Array] = {}
    for group in topology["weightsManifest"]:
        data = b"".join((manifest.parent / name).read_bytes() for name in group["paths"])
        offset = 0
        for spec in group["weights"]:
            stored = _DTYPES[spec.get("quantization", {}).get("dtype", spec["dtype"])]
            count = math.prod(spec["shape"])
            size = count * np.dtype(stored).itemsize
            if offset + size > len(data):
                raise ModelError(f"{manifest.name}: the weights end in the middle of {spec['name']}")
            values = np.frombuffer(data, stored, count, offset).astype(_DTYPES[spec["dtype"]])
            weights[spec["name"]] = values.reshape(spec["shape"])
            offset += size
    return weights


class GraphConverter:
    """Builds one ONNX graph, node by node, backwards from the wanted outputs."""

    def __init__(self, nodes: Sequence[Mapping[str, Any]], weights: Mapping[str, Array]) -> None:
        self._nodes = {node["name"]: node for node in nodes}
        self._weights = weights
        self._done: dict[str, str] = {}
        self._made: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self.input_name = ""

    def convert(self, outputs: Mapping[str, str], keep: Mapping[str, Sequence[int]]) -> onnx.ModelProto:
        """Return the model whose output `name` is node `outputs[name]`.

        `keep` maps a convolution's name to the output channels that stay; the others are dropped.
        """
        self._keep = keep
        for name, source in outputs.items():
            self._emit("Identity", [self._visit(source)], name)
        if not self.input_name:
            raise ModelError("the graph has no input")
        image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, "height", "width"])
        heads = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, None, None]) for name in outputs]
        graph = helper.make_graph(self._made, "blickschutz", [image], heads, list(self._constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="blickschutz")
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        return model

    def _visit(self, name: str) -> str:
        if name in self._done:
            return self._done[name]
        if name in self._weights:
            value = self._weights[name]
            # A per-channel constant is last in NHWC and second in NCHW.
            result = self._constant(name, value.reshape(-1, 1, 1) if value.ndim == 1 else value)
        else:
            node = self._nodes.get(name)
            if node is None:
                raise ModelError(f"the graph names a node that it does not have: {name}")
            result = self._convert(node)
        self._done[name] = result
        return result

    def _convert(self, node: Mapping[str, Any]) -> str:
        op, name, inputs = node["op"], node["name"], node.get("input", [])
        simple = {"Mul", "Add", "Relu", "Sigmoid", "Identity"}
        if op == "Placeholder":
            self.input_name = name
            return "images"
        if op == "Mul" and (source := self._hard_swish(node)) is not None:
            return self._emit("HardSwish", [self._visit(source)], name)
        if op in simple:
            return self._emit(op, [self._visit(i) for i in inputs], name)
        if op == "Relu6":
            return self._emit_clip(self._visit(inputs[0]), name)
        if op in {"_FusedConv2D", "Conv2D"}:
            return self._convolution(node, depthwise=False)
        if op in {"FusedDepthwiseConv2dNative", "DepthwiseConv2dNative"}:
            return self._convolution(node, depthwise=True)
        if op == "Mean":
            self._require(sorted(self._weights[inputs[1]].tolist()) == [1, 2], name, "mean over other axes than height and width")
            return self._emit("GlobalAveragePool", [self._visit(inputs[0])], name)
        if op == "ConcatV2":
            self._require(int(self._weights[inputs[-1]]) in {3, -1}, name, "concatenation along another axis than channels")
            return self._emit("Concat", [self._visit(i) for i in inputs[:-1]], name, axis=1)
        if op == "ResizeBilinear":
            flags = {key: node["attr"].get(key, {}).get("b", False) for key in ("align_corners", "half_pixel_centers")}
            self._require(not any(flags.values()), name, "resize with aligned corners or half-pixel centres")
            scales = self._constant("resize_by_2", np.array([1, 1, 2, 2], np.float32))
            attributes = {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}
            return self._emit("Resize", [self._visit(inputs[0]), "", scales], name, **attributes)
        raise ModelError(f"the graph uses an operation that is not known here: {op} in {name}")

    def _hard_swish(self, node: Mapping[str, Any]) -> str | None:
        """The name of x where `node` is (x / 6) * relu6(x + 3), which engines compute in one step."""
        scaled, gate = (self._nodes.get(name, {}) for name in node["input"])
        if scaled.get("op") != "Mul" or gate.get("op") != "Relu6":
            return None
        shifted = self._nodes.get(gate["input"][0], {})
        if shifted.get("op") != "Add" or not self._is_constant(shifted["input"], 3.0):
            return None
        source = str(next(name for name in shifted["input"] if name not in self._weights))
        return source if source in scaled["input"] and self._is_constant(scaled["input"], 1 / 6) else None

    def _is_constant(self, inputs: Sequence[str], value: float) -> bool:
        """Whether one of `inputs` is a weight of that one value."""
        return any(name in self._weights and np.allclose(self._weights[name], value, atol=1e-3) for name in inputs)

    def _convolution(self, node: Mapping[str, Any], *, depthwise: bool) -> str:
        name, inputs, attributes = node["name"], node["input"], node["attr"]
        fused = [base64.b64decode(op).decode() for op in attributes.get("fused_ops", {}).get("list", {}).get("s", [])]
        padding = base64.b64decode(attributes["padding"]["s"]).decode()
        self._require(padding in {"SAME", "VALID"}, name, f"padding {padding}")
        kernel = self._weights[inputs[1]].astype(np.float32)
        height, width, channels, multiplier = kernel.shape
        if depthwise:
            weight = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
        else:
            weight = kernel.transpose(3, 2, 0, 1)
        kept = list(self._keep.get(name, range(weight.shape[0])))
        arguments = [self._visit(inputs[0]), self._constant(f"{name}/kernel", np.ascontiguousarray(weight[kept]))]
        if fused and fused[0] == "BiasAdd":
            arguments.append(self._constant(f"{name}/bias", self._weights[inputs[2]].astype(np.float32)[kept]))
            fused = fused[1:]
        result = self._emit(
            "Conv",
            arguments,
            name,
            kernel_shape=[height, width],
            strides=[int(i) for i in attributes["strides"]["list"]["i"][1:3]],
            dilations=[int(i) for i in attributes["dilations"]["list"]["i"][1:3]],
            auto_pad="SAME_UPPER" if padding == "SAME" else "VALID",
            group=channels if depthwise else 1,
        )
        for activation in fused:
            self._require(activation in {"Relu", "Relu6"}, name, f"fused {activation}")
            result = self._emit("Relu", [result], f"{name}/relu") if activation == "Relu" else self._emit_clip(result, f"{name}/relu6")
        return result

    def _emit(self, op: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        self._made.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def _emit_clip(self, source: str, name: str) -> str:
        low, high = self._constant("zero", np.float32(0)), self._constant("six", np.float32(6))
        return self._emit("Clip", [source, low, high], name)

    def _constant(self, name: str, value: Any) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    @staticmethod
    def _require(holds: bool, name: str, what: str) -> None:
        if not holds:
            raise ModelError(f"the graph uses {what} in {name}; that is not known here")


def convert(manifest: Path, outputs: Mapping[str, str], keep: Mapping[str, Sequence[int]]) -> bytes:
    """Convert the graph-model at `manifest` and return the serialised ONNX model (the same bytes each time)."""
    topology = json.loads(manifest.read_text(encoding="utf-8"))["modelTopology"]
    model = GraphConverter(topology["node"], read_weights(manifest)).convert(outputs, keep)
    return bytes(model.SerializeToString(deterministic=True))
