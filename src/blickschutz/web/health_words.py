"""Words about the control room's own state; part of the texts of the pages."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.web.words import N_

# What is wrong, and what to do about it; by `control.vitals.Need`.
NEED_WORDS: Mapping[str, tuple[str, str]] = {
    "camera-out": (
        N_("Eine Kamera zeigt kein Bild"),
        N_("Die Tabelle der Kameras nennt den Grund. Die Verbindung wird von selbst wieder aufgebaut."),
    ),
    "camera-unrecordable": (
        N_("Ein Strom lässt sich nicht aufzeichnen"),
        N_(
            "Die Kamera zeigt, zeichnet aber nicht auf. Bitte an der Kamera H.264 oder H.265 und alle ein bis zwei Sekunden ein Vollbild "
            "(Keyframe) einstellen."
        ),
    ),
    "picture-size": (
        N_("Das Bild einer Kamera hat eine andere Größe als in der Anlagendatei"),
        N_("Die Dokumente rechnen die Pixeldichte mit der Anlagendatei. Bitte picture der Kamera dort berichtigen und neu drucken."),
    ),
    "other-device": (
        N_("Der Detektor einer Kamera rechnet nicht auf dem eingestellten Gerät, oder dort langsamer"),
        N_(
            "Es geht nichts verloren, kostet aber mehr Prozessorzeit. Gerät und Treiber prüfen, dann Blickschutz neu starten; oder "
            "analysis.device in der Anlagendatei auf CPU stellen."
        ),
    ),
    "other-decoder": (
        N_("Der Strom einer Kamera wird nicht auf dem eingestellten Gerät dekodiert, oder kostet dort mehr"),
        N_(
            "Das Bild läuft weiter, kostet aber mehr Prozessorzeit. Gerät und Treiber prüfen, dann Blickschutz neu starten; oder "
            "analysis.decoding in der Anlagendatei auf software stellen."
        ),
    ),
    "work-stopped": (
        N_("Eine Arbeit im Hintergrund läuft nicht"),
        N_("Sie wird von selbst wieder begonnen. Bleibt es so, Blickschutz neu starten und diese Meldung aufheben."),
    ),
    "work-failing": (
        N_("Eine Arbeit im Hintergrund scheitert immer wieder"),
        N_("Die Fehlermeldung sagt, woran es liegt. Es wird weiter versucht."),
    ),
    "items-aside": (
        N_("Aufgaben wurden beiseitegelegt, weil sie nicht gelingen"),
        N_("Die Fehlermeldung sagt, woran es liegt. Nach der Behebung Blickschutz neu starten: Das holt nach, was nachzuholen ist."),
    ),
    "queue-old": (
        N_("Aufgaben warten zu lange"),
        N_("Datenträger und Datenbank prüfen. Es wird der Reihe nach abgearbeitet, nichts geht verloren."),
    ),
    "store-failed": (
        N_("Zuletzt konnte etwas nicht gespeichert werden"),
        N_("Datenträger prüfen: Platz, Rechte, Fehler."),
    ),
    "database-unreadable": (
        N_("Eine Datenbank antwortet nicht"),
        N_("Datenträger und Rechte prüfen; der Befehl „blickschutz check“ sagt mehr. Nichts löschen."),
    ),
    "database-busy": (
        N_("In eine Datenbank kann gerade nicht geschrieben werden"),
        N_("Ein anderes Programm hält sie fest, zum Beispiel eine Sicherung. Geht es nicht vorüber, dieses Programm beenden."),
    ),
    "database-slow": (
        N_("Eine Datenbank antwortet langsam"),
        N_("Datenträger und Auslastung des Rechners prüfen."),
    ),
    "replica-gone": (
        N_("Ein zweiter Datenbankserver ist nicht verbunden"),
        N_(
            "Fällt jetzt der erste aus, fehlt, was seither bestätigt wurde; wird auf den zweiten gewartet, wird nichts bestätigt. Zweiten "
            "Server und Netz prüfen; die Betreuung der Datenbank verständigen."
        ),
    ),
    "replica-behind": (
        N_("Ein zweiter Datenbankserver bleibt zurück"),
        N_("Netz, Datenträger und Auslastung des zweiten Servers prüfen. Bis er aufgeholt hat, kann er nicht für den ersten einspringen."),
    ),
    "replica-unawaited": (
        N_("Auf den zweiten Datenbankserver wird nicht gewartet"),
        N_("Was bestätigt ist, steht womöglich nur auf dem ersten. Die Betreuung der Datenbank stellt synchronous_standby_names ein."),
    ),
    "replicas-unseen": (
        N_("Ob ein zweiter Datenbankserver folgt, ist nicht zu sehen"),
        N_("Die Fehlermeldung nennt der Betreuung der Datenbank das Recht oder den Befehl, der fehlt."),
    ),
    "loop-stood": (
        N_("Der Leitstand stand in der letzten Minute still"),
        N_("Auslastung des Rechners prüfen: andere Programme, Arbeitsspeicher, Datenträger."),
    ),
    "loop-slow": (
        N_("Der Leitstand reagiert langsam"),
        N_("Auslastung des Rechners prüfen: andere Programme, Arbeitsspeicher, Datenträger."),
    ),
    "disk-unreadable": (
        N_("Der Datenträger der Aufzeichnungen antwortet nicht"),
        N_("Datenträger, Einbindung und Rechte prüfen. Es wird nichts aufgezeichnet."),
    ),
    "disk-full": (
        N_("Der Platz für Aufzeichnungen ist aufgebraucht, es wird nichts aufgezeichnet"),
        N_("Platz schaffen; im Ordner von Blickschutz aber nichts löschen."),
    ),
    "disk-short": (
        N_("Der Platz reicht für weniger als zwei Tage Aufzeichnung"),
        N_("Einen größeren Datenträger einplanen, oder prüfen, warum so viel aufgezeichnet wird."),
    ),
    "chain-broken": (
        N_("Das Protokoll ist nicht unversehrt"),
        N_("Nichts ändern, den Datenträger aufheben und die Datenschutzbeauftragte verständigen."),
    ),
    "chain-old": (
        N_("Das Protokoll wurde lange nicht geprüft"),
        N_("Blickschutz neu starten. Bleibt es so, diese Meldung aufheben."),
    ),
    "anchor-broken": (
        N_("Protokoll und Zeuge stimmen nicht überein"),
        N_("Nichts ändern, den Datenträger aufheben, die Datenschutzbeauftragte verständigen: „blickschutz verify audit“ sagt, was fehlt."),
    ),
    "anchor-old": (
        N_("Der Zeuge bestätigt das Protokoll nicht"),
        N_("Prüfen, ob der Zeuge läuft, erreichbar ist und Platz hat. Es geht nichts verloren; er bekommt alles, sobald er wieder da ist."),
    ),
    "deadlines-overdue": (
        N_("Aufzeichnungen sind fällig und noch da"),
        N_("Datenträger und Rechte prüfen; „blickschutz check“ nennt die Dateien. Es wird weiter versucht."),
    ),
    "notices-unsent": (
        N_("Meldungen nach außen kommen nicht an"),
        N_("Den Meldeweg prüfen. Die Meldungen stehen auf der Seite „Meldungen“; es wird weiter versucht."),
    ),
    "notices-aside": (
        N_("Ein Meldeweg nahm einzelne Meldungen nicht an"),
        N_("Die Fehlermeldung sagt, warum. Andere kamen an; diese stehen auf der Seite „Meldungen“."),
    ),
    "orders-open": (
        N_("Angeordnete Aufzeichnungen haben nicht begonnen"),
        N_("Die Kameras prüfen. Wer die Aufzeichnung braucht, ordnet sie noch einmal an."),
    ),
    "copies-missing": (
        N_("Zweitkopie fehlt"),
        N_("Prüfen, ob der Rechner für Zweitkopien läuft, erreichbar ist und Platz hat; sein Protokoll nennt den Grund."),
    ),
    "clock-suspended": (
        N_("Die Uhr des Rechners ist nicht glaubhaft; alle Fristen ruhen"),
        N_("Batterie, Zeitserver und Uhr prüfen. Reicht das nicht, entscheiden zwei Personen unter „Uhr und Fristen“."),
    ),
    "clock-off": (
        N_("Zeit zwischen zwei Starts ist noch nicht gezählt"),
        N_("Einen Zeitserver einrichten oder prüfen. Bis einer die Uhr bestätigt, enden Aufzeichnungen um so viel später."),
    ),
    "quarantine": (
        N_("Aufzeichnungen liegen in Quarantäne und warten auf zwei Personen"),
        N_("Die Aufsicht verständigen; sie stehen auf der Seite „Vorgänge“. Nichts löschen."),
    ),
    "certificate-ends": (
        N_("Das Zertifikat des Servers läuft in den nächsten Tagen ab"),
        N_("Es hätte sich von selbst erneuert. Rechte des Ordners „tls“ prüfen und Blickschutz neu starten."),
    ),
    "budget-exceeded": (
        N_("Eine Kamera kostet mehr Fehlalarme als erlaubt"),
        N_("Die Aufsicht verständigen; auf der Seite „Empfindlichkeit“ steht ein Vorschlag. Von selbst ändert sich nichts."),
    ),
    "kinds-unavailable": (
        N_("Arten von Ereignissen sind an einer Kamera nicht verfügbar"),
        N_("Innerhalb des Budgets fände die Kamera davon zu wenig. Die Seite „Empfindlichkeit“ nennt Art und Grund."),
    ),
    "thresholds-wait": (
        N_("Vorgeschlagene Meldeschwellen warten auf die Aufsicht"),
        N_("Bis sie angenommen sind, bleibt es, wie es ist. Sie stehen auf der Seite „Empfindlichkeit“."),
    ),
    "walls-missing": (
        N_("Dieser Rechner schützt die Prozesse schwächer als zugesagt"),
        N_(
            "Der Betreuung des Rechners nennen: ein neuerer Kernel; bei „no-swap“ die Auslagerung abschalten oder LimitMEMLOCK=infinity. "
            "Die DSFA führt es auf."
        ),
    ),
    "launcher-gone": (
        N_("Kameras und Sichtungsräume können nicht mehr gestartet werden"),
        N_(
            "Was läuft, läuft weiter; eine Kamera, die ausfällt, bleibt dunkel. Blickschutz neu starten und der Betreuung des Rechners "
            "sagen, dass die Prozesse dafür beendet wurden."
        ),
    ),
}
WORK_KINDS: Mapping[str, str] = {
    "thread": N_("Dauerarbeit"),
    "task": N_("Dauerarbeit"),
    "short": N_("einzelne Arbeiten"),
    "queue": N_("Warteschlange"),
}
DATABASE_WORDS: Mapping[str, str] = {
    "control": N_("Vorgänge, Protokoll, Konten"),
    "alerts": N_("Meldungen"),
}
COPY_WORDS: Mapping[str, str] = {
    "gone": N_("nicht verbunden seit {age}"),
    "behind": N_("seit mindestens {age} zurück"),
    "awaited": N_("folgt, auf ihn wird gewartet"),
    "follows": N_("folgt, auf ihn wird nicht gewartet"),
}
# Where a second copy of a recording stands.
CLIP_COPY_WORDS: Mapping[str, str] = {
    "ordered": N_("wird noch übertragen"),
    "there": N_("liegt dort, geprüft"),
    "gone": N_("dort vernichtet, nachgewiesen"),
    "lost": N_("fehlt dort oder ist verändert"),
}
