"""What every answer and every request must hold: headers, known host, same origin (OWASP ASVS 5, chapters 3 and 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=(), picture-in-picture=()",
    # Not "no-referrer": with that, browsers send a form post with the origin "null", which is refused here.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Only over TLS: a year, as ASVS 5 asks (3.4.1).
STRICT_TRANSPORT = ("Strict-Transport-Security", "max-age=31536000")
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def headers_of(secure: bool) -> dict[str, str]:
    """What every answer carries."""
    return {**HEADERS, **dict([STRICT_TRANSPORT] if secure else [])}


def hosts_of(names: Sequence[str], port: int) -> list[str]:
    """What may stand in a request's Host header."""
    return [f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in names]


class RequestCheck:
    """ASGI middleware. Refuses foreign hosts (DNS rebinding), foreign origins (CSRF, hijacked WebSockets).

    `on_refused` hears the address of each that is refused; in the event loop.
    """

    def __init__(
        self, app: ASGIApp, hosts: Sequence[str], secure: bool = False, on_refused: Callable[[str], object] = lambda address: None
    ) -> None:
        self._app, self._hosts, self._on_refused = app, frozenset(hosts), on_refused
        self._headers = headers_of(secure)
        self._scheme = "https" if secure else "http"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                own = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    own[name] = value
                if "cache-control" not in own:
                    own["Cache-Control"] = "no-store"
            await send(message)

        if self._allowed(scope, headers):
            await self._app(scope, receive, send_with_headers)
        else:
            self._on_refused((scope.get("client") or ("",))[0])
            await self._refuse(scope, receive, send_with_headers)

    def _allowed(self, scope: Scope, headers: Headers) -> bool:
        if headers.get("host", "") not in self._hosts:
            return False
        if scope["type"] == "http" and scope["method"] in _SAFE_METHODS:
            return True
        origin = headers.get("origin")
        if origin is None:
            # A browser sends an origin with every form post and WebSocket; a tool without one carries nobody's cookies.
            return headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
        own = urlsplit(origin)
        return own.netloc == headers["host"] and own.scheme == self._scheme

    @staticmethod
    async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await PlainTextResponse("Foreign host or origin.", status_code=403)(scope, receive, send)
