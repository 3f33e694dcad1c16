"""Makes and opens keys. Two of n by pairs: for each two holders the secret is sealed to one and that to the other.

With n holders that is n(n-1)/2 boxes of libsodium and no arithmetic of our own; three to five people hold such a key, so three to
ten boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import nacl.exceptions
import nacl.pwhash.argon2id as argon
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.secret import SecretBox
from nacl.signing import SigningKey, VerifyKey

from stimmungsbild.errors import OpeningError
from stimmungsbild.keys.model import EvaluationKey, HolderKey, OpenKey, Pair

SALT_BYTES = 16
SEED_BYTES = 32
# What argon2id costs who tries a passphrase: 256 MiB and three passes (libsodium's MODERATE).
OPERATIONS, MEMORY = argon.OPSLIMIT_MODERATE, argon.MEMLIMIT_MODERATE
FEWEST_HOLDERS = 2
Randomness = Callable[[int], bytes]


def make_holder(holder: str, passphrase: str, randomness: Randomness, operations: int = OPERATIONS, memory: int = MEMORY) -> HolderKey:
    """A key for one holder."""
    private, salt = PrivateKey(randomness(SEED_BYTES)), randomness(SALT_BYTES)
    box = SecretBox(_derived(passphrase, salt, operations, memory)).encrypt(bytes(private), randomness(SecretBox.NONCE_SIZE))
    return HolderKey(holder, bytes(private.public_key), salt, operations, memory, bytes(box))


def _derived(passphrase: str, salt: bytes, operations: int, memory: int) -> bytes:
    return argon.kdf(SecretBox.KEY_SIZE, passphrase.encode(), salt, opslimit=operations, memlimit=memory)


def make_evaluation(holders: Sequence[HolderKey], randomness: Randomness) -> EvaluationKey:
    """A key for a field that two of `holders` open. Its secret is forgotten with the end of this call."""
    names = sorted(one.holder for one in holders)
    if len(set(names)) < FEWEST_HOLDERS or len(set(names)) < len(names):
        raise OpeningError("an evaluation's key needs two holders or more, each once")
    private, signing = PrivateKey(randomness(SEED_BYTES)), SigningKey(randomness(SEED_BYTES))
    secret = bytes(private) + bytes(signing)
    by_name = {one.holder: SealedBox(PublicKey(one.public)) for one in holders}
    pairs = tuple(Pair(a, b, by_name[a].encrypt(by_name[b].encrypt(secret))) for a, b in combinations(names, 2))
    return EvaluationKey(bytes(private.public_key), bytes(signing.verify_key), pairs)


def open_evaluation(key: EvaluationKey, first: tuple[HolderKey, str], second: tuple[HolderKey, str]) -> OpenKey:
    """The secret, from two holders with their passphrases. Raises `OpeningError`, which says whose part did not fit."""
    people = {one.holder: (one, passphrase) for one, passphrase in (first, second)}
    if len(people) < FEWEST_HOLDERS:
        raise OpeningError("two different people open an evaluation together; this is one person twice")
    pair = next((one for one in key.pairs if {one.first, one.second} == people.keys()), None)
    if pair is None:
        raise OpeningError(f"this evaluation is not for {' and '.join(sorted(people))} together")
    box = pair.box
    for name in (pair.first, pair.second):
        try:
            box = SealedBox(_private(*people[name])).decrypt(box)
        except nacl.exceptions.CryptoError as error:
            raise OpeningError(f"the key of {name} is not the one that this evaluation was made for") from error
    found = OpenKey(box[:SEED_BYTES], box[SEED_BYTES:])
    if bytes(PrivateKey(found.private).public_key) != key.public:
        raise OpeningError("the opened key is not the one of this evaluation")
    return found


def _private(key: HolderKey, passphrase: str) -> PrivateKey:
    try:
        box = SecretBox(_derived(passphrase, key.salt, key.operations, key.memory))
        return PrivateKey(box.decrypt(key.box))
    except nacl.exceptions.CryptoError as error:
        raise OpeningError(f"the passphrase of {key.holder} is not right") from error


def seal(public: bytes, text: bytes) -> bytes:
    """`text` sealed so that only the evaluation's key opens it (libsodium sealed box)."""
    return SealedBox(PublicKey(public)).encrypt(text)


def unseal(key: OpenKey, box: bytes) -> bytes | None:
    """What was sealed; None where it was altered, or sealed for another key."""
    try:
        return SealedBox(PrivateKey(key.private)).decrypt(box)
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        return None


def sign(key: OpenKey, data: bytes) -> bytes:
    """Ed25519 signature of the evaluation, 64 bytes."""
    return SigningKey(key.signing).sign(data).signature


def signed(verify: bytes, data: bytes, signature: bytes) -> bool:
    """Whether the evaluation signed exactly this."""
    try:
        VerifyKey(verify).verify(data, signature)
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False
    return True
