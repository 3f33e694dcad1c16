# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
"""Contains all the data models used in inputs/outputs"""

from .alert import Alert
from .alert_figures import AlertFigures
from .alerts import Alerts
from .because import Because
from .camera import Camera
from .case import Case
from .cases import Cases
from .channel import Channel
from .close import Close
from .close_outcome import CloseOutcome
from .database import Database
from .decision import Decision
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
from .note import Note
from .package import Package
from .person import Person
from .problem import Problem
from .regime import Regime
from .regime_name import RegimeName
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
    "Channel",
    "Close",
    "CloseOutcome",
    "Database",
    "Decision",
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
    "Note",
    "Package",
    "Person",
    "Problem",
    "Regime",
    "RegimeName",
    "SetRegime",
    "SetRegimeName",
    "Setting",
    "Work",
    "Wrong",
)
