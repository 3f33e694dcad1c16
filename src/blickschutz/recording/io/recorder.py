"""The recorder of one camera: keeps the last seconds, and makes clips of them while somebody ordered it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.scene import Background, Doubt, Scene
from blickschutz.recording.io.feed import GROWS_S, MOST_S, Collected, Feed, Piece
from blickschutz.recording.io.job import ClipJob
from blickschutz.recording.io.ring import Fragment, Head
from blickschutz.recording.model import ClipMode, CloseReason, Mark, Opening, Order, RecordingSettings, Refusal, refused
from blickschutz.recording.ports import Tell
from blickschutz.recording.rules import Orders, known
from blickschutz.vault.register import RegisterGuard

# So long after its end the last fragment and the proof of background for its last pictures are still on their way.
_SETTLE_S = 0.8
_MOST_SETTLE_S = {ClipMode.SEALED: 3.0, ClipMode.ANONYMOUS: 8.0}
_END_S = 2.0
# So often a clip that failed for a reason that may pass is begun anew, and so many may still be written to a disk that stands still.
_MOST_AGAIN, _MOST_UNFINISHED = 2, 3


class Recorder:
    """Fed by the cell's own thread. `describe` gives the first message of a clip for a stream's head."""

    def __init__(
        self,
        camera: str,
        settings: RecordingSettings,
        clock: Clock,
        describe: Callable[[Head, ClipMode], Opening],
        tell: Tell,
        guard: Guard,
        *,
        apart: bool = False,
    ) -> None:
        """`apart`: what is looked at (`seen`) is another stream of the camera than the one that is recorded."""
        self._guard, self._register = guard, RegisterGuard(settings.root)
        self._camera, self._settings, self._clock, self._describe, self._tell = camera, settings, clock, describe, tell
        self._feeds: Mapping[ClipMode, Feed] = {mode: Feed(settings.before_s) for mode in ClipMode}
        self._apart = Feed(settings.before_s) if apart else None
        self._orders = Orders(settings)
        # Ordered, and without a clip yet; all of one mode.
        self._waiting: list[Order] = []
        # The one among them whose clip was cut off: of it somebody was told.
        self._resumed: Order | None = None
        self._job: ClipJob | None = None
        self._unfinished: list[ClipJob] = []
        self._again = 0
        self._began = 0.0
        self._ended: float | None = None
        self._written_to = self._written_at = float("-inf")

    @property
    def recording(self) -> ClipMode | None:
        """The mode of the clip that is being written, or waits for a stream; None where nothing was ordered."""
        return self._job.mode if self._job is not None else self._waiting[0].mode if self._waiting else None

    @property
    def writing(self) -> ClipMode | None:
        """The mode of the clip into which something was written within the last seconds."""
        now = self._clock.monotonic()
        return self._job.mode if self._job is not None and not self._job.failed and now - self._written_at <= GROWS_S else None

    @property
    def seen(self) -> Feed:
        """The stream that is looked at: redacted pictures of the last seconds are made of it."""
        return self._apart or self._feeds[ClipMode.SEALED]

    @property
    def in_hand(self) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """The numbers of the orders of which the outcome was not told yet, and the names of the clips that are being written."""
        jobs = [job for job in self._unfinished if not job.done]
        waiting = [order.number for order in self._waiting]
        return (*(number for job in jobs for number in job.orders), *waiting), tuple(job.clip for job in jobs)

    def gives_nothing(self, now: float) -> bool:
        """Whether of the camera's stream there was nothing for the last seconds that could be recorded."""
        pieces = self._feeds[ClipMode.SEALED].pieces
        return not pieces or now - pieces[-1].fragment.at > GROWS_S

    def order(self, order: Order) -> None:
        """Record from now on (and the seconds before). An order of the other mode begins a clip of its own."""
        self.tick()
        now = self._clock.monotonic()
        if self._job is not None and (self._job.mode is not order.mode or self._ended is not None):
            self._close(CloseReason.OVER)
        self._orders.begin(order.number, now, order.for_s)
        self._again = 0
        if self._job is not None and self._job.accept(order.number):
            return
        # What ended by itself this very moment takes no order any more.
        self._job, self._ended = None, None
        self._give_up([one for one in self._waiting if one.mode is not order.mode], Refusal.FAULT, "a clip of the other mode was ordered")
        self._waiting.append(order)
        self._begin(now)

    def end(self, number: int) -> None:
        """The situation behind an order is over."""
        self._orders.end(number, self._clock.monotonic())

    def frame(self, mode: ClipMode, pts: int, taken: float) -> None:
        """When a picture was taken (POSIX); `pts` in ticks of its own stream."""
        self._feeds[mode].frame(pts, taken)

    def analysed(
        self, pts: int, doubt: Doubt | None, scene: Scene, background: Background, recorded: tuple[int, int] | None = None
    ) -> None:
        """Who was in the picture at `pts` of the stream that is looked at, and what is known of the place from then on.

        `recorded` is where that moment lies in another stream that is recorded (generation, pts), None where it lies in none.
        """
        self.seen.analysed(known(pts, doubt, scene, background))
        feed = self._feeds[ClipMode.SEALED]
        if self._apart is not None and recorded is not None and (feed.head is None or feed.head.generation == recorded[0]):
            feed.analysed(known(recorded[1], doubt, scene, background))

    def collect_before(self) -> Collected | None:
        """The seconds in memory and all that follows; None without a stream."""
        return self.collect(self._clock.monotonic() - self._settings.before_s, float("inf"))

    def collect(self, since: float, until: float) -> Collected | None:
        """The packets of what is looked at from `since` to `until` (monotonic), in memory; None without a stream."""
        self.seen.forget(self._clock.monotonic())
        return self.seen.collect(since, until)

    def mark(self, mark: Mark) -> None:
        for feed in self._all():
            feed.mark(mark)

    def _all(self) -> list[Feed]:
        return [*self._feeds.values(), *((self._apart,) if self._apart is not None else ())]

    def take(self, mode: ClipMode, parts: Sequence[Head | Fragment]) -> None:
        """Complete parts of a stream: the camera's packets (`SEALED`) or redacted video (`ANONYMOUS`)."""
        for part in parts:
            # What came before the head of a new stream still belongs to the clip of the old one.
            if isinstance(part, Head) and self._job is not None and self._job.mode is mode:
                self._close(CloseReason.INTERRUPTED, keep_orders=True)
            new = self._feeds[mode].take([part])
            if self._job is not None and self._job.mode is mode:
                for piece in new:
                    self._add(self._job, piece)
            elif new and self._waiting and self._waiting[0].mode is mode:
                self._begin(self._clock.monotonic())

    def tick(self) -> None:
        """End what is over, too long, or takes no more."""
        now = self._clock.monotonic()
        self._feeds[ClipMode.SEALED].forget(now)
        self.seen.forget(now)
        wanted = self._orders.wanted(now)
        if self._job is None:
            if not wanted:
                self._drop("the camera sent nothing that could be recorded")
            return
        if self._job.failed:
            self._failed(self._job, wanted)
        elif now - self._written_at > MOST_S and self._ended is None:
            # Nothing came for a minute though nobody said that the stream is over: what is there is a clip, and the order waits.
            self._close(CloseReason.INTERRUPTED, keep_orders=True)
        elif now - self._began >= self._settings.most_s:
            self._orders.clear()
            self._close(CloseReason.LONGEST)
        elif self._ended is not None:
            complete = self._written_to >= self._ended and now >= self._ended + _SETTLE_S
            if complete or now >= self._ended + _MOST_SETTLE_S[self._job.mode]:
                self._close(CloseReason.OVER)
        elif not wanted:
            self._ended = now

    def interrupted(self, reason: CloseReason = CloseReason.INTERRUPTED) -> None:
        """All streams were lost or stopped: the clip ends here, and nothing of before is kept."""
        self._over(reason, self._all(), tuple(ClipMode))
        if reason is not CloseReason.INTERRUPTED:
            self._orders.clear()
            self._drop(f"the camera was {reason.value}")

    def lost(self, *, recorded: bool) -> None:
        """Of a camera whose recorded stream is another one than that which is looked at, one of both was lost."""
        mode = ClipMode.SEALED if recorded else ClipMode.ANONYMOUS
        self._over(CloseReason.INTERRUPTED, [self._feeds[mode], *(() if recorded else (self.seen,))], (mode,))

    def _over(self, reason: CloseReason, feeds: Sequence[Feed], modes: Sequence[ClipMode]) -> None:
        if self._job is not None and self._job.mode in modes:
            self._close(reason, keep_orders=reason is CloseReason.INTERRUPTED)
        for feed in feeds:
            feed.clear()

    def broke(self, problem: str, *, again: bool) -> None:
        """Whoever makes the redacted video cannot: the clip ends. Another follows with the next stream, or the order is given up."""
        if self._job is not None:
            self._close(CloseReason.FAULT, keep_orders=again, problem=problem)
        if not again:
            self._orders.clear()
            self._give_up(self._waiting, Refusal.FAULT, problem)

    def close(self) -> None:
        """The cell ends in good order."""
        if self._job is not None:
            self._close(CloseReason.STOPPED, wait_s=_END_S)

    def _begin(self, now: float) -> None:
        order = self._waiting[0] if self._waiting else None
        feed = self._feeds[order.mode] if order is not None else None
        if order is None or feed is None or feed.head is None:
            return
        # Redacted video comes later than what it was made from, which was chosen by its age.
        redacted = order.mode is ClipMode.ANONYMOUS and feed.pieces
        pieces = feed.before(feed.pieces[-1].fragment.at if redacted else now)
        if not pieces:
            return  # without a keyframe nothing could be opened; it begins with the next one
        if self._again == _MOST_AGAIN:
            # Should what lies before be what cannot be written, the last try does without it.
            pieces = pieces[max((n for n, piece in enumerate(pieces) if piece.fragment.key), default=0) :]
        self._unfinished = [job for job in self._unfinished if not job.done]
        if len(self._unfinished) >= _MOST_UNFINISHED:
            self._give_up(self._waiting, Refusal.BEHIND, f"{len(self._unfinished)} clips still wait for the disk")
            self._orders.clear()
            return
        describe = self._describe(feed.head, order.mode)
        others = [one.number for one in self._waiting[1:]]
        guard, register = self._guard, self._register
        self._job = ClipJob(self._camera, order, describe, self._settings, self._clock, self._tell, guard, register, pieces, others)
        self._unfinished.append(self._job)
        self._waiting, self._began, self._ended, self._written_at = [], now, None, now
        self._written_to = pieces[-1].fragment.at

    def _add(self, job: ClipJob, piece: Piece) -> None:
        """Add a fragment, unless the one before it reached beyond the end."""
        if self._ended is None or self._written_to < self._ended:
            job.add(piece)
            self._written_to, self._written_at = piece.fragment.at, self._clock.monotonic()

    def _failed(self, job: ClipJob, wanted: bool) -> None:
        """It takes no more, and has told why, or will."""
        self._job, self._ended = None, None
        if job.again and wanted and self._again < _MOST_AGAIN:
            self._again += 1
            self._resume(job.order)
        else:
            self._orders.clear()

    def _resume(self, order: Order) -> None:
        self._waiting, self._resumed = [order], order

    def _drop(self, reason: str) -> None:
        """What waits is wanted no more; whoever had no clip at all is told."""
        self._give_up([one for one in self._waiting if one is not self._resumed], Refusal.FAULT, reason)
        self._waiting = []

    def _give_up(self, orders: Sequence[Order], refusal: Refusal, reason: str) -> None:
        """They get no clip, and somebody hears so at once."""
        if orders:
            self._tell(refused(orders[0], [one.number for one in orders], self._clock.now(), refusal, reason))
        self._waiting = [one for one in self._waiting if one not in orders]

    def _close(self, reason: CloseReason, *, keep_orders: bool = False, wait_s: float = 0.0, problem: str = "") -> None:
        job, self._job, self._ended = self._job, None, None
        if job is None:
            return
        job.add(self._feeds[job.mode].rest())
        job.close(reason, wait_s, problem)
        self._feeds[ClipMode.ANONYMOUS].clear()
        if keep_orders and self._orders.wanted(self._clock.monotonic()):
            self._resume(job.order)
        elif not self._orders.running:
            self._orders.clear()
