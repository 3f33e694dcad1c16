"""The small files of a leader's folder, for a control room that takes over: kept beside the rows, sealed under the installation's key.

A server that keeps them can read none, alter none, and give none under another name; nor an older one to somebody who had a newer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import structlog
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from blickschutz.backup.rules import DATABASES, is_kept
from blickschutz.kernel.errors import UNREADABLE, DeviceError, FaultError
from blickschutz.storage.files import erase, write_private
from blickschutz.storage.lead import Lead
from blickschutz.vault.io.files import InstallationKey

_log = structlog.get_logger(__name__)
_CONTEXT: Final = b"blickschutz-papers-1"
# The identity itself never leaves a machine in this way: who has it not is no standby.
_OWN: Final = frozenset({*DATABASES, "installation.json", "keys/installation.key"})
# Of what no backup holds: sealed under passphrases, or of use to the installation alone.
_MORE: Final = re.compile(r"keys/reviewers/[\w.-]+\.json|keys/backup\.key|witness\.json|hosts/room\.(key|crt)")
_FOLDERS: Final = ("", "keys", "keys/recovery", "keys/reviewers", "tls", "hosts", "facts", "plan", "versions")
_MOST_BYTES: Final = 8 * 1024 * 1024
_PLACE: Final = "leading.json"
_LAST: Final = (1 << 62) - 1
_Mark = tuple[int, int, int]


class _Place(msgspec.Struct, frozen=True):
    """`leading.json`: the newest paper that this folder has; those of a term that it led itself are its own."""

    term: int = 0
    number: int = 0


class _Content(msgspec.Struct, frozen=True):
    """What is sealed. `gone`: the file is not there any more."""

    name: str
    term: int
    number: int
    gone: bool
    data: bytes


def is_paper(name: str) -> bool:
    """Whether a file of the data folder goes to whoever waits."""
    return name not in _OWN and (is_kept(name) or _MORE.fullmatch(name) is not None)


class Papers:
    """Of the installation in `folder`. `send` is the leader's, `receive` is for who waits, or takes over."""

    def __init__(self, folder: Path, lead: Lead, key: InstallationKey) -> None:
        secret = key.try_sign(_CONTEXT)
        if secret is None:
            raise FaultError("the installation's key is missing or damaged: nothing can be handed to a control room that waits")
        self._folder, self._lead = folder, lead
        self._box = SecretBox(hashlib.blake2b(secret, digest_size=SecretBox.KEY_SIZE, person=_CONTEXT[:16]).digest())
        self._sent: dict[str, _Mark | None] = {}
        self._number = 0
        self._begun = False

    def begin(self, term: int) -> None:
        """From now on this folder's files are the newest ones."""
        write_private(self._folder / _PLACE, msgspec.json.encode(_Place(term, _LAST)))

    def send(self, term: int) -> int:
        """Put what is another one since the last time; how many. Raises `StoreError`, `StoreFencedError` where another one leads."""
        if not self._begun:
            self._sent = {paper.name: (0, 0, 0) for paper in self._lead.papers(0, 0)}
            self._begun = True
        there = dict(self._there())
        sent, large = 0, []
        for name in sorted(there.keys() | self._sent.keys()):
            mark = there.get(name)
            if mark == self._sent.get(name):
                continue
            data = self._read(name) if mark is not None else None
            if data is not None and len(data) > _MOST_BYTES:
                large.append(name)
                continue
            self._number += 1
            content = _Content(name, term, self._number, data is None, data or b"")
            self._lead.put(term, self._number, name, bytes(self._box.encrypt(msgspec.msgpack.encode(content))))
            self._sent[name] = mark
            sent += 1
        if large:
            raise FaultError(f"too large for a control room that waits: {', '.join(large)}")
        return sent

    def receive(self) -> int:
        """Write what is newer than what was received before; how many. Raises `FaultError` for what this installation did not seal."""
        place = self._place()
        papers = self._lead.papers(place.term, place.number)
        for paper in papers:
            content = self._opened(paper.sealed)
            if (content.name, content.term, content.number) != (paper.name, paper.term, paper.number) or not is_paper(content.name):
                raise FaultError(f"the database holds a paper under another name or number: {paper.name}")
            path = self._folder / content.name
            try:
                if content.gone:
                    erase(path)
                else:
                    write_private(path, content.data)
            except OSError as error:
                raise DeviceError(f"{path} cannot be written: {error.strerror}") from error
            place = _Place(paper.term, paper.number)
        if papers:
            write_private(self._folder / _PLACE, msgspec.json.encode(place))
        return len(papers)

    def _place(self) -> _Place:
        path = self._folder / _PLACE
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Place)
        except FileNotFoundError:
            return _Place()
        except (OSError, *UNREADABLE) as error:
            # Everything is received anew; what lies in the database is at least as new as what a damaged file stood for.
            _log.error("leading_unreadable", problem=type(error).__name__)
            return _Place()

    def _opened(self, sealed: bytes) -> _Content:
        try:
            return msgspec.msgpack.decode(self._box.decrypt(sealed), type=_Content)
        except (CryptoError, *UNREADABLE) as error:
            raise FaultError("the database holds a paper that this installation did not seal, or its key is another one") from error

    def _there(self) -> Iterator[tuple[str, _Mark]]:
        for folder in _FOLDERS:
            try:
                found = sorted((self._folder / folder).iterdir())
            except FileNotFoundError:
                continue
            for path in found:
                name = path.relative_to(self._folder).as_posix()
                if is_paper(name) and path.is_file() and not path.is_symlink():
                    stat = path.stat()
                    yield name, (stat.st_ino, stat.st_mtime_ns, stat.st_size)

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
