"""What a camera says that can send a line and nothing else: IP Notify of MOBOTIX, as text over TCP or as a request of HTTP/1.0.

The line is the operator's own, entered at the camera: `SECRET KIND STATE PLACE`, or `GET /SECRET/KIND/STATE/PLACE`. KIND is a kind of
situation or `motion`; STATE is `on`, `off`, or `once` for what has no end; PLACE may be left out.
"""

from __future__ import annotations

import hmac
import re
from urllib.parse import unquote

from blickschutz.ingest.rules.onvif import DIRECT, Notice, clean

# More than the longest line; what comes behind it (pictures, headers) is not read.
MOST_LINE = 512
MOTION = "VideoSource/MotionAlarm"
_STATES = {"on": (("State", "true"),), "off": (("State", "false"),), "once": ()}


def is_web(line: bytes) -> bool:
    return line.startswith((b"GET ", b"POST "))


def notice_of_line(line: bytes, secret: str) -> Notice | None:
    """None where the secret is another. Raises `ValueError` where the line is none; nothing of the line is in the message."""
    text = line.decode("utf-8", "replace").strip()
    if is_web(line):
        words = [unquote(one) for one in text.split()[1].partition("?")[0].strip("/").split("/")] if len(text.split()) > 1 else []
    else:
        words = text.split(maxsplit=3)
    if not words or not hmac.compare_digest(words[0].encode(), secret.encode()):
        return None
    if len(words) not in {3, 4} or words[2] not in _STATES or not re.fullmatch(r"[a-z_]{1,40}", words[1]):
        raise ValueError("no line of the form SECRET KIND on|off|once PLACE")
    source = (("Rule", clean(words[3])),) if len(words) == 4 else ()
    return Notice(MOTION if words[1] == "motion" else f"{DIRECT}{words[1]}", source, _STATES[words[2]])
