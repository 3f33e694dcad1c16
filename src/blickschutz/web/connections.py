"""How many connections are kept, and for how long one may take to ask something (OWASP ASVS 5, 15.2.2)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, ClassVar, Protocol

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# In all, and of one address: a browser opens six, and one WebSocket for each camera, which do not count here.
MOST, MOST_OF_ONE = 256, 48
HEADER_S = 10.0


class Counting(Protocol):
    """What counts a connection before it can ask something: see `blickschutz.web.door`."""

    def done(self, number: int) -> None: ...


class LimitedHttp(H11Protocol):
    """One connection of uvicorn's. It is closed where its address has too many, or where a request's head does not come in time.

    Where too many are open in all, the one goes that has been waited for longest: whoever asks at once is let in.
    """

    opened: ClassVar[Counter[str]] = Counter()
    doors: ClassVar[list[Counting]] = []
    _silent: ClassVar[dict[LimitedHttp, None]] = {}
    most, most_of_one, header_s = MOST, MOST_OF_ONE, HEADER_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._waiting: asyncio.TimerHandle | None = None
        self._counted = self.client[0] if self.client else ""
        self.opened[self._counted] += 1
        self._is_counted = True
        for door in self.doors:
            door.done(transport.get_extra_info("socket").fileno())
        if self.opened[self._counted] > self.most_of_one or (self.opened.total() > self.most and not self._make_room()):
            transport.abort()
            return
        self._wait()

    def _make_room(self) -> bool:
        """Whether another connection goes for this one."""
        oldest = next(iter(self._silent), None)
        if oldest is None:
            return False
        oldest._came()
        oldest.transport.abort()
        return True

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._is_counted:
            return  # it became a WebSocket, which another protocol has now
        if not self._is_asking():
            self._came()
        elif self._waiting is None:
            self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # What waits behind an answer was read meanwhile; a part of a head may be all there is.
        if self._is_asking() and self.conn.trailing_data[0] and self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._came()
        self._release()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> Any:
        """From here on another protocol has the connection; who may open one is asked by the pages."""
        self._came()
        self._release()
        return super().handle_websocket_upgrade(event)

    def _is_asking(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.header_s, self.transport.abort)
        self._silent[self] = None

    def _came(self) -> None:
        self._silent.pop(self, None)
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _release(self) -> None:
        if self._is_counted:
            self._is_counted = False
            self.opened[self._counted] -= 1
            if not self.opened[self._counted]:
                del self.opened[self._counted]


class RefusableWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket of uvicorn's. A refusal with a status is a handshake that is over, not one that the application forgot (uvicorn 0.5)."""

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True
