"""The mission from end to end without a browser: each step says what was expected and what was observed."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from blickschutz.alerts.model import By, Outcome
from blickschutz.bootstrap.control import make_control
from blickschutz.config.model import SiteFile
from blickschutz.control.service.keeper import CellKeeper
from blickschutz.control.service.stops import ALL
from blickschutz.demo.site import demo_zone, seed
from blickschutz.demo.story_night import Night
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import DeviceError
from blickschutz.regime.model import RegimeName
from blickschutz.reviewroom.host import ReviewRooms
from blickschutz.situations.kinds import explanation
from blickschutz.wall.model import StreamFragment, StreamInit, TileState

_LIVE_S, _BACK_S, _STREAM_S = 40.0, 30.0, 6.0
_ALERT_S, _CLIP_S = 90.0, 30.0
_BY_DAY = 7


class StepError(Exception):
    """A step did not hold; the text says what was observed."""


async def tell(site: SiteFile, say: Callable[[str], object]) -> dict[str, Any]:
    """Run all steps; a step that does not hold ends the story. Returns {"held", "steps"}."""
    # Short clips, so that the story does not wait for minutes.
    short = site.recording.model_copy(update={"before_s": 5, "after_s": 2, "most_s": 12})
    # Groups count early on every camera: the story must not wait for chance.
    zones = {"zones": (demo_zone(early=True),)}
    cameras = tuple(camera.model_copy(update=zones) for camera in site.cameras)
    site = site.model_copy(update={"recording": short, "cameras": cameras})
    folder = tempfile.TemporaryDirectory(prefix="blickschutz-story-")
    story = _Story(site, Path(folder.name))
    await story.start()
    steps: list[dict[str, Any]] = []
    held = True
    try:
        for title, work in story.all_steps():
            start = time.monotonic()
            try:
                observed = await work()
            except (StepError, DeviceError, TimeoutError) as error:
                held, observed = False, str(error) or type(error).__name__
            steps.append({"step": title, "held": held, "observed": observed, "seconds": round(time.monotonic() - start, 1)})
            say(f"{'ok  ' if held else 'FAIL'} {title}: {observed}")
            if not held:
                break
    finally:
        await story.end()
        folder.cleanup()
    gone = story.is_over
    steps.append(
        {
            "step": "all processes end",
            "held": gone,
            "observed": "no cell is left" if gone else "a cell is left",
            "seconds": 0.0,
        }
    )
    return {"held": held and gone, "steps": steps}


class _Story:
    def __init__(self, site: SiteFile, data: Path) -> None:
        clock = SystemClock()
        self._control = control = make_control(site, Path.cwd(), data, clock)
        records = control.records
        self._secrets = {one.person: one.passphrase for one in seed(records) if one.passphrase}
        self._desk, self._regime, self._stops = control.alerting.desk, control.regime, records.stops
        self._rooms = ReviewRooms(site, records.office, records.archive, clock, lambda: ("", ""))
        self._keepers = list(control.supervisor.keepers.values())

    async def start(self) -> None:
        await self._control.room.start()
        self._rooms.start(self._control.guard)

    @property
    def is_over(self) -> bool:
        """Whether no process is left."""
        return all(keeper.process is None for keeper in self._keepers)

    def all_steps(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        """The day, the night, and what must hold at any time."""
        night = Night(self._control, self._rooms, self._secrets, _until, _require)
        by_day, always = self.steps()[:_BY_DAY], self.steps()[_BY_DAY:]
        return [*by_day, *night.steps(), *always]

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        return [
            ("all cameras become live", self._become_live),
            ("nobody watches, nothing is encoded", self._encode_nothing),
            ("every camera gives a redacted live picture", self._watch),
            ("a still picture is given", self._snapshot),
            ("a situation becomes one alert, with figures", self._raise_alert),
            ("its redacted seconds before and after are kept", self._keep_seconds),
            ("an alert is decided by one person only", self._decide),
            ("a killed cell comes back and takes no other with it", self._kill_one),
            ("the stop control stops one camera and resumes it", self._stop_one),
            ("the stop control stops all cameras", self._stop_all),
        ]

    async def end(self) -> None:
        await self._rooms.end()
        await self._control.room.end()

    async def _raise_alert(self) -> str:
        desk, regime, hour = self._desk, self._regime, timedelta(hours=1)
        regime.set_override(RegimeName.DAY, regime.now() + hour, "story", "story")
        await _until(lambda: bool(desk.open_alerts()), _ALERT_S, lambda: "no alert")
        alert = desk.open_alerts(most=1)[0]
        line = explanation(alert.kind, alert.figures, "en")
        _require(bool(line), f"{alert.kind} without figures")
        return f"{alert.kind.value} at {alert.camera}, {1000 * (alert.raised - alert.taken):.0f} ms after the picture: {line}"

    async def _keep_seconds(self) -> str:
        desk = self._desk
        number = desk.open_alerts(most=1)[0].id
        await _until(lambda: desk.store.clip(number) is not None, _CLIP_S, lambda: f"alert {number} has no moving picture")
        return f"{len(desk.store.clip(number) or b'') / 1000:.0f} kB of redacted video"

    async def _decide(self) -> str:
        desk = self._desk
        number = desk.open_alerts(most=1)[0].id
        first, second = (desk.acknowledge(number, By(name, name.lower())) for name in ("Ada", "Bert"))
        _require((first, second) == (True, False), f"acknowledged by both: {first}, {second}")
        _require(desk.close(number, By("Ada", "ada"), Outcome.NO_FINDING, "story"), "it could not be closed")
        history = [f"{entry.event} {entry.by}" for entry in desk.store.history(number)]
        return ", ".join(history)

    async def _become_live(self) -> str:
        start = time.monotonic()
        await _until(lambda: all(k.state is TileState.LIVE for k in self._keepers), _LIVE_S, self._states)
        return f"{len(self._keepers)} cameras live after {time.monotonic() - start:.1f} s"

    async def _encode_nothing(self) -> str:
        # An alert's own redacted seconds may be made from its camera's stream: that camera is being watched, by the desk.
        watched = {alert.camera for alert in self._desk.open_alerts()}
        encoded = sum(k.health.encoded for k in self._keepers if k.health and k.camera not in watched)
        _require(encoded == 0, f"{encoded} pictures were encoded")
        return "0 pictures encoded"

    async def _watch(self) -> str:
        pictures = await asyncio.gather(*(self._pictures(k) for k in self._keepers))
        _require(all(pictures), f"pictures per camera: {pictures}")
        doubts = [k.camera for k in self._keepers if k.health is None or k.health.faults]
        _require(not doubts, f"redaction faults at {doubts}")
        return f"at least {min(pictures)} pictures of each in {_STREAM_S:g} s, no redaction fault"

    @staticmethod
    async def _pictures(keeper: CellKeeper) -> int:
        viewer, count, head = keeper.stream.join(), 0, False
        try:
            async with asyncio.timeout(_STREAM_S):
                while True:
                    part = await viewer.next()
                    head |= isinstance(part, StreamInit)
                    count += isinstance(part, StreamFragment) and head
        except TimeoutError:
            return count
        finally:
            keeper.stream.leave(viewer)

    async def _snapshot(self) -> str:
        data = await self._keepers[0].snapshot()
        _require(data[:2] == b"\xff\xd8", "no JPEG")
        return f"JPEG of {len(data) // 1024} KB"

    async def _kill_one(self) -> str:
        victim, others = self._keepers[0], self._keepers[1:]
        processes = [k.process.pid if k.process else None for k in others]
        if victim.process is not None:
            victim.process.kill()
        await _until(lambda: victim.state is TileState.LOST, 5.0, self._states)
        start = time.monotonic()
        await _until(lambda: victim.state is TileState.LIVE, _BACK_S, self._states)
        same = processes == [k.process.pid if k.process else None for k in others]
        _require(same, "another cell was started anew")
        return f"shown as lost, live again after {time.monotonic() - start:.1f} s, the other {len(others)} went on"

    async def _stop_one(self) -> str:
        keeper = self._keepers[1]
        await asyncio.to_thread(self._stops.stop, keeper.camera, "story", "story")
        await asyncio.sleep(1.5)
        before = keeper.health.frames if keeper.health else -1
        await asyncio.sleep(2.0)
        after = keeper.health.frames if keeper.health else -1
        _require(keeper.state is TileState.STOPPED and before == after, f"{keeper.state}, frames {before} to {after}")
        await asyncio.to_thread(self._stops.resume, keeper.camera, "story", "story")
        await _until(lambda: keeper.state is TileState.LIVE, _BACK_S, self._states)
        return f"no frame was processed while stopped ({after} before and after); live again"

    async def _stop_all(self) -> str:
        await asyncio.to_thread(self._stops.stop, ALL, "story", "story")
        await _until(lambda: all(k.state is TileState.STOPPED for k in self._keepers), 5.0, self._states)
        return f"{len(self._keepers)} cameras stopped"

    def _states(self) -> str:
        return str({k.camera: k.state.value for k in self._keepers if k.state is not TileState.LIVE})


async def _until(holds: Callable[[], bool], within_s: float, observed: Callable[[], str]) -> None:
    end = time.monotonic() + within_s
    while not holds():
        _require(time.monotonic() < end, f"not within {within_s:g} s: {observed()}")
        await asyncio.sleep(0.1)


def _require(holds: bool, observed: str) -> None:
    if not holds:
        raise StepError(observed)
