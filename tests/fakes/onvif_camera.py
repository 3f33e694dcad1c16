"""A camera with an ONVIF service of its own: device, media, and events by PullPoint, on the loopback address."""

from __future__ import annotations

import base64
import hashlib
import queue
import re
from datetime import UTC, datetime, timedelta

from tests.fakes.web_camera import WebCamera, said

SPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing" '
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" '
    'xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" '
    'xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:ter="urn:ter"'
)


def envelope(body):
    return f'<?xml version="1.0"?><s:Envelope {SPACES}><s:Body>{body}</s:Body></s:Envelope>'.encode()


def notice(topic, data, source=(("Rule", "Eingang"),), operation="Changed"):
    items = ["".join(f'<tt:SimpleItem Name="{name}" Value="{value}"/>' for name, value in pairs) for pairs in (source, data)]
    return (
        f'<wsnt:NotificationMessage><wsnt:Topic Dialect="x">tns1:{topic}</wsnt:Topic><wsnt:Message><tt:Message '
        f'UtcTime="2026-11-27T01:02:03Z" PropertyOperation="{operation}"><tt:Source>{items[0]}</tt:Source><tt:Data>{items[1]}</tt:Data>'
        "</tt:Message></wsnt:Message></wsnt:NotificationMessage>"
    )


class OnvifPeer:
    """`tell` puts notices into the next answer to a pull. `ahead_s`: by how much its clock is wrong. Tokens of another time are refused."""

    def __init__(
        self, *, user="", password="", ahead_s=0.0, wait_s=0.3, open_time=True, place=("127.0.0.1", 0), stream="rtsp://10.9.8.7/stream"
    ):
        self._user, self._password, self._ahead_s, self._wait_s = user, password, ahead_s, wait_s
        self._open = {"GetSystemDateAndTime"} if open_time else set()
        self._told: queue.Queue[str] = queue.Queue()
        self.replies: dict[str, list] = {}
        self._stream = stream
        self._web = WebCamera(self._reply, place=place)
        self.port = self._web.port
        self.address = f"http://{f'{user}:{password}@' if user else ''}{place[0]}:{self.port}/onvif/device_service"

    @property
    def asked(self) -> list[str]:
        return [re.search(r"<s:Body><\w+:(\w+)", one)[1] for one in self._web.heard]

    @property
    def heard(self) -> list[str]:
        return self._web.heard

    def tell(self, *notices):
        self._told.put("".join(notices))

    def end(self):
        self._web.end()

    def _now(self):
        return datetime.now(UTC) + timedelta(seconds=self._ahead_s)

    def _reply(self, request):
        method = re.search(r"<s:Body><\w+:(\w+)", request)[1]
        if method in self.replies:
            return self.replies[method]
        if method not in self._open and self._user and not self._signed(request):
            fault = (
                "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code>"
                "<s:Reason><s:Text>Sender not Authorized</s:Text></s:Reason></s:Fault>"
            )
            return [said(envelope(fault), "application/soap+xml", "400 Bad Request")]
        return [said(envelope(getattr(self, f"_{method}")(request)), "application/soap+xml; charset=utf-8")]

    def _signed(self, request):
        found = [re.search(rf"<\w+:{name}(?: [^>]*)?>([^<]*)<", request) for name in ("Username", "Password", "Nonce", "Created")]
        if not all(found):
            return False
        user, digest, nonce, created = (one[1] for one in found)
        at = datetime.fromisoformat(created.replace("Z", "+00:00"))
        wanted = base64.b64encode(hashlib.sha1(base64.b64decode(nonce) + created.encode() + self._password.encode()).digest()).decode()
        return user == self._user and digest == wanted and abs((at - self._now()).total_seconds()) < 5

    def _GetSystemDateAndTime(self, request):  # noqa: N802 - as the protocol says it
        at = self._now()
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{at.hour}</tt:Hour><tt:Minute>{at.minute}</tt:Minute><tt:Second>{at.second}</tt:Second></tt:Time>"
            f"<tt:Date><tt:Year>{at.year}</tt:Year><tt:Month>{at.month}</tt:Month><tt:Day>{at.day}</tt:Day></tt:Date>"
            "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _GetDeviceInformation(self, request):  # noqa: N802 - as the protocol says it
        return (
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>Werk</tds:Manufacturer><tds:Model>K 1</tds:Model>"
            "<tds:FirmwareVersion>7.1</tds:FirmwareVersion></tds:GetDeviceInformationResponse>"
        )

    def _GetCapabilities(self, request):  # noqa: N802 - as the protocol says it
        # A camera behind a router says an address of its own, where nobody reaches it.
        return (
            "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>http://10.9.8.7/onvif/media</tt:XAddr></tt:Media>"
            "<tt:Events><tt:XAddr>http://10.9.8.7:8000/onvif/events</tt:XAddr></tt:Events></tds:Capabilities></tds:GetCapabilitiesResponse>"
        )

    def _GetProfiles(self, request):  # noqa: N802 - as the protocol says it
        return (
            '<trt:GetProfilesResponse><trt:Profiles token="a&amp;b"><tt:Name>Haupt</tt:Name><tt:VideoEncoderConfiguration token="v">'
            "<tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution>"
            "<tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit></tt:RateControl><tt:H264><tt:GovLength>50</tt:GovLength></tt:H264>"
            '</tt:VideoEncoderConfiguration></trt:Profiles><trt:Profiles token="leer"/></trt:GetProfilesResponse>'
        )

    def _GetStreamUri(self, request):  # noqa: N802 - as the protocol says it
        number = 1 if "<trt:ProfileToken>a&amp;b</trt:ProfileToken>" in request else 2
        return f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{self._stream}{number}</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>"

    def _CreatePullPointSubscription(self, request):  # noqa: N802 - as the protocol says it
        assert request.startswith("POST /onvif/events ")
        return (
            "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>http://10.9.8.7/onvif/sub?i=4</wsa:Address>"
            '<wsa:ReferenceParameters><d:Id xmlns:d="urn:d">4 &amp; 5</d:Id></wsa:ReferenceParameters></tev:SubscriptionReference>'
            "</tev:CreatePullPointSubscriptionResponse>"
        )

    def _PullMessages(self, request):  # noqa: N802 - as the protocol says it
        assert request.startswith("POST /onvif/sub?i=4 ")
        assert 'xmlns:p="urn:d" wsa:IsReferenceParameter="true">4 &amp; 5</p:Id>' in request
        try:
            told = self._told.get(timeout=self._wait_s)
        except queue.Empty:
            told = ""
        return f"<tev:PullMessagesResponse>{told}</tev:PullMessagesResponse>"

    def _Renew(self, request):  # noqa: N802 - as the protocol says it
        return "<wsnt:RenewResponse/>"
