"""One installation: its folder, its processes, its two clocks, and the requests that reach it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from benchmarks.faults import place, seed
from benchmarks.faults.shim import Shim

ROOT = Path(__file__).resolve().parents[2]
PORT = 8799
ADDRESS = f"http://127.0.0.1:{PORT}"
_START_S, _END_S = 120.0, 25.0
DISK_MB = 160
# What a start takes on an idle machine.
_USUAL_S, _MOST_SLOW = 5.0, 3.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_STEP_S = 31.0
COMMAND = ("blickschutz.cli.main", "run")


def data_folder(base: Path) -> Path:
    """Where the data of an installation lie."""
    return base / "data"


class Installation:
    """`base` holds the site file; `data` is a disk of its own. Time is that of the template, as if no time had passed since."""

    def __init__(self, base: Path, shim: Shim, people: dict[str, seed.Person]) -> None:
        self.base, self.shim, self.people = base, shim, people
        self.site = base / "site.toml"
        self.data = data_folder(base)
        self.log = base / "system.log"
        self.said, self._said_from = "", 0
        # Another program than the command itself, where its cells are to be others.
        self.command: tuple[str, ...] = COMMAND
        # Seconds that the clocks of the installation are ahead of ours: all of them, those since the boot, the wall clock alone.
        self.shift, self.booted, self.wrong = 0, 0, 0.0
        # Whether there is a time server.
        self.served = True
        # How much longer things take than on an idle machine; patience is stretched by it.
        self.slow = 1.0
        self._boot = base / "boot_id"
        # The boot in which the template was made: rounds go on in it. Its name, and how far its clocks are ahead of ours.
        self.first_boot, self._first_booted = "", 0
        self._outer: subprocess.Popen[bytes] | None = None
        self.pid = 0
        self._clients: dict[str, httpx.Client] = {}

    # --- time ---

    def now(self) -> float:
        """What time it truly is at the installation."""
        return time.time() + self.shift

    def begin_at(self, at: float) -> None:
        """Clocks that are right, at a moment; for processes that start from now on."""
        self.shift, self.wrong = round(at - time.time()), 0.0
        self.booted = self._first_booted + self.shift
        self._boots_as(self.first_boot)
        self._set()

    def set_wrong(self, seconds: float) -> None:
        """The wall clock alone is wrong by so many seconds, at once."""
        self.wrong = seconds
        self._set()

    def pass_time(self, seconds: int) -> None:
        """So much time passes while nothing runs."""
        assert not self.running
        place.end_all(self.cells())
        self.shift += seconds
        self.booted += seconds
        self._set()

    def reboot(self) -> None:
        """While nothing runs, the machine is switched off and on: its steady clocks begin anew, and the boot has another name."""
        assert not self.running
        place.end_all(self.cells())
        self.booted = 1 - int(time.clock_gettime(time.CLOCK_BOOTTIME))
        self._boots_as(str(uuid.uuid4()))

    def first(self) -> tuple[str, float]:
        """Boot the machine of the template. The name of that boot, and when it began (POSIX)."""
        self.reboot()
        self.first_boot, self._first_booted = self._boot.read_text().strip(), self.booted
        return self.first_boot.replace("-", ""), time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) - self.booted

    def _boots_as(self, name: str) -> None:
        """The kernel says that this boot has that name, to whoever is in our namespace."""
        mounted = self._boot.exists()
        self._boot.write_text(f"{name}\n")
        if not mounted:
            place.run("mount", "--bind", str(self._boot), str(_BOOT))

    def _set(self) -> None:
        self.shim.set_wall(self.shift + self.wrong)
        # Setting a clock by hand ends what a time server says of it.
        self.shim.set_synchronised(self.served and not self.wrong)

    # --- processes ---

    @property
    def running(self) -> bool:
        return self._outer is not None and self._outer.poll() is None

    def start(self) -> bool:
        """Start the system; whether its pages came up. Where it refused, `said` is what it said."""
        self.start_only()
        begun = time.monotonic()
        outer, end = self._outer, begun + _START_S
        assert outer is not None
        while time.monotonic() < end and outer.poll() is None:
            self.pid = next(iter(place.children(outer.pid)), self.pid)
            try:
                httpx.get(f"{ADDRESS}/sign-in", timeout=2)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            self.slow = min(_MOST_SLOW, max(1.0, (time.monotonic() - begun) / _USUAL_S))
            return True
        self.said = self.log.read_bytes()[self._said_from :].decode(errors="replace")
        self.kill()
        return False

    def start_only(self) -> None:
        """Start the system without waiting for it."""
        moved = [f"--monotonic={self.booted}", f"--boottime={self.booted}"]
        variables = [f"{name}={value}" for name, value in self.shim.environment.items()]
        command = ["unshare", "--time", *moved, "--fork", "--kill-child=SIGKILL", "env", *variables, sys.executable, "-m"]
        command += [*self.command, "--site", str(self.site), "--data", str(self.data)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PYTHONUNBUFFERED": "1"}
        self.said = ""
        with self.log.open("ab") as log:
            self._said_from = log.tell()
            self._outer = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 5
        while not (found := place.children(self._outer.pid)) and time.monotonic() < end and self._outer.poll() is None:
            time.sleep(0.01)
        self.pid = next(iter(found), 0)

    def stop(self) -> bool:
        """End the system in good order (SIGTERM); whether it ended by itself in time."""
        if not self.running:
            return True
        outer = self._outer
        assert outer is not None
        everybody = list(place.family(outer.pid))
        place.send(self.pid, signal.SIGTERM)
        try:
            outer.wait(_END_S)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
        self._end(everybody)
        return ended

    def kill(self, *, cells: bool = False) -> None:
        """The control room is gone at once. Its cells live on for a while, as they are meant to; with `cells` they are gone, too."""
        self._kill()
        if cells:
            place.end_all(self.cells())

    def _kill(self) -> None:
        outer = self._outer
        if outer is None:
            return
        everybody = list(place.family(outer.pid)) if outer.poll() is None else []
        if outer.poll() is None:
            # Where it has not got as far as a process of its own, what starts it is ended instead, and it with that.
            place.send(self.pid or outer.pid, signal.SIGKILL)
            outer.wait(10)
        self._end([pid for pid in everybody if place.name_of(pid) != "cell"])

    def _end(self, everybody: list[int]) -> None:
        """Rooms and launchers see their control room go and end by themselves; whoever does not is ended."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        outer, self._outer = self._outer, None
        mine = [pid for pid in everybody if outer is None or pid != outer.pid]
        end = time.monotonic() + 3
        while any(place.state_of(pid) not in {"", "Z"} for pid in mine) and time.monotonic() < end:
            time.sleep(0.02)
        if outer is not None and outer.poll() is None:
            outer.kill()
            outer.wait(10)
        place.end_all(mine)

    def cells(self) -> list[int]:
        """Those that run, of this life of the control room or of one before."""
        return [pid for pid in place.everybody() if place.name_of(pid) == "cell" and place.state_of(pid) not in {"", "Z"}]

    def workers(self) -> list[int]:
        """Cells and review rooms: what launchers started. A launcher that was killed leaves them to the first process of the namespace."""
        return [pid for pid in place.everybody() if place.name_of(pid) in {"cell", "room"}] + self._odd_workers()

    def fork_servers(self) -> list[int]:
        """The launchers, and what starts odd cells instead of them."""
        return [pid for pid in place.everybody() if place.name_of(pid) == "launcher"] or self._odd_servers()

    def _odd_servers(self) -> list[int]:
        return [child for child in place.children(self.pid) if "multiprocessing.forkserver" in place.command_of(child)]

    def _odd_workers(self) -> list[int]:
        children = (child for server in self._odd_servers() for child in place.children(server))
        return [child for child in children if place.name_of(child) not in {"cell", "room"}]

    # --- folder ---

    def fresh(self, template: Path) -> None:
        """The folder as it was when the template was made, on a new disk."""
        self.clear()
        place.mount_disk(self.data, DISK_MB)
        shutil.copytree(template, self.data, dirs_exist_ok=True)
        self.log.write_bytes(b"")

    def clear(self) -> None:
        self.kill(cells=True)
        self.shim.heal()
        for _ in range(9):
            if not os.path.ismount(self.data):
                break
            place.unmount(self.data)

    @property
    def records(self) -> seed.Records:
        return seed.Records(self.data)

    # --- requests ---

    def api(self, person: str, timeout: float = 30.0) -> httpx.Client:
        """The programming interface as that person's program."""
        if person not in self._clients:
            headers = {"authorization": f"Bearer {self.people[person].token}"}
            self._clients[person] = httpx.Client(base_url=f"{ADDRESS}/api/v1", headers=headers, timeout=timeout)
        return self._clients[person]

    @contextmanager
    def session(self, person: str) -> Iterator[httpx.Client]:
        """The pages as somebody who signed in with password and, where their role needs one, a code. Raises `httpx.RequestError`."""
        with httpx.Client(base_url=ADDRESS, timeout=30 * self.slow, follow_redirects=False) as client:
            answer = self._signed_in(client, person)
            if answer.status_code == 403:
                # A code counts once: whoever signs in again waits for the next one.
                time.sleep(_STEP_S)
                answer = self._signed_in(client, person)
            if answer.status_code != 303:
                raise httpx.RequestError(f"{person} could not sign in: {answer.status_code}")
            yield client

    def _signed_in(self, client: httpx.Client, person: str) -> httpx.Response:
        one = self.people[person]
        answer = client.post("/sign-in", data={"person": person, "password": one.password})
        if answer.status_code == 303 and answer.headers["location"].endswith("/factor"):
            answer = client.post("/sign-in/factor", data={"code": seed.totp(one, self.now() + self.wrong)})
        return answer
