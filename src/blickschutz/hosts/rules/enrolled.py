"""Which enrolment of a host counts. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from blickschutz.hosts.model import Enrolled


def valid(enrolled: Iterable[Enrolled], now: float) -> dict[str, str]:
    """By host its enrolment: the last one that was neither revoked nor ran out (`now`: POSIX)."""
    return {one.host: one.enrolment for one in enrolled if one.revoked is None and now < one.until}
