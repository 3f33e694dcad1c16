"""What decodes a stream on this machine, how alike and how fast: devices beside software, over generated streams.

    python -m benchmarks.decoding [--device nvdec|qsv|vaapi] [--pictures N] [--sizes 1280x720,...] [--skip-kernel]

Needs Python 3.11, `av` and `numpy`; of this repository `blickschutz` (its modules `ingest`, `kernel`, `guard`, `zones`) and `plattform`,
which need `structlog`. No model, no footage: pictures are drawn here and encoded with libx264 and libx265.

Printed, in this order:
  devices    what FFmpeg was built with, and which devices open here
  alike      for H.264 and H.265 at each size: the worst and the mean difference between both decoders' pictures (levels of 255),
             processor time and time of both for each picture, and what a cell would choose
  damaged    a stream with bytes that are wrong: whose pictures are called damaged
  lost       a device that fails, hangs, and is not there: who decodes afterwards, and how long the longest wait was
  kernel     which system calls and files the device asks for beyond a cell's list, and whether it decodes within a cell's walls

Each part that fails says so and the rest goes on. The last line is `done`.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import platform
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.codec.hwaccel import hwdevices_available

from blickschutz.guard.service import Guard
from blickschutz.ingest.io import hardware
from blickschutz.ingest.io.decoders import Decoders, StreamDecoder
from blickschutz.ingest.io.hardware import Opener, open_decoder
from blickschutz.ingest.io.planes import planes_of
from blickschutz.ingest.rules.beside import TRIED, difference
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.devices import Decoding
from blickschutz.zones.bpf import packed
from blickschutz.zones.calls import _CELL
from blickschutz.zones.hardening import confine, harden, lacking
from blickschutz.zones.numbers import _NUMBERS
from blickschutz.zones.profiles import cell

_CODECS = {"h264": "libx264", "hevc": "libx265"}
_RATE, _GROUP = 25, 25
# Where a library is looked for and never lies.
_SOUGHT = ("/tls/", "hwcaps", "haswell", "avx512", "/x86_64/")


def stream(codec: str, width: int, height: int, count: int, options: dict[str, str] | None = None) -> list[av.Packet]:
    """Things that move over a still, structured ground with noise, as a camera sends it; no B pictures."""
    context = av.CodecContext.create(_CODECS[codec], "w")
    context.width, context.height, context.pix_fmt, context.time_base = width, height, "yuv420p", Fraction(1, _RATE)
    context.gop_size = _GROUP
    quiet = {"x265-params": f"log-level=none:keyint={_GROUP}:bframes=0"} if codec == "hevc" else {"bf": "0"}
    context.options = {"preset": "ultrafast", "crf": "24", "threads": "1" if width < 1000 else "0", **quiet, **(options or {})}
    random = np.random.default_rng(1)
    ground = np.kron(random.integers(40, 200, (height // 16 + 1, width // 16 + 1)), np.ones((16, 16)))[:height, :width].astype(np.int16)
    grain = random.integers(-6, 7, (height + 8, width + 8)).astype(np.int16)
    packets: list[av.Packet] = []
    for index in range(count):
        y = ground + grain[index % 8 : index % 8 + height, (3 * index) % 8 : (3 * index) % 8 + width]
        for one in range(6):
            left, top = (17 * one + 5 * index * (1 + one % 3)) % (width - width // 10), height * one // 8
            y[top : top + height // 6, left : left + width // 20] = 30 + 30 * one
        chroma = np.full((height // 2, width), 128 + 20 * np.sin(index / 9), np.uint8)
        frame = av.VideoFrame.from_ndarray(np.concatenate([np.clip(y, 0, 255).astype(np.uint8), chroma]), format="yuv420p")
        frame.pts = index
        packets += context.encode(frame)
    return packets + context.encode(None)


def software(codec: str) -> Any:
    context = av.CodecContext.create(codec, "r")
    context.thread_count = 1
    return context


def _software_h264() -> Any:
    return software("h264")


def devices() -> list[Decoding]:
    """Prints what opens; gives the devices that do, for H.264."""
    print("== devices")
    print(
        f"   {platform.platform()}, Python {platform.python_version()}, av {av.__version__}, libavcodec {av.library_versions['libavcodec']}"
    )
    print(f"   ffmpeg was built with: {', '.join(hwdevices_available())}")
    nodes = [f"/dev/{name}" for name in sorted(os.listdir("/dev")) if name.startswith(("nvidia", "dri", "accel"))]
    print(f"   in /dev: {', '.join(nodes) or 'no card'}")
    there = []
    for device in TRIED:
        for codec in _CODECS:
            began = time.perf_counter()
            try:
                decoder = open_decoder(device, software(codec))
                frames = [frame for packet in stream(codec, 640, 360, 12) for frame in decoder.decode(packet)]
                said = f"opens; {len(frames)} of 12 pictures, {frames[0].format.name}, first after {time.perf_counter() - began:.2f} s"
                there += [device] if codec == "h264" else []
            except Exception as error:  # noqa: BLE001 - whatever a driver raises is what is asked here, and is printed
                said = f"no: {type(error).__name__}: {hardware.said(error)}"
            print(f"   {device:6} {codec}: {said}")
    return there


def timed(decoder: Any, packets: list[av.Packet]) -> tuple[list[av.VideoFrame], float, float]:
    """(pictures, seconds of the clock and of all processors for each)."""
    frames = []
    wall, cpu = time.perf_counter(), time.process_time()
    for packet in packets:
        frames += decoder.decode(packet)
    count = max(1, len(packets))
    return frames, (time.perf_counter() - wall) / count, (time.process_time() - cpu) / count


def alike(device: Decoding, sizes: list[tuple[int, int]], count: int) -> None:
    print(f"== alike: {device} and software, {count} pictures each")
    for codec in _CODECS:
        for width, height in sizes:
            _beside(device, codec, width, height, count)


def _beside(device: Decoding, codec: str, width: int, height: int, count: int) -> None:
    packets = stream(codec, width, height, count)
    mine = software(codec)
    ours, ours_wall, ours_cpu = timed(mine, packets)
    beside = open_decoder(device, mine)
    timed(beside, packets[:_GROUP])
    beside.flush_buffers()
    theirs, theirs_wall, theirs_cpu = timed(beside, packets)
    by_time = {frame.pts: frame for frame in theirs}
    both = [(planes_of(frame), planes_of(by_time[frame.pts])) for frame in ours if frame.pts in by_time]
    differences = [difference(one, other) for one, other in both] or [(float("nan"), float("nan"))]
    worst, mean = (max(one) for one in zip(*differences, strict=True))
    print(f"   {codec} {width}x{height}: {len(both)} of {len(ours)} pictures; differ by {worst:g} at most, {mean:.4f} on average")
    for name, wall, cpu in (("software", ours_wall, ours_cpu), (device, theirs_wall, theirs_cpu)):
        print(f"      {name} {1000 * wall:.2f} ms, of the processor {1000 * cpu:.2f} ms a picture")
    print(f"      share of the processor's time {theirs_cpu / max(1e-9, ours_cpu):.2f}")
    print(f"      a cell: {_chosen(Decoding.AUTO, codec, packets)}")


def _chosen(wanted: Decoding, codec: str, packets: list[av.Packet]) -> str:
    decoders = Decoders(wanted, Guard(SystemClock()), SystemClock())
    given, longest = _through(decoders, codec, packets)
    return f"{decoders.in_use.used} ({decoders.in_use.why}), {given} of {len(packets)} pictures, longest wait {1000 * longest:.0f} ms"


def _through(decoders: Decoders, codec: str, packets: list[av.Packet]) -> tuple[int, float]:
    """The way of a cell: (pictures given, the longest wait for one packet)."""
    decoder, given, longest = StreamDecoder(software(codec), decoders), 0, 0.0
    for index, packet in enumerate(packets):
        began = time.perf_counter()
        with contextlib.suppress(av.error.InvalidDataError):
            given += sum(1 for frame in decoder.decode(packet) if not frame.is_corrupt)
        longest = max(longest, time.perf_counter() - began)
        if index == 0:
            _wait_open(decoder)
    decoder.close()
    return given, longest


def _wait_open(decoder: StreamDecoder) -> None:
    """Packets come here as fast as they can be decoded; a device takes its time to open."""
    for _ in range(400):
        if decoder.settled:
            return
        time.sleep(0.05)


def damaged(device: Decoding) -> None:
    print("== damaged: 75 pictures at 1280x720, bytes of pictures 30 and 31 are wrong")
    for codec in _CODECS:
        packets = [_spoilt(one) if index in {30, 31} else one for index, one in enumerate(stream(codec, 1280, 720, 75))]
        for name, decoder in (("software", software(codec)), (device.value, open_decoder(device, software(codec)))):
            whole = called = refused = 0
            for packet in packets:
                try:
                    frames = decoder.decode(packet)
                except Exception as error:  # noqa: BLE001 - any error is counted and its kind printed
                    refused += 1
                    print(f"   {codec} {name}: {type(error).__name__}: {hardware.said(error)}")
                    continue
                called += sum(1 for frame in frames if frame.is_corrupt)
                whole += sum(1 for frame in frames if not frame.is_corrupt)
            print(f"   {codec} {name}: {whole} whole, {called} called damaged, {refused} packets refused")


def _spoilt(packet: av.Packet) -> av.Packet:
    data = bytearray(bytes(packet))
    for place in range(len(data) // 3, min(len(data), len(data) // 3 + 200)):
        data[place] ^= 0x5A
    spoilt = av.Packet(bytes(data))
    spoilt.pts, spoilt.dts, spoilt.time_base = packet.pts, packet.dts, packet.time_base
    spoilt.is_keyframe = packet.is_keyframe
    return spoilt


class _Twisted:
    """A decoder that works until its `at`-th packet, and then does `then`."""

    def __init__(self, decoder: Any, at: int, then: Callable[[], object]) -> None:
        self._decoder, self._at, self._then, self._count = decoder, at, then, 0

    def decode(self, packet: Any) -> list[av.VideoFrame]:
        self._count += 1
        if self._count == self._at:
            self._then()
        return list(self._decoder.decode(packet))

    def flush_buffers(self) -> None:
        self._decoder.flush_buffers()


def _twisted(make: Opener, then: Callable[[], object], device: Decoding, mine: Any) -> _Twisted:
    return _Twisted(make(device, mine), 40, then)


def lost(device: Decoding | None) -> None:
    print(f"== lost: a device ({device or 'software in its place'}) that fails at its 40th packet of 100, hangs there, is not there")
    packets = stream("h264", 1280, 720, 100)
    make: Opener = open_decoder if device is not None else (lambda device, software: _software_h264())

    def fail() -> None:
        raise OSError(5, "the device is gone")

    for name, then in (("fails", fail), ("hangs", lambda: threading.Event().wait(3600))):
        asked = Decoding.NVDEC if device is None else device
        opener = partial(_twisted, make, then)
        decoders = Decoders(asked, Guard(SystemClock()), SystemClock(), opener)
        given, longest = _through(decoders, "h264", packets)
        print(f"   {name}: {given} of 100 pictures, longest wait {1000 * longest:.0f} ms; {decoders.in_use}")
    for missing in TRIED:
        if missing is not device:
            print(f"   {missing} asked for: {_chosen(missing, 'h264', packets)}")


def kernel(device: Decoding) -> None:
    print("== kernel")
    for name in ("--traced", "--confined"):
        found = subprocess.run(
            [sys.executable, "-m", "benchmarks.decoding", name, "--device", device],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        print(f"   {name[2:]}: ended with {found.returncode}")
        lines = [one for one in (found.stdout + found.stderr).splitlines() if not any(word in one for word in _SOUGHT)]
        for line in lines[-170:]:
            print(f"      {line[:400]}")


def confined(device: Decoding) -> None:
    """Decode within the walls of a cell."""
    packets = stream("h264", 640, 360, 30)
    print(f"walls that this machine lacks: {sorted(lacking())}; not hardened: {sorted(harden())}")
    profile = cell(models=Path("/nowhere"), clips=None, addresses=["rtsp://192.0.2.1/1"], decoding=device)
    print("devices:", ", ".join(str(one.path) for one in profile.files if "DEVICE" in str(one.rights)))
    print(f"confined, without {sorted(confine(profile))}")
    try:
        with open("/etc/shadow", "rb"):
            print("NOT CONFINED: /etc/shadow can be read")
    except OSError as error:
        print(f"another file: {error.strerror}")
    decoder = open_decoder(device, software("h264"))
    print(f"within: {sum(len(decoder.decode(packet)) for packet in packets)} of 30 pictures")


# --- what a device asks the kernel for: calls that are no cell's are told to a thread of this process, which lets them go on ---

_USER_NOTIF, _ALLOW = 0x7FC00000, 0x7FFF0000
_NEW_LISTENER, _MODE_FILTER, _CONTINUE = 1 << 3, 1, 1
_RECEIVE, _SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV and _SEND of linux/seccomp.h
_SECCOMP, _OPENAT, _OPEN = 317, 257, 2


def traced(device: Decoding) -> None:
    """A child decodes; whatever it calls that is none of a cell's calls, and each file that it opens, is noted here and goes on."""
    if platform.machine() != "x86_64":
        print("only on x86-64")
        return
    packets = stream("h264", 640, 360, 30)
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _traced_child(device, packets, theirs)
        os._exit(0)
    theirs.close()
    ours.settimeout(20)
    _, (handle,), _, _ = socket.recv_fds(ours, 1, 1)
    calls, paths = _noted(handle, child)
    print("calls beyond a cell's:", json.dumps(calls, sort_keys=True))
    for path in sorted(paths):
        print("opened:", path, paths[path])


def _traced_child(device: Decoding, packets: list[av.Packet], line: socket.socket) -> None:
    try:
        library = ctypes.CDLL(None, use_errno=True)
        library.prctl(38, 1, 0, 0, 0)
        quiet = {_NUMBERS[name][0] for name in _CELL} - {_OPENAT, _OPEN, None}
        made = [(0x20, 0, 0, 0)]
        for number in sorted(one for one in quiet if one is not None):
            made += [(0x15, 0, 1, number), (0x06, 0, 0, _ALLOW)]
        instructions = packed([*made, (0x06, 0, 0, _USER_NOTIF)])
        lies = ctypes.create_string_buffer(instructions, len(instructions))
        fprog = struct.pack("=HxxxxxxQ", len(instructions) // 8, ctypes.addressof(lies))
        handle = library.syscall(_SECCOMP, _MODE_FILTER, _NEW_LISTENER, ctypes.c_char_p(fprog))
        if handle < 0:
            print(f"no such filter here: error {ctypes.get_errno()}")
            return
        socket.send_fds(line, [b"h"], [handle])
        decoder = open_decoder(device, software("h264"))
        print(f"{sum(len(decoder.decode(packet)) for packet in packets)} of 30 pictures")
    except Exception:  # noqa: BLE001 - printed: what a driver raises is what is asked here
        traceback.print_exc()
    sys.stdout.flush()


def _noted(handle: int, child: int) -> tuple[dict[str, int], dict[str, int]]:
    known = {numbers[0]: name for name, numbers in _NUMBERS.items() if numbers[0] is not None}
    calls: dict[str, int] = {}
    paths: dict[str, int] = {}
    memory = os.open(f"/proc/{child}/mem", os.O_RDONLY)
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    until = time.monotonic() + 45
    while time.monotonic() < until:
        if os.waitpid(child, os.WNOHANG)[0] == child:
            return calls, paths
        if not waiting.poll(200):
            continue
        note = bytearray(80)
        try:
            fcntl.ioctl(handle, _RECEIVE, note)
        except OSError:
            continue
        (ident,) = struct.unpack_from("=Q", note, 0)
        number, _, _, *arguments = struct.unpack_from("=iIQ6Q", note, 16)
        if number in {_OPENAT, _OPEN}:
            try:
                path = os.pread(memory, 200, arguments[1 if number == _OPENAT else 0]).split(b"\0")[0].decode(errors="replace")
            except OSError:
                path = "?"
            paths[path] = paths.get(path, 0) + 1
        else:
            name = known.get(number, f"number {number}")
            calls[name] = calls.get(name, 0) + 1
        try:
            fcntl.ioctl(handle, _SEND, bytearray(struct.pack("=QqiI", ident, 0, 0, _CONTINUE)))
        except OSError:
            continue
    os.kill(child, signal.SIGKILL)
    print("it took longer than 45 s and was ended")
    return calls, paths


def attempts(parts: Iterator[tuple[str, Callable[[], object]]]) -> None:
    for name, part in parts:
        began = time.perf_counter()
        try:
            part()
        except Exception:  # noqa: BLE001 - a part that fails says so, and the rest goes on
            print(f"   {name} FAILED: {traceback.format_exc().strip()[-900:]}")
        print(f"   ({name}: {time.perf_counter() - began:.1f} s)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", type=Decoding, default=None)
    parser.add_argument("--pictures", type=int, default=75)
    parser.add_argument("--sizes", default="1280x720,1920x1080,3840x2160")
    for name in ("--skip-kernel", "--traced", "--confined"):
        parser.add_argument(name, action="store_true")
    options = parser.parse_args()
    if options.traced or options.confined:
        (traced if options.traced else confined)(options.device or Decoding.NVDEC)
        return
    sizes = [(int(width), int(height)) for width, height in (one.split("x") for one in options.sizes.split(","))]
    found = devices()
    device = options.device or (found[0] if found else None)

    def parts() -> Iterator[tuple[str, Callable[[], object]]]:
        if device is not None and device in found:
            yield "kernel", lambda: None if options.skip_kernel else kernel(device)
            yield "damaged", lambda: damaged(device)
            yield "lost", lambda: lost(device)
            yield "alike", lambda: alike(device, sizes, options.pictures)
        else:
            yield "lost", lambda: lost(None)
            yield "kernel", lambda: None if options.skip_kernel else kernel(device or Decoding.NVDEC)

    attempts(parts())
    print("done")


if __name__ == "__main__":
    main()
