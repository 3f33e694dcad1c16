# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Work")


@_attrs_define
class Work:
    """A thread, a task or a queue of the control room."""

    name: str
    process: str
    kind: str
    running: bool
    failures: int
    restarts: int
    items: int
    oldest_s: float
    set_aside: int
    error: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        process = self.process

        kind = self.kind

        running = self.running

        failures = self.failures

        restarts = self.restarts

        items = self.items

        oldest_s = self.oldest_s

        set_aside = self.set_aside

        error = self.error

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "process": process,
                "kind": kind,
                "running": running,
                "failures": failures,
                "restarts": restarts,
                "items": items,
                "oldest_s": oldest_s,
                "set_aside": set_aside,
                "error": error,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        name = d.pop("name")

        process = d.pop("process")

        kind = d.pop("kind")

        running = d.pop("running")

        failures = d.pop("failures")

        restarts = d.pop("restarts")

        items = d.pop("items")

        oldest_s = d.pop("oldest_s")

        set_aside = d.pop("set_aside")

        error = d.pop("error")

        work = cls(
            name=name,
            process=process,
            kind=kind,
            running=running,
            failures=failures,
            restarts=restarts,
            items=items,
            oldest_s=oldest_s,
            set_aside=set_aside,
            error=error,
        )

        work.additional_properties = d
        return work

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
