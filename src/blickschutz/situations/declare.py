"""How a rule is declared: once, beside the function that judges. All else that knows kinds is made of what is declared here.

    @rule(20, LOITERING, bounds=Loitering, true_when="one track stays within 6 m for 180 s", slow=True)
    def loitering(history: History, zone: Area, asked: Loitering) -> Iterator[Finding]: ...

Whoever asks for `kinds.Kind` first closes the list: a kind that came later would be missing in what was made of it until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar, cast

from blickschutz.situations.model import Declaration, Finding
from blickschutz.situations.rules.history import History

GERMAN = "german"
"""Where in a bound's metadata its German meaning stands; the English one is its `description`, as the schema has it."""

_Value = TypeVar("_Value")
_Place = TypeVar("_Place")
_Bounds = TypeVar("_Bounds")

Judge = Callable[[History, Any, Any], Iterator[Finding]]


class Where(StrEnum):
    """What a rule looks at: zones, those of them that are protected surfaces, or lines."""

    ZONES = "zones"
    SURFACES = "surfaces"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with the kinds that it can find. `bounds` is a frozen dataclass of what it asks for, each field made by `bound`.

    `order` is the place of its bounds among those of all rules. `slow`: what takes minutes or is measured once a second is judged
    once a second. `when_blind`: a camera that does not see the place says that, and nothing else.
    """

    name: str
    order: int
    kinds: tuple[Declaration, ...]
    judge: Judge
    bounds: type[Any]
    true_when: str
    where: Where = Where.ZONES
    slow: bool = False
    when_blind: bool = False


@dataclass(frozen=True)
class NoBounds:
    """Of a rule that asks for nothing."""


_declared: list[Rule] = []
_closed: list[bool] = []


def bound(default: _Value, german: str, english: str) -> _Value:
    """A bound of a rule, as a field of its dataclass: what stands where a zone says nothing else, and what it means."""
    return cast(_Value, field(default=cast(Any, default), metadata={GERMAN: german, "description": english}))


def rule(
    order: int,
    *kinds: Declaration,
    bounds: type[_Bounds],
    true_when: str,
    where: Where = Where.ZONES,
    slow: bool = False,
    when_blind: bool = False,
) -> Callable[[Callable[[History, _Place, _Bounds], Iterator[Finding]]], Callable[[History, _Place, _Bounds], Iterator[Finding]]]:
    """Declare the function below as a rule. Raises `ValueError` where it clashes with another one, or comes too late."""

    def declared(
        judge: Callable[[History, _Place, _Bounds], Iterator[Finding]],
    ) -> Callable[[History, _Place, _Bounds], Iterator[Finding]]:
        found = Rule(judge.__name__, order, kinds, judge, bounds, true_when, where, slow, when_blind)
        _require_fits(found)
        _declared.append(found)
        return judge

    return declared


def _require_fits(new: Rule) -> None:
    if _closed:
        raise ValueError(f"{new.name}: the list of kinds is closed; the module of a rule lies in situations/rules")
    for known in _declared:
        if known.name == new.name or known.order == new.order:
            raise ValueError(f"{new.name}: name or order is that of {known.name}")
        twice = {one.name for one in fields(known.bounds)} & {one.name for one in fields(new.bounds)}
        if twice:
            raise ValueError(f"{new.name}: {', '.join(sorted(twice))} is a bound of {known.name}")
        taken = {value for one in known.kinds for value in (one.id, one.order)}
        clash = [one.id for one in new.kinds if one.id in taken or one.order in taken]
        if clash:
            raise ValueError(f"{new.name}: {', '.join(clash)} is, or stands where, a kind of {known.name} does")


def close() -> tuple[Rule, ...]:
    """All rules in their order; from now on there are no others."""
    _closed.append(True)
    return tuple(sorted(_declared, key=lambda one: one.order))
