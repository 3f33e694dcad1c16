"""What the background may learn and what not: leaves that swing, somebody at the picture's edge, a still jacket."""

from __future__ import annotations

import numpy as np
import pytest

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.analysis.rules.background import BackgroundModel, Found
from blickschutz.analysis.rules.proof import agreeing
from blickschutz.analysis.rules.states import OtherStates
from blickschutz.analysis.service import Analyser
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Background
from blickschutz.recording.model import BackgroundSample
from blickschutz.recording.rules import BackgroundReader, BackgroundWriter
from tests.fakes.detectors import FixedDetector

ROWS, COLUMNS = 40, 60
NONE = np.zeros((ROWS, COLUMNS), np.uint8)


def picture(luma=100):
    result = np.full((ROWS, COLUMNS, 3), 128, np.uint8)
    result[..., 0] = np.linspace(luma - 60, luma + 60, COLUMNS).astype(np.uint8)
    return result


class Camera:
    """A background that is fed with small pictures five times a second, as the analyser does it."""

    def __init__(self):
        self.model, self.at = BackgroundModel(ROWS, COLUMNS), 0.0

    def look(self, shown, seconds=0.2, people=NONE, cut=NONE):
        for _ in range(round(seconds * 5)):
            agrees = agreeing(self.model.background(self.at), shown(self.at) if callable(shown) else shown)
            now = shown(self.at) if callable(shown) else shown
            blocked = np.maximum(self.model.moving(now, self.at) * 0, self.model.recently_moved(self.at, 0.5))
            self.model.learn(now, agrees, blocked, people, self.at, Found(people, cut))
            self.at += 0.2
        return self

    def proven(self, shown):
        return agreeing(self.model.background(self.at), shown) != 0


LEAF = slice(10, 20), slice(20, 40)


def swinging(at):
    """A leaf that covers its place for every other 0.4 s."""
    shown = picture()
    if round(at / 0.4) % 2:
        shown[LEAF] = (30, 120, 120)
    return shown


def test_a_swinging_leaf_is_learned_and_both_its_states_are_proven():
    camera = Camera().look(picture(), 4).look(swinging, 15)
    assert camera.proven(picture()).all()
    leaf = swinging(0.4)
    assert (leaf != picture()).any()
    assert camera.proven(leaf).all()
    # Whoever looks like neither is none of it.
    somebody = picture()
    somebody[LEAF] = (200, 128, 128)
    assert not camera.proven(somebody)[11:19, 21:39].any()


def test_a_leaf_that_swung_from_the_first_picture_on_hides_nothing_for_long():
    camera = Camera().look(swinging, 20)
    assert camera.proven(picture()).all()
    assert camera.proven(swinging(0.4)).all()


def test_who_stands_there_once_however_long_is_no_state_of_the_place():
    somebody = picture()
    somebody[LEAF] = (30, 120, 120)
    people = NONE.copy()
    people[LEAF] = 255
    camera = Camera().look(picture(), 4).look(somebody, 120)
    assert not camera.model.background(camera.at).others
    assert Camera().look(picture(), 4).look(swinging, 15, people=people).model.background(19.0).others is None


def test_a_state_that_stays_away_is_forgotten():
    camera = Camera().look(picture(), 4).look(swinging, 15)
    assert camera.model.background(camera.at).others is not None
    camera.look(picture(), 140)
    assert not camera.proven(swinging(0.4))[11:19, 21:39].any()


def test_other_states_forget_with_the_place():
    states = OtherStates(2, 2)
    states.look(np.zeros((2, 2, 3), np.uint8), np.ones((2, 2), bool), np.zeros((2, 2), bool), NONE[:2, :2], 11, 0.0)
    states.forget()
    assert not states.any


EDGE = slice(18, 40), slice(0, 8)


@pytest.mark.parametrize("score", [0.0, 0.1, 0.2])
def test_who_stands_at_the_edge_from_the_first_picture_on_is_not_learned_for_five_minutes(score):
    """Weakly detected in every third look only; without any detection nothing tells them from a post."""
    somebody, cut = picture(), NONE.copy()
    somebody[EDGE] = (180, 110, 140)
    cut[EDGE] = 255
    camera = Camera()
    for look in range(310 * 5):
        found = cut if score and look % 3 == 0 else NONE
        camera.look(somebody, people=found, cut=found)
    assert camera.proven(somebody)[20:38, 1:6].any() == (not score)


def test_who_came_in_at_the_edge_and_stands_still_is_not_learned_for_five_minutes():
    """Nobody detects them, and the inside of their plain coat never moves."""
    somebody = picture()
    somebody[EDGE] = (200, 110, 140)
    camera = Camera().look(picture(), 6)
    for columns in (2, 4, 6, 8):
        arriving = picture()
        arriving[18:40, :columns] = (200, 110, 140)
        camera.look(arriving)
    camera.look(somebody, 310)
    assert not camera.proven(somebody)[20:38, 1:6].any()


def test_a_thing_away_from_the_edge_that_nobody_touched_is_learned():
    parked = picture()
    parked[LEAF] = (200, 128, 128)
    camera = Camera().look(picture(), 6)
    camera.model._moved_at[:] = -np.inf
    camera.model._previous = parked
    camera.look(parked, 30)
    assert camera.proven(parked).all()


def test_the_analyser_says_who_is_cut_by_the_edge():
    """A weak detection at the edge, and one in the middle: only the place of the first waits for long."""
    luma = np.random.default_rng(1).integers(90, 110, (240, 320), np.uint8)
    grey = np.full((120, 160), 128, np.uint8)
    detector = FixedDetector((2, 120, 40, 238, 0.2), (150, 60, 190, 160, 0.2))
    analyser = Analyser(detector, AnalysisSettings())
    for index in range(20 * 5):
        frame = RawFrame(luma, grey, grey, index, index / 5, index / 5)
        backdrop, _ = analyser.analyse(frame)
    rows, columns = backdrop.proven.shape
    edge, middle = (Box(*box).scaled(columns / 320, rows / 240).clipped(columns, rows) for box in ((8, 140, 36, 230), (155, 70, 185, 150)))
    assert not backdrop.proven[edge[1] : edge[3], edge[0] : edge[2]].any()
    assert backdrop.proven[middle[1] : middle[3], middle[0] : middle[2]].all()


def test_what_is_known_of_a_place_comes_back_from_a_clip():
    camera = Camera().look(picture(), 4).look(swinging, 15)
    whole = camera.model.background(19.0)
    falls = np.where(np.arange(COLUMNS) < 30, 255, 0).astype(np.uint8)[None].repeat(ROWS, 0)
    whole = Background(19.0, whole.picture, whole.known, whole.tolerance, None, whole.levels, True, falls, whole.others)
    read = BackgroundReader().read(BackgroundWriter().write(90_000, whole))
    assert (read.shaky, read.levels) == (True, whole.levels)
    assert (read.falls == falls).all()
    assert (read.others.known == whole.others.known).all()
    inside = whole.others.known != 0
    assert (read.others.picture[inside] == whole.others.picture[inside]).all()
    for shown in (picture(), swinging(0.4)):
        assert (agreeing(read, shown) == agreeing(whole, shown)).all()


@pytest.mark.parametrize(
    "spoil",
    [
        {"levels": (11,) * 5},
        {"levels": (200,) * 32},
        {"falls": b"x"},
        {"others_known": b"x"},
        {"others": b""},
    ],
)
def test_a_damaged_record_proves_nothing(spoil):
    camera = Camera().look(picture(), 4).look(swinging, 15)
    sample = BackgroundWriter().write(0, camera.model.background(19.0))
    fields = {name: getattr(sample, name) for name in BackgroundSample.__struct_fields__}
    with pytest.raises(ValueError, match="damaged"):
        BackgroundReader().read(BackgroundSample(**{**fields, **spoil}))


def test_records_of_older_clips_read_as_before():
    """Six fields, as they were written until November 2026."""
    sample = BackgroundWriter().write(0, Camera().look(picture(), 4).model.background(4.0))
    old = BackgroundReader().read(BackgroundSample(sample.pts, sample.rows, sample.columns, sample.tolerance, sample.known, sample.steps))
    assert (old.levels, old.shaky, old.falls, old.others) == (None, False, None, None)
    assert agreeing(old, picture()).all()


@pytest.mark.parametrize(("width", "height", "least"), [(320, 240, 14), (1280, 720, 32), (1920, 1080, 32), (3840, 2160, 64)])
def test_the_least_person_that_is_covered_is_told(width, height, least):
    analyser = Analyser(FixedDetector())
    assert analyser.least_height_px == 0
    grey = np.full((height // 2, width // 2), 128, np.uint8)
    analyser.analyse(RawFrame(np.full((height, width), 90, np.uint8), grey, grey, 0, 0.0, 0.0))
    assert analyser.least_height_px == least
    analyser._background.weather.falls = True
    assert analyser.least_height_px > 1.3 * least
