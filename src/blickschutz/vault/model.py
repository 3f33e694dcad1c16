"""What the vault hands out and takes back. Bytes are raw here; files hold them in base64 (msgspec's JSON form)."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Reviewer(msgspec.Struct, frozen=True):
    """The public side of a person who can open clips together with another: X25519 public key, 32 bytes."""

    id: str
    public: bytes


class SecondHalf(msgspec.Struct, frozen=True):
    """A security key that holds the second half of a person's secret (CTAP2 hmac-secret; WebAuthn 3, 10.1.4: prf).

    Its `credential`, made for the host name `host`, answers `salt` (32 bytes) with the half (32 bytes), which is kept nowhere.
    """

    host: str
    credential: bytes
    salt: bytes


class SealedPrivateKey(msgspec.Struct, frozen=True):
    """A reviewer's private key under their passphrase: argon2id (RFC 9106) and XSalsa20-Poly1305.

    `operations` and `memory` (bytes) are argon2id's costs, `salt` has 16 bytes, `box` holds nonce, key and tag. `signing` is the
    public half (Ed25519) of the key with which the person vouches for others; empty in files from before there was one. With `second`
    the passphrase alone opens nothing.
    """

    id: str
    public: bytes
    salt: bytes
    operations: int
    memory: int
    box: bytes
    signing: bytes = b""
    second: SecondHalf | None = None


class Vouched(msgspec.Struct, frozen=True, order=True):
    """A person's public halves as others vouch for them, in hex: X25519 to seal for, Ed25519 to verify by."""

    id: str
    public: str
    signing: str


class EntryKind(StrEnum):
    """What an entry of the register does."""

    ROOT = "root"
    CONFIRMED = "confirmed"
    REVOKED = "revoked"


class RegisterEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One entry of the register of reviewers; `before` is the SHA-256 of the one before it, all keys and signatures are in hex.

    `ROOT`: `founders` and the signature of each. `CONFIRMED`: `by` vouches for `key`, who had seen the register up to the entry
    with the hash `seen`. `REVOKED`: the key of `person` counts no longer, because of `why`.
    """

    number: int
    before: str
    kind: EntryKind
    founders: tuple[Vouched, ...] = ()
    signatures: dict[str, str] = {}
    key: Vouched | None = None
    by: str = ""
    seen: str = ""
    signature: str = ""
    person: str = ""
    why: str = ""


class SealedShare(msgspec.Struct, frozen=True):
    """One person's share of a data key, sealed to their public key (libsodium sealed box)."""

    reviewer: str
    public: bytes
    box: bytes


class Envelope(msgspec.Struct, frozen=True):
    """The shares of one clip's data key; two open it. `confirm` says whether a joined key is the right one."""

    clip: str
    confirm: bytes
    shares: tuple[SealedShare, ...]


class Share(msgspec.Struct, frozen=True):
    """A share in the open: a point on a line over the integers modulo `rules.PRIME`; lives in a review room only."""

    clip: str
    x: int
    y: bytes


class VaultProblem(StrEnum):
    """Why something did not open."""

    WRONG_PASSPHRASE = "wrong-passphrase"
    SECOND_HALF_MISSING = "second-half-missing"
    NOT_FOR_THIS_PERSON = "not-for-this-person"
    ALTERED_SHARE = "altered-share"
    FOREIGN_ENVELOPE = "foreign-envelope"
    SAME_PERSON = "same-person"
    KEY_DOES_NOT_FIT = "key-does-not-fit"
