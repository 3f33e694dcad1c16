"""The end of what a host keeps: by its deadline or by order, in two phases, proven with the host's own signature, told until it is heard.

For clips that were made here and for copies of others. Everything waits for the disk. docs/design/clips-on-hosts.md.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeAlias, TypeVar

import msgspec
import structlog

from blickschutz.hosts.io.records import ClipRecords
from blickschutz.hosts.io.witness import HostWitness
from blickschutz.hosts.model import ClipGone, Doom, HostNews, KeptClip, KeptState
from blickschutz.hosts.rules import clips as rules
from blickschutz.kernel.errors import BlickschutzError, DeviceError
from blickschutz.pipeline.messages import ClipTold
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.rules import deadline
from blickschutz.retention.service import RetentionTime
from blickschutz.review.model import Erasing

_log = structlog.get_logger(__name__)
Told: TypeAlias = ClipTold | HostNews
K = TypeVar("K", bound=KeptClip)


class Teller(Protocol):
    """What must arrive, from the host itself."""

    @property
    def line(self) -> str:
        """A camera under which something can be told that is of none of this host's; empty where there is none."""
        ...

    def tell(self, camera: str, news: Told) -> tuple[str, int] | None:
        """On disk when this returns: its run and number; None where nothing of that camera can be told."""
        ...

    def waits(self, camera: str, run: str, number: int) -> bool:
        """Whether it is not confirmed yet."""
        ...


class Own:
    """Whose clips these are: installation and host, the installation's public key (empty: it is not known), the host's own proof."""

    def __init__(self, installation: str, host: str, public: bytes, witness: HostWitness) -> None:
        self.installation, self.host, self.public, self.witness = installation, host, public, witness


def alone(lock: AbstractContextManager[object], clip: str, failed: str, step: Callable[[], None]) -> None:
    """A step for one clip, under the lock. One that fails is logged as `failed` and holds up no other; the next look tries it again."""
    try:
        with lock:
            step()
    except BlickschutzError as error:
        _log.error(failed, clip=clip, problem=str(error))


class ClipEnds(Generic[K]):
    """Of one folder. `line` says under which camera the end of a record is told; `elsewhere` destroys what lies in a store of a record, and
    says whether there was anything.
    """

    def __init__(
        self,
        own: Own,
        shelf: ClipShelf,
        records: ClipRecords[K],
        time: RetentionTime,
        teller: Teller,
        line: Callable[[K], str],
        elsewhere: Callable[[K], bool] = lambda record: False,
    ) -> None:
        self._own, self._shelf, self._records, self._time, self._teller, self._line = own, shelf, records, time, teller, line
        self._elsewhere = elsewhere

    def look_at(self, record: K, now: float | None) -> bool:
        """Whether its end was begun, is over or is being told; `now` in retention time, None while nothing may be judged."""
        if record.state is KeptState.GONE:
            self._tell_gone(record)
            return True
        if now is not None and (why := rules.doomed(record, self._time.kept(rules.stamped(record)), now)):
            record = self._doomed(record, why)
        if record.doom is not None:
            self._destroy(record)
            return True
        return False

    def _doomed(self, record: K, why: str) -> K:
        known = self._time.kept(rules.stamped(record))
        assert known is not None  # it was judged
        due = self._time.wall_of(deadline(known, rules.limits_of(record.keep)).at)
        _log.info("clip_is_due", clip=record.clip, reason=why)
        return self._records.put(msgspec.structs.replace(record, doom=Doom(reason=why, due=due)))

    def _destroy(self, record: K) -> None:
        """Two phases, as the control room does it: what was begun is on disk before the file is touched, and before it is removed."""
        size = self._shelf.size(record.clip)
        if size:
            before = record.erasing
            record = self._erasing(record, Erasing(size, self._time.dated()))
            written = self._shelf.overwrite(record.clip)
            record = self._erasing(record, Erasing(written, self._time.dated(), done=True) if written is not None else before)
        # What is far away goes first: the order beside the clip is here as long as anything is there.
        deleted = self._elsewhere(record)
        removed = self._shelf.remove(record.clip)
        if not removed.absent:
            raise DeviceError(f"something of the clip {record.clip} is still there")
        made = rules.receipt(record, self._own.installation, self._own.host, self._time.dated(), removed.derived, deleted=deleted)
        text = rules.text_of(made)
        gone = ClipGone(receipt=text, signature=self._own.witness.sign(rules.RECEIPT + text), certificate=self._own.witness.certificate)
        _log.info("clip_destroyed", clip=record.clip, reason=made.reason, ending=made.ending)
        self._tell_gone(self._records.put(msgspec.structs.replace(record, state=KeptState.GONE, gone=gone)))

    def _erasing(self, record: K, erasing: Erasing | None) -> K:
        return self._records.put(msgspec.structs.replace(record, erasing=erasing))

    def _tell_gone(self, record: K) -> None:
        """Until it is confirmed; told twice after a crash in between, which the control room knows."""
        assert record.gone is not None  # it is gone
        if record.told is None:
            told = self._teller.tell(self._line(record), record.gone)
            if told is not None:
                self._records.put(msgspec.structs.replace(record, told=told))
        elif not self._teller.waits(self._line(record), *record.told):
            self._records.drop(record.clip)
