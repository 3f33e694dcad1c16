"""The table of zones for the documentation and the documents, from the profiles themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from blickschutz.zones.model import Profile, Right

_Cell = Callable[[Profile], str]
NOTHING = "nothing"
_NONE = Right(0)
_NONE = Right(0)


def table(profiles: Iterable[Profile]) -> str:
    """Markdown, a column for each profile. What several zones have in common stands in each, so that none has to be put together."""
    columns = list(profiles)
    head = ["| | " + " | ".join(one.zone.value for one in columns) + " |", "|---|" + "---|" * len(columns)]
    return "\n".join([*head, *(f"| {name} | " + " | ".join(cell(one) for one in columns) + " |" for name, cell in _ROWS.items())]) + "\n"


def _places(*any_of: Right, without: Right = _NONE) -> _Cell:
    """Places with one of these rights and none of `without`, each once, in the order of the profile."""

    def cell(profile: Profile) -> str:
        found = (one.place for one in profile.files if any(right in one.rights for right in any_of) and not one.rights & without)
        return ", ".join(dict.fromkeys(found)) or NOTHING

    return cell


def _connects(profile: Profile) -> str:
    return ", ".join(f"TCP {port}" for port in sorted(profile.connect)) or NOTHING


def _binds(profile: Profile) -> str:
    return ", ".join(f"TCP {port}" for port in sorted(profile.bind)) or NOTHING


def _sockets(profile: Profile) -> str:
    kinds = [
        *(["TCP"] if profile.sockets else []),
        *(["UDP (names of hosts)"] if profile.udp else []),
        *(["UDP (media of its camera)"] if profile.datagrams else []),
        *(["local"] if profile.unix else []),
    ]
    return ", ".join(kinds) or NOTHING


_ROWS: dict[str, _Cell] = {
    "reads": _places(Right.READ, Right.RUN),
    "lists only": _places(Right.LIST, without=Right.READ),
    "adds to, without reading or removing": _places(Right.ADD, without=Right.READ | Right.CHANGE),
    "makes, changes and removes in": _places(Right.CHANGE),
    "makes local sockets in": _places(Right.LISTEN),
    "writes to what is there in": _places(Right.OVERWRITE),
    "tells devices what to do": _places(Right.DEVICE),
    "starts as a program": _places(Right.RUN),
    "starts processes": lambda profile: "yes" if profile.starts else "no",
    "connects to": _connects,
    "binds": _binds,
    "opens sockets": _sockets,
    "sends signals to": lambda profile: "processes of its user" if profile.signals else "itself",
}
