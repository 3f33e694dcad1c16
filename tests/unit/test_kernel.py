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
from blickschutz.kernel.geometry import Box, pairwise_iou
from blickschutz.kernel.scene import Doubt


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
