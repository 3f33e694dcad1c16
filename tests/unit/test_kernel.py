"""Frames, seal and geometry."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import blickschutz.redaction.service as redaction
from blickschutz.kernel.errors import FaultError
from blickschutz.kernel.frames import RawFrame, RedactedFrame, RedactionSeal, chroma_shape, take_redaction_seal
from blickschutz.kernel.geometry import Box, cells_under, pairwise_iou
from blickschutz.kernel.planes import enlarged, shrunk
from blickschutz.kernel.scene import Backdrop, Doubt
from blickschutz.wall.io.frames import encoder_frame


def raw(width=8, height=6):
    rows, columns = chroma_shape(width, height)
    return RawFrame(
        np.zeros((height, width), np.uint8),
        np.zeros((rows, columns), np.uint8),
        np.zeros((rows, columns), np.uint8),
        0,
        0,
        0,
    )


def test_the_seal_is_handed_out_once():
    with pytest.raises(FaultError, match="taken already"):
        take_redaction_seal()


def test_a_redacted_frame_needs_the_seal():
    plane = np.zeros((2, 2), np.uint8)
    with pytest.raises(FaultError, match="only the redaction"):
        RedactedFrame(plane, plane[:1, :1], plane[:1, :1], plane, 0, 0.0, 0.0, None, seal=object())


def test_redaction_refuses_to_start_when_somebody_took_the_seal():
    program = "from blickschutz.kernel.frames import take_redaction_seal\ntake_redaction_seal()\nimport blickschutz.redaction.service"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "taken already" in result.stderr


def test_frames_do_not_leave_their_process():
    with pytest.raises(FaultError):
        pickle.dumps(raw())
    with pytest.raises(FaultError):
        copy.copy(redaction.blank(4, 4, 0, 0.0, 0.0, Doubt.STARTING))


def test_a_redacted_frame_cannot_be_written_to():
    shown = redaction.blank(4, 4, 0, 0.0, 0.0, Doubt.STARTING)
    for plane in (shown.y, shown.u, shown.v, shown.mask):
        with pytest.raises(ValueError, match="read-only"):
            plane[0, 0] = 1


def test_a_sealed_class_cannot_be_imitated():
    class Forged(RedactionSeal):
        __slots__ = ()

    plane = np.zeros((2, 2), np.uint8)
    with pytest.raises(FaultError):
        RedactedFrame(plane, plane[:1, :1], plane[:1, :1], plane, 0, 0.0, 0.0, None, seal=Forged())


@given(st.integers(1, 40), st.integers(1, 40))
def test_planes_must_fit(width, height):
    frame = raw(width, height)
    assert (frame.width, frame.height) == (width, height)
    with pytest.raises(FaultError, match="planes do not fit"):
        RawFrame(frame.y, np.zeros((height + 2, 1), np.uint8), frame.v, 0, 0, 0)


@given(st.integers(1, 70), st.integers(1, 50), st.integers(1, 70), st.integers(1, 50))
def test_resizing_keeps_planes_fitting(width, height, new_width, new_height):
    small = raw(width, height).resized(new_width, new_height)
    assert (small.width, small.height) == (new_width, new_height)
    assert small.scale == max(new_width / width, new_height / height)


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    *(st.floats(-50, 50) for _ in range(2)),
    *(st.floats(0.1, 60) for _ in range(2)),
)


@given(boxes, boxes)
def test_overlap_is_symmetric_and_bounded(first, second):
    a, b = (np.array([box], np.float32) for box in (first, second))
    forth, back = pairwise_iou(a, b)[0, 0], pairwise_iou(b, a)[0, 0]
    assert forth == pytest.approx(back, abs=1e-5)
    assert 0 <= forth <= 1.0001
    assert pairwise_iou(a, a)[0, 0] == pytest.approx(1, abs=1e-3)


@given(boxes, st.integers(1, 60), st.integers(1, 60))
def test_clipping_covers_the_box_inside_the_picture(box, width, height):
    left, top, right, bottom = box.clipped(width, height)
    assert 0 <= left <= right <= width
    assert 0 <= top <= bottom <= height
    assert left <= max(0, min(width, box.left)) + 1e-9
    assert right >= min(width, max(0, box.right)) - 1e-9


def test_growing_and_uniting():
    grown = Box(10, 10, 20, 40).grown(0.1, 2)
    assert grown == Box(8, 7, 22, 43)
    assert Box(0, 0, 1, 1).united(Box(2, 2, 3, 3)) == Box(0, 0, 3, 3)
    assert Box(0, 0, 4, 10).foot == (2, 10)


SIDES = st.integers(1, 70)


@given(SIDES, SIDES, SIDES, SIDES)
def test_an_enlarged_plane_repeats_the_pixel_below(rows, columns, height, width):
    plane = np.random.default_rng(rows * columns).integers(0, 256, (rows, columns), np.uint8)
    expected = plane[np.arange(height) * rows // height][:, np.arange(width) * columns // width]
    assert np.array_equal(enlarged(plane, width, height), expected)


@given(SIDES, SIDES, st.sampled_from([1, 2, 4, 8]))
def test_a_shrunk_plane_keeps_means(columns, rows, times):
    plane = np.random.default_rng(times).integers(0, 256, (rows * times, columns * times), np.uint8)
    small = shrunk(plane, columns, rows)
    expected = plane.reshape(rows, times, columns, times).mean(axis=(1, 3))
    assert small.shape == (rows, columns)
    # Every halving rounds once.
    assert np.abs(small - expected).max() <= 2


@given(st.integers(2, 200), st.integers(2, 200), st.integers(1, 60), st.integers(1, 60))
def test_a_plane_of_any_size_shrinks_to_any_smaller_one(width, height, columns, rows):
    plane = np.full((height, width), 77, np.uint8)
    small = shrunk(plane, min(columns, width), min(rows, height))
    assert small.shape == (min(rows, height), min(columns, width))
    assert (small == 77).all()


FINITE = st.floats(-500, 500)


@given(st.lists(st.tuples(FINITE, FINITE, FINITE, FINITE), max_size=5), st.floats(0.01, 3), st.floats(0.01, 3))
def test_cells_under_boxes_are_those_of_each_box(sides, x, y):
    boxes = [Box(*values) for values in sides]
    expected = [box.scaled(x, y).clipped(40, 30) for box in boxes]
    found = cells_under(boxes, (x, y), (30, 40))
    assert [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in found] == expected


@pytest.mark.parametrize("size", [(16, 12), (16, 10), (15, 12), (16, 11), (7, 5)])
def test_an_encoder_gets_the_redacted_planes_whatever_their_size(size):
    width, height = size
    rows, columns = chroma_shape(width, height)
    noise = np.random.default_rng(1)
    planes = [noise.integers(0, 256, shape, np.uint8) for shape in ((height, width), (rows, columns), (rows, columns))]
    shown = redaction.Redactor().redact(RawFrame(*planes, 0, 0.0, 0.0), Backdrop(0.0, np.full((height, width), 255, np.uint8)), [])
    picture = encoder_frame(shown, width + width % 2, height + height % 2)
    for plane, expected in zip(picture.planes, (shown.y, shown.u, shown.v), strict=True):
        got = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: expected.shape[0], : expected.shape[1]]
        assert np.array_equal(got, expected)


def test_a_redacted_picture_in_one_piece_cannot_be_written_to_and_a_blank_one_is_in_none():
    planes = raw(16, 12)
    piece = redaction.Redactor().redact(planes, Backdrop(0.0, np.full((12, 16), 255, np.uint8)), []).in_one_piece()
    assert piece is not None
    assert piece.shape == (18, 16)
    with pytest.raises(ValueError, match="read-only"):
        piece[0, 0] = 1
    assert redaction.blank(16, 12, 0, 0.0, 0.0, Doubt.FAULT).in_one_piece() is None
