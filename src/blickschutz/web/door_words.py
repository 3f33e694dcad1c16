"""Words of the rooms and desks in which people sit: what a room refuses, what a desk did, why a door stays shut."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.web.words import N_

UNSAFE_REDACTION = N_(
    "Diese Aufzeichnung hat eine ältere Version verpixelt; schnelle Personen können darin sichtbar sein. Sie wird niemandem gezeigt "
    "und nicht herausgegeben. Aufbewahrt wird sie nur wegen der Löschsperre oder Anfrage, die im Vorgang steht, und endet mit ihr."
)
ROOM_PROBLEMS: Mapping[str, str] = {
    "wrong-passphrase": N_("Das Sichtungskennwort stimmt nicht."),
    "second-half-missing": N_(
        "Zu Ihrem Sichtungskennwort gehört ein Sicherheitsschlüssel. Bitte anschließen und noch einmal versuchen. Wer ihn verloren "
        "hat, kann nicht öffnen; andere können es."
    ),
    "second-half-failed": N_("Der Sicherheitsschlüssel hat keine zweite Hälfte gegeben. Es wurde nichts geändert."),
    "not-for-this-person": N_("Dieser Clip wurde nicht für Sie versiegelt. Sie waren damals nicht eingetragen."),
    "damaged": N_("Der Clip oder sein Schlüsselumschlag ist beschädigt oder wurde verändert."),
    "full": N_("Im Sichtungsraum sind schon zwei Personen."),
    "locked": N_("Zu viele falsche Sichtungskennwörter. Der Raum nimmt kein weiteres an."),
    "no-reason": N_("Bitte nennen Sie einen Grund."),
    "no-reference": N_("Bitte nennen Sie ein Aktenzeichen."),
    "no-ground": N_("Bitte nennen Sie den rechtlichen Grund."),
    "no-verdict": N_("Bitte wählen Sie ein Ergebnis."),
    "alone": N_("Dazu müssen zwei Personen im Raum sein."),
    "not-you": N_("Das muss die andere Person tun."),
    "nothing-asked": N_("Es liegt kein Antrag vor."),
    "refused": N_("Das wurde nicht zugelassen."),
    "other-wish": N_("Der Antrag wurde inzwischen geändert. Zugestimmt ist nichts; bitte sehen Sie ihn noch einmal an."),
    "anonymous": N_("Diese Aufzeichnung enthält nur verpixelte Bilder."),
    "other-stream": N_(
        "Ausgewertet wurde der kleine Strom der Kamera, aufgezeichnet der große: Eine Kopie, in der nur diese Person zu sehen ist, "
        "gibt es davon nicht. Möglich ist eine Kopie, in der alle verpixelt sind."
    ),
    "unsafe-redaction": UNSAFE_REDACTION,
    "one-browser": N_("In diesem Browser sitzt schon eine andere Person. Jede nimmt ihren Platz an einem eigenen Gerät ein."),
    "same-person": N_("Sie haben diesen Vorgang schon bewertet. Eine andere Person muss zustimmen."),
    "not-now": N_("Jemand anders war schneller. Die Seite zeigt den neuen Stand."),
    "not-shown": N_(
        "Bewerten können Sie erst, wenn Ihnen der ganze Clip oder jede markierte Stelle gezeigt wurde. Bitte die Wiedergabe starten."
    ),
    "not-in-room": N_("Nur wer den Clip im Raum sehen konnte, kann ihn bewerten."),
    "not-admitted": N_("Dieser Zugang gilt nicht mehr. Bitte öffnen Sie den Vorgang noch einmal und gehen Sie von dort in den Raum."),
    "not-held": N_("Herausgegeben wird nur, was als Vorfall gesperrt ist; für eine offene Anfrage nur die eigenen Daten."),
    "restricted": N_("Für diese Aufzeichnung läuft eine Anfrage einer betroffenen Person. Bis zur Antwort wird sie nicht bewertet."),
    "no-basis": N_("Bitte wählen Sie die Rechtsgrundlage."),
    "administrative-offence": N_(
        "Eine Ordnungswidrigkeit ist nach § 21 Abs. 3 LDSG kein Grund für eine Herausgabe. Bitte rechtlich prüfen lassen."
    ),
    "no-person": N_("Bitte geben Sie an, wo die Person zu sehen ist."),
    "nobody-there": N_("An dieser Stelle wurde zu diesem Zeitpunkt niemand oder mehr als eine Person verfolgt. Es wurde nichts erstellt."),
    "no-recipient": N_("Bitte nennen Sie den Empfänger."),
    "no-key": N_("Der Schlüssel des Empfängers hat die Form age1…"),
    "not-compared": N_(
        "Bitte lassen Sie sich den Schlüssel vom Empfänger selbst nennen, vergleichen Sie ihn mit dem auf dieser Seite und bestätigen "
        "Sie das."
    ),
    "release-failed": N_("Das Beweispaket konnte nicht erstellt werden."),
    "different": N_("Die beiden Eingaben sind verschieden."),
    "short": N_("Das Sichtungskennwort braucht mindestens 12 Zeichen."),
    "guessable": N_("Dieses Sichtungskennwort ist leicht zu erraten. Mehrere Wörter ohne Zusammenhang sind gut."),
    "other-words": N_("Das sind nicht die Wörter dieses Schlüssels. Bestätigen Sie nichts, was Ihnen nicht selbst vorgelesen wurde."),
    "two-founders": N_("Zur Gründung gehören mindestens zwei verschiedene Personen."),
}
KEY_DONE: Mapping[str, str] = {
    "made": N_("Ihr Sichtungskennwort gilt. Merken Sie es gut: Niemand kann es zurücksetzen, auch die Systemverwaltung nicht."),
    "changed": N_("Ihr neues Sichtungskennwort gilt."),
    "presented": N_("Ihr Schlüssel ist vorgelegt."),
    "confirmed": N_("Sie haben den Schlüssel bestätigt. Er zählt, sobald ihn zwei Personen bestätigt haben."),
    "signed": N_("Ihre Unterschrift ist da. Das Verzeichnis ist gegründet, sobald alle unterschrieben haben."),
    "founded": N_("Das Verzeichnis ist gegründet."),
}
DOOR_PROBLEMS: Mapping[str, str] = {
    "role": N_("Sichten dürfen nur Personen mit der Rolle Sichtung oder Aufsicht."),
    "administrator": N_("Wer das System verwaltet, darf keine Aufnahmen sehen."),
    "untrained": N_("Für Sie ist keine Schulung eingetragen. Ohne Schulung keine Sichtung."),
    "training-over": N_("Ihre Schulung ist abgelaufen. Ohne gültige Schulung keine Sichtung."),
    "no-key": N_("Sie haben noch kein Sichtungskennwort festgelegt. Das geht unter „Mein Sichtungskennwort“."),
    "locked": N_("Zu viele falsche Sichtungskennwörter. Bitte versuchen Sie es in einer Viertelstunde wieder."),
    "not-openable": N_("Dieser Vorgang kann jetzt nicht geöffnet werden."),
    "unsafe-redaction": UNSAFE_REDACTION,
    "away": N_(
        "Diese Aufzeichnung liegt auf dem Rechner bei der Kamera, und der ist zurzeit nicht erreichbar. Ihre Frist hält er selbst ein. "
        "Sobald er wieder da ist, kann gesichtet werden."
    ),
    "fetching": N_("Die Aufzeichnung wird vom Rechner bei der Kamera geholt. Bitte versuchen Sie es in einem Moment noch einmal."),
    "not-fetched": N_(
        "Die Aufzeichnung konnte vom Rechner bei der Kamera nicht geholt werden, oder was kam, war nicht diese. Bitte versuchen Sie es "
        "noch einmal; bleibt es dabei, die Systemverwaltung verständigen."
    ),
    "no-room": N_("Für diese Aufzeichnung ist hier nicht genug Speicher frei. Bitte die Systemverwaltung verständigen."),
    "missing": N_("Die Datei zu diesem Vorgang fehlt. Bitte die Aufsicht verständigen."),
    "expelled": N_("Ihre Anmeldung ist zu Ende, oder Ihre Rechte haben sich eben geändert. Bitte melden Sie sich neu an."),
    "asked-again": N_("Sie haben inzwischen noch einmal nach dem Schlüsselplatz gefragt. Es gilt nur der letzte."),
    "room-failed": N_("Der Sichtungsraum konnte nicht geöffnet werden. Bitte versuchen Sie es noch einmal."),
    "restricted": N_("Für diese Aufzeichnung läuft eine Anfrage einer betroffenen Person. Bis zur Antwort bleibt sie, wie sie ist."),
    "hold": N_("Bitte geben Sie Grund, Aktenzeichen und ein Ende in der Zukunft an."),
    "reason": N_("Bitte nennen Sie einen Grund."),
    "no-fate": N_("Bitte wählen Sie, was mit der Aufzeichnung geschehen soll."),
    "not-this-fate": N_("Was nicht gelesen werden kann, wird nicht zur Sichtung freigegeben."),
    "not-now": N_("Der Stand hat sich geändert. Bitte lesen Sie ihn noch einmal."),
    "same-person": N_("Das muss eine zweite Person bestätigen, nicht Sie selbst."),
    "left": N_("Wer das vorgeschlagen hat, darf es nicht mehr. Bitte schlagen Sie es selbst vor; eine andere Person bestätigt."),
    "no-ground": N_("Bitte geben Sie Grund, Aktenzeichen und ein Ende in der Zukunft an."),
    "no-reference": N_("Bitte geben Sie Grund, Aktenzeichen und ein Ende in der Zukunft an."),
}
