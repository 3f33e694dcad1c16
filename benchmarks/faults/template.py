"""The folder from which every round starts: people, keys, recordings in all states, holds, alerts, a request."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.faults import seed
from benchmarks.faults.installation import PORT, Installation, data_folder
from benchmarks.faults.seed import DAY, HOUR, Planted
from benchmarks.faults.shim import Shim
from tests.videos import write_pictures

CAMERAS = ("cam-1", "cam-2")
BROKER_PORT, MAIL_PORT, HOOK_PORT = 8790, 8791, 8792
_WIDTH, _HEIGHT = 320, 180
_KEPT = float("inf")
_SITE = f"""format = 1
[site]
id = "fehlerprobe"
name = "Fehlerprobe"
operator = "Stadt"
demo = true
[server]
port = {PORT}
[regimes]
holidays = ""
[regimes.day]
starts = "06:00"
on_situation = "notify"
mode = "sealed"
[regimes.night]
starts = "20:00"
on_situation = "notify"
mode = "sealed"
[alerts]
escalate_after_s = 600
before_s = 1
after_s = 2
mqtt = {{ host = "127.0.0.1", port = {BROKER_PORT}, listen = true }}
mail = {{ host = "127.0.0.1", port = {MAIL_PORT}, sender = "a@example.org", to = ["b@example.org"] }}
webhooks = [{{ id = "hook", address = "http://127.0.0.1:{HOOK_PORT}/" }}]
[recording]
before_s = 1
after_s = 1
manual_s = 10
reserve_mb = 50
"""
_PEOPLE = {
    "leit-1": ["leitstelle"],
    "kvd-1": ["sichtung"],
    "kvd-2": ["sichtung"],
    "kvd-3": ["sichtung"],
    "aufsicht": ["aufsicht"],
    "aufsicht-2": ["aufsicht"],
    "technik": ["administration"],
    "dsb": ["datenschutz"],
}


@dataclass
class Template:
    """The folder, an older copy of its main database, when it was left (POSIX), and what is in it."""

    folder: Path
    older: Path
    at: float
    planted: list[Planted]
    alerts: list[int]


def write_site(base: Path) -> None:
    """The site file and the place that its cameras see: still, with noise."""
    random = np.random.default_rng(5)
    ground = np.clip(random.normal(120, 6, (_HEIGHT // 4, _WIDTH // 4)), 0, 255).repeat(4, 0).repeat(4, 1)
    chroma = np.full(_WIDTH * _HEIGHT // 2, 128, np.uint8)
    pictures = []
    for _ in range(60):
        luma = np.clip(ground + random.normal(0, 0.7, ground.shape), 16, 235).astype(np.uint8)
        pictures.append(np.concatenate([luma.ravel(), chroma]).reshape(_HEIGHT * 3 // 2, _WIDTH))
    write_pictures(base / "place.mp4", pictures, rate=5)
    trained = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 365 * DAY))
    parts = [_SITE]
    for name, roles in _PEOPLE.items():
        parts.append(f'[[people]]\nid = "{name}"\nname = "{name}"\nroles = {roles}\ntrained_until = {trained}\n'.replace("'", '"'))
    for name in CAMERAS:
        parts.append(f'[[cameras]]\nid = "{name}"\nname = "{name}"\nside = "forecourt"\naddress = "file:place.mp4"\n')
    (base / "site.toml").write_text("".join(parts))


def home(base: Path) -> None:
    """Where programs of this run look for models and data."""
    known = os.environ.get("BLICKSCHUTZ_DATA") or str(Path(sys.prefix) / "share" / "blickschutz")
    (base / "home").mkdir()
    (base / "home" / "models").symlink_to(Path(known) / "models")
    os.environ["BLICKSCHUTZ_DATA"] = str(base / "home")


def make(base: Path, shim: Shim) -> tuple[Installation, Template]:
    """Write everything; a few recordings are made by the real system."""
    home(base)
    write_site(base)
    site, data = base / "site.toml", data_folder(base)
    at = time.time() + 60
    seeding = seed.Seeding(site, data, at - 80 * DAY)
    seeding.started()
    people = seeding.people()
    seeding.close()
    older = base / "older"
    shutil.copytree(data, older)
    planted = _recordings(seeding, at)
    alerts = seeding.alerts(CAMERAS, at - HOUR)
    seeding.end(time.time())
    installation = Installation(base, shim, people)
    _record(installation, planted)
    # Two whose end is ordered already: the power went before it was carried out.
    seeding = seed.Seeding(site, data, at - 6 * HOUR)
    for camera in CAMERAS:
        doomed = seeding.clip(camera, "doomed", at - 5 * HOUR, at)
        seeding.verdict(doomed, "kvd-1", "no-incident", at - 4 * HOUR)
        seeding.verdict(doomed, "kvd-2", "false-alarm", at - 3 * HOUR)
        doomed.why = "harmless"
        planted.append(doomed)
    seeding.end(at)
    folder = base / "template"
    shutil.move(data, folder)
    data.mkdir()
    return installation, Template(folder, older, at, planted, alerts)


def _recordings(seeding: seed.Seeding, at: float) -> list[Planted]:
    """In the order in which they were made, so that the log's times run forward as far as they can."""
    first, second = CAMERAS
    found = []

    def clip(camera: str, role: str, age: float, due: float = _KEPT) -> Planted:
        found.append(seeding.clip(camera, role, at - age, due))
        return found[-1]

    old = clip(first, "held long", 69 * DAY)
    seeding.verdict(old, "kvd-1", "incident", at - 68 * DAY)
    seeding.hold(old, at + 30 * DAY, at - 68 * DAY)
    for camera, role, age in ((second, "held to the limit", 59 * DAY), (first, "held ten days", 10 * DAY), (second, "held", 3 * HOUR)):
        held = clip(camera, role, age)
        for person in ("kvd-2", "kvd-3"):
            seeding.verdict(held, person, "incident", at - age + HOUR)
    asked = clip(first, "restricted", 80 * HOUR)
    seeding.request(asked, at - 70 * HOUR)
    for index, after in enumerate((7, 10, 13, 18, 24, *range(30, 300, 15))):
        clip(CAMERAS[index % 2], "due", 72 * HOUR - after, at + after)
    ending = clip(first, "hold over", 20 * DAY, at + 12)
    ending.why = "hold-expired"
    seeding.hold(ending, at + 12, at - 19 * DAY)
    for index, age in enumerate((60, 20, 1)):
        clip(CAMERAS[index % 2], "waiting", age * HOUR, at + (72 - age) * HOUR)
    for role, verdicts in (
        ("second, harmless", ("no-incident",)),
        ("second, incident", ("incident",)),
        ("third", ("no-incident", "incident")),
    ):
        half = clip(second, role, 2 * HOUR, at + 70 * HOUR)
        for person, word in zip(("kvd-1", "kvd-2"), verdicts, strict=False):
            seeding.verdict(half, person, word, at - HOUR)
    return found


def _record(installation: Installation, planted: list[Planted]) -> None:
    """One recording of each camera by its cell: what a review room can show."""
    assert installation.start(), installation.said
    begun = time.time()
    end = time.monotonic() + 60
    try:
        for camera in CAMERAS:
            while installation.api("leit-1").post(f"/cameras/{camera}/record", json={"text": "Probe"}).status_code != 202:
                assert time.monotonic() < end, "no recording"
                time.sleep(0.2)
        while True:
            made = {clip: case for clip, case in installation.records.cases().items() if case["opened"] > begun - 30}
            if len(made) == len(CAMERAS) and all(case["state"] == "waiting" for case in made.values()):
                break
            assert time.monotonic() < end, made
            time.sleep(0.2)
        for clip, case in made.items():
            data = (installation.data / "clips" / f"{clip}.clip").read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            planted.append(Planted(clip, case["id"], "recorded", case["opened"], case["opened"] + 72 * HOUR, digest, len(data)))
    finally:
        assert installation.stop()
