"""TLS of the pages: version 1.3 only, which every browser of the last years speaks."""

from __future__ import annotations

import ssl
from asyncio import sslproto
from pathlib import Path

import uvicorn

# What asyncio sets aside for each connection; with its own 256 KiB strangers' connections alone would cost 64 MB.
_BUFFER = 32 * 1024
_LEAST = ssl.TLSVersion.TLSv1_3


def modern(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's, with these files, that refuses the same. Raises `OSError` where they cannot be read."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = _LEAST
    made.load_cert_chain(certificate, key)
    return made


def require_modern(config: uvicorn.Config) -> None:
    """Refuse everything before TLS 1.3 (BSI TR-02102-2: 1.2 is allowed, 1.3 is recommended)."""
    if config.ssl is not None:
        config.ssl.minimum_version = _LEAST
        sslproto.SSLProtocol.max_size = _BUFFER
