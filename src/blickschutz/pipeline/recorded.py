"""A file as the playback of its recording would show it: through a real sealed clip and the rendering of a review room.

Nobody watches while it is recorded, as at night. So the path that everything redacted later takes can be measured on any
footage (`blickschutz mask --as-recorded`).
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.analysis.ports import Detector
from blickschutz.analysis.service import Analyser
from blickschutz.ingest.io.files import FileSource
from blickschutz.ingest.io.frames import upright
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import MediaError
from blickschutz.kernel.frames import RedactedFrame
from blickschutz.kernel.scene import Doubt
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.offline import FixedStart, MaskReport, Progress, write_masked
from blickschutz.pipeline.path import RedactionPath
from blickschutz.pipeline.record import opening_of
from blickschutz.pipeline.render import MOST_WIDTH, Renderer
from blickschutz.pipeline.showing import Showing
from blickschutz.recording.io.clipfile import SUFFIX, ClipReader, ClipWriter
from blickschutz.recording.io.feed import Feed, Piece
from blickschutz.recording.io.ring import Fragment, Head, PacketMuxer
from blickschutz.recording.model import ClipHeader, ClipMode, CloseReason, Opening
from blickschutz.recording.rules import TICKS, BackgroundWriter, known
from blickschutz.redaction.model import RedactionSettings
from blickschutz.redaction.service import blank
from blickschutz.vault.model import Reviewer
from blickschutz.vault.service import enrol, join_shares, new_key, open_share, seal_key, unlock
from blickschutz.wall.io.frames import even

_CAMERA_CODECS = frozenset({"h264", "hevc"})
_CLIP, _INSTALLATION, _PASSPHRASE = "0" * 32, "measured", "nobody else opens this clip"


@dataclass(frozen=True, slots=True)
class _Picture:
    """Which picture of the source: its place, its time in the stream (ticks) and its size."""

    index: int
    pts: int
    width: int
    height: int


def mask_as_recorded(
    source: Path,
    target: Path,
    masks: Path | None,
    detector: Detector,
    clock: Clock,
    redaction: RedactionSettings,
    progress: Progress,
    proofs_per_second: float | None = None,
) -> MaskReport:
    """Record `source` with `proofs_per_second` looks (default: the cell's own rate), seal it, and write its playback.

    One frame out for each frame in; a picture that playback leaves out or never had is blank. Raises `MediaError`.
    """
    if not source.exists():
        raise MediaError(f"there is no file {source}")
    analysis = AnalysisSettings()
    settings = CellSettings(
        camera="file",
        source=SourceSettings(SourceKind.FILE, str(source), realtime=False),
        analysis=analysis if proofs_per_second is None else replace(analysis, rate=proofs_per_second),
        redaction=redaction,
    )
    with tempfile.TemporaryDirectory(prefix="blickschutz-") as name:
        path = Path(name) / f"{_CLIP}{SUFFIX}"
        file = FileSource(_as_from_a_camera(settings.source, Path(name)), FixedStart(clock), (muxer := PacketMuxer()).connection())
        key, pictures = _record(file, muxer, path, settings, detector, clock, progress)
        reader = ClipReader(path, key, _INSTALLATION)
        try:
            shown = Renderer(reader.opening, most_width=MOST_WIDTH).frames(reader)
            return write_masked(target, masks, (file.width, file.height), file.rate, _for_each(pictures, shown))
        finally:
            reader.close()


def _as_from_a_camera(source: SourceSettings, folder: Path) -> SourceSettings:
    """The file itself where a camera could send it so, else a copy in H.264, upright. Raises `MediaError`."""
    copy = folder / "camera.mp4"
    try:
        with av.open(source.address) as reader:
            video = next(iter(reader.streams.video), None)
            if video is None:
                return source
            aspect, frames = video.sample_aspect_ratio or Fraction(1), reader.decode(video)
            first = next(frames, None)
            lies = first is not None and (first.rotation or aspect != 1)
            if first is None or (video.codec_context.name in _CAMERA_CODECS and not lies):
                return source
            shown = upright(first, aspect)
            pictures = (upright(frame, aspect) for frame in itertools.chain([first], frames))
            _encode(pictures, copy, video.average_rate or Fraction(25), even(shown.width), even(shown.height))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{source.address} cannot be read: {error}") from error
    return replace(source, address=str(copy))


def _encode(frames: Iterable[av.VideoFrame], target: Path, rate: Fraction, width: int, height: int) -> None:
    """`frames` as H.264, one for one, as a good camera sends them: a keyframe every two seconds, no reordering."""
    options = {"preset": "veryfast", "crf": "6", "g": str(max(1, round(2 * rate))), "bf": "0"}
    with av.open(str(target), "w") as writer:
        stream: Any = writer.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for count, frame in enumerate(frames):
            picture = frame.reformat(width=width, height=height, format="yuv420p")
            picture.pts, picture.time_base, picture.pict_type = count, 1 / rate, av.video.frame.PictureType.NONE
            writer.mux(stream.encode(picture))
        writer.mux(stream.encode(None))


def _record(
    file: FileSource, muxer: PacketMuxer, path: Path, settings: CellSettings, detector: Detector, clock: Clock, progress: Progress
) -> tuple[bytes, list[_Picture]]:
    """Write the sealed clip as a cell does; its key, and the pictures of the source. Raises `MediaError`."""
    way = RedactionPath(Analyser(detector, settings.analysis), Showing(settings.redaction), settings.analysis.rate)
    feed, pictures, sealing = Feed(0.0), list[_Picture](), _Sealing(path, clock)
    for frame in file.frames():
        way.push(frame, wanted=False)
        pictures.append(_Picture(frame.index, frame.pts, frame.width, frame.height))
        feed.frame(frame.pts, frame.taken)
        found = way.take_analysed()
        if found is not None:
            feed.analysed(known(found.pts, found.backdrop.doubt, found.scene, found.background))
        sealing.add(settings, feed, muxer.taken())
        progress(1)
    muxer.ended()
    sealing.add(settings, feed, muxer.taken())
    if muxer.problem or sealing.writer is None:
        raise MediaError(f"{settings.source.address} cannot be recorded: {muxer.problem or 'it holds no keyframe'}")
    sealing.end(feed.rest())
    return sealing.key(), pictures


class _Sealing:
    """The clip that is being written, for two people made up for it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._people = [enrol(f"person-{number}", _PASSPHRASE) for number in (1, 2)]
        self._backgrounds = BackgroundWriter()
        self.writer: ClipWriter | None = None

    def add(self, settings: CellSettings, feed: Feed, parts: Sequence[Head | Fragment]) -> None:
        for piece in feed.take(parts):
            if self.writer is None and feed.head is not None:
                self.writer = self._begun(opening_of(settings, feed.head, ClipMode.SEALED))
            if self.writer is not None:
                self.writer.add(piece.gop(self._backgrounds))

    def end(self, rest: Piece) -> None:
        assert self.writer is not None  # looked at before
        self.writer.add(rest.gop(self._backgrounds))
        self.writer.close(CloseReason.OVER, self._clock.now())

    def _begun(self, opening: Opening) -> ClipWriter:
        header = ClipHeader(
            clip=_CLIP, installation=_INSTALLATION, camera="file", mode=ClipMode.SEALED, cause="manual", opened=self._clock.now()
        )
        key = new_key()
        self._envelope = seal_key(key, _CLIP, [Reviewer(one.id, one.public) for one in self._people])
        return ClipWriter(self._path, header, self._envelope, key, opening)

    def key(self) -> bytes:
        """What both people together get out of the file."""
        first, second = (open_share(self._envelope, one.id, unlock(one, _PASSPHRASE)) for one in self._people)
        return join_shares(self._envelope, first, second)


def _for_each(pictures: Iterable[_Picture], shown: Iterator[RedactedFrame]) -> Iterator[RedactedFrame]:
    """One redacted picture for each of the source, blank where the playback has none."""
    waiting = next(shown, None)
    for picture in pictures:
        while waiting is not None and round(waiting.at * TICKS) < picture.pts:
            waiting = next(shown, None)
        if waiting is not None and round(waiting.at * TICKS) == picture.pts:
            yield waiting
            waiting = next(shown, None)
        else:
            yield blank(picture.width, picture.height, picture.index, picture.pts / TICKS, 0.0, Doubt.NO_ANALYSIS)
