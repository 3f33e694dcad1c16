"""The camera cell: one operating-system process for one camera.

This thread analyses, redacts and encodes. Frames wait for it in a short queue; when that is full the oldest is dropped and
counted, so the camera is never held up. The session with the camera, the reader and the writer of the channel, a clip, an alert's
seconds and a redacted recording have guarded threads of their own: what ends unasked is run again, ends the cell, or is told as
what it could not do, and goes with the heartbeat. Each clip has one more, which syncs a chunk while the next is sealed.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import msgspec
import structlog

from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.ports import Detector, Placed
from blickschutz.analysis.service import Analyser
from blickschutz.guard.service import Guard
from blickschutz.ingest.io.decoders import Decoders
from blickschutz.ingest.io.gate import local_listener
from blickschutz.ingest.io.hardware import Opener, open_decoder
from blickschutz.ingest.io.notices import CameraNotices
from blickschutz.ingest.io.notify import CameraLines, notify_listener
from blickschutz.ingest.io.sources import open_source
from blickschutz.ingest.model import Found, SessionState, SourceKind
from blickschutz.ingest.ports import VideoSource
from blickschutz.ingest.service import CameraSession
from blickschutz.kernel.clock import Clock, SystemClock, aging
from blickschutz.kernel.errors import FaultError, ModelError
from blickschutz.kernel.frames import RawFrame, RedactedFrame
from blickschutz.kernel.scene import Doubt
from blickschutz.pipeline.channel import CellEnd, first_to_cell
from blickschutz.pipeline.detector import NoDetector, load_detector
from blickschutz.pipeline.door import Door
from blickschutz.pipeline.figures import ProcessFigures, keep_memory_together
from blickschutz.pipeline.lease import LeaseWatch
from blickschutz.pipeline.logs import configure_logs
from blickschutz.pipeline.mainstream import MainStream
from blickschutz.pipeline.messages import (
    CellSettings,
    ClipTold,
    EndOrder,
    FilmUntil,
    FoundTold,
    Fragment,
    Head,
    Health,
    Moment,
    Quit,
    Record,
    Resumed,
    SetSituations,
    SetThresholds,
    SituationTold,
    Snapshot,
    Stop,
    TakeMoment,
    TakenOver,
    TakeSnapshot,
    ToCell,
    Watch,
)
from blickschutz.pipeline.moment import Moments
from blickschutz.pipeline.news import episode_told
from blickschutz.pipeline.path import RedactionPath
from blickschutz.pipeline.profile import profile_of
from blickschutz.pipeline.record import make_recorder, mark_of
from blickschutz.pipeline.redacted import RedactedRecording
from blickschutz.pipeline.senses import load_senses
from blickschutz.pipeline.showing import Showing
from blickschutz.recording.io.feed import GROWS_S
from blickschutz.recording.io.ring import Fragment as FileFragment
from blickschutz.recording.io.ring import Head as FileHead
from blickschutz.recording.io.ring import PacketMuxer
from blickschutz.recording.model import ClipMode, CloseReason
from blickschutz.situations.service import SituationWatch
from blickschutz.wall.io.jpeg import jpeg
from blickschutz.wall.io.live import LiveEncoder
from blickschutz.wall.model import StreamInit
from blickschutz.zones.hardening import confine, harden

_log = structlog.get_logger(__name__)
# A burst of two seconds waits whole, while the cell keeps up and memory allows.
_MOST_QUEUED, _MOST_IN_BURST, _MOST_BURST_BYTES = 12, 64, 64 * 1024 * 1024
_MOST_WAITING_S = 1.0
# That a picture can be shown now, or none any more, is not kept until the next heartbeat.
_HEARTBEAT_S, _AT_ONCE_S = 1.0, 0.2
_NOMINAL_RATE = 10.0
# What the process ends with where only its end lets the camera go.
_LEASE_OVER = 75


class Cell:
    """Runs until the control room says `Quit` or goes away; with a `door` for a while longer, see `CellEnd`."""

    def __init__(
        self,
        connection: socket.socket,
        clock: Clock | None = None,
        detector: Detector | None = None,
        listener: socket.socket | None = None,
        door: Door | None = None,
        lines: socket.socket | str = "",
        recorded_listener: socket.socket | None = None,
        age: Callable[[], float] = aging,
        die: Callable[[], object] = lambda: os._exit(_LEASE_OVER),
        opener: Opener = open_decoder,
    ) -> None:
        self._clock, self._lines_at, self._opener = clock or SystemClock(), lines, opener
        self._listener, self._recorded_listener = listener, recorded_listener
        # The lease under which it films; without one it films without end.
        self._age, self._film_until = age, float("inf")
        self._guard, self._own_detector = Guard(self._clock), detector
        self._lease = LeaseWatch(self._guard, age, lambda: self._session.has_let_go, die)
        self._channel = CellEnd(connection, self._take_message, self._end, self._guard, door, self._clock)
        self._frames: deque[tuple[float, RawFrame | int]] = deque()
        self._inbox: deque[ToCell] = deque()
        self._wake = threading.Condition()
        self._ended = False
        self._figures = ProcessFigures(self._clock)
        self._watched = self._stopped = self._told_to_stop = False
        self._dropped = self._encoded = self._generation = 0
        self._encoder: LiveEncoder | None = None
        self._snapshots: list[int] = []
        self._size = (0, 0)
        self._beat_at = float("-inf")
        self._told_doubt: Doubt | None = Doubt.STARTING
        self._muxer, self._told_lost = PacketMuxer(), 0
        self._main: MainStream | None = None
        # Orders by the situation for which they were given: it ends them where nobody may be there to say so, as under a lease.
        self._orders: dict[int, int] = {}

    def run(self, settings: CellSettings, until: float = float("inf"), *, stopped: bool = False) -> None:
        """Work until the end. The camera is not opened where its lease (`until`) is over already, or while it is `stopped`."""
        structlog.contextvars.bind_contextvars(camera=settings.camera)
        self._film_until, self._told_to_stop = until, stopped
        self._channel.start()
        self._prepare(settings)
        if until < float("inf"):
            self._lease.told(until)
        self._stopped = True
        self._hold_lease()
        try:
            while not self._ended:
                self._turn()
        finally:
            self._listen(False)
            self._let_go(0.5)
            self._recorder.close()
        self._channel.close()

    def _prepare(self, settings: CellSettings) -> None:
        self._settings = settings
        registry = ModelRegistry(Path(settings.models)) if settings.models else ModelRegistry()
        detector = self._own_detector or load_detector(settings.model, registry, settings.device)
        self._placed = detector if isinstance(detector, Placed) else None
        self._blind = detector.reason if isinstance(detector, NoDetector) else ""
        self._decoders = Decoders(settings.decoding, self._guard, self._clock, self._opener, settings.device_lost)
        senses = load_senses(registry)
        self._analyser = Analyser(detector, settings.analysis, poser=senses.poser)
        self._path = RedactionPath(self._analyser, Showing(settings.redaction, settings.encoder.width), settings.analysis.rate)
        self._situations = SituationWatch(settings.situations, senses.learned)
        self._recorder = make_recorder(settings, self._clock, lambda news: self._channel.send(ClipTold(news)), self._guard)
        self._redacted = RedactedRecording(settings, self._guard)
        self._moments = Moments(settings, lambda number, data: self._channel.send(Moment(number, data)), self._guard)
        if settings.recorded is not None:
            listener, backoff = self._recorded_listener, settings.backoff
            self._main = MainStream(settings.camera, settings.recorded, backoff, self._clock, self._guard, listener, self._notify)
        chance = random.SystemRandom().random
        self._session = CameraSession(settings.camera, self._open, self._offer, self._lost, settings.backoff, chance, self._guard)
        self._told_by_camera = self._listeners(settings)

    def _listeners(self, settings: CellSettings) -> list[CameraNotices | CameraLines]:
        """Who listens to what the camera finds itself."""
        listeners: list[CameraNotices | CameraLines] = []
        if settings.notices is not None:
            listeners.append(CameraNotices(settings.camera, settings.notices, self._found, self._clock, self._guard))
        if settings.notify is not None:
            listeners.append(CameraLines(settings.notify, self._lines_at, self._found, self._clock, self._guard))
        return listeners

    def _listen(self, on: bool) -> None:
        for one in self._told_by_camera:
            one.start() if on else one.stop()

    def _found(self, found: Found) -> None:
        self._channel.send(FoundTold(found, self._clock.monotonic(), self._clock.now()))

    def _begin(self) -> None:
        self._session.start()
        if self._main is not None:
            self._main.start()
        self._listen(True)

    def _let_go(self, wait_s: float) -> None:
        self._session.stop(wait_s)
        if self._main is not None:
            self._main.stop(wait_s)

    def _open(self) -> VideoSource[RawFrame]:
        """Open the camera and make the detector ready for it, then read: a place must be seen empty to be known.

        So no picture of the first seconds is lost to the compilation, and nothing is compiled for another shape.
        """
        if self._muxer.ended() > self._told_lost:
            self._lost()  # whatever kept the session from saying so: no stream begins before the one before has ended
        source = open_source(self._settings.source, self._clock, self._muxer.connection(), self._guard, self._listener, self._decoders)
        # Only before the first picture: later the detector belongs to the thread that analyses.
        if source.width and source.height and not self._blind and self._size == (0, 0):
            try:
                self._analyser.prepare(source.width, source.height)
            except (ModelError, FaultError) as error:
                # The first picture meets the same error, is shown blank, and the tile says why.
                _log.warning("detector_not_ready", reason=str(error))
        return source

    # --- what other threads call ---

    def _take_message(self, message: ToCell) -> None:
        with self._wake:
            self._inbox.append(message)
            self._wake.notify()

    def _end(self) -> None:
        with self._wake:
            self._ended = True
            self._wake.notify()

    def _notify(self) -> None:
        with self._wake:
            self._wake.notify()

    def _offer(self, frame: RawFrame | int) -> None:
        """Queue a frame; a number stands for the end of the stream of that generation."""
        with self._wake:
            now = self._clock.monotonic()
            if not isinstance(frame, int) and len(self._frames) >= _MOST_QUEUED and not self._is_burst(frame, now):
                self._drop_oldest()
            self._frames.append((now, frame))
            self._wake.notify()

    def _is_burst(self, frame: RawFrame, now: float) -> bool:
        """Whether so many pictures wait because they came at once, and not because the cell is behind."""
        few = len(self._frames) < min(_MOST_IN_BURST, _MOST_BURST_BYTES // (frame.y.size * 3 // 2))
        return few and now - self._frames[0][0] <= _MOST_WAITING_S

    def _lost(self) -> None:
        self._told_lost = self._muxer.ended()
        self._offer(self._told_lost)

    def _drop_oldest(self) -> None:
        for index, (_, frame) in enumerate(self._frames):
            if not isinstance(frame, int):
                del self._frames[index]
                self._dropped += 1
                return

    # --- the cell's own thread ---

    def _turn(self) -> None:
        """Take what came: messages first, then one frame."""
        with self._wake:
            self._wake.wait_for(lambda: self._inbox or self._frames or self._ended, self._until_beat())
            messages = list(self._inbox)
            self._inbox.clear()
            frame = self._frames.popleft()[1] if self._frames else None
        for message in messages:
            self._handle(message)
        self._hold_lease()
        if frame is not None and not self._stopped:
            if isinstance(frame, int):
                self._interrupted(frame)
            else:
                self._work(frame)
        if self._main is not None and not self._stopped:
            self._main.turn(self._recorder)
        self._recorder.tick()
        self._moments.tick(self._clock.monotonic())
        self._redacted.turn(self._recorder, self._clock.monotonic())
        self._beat()

    def _handle(self, message: ToCell) -> None:
        if isinstance(message, Watch):
            self._watched = message.on
            self._end_stream()
        elif isinstance(message, Stop):
            self._told_to_stop = message.on
            self._hold_lease()
        elif isinstance(message, FilmUntil):
            self._film_until = message.until
            self._lease.told(message.until)
            self._hold_lease()
        elif isinstance(message, TakeSnapshot):
            self._snapshots.append(message.number)
            if self._stopped:
                self._answer_snapshots(None)
        elif isinstance(message, TakeMoment):
            self._moments.add(message.number, self._recorder.collect(message.since, message.until))
        elif isinstance(message, Record):
            if message.order.situation:
                self._orders[message.order.situation] = message.order.number
            self._recorder.order(message.order)
        elif isinstance(message, TakenOver):
            self._channel.send(Resumed(*self._recorder.in_hand))
            self._beat_at = float("-inf")
        elif isinstance(message, EndOrder):
            self._recorder.end(message.number)
        elif isinstance(message, SetThresholds):
            self._situations.set_thresholds(message.thresholds)
        elif isinstance(message, SetSituations):
            self._situations.set_places(message.situations)
            self._settings = msgspec.structs.replace(self._settings, situations=message.situations)
            self._channel.settled(self._settings)
        elif isinstance(message, Quit):
            self._ended = True

    def _hold_lease(self) -> None:
        """Stopped by the stop control, or because the lease is over: another host may film now, whether or not anybody can say so."""
        self._set_stopped(self._told_to_stop or self._age() >= self._film_until)

    def _set_stopped(self, stopped: bool) -> None:
        """The stop control: from this moment on no frame is looked at; the camera is let go."""
        if stopped == self._stopped:
            return
        self._stopped = stopped
        with self._wake:
            self._frames.clear()
        if stopped:
            # The session may hang in a read: it is not waited for, and what it still reads is not listened to.
            self._let_go(0.0)
            self._listen(False)
            if self._main is not None:
                self._main.stopped(self._recorder)
            self._interrupted(self._muxer.ended(), CloseReason.STOPPED)
        else:
            self._begin()
        self._beat_at = float("-inf")

    def _interrupted(self, generation: int, reason: CloseReason = CloseReason.INTERRUPTED) -> None:
        """The stream is over; the next one may have begun meanwhile, and waits in the muxer."""
        self._keep(self._muxer.finish(generation))
        if self._main is None or reason is not CloseReason.INTERRUPTED:
            self._recorder.interrupted(reason)
        else:
            self._recorder.lost(recorded=False)
        self._redacted.end()
        self._path.restart()
        self._situations.restart()
        self._figures.interrupt()
        self._end_stream()
        self._answer_snapshots(None)

    def _work(self, frame: RawFrame) -> None:
        self._figures.count_frame(frame.at)
        self._size = (frame.width, frame.height)
        shown = self._path.push(frame, wanted=self._watched or bool(self._snapshots))
        self._recorder.seen.frame(frame.pts, frame.taken)
        found = self._path.take_analysed()
        if found is not None:
            place = self._main.place(found.scene.at) if self._main is not None else None
            self._recorder.analysed(found.pts, found.backdrop.doubt, found.scene, found.background, place)
            for situation in self._situations.take(found.scene):
                self._channel.send(SituationTold(situation))
                self._recorder.mark(mark_of(situation))
                order = self._orders.pop(situation.number, None) if situation.ended_at is not None else None
                if order is not None and (self._channel.alone or self._film_until < float("inf")):
                    self._recorder.end(order)
            for episode in self._situations.take_episodes():
                self._channel.send(episode_told(episode))
        parts = self._muxer.taken()
        if any(isinstance(part, FileHead) for part in parts):
            # The file of the packets began anew: who redacts them begins with its head.
            self._redacted.end()
        self._keep(parts)
        for picture in shown:
            if self._watched:
                self._encode(picture)
            self._answer_snapshots(picture)

    def _keep(self, parts: Sequence[FileHead | FileFragment]) -> None:
        """Packets of the stream that is looked at: for clips, or in memory alone where another one is recorded."""
        if self._main is None:
            self._recorder.take(ClipMode.SEALED, parts)
        else:
            self._recorder.seen.take(parts)

    def _encode(self, shown: RedactedFrame) -> None:
        if self._channel.take_loss():
            self._end_stream()
        if self._encoder is None or self._encoder.size != (shown.width, shown.height):
            self._end_stream()
            self._generation += 1
            rate = self._figures.fps or _NOMINAL_RATE
            self._encoder = LiveEncoder(self._generation, shown.width, shown.height, rate, self._settings.encoder)
        for part in self._encoder.encode(shown):
            if isinstance(part, StreamInit):
                self._channel.send(Head(part.generation, part.codec, part.data))
            else:
                self._encoded += 1
                self._channel.send(Fragment(part.generation, part.key, part.at, part.taken, part.data))

    def _end_stream(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None

    def _answer_snapshots(self, shown: RedactedFrame | None) -> None:
        if not self._snapshots:
            return
        data = jpeg(shown) if shown is not None else b""
        for number in self._snapshots:
            self._channel.send(Snapshot(number, data))
        self._snapshots.clear()

    def _unrecordable(self, now: float) -> str:
        """Why what the camera sends cannot be recorded now; empty where it can, and where it sends nothing."""
        since = self._muxer.opened_at
        if self._session.report.state is not SessionState.LIVE or self._stopped:
            return self._redacted.problem
        if self._main is not None and self._recorder.recording is not ClipMode.ANONYMOUS:
            return self._main.unrecordable(self._recorder, now) or self._redacted.problem
        quiet = since is not None and now - since > GROWS_S and self._recorder.gives_nothing(now)
        return self._muxer.problem or self._redacted.problem or ("no keyframe came" if quiet else "")

    def _until_beat(self) -> float:
        left = self._film_until - self._age() if not self._stopped else float("inf")
        return max(0.0, min(left, self._beat_at + _HEARTBEAT_S - self._clock.monotonic()))

    def _beat(self) -> None:
        now, doubt = self._clock.monotonic(), self._path.counters.doubt
        if now < self._beat_at + (_HEARTBEAT_S if doubt is self._told_doubt else _AT_ONCE_S):
            return
        self._beat_at, self._told_doubt = now, doubt
        report, counters, figures = self._session.report, self._path.counters, self._figures
        figures.refresh()
        self._channel.send(
            Health(
                session=report.state,
                stopped=self._stopped,
                doubt=Doubt.NO_DETECTOR if self._blind else counters.doubt,
                fault=counters.fault or self._blind,
                problem=report.problem,
                cause=report.cause,
                width=self._size[0],
                height=self._size[1],
                least_px=self._analyser.least_height_px,
                fps=round(figures.fps, 2),
                frames=counters.frames,
                dropped=self._dropped,
                withheld=self._decoders.withheld,
                analysed=counters.analysed,
                detections_run=self._analyser.detections_run,
                detections_spared=self._analyser.detections_spared,
                faults=counters.faults,
                reconnects=report.reconnects,
                encoded=self._encoded,
                unsent=self._channel.unsent,
                picture_at=figures.latest_at,
                cpu_s=figures.cpu_s,
                rss_mb=figures.rss_mb,
                pss_mb=figures.pss_mb,
                broken_rules=dict(self._situations.broken),
                recording="" if self._redacted.problem else self._recorder.writing or "",
                unrecordable=self._unrecordable(now),
                work=self._guard.states(),
                detector=self._placed.in_use if self._placed is not None else None,
                decoder=self._decoders.in_use,
            )
        )


def run_cell(connection: socket.socket) -> None:
    """Entry point of a cell's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the control room ends the cells in order
    configure_logs()
    harden()
    keep_memory_together()
    cv2.setNumThreads(1)  # eleven cells share the machine; a pool of threads in each only costs
    first = first_to_cell(connection)
    if first is not None:
        settings = first.settings
        door = Door(first.listener, first.door, settings) if first.listener is not None and first.door is not None else None
        # What the stream is read through, see `ingest.io.gate`; later no port is bound.
        listener = local_listener() if settings.source.kind is SourceKind.RTSP else None
        recorded = local_listener() if settings.recorded is not None else None
        lines = notify_listener(settings.notify) if settings.notify is not None else ""
        confine(profile_of(settings, *(one.getsockname()[1] for one in (listener, recorded) if one is not None)))
        Cell(connection, listener=listener, door=door, lines=lines, recorded_listener=recorded).run(
            settings, first.until, stopped=first.stopped
        )
