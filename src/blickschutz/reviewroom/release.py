"""A release of evidence: asked for by one, agreed by the other, put together here, because only here is the key."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from blickschutz.backup.rules import new_words
from blickschutz.evidence.io.package import finish, make_bag, recipient_key, work_folder
from blickschutz.evidence.io.viewer import NAME, Words, page
from blickschutz.evidence.model import FORMAT, Basis, Custody, Signature
from blickschutz.evidence.rules import refusal, signed_text
from blickschutz.kernel.errors import OperatorError, ProtocolError
from blickschutz.pipeline.render import MOST_WIDTH, Renderer, encoded, track_at
from blickschutz.recording.io.clipfile import ClipReader
from blickschutz.recording.model import ClipMode, Mark
from blickschutz.reviewroom.messages import ReleaseAgreed, ReleaseAsked, Released, ReleaseRefused, SignThis, Trouble
from blickschutz.reviewroom.playback import Playback
from blickschutz.reviewroom.room import Room, RoomError, Seat, new_mark
from blickschutz.situations.kinds import Kind, name
from blickschutz.storage.files import sha256_of
from blickschutz.wall.model import EncoderSettings
from blickschutz.web import texts

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(slots=True)
class Wish:
    """What somebody asked for. Without a `key` the package is encrypted with words that are made when the other agrees.

    `mark` names this wish in the form that agrees. The key is what whoever asks says is the recipient's; only whoever agrees can find
    out that it is not their own.
    """

    asked: str
    basis: str
    recipient: str
    reference: str
    key: str
    person: tuple[float, float, float] | None = None
    mark: str = field(default_factory=new_mark)


@dataclass(frozen=True, slots=True)
class Filled:
    """What was put into a bag: the clip's state, and when its first and last picture were taken (POSIX)."""

    state: str
    begun: float
    ended: float


class Release:
    """The release of a room's clip. `file` is the newest package that was made; it is put together in the folder `memory`.

    `words` open that package and `words_for` is the one person who reads them: whoever agreed. They are nowhere else, and whoever read
    them does not fetch the package; neither does whoever gave the key that opens it.
    """

    def __init__(self, room: Room, memory: Path | None = None) -> None:
        self._room, self._memory = room, memory
        self.wish: Wish | None = None
        self.file = ""
        self.failed = ""
        self.running = False
        self.words = self.words_for = ""

    def ask(
        self,
        seat: Seat,
        basis: str,
        recipient: str,
        reference: str,
        key: str,
        person: tuple[float, float, float] | None = None,
        *,
        with_words: bool = False,
    ) -> str:
        """Ask for a release; why it was not taken, or empty.

        `with_words`: the package is encrypted with words in place of a `key`.
        `person` says who asks for their own data: second in the clip, place from left and top (shares of the picture).
        """
        problem = refusal(basis, recipient, reference)
        if not problem and basis == Basis.PERSON_CONCERNED and person is None:
            problem = "no-person"
        if not seat.guest.may_release:
            problem = "not-you"
        elif not self._held(basis):
            problem = "not-held"
        elif not problem and not with_words:
            try:
                key = str(recipient_key(key))
            except OperatorError:
                problem = "no-key"
        if problem:
            self._room.link.send(ReleaseRefused(person=seat.guest.id, why=problem))
            return problem
        wish = self.wish = Wish(seat.guest.id, basis, recipient.strip(), reference.strip(), "" if with_words else key, person)
        self._room.link.send(ReleaseAsked(person=wish.asked, basis=basis, recipient=wish.recipient, reference=wish.reference, key=wish.key))
        self._room.version += 1
        return ""

    def _held(self, basis: str) -> bool:
        """Whether the clip is kept for what is asked: as evidence, or for the request of somebody who asks for their own data."""
        settings = self._room.settings
        return settings.held or self._room.outcome == "held" or (settings.restricted and basis == Basis.PERSON_CONCERNED)

    def noted(self, seat: Seat) -> None:
        """Whoever reads the words has written them down: they are shown no more."""
        if seat.guest.id == self.words_for:
            self.words = self.words_for = ""
            self._room.version += 1

    def refuse(self, seat: Seat) -> None:
        """The other does not agree; to whatever is asked now, because a no does no harm."""
        if self.wish is not None:
            self._room.link.send(ReleaseRefused(person=seat.guest.id, why="not-agreed"))
            self.wish = None
            self._room.version += 1

    async def consent(self, seat: Seat, mark: str, *, compared: bool = False) -> str:
        """The other agrees to the wish with that `mark`: the package is made; why not, or empty.

        `compared`: they compared the key with the one that the recipient gave them. Without that one person chooses who opens it.
        """
        wish, playback = self.wish, self._room.playback
        if wish is None or self.running:
            return "nothing-asked"
        if wish.asked == seat.guest.id:
            return "not-you"
        if wish.mark != mark:
            return Trouble.OTHER_WISH.value
        if wish.key and not compared:
            return "not-compared"
        if playback is None:
            return Trouble.ALONE.value
        if playback.unsafe:
            self._room.link.send(ReleaseRefused(person=seat.guest.id, why=Trouble.UNSAFE_REDACTION.value))
            self.wish = None
            self._room.version += 1
            return Trouble.UNSAFE_REDACTION.value
        if not self._room.sit_here(wish.asked, seat.guest.id):
            return Trouble.ALONE.value
        self.running = True
        try:
            with work_folder(self._memory) as folder:
                return await self._make(seat, wish, playback, Path(folder))
        finally:
            self.running, self.wish = False, None
            self._room.version += 1

    async def _make(self, seat: Seat, wish: Wish, playback: Playback, folder: Path) -> str:
        room, settings = self._room, self._room.settings
        bag = folder / "bag"
        bag.mkdir()
        answer = await room.link.ask(
            lambda number: ReleaseAgreed(
                number=number,
                asked=wish.asked,
                person=seat.guest.id,
                basis=wish.basis,
                recipient=wish.recipient,
                reference=wish.reference,
            )
        )
        if answer.problem:
            return answer.problem
        await asyncio.to_thread((bag / "log-excerpt.jsonl").write_bytes, answer.data)
        filled = await asyncio.to_thread(self._fill, bag, playback, wish)
        if filled is None:
            return "nobody-there"
        await asyncio.to_thread((bag / NAME).write_bytes, page(_names()))
        sealed = await asyncio.to_thread(sha256_of, Path(settings.path))
        released = time.time()
        people = (wish.asked, seat.guest.id)
        custody = Custody(
            format=FORMAT,
            installation=settings.installation,
            operator=settings.operator,
            site=settings.site,
            case=settings.case,
            clip=settings.clip,
            camera=settings.camera,
            basis=wish.basis,
            recipient=wish.recipient,
            reference=wish.reference,
            recipient_key=wish.key,
            people=people,
            released=released,
            sealed_sha256=sealed,
            clip_state=filled.state,
            contents=tuple(sorted(path.name for path in bag.iterdir())),
            begun=filled.begun,
            ended=filled.ended,
            timezone=settings.timezone,
        )
        await asyncio.to_thread((bag / "custody.json").write_bytes, msgspec.json.format(_encode(custody), indent=2) + b"\n")
        target = Path(settings.exports) / f"{settings.clip}-{int(released)}.tar.age"
        info = {
            "Source-Organization": settings.operator,
            "External-Identifier": wish.reference,
            "Internal-Sender-Identifier": settings.clip,
        }
        digests = await asyncio.to_thread(make_bag, bag, info)
        given = await room.link.ask(lambda number: SignThis(number=number, text=signed_text(digests)))
        if given.problem or not given.signature:
            raise ProtocolError("the control room did not sign")
        signed = Signature(format=FORMAT, public_key=answer.state, digests=digests, signature=given.signature.hex())
        words = "" if wish.key else new_words(secrets.randbelow)
        digest, size = await asyncio.to_thread(finish, bag, signed, wish.key, target, words)
        self.file, self.words, self.words_for = target.name, words, seat.guest.id if words else ""
        room.link.send(
            Released(
                people=people,
                basis=wish.basis,
                recipient=wish.recipient,
                reference=wish.reference,
                file=target.name,
                sha256=digest,
                size=size,
                contents=custody.contents,
                words_for=self.words_for,
                key=wish.key,
            )
        )
        return ""

    @staticmethod
    def _fill(bag: Path, playback: Playback, wish: Wish) -> Filled | None:
        """Original, redacted copy and situations; None where the person was not found.

        Somebody who asks for their own data gets a copy in which all others are redacted, and no original: others are in it.
        """
        if playback.unsafe:
            raise RoomError(Trouble.UNSAFE_REDACTION)
        own = wish.basis == Basis.PERSON_CONCERNED
        spared: int | None = None
        if own and wish.person is not None:
            reader = playback.reader()
            try:
                if reader.opening.skew_s:
                    # The detector looked at another stream: who else may pass before somebody in these pictures nobody knows.
                    raise RoomError(Trouble.OTHER_STREAM)
                spared = track_at(reader, *wish.person)
            finally:
                reader.close()
            if spared is None:
                return None
        reader = playback.reader()
        marks: list[Mark] = []
        taken: list[float] = []
        try:
            with (bag / "original.mp4").open("wb") as original:
                original.write(reader.opening.init)
                for gop in reader:
                    original.write(gop.data)
                    marks.extend(gop.marks)
                    taken.extend(at for _, at in gop.times)
            filled = Filled(reader.state.value, min(taken, default=0.0), max(taken, default=0.0))
        finally:
            reader.close()
        (bag / "situations.json").write_bytes(msgspec.json.format(_encode(marks), indent=2) + b"\n")
        if playback.mode is ClipMode.ANONYMOUS:
            (bag / "original.mp4").rename(bag / "redacted.mp4")
            return filled
        reader = playback.reader()
        try:
            write_redacted(bag / ("own-copy.mp4" if own else "redacted.mp4"), reader, spared)
        finally:
            reader.close()
        if own:
            (bag / "original.mp4").unlink()
        return filled


def _names() -> Words:
    """What kinds, events and legal bases are called, for the page in the package."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for language in texts.LANGUAGES:
        translate = texts.translator(language)
        found[language] = {
            "kinds": {kind.value: name(kind, language) for kind in Kind},
            "events": {key: translate(text) for key, text in texts.EVENT_WORDS.items()},
            "bases": {key: translate(text) for key, text in texts.BASIS_WORDS.items()},
        }
    return found


def write_redacted(path: Path, reader: ClipReader, spared: int | None = None) -> None:
    """The redacted copy of a clip as a file; `spared` is the track of who gets a copy of their own data."""
    frames = Renderer(reader.opening, spared).frames(reader)
    with path.open("wb") as file:
        for data, _ in encoded(frames, EncoderSettings(MOST_WIDTH, crf=20)):
            file.write(data)
