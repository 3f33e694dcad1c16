"""E-mail, webhook, and whatever the library apprise brings. Each goes to addresses of the site file only."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import closing
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import msgspec

from blickschutz.alerts.io.signing import Signing
from blickschutz.alerts.io.wire import (
    AlertMessage,
    DigestMessage,
    FaultMessage,
    digest_message,
    fault_message,
    message,
    one_line,
    plain,
    plain_digest,
    plain_fault,
)
from blickschutz.alerts.model import Digest, FaultNotice, Notice
from blickschutz.kernel.errors import DeviceError

_TIMEOUT_S = 10.0


class Words:
    """Site, language and names of cameras, for texts."""

    def __init__(self, site: str, language: str, cameras: Mapping[str, str]) -> None:
        self.site, self.language, self._cameras = site, language, cameras

    def plain(self, notice: Notice) -> tuple[str, str]:
        return plain(notice, self.site, self.camera(notice.alert.camera), self.language)

    def plain_digest(self, digest: Digest) -> tuple[str, str]:
        return plain_digest(digest, self.site, self.camera, self.language)

    def plain_fault(self, fault: FaultNotice) -> tuple[str, str]:
        return plain_fault(fault, self.site, self.language)

    def camera(self, number: str) -> str:
        """The name of a camera in one line; its short name where it is not there any more."""
        return one_line(self._cameras.get(number, number))


class MailSender:
    """Sends mails to one server, encrypted (`tls`) or not at all; plain where there is no `tls`. `account` is user and password.

    A notice keeps its Message-ID over all tries, so a doubled one is recognised."""

    name = "mail"

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        to: tuple[str, ...],
        tls: ssl.SSLContext | None,
        words: Words,
        account: tuple[str, str] = ("", ""),
    ) -> None:
        self._server, self._sender, self._to, self._tls, self._words, self._account = (host, port), sender, to, tls, words, account

    def send(self, notice: Notice) -> None:
        self._mail(f"{notice.number}.{notice.alert.id}.{notice.alert.raised:.0f}", *self._words.plain(notice))

    def send_digest(self, digest: Digest) -> None:
        self._mail(f"digest-{digest.key}.{digest.first:.0f}", *self._words.plain_digest(digest))

    def send_fault(self, fault: FaultNotice) -> None:
        self._mail(f"fault-{fault.key}", *self._words.plain_fault(fault))

    def _mail(self, key: str, subject: str, text: str) -> None:
        try:
            mail = EmailMessage()
            mail["Subject"] = subject
            mail["From"], mail["To"] = self._sender, ", ".join(self._to)
            mail["Message-ID"] = f"<{key}@blickschutz.invalid>"
            mail.set_content(text)
            with smtplib.SMTP(*self._server, timeout=_TIMEOUT_S) as server:
                if self._tls is not None:
                    server.starttls(context=self._tls)
                if self._account[0]:
                    server.login(*self._account)
                server.send_message(mail)
        # A host or an address that cannot be written in ASCII is a `UnicodeError`, an impossible header a `ValueError`.
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise DeviceError(f"the mail server {self._server[0]}:{self._server[1]} did not take it: {error}") from error

    def close(self) -> None:
        """Nothing stays open between two mails."""


class Webhook:
    """Posts each event as JSON. Follows no redirect and no proxy: it goes where the site file says or nowhere.

    `tls` verifies the server of an https address; `account` is user and password, or a token where there is no user; with a `signing`
    the receiver can tell that it comes from this site and was not altered.
    """

    def __init__(
        self,
        name: str,
        address: str,
        site: str,
        language: str,
        tls: ssl.SSLContext | None = None,
        account: tuple[str, str] = ("", ""),
        signing: Signing | None = None,
    ) -> None:
        self._signing = signing
        self.name, self._address, self._site, self._language, self._tls = name, address, site, language, tls
        self._headers = {"Content-Type": "application/json", **_authorization(*account)}

    def send(self, notice: Notice) -> None:
        self._post(str(notice.number), message(notice, self._site, self._language))

    def send_digest(self, digest: Digest) -> None:
        self._post(f"digest-{digest.key}", digest_message(digest, self._site, self._language))

    def send_fault(self, fault: FaultNotice) -> None:
        self._post(f"fault-{fault.key}", fault_message(fault, self._site))

    def _post(self, key: str, body: AlertMessage | DigestMessage | FaultMessage) -> None:
        data = msgspec.json.encode(body)
        headers = {**self._headers, "Idempotency-Key": f"blickschutz-{key}"}
        if self._signing is not None:
            headers |= self._signing.headers(key, data)
        try:
            status = self._status(data, headers)
        # An address that is none is a `ValueError`, a certificate that is not believed an `OSError`.
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DeviceError(f"{self.name}: no answer ({type(error).__name__})") from error
        if status >= 300:
            raise DeviceError(f"{self.name}: answered {status}")

    def _status(self, data: bytes, headers: Mapping[str, str]) -> int:
        parts = urlsplit(self._address)
        host, path = parts.hostname or "", parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            tls = self._tls or ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, parts.port, timeout=_TIMEOUT_S, context=tls)
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT_S)
        with closing(connection):
            connection.request("POST", path, data, dict(headers))
            return connection.getresponse().status

    def close(self) -> None:
        """Nothing stays open between two events."""


class AppriseChannel:
    """A channel of the library apprise, by its address; in plain text beyond this machine only where `plain` allows it."""

    def __init__(self, name: str, address: str, words: Words, *, plain: bool = True) -> None:
        import apprise  # a hundred services; loaded only where the site file asks for one

        self.name, self._words = name, words
        self._apprise = apprise.Apprise()
        self._known = bool(self._apprise.add(address))
        self._allowed = plain or all(_is_safe(one) for one in self._apprise)

    def send(self, notice: Notice) -> None:
        self._notify(*self._words.plain(notice))

    def send_digest(self, digest: Digest) -> None:
        self._notify(*self._words.plain_digest(digest))

    def send_fault(self, fault: FaultNotice) -> None:
        self._notify(*self._words.plain_fault(fault))

    def _notify(self, subject: str, text: str) -> None:
        if not self._known:
            raise DeviceError(f"{self.name}: the library apprise does not know this kind of address")
        if not self._allowed:
            raise DeviceError(f"{self.name}: not encrypted or not verified; take an address that is, or write 'plain_because'")
        if not self._apprise.notify(title=subject, body=text):
            raise DeviceError(f"{self.name}: apprise could not deliver it")

    def close(self) -> None:
        """Nothing stays open between two notices."""


def _authorization(user: str, secret: str) -> dict[str, str]:
    if not secret:
        return {}
    given = f"Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}" if user else f"Bearer {secret}"
    return {"Authorization": given}


def _is_safe(channel: Any) -> bool:
    """Whether one of apprise's channels encrypts and verifies, or stays on this machine. Those without a host speak by https."""
    host = str(getattr(channel, "host", "") or "")
    try:
        here = host in {"", "localhost"} or ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    return here or (bool(getattr(channel, "secure", False)) and bool(getattr(channel, "verify_certificate", True)))
