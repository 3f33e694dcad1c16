"""Discovery of Home Assistant by MQTT: one message for the site and one for each camera, as a device with its entities. Pure.

Fields: home-assistant/core, `homeassistant/components/mqtt/schemas.py` (`DEVICE_DISCOVERY_SCHEMA`), `binary_sensor.py`, `sensor.py`;
home-assistant.io, "MQTT", section "Device discovery payload" (since 2024.11). All is read only: there is no command topic, no
picture and no entity of the kinds camera and image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from blickschutz import __version__
from blickschutz.alerts.io.broker import QOS, Broker
from blickschutz.situations.kinds import DECLARED, Kind, name

PREFIX = "homeassistant"
_WORDS = {
    "camera": ("Kamera", "Camera"),
    "site": ("Anlage", "Site"),
    "state": ("Zustand", "State"),
    "stopped": ("Angehalten", "Stopped"),
    "all-stopped": ("Alle Kameras angehalten", "All cameras stopped"),
    "regime": ("Regime", "Regime"),
    "cameras": ("Kameras", "Cameras"),
    "live": ("Kameras mit Bild", "Cameras live"),
    "open": ("Offene Meldungen", "Open alerts"),
    "escalated": ("Überfällige Meldungen", "Escalated alerts"),
    "in-hand": ("Meldungen in Arbeit", "Alerts in hand"),
}

Component = dict[str, Any]


def discovery(
    broker: Broker,
    site: str,
    cameras: Iterable[tuple[str, str]],
    states: Sequence[str],
    regimes: Sequence[str],
    language: str,
    prefix: str = PREFIX,
) -> dict[str, bytes]:
    """Topic to payload. `cameras` are short names and names, `states` those that a tile can show."""
    own = _identity(broker)

    def word(key: str) -> str:
        return _WORDS[key][0 if language == "de" else 1]

    def device(identity: str, title: str, model: str, topic: str, parts: Mapping[str, Component]) -> tuple[str, bytes]:
        about = {"identifiers": [identity], "name": title, "manufacturer": "Blickschutz", "model": word(model), "sw_version": __version__}
        payload = {
            "device": about if identity == own else {**about, "via_device": own},
            "origin": {"name": "blickschutz", "sw_version": __version__},
            "availability_topic": f"{broker.root}/availability",
            "state_topic": topic,
            "qos": QOS,
            "components": {key: {**part, "unique_id": f"{identity}_{key}"} for key, part in parts.items()},
        }
        return f"{prefix}/device/{identity}/config", msgspec.json.encode(payload)

    whole = {
        "regime": _choice(word("regime"), "regime", regimes),
        "stopped": _switch(word("all-stopped"), "stopped"),
        "cameras": _count(word("cameras"), "cameras"),
        "live": _count(word("live"), "live"),
        "open": _count(word("open"), "open"),
        "escalated": _count(word("escalated"), "escalated"),
        "in_hand": _count(word("in-hand"), "in_hand"),
    }
    made = [device(own, site, "site", f"{broker.root}/state", whole)]
    for camera, title in cameras:
        parts = {
            "state": _choice(word("state"), "state", states),
            "stopped": _switch(word("stopped"), "stopped"),
            "open": _count(word("open"), "open"),
            **{kind.value: _kind(kind, language) for kind in Kind},
        }
        made.append(device(f"{own}_{camera}", f"{site}: {title}", "camera", f"{broker.root}/cameras/{camera}/state", parts))
    return dict(made)


def _identity(broker: Broker) -> str:
    return f"blickschutz_{broker.installation}"


def _choice(title: str, key: str, options: Sequence[str]) -> Component:
    return {"platform": "sensor", "name": title, "device_class": "enum", "options": list(options), "value_template": _value(key)}


def _count(title: str, key: str) -> Component:
    return {"platform": "sensor", "name": title, "state_class": "measurement", "value_template": _value(key)}


def _switch(title: str, key: str) -> Component:
    return {"platform": "binary_sensor", "name": title, "value_template": _value(key)}


def _kind(kind: Kind, language: str) -> Component:
    found = {"platform": "binary_sensor", "name": name(kind, language), "value_template": _value(f"kinds.{kind.value}")}
    of_kind = DECLARED[kind].device_class
    return {**found, "device_class": of_kind} if of_kind else found


def _value(path: str) -> str:
    return f"{{{{ value_json.{path} }}}}"
