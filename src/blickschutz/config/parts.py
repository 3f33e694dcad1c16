"""What all sections of the site file are built from: strict frozen sections, short names, times, polygons, addresses."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from blickschutz.config.texts import SiteError
from blickschutz.ingest.rules.address import PICTURES, read_address, without_secrets
from blickschutz.kernel.geometry import crosses_itself, is_on_a_line
from blickschutz.kernel.hosts import number_of
from blickschutz.kernel.periods import STORAGE_LEAST_HOURS

Share = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Share, Share]
MOST_HOURS_UNREVIEWED = 72
MOST_DAYS = 61
MOST_WHOLE_DAYS = STORAGE_LEAST_HOURS // 24
# A network of cameras, not a town's: so many addresses at most.
_LEAST_PREFIX_4, _LEAST_PREFIX_6 = 16, 48


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", value):
        raise SiteError("identifier", value=value, proposal=re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:40] or "kamera-1")
    return value


def _time_of_day(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise SiteError("time", value=value)
    return value


def _polygon(points: tuple[Point, ...]) -> tuple[Point, ...]:
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, (*points[1:], points[0]), strict=True)) / 2
    # An even figure eight has no area either: its halves count against each other.
    if crosses_itself(points) and not is_on_a_line(points):
        raise SiteError("crossing")
    if abs(area) < 1e-6:
        raise SiteError("flat")
    return points


def _address(value: str) -> str:
    if value.startswith("file:"):
        if len(value) <= len("file:"):
            raise SiteError("address", value=value)
        return value
    found = read_address(value)
    if found is None:
        raise SiteError("address", value=without_secrets(value))
    if found.password:
        raise SiteError("secret_in_address", value=without_secrets(value))
    return value


def _web_address(value: str) -> str:
    found = read_address(_address(value))
    if found is None or found.scheme not in PICTURES:
        raise SiteError("web_address", value=without_secrets(value))
    return value


def require_no_password(address: str) -> None:
    """Raises `SiteError` where a password stands in an address: the file is read, printed and copied by people."""
    if re.search(r"//[^/@]*:[^/]*@", address):
        raise SiteError("secret_in_address", value=without_secrets(address))


def is_local(host: str) -> bool:
    """Whether that is this machine itself."""
    if host == "localhost":
        return True
    number = number_of(host.strip("[]"))
    return number is not None and number.is_loopback


def _host(value: str) -> str:
    if value != "localhost" and number_of(value) is None:
        raise SiteError("host", value=value)
    return value


def _host_name(value: str) -> str:
    label = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    if not re.fullmatch(rf"{label}(?:\.{label})*", value):
        return _host(value)
    return value


def _fingerprint(value: str) -> str:
    plain = value.replace(":", "").replace(" ", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise SiteError("fingerprint", value=value)
    return plain


Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
Host = Annotated[str, AfterValidator(_host)]
HostName = Annotated[str, AfterValidator(_host_name)]
Identifier = Annotated[str, AfterValidator(_identifier)]
TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
Polygon = Annotated[tuple[Point, ...], Field(min_length=3, max_length=64), AfterValidator(_polygon)]


def _network(value: str) -> str:
    try:
        found = ipaddress.ip_network(value)
    except ValueError:
        raise SiteError("network", value=value) from None
    if found.prefixlen < (_LEAST_PREFIX_4 if found.version == 4 else _LEAST_PREFIX_6):
        raise SiteError("network", value=value)
    return value


Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[str, AfterValidator(_network)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


def require_distinct(what: str, table: str, values: list[str], key: str = "id", within: tuple[str, ...] = ()) -> None:
    """Raises `SiteError` at the second of two values that are the same; `table`, `within` and `key` say where it stands."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise SiteError("twice", what=what, value=value, where=(table, *within, index, key))
