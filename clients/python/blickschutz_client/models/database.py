# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Database")


@_attrs_define
class Database:
    name: str
    read_s: float | None
    """ How long a read took; null where the database does not answer. """
    written: datetime.datetime | None
    refused: datetime.datetime | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        read_s: float | None
        read_s = self.read_s

        written: None | str
        if isinstance(self.written, datetime.datetime):
            written = self.written.isoformat()
        else:
            written = self.written

        refused: None | str
        if isinstance(self.refused, datetime.datetime):
            refused = self.refused.isoformat()
        else:
            refused = self.refused

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "read_s": read_s,
                "written": written,
                "refused": refused,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        name = d.pop("name")

        def _parse_read_s(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        read_s = _parse_read_s(d.pop("read_s"))

        def _parse_written(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                written_type_0 = datetime.datetime.fromisoformat(data)

                return written_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        written = _parse_written(d.pop("written"))

        def _parse_refused(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                refused_type_0 = datetime.datetime.fromisoformat(data)

                return refused_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        refused = _parse_refused(d.pop("refused"))

        database = cls(
            name=name,
            read_s=read_s,
            written=written,
            refused=refused,
        )

        database.additional_properties = d
        return database

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
