"""Words about the alarm budget; part of the texts of the pages."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.web.words import N_

SENSITIVITY_EVENTS = {
    "shadow-began": N_("Probezeit einer Kamera begonnen"),
    "shadow-over": N_("Probezeit einer Kamera beendet"),
    "budget-exceeded": N_("Kamera kostet mehr Fehlalarme als erlaubt"),
    "threshold-accepted": N_("Meldeschwelle angenommen"),
    "threshold-undone": N_("Meldeschwelle zurückgenommen"),
}
# Why a kind has its threshold: a word, and what it means.
STANDING_WORDS: Mapping[str, tuple[str, str]] = {
    "fact": (N_("ohne Budget"), N_("Wer im Bereich ist, ist dort; eine Schwelle macht das nicht seltener.")),
    "counted": (N_("nur gezählt"), N_("Nach den Einstellungen folgt daraus weder Meldung noch Aufzeichnung.")),
    "fixed": (N_("fest eingestellt"), N_("Die Schwelle steht in der Datei der Anlage und gilt, bis sie dort geändert wird.")),
    "never": (N_("meldet nie"), N_("Das Budget dieser Art ist null.")),
    "shadow": (N_("meldet noch nicht"), N_("Diese Art wird nur gezählt, bis jemand eine Schwelle angenommen hat.")),
    "start": (N_("Anfangswert"), N_("Es gilt der vorsichtige Anfangswert, bis jemand eine Schwelle angenommen hat.")),
    "accepted": (N_("angenommen"), N_("Eine Person hat diese Schwelle angenommen.")),
    "off": (N_("hier abgeschaltet"), N_("Eine Person hat angenommen, dass diese Art an dieser Kamera nicht taugt.")),
}
WHY_WORDS: Mapping[str, str] = {
    "first": N_("Die Kamera wurde lange genug beobachtet. Diese Schwelle hält das Budget ein."),
    "over": N_("In den letzten Tagen kostete diese Art mehr Fehlalarme als erlaubt. Diese Schwelle hält das Budget wieder ein."),
    "room": N_("Die Kamera ist ruhiger als angenommen. Mit dieser Schwelle findet sie mehr und hält das Budget trotzdem ein."),
    "recall": N_("Um das Budget einzuhalten, müsste die Schwelle so hoch liegen, dass zu wenige echte Vorfälle gefunden würden."),
    "noise": N_("Keine Schwelle hält das Budget ein: Auch ohne Anlass erreicht diese Art hier zu oft die höchsten Werte."),
}
BEGAN_WORDS: Mapping[str, str] = {
    "new": N_("Die Kamera ist neu."),
    "settings": N_("Einstellungen der Kamera oder der Auswertung wurden geändert. Deshalb wird neu gezählt."),
    "view": N_("Die Kamera zeigte länger als zehn Minuten eine andere Ansicht. Deshalb wird neu gezählt."),
    "damaged": N_("Die gezählten Werte waren beschädigt und wurden verworfen. Deshalb wird neu gezählt."),
    "by-hand": N_("Eine Person hat angegeben, dass die Kamera etwas anderes sieht. Deshalb wird neu gezählt."),
}
SENSITIVITY_PROBLEMS: Mapping[str, str] = {
    "unknown": N_("Diese Kamera oder Art gibt es nicht."),
    "changed": N_("Der Vorschlag hat sich inzwischen geändert. Bitte lesen Sie ihn noch einmal; es wurde nichts übernommen."),
    "nothing": N_("Es gibt hier nichts anzunehmen oder zurückzunehmen."),
}
