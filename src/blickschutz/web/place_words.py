"""Why a view of the wall or a floor plan is not taken."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.web.words import N_

PLAN_PROBLEMS: Mapping[str, str] = {
    "plan-unknown": N_("Das ist weder eine Zeichnung (SVG) noch ein Bild (PNG, JPEG)."),
    "plan-large": N_("Die Datei ist zu groß: höchstens 2 MB als Zeichnung, 8 MB und 40 Megapixel als Bild."),
    "plan-runs": N_(
        "Diese Zeichnung enthält Programmteile (etwa script oder onclick). Speichern Sie sie ohne diese neu, etwa als „Einfaches SVG“."
    ),
    "plan-outside": N_(
        "Diese Zeichnung verweist nach außen, auf andere Dateien oder Seiten. Betten Sie Bilder ein und speichern Sie sie neu."
    ),
    "plan-entities": N_("Diese Zeichnung hat einen DOCTYPE oder eigene Kürzel (Entities). Speichern Sie sie als „Einfaches SVG“ neu."),
    "plan-unreadable": N_("Die Datei lässt sich nicht lesen."),
    "plan-shape": N_("Der Grundriss ist zu schmal oder zu flach; Breite und Höhe dürfen höchstens vier zu eins sein."),
    "plan-metres": N_("Bitte die Breite in Metern angeben, zwischen 2 und 5000."),
    "plan-north": N_("Bitte angeben, wo Norden ist: 0 bis 359 Grad."),
    "plan-gone": N_("Dieser Vorschlag gilt nicht mehr."),
    "plan-same": N_("Das muss eine zweite Person bestätigen."),
    "plan-left": N_("Wer das vorgeschlagen hat, darf es nicht mehr. Bitte lassen Sie es neu vorschlagen."),
}
VIEW_PROBLEMS: Mapping[str, str] = {
    "view-name": N_("Eine Ansicht braucht einen Namen mit höchstens 40 Zeichen."),
    "view-cameras": N_("Eine Ansicht braucht mindestens eine Kamera."),
    "view-many": N_("Es gibt schon zwölf Ansichten. Entfernen Sie zuerst eine."),
    "view-seconds": N_("Der Rundgang braucht ganze Sekunden von 5 bis 600, oder ein leeres Feld."),
}
