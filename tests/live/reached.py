"""Run in namespaces of its own: `blickschutz run` with a camera of a network, under strace; prints what it reached, as JSON.

`python -m tests.live.reached FOLDER`. The namespace has loopback alone, on which the server of one camera has an address of its own.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
from benchmarks.offline import elsewhere

from tests.conftest import ROOT
from tests.live.system import one_camera
from tests.peers.rtsp import rtsp_server

CAMERA, PORT = "10.77.0.20", 8719
CALLS = "trace=connect,sendto,sendmsg,sendmmsg"


def met(trace: Path, within_s: float) -> bool:
    """Whether the camera was called."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if trace.exists() and CAMERA in trace.read_text(encoding="utf-8", errors="replace"):
            return True
        time.sleep(0.5)
    return False


def main() -> None:
    folder = Path(sys.argv[1])
    for words in ("link set lo up", f"addr add {CAMERA}/32 dev lo"):
        subprocess.run(["ip", *words.split()], check=True)
    with rtsp_server("h264", "--host", CAMERA) as server:
        site = one_camera(folder, f"rtsp://{CAMERA}:{server.port}/stream", PORT)
        command = [sys.executable, "-m", "blickschutz.cli.main", "run", "--site", str(site)]
        traced = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "signal=none", "-e", CALLS, "-o", str(folder / "trace"), *command]
        running = subprocess.Popen(traced, cwd=ROOT, stderr=(folder / "told").open("w"), start_new_session=True)
        try:
            called = met(folder / "trace", 90)
            # Pictures are taken, pages asked, work in the background has its turn.
            time.sleep(20)
            page = httpx.get(f"http://127.0.0.1:{PORT}/sign-in", timeout=20).status_code
        finally:
            running.send_signal(signal.SIGTERM)
            subprocess.run(["pkill", "-TERM", "-s", str(running.pid)], check=False)
            running.wait(60)
    lines = (folder / "trace").read_text(encoding="utf-8", errors="replace").splitlines()
    print(json.dumps({"called": called, "page": page, "elsewhere": elsewhere(lines)}))


if __name__ == "__main__":
    main()
