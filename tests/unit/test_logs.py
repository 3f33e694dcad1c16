"""The log in both its forms: one event a line, levels for the journal, nothing of variables, nothing of accounts."""

from __future__ import annotations

import json
import re

import pytest
import structlog

from blickschutz.pipeline.logs import configure_logs


@pytest.fixture
def written(capsys):
    before = structlog.get_config()

    def write(**environment):
        configure_logs(environment)
        secret = "a picture"
        try:
            raise ValueError("no picture")
        except ValueError:
            structlog.get_logger("test").error("camera_lost", camera="gate", where="rtsp://a:secret@camera/x", exc_info=True)
        structlog.get_logger("test").info("fine", secret=secret)
        return capsys.readouterr().err.rstrip("\n").split("\n")

    yield write
    structlog.configure(**before)


def test_as_json_an_event_is_a_line_with_its_traceback(written):
    (line,) = written(BLICKSCHUTZ_LOG="json")
    event = json.loads(line)
    assert (event["event"], event["level"], event["camera"], event["where"]) == ("camera_lost", "error", "gate", "rtsp://camera/x")
    assert re.match(r"\d{4}-\d\d-\d\dT", event["timestamp"])
    assert "ValueError: no picture" in event["exception"]
    assert "a picture" not in line


def test_the_journal_gets_the_level_of_each_line(written):
    (line,) = written(BLICKSCHUTZ_LOG="json", JOURNAL_STREAM="8:1")
    assert line.startswith('<3>{"')
    lines = written(JOURNAL_STREAM="8:1")
    assert len(lines) > 3
    assert all(line.startswith("<3>") for line in lines)


def test_as_text_nothing_has_changed(written):
    first, *rest = written()
    assert "[error" in first
    assert "camera=gate" in first
    assert rest[-1] == "ValueError: no picture"
