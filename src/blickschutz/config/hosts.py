"""Cameras that lie with other machines, and the file by which such a machine joins."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from blickschutz.config.about import Setting
from blickschutz.config.parts import Address, Host, HostName, Identifier, Part, WebAddress
from blickschutz.config.texts import SiteError
from blickschutz.ingest.rules.address import without_secrets

_PORT = 4222
_HOST: Final = r"^[A-Za-z0-9_-]{1,64}$"


def port_of(broker: str) -> int:
    """The port of a broker's address."""
    return urlsplit(broker).port or _PORT


def _broker(value: str) -> str:
    try:
        parts = urlsplit(value)
        known = parts.scheme == "tls" and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known or parts.username or parts.path:
        raise SiteError("broker", value=without_secrets(value))
    return value


BrokerAddress = Annotated[str, AfterValidator(_broker)]
_File = Annotated[str, Field(min_length=1, max_length=400)]


class HostedCamera(Part):
    id: Annotated[Identifier, Setting("Kurzname der Kamera.")]
    """The camera's short name."""
    network: Annotated[
        str,
        Field(max_length=40),
        Setting("Netz, in dem sie erreichbar ist; nur Rechner, die es auch nennen, bekommen sie. Ohne Angabe jeder."),
    ] = ""
    """Network in which it is reached; only hosts that name it, too, get the camera. Without it any host may."""
    only: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9_-]{0,64}$"),
        Setting("Der einzige Rechner, der sie auswerten darf. Er filmt und zeichnet weiter auf, wenn er abgeschnitten ist."),
    ] = ""
    """The one host that may film it. It films and records on while it is cut off, because no other one can."""
    cores: Annotated[float, Field(gt=0, le=16), Setting("Prozessorkerne, die ihre Auswertung braucht.")] = 0.25
    """Processor cores that its cell takes."""
    memory_mb: Annotated[float, Field(gt=0, le=16_000), Setting("Arbeitsspeicher in Megabyte, den ihre Auswertung braucht.")] = 250.0
    """Megabytes of memory that its cell takes."""


class CopyPlace(Part):
    host: Annotated[str, Field(pattern=_HOST), Setting("Rechner, der seine Zweitkopien nicht selbst behält.")]
    """Host that does not keep its second copies itself."""
    store: Annotated[str, Field(pattern=_HOST), Setting("Name des Speichers, wie ihn der Rechner in seiner Datei nennt.")]
    """Name of the store, as the host's join file has it."""
    place: Annotated[str, Field(min_length=3, max_length=200), Setting("Wer den Speicher wo betreibt; so steht es in den Unterlagen.")]
    """Who runs the store, and where; the papers say it so."""


class Hosts(Part):
    broker: Annotated[BrokerAddress, Setting("Broker zwischen dieser Anlage und den Rechnern bei den Kameras, als tls://Rechner:4222.")]
    """Broker between this machine and the hosts, as `tls://host:4222`."""
    listen: Annotated[Host, Setting("Adresse, unter der der Broker erreichbar ist.")] = "127.0.0.1"
    """Address on which the broker listens; beyond this machine only where hosts are to reach it."""
    copies: Annotated[
        tuple[Annotated[str, Field(pattern=_HOST)], ...],
        Field(max_length=16),
        Setting(
            "Rechner, die Zweitkopien aufbewahren: Jede fertige Aufzeichnung eines Rechners bei den Kameras kommt versiegelt auch auf den "
            "ersten davon, der erreichbar ist und sie nicht selbst gemacht hat; was die Leitstelle selbst aufzeichnet, nicht. Ohne Angabe "
            "gibt es keine Zweitkopien. Nach einer Änderung: blickschutz hosts broker."
        ),
    ] = ()
    """Hosts that keep second copies: each finished clip of a host also goes, sealed, to the first of them that is reached and did not make
    it; what the control room records itself does not. None without it. After a change: `blickschutz hosts broker`."""
    stores: Annotated[
        tuple[CopyPlace, ...],
        Field(max_length=16),
        Setting("Speicher außerhalb, in denen solche Rechner Zweitkopien aufbewahren. Ohne Angabe liegen sie auf deren Datenträgern."),
    ] = ()
    """Stores elsewhere in which such hosts keep second copies. Without it these lie on their disks."""
    cameras: Annotated[
        tuple[HostedCamera, ...],
        Field(min_length=1, max_length=4000),
        Setting("Kameras, die ein Rechner bei den Kameras auswertet. Ihre Aufzeichnungen bleiben dort, versiegelt."),
    ]
    """Cameras whose cells run on hosts. Their clips stay there, sealed."""


class JoinedCamera(Part):
    id: Identifier
    """The camera's short name in the site file."""
    address: Address
    """The camera's stream as this host reaches it, the large one where it has two."""
    substream: Address | None = None
    """Its small stream; what is not named here is not used, whatever the site file says."""
    user: str = ""
    """User at the camera; empty for none."""
    password_file: Annotated[str, Field(max_length=400)] = ""
    """File that holds the password, relative to this file or in the credentials of systemd; never the password itself."""
    authority: _File | None = None
    """File (PEM) of the authority of the camera's certificate, relative to this file."""
    onvif: WebAddress | None = None
    """The camera's ONVIF service, where it is to be listened to."""
    notify_file: Annotated[str, Field(max_length=400)] = ""
    """File that holds the word with which the camera's own lines begin."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """All that is connected to for it."""
        return tuple(one for one in (self.address, self.substream, self.onvif) if one is not None)


class JoinedStore(Part):
    name: Annotated[str, Field(pattern=_HOST)]
    """Name by which the site file calls it."""
    endpoint: Annotated[str, Field(pattern=r"^https://[^/@\s]+/?$|^http://(127\.0\.0\.1|localhost):[0-9]+/?$", max_length=300)]
    """Address of the store (S3), as `https://host`; without TLS on this machine alone."""
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9.-]{3,63}$")]
    """Bucket that is there, for copies of this installation alone."""
    region: Annotated[str, Field(min_length=1, max_length=60)] = "us-east-1"
    """Region that requests are signed for."""
    access_file: _File
    """File that holds the name of the access key, relative to this file."""
    secret_file: _File
    """File that holds the secret access key."""
    authority: _File | None = None
    """File (PEM) of the authority of the store's certificate; without it those that the machine believes."""


class JoinFile(Part):
    format: Literal[1]
    """Version of this format."""
    installation: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    """Id of the installation that this host belongs to."""
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    """Name of this host."""
    broker: BrokerAddress
    """Broker, as `tls://host:4222`."""
    broker_name: HostName
    """Name that the broker's certificate must have."""
    authority: _File
    """File (PEM) of the installation's authority for hosts, relative to this file."""
    certificate: _File
    """File (PEM) of this host's certificate, relative to this file."""
    key: _File
    """File (PEM) of its private key, relative to this file; only its owner reads it."""
    data: _File = "data"
    """Folder of what this host keeps (what it has to tell), relative to this file."""
    cores: Annotated[float, Field(gt=0, le=512)]
    """Processor cores for cells."""
    memory_mb: Annotated[float, Field(gt=0, le=4_000_000)]
    """Megabytes of memory for cells."""
    networks: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = ()
    """Networks whose cameras this host reaches."""
    spare: bool = False
    """True: it gets only what no other host can take."""
    signed_by: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """Public key of the installation (hex): what it says of clips is signed by it. Without it nothing is recorded on this host."""
    root: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """Root of the register of reviewers (hex), as the site file pins it: clips are sealed by no other."""
    store: JoinedStore | None = None
    """Object store in which this host keeps second copies, where the site file says so."""
    cameras: tuple[JoinedCamera, ...] = ()
    """Cameras that this host may film, with what they are signed in with."""
