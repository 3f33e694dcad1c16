"""What a control room that waits shows: one page that says so, without any account. Answers are bytes; who speaks HTTP is elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from blickschutz.config.model import SiteFile
from blickschutz.web.security import headers_of
from blickschutz.web.templating import templates
from blickschutz.web.texts import clock, lasting, translator, zoned
from blickschutz.web.waiting_words import LIMITS

_STYLE = "/static/app.css"
_RETRY_S = 5


@dataclass(frozen=True, slots=True)
class WaitingState:
    """Who leads (empty: nobody), since when (POSIX seconds), what is wrong, and which of `LIMITS` apply."""

    holder: str = ""
    since: float = 0.0
    problem: str = ""
    limits: tuple[str, ...] = ()


def limits_of(site: SiteFile) -> tuple[str, ...]:
    """What of a site's cameras a standby cannot take over as it was."""
    return ("local",) if local_cameras(site) else ()


def local_cameras(site: SiteFile) -> int:
    hosted = {one.id for one in site.hosts.cameras} if site.hosts is not None else set()
    return sum(camera.id not in hosted for camera in site.cameras)


def words_of(limits: Sequence[str], site: SiteFile, language: str) -> list[str]:
    """The limits as sentences."""
    translate = translator(language)
    return [translate(LIMITS[one]).format(count=local_cameras(site)) for one in limits]


def answer(head: bytes, site: SiteFile, state: WaitingState, patience_s: float) -> bytes:
    """What a request's head (to its empty line) is answered with. Whatever was asked for, it is this page; programs see 503."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    path = words[1].partition("?")[0] if len(words) > 1 else "/"
    secure = site.server.secure
    if words[0] not in {"GET", "HEAD"}:
        return _answer("405 Method Not Allowed", "text/plain", b"", secure)
    if path == _STYLE:
        style = resources.files("blickschutz.web").joinpath("static/app.css").read_bytes()
        return _answer("200 OK", "text/css; charset=utf-8", style, secure, head=words[0] == "HEAD")
    if path == "/metrics":
        text = f"# TYPE blickschutz_standby_waiting gauge\nblickschutz_standby_waiting {0 if state.problem else 1}\n"
        return _answer("200 OK", "text/plain; version=0.0.4", text.encode(), secure, head=words[0] == "HEAD")
    page = _page(site, state, _language(lines, site.site.language), patience_s).encode()
    return _answer("503 Service Unavailable", "text/html; charset=utf-8", page, secure, head=words[0] == "HEAD")


def _page(site: SiteFile, state: WaitingState, language: str, patience_s: float) -> str:
    translate = translator(language)
    return (
        templates("blickschutz.web")
        .get_template("waiting.html")
        .render(
            _=translate,
            language=language,
            site=site.site.name,
            state=state,
            # Strangers need not know its folder.
            holder=state.holder.partition(":")[0],
            since=clock(zoned(state.since, site.site.timezone), language) if state.since else "–",
            patience=lasting(patience_s, translate),
            limits=words_of(state.limits, site, language),
        )
    )


def _language(lines: Sequence[str], known: str) -> str:
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "accept-language":
            first = value.strip()[:2].lower()
            return first if first in {"de", "en"} else known
    return known


def _answer(status: str, kind: str, body: bytes, secure: bool, *, head: bool = False) -> bytes:
    # A browser must not keep this page for the one that is here after the takeover.
    more = {**headers_of(secure), "Cache-Control": "no-store", "Retry-After": str(_RETRY_S), "Connection": "close"}
    fields = {"Content-Type": kind, "Content-Length": str(len(body)), **more}
    top = "\r\n".join([f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items()), "", ""])
    return top.encode("latin-1") + (b"" if head else body)
