"""Files for people and other programs that come with the package: examples, schemas, handbook, documentation, locked requirements.

Promises: what `shipped` names is there in a wheel and in a checkout alike, from whatever folder a command is called. Never anything
of a site: these files are the same in every installation.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

FOLDERS = ("examples", "schemas", "docs", "monitoring", "requirements")


def shipped(name: str) -> Path:
    """The file or folder `name` (as `examples/rathaus-kaiserslautern.toml`): inside of the wheel, in a checkout beside `src`."""
    package = Path(str(resources.files("blickschutz")))
    inside = package / "shipped" / name
    return inside if inside.exists() else package.parents[1] / name
