"""The model registry: an allow-list by hash of the detectors that may be loaded.

A folder with one ONNX file per model and `registry.json`. A file that is not listed is not loaded; a
file that differs from its listed hash is not loaded either, and the error says so.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from blickschutz.analysis.model import Head, ModelCard
from blickschutz.kernel.errors import ModelError
from blickschutz.storage.files import sha256_of

INDEX = "registry.json"
# What an installation has: the default detector, and the network for poses, without which two kinds are not available.
DEFAULT, POSES = NEEDED = ("centernet", "blazepose")


def default_folder() -> Path:
    """Where models lie: `$BLICKSCHUTZ_DATA/models`, or inside the Python environment."""
    base = os.environ.get("BLICKSCHUTZ_DATA") or str(Path(sys.prefix) / "share" / "blickschutz")
    return Path(base) / "models"


class ModelRegistry:
    """Reads and extends the registry in `folder`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def cards(self) -> Sequence[ModelCard]:
        """All registered models. An unreadable index is a `ModelError`; a missing one is an empty list."""
        index = self.folder / INDEX
        if not index.exists():
            return []
        try:
            return msgspec.json.decode(index.read_bytes(), type=list[ModelCard])
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise ModelError(f"{index} cannot be read ({error}); run `blickschutz models install` again") from error

    def card(self, name: str) -> ModelCard:
        """The card of model `name`. Raises `ModelError` if it is not registered."""
        card = next((card for card in self.cards() if card.name == name), None)
        if card is None:
            known = ", ".join(card.name for card in self.cards()) or "none"
            raise ModelError(f"the model {name!r} is not registered (registered: {known}); run `blickschutz models install`")
        return card

    def load(self, name: str) -> tuple[ModelCard, bytes]:
        """The card and the verified bytes of model `name`. Raises `ModelError` if missing or altered."""
        card = self.card(name)
        path = self.folder / card.file
        if not path.exists():
            raise ModelError(f"the file of model {name!r} is missing: {path}; run `blickschutz models install`")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != card.sha256:
            raise ModelError(f"the file of model {name!r} was altered: {path} does not have its registered hash; install it again")
        return card, data

    def verify(self, card: ModelCard) -> str:
        """ "ok", "missing" or "altered"."""
        path = self.folder / card.file
        if not path.exists():
            return "missing"
        return "ok" if sha256_of(path) == card.sha256 else "altered"

    def add(self, card: ModelCard, data: bytes) -> None:
        """Store a model under its name; a model of the same name is replaced."""
        if hashlib.sha256(data).hexdigest() != card.sha256:
            raise ModelError(f"the data of model {card.name!r} does not have the hash {card.sha256}")
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{card.file}.part"
        part.write_bytes(data)
        part.replace(self.folder / card.file)
        cards = [other for other in self.cards() if other.name != card.name] + [card]
        index = self.folder / f"{INDEX}.part"
        index.write_bytes(msgspec.json.format(msgspec.json.encode(sorted(cards, key=lambda c: c.name))))
        index.replace(self.folder / INDEX)

    def register(
        self, path: Path, expected: str, name: str, head: Head, input_width: int, licence: str, engine: str = "openvino"
    ) -> ModelCard:
        """Register an own file (ONNX, for the engine that comes with the software).

        `expected` is its SHA-256, which the operator states; it must match.
        """
        if not path.exists():
            raise ModelError(f"there is no file {path}")
        actual = sha256_of(path)
        if actual != expected.lower():
            raise ModelError(f"{path} has the SHA-256 {actual}, not the stated {expected}; nothing was registered")
        card = ModelCard(name, f"{name}.onnx", actual, head, input_width, licence, f"own file {path.name}", engine)
        self.add(card, path.read_bytes())
        return card
