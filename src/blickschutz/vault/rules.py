"""Two of n: a secret as the constant of a straight line (Shamir, How to Share a Secret, CACM 22/11, 1979).

Over the integers modulo a prime that is far larger than the secret. One point of the line says nothing at all
about where it meets the axis: for every secret there is exactly one line through the point.
"""

from __future__ import annotations

import math
from collections.abc import Callable

PRIME = 2**521 - 1
SECRET_BYTES = 32
VALUE_BYTES = 66
THRESHOLD = 2


# What a derivation takes at least on the machine that seals, in seconds of a processor; more passes than `MOST_PASSES` nobody waits for.
TARGET_S, MOST_PASSES = 0.5, 16


def passes(floor: int, took_s: float) -> int:
    """How many passes of argon2id reach `TARGET_S` where `floor` of them took `took_s`; never fewer than `floor`."""
    wanted = math.ceil(floor * TARGET_S / took_s) if took_s > 0 else MOST_PASSES
    return max(floor, min(wanted, MOST_PASSES))


def split(secret: bytes, count: int, below: Callable[[int], int]) -> list[bytes]:
    """Values of the line at x = 1..count, `VALUE_BYTES` each. `below(n)` is a secure random number in 0..n-1."""
    if len(secret) != SECRET_BYTES or count < THRESHOLD:
        raise ValueError(f"{len(secret)} bytes among {count}")
    constant, slope = int.from_bytes(secret, "big"), below(PRIME)
    return [((constant + slope * x) % PRIME).to_bytes(VALUE_BYTES, "big") for x in range(1, count + 1)]


def join(first: tuple[int, bytes], second: tuple[int, bytes]) -> bytes | None:
    """The secret from two points (x, value); None where they are not two points of a line that `split` made."""
    (x1, y1), (x2, y2) = ((x, int.from_bytes(value, "big")) for x, value in (first, second))
    if (x1 - x2) % PRIME == 0:
        return None
    slope = (y1 - y2) * pow(x1 - x2, -1, PRIME)
    constant = (y1 - slope * x1) % PRIME
    return constant.to_bytes(SECRET_BYTES, "big") if constant < 256**SECRET_BYTES else None
