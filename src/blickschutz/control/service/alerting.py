"""Alerts on their way out, and situations that cameras find themselves on their way in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from blickschutz.alerts.io.mqtt import MqttSource
from blickschutz.alerts.model import Alert
from blickschutz.alerts.service import AlertDesk, Sender


class Alerting:
    """The alert desk and the sender of each channel; `source` is the broker that cameras speak to."""

    def __init__(self, desk: AlertDesk, senders: Sequence[Sender]) -> None:
        self.desk, self._senders = desk, senders
        self.source: MqttSource | None = None

    def start(self) -> None:
        """Before any camera is watched; waits for the database."""
        self.desk.begin()
        for sender in self._senders:
            sender.start()
        if self.source is not None:
            self.source.start()
        self.desk.listen(self._poke)

    def _poke(self, alert: Alert) -> None:
        del alert
        for sender in self._senders:
            sender.poke()

    async def end_source(self) -> None:
        """Nothing more is taken from the broker."""
        if self.source is not None:
            await asyncio.to_thread(self.source.close)

    async def end(self) -> None:
        await asyncio.gather(*(asyncio.to_thread(sender.end) for sender in self._senders))
