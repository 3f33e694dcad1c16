"""The alert desk, and the sender of each channel."""

from blickschutz.alerts.service.desk import SYSTEM, AlertDesk
from blickschutz.alerts.service.sender import Sender

__all__ = ["SYSTEM", "AlertDesk", "Sender"]
