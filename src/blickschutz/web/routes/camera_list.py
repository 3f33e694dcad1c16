"""All cameras as whoever sets them up needs them: how each is, where to draw, and one more."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from blickschutz.access.model import Permission
from blickschutz.compliance.plan import density
from blickschutz.config.model import Side
from blickschutz.settings.model import Refused
from blickschutz.web.allowed import allow
from blickschutz.web.drawings import NewCamera, added
from blickschutz.web.lanes import Lane
from blickschutz.web.pages import Pages
from blickschutz.web.routes.setup import size_of
from blickschutz.web.routing import in_lane
from blickschutz.web.sessions import member_of
from blickschutz.web.trial_lines import trial_data
from blickschutz.web.versions import refusal_in_words

_SEE_OTHER, _INCOMPLETE = 303, 422
Field = Annotated[str, Form(max_length=500)]


def routes(pages: Pages) -> APIRouter:
    """The list, and a proposal of one more camera."""
    router = pages.router()
    desk = pages.room.settings

    @router.get("/settings/cameras", dependencies=[allow(Permission.SETUP)])
    def cameras(request: Request) -> Response:
        return _page(request)

    def _page(request: Request, given: NewCamera | None = None, refused: Refused | None = None) -> Response:
        language = pages.language(request)
        return pages.render(
            request,
            "camera_list.html",
            status=_INCOMPLETE if refused is not None else 200,
            rows=[(tile, size_of(tile), density(tile.camera, size_of(tile))) for tile in pages.tiles()],
            sides=list(Side),
            networks=pages.room.trials.networks,
            trial_data=json.dumps(trial_data(language)),
            given=given or NewCamera(),
            changeable=desk.changeable,
            refused=refusal_in_words(refused, language) if refused is not None else None,
        )

    @router.post("/settings/cameras", dependencies=[allow(Permission.PROPOSE)])
    @in_lane(Lane.WRITE)
    def add(
        request: Request, name: Field = "", address: Field = "", side: Field = "", user: Field = "", password_file: Field = ""
    ) -> Response:
        given = NewCamera(name.strip(), address.strip(), side, user.strip(), password_file.strip())
        outcome = desk.propose(member_of(request).id, [added(pages.site.cameras, given)], "", pages.language(request))
        if isinstance(outcome, Refused):
            return _page(request, given, outcome)
        return RedirectResponse(f"/settings/changes/{outcome.number}", _SEE_OTHER)

    return router
