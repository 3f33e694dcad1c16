"""Which bundle fits, and when a service that was started counts as ready."""

from __future__ import annotations

import re

from blickschutz.upgrade.model import Seen, Verdict

_NAME = re.compile(r"blickschutz-(?P<version>\w[\w.]*)-python(?P<python>\d+\.\d+)-(?P<machine>\w+)")
_STATUS = re.compile(r"(?P<live>\d+) of (?P<cameras>\d+) cameras live")
_NUMBERS = re.compile(r"\d+")


def version_of(name: str) -> str | None:
    """The version that a bundle's folder names; None where it is no bundle's."""
    found = _NAME.fullmatch(name)
    return found["version"] if found is not None else None


def is_older(one: str, other: str) -> bool:
    """Whether `one` is a release before `other` (numbers in their order, as in PEP 440's release segment)."""
    return _release(one) < _release(other)


def live_of(status: str) -> tuple[int | None, int | None]:
    """How many cameras are live, of how many, by the text that the service gives to its manager."""
    found = _STATUS.search(status)
    return (int(found["live"]), int(found["cameras"])) if found is not None else (None, None)


def judged(seen: Seen, before: Seen, restarts: int, waited_s: float, limit_s: float) -> Verdict:
    """What a look at the started service says. `before`: the service as it was with the old programs; `restarts`: when it was started.

    It has to become active without a restart by its manager, and show no fewer cameras live than before.
    """
    if seen.failed or seen.restarts > restarts:
        return Verdict.FAILED
    if seen.active and (seen.live or 0) >= (before.live or 0):
        return Verdict.READY
    return Verdict.WAIT if waited_s < limit_s else Verdict.FAILED


def _release(version: str) -> tuple[int, ...]:
    numbers = [int(one) for one in _NUMBERS.findall(version.split("+", maxsplit=1)[0])]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
