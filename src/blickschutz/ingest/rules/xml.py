"""XML of a stranger as a tree, within bounds (the parser is expat).

A document type is refused, and with it every entity that a document could define for itself: what expands, and what reads files or
addresses, is nothing that a camera's answer has (SOAP 1.2, 5: no document type declaration). Size, depth and number of elements are
bounded, which parsers that only refuse entities do not do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MOST_BYTES, MOST_DEPTH, MOST_ELEMENTS = 1024 * 1024, 64, 20_000


@dataclass(slots=True)
class Node:
    """An element. `name` and the names of attributes are without their namespace, which is `space`; `text` is what stands in it itself."""

    name: str
    space: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Node]:
        """Every element of that name in it, in order."""
        waiting = list(reversed(self.children))
        while waiting:
            one = waiting.pop()
            if one.name == name:
                yield one
            waiting += reversed(one.children)

    def first(self, *names: str) -> Node | None:
        """The first element of the last name in the first of the one before, and so on."""
        found: Node | None = self
        for name in names:
            found = next(found.all(name), None) if found is not None else None
        return found

    def said(self, *names: str) -> str:
        """The text of `first`, empty where there is none."""
        found = self.first(*names)
        return found.text.strip() if found is not None else ""


def read_xml(data: bytes) -> Node:
    """The root of a document. Raises `ValueError` where it is none, or more than a camera says."""
    if len(data) > MOST_BYTES:
        raise ValueError("an answer without end")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator="\n")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"no XML: {expat.ErrorString(error.code)}") from error
    if builder.root is None:
        raise ValueError("no XML")
    return builder.root


def _refuse(*_: object) -> None:
    raise ValueError("XML with a document type of its own")


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MOST_DEPTH or self._count > MOST_ELEMENTS:
            raise ValueError("XML without end")
        space, _, local = name.rpartition("\n")
        node = Node(local, space, {key.rpartition("\n")[2]: value for key, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(node)
        elif self.root is None:
            self.root = node
        self._open.append(node)

    def end(self, _: str) -> None:
        self._open.pop()

    def text(self, text: str) -> None:
        self._open[-1].text += text
