"""The time for deadlines as the pages ask for it, and those pages as an application of their own."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

from fastapi import FastAPI, Request, Response

from blickschutz.access.model import Member, Permission
from blickschutz.audit.io.log import AuditLog
from blickschutz.config.model import SiteFile
from blickschutz.kernel.clock import Clock
from blickschutz.retention.model import Basis, Confirmed, Proposal, TimeView, Void
from blickschutz.review.io.store import SqlCaseStore
from blickschutz.web.allowed import allow
from blickschutz.web.pages import Pages
from blickschutz.web.ports import ClockDesk
from blickschutz.web.routes import clock as clock_routes
from tests.fakes.house import Day, Records


class ScriptedTime:
    """See `ClockDesk`: shows `now`, and answers what a test put into `answers`. `asked` is what it was asked."""

    def __init__(self, now: TimeView) -> None:
        self.now = now
        self.answers: deque[Proposal | Confirmed | Void | Exception] = deque()
        self.asked: list[tuple[str, Basis | int]] = []

    @property
    def suspended(self) -> str:
        return self.now.reason.value if self.now.reason is not None else ""

    def view(self) -> TimeView:
        return self.now

    def propose(self, by: str, basis: Basis) -> Proposal | Void:
        answer = self._answer(by, basis)
        assert not isinstance(answer, Confirmed)
        return answer

    def confirm(self, by: str, number: int) -> Confirmed | Void:
        answer = self._answer(by, number)
        assert not isinstance(answer, Proposal)
        return answer

    def _answer(self, by: str, what: Basis | int) -> Proposal | Confirmed | Void:
        self.asked.append((by, what))
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer


class Doors:
    """Who is signed in is the session's own text: a test signs somebody in by their short name."""

    def __init__(self, *members: Member) -> None:
        self.members = {member.id: member for member in members}
        self.accounts = SimpleNamespace(changes=list)

    def who(self, token: str, *, touch: bool = True) -> tuple[Member | None, None]:
        del touch
        return self.members.get(token), None


class ClockPages:
    """The pages about the time, and one that is missing, as an ASGI application over a real log and real cases."""

    def __init__(self, site: SiteFile, desk: ClockDesk, cases: SqlCaseStore, log: AuditLog, clock: Clock, doors: Doors) -> None:
        rights = SimpleNamespace(store=SimpleNamespace(open=list, duties=lambda **_: []))
        office = SimpleNamespace(access=doors, log=log, cases=SimpleNamespace(store=cases), rights=rights)
        alerts = SimpleNamespace(store=SimpleNamespace(open_count=int))
        policy = SimpleNamespace(desk=SimpleNamespace(waiting=lambda member: 0))
        room = SimpleNamespace(policy=policy, office=office, alerts=alerts, clock=desk, regime=Day(clock), recordings=Records(), cameras={})
        room.preparing, room.site = False, site
        pages = Pages(site, room, clock)  # type: ignore[arg-type] # a room with what these pages ask for
        self.app = FastAPI()
        self.app.state.room, self.app.state.lanes = room, pages.lanes
        self.app.include_router(clock_routes.routes(pages))

        @self.app.get("/nothing", dependencies=[allow(Permission.OWN)])
        def nothing(request: Request) -> Response:
            return pages.render(request, "missing.html", status=404)
