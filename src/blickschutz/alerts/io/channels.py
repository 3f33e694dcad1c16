"""E-mail, webhook, and whatever the library apprise brings. Each goes to addresses of the site file only."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from email.message import EmailMessage

import msgspec
import requests

from blickschutz.alerts.io.wire import message, plain
from blickschutz.alerts.model import Notice
from blickschutz.kernel.errors import DeviceError

_TIMEOUT_S = 10.0


class Words:
    """Site, language and names of cameras, for texts."""

    def __init__(self, site: str, language: str, cameras: Mapping[str, str]) -> None:
        self.site, self.language, self._cameras = site, language, cameras

    def plain(self, notice: Notice) -> tuple[str, str]:
        return plain(notice, self.site, self._cameras.get(notice.alert.camera, notice.alert.camera), self.language)


class MailSender:
    """Sends mails to one server. A notice keeps its Message-ID over all tries, so a doubled one is recognised."""

    name = "mail"

    def __init__(self, host: str, port: int, sender: str, to: tuple[str, ...], starttls: bool, words: Words) -> None:
        self._server, self._sender, self._to, self._starttls, self._words = (host, port), sender, to, starttls, words

    def send(self, notice: Notice) -> None:
        mail = EmailMessage()
        mail["Subject"], text = self._words.plain(notice)
        mail["From"], mail["To"] = self._sender, ", ".join(self._to)
        mail["Message-ID"] = f"<{notice.number}.{notice.alert.id}.{notice.alert.raised:.0f}@blickschutz.invalid>"
        mail.set_content(text)
        try:
            with smtplib.SMTP(*self._server, timeout=_TIMEOUT_S) as server:
                if self._starttls:
                    server.starttls()
                server.send_message(mail)
        except (OSError, smtplib.SMTPException) as error:
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
        data = msgspec.json.encode(message(notice, self._site, self._language))
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"blickschutz-{notice.number}"}
        try:
            answer = self._session.post(self._address, data=data, headers=headers, timeout=_TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
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
        if not self._known:
            raise DeviceError(f"{self.name}: the library apprise does not know this kind of address")
        subject, text = self._words.plain(notice)
        if not self._apprise.notify(title=subject, body=text):
            raise DeviceError(f"{self.name}: apprise could not deliver it")

    def close(self) -> None:
        """Nothing stays open between two notices."""
