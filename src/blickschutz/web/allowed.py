"""Who gets in: every route names the permission it takes, and what it names is asked before anything else happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fastapi import Depends, HTTPException
from starlette.requests import HTTPConnection

from blickschutz.access.model import Caller, Member, Permission, Todo, Turned
from blickschutz.access.rules import may
from blickschutz.access.service import Access
from blickschutz.audit.model import Event
from blickschutz.kernel.errors import StoreError
from blickschutz.web.lanes import Lane, Lanes, lane_of
from blickschutz.web.ports import ControlRoom
from blickschutz.web.sessions import place, secured, session_of


class TodoError(HTTPException):
    """Somebody must do something for their account before they can go on."""

    def __init__(self, todo: Todo) -> None:
        super().__init__(401)
        self.todo = todo


class RefusedError(HTTPException):
    """Somebody is signed in and may not do that; it goes into the log."""

    def __init__(self, member: Member, reason: str, permission: Permission) -> None:
        super().__init__(403)
        self.member, self.reason, self.permission = member, reason, permission


class Allow:
    """A dependency of a route. Answers 401 where nobody is signed in, 403 (and an entry in the log) where they may not."""

    def __init__(self, permission: Permission, *, touch: bool = True) -> None:
        self.permission, self._touch = permission, touch

    async def __call__(self, connection: HTTPConnection) -> None:
        lanes: Lanes = connection.app.state.lanes
        try:
            if connection.cookies or "authorization" in connection.headers:
                connection.state.member = await lanes.run(lane_of(self.permission, writes=False), lambda: self._admit(connection))
            else:
                # There is nothing to look up: such a request costs no thread, however many of them come.
                connection.state.member = self._admit(connection)
        except RefusedError as refused:
            member, reason = refused.member, refused.reason
            # The page that says so is for somebody who is signed in.
            connection.state.member = member
            await lanes.run(Lane.WRITE, lambda: _write_down(connection, member, reason))
            raise

    def _admit(self, connection: HTTPConnection) -> Member | None:
        room: ControlRoom = connection.app.state.room
        member, todo = room.office.access.who(session_of(connection), touch=self._touch)
        if self.permission is Permission.PUBLIC:
            return member
        if member is None:
            if not connection.cookies:
                room.office.access.turned.count(Turned.NOT_SIGNED_IN, place(connection))
            if self.permission is Permission.FIGURES and "authorization" in connection.headers:
                return bearer(connection, self.permission)
            raise HTTPException(401)
        if todo is not None and self.permission is not Permission.OWN:
            raise TodoError(todo)
        if not may(member, self.permission):
            raise RefusedError(member, "role", self.permission)
        return member


class AllowToken(Allow):
    """The same for programs: a token in place of a session."""

    def _admit(self, connection: HTTPConnection) -> Member | None:
        return bearer(connection, self.permission)


def allow(permission: Permission, *, touch: bool = True) -> Any:
    """To be named by a route: `dependencies=[allow(Permission.WALL)]`. Without `touch` asking does not keep a session alive."""
    return Depends(Allow(permission, touch=touch))


def allow_token(permission: Permission) -> Any:
    """The same for routes of the programming interface."""
    return Depends(AllowToken(permission))


def bearer(connection: HTTPConnection, permission: Permission) -> Member:
    """Whose token a request carries, if the token and its person may do that. Raises 401 or 403."""
    room: ControlRoom = connection.app.state.room
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    found = room.office.access.bearer(token.strip(), room.later) if kind.lower() == "bearer" else None
    if found is None:
        room.office.access.turned.count(Turned.TOKEN, place(connection))
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    member, scopes = found
    if permission is not Permission.OWN and permission not in scopes:
        raise RefusedError(member, "scope", permission)
    return member


def _write_down(connection: HTTPConnection, member: Member, reason: str) -> None:
    room: ControlRoom = connection.app.state.room
    path = str(connection.url.path)[:80]
    follow(room, lambda: room.office.log.write(Event.ACCESS_REFUSED, member.id, path, {"reason": reason}))


def follow(room: ControlRoom, write: Callable[[], object]) -> None:
    """Write an entry of what has happened already. That stands, whether or not the log takes its entry at once."""
    try:
        write()
    except StoreError:
        room.later(write)


def caller_of(connection: HTTPConnection, access: Access, person: str) -> Caller:
    """Whoever asks to be `person`, and whether that account knows their device. Touches memory only."""
    name = secured(connection, access.devices.cookie(person))
    return Caller(place(connection), access.devices.known(person, connection.cookies.get(name, "")))


def permission_of(route: Any) -> Permission | None:
    """The permission that a route names; None where it names none, which `make_app` refuses."""
    return permission_among(getattr(route, "dependencies", ()))


def permission_among(dependencies: Sequence[Any]) -> Permission | None:
    """The permission that the dependencies of a route name; None for none, or more than one."""
    found = [one.dependency for one in dependencies if isinstance(one.dependency, Allow)]
    return found[0].permission if len(found) == 1 else None


def rows(route: Any) -> Iterator[tuple[str, str, Permission | None]]:
    """A route as rows of the table of who may do what: method (or WS), path, permission."""
    for method in sorted(getattr(route, "methods", None) or {"WS"}):
        if method != "HEAD":
            yield method, str(route.path), permission_of(route)
