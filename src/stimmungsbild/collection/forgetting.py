"""A server of answers keeps nothing of them in its memory once they are sealed.

What a program lets go of stays in its memory until something else is written there: of the last 200 forms two to six could be read in
an image of the process. With these settings the allocator of glibc overwrites what it gets back, at once, and Python leaves all to it.
"""

from __future__ import annotations

import os
import sys

# Of glibc: each byte that is freed is overwritten; no chunk is laid aside before that (its cache for threads does).
_TUNABLES = "glibc.malloc.perturb=85:glibc.malloc.tcache_count=0"
SETTINGS = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": _TUNABLES}


def begin_anew() -> None:
    """Start this very program again, as the same process, with an allocator that overwrites; returns where it was started so.

    Another C library ignores the settings: then what is let go of lasts until it is written over.
    """
    if all(os.environ.get(name) == value for name, value in SETTINGS.items()):
        return
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **SETTINGS})
