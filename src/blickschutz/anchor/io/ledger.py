"""A witness's folder: its key, and `anchors.jsonl`, to which lines are added and nothing else."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
import structlog

from blickschutz.anchor.model import AskHead, Hand, HeadTold, Problem, Record, Refused, Seen, Taken
from blickschutz.anchor.rules import parsed_anchor, read_records, refusal, signed_head, signed_record
from blickschutz.audit.model import GENESIS
from blickschutz.audit.rules import digest
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import OperatorError
from blickschutz.vault.io.files import InstallationKey, is_signed

_log = structlog.get_logger(__name__)
RECORDS, KEY = "anchors.jsonl", "witness.key"


class Ledger:
    """Takes anchors that go on from those before, countersigns them, and refuses all others. One process at a time holds the folder.

    `keys` are further public keys (hex) of the installation: people say so where its key was replaced.
    """

    def __init__(self, folder: Path, clock: Clock, keys: Iterable[str] = ()) -> None:
        """Raises `OperatorError` where the folder cannot be used, or what lies in it is not whole."""
        self._path, self._clock, self._keys = folder / RECORDS, clock, frozenset(keys)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OperatorError(f"{folder} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._key = InstallationKey(folder / KEY)
            self._previous, self.seen = self._read()
        except BlockingIOError as error:
            self.close()
            raise OperatorError(f"another witness has the folder {folder}") from error
        except OSError as error:
            self.close()
            raise OperatorError(f"{folder} cannot be used: {error.strerror}") from error
        except OperatorError:
            self.close()
            raise

    def _read(self) -> tuple[str, Seen]:
        """Hash of the newest line, and how far the witness saw. Raises `OperatorError` where the lines are not whole."""
        lines = self._whole_lines()
        anchors, faults = read_records(lines, is_signed, self.public if lines else "")
        if faults:
            raise OperatorError(f"{self._path}: {faults[0].text}")
        if not anchors:
            return GENESIS, Seen()
        return digest(lines[-1]), Seen(anchors[-1].number, anchors[-1].hashes[-1], anchors[-1].public_key)

    @property
    def public(self) -> str:
        """The witness's public key, in hex."""
        return self._key.public.hex()

    def answer(self, asked: AskHead | Hand) -> HeadTold | Taken | Refused:
        """What the witness says. It writes before it signs, and signs nothing that was not written."""
        if isinstance(asked, AskHead):
            seen = self.seen
            signature = self._key.sign(signed_head(asked, seen)).hex()
            return HeadTold(number=seen.number, hash=seen.hash, public_key=seen.public_key, witness=self.public, signature=signature)
        return self._take(asked)

    def _take(self, asked: Hand) -> Taken | Refused:
        anchor = parsed_anchor(asked.anchor, asked.signature, is_signed)
        problem = refusal(anchor, self.seen, self._keys) if anchor is not None else Problem.MALFORMED
        if problem is not None or anchor is None:
            _log.error("anchor_refused", problem=problem, number=self.seen.number)
            return self._refused(problem or Problem.MALFORMED)
        received = self._clock.now()
        said = signed_record(asked.anchor, asked.signature, self._previous, received)
        record = Record(
            anchor=msgspec.Raw(asked.anchor),
            signature=asked.signature,
            previous=self._previous,
            received=received,
            witness=self.public,
            countersignature=self._key.sign(said).hex(),
        )
        line = msgspec.json.encode(record)
        if not self._added(line):
            return self._refused(Problem.FULL)
        self._previous, self.seen = digest(line), Seen(anchor.number, anchor.hashes[-1], anchor.public_key)
        return Taken(record=line)

    def _refused(self, problem: Problem) -> Refused:
        return Refused(problem=problem, number=self.seen.number, hash=self.seen.hash)

    def _added(self, line: bytes) -> bool:
        """Add a line and sync it; where the disk does not take it wholly, nothing of it stays."""
        before = os.fstat(self._file).st_size
        data = line + b"\n"
        try:
            done = 0
            while done < len(data):
                done += os.write(self._file, data[done:])
            os.fsync(self._file)
        except OSError as error:
            _log.error("anchor_not_written", problem=error.strerror)
            os.ftruncate(self._file, before)
            return False
        return True

    def _whole_lines(self) -> list[bytes]:
        """All lines. What a crash left half written at the end was never countersigned to anybody, and goes."""
        data = self._path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) != len(data):
            os.ftruncate(self._file, len(whole))
        return whole.removesuffix(b"\n").split(b"\n") if whole else []

    def close(self) -> None:
        os.close(self._file)


def read_folder(folder: Path) -> list[bytes]:
    """The lines in a witness's folder, for whoever verifies. Raises `OperatorError`."""
    try:
        data = (folder / RECORDS).read_bytes()
    except OSError as error:
        raise OperatorError(f"{folder / RECORDS} cannot be read: {error.strerror}") from error
    return data.removesuffix(b"\n").split(b"\n") if data else []
