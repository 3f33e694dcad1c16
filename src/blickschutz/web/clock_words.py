"""Words about the time for deadlines; part of the texts of the pages."""

from __future__ import annotations

from blickschutz.web.words import N_

CLOCK_EVENTS = {
    "clock-changed": N_("Uhr des Rechners geändert"),
    "clock-suspended": N_("Fristen ausgesetzt, weil die Zeit unklar ist"),
    "clock-resumed": N_("Fristen laufen wieder, die Uhr stimmt überein"),
    "clock-counted": N_("Zeit zwischen zwei Starts gezählt oder noch offen"),
    "clock-proposed": N_("Entscheidung über die Zeit vorgeschlagen"),
    "clock-confirmed": N_("Entscheidung über die Zeit zu zweit bestätigt"),
}

_COMPARE = N_("Vergleichen Sie die Uhr des Rechners mit einer, der Sie trauen: Funkuhr, Telefon.")
_BATTERY = N_("Batterie: Ist die auf der Hauptplatine leer, beginnt die Uhr nach jedem Stromausfall mit einer alten Zeit.")
_SERVER = N_("Zeitserver oder Funkempfänger: Ist die Quelle erreichbar, und geht sie richtig?")
_PLACE = N_("Standort des Rechners: Wann wurde er aus- und wieder eingeschaltet, und warum? Stromausfall, Wartung, Umzug?")
_HAND = N_("Hat jemand die Uhr gestellt? Wer den Rechner betreut, weiß es.")
_VIRTUAL = N_("Virtuelle Maschine: War sie angehalten, oder wurde ein Schnappschuss geholt?")
_COPIED = N_("Datenordner: Wurde er verschoben, kopiert oder aus einer Sicherung zurückgeholt?")
_DISK = N_("Datenträger: Meldet er Fehler, oder war er voll?")
_ACCESS = N_("Zugang: Wer konnte an die Dateien des Rechners?")
_SET = N_("Stellen Sie zuerst die Uhr des Rechners. Vorher lässt sich nichts bestätigen.")

# Why deadlines are suspended: what is wrong, and what to check.
SUSPENDED_WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "start-back": (
        N_("Nach einem Neustart zeigt die Uhr des Rechners eine frühere Zeit, als zuvor schon erreicht war."),
        (_COMPARE, _BATTERY, _SERVER, _PLACE),
    ),
    "start-ahead": (
        N_("Nach einem Neustart liegt die Uhr des Rechners weit vor der zuletzt bekannten Zeit. Ob er so lange aus war, ist unklar."),
        (_PLACE, _COMPARE, _SERVER, _BATTERY),
    ),
    "jump-back": (
        N_("Die Uhr des Rechners ist im laufenden Betrieb zurückgesprungen."),
        (_HAND, _COMPARE, _SERVER, _VIRTUAL),
    ),
    "jump-ahead": (
        N_("Die Uhr des Rechners ist im laufenden Betrieb vorgesprungen."),
        (_HAND, _COMPARE, _SERVER, _VIRTUAL),
    ),
    "impossible": (
        N_("Die Uhr des Rechners zeigt eine Zeit, die nicht sein kann."),
        (_SET, _BATTERY, _SERVER),
    ),
    "file-missing": (
        N_("Die Datei mit der gezählten Zeit fehlt, obwohl es Aufzeichnungen gibt."),
        (_COPIED, _DISK, _ACCESS, _COMPARE),
    ),
    "file-damaged": (
        N_("Die Datei mit der gezählten Zeit ist beschädigt oder nicht von dieser Anlage. Sie wurde beiseitegelegt."),
        (_DISK, _ACCESS, _COPIED, _COMPARE),
    ),
    "file-older": (
        N_("Die Datei mit der gezählten Zeit ist älter als das Protokoll."),
        (_COPIED, _VIRTUAL, _ACCESS, _COMPARE),
    ),
    "epoch-unknown": (
        N_("Es gibt Aufzeichnungen, deren Zeitstempel die Datei mit der gezählten Zeit nicht kennt."),
        (_COPIED, _VIRTUAL, _ACCESS, _COMPARE),
    ),
}

# What can be confirmed, by what happened: after a start, after a jump, after damage.
CHOICE_WORDS = {"wall": N_("Die Uhr des Rechners stimmt"), "count": N_("Das Gezählte stimmt")}
CHOICE_MEANINGS = {
    ("start", "wall"): N_("Der Rechner war so lange aus, wie die Uhr sagt. Diese Zeit wird gezählt."),
    ("start", "count"): N_("Die Uhr ging falsch oder wurde gestellt. Die Zeit, in der der Rechner aus war, wird nicht gezählt."),
    ("jump", "wall"): N_("Der Sprung ist Zeit, die wirklich verging, etwa weil eine virtuelle Maschine angehalten war. Er wird gezählt."),
    ("jump", "count"): N_("Der Sprung war eine Korrektur der Uhr. Daten auf den Seiten folgen ihr; das Alter der Aufzeichnungen bleibt."),
    ("damage", "wall"): N_("Aufzeichnungen ohne bekannten Zeitstempel werden nach dem Datum beurteilt, an dem sie begannen."),
    ("damage", "count"): N_("Aufzeichnungen ohne bekannten Zeitstempel gelten als jetzt aufgezeichnet. Sie enden später, keine zu früh."),
}
CLOCK_PROBLEMS = {
    "not-suspended": N_("Die Fristen laufen schon wieder. Es gibt nichts mehr zu entscheiden."),
    "not-possible": N_("Das lässt sich jetzt nicht wählen. Die Seite zeigt den neuen Stand."),
    "gone": N_("Diesen Vorschlag gibt es nicht mehr. Es wurde nichts entschieden; die Seite zeigt den neuen Stand."),
    "same-person": N_("Sie haben das selbst vorgeschlagen. Bestätigen muss es eine andere Person."),
    "left": N_("Wer das vorgeschlagen hat, darf es nicht mehr. Bitte schlagen Sie es selbst vor; eine andere Person bestätigt."),
    "changed": N_("Die Uhr oder die Liste hat sich inzwischen geändert. Es wurde nichts entschieden; bitte lesen Sie die Liste neu."),
    "unread": N_("Bitte lesen Sie die Liste und bestätigen Sie das mit dem Haken. Es wurde nichts entschieden."),
    "basis": N_("Bitte wählen Sie, was stimmt."),
    "unsaved": N_("Die Entscheidung konnte nicht gespeichert werden und gilt nicht. Bitte den Datenträger prüfen lassen."),
}
CLOCK_AWRY = N_("kein Datum")
SPANS = {"s": N_("{n} s"), "min": N_("{n} min"), "h": N_("{n} h {m} min"), "days": N_("{n} Tage {m} h")}
