"""Where a cell computes: what the settings ask for, what is in use, and why where that is something else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Device(StrEnum):
    """What a network runs on. `AUTO` takes the first that is there, computes right and is faster than the CPU."""

    CPU = "CPU"
    GPU = "GPU"
    NPU = "NPU"
    AUTO = "AUTO"


class Decoding(StrEnum):
    """What decodes a camera's stream. `AUTO` takes the first that is there, gives the same pictures and costs less of the processor."""

    SOFTWARE = "software"
    AUTO = "auto"
    NVDEC = "nvdec"
    QSV = "qsv"
    VAAPI = "vaapi"


@dataclass(frozen=True, slots=True)
class InUse:
    """`used` is what computes, `wanted` what the settings ask for; `why` says why these differ, or what else is to be known.

    `trouble`: somebody asked for a device and another one computes, or it is slower than what it was to relieve. `tried`: a device is being
    opened or tried beside what is in use.
    """

    wanted: str
    used: str
    why: str = ""
    trouble: bool = False
    tried: bool = False
