"""What the documentation tells people to do when a fault is over."""

from __future__ import annotations

import re

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


def accept_loss(round_: Round) -> None:
    """Two people of the supervision read what was lost and accept that there is no better backup."""
    for person in ("aufsicht", "aufsicht-2"):
        try:
            with round_.system.session(person) as pages:
                found = re.search(r'name="what" value="([^"]*)"', pages.get("/loss").text)
                if found is None:
                    return
                pages.post("/loss/accept", data={"what": found[1], "sure": "yes"})
        except httpx.HTTPError as error:
            round_.ledger.broken("work_not_running", f"{person} cannot accept the loss: {error}")
