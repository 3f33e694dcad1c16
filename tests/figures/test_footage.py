"""The figures on real footage with ground truth: what must hold, holds. Skipped, by name, where the footage is absent."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import av
import numpy as np
import pytest

from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.model import Head
from blickschutz.analysis.rules.heads import suppress_overlaps
from blickschutz.ingest.io.files import FileSource
from blickschutz.ingest.io.frames import raw_frame
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.geometry import pairwise_iou
from blickschutz.pipeline.offline import mask_file, track_file
from blickschutz.pipeline.recorded import mask_as_recorded
from blickschutz.redaction.model import RedactionSettings
from tests.conftest import SHARED, footage

pytestmark = [pytest.mark.footage, pytest.mark.timeout(600)]


def referee(name: str, *arguments) -> dict[str, float]:
    path = SHARED / "score" / name
    if not path.exists():
        pytest.skip(f"the referee {name} is not here")
    command = [sys.executable, "-W", "ignore", str(path), *(str(argument) for argument in arguments), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


LIVE: dict[str, dict[str, float]] = {}


def mask_figures(detector, tmp_path, clip: str, truth: str, warmup: float = 0.0):
    """What is shown live, by the referee; measured once for each clip."""
    if clip not in LIVE:
        source, masks = footage(clip), tmp_path / "masks.mkv"
        mask_file(source, tmp_path / "out.mp4", masks, detector, SystemClock(), RedactionSettings(), lambda n: None)
        LIVE[clip] = referee("mask_score.py", masks, footage(truth), "--warmup", warmup)
    return LIVE[clip]


@pytest.mark.long  # the office, the hall and the runner ask the same of fewer people
def test_redaction_on_pets(detector, tmp_path):
    figures = mask_figures(detector, tmp_path, "pets09-s2l1/video.avi", "pets09-s2l1/gt.txt")
    assert figures["mean"] >= 0.9990
    assert figures["full"] >= 0.990
    assert figures["below90"] <= 0.003
    assert figures["leaked"] == 0
    assert figures["over"] <= 0.08
    assert figures["all_masked"] <= 0.08


@pytest.mark.long  # who stands still in the hall below is asked for in the replay and in what is shown live
def test_somebody_nearly_still_for_a_minute(detector, tmp_path):
    figures = mask_figures(detector, tmp_path, "cdnet-office/video.mp4", "cdnet-office/masks.mkv", 7.0)
    assert figures["mean"] >= 0.98
    assert figures["leaked"] <= 0.002


@pytest.mark.long  # what is asked of the replay below is asked of the picture shown live, too
@pytest.mark.parametrize("name", [pytest.param("sbi-caviar1", marks=pytest.mark.later), "sbi-hallandmonitor"])
def test_redaction_with_pixel_truth(detector, tmp_path, name):
    assert mask_figures(detector, tmp_path, f"{name}/video.mp4", f"{name}/masks.mkv")["mean"] >= 0.97


def replay_figures(detector, tmp_path, source, truth, warmup: float = 0.0, proofs: float | None = None):
    """What the playback of a recording would show, by the referee."""
    masks = tmp_path / "masks.mkv"
    settings = RedactionSettings()
    mask_as_recorded(source, tmp_path / "out.mp4", masks, detector, SystemClock(), settings, lambda n: None, proofs)
    return referee("mask_score.py", masks, truth, "--warmup", warmup)


@pytest.mark.parametrize(
    ("name", "proofs"),
    [
        ("run5", 5),
        *(pytest.param(*one, marks=pytest.mark.long) for one in (("run5", 2), ("run5", 1), ("walk1", 5), ("walk1", 2), ("walk1", 1))),
    ],
)
def test_nobody_runs_through_a_replay(detector, tmp_path, name, proofs):
    folder = SHARED / "cases/redaction"
    if not folder.exists():
        pytest.skip("cases/redaction is not here")
    figures = replay_figures(detector, tmp_path, folder / f"{name}.mp4", folder / f"{name}.txt", proofs=proofs)
    assert figures["leaked"] == 0
    assert figures["below90"] <= 0.02


@pytest.mark.parametrize(
    ("name", "video", "truth", "warmup"),
    [
        pytest.param("pets09-s2l1", "video.avi", "gt.txt", 0.0, marks=pytest.mark.long),
        pytest.param("cdnet-office", "video.mp4", "masks.mkv", 7.0, marks=pytest.mark.long),
        ("sbi-hallandmonitor", "video.mp4", "masks.mkv", 0.0),
        pytest.param("tud-stadtmitte", "video.mp4", "gt.txt", 0.0, marks=pytest.mark.long),
    ],
)
@pytest.mark.later
def test_a_replay_is_as_safe_as_what_is_shown_live(detector, tmp_path, name, video, truth, warmup):
    later = replay_figures(detector, tmp_path, footage(f"{name}/{video}"), footage(f"{name}/{truth}"), warmup)
    live = mask_figures(detector, tmp_path, f"{name}/{video}", f"{name}/{truth}", warmup)
    assert later["mean"] >= 0.999
    assert later["leaked"] == 0
    assert later["over"] <= 1.3 * live["over"]
    assert live["mean"] >= 0.97


@pytest.mark.long
def test_tracks_on_pets(detector, tmp_path):
    target = tmp_path / "tracks.txt"
    track_file(footage("pets09-s2l1/video.avi"), target, detector, SystemClock(), lambda n: None)
    figures = referee("track_score.py", target, footage("pets09-s2l1/gt.txt"), "--fps-step", 2)
    assert figures["mota"] >= 0.80
    assert figures["idf1"] >= 0.70


def test_an_own_model_gives_sensible_boxes(tmp_path):
    """YOLOX-nano, registered by file and hash, against ground truth: most of the people, few others."""
    file = footage("models/yolox_nano.onnx")
    registry = ModelRegistry(tmp_path)
    registry.register(file, hashlib.sha256(file.read_bytes()).hexdigest(), "yolox", Head.YOLOX, 416, "Apache-2.0")
    own = OpenVinoDetector.from_registry("yolox", registry)
    truth: dict[int, list] = {}
    for line in footage("pets09-s2l1/gt.txt").read_text().splitlines():
        cells = [float(cell) for cell in line.split(",")]
        x, y, w, h = cells[2:6]
        truth.setdefault(int(cells[0]), []).append((x, y, x + w, y + h))
    found = hits = people = 0
    with av.open(str(footage("pets09-s2l1/video.avi"))) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % 40:
                continue
            boxes = suppress_overlaps(own.detect(raw_frame(frame, index, 0, 0), 0.3), 0.4)
            wanted = np.array(truth[index + 1], np.float32)
            overlap = pairwise_iou(wanted, boxes[:, :4])
            people, found = people + len(wanted), found + len(boxes)
            hits += int((overlap.max(axis=1, initial=0) > 0.4).sum())
    assert hits / people > 0.4
    assert hits / max(1, found) > 0.6


def test_the_detector_finds_people_at_once(detector):
    """A single picture of the real clip: recall of the default detector without any tracking."""
    frames = FileSource(SourceSettings(SourceKind.FILE, str(footage("pets09-s2l1/video.avi")), realtime=False), SystemClock()).frames()
    boxes = detector.detect(next(frames), 0.3)
    assert 3 <= len(boxes) <= 8
