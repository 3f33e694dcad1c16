"""Writes changes into the text of a site file so that everything else keeps its bytes."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, InlineTable, Item, Null, Table, Whitespace

from blickschutz.kernel.errors import UNREADABLE, SettingsError
from blickschutz.settings.model import Edit, Path
from blickschutz.settings.rules.changes import differences, is_entries, known

_Doc = Any
"""A part of tomlkit's tree: each behaves as a mapping or a list, and has no common type."""


_MARK = "\ufeff"


def bare(text: str) -> str:
    """Without what editors of Windows put before the first line and at the end of each."""
    bare = text.removeprefix(_MARK)
    return bare.replace("\r\n", "\n") if _of_windows(bare) else bare


def _of_windows(text: str) -> bool:
    """Whether all lines end so; a file that mixes both is left as it is."""
    return 0 < text.count("\r\n") == text.count("\n")


def like(former: str, text: str) -> str:
    """`text` with the mark and the line ends of `former`."""
    ended = text.replace("\n", "\r\n") if _of_windows(former) else text
    return _MARK + ended if former.startswith(_MARK) else ended


def plain(text: str) -> dict[str, Any]:
    """The file as data, whatever editor saved it. Raises `SettingsError` where it is no TOML."""
    try:
        return tomllib.loads(bare(text))
    except UNREADABLE as error:
        raise SettingsError(str(error)) from error


def written(text: str, edits: Sequence[Edit], former: str = "", places: Mapping[Path, int] | None = None) -> str:
    """`text` with the edits in it. What stands in the file `former` with just that value is written as there, comments and all.

    `places` says where in its list a new table belongs. Raises `SettingsError` where a path leads nowhere, or the file is written in a
    way in which it cannot be changed without touching more than the edits name.
    """
    wanted, known_places = plain(text), places or {}
    # A place counts what stands before it: who comes back first is who stood first, after all else is done.
    edits = sorted(edits, key=lambda edit: known_places.get(edit.path, -1))
    for edit in edits:
        _lay(wanted, edit, known_places.get(edit.path, -1))
    try:
        document, source = tomlkit.parse(text), tomlkit.parse(former) if former else None
        for edit in edits:
            _write(document, edit, _item_of(source, edit), known_places.get(edit.path, -1))
        found = document.as_string()
    except (TOMLKitError, *UNREADABLE, KeyError, TypeError, AttributeError, IndexError) as error:
        raise SettingsError(_NOT_WRITTEN.format(keys=_keys(edits))) from error
    # Whatever a library makes of odd files: nothing is written that says something else than was asked for.
    if differences(plain(found), wanted):
        raise SettingsError(_NOT_WRITTEN.format(keys=_keys(edits)))
    return found


_NOT_WRITTEN = "{keys}: the file is written in a way in which this cannot be changed alone; change it by hand, then `blickschutz apply`"


def _keys(edits: Sequence[Edit]) -> str:
    return ", ".join(".".join(edit.path) for edit in edits)


def _lay(data: dict[str, Any], edit: Edit, place: int) -> None:
    """The same on plain data. Raises `SettingsError` where the path leads nowhere."""
    here: Any = data
    for depth, part in enumerate(edit.path[:-1]):
        if isinstance(here, list):
            here = next((one for one in here if isinstance(one, dict) and one.get("id") == part), None)
            if here is None:
                raise SettingsError(f"{'.'.join(edit.path)}: there is no {part!r}")
        elif isinstance(here, dict):
            # Only the last part of a path may be an id that is not there yet, and then it stands in a list.
            is_list = depth == len(edit.path) - 2 and isinstance(edit.value, dict) and edit.value.get("id") == edit.path[-1]
            if edit.remove and part not in here:
                return
            here = here.setdefault(part, [] if is_list else {})
        if not isinstance(here, dict | list):
            raise SettingsError(f"{'.'.join(edit.path)}: there is no such table")
    last = edit.path[-1]
    if isinstance(here, list):
        _lay_entry(here, edit, place)
        if not here:
            # An empty list and none are the same, and the latter is how a file says it.
            del known(data, edit.path[:-2])[edit.path[-2]]
    elif edit.remove:
        here.pop(last, None)
    else:
        here[last] = copy.deepcopy(edit.value)


def _lay_entry(entries: list[Any], edit: Edit, place: int) -> None:
    index = _index(entries, edit.path[-1])
    if edit.remove:
        if index is not None:
            del entries[index]
    elif index is not None:
        entries[index] = copy.deepcopy(edit.value)
    else:
        entries.insert(place if 0 <= place <= len(entries) else len(entries), copy.deepcopy(edit.value))


def _index(entries: Any, name: str) -> int | None:
    return next((index for index, one in enumerate(entries) if one.get("id") == name), None)


def _item_of(source: _Doc, edit: Edit) -> Any:
    """How a former file wrote just that value; None where it did not."""
    if source is None or edit.remove:
        return None
    here: Any = source
    for part in edit.path:
        try:
            here = here[_at(here, part)] if isinstance(here, AoT | Array) else here[part]
        except (KeyError, TypeError):
            return None
    unwrapped = here.unwrap() if isinstance(here, Item) else here
    return copy.deepcopy(here) if not differences({"x": unwrapped}, {"x": edit.value}) else None


def _write(document: _Doc, edit: Edit, item: Any, place: int) -> None:
    here, above, last, fresh = document, document, edit.path[-1], False
    for depth, part in enumerate(edit.path[:-1]):
        above = here
        if isinstance(here, AoT | Array):
            here = here[_at(here, part)]
            continue
        if part not in here:
            if edit.remove:
                return
            following = depth == len(edit.path) - 2 and isinstance(edit.value, dict) and edit.value.get("id") == last
            # As the former file had it: tables in square brackets of one line, or one below the other.
            many: Any = tomlkit.array() if isinstance(item, InlineTable) else tomlkit.aot()
            here[part] = many if following else tomlkit.table()
            fresh = not following
        here = here[part]
    if isinstance(here, AoT | Array):
        tail = (_write_entry if isinstance(here, AoT) else _write_inline)(here, edit, item, place)
        if not len(here):
            del above[edit.path[-2]]
            _hand_on(above, tail)
    elif edit.remove:
        if last in here:
            tail = _tail(here[last])
            del here[last]
            _hand_on(here, tail)
    else:
        _put(here, last, edit.value, item)
        if fresh and isinstance(here, Table):
            here.add(tomlkit.nl())


def _tail(item: Any) -> list[str]:
    """Comments at the end of a table: they are about what follows."""
    if not isinstance(item, Table | AoT):
        return []
    lines = item.as_string().splitlines()
    found: list[str] = []
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        found.insert(0, lines.pop().strip())
    return [line for line in found if line]


def _hand_on(table: _Doc, tail: Sequence[str]) -> None:
    """Put comments of a table that is gone at the end of what stands before."""
    if not tail:
        return
    last = table
    while isinstance(last, AoT) or (hasattr(last, "value") and isinstance(_end_of(last), Table | AoT)):
        last = last[-1] if isinstance(last, AoT) else _end_of(last)
    for line in tail:
        last.add(tomlkit.comment(line.removeprefix("#").removeprefix(" ")))


def _end_of(table: _Doc) -> Any:
    body = table.value.body if isinstance(table, Table) else table.body
    return next((item for _, item in reversed(body) if not isinstance(item, Whitespace | Null)), None)


def _at(entries: Any, name: str) -> int:
    index = _index(entries, name)
    if index is None:
        raise KeyError(name)
    return index


def _put(table: _Doc, key: str, value: Any, item: Any) -> None:
    before = table.get(key)
    # What a former file said there brings its own.
    tail = _tail(before) if item is None else []
    if item is None:
        item = _made(value, inside=isinstance(table, InlineTable))
        if isinstance(before, Item) and not isinstance(before, Table | AoT) and not isinstance(item, Table | AoT):
            # What stands behind a value in its line stays.
            item.trivia.comment_ws, item.trivia.comment = before.trivia.comment_ws, before.trivia.comment
            item.trivia.trail = before.trivia.trail or item.trivia.trail
    table[key] = item
    _hand_on(table, tail)


def _write_entry(entries: _Doc, edit: Edit, item: Any, place: int) -> list[str]:
    """Comments that nobody could be handed, where the list is empty now."""
    index = _index(entries, edit.path[-1])
    tail = _tail(entries[index]) if index is not None else []
    if edit.remove:
        if index is not None:
            del entries[index]
            if len(entries):
                _hand_on(entries[max(0, index - 1)], tail)
                return []
        return tail
    # A table of one line does not fit below a head of its own.
    item = item if isinstance(item, Table) else None
    made = item if item is not None else _table(edit.value)
    if index is not None:
        del entries[index]
    else:
        index = place if 0 <= place <= len(entries) else len(entries)
    if item is None and index and not entries[index - 1].as_string().endswith("\n\n"):
        made.trivia.indent = "\n"
    entries.insert(index, made)
    if item is None:
        _hand_on(made, tail)
    return []


def _write_inline(entries: _Doc, edit: Edit, item: Any, place: int) -> list[str]:
    """Tables in square brackets of one line."""
    index = _index(entries, edit.path[-1])
    if edit.remove:
        if index is not None:
            del entries[index]
        return []
    # A table with a head of its own does not fit into a line.
    made = item if isinstance(item, InlineTable) else _made(edit.value, inside=True)
    if index is not None:
        entries[index] = made
    else:
        entries.insert(place if 0 <= place <= len(entries) else len(entries), made)
    return []


def _made(value: Any, *, inside: bool = False) -> Any:
    """A value as this program writes it: short tables in one line, lists of named tables one below the other."""
    if isinstance(value, dict):
        if inside or not any(isinstance(one, dict) or is_entries(one) for one in value.values()):
            table = tomlkit.inline_table()
            for key, one in value.items():
                table[key] = _made(one, inside=True)
            return table
        return _table(value)
    if is_entries(value) and not inside:
        entries = tomlkit.aot()
        for one in value:
            entries.append(_table(one))
        return entries
    if isinstance(value, list):
        array = tomlkit.array()
        for one in value:
            array.append(_made(one, inside=True))
        return array
    return tomlkit.item(value)


def _table(value: Mapping[str, Any]) -> Table:
    table = tomlkit.table()
    later: list[tuple[str, Any]] = []
    for key, one in value.items():
        made = _made(one)
        if isinstance(made, Table | AoT):
            later.append((key, made))
        else:
            table[key] = made
    table.add(tomlkit.nl())
    for key, made in later:
        table[key] = made
    return table


def value_at(text: str, path: Path) -> Any:
    """The value at `path` of the file `text`. Raises `KeyError`, `SettingsError`."""
    return known(plain(text), path)
