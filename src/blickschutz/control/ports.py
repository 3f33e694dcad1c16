"""What the control room needs from the rooms above it."""

from __future__ import annotations

from typing import Protocol

from blickschutz.access.model import Member
from blickschutz.review.model import Case


class Rooms(Protocol):
    """Review rooms and key desks: where they are, and who is in them."""

    def present(self, case: int) -> list[str]: ...

    def refusal(self, member: Member, case: Case) -> str: ...

    async def enter(self, number: int, member: Member, language: str, theme: str, origin: str) -> tuple[str, str]:
        """The address of the door for this person, or why not. `origin` is how their browser calls this server."""
        ...

    async def key_desk(self, member: Member, language: str, theme: str, origin: str) -> str: ...
