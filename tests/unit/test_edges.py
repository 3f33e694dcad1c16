"""An area whose edge crosses itself, as that of a figure eight does, is none: what lies inside would be anybody's guess."""

from __future__ import annotations

import pytest

from blickschutz.config.loader import parse_site
from blickschutz.kernel.errors import SettingsError
from blickschutz.kernel.geometry import crosses_itself
from tests.desk import EXAMPLE

ZONE = "polygon = [[0.05, 0.35], [0.95, 0.35], [0.95, 0.95], [0.05, 0.95]]"


@pytest.mark.parametrize(
    ("points", "crosses"),
    [
        (((0, 0), (1, 1), (1, 0), (0, 1)), True),
        (((0, 0), (1, 0), (1, 1), (0.5, 0), (0, 1)), True),
        (((0, 0), (1, 0), (0.5, 0), (0.5, 1)), True),
        (((0, 0), (1, 0), (1, 1), (0.5, 0.4), (0, 1)), False),
        (((0, 0), (1, 0), (0, 1)), False),
        (((0, 0), (1, 0), (0, 1), (0, 0)), False),
        (((0, 0), (0, 0), (1, 0), (0, 1)), False),
        (((0, 0), (0.5, 0), (1, 0), (1, 1)), False),
    ],
)
def test_a_figure_eight_crosses_itself(points, crosses):
    assert crosses_itself(points) is crosses


def test_a_site_file_with_one_is_refused_in_words():
    text = EXAMPLE.read_text(encoding="utf-8")
    assert ZONE in text
    with pytest.raises(SettingsError, match="wie eine Acht"):
        parse_site(text.replace(ZONE, "polygon = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]"), "x.toml", "de")
    with pytest.raises(SettingsError, match="die Fläche ist leer"):
        parse_site(text.replace(ZONE, "polygon = [[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]"), "x.toml", "de")
