"""Whether the databases are sound, looked at once a day while the system runs; a start looks by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import StoreDamagedError

_DAY_S = 86_400.0


class SoundnessWatch:
    """`faults` looks at everything and says what is wrong. Called every few seconds, in a thread of its own.

    What is damaged is raised until a later look finds it sound: guarded work that fails is shown and told.
    """

    def __init__(self, faults: Callable[[], Sequence[str]], clock: Clock) -> None:
        self._faults, self._clock = faults, clock
        self._found: tuple[str, ...] = ()
        self._looked_at = float("-inf")

    def look(self) -> None:
        """Raises `StoreDamagedError`."""
        if self._clock.monotonic() - self._looked_at >= _DAY_S:
            self._looked_at = self._clock.monotonic()
            self._found = tuple(self._faults())
        if self._found:
            raise StoreDamagedError(f"{'; '.join(self._found)}; the next start sets the file aside and goes on with what can be read of it")
