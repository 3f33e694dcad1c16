"""What is said of a data folder, in German and English: what is wrong, and what to do."""

from __future__ import annotations

from typing import Any

TEXTS: dict[str, tuple[str, str]] = {
    "held": (
        "der Datenordner {folder} gehört gerade „{command}“ (Prozess {pid} auf {host}, Benutzer {user}, seit {since}); "
        "beenden Sie dieses Programm, oder nennen Sie mit --data einen anderen Ordner",
        "the data folder {folder} is held by '{command}' (process {pid} on {host}, user {user}, since {since}); "
        "end that program, or name another folder with --data",
    ),
    "busy": (
        "im Datenordner {folder} arbeitet gerade ein anderer Befehl von Blickschutz; versuchen Sie es, wenn er fertig ist",
        "another command of Blickschutz is at work in the data folder {folder}; try again when it has ended",
    ),
    "cells-live": (
        "{count} Kameras nehmen noch auf, weil das System nicht ordentlich endete; in höchstens {seconds} s haben sie alles geschlossen",
        "{count} cameras are still at work since the system did not end in order; in {seconds} s at most they have closed everything",
    ),
    "cells-live-on": (
        "{count} Kameras sind noch am Werk, obwohl das System nicht läuft. Starten Sie es (blickschutz run): es findet sie und beendet sie "
        "ordentlich",
        "{count} cameras are still at work though the system does not run. Start it (blickschutz run): it finds them and ends them "
        "in order",
    ),
    "absent": (
        "diese Anlage hat noch keinen Datenordner ({folder}); der erste Start legt ihn an: blickschutz run --site {site}",
        "this installation has no data folder yet ({folder}); its first start makes it: blickschutz run --site {site}",
    ),
    "foreign": (
        "{folder} ist nicht leer und kein Datenordner von Blickschutz; nennen Sie einen leeren Ordner",
        "{folder} is not empty and no data folder of Blickschutz; name an empty folder",
    ),
    "no-folder": (
        "{folder} ist kein Ordner; nennen Sie einen anderen, oder räumen Sie die Datei beiseite",
        "{folder} is no folder; name another one, or put that file aside",
    ),
    "other-id": (
        "der Datenordner {folder} gehört der Anlage „{found}“, die Anlagendatei {site} nennt „{id}“; schreiben Sie unter [site] "
        'id = "{found}", wenn es dieselbe Anlage ist, sonst einen anderen Ordner in data',
        "the data folder {folder} belongs to the installation '{found}', the site file {site} says '{id}'; write id = \"{found}\" "
        "under [site] if it is the same installation, else another folder in data",
    ),
    "other-site": (
        "der Datenordner {folder} gehört zur Anlagendatei {other}; ist es dieselbe Anlage, schreiben Sie unter [site] von {site} "
        'id = "{found}", sonst einen anderen Ordner in data',
        'the data folder {folder} belongs to the site file {other}; if it is the same installation, write id = "{found}" under '
        "[site] of {site}, else another folder in data",
    ),
    "demonstration": (
        "der Datenordner {folder} enthält Daten {found}, die Anlagendatei {site} beschreibt {wanted}; das eine wird nie zum anderen: "
        "nennen Sie in data einen anderen Ordner, oder stellen Sie site.demo zurück",
        "the data folder {folder} holds data of {found}, the site file {site} describes {wanted}; the one never becomes the other: "
        "name another folder in data, or put site.demo back",
    ),
    "a-demonstration": ("einer Vorführung", "a demonstration"),
    "a-site": ("einer betriebenen Anlage", "a site in operation"),
    "wants-demonstration": ("eine Vorführung", "a demonstration"),
    "wants-site": ("eine betriebene Anlage", "a site in operation"),
    "newer": (
        "den Datenordner {folder} hat eine neuere Version geschrieben (Format {format}, Programm {version}); dieses Programm kennt "
        "Format {known}. Installieren Sie die neuere Version wieder, oder stellen Sie eine Sicherung von davor in einem leeren Ordner "
        "wieder her: blickschutz restore",
        "the data folder {folder} was written by a newer version (format {format}, program {version}); this program knows format "
        "{known}. Install the newer version again, or restore a backup from before into an empty folder: blickschutz restore",
    ),
    "damaged": (
        "{file} ist beschädigt; räumen Sie die Datei beiseite, dann schreibt der nächste Start sie neu aus der Anlagendatei",
        "{file} is damaged; put the file aside, and the next start writes it anew from the site file",
    ),
    "owner": (
        "{folder} gehört dem Benutzer {owner}, Sie sind {user}; als anderer würden hier Dateien entstehen, die {owner} nicht lesen kann. "
        "Führen Sie den Befehl als {owner} aus: sudo -u {owner} …, oder übergeben Sie alles: chown -R {user} {folder}",
        "{folder} belongs to the user {owner}, you are {user}; another user would make files here that {owner} cannot read. "
        "Run the command as {owner}: sudo -u {owner} …, or hand everything over: chown -R {user} {folder}",
    ),
    "old-place": (
        "die Daten dieser Anlage liegen noch am alten Ort, {old}. Verschieben Sie sie nach {folder}: "
        "blickschutz move --site {site}{chosen}",
        "the data of this site still lie in the old place, {old}. Move them to {folder}: blickschutz move --site {site}{chosen}",
    ),
    "old-demonstration": (
        "In {old} liegen Daten einer früheren Vorführung, die niemand mehr beendet: blickschutz move --site {site} --from {old}, oder "
        "löschen Sie den Ordner.",
        "In {old} lie data of an earlier demonstration, which nothing ends any more: blickschutz move --site {site} --from {old}, or "
        "remove the folder.",
    ),
    "nearby": (
        "am alten Ort liegen Daten unter einem ähnlichen Namen, {old}. Sind es die dieser Anlage, verschieben Sie sie: "
        "blickschutz move --site {site} --from {old}. Sonst beginnen Sie ausdrücklich leer: blickschutz run --site {site} --new",
        "in the old place there are data under a similar name, {old}. If they are this site's, move them: "
        "blickschutz move --site {site} --from {old}. Else begin empty on purpose: blickschutz run --site {site} --new",
    ),
    "elsewhere": (
        "die Anlage „{found}“ der Anlagendatei {other} hat ihre Daten in {old}; jetzt soll {folder} gelten, und dort ist nichts. "
        'Ist es dieselbe Anlage, schreiben Sie unter [site] id = "{found}" und data = "{old}", oder verschieben Sie die Daten: '
        "blickschutz move --site {site} --from {old}. Sonst beginnen Sie ausdrücklich leer: blickschutz run --site {site} --new",
        "the installation '{found}' of the site file {other} has its data in {old}; now {folder} is named, and nothing is there. "
        'If it is the same installation, write id = "{found}" and data = "{old}" under [site], or move the data: '
        "blickschutz move --site {site} --from {old}. Else begin empty on purpose: blickschutz run --site {site} --new",
    ),
    "moving": (
        "das Verschieben von {old} nach {folder} ist nicht beendet; setzen Sie es fort: blickschutz move --site {site}{chosen}",
        "the move from {old} to {folder} has not ended; go on with it: blickschutz move --site {site}{chosen}",
    ),
    "restoring": (
        "die Wiederherstellung in {folder} wurde unterbrochen; wiederholen Sie sie: blickschutz restore SICHERUNG --data {folder}",
        "the restore into {folder} was interrupted; do it again: blickschutz restore BACKUP --data {folder}",
    ),
    "not-empty": (
        "{folder} ist nicht leer; Daten werden nur in einen leeren Ordner gebracht",
        "{folder} is not empty; data are brought into an empty folder only",
    ),
    "in-environment": (
        "{folder} liegt in der Python-Umgebung {environment}, die bei einer Neuinstallation gelöscht wird; nennen Sie in data einen "
        "Ordner außerhalb",
        "{folder} lies in the Python environment {environment}, which a new installation deletes; name a folder outside it in data",
    ),
    "no-home": (
        'der Benutzer {user} hat kein Heimatverzeichnis; schreiben Sie unter [site] data = "/ein/Ordner"',
        'the user {user} has no home; write data = "/a/folder" under [site]',
    ),
    "denied": (
        "{path} darf der Benutzer {user} nicht benutzen ({reason}); geben Sie ihm als root den Ordner: "
        "install -d -m 700 -o {user} {folder} && chown -R {user} {folder}, oder nennen Sie in data einen anderen",
        "the user {user} may not use {path} ({reason}); as root give them the folder: "
        "install -d -m 700 -o {user} {folder} && chown -R {user} {folder}, or name another one in data",
    ),
    "read-only": (
        "{path} liegt auf einem Dateisystem, das nur gelesen werden kann; hängen Sie es beschreibbar ein (nach einem Fehler des "
        "Datenträgers zuerst prüfen), oder nennen Sie in data einen anderen Ordner",
        "{path} lies on a file system that can only be read; mount it for writing (after an error of the disk check it first), or "
        "name another folder in data",
    ),
    "full": (
        "auf dem Datenträger von {path} ist kein Platz mehr; schaffen Sie Platz und wiederholen Sie den Befehl",
        "the disk of {path} is full; make room and repeat the command",
    ),
    "disk": (
        "{path} kann nicht benutzt werden: {reason}; prüfen Sie den Datenträger",
        "{path} cannot be used: {reason}; check the disk",
    ),
    "in-use": (
        "ein Programm hat noch Dateien in {folder} offen ({users}); beenden Sie es zuerst",
        "a program still has files in {folder} open ({users}); end it first",
    ),
    "link": (
        "{path} ist ein Verweis und blieb, wie er ist; anderswo liegen darf nur ein Ordner der obersten Ebene.",
        "{path} is a link and was left as it is; only a folder of the top level may lie elsewhere.",
    ),
    "inside": (
        "{folder} liegt in {old}; ein Ordner lässt sich nicht in sich selbst verschieben",
        "{folder} lies in {old}; a folder cannot be moved into itself",
    ),
    "nothing-to-move": (
        "in {old} liegen keine Daten von Blickschutz, und am alten Ort dieser Anlage auch nicht; es wurde nichts verschoben",
        "there are no data of Blickschutz in {old}, nor in the old place of this site; nothing was moved",
    ),
    "copy-differs": (
        "{path} kam anders an, als es gelesen wurde; der alte Ordner {old} ist unverändert. Prüfen Sie beide Datenträger",
        "{path} did not arrive as it was read; the old folder {old} is as it was. Check both disks",
    ),
    "source-gone": (
        "der alte Ordner {old} ist nicht mehr da, und nicht alles war kopiert; hängen Sie seinen Datenträger ein und wiederholen Sie",
        "the old folder {old} is gone, and not everything was copied; mount its disk and repeat",
    ),
    "made": ("Neuer, leerer Datenordner {folder} für die Anlage „{id}“.", "New, empty data folder {folder} for the installation '{id}'."),
    "adopted": (
        "Der Datenordner {folder} trägt jetzt die Kennung „{id}“.",
        "The data folder {folder} bears the id '{id}' from now on.",
    ),
    "moved": (
        "Die Daten der Anlage „{id}“ liegen jetzt in {folder}.",
        "The data of the installation '{id}' lie in {folder} now.",
    ),
    "move-asked": (
        "{size} MB von {old} nach {folder} verschieben? Danach ist der alte Ordner weg.",
        "Move {size} MB from {old} to {folder}? Afterwards the old folder is gone.",
    ),
    "repaired": (
        "{count} Dateien oder Ordner in {folder} konnten andere lesen; jetzt nur noch ihr Eigentümer.",
        "{count} files or folders in {folder} could be read by others; now only by their owner.",
    ),
    "not-noted": (
        "Der Ort des Datenordners konnte nicht vermerkt werden ({reason}); ein anderer Ort in der Anlagendatei fiele nicht auf.",
        "The place of the data folder could not be noted ({reason}); another place in the site file would not be noticed.",
    ),
    "tombstone": (
        "Die Daten, die hier lagen, sind jetzt in {folder} (Anlage „{id}“). Wegen dieser Datei beginnt hier keine ältere Version leer.\n",
        "The data that lay here are now in {folder} (installation '{id}'). This file keeps an older version from beginning empty here.\n",
    ),
}


def say(name: str, language: str, /, **values: Any) -> str:
    """The text `name` in "de" or "en"."""
    german, english = TEXTS[name]
    return (german if language == "de" else english).format(**values)
