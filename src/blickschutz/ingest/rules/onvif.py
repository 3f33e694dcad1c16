"""What is said to a camera by ONVIF, and what its answers mean (ONVIF Core Specification 23.06; SOAP 1.2; WS-Security UsernameToken)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from blickschutz.ingest.rules.xml import Node

DEVICE, MEDIA = "http://www.onvif.org/ver10/device/wsdl", "http://www.onvif.org/ver10/media/wsdl"
EVENTS, SCHEMA = "http://www.onvif.org/ver10/events/wsdl", "http://www.onvif.org/ver10/schema"
_SOAP, _WSA = "http://www.w3.org/2003/05/soap-envelope", "http://www.w3.org/2005/08/addressing"
_WSNT = "http://docs.oasis-open.org/wsn/b-2"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_TOKEN = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
_BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
# Beginning of a notice's topic that is no camera's, but names a kind of situation itself (`rules.notify`).
DIRECT = "Notify/"
_MOST_PROFILES, _MOST_NOTICES, _MOST_TEXT = 16, 64, 120


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in, and what the camera's clock shows (UTC): a token of another time is refused."""

    user: str
    password: str
    created: datetime
    nonce: bytes

    def packed(self) -> str:
        """A token with a digest: the password itself is not sent (UsernameToken Profile 1.0, 3.1)."""
        created = self.created.strftime("%Y-%m-%dT%H:%M:%SZ")
        # The profile names SHA-1; what hides behind it is protected by `https`, or by the cameras' own network.
        digest = hashlib.sha1(self.nonce + created.encode() + self.password.encode(), usedforsecurity=False).digest()
        return (
            f'<wsse:Security xmlns:wsse="{_WSSE}" xmlns:wsu="{_WSU}"><wsse:UsernameToken><wsse:Username>{escape(self.user)}</wsse:Username>'
            f'<wsse:Password Type="{_TOKEN}#PasswordDigest">{base64.b64encode(digest).decode()}</wsse:Password>'
            f'<wsse:Nonce EncodingType="{_BASE64}">{base64.b64encode(self.nonce).decode()}</wsse:Nonce>'
            f"<wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>"
        )


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a subscription is asked: its address as the camera says it, and what it wants to hear again (WS-Addressing, 2.1)."""

    address: str
    parameters: tuple[tuple[str, str, str], ...] = ()

    @property
    def path(self) -> str:
        """The part of the address that is believed: host and port stay those of the site file."""
        return path_of(self.address)


def envelope(body: str, action: str, account: Account | None = None, to: Reference | None = None, message: str = "") -> bytes:
    header = account.packed() if account is not None else ""
    if to is not None:
        header += f"<wsa:Action>{escape(action)}</wsa:Action><wsa:MessageID>{escape(message)}</wsa:MessageID>"
        header += f"<wsa:To>{escape(to.address)}</wsa:To>"
        for space, name, value in to.parameters:
            header += f'<p:{name} xmlns:p={quoteattr(space)} wsa:IsReferenceParameter="true">{escape(value)}</p:{name}>'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{_SOAP}" xmlns:wsa="{_WSA}" xmlns:wsnt="{_WSNT}" '
        f'xmlns:tds="{DEVICE}" xmlns:trt="{MEDIA}" xmlns:tev="{EVENTS}" xmlns:tt="{SCHEMA}">'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault_of(root: Node) -> tuple[bool, str] | None:
    """(whether it is about the account, what it says) of a fault; None where it is none."""
    fault = root.first("Body", "Fault")
    if fault is None:
        return None
    codes = [one.text.strip().rpartition(":")[2] for one in (*fault.all("Value"), *fault.all("faultcode"))]
    said = fault.said("Reason", "Text") or fault.said("faultstring") or " ".join(codes)
    return bool({"NotAuthorized", "FailedAuthentication"} & set(codes)), clean(said)


@dataclass(frozen=True, slots=True)
class Device:
    maker: str
    model: str
    firmware: str


def device_of(root: Node) -> Device:
    return Device(clean(root.said("Manufacturer")), clean(root.said("Model")), clean(root.said("FirmwareVersion")))


def time_of(root: Node) -> datetime:
    """What the camera's clock showed. Raises `ValueError`."""
    utc = root.first("UTCDateTime")
    if utc is None:
        raise ValueError("no time")
    names = ("Year", "Month", "Day", "Hour", "Minute", "Second")
    values = [utc.said(name) for name in names]
    # A leap second is a second that no clock here has.
    year, month, day, hour, minute, second = (int(value) for value in values)
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)


def services_of(root: Node) -> dict[str, str]:
    """Paths of the services by their names ("Media", "Events" ...), from `GetCapabilities`."""
    found = root.first("Capabilities")
    return {one.name: path_of(one.said("XAddr")) for one in (found.children if found is not None else []) if one.said("XAddr")}


@dataclass(frozen=True, slots=True)
class MediaProfile:
    """What the camera says of one of its streams; 0 where it does not say."""

    token: str
    name: str
    codec: str
    width: int
    height: int
    rate: float
    group: int


def profiles_of(root: Node) -> list[MediaProfile]:
    """`group` is from one keyframe to the next, in pictures."""
    found = []
    for one in list(root.all("Profiles"))[:_MOST_PROFILES]:
        video = one.first("VideoEncoderConfiguration") or Node("")
        group = video.said("GovLength")
        size = [_number(video.said("Resolution", name)) for name in ("Width", "Height")]
        rate = _number(video.said("RateControl", "FrameRateLimit"))
        token, codec = one.attributes.get("token", ""), video.said("Encoding").upper()
        found.append(MediaProfile(token, clean(one.said("Name")), clean(codec), int(size[0]), int(size[1]), rate, int(_number(group))))
    return found


def subscription_of(root: Node) -> Reference:
    """Raises `ValueError` where there is none."""
    found = root.first("SubscriptionReference")
    address = found.said("Address") if found is not None else ""
    if found is None or not address:
        raise ValueError("no subscription")
    parameters = found.first("ReferenceParameters")
    kept = [(one.space, one.name, one.text) for one in (parameters.children if parameters is not None else []) if not one.children]
    return Reference(address, tuple(kept[:8]))


@dataclass(frozen=True, slots=True)
class Notice:
    """What a camera tells: `topic` without the names of its namespaces, items by name. `over`: the thing itself is no more."""

    topic: str
    source: tuple[tuple[str, str], ...]
    data: tuple[tuple[str, str], ...]
    over: bool = False


def notices_of(root: Node) -> list[Notice]:
    """Not more than are asked for at once."""
    found = []
    for one in list(root.all("NotificationMessage"))[:_MOST_NOTICES]:
        topic = "/".join(part.rpartition(":")[2] for part in one.said("Topic").split("/"))
        # Both what carries it and the thing itself are called so; the inner one says when.
        message = next((inner for inner in one.all("Message") if inner.space == SCHEMA or "UtcTime" in inner.attributes), None)
        if topic and message is not None and not topic.startswith(DIRECT):
            over = message.attributes.get("PropertyOperation") == "Deleted"
            found.append(Notice(topic[:_MOST_TEXT], _items(message.first("Source")), _items(message.first("Data")), over))
    return found


def matches_of(root: Node) -> list[tuple[str, str]]:
    """(address, name) of the devices in an answer to a probe (WS-Discovery)."""
    found = []
    for match in root.all("ProbeMatch"):
        scopes = match.said("Scopes").split()
        name = next((one.rpartition("/")[2] for one in scopes if "/name/" in one), "")
        address = next((one for one in match.said("XAddrs").split() if one.startswith(("http://", "https://"))), "")
        if address:
            found.append((address[:200], clean(name)))
    return found


def probe(message: str) -> bytes:
    discovery, addressing = "http://schemas.xmlsoap.org/ws/2005/04/discovery", "http://schemas.xmlsoap.org/ws/2004/08/addressing"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{_SOAP}" xmlns:a="{addressing}" xmlns:d="{discovery}" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header>'
        f"<a:Action>{discovery}/Probe</a:Action><a:MessageID>{message}</a:MessageID>"
        "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header><s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"
    ).encode()


def created(now: float, difference_s: float) -> datetime:
    """The time that the camera's clock shows at `now` (seconds since 1970)."""
    return datetime.fromtimestamp(now, UTC) + timedelta(seconds=difference_s)


def path_of(address: str) -> str:
    """Path and question of an address, nothing else of it. Raises `ValueError` where it is none."""
    parts = urlsplit(address.strip())
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.startswith("/") or not path.isprintable():
        raise ValueError("no address")
    return path


def _items(node: Node | None) -> tuple[tuple[str, str], ...]:
    items = list(node.all("SimpleItem"))[:16] if node is not None else []
    return tuple((clean(one.attributes.get("Name", "")), clean(one.attributes.get("Value", ""))) for one in items)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value < 1e6 else 0.0


def clean(text: str) -> str:
    """Of a camera's text what a page may show of it: printable, and not long."""
    return "".join(one for one in text if one.isprintable()).strip()[:_MOST_TEXT]
