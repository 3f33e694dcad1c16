"""Settings as they are in force, packages of evidence, and how a workstation comes to trust this server."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from blickschutz.access.model import AccountState, Permission
from blickschutz.access.rules import may
from blickschutz.audit.model import Entry, Event
from blickschutz.evidence.rules import opener
from blickschutz.review.model import CaseState
from blickschutz.web import texts
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.pages import Pages
from blickschutz.web.routes.cases import views
from blickschutz.web.routing import in_lane
from blickschutz.web.sessions import member_of
from blickschutz.web.settings import sections

_MOST_HELD = 200
_MOST_RELEASES = 10_000
_TWO = 2


def _clip(file: str) -> str:
    return file.split("-", 1)[0]


def routes(pages: Pages) -> APIRouter:
    """What the house is made of."""
    router = pages.router()
    recordings, office = pages.room.recordings, pages.room.office

    @router.get("/settings", dependencies=[allow(Permission.SETTINGS)])
    def settings(request: Request) -> Response:
        language = pages.language(request)
        found = sections(pages.site, pages.room.settings.text, language)
        return pages.render(request, "settings.html", sections=found, file=pages.room.site_path)

    @router.get("/evidence", dependencies=[allow(Permission.EVIDENCE)])
    def evidence(request: Request) -> Response:
        return _evidence(request)

    def _evidence(request: Request, problem: str = "", status: int = 200) -> Response:
        held = office.cases.store.find(states=[CaseState.HELD], most=_MOST_HELD)
        asked = office.log.find(event=Event.RELEASED.value, most=50)
        released = [(texts.clock(pages.moment(entry.at), pages.language(request)), entry) for entry, _ in asked]
        shown = views(pages, request, member_of(request), held)
        packages = [(file, _case(file), size, made) for file, size, made in recordings.packages()]
        # With the recipient's key a second person of the supervision fetches the package; without one it takes words.
        may_fetch = [one for one in office.access.members.values() if one.state is AccountState.ACTIVE and may(one, Permission.EVIDENCE)]
        return pages.render(
            request,
            "evidence.html",
            status=status,
            held=shown,
            packages=packages,
            released=released,
            problem=problem,
            alone=len(may_fetch) < _TWO,
        )

    def _case(file: str) -> int:
        """The case of a package by the name of its file; 0 where nothing is known of it."""
        found = office.cases.store.by_clip(_clip(file))
        return found.id if found is not None else 0

    @router.get("/exports/{name}", dependencies=[allow(Permission.EVIDENCE)])
    @in_lane(Lane.WRITE)
    def package(request: Request, name: str) -> Response:
        made = next((at for file, _, at in recordings.packages() if file == name), None)
        data = recordings.package(name)
        if data is None or made is None:
            raise HTTPException(404)
        by, clip = member_of(request).id, _clip(name)
        openers = [opener(entry.facts) for entry, _ in _releases(clip) if entry.facts.get("file") == name]
        if why := next((what for who, what in openers if who == by), ""):
            # Package and what opens it go separate ways: whoever read the words, or gave the key, does not get the package too.
            office.log.write(Event.RELEASE_REFUSED, by, clip, {"why": why, "file": name})
            return _evidence(request, why, 403)
        office.log.write(Event.RELEASE_FETCHED, by, clip, {"file": name})
        # People get it named by case and date; on the disk it is named by its clip, with which it ends.
        word = texts.translator(pages.language(request))(texts.PACKAGE_FILE)
        headers = {"Content-Disposition": f'attachment; filename="{word}-{_case(name)}-{pages.moment(made):%Y-%m-%d}.tar.age"'}
        return Response(data, media_type="application/octet-stream", headers=headers)

    def _releases(clip: str) -> list[tuple[Entry, str]]:
        return office.log.find(event=Event.RELEASED.value, subject=clip, most=_MOST_RELEASES)

    @router.get("/trust", dependencies=[allow(Permission.PUBLIC)])
    def trust(request: Request) -> Response:
        authority = pages.room.authority
        until = texts.day(authority.until.date(), pages.language(request)) if authority is not None else ""
        return pages.render(request, "trust.html", authority=authority, until=until)

    @router.get("/trust/authority.crt", dependencies=[allow(Permission.PUBLIC)])
    def certificate() -> Response:
        if pages.room.authority is None:
            raise HTTPException(404)
        headers = {"Content-Disposition": 'attachment; filename="blickschutz-authority.crt"'}
        return Response(pages.room.authority.pem, media_type="application/x-x509-ca-cert", headers=headers)

    return router
