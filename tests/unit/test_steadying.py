"""A shaken camera: the shift is found, put back, and what came in at an edge proves itself or nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from blickschutz.analysis.rules.background import BackgroundModel
from blickschutz.analysis.rules.proof import compared, prove
from blickschutz.analysis.rules.steadying import STILL, moved_along, put_back, shift_of
from blickschutz.kernel.frames import RawFrame

ROWS, COLUMNS, CELL = 108, 144, 4
NONE = np.zeros((ROWS, COLUMNS), np.uint8)
ALL = np.full((ROWS, COLUMNS), 255, np.uint8)


def place():
    """A yard of soft patches with a few sharp edges, at the camera's own size."""
    random = np.random.default_rng(3)
    luma = cv2.resize(random.uniform(40, 200, (14, 18)).astype(np.float32), (COLUMNS * CELL, ROWS * CELL), interpolation=cv2.INTER_CUBIC)
    luma[150:152] = 220
    luma[:, 300:306] = 30
    return np.clip(luma, 0, 255).astype(np.uint8)


def moved(picture, x, y):
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return cv2.warpAffine(picture, matrix, picture.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def frame_of(luma, index, at):
    grey = np.full((luma.shape[0] // 2, luma.shape[1] // 2), 128, np.uint8)
    return RawFrame(luma, grey, grey, index, at, at)


def small(luma):
    cells = cv2.resize(luma, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    return np.dstack([cells, np.full_like(cells, 128), np.full_like(cells, 128)])


@pytest.mark.parametrize("shift", [(0, 0), (1, -2), (3, 3), (-6, 2), (9.5, -7), (-14, 12)])
def test_the_shift_is_found_to_a_tenth_whoever_walks_in_front(shift):
    known, now = place(), moved(place(), *shift)
    now[100:300, 200:260] = 15
    x, y = shift_of(small(known)[..., 0].copy(), small(now)[..., 0].copy(), ALL)
    assert (x, y) == pytest.approx((shift[0] / CELL, shift[1] / CELL), abs=0.1)


def test_where_nothing_tells_of_a_shift_there_is_none():
    flat = np.full((ROWS, COLUMNS), 90, np.uint8)
    assert shift_of(flat, flat, ALL) == STILL
    stripes = np.ascontiguousarray(np.tile((np.arange(COLUMNS) % 12 * 15).astype(np.uint8), (ROWS, 1)))
    assert shift_of(stripes, stripes, ALL) == STILL
    assert shift_of(small(place())[..., 0].copy(), flat, NONE) == STILL


def test_a_picture_put_back_is_the_place():
    known = small(place())
    now = small(moved(place(), 4, -8))
    inner = slice(6, -6), slice(6, -6)
    assert (put_back(now, (1.0, -2.0))[inner] == known[inner]).all()


def test_what_agrees_lies_where_the_picture_lies():
    agrees, edge = np.where(np.arange(COLUMNS) < 40, 255, 0).astype(np.uint8)[None].repeat(ROWS, 0), NONE
    there = moved_along(agrees, (2.2, -0.9), edge)
    assert (there[:-1, 2:42] == 255).all()
    assert not there[:, :2].any()
    assert not there[-1].any()
    assert not there[:, 42:].any()


def shaken(seconds, person=None):
    """A camera that shakes by up to three pixels each way, looked at five times a second: background and last frame."""
    random, model, offset = np.random.default_rng(7), BackgroundModel(ROWS, COLUMNS), np.zeros(2)
    for index in range(seconds * 5):
        at, offset = index / 5, np.clip(0.6 * offset + random.normal(0, 1.6, 2), -3, 3)
        luma = place()
        if person is not None and at > seconds - 2:
            luma[person] = 20
        frame = frame_of(moved(luma, *offset), index, at)
        background, picture = model.background(at), small(frame.y)
        _, steady, agrees = compared(background, picture, at, model.shift(picture, at))
        moving = model.moving(steady, at)
        model.learn(steady, agrees, np.maximum(moving, model.recently_moved(at, 0.5)), NONE, at)
    return model.background(at), frame


def test_a_shaken_place_is_proven_to_its_edges():
    background, frame = shaken(20)
    assert background.shaky
    assert (prove(background, frame).proven != 0).mean() > 0.98


def test_somebody_before_a_shaken_place_is_not():
    person = slice(200, 320), slice(340, 380)
    background, frame = shaken(20, person)
    assert not prove(background, frame).proven[52:78, 87:93].any()


def test_a_still_camera_is_none_that_shakes():
    model, picture = BackgroundModel(ROWS, COLUMNS), small(place())
    assert {model.shift(picture, index / 5) for index in range(30)} == {STILL}
    assert not model.background(6.0).shaky
