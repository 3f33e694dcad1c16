"""Names for programs that are made from the description: groups, one id for each function, an example of each thing said or heard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

TAGS: Final[Mapping[str, str]] = {
    "cameras": "Cameras, their redacted picture, the stop control.",
    "alerts": "Alerts and what is decided about them.",
    "regime": "Day or night, by the plan or by hand.",
    "records": "Cases, packages of evidence, recordings by hand, the log.",
    "system": "Health, settings, people, one's own token.",
}
# Method and path: id and group. An id stays: programs are made from it.
OPERATIONS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("get", "/cameras"): ("listCameras", "cameras"),
    ("get", "/cameras/{camera}/picture.jpg"): ("getPicture", "cameras"),
    ("post", "/cameras/{camera}/stop"): ("stopCamera", "cameras"),
    ("post", "/cameras/{camera}/resume"): ("resumeCamera", "cameras"),
    ("post", "/cameras/{camera}/record"): ("recordCamera", "records"),
    ("get", "/alerts"): ("listAlerts", "alerts"),
    ("get", "/alerts/{number}"): ("getAlert", "alerts"),
    ("get", "/alerts/{number}/clip.mp4"): ("getAlertClip", "alerts"),
    ("post", "/alerts/{number}/acknowledge"): ("acknowledgeAlert", "alerts"),
    ("post", "/alerts/{number}/act"): ("actOnAlert", "alerts"),
    ("post", "/alerts/{number}/close"): ("closeAlert", "alerts"),
    ("get", "/regime"): ("getRegime", "regime"),
    ("put", "/regime"): ("setRegime", "regime"),
    ("delete", "/regime"): ("endRegime", "regime"),
    ("get", "/cases"): ("listCases", "records"),
    ("get", "/cases/{number}"): ("getCase", "records"),
    ("get", "/packages"): ("listPackages", "records"),
    ("get", "/log"): ("listLog", "records"),
    ("get", "/health"): ("getHealth", "system"),
    ("get", "/settings"): ("listSettings", "system"),
    ("get", "/people"): ("listPeople", "system"),
    ("get", "/me"): ("getMe", "system"),
}
_AT = "2026-03-01T22:15:00+01:00"
_ALERT: Final[Mapping[str, Any]] = {
    "id": 41,
    "camera": "vorplatz-nord",
    "kind": "person_down",
    "zone": "flaeche",
    "state": "acknowledged",
    "confidence": 0.91,
    "taken": _AT,
    "raised": "2026-03-01T22:15:02+01:00",
    "outcome": None,
    "note": "",
    "figures": {"height_share": 0.38, "seconds": 4.0},
    "has_clip": True,
    "history": None,
}
_HOLD: Final[Mapping[str, Any]] = {
    "ground": "straftat",
    "reference": "KL-1",
    "owner": "aufsicht",
    "by": ["aufsicht", "kvd-1"],
    "since": _AT,
    "until": "2026-06-01T00:00:00+02:00",
}
_CASE: Final[Mapping[str, Any]] = {
    "id": 7,
    "clip": "20260301T211500Z-vorplatz-nord",
    "camera": "vorplatz-nord",
    "mode": "sealed",
    "cause": "person_down",
    "state": "waiting",
    "opened": _AT,
    "deadline": "2026-03-04T22:15:00+01:00",
    "verdicts": 1,
    "held_until": None,
    "hold": None,
}
_ENTRY: Final[Mapping[str, Any]] = {
    "number": 1201,
    "at": _AT,
    "event": "camera-stopped",
    "by": "leitstelle-1",
    "subject": "vorplatz-nord",
    "facts": {"reason": "Wartung"},
    "hash": "9f2c…",
}
EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "Camera": {"id": "vorplatz-nord", "name": "Vorplatz Nord", "side": "forecourt", "state": "live", "cause": "", "stopped": False},
    "Because": {"reason": "Wartung am Mast"},
    "Note": {"text": "Streife verständigt"},
    "Close": {"outcome": "no-finding", "text": "jemand hat sich gesetzt"},
    "Alert": _ALERT,
    "Alerts": {"alerts": [_ALERT], "next_before": None},
    "Decision": {"at": _AT, "event": "acknowledge", "by": "Leitstelle 1", "text": ""},
    "Regime": {"name": "night", "until": "2026-03-02T06:00:00+01:00", "reason": "hours", "by_hand": False},
    "SetRegime": {"name": "night", "hours": 2, "reason": "Veranstaltung"},
    "Case": _CASE,
    "Cases": {"cases": [_CASE], "more": False},
    "Hold": _HOLD,
    "Package": {"name": "20260301T211500Z-vorplatz-nord.tar.age", "bytes": 18_204_551, "made": _AT},
    "Entry": _ENTRY,
    "Entries": {"entries": [_ENTRY], "next_before": 1201},
    "Me": {"person": "technik", "roles": ["administration"], "scopes": ["figures", "health"]},
    "Person": {
        "id": "kvd-1",
        "name": "Kommunaler Vollzugsdienst 1",
        "roles": ["review"],
        "state": "active",
        "trained_until": "2027-01-31",
        "second_factors": 1,
    },
    "Setting": {"key": "server.port", "value": "8710", "meaning": "Port of the pages.", "line": 21},
    "Wrong": {"where": ["body", "reason"], "text": "Field required"},
    "Problem": {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "problem": "late",
        "text": "Somebody else was faster, or the alert is in a state in which this cannot be done.",
    },
}
