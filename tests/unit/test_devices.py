"""Where the detector computes: the device that is asked for where it is there, alike and not slower; else the CPU, and it is said."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import openvino
import pytest

from blickschutz.analysis.io import engines
from blickschutz.analysis.io.devices import CPU, Runner, engine
from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.model import Head
from blickschutz.analysis.ports import Capabilities
from blickschutz.bootstrap.system import other_devices
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.kernel.devices import Device, InUse
from blickschutz.kernel.errors import FaultError, ModelError
from blickschutz.kernel.geometry import Box
from blickschutz.pipeline.detector import NoDetector, load_detector
from blickschutz.pipeline.messages import CellSettings, Health
from blickschutz.pipeline.profile import profile_of

ROOT = Path(__file__).resolve().parents[2]
FRAME = DrawnScene(320, 240, 3, walkers=3).picture(40).frame(40)


def small_model() -> openvino.Model:
    """Twice what comes in: (1, 8, 8, 3) of bytes."""
    ops = openvino.opset13
    given = ops.parameter([1, 8, 8, 3], openvino.Type.u8)
    return openvino.Model([ops.multiply(ops.convert(given, "f32"), ops.constant(np.float32(2.0)))], [given])


class Core:
    """OpenVINO's, with a device more: `GPU` is the CPU under another name, and does as a test says."""

    def __init__(self, *, there=("CPU", "GPU"), fails="", factor=1.0) -> None:
        self._core, self.available_devices, self._fails, self._factor = engine(), list(there), fails, factor
        self.compiled = []

    def get_property(self, *names):
        return self._core.get_property(*names)

    def compile_model(self, model, device, settings):
        self.compiled.append(device)
        if device == CPU:
            return self._core.compile_model(model, CPU, settings)
        if self._fails:
            raise RuntimeError(f"{self._fails}\nsecond line")
        if self._factor != 1.0:
            ops, (result,) = openvino.opset13, model.outputs
            other = ops.multiply(result.node.input_value(0), ops.constant(np.float32(self._factor)))
            model = openvino.Model([other], model.get_parameters())
        return self._core.compile_model(model, CPU, {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"})


# Each lookout is another detector: one is there while the next one comes, and goes in another thread.
HEARS = """
import gc, signal, sys, threading
from tests.unit.test_devices import small_model
from blickschutz.analysis.io.devices import Device, Runner, engine

heard = []
signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
runners = []
for _ in range(3):
    runners.append(Runner(engine(), Device.CPU))
    runners[-1].compile(small_model())
def end():
    while runners:
        runners.pop(0)
        gc.collect()
thread = threading.Thread(target=end)
thread.start()
thread.join()
signal.raise_signal(signal.SIGTERM)
sys.exit(0 if heard else 1)
"""


def test_a_signal_is_heard_after_detectors_came_and_went():
    """Their engines took the stack for it away, and the process ended where it was told to end in order."""
    assert subprocess.run([sys.executable, "-c", HEARS], cwd=ROOT, timeout=120, check=False).returncode == 0


def test_there_is_one_engine_for_a_process():
    with ThreadPoolExecutor(8) as pool:
        assert len({id(one) for one in pool.map(lambda _: engine(), range(8))}) == 1
    found = subprocess.run(["git", "grep", "-ln", r"openvino\.Core(", "--", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert sorted(found.stdout.split()) == ["src/blickschutz/analysis/io/devices.py"]


class TestRunner:
    def test_the_cpu_is_what_it_is(self):
        runner = Runner(core := Core(), Device.CPU)
        runner.compile(small_model())
        assert runner.in_use == InUse("CPU", "CPU")
        assert core.compiled == ["CPU"]

    @pytest.mark.parametrize("wanted", [Device.GPU, Device.NPU])
    def test_a_device_that_is_not_there(self, wanted):
        """The real library, on a machine that has none."""
        if any(one.startswith(wanted.value) for one in engine().available_devices):
            pytest.skip(f"this machine has a {wanted}")
        runner = Runner(engine(), wanted)
        runner.compile(small_model())
        assert (runner.in_use.used, runner.in_use.trouble) == ("CPU", True)
        assert runner.in_use.why.startswith(f"no {wanted.value} here (there is CPU")

    def test_auto_without_a_device_is_no_trouble(self):
        runner = Runner(Core(there=("CPU",)), Device.AUTO)
        runner.compile(small_model())
        assert (runner.in_use.used, runner.in_use.trouble) == ("CPU", False)
        assert "no GPU here" in runner.in_use.why
        assert "no NPU here" in runner.in_use.why

    def test_a_device_that_computes_alike_is_used_and_its_time_told(self):
        runner = Runner(core := Core(), Device.GPU)
        runner.compile(small_model())
        assert runner.in_use.used == "GPU"
        assert "ms a picture, the CPU" in runner.in_use.why
        # Tried against the CPU once, then compiled for it alone.
        runner.compile(small_model())
        assert core.compiled == ["CPU", "GPU", "CPU", "GPU"]

    @pytest.mark.parametrize("wanted", [Device.GPU, Device.AUTO])
    def test_a_device_that_computes_otherwise_is_not_used(self, wanted):
        runner = Runner(Core(factor=1.05), wanted)
        runner.compile(small_model())
        assert runner.in_use.used == "CPU"
        assert "computes otherwise than the CPU (by 0.05)" in runner.in_use.why
        assert runner.in_use.trouble is (wanted is Device.GPU)

    def test_a_device_that_cannot_compile(self):
        runner = Runner(Core(fails="clBuildProgram failed"), Device.GPU)
        runner.compile(small_model())
        assert runner.in_use == InUse("GPU", "CPU", "GPU failed: clBuildProgram failed", trouble=True)

    def test_a_slower_device(self, monkeypatch):
        """Somebody who asked for it has it, and is told; whoever left the choice has the CPU."""
        monkeypatch.setattr("blickschutz.analysis.io.devices._compared", lambda theirs, ours, exact: (0.0, 0.2, 0.1))
        for wanted, used, trouble in ((Device.GPU, "GPU", True), (Device.AUTO, "CPU", False)):
            runner = Runner(Core(), wanted)
            runner.compile(small_model())
            assert (runner.in_use.used, runner.in_use.trouble) == (used, trouble)
            assert "GPU takes 200 ms a picture, the CPU 100 ms" in runner.in_use.why

    def test_one_that_is_gone_when_the_next_network_is_compiled(self):
        runner = Runner(core := Core(), Device.GPU)
        runner.compile(small_model())
        core._fails = "device lost"
        runner.compile(small_model())
        assert runner.in_use == InUse("GPU", "CPU", "GPU failed: device lost", trouble=True)
        assert not runner.lost(RuntimeError("what now")), "behind the CPU there is nothing"


class TestDetector:
    @pytest.fixture
    def detector(self):
        registry = ModelRegistry()
        card, data = registry.load("centernet")
        return OpenVinoDetector(card, lambda: data, Device.GPU)

    @pytest.mark.later
    def test_a_device_that_vanishes_costs_no_picture(self, detector, detector_on_cpu):
        detector._runner = Runner(Core(), Device.GPU)
        detector.detect(FRAME, 0.1)
        assert detector.in_use.used == "GPU"
        for network in detector._networks.values():
            network.run = self.gone
        again = detector.detect(FRAME, 0.1)
        assert detector.in_use == InUse("GPU", "CPU", "GPU failed: the device was lost", trouble=True)
        np.testing.assert_allclose(again, detector_on_cpu.detect(FRAME, 0.1), atol=1e-3)

    def test_the_cpu_failing_is_a_fault(self, detector_on_cpu, monkeypatch):
        detector_on_cpu.detect(FRAME, 0.1)
        for network in detector_on_cpu._networks.values():
            monkeypatch.setattr(network, "run", self.gone)
        with pytest.raises(FaultError, match="the device was lost"):
            detector_on_cpu.detect(FRAME, 0.1)

    @pytest.fixture
    def detector_on_cpu(self):
        return OpenVinoDetector.from_registry("centernet")

    @staticmethod
    def gone():
        raise RuntimeError("the device was lost")


PLUGIN = """
from blickschutz.analysis.ports import Capabilities
import numpy as np

class Plain:
    def __init__(self, card, data, device):
        self.data, self.asked = data(), []
    def detect(self, frame, least, regions=()):
        self.asked.append(list(regions))
        return np.array([[1, 2, 3, 4, 0.9]], np.float32)

class Engine:
    capabilities = Capabilities()
    def load(self, card, data, device):
        return Plain(card, data, device)

ENGINE, NONE = Engine(), object()
"""


class TestEngines:
    @pytest.fixture
    def registry(self, tmp_path, monkeypatch):
        """Another package with two entry points, one of which is no engine; and models for them."""
        site = tmp_path / "site"
        (site / "plain_engine-1.0.dist-info").mkdir(parents=True)
        (site / "plain_engine.py").write_text(PLUGIN)
        (site / "plain_engine-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: plain-engine\nVersion: 1.0\n")
        points = "[blickschutz.engines]\nplain = plain_engine:ENGINE\nnone = plain_engine:NONE\ngone = plain_engine:GONE\n"
        (site / "plain_engine-1.0.dist-info/entry_points.txt").write_text(points)
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, "plain_engine", raising=False)
        own = tmp_path / "own.bin"
        own.write_bytes(b"weights")
        registry = ModelRegistry(tmp_path / "models")
        digest = hashlib.sha256(b"weights").hexdigest()
        for name in ("plain", "none", "gone", "nobody"):
            registry.register(own, digest, name, Head.YOLOX, 416, "MIT", name)
        return registry

    def test_another_package_offers_an_engine_and_is_asked_for_nothing_it_cannot(self, registry):
        detector = engines.load_detector("plain", registry, Device.GPU)
        assert detector.detect(FRAME, 0.1, [Box(0, 0, 9, 9)])[0][4] == pytest.approx(0.9)
        assert detector._detector.asked == [[]]
        assert detector._detector.data == b"weights"
        assert detector.fitting(320, 240, [Box(0, 0, 9, 9)]) == []
        assert detector.detect_turned(FRAME, 0.1, Box(0, 0, 99, 99), 1).shape == (0, 5)
        assert detector.in_use == InUse("GPU", "plain")

    @pytest.mark.parametrize(
        ("name", "says"),
        [("nobody", "no package offers the engine 'nobody'"), ("none", "it lacks load or capabilities"), ("gone", "cannot be loaded")],
    )
    def test_what_is_no_engine_blanks_and_says_why(self, registry, name, says):
        with pytest.raises(ModelError, match=says):
            engines.load_detector(name, registry)
        detector = load_detector(name, registry, Device.CPU)
        assert isinstance(detector, NoDetector)
        assert says in detector.reason

    def test_models_from_before_are_for_the_engine_that_comes_with_the_software(self, registry):
        index = registry.folder / "registry.json"
        cards = [{k: v for k, v in card.items() if k != "engine"} for card in msgspec.json.decode(index.read_bytes())]
        index.write_bytes(msgspec.json.encode(cards))
        assert {card.engine for card in registry.cards()} == {"openvino"}
        assert engines.OpenVinoEngine.capabilities == Capabilities(regions=True, rotation=True)


def test_only_a_cell_with_another_device_may_open_one():
    def places(device):
        settings = msgspec.convert({"camera": "a", "source": {"kind": "rtsp", "address": "rtsp://cam/1"}, "device": device}, CellSettings)
        return {str(one.path) for one in profile_of(settings).files}

    assert not any(path.startswith(("/dev/dri", "/dev/accel")) for path in places("CPU"))
    for device in ("GPU", "NPU", "AUTO"):
        assert {"/dev/dri", "/dev/accel"} <= places(device)


def test_what_needs_somebody_is_told_and_what_does_not_is_not():
    def keeper(in_use):
        return SimpleNamespace(health=Health(session="live", stopped=False, doubt=None, detector=in_use))

    keepers = {
        "a": keeper(InUse("GPU", "CPU", "no GPU here", trouble=True)),
        "b": keeper(InUse("AUTO", "CPU", "no GPU here")),
        "c": keeper(None),
        "d": SimpleNamespace(health=None),
    }
    assert other_devices(keepers) == {"a": "no GPU here"}
