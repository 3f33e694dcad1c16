"""What signing in needs from outside."""

from __future__ import annotations

from typing import Protocol


class Passwords(Protocol):
    """Keeps passwords; see `io.store`."""

    def set(self, person: str, password: str, by: str) -> None: ...

    def is_set(self, person: str) -> bool: ...

    def fits(self, person: str, password: str) -> bool: ...
