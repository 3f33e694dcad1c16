"""Each machine of the demonstration in a network namespace of its own, all on one bridge: as far apart as one computer allows."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

from blickschutz.kernel.errors import OperatorError

_BRIDGE: Final = "blick-demo"
_NET: Final = "10.213.78"
# Where broker and control room are.
ROOM: Final = f"{_NET}.1"


def possible() -> bool:
    """Whether this user may make namespaces here."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


class Wires:
    """The namespaces of `machines`, made anew; `end` takes all of it away. Raises `OperatorError` where the kernel does not make them."""

    def __init__(self, machines: Sequence[str]) -> None:
        self._machines = machines
        self.end()
        self._ip("link", "add", _BRIDGE, "type", "bridge")
        self._ip("addr", "add", f"{ROOM}/24", "dev", _BRIDGE)
        self._ip("link", "set", _BRIDGE, "up")
        for number, name in enumerate(machines):
            space, here = _space(name), _port(number)
            self._ip("netns", "add", space)
            self._ip("link", "add", here, "type", "veth", "peer", "name", "eth0", "netns", space)
            self._ip("link", "set", here, "master", _BRIDGE, "up")
            self._ip("-n", space, "addr", "add", f"{self.address(name)}/24", "dev", "eth0")
            self._ip("-n", space, "link", "set", "eth0", "up")
            self._ip("-n", space, "link", "set", "lo", "up")

    def address(self, name: str) -> str:
        return f"{_NET}.{10 + self._machines.index(name)}"

    @staticmethod
    def inside(name: str, command: Sequence[str]) -> list[str]:
        """The command, to be run on that machine."""
        return ["ip", "netns", "exec", _space(name), *command]

    def end(self) -> None:
        """What is not there is gone already."""
        for number, name in enumerate(self._machines):
            self._gone(number, name)
        subprocess.run(["ip", "link", "del", _BRIDGE], check=False, capture_output=True)

    @staticmethod
    def _gone(number: int, name: str) -> None:
        # A line goes at once where it is told to; with its namespace it goes some time after the last process in it.
        subprocess.run(["ip", "link", "del", _port(number)], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", _space(name)], check=False, capture_output=True)

    @staticmethod
    def _ip(*words: str) -> None:
        done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)
        if done.returncode:
            raise OperatorError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _port(number: int) -> str:
    """The end of a machine's line at the bridge."""
    return f"blick-{number}"


def _space(name: str) -> str:
    return f"blick-{name}"
