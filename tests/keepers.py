"""A host that keeps second copies, and the installation that orders them: who signs what in the tests of copies."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blickschutz.hosts.io.witness import HostWitness
from blickschutz.hosts.model import SignedDirective
from blickschutz.hosts.rules.clips import text_of
from blickschutz.hosts.rules.copies import COPY
from blickschutz.hosts.rules.subjects import user
from tests.peers.authority import ThrowAway

KEEPER, SITE = "south", "town-hall"


class Signer:
    """The installation: its key, and orders by it."""

    def __init__(self):
        self._key = Ed25519PrivateKey.generate()
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, order, context=COPY):
        text = text_of(order)
        return SignedDirective(text, self._key.sign(context + text))


@pytest.fixture(scope="module")
def signer():
    return Signer()


@pytest.fixture(scope="module")
def witness(tmp_path_factory):
    """What the keeper proves itself with; of a throw-away authority."""
    return HostWitness(*ThrowAway(tmp_path_factory.mktemp("authority")).server("host", user(SITE, KEEPER, "e1")))
