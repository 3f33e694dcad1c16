# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.alert_figures import AlertFigures
    from ..models.decision import Decision


T = TypeVar("T", bound="Alert")


@_attrs_define
class Alert:
    id: int
    camera: str
    kind: str
    zone: str
    state: str
    confidence: float
    taken: datetime.datetime
    raised: datetime.datetime
    outcome: None | str
    note: str
    figures: AlertFigures
    has_clip: bool
    history: list[Decision] | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        camera = self.camera

        kind = self.kind

        zone = self.zone

        state = self.state

        confidence = self.confidence

        taken = self.taken.isoformat()

        raised = self.raised.isoformat()

        outcome: None | str
        outcome = self.outcome

        note = self.note

        figures = self.figures.to_dict()

        has_clip = self.has_clip

        history: list[dict[str, Any]] | None | Unset
        if isinstance(self.history, Unset):
            history = UNSET
        elif isinstance(self.history, list):
            history = []
            for history_type_0_item_data in self.history:
                history_type_0_item = history_type_0_item_data.to_dict()
                history.append(history_type_0_item)

        else:
            history = self.history

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "camera": camera,
                "kind": kind,
                "zone": zone,
                "state": state,
                "confidence": confidence,
                "taken": taken,
                "raised": raised,
                "outcome": outcome,
                "note": note,
                "figures": figures,
                "has_clip": has_clip,
            }
        )
        if history is not UNSET:
            field_dict["history"] = history

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.alert_figures import AlertFigures
        from ..models.decision import Decision

        d = dict(src_dict)
        id = d.pop("id")

        camera = d.pop("camera")

        kind = d.pop("kind")

        zone = d.pop("zone")

        state = d.pop("state")

        confidence = d.pop("confidence")

        taken = datetime.datetime.fromisoformat(d.pop("taken"))

        raised = datetime.datetime.fromisoformat(d.pop("raised"))

        def _parse_outcome(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        outcome = _parse_outcome(d.pop("outcome"))

        note = d.pop("note")

        figures = AlertFigures.from_dict(d.pop("figures"))

        has_clip = d.pop("has_clip")

        def _parse_history(data: object) -> list[Decision] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                history_type_0 = []
                _history_type_0 = data
                for history_type_0_item_data in _history_type_0:
                    history_type_0_item = Decision.from_dict(history_type_0_item_data)

                    history_type_0.append(history_type_0_item)

                return history_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[Decision] | None | Unset, data)

        history = _parse_history(d.pop("history", UNSET))

        alert = cls(
            id=id,
            camera=camera,
            kind=kind,
            zone=zone,
            state=state,
            confidence=confidence,
            taken=taken,
            raised=raised,
            outcome=outcome,
            note=note,
            figures=figures,
            has_clip=has_clip,
            history=history,
        )

        alert.additional_properties = d
        return alert

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
