"""Words about changes of settings; part of the texts of the pages."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.web.words import N_

SETTINGS_PROBLEMS: Mapping[str, str] = {
    "law": N_("Diese Änderung widerspricht einer Regel. Es wurde nichts geändert."),
    "file": N_("So kann die Anlagendatei nicht sein. Es wurde nichts geändert."),
    "nothing": N_("Das ist schon so. Es wurde nichts geändert."),
    "clash": N_("Inzwischen hat jemand dieselbe Einstellung geändert. Dieser Vorschlag passt nicht mehr; bitte machen Sie einen neuen."),
    "by-hand": N_(
        "Die Anlagendatei wurde von Hand geändert. Sehen Sie sich diese Änderung zuerst an: Erst wenn sie in Kraft gesetzt oder die Datei "
        "zurückgestellt ist, lässt sich etwas anderes in Kraft setzen."
    ),
    "other": N_("Die Anlagendatei ist inzwischen eine andere. Bitte sehen Sie sich an, was jetzt darin steht."),
    "gone": N_("Das gibt es nicht mehr. Jemand anders war schneller."),
    "same": N_("Das muss eine zweite Person tun, nicht Sie selbst."),
    "left": N_("Wer das vorgeschlagen hat, darf es nicht mehr. Bitte lehnen Sie es ab; wer verwaltet, schlägt es neu vor."),
    "accounts": N_("Konten ändern Sie auf der Seite „Personen“; die Anlagendatei nennt nur, wer beim ersten Start eines bekommt."),
    "anchor": N_(
        "Daran wird die Anlage selbst gemessen (Wurzel der Sichtenden, Zeuge, Nummer und Ort der Anlage). Es wird nur am Server von Hand "
        "geändert."
    ),
    "form": N_("Diese Stelle gibt es in der Anlagendatei nicht, oder sie lässt sich nicht allein ändern."),
    "read-only": N_("Das Programm darf die Anlagendatei nicht schreiben. Bitte am Server die Rechte der Datei und ihres Ordners ansehen."),
    "demo": N_("Das ist eine Vorführung mit anderem Bildmaterial; ihre Einstellungen stehen in keiner Datei und lassen sich nicht ändern."),
    "device": N_("Die Anlagendatei lässt sich nicht lesen oder schreiben. Es wurde nichts geändert."),
    "value": N_("Das ist kein Wert, wie die Anlagendatei ihn schreibt: Text in Anführungszeichen, Zahlen mit Punkt, true oder false."),
}
CHANGE_STATES: Mapping[str, str] = {
    "waiting": N_("wartet auf eine zweite Person"),
    "writing": N_("wird geschrieben"),
    "applied": N_("in Kraft gesetzt"),
    "withdrawn": N_("zurückgezogen oder abgelehnt"),
    "overtaken": N_("überholt"),
}
REACH_WORDS: Mapping[str, str] = {
    "told": N_("gilt sofort, das Bild läuft weiter"),
    "anew": N_("diese Kamera beginnt neu, einige Sekunden ohne Bild"),
    "begins": N_("neue Kamera beginnt"),
    "ends": N_("Kamera endet"),
}
SETTINGS_EVENTS: Mapping[str, str] = {
    "settings-changed": N_("Einstellungen geändert"),
    "settings-proposed": N_("Änderung der Einstellungen vorgeschlagen"),
    "settings-applied": N_("Änderung der Einstellungen in Kraft gesetzt"),
    "settings-withdrawn": N_("Änderung der Einstellungen zurückgezogen"),
    "settings-overtaken": N_("Vorschlag zu den Einstellungen überholt"),
}
