"""A real cell in which one rule fails with every scene: a fault that a real camera cannot be made to show."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace

from blickschutz.pipeline.cell import run_cell
from blickschutz.situations import service


def _fails(history, zone, asked):
    raise ZeroDivisionError("a rule went wrong")
    yield


def run_broken_cell(connection):
    service.RULES["fast_movement"] = replace(service.RULES["fast_movement"], judge=_fails)
    run_cell(connection)


def launch(connection, name):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["blickschutz.pipeline.preload"])
    process = context.Process(target=run_broken_cell, args=(connection,), name=f"cell-{name}", daemon=True)
    process.start()
    return process
