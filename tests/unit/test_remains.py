"""What the documents say of what is left of people: the looks in force, with the figures that were measured."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from blickschutz.compliance.documents import remains
from blickschutz.redaction.model import Colour, Style
from tests.conftest import ROOT
from tests.unit.test_policy import whole


def grounds(style=Style.MOSAIC, colour=Colour.NEUTRAL, **cameras):
    """The site with a style and colour, and with colours of single cameras, by their place in the list."""
    found = whole()
    redaction = found.site.redaction.model_copy(update={"style": style, "colour": colour})
    own = [
        camera.model_copy(update={"colour": cameras[f"camera_{place}"]}) if f"camera_{place}" in cameras else camera
        for place, camera in enumerate(found.site.cameras)
    ]
    return replace(found, site=found.site.model_copy(update={"redaction": redaction, "cameras": tuple(own)}))


@pytest.mark.parametrize("colour", Colour)
def test_one_sentence_for_the_whole_site(colour):
    (german,), (english,) = (remains.costs(grounds(colour=colour), language) for language in ("de", "en"))
    for figure in (remains.MEASURED[colour].moment, remains.MEASURED[colour].other, remains.MEASURED[colour].averages):
        assert f"{figure} %" in german.text
        assert f"{figure} %" in english.text
    assert {"redaction.style", "redaction.colour", "cameras.colour"} <= {one.name for one in german.evidence}


def test_a_camera_that_differs_is_named_and_has_a_sentence_of_its_own():
    found = grounds(camera_1=Colour.FULL)
    name = found.site.cameras[1].name
    assert remains.looks(found)[Colour.FULL] == [name]
    assert len(remains.costs(found, "de")) == 2
    assert f"farbiges Mosaik: grobe Zellen in ihrer Farbe ({name})" in remains.described(found)


def test_a_silhouette_has_no_colours():
    found = grounds(Style.SILHOUETTE, Colour.FULL, camera_1=Colour.MUTED)
    assert set(remains.looks(found)) == {Style.SILHOUETTE}


def measured():
    """Rows of the table in the benchmarks: name to the strongest figure of each kind, in per cent."""
    table = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8").split("## The mask under attack")[1].split("\n## ")[0]
    rows = {}
    for line in table.splitlines():
        cells = [cell.strip(" *") for cell in line.strip("|").split("|")]
        figures = [max([int(100 * float(value) + 0.5) for value in re.findall(r"\.\d\d", cell)], default=0) for cell in cells[1:7]]
        if len(cells) == 7 and any(figures):
            rows[cells[0].split(" (")[0].strip("`*")] = [max(figures[n : n + 2]) for n in (0, 2, 4)]
    return rows


def test_the_figures_are_those_of_the_benchmarks():
    rows = measured()
    for look, names in (
        (Style.SILHOUETTE, ["silhouette"]),
        (Colour.NEUTRAL, ["neutral"]),
        (Colour.MUTED, ["muted", "muted`, calibrated"]),
        (Colour.FULL, ["full", "full`, calibrated"]),
    ):
        figures = remains.MEASURED[look]
        worst = [max(row) for row in zip(*(rows[name] for name in names), strict=True)]
        assert worst == [figures.moment, figures.other, figures.averages], look
    bound = remains.UNREDACTED
    assert rows["unredacted"] == [bound.moment, bound.other, bound.averages]
