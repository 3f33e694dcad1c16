"""Figures of the cells for Prometheus. Every metric is named and explained in `METRICS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from blickschutz.pipeline.messages import Health
from blickschutz.review.model import CaseState
from blickschutz.wall.model import TileState
from blickschutz.web.ports import ControlRoom


class _Metric(NamedTuple):
    about: str
    counter: bool
    read: Callable[[Health], float]


METRICS: Mapping[str, _Metric] = {
    "blickschutz_frames": _Metric("Frames that a cell took from its camera", True, lambda h: h.frames),
    "blickschutz_frames_dropped": _Metric("Frames that a cell dropped because it was behind", True, lambda h: h.dropped),
    "blickschutz_frames_analysed": _Metric("Frames that were analysed", True, lambda h: h.analysed),
    "blickschutz_frames_encoded": _Metric("Redacted frames that were encoded for the wall", True, lambda h: h.encoded),
    "blickschutz_detections_run": _Metric("Runs of the detector", True, lambda h: h.detections_run),
    "blickschutz_detections_spared": _Metric("Runs of the detector that motion gating spared", True, lambda h: h.detections_spared),
    "blickschutz_redaction_faults": _Metric("Failures of analysis or redaction; each gave a blank picture", True, lambda h: h.faults),
    "blickschutz_reconnects": _Metric("Connections to the camera that were lost", True, lambda h: h.reconnects),
    "blickschutz_cpu_seconds": _Metric("Processor time of the cell", True, lambda h: h.cpu_s),
    "blickschutz_frames_per_second": _Metric("Frames per second over the last four seconds", False, lambda h: h.fps),
    "blickschutz_memory_pss_megabytes": _Metric("Proportional memory of the cell", False, lambda h: h.pss_mb),
}


RECORDS: Mapping[str, tuple[str, Callable[[ControlRoom], float]]] = {
    "blickschutz_safe_mode": (
        "1 while something is missing and nothing is destroyed or recorded because of it",
        lambda room: float(room.recordings.safety.on),
    ),
    "blickschutz_quarantined_clips": (
        "Recordings that wait in quarantine for two people",
        lambda room: float(room.office.cases.store.counts().get(CaseState.QUARANTINED, 0)),
    ),
    "blickschutz_stuck_clips": (
        "Recordings whose destruction was ordered and fails",
        lambda room: float(len(room.recordings.stuck())),
    ),
}


class CameraCollector(Collector):
    """Reads the newest health of every camera when it is asked, and what of the records wants somebody."""

    def __init__(self, room: ControlRoom) -> None:
        self._room = room

    def collect(self) -> Iterable[Metric]:
        cameras = self._room.cameras
        for name, metric in METRICS.items():
            family = (CounterMetricFamily if metric.counter else GaugeMetricFamily)(name, metric.about, labels=["camera"])
            for camera, control in cameras.items():
                if control.health is not None:
                    family.add_metric([camera], metric.read(control.health))
            yield family
        states = GaugeMetricFamily("blickschutz_camera_state", "1 for the state that the camera's tile shows", labels=["camera", "state"])
        restarts = CounterMetricFamily("blickschutz_cell_restarts", "Restarts of the cell since the system's start", labels=["camera"])
        for camera, control in cameras.items():
            for state in TileState:
                states.add_metric([camera, state.value], float(control.state is state))
            restarts.add_metric([camera], max(0, control.restarts))
        yield states
        yield restarts
        for name, (about, read) in RECORDS.items():
            family = GaugeMetricFamily(name, about)
            family.add_metric([], read(self._room))
            yield family
