"""Situations on real footage with labels: the bounds of what is promised, a little below what is measured."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest

from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.kernel.clock import SystemClock
from blickschutz.pipeline.clips import analyse_file, jsonl_lines
from blickschutz.pipeline.senses import load_senses
from blickschutz.situations.settings import SituationSettings
from tests.conftest import LONG, SHARED, footage

pytestmark = [pytest.mark.footage, pytest.mark.timeout(600)]

SHORT = ("falls", "left-object")
QUIET = ("walk/one-by-one.mp4", *(("cdnet-office/video.mp4", "pets09-s2l1/video.avi") if LONG else ()))


def analyse(clips, target):
    detector, senses = OpenVinoDetector.from_registry("centernet"), load_senses()
    lines = []
    for clip in clips:
        path = footage(clip)
        lines += jsonl_lines(clip, *analyse_file(path, detector, SystemClock(), SituationSettings(), lambda n: None, senses))
    rows = [json.loads(line) for line in lines]
    told = [row for row in rows if row.get("alarm", True)]
    target.write_text("".join(f"{json.dumps(row)}\n" for row in told))
    return [row for row in told if "kind" in row]


@pytest.mark.long
def test_falls_are_found(tmp_path):
    """All of them: which pictures the detector happens to look at decides single clips, so a handful says little."""
    with footage("clips.csv").open(newline="") as rows:
        clips = sorted({row["clip"] for row in csv.DictReader(rows) if row["kind"] == "person_down"})
    analyse(clips, tmp_path / "found.jsonl")
    score = [sys.executable, str(SHARED / "score/operating_points.py"), str(tmp_path / "found.jsonl"), "--json"]
    figures = json.loads(subprocess.run(score, check=True, capture_output=True, text=True).stdout)
    assert figures["person_down"]["labels"] == 40
    assert figures["person_down"]["recall"] >= 0.6


@pytest.mark.long
def test_things_left_and_moved_cameras_are_found_and_nobody_lies_who_does_not(tmp_path):
    events = footage("events.csv").read_text().splitlines()[1:]
    clips = [row.split(",")[0] for row in events if row.startswith((*SHORT, "tamper/moved"))]
    analyse(clips, tmp_path / "found.jsonl")
    score = [sys.executable, str(SHARED / "score/event_score.py"), str(tmp_path / "found.jsonl"), "--json"]
    figures = json.loads(subprocess.run(score, check=True, capture_output=True, text=True).stdout)
    assert figures["person_down"]["precision"] == 1
    for kind in ("camera_tampered", "object_left"):
        assert (figures[kind]["recall"], figures[kind]["false_alarms"]) == (1, 0)


@pytest.mark.later
def test_ordinary_scenes_raise_next_to_nothing(tmp_path):
    found = analyse(QUIET, tmp_path / "found.jsonl")
    alarms = [item for item in found if item["kind"] != "person_in_zone"]
    assert alarms == []
