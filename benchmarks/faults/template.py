"""The folder from which every round starts: people, keys, recordings in all states, holds, alerts, a request."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable
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
mail = {{ host = "127.0.0.1", port = {MAIL_PORT}, sender = "a@example.org", to = ["b@example.org"], starttls = false }}
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
    seeding = seed.Seeding(site, data, at - 80 * DAY, "a" * 32, at - 81 * DAY)
    people = seeding.people()
    with site.open("a", encoding="utf-8") as file:
        file.write(f'[review]\nroot = "{seeding.root}"\n')
    seeding.end(at - 79 * DAY)
    older = base / "older"
    shutil.copytree(data, older)
    seeding = seed.Seeding(site, data, at - 78 * DAY, "b" * 32, at - 78 * DAY)
    planted = _recordings(seeding, at)
    alerts = seeding.alerts(CAMERAS, time.time())
    seeding.end(time.time())
    time.sleep(2)
    installation = Installation(base, shim, people)
    boot = installation.first()
    installation.begin_at(time.time())
    _record(installation, planted)
    # Two whose end is ordered already: the power went before it was carried out.
    seeding = seed.Seeding(site, data, time.time(), *boot)
    for camera in CAMERAS:
        doomed = seeding.clip(camera, "doomed", seeding.clock.now(), at)
        for person, word in (("kvd-1", "no-incident"), ("kvd-2", "false-alarm")):
            seeding.verdict(doomed, person, word, seeding.clock.now() + 1)
        doomed.why = "harmless"
        planted.append(doomed)
    at = max(at, seeding.clock.now())
    seeding.end(at)
    folder = base / "template"
    shutil.move(data, folder)
    data.mkdir()
    return installation, Template(folder, older, at, planted, alerts)


def _recordings(seeding: seed.Seeding, at: float) -> list[Planted]:
    """Made, judged and held in the order in which all that happened."""
    first, second = CAMERAS
    found: list[Planted] = []
    acts: list[tuple[float, Callable[[], object]]] = []

    def clip(camera: str, role: str, age: float, due: float = _KEPT, why: str = "unreviewed") -> Callable[[], Planted]:
        """Remember to make a clip; what is done to it later asks for it by what this gives back."""
        made: list[Planted] = []

        def make() -> None:
            made.append(seeding.clip(camera, role, at - age, due))
            made[0].why = why
            found.append(made[0])

        acts.append((at - age, make))
        return lambda: made[0]

    def judged(one: Callable[[], Planted], age: float, *verdicts: tuple[str, str]) -> None:
        for index, (person, word) in enumerate(verdicts):
            when = at - age + index
            acts.append((when, lambda person=person, word=word, when=when: seeding.verdict(one(), person, word, when)))

    def held(one: Callable[[], Planted], age: float, until: float) -> None:
        acts.append((at - age, lambda: seeding.hold(one(), until, at - age)))

    incident = (("kvd-2", "incident"), ("kvd-3", "incident"))
    old = clip(first, "held long", 69 * DAY)
    judged(old, 68 * DAY, ("kvd-1", "incident"))
    held(old, 67 * DAY, at + 30 * DAY)
    for camera, role, age in ((second, "held to the limit", 59 * DAY), (first, "held ten days", 10 * DAY), (second, "held", 3 * HOUR)):
        judged(clip(camera, role, age), age - HOUR, *incident)
    asked = clip(first, "restricted", 80 * HOUR)
    acts.append((at - 70 * HOUR, lambda: seeding.request(asked(), at - 70 * HOUR)))
    # A clip takes twelve seconds to make, so those that are due soon after each other were begun with that between them.
    for index, after in enumerate(range(7, 300, 13)):
        clip(CAMERAS[index % 2], "due", 72 * HOUR - after, at + after)
    held(clip(first, "hold over", 20 * DAY, at + 12, "hold-expired"), 19 * DAY, at + 12)
    for index, age in enumerate((60, 20, 1)):
        clip(CAMERAS[index % 2], "waiting", age * HOUR, at + (72 - age) * HOUR)
    halves = (
        ("second, harmless", (("kvd-1", "no-incident"),)),
        ("second, incident", (("kvd-1", "incident"),)),
        ("third", (("kvd-1", "no-incident"), ("kvd-2", "incident"))),
    )
    for index, (role, verdicts) in enumerate(halves):
        age = 2.5 * HOUR - index * 60
        judged(clip(second, role, age, at - age + 72 * HOUR), 1.5 * HOUR - index * 60, *verdicts)
    for _, act in sorted(acts, key=lambda act: act[0]):
        act()
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
