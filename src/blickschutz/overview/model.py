"""What a site tells, as a closed form, and what is known of each site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from blickschutz.situations.kinds import Kind

Whole = Annotated[int, Field(ge=0, le=10**9)]
Seconds = Annotated[float, Field(ge=0, le=10**10, allow_inf_nan=False)]
# What the tiles of a site's wall say.
CameraState = Literal["starting", "live", "stale", "lost", "redaction-fault", "stopped"]
# Letters and digits that can be nothing but what they are.
RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[0-9]{2}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4}){1,3}((a|b|rc|\.dev)[0-9]{1,4})?$")]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Count(_Closed):
    count: Whole
    oldest_s: Seconds


class Due(_Closed):
    due: Whole
    overdue: Whole
    oldest_s: Seconds


class Chain(_Closed):
    entries: Whole
    faults: Whole
    verified_at: AwareDatetime | None


class SiteClock(_Closed):
    offset_s: Annotated[float, Field(ge=-(10**10), le=10**10, allow_inf_nan=False)]
    suspended: bool


class Rules(_Closed):
    holds: Whole
    broken: Whole
    unknown: Whole
    gates: Whole
    broken_ids: Annotated[tuple[RuleId, ...], Field(max_length=200)]
    age_s: Seconds


class Needs(_Closed):
    urgent: Whole
    other: Whole


class Told(_Closed):
    """What `GET /api/v1/overview` of a site answers; anything else is no answer."""

    contract: Literal[1]
    version: Version
    at: AwareDatetime
    up_s: Seconds
    cameras: dict[CameraState, Whole]
    recording: bool
    alerts: dict[Kind, Count]
    deadlines: Due | None
    chain: Chain | None
    clock: SiteClock
    rules: Rules
    needs: Needs


class Fault(StrEnum):
    """Why nothing was read: all that is kept of an answer that was none."""

    AWAY = "away"
    SLOW = "slow"
    CERTIFICATE = "certificate"
    REFUSED = "refused"
    TOO_OFTEN = "too-often"
    ANSWER = "answer"
    SIZE = "size"
    FORM = "form"
    CONTRACT = "contract"


class ReadError(Exception):
    """Nothing was read, and that is why. It carries nothing of what was answered."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a site. `told` is the last answer, of the monotonic moment `told_at`; `fault` why there is none now, since
    `fault_since`; `since` is when it was first read in a row. `told` stays while it is away; None where it never answered.
    """

    told: Told | None = None
    told_at: float = 0.0
    told_when: datetime | None = None
    since: datetime | None = None
    fault: Fault | None = None
    fault_since: datetime | None = None

    @property
    def is_away(self) -> bool:
        return self.fault is not None
