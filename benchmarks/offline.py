"""From an empty Debian 12 with the bundle and no network to a live redacted tile.

`.venv/bin/python -m benchmarks.offline BUNDLE.tar [ROOT]`: needs root, unshare, strace, and debootstrap unless ROOT has what it makes (a
minimal Debian 12 with `python3`). Three commands are typed, as `docs/install.md` has them, in a root of their own and a network namespace
that has loopback alone; the time ends when a picture of a camera comes over the pages to somebody who signed in. Then all is done once
more under strace, and all modules are imported; what every process tried to reach is listed. Prints JSON; ends with 1 where a must is
missed.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import httpx
import numpy as np

MOST_COMMANDS, MOST_MINUTES = 3, 5.0
PORT, CAMERA, PERSON = 8710, "vorplatz-nord", "leitstelle-1"
DEMO = ("/opt/blickschutz/bin/blickschutz", "demo")
# What is traced, by the addresses elsewhere that it tried. The first demonstration of a machine asks apt for a film of people, says so, and
# draws one where it gets none: that one may.
STEPS = ("unpacking", "installing", "first demonstration", "demonstration", "import of all modules")
MAY = frozenset({"first demonstration"})
_LONGEST_S = 900.0
_PACKAGES = "python3,tzdata,ca-certificates"
_ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
_IMPORTS = """
import importlib, pkgutil, blickschutz, stimmungsbild, plattform
count = 0
for top in (blickschutz, stimmungsbild, plattform):
    for one in pkgutil.walk_packages(top.__path__, top.__name__ + "."):
        # Scripts: of Python, and of Alembic, which runs its own with a database.
        if one.name.endswith(("__main__", "migrations.env")):
            continue
        try:
            importlib.import_module(one.name)
        except ModuleNotFoundError as error:
            # What only an option of the wheel brings (the broker between hosts) is no part of the bundle.
            if error.name.partition(".")[0] not in {"nats"}:
                raise
        count += 1
print(count)
"""


def empty(root: Path) -> None:
    """A minimal Debian 12 in `root`; takes a network."""
    command = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(root)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for one in root.glob("var/cache/apt/archives/*.deb"):
        one.unlink()


def sealed(words: Sequence[str]) -> list[str]:
    """The command in namespaces of its own: nothing but loopback, and no mount outlives it."""
    return ["unshare", "--net", "--mount", "sh", "-c", 'ip link set lo up; exec "$0" "$@"', *words]


def tile(password: str, address: str = f"http://127.0.0.1:{PORT}") -> str:
    """What somebody at a workstation gets of a camera, as soon as it comes: width and height. Raises `TimeoutError`."""
    end = time.monotonic() + _LONGEST_S
    with httpx.Client(base_url=address, timeout=10, follow_redirects=True) as client:
        while time.monotonic() < end:
            try:
                client.post("/sign-in", data={"person": PERSON, "password": password})
                answer = client.get(f"/cameras/{CAMERA}/picture.jpg")
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.headers.get("content-type") == "image/jpeg":
                picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
                if picture is not None:
                    return f"{picture.shape[1]}x{picture.shape[0]}"
            time.sleep(0.5)
    raise TimeoutError("no picture came")


def shown(command: Sequence[str]) -> str:
    """Start a demonstration, sign in with what it prints, take a picture, end it in order; the picture's size."""
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        said: list[str] = []
        for line in demo.stdout or ():
            said.append(line)
            found = re.match(rf"\s*{PERSON}\s+(\S+)", line)
            if found:
                return tile(found[1])
        raise RuntimeError(f"the demonstration ended: {''.join(said[-8:])}")
    finally:
        os.killpg(demo.pid, signal.SIGINT)
        demo.wait(90)


class Machine:
    """An empty Debian in `root`, in which commands are typed. `trace` is where strace writes, if it shall."""

    def __init__(self, root: Path, trace: Path | None = None) -> None:
        self._root, self._trace, self.commands = root, trace, 0

    def typed(self, *words: str) -> list[str]:
        self.commands += 1
        inside = ["chroot", str(self._root), "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"]
        calls = "trace=connect,sendto,sendmsg,sendmmsg"
        strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "signal=none", "-e", calls, "-o", f"{self._trace}-{self.commands}"]
        return [*(strace if self._trace else []), *inside, *words]

    def run(self, *words: str) -> None:
        done = subprocess.run(self.typed(*words), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{words}: {(done.stderr or done.stdout)[-400:]}")


@contextmanager
def mounted(root: Path) -> Iterator[None]:
    """What every machine has: processes, devices, memory."""
    for kind, where in (("proc", "proc"), ("tmpfs", "dev/shm"), ("tmpfs", "tmp")):
        (root / where).mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", kind, kind, str(root / where)], check=True)
    for name in ("null", "zero", "urandom", "random"):
        (root / "dev" / name).touch()
        subprocess.run(["mount", "--bind", f"/dev/{name}", str(root / "dev" / name)], check=True)
    yield


def installed(machine: Machine, bundle: Path) -> str:
    """The commands of `docs/install.md`, and the size of the picture that comes of them."""
    machine.run("tar", "xf", f"/root/{bundle.name}", "-C", "/root")
    machine.run("sh", f"/root/{bundle.stem}/install.sh")
    return shown(machine.typed(*DEMO))


def elsewhere(lines: Iterable[str]) -> list[str]:
    """Addresses that strace saw and that are not of this machine."""
    found = {one[0] or one[1] for line in lines for one in _ADDRESS.findall(line)}
    numbers = sorted(found)
    return [one for one in numbers if not ipaddress.ip_address(one).is_loopback and not ipaddress.ip_address(one).is_unspecified]


def _inside(root: Path, bundle: Path) -> dict[str, object]:
    with mounted(root):
        machine = Machine(root)
        start = time.monotonic()
        size = installed(machine, bundle)
        figures: dict[str, object] = {"commands": machine.commands, "minutes": round((time.monotonic() - start) / 60, 2), "tile": size}
        trace = root.parent / "trace"
        machine = Machine(root, trace)
        installed(machine, bundle)
        shown(machine.typed(*DEMO))
        machine.run("/opt/blickschutz/bin/python", "-c", _IMPORTS)
        for number, step in enumerate(STEPS, 1):
            lines = trace.with_name(f"trace-{number}").read_text(encoding="utf-8", errors="replace").splitlines()
            figures[step] = elsewhere(lines)
    return figures


def measured(bundle: Path, root: Path | None = None) -> dict[str, object]:
    """The figures. `root` is copied."""
    with tempfile.TemporaryDirectory(prefix="blickschutz-offline-") as place:
        own = Path(place) / "root"
        if root is None:
            empty(own)
        else:
            subprocess.run(["cp", "-a", str(root), str(own)], check=True)
        shutil.copyfile(bundle, own / "root" / bundle.name)
        command = sealed([sys.executable, "-m", "benchmarks.offline", "--inside", str(own), bundle.name])
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return dict(json.loads(done.stdout))


def main(words: list[str]) -> int:
    if words[:1] == ["--inside"]:
        print(json.dumps(_inside(Path(words[1]), Path(words[2]))))
        return 0
    figures = measured(Path(words[0]), Path(words[1]) if len(words) > 1 else None)
    print(json.dumps(figures, indent=1))
    quiet = not any(figures[step] for step in STEPS if step not in MAY)
    met = figures["commands"] <= MOST_COMMANDS and figures["minutes"] <= MOST_MINUTES and quiet  # type: ignore[operator]
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
