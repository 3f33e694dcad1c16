"""The names under which older parts of this software open a database."""

from __future__ import annotations

from blickschutz.storage.engine import open_engine as open_engine
from blickschutz.storage.engine import writing as writing
