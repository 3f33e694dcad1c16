"""Alerts on their way out, and situations that cameras find themselves on their way in."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Collection, Sequence

from blickschutz.alerts.io.mqtt import MqttSource
from blickschutz.alerts.io.states import MqttStates
from blickschutz.alerts.model import Alert, FaultNotice
from blickschutz.alerts.service import AlertDesk, Sender
from blickschutz.guard.model import Change, Trouble
from blickschutz.kernel.clock import Clock

# What fails for days is told a few times, not thousands of times.
_AGAIN_S = 3600.0


class Alerting:
    """The alert desk and the sender of each channel; `source` hears what cameras tell the broker, `states` keeps there what is true now."""

    def __init__(self, desk: AlertDesk, senders: Sequence[Sender], clock: Clock) -> None:
        self.desk, self._senders, self._clock = desk, senders, clock
        self._told: dict[str, float] = {}
        self._lock = threading.Lock()
        self.source: MqttSource | None = None
        self.states: MqttStates | None = None

    def start(self, runs: Collection[str] = ()) -> None:
        """Before any camera is watched; waits for the database. `runs` are the lives of cells that go on."""
        self.desk.begin(runs)
        for sender in self._senders:
            sender.start()
        if self.source is not None:
            self.source.start()
        if self.states is not None:
            self.states.start()
        self.desk.listen(self._poke)

    def _poke(self, alert: Alert) -> None:
        del alert
        for sender in self._senders:
            sender.poke()

    def trouble(self, trouble: Trouble) -> None:
        """Guarded work fails again and again, or works again: every channel is told, of the same part at most once in a while."""
        over = trouble.change is Change.RECOVERED
        now = self._clock.monotonic()
        with self._lock:
            last = self._told.get(trouble.name)
            if over and self._told.pop(trouble.name, None) is None:
                return
            if not over and last is not None and now - last < _AGAIN_S:
                return
            if not over:
                self._told[trouble.name] = now
        fault = FaultNotice(secrets.token_hex(8), trouble.name, trouble.error, over, self._clock.now())
        for sender in self._senders:
            sender.tell(fault)

    async def end_source(self) -> None:
        """Nothing more is taken from the broker, and it is told that nobody keeps the states any more."""
        for one in (self.source, self.states):
            if one is not None:
                await asyncio.to_thread(one.close)

    async def end(self) -> None:
        await asyncio.gather(*(asyncio.to_thread(sender.end) for sender in self._senders))
