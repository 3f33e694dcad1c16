"""Words about requests of those concerned and duties to inform; part of the texts of the pages."""

from __future__ import annotations

from blickschutz.web.words import N_

RIGHT_WORDS = {
    "art-15": N_("Auskunft (Art. 15)"),
    "art-16": N_("Berichtigung (Art. 16)"),
    "art-17": N_("Löschung (Art. 17)"),
    "art-18": N_("Einschränkung (Art. 18)"),
    "art-21": N_("Widerspruch (Art. 21)"),
}
REQUEST_STATES = {
    "open": N_("in Bearbeitung"),
    "prepared": N_("Antwort wartet auf zweite Person"),
    "answered": N_("beantwortet"),
}
REQUEST_OUTCOMES = {
    "granted": N_("Dem Antrag wird entsprochen"),
    "nothing-found": N_("Keine Aufnahme gespeichert"),
    "not-identified": N_("Person nicht zuzuordnen (Art. 11 Abs. 2)"),
    "refused": N_("Abgelehnt"),
    "withdrawn": N_("Zurückgezogen"),
}
DUTY_SOURCES = {"release": N_("Herausgabe"), "hand": N_("von Hand angelegt")}
SETTLEMENT_WORDS = {
    "informed": N_("informiert"),
    "deferred": N_("aufgeschoben"),
    "nobody": N_("niemandem zugeordnet"),
}
REQUEST_PROBLEMS = {
    "name": N_("Bitte geben Sie an, wer fragt."),
    "rights": N_("Bitte wählen Sie, worum es geht."),
    "received": N_("Bitte geben Sie an, an welchem Tag die Anfrage eingegangen ist; er liegt nicht in der Zukunft."),
    "window": N_("Bitte geben Sie Beginn und Ende an, höchstens 31 Tage, oder lassen Sie beides frei."),
    "cameras": N_("Diese Kamera gibt es nicht."),
    "not-now": N_("Das geht jetzt nicht (mehr). Die Seite zeigt den neuen Stand."),
    "too-late": N_("Verlängert werden kann nur innerhalb des ersten Monats (Art. 12 Abs. 3 DSGVO)."),
    "reason": N_("Bitte nennen Sie den Grund."),
    "identity": N_("Bitte halten Sie fest, wie Sie geprüft haben, wer fragt (Art. 12 Abs. 6 DSGVO)."),
    "no-recording": N_("Dazu muss eine Aufzeichnung ausgewählt sein, die noch da ist."),
    "still-recordings": N_("Es sind Aufzeichnungen eingeschränkt. Geben Sie diese zuerst frei oder wählen Sie eine andere Antwort."),
    "left": N_("Wer die Antwort vorbereitet hat, darf es nicht mehr. Bitte geben Sie sie zurück und bereiten Sie sie neu vor."),
    "same-person": N_("Das muss eine zweite Person tun, nicht Sie selbst."),
    "until": N_("Bitte nennen Sie einen Tag in der Zukunft, an dem der Aufschub geprüft wird."),
    "outcome": N_("Bitte wählen Sie ein Ergebnis."),
}
REQUEST_EVENTS = {
    "case-restricted": N_("Aufzeichnung für eine Anfrage eingeschränkt"),
    "case-freed": N_("Einschränkung aufgehoben"),
    "request-recorded": N_("Anfrage erfasst"),
    "request-identified": N_("Identität geprüft"),
    "request-restricted": N_("Aufzeichnungen zur Anfrage eingeschränkt"),
    "request-freed": N_("Aufzeichnungen der Anfrage freigegeben"),
    "request-extended": N_("Frist verlängert"),
    "request-prepared": N_("Antwort vorbereitet"),
    "request-returned": N_("Antwort zurückgegeben"),
    "request-answered": N_("Anfrage beantwortet"),
    "request-erased": N_("Angaben zur anfragenden Person gelöscht"),
    "duty-opened": N_("Informationspflicht angelegt"),
    "duty-settled": N_("Informationspflicht erledigt oder aufgeschoben"),
}
