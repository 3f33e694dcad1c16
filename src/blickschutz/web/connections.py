"""How many connections are kept, and for how long one may take to ask something (OWASP ASVS 5, 15.2.2)."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import struct
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# In all, and of one address: a browser opens six, and one WebSocket for each camera, which do not count here.
MOST, MOST_OF_ONE = 256, 48
HEADER_S = 10.0
# In which somebody has to take what waits for them: as much may wait (over TLS asyncio has eight times that), and less than a fourth of it
# when there is more.
ANSWER_S, _MOST_WAITING = 10.0, 64 * 1024

_NOTHING_LEFT = struct.pack("ii", 1, 0)


def counted(address: str) -> str:
    """Whom a connection counts for: one line into the house has a /64 of IPv6 (RFC 6177), of which it may use any address."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:  # a socket that is no network's
        return address
    if isinstance(number, ipaddress.IPv6Address) and number.ipv4_mapped is None:
        return str(ipaddress.IPv6Address(int(number) >> 64 << 64))
    return address


class Counting(Protocol):
    """What counts a connection before it can ask something: see `blickschutz.web.door`."""

    def done(self, number: int) -> None: ...


class LimitedHttp(H11Protocol):
    """One connection of uvicorn's. It is closed where its address has too many, where a request's head does not come in time, or where
    nobody takes the answer.

    Where too many are open in all, one goes that does not take its answer or its end, else the one that has been waited for longest, else
    one of the address that has the most: whoever asks at once, and listens, is let in.
    """

    opened: ClassVar[Counter[str]] = Counter()
    doors: ClassVar[list[Counting]] = []
    _all: ClassVar[dict[LimitedHttp, None]] = {}
    _silent: ClassVar[dict[LimitedHttp, None]] = {}
    most, most_of_one, header_s, answer_s = MOST, MOST_OF_ONE, HEADER_S, ANSWER_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._waiting: asyncio.TimerHandle | None = None
        transport.set_write_buffer_limits(_MOST_WAITING)
        self._stuck: asyncio.TimerHandle | None = None
        self._counted = counted(self.client[0]) if self.client else ""
        self.opened[self._counted] += 1
        self._is_counted, self._is_upgraded = True, False
        self._all[self] = None
        for door in self.doors:
            door.done(transport.get_extra_info("socket").fileno())
        if self.opened[self._counted] > self.most_of_one or (self.opened.total() > self.most and not self._make_room()):
            self._cut()
            return
        self._wait()

    def _make_room(self) -> bool:
        """Whether another connection goes for this one."""
        oldest = next((one for one in self._all if one._stuck is not None or one.transport.is_closing()), None)
        oldest = oldest or next(iter(self._silent), None) or self._of_the_greediest()
        if oldest is None:
            return False
        oldest._cut()
        return True

    def _of_the_greediest(self) -> LimitedHttp | None:
        """The oldest of the address that has the most, where that is more than this one's has."""
        ((address, has),) = self.opened.most_common(1)
        if has <= self.opened[self._counted]:
            return None
        return next((one for one in self._all if one._counted == address), None)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_upgraded:
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

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.call_later(self.answer_s, self._cut)

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def _taken(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._came()
        self._taken()
        self._release()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> Any:
        """From here on another protocol has the connection, which counts until it is let in: who may is asked by the pages."""
        self._came()
        self._is_upgraded = True
        answer = super().handle_websocket_upgrade(event)
        protocol = self.transport.get_protocol()
        if isinstance(protocol, RefusableWebSocket):
            protocol.release = self._release
        return answer

    def _cut(self) -> None:
        """At once, and without what nobody takes, which the kernel would keep for minutes."""
        with contextlib.suppress(OSError):  # it is closed already
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOTHING_LEFT)
        self.transport.abort()
        # Not only when the loop comes to it: whoever makes room next looks for another one.
        self._came()
        self._taken()
        self._release()

    def _is_asking(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.header_s, self._cut)
        self._silent[self] = None

    def _came(self) -> None:
        self._silent.pop(self, None)
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _release(self) -> None:
        if self._is_counted:
            self._is_counted = False
            self._all.pop(self, None)
            self.opened[self._counted] -= 1
            if not self.opened[self._counted]:
                del self.opened[self._counted]


class RefusableWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket of uvicorn's. A refusal with a status is a handshake that is over, not one that the application forgot (uvicorn 0.5).

    `release` is called when it is let in, or gone: one that was refused has its place until it is.
    """

    release: Callable[[], None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def _let_go(self) -> None:
        if self.release is not None:
            self.release()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept":
            self._let_go()
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True
