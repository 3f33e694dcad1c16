"""Profiles, filters and the table of zones; what is done where the kernel lacks something, and where it fails."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts.zones import TARGET, renewed

from blickschutz.alerts.io import broker
from blickschutz.bootstrap.zones import control_profile
from blickschutz.config.loader import load_site
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.devices import Decoding
from blickschutz.kernel.errors import FaultError
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.profile import profile_of
from blickschutz.zones import hardening, landlock, profiles
from blickschutz.zones.bpf import Check, packed, program
from blickschutz.zones.calls import checks, only
from blickschutz.zones.hardening import confine, lacking
from blickschutz.zones.model import Grant, Profile, Right, Wall, Zone
from blickschutz.zones.numbers import Architecture, architecture
from tests.conftest import ROOT

SITE = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
MACHINES = (Architecture(0xC000003E, 0), Architecture(0xC00000B7, 1))
A = Path("/a")
CELL = profiles.cell(models=A, clips=A, addresses=["rtsp://192.168.1.2/s"])
FILM = profiles.cell(models=A, clips=A, file=A / "film.mp4")
DESK = profiles.key_desk(certificate=())
CONTROL = control_profile(SITE, A, A, "")


def run(instructions, number, arch, arguments):
    """What the kernel would do: a machine for classic BPF over `struct seccomp_data` (little endian, low words of arguments)."""
    at, value = 0, 0
    while True:
        code, jump, other, k = instructions[at]
        at += 1
        if code == 0x20:
            value = {0: number, 4: arch}.get(k) if k < 16 else arguments[(k - 16) // 8] & 0xFFFFFFFF
        elif code == 0x54:
            value &= k
        elif code == 0x06:
            return k
        else:
            at += jump if (value == k if code == 0x15 else value >= k) else other


def judged(profile, machine, name, *arguments):
    made = program(machine.audit, checks(profile, machine), only(profile, machine))
    return run(made, machine.number(name), machine.audit, (*arguments, *(0,) * 6))


@pytest.mark.parametrize("machine", MACHINES)
def test_each_zone_is_refused_what_it_does_not_need(machine):
    for profile in (CELL, FILM, DESK, CONTROL):
        for name in ("ptrace", "process_vm_readv", "bpf", "userfaultfd", "mount", "kexec_load", "io_uring_setup", "keyctl", "setns"):
            assert judged(profile, machine, name) == EPERM, (profile.zone, name)
        assert judged(profile, machine, "read") == ALLOW
        assert judged(profile, machine, "clone3") == ENOSYS
        assert judged(profile, machine, "ioctl", 0, 0x5412) == EPERM, "typing into a terminal"
        assert judged(profile, machine, "ioctl", 0, 0x5401) == ALLOW
    thread, process = 0x003D0F00, 0x01200011
    assert judged(CELL, machine, "clone", thread) == judged(CONTROL, machine, "clone", process) == ALLOW
    assert judged(CELL, machine, "clone", process) == judged(CONTROL, machine, "clone", process | 0x10000000) == EPERM
    assert judged(CELL, machine, "execve") == judged(DESK, machine, "execve") == judged(DESK, machine, "kill") == EPERM
    assert judged(CONTROL, machine, "execve") == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_sockets_are_of_the_kinds_that_a_zone_needs(machine):
    unix, four, six, netlink = 1, 2, 10, 16
    stream, datagram, raw, cloexec = 1, 2, 3, 0o2000000
    assert [judged(CELL, machine, "socket", family, stream | cloexec) for family in (unix, four, six, netlink)] == [
        EPERM,
        ALLOW,
        ALLOW,
        EPERM,
    ]
    assert [judged(CELL, machine, "socket", four, kind) for kind in (datagram, raw)] == [EPERM, EPERM]
    assert [judged(FILM, machine, "socket", family, stream) for family in (unix, four, six)] == [EPERM] * 3
    assert [judged(DESK, machine, "socket", family, stream) for family in (unix, four, six)] == [EPERM] * 3
    assert [judged(CONTROL, machine, "socket", family, datagram) for family in (unix, four, netlink)] == [ALLOW, ALLOW, EPERM]
    named = profiles.cell(models=A, clips=A, addresses=["rtsp://kamera-3.rathaus/s"])
    assert judged(named, machine, "socket", four, datagram) == ALLOW, "a name has to be asked for"


@pytest.mark.parametrize("machine", MACHINES)
@given(number=st.integers(0, 2**32 - 1), first=st.integers(0, 2**64 - 1))
def test_a_cell_makes_no_call_that_is_not_on_its_list(machine, number, first):
    answer = run(program(machine.audit, checks(CELL, machine), only(CELL, machine)), number, machine.audit, (first,) * 6)
    if answer == ALLOW:
        assert number in only(CELL, machine)
    assert answer in {ALLOW, EPERM, ENOSYS} if number < 0x40000000 else answer == KILL


def test_a_call_of_another_architecture_ends_the_process():
    assert run(program(MACHINES[0].audit, ()), 0, 0x40000003, (0,) * 6) == KILL
    assert run(program(MACHINES[0].audit, ()), 0, MACHINES[0].audit, (0,) * 6) == ALLOW


@given(st.lists(st.integers(0, 50), max_size=5), st.integers(0, 60))
def test_the_values_of_an_argument_that_are_good_or_bad_are_told_apart(values, value):
    good = run(program(7, [Check(3, argument=2, good=tuple(values))]), 3, 7, (0, 0, value))
    assert good == (ALLOW if value in values else EPERM)
    bad = run(program(7, [Check(3, argument=2, bad=tuple(values) or (99,))]), 3, 7, (0, 0, value))
    assert bad == (EPERM if value in values else ALLOW)


def test_a_program_is_as_long_as_the_kernel_takes_it():
    for profile in (CELL, CONTROL):
        made = program(MACHINES[0].audit, checks(profile, MACHINES[0]), only(profile, MACHINES[0]))
        assert len(packed(made)) == 8 * len(made) <= 8 * 4096
        assert max(max(jump, other) for _, jump, other, _ in made) < 256


def test_ports_of_a_camera_and_of_channels(tmp_path):
    address = "rtsp://user:word@192.168.1.2:8554/s"
    settings = CellSettings(camera="a", source=SourceSettings(SourceKind.RTSP, address), clips=str(tmp_path / "clips"))
    profile = profile_of(settings)
    assert (profile.connect, profile.bind, profile.udp) == ({8554}, frozenset(), False)
    assert (tmp_path / "clips").is_dir(), "what is not there cannot be granted"
    assert CELL.connect == {554}
    assert profiles.cell(models=A, clips=None, addresses=["rtsps://[fe80::1]/s"]).connect == {322}
    hooks = [
        {"id": "a", "address": "https://example.test/x"},
        {"id": "b", "address": "http://10.0.0.1:8080/x", "plain_because": "a wire of its own"},
    ]
    others = [{"id": "c", "address": "json://10.0.0.1:9000"}, {"id": "d", "address": "tgram://number:word/chat"}]
    alerts = {"mail": {"host": "m", "port": 587, "sender": "a@b", "to": ("c@d",)}, "webhooks": tuple(hooks), "apprise": tuple(others)}
    site = SITE.model_copy(update={"alerts": type(SITE.alerts).model_validate(alerts)})
    assert control_profile(site, A, A, "").connect == {587, 443, 8080, 9000, 25, 80, 465, 1883, 8883}


def test_the_control_room_reads_what_the_site_file_names_and_what_systemd_hands_it(monkeypatch):
    alerts = {
        "mqtt": {
            "host": "127.0.0.1",
            "tls": True,
            "user_file": "broker.user",
            "password_file": "broker.key",
            "authority": "town.pem",
            "client_certificate": "site.pem",
            "client_key": "site.key",
        },
        "mail": {"host": "mail.example", "sender": "a@b", "to": ["c@d"], "password_file": "mail.key", "certificate": "mail.pem"},
        "webhooks": [
            {"id": "desk", "address": "https://desk.example", "password_file": "/etc/desk.key", "signing_secret_file": "desk.sign"}
        ],
        "apprise": [{"id": "app", "address_file": "app.address"}],
    }
    site = SITE.model_copy(update={"alerts": SITE.alerts.model_validate(alerts, strict=False)})
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    named = {str(one.path) for one in control_profile(site, A, A, "").files if one.place == "site file's folder"}
    own = ("broker.user", "site.pem", "site.key", "desk.sign")
    files = ("broker.key", "town.pem", "mail.key", "mail.pem", "app.address", *own)
    assert named == {*(str(A / name) for name in files), "/etc/desk.key", "/run/credentials/x"}
    assert CONTROL.bind == {SITE.server.port}


def test_a_video_that_comes_later_is_seen_when_it_comes(tmp_path):
    def granted(name):
        return {one.path for one in profiles.cell(models=A, clips=None, file=tmp_path / name).files if one.place == "its video file"}

    (tmp_path / "there.mp4").write_bytes(b"")
    assert granted("there.mp4") == {tmp_path / "there.mp4"}
    assert granted("later.mp4") == {tmp_path}


def test_the_folder_of_clips_can_be_added_to_and_nothing_more():
    (clips,) = (one for one in CELL.files if one.place == "clips")
    reads, empties, removes = 1 << 2, 1 << 14, 1 << 5
    assert not landlock.mask_of(clips.rights) & (reads | empties | removes)
    assert not any(one.rights & Right.CHANGE for one in CELL.files)


def test_a_process_with_a_second_thread_is_not_confined():
    """It would be left outside. So nothing is opened, and whoever wanted it ends."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        with pytest.raises(FaultError, match="has threads already"):
            confine(DESK)
    finally:
        end.set()
        thread.join()


# In a process of its own: what is raised stays.
ALONE = """
from pathlib import Path
from blickschutz.kernel.errors import FaultError
from blickschutz.zones import hardening, landlock, profiles
hardening.harden()
{patch}
try:
    print("missing", *sorted(hardening.confine(profiles.key_desk(certificate=()))))
except FaultError as error:
    print("fault", error)
"""


def alone(patch):
    done = subprocess.run([sys.executable, "-c", ALONE.format(patch=patch)], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("version", "missing"),
    [(0, {Wall.FILES, Wall.TRUNCATION, Wall.PORTS, Wall.SIGNALS}), (1, {Wall.TRUNCATION, Wall.PORTS, Wall.SIGNALS}), (5, {Wall.SIGNALS})],
)
def test_what_the_kernel_lacks_is_named_and_the_process_goes_on(version, missing):
    if landlock.version() < version:
        pytest.skip("this kernel's Landlock is older")
    said = alone(f"landlock.version = lambda: {version}")
    assert said.startswith("missing")
    assert set(said.split()[1:]) == missing | (lacking() - set(landlock_walls()))


def landlock_walls():
    return Wall.FILES, Wall.TRUNCATION, Wall.PORTS, Wall.SIGNALS


@pytest.mark.parametrize(
    "patch",
    [
        "landlock._RESTRICT = 9999",
        "hardening.packed = lambda made: bytes(8)",
        "hardening.standing = lambda: frozenset()",
    ],
)
def test_a_wall_that_the_kernel_has_and_that_does_not_stand_is_a_fault(patch):
    if lacking() & {Wall.FILES, Wall.CALLS}:
        pytest.skip("this kernel has no walls that could fail")
    assert alone(patch).startswith("fault"), patch


def test_an_unknown_machine_has_no_list_of_calls(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert architecture() is None
    assert Wall.CALLS in lacking()


@pytest.mark.parametrize(
    ("text", "swaps"), [("Filename Type Size Used Priority\n", False), ("Filename\n/dev/sda2 partition 1 0 -2\n", True)]
)
def test_a_machine_with_swap_is_told_of(text, swaps, tmp_path, monkeypatch):
    (tmp_path / "swaps").write_text(text, encoding="ascii")
    monkeypatch.setattr("blickschutz.zones.hardening._SWAPS", tmp_path / "swaps")
    assert (Wall.NO_SWAP in lacking()) is swaps
    monkeypatch.setattr("blickschutz.zones.hardening._SWAPS", tmp_path / "missing/swaps")
    assert Wall.NO_SWAP in lacking(), "nobody knows"


def test_the_table_of_zones_is_made_from_the_profiles():
    page = TARGET.read_text(encoding="utf-8")
    assert page == renewed(page)
    assert "| " + " | ".join(["", *Zone]).strip(" |") + " |" in page


def test_the_numbers_are_those_of_this_machine():
    """A call that every process may make, by its number."""
    machine = architecture()
    if machine is None:
        pytest.skip("no list of calls for this machine")
    assert ctypes.CDLL(None).syscall(ctypes.c_long(machine.number("getpid"))) == os.getpid()
    assert Profile(Zone.KEY_DESK, ()).sockets is False


def test_the_library_of_mqtt_wakes_itself_without_a_port():
    """A confined control room binds none: with the library's own two TCP sockets no broker was ever reached."""
    pair = broker.mqtt._socketpair_compat()
    assert {(one.family, one.getblocking()) for one in pair} == {(socket.AF_UNIX, False)}
    for one in pair:
        one.close()


class TestDevices:
    """What a cell needs where the site file lets a graphics card decode."""

    CELLS = tuple(
        profiles.cell(models=A, clips=A, addresses=["rtsp://192.168.1.2/s"], decoding=one) for one in (Decoding.NVDEC, Decoding.AUTO)
    )
    DONE = 0x00050000

    @pytest.mark.parametrize("machine", MACHINES)
    def test_the_driver_has_its_socket_and_no_other_kind(self, machine):
        """It listens there; that a name is removed is answered as done and not done."""
        unix, four, stream, datagram, packets = 1, 2, 1, 2, 5
        for profile in self.CELLS:
            assert judged(profile, machine, "socket", unix, packets) == judged(profile, machine, "socket", four, stream) == ALLOW
            assert judged(profile, machine, "socket", unix, datagram) == judged(profile, machine, "socket", four, 3) == EPERM
            assert judged(profile, machine, "bind") == judged(profile, machine, "listen") == judged(profile, machine, "connect") == ALLOW
            for name in ("unlink", "unlinkat"):
                if machine.number(name) is not None:
                    assert judged(profile, machine, name) == self.DONE
            assert judged(profile, machine, "execve") == judged(profile, machine, "ptrace") == EPERM
        for name in ("bind", "listen", "unlink"):
            if machine.number(name) is not None:
                assert judged(CELL, machine, name) == ENOSYS, "where nobody asked for a card"

    def test_other_cards_have_no_socket(self):
        profile = profiles.cell(models=A, clips=A, addresses=["rtsp://192.168.1.2/s"], decoding=Decoding.VAAPI)
        assert (profile.devices, profile.driver_socket) == (True, False)
        assert judged(profile, MACHINES[0], "socket", 1, 5) == EPERM
        assert judged(profile, MACHINES[0], "listen") == ENOSYS

    def test_the_kernel_answers_that_it_is_done_and_does_nothing(self, tmp_path):
        kept = tmp_path / "kept"
        kept.touch()
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
            machine = architecture()
            hardening._filter(packed(program(machine.audit, checks(self.CELLS[0], machine), None)), self.CELLS[0])
            os.unlink(kept)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert kept.exists()

    def test_a_device_is_told_what_to_do_only_where_that_is_granted(self):
        """With Landlock 5 and newer a device that may be read and written takes no orders: asked of the real kernel."""
        if landlock.version() < 5:
            pytest.skip("this kernel does not tell orders to devices apart")

        def ordered(right):
            child = os.fork()
            if child == 0:
                os._exit(self._ordered_within(right))
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        assert ordered(Right.DEVICE) == 0
        assert ordered(Right.READ | Right.ADD) == 13, "EACCES"

    @staticmethod
    def _ordered_within(right):
        """0, or the error with which the random device refuses to say how much it knows (random(4), RNDGETENTCNT)."""
        ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
        landlock.restrict(Profile(Zone.CELL, (Grant("it", Path("/dev/urandom"), right),)), landlock.version())
        handle = os.open("/dev/urandom", os.O_RDONLY)
        try:
            fcntl.ioctl(handle, 0x80045200, bytearray(4))
        except OSError as error:
            return error.errno
        return 0

    def test_names_of_threads_are_written_and_nothing_else_of_proc(self):
        """The driver names its threads, which come after the walls."""
        child = os.fork()
        if child == 0:
            os._exit(self._named_within())
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def _named_within(self):
        ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
        landlock.restrict(self.CELLS[0], landlock.version())
        found = []

        def write():
            Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text("named")
            found.append(Path(f"/proc/self/task/{threading.get_native_id()}/comm").read_text())

        one = threading.Thread(target=write)
        one.start()
        one.join()
        try:
            Path("/proc/self/comm").write_text("named")
        except PermissionError:
            return 0 if found == ["named\n"] else 1
        return 2
