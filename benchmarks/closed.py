"""The whole story of the mission, day and night, where there is no way out: what tried to leave.

`.venv/bin/python -m benchmarks.closed` (as root: it makes a network namespace in which there is a loopback and nothing else).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from blickschutz.compliance.io.machine import unroutable

_BLICKSCHUTZ = Path(sys.executable).with_name("blickschutz")


def inside() -> None:
    """In the namespace: the story, and the kernel's count before and after."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile() as empty:
        subprocess.run(["mount", "--bind", empty.name, "/etc/resolv.conf"], check=True)
        before = unroutable()
        for hours in ((), ("--night",)):
            story = subprocess.run([_BLICKSCHUTZ, "demo", "--story", *hours], check=False)
            print(f"story {' '.join(hours) or 'by day'}: {'held' if story.returncode == 0 else 'did not hold'}", flush=True)
        print(f"tried to leave: {unroutable() - before}")
        subprocess.run(["umount", "/etc/resolv.conf"], check=True)


def main() -> None:
    if os.environ.get("BLICKSCHUTZ_INSIDE"):
        inside()
        return
    line = ["unshare", "--net", "--mount", sys.executable, "-m", "benchmarks.closed"]
    sys.exit(subprocess.run(line, env={**os.environ, "BLICKSCHUTZ_INSIDE": "1"}, check=False).returncode)


if __name__ == "__main__":
    main()
