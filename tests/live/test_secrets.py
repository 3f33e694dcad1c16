"""No key and no passphrase in the control room: its memory and its disk are searched for planted ones."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from blickschutz.access.service.totp import code_at
from blickschutz.recording.io.clipfile import read_head
from blickschutz.vault.io.files import KeyFolder
from blickschutz.vault.service import join_shares, open_share, unlock
from tests.attack.neighbour import below, doors, intrude
from tests.conftest import ROOT
from tests.live.system import free_port, guest_clip, take_over, until

PASSWORD = "ein Kennwort nur hier"
PASSPHRASES = {"kvd-1": "Losung Quittenmarmelade 4711", "kvd-2": "Losung Wendeltreppe 0815"}


@pytest.fixture
def control_room(tmp_path):
    """A real `blickschutz run` with one camera: its address, its process, its state folder, codes, and how to start it with a root."""
    guest_clip(tmp_path / "guest.mp4")
    port = free_port()
    text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
    head = (
        text[: text.index("[[cameras]]")].replace("port = 8710", f"port = {port}").replace("before_s = 10", "before_s = 2\nmanual_s = 10")
    )
    camera = '[[cameras]]\nid = "vorplatz-nord"\nname = "Vorplatz Nord"\nside = "forecourt"\naddress = "file:guest.mp4"\n'
    sealed = head.replace('mode = "anonymous"', 'mode = "sealed"').replace("after_s = 10", "after_s = 1\nreserve_mb = 50")
    site = tmp_path / "site.toml"
    # Shown and not operated: a site that goes live needs its gates.
    site.write_text(sealed.replace("[site]\n", "[site]\ndemo = true\n") + camera, encoding="utf-8")
    environment = {**os.environ, "BLICKSCHUTZ_DATA": str(tmp_path / "data")}
    # The models lie where they lay: only the state of the site is to be in this folder.
    models = os.environ.get("BLICKSCHUTZ_DATA") or f"{sys.prefix}/share/blickschutz"
    (tmp_path / "data").mkdir()
    (tmp_path / "data/models").symlink_to(f"{models}/models")
    codes = {}
    for person in (*PASSPHRASES, "leitstelle-1"):
        command = [sys.executable, "-m", "blickschutz.cli.main", "users", "invite", "--site", str(site), person]
        output = subprocess.run(command, text=True, check=True, env=environment, capture_output=True).stdout
        codes[person] = output.splitlines()[0].rpartition(": ")[2]
    room = ControlRoom(site, environment, f"http://127.0.0.1:{port}", tmp_path / "data/sites", codes)
    room.start()
    yield room
    room.end()


class ControlRoom:
    """The process, and what a test needs of it."""

    def __init__(self, site, environment, address, state, codes):
        self._site, self._environment, self.address, self.state, self.codes = site, environment, address, state, codes
        self.log = site.with_name("log.txt")

    def start(self):
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "blickschutz.cli.main", "run", "--site", str(self._site)]
            self.process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        until(lambda: answers(self.address), 80)

    def end(self):
        self.process.terminate()
        self.process.wait(30)

    def pin(self, root):
        """Two people compared the root; it stands in the site file from now on."""
        self.end()
        self._site.write_text(
            self._site.read_text(encoding="utf-8").replace("[review]\n", f'[review]\nroot = "{root}"\n'), encoding="utf-8"
        )
        self.start()


def answers(address):
    try:
        return httpx.get(f"{address}/sign-in").status_code == 200
    except httpx.TransportError:
        return False


def sign_in_again(client, person, password, shared):
    """After a restart; a code counts once, so the next one is used."""
    client.post("/sign-in", data={"person": person, "password": password})
    answer = client.post("/sign-in/factor", data={"code": code_at(shared, int(time.time() // 30) + 1)})
    assert answer.status_code == 200, answer.text[-2000:]


def command_lines(pid):
    """Arguments and environment of a process and all that it started."""
    found = b""
    for one in (pid, *descendants(pid)):
        for name in ("cmdline", "environ"):
            try:
                found += Path(f"/proc/{one}/{name}").read_bytes()
            except OSError:
                continue  # ended meanwhile, or unreadable even for root
    return found


def link(text, word):
    found = re.search(rf'href="(http://127\.0\.0\.1:\d+/{word}/[^"]+)"', text)
    assert found, text[-3000:]
    return found.group(1)


@pytest.mark.later
def test_keys_and_passphrases_never_reach_the_control_room(control_room):
    address, state, codes = control_room.address, control_room.state, control_room.codes
    clients, shared = {}, {}
    for person, passphrase in PASSPHRASES.items():
        clients[person] = client = httpx.Client(base_url=address, follow_redirects=True, timeout=60)
        shared[person] = take_over(client, person, codes[person], PASSWORD)
        door = link(client.post("/passphrase").text, "key")
        assert "gilt" in client.post(door, data={"new": passphrase, "again": passphrase}).text
    folder = until(lambda: next(iter(state.glob("*/keys/reviewers")), None), 30)
    until(lambda: len(list(folder.glob("*.json"))) == 2, 30)
    for person, passphrase in PASSPHRASES.items():
        door = link(clients[person].post("/passphrase").text, "key")
        signed = clients[person].post(f"{door}/found", data={"people": "kvd-2", "passphrase": passphrase}).text
    control_room.pin(re.search(r'root = "([0-9a-f]{64})"', html.unescape(signed))[1])
    process = control_room.process
    for person, client in clients.items():
        sign_in_again(client, person, PASSWORD, shared[person])
    clients["leitstelle-1"] = duty = httpx.Client(base_url=address, follow_redirects=True, timeout=60)
    take_over(duty, "leitstelle-1", codes["leitstelle-1"], PASSWORD)
    until(lambda: duty.get("/cameras/vorplatz-nord/picture.jpg").status_code == 200, 80)
    until(lambda: duty.post("/cameras/vorplatz-nord/record", data={"text": "Probe"}).status_code == 200, 40)
    until(lambda: "Erstsichtung" in clients["kvd-1"].get("/cases/1").text, 80)
    seats = {}
    for person, passphrase in PASSPHRASES.items():
        door = link(clients[person].post("/cases/1/enter").text, "join")
        seats[person] = clients[person].post(door, data={"passphrase": passphrase}).url
    video = clients["kvd-2"].get(f"{seats['kvd-2']}/video.mp4")
    assert video.status_code == 200
    assert len(video.content) > 10_000

    keys = KeyFolder(folder)
    path = next(state.glob("*/clips/*.clip"))
    head = read_head(path)
    privates = {person: unlock(keys.get(person), passphrase) for person, passphrase in PASSPHRASES.items()}
    shares = [open_share(head.envelope, person, private) for person, private in privates.items()]
    secrets = {"clip key": join_shares(head.envelope, *shares)}
    secrets |= {f"passphrase of {person}": passphrase.encode() for person, passphrase in PASSPHRASES.items()}
    secrets |= {f"private key of {person}": bytes(private) for person, private in privates.items()}
    secrets |= {f"share {index}": share.y for index, share in enumerate(shares)}

    memory = memory_of(process.pid)
    assert b"blickschutz.reviewroom" in memory, "the search itself must be able to find something"
    assert [name for name, secret in secrets.items() if secret in memory] == []
    disk = b"".join(file.read_bytes() for file in state.rglob("*") if file.is_file())
    assert [name for name, secret in secrets.items() if secret in disk] == []
    # The room, where they belong, has them: the same search finds them there.
    rooms = [memory_of(pid) for pid in descendants(process.pid)]
    assert any(secrets["clip key"] in room or PASSPHRASES["kvd-2"].encode() in room for room in rooms)
    meet_the_neighbour(control_room, seats, clients)
    written = control_room.log.read_bytes() + command_lines(process.pid)
    assert [name for name, secret in secrets.items() if secret in written] == []
    for person, seat in seats.items():
        clients[person].post(f"{seat}/leave")
    for client in clients.values():
        client.close()


def meet_the_neighbour(control_room, seats, clients):
    """A second user of the machine, while two people sit in a room: what that user can open, take, reach or send again."""
    if os.getuid() != 0:
        return  # nobody but root can become a second user
    folder, pids = control_room.state.parent, [control_room.process.pid, *descendants(control_room.process.pid)]
    folder.chmod(0o755)  # the test's own; those of the site stay as they were made
    files, folders = below(folder, "sites")
    packages, rooms = below(Path("/dev/shm"))
    of_rooms = [name for name in (*packages, *rooms) if any(f"evidence-{pid}-" in name for pid in pids)]
    ports, sockets = doors(pids)
    own = int(control_room.address.rpartition(":")[2])
    requests = [(own, sent("GET", path, own)) for path in ("/", "/cases/1", "/log", "/metrics", "/cameras/vorplatz-nord/picture.jpg")]
    for seat in map(httpx.URL, map(str, seats.values())):
        requests += [(seat.port, sent("GET", f"{seat.path}{what}", seat.port)) for what in ("", "/video.mp4")]
        requests += [(seat.port, sent("POST", f"{seat.path}/leave", seat.port, f"Origin: http://127.0.0.1:{seat.port}"))]
    requests += [(port, sent("OPTIONS", "rtsp://127.0.0.1/x", port).replace("HTTP/1.1", "RTSP/1.0")) for _, port in ports if port != own]
    attempt = {"files": files, "folders": folders, "pids": pids, "ports": ports, "sockets": sockets, "requests": requests}
    found = intrude(folder, **attempt)
    there = [f"/dev/shm/{name}" for name in of_rooms]
    also = intrude(folder, files=there, folders=[one for one in there if Path(one).is_dir()])
    assert found["done"] + also["done"] == []
    assert len(pids) >= 4, "control room, launcher, cell, room"
    assert found["tried"] > 150
    assert {host for host, _ in ports} == {"127.0.0.1"}
    for request, answer in found["answers"].items():
        assert re.match(r"HTTP/1\.[01] (303|400|401|403|404|405|410)|$|ECONNRESET", answer), (request, answer[:300])
        assert "ftyp" not in answer, request
    assert not any(secret in found["told"] for secret in (PASSWORD, *PASSPHRASES.values()))
    for person, seat in seats.items():
        assert clients[person].get(f"{seat}/video.mp4").status_code == 200, "whoever sits there sits there still"


def sent(method, path, port, *fields):
    """A request as somebody sends it who knows the address and has no session."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", "Content-Length: 0", *fields, "", ""])


def memory_of(pid):
    """Everything readable in the memory of a process."""
    parts = []
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            start, end = (int(part, 16) for part in place.split("-"))
            if "r" not in rights or "w" not in rights or end - start > 1 << 31:
                continue
            try:
                memory.seek(start)
                parts.append(memory.read(end - start))
            except OSError:
                continue
    return b"".join(parts)


def descendants(pid):
    import psutil

    time.sleep(0.1)
    return [child.pid for child in psutil.Process(pid).children(recursive=True)]
