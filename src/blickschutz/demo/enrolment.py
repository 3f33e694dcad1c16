"""A register of reviewers for a site that makes its people itself: everybody founds it at once, and its root holds while it runs."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.audit.model import Event
from blickschutz.bootstrap.records import Records
from blickschutz.vault.model import SealedPrivateKey
from blickschutz.vault.register import LEAST_FOUNDERS, founding_text, sign, vouched
from blickschutz.vault.service import enrol_with, signing_key


def found_with(records: Records, passphrases: Mapping[str, str]) -> list[SealedPrivateKey]:
    """Keys for people under these passphrases; those who may review found the register, where they are two."""
    enrolment, made = records.archive.enrolment, []
    keys = {person: enrol_with(person, passphrase) for person, passphrase in passphrases.items()}
    for sealed, _ in keys.values():
        enrolment.take_key(sealed, Event.REVIEWER_ENROLLED)
        made.append(sealed)
    founders = tuple(sorted(vouched(sealed) for person, (sealed, _) in keys.items() if enrolment.is_fit(person)))
    if len(founders) >= LEAST_FOUNDERS:
        for one in founders:
            text = founding_text(records.archive.key.installation, founders)
            enrolment.sign_founding(one.id, founders, sign(text, signing_key(keys[one.id][1])))
        enrolment.pin = enrolment.known_root()
    return made
