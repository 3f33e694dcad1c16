# Made by `python -m scripts.client` from the description of the programming interface; not to be changed by hand.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.channel import Channel
    from ..models.database import Database
    from ..models.figures import Figures
    from ..models.health_models import HealthModels
    from ..models.need import Need
    from ..models.work import Work


T = TypeVar("T", bound="Health")


@_attrs_define
class Health:
    """Figures; what the database would have said and did not is null."""

    needs: list[Need]
    """ What needs somebody, the urgent first; empty where all is well. """
    work: list[Work]
    databases: list[Database]
    channels: list[Channel]
    loop_lag_p99_s: float
    loop_lag_max_s: float
    """ How late the event loop was in the last minute. """
    disk_reserve_bytes: int
    disk_forecast_s: float | None
    log_verified: int | None
    log_verified_at: datetime.datetime | None
    log_whole_verified_at: datetime.datetime | None
    deadlines_due: int | None
    deadlines_overdue: int | None
    deadlines_oldest_overdue_s: float | None
    orders_open: int | None
    orders_oldest_s: float | None
    quarantined: int | None
    clock_suspended: bool
    cameras: list[Figures]
    recording_problem: str
    """ Why nothing can be recorded; empty where it can. """
    free_bytes: int | None
    clock_offset_s: float
    deadlines_suspended: bool
    """ Whether no deadline ends anything, because the time is not certain. """
    suspended_reason: str
    """ Why; empty where deadlines run. """
    log_entries: int | None
    log_faults: int | None
    certificate_until: datetime.datetime | None
    models: HealthModels
    """ Registered detectors and their SHA-256. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        needs = []
        for needs_item_data in self.needs:
            needs_item = needs_item_data.to_dict()
            needs.append(needs_item)

        work = []
        for work_item_data in self.work:
            work_item = work_item_data.to_dict()
            work.append(work_item)

        databases = []
        for databases_item_data in self.databases:
            databases_item = databases_item_data.to_dict()
            databases.append(databases_item)

        channels = []
        for channels_item_data in self.channels:
            channels_item = channels_item_data.to_dict()
            channels.append(channels_item)

        loop_lag_p99_s = self.loop_lag_p99_s

        loop_lag_max_s = self.loop_lag_max_s

        disk_reserve_bytes = self.disk_reserve_bytes

        disk_forecast_s: float | None
        disk_forecast_s = self.disk_forecast_s

        log_verified: int | None
        log_verified = self.log_verified

        log_verified_at: None | str
        if isinstance(self.log_verified_at, datetime.datetime):
            log_verified_at = self.log_verified_at.isoformat()
        else:
            log_verified_at = self.log_verified_at

        log_whole_verified_at: None | str
        if isinstance(self.log_whole_verified_at, datetime.datetime):
            log_whole_verified_at = self.log_whole_verified_at.isoformat()
        else:
            log_whole_verified_at = self.log_whole_verified_at

        deadlines_due: int | None
        deadlines_due = self.deadlines_due

        deadlines_overdue: int | None
        deadlines_overdue = self.deadlines_overdue

        deadlines_oldest_overdue_s: float | None
        deadlines_oldest_overdue_s = self.deadlines_oldest_overdue_s

        orders_open: int | None
        orders_open = self.orders_open

        orders_oldest_s: float | None
        orders_oldest_s = self.orders_oldest_s

        quarantined: int | None
        quarantined = self.quarantined

        clock_suspended = self.clock_suspended

        cameras = []
        for cameras_item_data in self.cameras:
            cameras_item = cameras_item_data.to_dict()
            cameras.append(cameras_item)

        recording_problem = self.recording_problem

        free_bytes: int | None
        free_bytes = self.free_bytes

        clock_offset_s = self.clock_offset_s

        deadlines_suspended = self.deadlines_suspended

        suspended_reason = self.suspended_reason

        log_entries: int | None
        log_entries = self.log_entries

        log_faults: int | None
        log_faults = self.log_faults

        certificate_until: None | str
        if isinstance(self.certificate_until, datetime.datetime):
            certificate_until = self.certificate_until.isoformat()
        else:
            certificate_until = self.certificate_until

        models = self.models.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "needs": needs,
                "work": work,
                "databases": databases,
                "channels": channels,
                "loop_lag_p99_s": loop_lag_p99_s,
                "loop_lag_max_s": loop_lag_max_s,
                "disk_reserve_bytes": disk_reserve_bytes,
                "disk_forecast_s": disk_forecast_s,
                "log_verified": log_verified,
                "log_verified_at": log_verified_at,
                "log_whole_verified_at": log_whole_verified_at,
                "deadlines_due": deadlines_due,
                "deadlines_overdue": deadlines_overdue,
                "deadlines_oldest_overdue_s": deadlines_oldest_overdue_s,
                "orders_open": orders_open,
                "orders_oldest_s": orders_oldest_s,
                "quarantined": quarantined,
                "clock_suspended": clock_suspended,
                "cameras": cameras,
                "recording_problem": recording_problem,
                "free_bytes": free_bytes,
                "clock_offset_s": clock_offset_s,
                "deadlines_suspended": deadlines_suspended,
                "suspended_reason": suspended_reason,
                "log_entries": log_entries,
                "log_faults": log_faults,
                "certificate_until": certificate_until,
                "models": models,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.channel import Channel
        from ..models.database import Database
        from ..models.figures import Figures
        from ..models.health_models import HealthModels
        from ..models.need import Need
        from ..models.work import Work

        d = dict(src_dict)
        needs = []
        _needs = d.pop("needs")
        for needs_item_data in _needs:
            needs_item = Need.from_dict(needs_item_data)

            needs.append(needs_item)

        work = []
        _work = d.pop("work")
        for work_item_data in _work:
            work_item = Work.from_dict(work_item_data)

            work.append(work_item)

        databases = []
        _databases = d.pop("databases")
        for databases_item_data in _databases:
            databases_item = Database.from_dict(databases_item_data)

            databases.append(databases_item)

        channels = []
        _channels = d.pop("channels")
        for channels_item_data in _channels:
            channels_item = Channel.from_dict(channels_item_data)

            channels.append(channels_item)

        loop_lag_p99_s = d.pop("loop_lag_p99_s")

        loop_lag_max_s = d.pop("loop_lag_max_s")

        disk_reserve_bytes = d.pop("disk_reserve_bytes")

        def _parse_disk_forecast_s(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        disk_forecast_s = _parse_disk_forecast_s(d.pop("disk_forecast_s"))

        def _parse_log_verified(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        log_verified = _parse_log_verified(d.pop("log_verified"))

        def _parse_log_verified_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                log_verified_at_type_0 = datetime.datetime.fromisoformat(data)

                return log_verified_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        log_verified_at = _parse_log_verified_at(d.pop("log_verified_at"))

        def _parse_log_whole_verified_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                log_whole_verified_at_type_0 = datetime.datetime.fromisoformat(data)

                return log_whole_verified_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        log_whole_verified_at = _parse_log_whole_verified_at(d.pop("log_whole_verified_at"))

        def _parse_deadlines_due(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        deadlines_due = _parse_deadlines_due(d.pop("deadlines_due"))

        def _parse_deadlines_overdue(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        deadlines_overdue = _parse_deadlines_overdue(d.pop("deadlines_overdue"))

        def _parse_deadlines_oldest_overdue_s(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        deadlines_oldest_overdue_s = _parse_deadlines_oldest_overdue_s(d.pop("deadlines_oldest_overdue_s"))

        def _parse_orders_open(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        orders_open = _parse_orders_open(d.pop("orders_open"))

        def _parse_orders_oldest_s(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        orders_oldest_s = _parse_orders_oldest_s(d.pop("orders_oldest_s"))

        def _parse_quarantined(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        quarantined = _parse_quarantined(d.pop("quarantined"))

        clock_suspended = d.pop("clock_suspended")

        cameras = []
        _cameras = d.pop("cameras")
        for cameras_item_data in _cameras:
            cameras_item = Figures.from_dict(cameras_item_data)

            cameras.append(cameras_item)

        recording_problem = d.pop("recording_problem")

        def _parse_free_bytes(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        free_bytes = _parse_free_bytes(d.pop("free_bytes"))

        clock_offset_s = d.pop("clock_offset_s")

        deadlines_suspended = d.pop("deadlines_suspended")

        suspended_reason = d.pop("suspended_reason")

        def _parse_log_entries(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        log_entries = _parse_log_entries(d.pop("log_entries"))

        def _parse_log_faults(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        log_faults = _parse_log_faults(d.pop("log_faults"))

        def _parse_certificate_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                certificate_until_type_0 = datetime.datetime.fromisoformat(data)

                return certificate_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        certificate_until = _parse_certificate_until(d.pop("certificate_until"))

        models = HealthModels.from_dict(d.pop("models"))

        health = cls(
            needs=needs,
            work=work,
            databases=databases,
            channels=channels,
            loop_lag_p99_s=loop_lag_p99_s,
            loop_lag_max_s=loop_lag_max_s,
            disk_reserve_bytes=disk_reserve_bytes,
            disk_forecast_s=disk_forecast_s,
            log_verified=log_verified,
            log_verified_at=log_verified_at,
            log_whole_verified_at=log_whole_verified_at,
            deadlines_due=deadlines_due,
            deadlines_overdue=deadlines_overdue,
            deadlines_oldest_overdue_s=deadlines_oldest_overdue_s,
            orders_open=orders_open,
            orders_oldest_s=orders_oldest_s,
            quarantined=quarantined,
            clock_suspended=clock_suspended,
            cameras=cameras,
            recording_problem=recording_problem,
            free_bytes=free_bytes,
            clock_offset_s=clock_offset_s,
            deadlines_suspended=deadlines_suspended,
            suspended_reason=suspended_reason,
            log_entries=log_entries,
            log_faults=log_faults,
            certificate_until=certificate_until,
            models=models,
        )

        health.additional_properties = d
        return health

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
