"""Prints documents with typst: PDF/A-2a and PDF/UA-1, tagged, without a network."""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import typst

from blickschutz.compliance.documents.editions import Edition, history
from blickschutz.compliance.documents.model import Document, Picture
from blickschutz.compliance.documents.pack import changed, pack
from blickschutz.compliance.io.layout import States, layout
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.policy import assess
from blickschutz.kernel.errors import FaultError

STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]
LIST = "pack.json"
_CONTROLS = dict.fromkeys([*(one for one in range(32) if chr(one) not in "\n\t"), *range(127, 160), *range(0x202A, 0x202F)])
_MOST_SIGNS = 100
# As Rust writes a text that is to be read by programmers.
_NO_SIGN = re.compile(r'the text `?"((?:[^"\\]|\\.)+)"`? could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
_FONTS = Path(str(resources.files("blickschutz.compliance"))) / "fonts"


def _print(document: Document, g: Grounds, folder: Path, states: States, editions: Sequence[Edition]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{document.key}.pdf"
    write(path, _rendered(document, g, states, editions))
    return path


def print_pack(g: Grounds, folder: Path) -> tuple[list[Path], dict[str, list[str]]]:
    """Print every document of the site into `folder`; the files, and per document the sentences that changed since the last pack."""
    last, documents, states = _last(folder), pack(g), _states(g)
    today = g.today.isoformat()
    editions = history(last, documents, today, g.settings)
    files = [_print(document, g, folder, states, editions[document.key]) for document in documents]
    said = {document.key: [one.text for one in document.sentences()] for document in documents}
    kept = {key: [asdict(one) for one in found] for key, found in editions.items()}
    listed = {"settings": g.settings, "date": today, "said": said, "editions": kept}
    write(folder / LIST, json.dumps(listed, ensure_ascii=False, indent=1).encode())
    return files, changed(last.get("said", {}), documents)


@dataclass(frozen=True, slots=True)
class Papers:
    """The last pack: when it was printed and for which settings, file and title of each document, what would be otherwise today."""

    printed: str
    settings: str
    files: Mapping[str, str]
    changed: Mapping[str, Sequence[str]]


def papers(g: Grounds, folder: Path) -> Papers | None:
    """What is known of the last pack in `folder`; None where there is none."""
    last = _last(folder)
    if not last:
        return None
    documents = pack(g)
    files = {f"{one.key}.pdf": f"{one.title}{_variant(one)}" for one in documents if (folder / f"{one.key}.pdf").is_file()}
    return Papers(str(last["date"]), str(last["settings"]), files, changed(last["said"], documents))


def _variant(document: Document) -> str:
    paper = document.values.get("paper", "")
    return f" ({document.language}{f', {paper.upper()}' if paper else ''})" if document.language != "de" or paper else ""


def render(document: Document, g: Grounds) -> bytes:
    """One document as PDF."""
    return _rendered(document, g, _states(g), ())


def _states(g: Grounds) -> States:
    """What each rule says; asked once for a whole pack."""
    return {one.rule.id: one.answer.result for one in assess(g)}


def _rendered(document: Document, g: Grounds, states: States, editions: Sequence[Edition]) -> bytes:
    source = resources.files("blickschutz.compliance").joinpath(f"templates/{document.template}.typ").read_bytes()
    shown = {part.file: _form(part, document, g) for section in document.sections for part in section.parts if isinstance(part, Picture)}
    data = json.dumps(_plain(layout(document, g, states, editions, shown)), ensure_ascii=False)
    for _ in range(_MOST_SIGNS):
        try:
            return _compiled(source, data, g.folder if shown else None)
        except typst.TypstError as error:
            without = _without(data, str(error))
            if without == data:
                raise FaultError(f"the document {document.key} cannot be printed: {error}") from error
            data = without
    raise FaultError(f"the document {document.key} cannot be printed: it has over {_MOST_SIGNS} signs that no typeface has")


def _plain(value: Any) -> Any:
    """Without signs that control something instead of showing it; one that turns the direction would let a line read backwards."""
    if isinstance(value, str):
        return value.translate(_CONTROLS)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _compiled(source: bytes, data: str, root: Path | None) -> bytes:
    # The fonts that come with typst and with this package, and no others: the same settings print the same on every machine.
    printed: bytes = typst.compile(  # type: ignore[call-overload] # its stubs want root to be bytes where the source is
        source,
        format="pdf",
        font_paths=[str(_FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": data},
        pdf_standards=list(STANDARDS),
        root=root,
    )
    return printed


def _without(data: str, error: str) -> str:
    """The data without the sign that the printer complains of; the same where it complains of something else.

    PDF/A forbids a text that no typeface shows (ISO 19005-2, 6.2.11.8). People may write anything in a reason, and what one wrote must
    not keep all documents of a site from being printed: signs that are not seen go, all others become a question mark.
    """
    found = _NO_SIGN.search(error)
    if found is None:
        return data
    text = _ESCAPED.sub(lambda one: chr(int(one[1], 16)), found[1]).replace('\\"', '"').replace("\\\\", "\\")
    return data.translate({ord(one): "" if unicodedata.category(one) in {"Cc", "Cf"} else "?" for one in text if not one.isascii()})


def _form(picture: Picture, document: Document, g: Grounds) -> str:
    """Its form as the printer calls it. It is looked at once more: a file that is another one by now stops the print."""
    data = (g.folder / picture.file).read_bytes() if g.folder is not None else b""
    if hashlib.sha256(data).hexdigest() != g.documents[picture.file].sha256:
        raise FaultError(f"the picture {picture.file} of the document {document.key} changed while it was printed")
    return "png" if data.startswith(b"\x89PNG") else "jpg"


def _last(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if {"date", "settings", "said"} <= found.keys() else {}


def write(path: Path, data: bytes) -> None:
    """Wholly or not at all: nobody hangs up half a sign."""
    draft = path.with_suffix(path.suffix + ".new")
    draft.write_bytes(data)
    os.replace(draft, path)
