"""Figures for Prometheus: of the cells, and of the control room itself. Every metric is named and explained in `METRICS`.

Names by its convention: base units, `_total` on counters, moments as POSIX seconds. What is not known has no sample.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from blickschutz import __version__
from blickschutz.control.replicas import ReplicaState
from blickschutz.control.vitals import Vitals
from blickschutz.guard.model import WorkKind, WorkState
from blickschutz.pipeline.messages import Health
from blickschutz.wall.model import TileState
from blickschutz.web.ports import CameraControl, ControlRoom

T = TypeVar("T")
# Values of the labels, and the figure.
Sample = tuple[Sequence[str], float]
_MB = 1024.0 * 1024.0


class _Metric(NamedTuple):
    about: str
    labels: tuple[str, ...]
    read: Callable[[Vitals], Iterable[Sample]]


def _one(value: float | None) -> Iterator[Sample]:
    if value is not None:
        yield (), float(value)


def _of(part: T | None, read: Callable[[T], float]) -> Iterator[Sample]:
    """A figure of something that may not be known."""
    if part is not None:
        yield (), float(read(part))


def _works(read: Callable[[WorkState], float]) -> Callable[[Vitals], Iterator[Sample]]:
    return lambda v: (((one.name, process), float(read(one))) for process, states in v.work.items() for one in states)


def _running(vitals: Vitals) -> Iterator[Sample]:
    for process, states in vitals.work.items():
        yield from (((one.name, process, one.kind.value), float(one.running)) for one in states)


def _queues(read: Callable[[WorkState], float]) -> Callable[[Vitals], Iterator[Sample]]:
    def samples(v: Vitals) -> Iterator[Sample]:
        for states in v.work.values():
            yield from (((one.name,), float(read(one))) for one in states if one.kind is WorkKind.QUEUE)

    return samples


def _copies(read: Callable[[ReplicaState], float | None]) -> Callable[[Vitals], Iterator[Sample]]:
    def samples(v: Vitals) -> Iterator[Sample]:
        for one in v.replication.replicas if v.replication is not None else ():
            if (value := read(one)) is not None:
                yield (one.name,), float(value)

    return samples


_WORK = ("name", "process")
_COPY = ("replica",)
_KIND = ("camera", "kind")
ROOM_METRICS: Mapping[str, _Metric] = {
    "blickschutz_build_info": _Metric("1, with the version", ("version",), lambda v: [((__version__,), 1.0)]),
    "blickschutz_up_seconds": _Metric("Time since the control room's start", (), lambda v: _one(v.up_s)),
    "blickschutz_work_running": _Metric(
        "1 where a piece of background work runs; of the kind short only while there is something to do", (*_WORK, "kind"), _running
    ),
    "blickschutz_work_failures_total": _Metric("Failures of background work since the start", _WORK, _works(lambda w: w.failures)),
    "blickschutz_work_restarts_total": _Metric("Restarts of background work after a failure", _WORK, _works(lambda w: w.restarts)),
    "blickschutz_work_set_aside": _Metric("Items that were given up since the start", _WORK, _works(lambda w: w.set_aside)),
    "blickschutz_queue_items": _Metric("Items that wait or are in work", ("name",), _queues(lambda w: w.depth)),
    "blickschutz_queue_oldest_seconds": _Metric("Age of the oldest item", ("name",), _queues(lambda w: w.oldest_s)),
    "blickschutz_database_up": _Metric(
        "1 where a database answers", ("database",), lambda v: [((d.name,), float(d.read_s is not None)) for d in v.databases]
    ),
    "blickschutz_database_read_seconds": _Metric(
        "Time that a read of one row took", ("database",), lambda v: [((d.name,), d.read_s) for d in v.databases if d.read_s is not None]
    ),
    "blickschutz_database_last_write_timestamp_seconds": _Metric(
        "When something was last written", ("database",), lambda v: [((d.name,), d.written) for d in v.databases if d.written]
    ),
    "blickschutz_database_last_refusal_timestamp_seconds": _Metric(
        "When something could last not be written", ("database",), lambda v: [((d.name,), d.refused) for d in v.databases if d.refused]
    ),
    "blickschutz_database_replica_up": _Metric(
        "1 where a copy of the database server is connected to it", _COPY, _copies(lambda c: float(c.there))
    ),
    "blickschutz_database_replica_awaited": _Metric("1 where a commit may wait for it", _COPY, _copies(lambda c: float(c.awaited))),
    "blickschutz_database_replica_lag_seconds": _Metric(
        "For how long at least it lacks something that its server shows", _COPY, _copies(lambda c: c.behind_s if c.there else None)
    ),
    "blickschutz_database_replica_lag_bytes": _Metric(
        "Bytes of the server's journal that it has not on its disk; kept for it where it is away", _COPY, _copies(lambda c: c.unstored)
    ),
    "blickschutz_database_commits_awaited": _Metric(
        "1 where a commit waits for a copy; none where the server is to have no copies",
        (),
        lambda v: _one(float(v.replication.awaits) if v.replication is not None and v.replication.expected else None),
    ),
    "blickschutz_database_replicas_visible": _Metric(
        "1 where it can be seen how they are",
        (),
        lambda v: _one(float(not v.replication.problem) if v.replication is not None and v.replication.expected else None),
    ),
    "blickschutz_event_loop_lag_p99_seconds": _Metric(
        "How late the event loop was in the last minute, 99 of 100", (), lambda v: _one(v.loop.p99_s)
    ),
    "blickschutz_event_loop_lag_max_seconds": _Metric("The same at most", (), lambda v: _one(v.loop.max_s)),
    "blickschutz_disk_free_bytes": _Metric("Free bytes of the disk of recordings", (), lambda v: _one(v.disk.free)),
    "blickschutz_disk_reserve_bytes": _Metric("Bytes below which nothing is recorded", (), lambda v: _one(v.disk.reserve)),
    "blickschutz_disk_forecast_seconds": _Metric("Recording that still fits at the rate so far", (), lambda v: _one(v.disk.forecast_s)),
    "blickschutz_log_entries": _Metric("Entries of the log", (), lambda v: _of(v.chain, lambda c: c.entries)),
    "blickschutz_log_verified_entries": _Metric(
        "Entry up to which the chain was verified", (), lambda v: _of(v.chain, lambda c: c.verified)
    ),
    "blickschutz_log_verified_timestamp_seconds": _Metric(
        "When the chain was last verified; 0 for not yet", (), lambda v: _of(v.chain, lambda c: c.verified_at)
    ),
    "blickschutz_log_whole_verified_timestamp_seconds": _Metric(
        "When the whole chain was last verified; 0 for not yet", (), lambda v: _of(v.chain, lambda c: c.whole_at)
    ),
    "blickschutz_log_faults": _Metric("Faults of the chain", (), lambda v: _of(v.chain, lambda c: c.faults)),
    "blickschutz_log_anchored_entries": _Metric(
        "Entry up to which the witness countersigned", (), lambda v: _of(v.anchor, lambda a: a.number)
    ),
    "blickschutz_log_anchored_timestamp_seconds": _Metric(
        "When the witness last countersigned; 0 for not yet", (), lambda v: _of(v.anchor, lambda a: a.at)
    ),
    "blickschutz_log_anchor_failing": _Metric(
        "1 while log and witness disagree, or the witness is away", (), lambda v: _of(v.anchor, lambda a: bool(a.problem))
    ),
    "blickschutz_deadlines_due": _Metric(
        "Clips that are still there though their time is up", (), lambda v: _of(v.deadlines, lambda d: d.due)
    ),
    "blickschutz_deadlines_overdue": _Metric("Those of them that should be gone", (), lambda v: _of(v.deadlines, lambda d: d.overdue)),
    "blickschutz_deadlines_oldest_overdue_seconds": _Metric(
        "By how much the oldest is late", (), lambda v: _of(v.deadlines, lambda d: d.oldest_s)
    ),
    "blickschutz_notices_unsent": _Metric(
        "Notices that wait for their channel", ("channel",), lambda v: [((c.name,), c.waiting) for c in v.channels or ()]
    ),
    "blickschutz_notices_oldest_seconds": _Metric(
        "Age of the oldest of them", ("channel",), lambda v: [((c.name,), c.oldest_s) for c in v.channels or ()]
    ),
    "blickschutz_notices_set_aside": _Metric(
        "Notices that a channel refused though it took others",
        ("channel",),
        lambda v: [((c.name,), c.set_aside) for c in v.channels or ()],
    ),
    "blickschutz_certificate_expiry_timestamp_seconds": _Metric(
        "When the server's certificate ends", (), lambda v: _one(v.certificate_until)
    ),
    "blickschutz_clock_offset_seconds": _Metric(
        "How far the wall clock is ahead of the time for deadlines", (), lambda v: _one(v.clock.offset_s)
    ),
    "blickschutz_clock_suspended": _Metric("1 while deadlines wait for the clock", (), lambda v: _one(v.clock.suspended)),
    "blickschutz_orders_open": _Metric("Orders to record without an outcome", (), lambda v: _of(v.orders, lambda o: o.open)),
    "blickschutz_orders_oldest_seconds": _Metric("Age of the oldest of them", (), lambda v: _of(v.orders, lambda o: o.oldest_s)),
    "blickschutz_shadow": _Metric(
        "1 while a camera only counts, to find out what its thresholds cost",
        ("camera",),
        lambda v: [((b.camera,), float(b.in_shadow)) for b in v.budget],
    ),
    "blickschutz_observed_seconds": _Metric(
        "Observation on which a camera's thresholds are judged", ("camera",), lambda v: [((b.camera,), b.observed_s) for b in v.budget]
    ),
    "blickschutz_thresholds_proposed": _Metric(
        "Thresholds that wait for supervision", ("camera",), lambda v: [((b.camera,), b.waiting) for b in v.budget]
    ),
    "blickschutz_kinds_unavailable": _Metric(
        "Kinds that a camera cannot tell within its budget", ("camera",), lambda v: [((b.camera,), len(b.unavailable)) for b in v.budget]
    ),
    "blickschutz_budget_used_ratio": _Metric(
        "False alarms that are expected at the threshold in force, as a share of the kind's budget",
        _KIND,
        lambda v: [((b.camera, kind), share) for b in v.budget for kind, share in b.shares.items()],
    ),
    "blickschutz_episodes_total": _Metric(
        "Episodes of evidence since the start, told or not",
        _KIND,
        lambda v: [((b.camera, kind), count) for b in v.budget for kind, count in b.episodes.items()],
    ),
    "blickschutz_alarms_total": _Metric(
        "Those of them that reached their threshold",
        _KIND,
        lambda v: [((b.camera, kind), count) for b in v.budget for kind, count in b.alarms.items()],
    ),
    "blickschutz_quarantined_clips": _Metric("Clips in quarantine; two people decide about them", (), lambda v: _one(v.quarantined)),
    "blickschutz_uncopied_clips": _Metric("Clips on hosts that are to have a second copy and have none", (), lambda v: _one(v.uncopied)),
}


class _CellMetric(NamedTuple):
    about: str
    read: Callable[[Health], float]


CELL_METRICS: Mapping[str, _CellMetric] = {
    "blickschutz_frames_total": _CellMetric("Frames that a cell took from its camera", lambda h: h.frames),
    "blickschutz_frames_dropped_total": _CellMetric("Frames that a cell dropped because it was behind", lambda h: h.dropped),
    "blickschutz_frames_withheld_total": _CellMetric(
        "Frames that a cell neither looked at nor showed since they rest on missing or damaged parts of the stream", lambda h: h.withheld
    ),
    "blickschutz_frames_analysed_total": _CellMetric("Frames that were analysed", lambda h: h.analysed),
    "blickschutz_frames_encoded_total": _CellMetric("Redacted frames that were encoded for the wall", lambda h: h.encoded),
    "blickschutz_detections_run_total": _CellMetric("Runs of the detector", lambda h: h.detections_run),
    "blickschutz_detections_spared_total": _CellMetric("Runs of the detector that motion gating spared", lambda h: h.detections_spared),
    "blickschutz_redaction_faults_total": _CellMetric("Failures of analysis or redaction; each gave a blank picture", lambda h: h.faults),
    "blickschutz_reconnects_total": _CellMetric("Connections to the camera that were lost", lambda h: h.reconnects),
    "blickschutz_cpu_seconds_total": _CellMetric("Processor time of the cell", lambda h: h.cpu_s),
    "blickschutz_frames_per_second": _CellMetric("Frames per second over the last four seconds", lambda h: h.fps),
    "blickschutz_least_person_pixels": _CellMetric("Height of the smallest person that is proven covered", lambda h: h.least_px),
    "blickschutz_memory_pss_bytes": _CellMetric("Proportional memory of the cell", lambda h: h.pss_mb * _MB),
}
DECODER, DECODER_TROUBLE = "blickschutz_decoder_in_use", "blickschutz_decoder_trouble"
CAMERA_METRICS: Mapping[str, str] = {
    DECODER: "1 for what decodes the camera's stream, beside what the settings want",
    DECODER_TROUBLE: "1 where another one decodes than the settings want, or it costs more of the processor than software",
    "blickschutz_camera_state": "1 for the state that the camera's tile shows",
    "blickschutz_cell_restarts_total": "Restarts of the cell since the system's start",
}
REFUSED = "blickschutz_requests_refused_total"
METRICS: Mapping[str, str] = {
    **{name: metric.about for name, metric in ROOM_METRICS.items()},
    **{name: metric.about for name, metric in CELL_METRICS.items()},
    **CAMERA_METRICS,
    "blickschutz_safe_mode": "1 while something is missing and nothing is destroyed or recorded because of it",
    "blickschutz_stuck_clips": "Recordings whose destruction was ordered and fails",
    REFUSED: "Requests that were answered with words because something did not go",
}


def _family(name: str, labels: Sequence[str]) -> CounterMetricFamily | GaugeMetricFamily:
    if name.endswith("_total"):
        return CounterMetricFamily(name, METRICS[name], labels=list(labels))
    return GaugeMetricFamily(name, METRICS[name], labels=list(labels))


class VitalsCollector(Collector):
    """Asks how the control room is when it is asked; registering it asks nothing."""

    def __init__(self, room: ControlRoom) -> None:
        self._room = room

    def describe(self) -> Iterable[Metric]:
        return [_family(name, metric.labels) for name, metric in ROOM_METRICS.items()]

    def collect(self) -> Iterable[Metric]:
        vitals = self._room.vitals()
        for name, metric in ROOM_METRICS.items():
            family = _family(name, metric.labels)
            for labels, value in metric.read(vitals):
                family.add_metric(list(labels), value)
            yield family


RECORDS: Mapping[str, Callable[[ControlRoom], float]] = {
    "blickschutz_safe_mode": lambda room: float(room.recordings.safety.on),
    "blickschutz_stuck_clips": lambda room: float(len(room.recordings.stuck())),
}


class CameraCollector(Collector):
    """Reads the newest health of every camera when it is asked, and what of the records wants somebody."""

    def __init__(self, room: ControlRoom) -> None:
        self._room = room

    def collect(self) -> Iterable[Metric]:
        cameras: Mapping[str, CameraControl] = self._room.cameras
        for name, metric in CELL_METRICS.items():
            family = _family(name, ["camera"])
            for camera, control in cameras.items():
                # The cell may be lost at any moment; what was read once is used.
                health = control.health
                if health is not None:
                    family.add_metric([camera], metric.read(health))
            yield family
        states, restarts = _family("blickschutz_camera_state", ["camera", "state"]), _family("blickschutz_cell_restarts_total", ["camera"])
        for camera, control in cameras.items():
            now = control.state
            for state in TileState:
                states.add_metric([camera, state.value], float(now is state))
            restarts.add_metric([camera], max(0, control.restarts))
        yield states
        yield restarts
        yield from _decoders(cameras)
        for name, ask in RECORDS.items():
            records = _family(name, [])
            records.add_metric([], ask(self._room))
            yield records


def _decoders(cameras: Mapping[str, CameraControl]) -> Iterator[Metric]:
    used, trouble = _family(DECODER, ["camera", "wanted", "used"]), _family(DECODER_TROUBLE, ["camera"])
    for camera, control in cameras.items():
        health = control.health
        if health is not None and health.decoder is not None:
            used.add_metric([camera, health.decoder.wanted, health.decoder.used], 1.0)
            trouble.add_metric([camera], float(health.decoder.trouble))
    yield used
    yield trouble


class Refusals(Collector):
    """Counts answers that said that something does not go now, by reason."""

    def __init__(self) -> None:
        self._counts, self._lock = Counter[str](), threading.Lock()

    def count(self, reason: str) -> None:
        with self._lock:
            self._counts[reason] += 1

    def collect(self) -> Iterable[Metric]:
        family = _family(REFUSED, ["reason"])
        with self._lock:
            counts = dict(self._counts)
        for reason, count in sorted(counts.items()):
            family.add_metric([reason], count)
        yield family
