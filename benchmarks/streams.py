"""Cameras that misbehave, one after the other, before a real cell: what it shows, records and says of each.

    python -m benchmarks.streams [--camera PATH] [--seconds N] [--beside N] [NAME ...]

PATH is a misbehaving RTSP camera that takes a video file and options (`badcam.py`). Each case has what must come of it: a live
picture and a recording, or a cause that the pages have words for. Counted over all: threads that ended unasked, states that are
not what they must be, shown pixels that are none of the empty place, places where the password stands.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import av
import numpy as np
import structlog
from tests.fakes.detectors import BlindDetector
from tests.fakes.register import certified_sealing

from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.ingest.model import BackoffSettings, SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.frames import RawFrame, RedactedFrame
from blickschutz.pipeline import cell as cells
from blickschutz.pipeline.channel import unpack_from_cell
from blickschutz.pipeline.messages import (
    CellSettings,
    ClipTold,
    EndOrder,
    FromCell,
    Health,
    Quit,
    Record,
    ToCell,
    Watch,
)
from blickschutz.pipeline.showing import Showing
from blickschutz.recording.model import ClipEvent, ClipMode, Order, RecordingSettings
from blickschutz.vault import service as vault
from blickschutz.wire.frames import LENGTH, pack

ROOT = Path(__file__).resolve().parent.parent
CAMERA = ROOT.parent / "shared/cases/streams/badcam.py"
PASSWORD = "s/e#c?r@t:9"
BEFORE_S = 4.0
_PATIENCE_S = 20.0
EMPTY = 30
# What codec and mosaic make of an empty place; somebody in a dark or checked shirt is further away.
UNLIKE = 60


@dataclass(frozen=True)
class Case:
    """A camera by its options, and what must come of it: "live", or causes that will do; `recorded` is whether a clip must be."""

    name: str
    options: str = ""
    video: str = "a"
    must: tuple[str, ...] = ("live",)
    recorded: bool = True
    user: str = ""
    password: str = ""
    scheme: str = "rtsp"


def _refused(name: str, options: str, *causes: str, **more: str) -> Case:
    return Case(name, options, must=causes, recorded=False, **more)  # type: ignore[arg-type] # names and values of `Case`


def _signed_in(name: str, options: str) -> Case:
    return Case(name, f"{options} --user viewer --password {PASSWORD}", user="viewer", password=PASSWORD)


def _not_signed_in(name: str, options: str) -> Case:
    return Case(name, f"{options} --user viewer --password other", must=("password",), recorded=False, user="viewer", password=PASSWORD)


JUMPS = {"3h": 10_800.0, "back-3h": -10_800.0, "2s": 2.0, "back-2s": -2.0, "back-half": -0.5, "day": 86_400.0, "wrap": 47_721.8}
NO_VIDEO = ("unreadable", "silent", "stalled", "ended", "codec")
CASES: Sequence[Case] = (
    Case("plain"),
    Case("h265", video="h"),
    Case("bframes", "--bframes", video="b"),
    Case("bframes-no-sprop", "--bframes --no-sprop", video="b"),
    Case("mjpeg", video="m"),
    Case("long-groups", video="long"),
    Case("no-sprop", "--no-sprop"),
    Case("no-sprop-h265", "--no-sprop", video="h"),
    Case("no-sprop-late-key", "--no-sprop --start-at 5"),
    Case("late-key", "--start-at 3 --drop-idr-until 40"),
    Case("strip-ps", "--strip-ps"),
    Case("strip-ps-h265", "--strip-ps", video="h"),
    Case("no-parameter-sets", "--no-sprop --strip-ps", must=NO_VIDEO, recorded=False),
    Case("starts-in-the-middle", "--start-at 37"),
    *(Case(f"jump-{name}", f"--jump-at 4 --jump {value}") for name, value in JUMPS.items()),
    Case("glitch-forward", "--glitch-every 20 --glitch 100"),
    Case("glitch-back", "--glitch-every 20 --glitch -100"),
    Case("glitch-small", "--glitch-every 15 --glitch 0.4"),
    Case("freeze-ts", "--freeze-ts"),
    Case("ts-base-near-wrap", "--ts-base 4294700000"),
    Case("ts-base-high", "--ts-base 4000000000"),
    Case("seq-near-wrap", "--seq 65500"),
    Case("sender-reports", "--sr 0"),
    Case("sender-reports-off", "--sr 4000"),
    Case("burst-2s", "--burst 20"),
    Case("burst-1s", "--burst 10"),
    Case("corrupt-2", "--corrupt 2", recorded=False),
    Case("corrupt-20", "--corrupt 20", recorded=False),
    Case("loss-1", "--loss 1", recorded=False),
    Case("loss-10", "--loss 10", recorded=False),
    Case("audio-aac", "--audio aac"),
    Case("audio-pcmu", "--audio pcmu"),
    Case("audio-first", "--audio aac --audio-first"),
    Case("metadata", "--meta"),
    Case("second-video", "--extra-video H264"),
    Case("second-video-odd", "--extra-video X-UNKNOWN"),
    Case("framerate-odd", "--framerate 0"),
    Case("framerate-words", "--framerate fast"),
    Case("latin1-name", "--session-name Eingang-T\u00fcr"),
    Case("no-name", "--session-name="),
    _refused("codec-unknown", "--codec-name X-NOBODY", "codec"),
    _refused("codec-vp9", "--codec-name VP9", "codec", "unreadable", "silent", "stalled"),
    _refused("codec-av1", "--codec-name AV1", "codec", "unreadable", "silent", "stalled"),
    _refused("codec-theora", "--codec-name theora", "codec", "unreadable", "silent", "stalled"),
    _signed_in("basic", "--auth basic"),
    _signed_in("digest", "--auth digest"),
    _signed_in("digest-sha256", "--auth digest-sha256"),
    _not_signed_in("basic-wrong", "--auth basic"),
    _not_signed_in("digest-wrong", "--auth digest"),
    _refused("digest-missing", "--auth digest --user viewer --password other", "password"),
    _refused("forbidden", "--status 403-Forbidden", "password"),
    _refused("not-found", "--status 404-Not-Found", "address"),
    _refused("no-bandwidth", "--status 453-Not-Enough-Bandwidth --status-at SETUP", "busy"),
    _refused("busy", "--status 503-Service-Unavailable", "busy"),
    _refused("busy-at-play", "--status 503-Service-Unavailable --status-at PLAY", "busy"),
    _refused("error-500", "--status 500-Internal-Server-Error", "answer"),
    _refused("garbage-status", "--status nonsense", "answer", "refused", "unreadable"),
    _refused("udp-only", "--udp-only", "transport"),
    _refused("redirect", "--redirect rtsp://127.0.0.9:{other}/elsewhere", "redirected"),
    _refused("tls-unknown", "--tls {certificate}", "certificate", scheme="rtsps"),
    _refused("tls-refused-at-once", "", "certificate", "refused", "answer", scheme="rtsps"),
    _refused("silent", "--silent", "silent", "stalled"),
    Case("stalls", "--stall-after 4", must=("live", "stalled"), recorded=False),
    Case("closes", "--close-after 4", must=("live", "ended"), recorded=False),
    Case("needs-keepalive", "--need-keepalive --timeout 6"),
    Case("keepalive-refused", "--timeout 6 --keepalive-answer 501-Not-Implemented"),
    Case("no-get-parameter", "--no-getparam --need-keepalive --timeout 6"),
    Case("hanging-session-timeout", "--timeout 0"),
    # More of their kind: what goes wrong goes wrong with other codecs, and together.
    Case("jump-day-h265", "--jump-at 4 --jump 86400", video="h"),
    Case("jump-back-bframes", "--bframes --jump-at 4 --jump -10800", video="b"),
    Case("jump-mjpeg", "--jump-at 4 --jump 10800", video="m"),
    Case("freeze-ts-h265", "--freeze-ts", video="h"),
    Case("freeze-ts-bframes", "--freeze-ts", video="b"),
    Case("glitch-h265-no-sprop", "--glitch-every 20 --glitch 100 --no-sprop", video="h"),
    Case("burst-jump", "--burst 20 --jump-at 4 --jump 10800 --sr 0"),
    Case("burst-h265", "--burst 20", video="h"),
    Case("burst-5s", "--burst 50"),
    Case("loss-burst", "--burst 10 --loss 3", recorded=False),
    Case("loss-10-h265", "--loss 10", video="h", recorded=False),
    Case("corrupt-20-h265", "--corrupt 20", video="h", recorded=False),
    Case("corrupt-20-mjpeg", "--corrupt 20", video="m", recorded=False),
    Case("all-at-once", "--audio aac --audio-first --meta --extra-video H264 --framerate fast --session-name= --seq 65500"),
    Case("wrap-twice", "--ts-base 4294700000 --seq 65500 --glitch-every 15 --glitch 47721"),
    Case("one-frame-a-second", "--fps 1", recorded=False),
    Case("stalls-after-jump", "--jump-at 2 --jump -86400 --stall-after 5", must=("live", "stalled"), recorded=False),
    Case("closes-at-once", "--close-after 0.05", must=("ended", "stalled", "unreadable", "silent"), recorded=False),
    _refused("moved-for-good", "--redirect http://127.0.0.9:{other}/elsewhere", "redirected"),
    _refused("moved-nowhere", "--redirect nonsense", "redirected", "answer", "address", "unreadable"),
    _refused("gone", "--status 410-Gone", "address"),
    _refused("status-at-setup", "--status 404-Not-Found --status-at SETUP", "address"),
    _refused("password-at-setup", "--status 401-Unauthorized --status-at SETUP", "password"),
    _refused("error-at-play", "--status 500-Internal-Server-Error --status-at PLAY", "answer"),
    _signed_in("digest-bursts", "--auth digest --burst 20"),
    _signed_in("digest-closes", "--auth digest --close-after 4"),
)


JPEG = frozenset(case.name for case in CASES if case.video == "m")


def as_jpeg(luma: np.ndarray) -> np.ndarray:
    """Levels of 16 to 235 as JPEG has them; by RFC 2435 it brings no marker of its range, so that they are shown as they are."""
    return np.clip((luma.astype(float) - 16) * 255 / 219, 0, 255)


@dataclass
class Outcome:
    """What came of a case. `blank` is the share of pictures that are wholly redacted, since the place was known first."""

    case: Case
    seen: str = ""
    dead: int = 0
    shown: int = 0
    blank: float = 0.0
    pixels: int = 0
    secrets: int = 0
    clip_s: float = 0.0
    begins_s: float = 0.0
    note: str = ""
    health: list[Health] = field(default_factory=list)

    @property
    def stuck(self) -> bool:
        """Whether it is not what it must be."""
        return self.seen not in self.case.must or (self.case.recorded and self.clip_s < 1.0)


def video(folder: Path, name: str) -> None:
    """A drawn place, first empty, as a camera of that kind would encode it."""
    codec, options, count = {
        "a": ("libx264", {"preset": "veryfast", "g": "10", "bf": "0"}, 240),
        "b": ("libx264", {"preset": "veryfast", "g": "20", "bf": "3"}, 240),
        "long": ("libx264", {"preset": "veryfast", "g": "100", "bf": "0"}, 240),
        "h": ("libx265", {"preset": "ultrafast", "x265-params": "keyint=10:bframes=0:log-level=none"}, 240),
        "m": ("mjpeg", {"q:v": "3", "huffman": "default"}, 240),
    }[name]
    scene = DrawnScene(320, 240, seed=3, empty=120)
    form = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    with av.open(str(folder / f"{name}.{'avi' if codec == 'mjpeg' else 'mp4'}"), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 240, form
        # Neither restart markers (of more threads) nor tables of its own are in the headers by which JPEG goes over RTP.
        stream.codec_context.thread_count = 1
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(scene.picture(index).i420(), format="yuv420p").reformat(format=form)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


class WatchedShowing(Showing):
    """The cell's own way to a picture that may be shown, and after it a look: is anything open that the empty place does not have?"""

    empty: np.ndarray = np.zeros((240, 320), np.uint8)
    found: ClassVar[dict[str, list[int]]] = {}

    def show(self, frame: RawFrame, *args: Any, **more: Any) -> RedactedFrame:
        shown = super().show(frame, *args, **more)
        counts = self.found.setdefault(threading.current_thread().name, [0, 0, 0, 0, 0])
        counts[0] += 1
        # What is blank before the place is known for the first time is not counted: there is nothing to show yet.
        counts[3] |= shown.doubt is None
        counts[4] += counts[3]
        counts[1] += shown.doubt is not None and bool(counts[3])
        if shown.doubt is None and shown.y.shape == self.empty.shape:
            empty = as_jpeg(self.empty) if threading.current_thread().name in JPEG else self.empty
            strange = (np.abs(shown.y.astype(int) - empty.astype(int)) > UNLIKE) & (shown.mask == 0)
            # Of a person at least two by two are seen; single ones are what a damaged packet leaves.
            counts[2] += int((strange[1:, 1:] & strange[:-1, 1:] & strange[1:, :-1] & strange[:-1, :-1]).sum())
        return shown


class OneCell:
    """A real cell in a thread of its own, and what it says."""

    def __init__(self, settings: CellSettings) -> None:
        self._ours, theirs = socket.socketpair()
        self.heard: list[FromCell] = []
        self.cell = cells.Cell(theirs, SystemClock(), BlindDetector())  # type: ignore[arg-type] # finds nobody
        self._threads = [
            threading.Thread(target=self.cell.run, args=(settings,), name=settings.camera, daemon=True),
            threading.Thread(target=self._listen, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def say(self, message: ToCell) -> None:
        self._ours.sendall(pack(message))

    def _listen(self) -> None:
        data = b""
        while part := self._ours.recv(1 << 20):
            data += part
            while len(data) >= LENGTH.size and len(data) >= LENGTH.size + (length := LENGTH.unpack(data[: LENGTH.size])[0]):
                self.heard.append(unpack_from_cell(data[LENGTH.size : LENGTH.size + length]))
                data = data[LENGTH.size + length :]

    def end(self) -> None:
        self.say(Quit())
        self._threads[0].join(15)
        # Whoever still reads from either end of a pair in one process is woken.
        with contextlib.suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)
        self._threads[1].join(5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Bench:
    """Everything that the cases share."""

    def __init__(self, camera: Path, folder: Path, seconds: float, logs: Callable[[], str]) -> None:
        self._camera, self._folder, self._seconds, self._logs = camera, folder, seconds, logs
        WatchedShowing.empty = DrawnScene(320, 240, seed=3, empty=1000, noise=0.0).picture(0).y
        cells.Showing = WatchedShowing  # type: ignore[misc] # looks on, and changes nothing
        self._sealing = certified_sealing(folder / "clips")
        for name in "a", "b", "long", "h", "m":
            video(folder, name)
        self._certificate = folder / "camera.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=other",
             "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
            check=True, capture_output=True,
        )  # fmt: skip
        self._certificate.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())

    def run(self, case: Case) -> Outcome:
        port, other = free_port(), free_port()
        file = self._folder / f"{case.video}.{'avi' if case.video == 'm' else 'mp4'}"
        options = case.options.format(other=other, certificate=self._certificate).split()
        # Words of a status are one argument.
        options = [one.replace("-", " ") if before == "--status" or before == "--keepalive-answer" else one
                   for before, one in zip(["", *options], options, strict=False)]  # fmt: skip
        output = (self._folder / f"{case.name}.log").open("wb")
        camera = subprocess.Popen(
            [sys.executable, str(self._camera), str(file), "--port", str(port), *options], stdout=output, stderr=output
        )
        account = f"{case.user}:{case.password}@" if case.user else ""
        source = SourceSettings(SourceKind.RTSP, f"{case.scheme}://{account}127.0.0.1:{port}/stream", stall_s=3.0, connect_s=3.0)
        settings = CellSettings(
            camera=case.name,
            source=source,
            backoff=BackoffSettings(first=0.5, most=1.0),
            recording=RecordingSettings(before_s=BEFORE_S, after_s=1.0, reserve_mb=0),
        )
        elsewhere = socket.socket()
        try:
            elsewhere.bind(("127.0.0.9", other))
            elsewhere.listen()
            elsewhere.settimeout(0.01)
            time.sleep(1.5)
            outcome = self._watched(case, settings)
            try:
                elsewhere.accept()
                outcome.note = "followed a redirect"
                outcome.seen = "followed"
            except TimeoutError:
                pass
        finally:
            camera.kill()
            camera.wait(10)
            elsewhere.close()
            output.close()
        return outcome

    def _watched(self, case: Case, settings: CellSettings) -> Outcome:
        one = OneCell(settings)
        outcome = Outcome(case)
        try:
            one.say(Watch(True))
            time.sleep(self._seconds)
            one.say(Record(Order(number=1, mode=ClipMode.SEALED, cause="x", sealing=self._sealing)))
            time.sleep(3)
            one.say(EndOrder(1))
            time.sleep(4.5)
            # On a machine with much beside it a cause may come later; what is stuck says nothing ever.
            end = time.monotonic() + _PATIENCE_S
            while time.monotonic() < end and not any(isinstance(told, Health) and (told.cause or told.frames) for told in one.heard):
                time.sleep(0.5)
        finally:
            one.end()
        health = [message for message in one.heard if isinstance(message, Health)]
        outcome.health = health
        causes = [str(told.cause) for told in health if told.cause]
        lived = any(told.session == "live" and told.frames > 5 for told in health)
        outcome.seen = "live" if lived and (case.must[0] == "live") else causes[-1] if causes else "live" if lived else "nothing"
        outcome.dead = sum(not work.running for work in health[-1].work if work.name in {"session", "writer", "reader"}) if health else 1
        outcome.shown, blank, outcome.pixels, _, later = WatchedShowing.found.get(case.name, [0, 0, 0, 0, 0])
        frames = health[-1].frames if health else 0
        outcome.blank = blank / max(1, later)
        news = [message.news for message in one.heard if isinstance(message, ClipTold)]
        closed = [told for told in news if told.event is ClipEvent.CLOSED]
        outcome.clip_s = max((told.seconds for told in closed), default=0.0)
        said = "".join(f"{told.problem} {told.fault} {told.unrecordable}" for told in health) + self._logs()
        outcome.secrets = said.count(PASSWORD) + said.count("s%2Fe") + said.count("e#c?r")
        problem = next((told.problem for told in reversed(health) if told.problem), "")
        unrecordable = next((told.unrecordable for told in reversed(health) if told.unrecordable), "")
        outcome.note = f"{frames} frames {problem} {unrecordable}".strip()
        return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--camera", type=Path, default=CAMERA)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--beside", type=int, default=4, help="cases at a time")
    parser.add_argument("names", nargs="*")
    chosen = parser.parse_args()
    if not chosen.camera.exists():
        sys.exit(f"there is no camera {chosen.camera}")
    vault.OPERATIONS, vault.MEMORY = 1, 8192 * 8  # keys of nobody, for clips of a drawn place
    log = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))
    cases = [case for case in CASES if not chosen.names or case.name in chosen.names]
    with tempfile.TemporaryDirectory(prefix="blickschutz-streams-", dir=os.environ.get("TMPDIR")) as name:
        bench = Bench(chosen.camera, Path(name), chosen.seconds, log.getvalue)
        with ThreadPoolExecutor(chosen.beside) as pool:
            outcomes = []
            for one in pool.map(bench.run, cases):
                outcomes.append(one)
                mark = "" if not one.stuck else "  <-- " + "/".join(one.case.must)
                print(
                    f"{one.case.name:22} {one.seen:12} shown {one.shown:4} blank {one.blank:5.1%} clip {one.clip_s:5.1f} s dead {one.dead} "
                    f"pixels {one.pixels} secrets {one.secrets} {one.note}{mark}",
                    flush=True,
                )
    print(f"{len(outcomes)} cameras: threads dead {sum(one.dead for one in outcomes)}, stuck {sum(one.stuck for one in outcomes)}, "
          f"unredacted pixels {sum(one.pixels for one in outcomes)}, secrets shown {sum(one.secrets for one in outcomes)}")  # fmt: skip


if __name__ == "__main__":
    main()
