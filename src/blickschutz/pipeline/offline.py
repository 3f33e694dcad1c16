"""Files through the very path of a cell: redacted copies, masks and tracks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.analysis.ports import Detector
from blickschutz.analysis.rules.tracking import TrackPoint, fill_gaps
from blickschutz.analysis.service import Analyser
from blickschutz.ingest.io.files import FileSource
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import MediaError
from blickschutz.kernel.frames import RawFrame, RedactedFrame
from blickschutz.kernel.scene import Doubt
from blickschutz.pipeline.path import RedactionPath
from blickschutz.pipeline.showing import Showing
from blickschutz.redaction.model import RedactionSettings
from blickschutz.wall.io.files import RedactedVideoFile

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class MaskReport:
    """What `mask_file` did: frames, how many were wholly redacted, mean redacted share, faults."""

    frames: int
    blank_frames: int
    redacted_share: float
    faults: int


_START_S = 1000.0


class FixedStart:
    """A clock that stands at the same moment for each file, so that the same file gives the same masks and situations on every machine:
    at the edges of the analysis' intervals the rounding of large times would decide, and it depends on how long a machine is up.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def monotonic(self) -> float:
        return _START_S

    def now(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


class FileReader:
    """The frames of a file, as fast as they can be read, stamped with the file's own time."""

    def __init__(self, path: Path, clock: Clock) -> None:
        if not path.exists():
            raise MediaError(f"there is no file {path}")
        self._source = FileSource(SourceSettings(SourceKind.FILE, str(path), realtime=False, upright=True), FixedStart(clock))
        self.rate, self.frame_count = self._source.rate, self._source.frame_count
        self.width, self.height = self._source.width, self._source.height

    def __iter__(self) -> Iterator[RawFrame]:
        return self._source.frames()


def frames_in(path: Path, clock: Clock) -> int:
    """How many frames the file says that it has; 0 where it cannot be read."""
    try:
        return FileReader(path, clock).frame_count
    except MediaError:
        return 0


def mask_file(
    source: Path,
    target: Path,
    masks: Path | None,
    detector: Detector,
    clock: Clock,
    redaction: RedactionSettings,
    progress: Progress,
) -> MaskReport:
    """Redact `source` into `target`; one frame out for each frame in. Raises `MediaError`."""
    reader = FileReader(source, clock)
    settings = AnalysisSettings()
    path = RedactionPath(Analyser(detector, settings), Showing(redaction), settings.rate)
    report = write_masked(target, masks, (reader.width, reader.height), reader.rate, _all(path, reader, progress))
    return replace(report, faults=path.counters.faults)


def write_masked(target: Path, masks: Path | None, size: tuple[int, int], rate: float, pictures: Iterable[RedactedFrame]) -> MaskReport:
    """Write redacted pictures as a video of `size` (width, height), and their masks. Raises `MediaError`."""
    frames = blank = faults = 0
    share = 0.0
    with RedactedVideoFile(target, masks, *size, rate) as file:
        for shown in pictures:
            file.write(shown)
            frames += 1
            blank += shown.doubt is not None
            faults += shown.doubt is Doubt.FAULT
            share += float(shown.mask.mean()) / 255
    return MaskReport(frames, blank, round(share / max(1, frames), 4), faults)


def _all(path: RedactionPath, reader: FileReader, progress: Progress) -> Iterator[RedactedFrame]:
    for frame in reader:
        yield from path.push(frame, wanted=True)
        progress(1)
    yield from path.flush()


def track_file(source: Path, target: Path, detector: Detector, clock: Clock, progress: Progress) -> int:
    """Write the person tracks of `source` in MOTChallenge form (frame from 1); return the number of rows.

    One row per track and analysed frame, in source pixels. A gap in which a track was hidden and found
    again is filled in between.
    """
    reader = FileReader(source, clock)
    settings = AnalysisSettings()
    analyser = Analyser(detector, settings)
    path = RedactionPath(analyser, Showing(), settings.rate)
    points: list[TrackPoint] = []
    analysed: list[int] = []
    for frame in reader:
        path.push(frame, wanted=True)
        progress(1)
        scene = path.take_scene()
        if scene is None:
            continue
        analysed.append(frame.index)
        points.extend(TrackPoint(frame.index, t.number, t.box, t.score) for t in scene.tracks if t.seen_s == 0)
    lines = [_mot_row(row) for row in fill_gaps(points, analysed)]
    try:
        target.write_text("".join(lines), encoding="ascii")
    except OSError as error:
        raise MediaError(f"{target} cannot be written: {error.strerror}") from error
    return len(lines)


def _mot_row(point: TrackPoint) -> str:
    box = point.box
    place = f"{box.left:.2f},{box.top:.2f},{box.width:.2f},{box.height:.2f}"
    return f"{point.frame + 1},{point.number},{place},{point.score:.3f},-1,-1,-1\n"
