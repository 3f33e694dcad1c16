"""Bring the network for poses: BlazePose from an npm package, as it is, verified.

The package `@mediapipe/pose` (Apache-2.0) carries three sizes of it as TensorFlow Lite graphs; the middle one is
taken. The package's code is not run, and nothing else of it is kept. The network says whether a crop shows a
person, and where 33 points of their body are; it knows no faces and no identities (Bazarevsky et al. 2020,
"BlazePose: On-device Real-time Body Pose tracking").
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino

from blickschutz.analysis.io.devices import engine
from blickschutz.analysis.io.npm import NpmPackage
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.model import Head, ModelCard
from blickschutz.kernel.errors import ModelError

NAME = "blazepose"
PACKAGE = NpmPackage(
    "@mediapipe/pose@0.5.1675469404", "DFZsNWTsSphRIZppnUCuunzBiHP2FdJXR9ehc7mMi4KG+oPaOH0Em3d6kr7Py+TSyTXC1doH88KcF28k2sBxsQ=="
)
FILE = "package/pose_landmark_full.tflite"
FILE_SHA256 = "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"
INPUT_EDGE = 256
POINTS, PRESENCE, OUTLINE = OUTPUTS = ("Identity", "Identity_1", "Identity_2")

# What the examined network answers to the test picture: the mean place of the points, and of the outline's values.
_EXPECTED = (118.352, -94.657)


def install(registry: ModelRegistry, say: Callable[[str], None]) -> ModelCard:
    """Fetch, check, verify and register. Raises `ModelError` with what to do."""
    with tempfile.TemporaryDirectory(prefix="blickschutz-model-") as name:
        say(f"fetching {PACKAGE.name} with npm (41 MB)")
        archive = PACKAGE.fetch(Path(name), say)
        say("checking the package and taking out the network for poses")
        data = PACKAGE.take_out(archive, {FILE: FILE_SHA256})[FILE]
        say("converting to the engine's own form (points, presence and outline only)")
        data = convert(data, Path(name))
    say("verifying the converted network")
    verify(data)
    card = ModelCard(NAME, f"{NAME}.ir", hashlib.sha256(data).hexdigest(), Head.BLAZEPOSE, INPUT_EDGE, "Apache-2.0", f"npm {PACKAGE.name}")
    registry.add(card, data)
    return card


def convert(data: bytes, folder: Path) -> bytes:
    """The TensorFlow Lite graph as one file that the engine reads from memory: description, a zero byte, weights.

    The engine reads that format from a file only; what is loaded later is then the very bytes whose hash was checked.
    """
    source = folder / "pose.tflite"
    source.write_bytes(data)
    try:
        model = engine().read_model(source)
        results = {name: output.get_node() for output in model.outputs for name in output.names if name in OUTPUTS}
        kept = openvino.Model([results[name].input(0).get_source_output() for name in OUTPUTS], model.get_parameters(), NAME)
        openvino.save_model(kept, folder / "pose.xml", compress_to_fp16=True)
    except (RuntimeError, KeyError) as error:
        raise ModelError(f"the network for poses cannot be converted: {error}") from error
    return (folder / "pose.xml").read_bytes() + b"\0" + (folder / "pose.bin").read_bytes()


def read(core: openvino.Core, data: bytes) -> openvino.Model:
    """The network that `convert` made. Raises `ModelError` where it is none."""
    text, _, weights = data.partition(b"\0")
    try:
        model = core.read_model(model=text, weights=openvino.Tensor(np.frombuffer(weights, np.uint8)))
        names = {name for output in model.outputs for name in output.names}
        if not names >= set(OUTPUTS):
            raise RuntimeError(f"it gives out {sorted(names)} and not {sorted(OUTPUTS)}")
    except RuntimeError as error:
        raise ModelError(f"the model {NAME!r} is no network for poses that can be used: {error}") from error
    return model


def verify(data: bytes) -> None:
    """Run the network on a made picture and compare with figures kept here. Raises `ModelError`."""
    core = engine()
    compiled = core.compile_model(read(core, data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result = compiled([_test_picture()])
    actual = float(result[POINTS].reshape(-1, 5)[:33, :2].mean()), float(np.mean(result[OUTLINE]))
    if not np.allclose(actual, _EXPECTED, rtol=2e-2):
        raise ModelError(f"the network for poses answers {actual} instead of {_EXPECTED}; it was not registered")


def _test_picture() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rows, columns = np.mgrid[0:INPUT_EDGE, 0:INPUT_EDGE].astype(np.float32)
    body = np.exp(-(((columns - 128) / 18) ** 2) - ((rows - 140) / 70) ** 2)
    return np.stack([0.1 + 0.8 * body, 0.2 + rows / 600, 0.5 - 0.3 * body], axis=-1)[None].astype(np.float32)
