"""A line that carries a promise, and what became of its alteration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Line:
    """`text` stands exactly once in `file` (below src/blickschutz); `altered` breaks the promise. `tests` (below tests) should notice."""

    name: str
    promise: str
    file: str
    text: str
    altered: str
    tests: tuple[str, ...]


class Outcome(StrEnum):
    """`broken`: the alteration gives no program, so it proves nothing; `misfit`: the text is not there exactly once."""

    NOTICED = "noticed"
    UNNOTICED = "unnoticed"
    MISFIT = "misfit"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Result:
    """`by` is the test that noticed, `listed` whether it is one of those that should; `seconds` is how long it took to know."""

    line: Line
    outcome: Outcome
    by: str = ""
    listed: bool = True
    seconds: float = 0.0
    why: str = ""
