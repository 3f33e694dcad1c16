"""Handbook and reference as a site: every link leads somewhere, nothing comes from elsewhere, what was written is found."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from scripts import docs
from tests.conftest import ROOT

pytest.importorskip("mkdocs", reason="the builder of the site is not installed (scripts/set_up.py test)")


pytestmark = pytest.mark.later


class Loaded(HTMLParser):
    """What a browser fetches by itself for a page."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in {"script", "img", "iframe", "source", "video", "audio", "embed", "object"}:
            self.addresses += [given.get("src"), given.get("data")]
        if tag == "link" and given.get("rel") not in {"next", "prev", "canonical"}:
            self.addresses.append(given.get("href"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "site"
    docs.build(folder)
    return folder


def test_every_page_is_there_and_loads_nothing_from_elsewhere(site):
    pages = {path.relative_to(site).as_posix(): path.read_text("utf-8") for path in site.rglob("*.html")}
    for source in (ROOT / "docs").rglob("*.md"):
        path = docs.place(source.relative_to(ROOT).as_posix())
        assert re.sub(r"(README)?\.md$", lambda end: "index.html" if end[1] else ".html", path) in pages
    for name, text in pages.items():
        parser = Loaded()
        parser.feed(text)
        found = [address for address in parser.addresses if address]
        assert found, name
        assert not [address for address in found if re.match(r"([a-z]+:)?//", address)], name
        assert 'class="mermaid"' not in text, "the theme would fetch what draws it"
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(https?:)?//", style.read_text("utf-8")), style


def test_the_search_knows_both_languages_and_needs_no_server(site):
    index = json.loads((site / "search/search_index.js").read_text("utf-8").removeprefix("var __index = "))
    assert index["config"]["lang"] == ["de", "en"]
    found = {entry["location"].partition("#")[0] for entry in index["docs"] if "Sichtungskennwort" in entry["text"]}
    assert "handbuch/sichtung.html" in found
    assert any("Landlock" in entry["text"] for entry in index["docs"])
    assert "iframe-worker 1.0.4, MIT" in (site / "assets/iframe-worker.js").read_text("utf-8")


def test_a_link_an_anchor_and_a_page_without_a_menu_are_found(tmp_path, monkeypatch, capsys):
    def gather(folder):
        (folder / "design").mkdir(parents=True)
        (folder / "index.md").write_text("# A\n\n[b](design/gone.md) [c](design/c.md#nowhere)\n")
        (folder / "design/c.md").write_text("# C\n")
        (folder / "forgotten.md").write_text("# D\n")

    monkeypatch.setattr(docs, "gather", gather)
    monkeypatch.setattr(docs, "menu", lambda folder: ["index.md", {"Design": ["design/c.md"]}])
    assert docs.main([str(tmp_path / "site")]) == 1
    said = capsys.readouterr().err
    for one in ("design/gone.md", "#nowhere", "forgotten.md"):
        assert one in said


@pytest.mark.parametrize(
    ("path", "link", "turned"),
    [
        ("README.md", "docs/design/cells.md", "design/cells.md"),
        ("docs/design/cells.md", "../benchmarks.md#cells", "../benchmarks.md#cells"),
        ("docs/mqtt.md", "../schemas/alert.schema.json", "schemas/alert.schema.json"),
        ("docs/contributing.md", "../CONTRIBUTING.md", "contributing-in-short.md"),
        ("docs/handbuch/README.md", "../../README.md", "../index.md"),
        ("docs/install.md", "https://example.org/a", "https://example.org/a"),
    ],
)
def test_links_lead_where_the_pages_lie_in_the_site(path, link, turned):
    assert docs.turned(f"see [this]({link}).", path) == f"see [this]({turned})."
