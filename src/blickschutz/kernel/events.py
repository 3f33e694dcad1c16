"""Typed events: who has something to tell names what it tells; any number listen, and none knows the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Topic(Generic[T]):
    """What one part tells. Listeners are called in the teller's thread, in the order in which they came; they must not wait.

    The listeners are replaced as a whole, never altered: telling needs no lock. Who listens is settled while a system is built.
    """

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[T], None], ...] = ()

    def listen(self, listener: Callable[[T], None]) -> Callable[[], None]:
        """Call `listener` with all that is told from now on; returns what ends that."""
        self._listeners = (*self._listeners, listener)

        def end() -> None:
            self._listeners = tuple(one for one in self._listeners if one is not listener)

        return end

    def tell(self, value: T) -> None:
        """Every listener hears it, whatever the others do; raises an `ExceptionGroup` of what they raised."""
        errors: list[Exception] = []
        for listener in self._listeners:
            try:
                listener(value)
            except Exception as error:  # noqa: BLE001 - the others hear it first, then it is raised with all others
                errors.append(error)
        if errors:
            raise ExceptionGroup("listeners failed", errors)
