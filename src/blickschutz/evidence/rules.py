"""Whether a release may be asked for, and what a signature of a package is over."""

from __future__ import annotations

from collections.abc import Mapping

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


def opener(facts: Mapping[str, object]) -> tuple[str, str]:
    """Who of the two may hold what opens a package, by the log's facts of its release, and what that is: `words` or `key`.

    Whoever asked gave the key; a log from before it named keys says so, too.
    """
    if words := facts.get("words"):
        return str(words), "words"
    people = facts.get("people")
    return (str(people[0]) if isinstance(people, list | tuple) and people else ""), "key"


def signed_text(digests: dict[str, str]) -> bytes:
    """What a package's signature is over: the hashes of its manifest and tag files, in order of their names."""
    return FORMAT.encode() + b":" + msgspec.json.encode(digests, order="deterministic")
