"""Codes, the padding of what is sealed, limits, what may be known of a running field."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from stimmungsbild.collection.model import Totals

# Crockford's base 32: no I, L, O, U.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DRAWN = 13
_CHECK = 31
_READ = str.maketrans("OIL", "011")
TICKET = re.compile(r"[0-9a-f]{32}")
# Answers are padded to a multiple of this, so that their length says nothing of what was written.
BLOCK = 4096
ROUND = 10
# A stratum whose share of the answers is under this part of its share of the register asks for outreach.
SHORT = 0.8


def draw_code(below: Callable[[int], int]) -> str:
    """A code of 65 random bits and a sign that finds one wrong sign or two that changed places. `below(n)`: secure, in 0..n-1."""
    values = [below(len(ALPHABET)) for _ in range(DRAWN)]
    return "".join(ALPHABET[one] for one in values) + _check(values)


def _check(values: list[int]) -> str:
    return ALPHABET[sum(place * value for place, value in enumerate(values, 1)) % _CHECK]


def printed(code: str) -> str:
    """A code as a letter shows it: ABCD-EFGH-JKMN-PQ."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def read_code(typed: str) -> str | None:
    """A code as somebody typed it; None where it cannot be one, which is found without asking anywhere."""
    code = re.sub(r"[\s\-–]", "", typed.upper()).translate(_READ)
    if len(code) != DRAWN + 1 or set(code) - set(ALPHABET):
        return None
    return code if _check([ALPHABET.index(one) for one in code[:-1]]) == code[-1] else None


def hashed(pepper: bytes, what: Literal["code", "ticket"], text: str) -> bytes:
    """What is kept of a code or a form's ticket: BLAKE2b under the field's own key, 32 bytes."""
    return hashlib.blake2b(text.encode(), digest_size=32, key=pepper, person=what.encode()).digest()


# Hashes that a form at the open door costs at most, half of it on average: under a second in a browser.
MOST_WORK = 50_000


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a browser is asked to find (ALTCHA, protocol 1): the `number` whose SHA-256 with `salt` is `challenge`. Texts in hex."""

    salt: str
    challenge: str
    signature: str
    number: int


def challenge(pepper: bytes, ticket: str) -> Challenge:
    """The challenge of one form. It follows from the form's ticket, so nothing is remembered and no solution serves two forms."""
    drawn = hashlib.blake2b(ticket.encode(), digest_size=20, key=pepper, person=b"altcha").digest()
    salt, number = drawn[:12].hex(), int.from_bytes(drawn[12:], "big") % (MOST_WORK + 1)
    asked = hashlib.sha256(f"{salt}{number}".encode()).hexdigest()
    return Challenge(salt, asked, hmac.new(pepper, asked.encode(), "sha256").hexdigest(), number)


def worked(pepper: bytes, ticket: str, solution: str) -> bool:
    """Whether a form's `solution` (base64 of JSON) is the one of its challenge."""
    expected = challenge(pepper, ticket)
    try:
        found = json.loads(base64.b64decode(solution.encode(), validate=True))
        said = [found[one] for one in ("algorithm", "salt", "challenge", "signature", "number")]
    except (ValueError, KeyError, TypeError):
        return False
    wanted = ["SHA-256", expected.salt, expected.challenge, expected.signature, expected.number]
    return type(said[-1]) is int and hmac.compare_digest(json.dumps(said).encode(), json.dumps(wanted).encode())


def pad(text: bytes) -> bytes:
    """Padded to a multiple of `BLOCK` (ISO/IEC 7816-4)."""
    return text + b"\x80" + b"\x00" * (-(len(text) + 1) % BLOCK)


def unpad(text: bytes) -> bytes:
    """What was padded."""
    return text.rstrip(b"\x00")[:-1]


class Bucket:
    """Lets `per_minute` things through, at most `most` at once. Knows how many there were and nothing about them."""

    def __init__(self, per_minute: float, most: float, clock: Callable[[], float]) -> None:
        self._rate, self._most, self._clock = per_minute / 60, most, clock
        self._left, self._at = most, clock()

    def _fill(self) -> None:
        now = self._clock()
        self._left, self._at = min(self._most, self._left + (now - self._at) * self._rate), now

    def empty(self) -> bool:
        """Whether nothing more is let through now."""
        self._fill()
        return self._left < 1

    def take(self) -> bool:
        """Take one; False where none was left."""
        if self.empty():
            return False
        self._left -= 1
        return True


def rounded(totals: Totals) -> dict[str, dict[str, dict[str, int]]]:
    """Totals as they may be known while the field runs: whole tens; nothing of what is under ten."""
    return {
        door.value: {
            stratum: {value: count // ROUND * ROUND for value, count in sorted(values.items()) if count >= ROUND}
            for stratum, values in sorted(strata.items())
        }
        for door, strata in totals.items()
    }


def wanting(known: Mapping[str, Mapping[str, int]], margins: Mapping[str, Mapping[str, float]]) -> dict[str, list[str]]:
    """Values of each stratum that `margins` (people in the register) say should have answered more often."""
    found: dict[str, list[str]] = {}
    for stratum, people in margins.items():
        counts = known.get(stratum, {})
        answers, everybody = sum(counts.values()), sum(people.values())
        short = [value for value, many in people.items() if answers and counts.get(value, 0) / answers < SHORT * many / everybody]
        if short:
            found[stratum] = short
    return found
