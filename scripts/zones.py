"""Write the table of zones: `.venv/bin/python -m scripts.zones` (docs/design/zones.md)."""

from __future__ import annotations

import re
from pathlib import Path

from blickschutz.bootstrap.zones import control_profile
from blickschutz.config.loader import load_site
from blickschutz.zones import profiles
from blickschutz.zones.table import table

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/design/zones.md"
_TABLE = re.compile(r"(?<=<!-- zones -->\n)(?s:.*?)(?=<!-- /zones -->)")


def rendered() -> str:
    """The table as it should stand in the documentation: a camera with RTSP by its address, the control room of the example site, and a
    host's agent (`blickschutz cells`)."""
    example, own = ROOT / "examples/rathaus-kaiserslautern.toml", Path("/somewhere")
    certificate = (own / "server.crt", own / "server.key")
    shown = (
        profiles.cell(models=own / "models", clips=own / "clips", addresses=["rtsp://192.168.20.11/stream"]),
        profiles.review_room(clip=own / "a.clip", exports=own / "exports", memory=own / "memory", certificate=certificate),
        profiles.key_desk(certificate=certificate),
        control_profile(load_site(example), example.parent, own, str(example), changed=True),
        profiles.cell_host(data=own / "data", join=own, temporary=own / "temporary", broker=4222),
        profiles.trial(models=own / "models", addresses=["rtsp://192.168.20.11/stream"]),
        profiles.finder(),
    )
    return table(shown)


def renewed(page: str) -> str:
    """The page with the table as it is now."""
    return _TABLE.sub(lambda _: rendered(), page)


if __name__ == "__main__":
    TARGET.write_text(renewed(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
