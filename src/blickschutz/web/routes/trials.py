"""Finding and trying a camera: each step over a WebSocket as it is known. Whoever goes away, or cancels, ends the trial."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Annotated

import msgspec
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from blickschutz.access.model import Permission
from blickschutz.access.rules import may
from blickschutz.control.service.trials import Said
from blickschutz.control.trials import NotTried
from blickschutz.kernel.errors import UNREADABLE
from blickschutz.pipeline.trials import CameraAnswered, PictureTold, StepTold
from blickschutz.web.allowed import allow
from blickschutz.web.lanes import Lane
from blickschutz.web.pages import Pages
from blickschutz.web.sessions import member_of, session_of
from blickschutz.web.streams import MOST_TRIALS, Kind
from blickschutz.web.texts import translator
from blickschutz.web.trial_lines import picture_said, step_said
from blickschutz.web.trial_words import TRIAL_PROBLEMS

_ORDER_S, _END_S, _LOOK_EVERY_S = 10.0, 2.0, 2.0
# How soon a trial ends when somebody presses stop; that is in memory.
_STOPPED_S = 0.25
_OVER = json.dumps({"over": True})
Word = Annotated[str, msgspec.Meta(max_length=400)]


class _Try(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="try"):
    address: Word
    user: Word = ""
    password: Word = ""


class _Find(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="find"):
    pass


_asked: msgspec.json.Decoder[_Try | _Find] = msgspec.json.Decoder(_Try | _Find)


def routes(pages: Pages) -> APIRouter:
    """One connection is one trial, or one search."""
    router = pages.router()

    @router.websocket("/settings/cameras/trial", dependencies=[allow(Permission.SETUP)])
    async def trial(socket: WebSocket) -> None:
        await socket.accept()
        with pages.streams.held(session_of(socket), Kind.TRIALS, MOST_TRIALS) as there:
            whys = await _run_trial(socket, pages) if there else [NotTried.OWN]
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it has gone already
            for why in whys:
                await socket.send_text(json.dumps(_line(why, pages.language(socket))))
                await socket.send_text(_OVER)
            await socket.close()

    return router


async def _run_trial(socket: WebSocket, pages: Pages) -> list[NotTried]:
    """What the first message asks for, until it is over or nobody may have it any more; why it was ended before its time."""
    try:
        async with asyncio.timeout(_ORDER_S):
            asked = _asked.decode(await socket.receive_text())
    except (*UNREADABLE, TimeoutError, KeyError):
        return [NotTried.ADDRESS]
    except WebSocketDisconnect:
        return []
    trials, person, language = pages.room.trials, member_of(socket).id, pages.language(socket)
    said = trials.sought(person) if isinstance(asked, _Find) else trials.tried(person, asked.address, asked.user, asked.password)
    address = asked.address if isinstance(asked, _Try) else ""
    stopped: list[NotTried] = []
    allowed = partial(_while_allowed, socket, pages, lambda: trials.held(address), stopped)
    works = (partial(_tell, socket, said, language), partial(_until_gone, socket), allowed)
    # When one of them ends, for whatever reason, the trial does.
    parts = [pages.guard.once_task("trial", work) for work in works]
    try:
        await asyncio.wait([part.task for part in parts], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for part in parts:
            part.end()
        for part in parts:
            await part.finished(_END_S)
        await said.aclose()
    return stopped


async def _tell(socket: WebSocket, said: AsyncGenerator[Said, None], language: str) -> None:
    """Until the trial is over, or nobody listens any more."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        async with contextlib.aclosing(said) as all_said:
            async for one in all_said:
                await socket.send_text(json.dumps(_line(one, language)))
        await socket.send_text(_OVER)


def _line(said: Said, language: str) -> dict[str, object]:
    if isinstance(said, NotTried):
        return {"problem": translator(language)(TRIAL_PROBLEMS[said.value])}
    if isinstance(said, StepTold):
        return {**step_said(said, language)}
    if isinstance(said, PictureTold):
        picture = {"picture": base64.b64encode(said.data).decode()} if said.data else {}
        return {**picture_said(said, language), **picture}
    if isinstance(said, CameraAnswered):
        return {"found": {"host": said.host, "address": said.address, "name": said.name}}
    return {"address": said}


async def _while_allowed(socket: WebSocket, pages: Pages, held: Callable[[], NotTried | None], stopped: list[NotTried]) -> None:
    """Ends when the session has ended, its person may no longer set cameras up, or somebody pressed stop; that goes into `stopped`."""
    token = session_of(socket)
    while True:
        for _ in range(round(_LOOK_EVERY_S / _STOPPED_S)):
            await asyncio.sleep(_STOPPED_S)
            why = held()
            if why is not None:
                stopped.append(why)
                return
        member, _ = await pages.lanes.run(Lane.READ, lambda: pages.room.office.access.who(token, touch=False))
        if not may(member, Permission.SETUP):
            return


async def _until_gone(socket: WebSocket) -> None:
    """Whatever else is said is ignored; closing is how somebody cancels."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
