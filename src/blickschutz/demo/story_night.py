"""The night of the story: a situation orders a recording, two people judge it, one clip is destroyed and one becomes evidence."""

from __future__ import annotations

import asyncio
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pyrage

from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify as verify_log
from blickschutz.bootstrap.control import Control
from blickschutz.evidence.io.verify import verify as verify_package
from blickschutz.regime.model import RegimeName
from blickschutz.retention.model import Receipt
from blickschutz.retention.rules import receipt_text
from blickschutz.review.model import Case, CaseState
from blickschutz.reviewroom.host import ReviewRooms
from blickschutz.vault.io.files import is_signed

_CASE_S, _GONE_S, _PACKAGE_S = 150.0, 15.0, 60.0
_PAIR = ("kvd-1", "aufsicht")

Until = Callable[[Callable[[], bool], float, Callable[[], str]], Awaitable[None]]
Require = Callable[[bool, str], None]


class Night:
    """The steps after the day; `control` runs, `secrets` are the reviewers' passphrases by person."""

    def __init__(self, control: Control, rooms: ReviewRooms, secrets: dict[str, str], until: Until, require: Require) -> None:
        self._regime, self._records, self._rooms, self._secrets = control.regime, control.records, rooms, secrets
        self._until, self._require = until, require
        self._seen: set[int] = set()
        self._seats: dict[str, _Browser] = {}
        self._package = Path()
        self._identity = pyrage.x25519.Identity.generate()

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        return [
            ("at night a situation records by itself", self._record),
            ("one person alone sees nothing", self._alone),
            ("two people see the clip redacted", self._watch),
            ("both find nothing: the clip is destroyed, with a receipt", self._harmless),
            ("a second clip is an incident: it is held", self._incident),
            ("two people release it as evidence, and the package verifies", self._release),
            ("the log is whole", self._log),
        ]

    async def _record(self) -> str:
        self._regime.set_override(RegimeName.NIGHT, self._regime.now() + timedelta(hours=1), "story", "story")
        case = await self._next_case()
        return f"case {case.id}: {case.cause} at {case.camera}, {case.seconds:.0f} s, {case.size / 1e6:.1f} MB sealed"

    async def _next_case(self) -> Case:
        def waiting() -> list[Case]:
            found = self._records.office.cases.store.find(states=[CaseState.WAITING])
            return [case for case in found if case.id not in self._seen and case.cause != "manual" and case.seconds > 0]

        await self._until(lambda: bool(waiting()), _CASE_S, lambda: f"no clip; {self._records.orders.problem or 'no situation'}")
        case = waiting()[0]
        self._seen.add(case.id)
        self._case = case
        return case

    async def _alone(self) -> str:
        first = await self._sit("kvd-1")
        status, _ = await first.get("/video.mp4")
        self._require(status == 404, f"one person alone got an answer {status}")
        return "no picture for one person"

    async def _sit(self, person: str) -> _Browser:
        member = self._records.office.access.members[person]
        address, problem = await self._rooms.enter(self._case.id, member, "de", "light", "http://127.0.0.1", "")
        self._require(bool(address), f"{person} does not get in: {problem}")
        browser = self._seats[person] = _Browser(address)
        browser.address = await browser.post("", {"passphrase": self._secrets[person]})
        return browser

    async def _watch(self) -> str:
        start = time.monotonic()
        seat = await self._sit("aufsicht")
        status, data = await seat.get("/video.mp4")
        self._require(status == 200 and len(data) > 10_000, f"answer {status}, {len(data)} bytes")
        status, _ = await seat.get("/clear.mp4")
        self._require(status == 403, f"unredacted video without consent: answer {status}")
        seconds = time.monotonic() - start
        return f"{len(data) / 1e6:.1f} MB of redacted video {seconds:.1f} s after the second passphrase; unredacted is refused"

    async def _harmless(self) -> str:
        for person in _PAIR:
            await self._seats[person].post("/verdict", {"verdict": "no-incident", "note": "story"})
        clip, store = self._case.clip, self._records.office.cases.store
        await self._until(lambda: _state(store.get(self._case.id)) is CaseState.DESTROYED, _GONE_S, lambda: "the clip is still there")
        self._require(self._records.archive.shelf.is_absent(clip), "a file of the clip is left")
        ((entry, _),) = self._records.office.log.find(event=Event.SHREDDED, subject=clip)
        receipt = msgspec.convert(entry.facts, Receipt)
        signed = is_signed(receipt_text(receipt), bytes.fromhex(receipt.signature), self._records.archive.key.public)
        self._require(signed, "the receipt is not signed")
        return f"{receipt.overwritten} bytes overwritten, nothing left, receipt signed, by {' and '.join(receipt.people)}"

    async def _incident(self) -> str:
        await self._next_case()
        for person in _PAIR:
            await self._sit(person)
        for person in _PAIR:
            given = {"verdict": "incident", "note": "story", "ground": "straftat", "reference": "KL-1"}
            await self._seats[person].post("/verdict", given)
        case = self._records.office.cases.store.get(self._case.id)
        hold = case.hold if case is not None and case.state is CaseState.HELD else None
        self._require(hold is not None, f"the case is {_state(case)}")
        return f"case {self._case.id} held: {hold.ground.value}, {hold.reference}, by {' and '.join(hold.by)}" if hold is not None else ""

    async def _release(self) -> str:
        wish = {"basis": "strafverfolgung", "recipient": "Polizei", "reference": "KL-1", "key": str(self._identity.to_public())}
        await self._seats["aufsicht"].post("/release", wish)
        _, page = await self._seats["kvd-1"].get("")
        shown = re.search(r'name="wish" value="([^"]+)"', page.decode())
        self._require(shown is not None, "the other is not asked to agree to the release")
        await self._seats["kvd-1"].post("/release/consent", {"wish": shown[1] if shown else "", "compared": "yes"})
        exports = self._records.archive.exports
        await self._until(lambda: bool(list(exports.glob(f"{self._case.clip}*.age"))), _PACKAGE_S, lambda: "no package")
        package = next(exports.glob(f"{self._case.clip}*.age"))
        faults = await asyncio.to_thread(verify_package, package, is_signed, self._records.archive.key.public, str(self._identity))
        self._require(not faults, f"the package has faults: {faults}")
        return f"{package.stat().st_size / 1e6:.1f} MB, encrypted to the recipient, signed, whole"

    async def _log(self) -> str:
        lines = list(self._records.office.log.export())
        faults = list(verify_log(lines, is_signed, self._records.archive.key.public))
        self._require(not faults, f"the log has faults: {faults}")
        return f"{self._records.office.log.state()[0]} entries, chain and signatures whole"


def _state(case: Case | None) -> CaseState | None:
    return case.state if case is not None else None


class _Browser:
    """One person's browser at a room of this machine; `address` is that of their page. It keeps the room's cookies."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a page."""
        return await asyncio.to_thread(self._open, path)

    async def post(self, path: str, fields: dict[str, str]) -> str:
        """Send a form; the address that the answer leads to."""
        data = urllib.parse.urlencode(fields).encode()

        def send() -> str:
            with self._opener.open(f"{self.address}{path}", data, timeout=_PACKAGE_S) as answer:
                return str(answer.url)

        try:
            return await asyncio.to_thread(send)
        except urllib.error.HTTPError as error:
            error.close()
            return self.address

    def _open(self, path: str) -> tuple[int, bytes]:
        try:
            with self._opener.open(f"{self.address}{path}", timeout=_PACKAGE_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code, b""
