"""Processes that hold or move a data folder, to be killed in the middle of it.

python -m tests.faults.movers hold FOLDER          holds it, says "HELD", and stays
python -m tests.faults.movers move OLD FOLDER      moves OLD to FOLDER, says "MOVED"
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from blickschutz.installation.io.folder import open_folder
from blickschutz.installation.io.move import move_folder
from blickschutz.installation.model import Place, Use
from blickschutz.kernel.clock import SystemClock


def place(folder: Path, **more) -> Place:
    """A site whose file stands beside its folder."""
    standard = {"id": "rathaus", "stated": True, "chosen": False, "site": folder.parent / "site.toml", "demo": False}
    return Place(folder=folder, **{**standard, **more})


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    act, *paths = sys.argv[1:]
    if act == "hold":
        with open_folder(place(Path(paths[0])), Use.RUN, "blickschutz run", SystemClock(), make=True):
            say("HELD")
            time.sleep(60)
    else:
        old, new = map(Path, paths)
        move_folder(place(new, old=(old,)), old, SystemClock(), lambda folder: None)
        say("MOVED")
