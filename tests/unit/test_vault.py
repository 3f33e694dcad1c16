"""Keys for two people: shares, envelopes, streams, files."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.kernel.errors import FaultError, OperatorError
from blickschutz.vault import rules, service
from blickschutz.vault.io.files import InstallationKey, KeyFolder, is_signed, overwrite
from blickschutz.vault.model import Reviewer, Share, VaultProblem
from blickschutz.vault.service import StreamOpener, StreamSealer, VaultError

PASSPHRASE = "vier augen sehen mehr"


def people(count=3):
    sealed = [service.enrol(f"person-{n}", PASSPHRASE + str(n)) for n in range(count)]
    return sealed, [Reviewer(s.id, s.public) for s in sealed], [service.unlock(s, PASSPHRASE + str(n)) for n, s in enumerate(sealed)]


@given(st.binary(min_size=32, max_size=32), st.integers(2, 9), st.data())
def test_any_two_shares_give_the_secret(secret, count, data):
    values = rules.split(secret, count, secrets.randbelow)
    first, second = data.draw(st.lists(st.integers(1, count), min_size=2, max_size=2, unique=True))
    assert rules.join((first, values[first - 1]), (second, values[second - 1])) == secret


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.integers(0, rules.PRIME - 1))
def test_one_share_fits_every_secret(secret, other, slope):
    """For any other secret there is a line through the same point: a single share rules nothing out."""
    x = 2
    value = (int.from_bytes(secret, "big") + slope * x) % rules.PRIME
    slope_of_other = (value - int.from_bytes(other, "big")) * pow(x, -1, rules.PRIME) % rules.PRIME
    assert rules.split(other, 2, lambda _: slope_of_other)[1] == value.to_bytes(rules.VALUE_BYTES, "big")


def test_two_people_open_an_envelope_and_one_does_not():
    _, reviewers, privates = people()
    key = service.new_key()
    envelope = service.seal_key(key, "clip", reviewers)
    shares = [service.open_share(envelope, r.id, p) for r, p in zip(reviewers, privates, strict=True)]
    assert service.join_shares(envelope, shares[0], shares[2]) == key
    with pytest.raises(VaultError) as caught:
        service.join_shares(envelope, shares[1], shares[1])
    assert caught.value.problem is VaultProblem.SAME_PERSON


def test_a_share_opens_for_its_person_only():
    _, reviewers, privates = people()
    envelope = service.seal_key(service.new_key(), "clip", reviewers)
    with pytest.raises(VaultError) as caught:
        service.open_share(envelope, "person-0", privates[1])
    assert caught.value.problem is VaultProblem.NOT_FOR_THIS_PERSON


def test_envelopes_of_two_clips_do_not_mix():
    import msgspec

    _, reviewers, privates = people(2)
    one, other = (service.seal_key(service.new_key(), clip, reviewers) for clip in ("one", "other"))
    swapped = msgspec.structs.replace(one, shares=other.shares)
    with pytest.raises(VaultError) as caught:
        service.open_share(swapped, "person-0", privates[0])
    assert caught.value.problem is VaultProblem.FOREIGN_ENVELOPE
    shares = service.open_share(one, "person-0", privates[0]), service.open_share(other, "person-1", privates[1])
    with pytest.raises(VaultError) as caught:
        service.join_shares(one, *shares)
    assert caught.value.problem is VaultProblem.KEY_DOES_NOT_FIT


def test_a_share_that_was_made_up_to_fit_another_key_does_not_open_the_clip():
    """Whoever has one share can make up a second one for any key; the envelope knows which key it is."""
    _, reviewers, privates = people(2)
    envelope, chosen = service.seal_key(service.new_key(), "clip", reviewers), bytes(31) + b"\x07"
    share = service.open_share(envelope, reviewers[0].id, privates[0])
    constant, value = int.from_bytes(chosen, "big"), int.from_bytes(share.y, "big")
    slope = (value - constant) * pow(share.x, -1, rules.PRIME) % rules.PRIME
    forged = Share("clip", 2, ((constant + 2 * slope) % rules.PRIME).to_bytes(rules.VALUE_BYTES, "big"))
    assert rules.join((share.x, share.y), (forged.x, forged.y)) == chosen
    with pytest.raises(VaultError) as caught:
        service.join_shares(envelope, share, forged)
    assert caught.value.problem is VaultProblem.KEY_DOES_NOT_FIT


def test_fewer_than_two_different_people_seal_nothing():
    _, reviewers, _ = people(1)
    for few in ([], reviewers, reviewers * 2):
        with pytest.raises(service.TooFewReviewersError, match="two different people"):
            service.seal_key(service.new_key(), "clip", few)


def test_a_passphrase_is_changed_and_the_old_one_is_worthless():
    sealed = service.enrol("ada", PASSPHRASE)
    changed = service.change_passphrase(sealed, PASSPHRASE, "ein anderer langer Satz")
    assert changed.public == sealed.public
    with pytest.raises(VaultError) as caught:
        service.unlock(changed, PASSPHRASE)
    assert caught.value.problem is VaultProblem.WRONG_PASSPHRASE
    with pytest.raises(OperatorError, match="12 characters"):
        service.enrol("ada", "kurz")


@pytest.mark.parametrize("passphrase", ["111111111111", "passwortpasswort", "abcdefghijkl", "blickschutz1", "ada.lovelace-ada"])
def test_a_passphrase_that_is_soon_guessed_seals_nothing(passphrase):
    with pytest.raises(service.GuessableError):
        service.enrol("ada.lovelace", passphrase)


def test_a_stream_opens_in_order_and_not_otherwise():
    key = service.new_key()
    sealer = StreamSealer(key)
    messages = [sealer.seal(bytes([n]) * 9, b"a", last=n == 2) for n in range(3)]
    opener = StreamOpener(key, sealer.header)
    assert [opener.open(m, b"a") for m in messages] == [(b"\0" * 9, False), (b"\1" * 9, False), (b"\2" * 9, True)]
    for wrong in ([messages[1]], [messages[0][:-1]], [messages[0] + b"\0"]):
        assert StreamOpener(key, sealer.header).open(wrong[0], b"a") is None
    assert StreamOpener(key, sealer.header).open(messages[0], b"b") is None


def test_keys_lie_in_files_that_only_their_owner_reads(tmp_path):
    folder = KeyFolder(tmp_path / "keys")
    sealed = [service.enrol(name, PASSPHRASE) for name in ("bert", "ada")]
    for one in sealed:
        folder.put(one)
    assert [r.id for r in folder.reviewers()] == ["ada", "bert"]
    assert (tmp_path / "keys/ada.json").stat().st_mode & 0o777 == 0o600
    assert folder.get("ada") == sealed[1]
    folder.remove("ada")
    assert folder.get("ada") is None
    (tmp_path / "keys/bert.json").write_text("{}")
    with pytest.raises(FaultError, match="damaged"):
        folder.get("bert")
    with pytest.raises(OperatorError):
        folder.get("../etc")


def test_the_installation_has_one_key_and_signs_with_it(tmp_path):
    key = InstallationKey(tmp_path / "installation.key")
    assert InstallationKey(tmp_path / "installation.key").public == key.public
    signature = key.sign(b"text")
    assert is_signed(b"text", signature, key.public)
    assert not is_signed(b"texu", signature, key.public)
    assert not is_signed(b"text", signature[:-1], key.public)


def test_overwriting_leaves_nothing_of_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"secret" * 1000)
    overwrite(path, 6, 60)
    data = path.read_bytes()
    assert (len(data), data[:6], data[66:72]) == (6000, b"secret", b"secret")
    assert data[6:66] != b"secret" * 10
    overwrite(path)
    assert b"secret" not in path.read_bytes()


_MOST = rules.MOST_PASSES


@pytest.mark.parametrize(
    ("floor", "took", "passes"), [(3, 0.2, 8), (3, 0.5, 3), (3, 5.0, 3), (3, 0.001, _MOST), (3, 0.0, _MOST), (20, 0.1, 20)]
)
def test_a_faster_machine_makes_more_passes_and_none_makes_fewer_than_the_floor(floor, took, passes):
    assert rules.passes(floor, took) == passes


def test_a_key_says_what_its_derivation_cost(monkeypatch):
    monkeypatch.setattr(service, "OPERATIONS", 2)
    monkeypatch.setattr(service, "MEMORY", 8192 * 8)
    monkeypatch.setattr(service.rules, "passes", lambda floor, took: floor + 3)
    service._operations.cache_clear()
    sealed = service.enrol("ada", PASSPHRASE)
    assert (sealed.operations, sealed.memory) == (5, 8192 * 8)
    assert service.unlock(sealed, PASSPHRASE)
    service._operations.cache_clear()
