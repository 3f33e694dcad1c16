"""Second copies that this host keeps of other hosts' clips: ordered by the installation, compared, ended by their own deadline, proven.

Nothing here opens a clip: there is no key. Everything waits for the disk, and belongs into a thread. docs/design/clips-on-hosts.md.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import structlog

from blickschutz.hosts.io.ends import ClipEnds, Own, Teller, alone
from blickschutz.hosts.io.pieces import piece_of
from blickschutz.hosts.io.records import ClipRecords
from blickschutz.hosts.io.stored import NamedStore, StoredCopies
from blickschutz.hosts.model import AskPiece, CopyOrder, DirectiveHeard, KeptCopy, KeptState, Piece, SignedDirective
from blickschutz.hosts.rules import copies as rules
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import UNREADABLE, DeviceError, ProtocolError
from blickschutz.retention.io.shelf import BESIDE, ClipShelf
from blickschutz.retention.service import RetentionTime
from blickschutz.storage.files import overwrite, read_regular, sync_folder, write_private
from blickschutz.vault.io.files import is_signed

_log = structlog.get_logger(__name__)
# Recording goes before copying: a copy is not begun that would leave less.
RESERVE_BYTES: Final = 512 * 1024 * 1024
FIRST_AGAIN_S, MOST_AGAIN_S = 2.0, 300.0
# So often a copy is compared with its hash, one in a look.
COMPARED_EVERY_S: Final = 12 * 3600.0
_STRAY_S: Final = 60.0
_PATIENCE_S: Final = 2.0
_MOST_BYTES: Final = 64 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_encode = msgspec.msgpack.Encoder().encode


def order_for_copy(signed: SignedDirective) -> CopyOrder:
    """What a signed text orders. Raises `ProtocolError`; whether it is signed is the caller's to ask."""
    try:
        order = msgspec.json.decode(signed.text, type=CopyOrder)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"an order for a copy cannot be read: {error}") from error
    if not _NAME.fullmatch(order.clip) or order.size <= 0:
        raise ProtocolError("an order for a copy names no clip")
    return order


class HostCopies:
    """Of one host, in a folder of their own, or in the store that the order names. `reserve` are bytes that stay free."""

    def __init__(
        self,
        own: Own,
        shelf: ClipShelf,
        records: ClipRecords[KeptCopy],
        time: RetentionTime,
        clock: Clock,
        teller: Teller,
        reserve: int = RESERVE_BYTES,
        store: NamedStore | None = None,
    ) -> None:
        self._own, self._shelf, self._records, self._time, self._clock = own, shelf, records, time, clock
        self._teller, self._reserve, self._lock = teller, reserve, threading.RLock()
        self._stored = StoredCopies(store, clock)
        self._ends = ClipEnds(own, shelf, records, time, teller, lambda record: record.line, self._stored.destroy)
        # The clip that is on its way into the store now: nothing ends it before that is over.
        self._busy = ""
        # By clip: how often it was tried, and when it is again; when it was compared last; since when a file is known that nobody ordered.
        self._put_off: dict[str, tuple[int, float]] = {}
        self._compared: dict[str, float] = {}
        self._strays: dict[str, float] = {}
        self._damaged: set[str] = set()

    # --- what the control room says ---

    def ordered(self, signed: SignedDirective) -> None:
        """Take in an order that the installation signed. Raises `ProtocolError`, `DeviceError`."""
        order = order_for_copy(signed)
        if (order.installation, order.host) != (self._own.installation, self._own.host):
            raise ProtocolError("an order for a copy is for another host")
        if not self._lock.acquire(timeout=_PATIENCE_S):
            # A store that does not answer holds up no order to this host's own cameras; this one is said again.
            _log.warning("order_for_copy_waits", clip=order.clip)
            return
        try:
            record = self._records.get(order.clip)
            if record is None:
                self._begin(order, signed)
            elif record.state is not KeptState.GONE:
                self._followed(record, order)
        finally:
            self._lock.release()

    def _begin(self, order: CopyOrder, signed: SignedDirective) -> None:
        if order.had:
            # All of it was here once, and it is not known any more: that proves nothing.
            self._tell(self._teller.line, DirectiveHeard(clip=order.clip, serial=order.serial, known=False))
            return
        try:
            self._records.put(self._accepted(order, signed))
        except DeviceError as error:
            # It is ordered again; on a full disk the orders to this host's own cameras must not wait for it.
            _log.error("copy_not_begun", clip=order.clip, problem=str(error))

    def _accepted(self, order: CopyOrder, signed: SignedDirective) -> KeptCopy:
        """Beside the clip first: whatever is lost, the deadline lies with the ciphertext."""
        try:
            write_private(self._beside(order.clip), _encode(signed))
        except OSError as error:
            raise DeviceError(f"an order for a copy cannot be kept: {error.strerror}") from error
        now, held_at = self._time.stamp(), self._held_at(order)
        ends = self._time.retention_of(order.ends) - self._time.now()
        return rules.accepted(order, signed, self._teller.line, now, ends, held_at, self._records.next_number())

    def _held_at(self, order: CopyOrder) -> float | None:
        return self._time.retention_of(order.held_until) if order.held_until is not None else None

    def _followed(self, record: KeptCopy, order: CopyOrder) -> None:
        after = rules.followed(record, order, self._held_at(order))
        if after is not None:
            record = self._records.put(after)
        if rules.is_brought_anew(record, order):
            # It is compared before anything is fetched: an order that is heard again costs no way.
            self._records.put(msgspec.structs.replace(record, state=KeptState.COMING))
            self._damaged.discard(record.clip)
            _log.warning("copy_is_brought_anew", clip=record.clip, origin=record.origin)
        elif record.state is KeptState.THERE:
            self._answer(record)

    def _answer(self, record: KeptCopy) -> None:
        self._tell(record.line, DirectiveHeard(clip=record.clip, serial=record.serial, known=True))
        self._records.put(msgspec.structs.replace(record, answered=record.serial))

    def _tell(self, line: str, heard: DirectiveHeard) -> None:
        if self._teller.tell(line, heard) is None:
            raise DeviceError(f"nothing can be told of the copy of {heard.clip}")

    def piece(self, asked: AskPiece) -> Piece:
        """Ciphertext of a whole copy, as it lies there."""
        record = self._records.get(asked.clip)
        if record is None or record.state is not KeptState.THERE or record.doom is not None:
            return Piece(0, 0, b"", "gone")
        return self._stored.piece(asked) if record.stored else piece_of(self._shelf, asked)

    # --- what is copied ---

    def next(self) -> KeptCopy | None:
        """The copy that is to be brought here now: of those that can be, the one that waits longest."""
        now = self._clock.monotonic()
        coming = [one for one in self._records.all() if one.state is KeptState.COMING and one.doom is None]
        ready = [one for one in coming if self._put_off.get(one.clip, (0, now))[1] <= now]
        return min(ready, key=lambda one: (self._put_off.get(one.clip, (0, 0.0)), one.number), default=None)

    def begin(self, record: KeptCopy) -> int | None:
        """From which byte on it is to be asked for; None where all of it is here. Raises `DeviceError` where there is no room for it, or
        its store is refused.
        """
        self._stored.require_fit(record)
        if record.stored and self._stored.is_right(record):
            # Whoever brought it there was interrupted before they said so.
            self._whole(record.clip)
            return None
        with self._lock:
            have = self._shelf.size(record.clip) or 0
            if have >= record.size:
                self._compared_here(record)
            elif self._shelf.free() - (record.size - have) < self._reserve:
                raise DeviceError("there is no room on the disk for the copy")
        if have < record.size:
            return have
        self._settled(record)
        return None

    def add(self, clip: str, start: int, data: bytes) -> bool:
        """Whether nothing more is wanted of it. Raises `DeviceError`: it is tried again."""
        with self._lock:
            record = self._records.get(clip)
            if record is None or record.state is not KeptState.COMING or record.doom is not None:
                return True
            if start + len(data) > record.size:
                raise DeviceError("it is longer than the order says")
            try:
                handle = os.open(self._shelf.path(clip), os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.seek(start)
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                sync_folder(self._shelf.folder)
            except OSError as error:
                raise DeviceError(f"the copy cannot be written: {error.strerror}") from error
            if start + len(data) < record.size:
                return False
            self._compared_here(record)
        self._settled(record)
        return True

    def _compared_here(self, record: KeptCopy) -> None:
        """All of it is here: it counts once it is what was ordered."""
        if not self._is_right(record):
            self._ruined(record.clip)
            raise DeviceError("what came is not the clip that was ordered: its hash is another one")

    def _settled(self, record: KeptCopy) -> None:
        """Where it is to lie in a store it goes there now: noted before, compared there, and only then not kept here any more."""
        if not record.store:
            self._whole(record.clip)
            return
        with self._lock:
            known = self._records.get(record.clip)
            if known is None or known.state is not KeptState.COMING or known.doom is not None:
                return
            record, self._busy = self._records.put(msgspec.structs.replace(known, stored=True)), record.clip
        try:
            self._stored.put(record, self._shelf.path(record.clip), _encode(record.order))
            self._ruined(record.clip)
        finally:
            self._busy = ""
        self._whole(record.clip)

    def _whole(self, clip: str) -> None:
        with self._lock:
            record = self._records.get(clip)
            if record is None or record.state is not KeptState.COMING or record.doom is not None:
                return
            self._put_off.pop(clip, None)
            self._compared[clip] = self._clock.monotonic()
            _log.info("copy_is_there", clip=clip, origin=record.origin, store=record.store)
            self._answer(self._records.put(msgspec.structs.replace(record, state=KeptState.THERE)))

    def _is_right(self, record: KeptCopy) -> bool:
        if record.stored and record.state is KeptState.THERE:
            return self._stored.is_right(record)
        try:
            with self._shelf.path(record.clip).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                return (digest, os.fstat(file.fileno()).st_size) == (record.sha256, record.size)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise DeviceError(f"the copy of {record.clip} cannot be read: {error.strerror}") from error

    def _ruined(self, clip: str) -> None:
        try:
            overwrite(self._shelf.path(clip))
            self._shelf.path(clip).unlink()
        except OSError as error:
            raise DeviceError(f"what came of {clip} cannot be removed: {error.strerror}") from error

    def put_off(self, clip: str, problem: str) -> None:
        """It did not come now; ever more rarely it is tried again."""
        tries = self._put_off.get(clip, (0, 0.0))[0] + 1
        wait = min(MOST_AGAIN_S, FIRST_AGAIN_S * 2.0 ** min(tries - 1, 20))
        self._put_off[clip] = tries, self._clock.monotonic() + wait
        _log.warning("copy_not_made", clip=clip, tries=tries, problem=problem)

    # --- by itself ---

    def look(self) -> None:
        """Called every few seconds: what is due is destroyed, what was not told is told, what lies here is measured and compared."""
        reading = self._time.check()
        for record in self._records.all():
            self._each(record.clip, partial(self._look_at, record.clip, None if reading.suspended else reading.now))
        self._compare()
        self._find_strays(self._stored.clips())

    def _each(self, clip: str, step: Callable[[], None]) -> None:
        alone(self._lock, clip, "copy_not_kept_in_order", step)

    def _look_at(self, clip: str, now: float | None) -> None:
        record = self._records.get(clip)
        if record is None or clip == self._busy or (record.stored and not self._stored.may_try(clip)):
            return
        if self._ends.look_at(record, now):
            self._put_off.pop(clip, None)
        elif record.state is KeptState.THERE and record.answered < record.serial:
            self._answer(record)
        elif record.state is KeptState.THERE and not record.stored and not self._has_its_length(record):
            self._is_altered(record)

    def _compare(self) -> None:
        """One copy that was not compared for long. One that is altered or gone is told of, once; its end is as of any other."""
        now = self._clock.monotonic()
        there = [one for one in self._records.all() if one.state is KeptState.THERE and one.doom is None]
        late = [one for one in there if now - self._compared.setdefault(one.clip, now) >= COMPARED_EVERY_S]
        for record in late[:1]:
            self._compared[record.clip] = now
            self._each(record.clip, partial(self._compared_again, record))

    def _compared_again(self, record: KeptCopy) -> None:
        if record.clip not in self._damaged and not self._is_right(record):
            self._is_altered(record)

    def _has_its_length(self, record: KeptCopy) -> bool:
        try:
            return self._shelf.size(record.clip) == record.size
        except DeviceError:
            return False  # what bears its name is no file

    def _is_altered(self, record: KeptCopy) -> None:
        """Told once, and again after a start of this host."""
        if record.clip not in self._damaged:
            _log.error("copy_is_altered", clip=record.clip)
            self._tell(record.line, DirectiveHeard(clip=record.clip, serial=record.serial, known=False))
            self._damaged.add(record.clip)

    # --- what nobody knows ---

    def _beside(self, clip: str) -> Path:
        return self._shelf.path(clip).with_suffix(BESIDE)

    def _find_strays(self, stored: set[str]) -> None:
        """Files of which no record is left: the order beside one says until when it is kept. Without one it goes."""
        known, now = {record.clip for record in self._records.all()}, self._clock.monotonic()
        beside = {path.stem for path in self._shelf.folder.glob(f"*{BESIDE}") if not path.name.startswith(".")}
        self._strays = {clip: self._strays.get(clip, now) for clip in (self._shelf.clips() | beside | stored) - known}
        for clip, since in self._strays.items():
            if now - since >= _STRAY_S:
                self._each(clip, partial(self._stray, clip, clip in stored))

    def _stray(self, clip: str, stored: bool) -> None:
        signed = self._signed_beside(clip, stored)
        order = order_for_copy(signed) if signed is not None else None
        if signed is None or order is None:
            size = self._shelf.size(clip) or 0
            order = CopyOrder(
                installation="", host="", origin="", clip=clip, serial=0, opened=0.0, size=size, sha256="", ends=0.0, left_s=0.0,
                doom=rules.doom_without_order(),
            )  # fmt: skip
            signed = SignedDirective(b"", b"")
            _log.error("copy_without_order", clip=clip)
        # What was counted since the order was signed is lost with the record: its date says when it ends.
        ends = self._time.retention_of(order.ends) - self._time.now()
        record = rules.accepted(
            msgspec.structs.replace(order, left_s=rules.LONGEST_S),
            signed,
            self._teller.line,
            self._time.stamp(),
            ends,
            self._held_at(order),
            self._records.next_number(),
        )
        self._records.put(msgspec.structs.replace(record, stored=stored, store=self._stored.name if stored else record.store))

    def _signed_beside(self, clip: str, stored: bool) -> SignedDirective | None:
        """The order beside a clip; None where there is none of this installation for this host and this clip."""
        try:
            text = self._stored.order(clip) if stored else read_regular(self._beside(clip), _MOST_BYTES)
            signed = msgspec.msgpack.decode(text, type=SignedDirective)
            if not is_signed(rules.COPY + signed.text, signed.signature, self._own.public):
                return None
            order = order_for_copy(signed)
        except (OSError, ProtocolError, *UNREADABLE):
            return None
        mine = (order.installation, order.host, order.clip) == (self._own.installation, self._own.host, clip)
        return signed if mine else None
