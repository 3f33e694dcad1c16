"""What a cell may do on its machine, from its settings."""

from __future__ import annotations

from pathlib import Path

import structlog

from blickschutz.analysis.io.registry import default_folder
from blickschutz.ingest.model import SourceKind
from blickschutz.ingest.rules.address import read_address
from blickschutz.kernel.devices import Decoding, Device
from blickschutz.pipeline.messages import CellSettings
from blickschutz.zones import profiles
from blickschutz.zones.model import Profile

_log = structlog.get_logger(__name__)


def profile_of(settings: CellSettings, *local: int) -> Profile:
    """The profile of a cell. `local` are its own ports through which it reads a camera.

    The folder of its clips is made where it is missing: what is not there cannot be granted.
    """
    source, clips = settings.source, Path(settings.clips) if settings.clips else None
    if clips is not None:
        try:
            clips.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            # The first order to record meets the same error, and is refused with it.
            _log.error("no_folder_for_clips", reason=error.strerror)
    models = Path(settings.models) if settings.models else default_folder()
    notices = settings.notices
    onvif = _place(notices.address) if notices is not None else ""
    trusted = source.authority or (notices.authority if notices is not None else "")
    authority = Path(trusted) if trusted else None
    devices = settings.device is not Device.CPU
    # What failed in the life before is not within reach of this one.
    decoding = Decoding.SOFTWARE if settings.device_lost else settings.decoding
    if source.kind is SourceKind.FILE:
        file = Path(source.address)
        return profiles.cell(models=models, clips=clips, file=file, onvif=onvif, authority=authority, devices=devices, decoding=decoding)
    datagrams = source.kind is SourceKind.RTSP and source.transport.datagrams
    addresses = [_place(one.address) for one in (source, settings.recorded) if one is not None]
    return profiles.cell(
        models=models,
        clips=clips,
        addresses=addresses,
        authority=authority,
        local=local,
        datagrams=datagrams,
        onvif=onvif,
        devices=devices,
        decoding=decoding if source.kind is SourceKind.RTSP else Decoding.SOFTWARE,
    )


def trial_profile(settings: CellSettings, *local: int) -> Profile:
    """The profile of a trial of one camera's stream."""
    models = Path(settings.models) if settings.models else default_folder()
    return profiles.trial(models=models, addresses=[_place(settings.source.address)], local=local)


def device_profile(address: str) -> Profile:
    """The profile of whoever asks a camera's ONVIF service."""
    return profiles.device(address=_place(address))


def _place(address: str) -> str:
    """Without account and path; read as it is connected to: a password may hold what would part an address elsewhere."""
    found = read_address(address)
    return f"{found.scheme}://{found.place}" if found is not None else ""
