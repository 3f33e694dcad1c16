# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.close_outcome import CloseOutcome, check_close_outcome
from ..types import UNSET, Unset

T = TypeVar("T", bound="Close")


@_attrs_define
class Close:
    outcome: CloseOutcome
    text: str | Unset = ""

    def to_dict(self) -> dict[str, Any]:
        outcome: str = self.outcome

        text = self.text

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "outcome": outcome,
            }
        )
        if text is not UNSET:
            field_dict["text"] = text

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        outcome = check_close_outcome(d.pop("outcome"))

        text = d.pop("text", UNSET)

        close = cls(
            outcome=outcome,
            text=text,
        )

        return close
