"""Which other database servers have what was committed: the copies of a server (its standbys), as it sees them itself. Pure.

Positions are bytes of the server's journal, counted from its beginning; they only grow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LIST = re.compile(r"\s*(?:(?:FIRST|ANY)\s+)?\d+\s*\((?P<names>.*)\)\s*", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^",\s]+))\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Replica:
    """One copy. `there`: it is connected and takes the journal. `awaited`: a commit may wait for it.

    `stored` and `replayed`: up to which position it has the journal on its disk, and shows what is in it; None where it is not there.
    `kept`: from which position on the journal is kept for one that is away; None where it is not, or nobody needs it.
    """

    name: str
    there: bool
    awaited: bool
    stored: int | None = None
    replayed: int | None = None
    kept: int | None = None


@dataclass(frozen=True, slots=True)
class Replication:
    """The server's own `position`, and its copies. `awaits`: a commit waits for at least one of them.

    `problem`, in words, says why it cannot be seen how the copies are; then none is named that is there.
    """

    position: int
    awaits: bool
    replicas: tuple[Replica, ...] = ()
    problem: str = ""


def awaited_names(setting: str) -> tuple[str, ...]:
    """The names in `synchronous_standby_names`, as one compares them; `*` names nobody, and awaits anybody."""
    inner = found["names"] if (found := _LIST.fullmatch(setting)) else setting
    names = (quoted.replace('""', '"') if quoted else bare for quoted, bare in _NAME.findall(inner))
    return tuple(name.lower() for name in names if name != "*")
