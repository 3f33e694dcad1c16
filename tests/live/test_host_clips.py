"""Clips that stay on the host that made them: recorded there, reviewed here, destroyed there. docs/design/clips-on-hosts.md."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time

import msgspec
import pytest
from click.testing import CliRunner

from blickschutz.audit.model import Event
from blickschutz.cli.main import cli
from blickschutz.demo.site import seed
from blickschutz.hosts.model import KeptClip
from blickschutz.review.model import CaseState, Ground
from blickschutz.wall.model import TileState
from tests.live.night import desk, enter, judge, plays, sign_in
from tests.live.system import RunningSystem, browser, client, guest_clip, until
from tests.peers.cluster import Cluster, begun

__all__ = ["browser", "desk"]
pytestmark = [pytest.mark.peers, pytest.mark.long, pytest.mark.timeout(600)]
PATIENCE_S = 90.0
CAMERA = 0


class FilmCamera:
    """A film that stands for a camera on the host's own disk."""

    def __init__(self, path) -> None:
        guest_clip(path)
        self.path, self.address = path, f"file:{path}"


class FilmCluster(Cluster):
    """Records whatever is ordered at once, and for seconds only. What nobody decides ends after `hours`."""

    hours = 48

    def _site(self):
        site = super()._site()
        recording = site.recording.model_copy(update={"reserve_mb": 50, "manual_s": 4, "after_s": 1, "before_s": 3})
        day = site.regimes.day.model_copy(update={"mode": site.regimes.night.mode})
        retention = site.retention.model_copy(update={"unreviewed_hours": self.hours})
        cameras = site.cameras[: len(self.cameras)]
        hosts = site.hosts.model_copy(update={"cameras": site.hosts.cameras[: len(self.cameras)]})
        shown = {"recording": recording, "regimes": site.regimes.model_copy(update={"day": day}), "retention": retention}
        return site.model_copy(update={**shown, "cameras": cameras, "hosts": hosts})

    def enrol(self, name):
        host = super().enrol(name)
        join = host.folder / "join.toml"
        text = join.read_text(encoding="utf-8")
        for camera in self.site.cameras:
            blank = f'id = "{camera.id}"\nuser = "wache"\npassword_file = "{camera.id}.password"\naddress = "file:FILL-IN"'
            assert blank in text
            text = text.replace(blank, f'id = "{camera.id}"\naddress = "{camera.address}"')
        join.write_text(text, encoding="utf-8")
        return host


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    base = tmp_path_factory.mktemp("clips")
    with begun(FilmCluster(base, (FilmCamera(base / "film.mp4"),), hosts=("north",))) as made:
        yield made


@pytest.fixture(scope="module")
def site(cluster, traffic):
    with reviewed(cluster) as found:
        yield found


@contextlib.contextmanager
def reviewed(cluster):
    """The system, and who may review in it."""
    running = RunningSystem(cluster.site, cluster.base)
    people = {one.person: (one.password, one.passphrase, one.totp) for one in seed(running.system.records)}
    yield running.system, people
    running.end()


@pytest.fixture
def host(cluster, site):
    """The one host, and all is well."""
    only = cluster.hosts["north"]
    only.start()
    all_is_well(site[0], PATIENCE_S)
    return only


def all_is_well(system, within_s):
    """Its camera is live, and what it sees is believed."""
    keeper = keeper_of(system)
    until(lambda: keeper.state is TileState.LIVE, within_s)
    until(lambda: keeper.health is not None and keeper.health.doubt is None, within_s)


def keeper_of(system):
    return next(iter(system.supervisor.keepers.values()))


def store_of(system):
    return system.records.office.cases.store


def record(system):
    """A finished recording; its case."""
    keeper = keeper_of(system)
    before = {case.id for case in store_of(system).find(states=list(CaseState), most=1000)}
    with client(system) as http:
        answer = http.post(f"{system.address}cameras/{keeper.camera}/record", data={"text": "Probe"}, headers=origin(system))
    assert answer.status_code == 303, answer.text
    return until(lambda: next((one for one in store_of(system).find(states=[CaseState.WAITING]) if one.id not in before), None), PATIENCE_S)


def origin(system):
    return {"Origin": system.address.removesuffix("/")}


def clip_on(host, case):
    return host.folder / "data/clips" / f"{case.clip}.clip"


def record_on(host, case):
    return msgspec.json.decode((host.folder / "data/kept" / f"{case.clip}.json").read_bytes(), type=KeptClip)


def ends(system, case):
    return until(lambda: (found := store_of(system).get(case.id)).state is CaseState.DESTROYED and found, PATIENCE_S)


def receipt_of(system, case):
    ((receipt, _),) = system.records.office.log.find(event=Event.SHREDDED, subject=case.clip)
    return receipt.facts


def hold(system, case, days=10):
    desk_of = system.records.office.cases
    assert desk_of.propose_hold(case.id, "kvd-1", Ground.CRIMINAL_OFFENCE, "Js 1/26", time.time() + 86_400 * days)
    assert desk_of.confirm(case.id, "kvd-2", store_of(system).get(case.id).version) is None


def test_a_clip_is_recorded_on_the_host_reviewed_here_and_destroyed_there(cluster, site, host, desk, traffic):
    system, people = site
    case = record(system)
    assert case.host == "north"
    there = clip_on(host, case)
    assert hashlib.sha256(there.read_bytes()).hexdigest() == case.sha256
    assert case.size == there.stat().st_size
    assert case.seconds >= 4
    assert not system.records.archive.shelf.path(case.clip).exists(), "it stays where it was made"
    assert abs(case.ends - case.opened - cluster.hours * 3600) < 60
    with client(system, "kvd-1") as http:
        assert "Rechner north" in http.get(f"{system.address}cases/{case.id}").text

    first, second = desk(), desk()
    for page, person in ((first, "kvd-1"), (second, "kvd-2")):
        sign_in(page, system, people, person)
        enter(page, system, people, person, case)
    until(lambda: plays(second), 60)
    judge(second, "kein Vorfall")
    judge(first, "Fehlalarm")
    gone = ends(system, case)
    assert not there.exists()
    assert gone.shred_by == ("kvd-2", "kvd-1")
    until(lambda: not any((system.records.archive.data / "fetched").iterdir()), 30)
    receipt = receipt_of(system, case)
    assert (receipt["host"], receipt["ending"], receipt["overwritten"]) == ("north", "overwritten", case.size)
    path = system.records.archive.data / "receipt.json"
    path.write_text(json.dumps(receipt))
    key = system.records.archive.key.public.hex()
    assert CliRunner().invoke(cli, ["verify", "receipt", str(path), "--public-key", key]).exit_code == 0
    path.write_text(path.read_text().replace("north", "south"))
    assert CliRunner().invoke(cli, ["verify", "receipt", str(path), "--public-key", key]).exit_code == 1
    until(lambda: not (host.folder / "data/kept" / f"{case.clip}.json").exists(), 30)
    secret = [people[person][1].encode() for person in ("kvd-1", "kvd-2")]
    film = cluster.cameras[CAMERA].path.read_bytes()
    raw = [film[place : place + 48] for place in range(len(film) // 4, len(film) - 48, len(film) // 8)]
    stored = b"".join(path.read_bytes() for path in cluster.broker.store.rglob("*") if path.is_file())
    heard = b"".join(traffic)
    assert case.clip.encode() in heard
    assert b"BLKSCLIP" in heard, "the ciphertext came this way"
    assert b"BLKSCLIP" not in stored, "and nothing of it was kept on the way"
    for needle in (*secret, *raw):
        assert needle not in heard
        assert needle not in stored


def test_what_two_people_hold_is_held_on_the_host_and_ends_there_when_they_end_it(site, host):
    system, _ = site
    case = record(system)
    hold(system, case)
    until(lambda: (found := store_of(system).get(case.id)).heard and found, 30)
    kept = record_on(host, case)
    assert kept.held_until is not None
    assert kept.doom is None
    with client(system, "kvd-1") as http:
        assert "noch nicht bestätigt" not in http.get(f"{system.address}cases/{case.id}").text
    desk_of = system.records.office.cases
    assert desk_of.propose_end(case.id, "kvd-2")
    assert desk_of.confirm(case.id, "kvd-1", store_of(system).get(case.id).version) is None
    assert ends(system, case).shred_reason == "hold-released"
    assert not clip_on(host, case).exists()


def test_a_host_that_is_away_makes_its_clips_unreachable_and_nothing_else(site, host):
    """What is decided meanwhile is said to be unheard, and done when the host is back."""
    system, _ = site
    case, other = record(system), record(system)
    host.stop()
    with client(system, "kvd-1") as http:
        until(lambda: "zurzeit nicht erreichbar" in http.get(f"{system.address}cases/{case.id}").text, 30)
        assert http.post(f"{system.address}cases/{case.id}/enter", headers=origin(system)).status_code == 403
        http.cookies.set("language", "en")
        assert "cannot be reached at present" in http.get(f"{system.address}cases/{case.id}").text
        http.cookies.set("language", "de")
        hold(system, other)
        page = http.get(f"{system.address}cases/{other.id}").text
        assert "Diese Sperre gilt erst" in page
        assert "noch 9 Tage" not in page, "the deadline shown is the one that is kept"
        system.records.office.cases.erase(case.id, ("dsb", "aufsicht"))
        assert store_of(system).get(case.id).state is CaseState.DESTROYING
        assert "wartet auf den Rechner" in http.get(f"{system.address}cases").text
    time.sleep(3)
    assert clip_on(host, case).exists()
    assert store_of(system).get(case.id).state is CaseState.DESTROYING, "no receipt before it is gone"
    host.start()
    assert ends(system, case).shred_reason == "erasure"
    assert not clip_on(host, case).exists()
    until(lambda: store_of(system).get(other.id).heard, PATIENCE_S)
    assert record_on(host, other).held_until is not None
    with client(system, "kvd-1") as http:
        assert "noch 9 Tage" in http.get(f"{system.address}cases/{other.id}").text


def test_a_deadline_is_kept_by_a_host_that_reaches_nobody(cluster, site, host):
    """Started while the broker is away: its clip ends, nobody knows it, and the receipt comes when it is back."""
    system, _ = site
    case = record(system)
    host.stop()
    kept = record_on(host, case)
    # As if it had been ordered with a limit of a moment.
    short = msgspec.structs.replace(kept, keep=msgspec.structs.replace(kept.keep, regular_s=1.0))
    (host.folder / "data/kept" / f"{case.clip}.json").write_bytes(msgspec.json.encode(short))
    cluster.broker.kill()
    host.start()
    until(lambda: not clip_on(host, case).exists(), PATIENCE_S)
    assert store_of(system).get(case.id).state is not CaseState.DESTROYED
    cluster.broker.start()
    assert ends(system, case).shred_reason == "unreviewed"
    assert receipt_of(system, case)["host"] == "north"
