"""Whether a release may be asked for, and what a signature of a package is over."""

from __future__ import annotations

import msgspec

from blickschutz.evidence.model import ADMINISTRATIVE_OFFENCE, FORMAT, Basis


def refusal(basis: str, recipient: str, reference: str) -> str:
    """Why a release is not taken: a key of the pages' texts; empty where it is."""
    if basis == ADMINISTRATIVE_OFFENCE:
        return "administrative-offence"
    if basis not in set(Basis):
        return "no-basis"
    if not recipient.strip():
        return "no-recipient"
    return "" if reference.strip() else "no-reference"


def signed_text(digests: dict[str, str]) -> bytes:
    """What a package's signature is over: the hashes of its manifest and tag files, in order of their names."""
    return FORMAT.encode() + b":" + msgspec.json.encode(digests, order="deterministic")
