# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
"""Contains all the data models used in inputs/outputs"""

from .alert import Alert
from .alert_figures import AlertFigures
from .alerts import Alerts
from .because import Because
from .camera import Camera
from .case import Case
from .cases import Cases
from .chain import Chain
from .channel import Channel
from .clock_said import ClockSaid
from .close import Close
from .close_outcome import CloseOutcome
from .count import Count
from .database import Database
from .decision import Decision
from .due_clips import DueClips
from .entries import Entries
from .entry import Entry
from .entry_facts import EntryFacts
from .event import Event
from .figures import Figures
from .health import Health
from .health_models import HealthModels
from .hold import Hold
from .kind import Kind
from .list_alerts_state import ListAlertsState
from .me import Me
from .need import Need
from .needs_said import NeedsSaid
from .note import Note
from .overview import Overview
from .overview_alerts import OverviewAlerts
from .overview_cameras import OverviewCameras
from .package import Package
from .person import Person
from .problem import Problem
from .regime import Regime
from .regime_name import RegimeName
from .rules_said import RulesSaid
from .set_regime import SetRegime
from .set_regime_name import SetRegimeName
from .setting import Setting
from .work import Work
from .wrong import Wrong

__all__ = (
    "Alert",
    "AlertFigures",
    "Alerts",
    "Because",
    "Camera",
    "Case",
    "Cases",
    "Chain",
    "Channel",
    "ClockSaid",
    "Close",
    "CloseOutcome",
    "Count",
    "Database",
    "Decision",
    "DueClips",
    "Entries",
    "Entry",
    "EntryFacts",
    "Event",
    "Figures",
    "Health",
    "HealthModels",
    "Hold",
    "Kind",
    "ListAlertsState",
    "Me",
    "Need",
    "NeedsSaid",
    "Note",
    "Overview",
    "OverviewAlerts",
    "OverviewCameras",
    "Package",
    "Person",
    "Problem",
    "Regime",
    "RegimeName",
    "RulesSaid",
    "SetRegime",
    "SetRegimeName",
    "Setting",
    "Work",
    "Wrong",
)
