"""Devices and files of the analysis: the model registry, the converter, the inference engine.

The engine's maker has an analytics client (`openvino_telemetry`) that its converter imports where it is installed. It is no requirement
of ours; where something else brought it, it cannot be imported in any process that reaches the engine.
"""

from __future__ import annotations

import sys

TELEMETRY = "openvino_telemetry"
# Python's own way to say that there is no such module: importlib, "The import system", 5.3.1.
sys.modules[TELEMETRY] = None  # type: ignore[assignment]
