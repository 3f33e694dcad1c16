"""The section `alerts.budget` of the site file: how many false alarms a camera may cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from blickschutz.config.about import Setting
from blickschutz.config.parts import Identifier, Part
from blickschutz.situations.kinds import Kind

FalseAlarms = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
ByKind = dict[Annotated[Kind, Field(strict=False)], FalseAlarms]


class BudgetOfCamera(Part):
    id: Annotated[Identifier, Setting("Kurzname der Kamera.")]
    """Short name of the camera."""
    false_alarms: Annotated[
        FalseAlarms | None, Setting("Fehlalarme, die diese Kamera in dieser Zeit kosten darf, wenn es andere sein sollen.")
    ] = None
    """False alarms that this camera may cost in `days`, where it differs."""
    kinds: Annotated[ByKind, Setting("Fehlalarme einer Art an dieser Kamera in dieser Zeit.")] = Field(default_factory=dict)
    """False alarms in `days` of one kind at this camera."""


class Budget(Part):
    false_alarms: Annotated[
        FalseAlarms, Setting("Fehlalarme, die eine Kamera in dieser Zeit kosten darf, über alle gemeldeten Arten; 0: Nichts wird gemeldet.")
    ] = 1.0
    """False alarms that a camera may cost in `days`, over all kinds that notify or record; 0: none of them tells anybody."""
    days: Annotated[float, Field(gt=0, le=365, allow_inf_nan=False), Setting("Beobachtete Tage, in denen es so viele sein dürfen.")] = 10.0
    """Days of observation in which that many may be."""
    shadow_days: Annotated[
        float,
        Field(ge=0, le=60, allow_inf_nan=False),
        Setting("Beobachtete Tage, in denen eine neue Kamera nur zählt; 0: Alles wird sofort mit dem Anfangswert gemeldet."),
    ] = 7.0
    """Observed days in which a new camera only counts; 0: every kind is told by its start threshold at once."""
    kinds: Annotated[
        ByKind, Setting("Fehlalarme einer Art je Kamera in dieser Zeit, neben dem gemeinsamen Budget; 0: Sie wird nie gemeldet.")
    ] = Field(default_factory=dict)
    """False alarms in `days` of one kind at each camera, apart from the common budget; 0: it never tells anybody."""
    cameras: Annotated[tuple[BudgetOfCamera, ...], Setting("Kameras mit einem eigenen Budget.")] = ()
    """Cameras with a budget of their own."""
