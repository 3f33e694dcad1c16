"""Names and places: pure. The display name of a site takes no part but in finding what older versions called after it."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from blickschutz.installation.model import Mark

_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_LONGEST = 31
_ALIKE = 0.8
_encode = msgspec.json.Encoder(order="deterministic").encode


def derived_id(site: Path) -> str:
    """The id of an installation whose site file (an absolute path) states none: two files never have the same."""
    words = re.sub(r"[^a-z0-9]+", "-", site.stem.lower().translate(_LETTERS)).strip("-")[:_LONGEST].strip("-") or "site"
    return f"{words}-{hashlib.sha256(str(site).encode()).hexdigest()[:8]}"


def default_base(environ: Mapping[str, str], home: Path | None, *, root: bool) -> Path | None:
    """The folder of all data folders: by the environment, for the system (FHS), or for a person (XDG base directories).

    None for a person without a home: then the site file must say where.
    """
    if stated := environ.get("BLICKSCHUTZ_DATA"):
        return Path(stated) / "sites"
    if root:
        return Path("/var/lib/blickschutz")
    stated = environ.get("XDG_DATA_HOME", "")
    if stated.startswith("/"):
        return Path(stated) / "blickschutz"
    return home / ".local/share/blickschutz" if home is not None else None


def old_name(display: str, *, demo: bool) -> str:
    """What versions up to 0.1 called the folder of a site, after its display name."""
    name = re.sub(r"[^a-z0-9]+", "-", display.lower()).strip("-") or "site"
    return f"{name}-demo" if demo else name


def alike(name: str, others: Iterable[str]) -> list[str]:
    """Old names that differ from `name` by little, as by a typing error that was put right; not the name itself."""
    return difflib.get_close_matches(name, [other for other in others if other != name], n=3, cutoff=_ALIKE)


def sealed(mark: Mark) -> Mark:
    """The mark with its digest."""
    bare = msgspec.structs.replace(mark, digest="")
    return msgspec.structs.replace(bare, digest=hashlib.sha256(_encode(bare)).hexdigest())


def is_whole(mark: Mark) -> bool:
    """Whether the mark is as it was written."""
    return sealed(mark).digest == mark.digest
