"""A single redacted picture as JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from blickschutz.kernel.errors import FaultError
from blickschutz.kernel.frames import RedactedFrame

_QUALITY = 82


def jpeg(frame: RedactedFrame) -> bytes:
    """`frame` as a JPEG file, without any metadata."""
    size = (frame.width, frame.height)
    u, v = (cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (frame.u, frame.v))
    y = np.clip((frame.y.astype(np.float32) - 16) * (255 / 219), 0, 255).astype(np.uint8)
    u, v = (np.clip((plane.astype(np.float32) - 128) * (255 / 224) + 128, 0, 255).astype(np.uint8) for plane in (u, v))
    picture = cv2.cvtColor(cv2.merge([y, v, u]), cv2.COLOR_YCrCb2BGR)
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise FaultError("a picture could not be written as JPEG")
    return data.tobytes()
