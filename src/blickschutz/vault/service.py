"""Reviewers' keys, envelopes, sealed streams. All primitives are libsodium's (PyNaCl); only the sharing is our own."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Sequence
from functools import cache

import msgspec
import nacl.bindings as sodium
from nacl.encoding import RawEncoder
from nacl.exceptions import CryptoError
from nacl.hash import blake2b
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.pwhash import argon2id
from nacl.secret import SecretBox
from nacl.signing import SigningKey

from blickschutz.kernel.errors import UNREADABLE, BlickschutzError, OperatorError
from blickschutz.vault import rules
from blickschutz.vault.model import Envelope, Reviewer, SealedPrivateKey, SealedShare, SecondHalf, Share, VaultProblem

# The floor (RFC 9106, 4, asks for three passes over 64 MiB where memory is scarce); a faster machine makes more passes.
OPERATIONS, MEMORY = 3, 128 * 1024 * 1024
# What is sealed may have to hold for as long as somebody keeps a copy, against guesses at any speed: long, and not guessable
# by what zxcvbn knows (Wheeler 2016; at least 10^8 guesses).
LEAST_PASSPHRASE, LEAST_SCORE = 12, 3
_MOST_JUDGED = 72
_WORDS = ("blickschutz", "rathaus", "leitstelle", "sichtung", "losung")
_CONFIRM = b"blickschutz clip key"
_SIGNING = b"blickschutz enrolment"
_SECOND = b"blickschutz second half"
# Bytes: what a security key answers with (HMAC-SHA-256), and what it is asked with.
HALF, SALT = 32, 32


class VaultError(BlickschutzError):
    """Something did not open; `problem` says why."""

    def __init__(self, problem: VaultProblem, text: str = "") -> None:
        super().__init__(text or problem.value)
        self.problem = problem


class TooFewReviewersError(OperatorError):
    """Fewer than two people could open what would be sealed, so nothing is sealed."""


class GuessableError(OperatorError):
    """A passphrase that is soon guessed."""


def new_key() -> bytes:
    """A data key for one clip."""
    return sodium.crypto_secretstream_xchacha20poly1305_keygen()


def enrol(reviewer: str, passphrase: str, second: SecondHalf | None = None, half: bytes = b"") -> SealedPrivateKey:
    """A new key pair for a person; the private half is sealed under the passphrase, and `half` where there is a `second`.

    Raises `OperatorError`, `VaultError`.
    """
    return enrol_with(reviewer, passphrase, second, half)[0]


def enrol_with(reviewer: str, passphrase: str, second: SecondHalf | None = None, half: bytes = b"") -> tuple[SealedPrivateKey, PrivateKey]:
    """As `enrol`, with the private half for whoever signs with it at once."""
    private = PrivateKey.generate()
    return _sealed(reviewer, private, passphrase, second, half), private


def unlock(sealed: SealedPrivateKey, passphrase: str, half: bytes = b"") -> PrivateKey:
    """The private key. Raises `VaultError` where the passphrase or the second half is wrong (or the file was altered: it is the same to
    see), and where there is none of two halves.
    """
    _require_half(sealed.second, half)
    key = argon2id.kdf(SecretBox.KEY_SIZE, passphrase.encode(), sealed.salt, sealed.operations, sealed.memory)
    try:
        return PrivateKey(SecretBox(_joined(key, sealed.second, half)).decrypt(sealed.box))
    except CryptoError as error:
        raise VaultError(VaultProblem.WRONG_PASSPHRASE) from error


def signing_key(private: PrivateKey) -> SigningKey:
    """The key with which its owner vouches for others: derived, so that one passphrase guards both and older keys have one too."""
    return SigningKey(blake2b(_SIGNING, key=bytes(private), encoder=RawEncoder))


def with_signing(sealed: SealedPrivateKey, private: PrivateKey) -> SealedPrivateKey:
    """A key file from before people vouched for each other, with the public half that others verify by."""
    return msgspec.structs.replace(sealed, signing=bytes(signing_key(private).verify_key))


def change_passphrase(
    sealed: SealedPrivateKey, old: str, new: str, half: bytes = b"", *, second: SecondHalf | None = None, new_half: bytes = b""
) -> SealedPrivateKey:
    """The same key pair under another passphrase, with another second half or without one. Raises `VaultError`, `OperatorError`."""
    return _sealed(sealed.id, unlock(sealed, old, half), new, second, new_half)


def _require_half(second: SecondHalf | None, half: bytes) -> None:
    if second is not None and len(half) != HALF:
        raise VaultError(VaultProblem.SECOND_HALF_MISSING)


def _joined(key: bytes, second: SecondHalf | None, half: bytes) -> bytes:
    """Of two halves neither says anything of the whole: a keyed hash, whose key is what the security key answered."""
    return key if second is None else bytes(blake2b(_SECOND + key, key=half, encoder=RawEncoder))


def _sealed(reviewer: str, private: PrivateKey, passphrase: str, second: SecondHalf | None = None, half: bytes = b"") -> SealedPrivateKey:
    _require_half(second, half)
    if len(passphrase) < LEAST_PASSPHRASE:
        raise OperatorError(f"a passphrase has at least {LEAST_PASSPHRASE} characters")
    # Its lists of words take 13 MB, which whoever never judges a passphrase (an agent beside the cameras) would carry for years.
    from zxcvbn import zxcvbn

    if zxcvbn(passphrase[:_MOST_JUDGED], user_inputs=[reviewer, *_WORDS])["score"] < LEAST_SCORE:
        raise GuessableError("this passphrase is easy to guess; several words that have nothing to do with each other are good")
    salt = secrets.token_bytes(argon2id.SALTBYTES)
    operations = _operations(OPERATIONS, MEMORY)
    key = argon2id.kdf(SecretBox.KEY_SIZE, passphrase.encode(), salt, operations, MEMORY)
    box, signing = bytes(SecretBox(_joined(key, second, half)).encrypt(bytes(private))), bytes(signing_key(private).verify_key)
    return SealedPrivateKey(reviewer, bytes(private.public_key), salt, operations, MEMORY, box, signing, second)


@cache
def _operations(floor: int, memory: int) -> int:
    """How many passes this machine is asked for, measured once in seconds of its processor: what else it does makes none fewer."""
    began = time.thread_time()
    argon2id.kdf(SecretBox.KEY_SIZE, b"measured", bytes(argon2id.SALTBYTES), floor, memory)
    return rules.passes(floor, time.thread_time() - began)


def seal_key(key: bytes, clip: str, reviewers: Sequence[Reviewer]) -> Envelope:
    """Share `key` among `reviewers`, each share sealed to its person. Raises `TooFewReviewersError`."""
    if len({reviewer.id for reviewer in reviewers}) < rules.THRESHOLD or len({r.public for r in reviewers}) < len(reviewers):
        raise TooFewReviewersError(f"{len(reviewers)} reviewers are enrolled; a sealed clip needs at least two different people")
    values = rules.split(key, len(reviewers), secrets.randbelow)
    shares = []
    for x, (reviewer, value) in enumerate(zip(reviewers, values, strict=True), 1):
        data = msgspec.msgpack.encode(Share(clip, x, value))
        shares.append(SealedShare(reviewer.id, reviewer.public, bytes(SealedBox(PublicKey(reviewer.public)).encrypt(data))))
    return Envelope(clip, _confirmation(key, clip), tuple(shares))


def open_share(envelope: Envelope, reviewer: str, private: PrivateKey) -> Share:
    """One person's share. Raises `VaultError`."""
    public = bytes(private.public_key)
    sealed = next((share for share in envelope.shares if share.reviewer == reviewer and share.public == public), None)
    if sealed is None:
        raise VaultError(VaultProblem.NOT_FOR_THIS_PERSON, f"the clip was not sealed for {reviewer}")
    try:
        share = msgspec.msgpack.decode(SealedBox(private).decrypt(sealed.box), type=Share)
    except (CryptoError, *UNREADABLE) as error:
        raise VaultError(VaultProblem.ALTERED_SHARE) from error
    if share.clip != envelope.clip:
        raise VaultError(VaultProblem.FOREIGN_ENVELOPE, f"the share belongs to the clip {share.clip}")
    return share


def join_shares(envelope: Envelope, first: Share, second: Share) -> bytes:
    """The data key. Raises `VaultError` where both shares are one person's or do not belong together."""
    if first.x == second.x:
        raise VaultError(VaultProblem.SAME_PERSON)
    key = rules.join((first.x, first.y), (second.x, second.y))
    if key is None or not hmac.compare_digest(_confirmation(key, envelope.clip), envelope.confirm):
        raise VaultError(VaultProblem.KEY_DOES_NOT_FIT)
    return key


def _confirmation(key: bytes, clip: str) -> bytes:
    return bytes(blake2b(_CONFIRM + clip.encode(), key=key, encoder=RawEncoder))


class StreamSealer:
    """Seals one message after another (libsodium secretstream, XChaCha20-Poly1305); order and end are part of it."""

    def __init__(self, key: bytes) -> None:
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        self.header = bytes(sodium.crypto_secretstream_xchacha20poly1305_init_push(self._state, key))

    def seal(self, data: bytes, associated: bytes, *, last: bool = False) -> bytes:
        tag = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL if last else sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
        return bytes(sodium.crypto_secretstream_xchacha20poly1305_push(self._state, data, associated, tag))


class StreamOpener:
    """Opens what a `StreamSealer` sealed, message by message."""

    def __init__(self, key: bytes, header: bytes) -> None:
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        sodium.crypto_secretstream_xchacha20poly1305_init_pull(self._state, header, key)

    def open(self, data: bytes, associated: bytes) -> tuple[bytes, bool] | None:
        """The message and whether it is the last; None where it is not the next one as it was sealed."""
        try:
            message, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(self._state, data, associated)
        except (CryptoError, RuntimeError, ValueError):
            return None
        return bytes(message), tag == sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL


SEALED_OVERHEAD = sodium.crypto_secretstream_xchacha20poly1305_ABYTES
STREAM_HEADER = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES
