"""Two people at a recording, through the pages: key desk, door, seats, verdicts."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack

import httpx
from benchmarks.faults.round import Round
from benchmarks.faults.seed import Planted

_DOOR = re.compile(r'href="(http://127\.0\.0\.1:\d+/join/[^"]+)"')


class Review:
    """A room for one recording with two people in it."""

    def __init__(self, round_: Round, planted: Planted, people: tuple[str, str] = ("kvd-1", "kvd-2")) -> None:
        self._round, self.planted, self._people = round_, planted, people
        self._seats: dict[str, str] = {}
        # A seat is good in the browser that took it, in the session of its person.
        self._browsers: dict[str, httpx.Client] = {}

    def enter(self) -> bool:
        """Both take their seats; whether they could."""
        with ExitStack() as stack:
            try:
                for person in self._people:
                    pages = stack.enter_context(self._round.system.session(person))
                    answer = pages.post(f"/cases/{self.planted.case}/enter")
                    found = _DOOR.search(answer.text)
                    if found is None:
                        return False
                    data = {"passphrase": self._round.system.people[person].passphrase}
                    browser = self._browsers[person] = httpx.Client(cookies=dict(pages.cookies), timeout=60)
                    taken = browser.post(found[1], data=data)
                    if taken.status_code != 303:
                        return False
                    self._seats[person] = str(httpx.URL(found[1]).join(taken.headers["location"]))
            except httpx.HTTPError:
                return False
        return True

    def _look(self, person: str) -> bool:
        """Have the whole clip shown to somebody, as fast as the room believes it; whether it was."""
        seat, browser, at = self._seats[person], self._browsers[person], 0.0
        browser.get(f"{seat}/video.mp4")
        facts = browser.get(f"{seat}/clip.json").json()
        while not facts.get("seen") and at < facts.get("length", 0.0) + 1:
            time.sleep(0.6)
            facts |= browser.post(f"{seat}/shown", data={"parts": f"{at}-{at + 2}"}).json()
            at += 2
        return bool(facts.get("seen"))

    def judge(self, person: str, word: str = "no-incident") -> bool | None:
        """Whether a verdict was taken; None where no answer came. What was taken stands in the ledger."""
        if person not in self._seats:
            return False
        data = {"sure": "yes", "verdict": word, "note": "gesehen", "ground": "straftat" if word == "incident" else "", "reference": "KL-7"}
        try:
            if not self._look(person):
                return False
        except (httpx.HTTPError, ValueError):
            # Nothing was said yet that could have been taken.
            return False
        try:
            answer = self._browsers[person].post(f"{self._seats[person]}/verdict", data=data)
        except httpx.HTTPError:
            return None
        if answer.status_code != 303:
            return False
        self.planted.verdicts.append(person)
        if len(self.planted.verdicts) == 2 and word == "no-incident":
            self.planted.due, self.planted.why = self._round.system.now(), "harmless"
        return True
