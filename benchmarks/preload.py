"""A library of ours between a process and the C library, and the page of memory through which it is told what to do."""

from __future__ import annotations

import mmap
import subprocess
from pathlib import Path


class Preload:
    """Compiled once from `source` into `folder`; `size` bytes are shared with whoever loads it, who finds the page by `variable`."""

    def __init__(self, source: Path, folder: Path, size: int, variable: str) -> None:
        library, page = (folder / f"{source.stem}.{end}" for end in ("so", "page"))
        subprocess.run(["cc", "-O2", "-fPIC", "-shared", "-o", str(library), str(source), "-ldl"], check=True)
        page.write_bytes(bytes(size))
        with page.open("r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.environment = {"LD_PRELOAD": str(library), variable: str(page)}
