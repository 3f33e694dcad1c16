"""The socket that strangers knock at: who has enough already is sent away before anything is made for them.

Making what a request needs takes ten times as long as closing a connection, and with TLS nobody counts it before the handshake is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from typing import Any

from blickschutz.web.connections import LimitedHttp, counted

# In one turn of the event loop: whoever is being answered has a turn, too.
_LET_IN, _SENT_AWAY = 16, 64


class Arrived(socket.socket):
    """A connection that was let in at a door, and counts there until it can ask something or is closed."""

    door: Door | None = None
    address: str = ""

    def close(self) -> None:
        if self.door is not None:
            self.door.done(self.fileno())
        super().close()

    def send_away(self) -> None:
        """Whoever reads it sees its end, and closes it."""
        with contextlib.suppress(OSError):  # the other side may have gone by itself
            self.shutdown(socket.SHUT_RDWR)


class Door(socket.socket):
    """A listening socket for `LimitedHttp` or what is derived from it, whose limits it keeps.

    Where all places are taken, an address with its fair share of them gets no other; a handshake that takes longer than a request's
    head may is ended.
    """

    def __init__(self, family: socket.AddressFamily, http: type[LimitedHttp] = LimitedHttp) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._http, self._let_in = http, 0
        # By descriptor, the oldest first.
        self._arrived: dict[int, Arrived] = {}
        self._of: Counter[str] = Counter()
        http.doors.append(self)

    @property
    def waiting(self) -> int:
        """How many were let in and cannot ask anything yet."""
        return len(self._arrived)

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises `BlockingIOError` when nobody is there, or enough came for one turn of the loop, which then asks again."""
        try:
            if self._let_in >= _LET_IN:
                raise BlockingIOError
            found = self._next()
        except OSError:
            self._let_in = 0
            raise
        self._let_in += 1
        return found

    def _next(self) -> tuple[Arrived, Any]:
        for _ in range(_SENT_AWAY):
            plain, peer = super().accept()
            address = counted(str(peer[0]))
            if self._may_come(address):
                return self._take(plain, address), peer
            plain.close()
        raise BlockingIOError

    def _may_come(self, address: str) -> bool:
        opened, http = self._http.opened, self._http
        has = opened[address] + self._of[address]
        if has >= http.most_of_one:
            return False
        if opened.total() + len(self._arrived) < http.most:
            return True
        if has >= http.most // (len(opened.keys() | self._of.keys()) + 1):
            return False
        if self._arrived:
            next(iter(self._arrived.values())).send_away()
        return True

    def _take(self, plain: socket.socket, address: str) -> Arrived:
        arrived = Arrived(fileno=plain.detach())
        arrived.door, arrived.address = self, address
        self._arrived[arrived.fileno()] = arrived
        self._of[address] += 1
        asyncio.get_running_loop().call_later(self._http.header_s, self._look, arrived)
        return arrived

    def _look(self, arrived: Arrived) -> None:
        if self._arrived.get(arrived.fileno()) is arrived:
            arrived.send_away()

    def done(self, number: int) -> None:
        """The connection of this descriptor can ask something now, or is closed. Twice is as good as once."""
        arrived = self._arrived.pop(number, None)
        if arrived is not None:
            self._of[arrived.address] -= 1
            if not self._of[arrived.address]:
                del self._of[arrived.address]

    def close(self) -> None:
        with contextlib.suppress(ValueError):
            self._http.doors.remove(self)
        super().close()
