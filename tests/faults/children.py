"""Processes that are killed in the middle of their work: they say what is done, line by line, until the end comes.

python -m tests.faults.children writer FOLDER      writes clips, says "KEY hex", "CLIP name", then a number for each group
python -m tests.faults.children control FOLDER     makes cases, judges and destroys them, says the number of each log entry
"""

from __future__ import annotations

import secrets
import sys
import uuid
from pathlib import Path

from blickschutz.bootstrap.records import make_records
from blickschutz.config.loader import load_site
from blickschutz.kernel.clock import SystemClock
from blickschutz.recording.io.clipfile import ClipWriter
from blickschutz.recording.model import ClipEvent, ClipHeader, ClipMode, ClipNews, CloseReason, Gop, Opening
from blickschutz.review.model import CaseState, Ground, Verdict
from blickschutz.vault.model import Reviewer
from blickschutz.vault.service import enrol, new_key, seal_key

SITE = Path(__file__).parents[2] / "examples/rathaus-kaiserslautern.toml"
OPENING = Opening(digest=b"", init=b"i", codec="h264", width=64, height=48, style="mosaic", privacy_zones=(), px_per_metre=None)
NOBODIES = tuple(Reviewer(f"kvd-{n}", bytes([n]) * 32) for n in (9, 10))


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def make_writer(folder: Path, installation: str, clip: str, key: bytes, opened: float = 1.7e9) -> ClipWriter:
    header = ClipHeader(clip=clip, installation=installation, camera="vorplatz-nord", mode=ClipMode.SEALED, cause="manual", opened=opened)
    return ClipWriter(folder / f"{clip}.clip", header, seal_key(key, clip, NOBODIES), key, OPENING)


def group(number: int) -> Gop:
    data = number.to_bytes(4, "big") * 6000
    return Gop(data=data, key=True, pts=(number,), times=(), masks=(), marks=())


def write_clips(folder: Path) -> None:
    key = new_key()
    say(f"KEY {key.hex()}")
    while True:
        clip = uuid.uuid4().hex
        writer = make_writer(folder, "ab", clip, key)
        say(f"CLIP {clip}")
        for number in range(40):
            writer.add(group(number))
            writer.flush()
            say(number)
        writer.close(CloseReason.OVER, 1.0)


def control(folder: Path) -> None:
    """Cases on a real database: half of them harmless, half incidents that are let go by two people."""
    records = make_records(load_site(SITE), folder, SystemClock(), {}, repair=True)
    records.keeping.recover()
    records.archive.shelf.folder.mkdir(parents=True, exist_ok=True)
    say("READY")
    if not records.archive.keys.reviewers():
        for name in ("kvd-1", "kvd-2"):
            records.archive.keys.put(enrol(name, secrets.token_hex(8)))
    while True:
        clip = uuid.uuid4().hex
        writer = make_writer(records.archive.shelf.folder, records.archive.key.installation, clip, new_key())
        news = {"clip": clip, "mode": ClipMode.SEALED, "cause": "manual", "orders": (), "opened": 1.7e9}
        records.intake.take("vorplatz-nord", ClipNews(event=ClipEvent.OPENED, **news))
        for number in range(5):
            writer.add(group(number))
        writer.close(CloseReason.OVER, 1.0)
        records.intake.take("vorplatz-nord", ClipNews(event=ClipEvent.CLOSED, closed=1.0, seconds=5.0, reason="over", **news))
        case = records.office.cases.store.by_clip(clip)
        say(records.office.log.state()[0])
        (records.archive.exports).mkdir(exist_ok=True)
        verdict = Verdict.NO_INCIDENT if case.id % 2 else Verdict.INCIDENT
        for person in ("kvd-1", "kvd-2"):
            records.office.cases.verdict(case.id, person, verdict, "", Ground.CRIMINAL_OFFENCE, "KL-1")
            say(records.office.log.state()[0])
        if case.id % 4 == 0:
            (records.archive.exports / f"{clip}-1.tar.age").write_bytes(b"x" * 5000)
            records.office.cases.propose_end(case.id, "kvd-1")
            records.office.cases.confirm(case.id, "kvd-2", records.office.cases.store.get(case.id).version)
        records.shredder.work()
        say(records.office.log.state()[0])
        assert records.office.cases.store.get(case.id).state in {CaseState.HELD, CaseState.DESTROYED}


if __name__ == "__main__":
    {"writer": write_clips, "control": control}[sys.argv[1]](Path(sys.argv[2]))
