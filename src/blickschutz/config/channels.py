"""The section `alerts` of the site file: who is told of a situation, and how."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from blickschutz.alerts.model import Priority
from blickschutz.config.budget import Budget
from blickschutz.config.parts import MOST_WHOLE_DAYS, Identifier, Part, is_local, require_no_password
from blickschutz.config.texts import SiteError
from blickschutz.kernel.periods import STORAGE_LEAST_HOURS
from blickschutz.situations.kinds import Kind

_LEAST_REASON = 10


def host_of(address: str) -> str:
    """The host in an address; empty for one that cannot be read."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


_TOPIC = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"
_MAIL = r"^[^@\s]+@[^@\s]+$"
Host = Annotated[str, Field(min_length=1, max_length=255)]
FileName = Annotated[str, Field(max_length=400)]


class Reached(Part):
    """Something on the network that is spoken to: how it proves who it is, or why it need not."""

    authority: FileName = ""
    """File with the authority (PEM) that vouches for its certificate, relative to the site file; without it those of this machine."""
    certificate: FileName = ""
    """File with its very certificate (PEM), relative to the site file: this one is believed and no other, whatever it is called."""
    plain_because: Annotated[str, Field(max_length=300)] = ""
    """Why the connection is not encrypted and verified though it leaves this machine; the documents print it."""

    @model_validator(mode="after")
    def _one_trust(self) -> Self:
        if self.authority and self.certificate:
            raise SiteError("one_trust", where=("certificate",))
        return self

    def require_secure(self, host: str, *, secure: bool, key: str) -> None:
        """Raises `SiteError` where plain text would leave this machine and nobody says why."""
        if not secure and not is_local(host) and len(self.plain_because.strip()) < _LEAST_REASON:
            raise SiteError("plain", where=(key,))


class MqttChannel(Reached):
    host: Host
    """Broker on the cameras' own network or on this machine."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port of the broker; without it 8883 with TLS, 1883 without."""
    tls: bool | None = None
    """Encryption with a verified certificate. Without it: on beyond this machine, off on it."""
    prefix: Annotated[str, Field(pattern=_TOPIC)] = "blickschutz"
    """First part of every topic."""
    user: str = ""
    """User at the broker; empty for none."""
    user_file: FileName = ""
    """File that holds the user instead, kept like a password."""
    password_file: FileName = ""
    """File that holds the password, relative to the site file or in the credentials of systemd; never the password itself."""
    client_certificate: FileName = ""
    """File with the certificate (PEM) by which the broker knows this site, relative to the site file; with TLS only."""
    client_key: FileName = ""
    """File with its key (PEM, without a passphrase), kept like a password."""
    listen: bool = False
    """True: situations that cameras find themselves are taken from `PREFIX/SITE/cameras/CAMERA/events`."""
    states: bool = True
    """True: what is true now of site and cameras is kept at the broker, with a last will."""
    discovery: bool = False
    """True: Home Assistant finds site and cameras by itself; needs `states`."""
    discovery_prefix: Annotated[str, Field(pattern=_TOPIC)] = "homeassistant"
    """First part of the topics on which Home Assistant listens."""

    @property
    def secure(self) -> bool:
        return not is_local(self.host) if self.tls is None else self.tls

    @property
    def known_port(self) -> int:
        return self.port or (8883 if self.secure else 1883)

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        self.require_secure(self.host, secure=self.secure, key="tls")
        if self.user and self.user_file:
            raise SiteError("user_or_file", where=("user_file",))
        if bool(self.client_certificate) != bool(self.client_key) or (self.client_key and not self.secure):
            raise SiteError("own_certificate", where=("client_certificate",))
        if self.discovery and not self.states:
            raise SiteError("discovery_states", where=("discovery",))
        return self


class MailChannel(Reached):
    host: Host
    """Mail server."""
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    """Port of the mail server."""
    sender: Annotated[str, Field(pattern=_MAIL)]
    """Address of the sender."""
    to: Annotated[tuple[Annotated[str, Field(pattern=_MAIL)], ...], Field(min_length=1, max_length=20)]
    """Addresses that get a mail."""
    starttls: bool = True
    """True: the connection is encrypted and the server's certificate verified, or no mail is sent."""
    user: str = ""
    """User at the mail server; empty for none."""
    password_file: FileName = ""
    """File that holds the password, relative to the site file or in the credentials of systemd; never the password itself."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        self.require_secure(self.host, secure=self.starttls, key="starttls")
        return self


class WebhookChannel(Reached):
    id: Identifier
    """Short name, unique in the site."""
    address: Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
    """Address that gets a POST with JSON."""
    user: str = ""
    """User for it; without one the password is sent as a token (`Authorization: Bearer`)."""
    password_file: FileName = ""
    """File that holds the password or token, relative to the site file or in the credentials of systemd; never the password itself."""
    signing_secret_file: FileName = ""
    """File that holds the secret by which messages are signed (Standard Webhooks, `whsec_…`), kept like a password."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        require_no_password(self.address)
        self.require_secure(host_of(self.address), secure=self.address.startswith("https:"), key="address")
        return self


class AppriseChannel(Part):
    id: Identifier
    """Short name, unique in the site."""
    address: Annotated[str, Field(max_length=500)] = ""
    """Address in the form of the library apprise, where no secret is in it."""
    address_file: FileName = ""
    """File that holds the address, relative to the site file or in the credentials of systemd, where a secret is in it."""
    plain_because: Annotated[str, Field(max_length=300)] = ""
    """Why the connection is not encrypted and verified though it leaves this machine; the documents print it."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if bool(self.address) == bool(self.address_file):
            raise SiteError("address_or_file", where=("address",))
        require_no_password(self.address)
        return self


class PriorityOf(Part):
    kind: Kind
    """Kind of situation."""
    zone: Identifier | None = None
    """Zone in which it holds; without one, everywhere."""
    priority: Priority
    """How urgent it is: `high`, `medium` or `low`."""


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
    priorities: tuple[PriorityOf, ...] = ()
    """How urgent a kind is, in a zone or everywhere, where the defaults do not fit (a fall and an altercation are high)."""
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

    def plain(self) -> list[tuple[str, str, str]]:
        """Connections in plain text beyond this machine: which channel, to what, and why."""
        found: list[tuple[str, str, str]] = []
        if self.mqtt is not None and not self.mqtt.secure:
            found.append(("MQTT", self.mqtt.host, self.mqtt.plain_because))
        if self.mail is not None and not self.mail.starttls:
            found.append(("E-Mail", self.mail.host, self.mail.plain_because))
        hooks = (hook for hook in self.webhooks if not hook.address.startswith("https:"))
        found += [(hook.id, host_of(hook.address), hook.plain_because) for hook in hooks]
        found += [(other.id, host_of(other.address), other.plain_because) for other in self.apprise if other.plain_because]
        return [(name, host, why) for name, host, why in found if not is_local(host)]
