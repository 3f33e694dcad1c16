"""Somebody has taken over a process of a zone and tries, from inside, what it was never meant to do: 0 files, 0 addresses, 0 calls."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from blickschutz.zones.calls import _CONTROL_ALONE, _NEVER
from blickschutz.zones.hardening import lacking
from blickschutz.zones.model import Wall
from blickschutz.zones.numbers import architecture

needs_files = pytest.mark.skipif(Wall.FILES in lacking(), reason="this kernel has no Landlock")
needs_ports = pytest.mark.skipif(Wall.PORTS in lacking(), reason="this kernel's Landlock knows no ports")
needs_calls = pytest.mark.skipif(Wall.CALLS in lacking(), reason="this kernel has no filters of system calls")
_MOST_FOUND = 400
# Reads what is to be tried, confines itself as the zone does, and says what it could do nevertheless.
INTRUDER = textwrap.dedent("""
    import ctypes, errno, json, os, socket, sys, threading
    from pathlib import Path
    from blickschutz.zones import profiles
    from blickschutz.zones.hardening import confine, harden
    task = json.load(sys.stdin)
    folder = Path(task["folder"])
    data, certificate = folder / "data", (folder / "data/tls/server.crt", folder / "data/tls/server.key")
    made = {
        "cell": lambda: profiles.cell(models=folder / "models", clips=data / "clips", addresses=[f"rtsp://127.0.0.1:{task['camera']}/s"]),
        "film": lambda: profiles.cell(models=folder / "models", clips=data / "clips", file=folder / "film.mp4"),
        "room": lambda: profiles.review_room(
            clip=data / "clips/own.clip", exports=data / "exports", memory=folder / "memory", certificate=certificate),
        "desk": lambda: profiles.key_desk(certificate=certificate),
        "trial": lambda: profiles.trial(models=folder / "models", addresses=[f"rtsp://127.0.0.1:{task['camera']}/s"]),
        "device": lambda: profiles.device(address=f"http://127.0.0.1:{task['camera']}"),
        "finder": lambda: profiles.finder(),
        "control": lambda: profiles.control_room(data=data, site=[folder / "site"], models=folder / "models", memory=folder / "shared",
            temporary=folder / "memory", connect=[task["mail"]], bind=task["own"]),
    }[task["zone"]]()
    harden()
    confine(made)
    done = {"read": [], "write": [], "other": [], "connect": [], "bind": [], "calls": {}}
    def tries(kind, what, attempt):
        try:
            attempt()
        except OSError as error:
            return error.errno
        done[kind].append(what)
        return 0
    def touch(path, flags):
        os.close(os.open(path, flags))
    def everything():
        for path in task["paths"]:
            tries("read", path, lambda: touch(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))
            tries("write", path, lambda: touch(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY))
        for path in task["folders"]:
            tries("other", f"make {path}", lambda: touch(f"{path}/made", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            tries("other", f"mkdir {path}", lambda: os.mkdir(f"{path}/made.d"))
            tries("other", f"link {path}", lambda: os.symlink("/etc/passwd", f"{path}/made.l"))
            tries("other", f"list {path}", lambda: os.listdir(path))
            for name in ("own.clip", "victim"):
                tries("other", f"empty {path}", lambda: os.truncate(f"{path}/{name}", 0))
                tries("other", f"remove {path}", lambda: os.unlink(f"{path}/{name}"))
        for port in task["ports"]:
            tries("connect", port, lambda: socket.create_connection(("127.0.0.1", port), 2).close())
        for port in task["binds"]:
            tries("bind", port, lambda: socket.create_server(("127.0.0.1", port)).close())
        library = ctypes.CDLL(None, use_errno=True)
        for name, number in task["calls"].items():
            ctypes.set_errno(0)
            answer = library.syscall(ctypes.c_long(number), *(ctypes.c_long(-1),) * 6)
            if answer == 0 and name in ("fork", "vfork"):
                os._exit(0)
            done["calls"][name] = 0 if answer >= 0 else ctypes.get_errno()
        done["kill"] = tries("other", "kill", lambda: os.kill(task["pid"], 0))
        done["family"] = [tries("other", "socket", lambda: socket.socket(*kind).close()) for kind in task["sockets"]]
    # In a second thread: what was confined must have been the process.
    thread = threading.Thread(target=everything)
    thread.start()
    thread.join()
    print(json.dumps(done))
""")


@pytest.fixture
def place(tmp_path_factory):
    """A site's files."""
    folder = tmp_path_factory.mktemp("zones")
    files = (
        *("data/control.db", "data/keys/installation.key", "data/keys/reviewers/kvd-1.json", "data/clips/own.clip", "data/clips/victim"),
        *("data/exports/victim", "data/tls/server.crt", "data/tls/server.key", "data/victim", "models/centernet.onnx", "film.mp4"),
        *("site/site.toml", "shared/victim", "memory/victim", "elsewhere/victim"),
    )
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


@pytest.fixture(scope="module")
def listeners():
    """Ports of this machine on which somebody listens: a camera's, a mail server's, and four more."""
    opened = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(6)]
    yield [one.getsockname()[1] for one in opened]
    for one in opened:
        one.close()


def around(folder: Path) -> list[str]:
    """Files of this machine that no zone has on its list, and those of the site."""
    found = [str(path) for path in sorted(folder.rglob("*")) if path.is_file()]
    for root in ("/etc", "/root", "/home", "/var/log", "/var/lib/dpkg", "/run", "/usr/bin", "/boot", "/opt"):
        for path, _, names in os.walk(root, onerror=None):
            found += [os.path.realpath(os.path.join(path, name)) for name in names[:20] if os.path.isfile(os.path.join(path, name))]
            if len(found) > _MOST_FOUND:
                break
    me = os.getpid()
    found += [f"/proc/{who}/{name}" for who in (1, me) for name in ("environ", "maps", "mem", "cmdline", "status")]
    return [*found, "/dev/kmsg", "/dev/mem", "/dev/tty", "/proc/kcore", "/proc/sysrq-trigger"]


def started(code, given):
    arguments = [sys.executable, "-c", code]
    # As the command sets it: a pool of threads would be outside.
    single = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(arguments, input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False, env=single)


def intrude(zone, place, listeners=(0, 0), **task):
    camera, mail, *_ = listeners
    folders = [str(path) for path in sorted(place.rglob("*")) if path.is_dir()]
    given = {"zone": zone, "folder": str(place), "camera": camera, "mail": mail, "own": 8710, "pid": os.getpid(), "folders": folders}
    given |= {"paths": [], "ports": [], "binds": [], "calls": {}, "sockets": [], **task}
    done = started(INTRUDER, given)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


ETC = r"^/etc/(ld\.so\.cache|localtime|timezone|mime\.types|ssl/openssl\.cnf)$"
COMMON = re.compile(r"^/(usr/)?lib(64)?/|^/usr/local/lib/|^/usr/share/zoneinfo/|" + ETC)
NAMES = re.compile(r"^/etc/(hosts|resolv\.conf|nsswitch\.conf|host\.conf|gai\.conf|services)$|^/run/systemd/resolve/")
AUTHORITIES = re.compile(r"^/etc/ssl/certs/|^/usr/share/(ca-certificates|fonts)/")
CLIPS = {"data/clips/own.clip", "data/clips/victim"}, {"make data/clips", "list data/clips", "list models"}
# What each may read, write, and do to folders.
OWN = {
    "cell": ({"models/centernet.onnx"}, *CLIPS),
    "film": ({"models/centernet.onnx", "film.mp4"}, *CLIPS),
    "room": (
        {"data/clips/own.clip", "data/tls/server.crt", "data/tls/server.key", "memory/victim"},
        {"data/exports/victim", "memory/victim"},
        {f"{act} {at}" for at in ("data/exports", "memory") for act in ("make", "mkdir", "link", "list", "empty", "remove")},
    ),
    "desk": ({"data/tls/server.crt", "data/tls/server.key"}, set(), set()),
    "trial": ({"models/centernet.onnx"}, set(), {"list models"}),
    "device": (set(), set(), set()),
    "finder": (set(), set(), set()),
}


@needs_files
@pytest.mark.parametrize("zone", OWN)
def test_no_file_is_opened_beyond_the_list(zone, place):
    found = intrude(zone, place, paths=around(place))
    reads, writes, others = OWN[zone]
    prefix = f"{place}/"
    assert {path for path in found["read"] if not COMMON.match(path)} == {prefix + name for name in reads}
    assert set(found["write"]) == {prefix + name for name in writes}
    assert {one.replace(prefix, "") for one in found["other"]} == others


@needs_files
def test_the_control_room_reads_no_room_in_memory_and_nothing_beside_its_data(place):
    found = intrude("control", place, paths=[path for path in around(place) if not path.startswith(f"{place}/data")], folders=[])
    beyond = [path for path in found["read"] if not (COMMON.match(path) or NAMES.match(path) or AUTHORITIES.match(path))]
    assert {path.removeprefix(f"{place}/") for path in beyond} == {"site/site.toml", "models/centernet.onnx", "memory/victim"}
    # What a dead room left in memory is overwritten, unread.
    assert {path.removeprefix(f"{place}/") for path in found["write"]} == {"shared/victim", "memory/victim"}


# The first port is the camera's, the second the mail server's.
REACHED = dict.fromkeys(["film", "room", "desk", "finder"], slice(0))
REACHED |= {"cell": slice(0, 1), "trial": slice(0, 1), "device": slice(0, 1), "control": slice(1, 2)}


@needs_ports
@pytest.mark.parametrize("zone", REACHED)
def test_no_port_is_reached_or_bound_beyond_the_list(zone, place, listeners):
    with socket.create_server(("127.0.0.1", 0)) as free:
        ports = [free.getsockname()[1], 0, 8711]
    found = intrude(zone, place, listeners, ports=listeners, binds=ports)
    assert found["connect"] == listeners[REACHED[zone]]
    assert found["bind"] == []


@needs_calls
@pytest.mark.parametrize("zone", list(REACHED))
def test_no_call_is_made_that_no_zone_needs(zone, place):
    machine = architecture()
    names = _NEVER if zone == "control" else (*_NEVER, *_CONTROL_ALONE)
    # A terminal of whoever runs the tests would be hung up, were the filter missing.
    calls = {name: machine.number(name) for name in names if machine.number(name) is not None and name != "vhangup"}
    found = intrude(
        zone, place, folders=[], calls=calls, sockets=[(socket.AF_UNIX, socket.SOCK_STREAM), (socket.AF_NETLINK, socket.SOCK_RAW)]
    )
    assert {name: answer for name, answer in found["calls"].items() if answer != 1} == {}
    assert len(found["calls"]) > 50
    unix, netlink = found["family"]
    assert netlink == 1
    assert unix == (0 if zone == "control" else 1)
    assert found["kill"] == (0 if zone == "control" else 1)


@needs_calls
def test_a_call_by_another_interface_ends_the_process(place):
    if os.uname().machine != "x86_64":
        pytest.skip("only x86-64 knows a second interface of calls")
    code = INTRUDER.split("done = {")[0] + "ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39))"
    given = {"zone": "desk", "folder": str(place)}
    assert started(code, given).returncode == -signal.SIGSYS


ORPHAN = """
import json, os, signal, socket, sys
from pathlib import Path
from blickschutz.control.service.launching import LAUNCHER, launch_cell, start_launcher
from blickschutz.zones import profiles
from blickschutz.zones.hardening import confine, harden
task = json.load(sys.stdin)
folder = Path(task["folder"])
harden()
start_launcher()
confine(profiles.control_room(data=folder, site=[], models=folder, memory=folder, temporary=folder, connect=[], bind=1024))
for _ in range(task["rounds"]):
    if task["stands by"]:
        LAUNCHER.look()
    for pid in LAUNCHER.pids[:1]:
        os.kill(pid, signal.SIGKILL)
    ours, theirs = socket.socketpair()
    try:
        process = launch_cell(theirs, "a")
    except OSError as error:
        print(error)
        continue
    theirs.close()
    ours.close()
    process.join(20)
    print("a cell ended with", process.exitcode)
"""


@needs_files
def test_a_control_room_that_has_lost_both_launchers_starts_no_cell_inside_its_own_walls(place):
    """It may start no program: the cell is refused, and the tile says that it is lost."""
    done = started(ORPHAN, {"folder": str(place), "rounds": 2, "stands by": False})
    assert done.returncode == 0, done.stderr
    assert "has ended" in done.stdout
    assert "Permission denied" in done.stdout


@needs_files
def test_a_confined_control_room_has_a_killed_launcher_replaced_by_the_other_one(place):
    """The launcher is killed three times, and each time a cell is started, hears that nobody is there, and its end is known."""
    done = started(ORPHAN, {"folder": str(place), "rounds": 3, "stands by": True})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["a cell ended with 0"] * 3, done.stderr
