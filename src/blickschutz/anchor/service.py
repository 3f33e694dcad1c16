"""Hands the log's hashes over to the witness as they come, and compares what both know."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec
import structlog

from blickschutz.anchor.model import PASSING, Anchor, AnchorState, Bond, HeadTold, Problem, Record, Refused
from blickschutz.anchor.ports import Bonds, Chain, Key, Line
from blickschutz.anchor.rules import MOST_HASHES, anchor_text, disagreement, signed_anchor, signed_record
from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import UNREADABLE, DeviceError
from blickschutz.kernel.events import Topic

_log = structlog.get_logger(__name__)
EVERY_S = 60.0
# Where nothing happens in the log, how seldom it is written down that it was compared.
KEPT_S = 600.0
# A witness that is started anew is away for a moment.
TELL_AFTER = 3
_AT_ONCE = frozenset(Problem) - {Problem.UNREACHABLE}


class Anchoring:
    """Called every few seconds in a thread of its own. `problem` says why the log is not anchored; what is wrong is in the log, once.

    Nothing is lost where the witness is away or full: what it has not seen is handed over when it is there again.
    """

    def __init__(
        self,
        line: Line | None,
        bonds: Bonds,
        log: AuditLog,
        key: Key,
        clock: Clock,
        is_signed: Callable[[bytes, bytes, bytes], bool],
        witness: str = "",
    ) -> None:
        """`line` is None where the site names no witness; `witness` is its public key (hex) where the site names that, else whoever
        answered first is believed from then on."""
        self._line, self._bonds, self._log, self._key, self._clock, self._is_signed = line, bonds, log, key, clock, is_signed
        self._chain: Chain = log
        self._witness = witness
        # What is worth telling people at once: the log and its witness do not agree.
        self.wrong: Topic[Problem] = Topic()
        self._lock = threading.Lock()
        self._looked_at, self._failed = float("-inf"), 0
        # What was wrong when this was looked at last, maybe by another process.
        self._told = self._problem_in_log() if line is not None else None
        bond = self._bond() or Bond(witness="")
        self.state = AnchorState(bond.number, bond.at, bond.witness, self._told)

    @property
    def configured(self) -> bool:
        return self._line is not None

    def look(self) -> None:
        """Once a minute."""
        now = self._clock.monotonic()
        if self._line is None or now - self._looked_at < EVERY_S:
            return
        self._looked_at = now
        self.anchor()

    def anchor(self) -> AnchorState:
        """Compare with the witness, and hand over what it has not seen."""
        with self._lock:
            if self._line is None:
                return self.state
            try:
                problem, text = self._anchored(self._line), ""
            except DeviceError as error:
                problem, text = Problem.UNREACHABLE, str(error)
            self._failed = self._failed + 1 if problem is not None else 0
            bond = self._bond() or Bond(witness="")
            self.state = AnchorState(bond.number, bond.at, bond.witness, problem)
            self._tell(problem, text)
            return self.state

    def _anchored(self, line: Line) -> Problem | None:
        head, bond = line.head(), self._bond()
        number = self._chain.state()[0]
        own = {key.hex() for key in (self._key.public, *self._key.former)}
        problem = disagreement(head, bond, number, self._chain.hash_of(head.number), own)
        if problem is not None:
            return problem
        if bond is None or self._named_in_log() != bond.witness:
            self._log.write(Event.WITNESS_BOUND, "system", facts={"witness": head.witness})
            bond = bond or Bond(witness=head.witness)
        return self._handed(line, head, bond, number)

    def _handed(self, line: Line, head: HeadTold, bond: Bond, upto: int) -> Problem | None:
        after, after_hash = head.number, head.hash
        if head.number > bond.number:
            self._bonds.write(Bond(witness=bond.witness, number=head.number, hash=head.hash, at=self._clock.now()))
        while hashes := list(self._chain.hashes(after, MOST_HASHES)):
            public = self._key.public.hex()
            number = after + len(hashes)
            anchor = Anchor(public_key=public, after=after, after_hash=after_hash, number=number, at=self._clock.now(), hashes=hashes)
            text = anchor_text(anchor)
            signature = self._key.try_sign(signed_anchor(text))
            if signature is None:
                # Without the key nothing new can be proven; that it is missing is told elsewhere, and loudly.
                return None
            told = line.hand(text, signature.hex())
            if isinstance(told, Refused):
                return told.problem
            if not self._is_countersigned(told.record, text, signature.hex(), bond.witness):
                return Problem.OTHER_WITNESS
            after, after_hash = number, hashes[-1]
            self._bonds.write(Bond(witness=bond.witness, number=after, hash=after_hash, at=self._clock.now()))
        if after < upto:
            # An entry is missing here: nothing that comes after it can be handed over.
            return Problem.FORKED
        if head.number == after and self._clock.now() - bond.at > KEPT_S:
            # Nothing new: it was compared, and that is what an anchor's age is about.
            self._bonds.write(Bond(witness=bond.witness, number=after, hash=after_hash, at=self._clock.now()))
        return None

    def _is_countersigned(self, line: bytes, text: bytes, signature: str, witness: str) -> bool:
        try:
            record = msgspec.json.decode(line, type=Record)
            said = signed_record(text, signature, record.previous, record.received)
            fits = self._is_signed(said, bytes.fromhex(record.countersignature), bytes.fromhex(witness))
        except UNREADABLE:
            return False
        return fits and bytes(record.anchor) == text

    def _bond(self) -> Bond | None:
        """What is known of the witness; one that the site names anew begins anew."""
        kept = self._bonds.read()
        named = self._witness or (kept.witness if kept is not None else self._named_in_log())
        if not named:
            return None
        return kept if kept is not None and kept.witness == named else Bond(witness=named)

    def _named_in_log(self) -> str:
        found = self._log.find(event=Event.WITNESS_BOUND, most=1)
        return str(found[0][0].facts.get("witness", "")) if found else ""

    def _problem_in_log(self) -> Problem | None:
        failed = self._log.find(event=Event.ANCHOR_FAILED, most=1)
        again = self._log.find(event=Event.ANCHORED_AGAIN, most=1)
        if not failed or (again and again[0][0].number > failed[0][0].number):
            return None
        return Problem(str(failed[0][0].facts["problem"]))

    def _tell(self, problem: Problem | None, text: str) -> None:
        if problem is None and self._told is not None:
            self._told = None
            self._log.write(Event.ANCHORED_AGAIN, "system", facts={"number": self.state.number})
        elif problem is not None and problem is not self._told and (problem in _AT_ONCE or self._failed >= TELL_AFTER):
            self._told = problem
            _log.error("not_anchored", problem=problem.value, error=text)
            facts: Facts = {"problem": problem.value, "number": self.state.number, **({"error": text} if text else {})}
            self._log.write(Event.ANCHOR_FAILED, "system", facts=facts)
            if problem not in PASSING:
                self.wrong.tell(problem)
