"""Two of three open an evaluation; one, or a stranger, or one twice, opens nothing."""

from __future__ import annotations

import secrets
from itertools import permutations

import msgspec
import pytest

from stimmungsbild.errors import OpeningError
from stimmungsbild.keys.files import read_evaluation, read_holder, write_key
from stimmungsbild.keys.model import EvaluationKey
from stimmungsbild.keys.service import make_evaluation, open_evaluation, seal, sign, signed, unseal
from tests.survey.house import PEOPLE, holders

KEYS = holders()
KEY = make_evaluation(list(KEYS.values()), secrets.token_bytes)


@pytest.mark.parametrize("names", list(permutations(PEOPLE, 2)))
def test_any_two_open_it_so_a_lost_key_is_no_loss(names):
    opened = open_evaluation(KEY, *[(KEYS[name], PEOPLE[name]) for name in names])
    assert unseal(opened, seal(KEY.public, b"said")) == b"said"
    assert signed(KEY.verify, b"figures", sign(opened, b"figures"))
    assert not signed(KEY.verify, b"figures.", sign(opened, b"figures"))


def test_one_person_twice_is_one_person():
    one = (KEYS["stadt"], PEOPLE["stadt"])
    with pytest.raises(OpeningError, match="one person twice"):
        open_evaluation(KEY, one, one)


@pytest.mark.parametrize("wrong", [0, 1])
def test_a_wrong_passphrase_names_whose_it_is(wrong):
    names = ["institut", "stadt"]
    given = [(KEYS[name], "falsch" if at == wrong else PEOPLE[name]) for at, name in enumerate(names)]
    with pytest.raises(OpeningError, match=f"passphrase of {names[wrong]}"):
        open_evaluation(KEY, *given)


def test_a_key_of_the_same_name_that_was_made_later_opens_nothing():
    other = holders()
    with pytest.raises(OpeningError, match="the key of stadt is not the one"):
        open_evaluation(KEY, (KEYS["institut"], PEOPLE["institut"]), (other["stadt"], PEOPLE["stadt"]))


def test_a_box_for_a_pair_holds_nothing_that_one_of_them_reads():
    """Whoever of the two tries alone meets another sealed box, or one that is not theirs."""
    from nacl.public import PrivateKey, SealedBox

    private = [PrivateKey(secrets.token_bytes(32)) for _ in range(2)]
    people = [msgspec.structs.replace(KEYS[n], public=bytes(p.public_key)) for n, p in zip(("institut", "stadt"), private, strict=True)]
    made = make_evaluation(people, secrets.token_bytes)
    inner = SealedBox(private[0]).decrypt(made.pairs[0].box)
    assert made.public not in inner
    assert len(inner) == 64 + SealedBox.__dict__.get("OVERHEAD", 48)
    with pytest.raises(Exception, match=r"."):
        SealedBox(private[0]).decrypt(inner)
    with pytest.raises(Exception, match=r"."):
        SealedBox(private[1]).decrypt(made.pairs[0].box)


def test_one_holder_makes_no_evaluation():
    with pytest.raises(OpeningError, match="two holders or more"):
        make_evaluation([KEYS["stadt"]], secrets.token_bytes)
    with pytest.raises(OpeningError, match="each once"):
        make_evaluation([KEYS["stadt"], KEYS["stadt"]], secrets.token_bytes)


def test_what_was_altered_does_not_open():
    opened = open_evaluation(KEY, *[(KEYS[name], PEOPLE[name]) for name in ("stadt", "institut")])
    box = bytearray(seal(KEY.public, b"said"))
    for at in (0, 40, len(box) - 1):
        altered = bytes(box[:at]) + bytes([box[at] ^ 1]) + bytes(box[at + 1 :])
        assert unseal(opened, altered) is None
    assert unseal(opened, b"") is None


def test_files_keep_keys_and_are_never_overwritten(tmp_path):
    write_key(tmp_path / "stadt.json", KEYS["stadt"])
    write_key(tmp_path / "key.json", KEY)
    assert read_holder(tmp_path / "stadt.json") == KEYS["stadt"]
    assert read_evaluation(tmp_path / "key.json") == KEY
    assert (tmp_path / "stadt.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(OpeningError, match="never overwritten"):
        write_key(tmp_path / "stadt.json", KEYS["institut"])
    with pytest.raises(OpeningError, match="no key file of this kind"):
        read_holder(tmp_path / "key.json")


def test_no_private_half_stands_in_a_file():
    opened = open_evaluation(KEY, *[(KEYS[name], PEOPLE[name]) for name in ("stadt", "institut")])
    text = msgspec.json.encode(KEY)
    decoded = msgspec.json.decode(text, type=EvaluationKey)
    for part in (opened.private, opened.signing):
        assert part not in text
        assert all(part not in pair.box for pair in decoded.pairs)
