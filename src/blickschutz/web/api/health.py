"""How the control room is, for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from blickschutz.control.vitals import Vitals, concerns
from blickschutz.web.api import models as m
from blickschutz.web.pages import Pages


def health_of(pages: Pages, **more: Any) -> m.Health:
    """The figures of the control room, and those in `more`."""
    vitals = pages.room.vitals()
    chain, deadlines, orders = vitals.chain, vitals.deadlines, vitals.orders

    def moment(at: float | None) -> datetime | None:
        return pages.moment(at) if at else None

    return m.Health(
        needs=[
            m.Need(
                need=one.need.value,
                subject=one.subject,
                urgent=one.is_urgent,
                since=moment(one.since),
                count=one.count,
                problem=one.problem,
            )
            for one in concerns(vitals)
        ],
        work=_work(vitals),
        databases=[
            m.Database(name=one.name, read_s=one.read_s, written=moment(one.written), refused=moment(one.refused))
            for one in vitals.databases
        ],
        channels=[
            m.Channel(
                name=one.name,
                unsent=one.waiting,
                oldest_s=one.oldest_s,
                problem=one.problem,
            )
            for one in vitals.channels or ()
        ],
        loop_lag_p99_s=vitals.loop.p99_s,
        loop_lag_max_s=vitals.loop.max_s,
        free_bytes=vitals.disk.free,
        disk_reserve_bytes=vitals.disk.reserve,
        disk_forecast_s=vitals.disk.forecast_s,
        log_entries=chain.entries if chain is not None else None,
        log_faults=chain.faults if chain is not None else None,
        log_verified=chain.verified if chain is not None else None,
        log_verified_at=moment(chain.verified_at) if chain is not None else None,
        log_whole_verified_at=moment(chain.whole_at) if chain is not None else None,
        deadlines_due=deadlines.due if deadlines is not None else None,
        deadlines_overdue=deadlines.overdue if deadlines is not None else None,
        deadlines_oldest_overdue_s=deadlines.oldest_s if deadlines is not None else None,
        orders_open=orders.open if orders is not None else None,
        orders_oldest_s=orders.oldest_s if orders is not None else None,
        quarantined=vitals.quarantined,
        clock_offset_s=vitals.clock.offset_s,
        clock_suspended=vitals.clock.suspended,
        **more,
    )


def _work(vitals: Vitals) -> list[m.Work]:
    return [
        m.Work(
            name=one.name,
            process=process,
            kind=one.kind.value,
            running=one.running,
            failures=one.failures,
            restarts=one.restarts,
            items=one.depth,
            oldest_s=one.oldest_s,
            set_aside=one.set_aside,
            error=one.error,
        )
        for process, states in vitals.work.items()
        for one in states
    ]
