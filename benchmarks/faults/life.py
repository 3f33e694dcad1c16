"""What staff and cameras do while something goes wrong: ordinary requests, each with its answer in the ledger."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import httpx
from benchmarks.faults.installation import ADDRESS, Installation
from benchmarks.faults.ledger import Decision, Ledger, Told
from benchmarks.faults.peers import Peers
from benchmarks.faults.template import CAMERAS

_PATIENCE_S = 40.0
_MOST_ORDERS = 2
_READS = (
    ("leit-1", "/alerts?state=open"),
    ("leit-1", "/cameras"),
    ("kvd-1", "/cases"),
    ("technik", "/health"),
    ("leit-1", "/regime"),
    ("dsb", "/people"),
)
_PAGES = {
    "leit-1": ("/wall", "/alerts", "/alerts/queue", "/plan", "/regime", "/health"),
    "dsb": ("/requests", "/people", "/policy", "/log"),
}


class Life:
    """One day in a few seconds. `begin` starts it, `end` waits for the answers that are still out."""

    def __init__(self, installation: Installation, peers: Peers, ledger: Ledger, chance: random.Random) -> None:
        self._system, self._peers, self._ledger, self._chance = installation, peers, ledger, chance
        self._pool = ThreadPoolExecutor(12, thread_name_prefix="life")
        self._out: list[Future[None]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._orders, self._probe = 0, chance.randrange(1, 1_000_000)
        self._plan = self._planned()

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._end.set()
        self._thread.join(10)
        self._pool.shutdown(wait=True)

    def _planned(self) -> list[str]:
        """In which order things are done: every kind early, then camera events on and on."""
        first = ["tell", "order", "acknowledge", "regime", "stop", "tell", "look", "order"]
        self._chance.shuffle(first)
        return first

    def _run(self) -> None:
        while not self._end.wait(self._chance.uniform(0.3, 0.9)):
            what = self._plan.pop(0) if self._plan else self._chance.choice(["tell", "tell", "look", "picture"])
            if self._system.running or what == "tell":
                self._out.append(self._pool.submit(getattr(self, what)))

    @property
    def epoch(self) -> tuple[int, int]:
        return self._system.pid if self._system.running else 0, self._peers.broker.changes

    def tell(self) -> Told:
        """A camera tells of a situation."""
        self._probe += 1
        camera = self._chance.choice(CAMERAS)
        one = Told(self._probe, camera, self._system.now(), self.epoch, False)
        payload = {"id": f"probe-{one.probe}", "kind": "loitering", "confidence": 0.9, "figures": {"probe": float(one.probe)}}
        one.published = self._peers.broker.publish(camera, payload)
        with self._ledger.lock:
            self._ledger.told.append(one)
        return one

    def order(self, camera: str = CAMERAS[0]) -> Decision:
        text = f"Anlass {self._chance.randrange(10**9)}"
        return self.decide("order", camera, "leit-1", text, "POST", f"/cameras/{camera}/record", {"text": text})

    def acknowledge(self) -> None:
        number = self._chance.choice(self._ledger.alerts[1:])
        self.decide("acknowledge", f"alert-{number}", "leit-1", "", "POST", f"/alerts/{number}/acknowledge")

    def regime(self) -> None:
        text = f"Fest {self._chance.randrange(10**9)}"
        self.decide("regime", "night", "leit-1", text, "PUT", "/regime", {"name": "night", "hours": 5, "reason": text})

    def stop(self, camera: str = CAMERAS[1]) -> Decision:
        text = f"Versammlung {self._chance.randrange(10**9)}"
        return self.decide("stop", camera, "technik", text, "POST", f"/cameras/{camera}/stop", {"reason": text})

    def resume(self, camera: str = CAMERAS[1]) -> Decision:
        text = f"Ende {self._chance.randrange(10**9)}"
        return self.decide("resume", camera, "leit-1", text, "POST", f"/cameras/{camera}/resume", {"reason": text})

    def look(self) -> None:
        """Somebody looks at a case: it is an entry, not a decision."""
        number = self._chance.choice(self._ledger.planted).case
        self.decide("look", str(number), "kvd-1", "", "GET", f"/cases/{number}")

    def picture(self, camera: str = CAMERAS[0]) -> Decision:
        return self.decide("picture", camera, "leit-1", "", "GET", f"/cameras/{camera}/picture.jpg")

    def decide(
        self, what: str, subject: str, by: str, text: str, method: str, path: str, data: dict[str, object] | None = None
    ) -> Decision:
        one = Decision(what, subject, by, text, self._system.now())
        with self._ledger.lock:
            self._ledger.decisions.append(one)
        start = time.monotonic()
        headers = {"authorization": f"Bearer {self._system.people[by].token}"}
        try:
            answer = httpx.request(method, f"{ADDRESS}/api/v1{path}", json=data, headers=headers, timeout=_PATIENCE_S)
            one.accepted, one.answer = answer.status_code < 400, f"{answer.status_code} {answer.text[:120]}"
        except httpx.HTTPError as error:
            one.answer = type(error).__name__
        one.seconds = time.monotonic() - start
        return one


class Reader:
    """Somebody who asks for pages on and on; how long each took is noted. `begin` before the fault: signing in is a write."""

    def __init__(self, installation: Installation, ledger: Ledger) -> None:
        self._system, self._ledger = installation, ledger
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._open = ExitStack()
        self._asked: list[tuple[httpx.Client, str]] = []

    def begin(self) -> None:
        """Sign in, and go on asking until `end`."""
        for person, paths in _PAGES.items():
            pages = self._open.enter_context(self._system.session(person))
            pages.timeout = httpx.Timeout(_PATIENCE_S)
            self._asked += [(pages, path) for path in paths]
        for person, path in _READS:
            self._asked.append((self._system.api(person), f"{ADDRESS}/api/v1{path}"))
        self._thread.start()

    def end(self) -> None:
        self._end.set()
        self._thread.join(_PATIENCE_S + 5)
        self._open.close()

    def _run(self) -> None:
        index = 0
        while not self._end.wait(0.08):
            client, path = self._asked[index % len(self._asked)]
            index += 1
            start = time.monotonic()
            try:
                client.get(path)
            except httpx.HTTPError:
                continue
            self._ledger.reads.append(time.monotonic() - start)
