"""What ends a live socket and a review room: an error of one of their tasks, seen, and never a task that goes on alone."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace

import msgspec
import pytest
from fastapi import APIRouter
from starlette.websockets import WebSocketDisconnect

from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.reviewroom import process
from blickschutz.reviewroom.messages import OpenKeyDesk, RoomSettings
from blickschutz.wall.model import StreamFragment, TileState
from blickschutz.web.lanes import Lanes
from blickschutz.web.routes import live
from blickschutz.web.streams import OpenStreams
from blickschutz.wire.frames import pack


class Socket:
    """A browser's end that goes away after some messages, or stays and says nothing."""

    def __init__(self, most: int, gone: Exception) -> None:
        self.sent, self._most, self._gone, self.closed = [], most, gone, False
        self.cookies: dict[str, str] = {}

    async def accept(self):
        pass

    async def receive(self):
        await asyncio.Event().wait()

    async def _send(self, what):
        if len(self.sent) >= self._most:
            raise self._gone
        self.sent.append(what)

    send_text = send_bytes = _send

    async def close(self, code=1000):
        self.closed = True


class Viewer:
    def __init__(self, fails):
        self._fails = fails

    async def next(self):
        await asyncio.sleep(0)
        if self._fails:
            raise KeyError("a part that is none")
        return StreamFragment(1, True, 0.0, 0.0, b"picture")


def watched(socket_, viewer):
    """Run the handler of a live socket; the viewers that left, and the guard."""
    left, guard = [], Guard(SystemClock())
    stream = SimpleNamespace(join=lambda: viewer, leave=left.append)
    control = SimpleNamespace(stream=stream, state=TileState.LIVE, cause="", health=None, unrecordable="")
    tile = SimpleNamespace(control=control)
    pages = SimpleNamespace(guard=guard, language=lambda socket: "en", room=None, router=APIRouter, lanes=Lanes())
    pages.streams, pages.site = OpenStreams(), SimpleNamespace(cameras=())

    async def scene(monkeypatch):
        monkeypatch.setattr(live, "find", lambda pages, camera: tile)
        monkeypatch.setattr(live, "session_of", lambda socket: "")
        (route,) = live.routes(pages).routes
        async with asyncio.timeout(5):
            await route.endpoint(socket_, "a")
        assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    return scene, left, guard


@pytest.mark.parametrize("gone", [WebSocketDisconnect(1001), RuntimeError("Cannot call send once a close message has been sent")])
def test_a_viewer_who_goes_in_the_middle_of_a_picture_is_no_error(gone, monkeypatch):
    viewer = Viewer(fails=False)
    scene, left, guard = watched(Socket(5, gone), viewer)
    asyncio.run(scene(monkeypatch))
    assert left == [viewer]
    (state,) = guard.states()
    assert (state.name, state.running, state.failures) == ("live", False, 0)


def test_an_error_of_one_task_lets_go_of_the_viewer_and_is_seen(monkeypatch):
    viewer, browser = Viewer(fails=True), Socket(1000, WebSocketDisconnect(1001))
    scene, left, guard = watched(browser, viewer)
    asyncio.run(scene(monkeypatch))
    assert left == [viewer]
    assert browser.closed
    (state,) = guard.states()
    assert (state.failures, state.running) == (1, False)
    assert state.error.startswith("KeyError at test_ends.py:")


def test_a_room_that_is_not_watched_any_more_ends(monkeypatch):
    """An error of what sends people away when nobody does anything must not leave the room open for ever."""

    async def fails(room, link, ended):
        await asyncio.sleep(0.2)
        raise ZeroDivisionError

    guard = Guard(SystemClock())
    monkeypatch.setattr(process, "_watch", fails)
    monkeypatch.setattr(process, "confine", lambda profile: frozenset())  # this process is none of a zone
    monkeypatch.setattr(process, "Guard", lambda clock: guard)
    values = {field.name: "" for field in msgspec.structs.fields(RoomSettings) if field.type is str}
    values |= {"host": "127.0.0.1", "port": 0, "names": (), "language": "de", "case": 0, "unmask_s": 60, "held": False}
    ours, theirs = socket.socketpair()
    ours.sendall(pack(OpenKeyDesk(settings=RoomSettings(**values), person="a", name="A", ticket="t", sealed=None)))
    asyncio.run(asyncio.wait_for(process._run(theirs), 10))
    ours.close()
    assert {state.name: (state.failures, state.running) for state in guard.states()} == {
        "listening": (0, False),
        "watching": (1, False),
        "serving": (0, False),
    }
