"""Words about people, accounts and their rights; part of the texts of the pages."""

from __future__ import annotations


def N_(text: str) -> str:  # noqa: N802 - the customary name of a marker for texts that are translated later
    """Mark a text for translation without translating it."""
    return text


ROLE_WORDS = {
    "leitstelle": N_("Leitstelle"),
    "sichtung": N_("Sichtung"),
    "aufsicht": N_("Aufsicht"),
    "administration": N_("Administration"),
    "datenschutz": N_("Datenschutz"),
}
ROLE_MEANINGS = {
    "leitstelle": N_("Live-Wand und Meldungen"),
    "sichtung": N_("Sichtung von Aufzeichnungen zu zweit"),
    "aufsicht": N_("dritte Stimme, Löschsperren, Herausgabe"),
    "administration": N_("Einstellungen, Zustand, Personen; Bilder nur verpixelt zum Einrichten"),
    "datenschutz": N_("Protokoll, Regeln, Dokumente; keine Bilder"),
}
STATE_WORDS_OF_ACCOUNTS = {
    "invited": N_("noch nicht angemeldet"),
    "active": N_("aktiv"),
    "blocked": N_("gesperrt"),
}
CHANGE_WORDS = {
    "invite": N_("Neues Konto"),
    "rights": N_("Mehr Rechte oder längere Schulung"),
    "recover": N_("Neuer Einmalcode (Kennwort oder zweiter Faktor verloren)"),
}
FACTOR_WORDS = {
    "totp": N_("Code einer Authenticator-App"),
    "key": N_("Sicherheitsschlüssel (FIDO2)"),
}
TODO_WORDS = {
    "password": N_("Ihr Kennwort hat jemand anders gesetzt. Bitte legen Sie jetzt ein eigenes fest; vorher geht es nicht weiter."),
    "factor": N_("Ihre Rolle verlangt einen zweiten Faktor. Bitte richten Sie ihn jetzt ein; vorher geht es nicht weiter."),
}
SIGN_IN_PROBLEMS = {
    "wrong": N_("Name oder Kennwort stimmen nicht."),
    "locked": N_("Zu viele Versuche. Bitte warten Sie eine Minute."),
    "code": N_("Der Code stimmt nicht oder wurde schon benutzt. Bitte warten Sie auf den nächsten."),
    "key": N_("Der Sicherheitsschlüssel wurde nicht erkannt. Bitte versuchen Sie es noch einmal."),
}
ACCOUNT_PROBLEMS = {
    "separated": N_(
        "Diese Rollen darf nicht dieselbe Person haben: Wer verwaltet oder das Protokoll prüft, sieht weder Wand noch Aufnahmen."
    ),
    "no-role": N_("Bitte wählen Sie mindestens eine Rolle."),
    "id": N_("Ein Kurzname besteht aus Kleinbuchstaben, Ziffern und Bindestrichen."),
    "name": N_("Bitte geben Sie einen Namen an."),
    "taken": N_("Diesen Kurznamen gibt es schon."),
    "unknown": N_("Diese Person gibt es nicht."),
    "blocked": N_("Dieses Konto ist gesperrt."),
    "self": N_("Das muss eine zweite Person tun, nicht Sie selbst."),
    "left": N_("Wer das vorgeschlagen hat, darf es nicht mehr. Bitte lehnen Sie es ab; wer verwaltet, schlägt es neu vor."),
    "last": N_("Das ist die letzte Person, die verwalten kann. Bitte zuerst eine zweite eintragen."),
    "not-there": N_("Das gibt es nicht mehr. Jemand anders war schneller."),
    "nothing": N_("Das ist schon so. Es wurde nichts geändert."),
    "code": N_("Kurzname oder Code stimmen nicht, oder der Code ist abgelaufen."),
    "short": N_("Ein Kennwort hat mindestens 12 und höchstens 200 Zeichen."),
    "guessable": N_("Dieses Kennwort ist leicht zu erraten. Mehrere Wörter ohne Zusammenhang sind gut."),
    "different": N_("Die beiden Eingaben sind verschieden."),
    "locked": N_("Zu viele Versuche. Bitte warten Sie eine Minute."),
    "wrong": N_("Das Kennwort stimmt nicht."),
    "factor": N_("Der Sicherheitsschlüssel wurde nicht eingetragen. Bitte versuchen Sie es noch einmal."),
    "last-factor": N_("Das ist Ihr letzter zweiter Faktor. Bitte richten Sie zuerst einen anderen ein."),
    "scope": N_("Bitte wählen Sie aus, was der Token darf."),
    "days": N_("Bitte geben Sie 1 bis 90 Tage an."),
    "date": N_("Bitte geben Sie das Datum als Jahr-Monat-Tag an."),
}
ACCOUNT_DONE = {
    "password": N_("Das neue Kennwort gilt. Alle anderen Anmeldungen wurden beendet."),
    "totp": N_("Die Authenticator-App ist eingerichtet."),
    "key": N_("Der Sicherheitsschlüssel ist eingetragen."),
    "factors": N_("Der zweite Faktor ist entfernt."),
    "tokens": N_("Der Token ist entfernt."),
    "sessions": N_("Alle anderen Anmeldungen sind beendet."),
}
PERMISSION_WORDS = {
    "plan": N_("Lageplan sehen"),
    "stop": N_("Kameras anhalten"),
    "resume": N_("Kameras wieder starten"),
    "wall": N_("Kameras verpixelt sehen"),
    "alerts": N_("Meldungen sehen"),
    "decide": N_("Meldungen bearbeiten"),
    "record": N_("Aufzeichnung anordnen"),
    "regime": N_("Tag und Nacht sehen und setzen"),
    "cases": N_("Vorgänge sehen"),
    "evidence": N_("Beweispakete"),
    "clock": N_("Über die Uhr entscheiden"),
    "sensitivity": N_("Empfindlichkeit der Kameras sehen"),
    "adjust": N_("Meldeschwellen annehmen"),
    "keeping": N_("Über Verluste und Quarantäne entscheiden"),
    "log": N_("Protokoll lesen"),
    "health": N_("Zustand sehen"),
    "figures": N_("Messwerte für Prometheus"),
    "overview": N_("Zahlen für eine Übersicht mehrerer Standorte"),
    "settings": N_("Einstellungen sehen"),
    "versions": N_("Änderungen der Einstellungen sehen"),
    "policy": N_("Regeln und ihren Stand sehen"),
    "requests": N_("Anfragen Betroffener bearbeiten"),
    "people": N_("Personen sehen"),
}
# What a form was for, by its address: shown before it is finished after signing in again.
ACT_WORDS = (
    (r"/alerts/\d+/acknowledge", N_("Meldung quittieren")),
    (r"/alerts/\d+/act", N_("Festhalten, was veranlasst wurde")),
    (r"/alerts/\d+/close", N_("Meldung abschließen")),
    (r"/alerts/\d+/together", N_("Meldungen zusammen abschließen")),
    (r"/shift", N_("Eintrag ins Schichtbuch")),
    (r".*/record", N_("Aufzeichnung anordnen")),
    (r".*/?stop", N_("Anhalten")),
    (r".*/?resume", N_("Wieder starten")),
    (r"/regime.*", N_("Regelung von Hand ändern")),
    (r"/cases/\d+/hold.*", N_("Löschsperre")),
    (r"/cases/\d+/fate.*", N_("Quarantäne")),
    (r"/loss/accept", N_("Verlust bestätigen")),
    (r"/cases/\d+/enter", N_("Sichtungsraum betreten")),
    (r"/facts/\d+/sign", N_("Nachweis unterschreiben")),
    (r"/facts/\d+/withdraw", N_("Nachweis zurückziehen")),
    (r"/people.*", N_("Konto ändern")),
    (r"/requests.*", N_("Anfrage bearbeiten")),
    (r"/duties.*", N_("Informationspflicht")),
    (r"/sensitivity/.*", N_("Meldeschwelle")),
    (r"/clock/propose", N_("Vorschlag zu Uhr und Fristen")),
    (r"/clock/confirm", N_("Bestätigung zu Uhr und Fristen")),
    (r"/changes/\d+/confirm", N_("Vorschlag bestätigen")),
    (r"/changes/\d+/withdraw", N_("Vorschlag zurückziehen")),
)
ACT_OTHER = N_("Eingabe absenden")
FIELD_WORDS = {
    "text": N_("Notiz"),
    "reason": N_("Grund"),
    "outcome": N_("Ergebnis"),
    "ground": N_("Rechtlicher Grund"),
    "reference": N_("Aktenzeichen"),
    "until": N_("Bis"),
    "hours": N_("Stunden"),
    "name": N_("Name"),
    "roles": N_("Rollen"),
    "trained_until": N_("Schulung gilt bis"),
    "person": N_("Kurzname"),
}
ACCOUNT_EVENTS = {
    "account-created": N_("Konto angelegt"),
    "account-proposed": N_("Änderung eines Kontos vorgeschlagen"),
    "account-withdrawn": N_("Vorschlag zurückgezogen"),
    "account-activated": N_("Konto mit Einmalcode übernommen"),
    "account-blocked": N_("Konto gesperrt"),
    "rights-changed": N_("Rechte geändert"),
    "code-issued": N_("Einmalcode ausgegeben"),
    "factor-added": N_("Zweiter Faktor eingerichtet"),
    "factor-removed": N_("Zweiter Faktor entfernt"),
    "token-made": N_("Token angelegt"),
    "token-removed": N_("Token entfernt"),
    "log-broken": N_("Protokoll nicht unversehrt"),
    "certificate-renewed": N_("Zertifikat erneuert"),
    "host-enrolled": N_("Rechner bei den Kameras zugelassen"),
    "host-revoked": N_("Rechner bei den Kameras ausgeschlossen"),
    "site-away": N_("Standort antwortet nicht"),
    "site-back": N_("Standort antwortet wieder"),
}
LOSS_WORDS = {
    "database-missing": N_("Die Datenbank fehlt"),
    "database-damaged": N_("Die Datenbank ist beschädigt"),
    "database-unusable": N_("Die Datenbank ist unlesbar"),
    "database-older": N_("Die Datenbank ist älter"),
    "log-cut": N_("Dem Protokoll fehlt das Ende"),
    "key-missing": N_("Der Schlüssel der Anlage fehlt"),
    "key-damaged": N_("Der Schlüssel der Anlage ist beschädigt"),
    "key-other": N_("Der Schlüssel der Anlage ist ein anderer"),
    "factors-missing": N_("Der Schlüssel der zweiten Faktoren fehlt"),
    "factors-other": N_("Der Schlüssel der zweiten Faktoren ist ein anderer"),
    "witness-missing": N_("Der Zeuge neben der Datenbank fehlt"),
    "witness-damaged": N_("Der Zeuge neben der Datenbank ist beschädigt"),
    "restored": N_("Aus einer Sicherung wiederhergestellt"),
    "alerts-missing": N_("Meldungen fehlen"),
    "alerts-unusable": N_("Die Datenbank der Meldungen war unlesbar"),
}
LOSS_PROBLEMS = {
    "sure": N_("Bitte bestätigen Sie, dass Sie gelesen haben, was verloren ist."),
    "nothing": N_("Es fehlt nichts mehr."),
    "changed": N_("Der Stand hat sich geändert. Bitte lesen Sie ihn noch einmal."),
    "same-person": N_("Das muss eine zweite Person bestätigen, nicht Sie selbst."),
    "may-not": N_("Das bestätigen zwei Personen der Aufsicht."),
}
QUARANTINE_WORDS = {
    "no-row": N_("eine Datei dieser Anlage, zu der es keinen Vorgang gibt: Die Datenbank ist älter oder war verloren"),
    "renamed": N_("eine Kopie unter anderem Namen"),
    "head-damaged": N_("der Kopf der Datei ist beschädigt; was sie zeigt und wie alt sie ist, ist nicht zu lesen"),
    "held-beside": N_("die Vernichtung war angeordnet, aber bei der Datei liegt eine Löschsperre"),
    "restricted-beside": N_("bei der Datei liegt eine Einschränkung durch eine Anfrage, die die Datenbank nicht kennt"),
    "note-damaged": N_("was bei der Datei über Sperren liegt, ist beschädigt oder verändert"),
    "changed": N_("der Clip war vernichtet, und eine andere Datei gleichen Namens ist da"),
}
FATE_WORDS = {
    "release": N_("zur Sichtung freigeben"),
    "hold": N_("sperren"),
    "destroy": N_("vernichten"),
}
POINTS = N_("{n} Punkte")
TRUTH = (N_("ja"), N_("nein"))
