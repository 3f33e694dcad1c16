"""Rain, flicker, shadows and a slow dusk over a drawn forecourt: minutes of pictures through analysis and rules, and no situation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blickschutz.analysis.service import Analyser
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.kernel.frames import RawFrame
from blickschutz.situations.io.forests import load_learned
from blickschutz.situations.service import SituationWatch
from tests.conftest import often
from tests.fakes.detectors import BlindDetector

WIDTH, HEIGHT, RATE, SECONDS = 320, 240, 5, often(120, 240)
GROUND = DrawnScene(WIDTH, HEIGHT, seed=5, walkers=0).picture(0)


def rain(index, random):
    streaks = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(60):
        x, y, length = int(random.integers(0, WIDTH)), int(random.integers(0, HEIGHT - 12)), int(random.integers(4, 12))
        streaks[y : y + length, x] = 45
    return streaks


def flicker(index, random):
    """Lamps on alternating current, sampled out of step, and one that goes on and off."""
    light = 6 * math.sin(index * 2.1) * np.ones((HEIGHT, WIDTH), np.float32)
    if index // 40 % 2:
        light[20:60, 30:70] += 50
    return light


def shadow(index, random):
    """A cloud's edge wanders over the place in a minute and back."""
    edge = WIDTH * (0.5 + 0.5 * math.sin(2 * math.pi * index / (120 * RATE)))
    return -28 / (1 + np.exp((np.arange(WIDTH, dtype=np.float32) - edge) / 12))[None].repeat(HEIGHT, 0)


def dusk(index, random):
    return np.full((HEIGHT, WIDTH), -60 * index / (SECONDS * RATE), np.float32)


@pytest.mark.parametrize("weather", [shadow, *(pytest.param(one, marks=pytest.mark.long) for one in (rain, flicker, dusk))])
def test_weather_is_no_situation(weather):
    random = np.random.default_rng(3)
    analyser, watch, told = Analyser(BlindDetector()), SituationWatch(learned=load_learned()), []
    for index in range(SECONDS * RATE):
        at = 100 + index / RATE
        luma = GROUND.y + weather(index, random) + random.normal(0, 1.2, GROUND.y.shape)
        y = np.clip(luma, 16, 235).astype(np.uint8)
        _, scene = analyser.analyse(RawFrame(y, GROUND.u, GROUND.v, index, at, at))
        told += watch.take(scene)
    assert [(situation.kind, situation.at) for situation in told] == []
    assert watch.broken == {}
