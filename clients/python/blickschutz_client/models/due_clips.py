# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="DueClips")


@_attrs_define
class DueClips:
    due: int
    """ Clips that are still there though their time is up. """
    overdue: int
    """ Those of them that should be gone. """
    oldest_s: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        due = self.due

        overdue = self.overdue

        oldest_s = self.oldest_s

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "due": due,
                "overdue": overdue,
                "oldest_s": oldest_s,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        due = d.pop("due")

        overdue = d.pop("overdue")

        oldest_s = d.pop("oldest_s")

        due_clips = cls(
            due=due,
            overdue=overdue,
            oldest_s=oldest_s,
        )

        due_clips.additional_properties = d
        return due_clips

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
