"""A camera's ONVIF service: every answer within bounds, nothing asked of any other host or port than the site file names."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import TypeVar
from xml.sax.saxutils import escape

from blickschutz.ingest.io.web import WebCamera
from blickschutz.ingest.model import Cause, SourceKind, SourceSettings
from blickschutz.ingest.rules.address import PICTURES, read_address
from blickschutz.ingest.rules.onvif import (
    Account,
    Device,
    MediaProfile,
    Notice,
    Reference,
    created,
    device_of,
    envelope,
    fault_of,
    notices_of,
    profiles_of,
    services_of,
    subscription_of,
    time_of,
)
from blickschutz.ingest.rules.xml import MOST_BYTES, Node, read_xml
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import CameraRefusedError

_DEVICE, _MEDIA = "http://www.onvif.org/ver10/device/wsdl", "http://www.onvif.org/ver10/media/wsdl"
_EVENTS = "http://www.onvif.org/ver10/events/wsdl"
_WSN = "http://docs.oasis-open.org/wsn/bw-2"
# A fault comes with one of these (SOAP 1.2, part 2, 7.5.2.2); 401 without a question to answer, too.
_FAULTS = frozenset({400, 401, 403, 500})
# A pull waits so long at the camera, a subscription lives so long without one.
_PULL_S, LEASE_S = 5, 60
_CONNECT_S = 8.0
_MOST_AT_ONCE = 32
T = TypeVar("T")


class OnvifCamera:
    """Raises `CameraRefusedError` with its cause, `CameraUnreachableError` or `CameraStalledError` in every method."""

    def __init__(self, address: str, clock: Clock, authority: str = "", fingerprint: str = "", pull_s: int = _PULL_S) -> None:
        found = read_address(address)
        if found is None or found.scheme not in PICTURES:
            raise CameraRefusedError(Cause.ADDRESS, "the address is none of an ONVIF service")
        # An answer to a pull comes when there is something to tell, or after `pull_s`.
        settings = SourceSettings(
            SourceKind.PICTURES,
            address,
            connect_s=_CONNECT_S + pull_s,
            stall_s=_CONNECT_S,
            authority=authority,
            fingerprint=fingerprint,
        )
        self._address, self._web, self._clock = found, WebCamera(found, settings), clock
        self._difference_s, self._pull_s = 0.0, pull_s
        self._services: dict[str, str] | None = None

    def difference_s(self) -> float:
        """How far the camera's clock is ahead of this machine's, to half a second; asked without signing in (ONVIF Core, 5.9.4).

        Some ask for the account all the same: of them a token of this machine's time is taken, or nothing can be said.
        """
        before = self._clock.now()
        body, action = "<tds:GetSystemDateAndTime/>", f"{_DEVICE}/GetSystemDateAndTime"
        try:
            root = self._call(body, action, signed=False)
        except CameraRefusedError as error:
            if error.cause != Cause.PASSWORD or not self._address.user:
                raise
            before = self._clock.now()
            root = self._call(body, action)
        try:
            # It tells whole seconds: half of one more is its likeliest time.
            shown = time_of(root).timestamp() + 0.5
        except (ValueError, OverflowError) as error:
            raise CameraRefusedError(Cause.ANSWER, f"{self._address.shown}: no time that can be read") from error
        self._difference_s = shown - (before + self._clock.now()) / 2
        return self._difference_s

    def device(self) -> Device:
        return device_of(self._call("<tds:GetDeviceInformation/>", f"{_DEVICE}/GetDeviceInformation"))

    def services(self) -> dict[str, str]:
        if self._services is None:
            body = "<tds:GetCapabilities><tds:Category>All</tds:Category></tds:GetCapabilities>"
            self._services = self._read(services_of, self._call(body, f"{_DEVICE}/GetCapabilities"))
        return self._services

    def profiles(self) -> list[MediaProfile]:
        return profiles_of(self._call("<trt:GetProfiles/>", f"{_MEDIA}/GetProfiles", path=self._service("Media")))

    def stream(self, token: str) -> str:
        """The address of a profile's stream, as the camera says it; whoever uses it decides what of it is believed."""
        body = (
            "<trt:GetStreamUri><trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream>"
            "<tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></trt:StreamSetup>"
            f"<trt:ProfileToken>{escape(token)}</trt:ProfileToken></trt:GetStreamUri>"
        )
        return self._call(body, f"{_MEDIA}/GetStreamUri", path=self._service("Media")).said("Uri")

    def subscribe(self) -> Reference:
        """A place where the camera keeps what it tells (PullPoint; ONVIF Core, 9.2)."""
        lease = f"<tev:InitialTerminationTime>PT{LEASE_S}S</tev:InitialTerminationTime>"
        body = f"<tev:CreatePullPointSubscription>{lease}</tev:CreatePullPointSubscription>"
        action = f"{_EVENTS}/EventPortType/CreatePullPointSubscriptionRequest"
        path = self._service("Events")
        return self._read(subscription_of, self._call(body, action, path=path, to=Reference(self._at(path))))

    def pull(self, subscription: Reference) -> list[Notice]:
        """What the camera has to tell; waits for it for some seconds."""
        most = f"<tev:MessageLimit>{_MOST_AT_ONCE}</tev:MessageLimit>"
        body = f"<tev:PullMessages><tev:Timeout>PT{self._pull_s}S</tev:Timeout>{most}</tev:PullMessages>"
        action = f"{_EVENTS}/PullPointSubscription/PullMessagesRequest"
        return notices_of(self._call(body, action, path=self._path(subscription), to=subscription))

    def renew(self, subscription: Reference) -> None:
        body = f"<wsnt:Renew><wsnt:TerminationTime>PT{LEASE_S}S</wsnt:TerminationTime></wsnt:Renew>"
        self._call(body, f"{_WSN}/SubscriptionManager/RenewRequest", path=self._path(subscription), to=subscription)

    def _service(self, name: str) -> str:
        path = self.services().get(name)
        if path is None:
            raise CameraRefusedError(Cause.ANSWER, f"{self._address.shown}: no service for {name.lower()}")
        return path

    def _path(self, subscription: Reference) -> str:
        try:
            return subscription.path
        except ValueError as error:
            raise CameraRefusedError(Cause.ANSWER, f"{self._address.shown}: a subscription without an address") from error

    def _at(self, path: str) -> str:
        return f"{self._address.scheme}://{self._address.place}{path}"

    def _read(self, reader: Callable[[Node], T], root: Node) -> T:
        try:
            return reader(root)
        except ValueError as error:
            raise CameraRefusedError(Cause.ANSWER, f"{self._address.shown}: {error}") from error

    def _call(self, body: str, action: str, *, signed: bool = True, path: str = "", to: Reference | None = None) -> Node:
        account = None
        if signed and self._address.user:
            now = created(self._clock.now(), self._difference_s)
            account = Account(self._address.user, self._address.password, now, secrets.token_bytes(16))
        sent = envelope(body, action, account, to, uuid.uuid4().urn)
        kind = f'application/soap+xml; charset=utf-8; action="{action}"'
        answer = self._web.ask("application/soap+xml, text/xml", method="POST", body=sent, kind=kind, path=path, also=_FAULTS)
        try:
            data = answer.whole(MOST_BYTES)
        finally:
            answer.close()
        try:
            root = read_xml(data)
            fault = fault_of(root)
        except ValueError as error:
            cause = Cause.PASSWORD if answer.status in {401, 403} else Cause.ANSWER
            raise CameraRefusedError(cause, f"{self._address.shown}: {answer.status}, {error}") from error
        if fault is not None or answer.status != 200:
            about_account, said = fault or (False, "")
            cause = Cause.PASSWORD if about_account or answer.status in {401, 403} else Cause.ANSWER
            raise CameraRefusedError(cause, f"{self._address.shown}: {said or answer.status}")
        return root
