"""The mask under attack, in short: what `python -m benchmarks.attack` measures in minutes. Skipped, by name, without the footage."""

from __future__ import annotations

import pytest
from benchmarks.attack.__main__ import KINDS, attack
from benchmarks.attack.footage import CLIPS, RAW, take

from tests.conftest import footage

pytestmark = [pytest.mark.footage, pytest.mark.timeout(600)]
# Enough for each kind of attack to find whoever can be found, and no more.
PICTURES = 220


@pytest.fixture(scope="module")
def taken(detector):
    """Everybody at the beginning of two clips."""
    for clip in CLIPS[:2]:
        footage(f"{clip.name}/{clip.video}")
    return [take(clip, detector, most=PICTURES, only=("neutral", "full")) for clip in CLIPS[:2]]


@pytest.mark.parametrize("gallery", ["neutral", RAW])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.later
def test_the_default_tells_no_more_than_guessing(taken, kind, gallery):
    """The strongest of fifteen comparisons is lucky now and then: more than luck or half more than chance would be a finding."""
    found = attack(taken, kind, "neutral", gallery)
    assert found.best <= max(1.5 * found.chance, found.luck)
    if kind == "same moment":
        assert found.queries > 150
        assert found.best <= 1.25 * found.chance


@pytest.mark.parametrize(("kind", "way"), [("same moment", RAW), ("same moment", "full"), ("other times", RAW)])
@pytest.mark.later
def test_the_attack_works_where_there_is_something_to_find(taken, kind, way):
    found = attack(taken, kind, way, way)
    assert found.best > 2 * found.chance
    assert found.best > found.luck
