"""What a host is given by: a number or a name."""

from __future__ import annotations

import ipaddress


def number_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, where a host is given by one; None where it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
