"""The same notices as cameras publish them themselves: JSON by MQTT (ONVIF Core 25.12, event broker, payload prefix `onvif-ej`).

Topics come as `RuleEngine/LineDetector/Crossed/&1/2/Fence`: the topic without namespaces, and the values of its source. Cameras write
items in two forms: as names with their values, and as the list of XML's `SimpleItem`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from blickschutz.ingest.rules.onvif import DIRECT, Notice, clean

_MOST_ITEMS = 16


class _Message(msgspec.Struct, frozen=True):
    source: dict[str, Any] = msgspec.field(name="Source", default={})
    data: dict[str, Any] = msgspec.field(name="Data", default={})
    operation: str = msgspec.field(name="PropertyOperation", default="")


_DECODER = msgspec.json.Decoder(_Message)


def notice_of(topic: str, payload: bytes) -> Notice:
    """`topic` is what stands behind the payload prefix. Raises one of `kernel.errors.UNREADABLE`."""
    said = _DECODER.decode(payload)
    place, _, values = topic.partition("/&")
    local = "/".join(part.rpartition(":")[2] for part in place.split("/"))
    # What tells two things apart is in the topic, too; some cameras say it there alone.
    source = _items(said.source) or tuple((str(n), clean(value)) for n, value in enumerate(values.split("/")[:_MOST_ITEMS]) if value)
    if local.startswith(DIRECT):
        raise ValueError("a topic that is none of a camera")
    return Notice(clean(local), source, _items(said.data), said.operation == "Deleted")


def _items(said: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    listed = said.get("SimpleItem")
    if isinstance(listed, list):
        pairs = [(one.get("Name"), one.get("Value")) for one in listed if isinstance(one, dict)]
    else:
        pairs = list(said.items())
    return tuple((clean(str(name)), _text(value)) for name, value in pairs[:_MOST_ITEMS] if isinstance(value, str | int | float))


def _text(value: str | int | float) -> str:
    return str(value).lower() if isinstance(value, bool) else clean(str(value))
