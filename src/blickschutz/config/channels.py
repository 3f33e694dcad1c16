"""The section `alerts` of the site file: who is told of a situation, and how."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from blickschutz.config.budget import Budget
from blickschutz.config.parts import MOST_WHOLE_DAYS, Identifier, Part
from blickschutz.kernel.periods import STORAGE_LEAST_HOURS


class MqttChannel(Part):
    host: Annotated[str, Field(min_length=1, max_length=255)]
    """Broker on the cameras' own network or on this machine."""
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    """Port of the broker."""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")] = "blickschutz"
    """First part of every topic."""
    user: str = ""
    """User at the broker; empty for none."""
    password_file: str = ""
    """File that holds the password, relative to the site file; never the password itself."""
    listen: bool = False
    """True: situations that cameras find themselves are taken from `PREFIX/cameras/CAMERA/events`."""


class MailChannel(Part):
    host: Annotated[str, Field(min_length=1, max_length=255)]
    """Mail server."""
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    """Port of the mail server."""
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    """Address of the sender."""
    to: Annotated[tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...], Field(min_length=1, max_length=20)]
    """Addresses that get a mail."""
    starttls: bool = False
    """True: the connection must be encrypted."""


class WebhookChannel(Part):
    id: Identifier
    """Short name, unique in the site."""
    address: Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
    """Address that gets a POST with JSON."""


class AppriseChannel(Part):
    id: Identifier
    """Short name, unique in the site."""
    address: Annotated[str, Field(min_length=5, max_length=500)]
    """Address in the form of the library apprise."""


class Alerts(Part):
    escalate_after_s: Annotated[int, Field(ge=10, le=3600)] = 120
    """Seconds after which an alert that nobody acknowledged is escalated."""
    keep_hours: Annotated[int, Field(ge=1, le=STORAGE_LEAST_HOURS)] = 72
    """Hours after which an alert, closed or not, loses its redacted moving picture; the hard limit of `retention` and two calendar
    months hold as well."""
    history_days: Annotated[int, Field(ge=1, le=MOST_WHOLE_DAYS)] = MOST_WHOLE_DAYS
    """Days after which it is deleted who did what about an alert, and its notes, which are made from footage; the log has its own limit."""
    rows_days: Annotated[int, Field(ge=31, le=800)] = 400
    """Days after which an alert itself is deleted, closed or not, and a situation that was only counted."""
    notices_days: Annotated[int, Field(ge=1, le=90)] = 14
    """Days for which it is remembered that a channel was told, or that a notice was set aside and why."""
    before_s: Annotated[int, Field(ge=0, le=30)] = 8
    """Redacted seconds before the situation that are kept with an alert."""
    after_s: Annotated[int, Field(ge=2, le=60)] = 8
    """Redacted seconds after its begin."""
    budget: Budget = Budget()
    """How many false alarms a camera may cost."""
    mqtt: MqttChannel | None = None
    """MQTT broker, to tell alerts and to hear cameras."""
    mail: MailChannel | None = None
    """E-mail."""
    webhooks: tuple[WebhookChannel, ...] = ()
    """Addresses that get each alert by HTTP."""
    apprise: tuple[AppriseChannel, ...] = ()
    """Further channels of the library apprise."""
