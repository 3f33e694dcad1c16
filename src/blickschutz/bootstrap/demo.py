"""The demo site: eleven views of one clip as the cameras of a town hall."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from pathlib import Path

from blickschutz.access.model import Role
from blickschutz.audit.model import Event
from blickschutz.bootstrap import footage
from blickschutz.bootstrap.keeping import Keeping
from blickschutz.config.loader import load_site
from blickschutz.config.model import SiteFile, Zone
from blickschutz.situations.model import RuleSettings
from blickschutz.vault.service import enrol

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "rathaus-kaiserslautern.toml"

# On the demo's footage people pass by in groups, and half as fast again as in life (seven pictures a second played
# at ten). So groups count early, speed and close encounters late.
DEMO_ZONE = Zone(
    id="flaeche",
    name="Fläche",
    polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
    rules=RuleSettings(
        gathering_persons=4,
        gathering_m=4.0,
        gathering_s=6.0,
        loitering_s=25.0,
        loitering_m=3.0,
        altercation_confidence=0.97,
        fast_mps=9.0,
        approach_mps=6.0,
    ),
)


def seed(keeping: Keeping) -> list[tuple[str, str, str]]:
    """Passwords and passphrases for the demonstration, new at every start: (person, password, passphrase or empty)."""
    made = []
    for member in keeping.access.members.values():
        password, passphrase = secrets.token_urlsafe(9), ""
        keeping.access.passwords.set(member.id, password, "demo")
        if member.may(Role.REVIEW, Role.SUPERVISION):
            passphrase = secrets.token_urlsafe(9)
            sealed = enrol(member.id, passphrase)
            keeping.keys.put(sealed)
            keeping.log.write(Event.REVIEWER_ENROLLED, member.id, member.id, {"public": sealed.public.hex()})
        made.append((member.id, password, passphrase))
    return made


def demo_site(night: bool, port: int) -> SiteFile:
    """The example site with footage in place of its cameras; marked as a demonstration."""
    site = load_site(EXAMPLE)
    kind = "night" if night else "day"
    cameras = tuple(
        camera.model_copy(
            update={
                "start_s": footage.VIEWS[number - 1].start_s,
                "address": f"file:{footage.folder() / f'view-{number:02d}-{kind}.mp4'}",
                "calibration": None,
                "zones": (DEMO_ZONE,),
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
    shown = {"cameras": cameras, "server": server, "people": people, "recording": recording}
    return site.model_copy(update={**shown, "site": site.site.model_copy(update={"demo": True})})
