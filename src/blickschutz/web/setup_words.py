"""Setting a camera up: why a drawing is not taken, how is measured, and what the script of drawings says."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.web.words import N_

SETUP_PROBLEMS: Mapping[str, str] = {
    "drawing-unreadable": N_("Die Zeichnung kam nicht vollständig an. Bitte die Seite neu laden und noch einmal zeichnen."),
    "drawing-name": N_("Jeder Bereich braucht einen Namen, jede verdeckte Fläche einen Grund."),
    "drawing-size": N_("Von dieser Kamera kam noch kein Bild; ohne seine Größe lässt sich nicht messen."),
    "drawing-people": N_("Bitte die Person an drei Stellen einzeichnen."),
    "drawing-close": N_("Die drei Stellen liegen zu nah beieinander: bitte eine vorn, eine in der Mitte, eine hinten im Bild."),
    "drawing-upside-down": N_(
        "Wer weiter unten im Bild steht, muss größer erscheinen, und der Kopf liegt über den Füßen. Bitte die Strecken prüfen."
    ),
    "drawing-apart": N_(
        "Die drei Größen passen nicht zu einem ebenen Boden. Bitte prüfen, ob jede Strecke von den Füßen bis zum Scheitel reicht."
    ),
}
RULER_WORDS: Mapping[str, str] = {
    "keep": N_("wie bisher"),
    "scale": N_("zwei Punkte und ihr Abstand"),
    "people": N_("eine stehende Person an drei Stellen"),
    "none": N_("gar nicht: Das Mosaik wird dann so grob wie für jemanden, der das ganze Bild füllt"),
}
# For the script of the drawing; {} is filled in there.
SETUP_TEXTS: Mapping[str, str] = {
    "corner": N_("Ecke {} von {}"),
    "middle": N_("Mitte nach Ecke {} von {}: Eingabetaste macht eine Ecke daraus"),
    "lineEnd": N_("Ende {} von Linie {}"),
    "rulerEnd": N_("Ende {} der Messstrecke"),
    "foot": N_("Füße an Stelle {}"),
    "head": N_("Kopf an Stelle {}"),
    "zoneName": N_("Name von Bereich {}"),
    "reason": N_("Grund von verdeckter Fläche {}"),
    "line": N_("Linie {}"),
    "both": N_("in beiden Richtungen"),
    "remove": N_("Entfernen"),
    "newZone": N_("Bereich {}"),
    "newPrivacy": N_("Verdeckte Fläche {}"),
    "crossing": N_("Der Rand kreuzt sich selbst, wie eine Acht. Bitte die Ecken der Reihe nach rund um die Fläche legen."),
    "flat": N_("Die Fläche ist leer. Bitte die Ecken auseinanderziehen."),
    "unnamed": N_("Jeder Bereich braucht einen Namen, jede verdeckte Fläche einen Grund."),
    "noGround": N_("So lässt sich nicht messen: Wer weiter unten steht, muss größer erscheinen, und die Länge größer als null sein."),
    "noSize": N_("Von dieser Kamera kam noch kein Bild; ohne seine Größe lässt sich nicht messen."),
    "measured": N_("Höchste Dichte: {} px/m ({})"),
    "unmeasured": N_("Nicht kalibriert."),
    "below": N_("unter Überwachen"),
    "place": N_("Standort von {}"),
    "look": N_("Blickrichtung und Reichweite von {}"),
}
