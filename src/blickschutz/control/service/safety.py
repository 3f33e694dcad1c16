"""Safe mode: something was lost, so live pictures and alerts go on, and everything that destroys or seals waits for people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from blickschutz.access.io.factors import FactorStore
from blickschutz.access.voices import Decision, Lack, Voices
from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.control.model import Loss, LossKind, NotAccepted, Witness
from blickschutz.control.ports import WitnessStore
from blickschutz.control.rules import stops
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import BlickschutzError
from blickschutz.kernel.events import Topic
from blickschutz.vault.io.files import InstallationKey

_log = structlog.get_logger(__name__)
_EVERY_S = 60.0
_KEYS = frozenset({LossKind.KEY_MISSING, LossKind.KEY_DAMAGED, LossKind.KEY_OTHER})
_FACTORS = frozenset({LossKind.FACTORS_MISSING, LossKind.FACTORS_OTHER})


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases, accounts and alerts there are."""

    cases: int
    accounts: int
    alerts: int


@dataclass(frozen=True, slots=True)
class Lost:
    """What a start found: what is missing, the witness, and whether there is one or was one that the log tells of."""

    losses: Sequence[Loss] = ()
    witness: Witness | None = None
    known: bool = False


class SafeMode:
    """`losses` is what a start found missing. While one of them stops (`on`), nothing is destroyed, sealed or adopted.

    It ends with the right files at the next start, or when two people who saw what was lost accept it: `ended` tells that, and
    `found` each loss at the start.
    `settle` removes the mark of a backup that was put back. Safe to be called from several threads.
    """

    def __init__(
        self,
        lost: Lost,
        file: WitnessStore,
        key: InstallationKey,
        factors: FactorStore,
        log: AuditLog,
        clock: Clock,
        counts: Callable[[], Counts],
        settle: Callable[[], None],
        voices: Voices,
    ) -> None:
        self._losses, self._witness, self._known, self._file = tuple(lost.losses), lost.witness, lost.known, file
        self._key, self._factors, self._log, self._clock, self._counts = key, factors, log, clock, counts
        self._settle, self._voices = settle, voices
        self.ended: Topic[str] = Topic()
        self.found: Topic[Loss] = Topic()
        self._seen_by = ""
        self._lock = threading.Lock()
        self._written_at = float("-inf")
        self._written: tuple[int, str] | None = None

    @property
    def losses(self) -> tuple[Loss, ...]:
        return self._losses

    @property
    def on(self) -> bool:
        """Whether everything that destroys or seals waits."""
        return any(stops(loss) for loss in self._losses)

    @property
    def known(self) -> bool:
        """Whether there is a witness, or was one."""
        return self._known

    @property
    def seen_by(self) -> str:
        """Who accepted as the first of two; empty where nobody did, or whoever did may no longer."""
        seen_by = self._seen_by
        return seen_by if seen_by and self._voices.counts(Decision.LOSS, seen_by) else ""

    @property
    def what(self) -> str:
        """The kinds of all losses as one word: who accepts says what they saw."""
        return "+".join(sorted(loss.kind.value for loss in self._losses))

    def tell(self) -> None:
        """Say what was found, at every start at which something is missing."""
        for loss in self._losses:
            self.found.tell(loss)
            facts: Facts = {"kind": loss.kind.value, **loss.facts}
            _log.error("loss_found", **facts)
            self._log.write(Event.LOSS_FOUND, "system", facts=facts)

    # --- accepted by two ---

    def accept(self, person: str, what: str) -> NotAccepted | None:
        """One of two people who saw what was lost; with the second it holds. Why not, or None."""
        with self._lock:
            problem = self._unacceptable(what)
            if problem is not None:
                return problem
            seen_by = self.seen_by
            if not seen_by:
                self._log.write(Event.LOSS_SEEN, person, facts={"losses": self.what.split("+")})
                self._seen_by = person
                return None
            lack = self._voices.lack(Decision.LOSS, (seen_by,), person)
            if lack is not None:
                return NotAccepted.SAME_PERSON if lack is Lack.SAME else NotAccepted.MAY_NOT
            self._take((seen_by, person))
            return None

    def accept_here(self, by: str) -> NotAccepted | None:
        """Whoever sits at the machine itself accepts what they were shown."""
        with self._lock:
            if not self._losses:
                return NotAccepted.NOTHING
            self._take((by,))
            return None

    def _unacceptable(self, what: str) -> NotAccepted | None:
        if not self._losses:
            return NotAccepted.NOTHING
        return NotAccepted.CHANGED if what != self.what else None

    def _take(self, people: tuple[str, ...]) -> None:
        """Every step can be done again after a crash: until the new witness is written, the next start finds the same."""
        kinds = {loss.kind for loss in self._losses}
        had: Facts = {"number": self._witness.number, "hash": self._witness.hash} if self._witness is not None else {}
        self._log.write(Event.LOSS_ACCEPTED, people[-1], facts={"losses": self.what.split("+"), "by": list(people), **had})
        if kinds & _KEYS:
            self._replace_key(people[-1])
        if kinds & _FACTORS:
            self._factors.renew(people[-1])
        self._write()
        if LossKind.RESTORED in kinds:
            self._settle()
        what, self._losses, self._seen_by = self.what, (), ""
        self.ended.tell(what)

    def _replace_key(self, by: str) -> None:
        before, now = self._key.renew()
        facts: Facts = {"installation": self._key.installation, "before": before.hex(), "now": now.hex()}
        self._log.write(Event.KEY_REPLACED, by, facts=facts)
        self._log.public = now

    # --- the witness ---

    def look(self) -> None:
        """Keep the witness up to date; called every few seconds. Not while something is lost: what was is known by it alone."""
        if self.on or self._clock.monotonic() - self._written_at < _EVERY_S:
            return
        try:
            self._write()
        except BlickschutzError as error:
            _log.error("witness_not_written", problem=str(error))

    def end(self) -> None:
        """The last word before the end."""
        if not self.on:
            self._written_at = float("-inf")
            self.look()

    def _write(self) -> None:
        number, hashed, _ = self._log.state()
        self._written_at = self._clock.monotonic()
        if self._written == (number, hashed):
            return
        counts = self._counts()
        witness = Witness(
            installation=self._key.installation,
            public_key=self._key.public.hex(),
            former=tuple(sorted(key.hex() for key in self._key.former)),
            factors=self._factors.fingerprint,
            number=number,
            hash=hashed,
            cases=counts.cases,
            accounts=counts.accounts,
            alerts=counts.alerts,
            at=self._clock.now(),
        )
        self._file.write(witness)
        self._written, self._witness, self._known = (number, hashed), witness, True
