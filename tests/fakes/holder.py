"""A process of its own that holds the right to write of databases, as a backup or a shell does."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, contextmanager

from tests.databases import on_a_server

_PROGRAM = """
import sqlite3, sys
held = [sqlite3.connect(path, isolation_level=None) for path in sys.argv[1:]]
for one in held:
    one.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def write_lock(*databases):
    """Nobody else can write to `databases` meanwhile; on a server those that stand for them."""
    if server := on_a_server():
        with ExitStack() as held:
            for path in databases:
                held.enter_context(server.held(path))
            yield
        return
    command = [sys.executable, "-c", _PROGRAM, *map(str, databases)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "held\n"
            yield
        finally:
            process.stdin.close()
            process.wait(10)
