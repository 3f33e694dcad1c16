"""What the cell hands to its recorder: settings, marks, and redacted video as groups of pictures."""

from __future__ import annotations

from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.density import px_per_metre
from blickschutz.kernel.frames import RedactedFrame
from blickschutz.pipeline.messages import CellSettings
from blickschutz.recording.io.recorder import Recorder
from blickschutz.recording.io.ring import Fragment, Head
from blickschutz.recording.model import ClipMode, Mark, Opening
from blickschutz.recording.ports import Tell
from blickschutz.recording.rules import TICKS
from blickschutz.situations.kinds import Situation
from blickschutz.wall.io.live import LiveEncoder
from blickschutz.wall.model import EncoderSettings, StreamFragment, StreamInit

# Two streams of a camera come through encoders of their own: of the same moment one may arrive so much later than the other.
MOST_SKEW_S = 0.5


def make_recorder(settings: CellSettings, clock: Clock, tell: Tell, guard: Guard) -> Recorder:
    """The recorder of a cell."""
    apart = settings.recorded is not None

    def describe(head: Head, mode: ClipMode) -> Opening:
        return opening_of(settings, head, mode, skew_s=MOST_SKEW_S if apart and mode is ClipMode.SEALED else 0.0)

    return Recorder(settings.camera, settings.recording, clock, describe, tell, guard, apart=apart)


def opening_of(settings: CellSettings, head: Head, mode: ClipMode, skew_s: float = 0.0) -> Opening:
    """What a viewer needs to know of a stream: its head, and the redaction that is in force. `skew_s` as in `Opening`."""
    redaction = settings.redaction
    return Opening(
        digest=b"",
        init=head.data,
        codec=head.codec,
        width=head.width,
        height=head.height,
        style=redaction.style.value,
        privacy_zones=redaction.privacy_zones if mode is ClipMode.SEALED else (),
        px_per_metre=px_per_metre(redaction.px_per_metre, head.width, head.height),
        colour=redaction.colour.value,
        skew_s=skew_s,
    )


def mark_of(situation: Situation) -> Mark:
    """A situation's begin or end, for the clip's timeline."""
    lasted = 0.0 if situation.ended_at is None else situation.ended_at - situation.at
    began = situation.ended_at is None
    return Mark(situation.taken + lasted, situation.kind.value, situation.zone, began, dict(situation.figures))


class RedactedVideo:
    """Redacted pictures as groups of pictures for a clip in mode `anonymous`: an encoder of its own, so that nobody who
    begins or ends to watch cuts the clip.
    """

    def __init__(self, settings: EncoderSettings) -> None:
        self._settings = settings
        self._encoder: LiveEncoder | None = None
        self._waiting: list[StreamFragment] = []
        self._start = 0.0
        self._generation = 0

    def end(self) -> None:
        """The clip or the stream has ended."""
        if self._encoder is not None:
            self._encoder.close()
        self._encoder, self._waiting = None, []

    def encode(self, shown: RedactedFrame, rate: float) -> tuple[list[tuple[int, float]], list[Head | Fragment]]:
        """What is complete with the picture `shown`: (pts, taken) of pictures, and parts of the stream."""
        times: list[tuple[int, float]] = []
        done: list[Head | Fragment] = []
        if self._encoder is None or self._encoder.size != (shown.width, shown.height):
            if self._waiting:
                done.append(self._joined())
            self.end()
            self._generation, self._start = self._generation + 1, shown.at
            self._encoder = LiveEncoder(self._generation, shown.width, shown.height, rate, self._settings)
        for part in self._encoder.encode(shown):
            if isinstance(part, StreamInit):
                done.append(Head(part.generation, part.data, "h264", shown.width, shown.height))
                continue
            if part.key and self._waiting:
                done.append(self._joined())
            times.append((self._pts(part), part.taken))
            self._waiting.append(part)
        return times, done

    def _joined(self) -> Fragment:
        parts, self._waiting = self._waiting, []
        data = b"".join(part.data for part in parts)
        return Fragment(self._generation, data, parts[0].key, tuple(self._pts(part) for part in parts), parts[-1].at)

    def _pts(self, part: StreamFragment) -> int:
        return round((part.at - self._start) * TICKS)
