"""Failure conditions of the Matterhorn Protocol 1.1 (PDF/UA-1) that a machine can find, looked for with pikepdf.

Independent of the printer: it reads the file as it is. Conditions about what a document of this house cannot have (forms, media,
encryption, scripts, embedded files) are asked as well, so that one that appears is found. Each finding names its condition.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

# fmt: off
STANDARD = frozenset(
    {
        "Document", "Part", "Art", "Sect", "Div", "BlockQuote", "Caption", "TOC", "TOCI", "Index", "NonStruct",
        "Private", "P", "H", "H1", "H2", "H3", "H4", "H5", "H6", "L", "LI", "Lbl", "LBody", "Table", "TR", "TH", "TD", "THead", "TBody",
        "TFoot", "Span", "Quote", "Note", "Reference", "BibEntry", "Code", "Link", "Annot", "Ruby", "RB", "RT", "RP",
        "Warichu", "WT", "WP", "Figure", "Formula", "Form",
    }
)
# fmt: on
PARENTS = {
    "TR": {"Table", "THead", "TBody", "TFoot"},
    "TH": {"TR"},
    "TD": {"TR"},
    "THead": {"Table"},
    "TBody": {"Table"},
    "TFoot": {"Table"},
    "LI": {"L"},
    "LBody": {"LI"},
    "TOCI": {"TOC"},
    "RB": {"Ruby"},
    "RT": {"Ruby"},
    "RP": {"Ruby"},
    "WT": {"Warichu"},
    "WP": {"Warichu"},
}
CHILDREN = {
    "Table": {"TR", "THead", "TBody", "TFoot", "Caption"},
    "TR": {"TH", "TD"},
    "THead": {"TR"},
    "TBody": {"TR"},
    "TFoot": {"TR"},
    "L": {"L", "LI", "Caption"},
    "LI": {"Lbl", "LBody"},
    "TOC": {"TOC", "TOCI", "Caption"},
}
_SHOWN = {"Tj", "TJ", "'", '"', "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Do", "INLINE IMAGE"}
_TEXT = {"Tj", "TJ", "'", '"'}
_HEADING = re.compile(r"H([1-6])")


class Element:
    """A structure element: its standard type and the elements below it."""

    def __init__(self, found: Object, kind: str, parent: Element | None) -> None:
        self.found, self.kind, self.parent = found, kind, parent
        self.children: list[Element] = []

    def walk(self) -> Iterator[Element]:
        """It and everything below, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()


def failures(path: Path) -> list[str]:
    """Every failure condition that the file meets, as `number: what`."""
    with pikepdf.open(path) as pdf:
        return [*_document(pdf), *_structure(pdf), *_pages(pdf), *_fonts(pdf)]


def _document(pdf: pikepdf.Pdf) -> Iterator[str]:
    root = pdf.Root
    marks = root.get("/MarkInfo", Dictionary())
    if not marks.get("/Marked", False):
        yield "00-000: the file is not tagged"
    if bool(marks.get("/Suspects", False)):
        yield "01-007: Suspects is true"
    if "/Metadata" not in root:
        yield "06-001: no XMP"
    else:
        meta = root.Metadata.read_bytes().decode()
        if not re.search(r"pdfuaid:part(>|=\")1", meta):
            yield "06-002: XMP has no PDF/UA identifier"
        if not re.search(r"<dc:title>.*?<rdf:li[^>]*>[^<]+</rdf:li>", meta, re.DOTALL):
            yield "06-003: XMP has no dc:title"
    shown = root.get("/ViewerPreferences", Dictionary())
    if "/DisplayDocTitle" not in shown:
        yield "07-001: no DisplayDocTitle"
    elif not bool(shown.DisplayDocTitle):
        yield "07-002: DisplayDocTitle is false"
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", str(root.get("/Lang", ""))):
        yield "11-006: the document has no language"
    for key, number in (("/AcroForm", "28-005"), ("/OCProperties", "20-001"), ("/Collection", "21-001")):
        if key in root:
            yield f"{number}: {key} is there, which no document of this house has"
    if "/EmbeddedFiles" in root.get("/Names", Dictionary()):
        yield "21-001: an embedded file"
    if pdf.is_encrypted and not pdf.allow.accessibility:
        yield "26-002: encrypted against readers"


def _elements(pdf: pikepdf.Pdf) -> tuple[list[Element], dict[str, str], list[str]]:
    tree, problems = pdf.Root.StructTreeRoot, []
    roles = {key.lstrip("/"): str(value).lstrip("/") for key, value in tree.get("/RoleMap", Dictionary()).items()}
    problems += [f"02-004: {key} is remapped" for key in roles if key in STANDARD]

    def standard(kind: str) -> str:
        seen = {kind}
        while kind not in STANDARD and kind in roles:
            kind = roles[kind]
            if kind in seen:
                problems.append(f"02-003: circular mapping of {kind}")
                break
            seen.add(kind)
        if kind not in STANDARD:
            problems.append(f"02-001: {kind} is mapped to no standard type")
        return kind

    def grow(found: Object, parent: Element | None) -> list[Element]:
        if isinstance(found, Array):
            return [one for each in found.as_list() for one in grow(each, parent)]
        if not isinstance(found, Dictionary) or "/S" not in found:
            return []
        element = Element(found, standard(str(found.S).lstrip("/")), parent)
        element.children = grow(found.get("/K", Array()), element)
        return [element]

    return grow(tree.get("/K", Array()), None), roles, problems


def _structure(pdf: pikepdf.Pdf) -> Iterator[str]:
    if "/StructTreeRoot" not in pdf.Root:
        yield "01-005: no structure at all"
        return
    roots, _, problems = _elements(pdf)
    yield from problems
    everything = [one for root in roots for one in root.walk()]
    yield from _nesting(everything)
    yield from _headings(everything)
    yield from _tables(everything)
    ids = Counter(str(one.found.ID) for one in everything if "/ID" in one.found)
    for one in everything:
        if one.kind in {"Figure", "Formula"} and not any(str(one.found.get(key, "")).strip() for key in ("/Alt", "/ActualText")):
            yield f"{'13-004' if one.kind == 'Figure' else '17-002'}: {one.kind} without a text in its place"
        if one.kind == "Note":
            if not str(one.found.get("/ID", "")):
                yield "19-003: Note without an ID"
            elif ids[str(one.found.ID)] > 1:
                yield "19-004: two Notes have one ID"


def _nesting(everything: list[Element]) -> Iterator[str]:
    for one in everything:
        above = one.parent.kind if one.parent else ""
        if one.kind in PARENTS and above not in PARENTS[one.kind]:
            yield f"09-004: {one.kind} in {above or 'the root'}"
        if one.kind in CHILDREN:
            for child in one.children:
                if child.kind not in CHILDREN[one.kind]:
                    yield f"09-005: {child.kind} right in {one.kind}"


def _headings(everything: list[Element]) -> Iterator[str]:
    levels = [int(found.group(1)) for one in everything if (found := _HEADING.fullmatch(one.kind))]
    if levels and levels[0] != 1:
        yield f"14-002: the first heading is H{levels[0]}"
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"14-003: H{after} follows H{before}"
    if any(one.kind == "H" for one in everything):
        yield "14-007: H and H1 to H6 together" if levels else "14-006: H is used"


def _attributes(found: Object) -> dict[str, Object]:
    given = found.get("/A", Array())
    return {
        key: value
        for one in (given.as_list() if isinstance(given, Array) else [given])
        if isinstance(one, Dictionary)
        for key, value in one.items()
    }


def _tables(everything: list[Element]) -> Iterator[str]:
    for table in (one for one in everything if one.kind == "Table"):
        cells = [one for one in table.walk() if one.kind in {"TH", "TD"}]
        by_headers = all("/Headers" in _attributes(one.found) for one in cells if one.kind == "TD")
        for one in cells:
            if one.kind == "TH" and not by_headers and "/Scope" not in _attributes(one.found):
                yield "15-003: TH without a scope"
        rows = [sum(int(_attributes(one.found).get("/ColSpan", 1)) for one in row.children) for row in table.walk() if row.kind == "TR"]
        if len(set(rows)) > 1:
            yield f"15-005: rows of {sorted(set(rows))} cells"
        if not any(one.kind == "TH" for one in cells):
            yield "15-002: a table without a head"


def _referenced(pdf: pikepdf.Pdf) -> dict[tuple[int, int], set[int]]:
    """Marked contents of each page (by object number) that the structure has."""
    found: dict[tuple[int, int], set[int]] = {}

    def note(page: Object | None, number: int) -> None:
        if page is not None:
            found.setdefault(page.objgen, set()).add(number)

    def look(part: Object, page: Object | None) -> None:
        if isinstance(part, Array):
            for each in part.as_list():
                look(each, page)
        elif isinstance(part, Dictionary):
            page = part.get("/Pg", page)
            if part.get("/Type") == Name.MCR:
                note(page, int(part.MCID))
            elif "/K" in part:
                look(part.K, page)
        elif isinstance(part, int):
            note(page, int(part))

    if "/StructTreeRoot" in pdf.Root:
        look(pdf.Root.StructTreeRoot.get("/K", Array()), None)
    return found


def _pages(pdf: pikepdf.Pdf) -> Iterator[str]:
    known = _referenced(pdf)
    for number, page in enumerate(pdf.pages, 1):
        where = f"on page {number}"
        for problem in _content(page, known.get(page.objgen, set())):
            yield f"{problem} {where}"
        annotations = page.get("/Annots", Array()).as_list()
        if annotations and page.get("/Tabs") != Name.S:
            yield f"28-008: no order of tabs {where}"
        for one in annotations:
            if one.get("/Subtype") not in {Name.Widget, Name.Popup} and not (str(one.get("/Contents", "")) or "/StructParent" in one):
                yield f"28-004: an annotation without a text {where}"
            if one.get("/Subtype") == Name.Link:
                if "/StructParent" not in one:
                    yield f"28-011: a link outside the structure {where}"
                if not str(one.get("/Contents", "")):
                    yield f"28-012: a link without a text {where}"
            if one.get("/Subtype") in {Name.TrapNet, Name.Movie, Name.Sound, Name.Screen, Name("/3D"), Name.RichMedia}:
                yield f"28-014: an annotation of the kind {one.Subtype} {where}"
        for name, made in page.Resources.get("/XObject", Dictionary()).items():
            if "/Ref" in made:
                yield f"30-001: {name} refers to another file {where}"


def _content(page: pikepdf.Page, known: set[int]) -> Iterator[str]:
    """Marked content: everything shown is tagged or an artifact, never both, and the structure has it."""
    marks: list[str] = []
    seen: set[int] = set()
    properties = page.Resources.get("/Properties", Dictionary())
    for instruction in pikepdf.parse_content_stream(page):
        operator = str(instruction.operator)
        if operator in {"BDC", "BMC"}:
            tag, given = str(instruction.operands[0]), instruction.operands[1] if operator == "BDC" else Dictionary()
            given = properties.get(str(given), Dictionary()) if isinstance(given, Name) else given
            mark = "artifact" if tag == "/Artifact" else "tagged" if isinstance(given, Dictionary) and "/MCID" in given else ""
            if mark == "artifact" and "tagged" in marks:
                yield "01-003: an artifact in tagged content"
            if mark == "tagged":
                if "artifact" in marks:
                    yield "01-004: tagged content in an artifact"
                if int(given.MCID) in seen:
                    yield f"01-005: marked content {int(given.MCID)} twice"
                seen.add(int(given.MCID))
                if int(given.MCID) not in known:
                    yield f"01-005: marked content {int(given.MCID)} is not in the structure"
            marks.append(mark)
        elif operator == "EMC":
            marks.pop()
        elif operator in _SHOWN and not {"artifact", "tagged"} & set(marks):
            yield f"01-005: {operator} is neither tagged nor an artifact"
    if marks:
        yield "01-005: marked content has no end"


def _fonts(pdf: pikepdf.Pdf) -> Iterator[str]:
    done = set()
    for page in pdf.pages:
        used = _used(page)
        for name, font in page.Resources.get("/Font", Dictionary()).items():
            text = "".join(sorted(used.get(name, set())))
            if (font.objgen, text) not in done:
                done.add((font.objgen, text))
                yield from _font(font, used.get(name, set()))


def _used(page: pikepdf.Page) -> dict[str, set[str]]:
    """Codes (two bytes in hex, as all fonts here are composite) that are shown with each font."""
    found: dict[str, set[str]] = {}
    current = ""
    for instruction in pikepdf.parse_content_stream(page):
        operator = str(instruction.operator)
        if operator == "Tf":
            current = str(instruction.operands[0])
        elif operator in _TEXT:
            last = instruction.operands[-1]
            for part in last.as_list() if isinstance(last, Array) else [last]:
                if isinstance(part, pikepdf.String):
                    data = bytes(part)
                    found.setdefault(current, set()).update(data[at : at + 2].hex() for at in range(0, len(data), 2))
    return found


def _font(font: Object, used: set[str]) -> Iterator[str]:
    name = str(font.BaseFont)
    if font.Subtype != Name.Type0:
        yield f"31-001: {name} is no composite font; its codes are not looked at here"
        return
    inner = font.DescendantFonts[0]
    described = inner.get("/FontDescriptor", Dictionary())
    program = next((described[key] for key in ("/FontFile", "/FontFile2", "/FontFile3") if key in described), None)
    if not isinstance(program, Stream):
        yield f"31-009: {name} is not embedded"
    if inner.Subtype == Name.CIDFontType2 and "/CIDToGIDMap" not in inner:
        yield f"31-005: {name} has no map of its glyphs"
    if font.Encoding not in {Name("/Identity-H"), Name("/Identity-V")}:
        yield f"31-006: {name} has an encoding that is not looked at here"
    if "/ToUnicode" not in font:
        yield f"31-027: {name} says nothing of its characters"
        return
    meant = _unicode(font.ToUnicode.read_bytes().decode("latin-1"))
    for code in sorted(used):
        if code == "0000":
            yield f"31-030: {name} shows .notdef"
        elif code not in meant:
            yield f"10-001: {name} does not say what {code} is"
        elif {"\0", "\ufeff", "\ufffe"} & set(meant[code]):
            yield f"31-028: {name} says that {code} is no character"


def _unicode(cmap: str) -> dict[str, str]:
    """Codes and their characters of a ToUnicode map."""

    def text(hexed: str) -> str:
        return bytes.fromhex(hexed).decode("utf-16-be", errors="replace")

    found: dict[str, str] = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        for code, meant in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]*)>", block):
            found[code.lower()] = text(meant)
    for block in re.findall(r"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, meant in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            for step in range(int(last, 16) - int(first, 16) + 1):
                found[f"{int(first, 16) + step:04x}"] = text(f"{int(meant, 16) + step:0{len(meant)}x}")
    return found
