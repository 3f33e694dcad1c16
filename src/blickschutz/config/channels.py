"""The section `alerts` of the site file: who is told of a situation, and how."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from blickschutz.alerts.model import Priority
from blickschutz.config.about import Setting
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

    authority: Annotated[
        FileName, Setting("Datei mit der Stelle (PEM), die für sein Zertifikat einsteht; ohne Angabe die dieses Rechners.")
    ] = ""
    """File with the authority (PEM) that vouches for its certificate, relative to the site file; without it those of this machine."""
    certificate: Annotated[
        FileName, Setting("Datei mit genau seinem Zertifikat (PEM): Diesem wird geglaubt und keinem anderen, wie immer es heißt.")
    ] = ""
    """File with its very certificate (PEM), relative to the site file: this one is believed and no other, whatever it is called."""
    plain_because: Annotated[
        str,
        Field(max_length=300),
        Setting("Warum die Verbindung nach draußen unverschlüsselt oder ungeprüft bleibt; die Dokumente drucken es."),
    ] = ""
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
    host: Annotated[Host, Setting("Broker im eigenen Netz der Kameras oder auf diesem Rechner.")]
    """Broker on the cameras' own network or on this machine."""
    port: Annotated[Annotated[int, Field(ge=1, le=65535)] | None, Setting("Port des Brokers; ohne Angabe 8883 mit TLS, sonst 1883.")] = None
    """Port of the broker; without it 8883 with TLS, 1883 without."""
    tls: Annotated[
        bool | None, Setting("Verschlüsselt mit geprüftem Zertifikat. Ohne Angabe: im Netz an, auf diesem Rechner selbst aus.")
    ] = None
    """Encryption with a verified certificate. Without it: on beyond this machine, off on it."""
    prefix: Annotated[str, Field(pattern=_TOPIC), Setting("Erster Teil jedes Themas.")] = "blickschutz"
    """First part of every topic."""
    user: Annotated[str, Setting("Benutzer am Broker; leer für keinen.")] = ""
    """User at the broker; empty for none."""
    user_file: Annotated[FileName, Setting("Stattdessen Datei mit dem Benutzer, verwahrt wie ein Kennwort.")] = ""
    """File that holds the user instead, kept like a password."""
    password_file: Annotated[
        FileName, Setting("Datei mit dem Kennwort, auch unter den Zugangsdaten von systemd; nie das Kennwort selbst.")
    ] = ""
    """File that holds the password, relative to the site file or in the credentials of systemd; never the password itself."""
    client_certificate: Annotated[
        FileName, Setting("Datei mit dem Zertifikat (PEM), an dem der Broker diese Anlage erkennt; nur mit TLS.")
    ] = ""
    """File with the certificate (PEM) by which the broker knows this site, relative to the site file; with TLS only."""
    client_key: Annotated[FileName, Setting("Datei mit dessen Schlüssel (PEM, ohne Kennwort), verwahrt wie ein Kennwort.")] = ""
    """File with its key (PEM, without a passphrase), kept like a password."""
    listen: Annotated[bool, Setting("Ja: Ereignisse, die Kameras selbst finden, werden übernommen.")] = False
    """True: situations that cameras find themselves are taken from `PREFIX/SITE/cameras/CAMERA/events`."""
    states: Annotated[bool, Setting("Ja: Was jetzt für Anlage und Kameras gilt, liegt beim Broker, mit letztem Willen.")] = True
    """True: what is true now of site and cameras is kept at the broker, with a last will."""
    discovery: Annotated[bool, Setting("Ja: Home Assistant findet Anlage und Kameras von selbst; verlangt „states“.")] = False
    """True: Home Assistant finds site and cameras by itself; needs `states`."""
    discovery_prefix: Annotated[str, Field(pattern=_TOPIC), Setting("Erster Teil der Themen, auf denen Home Assistant hört.")] = (
        "homeassistant"
    )
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
    host: Annotated[Host, Setting("Mailserver.")]
    """Mail server."""
    port: Annotated[int, Field(ge=1, le=65535), Setting("Port des Mailservers.")] = 25
    """Port of the mail server."""
    sender: Annotated[str, Field(pattern=_MAIL), Setting("Adresse des Absenders.")]
    """Address of the sender."""
    to: Annotated[
        tuple[Annotated[str, Field(pattern=_MAIL)], ...],
        Field(min_length=1, max_length=20),
        Setting("Adressen, die eine Nachricht bekommen."),
    ]
    """Addresses that get a mail."""
    starttls: Annotated[
        bool, Setting("Ja: Die Verbindung ist verschlüsselt und das Zertifikat geprüft, sonst geht keine Nachricht hinaus.")
    ] = True
    """True: the connection is encrypted and the server's certificate verified, or no mail is sent."""
    user: Annotated[str, Setting("Benutzer am Mailserver; leer für keinen.")] = ""
    """User at the mail server; empty for none."""
    password_file: Annotated[
        FileName, Setting("Datei mit dem Kennwort, auch unter den Zugangsdaten von systemd; nie das Kennwort selbst.")
    ] = ""
    """File that holds the password, relative to the site file or in the credentials of systemd; never the password itself."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        self.require_secure(self.host, secure=self.starttls, key="starttls")
        return self


class WebhookChannel(Reached):
    id: Annotated[Identifier, Setting("Kurzname, in der Anlage nur einmal.")]
    """Short name, unique in the site."""
    address: Annotated[str, Field(pattern=r"^https?://[^\s/]+"), Setting("Adresse, die ein POST mit JSON bekommt.")]
    """Address that gets a POST with JSON."""
    user: Annotated[str, Setting("Benutzer dort; ohne ihn geht das Kennwort als Token mit (Authorization: Bearer).")] = ""
    """User for it; without one the password is sent as a token (`Authorization: Bearer`)."""
    password_file: Annotated[
        FileName, Setting("Datei mit dem Kennwort, auch unter den Zugangsdaten von systemd; nie das Kennwort selbst.")
    ] = ""
    """File that holds the password or token, relative to the site file or in the credentials of systemd; never the password itself."""
    signing_secret_file: Annotated[
        FileName, Setting("Datei mit dem Geheimnis, das Nachrichten unterschreibt (Standard Webhooks, „whsec_…“).")
    ] = ""
    """File that holds the secret by which messages are signed (Standard Webhooks, `whsec_…`), kept like a password."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        require_no_password(self.address)
        self.require_secure(host_of(self.address), secure=self.address.startswith("https:"), key="address")
        return self


class AppriseChannel(Part):
    id: Annotated[Identifier, Setting("Kurzname, in der Anlage nur einmal.")]
    """Short name, unique in the site."""
    address: Annotated[
        str, Field(max_length=500), Setting("Adresse in der Form der Bibliothek apprise, wenn kein Geheimnis darin steht.")
    ] = ""
    """Address in the form of the library apprise, where no secret is in it."""
    address_file: Annotated[FileName, Setting("Datei mit der Adresse, wenn ein Geheimnis darin steht.")] = ""
    """File that holds the address, relative to the site file or in the credentials of systemd, where a secret is in it."""
    plain_because: Annotated[
        str,
        Field(max_length=300),
        Setting("Warum die Verbindung nach draußen unverschlüsselt oder ungeprüft bleibt; die Dokumente drucken es."),
    ] = ""
    """Why the connection is not encrypted and verified though it leaves this machine; the documents print it."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if bool(self.address) == bool(self.address_file):
            raise SiteError("address_or_file", where=("address",))
        require_no_password(self.address)
        return self


class PriorityOf(Part):
    kind: Annotated[Kind, Setting("Art des Ereignisses.")]
    """Kind of situation."""
    zone: Annotated[Identifier | None, Setting("Bereich, für den es gilt; ohne Angabe überall.")] = None
    """Zone in which it holds; without one, everywhere."""
    priority: Annotated[Priority, Setting("Wie dringend: high (hoch), medium (mittel) oder low (niedrig).")]
    """How urgent it is: `high`, `medium` or `low`."""


class Alerts(Part):
    escalate_after_s: Annotated[
        int, Field(ge=10, le=3600), Setting("Sekunden, nach denen eine Meldung, die niemand quittiert, als überfällig gilt.")
    ] = 120
    """Seconds after which an alert that nobody acknowledged is escalated."""
    keep_hours: Annotated[
        int,
        Field(ge=1, le=STORAGE_LEAST_HOURS),
        Setting("Stunden, nach denen eine Meldung ihr Bewegtbild verliert, auch ohne Abschluss; höchstens zwei Kalendermonate."),
    ] = 72
    """Hours after which an alert, closed or not, loses its redacted moving picture; the hard limit of `retention` and two calendar
    months hold as well."""
    history_days: Annotated[
        int,
        Field(ge=1, le=MOST_WHOLE_DAYS),
        Setting("Tage, nach denen Verlauf, Namen und Notizen einer Meldung enden; das Protokoll hat eine eigene Frist."),
    ] = MOST_WHOLE_DAYS
    """Days after which it is deleted who did what about an alert, and its notes, which are made from footage; the log has its own limit."""
    rows_days: Annotated[
        int,
        Field(ge=31, le=800),
        Setting("Tage, nach denen eine Meldung selbst gelöscht wird, abgeschlossen oder nicht, und ein nur gezähltes Ereignis."),
    ] = 400
    """Days after which an alert itself is deleted, closed or not, and a situation that was only counted."""
    notices_days: Annotated[
        int, Field(ge=1, le=90), Setting("Tage, für die bekannt bleibt, dass ein Meldeweg etwas bekam oder was warum zurückgelegt wurde.")
    ] = 14
    """Days for which it is remembered that a channel was told, or that a notice was set aside and why."""
    before_s: Annotated[int, Field(ge=0, le=30), Setting("Verpixelte Sekunden vor dem Ereignis, die zu einer Meldung gehören.")] = 8
    """Redacted seconds before the situation that are kept with an alert."""
    after_s: Annotated[int, Field(ge=2, le=60), Setting("Verpixelte Sekunden nach dem Beginn eines Ereignisses.")] = 8
    """Redacted seconds after its begin."""
    priorities: Annotated[
        tuple[PriorityOf, ...], Setting("Wie dringend eine Art ist, überall oder in einem Bereich, wo die Vorgabe nicht passt.")
    ] = ()
    """How urgent a kind is, in a zone or everywhere, where the defaults do not fit (a fall and an altercation are high)."""
    budget: Annotated[Budget, Setting("Wie viele Fehlalarme eine Kamera kosten darf.")] = Budget()
    """How many false alarms a camera may cost."""
    mqtt: Annotated[MqttChannel | None, Setting("MQTT-Broker, um Meldungen weiterzugeben und Kameras zu hören.")] = None
    """MQTT broker, to tell alerts and to hear cameras."""
    mail: Annotated[MailChannel | None, Setting("E-Mail.")] = None
    """E-mail."""
    webhooks: Annotated[tuple[WebhookChannel, ...], Setting("Adressen, die jede Meldung per HTTP bekommen.")] = ()
    """Addresses that get each alert by HTTP."""
    apprise: Annotated[tuple[AppriseChannel, ...], Setting("Weitere Meldewege der Bibliothek apprise.")] = ()
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
