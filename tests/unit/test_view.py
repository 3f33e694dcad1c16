"""Whether a camera still sees its place: drawn pictures of each cause, and of all that looks like one and is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from blickschutz.analysis.rules.view import ViewWatch
from blickschutz.analysis.rules.view_jolt import Jolt
from blickschutz.analysis.rules.view_motion import Steps
from blickschutz.analysis.rules.view_roll import Roll
from blickschutz.kernel.planes import shrunk
from blickschutz.kernel.scene import Cause

WIDTH, HEIGHT, RATE = 480, 360, 5.0
TOLD = 0.5


def place(seed: int = 1, scale: int = 1) -> np.ndarray:
    """A place with walls, windows and a paved ground; the same seed is the same place."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT * scale, WIDTH * scale), 120, np.float32)
    for _ in range(70 * scale * scale):
        x, y = rng.integers(0, WIDTH * scale), rng.integers(0, HEIGHT * scale)
        w, h = rng.integers(12, 70), rng.integers(12, 70)
        picture[y : y + h, x : x + w] = rng.uniform(50, 190)
    return cv2.GaussianBlur(picture, (0, 0), 0.7)


def noisy(picture: np.ndarray, rng: np.random.Generator, sigma: float = 2.0) -> np.ndarray:
    return np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


def watch(pictures, rate: float = RATE, start: float = 0.0, watch=None):
    """(time, view) of each of `pictures`."""
    watch, result = watch or ViewWatch(), []
    for index, picture in enumerate(pictures):
        at = start + index / rate
        result.append((at, watch.look(shrunk(picture, 192, 144), picture, at)))
    return result


def run(altered, seconds: float = 8.0, at: float = 5.0, seed: int = 1, sigma: float = 2.0, ground=None):
    """Views of a place which from second `at` on is `altered(picture, seconds since, generator)`."""
    rng, ground = np.random.default_rng(seed), place(seed) if ground is None else ground

    def pictures():
        for index in range(round((at + seconds) * RATE)):
            t = index / RATE
            yield noisy(ground if t < at else altered(ground, t - at, rng), rng, sigma)

    return watch(pictures())


def told(views, after: float = 0.0):
    """The first (time, cause) at which the evidence reaches the threshold of the start."""
    return next(((at, view.cause) for at, view in views if at >= after and view is not None and view.score >= TOLD), None)


def covered(picture, t, rng):
    return np.full_like(picture, 90) + cv2.GaussianBlur(rng.normal(0, 1, picture.shape).astype(np.float32), (0, 0), 20) * 40


def covered_in_part(picture, t, rng):
    result = picture.copy()
    result[:, : round(0.6 * WIDTH)] = 70
    return result


def sprayed(picture, t, rng):
    clear = cv2.GaussianBlur(np.random.default_rng(4).uniform(0, 1, picture.shape).astype(np.float32), (0, 0), 30)
    opaque = np.where(clear > np.quantile(clear, 0.3), 0.97, 0.0)
    return picture * (1 - opaque) + 150 * opaque


def defocused(picture, t, rng):
    return cv2.GaussianBlur(picture, (0, 0), 5)


def darkened(picture, t, rng):
    return picture * 0.03


def blinded(picture, t, rng):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return picture + 240 * np.exp(-((x - 300) ** 2 + (y - 120) ** 2) / (2 * 120.0**2))


def turned(picture, t, rng):
    around = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 6 * min(1.0, t), 1)
    return cv2.warpAffine(picture, around, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)


def shifted(picture, t, rng):
    return np.roll(picture, (7, 15), (0, 1))


@pytest.mark.parametrize(
    ("altered", "causes"),
    [
        (covered, {Cause.COVERED}),
        (covered_in_part, {Cause.COVERED}),
        (sprayed, {Cause.COVERED}),
        (defocused, {Cause.DEFOCUSED}),
        (darkened, {Cause.DARK}),
        (blinded, {Cause.BLINDED}),
        (turned, {Cause.MOVED}),
        (shifted, {Cause.MOVED}),
    ],
)
def test_each_cause_is_told_within_two_seconds(altered, causes):
    at, cause = told(run(altered))
    assert cause in causes
    assert 5.0 < at <= 7.0


@pytest.mark.later
def test_slow_ones_are_told_before_they_are_done():
    def slowly_covered(picture, t, rng):
        result = picture.copy()
        result[:, : round(WIDTH * min(1, t / 30))] = 70
        return result

    def slowly_defocused(picture, t, rng):
        return cv2.GaussianBlur(picture, (0, 0), 0.1 + 6 * min(1, t / 40))

    def slowly_darkened(picture, t, rng):
        return picture * (1 - 0.97 * min(1, t / 40))

    for altered in (slowly_covered, slowly_defocused, slowly_darkened):
        at, _ = told(run(altered, seconds=44))
        assert 5.0 < at <= 48.0


def frozen_run(moving, seconds=6.0, at=8.0):
    rng = np.random.default_rng(2)
    pictures = [moving(index, rng) for index in range(round(at * RATE))]
    return watch(pictures + [pictures[-1]] * round(seconds * RATE))


def test_a_frozen_picture_lacks_the_sensors_noise():
    ground = place()
    at, cause = told(frozen_run(lambda index, rng: noisy(ground, rng)))
    assert (cause, at) == (Cause.FROZEN, pytest.approx(8.0 + 1.4, abs=0.5))


def test_an_encoder_refines_a_frozen_picture_and_draws_it_anew():
    """For a second steps of one here and there, then a key picture: frozen all the same."""
    ground, rng = place(), np.random.default_rng(2)
    pictures = [noisy(ground, rng) for _ in range(40)]
    last = pictures[-1]
    anew = noisy(last, rng)
    for index in range(30):
        again = (last if index < 5 else anew).copy()
        again[rng.integers(0, HEIGHT, 40), rng.integers(0, WIDTH, 40)] += np.uint8(2)
        pictures.append(again)
    at, cause = told(watch(pictures))
    assert (cause, at) == (Cause.FROZEN, pytest.approx(8.0 + 1.6, abs=0.5))


def test_an_encoder_that_sends_quiet_places_bit_for_bit_is_not_frozen():
    """Nothing but somebody who walks through now and then changes a single pixel."""
    ground = place()

    def picture(index, rng):
        result = ground.copy()
        if index % 60 < 20:
            x = 20 * (index % 60)
            result[200:300, x : x + 30] = 30
        return result.astype(np.uint8)

    assert told(watch([picture(index, None) for index in range(300)])) is None


def test_still_for_a_second_as_a_slow_stream_is_no_frozen_picture():
    ground, rng = place(), np.random.default_rng(3)
    pictures = []
    for index in range(200):
        pictures.append(pictures[-1] if index % 40 > 34 else noisy(ground, rng))
    assert told(watch(pictures)) is None


def light_on(picture, t, rng):
    return picture * 2.2


def light_off(picture, t, rng):
    return picture * 0.3


def exposure(picture, t, rng):
    return picture * (1 + 0.4 * np.sin(t * 2))


def infrared(picture, t, rng):
    return cv2.GaussianBlur(picture, (0, 0), 1.0) * 0.45 + 15 + rng.normal(0, 5, picture.shape)


def headlights(picture, t, rng):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    around = (x + 150 - (t % 5) / 5 * (WIDTH + 300)) ** 2 + (y - 200) ** 2
    return picture * 0.25 + 255 * np.exp(-around / 7200) + 120 * np.exp(-around / 96800)


def cloud(picture, t, rng):
    x = np.arange(WIDTH)
    return picture * (1 - 0.4 / (1 + np.exp(-(x - t * 150 + 200) / 40)))


def bus(picture, t, rng):
    """A bus with windows stands across most of the picture for some seconds."""
    result = picture.copy()
    left = round(max(0, 500 - 400 * t) if t < 5 else -400 * (t - 5))
    side = place(9)
    span = slice(min(WIDTH, max(0, left)), max(0, min(WIDTH, left + WIDTH)))
    result[60:300, span] = side[60:300, span.start - left : span.stop - left]
    return result


def white_van(picture, t, rng):
    result = picture.copy()
    result[120:300, 100:330] = 250
    result[280:300, 130:300:50] = 30
    return result


def crowd(picture, t, rng):
    result = picture.copy()
    for k in range(5):
        x = round((100 * k + 60 * np.sin(t + k)) % (WIDTH - 70))
        result[90:, x : x + 70] = cv2.resize(rng.uniform(30, 120, (12, 4)).astype(np.float32), (70, HEIGHT - 90))
    return result


def shaken(picture, t, rng):
    move = np.float32([[1, 0, rng.uniform(-3, 3)], [0, 1, rng.uniform(-3, 3)]])
    return cv2.warpAffine(picture, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


def snow(picture, t, rng):
    result = picture.copy()
    for x, y in zip(rng.integers(0, WIDTH, 250), rng.integers(0, HEIGHT, 250), strict=True):
        cv2.circle(result, (int(x), int(y)), 3, 245, -1)
    return result


def keyframes(picture, t, rng):
    return picture + (2.0 if round(t * RATE) % 10 == 0 else 0.0) + rng.normal(0, 1, picture.shape)


@pytest.mark.parametrize(
    "altered", [light_on, light_off, exposure, infrared, headlights, cloud, bus, white_van, crowd, shaken, snow, keyframes]
)
def test_what_looks_like_tampering_and_is_none(altered):
    assert told(run(altered, seconds=10)) is None


def test_whoever_stands_there_from_the_first_picture_on_hides_nothing():
    ground = place()
    ground[60:, 150:330] = cv2.resize(place(5)[:40, :30], (180, 300))
    at, cause = told(run(covered, ground=ground, at=2.0))
    assert cause is Cause.COVERED
    assert at <= 4.0


def test_a_hand_held_camera_is_never_called_moved():
    rng, ground = np.random.default_rng(6), place(6, scale=2)
    x, y, pictures = 200.0, 150.0, []
    for _ in range(150):
        x, y = (float(np.clip(v + rng.normal(0, 5), 20, 300)) for v in (x, y))
        pictures.append(noisy(ground[round(y) : round(y) + HEIGHT, round(x) : round(x) + WIDTH], rng))
    assert told(watch(pictures)) is None


def test_the_usual_view_comes_back_and_the_evidence_ends():
    views = run(lambda picture, t, rng: covered(picture, t, rng) if t < 5 else picture, seconds=10)
    assert told(views) is not None
    assert views[-1][1].score < 0.1
    assert views[-1][1].doubt < 0.1


def test_a_new_view_that_nobody_puts_right_becomes_the_usual_one():
    views = run(shifted, seconds=40, at=8.0)
    assert told(views) is not None
    assert views[-1][1].score < 0.1


def test_pictures_that_are_missing_end_what_was_going_on():
    kept = ViewWatch()
    rng, ground = np.random.default_rng(1), place()
    watch([noisy(ground, rng) for _ in range(25)], watch=kept)
    hidden = [noisy(covered(ground, 0, rng), rng) for _ in range(12)]
    assert told(watch(hidden[:4], start=5.0, watch=kept)) is None
    # After a gap the cover is still there, and is told when it was seen for long enough again.
    views = watch(hidden, start=20.0, watch=kept)
    at, cause = told(views)
    assert cause is Cause.COVERED
    assert at >= 20.8


@pytest.mark.parametrize("size", [(4, 4), (12, 9), (192, 10)])
def test_a_picture_too_small_to_judge_is_not_judged(size):
    picture = np.full(size[::-1], 100, np.uint8)
    assert ViewWatch().look(picture, picture, 0.0) is None


def test_a_bush_in_the_wind_is_restless_and_who_walks_past_is_not():
    """The bush fills the upper left eighth; somebody crosses the lower half every 20 s."""
    rng, ground = np.random.default_rng(8), place(8)
    leaves = [cv2.resize(rng.uniform(30, 200, (24, 16)).astype(np.float32), (120, 180)) for _ in range(7)]

    def pictures():
        for index in range(200):
            picture = ground.copy()
            picture[:180, :120] = leaves[index % 7]
            x = 25 * (index % 100)
            picture[220:340, x : x + 40] = 20
            yield noisy(picture, rng)

    views = watch(pictures())
    assert views[30][1].restless == frozenset()
    assert {0, 1, 8, 9, 16, 17} <= views[-1][1].restless
    assert not views[-1][1].restless & set(range(24, 48))


def swaying(picture, t, rng):
    """A camera in somebody's hand: some pixels to and fro, never at rest for long."""
    way = 3 * np.array([np.sin(5.1 * t) + 0.4 * np.sin(13 * t), np.cos(3.7 * t) + 0.4 * np.sin(11 * t)])
    return cv2.warpAffine(picture, np.float32([[1, 0, way[0]], [0, 1, way[1]]]), (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)


def hand_held(altered, seconds: float = 6.0, at: float = 5.0):
    """Views through a swaying camera whose picture is `altered(picture, seconds since, generator)` from second `at` on."""
    rng, ground = np.random.default_rng(5), place(5)

    def pictures():
        for index in range(round((at + seconds) * RATE)):
            t = index / RATE
            picture = swaying(ground, t, rng)
            yield noisy(picture if t < at else altered(picture, t - at, rng), rng)

    return watch(pictures())


def panned(takes_s: float):
    """The camera is swung by a third of the picture's width, which takes so long."""

    def altered(picture, t, rng):
        way = min(1.0, max(0.0, t) / takes_s) * WIDTH / 3
        return cv2.warpAffine(picture, np.float32([[1, 0, way], [0, 1, 0]]), (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)

    return altered


def test_a_hand_held_camera_that_is_pushed_and_rests_elsewhere_is_called_moved():
    first = told(hand_held(panned(0.3)))
    assert first is not None
    assert first[1] is Cause.MOVED
    assert 5.0 < first[0] <= 8.0


def test_a_hand_held_camera_that_pans_is_not_called_moved():
    assert told(hand_held(panned(3.0))) is None


def test_a_hand_held_camera_that_is_turned_is_called_moved():
    """By five degrees in a second: too slow for a push, and no sway ever turns a picture."""
    first = told(hand_held(turned_by(5.0)))
    assert first is not None
    assert first[1] is Cause.MOVED
    assert 5.0 < first[0] <= 8.0


def test_a_hand_held_camera_that_is_turned_back_is_not_called_moved():
    def altered(picture, t, rng):
        return turned_by(5.0)(picture, min(t, 2.0 - t), rng)

    assert told(hand_held(altered)) is None


def turned_by(degrees):
    def altered(picture, t, rng):
        around = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees * min(1.0, max(0.0, t)), 1)
        return cv2.warpAffine(picture, around, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)

    return altered


def shifted_by(way, takes_s: float = 0.05, back_s: float = np.inf):
    """The camera is pushed aside so that its picture moves by so many pixels, and comes back after so many seconds."""

    def altered(picture, t, rng):
        done = min(1.0, max(0.0, t) / takes_s) if t < back_s else 0.0
        place = np.float32([[1, 0, done * way[0]], [0, 1, done * way[1]]])
        return cv2.warpAffine(picture, place, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)

    return altered


def tram(brakes):
    """A tram comes from the right, brakes and stands before the whole picture: its last metres look like a shift of the camera."""

    def altered(picture, t, rng):
        result, side = picture.copy(), place(9)
        if t >= 0:
            left = round(WIDTH * np.exp(-brakes * t))
            result[:, left:] = side[:HEIGHT, : WIDTH - left]
        return result

    return altered


def below_umbrellas(way):
    """People with umbrellas, seen from above, fill two thirds of the picture and go each their own way."""

    def altered(picture, t, rng):
        result, chance = picture.copy(), np.random.default_rng(8)
        for _ in range(25):
            start, turn, grey = chance.uniform(0, (WIDTH, HEIGHT)), chance.uniform(0, 2 * np.pi), chance.uniform(40, 200)
            x, y = (start + 60 * t * np.array([np.cos(turn), np.sin(turn)])) % (WIDTH, HEIGHT)
            cv2.circle(result, (round(x), round(y)), 40, grey, -1)
            cv2.circle(result, (round(x), round(y)), 20, 255 - grey, 3)
        return shifted_by(way)(result, t, rng)

    return altered


class TestJolt:
    """Ways are pixels of a picture that is 480 wide: five of them are two of the small one."""

    def drifting(self, altered, seconds: float = 12.0, at: float = 6.0, speed: float = 0.6):
        """(time, jolt) of a hand that drifts by some pixels a second, more in all than any of these shifts."""
        jolt, steps, rng, ground = Jolt(), Steps(), np.random.default_rng(4), place(4)
        for index in range(round(seconds * RATE)):
            t = index / RATE
            way = 8 * np.array([np.sin(speed * t), np.cos(1.3 * speed * t)])
            held = cv2.warpAffine(ground, np.float32([[1, 0, way[0]], [0, 1, way[1]]]), (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
            jolt.look(steps.take(shrunk(noisy(altered(held, t - at, rng), rng), 192, 144)), t)
            yield t, jolt

    @pytest.mark.parametrize("way", [(12, 5), (-9, 4), (0, 8)])
    @pytest.mark.parametrize("takes_s", [0.05, 0.5])
    def test_a_small_shift_of_a_hand_that_drifts_is_seen(self, way, takes_s):
        first = next(t for t, jolt in self.drifting(shifted_by(way, takes_s)) if jolt.shifted)
        assert 6.0 < first <= 8.0

    @pytest.mark.parametrize("way", [(12, 5), (0, 8)])
    def test_what_moves_by_itself_lately_counts_little(self, way):
        first = next(t for t, jolt in self.drifting(below_umbrellas(way), seconds=9.0) if jolt.shifted)
        assert 6.0 < first <= 8.0

    def test_and_ends_where_it_is_put_right(self):
        states = [(t, jolt.shifted) for t, jolt in self.drifting(shifted_by((12, 5), back_s=2.5))]
        assert any(shifted for t, shifted in states if t < 8.5)
        assert not any(shifted for t, shifted in states if t > 9.0)

    @pytest.mark.parametrize(
        "altered",
        [
            shifted_by((2, 0)),
            shifted_by((12, 5), back_s=0.5),
            shifted_by((60, 0), 4.0),
            bus,
            tram(2),
            tram(6),
            crowd,
            headlights,
            below_umbrellas((0, 0)),
        ],
    )
    def test_what_is_none(self, altered):
        """A pixel of the small picture, what is back at once, a pan, and what passes close."""
        assert not any(jolt.shifted or jolt.evidence for _, jolt in self.drifting(altered))

    def test_one_that_moves_by_as_much_all_the_time_is_not_believed(self):
        """The floor follows the camera: two and a half times its own motion of the last seconds."""
        assert not any(jolt.shifted for _, jolt in self.drifting(shifted_by((9, 4)), speed=4.0))
        assert any(jolt.shifted for _, jolt in self.drifting(shifted_by((40, 20)), speed=4.0))

    def test_pictures_that_are_missing_end_it(self):
        *_, (_, jolt) = self.drifting(shifted_by((12, 5)), seconds=8.0)
        assert jolt.shifted
        assert jolt.evidence >= 0.5
        jolt.interrupt()
        assert not jolt.shifted
        assert jolt.evidence == 0


class TestSteps:
    def test_a_step_that_another_made_is_taken_only_where_it_begins_at_the_same_picture(self):
        rng, ground = np.random.default_rng(7), place(7)
        pictures = [shrunk(noisy(ground, rng), 192, 144) for _ in range(5)]
        each, looks, alone = Steps(), Steps(), Steps()
        for index, picture in enumerate(pictures):
            known = each.take(picture)
            if index == 3:
                continue
            step, own = looks.take(picture, known), alone.take(picture)
            assert (step is known) == (index in {0, 2})
            assert (step is None) == (own is None) == (index == 0)
            if step is not None and own is not None:
                assert np.array_equal(step.normal, own.normal)
                assert np.array_equal(step.right, own.right)
                assert np.array_equal(step.total, own.total)


class TestRoll:
    @pytest.mark.parametrize("degrees", [-6.0, -4.0, 4.0, 6.0])
    def test_the_angle_is_measured_whatever_else_shifts(self, degrees):
        roll, steps, rng = Roll(), Steps(), np.random.default_rng(2)
        for index in range(12):
            picture = swaying(turned_by(degrees)(place(3), (index - 3) / RATE, rng), index / RATE, rng)
            roll.look(steps.take(shrunk(noisy(picture, rng), 192, 144)), index / RATE)
        assert roll.turned
        assert roll.lies_turned(11 / RATE)
        assert roll.evidence == pytest.approx(abs(degrees) / 6, abs=0.12)

    def test_what_is_less_than_three_degrees_or_only_moves_before_it_is_no_turn(self):
        for altered in (turned_by(1.5), headlights, bus, crowd):
            roll, steps, rng = Roll(), Steps(), np.random.default_rng(2)
            for index in range(40):
                t = index / RATE
                roll.look(steps.take(shrunk(noisy(altered(place(3), t, rng), rng), 192, 144)), t)
                assert not roll.turned

    def test_pictures_that_are_missing_end_it(self):
        roll, steps, rng = Roll(), Steps(), np.random.default_rng(2)
        for index in range(12):
            roll.look(steps.take(shrunk(noisy(turned_by(6.0)(place(3), index / RATE, rng), rng), 192, 144)), index / RATE)
        assert roll.turned
        roll.interrupt()
        assert not roll.turned
        assert roll.evidence == 0
