# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.regime_name import RegimeName, check_regime_name

T = TypeVar("T", bound="Regime")


@_attrs_define
class Regime:
    name: RegimeName
    until: datetime.datetime
    reason: str
    by_hand: bool
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name: str = self.name

        until = self.until.isoformat()

        reason = self.reason

        by_hand = self.by_hand

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "until": until,
                "reason": reason,
                "by_hand": by_hand,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        name = check_regime_name(d.pop("name"))

        until = datetime.datetime.fromisoformat(d.pop("until"))

        reason = d.pop("reason")

        by_hand = d.pop("by_hand")

        regime = cls(
            name=name,
            until=until,
            reason=reason,
            by_hand=by_hand,
        )

        regime.additional_properties = d
        return regime

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
