"""What recording, sealing, opening and the log cost; killed cells. Every figure beside what it is compared with.

python -m benchmarks.recording [seal] [open] [cpu] [log] [cells [COUNT]]
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.fakes.register import Book, Keyed

from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.analysis.service import Analyser
from blickschutz.audit.io.log import METADATA, AuditLog
from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.control.service.supervisor import Supervisor
from blickschutz.demo.bench import _until_live
from blickschutz.guard.service import Guard
from blickschutz.ingest.io.files import FileSource
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.path import RedactionPath
from blickschutz.pipeline.record import make_recorder
from blickschutz.pipeline.showing import Showing
from blickschutz.recording.io.clipfile import ClipReader, ClipWriter, read_head
from blickschutz.recording.io.ring import PacketMuxer
from blickschutz.recording.model import ClipHeader, ClipMode, ClipState, CloseReason, Gop, Opening, Order, RecordingSettings, Sealing
from blickschutz.recording.rules import TICKS
from blickschutz.reviewroom.playback import Playback
from blickschutz.storage.engine import open_engine, writing
from blickschutz.vault.io.files import InstallationKey, is_signed
from blickschutz.vault.model import Reviewer
from blickschutz.vault.service import enrol_with, join_shares, new_key, open_share, seal_key, unlock

PASSPHRASE = "eine lange Losung"
ROOT = Path(__file__).resolve().parent.parent
DETECTOR = OpenVinoDetector.from_registry("centernet")
WALK = ROOT.parent / "shared/data/walk/one-by-one.mp4"


REGISTER: list[Any] = []


def row(figure: str, value: object, must: str, aim: str) -> None:
    print(f"| {figure} | {value} | {must} | {aim} |", flush=True)


def people() -> tuple[list, tuple[Reviewer, ...]]:
    """Two people's keys, who founded the register by which the cell seals."""
    made = [enrol_with(f"kvd-{n}", PASSPHRASE) for n in (1, 2)]
    book = Book([Keyed(sealed.id, private) for sealed, private in made])
    REGISTER[:] = [tuple(book.lines), book.root]
    return [sealed for sealed, _ in made], tuple(Reviewer(s.id, s.public) for s, _ in made)


def seal(folder: Path) -> None:
    """Sealing and writing against the same bytes in a plain file with the same syncs, in turns."""
    _, reviewers = people()
    groups = [Gop(data=secrets.token_bytes(250_000), key=True, pts=(n,), times=(), masks=(), marks=()) for n in range(60)]
    ratios = []
    for turn in range(15):
        start = time.perf_counter()
        plain = os.open(folder / f"plain-{turn}", os.O_WRONLY | os.O_CREAT)
        # A clip has a head and a last message; the plain file gets as many bytes and as many syncs for them.
        for data in (secrets.token_bytes(1000), *(group.data for group in groups), b"end"):
            os.write(plain, data)
            os.fdatasync(plain)
        os.close(plain)
        middle = time.perf_counter()
        key, clip = new_key(), f"{turn:032x}"
        header = ClipHeader(clip=clip, installation="ab", camera="c", mode=ClipMode.SEALED, cause="manual", opened=1.0)
        opening = Opening(digest=b"", init=b"", codec="h264", width=1, height=1, style="mosaic", privacy_zones=(), px_per_metre=None)
        writer = ClipWriter(folder / f"{clip}.clip", header, seal_key(key, clip, reviewers), key, opening)
        for group in groups:
            writer.add(group)
        writer.close(CloseReason.OVER, 1.0)
        ratios.append((time.perf_counter() - middle) / (middle - start))
    row(
        "sealing and writing 15 MB in 60 chunks, against a plain file with the same syncs",
        f"{statistics.median(ratios):.2f}x",
        "≤ 1.3x",
        "≤ 1.1x",
    )


def large(folder: Path) -> Path:
    """A minute of real footage at 1280x720, ten pictures a second."""
    target = folder / "walk-720.mp4"
    options = ["-t", "75", "-vf", "scale=1280:720", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-g", "20"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(WALK), *options, str(target)], check=True)
    return target


def settings(source: Path, number: int = 0) -> CellSettings:
    recording = RecordingSettings(before_s=10, after_s=1, most_s=3600, reserve_mb=50)
    return CellSettings(
        camera=f"camera-{number}", source=SourceSettings(SourceKind.FILE, str(source), start_s=1.3 * number), recording=recording
    )


async def recorded(source: Path, folder: Path, seconds: float, reviewers: tuple[Reviewer, ...]) -> Path:
    """A clip of a real cell."""
    supervisor = Supervisor({"camera-0": settings(source)}, SystemClock())
    supervisor.start(Guard(SystemClock()))
    keeper = supervisor.keepers["camera-0"]
    await _until_live([keeper])
    await asyncio.sleep(10)
    keeper.record(order(folder, reviewers))
    await asyncio.sleep(seconds - 10)
    keeper.end_order(1)
    await asyncio.sleep(5)
    await supervisor.end()
    return max(clips(folder), key=lambda path: path.stat().st_size)


def clips(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.clip"))


def order(folder: Path, reviewers: tuple[Reviewer, ...]) -> Order:
    return Order(number=1, mode=ClipMode.SEALED, cause="manual", sealing=Sealing("ab", str(folder), reviewers, *REGISTER))


def first_picture(folder: Path) -> None:
    """From the second person's passphrase to the first bytes of redacted video."""
    sealed, reviewers = people()
    path = asyncio.run(recorded(large(folder), folder, 62, reviewers))
    head = read_head(path)
    first = open_share(head.envelope, sealed[0].id, unlock(sealed[0], PASSPHRASE))
    spans, ends = [], []
    for _ in range(5):
        start = time.perf_counter()
        share = open_share(head.envelope, sealed[1].id, unlock(sealed[1], PASSPHRASE))
        playback = Playback(path, join_shares(head.envelope, first, share), "ab", Guard(SystemClock()))
        stream = playback.stream()
        seen = len(next(stream)) + len(next(stream))
        spans.append(time.perf_counter() - start)
        assert seen > 0
        while next(stream, None) is not None:
            pass
        ends.append(time.perf_counter() - start)
        length = playback.facts.length
        playback.close()
    text = f"{statistics.median(spans):.2f} s (whole clip of {length:.0f} s ready after {statistics.median(ends):.1f} s)"
    row("from the second secret to the first picture, 1280x720", text, "≤ 2 s", "≤ 0.7 s")


class MediaClock(SystemClock):
    """Goes as fast as the pictures do, so that orders and rings work while a file is read as fast as it can be."""

    at = 0.0

    def monotonic(self) -> float:
        return self.at


def work(source: Path, folder: Path | None, reviewers: tuple[Reviewer, ...]) -> float:
    """CPU seconds of the path of a cell that nobody watches over the whole of `source`; with `folder` it records all of it."""
    clock, muxer = MediaClock(), PacketMuxer()
    cell = settings(source)
    path = RedactionPath(Analyser(DETECTOR, cell.analysis), Showing(cell.redaction), cell.analysis.rate)
    recorder = make_recorder(cell, clock, lambda news: None, Guard(SystemClock()))
    plain = SourceSettings(SourceKind.FILE, str(source), realtime=False)
    start = time.process_time()
    if folder is not None:
        recorder.order(order(folder, reviewers))
    for frame in FileSource(plain, SystemClock(), muxer.connection() if folder is not None else None).frames():
        clock.at = frame.at
        path.push(frame, wanted=False)
        found = path.take_analysed()
        if folder is not None:
            recorder.frame(ClipMode.SEALED, frame.pts, frame.taken)
            if found is not None:
                recorder.analysed(found.pts, found.backdrop.doubt, found.scene, found.background)
            recorder.take(ClipMode.SEALED, muxer.taken())
            recorder.tick()
    recorder.close()
    return time.process_time() - start


def share(folder: Path, turns: int = 7) -> None:
    """The same pictures with and without recording, in turns: ring, proofs, sealing, writing and syncing, all of it."""
    _, reviewers = people()
    source, ratios = large(folder), []
    work(source, None, reviewers)
    for _ in range(turns):
        without, recording = work(source, None, reviewers), work(source, folder, reviewers)
        ratios.append(recording / without - 1)
        print(f"  {without:.2f} s of CPU, recording {recording:.2f} s", flush=True)
    row("CPU of a cell that recording adds (unwatched, 1280x720)", f"{100 * statistics.median(ratios):.1f} %", "≤ 5 %", "≤ 2 %")


def log(folder: Path) -> None:
    """100,000 entries: append one by one, verify all."""
    engine, key = open_engine(folder / "log.db", METADATA), InstallationKey(folder / "key")
    audit = AuditLog(engine, SystemClock(), key.sign, key.public)
    with writing(engine) as connection:
        for number in range(98_000):
            audit.append(connection, Event.CASE_SEEN, "kvd-1", f"{number:032x}", {"case": number})
    spans = []
    for number in range(2000):
        start = time.perf_counter()
        audit.write(Event.CASE_SEEN, "kvd-1", f"{number:032x}", {"case": number})
        spans.append(time.perf_counter() - start)
    start = time.perf_counter()
    assert list(verify(audit.export(), is_signed, key.public)) == []
    whole = time.perf_counter() - start
    engine.dispose()
    p95 = 1000 * sorted(spans)[int(0.95 * len(spans))]
    row("log of 100,000 entries: append p95 / export and verify all", f"{p95:.2f} ms / {whole:.2f} s", "≤ 5 ms / ≤ 5 s", "2 ms / 2 s")


async def cells(folder: Path, count: int) -> None:
    """Real cells killed while they record: what is lost beyond the group of pictures that was just being written."""
    sealed, reviewers = people()
    chance, bad, lost = random.Random(11), 0, []
    parallel = 8
    supervisor = Supervisor({f"camera-{n}": settings(WALK, n) for n in range(parallel)}, SystemClock())
    supervisor.start(Guard(SystemClock()))
    keepers = list(supervisor.keepers.values())
    killed = 0
    while killed < count:
        await _until_live(keepers)
        for keeper in keepers:
            keeper.record(order(folder, reviewers))
        await asyncio.sleep(chance.uniform(1.0, 5.0))
        moments = []
        for keeper in keepers:
            assert keeper.process is not None
            os.kill(keeper.process.pid or 0, signal.SIGKILL)
            moments.append((keeper.camera, time.time()))
        killed += len(keepers)
        await asyncio.sleep(0.3)
        for path in clips(folder):
            head = read_head(path)
            shares = [open_share(head.envelope, s.id, unlock(s, PASSPHRASE)) for s in sealed]
            reader = ClipReader(path, join_shares(head.envelope, *shares))
            groups = list(reader)
            reader.close()
            bad += reader.state not in {ClipState.CUT_OFF, ClipState.WHOLE} or not groups
            times = {pts: taken for group in groups for pts, taken in group.times}
            last = max((pts for group in groups for pts in group.pts), default=0)
            taken = times.get(last) or max(times.values(), default=0.0) - (max(times, default=0) - last) / TICKS
            lost.append(dict(moments)[head.header.camera] - taken)
            path.unlink()
    await supervisor.end()
    text = f"{killed} kills: {bad} that do not open; newest picture at most {max(lost):.2f} s before the kill (groups of 1 s)"
    row("cells killed while recording", text, "0 / one GOP", "0 / one GOP")


def main() -> None:
    words = sys.argv[1:] or ["seal", "open", "log", "cpu", "cells"]
    with tempfile.TemporaryDirectory(prefix="blickschutz-bench-", dir=ROOT.parent) as name:
        folder = Path(name)
        if "seal" in words:
            seal(folder)
        if "log" in words:
            log(folder)
        for word, work in (("open", first_picture), ("cpu", share)):
            if word in words:
                own = folder / word
                own.mkdir()
                work(own)
        if "cells" in words:
            own = folder / "cells"
            own.mkdir()
            asyncio.run(cells(own, next((int(word) for word in words if word.isdigit()), 30)))


if __name__ == "__main__":
    main()
