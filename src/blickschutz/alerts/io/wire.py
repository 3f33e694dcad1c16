"""What goes out and comes in as JSON; the JSON Schemas in `schemas/` are made from these types."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from blickschutz.alerts.model import Alert, Digest, FaultNotice, Notice
from blickschutz.situations.kinds import Kind, explanation, name

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Switch = Literal["ON", "OFF"]


class AlertMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One event in the life of an alert. Times in ISO 8601 with zone. Never a picture."""

    format: Annotated[int, msgspec.Meta(ge=1, le=1)] = 1
    notice: int
    event: str
    alert: int
    site: str
    camera: str
    kind: Kind
    name: str
    zone: str
    state: str
    taken: str
    raised: str
    confidence: Share
    explanation: str
    figures: dict[str, float]
    outcome: str | None = None


class DigestGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts of one camera and kind: how many, and how many of them are still open."""

    camera: str
    kind: Kind
    name: str
    alerts: int
    open: int


class EscalatedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that still waits for somebody."""

    alert: int
    camera: str
    kind: Kind
    name: str
    raised: str


class DigestMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel could not be told in time, together. `escalated` has at most 20, the oldest first. Never a picture.

    `digest` and `notices` together stay the same over all tries of the same content.
    """

    format: Annotated[int, msgspec.Meta(ge=1, le=1)] = 1
    event: Literal["digest"] = "digest"
    digest: int
    site: str
    notices: int
    alerts: int
    open: int
    first: str
    last: str
    escalated: list[EscalatedAlert]
    more_escalated: int
    groups: list[DigestGroup]


class FaultMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the system is disturbed, or works again. `part` names it; `error` is in words. Never a picture.

    `fault` stays the same over all tries.
    """

    format: Annotated[int, msgspec.Meta(ge=1, le=1)] = 1
    event: Literal["fault", "fault-over"]
    fault: str
    site: str
    part: str
    error: str
    at: str


class CameraState(msgspec.Struct, frozen=True, kw_only=True):
    """A camera now: the state that its tile shows, whether the stop control holds it, open alerts. `kinds` is ON where one is open."""

    format: Annotated[int, msgspec.Meta(ge=1, le=1)] = 1
    camera: str
    name: str
    state: str
    stopped: Switch
    open: Count
    kinds: dict[str, Switch]


class SiteState(msgspec.Struct, frozen=True, kw_only=True):
    """The site now: the regime in force, whether the stop control holds all cameras, how many cameras are live, alerts by state."""

    format: Annotated[int, msgspec.Meta(ge=1, le=1)] = 1
    site: str
    regime: str
    stopped: Switch
    cameras: Count
    live: Count
    open: Count
    escalated: Count
    in_hand: Count


class CameraEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A situation that a camera found itself. `active` false ends the one with the same `id`."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    kind: Kind
    active: bool = True
    confidence: Share = 0.5
    zone: Annotated[str, msgspec.Meta(max_length=40)] = "camera"
    figures: dict[Annotated[str, msgspec.Meta(max_length=40)], float] = {}


_EVENTS = msgspec.json.Decoder(CameraEvent)


def message(notice: Notice, site: str, language: str) -> AlertMessage:
    """What is told of a notice."""
    alert = notice.alert
    return AlertMessage(
        notice=notice.number,
        event=notice.event,
        alert=alert.id,
        site=site,
        camera=alert.camera,
        kind=alert.kind,
        name=name(alert.kind, language),
        zone=alert.zone,
        state=alert.state.value,
        taken=_iso(alert.taken),
        raised=_iso(alert.raised),
        confidence=min(1.0, max(0.0, alert.confidence)),
        explanation=explanation(alert.kind, alert.figures, language),
        figures=dict(alert.figures),
        outcome=alert.outcome.value if alert.outcome else None,
    )


def digest_message(digest: Digest, site: str, language: str) -> DigestMessage:
    """What is told of a digest."""
    return DigestMessage(
        digest=digest.number,
        site=site,
        notices=digest.notices,
        alerts=digest.alerts,
        open=digest.open,
        first=_iso(digest.first),
        last=_iso(digest.last),
        escalated=[
            EscalatedAlert(alert=one.id, camera=one.camera, kind=one.kind, name=name(one.kind, language), raised=_iso(one.raised))
            for one in digest.escalated
        ],
        more_escalated=digest.more_escalated,
        groups=[
            DigestGroup(camera=one.camera, kind=one.kind, name=name(one.kind, language), alerts=one.alerts, open=one.open)
            for one in digest.groups
        ],
    )


def fault_message(fault: FaultNotice, site: str) -> FaultMessage:
    """What is told of a disturbed part."""
    event: Literal["fault", "fault-over"] = "fault-over" if fault.over else "fault"
    return FaultMessage(event=event, fault=fault.key, site=site, part=fault.part, error=fault.error, at=_iso(fault.at))


def plain_fault(fault: FaultNotice, site: str, language: str) -> tuple[str, str]:
    """Subject (one line) and text for people, in German or English."""
    when = _clock(fault.at, language)
    if language == "de":
        subject = f"Störung behoben: {fault.part}" if fault.over else f"Störung der Anlage: {fault.part}"
        hint = "" if fault.over else "Einzelheiten und was zu tun ist: Seite „Zustand“ der Anlage."
    else:
        subject = f"Works again: {fault.part}" if fault.over else f"System disturbed: {fault.part}"
        hint = "" if fault.over else 'Details and what to do: page "Health" of the system.'
    return one_line(subject), "\n".join(part for part in (site, when, fault.error, hint) if part)


def plain(notice: Notice, site: str, camera: str, language: str) -> tuple[str, str]:
    """Subject (one line) and text for people; `camera` is the camera's name."""
    alert: Alert = notice.alert
    german = language == "de"
    words = {
        "raised": "Meldung" if german else "Alert",
        "escalate": "Nicht quittierte Meldung" if german else "Unacknowledged alert",
        "close": "Meldung abgeschlossen" if german else "Alert closed",
        "undo": "Abschluss der Meldung zurückgenommen" if german else "Closing taken back of alert",
    }
    subject = f"{words.get(notice.event, notice.event)} {alert.id}: {name(alert.kind, language)}, {camera}"
    line = explanation(alert.kind, alert.figures, language)
    return one_line(subject), "\n".join(part for part in (site, f"{camera}, {_clock(alert.taken, language)}", line) if part)


def plain_digest(digest: Digest, site: str, camera: Callable[[str], str], language: str) -> tuple[str, str]:
    """Subject (one line) and text of a digest for people, in German or English; `camera` gives a camera's name."""
    german, open_, escalated = language == "de", digest.open, len(digest.escalated) + digest.more_escalated
    first, last = _clock(digest.first, language), _clock(digest.last, language)
    if german:
        subject = f"Nachgereicht: {_counted(digest.alerts, 'Meldung', 'Meldungen')}, davon {open_} noch offen"
        lines = [site, "Was nicht rechtzeitig zugestellt werden konnte, zusammen in einer Nachricht.", f"Von {first} bis {last}."]
        title, more, still = "Überfällig und von niemandem quittiert:", "weitere", "offen"
    else:
        subject = f"Late: {_counted(digest.alerts, 'alert', 'alerts')}, {open_} still open"
        lines = [site, "What could not be told in time, in one message.", f"From {first} to {last}."]
        title, more, still = "Escalated, acknowledged by nobody:", "more", "open"
    if escalated:
        lines += ["", title]
        lines += [f"{one.id}: {name(one.kind, language)}, {camera(one.camera)}, {_clock(one.raised, language)}" for one in digest.escalated]
        lines += [f"{digest.more_escalated} {more}"] if digest.more_escalated else []
    groups = [f"{one.alerts} × {name(one.kind, language)}, {camera(one.camera)} ({one.open} {still})" for one in digest.groups]
    return one_line(subject), "\n".join([*lines, "", *groups])


def one_line(text: str) -> str:
    """The text without line breaks and what else cannot be printed: a header has one line."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def camera_event(data: bytes) -> CameraEvent:
    """Decode what a camera said. Raises `msgspec.DecodeError` (`ValidationError` where it breaks the schema)."""
    return _EVENTS.decode(data)


def schemas() -> dict[str, dict[str, Any]]:
    """File name to JSON Schema."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        f"{stem}.schema.json": dialect | msgspec.json.schema(kind)
        for stem, kind in (
            ("alert", AlertMessage),
            ("digest", DigestMessage),
            ("fault", FaultMessage),
            ("camera-event", CameraEvent),
            ("camera-state", CameraState),
            ("site-state", SiteState),
        )
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _clock(at: float, language: str) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%d.%m.%Y, %H:%M:%S" if language == "de" else "%Y-%m-%d %H:%M:%S")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
