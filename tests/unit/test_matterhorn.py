"""Every document against the machine-checkable conditions of the Matterhorn Protocol; and that the checker finds what is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from blickschutz.compliance.documents.duty import duty_letter
from blickschutz.compliance.documents.pack import pack
from blickschutz.compliance.io.press import print_pack, render
from blickschutz.compliance.policy import assess
from blickschutz.compliance.reports.committee import committee
from blickschutz.compliance.reports.model import Happened
from blickschutz.rights.model import Duty, DutySource
from tests.matterhorn import failures
from tests.unit.test_documents import example
from tests.unit.test_papers import accepted
from tests.unit.test_policy import whole

ADDRESS = "https://www.stadt.example/videoschutz"


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """A whole pack with a picture of an acceptance, a picture code and a second version; letters and reports; a site that never ran."""
    folder, beside = tmp_path_factory.mktemp("matterhorn"), tmp_path_factory.mktemp("facts")
    g = accepted(beside)
    g = replace(g, facts=g.facts.model_copy(update={"information_address": ADDRESS, "north": 10.0}))
    (folder / "pack.json").write_text('{"date": "2026-01-01", "settings": "a", "said": {"tom": ["Früher."], "dsfa": []}}', encoding="utf-8")
    print_pack(g, folder)
    duty = Duty(id=4, case=12, clip="c" * 32, source=DutySource.HAND, since=date(2026, 11, 3), by="kvd-1")
    happened = Happened(date(2026, 10, 1), date(2026, 10, 31), (), g.log)
    more = [duty_letter(g, duty, "de"), *(committee(g, assess(g), happened, public=public) for public in (True, False))]
    for document in more:
        (folder / f"{document.key}.pdf").write_bytes(render(document, g))
    bare = example()
    for document in pack(bare):
        if document.key.startswith(("schild-de", "abnahme", "erforderlichkeit", "informationsblatt-de")):
            (folder / f"leer-{document.key}.pdf").write_bytes(render(document, bare))
    return folder


def test_no_document_meets_a_failure_condition(printed):
    files = sorted(printed.glob("*.pdf"))
    assert len(files) >= len(pack(whole())) + 8
    assert {path.stem: found for path in files if (found := failures(path))} == {}


def _kinds(pdf, name):
    return (one for one in pdf.objects if isinstance(one, Dictionary) and one.get("/S") == Name(f"/{name}"))


def _kind(pdf, name):
    return next(_kinds(pdf, name))


def _font(pdf):
    return next(iter(pdf.pages[0].Resources.Font.values()))


def without(thing, key):
    if key in thing:
        del thing[key]


def before(pdf, data):
    pdf.pages[0].contents_add(data, prepend=True)


def relabelled(pdf, old, new):
    _kind(pdf, old).S = Name(f"/{new}")


BREAKS = {
    "01-003": lambda pdf: before(pdf, b"/P <</MCID 999>> BDC /Artifact BMC EMC EMC"),
    "01-004": lambda pdf: before(pdf, b"/Artifact BMC /P <</MCID 999>> BDC EMC EMC"),
    "01-005": lambda pdf: before(pdf, b"0 0 10 10 re f"),
    "01-007": lambda pdf: pdf.Root.MarkInfo.__setitem__("/Suspects", True),
    "02-001": lambda pdf: relabelled(pdf, "P", "Absatz"),
    "02-004": lambda pdf: pdf.Root.StructTreeRoot.__setitem__("/RoleMap", Dictionary(P=Name.Span)),
    "06-001": lambda pdf: without(pdf.Root, "/Metadata"),
    "06-002": lambda pdf: pdf.Root.Metadata.write(pdf.Root.Metadata.read_bytes().replace(b"pdfuaid", b"other")),
    "06-003": lambda pdf: pdf.Root.Metadata.write(pdf.Root.Metadata.read_bytes().replace(b"dc:title", b"dc:other")),
    "07-001": lambda pdf: without(pdf.Root.ViewerPreferences, "/DisplayDocTitle"),
    "07-002": lambda pdf: pdf.Root.ViewerPreferences.__setitem__("/DisplayDocTitle", False),
    "09-004": lambda pdf: relabelled(pdf, "TR", "Div"),
    "09-005": lambda pdf: relabelled(pdf, "TR", "P"),
    "10-001": lambda pdf: _font(pdf).__setitem__("/ToUnicode", pdf.make_stream(b"")),
    "11-006": lambda pdf: without(pdf.Root, "/Lang"),
    "13-004": lambda pdf: without(_kind(pdf, "Figure"), "/Alt"),
    "14-002": lambda pdf: relabelled(pdf, "H1", "H2"),
    "14-003": lambda pdf: list(_kinds(pdf, "H1"))[-1].__setitem__("/S", Name.H3),
    "15-003": lambda pdf: [without(one, "/A") for kind in ("TH", "TD") for one in _kinds(pdf, kind)],
    "19-003": lambda pdf: relabelled(pdf, "P", "Note"),
    "20-001": lambda pdf: pdf.Root.__setitem__("/OCProperties", Dictionary()),
    "28-004": lambda pdf: pdf.pages[0].__setitem__("/Annots", Array([pdf.make_indirect(Dictionary(Subtype=Name.Text))])),
    "28-012": lambda pdf: pdf.pages[0].__setitem__("/Annots", Array([pdf.make_indirect(Dictionary(Subtype=Name.Link))])),
    "31-009": lambda pdf: without(_font(pdf).DescendantFonts[0].FontDescriptor, "/FontFile3"),
    "31-027": lambda pdf: without(_font(pdf), "/ToUnicode"),
    "31-030": lambda pdf: before(pdf, b"/Artifact BMC BT /f0 9 Tf <0000> Tj ET EMC"),
}


@pytest.mark.parametrize("condition", BREAKS)
def test_what_is_wrong_is_found(printed, tmp_path, condition):
    with pikepdf.open(printed / "dsfa.pdf") as pdf:
        BREAKS[condition](pdf)
        pdf.save(tmp_path / "broken.pdf")
    assert condition in {one[:6] for one in failures(tmp_path / "broken.pdf")}
