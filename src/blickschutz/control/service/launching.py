"""Starting what runs beside the control room: from a process that has loaded the libraries once, and is as little as that."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable

from blickschutz.zones.launcher import Launcher, Started

Launch = Callable[[socket.socket, str], Started]
# The program is bootstrap's: it alone knows all that can be started.
LAUNCHER = Launcher([sys.executable, "-m", "blickschutz.bootstrap.launcher"])


def start_launcher() -> None:
    """Start the process from which cells and rooms are forked, where it does not run. Raises `OSError` where it cannot be started.

    What holds this process from then on does not hold what it forks; whoever confines itself starts it before.
    """
    # One thread per library in a cell: eleven cells share the machine's cores.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    LAUNCHER.start()


def launch_trial(connection: socket.socket, name: str) -> Started:
    """Start the process of a trial; it is told with its order what it is to try."""
    del name
    start_launcher()
    return LAUNCHER.launch("trial", connection)


def launch_cell(connection: socket.socket, name: str) -> Started:
    """Start a cell from a process that has loaded the libraries once: quick, and their memory is shared."""
    del name  # the cell is told with its settings whose it is
    start_launcher()
    return LAUNCHER.launch("cell", connection)
