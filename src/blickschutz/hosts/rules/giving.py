"""What a giver of leases has to write now, looked for only where something is another one than when nothing followed. Knows no store."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from blickschutz.hosts.rules.lease import Giver, Write
from blickschutz.hosts.rules.placement import Need, place


class Giving:
    """Of one giver. With thousands of cameras the whole look takes as long as somebody notices who waits for a page, twice a second."""

    def __init__(self, giver: Giver) -> None:
        self._giver = giver
        # What was looked at when nothing followed from it.
        self._nothing: tuple[object, ...] | None = None

    def writes(self, needs: Mapping[str, Need], may: Collection[str], now: float) -> list[Write]:
        """What is to be written, of cameras that are to be filmed and hosts that may have some; `now` is the giver's clock."""
        giver = self._giver
        alive = {host: capacity for host, capacity in giver.alive(now).items() if host in may}
        looked = giver.version, tuple(alive), frozenset(may), dict(needs)
        calm = giver.is_calm(now)
        if calm and looked == self._nothing:
            return []
        wanted = place(needs, alive, giver.where())
        # A camera that is nobody's any more, or whose host is shut out, is taken back from whoever has it.
        gone = {camera: "" for camera, host in giver.where().items() if camera not in needs or (camera not in wanted and host not in may)}
        writes = giver.writes({**gone, **wanted}, now, [camera for camera, need in needs.items() if need.only])
        # What did not follow while something was waited for may follow as soon as that is over.
        self._nothing = looked if calm and not writes else None
        return writes
