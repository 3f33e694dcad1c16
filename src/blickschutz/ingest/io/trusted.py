"""Decodes, and gives out only pictures that rest on nothing missing or damaged (docs/design/decoding.md)."""

from __future__ import annotations

from typing import Any

import av
import av.error
import structlog

from blickschutz.ingest.io.decoders import StreamDecoder
from blickschutz.ingest.rules.bitstream import looking
from blickschutz.ingest.rules.gaps import Gaps
from blickschutz.ingest.rules.trust import Trust
from blickschutz.kernel.clock import Clock

_log = structlog.get_logger(__name__)


class TrustedDecoder:
    """In front of a `StreamDecoder`, which it owns. `gaps` are those of the connection, which may be known before their packets come.

    A gap's pictures begin where the gap is known; they end with the first beginning of a group behind it.
    """

    def __init__(self, decoder: StreamDecoder, extradata: bytes, clock: Clock, gaps: Gaps | None = None) -> None:
        self._decoder, self._clock, self._gaps = decoder, clock, gaps or Gaps()
        self._looking = looking(decoder.name, extradata)
        self._trust: Trust[av.VideoFrame] = Trust(each_comes=decoder.name == "hevc")
        self._count = self._counted = 0
        self._since: float | None = None

    def decode(self, packet: Any) -> list[av.VideoFrame]:
        """The pictures to be trusted, in their order. Raises what `StreamDecoder` raises."""
        if packet.size:
            self._look(packet)
        try:
            frames = self._decoder.decode(packet)
        except av.error.InvalidDataError:
            self._trust.failed()
            self._tell()
            raise
        trusted = self._trust.shown([(frame.pts, frame.is_corrupt, frame) for frame in frames])
        if not packet.size:
            trusted += self._trust.rest()
        self._tell()
        return trusted

    @property
    def name(self) -> str:
        return self._decoder.name

    @property
    def withheld(self) -> int:
        """How many pictures were not given out."""
        return self._trust.withheld

    @property
    def doubtful_s(self) -> float:
        """For how long now nothing is to be trusted; 0 where it is."""
        return 0.0 if self._since is None else self._clock.monotonic() - self._since

    def close(self) -> None:
        self._decoder.close()

    def _look(self, packet: Any) -> None:
        data = bytes(packet)
        whole = self._find(data)
        look = self._looking.take(data, bool(packet.is_keyframe))
        self._trust.coded(packet.pts, look, begins=whole and not self._gaps.waiting)

    def _find(self, data: bytes) -> bool:
        """Take note of gaps; whether `data` lacks nothing of which a gap tells."""
        count = self._gaps.count
        if count != self._count:
            self._count = count
            if self._gaps.tells:
                self._decoder.doubt()
                self._trust.missing()
        if not self._gaps.tells:
            self._gaps.forget(count)
        return not self._gaps.waiting or self._gaps.found(data) is not False

    def _tell(self) -> None:
        self._decoder.withheld(self._trust.withheld - self._counted)
        self._counted = self._trust.withheld
        doubts = self._trust.doubts
        if doubts == (self._since is not None):
            return
        self._since = self._clock.monotonic() if doubts else None
        if doubts:
            _log.info("pictures_withheld", why="parts of the stream are missing or damaged")
        else:
            _log.info("pictures_whole_again", withheld=self._trust.withheld)
