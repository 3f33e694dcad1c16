"""The messages between the control room and a cell: a closed, schema-checked set (MessagePack by msgspec).

No pickle, no raw picture type: a cell has no message by which an unredacted pixel could leave it. No secret either: what a cell signs
in with comes beside the messages (`pipeline.credentials`). A change of a message is a new contract (`wire.greeting`).
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from blickschutz.analysis.model import AnalysisSettings
from blickschutz.guard.model import WorkState
from blickschutz.ingest.model import BackoffSettings, Cause, Found, NoticeSettings, NotifySettings, SessionState, SourceKind, SourceSettings
from blickschutz.ingest.rules.address import is_public
from blickschutz.kernel.devices import Decoding, Device, InUse
from blickschutz.kernel.errors import ProtocolError
from blickschutz.kernel.scene import Doubt
from blickschutz.recording.model import ClipNews, Keep, Order, RecordingSettings, Sealing
from blickschutz.redaction.model import RedactionSettings
from blickschutz.regime.model import Override, Service
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.situations.settings import SituationSettings
from blickschutz.wall.model import EncoderSettings


class CellSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All that a cell needs to know. `models` is the folder of the model registry, empty for the default.

    `clips` is the only folder in which it may make files; without it none. `source` is what is looked at and shown; `recorded` is another
    stream of the same camera that is recorded, where it has two. `device_lost`: why no device is tried for decoding in this life.
    """

    camera: str
    source: SourceSettings
    model: str = "centernet"
    device: Device = Device.CPU
    decoding: Decoding = Decoding.SOFTWARE
    device_lost: str = ""
    models: str = ""
    clips: str = ""
    backoff: BackoffSettings = BackoffSettings()
    analysis: AnalysisSettings = AnalysisSettings()
    redaction: RedactionSettings = RedactionSettings()
    encoder: EncoderSettings = EncoderSettings()
    situations: SituationSettings = SituationSettings()
    recording: RecordingSettings = RecordingSettings()
    notices: NoticeSettings | None = None
    notify: NotifySettings | None = None
    recorded: SourceSettings | None = None


class _Message(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    pass


class DoorSettings(msgspec.Struct, frozen=True):
    """By what a cell knows a later control room of its own installation: both have the `secret` of this life (`run`) of the cell.

    Part of no message: it is handed over beside the first one.
    """

    installation: str
    run: str
    secret: bytes


class Configure(_Message, frozen=True, tag="configure"):
    """What a cell is to do. Raises `ProtocolError` where the settings carry what a camera is signed in with."""

    settings: CellSettings

    def __post_init__(self) -> None:
        source, notices, notify = self.settings.source, self.settings.notices, self.settings.notify
        sources = [one for one in (source, self.settings.recorded) if one is not None]
        plain = all(one.kind is SourceKind.FILE or is_public(one.address) for one in sources)
        if not plain or (notices is not None and not is_public(notices.address)) or (notify is not None and notify.secret):
            raise ProtocolError("settings in a message carry a secret")


class AskClock(_Message, frozen=True, tag="ask-clock"):
    """A round trip by which the clock of the cell's machine is measured."""

    number: int


class TakenOver(_Message, frozen=True, tag="taken-over"):
    """Another control room has this cell from now on: it wants to be told what the last one did not confirm."""


class Heard(_Message, frozen=True, tag="heard"):
    """All news up to this number are where they outlast the control room."""

    number: int


class Watch(_Message, frozen=True, tag="watch"):
    """Encode for the wall, or stop encoding."""

    on: bool


class Stop(_Message, frozen=True, tag="stop"):
    """The stop control: let go of the camera (`on`), or take it up again."""

    on: bool


class FilmUntil(_Message, frozen=True, tag="film-until"):
    """The lease of the host: at that time (`kernel.clock.aging`) the camera is let go, whoever may be unable to say so, until a later one
    is told. Who is told none films without end.
    """

    until: float


class TakeSnapshot(_Message, frozen=True, tag="take-snapshot"):
    number: int


class TakeMoment(_Message, frozen=True, tag="take-moment"):
    """Give the redacted seconds from `since` to `until` (monotonic), from the packets in memory."""

    number: int
    since: float
    until: float


class Record(_Message, frozen=True, tag="record"):
    """Record: the last seconds and what follows."""

    order: Order


class EndOrder(_Message, frozen=True, tag="end-order"):
    """What an order was given for is over."""

    number: int


class SetThresholds(_Message, frozen=True, tag="set-thresholds"):
    """Lay these thresholds on the scores of situations from now on, by kind; what is not named has its start threshold."""

    thresholds: dict[Kind, float]


class SetSituations(_Message, frozen=True, tag="set-situations"):
    """Look for these situations from now on: zones, lines and rules are others. The thresholds in force stay."""

    situations: SituationSettings


class SetStanding(_Message, frozen=True, tag="standing", kw_only=True):
    """What follows from situations while nobody can be asked: a host that is cut off orders by it. Without a `sealing` nothing is recorded.

    `timezone`, `holidays` (a state of Germany) and `place` (latitude, longitude) are those of the site. No cell is told it.
    """

    service: Service
    timezone: str
    holidays: str
    place: tuple[float, float] | None
    override: Override | None
    sealing: Sealing | None
    keep: Keep


class Quit(_Message, frozen=True, tag="quit"):
    """End in good order."""


class Health(_Message, frozen=True, tag="health", kw_only=True):
    """The heartbeat, once a second. Counters since the cell's start; times in seconds; memory in MB.

    `work` are the threads of the cell; `detector` and `decoder` are where it computes and decodes; `least_px` is the height of the
    smallest person that is proven covered, in pixels of the camera's picture, 0 while it is not known; `withheld` are pictures that rest
    on missing or damaged parts of the stream.
    """

    session: SessionState
    stopped: bool
    doubt: Doubt | None
    fault: str = ""
    problem: str = ""
    cause: Cause | None = None
    width: int = 0
    height: int = 0
    least_px: int = 0
    fps: float = 0.0
    frames: int = 0
    dropped: int = 0
    withheld: int = 0
    analysed: int = 0
    detections_run: int = 0
    detections_spared: int = 0
    faults: int = 0
    reconnects: int = 0
    encoded: int = 0
    unsent: int = 0
    picture_at: float | None = None
    cpu_s: float = 0.0
    rss_mb: float = 0.0
    pss_mb: float = 0.0
    broken_rules: dict[str, str] = {}
    recording: str = ""
    unrecordable: str = ""
    work: tuple[WorkState, ...] = ()
    detector: InUse | None = None
    decoder: InUse | None = None


class Head(_Message, frozen=True, tag="head"):
    """The head of a new live stream."""

    generation: int
    codec: str
    data: bytes


class Fragment(_Message, frozen=True, tag="fragment"):
    """One redacted picture, encoded."""

    generation: int
    key: bool
    at: float
    taken: float
    data: bytes


class Snapshot(_Message, frozen=True, tag="snapshot"):
    """A redacted picture as JPEG; empty where there is none yet."""

    number: int
    data: bytes


class _News(_Message, frozen=True, kw_only=True):
    """What must not get lost. `number` counts the news of a cell's life from 1 on; 0 where nobody could ask for them again."""

    number: int = 0


class SituationTold(_News, frozen=True, tag="situation"):
    """A situation began, or ended (`ended_at`). Figures and places, never a picture.

    `over`: it began while there was no control room, and is over already.
    """

    situation: Situation
    over: bool = False


class FoundTold(_News, frozen=True, tag="found"):
    """The camera itself found something, or the end of it: when, by the clock of the cell's run (`at`) and by its wall clock (`taken`).

    `over`: it began while there was no control room, and is over already.
    """

    found: Found
    at: float
    taken: float
    over: bool = False


class EpisodeTold(_News, frozen=True, tag="episode"):
    """An episode of evidence ended, told to people or not: kind, times and its peak, never a place, a track or a picture."""

    kind: Kind
    zone: str
    taken: float
    seconds: float
    peak: float
    threshold: float


class ClockTold(_Message, frozen=True, tag="clock"):
    """When the question came and when this was said, by the monotonic clock of the cell's run; `wall` is its wall clock then (POSIX)."""

    number: int
    received: float
    answered: float
    wall: float


class Moment(_Message, frozen=True, tag="moment"):
    """Redacted seconds as MP4; empty where there are none."""

    number: int
    data: bytes


class ClipTold(_News, frozen=True, tag="clip"):
    """News of a clip on disk: facts, never a picture or a key."""

    news: ClipNews


class Resumed(_Message, frozen=True, tag="resumed"):
    """After all that was told again: the numbers of the orders and the names of the clips that the cell has in hand."""

    orders: tuple[int, ...]
    clips: tuple[str, ...]


ToCell: TypeAlias = (
    Configure
    | AskClock
    | Watch
    | Stop
    | FilmUntil
    | TakeSnapshot
    | TakeMoment
    | Record
    | EndOrder
    | SetThresholds
    | SetSituations
    | SetStanding
    | TakenOver
    | Heard
    | Quit
)
News: TypeAlias = SituationTold | FoundTold | EpisodeTold | ClipTold
FromCell: TypeAlias = (
    Health | ClockTold | Head | Fragment | Snapshot | SituationTold | FoundTold | EpisodeTold | ClipTold | Moment | Resumed
)
