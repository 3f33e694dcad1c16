"""The path of a frame: one out for one in, masks that look ahead, faults that blank."""

from __future__ import annotations

import numpy as np
import pytest
import structlog

from blickschutz.analysis.service import Analyser
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.kernel.scene import Doubt
from blickschutz.pipeline.logs import configure_logs
from blickschutz.pipeline.path import RedactionPath
from blickschutz.pipeline.showing import Showing
from tests.fakes.detectors import BlindDetector, FailingDetector, TruthDetector


def path_for(detector, most_width=None):
    return RedactionPath(Analyser(detector), Showing(most_width=most_width), 5.0)


def run(path, scene, count, start=0):
    shown = []
    for index in range(start, start + count):
        shown.extend(path.push(scene.picture(index).frame(index), wanted=True))
    return shown


@pytest.fixture
def scene():
    return DrawnScene(320, 240, seed=3, empty=30)


def test_every_frame_comes_out_once_and_in_order(scene):
    path = path_for(TruthDetector(scene))
    shown = [*run(path, scene, 61), *path.flush()]
    assert [frame.index for frame in shown] == list(range(61))


def test_people_are_covered_on_every_frame(scene):
    path = path_for(TruthDetector(scene))
    for shown in [*run(path, scene, 90), *path.flush()]:
        bodies = scene.picture(shown.index).bodies
        if bodies.any():
            assert shown.mask[bodies != 0].mean() > 0.995 * 255, shown.index


def test_people_whom_the_detector_never_sees_are_covered_too(scene):
    """No evidence for background is enough: the detector is blind here."""
    path = path_for(BlindDetector())
    shares = [
        shown.mask[scene.picture(shown.index).bodies != 0].mean() / 255
        for shown in [*run(path, scene, 90), *path.flush()]
        if scene.picture(shown.index).bodies.any()
    ]
    assert min(shares) > 0.97


def test_the_first_frames_are_wholly_redacted(scene):
    path = path_for(TruthDetector(scene))
    for shown in run(path, scene, 10):
        assert shown.mask.all()
        assert shown.doubt is Doubt.STARTING


def test_a_newcomer_is_masked_before_the_analysis_that_finds_them():
    """Frames between two analyses wait for the second: the mask of the first picture with people is complete."""
    scene = DrawnScene(320, 240, seed=3, empty=41)
    path = path_for(TruthDetector(scene))
    shown = {frame.index: frame for frame in [*run(path, scene, 60), *path.flush()]}
    assert shown[40].doubt is None
    for index in (41, 42, 43):
        bodies = scene.picture(index).bodies != 0
        assert shown[index].mask[bodies].mean() > 0.99 * 255


def test_a_failing_analysis_blanks_and_recovers(scene):
    path = path_for(FailingDetector(after=40, count=3))
    shown = [*run(path, scene, 110), *path.flush()]
    assert [frame.index for frame in shown] == list(range(110))
    broken = [frame for frame in shown if frame.doubt is Doubt.FAULT]
    assert broken
    assert all(frame.mask.all() and len(np.unique(frame.y)) == 1 for frame in broken)
    # What follows a fault is learned anew before anything is shown.
    after = [frame for frame in shown if 46 <= frame.index < 55]
    assert all(frame.mask.all() for frame in after)
    assert shown[-1].doubt is None
    assert path.counters.faults >= 3


def test_a_detector_that_never_works_never_shows_anything(scene):
    path = path_for(FailingDetector(after=0))
    assert all(frame.mask.all() for frame in run(path, scene, 60))
    assert path.counters.fault == "the detector broke"


def test_a_change_of_size_blanks_and_starts_anew(scene):
    path = path_for(TruthDetector(scene))
    run(path, scene, 41)
    other = DrawnScene(200, 150, seed=4)
    shown = [*run(path, other, 6, start=41), *path.flush()]
    assert [frame.index for frame in shown] == list(range(41, 47))
    assert all(frame.mask.all() for frame in shown)


def test_time_that_goes_backwards_starts_anew(scene):
    path = path_for(TruthDetector(scene))
    run(path, scene, 41)
    shown = path.push(scene.picture(41).frame(41, at=0.5), wanted=True)
    assert all(frame.mask.all() for frame in shown)


def test_unwatched_nothing_is_shown_and_the_background_is_known_at_once(scene):
    path = path_for(TruthDetector(scene))
    for index in range(40):
        assert not path.push(scene.picture(index).frame(index), wanted=False)
    shown = [*run(path, scene, 3, start=40), *path.flush()]
    assert shown[-1].doubt is None


def test_pictures_for_the_wall_are_made_smaller_and_still_cover(scene):
    path = path_for(TruthDetector(scene), most_width=160)
    for shown in [*run(path, scene, 80), *path.flush()]:
        assert (shown.width, shown.height) == (160, 120)
        bodies = scene.picture(shown.index).bodies[::2, ::2] != 0
        if bodies.any():
            assert shown.mask[bodies].mean() > 0.99 * 255


def test_a_log_of_a_fault_holds_no_picture(scene, capsys):
    """Whatever is installed beside us: no values of variables, and so no pixels, in a log."""
    configure_logs()
    try:
        run(path_for(FailingDetector(after=0)), scene, 3)
    finally:
        structlog.reset_defaults()
    written = capsys.readouterr().err
    assert "the detector broke" in written
    assert "Traceback" in written
    assert "array(" not in written
    assert "locals" not in written
