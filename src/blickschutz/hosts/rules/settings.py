"""A cell's settings between control room and host: what travels, and what the host itself puts in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from blickschutz.ingest.model import SourceKind
from blickschutz.ingest.rules.address import PICTURES, read_address
from blickschutz.kernel.errors import DeviceError
from blickschutz.pipeline.credentials import Credentials, joined, parted
from blickschutz.pipeline.messages import CellSettings

_FILE = "file:"


@dataclass(frozen=True, slots=True)
class OwnCamera:
    """A camera as its host knows it: whole addresses with account, and the file of its authority. `credentials.source` may be `file:…`,
    absolute; `credentials.recorded` is the large stream where this host knows two.
    """

    credentials: Credentials
    authority: str = ""


def travelling(settings: CellSettings) -> CellSettings:
    """Without anything secret, and without paths: they are of another machine."""
    plain, _ = parted(settings)
    source = replace(plain.source, address="" if plain.source.kind is SourceKind.FILE else plain.source.address, authority="")
    notices = replace(plain.notices, authority="") if plain.notices is not None else None
    recorded = replace(plain.recorded, authority="") if plain.recorded is not None else None
    return msgspec.structs.replace(plain, source=source, notices=notices, recorded=recorded, clips="", models="")


def housed(settings: CellSettings, own: OwnCamera, clips: str, root: str = "") -> CellSettings:
    """With which a cell of this host is started; what is not known here is not listened to. It seals by the `root` that was pinned here,
    whatever it is told, where there is one. Two streams are used where both sides know of them, else the large one alone: what is recorded
    is never the small one. Raises `DeviceError`.
    """
    known = own.credentials
    if not known.source:
        raise DeviceError(f"this host has no address of the camera {settings.camera}")
    if settings.recorded is None and known.recorded:
        known = msgspec.structs.replace(known, source=known.recorded, recorded="")
    source = replace(settings.source, kind=_kind(known.source), authority=own.authority)
    recorded = replace(settings.recorded, authority=own.authority) if settings.recorded is not None and known.recorded else None
    notices = replace(settings.notices, authority=own.authority) if settings.notices is not None and known.notices else None
    notify = settings.notify if known.notify else None
    recording = replace(settings.recording, root=root) if root else settings.recording
    given = {"source": source, "recorded": recorded, "notices": notices, "notify": notify, "recording": recording}
    there = msgspec.structs.replace(settings, clips=clips, models="", **given)
    return joined(there, msgspec.structs.replace(known, source=known.source.removeprefix(_FILE)))


def _kind(address: str) -> SourceKind:
    """Raises `DeviceError` where it is no address."""
    if address.startswith(_FILE):
        return SourceKind.FILE
    found = read_address(address)
    if found is None:
        raise DeviceError("what this host has as the camera's address is none")
    return SourceKind.PICTURES if found.scheme in PICTURES else SourceKind.RTSP
