"""What the documentation tells people to do when a fault is over."""

from __future__ import annotations

import httpx
from benchmarks.faults.round import Round


def confirm_clock(round_: Round) -> None:
    """Staff see that the clock is right again and say so."""
    for person in ("aufsicht", "aufsicht-2"):
        try:
            with round_.system.session(person) as pages:
                pages.post("/clock")
        except httpx.HTTPError as error:
            round_.ledger.broken("work_not_running", f"{person} cannot confirm the clock: {error}")
