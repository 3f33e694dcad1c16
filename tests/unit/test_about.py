"""A setting is declared once: what it means, when it comes into force, who may change it and by which law it is refused stand with it."""

from __future__ import annotations

import re
from typing import Annotated

import pytest
from pydantic import Field

from blickschutz.config.about import Setting, along, english, every, settings_in
from blickschutz.config.loader import parse_file
from blickschutz.config.model import Camera, SiteFile, Zone
from blickschutz.config.parts import Part
from blickschutz.kernel.errors import SettingsError
from blickschutz.settings.model import Difference
from blickschutz.settings.rules.changes import is_live, needs_restart, needs_second, touches_anchors
from blickschutz.situations.settings import RuleSettings
from tests.conftest import ROOT

GUIDE = (ROOT / "docs/design/settings.md").read_text(encoding="utf-8")


def marked(flag):
    return {".".join(path) for path, one in every(SiteFile) if getattr(one, flag)}


def test_what_one_person_may_change_is_what_the_documentation_says():
    assert marked("shown") == {"cameras.name", "cameras.zones.name", "site.building", "wall.width"}
    assert [key for key in marked("shown") if not is_live(tuple(key.split(".")))] == [], "the page says that it counts at once"
    assert "One person is enough for `cameras.*.name`, names of zones, `site.building` and `wall.width`." in GUIDE


def test_what_no_page_changes_is_what_the_documentation_says():
    (line,) = [line for line in GUIDE.splitlines() if line.startswith("11. ")]
    assert marked("anchor") == set(re.findall(r"`([a-z_]+\.[a-z_]+)`", line)) != set()


def test_every_setting_is_asked_for_somewhere():
    """One that nothing reads is a promise to whoever sets it."""
    sources = [path for path in (ROOT / "src/blickschutz").rglob("*") if path.suffix in {".py", ".html"}]
    asked = {name for path in sources for name in re.findall(r"\.(\w+)", path.read_text(encoding="utf-8"))}
    assert [".".join(path) for path, _ in every(SiteFile) if path[-1] not in asked] == []


def test_what_the_documentation_says_counts_at_once_does():
    said = (ROOT / "docs/site-file.md").read_text(encoding="utf-8")
    assert "`redaction`, `wall`, `analysis` without its `model`, and `site.building` are in force at once" in said
    keys = {".".join(path) for path, _ in every(SiteFile) if is_live(path)}
    assert {key for key in keys if key.split(".")[0] in {"site", "analysis"}} == {
        *("site.building", "analysis", "analysis.device", "analysis.decoding", "analysis.rate")
    }
    assert {key.split(".")[0] for key in keys} == {"cameras", "redaction", "wall", "analysis", "site"}


def test_paragraphs_stand_where_law_decides():
    assert marked("law") == {"retention.hard_limit_days", "retention.unreviewed_hours", "people.roles"}


@pytest.mark.parametrize(
    ("path", "waits", "second", "anchor"),
    [
        (("cameras", "nord"), False, True, False),
        (("cameras", "nord", "name"), False, False, False),
        (("cameras", "nord", "zones", "hof", "name"), False, False, False),
        (("cameras", "nord", "zones", "hof", "rules", "loitering_s"), False, True, False),
        (("cameras", "nord", "plan", "x"), False, True, False),
        (("cameras", "name", "side"), False, True, False),
        (("analysis", "rate"), False, True, False),
        (("analysis", "model"), True, True, False),
        (("wall", "width"), False, False, False),
        (("site", "name"), True, True, False),
        (("site", "building"), False, False, False),
        (("retention", "hard_limit_days"), True, True, False),
        (("review",), True, True, True),
        (("review", "root"), True, True, True),
        (("audit", "witness_key"), True, True, True),
        (("nothing", "of", "it"), True, True, False),
    ],
)
def test_what_a_change_needs_is_asked_of_the_setting(path, waits, second, anchor):
    wanted = [Difference(path, 1, 2)]
    assert (bool(needs_restart(wanted)), needs_second(wanted), bool(touches_anchors(wanted))) == (waits, second, anchor)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        (
            ("cameras", "nord", "zones", "hof", "rules", "off"),
            [(SiteFile, "cameras"), (Camera, "zones"), (Zone, "rules"), (RuleSettings, "off")],
        ),
        (("cameras", "zones", "name"), [(SiteFile, "cameras"), (Camera, "name")]),
        (("cameras", "nord", "nothing", "more"), [(SiteFile, "cameras"), None]),
        ((), []),
    ],
)
def test_a_path_leads_along_its_settings(path, steps):
    assert list(along(SiteFile, path)) == steps


class Aquarium(Part):
    fish: Annotated[int, Field(ge=1, le=12), Setting("Fische im Becken.", law="§ 1 Abs. 1 der Fischordnung")] = 3
    """Fish in the tank."""
    colour: str = "red"


def test_one_place_is_all_that_a_setting_takes(tmp_path):
    """Type, bounds, default, both meanings and law: what refuses, describes and shows it asks nothing else."""
    with pytest.raises(KeyError, match="nothing is said of colour"):
        settings_in(Aquarium)
    assert Aquarium.model_json_schema()["properties"]["fish"] == {
        "default": 3,
        "description": "Fish in the tank.",
        "maximum": 12,
        "minimum": 1,
        "title": "Fish",
        "type": "integer",
    }
    assert english(Aquarium, "fish") == "Fish in the tank."
    with pytest.raises(SettingsError, match=r"becken\.toml:1: fish: .*12.*\(§ 1 Abs\. 1 der Fischordnung\)"):
        parse_file(Aquarium, "fish = 13\n", "becken.toml", "de")
