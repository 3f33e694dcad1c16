"""The figures as a text that the video system's officer types by hand as views of data subjects (Art. 35(9) GDPR)."""

from __future__ import annotations

import hashlib

from stimmungsbild.publication.model import Figures
from stimmungsbild.publication.report import texts
from stimmungsbild.questionnaire.model import GERMAN, Questionnaire
from stimmungsbild.questionnaire.rules import label


def views(q: Questionnaire, what: Figures, file: bytes) -> str:
    """Standpunkte der Betroffenen: shares of the town with their intervals, what they are and are not, and the file's SHA-256."""
    names = {item.name: label(q, item, GERMAN) for item in q.items()}
    said = [
        f"{names[row.name]}: {row.town.percent} % fühlen sich unsicher (95-%-Bereich {row.town.low} bis {row.town.high} %)"
        for row in what.unsafe
        if row.town and row.name in names
    ]
    lines = [
        f"Standpunkte der Betroffenen (Art. 35 Abs. 9 DSGVO) aus der Befragung {what.wave}, gedruckt am {what.printed}.",
        *([texts(GERMAN)["simulated"]] if what.simulated else []),
        "; ".join(said) + ".",
        f"Grundlage: Antworten auf Briefe an zufällig gezogene Menschen ({what.register_people or 'zu wenige'}), offene Beteiligung "
        f"getrennt.",
        texts(GERMAN)["method_necessity"],
        f"Signierte Datei der Zahlen: SHA-256 {hashlib.sha256(file).hexdigest()}.",
    ]
    return "\n".join(lines)
