"""The pages of a field: one topic a page, without script, without a session. What was answered so far travels in the form itself."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from importlib import resources
from urllib.parse import parse_qs

import jinja2
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stimmungsbild.collection.busy import SLOT, Lateness, TooLargeError, UnreadableError, filled, sent_form
from stimmungsbild.collection.model import Map, Outcome
from stimmungsbild.collection.rules import MOST_WORK, TICKET
from stimmungsbild.collection.service import PATIENCE_S, Collector
from stimmungsbild.law.model import Facts
from stimmungsbild.law.notice import notice, title
from stimmungsbild.questionnaire.model import GERMAN, LANGUAGES, LONGEST_TEXT, MOST_SQUARES, RIGHT_TO_LEFT, Questionnaire
from stimmungsbild.questionnaire.rules import (
    TooLongError,
    UnknownChoiceError,
    accept,
    asked,
    choice_label,
    label,
    stem,
)

_PACKAGE = resources.files("stimmungsbild.collection")
MOST_FIELDS = 400
# A list longer than this is a field to choose from instead of buttons.
LONGEST_BUTTONS = 9
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# How each outcome is answered: status, and the text of the catalogue that says it.
_SAID: Mapping[Outcome, tuple[int, str]] = {
    Outcome.REFUSED: (403, "code_refused"),
    Outcome.TOO_MANY_CODES: (429, "code_busy"),
    Outcome.BUSY: (503, "busy"),
    Outcome.NOT_SAVED: (503, "not_saved"),
}
_AGAIN_S = "60"
# The language of a form that is not read.
_LANGUAGE = re.compile(r"(?:^|&)lang=([a-z-]+)")


class Form(msgspec.Struct, frozen=True):
    """A form as it came in: names and values, nothing checked yet. `at` is the page that was shown, -1 the first."""

    language: str
    ticket: str
    code: str
    at: int
    go: str
    solution: str
    given: dict[str, list[str]]


class _BadFormError(Exception):
    """No form of ours."""


class Headers:
    """ASGI middleware: what every answer carries where it does not say otherwise; nothing of the server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._raw = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in self._raw if one[0] not in said)]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def language_of(asked_for: str | None, accepted: str) -> str:
    """The language of the first page: as chosen, else the first of the browser's that there is, else German."""
    if asked_for in LANGUAGES:
        return str(asked_for)
    wishes = (one.split(";")[0].strip().split("-")[0].lower() for one in accepted.split(","))
    return next((one for one in wishes if one in LANGUAGES), GERMAN)


class Pages:
    """Makes the pages. `ticket` gives a new form's name for itself, 32 hex digits."""

    def __init__(
        self,
        q: Questionnaire,
        collector: Collector,
        facts: Facts,
        ticket: Callable[[], str] = lambda: secrets.token_hex(16),
        picture: tuple[Map, bytes] | None = None,
    ) -> None:
        self._q, self._collector, self._facts, self._ticket = q, collector, facts, ticket
        self._script = (_PACKAGE / "static/survey.js").read_text(encoding="utf-8")
        self._styles = (_PACKAGE / "static/survey.css").read_text(encoding="utf-8")
        loader = jinja2.FunctionLoader(lambda name: (_PACKAGE / "templates" / name).read_text(encoding="utf-8"))
        self._env = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._picture, self._lateness = picture, Lateness()
        self._busy: dict[tuple[str, str], str] = {}
        self._env.globals.update(languages={k: v for k, v in LANGUAGES.items() if k in q.words}, right_to_left=RIGHT_TO_LEFT)
        self._env.globals.update(demo=facts.demo, map=picture[0] if picture else None, most_squares=MOST_SQUARES)

    def app(self) -> ASGIApp:
        """The application."""
        routes = [
            Route("/", self.first),
            Route("/page", self.page, methods=["POST"]),
            Route("/send", self.send, methods=["POST"]),
            Route("/information", self.information),
            Route("/survey.css", self.styles),
            Route("/survey.js", self.script),
            Route("/map.svg", self.map),
        ]
        handlers = {404: self.missing, 405: self.missing}
        return Headers(Starlette(routes=routes, exception_handlers=handlers))

    def _html(self, template: str, language: str, status: int = 200, **values: object) -> HTMLResponse:
        words = self._q.words[language].interface
        text = self._env.get_template(template).render(language=language, t=words, **values)
        return HTMLResponse(text, status, {"Retry-After": _AGAIN_S} if status in {429, 503} else {})

    def _end(self, language: str, status: int, title: str, text: str, *, again: bool = False, sent: bool = False) -> HTMLResponse:
        words = self._q.words[language].interface
        return self._html("end.html", language, status, heading=words[title], text=words[text], again=again, sent=sent)

    async def styles(self, request: Request) -> Response:
        """How pages look."""
        return Response(self._styles, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    async def script(self, request: Request) -> Response:
        """What a browser with scripts may do besides."""
        return Response(self._script, media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})

    async def map(self, request: Request) -> Response:
        """The town as its office drew it."""
        if self._picture is None:
            return await self.missing(request, LookupError())
        return Response(self._picture[1], media_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})

    async def missing(self, request: Request, error: Exception) -> Response:
        """What there is not."""
        language = language_of(None, request.headers.get("accept-language", ""))
        return self._end(language, 404, "not_found", "unknown", again=True)

    async def first(self, request: Request) -> Response:
        """The first page: what this is, who reads it, the code."""
        language = language_of(request.query_params.get("lang"), request.headers.get("accept-language", ""))
        if self._collector.closed:
            return self._end(language, 410, "closed", "closed_text")
        return self._first(Form(language, self._ticket(), "", -1, "", "", {}))

    def _first(self, form: Form, status: int = 200, said: str = "") -> HTMLResponse:
        kept = self._kept(form.given, set())
        return self._html("first.html", form.language, status, ticket=form.ticket, code=form.code, said=said, kept=kept)

    def _kept(self, given: Mapping[str, Sequence[str]], here: set[str]) -> list[tuple[str, str]]:
        return [(item.name, one) for item in self._q.items() if item.name not in here for one in given.get(item.name, [])]

    async def information(self, request: Request) -> Response:
        """What becomes of the answers, before anybody answers (Art. 13 GDPR); it stays when the field has ended."""
        language = language_of(request.query_params.get("lang"), request.headers.get("accept-language", ""))
        return self._html("information.html", language, heading=title(language), parts=notice(self._facts, language))

    async def page(self, request: Request) -> Response:
        """From one page to another."""
        return await self._with_form(request, self._move)

    async def send(self, request: Request) -> Response:
        """The end of a form."""
        return await self._with_form(request, self._sent)

    async def _with_form(self, request: Request, work: Callable[[Form], Awaitable[Response]]) -> Response:
        language = language_of(None, request.headers.get("accept-language", ""))
        try:
            sent = await sent_form(request)
            if self._lateness.behind() or self._collector.full:
                return self._back(request.url.path, sent)
            form = self._form(sent)
            language = form.language
            return await work(form)
        except TooLargeError:
            return self._end(language, 413, "title", "too_large", again=True)
        except (UnreadableError, UnknownChoiceError, _BadFormError):
            return self._end(language, 400, "title", "unknown", again=True)

    def _back(self, path: str, sent: str) -> Response:
        """A form that was not read, in its own language, to be sent again; the page around it is made once."""
        found = _LANGUAGE.search(sent)
        language = found[1] if found and found[1] in self._q.words else GERMAN
        if (path, language) not in self._busy:
            page = self._env.get_template("busy.html").render(language=language, t=self._q.words[language].interface, path=path, slot=SLOT)
            self._busy[path, language] = page
        return HTMLResponse(filled(self._busy[path, language], sent), 503, {"Retry-After": _AGAIN_S})

    def _form(self, sent: str) -> Form:
        try:
            given = parse_qs(sent, max_num_fields=MOST_FIELDS, errors="strict")
            at = int(given.get("at", ["-1"])[-1][:4])
        except ValueError as error:
            raise _BadFormError from error
        one = {key: given.get(key, [""])[-1] for key in ("lang", "ticket", "code", "go", "altcha")}
        if one["lang"] not in self._q.words or not TICKET.fullmatch(one["ticket"]) or not -1 <= at < len(self._q.pages):
            raise _BadFormError
        return Form(one["lang"], one["ticket"], one["code"][:100], at, one["go"], one["altcha"][:1000], given)

    async def _move(self, form: Form) -> Response:
        if self._collector.closed:
            return self._end(form.language, 410, "closed", "closed_text")
        if form.at < 0:
            door = self._collector.door(form.code)
            if isinstance(door, Outcome):
                status, said = _SAID[door]
                return self._first(form, status, said)
        try:
            answers = accept(self._q, form.given)
        except TooLongError:
            return self._page(form, form.at, form.given, 413, "too_long")
        step = -1 if form.go == "back" else 1
        at = form.at + step
        while 0 <= at < len(self._q.pages) and not asked(self._q.pages[at], answers):
            at += step
        if at < 0:
            return self._first(form)
        return self._page(form, min(at, len(self._q.pages) - 1), form.given)

    async def _sent(self, form: Form) -> Response:
        try:
            answers = accept(self._q, form.given)
        except TooLongError:
            return self._page(form, form.at, form.given, 413, "too_long")
        outcome = await self._kept_or_busy(self._collector.offer(form.ticket, form.code, form.language, answers, form.solution))
        if outcome in {Outcome.TAKEN, Outcome.ALREADY}:
            return self._end(form.language, 200, "thanks", "thanks_text" if outcome is Outcome.TAKEN else "already", sent=True)
        if outcome is Outcome.CLOSED:
            return self._end(form.language, 410, "closed", "closed_text")
        status, said = _SAID[outcome]
        return self._page(form, form.at, form.given, status, said)

    async def _kept_or_busy(self, offered: Outcome | Future[Outcome]) -> Outcome:
        """What came of a form; whoever would wait too long is asked to press again, with all answers still on their page."""
        if isinstance(offered, Outcome):
            return offered
        try:
            return await asyncio.wait_for(asyncio.wrap_future(offered), PATIENCE_S)
        except TimeoutError:
            return Outcome.BUSY

    def _page(self, form: Form, at: int, given: Mapping[str, Sequence[str]], status: int = 200, said: str = "") -> HTMLResponse:
        q, language, page = self._q, form.language, self._q.pages[at]
        here = {item.name for item in page.items}
        items = [
            {
                "name": item.name,
                "kind": item.kind.value,
                "label": label(q, item, language),
                "choices": [(one, choice_label(q, item.list, one, language)) for one in q.lists.get(item.list, ())],
                "given": given.get(item.name, []),
                "as_field": len(q.lists.get(item.list, ())) > LONGEST_BUTTONS,
            }
            for item in page.items
        ]
        last = at == len(q.pages) - 1
        open_ = last and not form.code.strip()
        return self._html(
            "page.html",
            language,
            status,
            title=q.words[language].pages[page.name],
            stem=stem(q, page, language),
            items=items,
            kept=self._kept(given, here),
            altcha=self._collector.challenge(form.ticket) if open_ else None,
            most_work=MOST_WORK,
            at=at,
            last=last,
            progress=q.words[language].interface["progress"].format(page=at + 1, pages=len(q.pages)),
            pages=len(q.pages),
            ticket=form.ticket,
            code=form.code,
            said=said,
            longest=LONGEST_TEXT,
        )
