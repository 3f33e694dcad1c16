# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    Self,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.chain import Chain
    from ..models.clock_said import ClockSaid
    from ..models.due_clips import DueClips
    from ..models.needs_said import NeedsSaid
    from ..models.overview_alerts import OverviewAlerts
    from ..models.overview_cameras import OverviewCameras
    from ..models.rules_said import RulesSaid


T = TypeVar("T", bound="Overview")


@_attrs_define
class Overview:
    """What an overview of several sites may know: numbers and words of closed lists. Never a name, a place or a picture."""

    version: str
    at: datetime.datetime
    up_s: float
    cameras: OverviewCameras
    """ By state how many. """
    recording: bool
    """ Whether every camera that sends something can be recorded. """
    alerts: OverviewAlerts
    """ Open ones by kind. """
    deadlines: DueClips | None
    chain: Chain | None
    clock: ClockSaid
    rules: RulesSaid
    needs: NeedsSaid
    contract: Literal[1] | Unset = 1
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.chain import Chain
        from ..models.due_clips import DueClips

        version = self.version

        at = self.at.isoformat()

        up_s = self.up_s

        cameras = self.cameras.to_dict()

        recording = self.recording

        alerts = self.alerts.to_dict()

        deadlines: dict[str, Any] | None
        if isinstance(self.deadlines, DueClips):
            deadlines = self.deadlines.to_dict()
        else:
            deadlines = self.deadlines

        chain: dict[str, Any] | None
        if isinstance(self.chain, Chain):
            chain = self.chain.to_dict()
        else:
            chain = self.chain

        clock = self.clock.to_dict()

        rules = self.rules.to_dict()

        needs = self.needs.to_dict()

        contract = self.contract

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "version": version,
                "at": at,
                "up_s": up_s,
                "cameras": cameras,
                "recording": recording,
                "alerts": alerts,
                "deadlines": deadlines,
                "chain": chain,
                "clock": clock,
                "rules": rules,
                "needs": needs,
            }
        )
        if contract is not UNSET:
            field_dict["contract"] = contract

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.chain import Chain
        from ..models.clock_said import ClockSaid
        from ..models.due_clips import DueClips
        from ..models.needs_said import NeedsSaid
        from ..models.overview_alerts import OverviewAlerts
        from ..models.overview_cameras import OverviewCameras
        from ..models.rules_said import RulesSaid

        d = dict(src_dict)
        version = d.pop("version")

        at = datetime.datetime.fromisoformat(d.pop("at"))

        up_s = d.pop("up_s")

        cameras = OverviewCameras.from_dict(d.pop("cameras"))

        recording = d.pop("recording")

        alerts = OverviewAlerts.from_dict(d.pop("alerts"))

        def _parse_deadlines(data: object) -> DueClips | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                deadlines_type_0 = DueClips.from_dict(data)

                return deadlines_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(DueClips | None, data)

        deadlines = _parse_deadlines(d.pop("deadlines"))

        def _parse_chain(data: object) -> Chain | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                chain_type_0 = Chain.from_dict(data)

                return chain_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Chain | None, data)

        chain = _parse_chain(d.pop("chain"))

        clock = ClockSaid.from_dict(d.pop("clock"))

        rules = RulesSaid.from_dict(d.pop("rules"))

        needs = NeedsSaid.from_dict(d.pop("needs"))

        contract = cast(Literal[1] | Unset, d.pop("contract", UNSET))
        if contract != 1 and not isinstance(contract, Unset):
            raise ValueError(f"contract must match const 1, got '{contract}'")

        overview = cls(
            version=version,
            at=at,
            up_s=up_s,
            cameras=cameras,
            recording=recording,
            alerts=alerts,
            deadlines=deadlines,
            chain=chain,
            clock=clock,
            rules=rules,
            needs=needs,
            contract=contract,
        )

        overview.additional_properties = d
        return overview

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
