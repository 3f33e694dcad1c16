"""The demo site: eleven views of one clip as the cameras of a town hall."""

from __future__ import annotations

import json
import math
import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from blickschutz.access.model import FactorKind, Role
from blickschutz.access.rules import STEP_S, needs_factor
from blickschutz.access.service.totp import code_at, new_secret
from blickschutz.bootstrap.records import Records
from blickschutz.config.budget import Budget
from blickschutz.config.loader import load_site
from blickschutz.config.model import Calibration, SiteFile, Zone
from blickschutz.demo import footage
from blickschutz.demo.enrolment import found_with
from blickschutz.kernel.errors import OperatorError
from blickschutz.shipped import shipped
from blickschutz.situations.settings import RuleSettings
from blickschutz.vault.io.files import write_private

EXAMPLE = shipped("examples/rathaus-kaiserslautern.toml")

# On the demo's footage people pass by half as fast again as in life (seven pictures a second played at ten): so speed counts late.
_CALM: Mapping[str, float] = {"fast_mps": 9.0, "approach_mps": 6.0, "loitering_m": 3.0}
# For a story that must not wait for chance: groups count early.
_EARLY: Mapping[str, float] = {**_CALM, "gathering_persons": 4, "gathering_s": 6.0, "loitering_s": 25.0}


def demo_zone(*, early: bool = False) -> Zone:
    """The whole picture of a camera."""
    rules = RuleSettings((), **(_EARLY if early else _CALM))
    return Zone(id="flaeche", name="Fläche", polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)), rules=rules)


@dataclass(frozen=True, slots=True)
class Seeded:
    """How somebody signs in to the demonstration; `totp` is the secret of their authenticator, empty where they need none."""

    person: str
    password: str
    passphrase: str
    totp: bytes


def seed(records: Records) -> list[Seeded]:
    """Everybody can sign in at once; all secrets are new at every start."""
    made, access = [], records.office.access
    for member in access.members.values():
        password, passphrase, totp = secrets.token_urlsafe(12), "", b""
        access.passwords.set(member.id, password, "demo")
        access.accounts.activate(member.id)
        if needs_factor(member):
            totp = new_secret()
            access.factors.add(member.id, FactorKind.TOTP, "Demo", totp, 0)
        if member.may(Role.REVIEW, Role.SUPERVISION):
            passphrase = secrets.token_urlsafe(9)
        made.append(Seeded(member.id, password, passphrase, totp))
    found_with(records, {one.person: one.passphrase for one in made if one.passphrase})
    return made


def codes_file(port: int) -> Path:
    """Where the running demonstration keeps the secrets of its authenticators, readable by its own user only."""
    return Path(tempfile.gettempdir()) / f"blickschutz-demo-{os.getuid()}-{port}.json"


def keep_codes(seeded: list[Seeded], port: int) -> None:
    write_private(codes_file(port), json.dumps({one.person: one.totp.hex() for one in seeded if one.totp}).encode())


def current_codes(port: int) -> dict[str, str]:
    """The codes of the running demonstration now, as its authenticators would show them. Raises `OperatorError`."""
    try:
        kept = json.loads(codes_file(port).read_bytes())
    except (OSError, ValueError) as error:
        raise OperatorError("no demonstration is running; start it with `make demo`") from error
    return {person: code_at(bytes.fromhex(secret), int(time.time() // STEP_S)) for person, secret in kept.items()}


def _calibration(view: footage.View) -> Calibration | None:
    dense = footage.px_per_metre(view)
    return None if dense is None else Calibration(px_per_metre=math.ceil(10 * dense) / 10)


def demo_site(night: bool, port: int) -> SiteFile:
    """The example site with footage in place of its cameras; marked as a demonstration."""
    site = load_site(EXAMPLE)
    kind = "night" if night else "day"
    cameras = tuple(
        camera.model_copy(
            update={
                "start_s": footage.VIEWS[number - 1].start_s,
                "address": f"file:{footage.folder() / f'view-{number:02d}-{kind}.mp4'}",
                "calibration": _calibration(footage.VIEWS[number - 1]),
                "zones": (demo_zone(),),
                "privacy_zones": (),
            }
        )
        for number, camera in enumerate(site.cameras, 1)
    )
    server = site.server.model_copy(update={"port": port})
    trained = {"trained_until": date.today() + timedelta(days=365)}
    people = tuple(person.model_copy(update=trained) for person in site.people)
    # A demonstration runs on whatever disk there is.
    recording = site.recording.model_copy(update={"reserve_mb": 200, "manual_s": 20, "after_s": 5})
    # It is over before a camera would have been observed for long enough.
    alerts = site.alerts.model_copy(update={"budget": Budget(shadow_days=0.0)})
    shown = {"cameras": cameras, "server": server, "people": people, "recording": recording, "alerts": alerts}
    return site.model_copy(update={**shown, "site": site.site.model_copy(update={"demo": True})})
