"""What the redaction leaves of people, in figures: how often somebody is told from the others by what is shown of them.

`python -m benchmarks.attack` on real footage with known tracks, the strongest comparison of each row, also against
unredacted pictures and with a calibrated camera (`docs/benchmarks.md`, "The mask under attack").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blickschutz.compliance.documents.model import Sentence, say, setting, test
from blickschutz.compliance.model import Grounds
from blickschutz.redaction.model import Colour, Style


@dataclass(frozen=True, slots=True)
class Remains:
    """Percentages of right answers: among those who are there a second later, at another time, and by averages of a third of a track."""

    moment: int
    other: int
    averages: int


GUESSED = Remains(19, 8, 12)
UNREDACTED = Remains(75, 49, 60)
MEASURED: dict[Style | Colour, Remains] = {
    Style.SILHOUETTE: Remains(20, 12, 14),
    Colour.NEUTRAL: Remains(20, 12, 15),
    Colour.MUTED: Remains(61, 32, 41),
    Colour.FULL: Remains(65, 35, 43),
}
_GERMAN: dict[Style | Colour, str] = {
    Style.SILHOUETTE: "Silhouette: alles Verdeckte ist eine einzige Fläche",
    Colour.NEUTRAL: "neutrales Mosaik: jede Person ist eine graue Fläche, die nichts von Kleidung und Körper zeigt",
    Colour.MUTED: "gedämpftes Mosaik: grobe Zellen mit halber Farbe und halbem Kontrast",
    Colour.FULL: "farbiges Mosaik: grobe Zellen in ihrer Farbe",
}
_ENGLISH: dict[Style | Colour, str] = {
    Style.SILHOUETTE: "silhouette: all that is covered is one single area",
    Colour.NEUTRAL: "neutral mosaic: each person is a grey area that shows nothing of clothes and body",
    Colour.MUTED: "muted mosaic: coarse cells with half of their colour and contrast",
    Colour.FULL: "coloured mosaic: coarse cells in their colour",
}


def looks(g: Grounds) -> dict[Style | Colour, list[str]]:
    """How people look on the wall, and on which cameras (their names)."""
    shown: dict[Style | Colour, list[str]] = {}
    for camera in g.site.cameras:
        style = g.site.redaction.style
        look = style if style is Style.SILHOUETTE else camera.colour or g.site.redaction.colour
        shown.setdefault(look, []).append(camera.name)
    return shown


def described(g: Grounds) -> str:
    """The looks in force, in German, for a sentence."""
    shown = looks(g)
    if len(shown) == 1:
        return _GERMAN[next(iter(shown))]
    return "; ".join(f"{_GERMAN[look]} ({', '.join(names)})" for look, names in shown.items())


def costs(g: Grounds, language: str) -> tuple[Sentence, ...]:
    """A sentence with the figures for each look in force."""
    words: Callable[[Style | Colour], str] = _english if language == "en" else _german
    evidence = (setting("redaction.style"), setting("redaction.colour"), setting("cameras.colour"), test("tests/figures/test_attack.py"))
    return tuple(say(words(look), *evidence) for look in looks(g))


def _german(look: Style | Colour) -> str:
    found = MEASURED[look]
    return (
        f"Was von Personen bleibt ({_GERMAN[look]}), gemessen an Testaufnahmen mit dem stärksten von fünfzehn Vergleichen: Eine Sekunde "
        f"später ist unter den Anwesenden mit {found.moment} % die richtige Person zu finden (Raten: {GUESSED.moment} %, unverpixelt "
        f"{UNREDACTED.moment} %), zu anderer Zeit mit {found.other} % ({GUESSED.other} %, {UNREDACTED.other} %), aus Mittelwerten "
        f"vieler Bilder mit {found.averages} % ({GUESSED.averages} %, {UNREDACTED.averages} %). "
        "Größe, Ort, Gang und Begleitung sieht man immer."
    )


def _english(look: Style | Colour) -> str:
    found = MEASURED[look]
    return (
        f"What is left of people ({_ENGLISH[look]}), measured on test footage with the strongest of fifteen comparisons: a second later "
        f"the right person is found among those present {found.moment} % of the time (guessing {GUESSED.moment} %, unredacted "
        f"{UNREDACTED.moment} %), at another time {found.other} % ({GUESSED.other} %, {UNREDACTED.other} %), from averages of many "
        f"pictures {found.averages} % ({GUESSED.averages} %, {UNREDACTED.averages} %). Size, place, gait and company can always be seen."
    )
