"""TLS of pages while they are served: authority, certificate, renewal while everything runs."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path

import structlog
import uvicorn

from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.config.model import Server
from blickschutz.kernel.clock import Clock
from blickschutz.vault.io.authority import Authority, Certificates
from blickschutz.web.tls import modern, require_modern

_log = structlog.get_logger(__name__)
_LOOK_S = 3600.0


class Encryption:
    """Of what is called `name`. Nothing at all for pages that only their own machine reaches, unless the settings ask for it."""

    def __init__(self, name: str, server: Server, folder: Path, clock: Clock, log: AuditLog) -> None:
        self._clock, self._log = clock, log
        self._served: ssl.SSLContext | None = None
        self._newest: ssl.SSLContext | None = None
        self.authority = Authority(folder, name, server.known_names, clock) if server.secure else None
        self._files: Certificates | None = None
        self._looked = clock.monotonic()
        if self.authority is not None:
            self._files, _ = self._make(self.authority)

    @property
    def until(self) -> datetime | None:
        """When the server's certificate ends."""
        return self._files.until if self._files is not None else None

    def files(self) -> tuple[str, str]:
        """Certificate and key as they are now; empty without TLS."""
        return (str(self._files.certificate), str(self._files.key)) if self._files is not None else ("", "")

    def apply(self, config: uvicorn.Config) -> None:
        """Have a server speak TLS."""
        if self._files is None:
            return
        config.ssl_certfile, config.ssl_keyfile = str(self._files.certificate), str(self._files.key)
        config.load()
        require_modern(config)
        self._served = config.ssl
        if self._served is not None:
            self._served.sni_callback = self._shown

    def _shown(self, connection: ssl.SSLObject, _name: str | None, _served: ssl.SSLContext) -> None:
        """Whoever connects, whether they name a host or not, gets the newest certificate."""
        if self._newest is not None:
            connection.context = self._newest

    def renew(self) -> None:
        """Once an hour: a certificate that ends soon is made anew, and whoever connects from then on gets the new one."""
        now = self._clock.monotonic()
        if self.authority is None or now - self._looked < _LOOK_S:
            return
        self._looked = now
        self._files, is_new = self._make(self.authority)
        if is_new and self._served is not None:
            # Into a context of its own: one that somebody connects by while it takes in another certificate ends the whole process.
            self._newest = modern(self._files.certificate, self._files.key)

    def _make(self, authority: Authority) -> tuple[Certificates, bool]:
        files, is_new = authority.server()
        if is_new:
            _log.info("certificate", until=files.until.isoformat())
            self._log.write(Event.CERTIFICATE_RENEWED, "system", facts={"until": files.until.isoformat()})
        return files, is_new
