"""A decision whose session had ended when it was sent: kept until its person has signed in again, then shown to be finished."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass

from blickschutz.access.service.sessions import hashed
from blickschutz.kernel.clock import Clock

KEEP_S = 15 * 60.0
_MOST, _MOST_FIELDS, _MOST_BYTES = 100, 40, 16_384
# Of one person, and of all of whom it is not known who they are: a stranger pushes out a stranger's, nobody another's.
_MOST_OF_ONE = 10
# What must never lie in memory longer than one request.
SECRETS = frozenset({"password", "passphrase", "code", "old", "new", "again"})


@dataclass(frozen=True, slots=True)
class KeptForm:
    """The form that was sent: where to, its fields, whose session it was (empty where that is not known), when."""

    path: str
    fields: tuple[tuple[str, str], ...]
    person: str
    at: float


class KeptForms:
    """Forms by the hash of a secret that only the browser has that sent them."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._kept, self._lock = clock, dict[str, KeptForm](), threading.Lock()

    def keep(self, path: str, fields: list[tuple[str, str]], person: str) -> str:
        """The secret by which the form is found again; empty where it is not kept: it holds a secret, or is too large."""
        size = sum(len(name) + len(value) for name, value in fields)
        if len(fields) > _MOST_FIELDS or size > _MOST_BYTES or SECRETS.intersection(name for name, _ in fields):
            return ""
        token, now = secrets.token_urlsafe(24), self._clock.monotonic()
        with self._lock:
            self._kept = {key: form for key, form in self._kept.items() if now - form.at <= KEEP_S}
            own = [key for key, form in self._kept.items() if form.person == person]
            others = [] if len(self._kept) < _MOST else list(self._kept)
            for key in own[: len(own) - _MOST_OF_ONE + 1] if len(own) >= _MOST_OF_ONE else others[:1]:
                del self._kept[key]
            self._kept[hashed(token)] = KeptForm(path, tuple(fields), person, now)
        return token

    def find(self, token: str, person: str) -> KeptForm | None:
        """The form, if it is this person's and not too old."""
        form = self._kept.get(hashed(token))
        if form is None or self._clock.monotonic() - form.at > KEEP_S:
            return None
        return form if form.person in {"", person} else None

    def drop(self, token: str) -> None:
        with self._lock:
            self._kept.pop(hashed(token), None)
