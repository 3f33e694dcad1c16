"""The demo's footage: eleven views by day and night; without apt a drawn scene, and it says so."""

from __future__ import annotations

import av
import numpy as np
import pytest

from blickschutz.analysis.service import Analyser
from blickschutz.demo import footage, incident
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.demo.site import demo_site
from blickschutz.kernel.frames import RawFrame
from blickschutz.situations.io.forests import load_learned
from blickschutz.situations.kinds import Kind
from blickschutz.situations.service import SituationWatch
from tests.fakes.detectors import BlindDetector


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BLICKSCHUTZ_DATA", str(tmp_path))
    monkeypatch.setattr(footage, "_DRAWN", 6)
    return tmp_path / "footage"


def test_without_apt_a_scene_is_drawn_and_it_says_so(own_folder, monkeypatch):
    monkeypatch.setattr(footage.shutil, "which", lambda name: None)
    said, steps = [], []
    footage.prepare(said.append, lambda total: steps.append)
    assert any("no apt" in line and "drawing" in line for line in said)
    assert sum(steps) == 6, "once for all views"
    assert footage.is_ready()
    assert not footage.is_real()
    views = sorted(own_folder.glob("view-*.mp4"))
    assert len(views) == 22
    with av.open(str(views[0])) as day, av.open(str(views[1])) as night:
        bright, dark = (next(c.decode(video=0)).to_ndarray(format="gray") for c in (day, night))
    assert bright.shape == (footage.HEIGHT, footage.WIDTH)
    assert dark.mean() < 0.6 * bright.mean()
    assert [path.name for path in own_folder.iterdir() if path.is_dir()] == [], "no parts are left"


def test_the_incident_comes_once_and_the_clip_three_times_more(own_folder, monkeypatch):
    """What is drawn is there in the first pass alone, and the passes follow one another without a gap."""
    monkeypatch.setattr(footage.shutil, "which", lambda name: None)
    monkeypatch.setattr(footage, "_DRAWN", 12)
    monkeypatch.setattr(footage, "sprayed", lambda planes, at: tuple(np.full_like(plane, 30) for plane in planes) if at >= 0.5 else planes)
    footage.prepare(lambda words: None, lambda total: lambda done: None)
    for name in ("view-09-day.mp4", "view-09-night.mp4"):
        with av.open(str(own_folder / name)) as container:
            shown = [(frame.pts * frame.time_base, frame.to_ndarray(format="gray").astype(np.int16)) for frame in container.decode(video=0)]
        assert [round(at * footage.RATE, 6) for at, _ in shown] == list(range(48))
        assert [picture.std() < 8 for _, picture in shown] == [index in range(5, 12) for index in range(48)]
        assert all(np.abs(shown[12 + index][1] - shown[36 + index][1]).max() == 0 for index in range(12))


def test_footage_of_an_installation_of_somebody_else_is_ones_own(own_folder, tmp_path, monkeypatch):
    assert footage.folder() == own_folder
    monkeypatch.setattr(footage.os, "access", lambda path, mode: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert footage.folder() == tmp_path / "cache/blickschutz/footage"
    own_folder.mkdir()
    (own_folder / "footage.json").write_text('{"real": true}')
    assert footage.folder() == own_folder


def test_views_differ():
    assert len(set(footage.VIEWS)) == 11
    assert any(view.mirrored for view in footage.VIEWS)
    assert len({view.start_s for view in footage.VIEWS}) == 11
    for view in footage.VIEWS:
        assert view.left + view.width <= 1.001
        assert view.top + view.height <= 1.001


@pytest.mark.parametrize("night", [False, True])
def test_the_demo_is_marked_and_plays_the_views(night):
    site = demo_site(night, 9000)
    assert site.site.demo
    assert site.server.port == 9000
    assert len(site.cameras) == 11
    assert all(camera.address.endswith("-night.mp4" if night else "-day.mp4") for camera in site.cameras)


def calibrations():
    return [camera.calibration and camera.calibration.px_per_metre for camera in demo_site(False, 9000).cameras]


def test_the_demo_is_calibrated_by_its_footage(own_folder):
    """In the real clip nobody is taller than 153.48 px; the first view shows it at five sixths."""
    assert calibrations() == [None] * 11
    own_folder.mkdir()
    (own_folder / "footage.json").write_text('{"real": true}')
    real = calibrations()
    for dense, view in zip(real, footage.VIEWS, strict=True):
        zoom = footage.WIDTH / (view.width * 768)
        assert 153.48 / 1.75 * zoom <= dense < 153.48 / 1.75 * zoom * 1.02
    assert real[0] == 73.4
    (own_folder / "footage.json").write_text('{"real": false}')
    scene = DrawnScene(768, 576, seed=1)
    tallest = max(box.height for index in range(0, 60, 3) for box in scene.picture(index).people)
    zoom = 640 / 768
    assert tallest / 1.75 * zoom <= calibrations()[0]


def test_mirroring_mirrors(own_folder):
    frame = DrawnScene(256, 192, seed=1).picture(0).frame(0)
    plain = footage.View(0, 0, 1, 1, False, 0.0)
    mirrored = footage.View(0, 0, 1, 1, True, 0.0)
    assert (np.flip(footage._planes(frame, plain)[0], 1) == footage._planes(frame, mirrored)[0]).all()


def test_the_drawn_incident_is_found_and_nothing_else():
    ground = DrawnScene(320, 240, seed=5, walkers=0).picture(0)
    random, analyser, watch = np.random.default_rng(3), Analyser(BlindDetector()), SituationWatch(learned=load_learned())
    told = []
    for index in range(round(5 * (incident.BEGINS_S + incident.LASTS_S + 4))):
        at = index / 5
        y, u, v = incident.sprayed((ground.y, ground.u, ground.v), at)
        noisy = np.clip(y + random.normal(0, 1.2, y.shape), 16, 235).astype(np.uint8)
        _, scene = analyser.analyse(RawFrame(noisy, u, v, index, 100 + at, 100 + at))
        told += watch.take(scene)
    begun = [situation for situation in told if situation.ended_at is None]
    assert [situation.kind for situation in begun] == [Kind.CAMERA_TAMPERED]
    assert begun[0].at - 100 - incident.BEGINS_S < 4


def test_before_and_after_the_incident_the_picture_is_as_it_was():
    scene = DrawnScene(320, 240, seed=5).picture(3)
    planes = (scene.y, scene.u, scene.v)
    for at in (0.0, incident.BEGINS_S - 0.1, incident.BEGINS_S + incident.LASTS_S):
        assert incident.sprayed(planes, at) is planes
    covered = incident.sprayed(planes, incident.BEGINS_S + incident.SPRAYED_S)
    assert [plane.shape for plane in covered] == [plane.shape for plane in planes]
    assert covered[0].std() < 0.1 * scene.y.std()
