"""Routes whose handlers are plain functions: each runs in the lane that its permission and its method say."""

from __future__ import annotations

import functools
import inspect
import linecache
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi.routing import APIRoute

from blickschutz.web.allowed import permission_among
from blickschutz.web.lanes import Lane, Lanes, lane_of

T = TypeVar("T")
_READING = {"GET", "HEAD"}


def route_class(lanes: Lanes) -> type[APIRoute]:
    """A kind of route for `APIRouter`. A coroutine stays in the event loop and hands to `lanes` itself what waits."""

    class LaneRoute(APIRoute):
        def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
            super().__init__(path, _laned(lanes, endpoint, options), **options)
            # The framework looks up in the source where a handler stands, when it is first asked; the file is read now.
            linecache.getlines(inspect.getsourcefile(endpoint) or "")

    return LaneRoute


def in_lane(lane: Lane) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """For a handler that belongs into another lane: asked with GET it writes all the same (who looked), or it computes long."""

    def marked(endpoint: Callable[..., T]) -> Callable[..., T]:
        endpoint.__dict__["lane"] = lane
        return endpoint

    return marked


def _laned(lanes: Lanes, endpoint: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(endpoint):
        return endpoint
    writes = not _READING.issuperset(options.get("methods") or _READING)
    lane: Lane = endpoint.__dict__.get("lane") or lane_of(permission_among(options.get("dependencies") or ()), writes=writes)

    @functools.wraps(endpoint)
    async def run(**given: Any) -> Any:
        return await lanes.run(lane, functools.partial(endpoint, **given))

    return run
