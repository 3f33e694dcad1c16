"""The two regimes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum


class RegimeName(StrEnum):
    DAY = "day"
    NIGHT = "night"


@dataclass(frozen=True, slots=True)
class RegimeHours:
    """Local times of day at which day and night start; they differ."""

    day: time
    night: time


@dataclass(frozen=True, slots=True)
class CurrentRegime:
    """The regime in force, and the moment (with zone) at which it ends."""

    name: RegimeName
    until: datetime
