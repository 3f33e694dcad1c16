"""The device on which networks run: chosen by the settings, tried before it is believed, and the CPU where it fails.

A device that computes otherwise than the CPU would find other people; one that is slower relieves nobody. Both are measured when
the first network is compiled, on a picture of noise, and told (`kernel.devices.InUse`).
"""

from __future__ import annotations

import os
import threading
import time
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import openvino
import structlog

from blickschutz.kernel.devices import Device, InUse

Bytes: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]

_log = structlog.get_logger(__name__)
# What AUTO tries, in this order, before the CPU.
_TRIED = (Device.GPU, Device.NPU)
# The most by which an output may differ from the CPU's, as a share of the largest value of that output.
_MOST_DIFFERENCE = 0.02
_RUNS = 3
CPU = Device.CPU.value


_cores: Final[dict[int, openvino.Core]] = {}
_making = threading.Lock()


def engine() -> openvino.Core:
    """The engine of this process, which stays to its end; a process that was forked has one of its own.

    One that goes away ends the process with the next signal. The first network of an engine puts a stack for signal handlers of its own
    under the thread that asked, and the engine takes the memory back when it goes, in whichever thread that is: in another one, or where
    a second engine came between, the first thread is left with a stack that is not there (OpenVINO, `SigAltStackSetup` of the CPU plugin).
    """
    with _making:
        own = os.getpid()
        if own not in _cores:
            _cores[own] = openvino.Core()
        return _cores[own]


class Runner:
    """Compiles networks for one cell. After `lost` everything is compiled for the CPU, until the cell is started anew."""

    def __init__(self, core: openvino.Core, wanted: Device) -> None:
        self._core = core
        self._there = tuple(core.available_devices)
        self._left = [device.value for device in (_TRIED if wanted is Device.AUTO else (wanted,)) if device is not Device.CPU]
        self.in_use = InUse(wanted.value, CPU)
        self._chosen = wanted is Device.CPU

    def compile(self, model: openvino.Model) -> openvino.CompiledModel:
        """The network compiled for the device in use. Raises `RuntimeError` where even the CPU takes it not."""
        if not self._chosen:
            return self._choose(model)
        if self.in_use.used == CPU:
            return self._core.compile_model(model, CPU, one_core(self._core))
        try:
            return self._core.compile_model(model, self.in_use.used, _settings(self.in_use.used))
        except RuntimeError as error:
            self.lost(error)
            return self._core.compile_model(model, CPU, one_core(self._core))

    def lost(self, error: Exception) -> bool:
        """The device failed. Whether there is the CPU to go on with: not where that is what failed."""
        if self.in_use.used == CPU:
            return False
        self._use_cpu(f"{self.in_use.used} failed: {_first_line(error)}", trouble=True)
        return True

    def _choose(self, model: openvino.Model) -> openvino.CompiledModel:
        """Try what may be used with this very network."""
        self._chosen = True
        own = self._core.compile_model(model, CPU, one_core(self._core))
        said = []
        for name in self._left:
            if not any(there.split(".")[0] == name for there in self._there):
                said.append(f"no {name} here (there is {', '.join(self._there)})")
                continue
            try:
                compiled = self._core.compile_model(model, name, _settings(name))
                # In full precision: what the CPU leaves out of it is nothing to hold against a device.
                exact = self._core.compile_model(model, CPU, {**one_core(self._core), "INFERENCE_PRECISION_HINT": "f32"})
                difference, theirs, ours = _compared(compiled, own, exact)
            except RuntimeError as error:
                said.append(f"{name} failed: {_first_line(error)}")
                continue
            speed = f"{name} takes {1000 * theirs:.0f} ms a picture, the CPU {1000 * ours:.0f} ms"
            if difference > _MOST_DIFFERENCE:
                said.append(f"{name} computes otherwise than the CPU (by {difference:.2f})")
            elif theirs > ours and self.in_use.wanted == Device.AUTO:
                said.append(speed)
            else:
                self.in_use = InUse(self.in_use.wanted, name, speed, trouble=theirs > ours)
                _log.info("device", device=name, why=speed)
                return compiled
        # Who leaves the choice to us asked for nothing that is missing.
        self._use_cpu("; ".join(said), trouble=self.in_use.wanted != Device.AUTO)
        return own

    def _use_cpu(self, why: str, *, trouble: bool) -> None:
        self.in_use = InUse(self.in_use.wanted, CPU, why, trouble=trouble)
        (_log.error if trouble else _log.info)("device", device=CPU, why=why)


def one_core(core: openvino.Core) -> dict[str, object]:
    """Settings for a network that has one core of the CPU to itself.

    bfloat16 where the processor has it: 40 % less time, 0.002 less AP50 of the detector (docs/benchmarks.md).
    """
    exact = "BF16" not in core.get_property(CPU, "OPTIMIZATION_CAPABILITIES")
    return {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32" if exact else "bf16",
        "ENABLE_CPU_PINNING": False,
    }


def _settings(device: str) -> dict[str, object]:
    """Full precision where the device can: what it finds is to be what the CPU finds."""
    exact: dict[str, object] = {"INFERENCE_PRECISION_HINT": "f32"} if device == Device.GPU else {}
    return {"PERFORMANCE_HINT": "LATENCY", **exact}


def _compared(theirs: openvino.CompiledModel, ours: openvino.CompiledModel, exact: openvino.CompiledModel) -> tuple[float, float, float]:
    """By how much their outputs differ from the exact ones at most (share of the largest value), and the seconds that a picture takes
    them and us.
    """
    shape = tuple(ours.inputs[0].shape)
    picture = np.random.default_rng(1).integers(0, 255, shape, np.uint8)
    (first, theirs_s), (_, ours_s), (second, _) = (_run(one, picture) for one in (theirs, ours, exact))
    differences = [float(np.abs(a - b).max() / max(1e-6, float(np.abs(b).max()))) for a, b in zip(first, second, strict=True)]
    return max(differences), theirs_s, ours_s


def _run(compiled: openvino.CompiledModel, picture: Bytes) -> tuple[list[Floats], float]:
    request = compiled.create_infer_request()
    best = float("inf")
    for _ in range(_RUNS):
        began = time.perf_counter()
        request.infer([picture])
        best = min(best, time.perf_counter() - began)
    return [np.array(request.get_tensor(output).data, np.float32) for output in compiled.outputs], best


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
