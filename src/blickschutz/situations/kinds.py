"""What a behaviour rule found: kinds from a closed vocabulary, in neutral physical words, with figures to check it by.

Names describe movement and things, never intent, identity or guilt (DESIGN 6, KI-02).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Cause


class Kind(StrEnum):
    """All situations that this software knows. There are no others."""

    PERSON_IN_ZONE = "person_in_zone"
    LOITERING = "loitering"
    GATHERING = "gathering"
    FAST_MOVEMENT = "fast_movement"
    APPROACH = "approach"
    PHYSICAL_ALTERCATION = "physical_altercation"
    PERSON_DOWN = "person_down"
    REPEATED_BRIEF_CONTACT = "repeated_brief_contact"
    SURFACE_CHANGED = "surface_changed"
    OBJECT_LEFT = "object_left"
    OBJECT_REMOVED = "object_removed"
    LINE_CROSSED = "line_crossed"
    CAMERA_TAMPERED = "camera_tampered"


NAMES: Mapping[Kind, tuple[str, str]] = {
    Kind.PERSON_IN_ZONE: ("Person im Bereich", "Person in zone"),
    Kind.LOITERING: ("Verweilen", "Loitering"),
    Kind.GATHERING: ("Ansammlung", "Gathering"),
    Kind.FAST_MOVEMENT: ("Schnelle Bewegung", "Fast movement"),
    Kind.APPROACH: ("Annäherung", "Approach"),
    Kind.PHYSICAL_ALTERCATION: ("Körperliche Auseinandersetzung", "Physical altercation"),
    Kind.PERSON_DOWN: ("Sturz oder liegende Person", "Person down"),
    Kind.REPEATED_BRIEF_CONTACT: ("Wiederholte kurze Kontakte", "Repeated brief contacts"),
    Kind.SURFACE_CHANGED: ("Veränderte Oberfläche", "Surface changed"),
    Kind.OBJECT_LEFT: ("Abgestellter Gegenstand", "Object left"),
    Kind.OBJECT_REMOVED: ("Entfernter Gegenstand", "Object removed"),
    Kind.LINE_CROSSED: ("Linie überschritten", "Line crossed"),
    Kind.CAMERA_TAMPERED: ("Kamera verstellt oder verdeckt", "Camera tampered with"),
}

# What a person can check with their own eyes; the names are those of the figures that a rule gives.
_EXPLANATIONS: Mapping[Kind, tuple[str, str]] = {
    Kind.PERSON_IN_ZONE: (
        "{persons:.0f} Person(en) seit {seconds:.1f} s im Bereich",
        "{persons:.0f} person(s) in the zone for {seconds:.1f} s",
    ),
    Kind.LOITERING: (
        "eine Person seit {seconds:.0f} s in einem Umkreis von {metres:.1f} {m}",
        "one person for {seconds:.0f} s within {metres:.1f} {m}",
    ),
    Kind.GATHERING: (
        "{persons:.0f} Personen in einem Umkreis von {metres:.1f} {m} seit {seconds:.0f} s",
        "{persons:.0f} persons within {metres:.1f} {m} for {seconds:.0f} s",
    ),
    Kind.FAST_MOVEMENT: (
        "eine Person mit {metres_per_second:.1f} {mps} über {seconds:.1f} s",
        "one person at {metres_per_second:.1f} {mps} over {seconds:.1f} s",
    ),
    Kind.APPROACH: (
        "eine Person kommt mit {metres_per_second:.1f} {mps} auf eine andere zu, von {from_metres:.1f} auf {to_metres:.1f} {m}",
        "one person closes in on another at {metres_per_second:.1f} {mps}, from {from_metres:.1f} to {to_metres:.1f} {m}",
    ),
    Kind.PHYSICAL_ALTERCATION: (
        "2 Personen im Abstand von {metres:.1f} {m} seit {seconds:.1f} s, Gliedmaßen bis {limbs:.2f} Körperhöhen/s, "
        "Bewegung in {spread:.0%} aller Richtungen",
        "2 persons {metres:.1f} {m} apart for {seconds:.1f} s, limbs up to {limbs:.2f} body heights/s, "
        "motion in {spread:.0%} of all directions",
    ),
    Kind.PERSON_DOWN: (
        "Höhe auf {height_share:.0%} der stehenden Höhe gesunken, seit {seconds:.1f} s; Anzeichen für Liegen: {lying:.0%}",
        "height fell to {height_share:.0%} of the standing height, {seconds:.1f} s ago; signs of lying: {lying:.0%}",
    ),
    Kind.REPEATED_BRIEF_CONTACT: (
        "eine Person mit {contacts:.0f} kurzen Kontakten zu verschiedenen Personen in {minutes:.1f} min",
        "one person with {contacts:.0f} brief contacts with different persons within {minutes:.1f} min",
    ),
    Kind.SURFACE_CHANGED: (
        "Fläche von {square_metres:.2f} {sqm} seit {seconds:.0f} s verändert, zuvor war jemand daran",
        "an area of {square_metres:.2f} {sqm} changed for {seconds:.0f} s, after somebody was near it",
    ),
    Kind.OBJECT_LEFT: ("Gegenstand steht seit {seconds:.0f} s, niemand ist dabei", "object there for {seconds:.0f} s with nobody near"),
    Kind.OBJECT_REMOVED: ("Gegenstand fehlt seit {seconds:.0f} s", "object gone for {seconds:.0f} s"),
    Kind.LINE_CROSSED: (
        "eine Person hat die Linie mit {metres_per_second:.1f} {mps} überschritten",
        "one person crossed the line at {metres_per_second:.1f} {mps}",
    ),
    Kind.CAMERA_TAMPERED: (
        "{agreement:.0%} der gewohnten Ansicht, Schärfe {sharpness:.0%}, Helligkeit {luma:.0f}, seit {seconds:.1f} s",
        "{agreement:.0%} of the usual view, sharpness {sharpness:.0%}, brightness {luma:.0f}, for {seconds:.1f} s",
    ),
}

# Put before the figures: which of these a situation has a figure for, by name.
_CAUSES: Mapping[str, tuple[str, str]] = {
    Cause.COVERED.value: ("verdeckt", "covered"),
    Cause.DEFOCUSED.value: ("unscharf", "out of focus"),
    Cause.DARK.value: ("verdunkelt", "darkened"),
    Cause.BLINDED.value: ("geblendet", "blinded"),
    Cause.MOVED.value: ("verdreht oder verschoben", "turned or moved"),
    Cause.FROZEN.value: ("Bild eingefroren", "picture frozen"),
}

# A figure that says that metres were estimated: its value is what a body's height was taken for, in metres.
UNCALIBRATED = "body_metres"
_POWERS: Mapping[str, int] = {"metres": 1, "from_metres": 1, "to_metres": 1, "metres_per_second": 1, "square_metres": 2}


@dataclass(frozen=True, slots=True)
class Situation:
    """One situation, from the moment at which its rule became true.

    `number` is unique in its camera since the cell's start. Times in seconds: `at` monotonic, `taken` POSIX.
    `box` is where, in shares of the picture (0..1). `ended_at` is None while it goes on.
    """

    number: int
    kind: Kind
    zone: str
    at: float
    taken: float
    confidence: float
    figures: Mapping[str, float] = field(default_factory=dict)
    box: Box | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """Evidence for one kind about one candidate (pair, person, place) from its begin to its end: numbers alone.

    `peak` is the highest score (0..1) on which a threshold is laid, `threshold` the one in force at that moment. `at` is when the
    score reached it, where it did; else when the score was highest. Times in seconds: `at` and `ended_at` monotonic, `taken` POSIX.
    """

    kind: Kind
    zone: str
    at: float
    taken: float
    ended_at: float
    peak: float
    threshold: float
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def alarmed(self) -> bool:
        """Whether people were told of it."""
        return self.peak >= self.threshold


def name(kind: Kind, language: str) -> str:
    """The neutral name of a kind, in "de" or "en"."""
    return NAMES[kind][0 if language == "de" else 1]


def explanation(kind: Kind, figures: Mapping[str, float], language: str) -> str:
    """The figures of a situation as one line; empty where an outside source gave other figures.

    Where the camera is not calibrated (`figures` hold `UNCALIBRATED`) lengths are told in body heights.
    """
    german = language == "de"
    body = figures.get(UNCALIBRATED, 0.0)
    values = {key: value / body ** _POWERS.get(key, 0) if body else value for key, value in figures.items()}
    height = "Körperhöhen" if german else "body heights"
    units = {"m": height, "mps": f"{height}/s", "sqm": f"{height}²"} if body else {"m": "m", "mps": "m/s", "sqm": "m²"}
    try:
        text = _EXPLANATIONS[kind][0 if german else 1].format(**values, **units)
    except KeyError:
        return ""
    causes = ", ".join(words[0 if german else 1] for cause, words in _CAUSES.items() if cause in figures)
    text = f"{causes}: {text}" if causes else text
    # A decimal comma, as an office writes it; the dots in these lines stand in numbers only.
    return text.replace(".", ",").replace("%", " %") if german else text
