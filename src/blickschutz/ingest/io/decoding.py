"""What opening and decoding have in common, whatever the source."""

from __future__ import annotations

from typing import Any

import av

from blickschutz.ingest.io.decoders import Decoders, StreamDecoder
from blickschutz.ingest.io.trusted import TrustedDecoder
from blickschutz.ingest.model import Cause
from blickschutz.ingest.rules.gaps import Gaps
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import CameraRefusedError, MediaError
from blickschutz.kernel.streams import Packet


def video_stream(container: Any, address: str) -> Any:
    if not container.streams.video:
        raise MediaError(f"{address} has no video")
    return container.streams.video[0]


def decoder_of(stream: Any, clock: Clock, decoders: Decoders | None = None, gaps: Gaps | None = None) -> TrustedDecoder:
    """What decodes the stream: `decoders` choose; without them software, in this thread alone. `gaps` says what of it is missing.

    Raises `CameraRefusedError`.
    """
    if stream.codec_context is None:
        raise CameraRefusedError(Cause.CODEC, "there is no decoder for what the camera sends")
    context = stream.codec_context
    context.thread_count = 1
    return TrustedDecoder(StreamDecoder(context, decoders), bytes(context.extradata or b""), clock, gaps)


def packet_of(packet: Any, stream: Any) -> Packet:
    """PyAV's packet as ours; the decoder has seen it by now, and knows the size."""
    context = stream.codec_context
    return Packet(bytes(packet), bool(packet.is_keyframe), context.name, int(context.width or 0), int(context.height or 0), stream)


def is_usable(frame: av.VideoFrame) -> bool:
    """A single frame that the decoder itself calls damaged is not used: what it shows is not what was there."""
    return not frame.is_corrupt and frame.width > 0 and frame.height > 0


def reason_of(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
