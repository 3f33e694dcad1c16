"""What is said of backups, in German and English."""

from __future__ import annotations

from typing import Any

from blickschutz.backup.model import BackupError, Problem

TEXTS: dict[str, tuple[str, str]] = {
    "unreadable": ("{path} ist nicht lesbar: {reason}", "{path} cannot be read: {reason}"),
    "no-backup": ("{path} ist keine Sicherung von Blickschutz", "{path} is no backup of Blickschutz"),
    "newer": (
        "{path} hat eine neuere Version geschrieben (Format {format}, Programm {version}); installieren Sie diese Version",
        "{path} was written by a newer version (format {format}, program {version}); install that version",
    ),
    "cut-off": (
        "{path} ist abgeschnitten; nehmen Sie eine andere Sicherung oder eine andere Kopie dieser",
        "{path} is cut off; take another backup, or another copy of this one",
    ),
    "altered": (
        "{path} ist verändert oder beschädigt ({what}); nehmen Sie eine andere Sicherung oder eine andere Kopie dieser",
        "{path} was altered or damaged ({what}); take another backup, or another copy of this one",
    ),
    "foreign": (
        "{path} hat eine andere Anlage unterschrieben (Schlüssel {found}), nicht die mit dem Schlüssel {wanted}",
        "{path} was signed by another installation (key {found}), not by the one with the key {wanted}",
    ),
    "too-few-people": (
        "eine Sicherung öffnen zwei Personen gemeinsam, und {count} haben Wiederherstellungswörter. Geben Sie mindestens zwei Personen "
        "welche: blickschutz users recovery --site {site} KURZNAME",
        "two people open a backup together, and {count} have recovery words. Give words to at least two people: "
        "blickschutz users recovery --site {site} PERSON",
    ),
    "wrong-words": (
        "das sind nicht die Wörter, die {person} für diese Sicherung hatte",
        "these are not the words that {person} had for this backup",
    ),
    "not-opened": (
        "die Sicherung öffnen zwei dieser Personen mit ihren Wiederherstellungswörtern: {people}. Ohne zwei von ihnen bleibt sie zu, und "
        "ohne den Schlüssel der Anlage wird nichts wiederhergestellt: das Protokoll ließe sich nicht fortsetzen. Der Weg zurück: die "
        "Umschläge mit den Wörtern holen, eine andere Sicherung mit anderen Personen nehmen, oder den alten Datenträger retten und dort "
        "verschieben: blickschutz move",
        "two of these people open the backup with their recovery words: {people}. Without two of them it stays closed, and without the "
        "installation's key nothing is restored: the log could not be continued. The way back: fetch the envelopes with the words, take "
        "another backup with other people, or rescue the old disk and move from there: blickschutz move",
    ),
    "no-room": (
        "auf dem Datenträger von {path} sind {free} MB frei, nötig sind {needed} MB; schaffen Sie Platz",
        "{free} MB are free on the disk of {path}, {needed} MB are needed; make room",
    ),
    "cannot-write": ("{path} kann nicht geschrieben werden: {reason}", "{path} cannot be written: {reason}"),
    "exists": (
        "{path} gibt es schon; eine Sicherung wird nie überschrieben",
        "{path} exists already; a backup is never overwritten",
    ),
    "inside": (
        "{path} liegt im Datenordner selbst; nennen Sie einen Ort auf einem anderen Datenträger",
        "{path} lies in the data folder itself; name a place on another disk",
    ),
    "no-key": (
        "{path} fehlt oder ist kein Schlüssel; ohne ihn wird nichts gesichert und nichts fortgesetzt. Stellen Sie die letzte Sicherung in "
        "einem leeren Ordner wieder her: blickschutz restore",
        "{path} is missing or no key; without it nothing is backed up and nothing continued. Restore the last backup into an empty "
        "folder: blickschutz restore",
    ),
    "database": (
        "{name} ist beschädigt ({reason}); bewahren Sie den Datenträger, und stellen Sie die letzte Sicherung in einem leeren Ordner "
        "wieder her: blickschutz restore",
        "{name} is damaged ({reason}); keep the disk, and restore the last backup into an empty folder: blickschutz restore",
    ),
    "log": (
        "das Protokoll in der Sicherung ist nicht heil: {what}; nehmen Sie eine frühere Sicherung, und bewahren Sie diese",
        "the log in the backup is not whole: {what}; take an earlier backup, and keep this one",
    ),
    "rows": (
        "die Sicherung enthält nicht, was ihr Verzeichnis nennt ({what}); nehmen Sie eine andere",
        "the backup does not hold what its list names ({what}); take another one",
    ),
    "made": (
        "Sicherung {path}: {size} MB, Protokoll bis Eintrag {log}, {cases} Vorgänge, davon {held} gesperrt. SHA-256 {sha256}",
        "backup {path}: {size} MB, log up to entry {log}, {cases} cases, {held} of them held. SHA-256 {sha256}",
    ),
    "not-in-it": (
        "Nicht in der Sicherung: Clips, Beweispakete, private Schlüssel der Sichtung, Bilder; Dateien, die Anlagen- und Tatsachendatei nur "
        "nennen (Kennwortdateien, Dokumente).",
        "Not in the backup: clips, evidence packages, reviewers' private keys, pictures; files that site file and facts file only name "
        "(password files, documents).",
    ),
    "unknown": (
        "Im Datenordner liegt, was diese Version nicht kennt und deshalb nicht sichert: {names}",
        "In the data folder lies what this version does not know and therefore does not back up: {names}",
    ),
    "tried": (
        "Wiederherstellung erprobt: Sicherung vom {made}, Protokoll mit {log} Einträgen heil, {cases} Vorgänge, davon {held} "
        "gesperrt{words}.",
        "restore tried: backup of {made}, log of {log} entries whole, {cases} cases, {held} of them held{words}.",
    ),
    "with-words": (", von zwei Personen geöffnet", ", opened by two people"),
    "restored": (
        "Wiederhergestellt in {folder}: Anlage „{id}“, Stand vom {made}, Protokoll bis Eintrag {log}, {cases} Vorgänge, davon "
        "{held} gesperrt.",
        "Restored into {folder}: installation '{id}' as of {made}, log up to entry {log}, {cases} cases, {held} of them held.",
    ),
    "since": (
        "Was nach dem {made} geschah, fehlt: Einträge, Urteile, Sperren, Anfragen. Konten, Rechte, Einmalcodes und Token sind wie "
        "damals: wer seither gesperrt wurde, ist es hier nicht. Sehen Sie die Seite Personen durch, bevor jemand sich anmeldet.",
        "What happened after {made} is missing: entries, verdicts, holds, requests. Accounts, rights, one-time codes and tokens are "
        "as they were then: whoever was blocked since is not blocked here. Go through the page of people before anybody signs in.",
    ),
    "came-from": (
        "Dieser Ordner stammt aus einer Sicherung vom {made}; was danach geschah, fehlt hier. Sehen Sie die Seite Personen durch.",
        "This folder came out of a backup of {made}; what happened afterwards is missing here. Go through the page of people.",
    ),
    "clips-missing": (
        "{count} Clips sind nicht da, darunter {held} gesperrte: {names}. Bringen Sie sie vom alten Datenträger: "
        "blickschutz restore … --old ORDNER",
        "{count} clips are not there, {held} of them held: {names}. Bring them from the old disk: blickschutz restore … --old FOLDER",
    ),
    "clips-there": ("Alle Clips der Vorgänge sind da.", "The clips of all cases are there."),
    "strangers": (
        "{count} Clips kennt kein Vorgang der Sicherung; der Start stellt sie unter Quarantäne und vernichtet sie nicht.",
        "{count} clips belong to no case of the backup; the start puts them into quarantine and does not destroy them.",
    ),
    "keys-missing": (
        "Es fehlen die Schlüsseldateien von {people}; ohne sie öffnet niemand die älteren Clips. Sie liegen auf dem alten Datenträger in "
        "keys/reviewers. Für neue Aufzeichnungen legt jede Person ein neues Sichtungskennwort fest.",
        "The key files of {people} are missing; without them nobody opens the older clips. They lie on the old disk in keys/reviewers. "
        "For new recordings everybody sets a new passphrase.",
    ),
    "settings-are": (
        "Anlagen- und Tatsachendatei liegen in {folder}; sie können Kennwörter von Kameras enthalten. Bringen Sie sie an ihren Ort, und "
        'nennen Sie unter [site] id = "{id}" und data = "{data}".',
        "Site file and facts file lie in {folder}; they may hold passwords of cameras. Bring them to their place, and write "
        'id = "{id}" and data = "{data}" under [site].',
    ),
    "signed-by": (
        "Unterschrieben mit dem Schlüssel {key}. Vergleichen Sie ihn mit einem Protokollauszug, oder nennen Sie --public-key.",
        "Signed with the key {key}. Compare it with an exported log, or give --public-key.",
    ),
    "ask-words": ("Wiederherstellungswörter von {person} (leer: nicht da)", "Recovery words of {person} (empty: not here)"),
    "words-are": (
        "Wiederherstellungswörter von {person}, nur jetzt zu sehen:\n\n    {words}\n\n{person} schreibt sie auf und verwahrt sie getrennt "
        "von denen der anderen, zum Beispiel im verschlossenen Umschlag. Frühere Sicherungen öffnen sich mit den früheren Wörtern.",
        "Recovery words of {person}, shown only now:\n\n    {words}\n\n{person} writes them down and keeps them apart from the others', "
        "for example in a sealed envelope. Earlier backups open with the earlier words.",
    ),
    "words-gone": (
        "{person} öffnet künftige Sicherungen nicht mehr; frühere öffnen sich weiter mit den Wörtern: vernichten Sie den Umschlag.",
        "{person} opens no future backup; earlier ones still open with the words: destroy the envelope.",
    ),
    "few-left": (
        "Es haben noch {count} Personen Wörter; ohne zwei wird nichts gesichert.",
        "{count} people have words now; without two nothing is backed up.",
    ),
    "removed": (
        "{count} Sicherungen sind älter als {days} Tage und wurden vernichtet.",
        "{count} backups are older than {days} days and were destroyed.",
    ),
    "whole": ("Sicherung vom {made}, Anlage „{id}“, Schlüssel {key}", "backup of {made}, installation '{id}', key {key}"),
    "never-made": (
        "es gibt noch keine Sicherung; geben Sie zwei Personen Wiederherstellungswörter (blickschutz users recovery), dann jede Nacht: "
        "blickschutz backup ORDNER --site {site}",
        "there is no backup yet; give two people recovery words (blickschutz users recovery), then every night: "
        "blickschutz backup FOLDER --site {site}",
    ),
    "made-long-ago": (
        "die letzte Sicherung ist {days} Tage alt; sehen Sie nach, warum der nächtliche Lauf ausfiel: "
        "blickschutz backup ORDNER --site {site}",
        "the last backup is {days} days old; see why the nightly run failed: blickschutz backup FOLDER --site {site}",
    ),
    "never-tried": (
        "eine Wiederherstellung wurde noch nie erprobt: blickschutz restore SICHERUNG --try --site {site}",
        "a restore was never tried: blickschutz restore BACKUP --try --site {site}",
    ),
    "tried-long-ago": (
        "die letzte gelungene Wiederherstellung ist {days} Tage her; erproben Sie eine: blickschutz restore SICHERUNG --try --site {site}",
        "the last restore that succeeded was {days} days ago; try one: blickschutz restore BACKUP --try --site {site}",
    ),
    "try-failed": (
        "die letzte Erprobung scheiterte: {problem}; sichern Sie neu und erproben Sie das",
        "the last trial failed: {problem}; make a new backup and try that one",
    ),
}


def say(name: str, language: str, /, **values: Any) -> str:
    """The text `name` in "de" or "en"."""
    german, english = TEXTS[name]
    return (german if language == "de" else english).format(**values)


def refusal(problem: Problem, language: str, /, **values: Any) -> BackupError:
    return BackupError(problem, say(problem.value, language, **values))
