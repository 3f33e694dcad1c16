"""What each loss means and which way leads back, in German and English; `{...}` are the loss's facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from blickschutz.control.model import Loss, LossKind

LANGUAGES = ("de", "en")
_BACK = (
    "Anhalten, die Datei aus der letzten Sicherung zurücklegen (blickschutz restore) und neu starten.",
    "Stop the system, put the file back from the last backup (blickschutz restore), and start again.",
)


@dataclass(frozen=True, slots=True)
class LossWords:
    """What it means, and the way back; each in German and English."""

    means: tuple[str, str]
    back: tuple[str, str] = _BACK


WORDS: Mapping[LossKind, LossWords] = {
    LossKind.DATABASE_MISSING: LossWords(
        (
            "control.db fehlt oder ist leer. Protokoll, Konten, Vorgänge und Löschsperren der Datenbank sind nicht da; das Protokoll hatte "
            "{had} Einträge, es gab {had_cases} Vorgänge.",
            "control.db is missing or empty. The database's log, accounts, cases and holds are not there; the log had {had} entries, "
            "there were {had_cases} cases.",
        )
    ),
    LossKind.DATABASE_DAMAGED: LossWords(
        (
            "control.db ist beschädigt und liegt jetzt daneben als {aside}. Das System arbeitet mit dem weiter, was davon lesbar war: "
            "{number} Einträge des Protokolls und {cases} von {had_cases} Vorgängen.",
            "control.db is damaged and now lies beside as {aside}. The system goes on with what of it could be read: {number} entries of "
            "the log and {cases} of {had_cases} cases.",
        )
    ),
    LossKind.DATABASE_UNUSABLE: LossWords(
        (
            "control.db war nicht lesbar und liegt jetzt daneben als {aside}. Das System begann eine leere; es gab {had_cases} Vorgänge.",
            "control.db could not be read and now lies beside as {aside}. The system began an empty one; there were {had_cases} cases.",
        )
    ),
    LossKind.DATABASE_OLDER: LossWords(
        (
            "control.db ist älter als das, was zuletzt lief: Das Protokoll hat {number} Einträge und hatte {had}, es gibt {cases} von "
            "{had_cases} Vorgängen. Was danach geschah, ist hier nicht bekannt.",
            "control.db is older than what ran last: the log has {number} entries and had {had}, there are {cases} of {had_cases} cases. "
            "What happened since is not known here.",
        ),
        (
            "Anhalten, die neueste control.db mit control.db-wal zurücklegen (auch aus einer neueren Sicherung: blickschutz restore) und "
            "neu starten.",
            "Stop the system, put the newest control.db with its control.db-wal back (a newer backup will do: blickschutz restore), and "
            "start again.",
        ),
    ),
    LossKind.LOG_CUT: LossWords(
        (
            "Dem Protokoll fehlt das Ende: Es hat {number} Einträge und hatte {had}. Einträge können entfernt worden sein.",
            "The log lacks its end: it has {number} entries and had {had}. Entries may have been removed.",
        ),
        (
            "Den Datenschutz verständigen und den Datenträger bewahren. Mit der neuesten control.db samt control.db-wal neu starten.",
            "Tell the data protection officer and keep the disk. Start again with the newest control.db and its control.db-wal.",
        ),
    ),
    LossKind.KEY_MISSING: LossWords(
        (
            "keys/installation.key fehlt. Nichts kann unterschrieben werden: keine Löschprotokolle, keine Sperren, kein Beweis.",
            "keys/installation.key is missing. Nothing can be signed: no receipts, no holds, no evidence.",
        )
    ),
    LossKind.KEY_DAMAGED: LossWords(
        (
            "keys/installation.key ist beschädigt. Nichts kann unterschrieben werden: keine Löschprotokolle, keine Sperren, kein Beweis.",
            "keys/installation.key is damaged. Nothing can be signed: no receipts, no holds, no evidence.",
        )
    ),
    LossKind.KEY_OTHER: LossWords(
        (
            "keys/installation.key ist ein anderer Schlüssel ({found}…) als der, mit dem diese Anlage lief ({had}…).",
            "keys/installation.key is another key ({found}…) than the one with which this installation ran ({had}…).",
        )
    ),
    LossKind.FACTORS_MISSING: LossWords(
        (
            "keys/factors.key fehlt oder ist beschädigt. Zweite Faktoren sind nicht prüfbar; wer einen braucht, kommt nicht herein.",
            "keys/factors.key is missing or damaged. Second factors cannot be checked; whoever needs one does not get in.",
        ),
        (
            "Anhalten, keys/factors.key aus der letzten Sicherung zurücklegen (blickschutz restore) und neu starten. Ohne Sicherung: "
            "blickschutz accept-loss am Rechner; danach richten alle einen neuen zweiten Faktor ein.",
            "Stop the system, put keys/factors.key back from the last backup (blickschutz restore), and start again. Without a backup: "
            "blickschutz accept-loss at the machine; everybody sets up a new second factor afterwards.",
        ),
    ),
    LossKind.FACTORS_OTHER: LossWords(
        (
            "keys/factors.key ist ein anderer Schlüssel als zuletzt. Die zweiten Faktoren von vorher sind damit nicht lesbar.",
            "keys/factors.key is another key than before. The second factors of before cannot be read with it.",
        )
    ),
    LossKind.WITNESS_MISSING: LossWords(
        (
            "witness.json fehlt. Ob die Datenbank die neueste ist, kann nicht festgestellt werden.",
            "witness.json is missing. Whether the database is the newest one cannot be found out.",
        ),
        (
            "Anhalten, witness.json zurücklegen, wenn es sie noch gibt, und neu starten. Sonst prüfen, ob die neuesten Vorgänge und "
            "Einträge da sind, und es zu zweit bestätigen.",
            "Stop the system, put witness.json back if it still exists, and start again. Otherwise see whether the newest cases and "
            "entries are there, and confirm it by two.",
        ),
    ),
    LossKind.WITNESS_DAMAGED: LossWords(
        (
            "witness.json ist beschädigt oder verändert. Ob die Datenbank die neueste ist, kann nicht festgestellt werden.",
            "witness.json is damaged or was altered. Whether the database is the newest one cannot be found out.",
        ),
        (
            "Prüfen, ob die neuesten Vorgänge und Einträge da sind, und es zu zweit bestätigen.",
            "See whether the newest cases and entries are there, and confirm it by two.",
        ),
    ),
    LossKind.RESTORED: LossWords(
        (
            "Dieser Ordner kommt aus einer Sicherung. Was danach geschah (Sperren, Bewertungen, gesperrte Konten), ist hier nicht bekannt.",
            "This folder came out of a backup. What happened since (holds, verdicts, blocked accounts) is not known here.",
        ),
        (
            "Sperren, Konten und Anfragen durchsehen und es zu zweit bestätigen.",
            "Look through holds, accounts and requests, and confirm it by two.",
        ),
    ),
    LossKind.ALERTS_MISSING: LossWords(
        (
            "alerts.db fehlt oder ist älter: Es gibt {alerts} von {had} Meldungen. Neue Meldungen gehen weiter.",
            "alerts.db is missing or older: there are {alerts} of {had} alerts. New alerts go on.",
        )
    ),
    LossKind.ALERTS_UNUSABLE: LossWords(
        (
            "alerts.db war nicht lesbar und liegt jetzt daneben als {aside}. Neue Meldungen gehen weiter; die alten stehen nur dort.",
            "alerts.db could not be read and now lies beside as {aside}. New alerts go on; the old ones are there only.",
        ),
        (
            "Die beiseite gelegte Datei retten lassen oder löschen: Sie enthält verpixelte Sekunden, die enden müssen.",
            "Have the file that was set aside rescued, or delete it: it holds redacted seconds, which have to end.",
        ),
    ),
}


def said(loss: Loss, language: str) -> tuple[str, str]:
    """What it means and the way back, in that language."""
    index, words = LANGUAGES.index(language), WORDS[loss.kind]
    return words.means[index].format(**loss.facts), words.back[index]
