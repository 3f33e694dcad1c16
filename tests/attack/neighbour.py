"""A second user of the machine, without rights, who tries everything that such a user can try against a site that runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

NOBODY = 65534
# Loads what it needs before it becomes somebody who may not even read the interpreter's own files.
PROGRAM = textwrap.dedent("""
    import ctypes, encodings.idna, errno, json, os, select, signal, socket, stat, sys
    task = json.load(sys.stdin)
    if task["uid"]:
        os.setgroups([])
        os.setresgid(*(task["uid"],) * 3)
        os.setresuid(*(task["uid"],) * 3)
    library = ctypes.CDLL(None, use_errno=True)
    done, tried, answers = [], 0, {}
    def tries(what, attempt):
        global tried
        tried += 1
        try:
            attempt()
        except OSError:
            return
        done.append(what)
    def touch(path, flags):
        os.close(os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY))
    def call(name, *arguments):
        ctypes.set_errno(0)
        if getattr(library, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)
    def reads(path):
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            if not os.read(handle, 1):
                raise OSError(errno.ENODATA, path)
        finally:
            os.close(handle)
    # Files, relative to a folder that was open before: no folder above it protects them.
    for path in task["files"]:
        tries(f"read {path}", lambda: touch(path, os.O_RDONLY))
        tries(f"write {path}", lambda: touch(path, os.O_WRONLY))
        tries(f"remove {path}", lambda: os.unlink(path))
        tries(f"link {path}", lambda: os.link(path, "/dev/shm/of-a-neighbour"))
    for path in task["folders"]:
        tries(f"list {path}", lambda: os.listdir(path))
        tries(f"make {path}", lambda: touch(f"{path}/made-by-a-neighbour", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        tries(f"rename {path}", lambda: os.rename(path, f"{path}-of-a-neighbour"))
    # Processes: what /proc shows of them, tracing, their descriptors, signals.
    for pid in task["pids"]:
        for name in ("environ", "maps", "smaps", "auxv", "pagemap", "syscall", "stack", "personality", "io", "fd/0", "clear_refs"):
            tries(f"{name} of {pid}", lambda: reads(f"/proc/{pid}/{name}"))
        tries(f"memory of {pid}", lambda: touch(f"/proc/{pid}/mem", os.O_RDWR))
        for name in ("fd", "map_files", "fdinfo"):
            tries(f"{name} of {pid}", lambda: os.listdir(f"/proc/{pid}/{name}"))
        for name in ("cwd", "root", "exe"):
            tries(f"{name} of {pid}", lambda: os.readlink(f"/proc/{pid}/{name}"))
        tries(f"trace {pid}", lambda: call("ptrace", 16, pid, 0, 0))
        tries(f"seize {pid}", lambda: call("ptrace", 0x4206, pid, 0, 0))
        handle = os.pidfd_open(pid)
        tries(f"descriptor of {pid}", lambda: call("syscall", 438, handle, 0, 0))
        tries(f"signal {pid}", lambda: signal.pidfd_send_signal(handle, 0))
        tries(f"kill {pid}", lambda: os.kill(pid, 0))
        os.close(handle)
    # Ports: taking them over beside their owner, speaking with whoever listens there.
    for host, port in task["ports"]:
        for own in (host, "0.0.0.0"):
            def bind():
                with socket.socket() as one:
                    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                        one.setsockopt(socket.SOL_SOCKET, option, 1)
                    one.bind((own, port))
                    one.listen()
            tries(f"bind {own}:{port}", bind)
    for name in task["sockets"]:
        def connect():
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
                one.connect(name.replace("@", chr(0), 1))
        tries(f"connect {name}", connect)
    def said(port, text):
        with socket.create_connection(("127.0.0.1", port), 5) as one:
            one.sendall(text.encode("latin-1"))
            found = b""
            try:
                while len(found) < 65536 and (part := one.recv(65536)):
                    found += part
            except OSError:
                pass
            return found
    for port, text in task["requests"]:
        try:
            answers[f"{port} {text}"] = said(port, text).decode("latin-1")
        except OSError as error:
            answers[f"{port} {text}"] = errno.errorcode.get(error.errno, "timeout")
    # What everybody may read must tell nothing.
    told = "".join(open(f"/proc/{pid}/{name}", errors="replace").read() for pid in task["pids"] for name in ("cmdline", "comm", "status"))
    print(json.dumps({"done": done, "tried": tried, "answers": answers, "told": told}))
""")


def intrude(
    folder: Path,
    *,
    files: Iterable[str] = (),
    folders: Iterable[str] = (),
    pids: Sequence[int] = (),
    ports: Iterable[tuple[str, int]] = (),
    sockets: Iterable[str] = (),
    requests: Iterable[tuple[int, str]] = (),
    uid: int = NOBODY,
) -> dict:
    """What the neighbour could do: `done`, of `tried` attempts; `answers` to `requests` by port and text; what was `told` of processes.

    Paths are relative to `folder`, which the neighbour must be able to enter; nothing above it is in their way.
    """
    task = {"uid": uid, "files": list(files), "folders": list(folders), "pids": list(pids), "ports": list(ports)}
    task |= {"sockets": list(sockets), "requests": list(requests)}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(task), capture_output=True, text=True, timeout=120, check=False, cwd=folder
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def below(folder: Path, start: str = ".") -> tuple[list[str], list[str]]:
    """All files and folders under `folder / start`, as paths relative to `folder`; the folder itself too."""
    files, folders = [], []
    for at, _, names in os.walk(folder / start):
        folders.append(os.path.relpath(at, folder))
        files += [os.path.relpath(os.path.join(at, name), folder) for name in names]
    return files, folders


def doors(pids: Iterable[int]) -> tuple[list[tuple[str, int]], list[str]]:
    """Where these processes listen, as root sees it: addresses with ports, names of local sockets."""
    own = {link.removeprefix("socket:[").rstrip("]") for pid in pids for link in _links(pid) if link.startswith("socket:[")}
    ports = []
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        row = line.split()
        if row[3] == "0A" and row[9] in own:
            host, port = row[1].split(":")
            ports.append((".".join(str(part) for part in bytes.fromhex(host)[::-1]), int(port, 16)))
    rows = (line.split() for line in Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()[1:])
    return ports, [row[7] for row in rows if len(row) > 7 and row[6] in own]


def _links(pid: int) -> Iterable[str]:
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            yield os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue  # closed meanwhile
