"""What goes out and comes in as JSON; the JSON Schemas in `schemas/` are made from these types."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from blickschutz.alerts.model import Alert, Notice
from blickschutz.kernel.situation import Kind, explanation, name

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


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


def plain(notice: Notice, site: str, camera: str, language: str) -> tuple[str, str]:
    """Subject and text for people; `camera` is the camera's name."""
    alert: Alert = notice.alert
    german = language == "de"
    words = {
        "raised": "Meldung" if german else "Alert",
        "escalate": "Nicht quittierte Meldung" if german else "Unacknowledged alert",
        "close": "Meldung abgeschlossen" if german else "Alert closed",
    }
    subject = f"{words.get(notice.event, notice.event)} {alert.id}: {name(alert.kind, language)}, {camera}"
    line = explanation(alert.kind, alert.figures, language)
    at = datetime.fromtimestamp(alert.taken, UTC).astimezone().strftime("%d.%m.%Y, %H:%M:%S" if german else "%Y-%m-%d %H:%M:%S")
    return subject, "\n".join(part for part in (site, f"{camera}, {at}", line) if part)


def camera_event(data: bytes) -> CameraEvent:
    """Decode what a camera said. Raises `msgspec.DecodeError` (`ValidationError` where it breaks the schema)."""
    return _EVENTS.decode(data)


def schemas() -> dict[str, dict[str, Any]]:
    """File name to JSON Schema."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        f"{stem}.schema.json": dialect | msgspec.json.schema(kind)
        for stem, kind in (("alert", AlertMessage), ("camera-event", CameraEvent))
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
