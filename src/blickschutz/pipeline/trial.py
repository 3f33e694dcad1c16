"""The process of a trial: one camera's stream looked at for some seconds, its ONVIF service asked once, or a network asked for cameras.

It is forked by the launcher like a cell, confined before it connects, and over with the order that it was given. What it may do is its
order's profile: a stream, a service and a search are three processes.
"""

from __future__ import annotations

import contextlib
import ipaddress
import math
import select
import signal
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import structlog

from blickschutz.analysis.io.registry import ModelRegistry
from blickschutz.analysis.service import Analyser
from blickschutz.ingest.io.discovery import answers, asking, own_address
from blickschutz.ingest.io.gate import local_listener
from blickschutz.ingest.io.onvif import OnvifCamera
from blickschutz.ingest.io.trial import cause_of, try_stream
from blickschutz.ingest.model import Measured, NoticeSettings, SourceKind, Step
from blickschutz.kernel.clock import Clock, SystemClock
from blickschutz.kernel.errors import DeviceError, FaultError, ModelError
from blickschutz.kernel.frames import RawFrame, RedactedFrame
from blickschutz.kernel.scene import Doubt
from blickschutz.pipeline.credentials import joined
from blickschutz.pipeline.detector import NoDetector, load_detector
from blickschutz.pipeline.figures import keep_memory_together, memory_mb
from blickschutz.pipeline.logs import configure_logs
from blickschutz.pipeline.messages import CellSettings
from blickschutz.pipeline.path import RedactionPath
from blickschutz.pipeline.profile import device_profile, trial_profile
from blickschutz.pipeline.showing import Showing
from blickschutz.pipeline.trials import (
    MOST_PICTURE,
    AskDevice,
    CameraAnswered,
    FromTrial,
    PictureTold,
    Seek,
    StepTold,
    StreamOffered,
    order_of,
)
from blickschutz.wall.io.jpeg import jpeg
from blickschutz.wire.frames import pack
from blickschutz.zones import profiles
from blickschutz.zones.hardening import confine, harden

_log = structlog.get_logger(__name__)
# So long after its time, or without an order, the kernel ends the process, whoever may have forgotten it.
GRACE_S = 5
# Whoever is so far behind shows one picture in so many seconds. Each is analysed all the same: a place must be seen empty to be known.
_BEHIND_S, _SHOWN_EVERY_S = 1.0, 1.0
_MOST_OFFERS, _MOST_WORD = 8, 200
_MOST_ANSWERS = 64


class GoneError(Exception):
    """The control room wants no more of it."""


class Looking:
    """Looks at the pictures of a trial as a cell does while somebody watches: analysed, redacted, the newest proven one kept."""

    def __init__(self, settings: CellSettings, clock: Clock, gone: socket.socket) -> None:
        self._settings, self._clock, self._gone = settings, clock, gone
        self._path: RedactionPath | None = None
        self._picture: RedactedFrame | None = None
        self._began: tuple[float, float] | None = None
        self._shown_at = float("-inf")
        self._blind = False

    def opened(self, width: int, height: int) -> None:
        """Load and prepare what looks; before the first picture is read, as in a cell."""
        settings = self._settings
        registry = ModelRegistry(Path(settings.models)) if settings.models else ModelRegistry()
        detector = load_detector(settings.model, registry, settings.device)
        self._blind = isinstance(detector, NoDetector)
        analyser = Analyser(detector, settings.analysis)
        if width and height and not self._blind:
            # The first picture meets the same error, and is not shown.
            with contextlib.suppress(ModelError, FaultError):
                analyser.prepare(width, height)
        self._path = RedactionPath(analyser, Showing(settings.redaction, settings.encoder.width), settings.analysis.rate)

    def take(self, frame: RawFrame) -> None:
        if gone(self._gone):
            raise GoneError
        if self._began is None:
            self._began = self._clock.monotonic(), time.process_time()
        path = self._path
        if path is None:
            return
        behind = self._clock.monotonic() - frame.at > _BEHIND_S
        for shown in path.push(frame, wanted=not behind or frame.at - self._shown_at > _SHOWN_EVERY_S):
            self._shown_at = frame.at
            if path.counters.doubt is None:
                self._picture = shown

    def load(self) -> Measured | None:
        """What it cost, from the first picture until now; None where there was none."""
        if self._began is None:
            return None
        wall, cpu = self._clock.monotonic() - self._began[0], time.process_time() - self._began[1]
        return Measured(cores=max(0.0, cpu / wall) if wall > 0 else 0.0, memory_mb=memory_mb()[1])

    def picture(self) -> PictureTold:
        """The newest picture that was proven, or why none was."""
        if self._picture is not None:
            data = jpeg(self._picture)
            if len(data) <= MOST_PICTURE:
                return PictureTold(data)
        doubt = self._path.counters.doubt if self._path is not None else None
        return PictureTold(b"", Doubt.NO_DETECTOR if self._blind else doubt or Doubt.STARTING)


def gone(line: socket.socket) -> bool:
    """Whether nobody is at the other end any more; whoever is has nothing to say."""
    waiting = select.poll()
    waiting.register(line, select.POLLIN)
    return bool(waiting.poll(0))


def stream_told(
    settings: CellSettings, seconds: float, clock: Clock, line: socket.socket, listener: socket.socket | None = None
) -> Iterator[FromTrial]:
    """Each step of a stream as it is known, then what it costs, then a picture; nothing after the first step that fails."""
    looking = Looking(settings, clock, line)
    for told in try_stream(settings.source, seconds, clock, looking, listener):
        yield StepTold(told.step, told.cause, told.measured)
    cost = looking.load()
    if cost is not None:
        yield StepTold(Step.LOAD, None, cost)
        yield looking.picture()


def device_told(device: NoticeSettings, clock: Clock, *, streams: bool) -> Iterator[FromTrial]:
    """How far the camera's clock is ahead, and where its streams are."""
    step = Step.CLOCK
    try:
        camera = OnvifCamera(device.address, clock, device.authority, device.fingerprint, pull_s=0)
        yield StepTold(step, None, Measured(clock_s=camera.difference_s()))
        if not streams:
            return
        step = Step.PROFILE
        for one in camera.profiles()[:_MOST_OFFERS]:
            address = camera.stream(one.token)
            if len(address) <= _MOST_WORD:
                yield StreamOffered(address, one.width, one.height)
    except DeviceError as error:
        yield StepTold(step, cause_of(error))


def found_told(order: Seek, clock: Clock, asked: Sequence[socket.socket]) -> Iterator[FromTrial]:
    """Who answered out of the networks that were asked."""
    networks = [ipaddress.ip_network(one) for one in order.networks]
    found = answers(clock, order.seconds, asked) if asked else []
    for one in found[:_MOST_ANSWERS]:
        if any(ipaddress.ip_address(one.host) in network for network in networks):
            yield CameraAnswered(one.host[:_MOST_WORD], one.address[:_MOST_WORD], one.name[:_MOST_WORD])


def _sockets(networks: Iterable[str]) -> list[socket.socket]:
    """One for each of this machine's own addresses in those networks."""
    known = [network for network in map(ipaddress.ip_network, networks) if isinstance(network, ipaddress.IPv4Network)]
    opened = []
    for own in dict.fromkeys(filter(None, map(own_address, known))):
        try:
            opened.append(asking(own))
        except OSError as error:
            _log.error("network_not_asked", problem=error.strerror)
    return opened


def run_trial(connection: socket.socket) -> None:
    """Entry point of a trial's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the control room ends its processes in order
    signal.alarm(GRACE_S)
    configure_logs()
    harden()
    keep_memory_together()
    cv2.setNumThreads(1)
    told = order_of(connection)
    if told is None:
        return
    order, secret = told
    signal.alarm(math.ceil(order.within_s) + GRACE_S)
    clock = SystemClock()
    with contextlib.suppress(GoneError, BrokenPipeError, ConnectionResetError):  # nobody waits for the rest of it
        if isinstance(order, Seek):
            asked = _sockets(order.networks)
            confine(profiles.finder())
            _say(connection, found_told(order, clock, asked))
        elif isinstance(order, AskDevice):
            device = replace(order.device, address=secret.notices or order.device.address)
            confine(device_profile(device.address))
            _say(connection, device_told(device, clock, streams=order.streams))
        else:
            settings = joined(order.settings, secret)
            listener = local_listener() if settings.source.kind is SourceKind.RTSP else None
            confine(trial_profile(settings, *([listener.getsockname()[1]] if listener is not None else [])))
            _say(connection, stream_told(settings, order.seconds, clock, connection, listener))


def _say(connection: socket.socket, answers_: Iterable[FromTrial]) -> None:
    for one in answers_:
        connection.sendall(pack(one))
    connection.close()
