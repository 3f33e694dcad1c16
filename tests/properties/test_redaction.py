"""For any frame, scene and mask: what is under the mask keeps nothing of its source; faults redact everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from blickschutz.kernel.frames import RawFrame, chroma_shape
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.planes import enlarged
from blickschutz.kernel.scene import Backdrop, Detection, Doubt, Scene, Track
from blickschutz.redaction.model import Colour, RedactionSettings, Style
from blickschutz.redaction.rules import mosaic
from blickschutz.redaction.rules.mask import MaskSettings, people_regions
from blickschutz.redaction.service import Redactor, zone_mask

# Both that keep something of a cell.
SEEN = [Colour.MUTED, Colour.FULL]

sizes = st.tuples(st.integers(24, 150), st.integers(20, 110))


def frame_of(width, height, seed, at=0.0):
    random = np.random.default_rng(seed)
    rows, columns = chroma_shape(width, height)
    return RawFrame(
        random.integers(16, 236, (height, width), np.uint8),
        random.integers(16, 240, (rows, columns), np.uint8),
        random.integers(16, 240, (rows, columns), np.uint8),
        0,
        at,
        at,
    )


def backdrop_of(width, height, seed, share, at=0.0):
    random = np.random.default_rng(seed)
    small = random.random((max(1, height // 4), max(1, width // 4))) < share
    return Backdrop(at, np.where(small, np.uint8(255), np.uint8(0)))


@st.composite
def scenes(draw, width, height):
    def box():
        left, top = draw(st.floats(-10, width)), draw(st.floats(-10, height))
        return Box(left, top, left + draw(st.floats(1, width)), top + draw(st.floats(1, height)))

    tracks = tuple(
        Track(number, box(), (0.0, 0.0), 0.7, draw(st.floats(0, 1)), 2.0, draw(st.booleans())) for number in range(draw(st.integers(0, 3)))
    )
    detections = tuple(Detection(box(), draw(st.floats(0.08, 1))) for _ in range(draw(st.integers(0, 3))))
    return Scene(0.0, tracks, detections)


@settings(deadline=None, max_examples=120)
@given(sizes, st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from(Style), st.sampled_from(Colour), st.data())
def test_nothing_under_the_mask_keeps_its_pattern(size, seed, share, style, colour, data):
    width, height = size
    frame, backdrop = frame_of(width, height, seed), backdrop_of(width, height, seed + 1, share)
    scene = data.draw(scenes(width, height))
    shown = Redactor(RedactionSettings(style, colour=colour)).redact(frame, backdrop, [scene])
    assert shown.doubt is None
    masks = masks_of(shown.mask)
    for source, result, mask in zip((frame.y, frame.u, frame.v), (shown.y, shown.u, shown.v), masks, strict=True):
        inside = mask != 0
        # Outside the mask the picture is untouched ...
        assert (result[~inside] == source[~inside]).all()
        # ... inside it every value is one of at most sixteen, and flat in the strict style.
        values = np.unique(result[inside])
        assert len(values) <= (1 if style is Style.SILHOUETTE else mosaic.LEVELS)
        assert style is Style.SILHOUETTE or not (values % 16).any()
        if inside.sum() > 400:
            # The source is noise: whatever correlates with it pixel by pixel would be the source itself.
            assert abs(correlation(source[inside], result[inside])) < 0.35


def masks_of(mask):
    """The masks of Y, U and V, worked out here without the code under test."""
    height, width = mask.shape
    rows, columns = chroma_shape(width, height)
    padded = np.zeros((rows * 2, columns * 2), np.uint8)
    padded[:height, :width] = mask
    chroma = padded.reshape(rows, 2, columns, 2).max(axis=(1, 3))
    return mask, chroma, chroma


def correlation(first, second):
    first, second = first.astype(float) - first.mean(), second.astype(float) - second.mean()
    spread = np.sqrt((first**2).sum() * (second**2).sum())
    return (first * second).sum() / spread if spread else 0.0


@settings(deadline=None, max_examples=80)
@given(sizes, st.integers(0, 2**32 - 1), st.floats(0, 1), st.data())
def test_everything_not_proven_and_everybody_seen_is_masked(size, seed, share, data):
    width, height = size
    frame, backdrop = frame_of(width, height, seed), backdrop_of(width, height, seed, share)
    scene = data.draw(scenes(width, height))
    shown = Redactor().redact(frame, backdrop, [scene])
    rows, columns = backdrop.proven.shape
    ys, xs = np.arange(height) * rows // height, np.arange(width) * columns // width
    assert shown.mask[(backdrop.proven == 0)[ys][:, xs]].all()
    for region in people_regions([scene], backdrop, width, height, MaskSettings()):
        left, top, right, bottom = region.box.clipped(width, height)
        assert shown.mask[top:bottom, left:right].all()


@settings(deadline=None, max_examples=60)
@given(sizes, st.integers(0, 2**32 - 1), st.sampled_from(Doubt))
def test_a_doubt_shows_nothing_of_the_source(size, seed, doubt):
    width, height = size
    backdrop = Backdrop(0.0, np.full((5, 5), 255, np.uint8), doubt)
    shown = Redactor().redact(frame_of(width, height, seed), backdrop, [])
    assert shown.doubt is doubt
    assert shown.mask.all()
    assert all(len(np.unique(plane)) == 1 for plane in (shown.y, shown.u, shown.v))


def test_no_analysis_shows_nothing():
    shown = Redactor().redact(frame_of(64, 48, 1), None, [])
    assert shown.doubt is Doubt.NO_ANALYSIS
    assert shown.mask.all()


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_the_proof_of_one_moment_opens_no_other(taken, proven):
    shown = Redactor().redact(frame_of(64, 48, 1, at=taken), backdrop_of(64, 48, 1, 1.0, proven), [])
    assert shown.doubt is (None if taken == proven else Doubt.NO_ANALYSIS)
    assert shown.mask.all() == (taken != proven)


@pytest.mark.parametrize("broken", ["shape", "scene", "dtype"])
def test_an_exception_shows_nothing_and_is_counted(broken):
    redactor = Redactor()
    backdrop = {
        "shape": Backdrop(0.0, np.zeros((0, 0), np.uint8)),
        "scene": backdrop_of(64, 48, 1, 1.0),
        "dtype": Backdrop(0.0, np.array([["x"]])),
    }[broken]
    shown = redactor.redact(frame_of(64, 48, 1), backdrop, [None] if broken == "scene" else [])
    assert shown.doubt is Doubt.FAULT
    assert shown.mask.all()
    assert len(np.unique(shown.y)) == 1
    assert redactor.faults == 1


def test_after_a_fault_it_works_again():
    redactor = Redactor()
    redactor.redact(frame_of(64, 48, 1), backdrop_of(64, 48, 1, 1.0), [None])
    assert redactor.redact(frame_of(64, 48, 1), backdrop_of(64, 48, 1, 1.0), []).doubt is None


def someone(box, number=1):
    return Scene(0.0, (Track(number, box, (0.0, 0.0), 0.9, 0.0, 5.0, True),), ())


@pytest.mark.parametrize("colour", SEEN)
def test_a_cell_holds_for_two_seconds_so_that_averaging_gains_nothing(colour):
    """A person whose pixels change with every frame looks the same for two seconds."""
    redactor = Redactor(RedactionSettings(colour=colour))
    pictures = [
        redactor.redact(frame_of(128, 96, seed, at=seed / 10), backdrop_of(128, 96, 1, 1.0, seed / 10), [someone(Box(40, 20, 70, 80))])
        for seed in range(40)
    ]
    inside = pictures[0].mask != 0
    different = [int((p.y[inside] != pictures[0].y[inside]).sum()) for p in pictures]
    assert different[:20] == [0] * 20
    assert any(different[20:])


@pytest.mark.parametrize("colour", Colour)
def test_the_grid_moves_with_the_track(colour):
    """A body that moves by a pixel a frame shows the same cells, moved: no new samples to combine."""
    redactor = Redactor(RedactionSettings(colour=colour))
    seen = []
    for step in range(10):
        box = Box(20 + step, 20, 50 + step, 80)
        shown = redactor.redact(frame_of(128, 96, step, at=step / 10), backdrop_of(128, 96, 1, 1.0, step / 10), [someone(box)])
        left, top, right, bottom = box.grown(0.15, 8).clipped(128, 96)
        seen.append(shown.y[top:bottom, left:right].copy())
    assert all((picture == seen[0]).all() for picture in seen)


@given(st.floats(4, 900), st.floats(4, 900))
def test_a_person_has_at_most_the_density_of_monitoring(width, height):
    """DIN EN 62676-4:2016, monitor: 12.5 px per metre; a person is 1.75 m."""
    box = Box(1000, 1000, 1000 + width, 1000 + height)
    cell = mosaic.cell_size(box, 5000, 5000)
    assert max(width, height) / cell <= 12.5 * 1.75 + 1e-6
    assert cell >= mosaic.LEAST_CELL_PX


def blocks_of(width, height, seed):
    """A picture whose cells differ: blocks of 8 pixels, each of another shade."""
    random = np.random.default_rng(seed)
    rows, columns = chroma_shape(width, height)
    coarse = [random.integers(0, 256, (rows // 4 + 1, columns // 4 + 1), np.uint8) for _ in range(3)]
    y = np.kron(coarse[0], np.ones((8, 8), np.uint8))[:height, :width]
    u, v = (np.kron(plane, np.ones((4, 4), np.uint8))[:rows, :columns] for plane in coarse[1:])
    return RawFrame(np.ascontiguousarray(y), np.ascontiguousarray(u), np.ascontiguousarray(v), 0, 0.0, 0.0)


def cut_to(person, share, sides):
    """What is seen of somebody who fills `person`: a share of the height where top or bottom is named, else of the width."""
    left, top, right, bottom = person
    across, down = (share if set(sides) & {"left", "right"} else 1), (share if set(sides) & {"top", "bottom"} else 1)
    width, height = across * person.width, down * person.height
    x = left if "left" in sides else right - width
    y = top if "top" in sides else bottom - height
    return Box(x, y, x + width, y + height)


def finest_cells(shown, box):
    """Edges (across, down) of the finest cell in the output under a track's region, in pixels; infinite where it is one cell.

    Measured on the picture: from one place where neighbours differ to the next, in Y, U and V.
    """
    left, top, right, bottom = box.grown(MaskSettings().margin_share, MaskSettings().margin_px).clipped(shown.width, shown.height)
    edges = [np.inf, np.inf]
    for plane, n in ((shown.y, 1), (shown.u, 2), (shown.v, 2)):
        part = plane[top // n : -(-bottom // n), left // n : -(-right // n)].astype(int)
        for axis in (0, 1):
            places = np.flatnonzero(np.diff(part, axis=1 - axis).any(axis=axis)) + 1
            if places.size:
                runs = np.diff([0, *places, part.shape[1 - axis]])
                edges[axis] = min(edges[axis], n * int(runs.min()))
    return edges


SIDES = (("top",), ("bottom",), ("left",), ("right",), ("top", "left"), ("bottom", "right"))


@st.composite
def seen_people(draw, most_height):
    """Width, height of a source; somebody in it, of whom a part is seen: their height in pixels, and the box of that part."""
    width, height = draw(st.integers(120, 480)), draw(st.integers(100, 320))
    tall = draw(st.floats(20, most_height * height))
    wide = tall * draw(st.floats(0.17, 0.7))
    seen = cut_to(Box(0, 0, wide, tall), draw(st.floats(0.05, 1)), draw(st.sampled_from(SIDES)))
    x, y = draw(st.floats(-0.9, 0.95)) * width, draw(st.floats(-0.9, 0.95)) * height
    box = seen.moved(x - seen.left, y - seen.top)
    # A detector's box ends where the picture does.
    box = Box(max(0.0, box.left), max(0.0, box.top), min(float(width), box.right), min(float(height), box.bottom))
    assume(box.width >= 2 and box.height >= 2)
    return width, height, tall, box


def cells_a_metre(shown, box, tall_across, tall_down):
    """The greatest number of cells for each metre of a person so many pixels tall, in each direction."""
    across, down = finest_cells(shown, box)
    return max(tall_across / 1.75 / across, tall_down / 1.75 / down)


@settings(deadline=None, max_examples=200)
@given(seen_people(most_height=1.0), st.integers(0, 2**32 - 1), st.sampled_from(Colour))
def test_whatever_is_seen_of_a_person_has_the_density_of_monitoring(person, seed, colour):
    """Not calibrated, anybody up to the picture's height. A half-hidden body once had 25 cells a metre, head and shoulders 35.7."""
    width, height, tall, box = person
    redactor = Redactor(RedactionSettings(colour=colour))
    shown = redactor.redact(blocks_of(width, height, seed), backdrop_of(width, height, 1, 1.0), [someone(box)])
    assert shown.doubt is None
    assert cells_a_metre(shown, box, tall, tall) <= 12.5


@settings(deadline=None, max_examples=200)
@given(seen_people(most_height=4.0), st.integers(60, 480), st.integers(0, 2**32 - 1), st.sampled_from(Colour))
def test_calibration_reaches_the_cells_of_a_shrunken_picture(person, most_width, seed, colour):
    """Calibrated, people of any size, also taller than the picture; in pixels of the picture that is shown."""
    width, height, tall, box = person
    small = blocks_of(width, height, seed).at_most(most_width)
    across, down = small.width / width, small.height / height
    scene = someone(box).scaled(across, down)
    redactor = Redactor(RedactionSettings(px_per_metre=tall / 1.75, colour=colour))
    shown = redactor.redact(small, backdrop_of(small.width, small.height, 1, 1.0), [scene])
    assert shown.doubt is None
    assert cells_a_metre(shown, scene.tracks[0].box, tall * across, tall * down) <= 12.5


def test_calibration_makes_cells_finer_than_none():
    """Somebody small in a tall picture: without calibration their cells are made for somebody as tall as the picture."""
    box = Box(100, 300, 130, 360)
    frame, backdrop = blocks_of(640, 700, 1), backdrop_of(640, 700, 1, 1.0)
    plain, calibrated = (
        finest_cells(Redactor(RedactionSettings(px_per_metre=dense, colour=Colour.FULL)).redact(frame, backdrop, [someone(box)]), box)
        for dense in (None, 40.0)
    )
    assert max(calibrated) < min(plain)
    assert min(plain) >= 700 / 1.75 / 12.5


@pytest.mark.parametrize("shown_width", [3840, 1920, 960])
def test_two_points_are_reckoned_in_the_pixels_of_the_source_as_it_is(shown_width):
    """A scale at 3840x2160: 1.2 m are a quarter of the width, so 800 px per metre; half of somebody of 1400 px is seen."""
    from blickschutz.kernel.density import Yardstick

    frame = blocks_of(3840, 2160, 3).at_most(shown_width)
    shrink = shown_width / 3840
    scene = someone(Box(1500, 300, 1900, 1000)).scaled(shrink, shrink)
    redactor = Redactor(RedactionSettings(px_per_metre=Yardstick((0.25, 0.5), (0.5, 0.5), 1.2), colour=Colour.FULL))
    shown = redactor.redact(frame, backdrop_of(480, 270, 1, 1.0), [scene])
    across, down = finest_cells(shown, scene.tracks[0].box)
    assert min(across, down) >= 800 * shrink / 12.5
    assert np.isfinite([across, down]).all()


def test_cells_that_are_held_do_not_shrink_with_the_box():
    """Somebody steps behind a wall while their cells are held: those of the whole body do not fit into what is left of it."""
    redactor, backdrop = Redactor(RedactionSettings(colour=Colour.FULL)), backdrop_of(400, 300, 1, 1.0)
    whole, half = Box(100, 40, 200, 280), Box(100, 40, 200, 130)
    for at, box in ((0.0, whole), (0.2, half), (0.4, whole)):
        frame = blocks_of(400, 300, 5)
        shown = redactor.redact(RawFrame(frame.y, frame.u, frame.v, 0, at, at), backdrop, [someone(box)])
        assert cells_a_metre(shown, box, 240, 240) <= 12.5


def test_a_person_cut_by_the_edge_counts_by_the_shoulders():
    """From the side shoulders are 0.3 m: 100 px of them are 333 px per metre."""
    inside = mosaic.cell_size(Box(10, 10, 110, 110), 400, 400)
    cut = mosaic.cell_size(Box(10, 300, 110, 400), 400, 400)
    assert 100 / 3.75 <= cut < 100 / 3.75 + 2
    assert cut > inside


def test_somebody_near_without_a_track_counts_by_the_shoulders_too():
    """A bare detection is painted from the picture's grid, which is made for somebody as tall as the picture."""
    box = Box(100, 150, 300, 300)
    near = Scene(0.0, (), (Detection(box, 0.9),))
    shown = Redactor(RedactionSettings(colour=Colour.FULL)).redact(blocks_of(400, 300, 5), backdrop_of(400, 300, 1, 1.0), [near])
    assert min(finest_cells(shown, box)) >= 200 / 0.3 / 12.5


def test_privacy_zones_are_flat_whatever_is_proven():
    zone = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))
    frame = frame_of(101, 77, 5)
    shown = Redactor(RedactionSettings(privacy_zones=(zone,))).redact(frame, backdrop_of(101, 77, 1, 1.0), [])
    inside = zone_mask([zone], 101, 77) != 0
    assert shown.mask[inside].all()
    assert len(np.unique(shown.y[inside])) == 1
    assert (shown.y[~inside] == frame.y[~inside]).mean() > 0.97


def test_somebody_who_is_found_lying_only_is_masked_like_everybody_else():
    """Whom only a turned look finds is a person: the box is masked although all around is proven background."""
    lying = Scene(0.0, lying=(Detection(Box(30, 60, 90, 80), 0.5),))
    shown = Redactor().redact(frame_of(128, 96, 3), backdrop_of(128, 96, 1, 1.0), [lying])
    assert shown.mask[60:80, 30:90].all()
    assert not shown.mask[:40, :20].any()


def test_a_pixel_that_a_box_only_touches_is_masked():
    """Once missed: the box began in the middle of a pixel whose cell in the small mask lay before it."""
    track = Track(0, Box(12.5, 0.0, 13.5, 1.0), (0.0, 0.0), 0.7, 0.0, 2.0, False)
    for columns in range(3, 26):
        backdrop = Backdrop(0.0, np.full((max(1, columns * 20 // 25), columns), 255, np.uint8))
        shown = Redactor().redact(frame_of(25, 20, 0), backdrop, [Scene(0.0, (track,))])
        region = people_regions([Scene(0.0, (track,))], backdrop, 25, 20, MaskSettings())[0]
        left, top, right, bottom = region.box.clipped(25, 20)
        assert shown.mask[top:bottom, left:right].all(), columns


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_a_chroma_sample_is_masked_when_any_of_its_pixels_is(rows, columns, down, across, seed):
    """Whichever way the masks are made: from the small mask where its cells end at samples, pixel by pixel elsewhere."""
    small = np.where(np.random.default_rng(seed).random((rows, columns)) < 0.3, 255, 0).astype(np.uint8)
    mask = enlarged(small, columns * across, rows * down)
    quick = Redactor._plane_masks(mask, small)
    for plane, expected in zip(quick, Redactor._plane_masks(mask), strict=True):
        assert np.array_equal(plane, expected)


@pytest.mark.parametrize("side", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("score", [0.1, 0.9])
@pytest.mark.parametrize("followed", [True, False])
def test_a_box_that_is_no_number_shows_nothing(side, score, followed):
    proven = Backdrop(0.0, np.full((24, 32), 255, np.uint8))
    tracks = (Track(1, Box(8, 8, 40, 40), (0.0, 0.0), 0.9, 0.0, 1.0, True),) if followed else ()
    scene = Scene(0.0, tracks, (Detection(Box(10, side, 20, 30), score),))
    redactor = Redactor()
    shown = redactor.redact(frame_of(64, 48, 0), proven, [scene])
    assert shown.doubt is Doubt.FAULT
    assert (shown.mask == 255).all()
    assert redactor.faults == 1


def shown_with(backdrop, *scenes):
    return Redactor().redact(frame_of(320, 240, 5), backdrop, scenes).mask != 0


class TestBodies:
    """What is not proven and lies close together is one body, whose outline is covered."""

    def proven(self, *parts):
        small = np.full((60, 80), 255, np.uint8)
        for left, top, right, bottom in parts:
            small[top:bottom, left:right] = 0
        return Backdrop(0.0, small)

    def test_head_and_legs_alone_cover_the_dark_jacket_between(self):
        mask = shown_with(self.proven((40, 10, 44, 15), (39, 20, 45, 40)))
        assert mask[40:160, 160:176].all()
        assert not mask[:, :120].any()

    def test_parts_far_apart_are_two(self):
        mask = shown_with(self.proven((10, 10, 14, 15), (60, 10, 64, 15)))
        assert not mask[:, 100:200].any()

    def test_single_cells_of_noise_join_nothing(self):
        mask = shown_with(self.proven((40, 10, 41, 11), (40, 17, 41, 18)))
        assert not mask[56:60, 160:164].any()

    def test_what_lies_where_somebody_is_known_to_be_needs_no_outline(self):
        corner = self.proven((40, 10, 44, 40), (44, 36, 54, 40))
        assert shown_with(corner)[100:120, 184:192].all(), "the outline goes straight from the one end to the other"
        known = shown_with(corner, someone(Box(150, 30, 230, 170)))
        alone = shown_with(self.proven(), someone(Box(150, 30, 230, 170)))
        assert (known == alone).all()


class TestTheEdge:
    """Of somebody who comes or goes a sleeve is seen for a moment, and more of them in the picture before or after."""

    def small(self, *parts, at=0.0, doubt=None):
        proven = np.full((60, 80), 255, np.uint8)
        for left, top, right, bottom in parts:
            proven[top:bottom, left:right] = 0
        return Backdrop(at, proven, doubt)

    def shown(self, *beside):
        return Redactor().redact(frame_of(320, 240, 5), self.small(), [], beside=beside).mask != 0

    @pytest.mark.parametrize("part", [(0, 20, 6, 45), (74, 20, 80, 45), (30, 0, 36, 10), (30, 52, 40, 60)])
    def test_what_reaches_the_edge_beside_is_covered_now(self, part):
        left, top, right, bottom = (4 * side for side in part)
        assert self.shown(self.small(part, at=0.1))[top:bottom, left:right].all()
        assert not self.shown().any()

    def test_what_does_not_reach_it_is_not(self):
        assert not self.shown(self.small((20, 20, 30, 45), at=0.1)).any()

    def test_a_picture_too_long_ago_or_in_doubt_says_nothing(self):
        assert not self.shown(self.small((0, 20, 6, 45), at=-0.3)).any()
        assert not self.shown(self.small((0, 20, 6, 45), at=0.1, doubt=Doubt.CHANGED)).any()


class TestOldLooks:
    """Where nobody watches, the detector looks twice a second: what it found then counts as long as it can be true."""

    BOX = Box(100, 60, 140, 180)

    def covered(self, scene, proven=1.0):
        backdrop = backdrop_of(320, 240, 1, proven)
        return bool(shown_with(backdrop, scene)[100:140, 110:130].all())

    def scene(self, looked_s, score=0.5, stands_out=True, tracks=()):
        return Scene(0.0, tracks, (Detection(self.BOX, score, stands_out),), looked_s=looked_s)

    def test_a_box_of_this_moment_counts_whatever_is_proven(self):
        assert self.covered(self.scene(0.0))

    def test_somebody_who_stood_out_and_is_gone_is_not_covered_where_they_were(self):
        assert not self.covered(self.scene(0.4))
        assert self.covered(self.scene(0.4), proven=0.7), "unless something is there in the picture itself"

    def test_somebody_who_did_not_stand_out_stays_covered(self):
        assert self.covered(self.scene(0.4, stands_out=False))

    @pytest.mark.parametrize(
        ("seen_s", "stands_out", "covered"),
        [(0.2, True, True), (0.5, True, False), (0.5, False, True), (0.9, False, False)],
        ids=["just seen", "gone on", "did not stand out", "long ago"],
    )
    def test_a_track_is_a_guess_after_a_while(self, seen_s, stands_out, covered):
        track = Track(1, self.BOX, (0.0, 0.0), 0.9, seen_s, 5.0, True, stands_out)
        assert self.covered(Scene(0.0, (track,))) is covered

    def test_a_box_of_a_look_ago_belongs_to_the_track_that_has_moved_on(self):
        track = Track(1, self.BOX.moved(40, 0), (100.0, 0.0), 0.9, 0.4, 5.0, True, False)
        scene = self.scene(0.4, stands_out=False, tracks=(track,))
        mask = shown_with(backdrop_of(320, 240, 1, 1.0), scene)
        assert mask[60:180, 140:180].all()
        assert not mask[60:180, 100:120].any()

    def test_a_box_that_its_track_has_left_covers_nothing(self):
        scene = Scene(0.0, (), (Detection(self.BOX, 0.9, False, True),), looked_s=0.0)
        assert not shown_with(backdrop_of(320, 240, 1, 1.0), scene).any()

    def test_somebody_lying_counts_however_old_the_look_is(self):
        lying = Scene(0.0, lying=(Detection(self.BOX, 0.25, False),), looked_s=0.4)
        assert self.covered(lying, proven=0.7)
