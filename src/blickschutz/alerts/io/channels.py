"""E-mail, webhook, and whatever the library apprise brings. Each goes to addresses of the site file only."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from email.message import EmailMessage

import msgspec
import requests

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
    """Sends mails to one server. A notice keeps its Message-ID over all tries, so a doubled one is recognised."""

    name = "mail"

    def __init__(self, host: str, port: int, sender: str, to: tuple[str, ...], starttls: bool, words: Words) -> None:
        self._server, self._sender, self._to, self._starttls, self._words = (host, port), sender, to, starttls, words

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
                if self._starttls:
                    server.starttls()
                server.send_message(mail)
        # A host or an address that cannot be written in ASCII is a `UnicodeError`, an impossible header a `ValueError`.
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise DeviceError(f"the mail server {self._server[0]}:{self._server[1]} did not take it: {error}") from error

    def close(self) -> None:
        """Nothing stays open between two mails."""


class Webhook:
    """Posts each event as JSON. Follows no redirect and no proxy: it goes where the site file says or nowhere."""

    def __init__(self, name: str, address: str, site: str, language: str) -> None:
        self.name, self._address, self._site, self._language = name, address, site, language
        self._session = requests.Session()
        self._session.trust_env = False

    def send(self, notice: Notice) -> None:
        self._post(str(notice.number), message(notice, self._site, self._language))

    def send_digest(self, digest: Digest) -> None:
        self._post(f"digest-{digest.key}", digest_message(digest, self._site, self._language))

    def send_fault(self, fault: FaultNotice) -> None:
        self._post(f"fault-{fault.key}", fault_message(fault, self._site))

    def _post(self, key: str, body: AlertMessage | DigestMessage | FaultMessage) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"blickschutz-{key}"}
        try:
            answer = self._session.post(
                self._address, data=msgspec.json.encode(body), headers=headers, timeout=_TIMEOUT_S, allow_redirects=False
            )
        # An address that is none is a `ValueError` of several libraries beneath.
        except (requests.RequestException, ValueError) as error:
            raise DeviceError(f"{self.name}: no answer ({type(error).__name__})") from error
        if answer.status_code >= 300:
            raise DeviceError(f"{self.name}: answered {answer.status_code}")

    def close(self) -> None:
        self._session.close()


class AppriseChannel:
    """A channel of the library apprise, by its address."""

    def __init__(self, name: str, address: str, words: Words) -> None:
        import apprise  # a hundred services; loaded only where the site file asks for one

        self.name, self._words = name, words
        self._apprise = apprise.Apprise()
        self._known = bool(self._apprise.add(address))

    def send(self, notice: Notice) -> None:
        self._notify(*self._words.plain(notice))

    def send_digest(self, digest: Digest) -> None:
        self._notify(*self._words.plain_digest(digest))

    def send_fault(self, fault: FaultNotice) -> None:
        self._notify(*self._words.plain_fault(fault))

    def _notify(self, subject: str, text: str) -> None:
        if not self._known:
            raise DeviceError(f"{self.name}: the library apprise does not know this kind of address")
        if not self._apprise.notify(title=subject, body=text):
            raise DeviceError(f"{self.name}: apprise could not deliver it")

    def close(self) -> None:
        """Nothing stays open between two notices."""
