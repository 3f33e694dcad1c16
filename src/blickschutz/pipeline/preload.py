"""What the server process from which cells are forked loads once for all of them: libraries and the inference engine.

The engine's library is 50 MB. Loaded before the fork, its pages are shared by all cells. No model, no
thread and no picture is there at that moment (decision 4).
"""

from __future__ import annotations

from blickschutz.analysis.io.openvino_detector import load_engine
from blickschutz.pipeline import cell

__all__ = ["ENGINE", "cell"]

ENGINE = load_engine()
