# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Wrong")


@_attrs_define
class Wrong:
    """Something in a request that has not the form that is meant."""

    where: list[int | str]
    """ The way to it: `body`, then names and numbers. """
    text: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        where = []
        for where_item_data in self.where:
            where_item: int | str
            where_item = where_item_data
            where.append(where_item)

        text = self.text

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "where": where,
                "text": text,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        where = []
        _where = d.pop("where")
        for where_item_data in _where:

            def _parse_where_item(data: object) -> int | str:
                return cast(int | str, data)

            where_item = _parse_where_item(where_item_data)

            where.append(where_item)

        text = d.pop("text")

        wrong = cls(
            where=where,
            text=text,
        )

        wrong.additional_properties = d
        return wrong

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
