"""Live streams of one session are counted: one too many is answered with a code and a sentence, and nobody else is kept out by them."""

from __future__ import annotations

import asyncio
import json

import pytest

from blickschutz.web import streams, texts
from blickschutz.web.routes import live
from blickschutz.web.streams import Kind, OpenStreams, most_pictures

SENTENCE = "In dieser Sitzung sind zu viele Fenster offen. Bitte schließen Sie einige."


class Listener:
    """One connection to the pages that stays open; `told` is what came."""

    def __init__(self, desk, path, person, kind="http", language="de"):
        host = desk.system.address.split("/")[2]
        cookie = f"session={desk.session(person)}; language={language}"
        headers = [(b"host", host.encode()), (b"origin", f"http://{host}".encode()), (b"cookie", cookie.encode())]
        self.kind, self.told, self._asked = kind, [], asyncio.Queue()
        scope = {"path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers, "server": tuple(host.split(":"))}
        scope |= {"http_version": "1.1", "root_path": "", "client": ("127.0.0.1", 1), "extensions": {}, "state": {}}
        if kind == "http":
            scope |= {"type": "http", "method": "GET", "scheme": "http"}
            self._asked.put_nowait({"type": "http.request", "body": b""})
        else:
            scope |= {"type": "websocket", "scheme": "ws", "subprotocols": []}
            self._asked.put_nowait({"type": "websocket.connect"})
        self._came = asyncio.Event()
        self._running = asyncio.create_task(desk.system.app(scope, self._asked.get, self._hear))

    async def _hear(self, message):
        self.told.append(message)
        self._came.set()

    async def until(self, kind):
        async with asyncio.timeout(20):
            while not (found := [one for one in self.told if one["type"] == kind]):
                self._came.clear()
                await self._came.wait()
        return found[0]

    async def end(self):
        self._asked.put_nowait({"type": f"{self.kind}.disconnect", "code": 1000})
        await asyncio.wait([self._running], timeout=20)


@pytest.mark.parametrize("path", ["/bar/stream", "/alerts/stream"])
def test_one_stream_of_changes_too_many_is_answered_with_429_and_a_sentence(desk, monkeypatch, path):
    monkeypatch.setattr(streams, "MOST_CHANGES", 2)

    async def story():
        first, second = (Listener(desk, path, "leitstelle-1") for _ in range(2))
        assert [(await one.until("http.response.start"))["status"] for one in (first, second)] == [200, 200]
        third = Listener(desk, path, "leitstelle-1")
        start, body = await third.until("http.response.start"), await third.until("http.response.body")
        assert (start["status"], body["body"].decode()) == (429, SENTENCE)
        assert dict(start["headers"])[b"retry-after"] == b"30"
        other = Listener(desk, "/bar/stream", "kvd-1")
        assert (await other.until("http.response.start"))["status"] == 200, "somebody else's session"
        await first.end()
        again = Listener(desk, path, "leitstelle-1")
        assert (await again.until("http.response.start"))["status"] == 200, "one has ended"
        for one in (second, third, other, again):
            await one.end()

    desk.run(story())


def test_one_stream_of_pictures_too_many_ends_with_its_code_and_the_tile_says_why(desk, monkeypatch):
    monkeypatch.setattr(live, "most_pictures", lambda cameras: cameras)
    path, count = "/cameras/vorplatz-nord/live", len(desk.system.site.cameras)

    async def story():
        there = [Listener(desk, path, "leitstelle-1", "websocket") for _ in range(count)]
        for one in there:
            assert json.loads((await one.until("websocket.send"))["text"])["detail"] != SENTENCE
        more = Listener(desk, path, "leitstelle-1", "websocket")
        closed = await more.until("websocket.close")
        assert (closed["code"], closed["reason"]) == (1013, SENTENCE)
        said = json.loads((await more.until("websocket.send"))["text"])
        assert (said["kind"], said["detail"]) == ("state", SENTENCE)
        await there.pop().end()
        again = Listener(desk, path, "leitstelle-1", "websocket")
        assert json.loads((await again.until("websocket.send"))["text"])["detail"] != SENTENCE
        for one in (*there, more, again):
            await one.end()

    desk.run(story())


def test_a_place_is_given_back_whatever_ended_the_stream():
    streams = OpenStreams()

    def fails():
        with streams.held("a", Kind.CHANGES, 1) as there:
            assert there
            assert streams.count("a", Kind.CHANGES) == 1
            with streams.held("a", Kind.CHANGES, 1) as second, streams.held("a", Kind.PICTURES, 1) as other:
                assert (second, other) == (False, True)
            assert streams.count("a", Kind.CHANGES) == 1
            raise RuntimeError("the line broke")

    with pytest.raises(RuntimeError):
        fails()
    assert streams.count("a", Kind.CHANGES) == 0
    assert streams._open == {}


def test_every_wall_fits():
    assert [most_pictures(cameras) for cameras in (1, 4, 11, 200)] == [16, 16, 44, 800]
    for language in ("de", "en"):
        assert len(texts.translator(language)(texts.TOO_MANY_STREAMS).encode()) <= 123, "a WebSocket ends with that reason"
