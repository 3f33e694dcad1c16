"""Cases, verdicts and holds in a relational database; what changes a case writes its entry in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Engine, Float, Index, Integer, MetaData, Row, String, Table, Text, func, select, update

from blickschutz.audit.io.log import AuditLog, Facts
from blickschutz.audit.model import Event
from blickschutz.review.model import Case, CaseState, Erasing, GivenVerdict, Hold, ProposedFate, Quarantine
from blickschutz.review.ports import BesideClips
from blickschutz.review.rules import MORTAL
from blickschutz.storage.engine import writing
from blickschutz.storage.ports import Database, belongs_to
from blickschutz.storage.rows import DamagedRow, RowReader

METADATA = MetaData(info=belongs_to(Database.CONTROL))

cases = Table(
    "cases",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("clip", String(40), nullable=False, unique=True),
    Column("camera", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Column("opened", Float, nullable=False),
    Column("facts", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Index("cases_by_state", "state", "opened"),
    sqlite_autoincrement=True,
)
# What is asked for stands in columns; the rest of a case is one JSON text, so that a case is read in one piece.
# What a text of an older version does not have gets the default of `Case`.
_COLUMNS = ("id", "clip", "camera", "state", "opened", "version")
_FIRST = 1
_STATES = frozenset(state.value for state in CaseState)
_LONGEST_S = 86_400.0
_encode = msgspec.json.Encoder(order="deterministic").encode


class SqlCaseStore:
    """See `CaseStore`, and `BesideClips` for the order in which row and note beside the clip are written."""

    def __init__(self, engine: Engine, log: AuditLog, beside: BesideClips) -> None:
        self._engine, self._log, self._beside = engine, log, beside
        self._rows = RowReader("cases")

    def add(self, case: Case) -> Case:
        with writing(self._engine) as connection:
            values = {name: getattr(case, name) for name in _COLUMNS if name != "id"}
            row = {**values, "version": _FIRST, "facts": _facts(case)}
            number = int(connection.execute(cases.insert().returning(cases.c.id), row).scalar_one())
            facts: Facts = {"case": number, "camera": case.camera, "mode": case.mode, "cause": case.cause}
            self._log.append(connection, Event.CASE_OPENED, "system", case.clip, facts)
            if case.quarantine is not None:
                self._log.append(connection, Event.QUARANTINED, "system", case.clip, _quarantine_facts(replace(case, id=number)))
        return replace(case, id=number, version=_FIRST)

    def get(self, number: int) -> Case | None:
        return self._one(cases.c.id == number)

    def by_clip(self, clip: str) -> Case | None:
        return self._one(cases.c.clip == clip)

    def knows(self, clip: str) -> bool:
        with self._engine.connect() as connection:
            return connection.execute(select(cases.c.id).where(cases.c.clip == clip)).first() is not None

    def damaged(self) -> list[DamagedRow]:
        with self._engine.connect() as connection:
            return self._rows.damaged(connection.execute(select(cases).order_by(cases.c.id)), _case)

    def _one(self, where: Any) -> Case | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(cases).where(where)).one_or_none()
        return self._rows.one(row, _case) if row is not None else None

    def find(self, *, states: Sequence[CaseState] = (), camera: str = "", most: int = 500) -> list[Case]:
        """Cases that fit, the oldest first: its deadline comes first."""
        query = select(cases).order_by(cases.c.opened, cases.c.id).limit(most)
        query = query.where(cases.c.state.in_([state.value for state in states])) if states else query
        query = query.where(cases.c.camera == camera) if camera else query
        with self._engine.connect() as connection:
            return self._rows.all(connection.execute(query), _case)

    def latest(self, states: Sequence[CaseState], most: int = 50) -> list[Case]:
        """Cases in those states, the newest first."""
        query = (
            select(cases).where(cases.c.state.in_([s.value for s in states])).order_by(cases.c.opened.desc(), cases.c.id.desc()).limit(most)
        )
        with self._engine.connect() as connection:
            return self._rows.all(connection.execute(query), _case)

    def queue(self, start: int, most: int) -> list[Case]:
        """Cases that wait for somebody, the oldest first: its deadline comes first."""
        there = [state.value for state in sorted(MORTAL - {CaseState.HELD})]
        query = select(cases).where(cases.c.state.in_(there)).order_by(cases.c.opened, cases.c.id).offset(start).limit(most)
        with self._engine.connect() as connection:
            return self._rows.all(connection.execute(query), _case)

    def counts(self) -> dict[CaseState, int]:
        """How many cases are in each state."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(cases.c.state, func.count()).group_by(cases.c.state))
            return {CaseState(state): int(number) for state, number in rows if state in _STATES}

    def close(self, case: Case) -> bool:
        """The clip is on disk: length, size, hash."""
        facts: Facts = {"seconds": case.seconds, "bytes": case.size, "sha256": case.sha256, "reason": case.close_reason}
        return self._change(case, CaseState.RECORDING, Event.RECORDING_CLOSED, "system", facts)

    def give_verdict(self, case: Case, new: GivenVerdict, after: CaseState, hold: Hold | None) -> bool:
        """`new` is the verdict that leads to `after`; `hold` is in force then. False where the case changed meanwhile."""
        changed = replace(case, state=after, verdicts=(*case.verdicts, new), hold=hold or case.hold)
        decided = after in {CaseState.HELD, CaseState.DESTROYING}
        if after is CaseState.DESTROYING:
            people = tuple(one.person for one in changed.verdicts)
            changed = replace(changed, shred_reason="harmless", shred_by=people)

        def more(connection: Connection) -> None:
            if after is CaseState.THIRD or decided:
                outcome = "third" if after is CaseState.THIRD else "incident" if after is CaseState.HELD else "harmless"
                people = [one.person for one in changed.verdicts]
                self._log.append(connection, Event.CASE_DECIDED, "system", case.clip, {"outcome": outcome, "people": people})
            if hold is not None:
                self._log.append(connection, Event.HOLD_SET, new.person, case.clip, _hold_facts(hold))
                self._beside.keep(case.clip, hold, changed.restricted)
            if after is CaseState.DESTROYING:
                self._log.append(connection, Event.SHRED_ORDERED, new.person, case.clip, _doom_facts(changed))

        # The note is made from footage and ends with it (§ 21(5) LDSG); an entry of the log never ends.
        facts: Facts = {"verdict": new.verdict.value, "noted": bool(new.note)}
        return self._change(changed, case.state, Event.VERDICT_GIVEN, new.person, facts, more)

    def propose(self, case: Case, proposal: Hold) -> bool:
        """One person proposes a hold, its change or (with `until` 0) its end."""
        return self._change(replace(case, proposal=proposal), case.state, Event.HOLD_PROPOSED, proposal.by[0], _hold_facts(proposal))

    def set_hold(self, case: Case, hold: Hold, after: CaseState) -> bool:
        """Two people stand behind a hold."""
        changed = replace(case, hold=hold, proposal=None, fate=None, state=after)

        def more(connection: Connection) -> None:
            del connection
            self._beside.keep(case.clip, hold, case.restricted)

        return self._change(changed, case.state, Event.HOLD_SET, hold.by[-1], _hold_facts(hold), more)

    def put_right(self, case: Case, hold: Hold) -> bool:
        # Where the row knows the hold, only longer ends are new; its case number stays.
        known = case.hold.reference if case.hold is not None else hold.reference
        changed = replace(case, hold=replace(hold, reference=known), proposal=None, state=CaseState.HELD)
        facts: Facts = {**_hold_facts(hold), "row": case.state.value}
        return self._change(changed, case.state, Event.HOLD_RESTORED, "system", facts)

    def quarantine(self, case: Case, quarantine: Quarantine, hold: Hold | None) -> bool:
        changed = replace(case, state=CaseState.QUARANTINED, quarantine=quarantine, hold=hold, proposal=None, fate=None, erasing=None)
        return self._change(changed, case.state, Event.QUARANTINED, "system", _quarantine_facts(changed))

    def propose_fate(self, case: Case, fate: ProposedFate) -> bool:
        facts: Facts = {"fate": fate.fate.value, **(_hold_facts(fate.hold) if fate.hold is not None else {})}
        return self._change(replace(case, fate=fate), case.state, Event.QUARANTINE_PROPOSED, fate.by, facts)

    def release(self, case: Case, by: Sequence[str]) -> bool:
        changed = replace(case, state=CaseState.WAITING, verdicts=(), hold=None, proposal=None, fate=None)
        done = self._change(changed, case.state, Event.QUARANTINE_RELEASED, by[-1], {"by": list(by)})
        if done:
            self._beside.keep(case.clip, None, case.restricted)
        return done

    def bring_back(self, case: Case) -> bool:
        changed = replace(case, state=CaseState.DESTROYING, destroyed=0.0, erasing=None, ending="")
        return self._change(changed, case.state, Event.CAME_BACK, "system", _doom_facts(changed))

    def restrict(self, case: Case, restricted: Sequence[int], request: int, by: str) -> bool:
        """For which open requests the clip is kept. False where the case changed meanwhile."""
        changed, hold = replace(case, restricted=tuple(restricted)), case.hold if case.state is CaseState.HELD else None

        def more(connection: Connection) -> None:
            del connection
            self._beside.keep(case.clip, hold, changed.restricted)

        if request in restricted:
            return self._change(changed, case.state, Event.CASE_RESTRICTED, by, {"request": request}, more)
        done = self._change(changed, case.state, Event.CASE_FREED, by, {"request": request})
        if done:
            self._beside.keep(case.clip, hold, changed.restricted)
        return done

    def forget(self, is_over: Callable[[float], bool], most: int = 500) -> int:
        """Of cases whose clips were destroyed at a moment that `is_over` (POSIX), leave which camera it was, when, and how it ended: who
        decided what and why lives as long as their entries of the log. How many; the rest comes with the next call."""
        query = select(cases).where(cases.c.state == CaseState.DESTROYED.value).order_by(cases.c.id)
        with self._engine.connect() as connection:
            found = self._rows.all(connection.execute(query), _case)
        told = [case for case in found if case != _bare(case) and is_over(case.destroyed or case.closed or case.opened)][:most]
        with writing(self._engine) as connection:
            return sum(self._write(connection, _bare(case), CaseState.DESTROYED) for case in told) if told else 0

    def between(self, starts: float, ends: float) -> list[Case]:
        """Clips that are there and show any of that time, the oldest first."""
        there = [state.value for state in CaseState if state not in {CaseState.DESTROYING, CaseState.DESTROYED, CaseState.RECORDING}]
        query = (
            select(cases)
            .where(cases.c.state.in_(there), cases.c.opened.between(starts - _LONGEST_S, ends))
            .order_by(cases.c.opened, cases.c.id)
        )
        with self._engine.connect() as connection:
            found = self._rows.all(connection.execute(query), _case)
        return [case for case in found if case.opened + case.seconds >= starts]

    def doom(self, case: Case, reason: str, by: Sequence[str]) -> bool:
        """The end of the clip is ordered. From here on nothing opens it, and whatever happens it will be gone."""
        changed = replace(case, state=CaseState.DESTROYING, shred_reason=reason, shred_by=tuple(by), proposal=None, fate=None)
        who = by[-1] if by else "system"

        def more(connection: Connection) -> None:
            if case.hold is not None:
                self._log.append(connection, Event.HOLD_RELEASED, who, case.clip, {"reason": reason, **_hold_facts(case.hold)})

        return self._change(changed, case.state, Event.SHRED_ORDERED, who, _doom_facts(changed), more)

    def stamp(self, connection: Connection, stamps: Mapping[str, tuple[str, float, float]]) -> None:
        """Give clips their stamp in the transaction `connection`: epoch, seconds in it, end of a hold as deadlines judge it (0 without)."""
        for clip, (epoch, at, held_until) in stamps.items():
            row = connection.execute(select(cases).where(cases.c.clip == clip)).one_or_none()
            if row is None:
                continue
            case = _case(row)
            hold = replace(case.hold, until_retention=held_until) if case.hold is not None and held_until else case.hold
            values = {"facts": _facts(replace(case, epoch=epoch, stamped=at, hold=hold)), "version": case.version + 1}
            connection.execute(update(cases).where(cases.c.id == case.id, cases.c.version == case.version).values(values))

    def erasing(self, case: Case, erasing: Erasing | None) -> Case | None:
        """A note in the row alone: the log has the order before it and the receipt after it."""
        changed = replace(case, erasing=erasing)
        with writing(self._engine) as connection:
            done = self._write(connection, changed, CaseState.DESTROYING)
        return replace(changed, version=changed.version + 1) if done else None

    def heard(self, case: Case, said: str, above: int = 0) -> bool:
        """A note in the row alone: the log has what was decided, and the receipt of what was done."""
        return self.copied(replace(case, heard=said), above)

    def copied(self, case: Case, above: int = 0) -> bool:
        """A note in the row alone, too."""
        where = (cases.c.id == case.id) & (cases.c.version == case.version)
        values = {"facts": _facts(case), "version": max(case.version, above) + 1}
        with writing(self._engine) as connection:
            return connection.execute(update(cases).where(where).values(values)).rowcount == 1

    def shredded(self, case: Case, receipt: Facts, at: float) -> bool:
        """The clip is gone, and with it what was noted of it; the receipt stands in the log."""
        bare = tuple(replace(one, note="") for one in case.verdicts)
        changed = replace(case, state=CaseState.DESTROYED, destroyed=at, ending=str(receipt["ending"]), verdicts=bare)
        # What machines reported names people; the receipt has its hash.
        changed = replace(changed, reported="", copies=tuple(replace(one, report="") for one in case.copies))
        return self._change(changed, CaseState.DESTROYING, Event.SHREDDED, "system", receipt)

    def _change(
        self,
        changed: Case,
        before: CaseState,
        event: Event,
        by: str,
        facts: Facts,
        more: Callable[[Connection], None] | None = None,
    ) -> bool:
        """Write `changed` if the case still is as it was known: of two who decide at once one is told."""
        with writing(self._engine) as connection:
            if not self._write(connection, changed, before):
                return False
            self._log.append(connection, event, by, changed.clip, {"case": changed.id, **facts})
            if more is not None:
                more(connection)
        return True

    @staticmethod
    def _write(connection: Connection, changed: Case, before: CaseState) -> bool:
        where = (cases.c.id == changed.id) & (cases.c.state == before.value) & (cases.c.version == changed.version)
        values = {"state": changed.state.value, "facts": _facts(changed), "version": changed.version + 1}
        return connection.execute(update(cases).where(where).values(values)).rowcount == 1


def _facts(case: Case) -> str:
    """All of a case but its columns."""
    kept = {name: value for name, value in msgspec.to_builtins(case).items() if name not in _COLUMNS}
    return str(_encode(kept).decode())


def _bare(case: Case) -> Case:
    """What is left of a case of which nobody's name is needed any more."""
    bare = replace(case, verdicts=(), hold=None, proposal=None, shred_by=(), quarantine=None, fate=None)
    return replace(bare, sha256="", alerts=(), close_reason="", heard="", copies=(), reported="", digest="")


def _case(row: Row[Any]) -> Case:
    return msgspec.convert({**msgspec.json.decode(row.facts), **{name: getattr(row, name) for name in _COLUMNS}}, Case)


def _hold_facts(hold: Hold) -> Facts:
    return {"ground": hold.ground.value, "reference": hold.reference, "owner": hold.owner, "until": hold.until, "by": list(hold.by)}


def _quarantine_facts(case: Case) -> Facts:
    reason = case.quarantine.reason.value if case.quarantine is not None else ""
    return {"case": case.id, "reason": reason, "camera": case.camera, "opened": case.opened, "bytes": case.size, "sha256": case.sha256}


def _doom_facts(case: Case) -> Facts:
    return {"reason": case.shred_reason, "people": list(case.shred_by), "sha256": case.sha256, "bytes": case.size}


def count_cases(engine: Engine) -> int:
    """How many rows there are, readable or not."""
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(cases)).scalar_one())
