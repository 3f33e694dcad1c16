"""Second copies in an object store, kept by a host within its walls, ordered over the broker: docs/decisions/0014-copies-in-a-store.md.

The store is a real server that speaks S3 (moto), in a process of its own.
"""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from blickschutz.config.hosts import CopyPlace
from blickschutz.hosts.model import KeptCopy
from blickschutz.retention.model import CopyProof
from blickschutz.review.model import CaseState, CopyState
from blickschutz.zones.hardening import Wall, lacking
from tests.live.system import until
from tests.live.test_cells import confined
from tests.live.test_host_clips import FilmCamera, FilmCluster, all_is_well, receipt_of, record, reviewed, store_of
from tests.peers import s3
from tests.peers.cluster import begun

pytestmark = [pytest.mark.peers, pytest.mark.long, pytest.mark.timeout(900)]
NAMES, KEEPER, STORE, BUCKET = ("north", "south"), "south", "rz", "kopien-rathaus"
ACCESS, SECRET = "access-of-the-store-4711", "secret-of-the-store-4711"
PATIENCE_S = 240.0


class StoreCluster(FilmCluster):
    """One host films, the other one has copies in the store at this address."""

    def __init__(self, base, cameras, address):
        self._store = address
        super().__init__(base, cameras, hosts=NAMES)

    def _site(self):
        site = super()._site()
        places = (CopyPlace(host=KEEPER, store=STORE, place="Rechenzentrum, Kaiserslautern"),)
        cameras = tuple(one.model_copy(update={"only": "north"}) for one in site.hosts.cameras)
        return site.model_copy(update={"hosts": site.hosts.model_copy(update={"copies": (KEEPER,), "stores": places, "cameras": cameras})})

    def enrol(self, name):
        host = super().enrol(name)
        if name == KEEPER:
            for file, word in (("access", ACCESS), ("secret", SECRET)):
                (host.folder / file).write_text(word)
                (host.folder / file).chmod(0o600)
            join = host.folder / "join.toml"
            store = f'[store]\nname = "{STORE}"\nendpoint = "{self._store}"\nbucket = "{BUCKET}"\n'
            join.write_text(
                join.read_text(encoding="utf-8") + f'\n{store}access_file = "access"\nsecret_file = "secret"\n', encoding="utf-8"
            )
        return host


@pytest.fixture(scope="module")
def bucket():
    """The server's address, and a client of its owner."""
    with s3.running() as address:
        from blickschutz.hosts.io.s3 import Bucket, _client

        client = _client(Bucket(address, BUCKET, "us-east-1", ACCESS, SECRET))
        # With versions, and locks where somebody sets one.
        client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        yield address, client


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, bucket, traffic):
    base = tmp_path_factory.mktemp("store")
    with begun(StoreCluster(base, (FilmCamera(base / "film.mp4"),), bucket[0])) as made:
        yield made


@pytest.fixture(scope="module")
def system(cluster):
    for one in cluster.hosts.values():
        one.start()
    with reviewed(cluster) as (found, _):
        all_is_well(found, PATIENCE_S)
        yield found


def versions(client):
    found = client.list_object_versions(Bucket=BUCKET)
    return [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]


def test_a_confined_host_has_its_copies_there_and_proves_that_every_version_is_gone(cluster, system, bucket, traffic):
    _, client = bucket
    keeper = cluster.hosts[KEEPER]
    assert confined(keeper.pid) == {("1", "0" if Wall.CALLS in lacking() else "2")}
    missing = [line for line in keeper.log().splitlines() if "does not have these walls" in line]
    assert bool(missing) == bool(lacking()), keeper.log()
    number = record(system).id
    case = until(lambda: (found := store_of(system).get(number)).copies and found.copies[0].state is CopyState.THERE and found, PATIENCE_S)
    assert (case.host, case.copies[0].host, case.copies[0].store) == ("north", KEEPER, STORE)
    (kept,) = [one["Key"] for one in versions(client) if one["Key"].endswith(f"{case.clip}.clip")]
    data = client.get_object(Bucket=BUCKET, Key=kept)["Body"].read()
    assert hashlib.sha256(data).hexdigest() == case.sha256
    assert not list((keeper.folder / "data/copies").glob(f"{case.clip}.clip")), "it is there, and not here"
    # Whoever overwrote and hid it there left a version and a marker.
    client.put_object(Bucket=BUCKET, Key=kept, Body=b"another")
    client.delete_object(Bucket=BUCKET, Key=kept)
    system.records.office.cases.erase(case.id, ("dsb", "aufsicht"))
    until(lambda: store_of(system).get(case.id).state is CaseState.DESTROYED, PATIENCE_S)
    assert not [one for one in versions(client) if case.clip in one["Key"]]
    (proof,) = [msgspec.json.decode(text, type=CopyProof) for text in receipt_of(system, case)["copies"]]
    assert (proof.host, proof.ending, proof.store, proof.overwritten, proof.absent) == (KEEPER, "deleted", STORE, 0, True)
    stored = b"".join(path.read_bytes() for path in cluster.broker.store.rglob("*") if path.is_file())
    for secret in (ACCESS.encode(), SECRET.encode()):
        assert secret not in stored + b"".join(traffic), "the control room and the broker know nothing of the store's keys"


def test_a_store_that_refuses_to_destroy_leaves_the_case_open_until_it_does(cluster, system, bucket):
    _, client = bucket
    keeper = cluster.hosts[KEEPER]
    number = record(system).id
    case = until(lambda: (found := store_of(system).get(number)).copies and found.copies[0].state is CopyState.THERE and found, PATIENCE_S)
    record_of = keeper.folder / "data/copied" / f"{case.clip}.json"
    assert msgspec.json.decode(record_of.read_bytes(), type=KeptCopy).stored
    (kept,) = {one["Key"] for one in versions(client) if one["Key"].endswith(f"{case.clip}.clip")}
    client.put_object_legal_hold(Bucket=BUCKET, Key=kept, LegalHold={"Status": "ON"})
    system.records.office.cases.erase(case.id, ("dsb", "aufsicht"))
    until(lambda: store_of(system).get(case.id).reported, PATIENCE_S)
    assert store_of(system).get(case.id).state is CaseState.DESTROYING
    client.put_object_legal_hold(Bucket=BUCKET, Key=kept, LegalHold={"Status": "OFF"})
    until(lambda: store_of(system).get(case.id).state is CaseState.DESTROYED, PATIENCE_S)
    assert not [one for one in versions(client) if case.clip in one["Key"]]
