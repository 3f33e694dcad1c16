"""What a process of a zone may do, as a profile; and the walls that hold it to that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, StrEnum, auto
from pathlib import Path


class Wall(StrEnum):
    """What can be asked of the kernel for a process."""

    UNREADABLE = "unreadable"
    """No other process of the same user reads its memory, traces it, or takes its descriptors."""
    NO_CORE = "no-core"
    """A crash writes no memory to disk."""
    NO_DUMP = "no-dump"
    """Whatever makes a core of it all the same, root's debugger included, leaves its memory out."""
    NO_NEW_RIGHTS = "no-new-rights"
    """No program that it starts has more rights than itself."""
    NO_SWAP = "no-swap"
    """Its memory is never written to a swap device: the machine has none, or holds the process in memory."""
    FILES = "files"
    """It opens the files of its profile, no other (Landlock, Linux 5.13)."""
    TRUNCATION = "truncation"
    """It empties no file that it may only add to (Landlock 3, Linux 6.2)."""
    PORTS = "ports"
    """It connects to the TCP ports of its profile and binds them, no other (Landlock 4, Linux 6.7)."""
    SIGNALS = "signals"
    """It sends signals to itself alone, and speaks to no abstract socket of another process (Landlock 6, Linux 6.12)."""
    CALLS = "calls"
    """It makes no system call that its zone does not need (seccomp)."""


class Zone(StrEnum):
    """The kinds of process that are confined."""

    CELL = "cell"
    REVIEW_ROOM = "review-room"
    KEY_DESK = "key-desk"
    CONTROL_ROOM = "control-room"
    CELL_HOST = "cell-host"
    TRIAL = "trial"
    FINDER = "finder"


class Right(Flag):
    """What may be done with a file, or with everything beneath a folder."""

    LIST = auto()
    """See names of files. (Whether a file is there, its size and times, the kernel tells everybody who can reach its folder.)"""
    READ = auto()
    ADD = auto()
    """Make files and write to files, without reading, emptying or removing any."""
    CHANGE = auto()
    """Make, write, empty, rename and remove files and folders."""
    RUN = auto()
    """Start it as a program."""
    LISTEN = auto()
    """Make local sockets in it."""
    OVERWRITE = auto()
    """Write to files that are there, and empty them; make and remove none."""
    DEVICE = auto()
    """Open a device, read from it, write to it and tell it what to do (ioctl)."""


@dataclass(frozen=True, slots=True)
class Grant:
    """`place` is what the table of zones calls `path`. What is not there when a process is confined is not granted."""

    place: str
    path: Path
    rights: Right


@dataclass(frozen=True, slots=True)
class Profile:
    """All that a process may do beyond computing.

    `connect`, `bind`: TCP ports; 0 stands for a free port that the kernel chooses. `udp`: it may ask for names.
    `datagrams`: its camera's media come so, to ports that it binds. `devices`: it tells devices what to do. `driver_socket`: the driver
    that does so in this process asks for a local socket of packets, to name and to listen at. `unix`: it may open
    local sockets. `signals`: it may send signals to other processes of its user. `starts`: it may start processes.
    """

    zone: Zone
    files: tuple[Grant, ...]
    connect: frozenset[int] = frozenset()
    bind: frozenset[int] = frozenset()
    udp: bool = False
    datagrams: bool = False
    devices: bool = False
    driver_socket: bool = False
    unix: bool = False
    signals: bool = False
    starts: bool = False

    @property
    def sockets(self) -> bool:
        """Whether it needs to open a network socket at all."""
        return bool(self.connect or self.bind or self.udp or self.datagrams)
