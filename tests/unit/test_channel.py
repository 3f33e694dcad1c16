"""The channel between cell and control room: whole messages or a refusal."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.guard.service import Guard
from blickschutz.ingest.model import SessionState, SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import ProtocolError
from blickschutz.kernel.scene import Doubt
from blickschutz.pipeline import channel
from blickschutz.pipeline.channel import CellEnd, pack, read_from_cell, unpack_from_cell
from blickschutz.pipeline.messages import CellSettings, Configure, Fragment, Head, Health, Snapshot, Watch

MESSAGES = [
    Health(session=SessionState.LIVE, stopped=False, doubt=Doubt.STARTING, frames=3),
    Head(1, "avc1", b"x" * 100),
    Fragment(1, True, 1.5, 2.5, b"y" * 1000),
    Snapshot(4, b""),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_messages_survive_the_way(message):
    assert unpack_from_cell(pack(message)[4:]) == message


def read(data: bytes):
    async def scenario():
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await read_from_cell(reader)

    return asyncio.run(scenario())


def test_an_ended_cell_is_no_error():
    assert read(b"") is None
    assert read(pack(MESSAGES[0])[:7]) is None


@given(st.binary(max_size=300))
def test_whatever_a_cell_sends_is_a_message_an_end_or_a_refusal(data):
    try:
        message = read(data)
    except ProtocolError:
        return
    assert message is None or isinstance(message, Health | Head | Fragment | Snapshot)


def test_a_huge_length_is_refused_before_anything_is_read():
    with pytest.raises(ProtocolError, match="announced"):
        read(struct.pack(">I", channel.MOST_BYTES + 1) + b"x" * 100)


def test_a_message_for_cells_is_refused_from_a_cell():
    with pytest.raises(ProtocolError):
        read(pack(Watch(True)))


def test_unknown_fields_are_refused():
    data = msgspec.msgpack.encode({"type": "snapshot", "number": 1, "data": b"", "raw": b"pixels"})
    with pytest.raises(ProtocolError):
        unpack_from_cell(data)


class TestCellEnd:
    def test_it_reads_writes_and_ends(self):
        ours, theirs = socket.socketpair()
        heard, ended = [], threading.Event()
        end = CellEnd(theirs, heard.append, ended.set, Guard(SystemClock()))
        end.start()
        settings = CellSettings(camera="c", source=SourceSettings(SourceKind.FILE, "x"))
        ours.sendall(pack(Configure(settings)) + pack(Watch(True)))
        for message in MESSAGES:
            end.send(message)
        received = b""
        while len(received) < sum(len(pack(message)) for message in MESSAGES):
            received += ours.recv(65536)
        assert received == b"".join(pack(message) for message in MESSAGES)
        ours.close()
        assert ended.wait(5)
        assert heard == [Configure(settings), Watch(True)]
        end.close()

    def test_a_control_room_that_does_not_read_never_holds_it_up(self):
        ours, theirs = socket.socketpair()
        end = CellEnd(theirs, lambda message: None, lambda: None, Guard(SystemClock()))
        end.start()
        for number in range(200):
            end.send(Fragment(1, number == 0, 0.0, 0.0, bytes(200_000)))
        assert end.unsent > 0
        assert end.take_loss()
        assert not end.take_loss()
        ours.close()
        end.close()

    @pytest.mark.parametrize(("more", "ends"), [(0, False), (1, True), (2**32 - 1 - channel.MOST_BYTES, True)])
    def test_a_message_that_is_too_long_ends_the_cell_before_a_byte_of_it_is_read(self, more, ends):
        ours, theirs = socket.socketpair()
        ended = threading.Event()
        end = CellEnd(theirs, lambda message: None, ended.set, Guard(SystemClock()))
        end.start()
        ours.sendall(struct.pack(">I", channel.MOST_BYTES + more))
        assert ended.wait(5 if ends else 0.3) == ends
        ours.close()
        end.close()

    def test_a_fault_of_a_thread_ends_the_cell_and_is_counted(self):
        for fails in ("_next", "_send_all"):
            ours, theirs = socket.socketpair()
            ended, guard = threading.Event(), Guard(SystemClock())
            end = CellEnd(theirs, lambda message: None, ended.set, guard)
            setattr(end, fails, lambda *some: 1 // 0)
            end.start()
            assert ended.wait(5)
            ours.close()
            end.close()
            guard.end()
            assert sum(state.failures for state in guard.states()) == 1

    def test_nonsense_from_the_control_room_ends_the_cell(self):
        ours, theirs = socket.socketpair()
        ended = threading.Event()
        end = CellEnd(theirs, lambda message: None, ended.set, Guard(SystemClock()))
        end.start()
        ours.sendall(struct.pack(">I", 3) + b"xyz")
        assert ended.wait(5)
        ours.close()
        end.close()
