"""A field for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.survey.house import House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A field on disk with three holders."""
    found = open_house(tmp_path / "field")
    yield found
    found.store.close()
