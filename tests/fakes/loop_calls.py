"""Hears of what is asked of databases and disk in one thread: that of an event loop, in which nothing may be asked."""

from __future__ import annotations

import sys
import threading
import traceback
from contextlib import contextmanager

from sqlalchemy import Engine, event

_ASKED = {"open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "sqlite3.connect", "shutil.rmtree"}


class _Hook:
    """An audit hook stays for good; it hears for whoever listens."""

    def __init__(self):
        self.listeners = ()
        sys.addaudithook(self)

    def __call__(self, name, given):
        if self.listeners and name in _ASKED:
            for listener in self.listeners:
                listener(name, str(given[0]) if given else "")


_hook: list[_Hook] = []


@contextmanager
def calls_of(thread: threading.Thread):
    """A list of what that thread asks meanwhile, each with where it was."""
    found: list[str] = []

    def heard(name, about):
        # What the system says of itself is on no disk.
        if threading.get_ident() == thread.ident and not about.startswith("/proc/"):
            # Without the text of the lines: reading that would be heard as well.
            stack = [f"{frame.f_code.co_filename}:{line}" for frame, line in traceback.walk_stack(None)]
            found.append(f"{name} {about} at {[one for one in stack if 'blickschutz' in one][:3]}")

    def statement(connection, cursor, text, *_):
        heard("statement", text[:60])

    if not _hook:
        _hook.append(_Hook())
    _hook[0].listeners = (*_hook[0].listeners, heard)
    event.listen(Engine, "before_cursor_execute", statement)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", statement)
        _hook[0].listeners = tuple(one for one in _hook[0].listeners if one is not heard)
