# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.entry_facts import EntryFacts


T = TypeVar("T", bound="Entry")


@_attrs_define
class Entry:
    number: int
    at: datetime.datetime
    event: str
    by: str
    subject: str
    facts: EntryFacts
    hash_: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        number = self.number

        at = self.at.isoformat()

        event = self.event

        by = self.by

        subject = self.subject

        facts = self.facts.to_dict()

        hash_ = self.hash_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "number": number,
                "at": at,
                "event": event,
                "by": by,
                "subject": subject,
                "facts": facts,
                "hash": hash_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.entry_facts import EntryFacts

        d = dict(src_dict)
        number = d.pop("number")

        at = datetime.datetime.fromisoformat(d.pop("at"))

        event = d.pop("event")

        by = d.pop("by")

        subject = d.pop("subject")

        facts = EntryFacts.from_dict(d.pop("facts"))

        hash_ = d.pop("hash")

        entry = cls(
            number=number,
            at=at,
            event=event,
            by=by,
            subject=subject,
            facts=facts,
            hash_=hash_,
        )

        entry.additional_properties = d
        return entry

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
