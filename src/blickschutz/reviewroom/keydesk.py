"""The key desk of one person: their key, their passphrase, and their word for the keys of others. Its process alone unlocks the key."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import FastAPI, Form, HTTPException, Request, Response
from nacl.public import PrivateKey

from blickschutz.kernel.errors import BlickschutzError, OperatorError
from blickschutz.reviewroom.link import Link
from blickschutz.reviewroom.messages import Desk, FoundingSigned, KeyConfirmed, KeyMade, OpenKeyDesk, PassphraseRefused, RoomSettings
from blickschutz.reviewroom.own import require_session
from blickschutz.reviewroom.pages import Secret, Word, base_app
from blickschutz.reviewroom.second import read, second_of, to_ask, to_make
from blickschutz.vault.model import VaultProblem, Vouched
from blickschutz.vault.register import are_founders, confirmation_text, founding_text, key_words, root_words, same_words, sign, vouched
from blickschutz.vault.service import (
    HALF,
    SALT,
    GuessableError,
    VaultError,
    change_passphrase,
    enrol,
    signing_key,
    unlock,
    with_signing,
)

_MOST_TRIES = 5
People = Annotated[list[str] | None, Form()]


class DeskError(BlickschutzError):
    """Why something was not done at the desk; a key of `texts.ROOM_PROBLEMS`."""


class KeyDesk:
    """What one person can do with their key. `done` says what they did; a desk is for one thing and closed then."""

    def __init__(self, first: OpenKeyDesk, link: Link) -> None:
        self.person, self.name, self.desk, self.sealed = first.person, first.name, first.desk, first.sealed
        self._installation, self._link = first.settings.installation, link
        self.session, self.done, self.tries = first.session, "", first.refused
        self._settings, self._salt = first.settings, secrets.token_bytes(SALT)
        # What the browser needs for a second half: to ask the one there is, to make one.
        self.asked, self.making = to_ask(first.sealed), to_make(first.settings, first.person, first.name, self._salt)

    @property
    def own(self) -> Vouched | None:
        """One's own key as others vouch for it; None where there is none, or one that is to be presented first."""
        return vouched(self.sealed) if self.sealed is not None and self.sealed.signing else None

    @property
    def own_words(self) -> str:
        return key_words(self.own) if self.own is not None else ""

    @property
    def root_words(self) -> str:
        return root_words(self.desk.root) if self.desk.root else ""

    def founders(self) -> list[tuple[str, str, str]]:
        """Short name, name and words of everybody in a founding that somebody began."""
        names = {one.key.id: one.name for one in self.desk.waiting} | {self.person: self.name}
        return [(one.id, names.get(one.id, one.id), key_words(one)) for one in self.desk.founders]

    def refuse(self, reason: str) -> None:
        """The control room counts what failed: another desk takes no more tries than were left at this one."""
        self._link.send(PassphraseRefused(reason=reason))

    async def make(self, old: str, new: str, half: bytes, made: tuple[str, bytes] | None) -> None:
        """Make the key, or change its passphrase. `made`: a security key's credential and half, where it is to have one.

        Raises `BlickschutzError`.
        """
        before, (credential, other) = self.sealed, made or ("", b"")
        second = second_of(self._settings, credential, self._salt) if made is not None else None
        if made is not None and (second is None or len(other) != HALF):
            raise DeskError("second-half-failed")

        def work() -> None:
            if before is None:
                self.sealed = enrol(self.person, new, second, other)
            else:
                self.sealed = change_passphrase(before, old, new, half, second=second, new_half=other)

        await asyncio.to_thread(work)
        if self.sealed is not None:
            self._link.send(KeyMade(sealed=self.sealed, changed=before is not None))
        self.done = "made" if before is None else "changed"

    async def present(self, passphrase: str, half: bytes) -> None:
        """An older key gets the half to vouch with. Raises `BlickschutzError`."""
        private, before = await self._unlocked(passphrase, half), self.sealed
        if before is not None:
            self.sealed = with_signing(before, private)
            self._link.send(KeyMade(sealed=self.sealed, changed=False, presented=True))
        self.done = "presented"

    async def confirm(self, person: str, words: str, passphrase: str, half: bytes) -> None:
        """Vouch for the key of somebody who read out its words. Raises `BlickschutzError`."""
        found = next((one for one in self.desk.waiting if one.key.id == person), None)
        if found is None or not self.desk.may_confirm:
            raise DeskError("not-now")
        if not same_words(words, key_words(found.key)):
            raise DeskError("other-words")
        private, desk = await self._unlocked(passphrase, half), self.desk
        signature = sign(confirmation_text(desk.root, desk.head, found.key), signing_key(private))
        answer = await self._link.ask(lambda number: KeyConfirmed(number=number, key=found.key, seen=desk.head, signature=signature))
        if answer.problem:
            raise DeskError(answer.problem)
        self.done = "confirmed"

    async def found(self, people: list[str], passphrase: str, half: bytes) -> None:
        """Found the register together with `people`, or with those of a founding that one of them began. Raises `BlickschutzError`."""
        own, keys = self.own, {one.key.id: one.key for one in self.desk.waiting}
        if own is None or not self.desk.may_found:
            raise DeskError("not-now")
        began = self.desk.founders if self.person in {one.id for one in self.desk.founders} else ()
        founders = tuple(sorted(began or (own, *(keys[one] for one in people if one in keys))))
        if not are_founders(founders):
            raise DeskError("two-founders")
        signature = sign(founding_text(self._installation, founders), signing_key(await self._unlocked(passphrase, half)))
        answer = await self._link.ask(lambda number: FoundingSigned(number=number, founders=founders, signature=signature))
        if answer.problem:
            raise DeskError(answer.problem)
        self.desk = _with_root(self.desk, answer.state)
        self.done = "founded" if answer.state else "signed"

    async def _unlocked(self, passphrase: str, half: bytes) -> PrivateKey:
        sealed = self.sealed
        if sealed is None:
            raise DeskError("not-now")
        return await asyncio.to_thread(unlock, sealed, passphrase, half)


def _with_root(desk: Desk, root: str) -> Desk:
    return Desk(root=root, pinned=bool(root) and root == desk.root and desk.pinned, waiting=desk.waiting, founders=desk.founders)


def make_key_app(settings: RoomSettings, desk: KeyDesk, ticket: str) -> FastAPI:
    """The pages of a key desk. Tries of every kind are counted together, before they are looked at."""
    app, pages = base_app(settings)

    def page(problem: str = "", status: int = 200) -> Response:
        return pages.render("key.html", status, desk=desk, ticket=ticket, key_words=key_words, problem=problem)

    def require(request: Request, given: str) -> None:
        require_session(request, desk.session)
        if not secrets.compare_digest(given.encode(), ticket.encode()):
            raise HTTPException(404)

    async def do(request: Request, given: str, work: Callable[[], Awaitable[None]]) -> Response:
        require(request, given)
        if desk.done:
            raise HTTPException(404)
        if desk.tries >= _MOST_TRIES:
            return page("locked", 403)
        desk.tries += 1
        try:
            await work()
        except asyncio.CancelledError:
            # The desk ends while the key is derived: whoever opens the next one at once has tried all the same.
            desk.refuse("interrupted")
            raise
        except DeskError as error:
            return page(str(error), 422)
        except GuessableError:
            return page("guessable", 422)
        except OperatorError:
            return page("short", 422)
        except VaultError as error:
            reason = "second-half-missing" if error.problem is VaultProblem.SECOND_HALF_MISSING else "wrong-passphrase"
            desk.refuse(reason)
            return page(reason, 403)
        return page()

    @app.get("/key/{given}")
    async def ask(request: Request, given: str) -> Response:
        require(request, given)
        return page()

    @app.post("/key/{given}")
    async def make(
        request: Request,
        given: str,
        old: Secret = "",
        new: Secret = "",
        again: Secret = "",
        half: Word = "",
        second: Word = "",
        credential: Annotated[str, Form(max_length=1400)] = "",
        other: Word = "",
    ) -> Response:
        require(request, given)
        made = (credential, read(other)) if second else None
        return page("different", 422) if new != again else await do(request, given, lambda: desk.make(old, new, read(half), made))

    @app.post("/key/{given}/present")
    async def present(request: Request, given: str, passphrase: Secret = "", half: Word = "") -> Response:
        return await do(request, given, lambda: desk.present(passphrase, read(half)))

    @app.post("/key/{given}/confirm")
    async def confirm(
        request: Request, given: str, person: Word = "", words: Secret = "", passphrase: Secret = "", half: Word = ""
    ) -> Response:
        return await do(request, given, lambda: desk.confirm(person, words, passphrase, read(half)))

    @app.post("/key/{given}/found")
    async def found(request: Request, given: str, people: People = None, passphrase: Secret = "", half: Word = "") -> Response:
        return await do(request, given, lambda: desk.found(list(people or ()), passphrase, read(half)))

    return app
