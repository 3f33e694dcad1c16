"""What the programming interface says and hears. Times are ISO 8601 with zone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from blickschutz.regime.model import MOST_OVERRIDE_HOURS

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
BYTES: Final = {"type": "string", "format": "binary"}
Number = Annotated[int, Field(ge=1, le=2**53)]


class Said(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class Heard(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Wrong(Said):
    """Something in a request that has not the form that is meant."""

    where: list[str | int]
    """The way to it: `body`, then names and numbers."""
    text: str


class Problem(Said):
    """Why something was not done (RFC 9457)."""

    type: str
    title: str
    status: int
    problem: str
    """A word that programs compare."""
    text: str
    """The same in a sentence."""
    fields: list[Wrong] | None = None
    """What of the request is wrong, where `problem` is `form`."""


class Me(Said):
    person: str
    roles: list[str]
    scopes: list[str]
    """What this token may do now."""


class Camera(Said):
    id: str
    name: str
    side: str
    state: str
    """starting, live, stale, lost, redaction-fault or stopped."""
    cause: str
    """Why there is no live picture; empty where there is one."""
    stopped: bool


class Figures(Said):
    """Health of one camera, as its cell told it last."""

    camera: str
    state: str
    fps: float | None
    frames: int | None
    dropped: int | None
    withheld: int | None
    faults: int | None
    reconnects: int | None
    restarts: int
    pss_mb: float | None


class Need(Said):
    """Something of the control room that needs somebody."""

    need: str
    """A word that programs compare; the page of health says what it means and what to do."""
    subject: str
    urgent: bool
    since: datetime | None
    count: int
    problem: str


class Work(Said):
    """A thread, a task or a queue of the control room."""

    name: str
    process: str
    kind: str
    running: bool
    failures: int
    restarts: int
    items: int
    oldest_s: float
    set_aside: int
    error: str


class Database(Said):
    name: str
    read_s: float | None
    """How long a read took; null where the database does not answer."""
    written: datetime | None
    refused: datetime | None


class Channel(Said):
    name: str
    unsent: int
    oldest_s: float
    problem: str


class Health(Said):
    """Figures; what the database would have said and did not is null."""

    needs: list[Need]
    """What needs somebody, the urgent first; empty where all is well."""
    work: list[Work]
    databases: list[Database]
    channels: list[Channel]
    loop_lag_p99_s: float
    loop_lag_max_s: float
    """How late the event loop was in the last minute."""
    disk_reserve_bytes: int
    disk_forecast_s: float | None
    log_verified: int | None
    log_verified_at: datetime | None
    log_whole_verified_at: datetime | None
    deadlines_due: int | None
    deadlines_overdue: int | None
    deadlines_oldest_overdue_s: float | None
    orders_open: int | None
    orders_oldest_s: float | None
    quarantined: int | None
    clock_suspended: bool
    cameras: list[Figures]
    recording_problem: str
    """Why nothing can be recorded; empty where it can."""
    free_bytes: int | None
    clock_offset_s: float
    deadlines_suspended: bool
    """Whether no deadline ends anything, because the time is not certain."""
    suspended_reason: str
    """Why; empty where deadlines run."""
    log_entries: int | None
    log_faults: int | None
    certificate_until: datetime | None
    models: dict[str, str]
    """Registered detectors and their SHA-256."""


class Count(Said):
    count: int
    oldest_s: float
    """Age of the oldest."""


class DueClips(Said):
    due: int
    """Clips that are still there though their time is up."""
    overdue: int
    """Those of them that should be gone."""
    oldest_s: float


class Chain(Said):
    entries: int
    faults: int
    verified_at: datetime | None


class ClockSaid(Said):
    offset_s: float
    """How far the wall clock is ahead of the time for deadlines."""
    suspended: bool
    """Whether deadlines wait for the clock."""


class RulesSaid(Said):
    holds: int
    broken: int
    unknown: int
    gates: int
    """Gates that are closed."""
    broken_ids: list[str]
    age_s: float
    """How old that is."""


class NeedsSaid(Said):
    urgent: int
    other: int


class Overview(Said):
    """What an overview of several sites may know: numbers and words of closed lists. Never a name, a place or a picture."""

    contract: Literal[1] = 1
    version: str
    at: datetime
    up_s: float
    cameras: dict[str, int]
    """By state how many."""
    recording: bool
    """Whether every camera that sends something can be recorded."""
    alerts: dict[str, Count]
    """Open ones by kind."""
    deadlines: DueClips | None
    chain: Chain | None
    clock: ClockSaid
    rules: RulesSaid
    needs: NeedsSaid


class Decision(Said):
    at: datetime
    event: str
    by: str
    text: str


class Alert(Said):
    id: int
    camera: str
    kind: str
    zone: str
    state: str
    confidence: float
    taken: datetime
    raised: datetime
    outcome: str | None
    note: str
    figures: dict[str, float]
    has_clip: bool
    history: list[Decision] | None = None


class Alerts(Said):
    alerts: list[Alert]
    next_before: int | None
    """Pass it as `before` to get the ones before; null at the end."""


class Because(Heard):
    reason: Reason


class Note(Heard):
    text: Text


class Close(Heard):
    outcome: Literal["confirmed", "false-alarm", "no-finding"]
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class Regime(Said):
    name: Literal["day", "night"]
    until: datetime
    reason: str
    by_hand: bool


class SetRegime(Heard):
    name: Literal["day", "night"]
    hours: Annotated[float, Field(gt=0, le=MOST_OVERRIDE_HOURS)]
    reason: Reason


class Case(Said):
    """A recording that waits for review, or is held. What was seen in it is told in the review room only."""

    id: int
    clip: str
    camera: str
    mode: str
    cause: str
    state: str
    opened: datetime
    deadline: datetime | None
    """When its time is up; null while the time is not certain and no deadline ends anything."""
    verdicts: int
    """How many verdicts were given; what they are stays sealed until both have spoken."""
    held_until: datetime | None
    hold: Hold | None = None
    """Only where one case is asked for."""


class Hold(Said):
    """Why a case is kept beyond its limit. Holds are set and ended by two people on the pages, never by a token."""

    ground: str
    reference: str
    owner: str
    by: list[str]
    since: datetime
    until: datetime


class Cases(Said):
    cases: list[Case]
    more: bool


class Package(Said):
    """A package of evidence, encrypted for its recipient. It is fetched on the page, where it is logged for whom."""

    name: str
    bytes: int
    made: datetime


class Entry(Said):
    number: int
    at: datetime
    event: str
    by: str
    subject: str
    facts: dict[str, Any]
    hash: str


class Entries(Said):
    entries: list[Entry]
    next_before: int | None


class Person(Said):
    id: str
    name: str
    roles: list[str]
    state: str
    trained_until: str | None
    second_factors: int


class Setting(Said):
    key: str
    value: str
    meaning: str
    line: int
    """Line of the site file; 0 where the default is in force."""
