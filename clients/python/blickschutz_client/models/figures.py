# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Figures")


@_attrs_define
class Figures:
    """Health of one camera, as its cell told it last."""

    camera: str
    state: str
    fps: float | None
    frames: int | None
    dropped: int | None
    withheld: int | None
    faults: int | None
    reconnects: int | None
    restarts: int
    pss_mb: float | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        camera = self.camera

        state = self.state

        fps: float | None
        fps = self.fps

        frames: int | None
        frames = self.frames

        dropped: int | None
        dropped = self.dropped

        withheld: int | None
        withheld = self.withheld

        faults: int | None
        faults = self.faults

        reconnects: int | None
        reconnects = self.reconnects

        restarts = self.restarts

        pss_mb: float | None
        pss_mb = self.pss_mb

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "camera": camera,
                "state": state,
                "fps": fps,
                "frames": frames,
                "dropped": dropped,
                "withheld": withheld,
                "faults": faults,
                "reconnects": reconnects,
                "restarts": restarts,
                "pss_mb": pss_mb,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        camera = d.pop("camera")

        state = d.pop("state")

        def _parse_fps(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        fps = _parse_fps(d.pop("fps"))

        def _parse_frames(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        frames = _parse_frames(d.pop("frames"))

        def _parse_dropped(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        dropped = _parse_dropped(d.pop("dropped"))

        def _parse_withheld(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        withheld = _parse_withheld(d.pop("withheld"))

        def _parse_faults(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        faults = _parse_faults(d.pop("faults"))

        def _parse_reconnects(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        reconnects = _parse_reconnects(d.pop("reconnects"))

        restarts = d.pop("restarts")

        def _parse_pss_mb(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        pss_mb = _parse_pss_mb(d.pop("pss_mb"))

        figures = cls(
            camera=camera,
            state=state,
            fps=fps,
            frames=frames,
            dropped=dropped,
            withheld=withheld,
            faults=faults,
            reconnects=reconnects,
            restarts=restarts,
            pss_mb=pss_mb,
        )

        figures.additional_properties = d
        return figures

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
