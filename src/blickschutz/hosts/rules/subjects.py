"""Names at the broker: subjects, streams, and what the account of a host may do with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from blickschutz.hosts.model import Place
from blickschutz.kernel.errors import SettingsError

# A name stands in subjects, streams and a certificate: no dot, no wildcard.
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
ROOM: Final = "control-room"
# In the place of a camera: it is for the host itself.
OF_HOST: Final = "_"


def require_name(name: str) -> str:
    """The name. Raises `SettingsError` where it could mean something else in a subject."""
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{name!r} is no name for a broker: letters, digits, - and _ only, at most 64")
    return name


def _of(place: Place, way: str) -> str:
    parts = (require_name(one) for one in (place.installation, place.host, place.camera))
    installation, host, camera = parts
    return f"blick.1.{installation}.{way}.{host}.{camera}"


def opens(place: Place) -> str:
    return f"{_of(place, 'down')}.open"


def down(place: Place) -> str:
    return f"{_of(place, 'down')}.now"


def orders(place: Place) -> str:
    return f"{_of(place, 'down')}.orders"


def confirms(place: Place) -> str:
    return f"{_of(place, 'down')}.heard"


def nudges(installation: str, host: str) -> str:
    """By which a host hears that its lease is another one: it looks at once, and not when its turn comes."""
    return f"{_of(Place(installation, host, OF_HOST), 'down')}.lease"


def present(installation: str, host: str) -> str:
    """By which a host hears which sessions the control room has with its cells."""
    return f"{_of(Place(installation, host, OF_HOST), 'down')}.here"


def bundles(installation: str, host: str) -> str:
    """By which a host says what its cells say."""
    return up(Place(installation, host, OF_HOST))


def all_up(installation: str) -> str:
    return f"blick.1.{require_name(installation)}.up.*.*.now"


def speaker(subject: str) -> tuple[str, str]:
    """Host and camera (`OF_HOST` for a bundle) of a message of `all_up`; the broker lets a host say nothing under another's name."""
    *_, host, camera, _ = subject.split(".")
    return host, camera


def directives(installation: str, host: str) -> str:
    """What is said of a host's clips: kept with its orders."""
    return orders(Place(installation, host, OF_HOST))


def pieces(installation: str, host: str) -> str:
    """By which pieces of a host's clips are asked for."""
    return f"{_of(Place(installation, host, OF_HOST), 'down')}.piece"


def copies(installation: str, host: str) -> str:
    """By which another host asks for pieces of a host's clips, for the second copy that it is to keep."""
    return f"{_of(Place(installation, host, OF_HOST), 'down')}.copy"


def up(place: Place) -> str:
    return f"{_of(place, 'up')}.now"


def news(place: Place) -> str:
    return f"{_of(place, 'up')}.news"


def news_stream(installation: str) -> str:
    return f"NEWS_{require_name(installation)}"


def order_stream(installation: str) -> str:
    return f"ORDERS_{require_name(installation)}"


def lease_bucket(installation: str) -> str:
    return f"LEASES_{require_name(installation)}"


def all_news(installation: str) -> str:
    return f"blick.1.{require_name(installation)}.up.*.*.news"


def all_orders(installation: str) -> str:
    return f"blick.1.{require_name(installation)}.down.*.*.orders"


def inbox(host: str) -> str:
    """Answers to one host: the common prefix would let every host read those to all."""
    return f"_INBOX_{require_name(host)}"


def domain(installation: str) -> str:
    """Below which all names of an installation's certificates for hosts lie."""
    return f"{require_name(installation)}.blickschutz.internal"


def user(installation: str, host: str, enrolment: str = "") -> str:
    """Whom a certificate names (DNS name of its subject), and the broker knows as a user. Another `enrolment` of the same host is another
    user: an earlier certificate opens nothing any more.
    """
    prefix = f"{require_name(enrolment)}." if enrolment else ""
    return f"{prefix}{require_name(host)}.{domain(installation)}"


@dataclass(frozen=True, slots=True)
class Rights:
    """What an account may publish and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def rights_of_host(installation: str, host: str, *, keeps_copies: bool = False) -> Rights:
    """Below its own name only, and answers to what it was asked. It makes no stream and no consumer; it renews its own lease.

    One that keeps copies may ask others for them; they give what the installation ordered.
    """
    own, stream, bucket = f"blick.1.{require_name(installation)}", order_stream(installation), lease_bucket(installation)
    lease = f"$KV.{bucket}.{require_name(host)}"
    return Rights(
        publish=(
            f"{own}.up.{host}.>",
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{host}",
            f"$JS.ACK.{stream}.{host}.>",
            lease,
            f"$JS.API.DIRECT.GET.KV_{bucket}.{lease}",
            *((f"{own}.down.*.{OF_HOST}.copy",) if keeps_copies else ()),
        ),
        subscribe=(f"{own}.down.{host}.>", f"{inbox(host)}.>"),
    )


def rights_of_room(installation: str) -> Rights:
    own = f"blick.1.{require_name(installation)}"
    return Rights(
        publish=(f"{own}.down.>", "$JS.API.>", "$JS.ACK.>", f"$KV.{lease_bucket(installation)}.>"),
        subscribe=(f"{own}.up.>", f"{inbox(ROOM)}.>"),
    )
