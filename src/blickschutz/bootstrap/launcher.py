"""The program of the launcher: `python -m blickschutz.bootstrap.launcher DESCRIPTOR`, started by the control room (`zones.launcher`)."""

from __future__ import annotations

import signal
import socket
import sys

from blickschutz.zones.forking import own_line, serve


def _run_room(connection: socket.socket) -> None:
    # Loaded in the room: its pages are nothing that cells should carry.
    from blickschutz.reviewroom.process import run_room

    run_room(connection)


def main() -> None:
    """Serve until the control room is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the control room ends its processes in order
    with own_line(int(sys.argv[1])) as line:
        # Hardens this process, and loads what everything that is forked from here needs.
        from blickschutz.pipeline import preload

        serve(line, {"cell": preload.cell.run_cell, "room": _run_room, "trial": preload.trial.run_trial})


if __name__ == "__main__":
    main()
