"""A second copy of a clip on another host: copied over the broker, reviewed from there, ended everywhere. docs/design/clips-on-hosts.md."""

from __future__ import annotations

import hashlib
import json

import msgspec
import pytest
from click.testing import CliRunner

from blickschutz.cli.main import cli
from blickschutz.hosts.model import KeptCopy
from blickschutz.retention.model import CopyProof
from blickschutz.review.model import CaseState, CopyState
from tests.live.night import desk, enter, judge, plays, sign_in
from tests.live.system import browser, client, until
from tests.live.test_host_clips import FilmCamera, FilmCluster, all_is_well, clip_on, receipt_of, record, reviewed, store_of
from tests.peers.cluster import begun

__all__ = ["browser", "desk"]
pytestmark = [pytest.mark.peers, pytest.mark.long, pytest.mark.timeout(900)]
NAMES = ("north", "south")
# A host that begins on a machine that is busy takes most of a minute.
PATIENCE_S = 240.0


class CopyCluster(FilmCluster):
    """Each of two hosts keeps copies of what the other one recorded."""

    def _site(self):
        site = super()._site()
        return site.model_copy(update={"hosts": site.hosts.model_copy(update={"copies": NAMES})})


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, traffic):
    base = tmp_path_factory.mktemp("copies")
    with begun(CopyCluster(base, (FilmCamera(base / "film.mp4"),), hosts=NAMES)) as made:
        yield made


@pytest.fixture(scope="module")
def site(cluster):
    with reviewed(cluster) as found:
        yield found


@pytest.fixture
def copied(cluster, site):
    """A clip with its copy: its case, the host that made it, the host that keeps the copy."""
    for one in cluster.hosts.values():
        one.start()
    system, _ = site
    all_is_well(system, PATIENCE_S)
    number = record(system).id
    case = until(lambda: (found := store_of(system).get(number)).copies and found.copies[0].state is CopyState.THERE and found, PATIENCE_S)
    return case, cluster.hosts[case.host], cluster.hosts[case.copies[0].host]


def ends(system, case):
    return until(lambda: (found := store_of(system).get(case.id)).state is CaseState.DESTROYED and found, PATIENCE_S)


def copy_on(host, case):
    return host.folder / "data/copies" / f"{case.clip}.clip"


def kept_copy(host, case):
    return host.folder / "data/copied" / f"{case.clip}.json"


def test_a_lost_host_leaves_the_copy_to_review_and_the_receipt_names_all(cluster, site, copied, desk, traffic):
    system, people = site
    case, origin, keeper = copied
    assert hashlib.sha256(copy_on(keeper, case).read_bytes()).hexdigest() == case.sha256
    assert copy_on(keeper, case).read_bytes() == clip_on(origin, case).read_bytes()
    with client(system, "kvd-1") as http:
        assert f"Rechner {keeper.name}: liegt dort, geprüft" in http.get(f"{system.address}cases/{case.id}").text
    origin.stop()
    first, second = desk(), desk()
    for page, person in ((first, "kvd-1"), (second, "kvd-2")):
        sign_in(page, system, people, person)
        enter(page, system, people, person, case)
    until(lambda: plays(second), 60)
    judge(second, "kein Vorfall")
    judge(first, "Fehlalarm")
    until(lambda: store_of(system).get(case.id).copies[0].state is CopyState.GONE, PATIENCE_S)
    assert not copy_on(keeper, case).exists()
    assert store_of(system).get(case.id).state is CaseState.DESTROYING, "no receipt before the original is gone"
    origin.start()
    ends(system, case)
    assert not clip_on(origin, case).exists()
    receipt = receipt_of(system, case)
    (proof,) = [msgspec.json.decode(text, type=CopyProof) for text in receipt["copies"]]
    assert (receipt["host"], proof.host, proof.ending, proof.overwritten) == (origin.name, keeper.name, "overwritten", case.size)
    path = system.records.archive.data / "receipt.json"
    path.write_text(json.dumps(receipt))
    key = system.records.archive.key.public.hex()
    assert CliRunner().invoke(cli, ["verify", "receipt", str(path), "--public-key", key]).exit_code == 0
    path.write_text(path.read_text().replace(keeper.name, "west"))
    assert CliRunner().invoke(cli, ["verify", "receipt", str(path), "--public-key", key]).exit_code == 1
    stored = b"".join(path.read_bytes() for path in cluster.broker.store.rglob("*") if path.is_file())
    for person in ("kvd-1", "kvd-2"):
        secret = people[person][1].encode()
        assert secret not in stored
        assert secret not in b"".join(traffic)
    assert b"BLKSCLIP" not in stored, "nothing of it was kept on the way"


def test_the_keeper_ends_it_by_deadline_with_nobody_there(cluster, site, copied):
    """Broker away, the host that made it away: the copy ends, and that is told when they are back."""
    system, _ = site
    case, origin, keeper = copied
    origin.stop()
    keeper.stop()
    kept = msgspec.json.decode(kept_copy(keeper, case).read_bytes(), type=KeptCopy)
    # As if it had been ordered so much earlier.
    early = msgspec.structs.replace(kept, stamped=kept.stamped - 48 * 3600)
    kept_copy(keeper, case).write_bytes(msgspec.json.encode(early))
    cluster.broker.kill()
    keeper.start()
    until(lambda: not copy_on(keeper, case).exists(), PATIENCE_S)
    cluster.broker.start()
    until(lambda: store_of(system).get(case.id).copies[0].state is CopyState.GONE, PATIENCE_S)
    assert store_of(system).get(case.id).state is CaseState.WAITING, "the original is there, and its case"
    origin.start()
    system.records.office.cases.erase(case.id, ("dsb", "aufsicht"))
    assert ends(system, case).shred_reason == "erasure"
    (proof,) = [msgspec.json.decode(text, type=CopyProof) for text in receipt_of(system, case)["copies"]]
    assert proof.reason == "unreviewed", "the receipt says what happened"


def test_a_copy_that_was_lost_is_made_anew_and_the_receipt_waits_for_each_that_there_ever_was(cluster, site, copied):
    system, _ = site
    case, origin, keeper = copied
    copy_on(keeper, case).unlink()
    lost = until(lambda: (found := store_of(system).get(case.id)).copies[0].state is CopyState.LOST and found, PATIENCE_S)
    assert len(lost.copies) == 1
    until(lambda: store_of(system).get(case.id).copies[0].state is CopyState.THERE, PATIENCE_S)
    assert copy_on(keeper, case).read_bytes() == clip_on(origin, case).read_bytes(), "mended where it was"
    keeper.stop()
    paths = [kept_copy(keeper, case), *copy_on(keeper, case).parent.glob(f"{case.clip}*")]
    disk = {path: path.read_bytes() for path in paths}
    for path in paths:
        path.unlink()
    keeper.start()
    until(lambda: [one.state for one in store_of(system).get(case.id).copies] == [CopyState.LOST, CopyState.THERE], PATIENCE_S)
    assert copy_on(keeper, case).read_bytes() == clip_on(origin, case).read_bytes()
    system.records.office.cases.erase(case.id, ("dsb", "aufsicht"))
    until(lambda: store_of(system).get(case.id).copies[1].state is CopyState.GONE, PATIENCE_S)
    assert store_of(system).get(case.id).state is CaseState.DESTROYING, "what lay on the first disk is not proven to be gone"
    keeper.stop()
    for path, data in disk.items():
        path.write_bytes(data)
    keeper.start()
    ends(system, case)
    proofs = [msgspec.json.decode(text, type=CopyProof) for text in receipt_of(system, case)["copies"]]
    assert [(one.host, one.ending) for one in proofs] == [(keeper.name, "overwritten")] * 2
    assert not copy_on(keeper, case).exists()
