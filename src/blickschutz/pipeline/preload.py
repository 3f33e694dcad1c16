"""What the launcher, from which cells are forked, loads once for all of them: libraries and the inference engine.

The engine's library is 50 MB. Loaded before the fork, its pages are shared by all cells. No model, no
thread and no picture is there at that moment (decision 4).
"""

from __future__ import annotations

from blickschutz.analysis.io.openvino_detector import load_engine
from blickschutz.pipeline import cell, trial
from blickschutz.zones.hardening import harden

__all__ = ["WALLS", "cell", "trial"]

# Whoever could write into this process would be in every cell that is forked from it.
WALLS = harden()
load_engine()
