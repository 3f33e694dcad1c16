"""The folder of documents that people hand in: each under its SHA-256, as it came, given out again byte for byte."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from blickschutz.compliance.io.documents import paper_of
from blickschutz.compliance.io.incoming import Incoming, refused
from blickschutz.compliance.model import Paper
from blickschutz.kernel.errors import StoreFullError

FOLDER = "facts"
MOST_TOGETHER, MOST_DOCUMENTS = 1024**3, 2000
"""Bytes of all documents together, and how many: they never take the place that recordings need, and fit into a backup."""
_DRAFT = ".incoming-"


class Cabinet:
    """The documents of a site. Only one is handed in at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self) -> Incoming:
        """Take a document. What an interrupted one left is removed. Raises `DeviceError`."""
        try:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            for left in self._folder.glob(f"{_DRAFT}*"):
                left.unlink()
            sizes = [path.stat().st_size for path in self._folder.iterdir()]
            if sum(sizes) > MOST_TOGETHER or len(sizes) >= MOST_DOCUMENTS:
                raise StoreFullError(f"{self._folder} is full: {len(sizes)} documents, {sum(sizes)} bytes")
            return Incoming(self._folder / f"{_DRAFT}{secrets.token_hex(8)}")
        except OSError as error:
            raise refused(self._folder, error) from error

    def keep(self, incoming: Incoming) -> None:
        """Put it into the folder; what is there already is the same."""
        try:
            incoming.keep(self._folder / incoming.sha256)
        except OSError as error:
            raise refused(self._folder, error) from error

    def add(self, data: bytes) -> str:
        """Put a document into the folder that was made here; its hash. Raises `DeviceError`."""
        incoming = self.begin()
        try:
            incoming.write(data)
            self.keep(incoming)
        finally:
            incoming.close()
        return incoming.sha256

    def look(self, incoming: Incoming, *, is_photograph: bool = False) -> Paper:
        """What it is that came; a photograph of a sign is searched for its picture code."""
        return paper_of(incoming.path.read_bytes(), is_photograph=is_photograph)

    def drop(self, sha256: str) -> None:
        """Take a document out again for which no entry could be written."""
        (self._folder / sha256).unlink(missing_ok=True)

    def read(self, sha256: str) -> bytes | None:
        """A document as it was handed in; None where it is missing or is another one now."""
        try:
            data = (self._folder / sha256).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refused(self._folder, error) from error
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def paper(self, sha256: str, *, is_photograph: bool = False) -> Paper | None:
        """What a document is; None where it is missing or is another one now."""
        data = self.read(sha256)
        return paper_of(data, is_photograph=is_photograph) if data is not None else None
