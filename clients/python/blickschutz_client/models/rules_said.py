# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="RulesSaid")


@_attrs_define
class RulesSaid:
    holds: int
    broken: int
    unknown: int
    gates: int
    """ Gates that are closed. """
    broken_ids: list[str]
    age_s: float
    """ How old that is. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        holds = self.holds

        broken = self.broken

        unknown = self.unknown

        gates = self.gates

        broken_ids = self.broken_ids

        age_s = self.age_s

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "holds": holds,
                "broken": broken,
                "unknown": unknown,
                "gates": gates,
                "broken_ids": broken_ids,
                "age_s": age_s,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        holds = d.pop("holds")

        broken = d.pop("broken")

        unknown = d.pop("unknown")

        gates = d.pop("gates")

        broken_ids = cast(list[str], d.pop("broken_ids"))

        age_s = d.pop("age_s")

        rules_said = cls(
            holds=holds,
            broken=broken,
            unknown=unknown,
            gates=gates,
            broken_ids=broken_ids,
            age_s=age_s,
        )

        rules_said.additional_properties = d
        return rules_said

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
