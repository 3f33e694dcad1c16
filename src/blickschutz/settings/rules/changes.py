"""Differences between site files, and what they need: a second person, a restart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from blickschutz.config.about import along, every, is_one_section, said_of
from blickschutz.config.model import SiteFile
from blickschutz.settings.model import Difference, Edit, Path

_MISSING = object()
_ANCHORS = frozenset(path for path, one in every(SiteFile) if one.anchor)
PEOPLE = "people"
Section = TypeVar("Section", bound=BaseModel)


def is_entries(value: object) -> bool:
    """Whether that is a list of tables that are told apart by their `id`."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in value)


def known(data: Mapping[str, Any], path: Path) -> Any:
    """The value at `path`; raises `KeyError` where there is none."""
    here: Any = data
    for part in path:
        if isinstance(here, list):
            here = next((one for one in here if isinstance(one, dict) and one.get("id") == part), _MISSING)
        else:
            here = here.get(part, _MISSING) if isinstance(here, dict) else _MISSING
        if here is _MISSING:
            raise KeyError(".".join(path))
    return here


def is_there(data: Mapping[str, Any], path: Path) -> bool:
    try:
        known(data, path)
    except KeyError:
        return False
    return True


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What is other in `after`, in the order of the file: the smallest settings that a path names."""
    return tuple(_between((), before, after))


def _between(path: Path, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_tables(path, before, after)
    elif is_entries(before) and is_entries(after) and _same_order(before, after):
        yield from _of_entries(path, before, after)
    elif not _alike(before, after):
        yield Difference(path, before, after)


def _of_tables(path: Path, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    for key in dict.fromkeys((*before, *after)):
        here = (*path, key)
        if key not in before:
            yield from _whole(here, after[key], has=True)
        elif key not in after:
            yield from _whole(here, before[key], has=False)
        else:
            yield from _between(here, before[key], after[key])


def _whole(path: Path, value: Any, *, has: bool) -> Iterator[Difference]:
    """A setting, or a list of tables, that only one of both has."""
    if is_entries(value):
        for place, one in enumerate(value):
            yield _one_sided((*path, one["id"]), one, has=has, place=place)
    else:
        yield _one_sided(path, value, has=has)


def _one_sided(path: Path, value: Any, *, has: bool, place: int = -1) -> Difference:
    return Difference(path, None, value, False, True, place) if has else Difference(path, value, None, True, False, place)


def _of_entries(path: Path, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[Difference]:
    old, new = ({one["id"]: one for one in entries} for entries in (before, after))
    places = {one["id"]: place for place, one in enumerate(before)}
    for name, one in old.items():
        if name not in new:
            yield _one_sided((*path, name), one, has=False, place=places[name])
        else:
            yield from _between((*path, name), one, new[name])
    for place, entry in enumerate(after):
        if entry["id"] not in old:
            yield _one_sided((*path, entry["id"]), entry, has=True, place=place)


def _same_order(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> bool:
    """Whether those that both have stand in the same order, each once: else the list as a whole is another one."""
    old, new = ([str(one["id"]) for one in entries] for entries in (before, after))
    if len(set(old)) < len(old) or len(set(new)) < len(new):
        return False
    return [one for one in old if one in set(new)] == [one for one in new if one in set(old)]


def _alike(one: Any, other: Any) -> bool:
    """Equal, and of one kind: `1` and `true` are equal in Python, and `1` is no `1.0` in a file."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    return bool(one == other)


def clashes(data: Mapping[str, Any], wanted: Iterable[Difference]) -> tuple[str, ...]:
    """The keys of `wanted` whose value in `data` is no longer the one that was to be replaced."""
    return tuple(one.key for one in wanted if not _stands(data, one))


def _stands(data: Mapping[str, Any], wanted: Difference) -> bool:
    try:
        now = known(data, wanted.path)
    except KeyError:
        return not wanted.had and (len(wanted.path) < 2 or not _lost_parent(data, wanted.path))
    return wanted.had and _alike(now, wanted.before)


def _lost_parent(data: Mapping[str, Any], path: Path) -> bool:
    """Whether a table of a list in which `path` lies is not there: what is new in a camera that is gone is not to make it anew."""
    here: Any = data
    for part in path[:-1]:
        if isinstance(here, list):
            here = next((one for one in here if isinstance(one, dict) and one.get("id") == part), _MISSING)
            if here is _MISSING:
                return True
        elif isinstance(here, dict):
            if part not in here:
                return False
            here = here[part]
    return False


def as_edits(wanted: Iterable[Difference]) -> tuple[Edit, ...]:
    return tuple(Edit(one.path, one.after) if one.has else Edit(one.path, remove=True) for one in wanted)


def reversed_(made: Sequence[Difference]) -> tuple[Difference, ...]:
    """What takes them back, the last one first."""
    return tuple(Difference(one.path, one.after, one.before, one.has, one.had, one.place) for one in reversed(made))


def needs_second(wanted: Iterable[Difference]) -> bool:
    """Whether a change takes a second person: all that concerns more than how something is called or drawn on pages."""
    return not all(_is_shown(one.path) for one in wanted)


def _is_shown(path: Path) -> bool:
    last = [*along(SiteFile, path)][-1]
    said = said_of(*last) if last is not None and last[1] == path[-1] else None
    return said is not None and said.shown


def needs_restart(wanted: Iterable[Difference]) -> tuple[str, ...]:
    """The keys of a change that come into force with the next start of the whole system."""
    return tuple(".".join(path) for one in wanted for path in _settings_of(one) if not is_live(path))


def _settings_of(one: Difference) -> Iterator[Path]:
    """A section that is there now, or is no longer, is as many settings as it has: they need not be alike."""
    steps = list(along(SiteFile, one.path))
    last = steps[-1] if steps else None
    is_section = last is not None and last[1] == one.path[-1] and is_one_section(*last)
    if is_section and isinstance(value := one.after if one.has else one.before, dict):
        for key, inner in value.items():
            yield from _settings_of(Difference((*one.path, key), inner, inner))
    else:
        yield one.path


def is_live(path: Path) -> bool:
    """Whether a change of a setting comes into force at once: what it says itself, else what the nearest around it does."""
    said = [said_of(*step) for step in along(SiteFile, path) if step is not None]
    return next((one.live for one in reversed(said) if one is not None and one.live is not None), False)


def in_force(now: SiteFile, wanted: SiteFile) -> SiteFile:
    """`wanted` as far as it can be in force without a restart: the rest stays as it is `now`."""
    return _live_of((), now, wanted)


def _live_of(path: Path, now: Section, wanted: Section) -> Section:
    taken: dict[str, Any] = {}
    for key in type(now).model_fields:
        here, there = getattr(now, key), getattr(wanted, key)
        if isinstance(here, BaseModel) and isinstance(there, BaseModel):
            taken[key] = _live_of((*path, key), here, there)
        elif is_live((*path, key)):
            taken[key] = there
    return now.model_copy(update=taken)


def touches_anchors(wanted: Iterable[Difference]) -> tuple[str, ...]:
    """The keys of a change that are laid down on the server alone, by hand."""
    return tuple(one.key for one in wanted if any(path[: len(one.path)] == one.path for path in _ANCHORS))


def touches_people(wanted: Iterable[Difference]) -> bool:
    """Whether a change is about the accounts that a first start makes; later they are changed on the page of people."""
    return any(one.path[0] == PEOPLE for one in wanted)
