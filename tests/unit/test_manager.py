"""What a service manager is told."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass

import pytest

from blickschutz.bootstrap.manager import Service, ServiceManager
from blickschutz.wall.model import TileState


@pytest.fixture
def manager(tmp_path):
    """A service manager's socket, and what it heard."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(10)
        yield line


def told(line):
    line.setblocking(False)
    found = []
    while True:
        try:
            found.append(line.recv(1000).decode())
        except BlockingIOError:
            return found


class TestManager:
    def test_it_is_reached_at_the_address_in_the_environment_which_nobody_else_gets(self, manager, tmp_path):
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7", "LANG": "C"}
        made = ServiceManager.from_environment(environ, 7)
        assert environ == {"LANG": "C"}
        assert (made.is_there, made.watchdog_s) == (True, 30.0)
        made.tell("READY=1", "STATUS=x")
        assert told(manager) == ["READY=1\nSTATUS=x"]

    def test_an_abstract_address_is_one(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.bind(f"\0blickschutz-test-{os.getpid()}")
            ServiceManager.from_environment({"NOTIFY_SOCKET": f"@blickschutz-test-{os.getpid()}"}, 1).tell("READY=1")
            assert told(line) == ["READY=1"]

    @pytest.mark.parametrize("pause", ["", "0", "-1", "soon"])
    def test_without_a_watchdog_there_is_no_pause(self, pause):
        assert ServiceManager.from_environment({"WATCHDOG_USEC": pause}, 7).watchdog_s is None
        assert ServiceManager.from_environment({"WATCHDOG_USEC": "5", "WATCHDOG_PID": "8"}, 7).watchdog_s is None

    @pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all"])
    def test_without_a_manager_nobody_is_told(self, address):
        made = ServiceManager.from_environment({"NOTIFY_SOCKET": address}, 7)
        assert not made.is_there
        made.tell("READY=1")

    def test_one_that_takes_nothing_holds_nobody_up(self, manager, tmp_path):
        made = ServiceManager.from_environment({"NOTIFY_SOCKET": str(tmp_path / "notify")}, 7)
        for _ in range(2000):
            made.tell("WATCHDOG=1")
        assert 0 < len(told(manager)) < 2000


@dataclass
class Cell:
    answered: bool = False
    cause: str = ""
    state: TileState = TileState.STARTING


class TestService:
    def run(self, manager, tmp_path, steps):
        """What the manager hears while `steps` happen, each after the one before was looked at."""
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000"}
        cells, facts = {"a": Cell(), "b": Cell()}, {"open": False, "stuck": False, "ended": 0, "heard": 0}

        def end():
            facts["ended"] += 1

        service = Service(ServiceManager.from_environment(environ, 1), cells, lambda: facts["open"], lambda: facts["stuck"], end)

        heard = []

        async def listen():
            # All along: what nobody takes fills the socket's short queue, and the last word has no place in it.
            while True:
                heard.extend(told(manager))
                await asyncio.sleep(0.005)

        async def whole():
            tasks = [asyncio.create_task(service.run()), asyncio.create_task(listen())]
            for step in steps:
                facts["heard"] = len(heard)
                step(cells, facts)
                await asyncio.sleep(0.15)
            for task in tasks:
                task.cancel()
            heard.extend(told(manager))
            service.ending()

        asyncio.run(whole())
        return heard + told(manager), facts

    def test_it_is_ready_when_the_pages_are_open_and_every_cell_has_answered(self, manager, tmp_path):
        seen = []

        def opened(cells, facts):
            cells["a"].answered, facts["open"] = True, True

        def answered(cells, facts):
            seen.append(facts["heard"])
            cells["a"].state, cells["b"].answered = TileState.LIVE, True

        heard, facts = self.run(manager, tmp_path, [lambda _cells, _facts: None, opened, answered])
        assert seen == [0], "one cell has not answered yet"
        assert heard[0] == "READY=1\nSTATUS=1 of 2 cameras live"
        assert set(heard[1:-1]) == {"WATCHDOG=1\nSTATUS=1 of 2 cameras live"}
        assert len(heard) >= 5, "three signs of life in the time that the manager waits"
        assert heard[-1].startswith("STOPPING=1")
        assert facts["ended"] == 0

    def test_where_a_camera_stays_dark_because_no_cell_can_be_started_it_ends_once(self, manager, tmp_path):
        def ready(cells, facts):
            facts["open"] = cells["a"].answered = cells["b"].answered = True
            facts["stuck"] = True

        def dark(cells, facts):
            assert facts["ended"] == 0, "what runs runs on"
            cells["a"].cause = "cell"

        _, facts = self.run(manager, tmp_path, [ready, dark, lambda _cells, _facts: None])
        assert facts["ended"] == 1

    def test_nobody_would_start_it_again_without_a_manager(self):
        ended = []
        service = Service(ServiceManager(), {"a": Cell(True, "cell")}, lambda: True, lambda: True, lambda: ended.append(1))

        async def whole():
            task = asyncio.create_task(service.run())
            await asyncio.sleep(0.1)
            task.cancel()

        asyncio.run(whole())
        assert ended == []
