"""What each setting of `redaction.colour` keeps of people: the default nothing of their pixels, whatever they wear."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blickschutz.bootstrap.cells import cell_settings
from blickschutz.config.loader import load_site
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Scene, Track
from blickschutz.recording.model import Opening
from blickschutz.redaction.model import Colour, RedactionSettings, Style
from blickschutz.redaction.rules import figure
from blickschutz.redaction.rules.mask import MaskSettings
from blickschutz.redaction.rules.mosaic import muted, quantised
from blickschutz.redaction.service import Redactor
from tests.conftest import ROOT
from tests.properties.test_redaction import backdrop_of, correlation, frame_of, masks_of, scenes, sizes


def shown_as(colour, frame, backdrop, found):
    return Redactor(RedactionSettings(colour=colour)).redact(frame, backdrop, found)


@settings(deadline=None, max_examples=80)
@given(sizes, st.integers(0, 2**32 - 1), st.floats(0, 1), st.data())
def test_neutral_shows_the_same_whatever_people_wear(size, seed, share, data):
    width, height = size
    backdrop, scene = backdrop_of(width, height, seed, share), data.draw(scenes(width, height))
    one, other = (shown_as(Colour.NEUTRAL, frame_of(width, height, seed + n), backdrop, [scene]) for n in (0, 1))
    assert one.doubt is None
    for first, second, mask in zip((one.y, one.u, one.v), (other.y, other.u, other.v), masks_of(one.mask), strict=True):
        assert (first[mask != 0] == second[mask != 0]).all()


@settings(deadline=None, max_examples=80)
@given(sizes, st.integers(0, 2**32 - 1), st.floats(0, 1), st.data())
def test_neutral_has_no_colour_and_three_levels(size, seed, share, data):
    width, height = size
    shown = shown_as(
        Colour.NEUTRAL, frame_of(width, height, seed), backdrop_of(width, height, seed, share), [data.draw(scenes(width, height))]
    )
    luma, *chroma = masks_of(shown.mask)
    assert set(np.unique(shown.y[luma != 0])) <= {figure.GROUND, figure.UPRIGHT, figure.LYING}
    for plane, mask in zip((shown.u, shown.v), chroma, strict=True):
        assert (plane[mask != 0] == 128).all()


SOMEBODY = Box(60, 20, 110, 140)


def dressed(shirt, trousers):
    """A grey picture with somebody in it, light or dark above and below the middle, in a colour."""
    width = height = 160
    y, u, v = np.full((height, width), 120, np.uint8), *(np.full((height // 2, width // 2), 128, np.uint8) for _ in range(2))
    left, top, right, bottom = (int(side) for side in SOMEBODY)
    middle = (top + bottom) // 2
    for (luma, blue, red), start, end in ((shirt, top, middle), (trousers, middle, bottom)):
        y[start:end, left:right] = luma
        u[start // 2 : end // 2, left // 2 : right // 2] = blue
        v[start // 2 : end // 2, left // 2 : right // 2] = red
    return RawFrame(y, u, v, 0, 0.0, 0.0)


def test_over_many_people_only_what_is_kept_on_purpose_tells_of_their_clothes():
    """500 people in random clothes: how light the shirt is, and its colour, against what is shown of it."""
    random, found = np.random.default_rng(5), [Scene(0.0, (Track(1, Box(60, 20, 110, 140), (0.0, 0.0), 0.9, 0.0, 5.0, True),))]
    backdrop = backdrop_of(160, 160, 1, 1.0)
    clothes, kept = [], {colour: [] for colour in Colour}
    for _ in range(500):
        shirt, trousers = (tuple(int(value) for value in random.integers(20, 236, 3)) for _ in range(2))
        clothes.append(shirt)
        for colour in Colour:
            shown = shown_as(colour, dressed(shirt, trousers), backdrop, found)
            kept[colour].append((shown.y[45, 85], shown.u[22, 42], shown.v[22, 42]))
    wanted = np.array(clothes, float)
    for colour, least, most in ((Colour.NEUTRAL, 0.0, 0.0), (Colour.MUTED, 0.9, 1.0), (Colour.FULL, 0.9, 1.0)):
        for plane in range(3):
            assert least <= abs(correlation(wanted[:, plane], np.array(kept[colour], float)[:, plane])) <= most


@given(st.integers(0, 255))
def test_muted_keeps_half_the_way_to_grey(value):
    plane = np.full((1, 1), value, np.uint8)
    assert muted(plane).item() % 16 == 0
    assert abs(muted(plane).item() - (128 + (value - 128) / 2)) <= 8.5
    assert muted(np.full((1, 1), 128, np.uint8)).item() == quantised(np.full((1, 1), 128, np.uint8)).item() == 128


class TestPostures:
    def level(self, redactor, box, at):
        found = [Scene(at, (Track(1, box, (0.0, 0.0), 0.9, 0.0, 5.0, True),))]
        shown = redactor.redact(frame_of(160, 160, 1, at), backdrop_of(160, 160, 1, 1.0, at), found)
        return int(shown.y[80, 80])

    def test_whoever_lies_is_lighter(self):
        assert self.level(Redactor(), Box(60, 20, 110, 140), 0.0) == figure.UPRIGHT
        assert self.level(Redactor(), Box(20, 60, 140, 110), 0.0) == figure.LYING

    def test_a_posture_holds_for_two_seconds(self):
        """A stride that opens the box in time with the steps tells nothing of a gait."""
        redactor, levels = Redactor(), []
        for step in range(30):
            levels.append(self.level(redactor, Box(60, 20, 110, 140) if step % 2 == 0 else Box(20, 60, 140, 110), step / 10))
        assert len(set(levels[:20])) == 1

    def test_somebody_lying_is_seen_under_somebody_who_stands_over_them(self):
        lying, standing = (
            Track(n, box, (0.0, 0.0), 0.9, 0.0, 5.0, True) for n, box in ((1, Box(20, 90, 140, 130)), (2, Box(60, 20, 100, 140)))
        )
        shown = Redactor().redact(frame_of(160, 160, 1), backdrop_of(160, 160, 1, 1.0), [Scene(0.0, (lying, standing))])
        assert shown.y[110, 80] == figure.LYING
        assert shown.y[50, 80] == figure.UPRIGHT


def test_a_figure_reaches_beyond_its_region_as_far_as_that_is_masked():
    """A box that is off the person would tell who they are by what of them lies beside it."""
    box = Box(40, 40, 80, 120)
    found = [Scene(0.0, (Track(1, box, (0.0, 0.0), 0.9, 0.0, 5.0, True),))]
    left, top, right, bottom = box.grown(MaskSettings().margin_share, MaskSettings().margin_px).grown(0.15).clipped(160, 160)
    covered, bare = (Redactor().redact(frame_of(160, 160, 1), backdrop_of(160, 160, 1, share), found) for share in (0.0, 1.0))
    assert (covered.y[top:bottom, left:right] == figure.UPRIGHT).all()
    assert (covered.y[:, 150:] == figure.GROUND).all()
    assert not bare.mask[:, right:].any()


def test_a_camera_may_differ_from_the_site(tmp_path):
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    first, second, *_ = site.cameras
    assert site.redaction.colour is Colour.NEUTRAL
    assert cell_settings(site, first, tmp_path).redaction.colour is Colour.NEUTRAL
    other = second.model_copy(update={"colour": Colour.FULL})
    assert cell_settings(site, other, tmp_path).redaction.colour is Colour.FULL


def test_a_clip_from_before_the_setting_gives_the_least_away():
    whole = Opening(
        digest=b"",
        init=b"i",
        codec="h264",
        width=64,
        height=48,
        style=Style.MOSAIC.value,
        privacy_zones=(),
        px_per_metre=None,
        colour="full",
    )
    kept = msgspec.json.decode(msgspec.json.encode(whole))
    assert msgspec.convert(kept, Opening).colour == "full"
    del kept["colour"]
    assert Colour(msgspec.convert(kept, Opening).colour) is Colour.NEUTRAL


@pytest.mark.parametrize("colour", Colour)
def test_the_style_silhouette_is_flat_whatever_the_colour(colour):
    found = [Scene(0.0, (Track(1, Box(60, 20, 110, 140), (0.0, 0.0), 0.9, 0.0, 5.0, True),))]
    shown = Redactor(RedactionSettings(Style.SILHOUETTE, colour=colour)).redact(frame_of(160, 160, 1), backdrop_of(160, 160, 1, 0.5), found)
    assert len(np.unique(shown.y[shown.mask != 0])) == 1
