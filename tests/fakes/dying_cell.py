"""A real cell whose graphics driver takes its process with it, or never comes back and holds the interpreter: no machine here has one."""

from __future__ import annotations

import ctypes
import multiprocessing
import os

from blickschutz.ingest.io import hardware
from blickschutz.pipeline.cell import run_cell


def _dies(*_arguments, **_options):
    os.abort()


def _holds(*_arguments, **_options):
    # As a call of a library that does not let go of the interpreter's lock.
    ctypes.PyDLL(None).sleep(600)


def _run(connection, way):
    hardware.HWAccel = way
    run_cell(connection)


def _launch(way):
    def launch(connection, name):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["blickschutz.pipeline.preload"])
        process = context.Process(target=_run, args=(connection, way), name=f"cell-{name}", daemon=True)
        process.start()
        return process

    return launch


launch_dying, launch_holding = _launch(_dies), _launch(_holds)
