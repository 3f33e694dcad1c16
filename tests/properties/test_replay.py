"""For any sequence of pictures, looks and backgrounds: a pixel that a replay shows was proven in that very picture."""

from __future__ import annotations

import itertools
import zlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import LEVELS, Background, Detection, Doubt, Levels, Others, Scene, Track
from blickschutz.pipeline.replay import LONGEST_S, Replay
from blickschutz.pipeline.showing import Showing
from blickschutz.recording.model import MaskSample
from blickschutz.recording.rules import TICKS, BackgroundWriter, known, sample
from tests.conftest import often

WIDTH, HEIGHT, ROWS, COLUMNS, CELL = 96, 64, 16, 24, 4
TOLERANCE = (11, 7, 7)
STEP = TICKS // 25


def block(random, low, high):
    return random.integers(low, high, (ROWS, COLUMNS), np.uint8)


def frame_of(small, index, pts):
    """A picture whose cells are flat, so that its small picture is known exactly."""
    y = small[..., 0].repeat(CELL, 0).repeat(CELL, 1)
    u, v = (small[..., plane].repeat(CELL // 2, 0).repeat(CELL // 2, 1) for plane in (1, 2))
    return RawFrame(y, u, v, index, pts / TICKS, 0.0, pts)


@st.composite
def clips(draw):
    """Pictures of a dark place (no exposure to level) with things in them, and looks and backgrounds at any of them."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    place = np.stack([block(random, 0, 24), block(random, 120, 136), block(random, 120, 136)], axis=-1)
    pictures, looks, backgrounds, writer = [], [], [], BackgroundWriter()
    pts = 0
    for _ in range(draw(st.integers(1, 14))):
        pts += STEP * draw(st.sampled_from([1, 1, 1, 2, 5, 20, 45]))
        if draw(st.integers(0, 9)) == 0:
            place = np.stack([block(random, 0, 24), block(random, 120, 136), block(random, 120, 136)], axis=-1)
        small = place.copy()
        for _ in range(draw(st.integers(0, 3))):
            left, top = draw(st.integers(0, COLUMNS - 1)), draw(st.integers(0, ROWS - 1))
            small[top : top + draw(st.integers(1, 9)), left : left + draw(st.integers(1, 9))] = random.integers(0, 256, 3)
        pictures.append((pts, small))
        kind = draw(st.sampled_from(["none", "look", "look", "doubt", "old"]))
        box = Box(*(draw(st.integers(0, 60)) for _ in range(2)), *(draw(st.integers(61, 96)) for _ in range(2)))
        people = (Track(1, box, (5.0, 0.0), 0.9, draw(st.floats(0, 2)), 1.0, True, draw(st.booleans())),) if draw(st.booleans()) else ()
        found = (Detection(box, draw(st.floats(0.05, 1)), draw(st.booleans())),) if draw(st.booleans()) else ()
        scene = Scene(0.0, people, found, width=WIDTH, height=HEIGHT, looked_s=draw(st.floats(0, 1)))
        sure = np.where(random.random((ROWS, COLUMNS)) < 0.9, 255, 0).astype(np.uint8)
        learned = np.clip(place + random.integers(-2, 3, place.shape), 0, 255).astype(np.uint8)
        levels = Levels(*(tuple(random.integers(2, most, LEVELS).tolist()) for most in (16, 10))) if draw(st.booleans()) else None
        others = None
        if draw(st.booleans()):
            # Now and then the place is seen in its other state.
            others = Others(
                random.integers(0, 256, place.shape, np.uint8), np.where(random.random((ROWS, COLUMNS)) < 0.5, 255, 0).astype(np.uint8)
            )
            if draw(st.booleans()):
                small[...] = np.where(others.known[..., None] != 0, others.picture, small)
        whole = Background(0.0, learned, sure, TOLERANCE, None, levels, others=others)
        if kind in ("look", "doubt"):
            looks.append(sample(known(pts, Doubt.CHANGED if kind == "doubt" else None, scene, whole)))
        elif kind == "old":
            looks.append(MaskSample(pts, "", ROWS, COLUMNS, zlib.compress(np.packbits(sure != 0).tobytes())))
        if draw(st.booleans()) and (one := writer.write(pts, whole)) is not None:
            backgrounds.append((one, whole))
    return pictures, looks, backgrounds


def agreeing(small, background):
    """Where a picture agrees, worked out without the code under test: by itself, or with most of its neighbours."""
    near = alike(small, background, background.picture, background.known)
    if background.others is not None:
        near |= alike(small, background, background.others.picture, background.others.known)
    return most_of(near)


def alike(small, background, place, known):
    most = np.broadcast_to(np.array(TOLERANCE), place.shape)
    if background.levels is not None:
        # A record may be one step off, and so on another level of brightness.
        steps = [np.clip(place[..., 0].astype(int) + off, 0, 255) // 16 for off in (-1, 0, 1)]
        luma, chroma = (
            np.max([np.array(by_level)[step] for step in steps], axis=0) for by_level in (background.levels.luma, background.levels.chroma)
        )
        most = np.stack([luma, chroma, chroma], axis=-1)
    return (np.abs(small.astype(int) - place) <= most + 1).all(axis=-1) & (known != 0)


def most_of(cells):
    padded = np.pad(cells, 1, mode="edge").astype(int)
    around = sum(padded[dy : dy + ROWS, dx : dx + COLUMNS] for dy in range(3) for dx in range(3))
    return around >= 5


def provable(pts, small, looks, backgrounds):
    """The cells that evidence of the picture's own allows to be shown."""
    nothing = np.zeros((ROWS, COLUMNS), bool)
    before = [look for look in looks if look.pts <= pts]
    after = [look for look in looks if look.pts >= pts]
    if not before or not after or after[0].pts - before[-1].pts > LONGEST_S * TICKS or before[-1].doubt or after[0].doubt:
        return nothing
    if before[-1].bits:
        if before[-1].pts != pts:
            return nothing if after[0].bits else None
        bits = np.unpackbits(np.frombuffer(zlib.decompress(before[-1].bits), np.uint8), count=ROWS * COLUMNS)
        return bits.reshape(ROWS, COLUMNS) != 0
    known_then = [(sample, whole) for sample, whole in backgrounds if sample.pts < pts]
    if not known_then or any(look.doubt and known_then[-1][0].pts <= look.pts <= pts for look in looks):
        return nothing
    return agreeing(small, known_then[-1][1])


@settings(deadline=None, max_examples=often(120, 600))
@given(clips(), st.integers(1, 5))
def test_a_pixel_that_is_shown_was_proven_in_that_picture(clip, pieces):
    pictures, looks, backgrounds = clip
    replay, shown = Replay(Showing()), []
    bounds = [len(pictures) * part // pieces for part in range(pieces + 1)]
    for start, end in itertools.pairwise(bounds):
        # As in a clip: what became known in a group of pictures comes before them.
        times = {pts for pts, _ in pictures[start:end]}
        replay.know([look for look in looks if look.pts in times], [one for one, _ in backgrounds if one.pts in times])
        for index in range(start, end):
            pts, small = pictures[index]
            shown.extend(replay.push(frame_of(small, index, pts)))
    shown.extend(replay.rest())
    assert [one.index for one in shown] == sorted({one.index for one in shown})
    for one in shown:
        pts, small = pictures[one.index]
        allowed = provable(pts, small, looks, backgrounds)
        open_cells = (one.mask == 0).reshape(ROWS, CELL, COLUMNS, CELL).any(axis=(1, 3))
        assert allowed is not None or not open_cells.any()
        if allowed is not None:
            assert not (open_cells & ~allowed).any()
