# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Person")


@_attrs_define
class Person:
    id: str
    name: str
    roles: list[str]
    state: str
    trained_until: None | str
    second_factors: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name = self.name

        roles = self.roles

        state = self.state

        trained_until: None | str
        trained_until = self.trained_until

        second_factors = self.second_factors

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
                "roles": roles,
                "state": state,
                "trained_until": trained_until,
                "second_factors": second_factors,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = d.pop("id")

        name = d.pop("name")

        roles = cast(list[str], d.pop("roles"))

        state = d.pop("state")

        def _parse_trained_until(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        trained_until = _parse_trained_until(d.pop("trained_until"))

        second_factors = d.pop("second_factors")

        person = cls(
            id=id,
            name=name,
            roles=roles,
            state=state,
            trained_until=trained_until,
            second_factors=second_factors,
        )

        person.additional_properties = d
        return person

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
