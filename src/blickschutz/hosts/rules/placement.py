"""Which host is to film which camera: what is reached, what fits, and as little moved as can be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from blickschutz.hosts.rules.lease import Capacity


@dataclass(frozen=True, slots=True)
class Need:
    """What a camera takes: cores, memory in MB, and the network in which it can be reached (empty: from anywhere). `only`: the one host
    that may film it (empty: any).
    """

    cores: float = 0.25
    memory_mb: float = 250.0
    network: str = ""
    only: str = ""


def place(needs: Mapping[str, Need], hosts: Mapping[str, Capacity], now: Mapping[str, str]) -> dict[str, str]:
    """By camera its host; what fits nowhere is missing. What is somewhere stays, where that host is there, reaches it and has room.

    The rest goes, the largest first, to the host with most room left that reaches it, spare ones last.
    """
    left = {host: [capacity.cores, capacity.memory_mb] for host, capacity in hosts.items()}
    found: dict[str, str] = {}

    def fits(camera: str, host: str) -> bool:
        need, capacity = needs[camera], hosts[host]
        reached = (not need.network or need.network in capacity.networks) and (not capacity.cameras or camera in capacity.cameras)
        reached = reached and (not need.only or need.only == host)
        return reached and left[host][0] >= need.cores - 1e-9 and left[host][1] >= need.memory_mb - 1e-9

    def put(camera: str, host: str) -> None:
        found[camera] = host
        left[host][0] -= needs[camera].cores
        left[host][1] -= needs[camera].memory_mb

    for camera in sorted(needs):
        host = now.get(camera, "")
        if host in hosts and fits(camera, host):
            put(camera, host)
    for camera in sorted(needs.keys() - found.keys(), key=lambda one: (-needs[one].cores, -needs[one].memory_mb, one)):
        able = [host for host in hosts if fits(camera, host)]
        if able:
            put(camera, min(able, key=lambda host: (hosts[host].spare, -left[host][0], -left[host][1], host)))
    return found
