"""What holders keep, and what a field knows of the evaluation's key. All bytes are in hex or base64 (msgspec's JSON form) in files."""

from __future__ import annotations

import msgspec


class HolderKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A holder's X25519 key; the private half lies under their passphrase (argon2id, RFC 9106; XSalsa20-Poly1305 in `box`).

    `operations` and `memory` (bytes) are argon2id's costs, `salt` has 16 bytes.
    """

    holder: str
    public: bytes
    salt: bytes
    operations: int
    memory: int
    box: bytes


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The evaluation's secret for two holders: sealed to `second`, and that sealed to `first`."""

    first: str
    second: str
    box: bytes


class EvaluationKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public halves of the evaluation's key, and its secret for each pair of holders.

    `public` (X25519, 32 bytes) seals answers, `verify` (Ed25519, 32 bytes) verifies what the evaluation signed.
    """

    public: bytes
    verify: bytes
    pairs: tuple[Pair, ...]


class OpenKey(msgspec.Struct, frozen=True):
    """The evaluation's secret in the open; lives in the evaluation room's memory only."""

    private: bytes
    signing: bytes
