"""Clips that lie with a host: it knows each, keeps its deadline, does what the control room says of it, and proves how it ended.

Nothing here opens a clip: there is no key. Everything waits for the disk, and belongs into a thread. docs/design/clips-on-hosts.md.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
import structlog

from blickschutz.hosts.io.copies import HostCopies, order_for_copy
from blickschutz.hosts.io.ends import ClipEnds, Own, Teller, alone
from blickschutz.hosts.io.pieces import piece_of
from blickschutz.hosts.io.records import ClipRecords
from blickschutz.hosts.model import (
    AskCopy,
    AskPiece,
    Directive,
    DirectiveHeard,
    KeptClip,
    KeptState,
    Piece,
    SignedDirective,
)
from blickschutz.hosts.rules import clips as rules
from blickschutz.hosts.rules.copies import COPY
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError, ProtocolError
from blickschutz.pipeline.messages import ClipTold
from blickschutz.recording.io.clipfile import ClipError, read_head
from blickschutz.recording.io.emptiness import is_empty
from blickschutz.recording.model import ClipEvent, ClipMode, ClipNews, CloseReason, Order, Refusal, refused
from blickschutz.retention.io.shelf import ClipShelf
from blickschutz.retention.model import Change
from blickschutz.retention.rules import deadline
from blickschutz.retention.service import RetentionTime
from blickschutz.vault.io.files import is_signed
from blickschutz.wire.frames import unpack

_log = structlog.get_logger(__name__)
# A life of a cell may have told of its end what is not taken in yet.
_CUT_AFTER_S: Final = 10.0
# What a cell has just begun it tells of in a moment.
_STRAY_S: Final = 60.0
_directives: msgspec.msgpack.Decoder[SignedDirective] = msgspec.msgpack.Decoder(SignedDirective)


class HostClips:
    """Of one host. `lives` gives the life of the cell that films a camera now, empty where none does. `copies` are those that it keeps of
    other hosts' clips.
    """

    def __init__(
        self,
        own: Own,
        shelf: ClipShelf,
        records: ClipRecords[KeptClip],
        time: RetentionTime,
        clock: Clock,
        teller: Teller,
        lives: Callable[[str], str],
        copies: HostCopies | None = None,
    ) -> None:
        self._own, self._shelf, self._records, self._time, self._clock = own, shelf, records, time, clock
        self._teller, self._lives, self.copies = teller, lives, copies
        self._ends = ClipEnds(own, shelf, records, time, teller, lambda record: record.camera)
        self._lock = threading.RLock()
        self._over: dict[str, float] = {}
        # Files that nobody told of, and since when they are known.
        self._strays: dict[str, float] = {}
        time.changed.listen(self._noted)

    def ordered(self, camera: str, order: Order) -> str:
        """Why nothing may be recorded here, which is told; empty where it may: then clips are kept as the order says. Raises
        `DeviceError`."""
        why = "" if self._own.public else "this host was enrolled before clips could stay on hosts: enrol it anew"
        if why:
            self._teller.tell(camera, ClipTold(refused(order, [order.number], self._clock.now(), Refusal.FAULT, why)))
        elif order.keep is not None:
            self._records.keep_for(order.keep)
        return why

    def _noted(self, change: Change) -> None:
        _log.warning("time_for_deadlines", what=change.what.value, seconds=change.seconds, reason=change.reason)
        if change.serial:
            self._records.note_serial(change.serial)

    # --- what cells tell ---

    def heard(self, camera: str, run: str, told: ClipTold) -> ClipTold:
        """What a cell told of a clip, as the control room is to hear it. Raises `DeviceError`."""
        news = told.news
        if news.event is ClipEvent.REFUSED:
            return told
        with self._lock:
            record = self._records.get(news.clip) or self._records.put(self._begun(camera, run, news))
            if record.camera != camera:
                raise DeviceError(f"the clip {news.clip} is none of the camera {camera}")
            if news.event is ClipEvent.CLOSED and record.state is KeptState.RECORDING:
                record = self._closed(record, news)
            return msgspec.structs.replace(told, news=self._news(record, news))

    def _begun(self, camera: str, run: str, news: ClipNews) -> KeptClip:
        stamp = self._time.stamp()
        return KeptClip(
            clip=news.clip,
            camera=camera,
            run=run,
            mode=news.mode.value,
            cause=news.cause,
            orders=news.orders,
            opened=news.opened,
            epoch=stamp.epoch,
            stamped=stamp.at,
            number=self._records.next_number(),
            keep=self._records.keep,
        )

    def _closed(self, record: KeptClip, news: ClipNews) -> KeptClip:
        digest, size, written = self._measured(record.clip)
        closed = news.closed or written or record.opened
        seconds = news.seconds or round(max(0.0, closed - record.opened), 2)
        return self._records.put(
            msgspec.structs.replace(
                record,
                state=KeptState.THERE,
                closed=closed,
                seconds=seconds,
                size=size,
                sha256=digest,
                reason=news.reason,
                orders=news.orders or record.orders,
            )
        )

    def _measured(self, clip: str) -> tuple[str, int, float]:
        """Hash, size and time of the last group as the disk has them; nothing of a file that is not there."""
        try:
            with self._shelf.path(clip).open("rb") as file:
                found = os.fstat(file.fileno())
                return hashlib.file_digest(file, "sha256").hexdigest(), found.st_size, found.st_mtime
        except FileNotFoundError:
            return "", 0, 0.0
        except OSError as error:
            raise DeviceError(f"the clip {clip} cannot be read: {error.strerror}") from error

    def _news(self, record: KeptClip, news: ClipNews) -> ClipNews:
        known = self._time.kept(rules.stamped(record))
        ends = self._time.wall_of(deadline(known, rules.limits_of(record.keep)).at) if known is not None else 0.0
        return msgspec.structs.replace(news, sha256=record.sha256, size=record.size or news.size, seconds=record.seconds, ends=ends)

    # --- what the control room says ---

    def directed(self, data: bytes) -> None:
        """Take in a directive; it is on disk, and that is told, when this returns. Raises `ProtocolError`, `DeviceError`."""
        signed = unpack(data, _directives)
        if self.copies is not None and is_signed(COPY + signed.text, signed.signature, self._own.public):
            self.copies.ordered(signed)
            return
        if not is_signed(rules.DIRECTIVE + signed.text, signed.signature, self._own.public):
            raise ProtocolError("a directive is not signed by the installation")
        try:
            told = msgspec.json.decode(signed.text, type=Directive)
        except msgspec.MsgspecError as error:
            raise ProtocolError(f"a directive cannot be read: {error}") from error
        if (told.installation, told.host) != (self._own.installation, self._own.host):
            raise ProtocolError("a directive is for another host")
        with self._lock:
            record = self._records.get(told.clip)
            if record is None or record.state is KeptState.GONE:
                self._answer(record, told)
                return
            held_at = self._time.retention_of(told.held_until) if told.held_until is not None else None
            after = rules.obeyed(record, told, held_at)
            if after is not None:
                record = self._records.put(after)
            self._answer(record, told)

    def _answer(self, record: KeptClip | None, told: Directive) -> None:
        known = record is not None and record.state is not KeptState.GONE
        # Of one that is older than what is known here it is said what is: the rows may have come out of a backup.
        serial = record.serial if record is not None and known else told.serial
        heard = DirectiveHeard(clip=told.clip, serial=serial, known=known)
        # Of a clip that nobody here knows the camera is not known either: any line will do.
        if self._teller.tell(record.camera if record is not None else "", heard) is None:
            raise DeviceError(f"nothing can be told of the clip {told.clip}")

    def piece(self, asked: AskPiece) -> Piece:
        """Ciphertext, as it lies there. Nothing of a clip whose end was ordered."""
        record = self._records.get(asked.clip)
        if record is None and self.copies is not None:
            return self.copies.piece(asked)
        if record is None or record.state is not KeptState.THERE or record.doom is not None:
            return Piece(0, 0, b"", "gone")
        return piece_of(self._shelf, asked)

    def copied(self, asked: AskCopy) -> Piece:
        """The same for another host that is to keep a copy. Raises `ProtocolError` where the installation did not order one."""
        if not is_signed(COPY + asked.order.text, asked.order.signature, self._own.public):
            raise ProtocolError("an order for a copy is not signed by the installation")
        order = order_for_copy(asked.order)
        if (order.installation, order.origin) != (self._own.installation, self._own.host):
            raise ProtocolError("an order for a copy is for the clip of another host")
        record = self._records.get(order.clip)
        if record is None or record.sha256 != order.sha256:
            return Piece(0, 0, b"", "gone")
        return self.piece(AskPiece(order.clip, asked.start))

    # --- by itself ---

    def look(self) -> None:
        """Called every few seconds: clips whose cell is gone are closed, what is due is destroyed, what was not told is told again."""
        reading = self._time.check()
        for record in self._records.all():
            self._each(record.clip, partial(self._look_at, record, None if reading.suspended else reading.now))
        self._find_strays()

    def _each(self, clip: str, step: Callable[[], None]) -> None:
        alone(self._lock, clip, "clip_not_kept_in_order", step)

    def _look_at(self, record: KeptClip, now: float | None) -> None:
        if record.state is KeptState.RECORDING:
            self._cut(record)
            return
        self._ends.look_at(record, now)

    def _cut(self, record: KeptClip) -> None:
        """A clip whose cell is over, and has told nothing of its end: it ends with its last whole group."""
        now = self._clock.monotonic()
        if record.run and record.run == self._lives(record.camera):
            self._over.pop(record.clip, None)
            return
        if now - self._over.setdefault(record.clip, now) < _CUT_AFTER_S:
            return
        self._over.pop(record.clip)
        news = ClipNews(
            event=ClipEvent.CLOSED,
            clip=record.clip,
            mode=ClipMode(record.mode),
            cause=record.cause,
            orders=record.orders,
            opened=record.opened,
            reason=CloseReason.CUT.value,
            closing=CloseReason.CUT,
        )
        closed = self._closed(record, news)
        self._teller.tell(record.camera, ClipTold(self._news(closed, msgspec.structs.replace(news, closed=closed.closed))))

    def _find_strays(self) -> None:
        """Files that nobody told of: a clip of ours is taken up with its age from now on, one without a picture goes."""
        known, now = {record.clip for record in self._records.all()}, self._clock.monotonic()
        self._strays = {clip: self._strays.get(clip, now) for clip in self._shelf.clips() - known}
        for clip, since in self._strays.items():
            if now - since >= _STRAY_S:
                self._each(clip, partial(self._stray, clip))

    def _stray(self, clip: str) -> None:
        if is_empty(self._shelf.path(clip)):
            self._shelf.overwrite(clip)
            self._shelf.remove(clip)
            return
        try:
            header = read_head(self._shelf.path(clip)).header
        except ClipError as error:
            _log.error("file_is_no_clip", clip=clip, problem=str(error))
            return
        if (header.installation, header.clip) != (self._own.installation, clip):
            _log.error("file_is_no_clip_of_ours", clip=clip)
            return
        news = ClipNews(
            event=ClipEvent.OPENED, clip=clip, mode=header.mode, cause=header.cause, orders=(), opened=min(header.opened, self._clock.now())
        )
        record = self._records.put(self._begun(header.camera, self._lives(header.camera), news))
        self._teller.tell(header.camera, ClipTold(self._news(record, news)))
