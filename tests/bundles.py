"""Bundles for machines without a network that were made here (`make deb`), or the one that BLICKSCHUTZ_BUNDLE names."""

from __future__ import annotations

import os
from pathlib import Path

from tests.conftest import ROOT

BUNDLES = [Path(one) for one in (os.environ.get("BLICKSCHUTZ_BUNDLE"),) if one] or sorted((ROOT / "dist").glob("blickschutz-*.tar"))
