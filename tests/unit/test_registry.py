"""The list of detectors: what does not have its registered hash is not loaded, wherever it came from."""

from __future__ import annotations

import hashlib

import pytest

from blickschutz.analysis.io.registry import INDEX, ModelRegistry
from blickschutz.analysis.model import Head
from blickschutz.kernel.errors import ModelError

DATA = b"as much of a network as this test needs"
HASH = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def registry(tmp_path):
    own = tmp_path / "own.onnx"
    own.write_bytes(DATA)
    registry = ModelRegistry(tmp_path / "models")
    registry.register(own, HASH.upper(), "own", Head.YOLOX, 416, "Apache-2.0")
    return registry


def file_of(registry):
    return registry.folder / registry.card("own").file


def test_what_was_registered_is_loaded(registry):
    card, data = registry.load("own")
    assert (data, card.sha256, registry.verify(card)) == (DATA, HASH, "ok")


@pytest.mark.parametrize("place", range(len(DATA)))
def test_one_other_bit_and_it_is_not_loaded(registry, place):
    altered = bytearray(DATA)
    altered[place] ^= 1
    file_of(registry).write_bytes(altered)
    with pytest.raises(ModelError, match="altered"):
        registry.load("own")
    assert registry.verify(registry.card("own")) == "altered"


def test_what_is_missing_or_not_registered_is_named(registry):
    file_of(registry).unlink()
    with pytest.raises(ModelError, match="missing"):
        registry.load("own")
    with pytest.raises(ModelError, match=r"not registered.*own"):
        registry.load("another")
    (registry.folder / INDEX).write_bytes(b"[{]")
    with pytest.raises(ModelError, match="cannot be read"):
        registry.load("own")


def test_a_file_that_has_another_hash_than_was_stated_is_not_registered(registry, tmp_path):
    other = tmp_path / "other.onnx"
    other.write_bytes(DATA + b"!")
    with pytest.raises(ModelError, match="nothing was registered"):
        registry.register(other, HASH, "other", Head.YOLOX, 416, "Apache-2.0")
    with pytest.raises(ModelError):
        registry.add(registry.card("own"), b"something else")
    assert [card.name for card in registry.cards()] == ["own"]
