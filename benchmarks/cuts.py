"""A host in a network namespace of its own is cut off by its link; what it did meanwhile, and what of that arrived.

    python -m benchmarks.cuts [--seconds 60] [--drift 2] [--ahead 2] [--rounds 1] [--restart]

One host that alone may film its camera (`only`), a real broker with TLS, a control room; the host's monotonic and boot clocks are ahead
by `--ahead` seconds (a time namespace), and all its clocks gain `--drift` seconds evenly over the first cut, lose them over the second, and
so on (`benchmarks/drift`): far more than the contract allows for. The film covers the lens once a minute, so situations come while nobody
can be asked. With `--restart` the host is killed in the middle of each cut with all that it started, and started anew.

Counted: pictures analysed and clips recorded while cut off; of all numbered news those lost, doubled, out of order; by how much situations
of a cut are dated wrong; clips without a case, or whose case has another hash. Needs root and a C compiler. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from benchmarks.drift import Drift
from tests.live.system import RunningSystem
from tests.peers.cluster import Cluster, Host
from tests.videos import write_pictures

from blickschutz.config.hosts import HostedCamera
from blickschutz.control.model import NewsTold, SituationSeen
from blickschutz.control.service.host_keeper import STAND_S
from blickschutz.demo.incident import sprayed
from blickschutz.demo.site import seed
from blickschutz.hosts.io.journal import FileJournal
from blickschutz.hosts.model import KeptClip, KeptState, Told
from blickschutz.pipeline.messages import News, SituationTold
from blickschutz.regime.model import Action, Mode
from blickschutz.review.model import CaseState
from blickschutz.wall.model import TileState

_SPACE, _ROOM, _THERE = "blick-cut", "10.213.77.1", "10.213.77.2"
_WIDTH, _HEIGHT, _RATE, _SECONDS = 320, 180, 10, 60
# The incident's clip is painted from its second 62 on; ours begins so much later.
_BEFORE_S = 22.0
_PATIENCE_S = 240.0
# For how long this machine slept: its boot clock counts that, its monotonic one does not.
_ASLEEP_S = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
_news: msgspec.msgpack.Decoder[News] = msgspec.msgpack.Decoder(News)


class Film:
    """A still place, textured; every 60 s its lens is covered for 14 s."""

    def __init__(self, path: Path) -> None:
        random = np.random.default_rng(5)
        ground = np.clip(random.normal(120, 25, (_HEIGHT // 4, _WIDTH // 4)), 16, 235).repeat(4, 0).repeat(4, 1)
        neutral = np.full((_HEIGHT // 2, _WIDTH // 2), 128, np.uint8)
        pictures = []
        for index in range(_RATE * _SECONDS):
            luma = np.clip(ground + random.normal(0, 0.7, ground.shape), 16, 235).astype(np.uint8)
            planes = sprayed((luma, neutral, neutral), _BEFORE_S + index / _RATE)
            pictures.append(np.concatenate([one.ravel() for one in planes]).reshape(_HEIGHT * 3 // 2, _WIDTH))
        write_pictures(path, pictures)
        self.address = f"file:{path}"


class CutHost(Host):
    """In namespaces of its own: a network with one cable, and another clock, which drifts."""

    ahead = 0.0
    drift: Drift

    def start(self) -> None:
        clocks = ["--monotonic", f"{self.ahead:.0f}", "--boottime", f"{self.ahead:.0f}"]
        inside = ["ip", "netns", "exec", _SPACE, "unshare", "--time", *clocks, "--fork", "--kill-child=SIGTERM"]
        command = [*inside, sys.executable, "-m", "blickschutz.cli.main", "cells", "--join", str(self.folder / "join.toml")]
        environment = {**os.environ, **self.drift.environment}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=environment)


class CutCluster(Cluster):
    """One camera, whose only host is `north`; whatever is seen is recorded."""

    def _site(self) -> Any:
        site = super()._site()
        assert site.hosts is not None  # all cameras of a cluster lie with hosts
        camera = site.cameras[0].model_copy(update={"zones": ()})
        hosts = site.hosts.model_copy(
            update={"broker": f"tls://{_ROOM}:{self.port}", "listen": _ROOM, "cameras": (HostedCamera(id=camera.id, only="north"),)}
        )
        regime = {"on_situation": Action.RECORD, "mode": Mode.SEALED, "kinds": {}}
        regimes = site.regimes.model_copy(
            update={"day": site.regimes.day.model_copy(update=regime), "night": site.regimes.night.model_copy(update=regime)}
        )
        recording = site.recording.model_copy(update={"reserve_mb": 50, "after_s": 2, "before_s": 3})
        return site.model_copy(update={"cameras": (camera,), "hosts": hosts, "regimes": regimes, "recording": recording})

    def enrol(self, name: str) -> Host:
        host = super().enrol(name)
        join = host.folder / "join.toml"
        text = join.read_text(encoding="utf-8").replace("file:FILL-IN", self.cameras[0].address)
        join.write_text(text.replace('user = "wache"\n', "").replace(f'password_file = "{self.site.cameras[0].id}.password"\n', ""))
        return CutHost(host.folder, name)


class Cable:
    """A pair of virtual links between here and the host's namespace."""

    def __enter__(self) -> Cable:
        self._drop()
        for command in (
            f"ip netns add {_SPACE}",
            f"ip link add blick-here type veth peer name blick-there netns {_SPACE}",
            f"ip addr add {_ROOM}/24 dev blick-here",
            "ip link set blick-here up",
            f"ip -n {_SPACE} addr add {_THERE}/24 dev blick-there",
            f"ip -n {_SPACE} link set blick-there up",
            f"ip -n {_SPACE} link set lo up",
        ):
            subprocess.run(command.split(), check=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def set(self, state: str) -> None:
        subprocess.run(["ip", "-n", _SPACE, "link", "set", "blick-there", state], check=True)

    @staticmethod
    def _drop() -> None:
        subprocess.run(["ip", "netns", "del", _SPACE], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", "blick-here"], check=False, capture_output=True)


class Trial:
    """What runs, and what was heard."""

    def __init__(self, base: Path, ahead: float, drift: float, *, restarts: bool = False) -> None:
        self._restarts = restarts
        self.cluster = CutCluster(base, (Film(base / "film.mp4"),), hosts=("north",))
        self.cluster.broker.start()
        self._gain, self._drift = drift, Drift(base, ahead)
        CutHost.ahead, CutHost.drift = ahead, self._drift
        self.host = self.cluster.hosts["north"]
        self.host.start()
        self._running = RunningSystem(self.cluster.site, base)
        self.system = self._running.system
        seed(self.system.records)
        time.sleep(STAND_S + 5)  # until the host was told for whom is sealed
        (self.keeper,) = self.system.supervisor.keepers.values()
        self.heard: dict[str, list[int]] = defaultdict(list)
        self.keeper.news.listen(self._hear)
        self.situations: list[SituationSeen] = []
        self.keeper.situations.listen(self.situations.append)
        # By run and number of situations that began in a cut: when, by our clock.
        self._began: dict[tuple[str, int], float] = {}

    def _hear(self, told: NewsTold) -> None:
        self.heard[told.run].append(told.number)

    def settle(self) -> None:
        _until(lambda: self.keeper.state is TileState.LIVE, "the camera")
        _until(lambda: self.keeper.health is not None and self.keeper.health.doubt is None, "the place is known")

    def frames(self) -> int:
        return self.keeper.health.analysed if self.keeper.health is not None else 0

    def kept(self) -> list[KeptClip]:
        folder = self.host.folder / "data/kept"
        return [msgspec.json.decode(path.read_bytes(), type=KeptClip) for path in folder.glob("*.json")]

    def untold(self) -> list[Told]:
        found: list[Told] = []
        for path in (self.host.folder / "data/journals").glob("*.journal"):
            copy = path.with_suffix(".copy")
            copy.write_bytes(path.read_bytes())
            journal = FileJournal(copy)
            found += journal.waiting()
            journal.close()
        return found

    def _note(self, waiting: list[Told]) -> None:
        """When the situations among them began."""
        for told in waiting:
            news = _news.decode(told.data)
            if isinstance(news, SituationTold) and news.situation.ended_at is None:
                self._began[told.run, news.situation.number] = self._true(news.situation.at)

    def _true(self, theirs: float) -> float:
        """Their monotonic time in ours, as only the benchmark can know it."""
        ours = theirs - CutHost.ahead
        for _ in range(5):  # what the clock gained until then hangs on when that was
            ours = theirs - CutHost.ahead - self._drift.gained(ours + _ASLEEP_S)
        return ours

    def cut(self, cable: Cable, seconds: float) -> dict[str, Any]:
        self.settle()
        before, there = self.frames(), {one.clip for one in self.kept()}
        began = time.time()
        cable.set("down")
        self._drift.run(self._gain, seconds)
        self._gain = -self._gain
        time.sleep(seconds / 2)
        restarted = time.time()
        if self._restarts:
            self.host.die()
            self.host.start()
        time.sleep(seconds / 2)
        self._note(self.untold())
        recorded = [one for one in self.kept() if one.clip not in there]
        cable.set("up")
        back = time.monotonic()
        self.settle()
        live = time.monotonic() - back
        _until(lambda: not self.untold(), "the journal is told")
        told = time.monotonic() - back
        _until(lambda: all(self._has_case(one) for one in self.kept() if one.state is KeptState.THERE), "cases")
        return {
            "cut_s": seconds,
            "analysed_while_cut": self.frames() - before,
            "recorded_while_cut": len(recorded),
            "by_the_host_itself": sum(any(number < 0 for number in one.orders) for one in recorded),
            "recorded_after_the_middle": sum(one.opened > restarted for one in recorded),
            "live_again_s": round(live, 1),
            "all_told_s": round(told, 1),
            "at": began,
        }

    def _has_case(self, kept: KeptClip) -> bool:
        case = self.system.records.office.cases.store.by_clip(kept.clip)
        return case is not None and case.state is not CaseState.RECORDING

    def counts(self) -> dict[str, int]:
        lost = doubled = order = 0
        for numbers in self.heard.values():
            lost += len(set(range(min(numbers), max(numbers) + 1)) - set(numbers))
            doubled += len(numbers) - len(set(numbers))
            order += numbers != sorted(numbers)
        store, wrong = self.system.records.office.cases.store, 0
        clips = [one for one in self.kept() if one.state is KeptState.THERE]
        for one in clips:
            case = store.by_clip(one.clip)
            digest = hashlib.sha256((self.host.folder / "data/clips" / f"{one.clip}.clip").read_bytes()).hexdigest()
            wrong += case is None or case.sha256 != digest or case.host != "north"
        told = sum(map(len, self.heard.values()))
        return {
            "situations": len(self.situations),
            "began_in_a_cut": len(self._began),
            "dated_wrong_by_s": round(max(self._wrong(), default=0.0), 2),
            "told": told,
            "lost": lost,
            "doubled": doubled,
            "out_of_order": order,
            "clips": len(clips),
            "clips_without_case": wrong,
        }

    def _wrong(self) -> Iterator[float]:
        for seen in self.situations:
            if (began := self._began.get((seen.run, seen.situation.number))) is not None:
                yield abs(seen.situation.at - began)

    def end(self) -> None:
        self._running.end()
        if self.host._process is not None:
            os.killpg(self.host._process.pid, 15)
            self.host._process.wait(_PATIENCE_S)
        self.cluster.broker.stop()


def _until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {_PATIENCE_S:g} s")
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--drift", type=float, default=2.0)
    parser.add_argument("--ahead", type=float, default=2.0)
    parser.add_argument("--restart", action="store_true")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="cuts-") as folder, Cable() as cable:
        trial = Trial(Path(folder), options.ahead, options.drift, restarts=options.restart)
        try:
            cuts = [trial.cut(cable, options.seconds) for _ in range(options.rounds)]
            report = {"cuts": cuts, **trial.counts(), "drift_s": options.drift, "ahead_s": options.ahead, "load": os.getloadavg()[0]}
            print(json.dumps(report), flush=True)
        except TimeoutError:
            print(trial.host.log(), file=sys.stderr)
            raise
        finally:
            trial.end()


if __name__ == "__main__":
    main()
