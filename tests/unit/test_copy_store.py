"""Second copies in an object store: refused where destruction cannot be proven, compared, destroyed in every version.

Against a real server that speaks S3 (moto), in a process of its own. docs/decisions/0014-copies-in-a-store.md.
"""

from __future__ import annotations

import hashlib
import secrets

import msgspec
import pytest
from click.testing import CliRunner

from blickschutz.cli.main import cli
from blickschutz.hosts.io.copies import COMPARED_EVERY_S
from blickschutz.hosts.io.stored import ASKED_EVERY_S, NamedStore
from blickschutz.hosts.model import AskPiece, ClipGone, Doom, KeptState, Piece, StoreFacts
from blickschutz.hosts.rules.stores import WORDS, Unfit, unfit
from blickschutz.kernel.errors import DeviceError
from blickschutz.retention.rules import proofs_of
from tests.fakes.clock import ManualClock
from tests.keepers import KEEPER, SITE, signer, witness
from tests.peers import s3
from tests.unit.test_copies import CLIP, DATA, Keeper, TwoHosts, fetched, giving, order, report_of

__all__ = ["signer", "witness"]
HOUR, STORE = 3600.0, "rz"


class TestWords:
    """Pure: what a store says decides."""

    def test_one_that_says_nothing_against_it_may_keep_copies(self):
        assert unfit(StoreFacts()) == []

    @pytest.mark.parametrize(
        ("facts", "why"),
        [
            (StoreFacts(locked=True), Unfit.LOCKED),
            (StoreFacts(lifecycle=["to-glacier"]), Unfit.LIFECYCLE),
            (StoreFacts(replicated=["to-elsewhere"]), Unfit.REPLICATED),
            (StoreFacts(unasked=["object lock (AccessDenied)"]), Unfit.UNASKED),
            (StoreFacts(not_proven="2 versions are left"), Unfit.NOT_PROVEN),
        ],
    )
    def test_each_reason_refuses_it_in_both_languages(self, facts, why):
        ((found, german, english),) = unfit(facts)
        assert found is why
        assert "{what}" not in german + english
        assert german != english

    def test_every_reason_has_its_words(self):
        assert set(WORDS) == set(Unfit)

    def test_all_reasons_are_said_at_once(self):
        facts = StoreFacts(locked=True, lifecycle=["a"], replicated=["b"], unasked=["c"], not_proven="d")
        assert [why for why, _, _ in unfit(facts)] == list(Unfit)


@pytest.fixture(scope="module")
def address():
    with s3.running() as found:
        yield found


class Store:
    """A bucket of its own at the server, as its owner sees it, and as the keeper does."""

    def __init__(self, address, *, versions=False, lock=False):
        from blickschutz.hosts.io.s3 import Bucket, S3Store, _client

        self.name = f"b{secrets.token_hex(6)}"
        bucket = Bucket(address, self.name, "us-east-1", "key", "secret")
        self.client = _client(bucket)
        self.client.create_bucket(Bucket=self.name, ObjectLockEnabledForBucket=lock)
        if versions:
            self.client.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        self.store = S3Store(bucket, f"{SITE}/{KEEPER}/", self.client)

    def versions(self):
        found = self.client.list_object_versions(Bucket=self.name)
        return [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]


def refused(store):
    return [why for why, _, _ in unfit(store.store.facts())]


@pytest.mark.peers
@pytest.mark.long
class TestRefused:
    @pytest.mark.parametrize("versions", [False, True])
    def test_a_plain_bucket_and_one_with_versions_are_taken(self, address, versions):
        store = Store(address, versions=versions)
        assert refused(store) == []
        assert store.versions() == [], "what was put there to try is gone"

    def test_a_lock_with_a_retention(self, address):
        store = Store(address, lock=True)
        rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}
        store.client.put_object_lock_configuration(
            Bucket=store.name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )
        assert Unfit.LOCKED in refused(store)

    @pytest.mark.parametrize(
        "rule",
        [
            {"ID": "ends", "Expiration": {"Days": 1}},
            {"ID": "moves", "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]},
        ],
    )
    def test_rules_that_move_or_end_objects(self, address, rule):
        store = Store(address)
        whole = {"Status": "Enabled", "Filter": {"Prefix": ""}, **rule}
        store.client.put_bucket_lifecycle_configuration(Bucket=store.name, LifecycleConfiguration={"Rules": [whole]})
        assert refused(store) == [Unfit.LIFECYCLE]

    def test_a_rule_that_clears_away_broken_uploads_is_none_of_these(self, address):
        store = Store(address)
        rule = {"ID": "tidy", "Status": "Enabled", "Filter": {"Prefix": ""}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
        store.client.put_bucket_lifecycle_configuration(Bucket=store.name, LifecycleConfiguration={"Rules": [rule]})
        assert refused(store) == []

    def test_copies_to_elsewhere(self, address):
        store, other = Store(address, versions=True), Store(address, versions=True)
        rule = {"ID": "away", "Status": "Enabled", "Prefix": "", "Destination": {"Bucket": f"arn:aws:s3:::{other.name}"}}
        store.client.put_bucket_replication(
            Bucket=store.name, ReplicationConfiguration={"Role": "arn:aws:iam::123456789012:role/r", "Rules": [rule]}
        )
        assert refused(store) == [Unfit.REPLICATED]

    def test_a_bucket_that_is_not_there_and_a_store_that_is_away(self, address):
        store = Store(address)
        store.store._bucket = "nobody-has-this"
        assert refused(store) == [Unfit.UNASKED]
        away = Store(address)
        away.client.meta.events.register("before-send.s3", _cut)
        assert refused(away) == [Unfit.UNASKED]


def _cut(**told):
    raise OSError("the network is cut")


class StoreKeeper(Keeper):
    """A host that keeps its copies in a store."""

    def __init__(self, folder, signer, witness, store):
        self.store = store
        super().__init__(folder, ManualClock(), SITE, signer.public, witness)

    def start(self):
        super().start()
        self.copies._stored._own = NamedStore(STORE, self.store.store)


@pytest.fixture
def keeper(tmp_path, signer, witness, address):
    made = StoreKeeper(tmp_path / KEEPER, signer, witness, Store(address, versions=True))
    yield made
    made.journal.close()


def there(keeper, signer, **changed):
    keeper.copies.ordered(signer.sign(order(keeper, store=STORE, **changed)))
    keeper.pulls(giving())
    assert keeper.records.get(CLIP).state is KeptState.THERE


@pytest.mark.peers
@pytest.mark.long
class TestKeeping:
    def test_it_lies_there_with_its_order_and_not_here(self, keeper, signer):
        there(keeper, signer)
        assert not keeper.file.exists()
        assert keeper.store.store.digest(CLIP) == (hashlib.sha256(DATA).hexdigest(), len(DATA))
        assert keeper.store.store.order(CLIP) == msgspec.msgpack.encode(keeper.records.get(CLIP).order)
        assert {one["Key"] for one in keeper.store.versions()} == {f"{SITE}/{KEEPER}/{CLIP}.clip", f"{SITE}/{KEEPER}/{CLIP}.order"}
        first = keeper.clips.piece(AskPiece(CLIP, 0))
        assert (first.data, first.size) == (DATA[: len(first.data)], len(DATA))
        assert keeper.clips.piece(AskPiece(CLIP, len(first.data))).data == DATA[len(first.data) :]

    def test_its_end_takes_every_version_and_is_proven_by_a_listing(self, keeper, signer):
        there(keeper, signer)
        # Whoever overwrote or hid it there left versions and a marker.
        key = f"{SITE}/{KEEPER}/{CLIP}.clip"
        keeper.store.client.put_object(Bucket=keeper.store.name, Key=key, Body=b"another")
        keeper.store.client.delete_object(Bucket=keeper.store.name, Key=key)
        assert len(keeper.store.versions()) == 4
        keeper.copies.ordered(signer.sign(order(keeper, store=STORE, serial=2, doom=Doom(reason="harmless", people=("a", "b")))))
        keeper.copies.look()
        assert keeper.store.versions() == []
        report = report_of(keeper)
        assert (report.ending, report.overwritten, report.absent) == ("deleted", 0, True)

    def test_its_deadline_needs_no_order(self, keeper, signer):
        there(keeper, signer)
        keeper.passes(48 * HOUR)
        assert keeper.store.versions() == []
        assert report_of(keeper).reason == "unreviewed"

    def test_a_store_that_refuses_to_destroy_is_tried_again_and_nothing_is_reported(self, keeper, signer):
        there(keeper, signer)
        events = keeper.store.client.meta.events
        events.register("before-send.s3.DeleteObject", _cut)
        keeper.passes(48 * HOUR)
        tries = []
        events.register("before-call.s3.DeleteObject", lambda **told: tries.append(1))
        keeper.passes(1)
        assert tries == [], "not at every look"
        assert not [one for one in keeper.told() if isinstance(one, ClipGone)]
        assert keeper.store.versions()
        events.unregister("before-send.s3.DeleteObject", _cut)
        keeper.passes(60)
        assert tries
        assert keeper.store.versions() == []
        assert report_of(keeper).ending == "deleted"

    def test_one_that_is_locked_in_the_meantime_is_not_called_destroyed(self, tmp_path, signer, witness, address):
        keeper = StoreKeeper(tmp_path / "locked", signer, witness, Store(address, lock=True))
        there(keeper, signer)
        key = f"{SITE}/{KEEPER}/{CLIP}.clip"
        hold = {"Bucket": keeper.store.name, "Key": key}
        keeper.store.client.put_object_legal_hold(**hold, LegalHold={"Status": "ON"})
        keeper.passes(48 * HOUR)
        assert not [one for one in keeper.told() if isinstance(one, ClipGone)]
        keeper.store.client.put_object_legal_hold(**hold, LegalHold={"Status": "OFF"})
        keeper.passes(60)
        assert report_of(keeper).ending == "deleted"
        keeper.journal.close()

    def test_a_refused_store_gets_nothing(self, tmp_path, signer, witness, address):
        store = Store(address)
        rule = {"ID": "ends", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
        store.client.put_bucket_lifecycle_configuration(Bucket=store.name, LifecycleConfiguration={"Rules": [rule]})
        keeper = StoreKeeper(tmp_path / "refused", signer, witness, store)
        keeper.copies.ordered(signer.sign(order(keeper, store=STORE)))
        keeper.pulls(giving())
        assert keeper.records.get(CLIP).state is KeptState.COMING
        assert store.versions() == []
        keeper.journal.close()

    def test_another_store_than_the_papers_say_gets_nothing(self, keeper, signer):
        keeper.copies.ordered(signer.sign(order(keeper, store="anderswo")))
        keeper.pulls(giving())
        assert keeper.records.get(CLIP).state is KeptState.COMING
        assert keeper.store.versions() == []

    def test_a_crash_after_it_was_put_there_is_made_good(self, keeper, signer):
        there(keeper, signer)
        record = keeper.records.get(CLIP)
        keeper.records.put(msgspec.structs.replace(record, state=KeptState.COMING, answered=0))
        keeper.again()
        keeper.pulls(lambda ask: Piece(0, 0, b"", "away"))
        assert keeper.records.get(CLIP).state is KeptState.THERE

    def test_the_order_beside_it_is_enough_when_the_records_are_lost(self, keeper, signer):
        there(keeper, signer)
        for folder in (keeper.folder / "copied", keeper.shelf.folder):
            for path in folder.iterdir():
                path.unlink()
        keeper.again()
        keeper.passes(1)
        keeper.passes(70)
        keeper.pulls(lambda ask: Piece(0, 0, b"", "away"))
        assert keeper.records.get(CLIP).state is KeptState.THERE
        keeper.passes(47 * HOUR)
        assert keeper.store.versions() == []

    def test_what_lies_there_without_an_order_is_destroyed(self, keeper, signer):
        key = f"{SITE}/{KEEPER}/{CLIP}.clip"
        keeper.store.client.put_object(Bucket=keeper.store.name, Key=key, Body=DATA)
        for seconds in (ASKED_EVERY_S, 70, 1):
            keeper.passes(seconds)
        assert keeper.store.versions() == []

    def test_one_that_was_altered_there_is_told_of(self, keeper, signer):
        there(keeper, signer)
        keeper.store.client.put_object(Bucket=keeper.store.name, Key=f"{SITE}/{KEEPER}/{CLIP}.clip", Body=DATA[:-1] + b"x")
        keeper.passes(COMPARED_EVERY_S + 1)
        keeper.passes(COMPARED_EVERY_S + 1)
        assert [one.known for one in keeper.told()] == [True, False]

    def test_what_the_client_says_of_keys_is_not_repeated(self, keeper):
        keeper.store.client.meta.events.register("before-send.s3", _cut)
        with pytest.raises(DeviceError) as told:
            keeper.store.store.destroy(CLIP)
        assert "secret" not in str(told.value)


@pytest.mark.peers
@pytest.mark.long
class TestCommand:
    """`blickschutz hosts store`, on the machine of a keeper."""

    def asked(self, folder, address, bucket):
        join = "\n".join(
            (
                "format = 1",
                f'installation = "{SITE}"',
                f'host = "{KEEPER}"',
                'broker = "tls://127.0.0.1:4222"',
                'broker_name = "broker.internal"',
                'authority = "authority.crt"\ncertificate = "host.crt"\nkey = "host.key"\ncores = 1\nmemory_mb = 500',
                f'[store]\nname = "{STORE}"\nendpoint = "{address}"\nbucket = "{bucket}"',
                'access_file = "access"\nsecret_file = "secret"',
            )
        )
        (folder / "join.toml").write_text(join)
        for name in ("access", "secret"):
            (folder / name).write_text("0123456789")
            (folder / name).chmod(0o600)
        return CliRunner().invoke(cli, ["hosts", "store", "--join", str(folder / "join.toml")])

    def test_it_says_that_a_store_is_good_or_every_reason_against_it(self, tmp_path, address):
        store = Store(address)
        answer = self.asked(tmp_path, address, store.name)
        assert answer.exit_code == 0, answer.output
        assert "nachweislich vernichten" in answer.output
        rule = {"ID": "ends-by-itself", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
        store.client.put_bucket_lifecycle_configuration(Bucket=store.name, LifecycleConfiguration={"Rules": [rule]})
        answer = self.asked(tmp_path, address, store.name)
        assert answer.exit_code == 1
        assert "Regeln des Speichers verschieben oder beenden Objekte: ends-by-itself." in answer.output
        assert "Rules of the store move or end objects: ends-by-itself." in answer.output


@pytest.mark.peers
@pytest.mark.long
def test_with_a_control_room_the_receipt_says_deleted_and_names_the_store(tmp_path, address):
    land = TwoHosts(tmp_path)
    land.house.enrol()
    land.hosted._copies._keepers = {KEEPER: STORE}
    store = Store(address, versions=True)
    land.keeper.copies._stored._own = NamedStore(STORE, store.store)
    clip = land.copied()
    assert (land.copy(clip).store, land.files(clip)) == (STORE, (True, False))
    land.away.add("north")
    assert hashlib.sha256(fetched(land, clip, tmp_path / "fetched")).hexdigest() == land.case(clip).sha256
    land.away.clear()
    land.doom(clip)
    land.carry()
    (proof,) = proofs_of(land.receipt(clip))
    assert (proof.ending, proof.store, proof.overwritten) == ("deleted", STORE, 0)
    assert store.versions() == []
    land.end()
