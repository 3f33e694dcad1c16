# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.hold import Hold


T = TypeVar("T", bound="Case")


@_attrs_define
class Case:
    """A recording that waits for review, or is held. What was seen in it is told in the review room only."""

    id: int
    clip: str
    camera: str
    mode: str
    cause: str
    state: str
    opened: datetime.datetime
    deadline: datetime.datetime | None
    """ When its time is up; null while the time is not certain and no deadline ends anything. """
    verdicts: int
    """ How many verdicts were given; what they are stays sealed until both have spoken. """
    held_until: datetime.datetime | None
    hold: Hold | None | Unset = UNSET
    """ Only where one case is asked for. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.hold import Hold

        id = self.id

        clip = self.clip

        camera = self.camera

        mode = self.mode

        cause = self.cause

        state = self.state

        opened = self.opened.isoformat()

        deadline: None | str
        if isinstance(self.deadline, datetime.datetime):
            deadline = self.deadline.isoformat()
        else:
            deadline = self.deadline

        verdicts = self.verdicts

        held_until: None | str
        if isinstance(self.held_until, datetime.datetime):
            held_until = self.held_until.isoformat()
        else:
            held_until = self.held_until

        hold: dict[str, Any] | None | Unset
        if isinstance(self.hold, Unset):
            hold = UNSET
        elif isinstance(self.hold, Hold):
            hold = self.hold.to_dict()
        else:
            hold = self.hold

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "clip": clip,
                "camera": camera,
                "mode": mode,
                "cause": cause,
                "state": state,
                "opened": opened,
                "deadline": deadline,
                "verdicts": verdicts,
                "held_until": held_until,
            }
        )
        if hold is not UNSET:
            field_dict["hold"] = hold

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.hold import Hold

        d = dict(src_dict)
        id = d.pop("id")

        clip = d.pop("clip")

        camera = d.pop("camera")

        mode = d.pop("mode")

        cause = d.pop("cause")

        state = d.pop("state")

        opened = datetime.datetime.fromisoformat(d.pop("opened"))

        def _parse_deadline(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                deadline_type_0 = datetime.datetime.fromisoformat(data)

                return deadline_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        deadline = _parse_deadline(d.pop("deadline"))

        verdicts = d.pop("verdicts")

        def _parse_held_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                held_until_type_0 = datetime.datetime.fromisoformat(data)

                return held_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        held_until = _parse_held_until(d.pop("held_until"))

        def _parse_hold(data: object) -> Hold | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                hold_type_0 = Hold.from_dict(data)

                return hold_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Hold | None | Unset, data)

        hold = _parse_hold(d.pop("hold", UNSET))

        case = cls(
            id=id,
            clip=clip,
            camera=camera,
            mode=mode,
            cause=cause,
            state=state,
            opened=opened,
            deadline=deadline,
            verdicts=verdicts,
            held_until=held_until,
            hold=hold,
        )

        case.additional_properties = d
        return case

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
