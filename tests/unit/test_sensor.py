"""Contrast and noise of a camera, on pictures whose contrast and noise are known; and what follows for its background."""

from __future__ import annotations

import numpy as np
import pytest

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.analysis.rules.background import BackgroundModel
from blickschutz.analysis.rules.proof import agreeing
from blickschutz.analysis.rules.sensor import Sensor
from blickschutz.kernel.frames import RawFrame

ROWS, COLUMNS = 90, 120
NONE = np.zeros((ROWS, COLUMNS), np.uint8)


def place(contrast=1.0, middle=110.0):
    """A forecourt of patches between 30 and 190, seen with a share of that contrast."""
    random = np.random.default_rng(5)
    luma = np.kron(random.uniform(30, 190, (9, 12)), np.ones((10, 10)))
    result = np.full((ROWS, COLUMNS, 3), 128.0)
    result[..., 0] = middle + (luma - 110) * contrast
    return result


def shot(picture, sigma, random):
    return np.clip(np.round(picture + random.normal(0, sigma, picture.shape)), 0, 255).astype(np.uint8)


def watched(contrast=1.0, middle=110.0, sigma=0.3, seconds=8, model=None):
    """A background that was learned from such pictures."""
    random = np.random.default_rng(1)
    model = model or BackgroundModel(ROWS, COLUMNS)
    for index in range(seconds * 5):
        picture = shot(place(contrast, middle), sigma, random)
        moving = model.moving(picture, index / 5)
        model.learn(picture, agreeing(model.background(index / 5), picture), moving, NONE, index / 5)
    return model


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0, 4.0])
def test_the_noise_is_measured_whatever_moves_in_a_fifth_of_the_picture(sigma):
    random, sensor, before = np.random.default_rng(2), Sensor(), None
    for index in range(30):
        picture = shot(place(), sigma, random)
        picture[:, (index * 7) % 100 : (index * 7) % 100 + 20] = random.integers(0, 255, (ROWS, 20, 3))
        sensor.look(picture, before, index / 1.0)
        before = picture
    # Whatever moves makes it larger, never smaller: less is covered than could be only where less noise is than there seems.
    assert 0.9 * sigma <= sensor.noise <= 2.2 * sigma


def test_by_day_tolerances_are_the_usual_ones():
    assert watched().sensor.levels == Sensor().levels


@pytest.mark.parametrize(("contrast", "middle", "step"), [(0.18, 110, 5), (0.25, 40, 6), (0.3, 180, 6)])
def test_in_the_dark_and_in_fog_a_few_steps_are_a_person(contrast, middle, step):
    model = watched(contrast, middle)
    seen = shot(place(contrast, middle), 0.3, np.random.default_rng(9))
    assert (agreeing(model.background(9.0), seen) != 0).mean() > 0.99
    seen[30:70, 40:60, 0] += step
    assert not agreeing(model.background(9.0), seen)[32:68, 42:58].any()
    by_day = shot(place(), 0.3, np.random.default_rng(9))
    by_day[30:70, 40:60, 0] += step
    assert agreeing(watched().background(9.0), by_day)[32:68, 42:58].all()


@pytest.mark.parametrize(("contrast", "sigma"), [(1.0, 4.5), (0.5, 3.0), (0.2, 2.0)])
def test_a_noisy_sensor_is_learned_and_proven(contrast, sigma):
    model = watched(contrast, 110, sigma)
    proven = agreeing(model.background(9.0), shot(place(contrast), sigma, np.random.default_rng(9)))
    assert (proven != 0).mean() > 0.99


def test_no_noise_makes_everything_the_same():
    """However a picture flickers, whoever differs by as much as people do by day is no background."""
    model = watched(1.0, 110, 30.0)
    assert max(model.sensor.levels.luma) <= 16
    assert max(model.sensor.levels.chroma) <= 10


def test_a_faint_picture_is_stretched_for_the_detector_and_any_other_is_not():
    dark, bright = (np.ascontiguousarray(place(contrast, middle)[..., 0].astype(np.uint8)) for contrast, middle in ((0.25, 40), (1, 110)))
    chroma = np.full((ROWS // 2, COLUMNS // 2), 130, np.uint8)
    for luma, same in ((dark, False), (bright, True)):
        sensor = Sensor()
        sensor.look(np.dstack([luma, np.full_like(luma, 128), np.full_like(luma, 128)]), None, 0.0)
        frame = RawFrame(luma, chroma, chroma, 3, 1.0, 2.0, 90_000)
        seen = sensor.clearer(frame)
        assert (seen is frame) == same
        assert np.ptp(seen.y.astype(int)) >= 150
        assert (seen.index, seen.at, seen.taken, seen.pts) == (3, 1.0, 2.0, 90_000)
        assert same or (seen.u > 134).all()


@pytest.mark.parametrize(("width", "columns"), [(160, 160), (320, 192), (768, 192), (1280, 320), (1920, 480), (3840, 480)])
def test_the_small_picture_follows_the_camera(width, columns):
    assert AnalysisSettings().small_columns(width) == columns
