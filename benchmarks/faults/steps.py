"""What the documentation tells people to do when a fault is over."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack

import httpx
from benchmarks.faults.round import Round

_SUPERVISORS = ("aufsicht", "aufsicht-2")
_TRIES = 4
_HIDDEN = r'<input type="hidden" name="{}" value="([^"]+)">'
_CHOICE = re.compile("".join(_HIDDEN.format(name) for name in ("basis", "seen", "seconds")))
_NUMBER = re.compile(r'action="/clock/confirm">\s*<input type="hidden" name="number" value="(\d+)"')


def confirm_clock(round_: Round) -> None:
    """The machine's clock is right now. Where deadlines are suspended all the same, two people who see what follows say so."""
    with ExitStack() as stack:
        try:
            if not _suspended(round_):
                return
            first, second = (stack.enter_context(round_.system.session(person)) for person in _SUPERVISORS)
            for _ in range(_TRIES):
                choices = {basis: (seen, seconds) for basis, seen, seconds in _CHOICE.findall(first.get("/clock").text)}
                if not choices:
                    return
                basis = "wall" if "wall" in choices else "count"
                seen, seconds = choices[basis]
                first.post("/clock/propose", data={"basis": basis, "seen": seen, "seconds": seconds, "read": "1"})
                found = _NUMBER.search(second.get("/clock").text)
                if found is not None and second.post("/clock/confirm", data={"number": found[1], "read": "1"}).status_code == 303:
                    return
            round_.ledger.broken("work_not_running", "two people cannot settle the time for deadlines")
        except httpx.HTTPError as error:
            round_.ledger.broken("work_not_running", f"the clock cannot be confirmed: {error}")


def _suspended(round_: Round) -> bool:
    """Whether deadlines wait for people. What ends by itself has a few seconds to do so."""
    end = time.monotonic() + 8 * round_.system.slow
    suspended = True
    while suspended and time.monotonic() < end:
        answer = round_.system.api("technik").get("/health")
        suspended = answer.status_code != 200 or bool(answer.json().get("clock_suspended"))
        time.sleep(0.5)
    return suspended


def accept_loss(round_: Round) -> None:
    """Two people of the supervision read what was lost and accept that there is no better backup."""
    for person in _SUPERVISORS:
        try:
            with round_.system.session(person) as pages:
                found = re.search(r'name="what" value="([^"]*)"', pages.get("/loss").text)
                if found is None:
                    return
                pages.post("/loss/accept", data={"what": found[1], "sure": "yes"})
        except httpx.HTTPError as error:
            round_.ledger.broken("work_not_running", f"{person} cannot accept the loss: {error}")
