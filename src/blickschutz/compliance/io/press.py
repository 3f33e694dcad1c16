"""Prints documents with typst: PDF/A-2a and PDF/UA-1, tagged, without a network."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from blickschutz.compliance.documents.editions import Edition, history
from blickschutz.compliance.documents.model import Document, Picture
from blickschutz.compliance.documents.pack import changed, pack
from blickschutz.compliance.io.layout import States, layout
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.policy import assess
from blickschutz.kernel.errors import FaultError
from plattform.press import UnprintableError, print_pdf

LIST = "pack.json"
_PNG = b"\x89PNG"


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
    pictures = [part for section in document.sections for part in section.parts if isinstance(part, Picture)]
    # The printer reads a folder that holds the pictures of this document and nothing else.
    with tempfile.TemporaryDirectory(prefix="blickschutz-print-") as folder:
        shown = {part.file: _laid_out(part, document, g, Path(folder), number) for number, part in enumerate(pictures)}
        try:
            return print_pdf(source, layout(document, g, states, editions, shown), root=Path(folder) if shown else None)
        except UnprintableError as error:
            raise FaultError(f"the document {document.key} cannot be printed: {error}") from error


def _laid_out(picture: Picture, document: Document, g: Grounds, folder: Path, number: int) -> str:
    """Put it where the printer finds it; its name there. It is looked at once more: a file that is another one by now stops the print."""
    wanted = g.documents[picture.file].sha256
    places = [g.folder / picture.file] if g.folder is not None else []
    places += [g.cabinet / wanted] if g.cabinet is not None else []
    data = next((place.read_bytes() for place in places if place.is_file()), b"")
    if hashlib.sha256(data).hexdigest() != wanted:
        raise FaultError(f"the picture {picture.file} of the document {document.key} changed while it was printed")
    name = f"{number}.{'png' if data.startswith(_PNG) else 'jpg'}"
    (folder / name).write_bytes(data)
    return name


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
