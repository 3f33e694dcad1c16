"""Write redacted video and masks into files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av

from blickschutz.kernel.errors import MediaError
from blickschutz.kernel.frames import RedactedFrame
from blickschutz.wall.io.frames import encoder_frame, even, gray_frame


class RedactedVideoFile:
    """A redacted copy of a file (H.264), and beside it the masks (gray FFV1, 255 = redacted)."""

    def __init__(self, path: Path, masks: Path | None, width: int, height: int, rate: float) -> None:
        self._width, self._height = width, height
        fps = Fraction(rate).limit_denominator(1001)
        try:
            self._video = av.open(str(path), "w")
            self._stream: Any = self._video.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": "20"})
            self._stream.width, self._stream.height, self._stream.pix_fmt = even(width), even(height), "yuv420p"
            self._masks = av.open(str(masks), "w") if masks else None
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise MediaError(f"{path} cannot be written: {error}") from error
        self._mask_stream: Any = None
        if self._masks is not None:
            self._mask_stream = self._masks.add_stream("ffv1", rate=fps)
            self._mask_stream.width, self._mask_stream.height, self._mask_stream.pix_fmt = width, height, "gray"
        self._count = 0

    def write(self, frame: RedactedFrame) -> None:
        """Append one frame. Raises `MediaError` when the disk does not take it."""
        try:
            picture = encoder_frame(frame, even(self._width), even(self._height))
            picture.pts = self._count
            self._video.mux(self._stream.encode(picture))
            if self._masks is not None:
                mask = gray_frame(frame.mask, self._width, self._height)
                mask.pts = self._count
                self._masks.mux(self._mask_stream.encode(mask))
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f"the redacted copy cannot be written: {error}") from error
        self._count += 1

    def close(self) -> None:
        try:
            self._video.mux(self._stream.encode(None))
            self._video.close()
            if self._masks is not None:
                self._masks.mux(self._mask_stream.encode(None))
                self._masks.close()
        except (av.error.FFmpegError, OSError) as error:
            raise MediaError(f"the redacted copy cannot be finished: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._video.close()
            if self._masks is not None:
                self._masks.close()
