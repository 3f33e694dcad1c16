# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.set_regime_name import SetRegimeName, check_set_regime_name

T = TypeVar("T", bound="SetRegime")


@_attrs_define
class SetRegime:
    name: SetRegimeName
    hours: float
    reason: str

    def to_dict(self) -> dict[str, Any]:
        name: str = self.name

        hours = self.hours

        reason = self.reason

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "hours": hours,
                "reason": reason,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        name = check_set_regime_name(d.pop("name"))

        hours = d.pop("hours")

        reason = d.pop("reason")

        set_regime = cls(
            name=name,
            hours=hours,
            reason=reason,
        )

        return set_regime
