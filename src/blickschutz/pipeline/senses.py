"""What a cell looks at people with beyond the detector: the network for poses and the learned rules."""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from blickschutz.analysis.io.openvino_pose import OpenVinoPoser
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.ports import Poser
from blickschutz.kernel.errors import ModelError
from blickschutz.situations.io.forests import load_learned
from blickschutz.situations.rules.forest import Learned

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Senses:
    """Without a poser there are no learned rules: they would judge boxes that nobody looked at a second time."""

    poser: Poser | None = None
    learned: Learned = field(default_factory=Learned)


def load_senses(registry: ModelRegistry | None = None) -> Senses:
    """Those that are installed; where something is missing the rules that need it say so on the camera's page."""
    try:
        return Senses(OpenVinoPoser.from_registry(registry), load_learned())
    except ModelError as error:
        _log.error("no_poses", reason=str(error))
        return Senses(None, Learned({}, str(error)))
