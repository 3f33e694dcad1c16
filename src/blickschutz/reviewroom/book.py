"""What a review room tells is written down; what it asks is answered. What takes two people is done only while both sit there."""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec

from blickschutz.access.voices import Decision, Lack
from blickschutz.audit.io.log import Facts
from blickschutz.audit.model import Event
from blickschutz.audit.rules import encode, encode_line
from blickschutz.config.model import SiteFile
from blickschutz.control.service.office import Archive, BackOffice
from blickschutz.evidence.model import FORMAT, Basis
from blickschutz.kernel.clock import Clock
from blickschutz.review.model import Ground, Refusal, Verdict
from blickschutz.reviewroom import messages as m
from blickschutz.rights.model import DutySource

_MONTH_S = 30 * 86_400.0
_EVIDENCE = f"{FORMAT}:".encode()


class Told(Protocol):
    """A room as the book sees it.

    `present` are those who sit there, `shown` those to whom the clip was shown; `agreed` are the two who agreed to a release while
    nothing is signed yet.
    """

    present: list[str]
    shown: set[str]
    agreed: tuple[str, ...]

    def say(self, message: m.ToRoom) -> None: ...


class RoomBook:
    """The control room's side of all review rooms: log, verdicts, consents, signatures."""

    def __init__(self, site: SiteFile, office: BackOffice, archive: Archive, clock: Clock) -> None:
        self._site, self._office, self._archive, self._clock = site, office, archive, clock

    async def write(self, event: Event, by: str, subject: str, facts: Facts) -> None:
        await asyncio.to_thread(self._office.log.write, event, by, subject, facts)

    async def take(self, room: Told, number: int, clip: str, message: m.FromRoom) -> None:
        """Log what was told, and answer what was asked."""
        match message:
            case m.SeatTaken(person=person):
                room.present.append(person)
                await self.write(Event.SEAT_TAKEN, person, clip, {"case": number})
            case m.SeatLeft(person=person):
                room.present, room.agreed = [one for one in room.present if one != person], ()
            case m.SeatRefused(person=person, reason=reason):
                await self.write(Event.SEAT_REFUSED, person, clip, {"reason": reason})
            case m.ClipOpened(people=people):
                await self.write(Event.CLIP_OPENED, people[1], clip, {"people": list(people)})
            case m.ClipUnreadable(state=state, text=text):
                await self.write(Event.CLIP_UNREADABLE, "system", clip, {"state": state, "text": text[:200]})
            case m.ClipShown(person=person):
                room.shown.add(person)
                facts: Facts = {"seconds": message.seconds, "length": message.length, "took": message.took}
                await self.write(Event.CLIP_SHOWN, person, clip, facts)
            case m.VerdictGiven():
                room.say(await self._verdict(room, number, message))
            case m.UnmaskAsked(person=person, reason=reason, reference=reference):
                await self.write(Event.UNMASK_ASKED, person, clip, {"reason": reason, "reference": reference})
            case m.UnmaskConsented():
                room.say(await self._unmask(room, clip, message))
            case m.UnmaskRefused(person=person):
                await self.write(Event.UNMASK_REFUSED, person, clip, {})
            case m.UnmaskEnded(by=by):
                await self.write(Event.UNMASK_ENDED, by, clip, {})
            case m.ReleaseAsked(person=person, basis=basis, recipient=recipient, reference=reference):
                wish: Facts = {"basis": basis, "recipient": recipient, "reference": reference}
                await self.write(Event.RELEASE_ASKED, person, clip, wish | _key(message.key))
            case m.ReleaseRefused(person=person, why=why):
                await self.write(Event.RELEASE_REFUSED, person, clip, {"why": why})
            case m.ReleaseAgreed():
                room.say(await self._release(room, clip, message))
            case m.SignThis():
                room.say(await self._signed(room, message))
            case m.Released():
                await self._released(number, clip, message)
            case _:
                pass

    async def _verdict(self, room: Told, number: int, given: m.VerdictGiven) -> m.Answer:
        if given.person not in room.present or len(set(room.present)) < 2:
            return m.Answer(number=given.number, problem=Refusal.NOT_IN_ROOM.value)
        if given.person not in room.shown:
            return m.Answer(number=given.number, problem=m.Trouble.NOT_SHOWN.value)
        ground = Ground(given.ground) if given.ground else None
        result = await asyncio.to_thread(
            self._office.cases.verdict, number, given.person, Verdict(given.verdict), given.note, ground, given.reference
        )
        if isinstance(result, Refusal):
            return m.Answer(number=given.number, problem=result.value)
        return m.Answer(number=given.number, state=result.value)

    async def _unmask(self, room: Told, clip: str, wish: m.UnmaskConsented) -> m.Answer:
        """Counted and logged before anything is shown; above the quota the data protection officer is told."""
        problem = await self._refusal(Decision.UNMASK, room, wish.asked, wish.person)
        if problem:
            await self.write(Event.UNMASK_REFUSED, wish.person, clip, {"why": problem})
            return m.Answer(number=wish.number, problem=problem)
        log = self._office.log
        facts: Facts = {"people": [wish.asked, wish.person], "reason": wish.reason, "reference": wish.reference}
        facts["seconds"] = self._site.review.unmask_s
        await self.write(Event.UNMASK_GRANTED, wish.person, clip, facts)
        count = await asyncio.to_thread(log.count, [Event.UNMASK_GRANTED], self._clock.now() - _MONTH_S)
        if count > self._site.review.unmask_quota:
            await self.write(Event.UNMASK_QUOTA_PASSED, "system", clip, {"count": count, "quota": self._site.review.unmask_quota})
        return m.Answer(number=wish.number)

    async def _release(self, room: Told, clip: str, wish: m.ReleaseAgreed) -> m.Answer:
        problem = await self._refusal(Decision.RELEASE, room, wish.asked, wish.person)
        if problem:
            await self.write(Event.RELEASE_REFUSED, wish.person, clip, {"why": problem})
            return m.Answer(number=wish.number, problem=problem)
        room.agreed = wish.asked, wish.person
        return await asyncio.to_thread(self._excerpt, clip, wish)

    async def _refusal(self, decision: Decision, room: Told, asked: str, agreed: str) -> str:
        """Why what two people want is not done: they are one person, or one of them does not sit there any more; empty where it is."""
        lack = await asyncio.to_thread(self._office.access.voices.lack, decision, (asked,), agreed)
        if lack is Lack.SAME:
            return m.Trouble.NOT_YOU.value
        # Who was blocked a moment ago has no seat, even where the room has not said so yet.
        return m.Trouble.ALONE.value if lack is not None or not {asked, agreed} <= set(room.present) else ""

    def _excerpt(self, clip: str, wish: m.ReleaseAgreed) -> m.Answer:
        """The log's entries about this clip, each with its hash, and the state of the whole log; signed with the package."""
        log, key = self._office.log, self._archive.key
        log.checkpoint()
        lines = [encode_line(hashed, encode(entry)) for entry, hashed in reversed(log.find(subject=clip, most=10_000))]
        newest, hashed, point = log.state()
        state = msgspec.json.encode({"newest": newest, "hash": hashed, "checkpoint": point, "public_key": key.public.hex()})
        return m.Answer(number=wish.number, state=key.public.hex(), data=b"\n".join([state, *lines]) + b"\n")

    async def _signed(self, room: Told, asked: m.SignThis) -> m.Answer:
        """One package for one agreement of two who still may; nothing else is signed for a room."""
        people, room.agreed = room.agreed, ()
        may = bool(people) and asked.text.startswith(_EVIDENCE) and not await self._refusal(Decision.RELEASE, room, *people)
        return m.Answer(number=asked.number, signature=self._archive.key.sign(asked.text) if may else b"")

    async def _released(self, number: int, clip: str, told: m.Released) -> None:
        if told.basis != Basis.PERSON_CONCERNED:
            # Whoever the footage is given out about must be told, or why not yet (§ 21(4) LDSG RLP).
            await asyncio.to_thread(self._office.rights.assigned, number, clip, DutySource.RELEASE, told.people[1])
        facts: Facts = {"people": list(told.people), "basis": told.basis, "recipient": told.recipient}
        facts |= {"reference": told.reference, "file": told.file, "sha256": told.sha256, "bytes": told.size}
        facts["contents"] = list(told.contents)
        facts |= ({"words": told.words_for} if told.words_for else {}) | _key(told.key)
        await self.write(Event.RELEASED, told.people[1], clip, facts)


def _key(key: str) -> Facts:
    """To whose key a package is encrypted, for the log; nothing where words open it."""
    return {"recipient_key": key} if key else {}
