"""Tampering drawn over real footage: the bounds of what is promised, on two of the clips of `python -m benchmarks.tamper`."""

from __future__ import annotations

import pytest
from benchmarks.tamper import clips, drawn_over, viewed
from benchmarks.tampering import ONSET_S, SLOW

from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.offline import FileReader
from tests.conftest import footage

pytestmark = [pytest.mark.footage, pytest.mark.timeout(600)]


# Each of them is drawn over a place of our own in the fast tests of the view as well.
FAST = [kind for kind in ONSET_S if kind not in SLOW]


@pytest.mark.parametrize("kind", [FAST[0], *(pytest.param(kind, marks=pytest.mark.long) for kind in FAST[1:])])
def test_what_is_drawn_is_told_within_three_seconds(kind):
    footage("cdnet-office/video.mp4")
    for clip, seconds in clips(["cdnet-office"]):
        found = drawn_over(kind, clip, seconds, seed=1)
        assert found.delay_s is not None
        assert found.delay_s <= 3
        assert found.others == ()


@pytest.mark.parametrize(("clip", "onset_s"), [("tamper/forced-away-night.mp4", 64.1), ("tamper/moved-day.mp4", 13.0)])
@pytest.mark.later
def test_real_cameras_that_were_turned_are_told_within_three_seconds(clip, onset_s):
    reader, start, due = FileReader(footage(clip), SystemClock()), None, 0.0

    def looks():
        nonlocal start, due
        for frame in reader:
            start = frame.at if start is None else start
            if frame.at - start >= due:
                due += 0.2
                yield frame.at - start, frame.y

    told = [at for at, _ in viewed(looks(), reader.width, reader.height)]
    assert onset_s <= told[0] <= onset_s + 3
