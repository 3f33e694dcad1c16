"""Words about facts that people enter and sign; part of the texts of the pages."""

from __future__ import annotations

from blickschutz.web.words import N_

FACT_EVENTS = {
    "fact-entered": N_("Nachweis eingetragen"),
    "fact-signed": N_("Nachweis unterschrieben"),
    "fact-withdrawn": N_("Nachweis zurückgezogen"),
}
# In the order in which an office gets them together.
FACT_KINDS = {
    "mildere-mittel": N_("Mildere Mittel versucht"),
    "rechtsgutachten-ki": N_("Rechtsgutachten zur KI-Auswertung"),
    "ki-einstufung": N_("Einstufung nach der KI-Verordnung"),
    "erforderlichkeit-geprueft": N_("Erforderlichkeit geprüft"),
    "rat-datenschutz": N_("Rat der Datenschutzbeauftragten"),
    "dsfa": N_("Datenschutz-Folgenabschätzung freigegeben"),
    "restrisiko-vertretbar": N_("Restrisiko bewertet"),
    "verhaeltnismaessigkeit": N_("Verhältnismäßigkeit geprüft"),
    "standpunkt-betroffene": N_("Standpunkt der Betroffenen"),
    "vorherige-konsultation": N_("Aufsichtsbehörde vorher befragt"),
    "verarbeitungsverzeichnis": N_("Verzeichnis von Verarbeitungstätigkeiten"),
    "personalrat": N_("Beteiligung des Personalrats"),
    "informationsblatt": N_("Informationsblatt"),
    "zeiten-veroeffentlicht": N_("Zeiten veröffentlicht"),
    "privatzonen-freigegeben": N_("Private Bereiche freigegeben"),
    "schulung-bediener": N_("Schulung der Bedienenden"),
    "protokollfrist": N_("Löschfrist des Protokolls"),
    "sicherungskonzept": N_("Sicherungskonzept"),
    "kameranetz": N_("Netz der Kameras"),
    "wechseldatentraeger": N_("Regelung für Wechseldatenträger"),
    "wiederherstellung-geprueft": N_("Wiederherstellung geprüft"),
    "rechte-geprueft": N_("Zugriffsrechte geprüft"),
    "verfahren-datenpanne": N_("Verfahren bei Datenpannen"),
    "verfahren-betroffene": N_("Verfahren für Anfragen Betroffener"),
    "keine-leistungskontrolle": N_("Keine Leistungskontrolle der Beschäftigten"),
    "wartungsvertrag": N_("Wartungsvertrag"),
    "dokumente-freigegeben": N_("Dokumente freigegeben"),
    "beschwerden": N_("Beschwerden"),
    "datenpannen": N_("Datenpannen"),
    "kosten": N_("Kosten"),
    "vergleichsraum": N_("Vergleichsraum"),
    "verdraengung": N_("Verdrängung in andere Bereiche"),
    "evaluation": N_("Ergebnis der Evaluation"),
    "nis2-einordnung": N_("Einordnung nach NIS 2"),
    "kriminalstatistik": N_("Zahlen der Polizei"),
}
FACT_STANDINGS = {
    "waiting": N_("wartet auf Unterschriften"),
    "signed": N_("unterschrieben, gilt"),
    "void": N_("Unterschriften gelten nicht mehr"),
    "withdrawn": N_("zurückgezogen"),
}
FACT_PROBLEMS = {
    "kind": N_("Bitte wählen Sie, was das Dokument belegt."),
    "day": N_("Bitte geben Sie den Tag an, von dem das Dokument ist, als Jahr-Monat-Tag. Er liegt nicht in der Zukunft."),
    "text": N_("Bitte schreiben Sie in ein, zwei Sätzen, was festgestellt wurde."),
    "no-file": N_("Bitte wählen Sie eine Datei."),
    "small": N_("Die Datei ist kleiner als 1 KiB und damit kein Dokument. Bitte prüfen Sie, ob es die richtige ist."),
    "large": N_("Die Datei ist größer als 32 MiB. Bitte scannen Sie sie mit geringerer Auflösung, oder teilen Sie sie."),
    "unreadable": N_("Die Datei lässt sich nicht öffnen. Möglich sind PDF, ODT, DOCX, JPEG und PNG; die Endung des Namens zählt nicht."),
    "not-csv": N_("Die Tabelle passt nicht. Es wurde nichts eingetragen; bitte berichtigen Sie diese Zeilen:"),
    "used": N_("Dieses Dokument steht schon für etwas anderes. Jeder Nachweis braucht sein eigenes Dokument. Es belegt:"),
    "there": N_("Dieses Dokument ist dafür schon eingetragen, als Nachweis"),
    "form": N_("Die Eingabe kam nicht vollständig an. Bitte versuchen Sie es noch einmal."),
    "slow": N_("Die Übertragung brach ab oder dauerte länger als drei Minuten. Bitte versuchen Sie es noch einmal."),
    "crowded": N_("Gerade wird schon ein Dokument hochgeladen. Bitte versuchen Sie es in einer Minute noch einmal."),
    "gone": N_("Dieser Nachweis ist zurückgezogen. Es wurde nichts unterschrieben."),
    "complete": N_("Dieser Nachweis hat schon beide Unterschriften. Jemand anders war schneller."),
    "same-person": N_("Sie haben schon unterschrieben. Die zweite Unterschrift muss von einer anderen Person kommen."),
    "role": N_("Diese Unterschrift ist nicht Ihre. Wer unterschreiben kann, steht unten."),
    "altered": N_("Das Dokument im Datenordner fehlt oder ist nicht mehr dasselbe. Bitte tragen Sie es neu ein."),
    "unread": N_("Bitte öffnen Sie das Dokument, lesen Sie es und bestätigen Sie das mit dem Haken. Es wurde nichts unterschrieben."),
    "reason": N_("Bitte schreiben Sie, warum der Nachweis nicht mehr gelten soll."),
}
