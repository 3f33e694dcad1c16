"""What is said of an upgrade, in German and English."""

from __future__ import annotations

from typing import Any

TEXTS: dict[str, tuple[str, str]] = {
    "no-manager": (
        "auf diesem Rechner läuft kein systemd: niemand könnte den Dienst anhalten, starten und sehen, ob er bereit ist. Halten Sie das "
        "System an, sichern Sie es (blickschutz backup) und installieren Sie das Bündel mit seinem install.sh",
        "no systemd runs on this machine: nobody could stop and start the service and see whether it is ready. Stop the system, back it up "
        "(blickschutz backup) and install the bundle with its install.sh",
    ),
    "other-program": (
        "{unit} startet {program}, dieser Befehl gehört zu {here}; rufen Sie den Befehl auf, den der Dienst startet, oder nennen Sie mit "
        "--service dessen Einheit",
        "{unit} starts {program}, this command belongs to {here}; call the one that the service starts, or name its unit with --service",
    ),
    "cut-off": (
        "Ein Wechsel von {before} auf {now} kam nicht zu Ende; er wird zuerst abgeschlossen",
        "An upgrade from {before} to {now} did not come to its end; that is brought about first",
    ),
    "not-root": (
        "in {folder} kann nicht geschrieben werden; rufen Sie den Befehl als root auf",
        "{folder} cannot be written to; call the command as root",
    ),
    "not-newer": (
        "das Bündel bringt die Version {there}, hier läuft schon {here}. Zurück auf eine ältere führt nur eine Sicherung von damals",
        "the bundle brings version {there}, and {here} runs here already. Back to an older one leads only a backup of that time",
    ),
    "asked": (
        "Von Version {before} auf {now}? Die Kameras sind währenddessen etwa eine halbe Minute dunkel. Sind sie nach {seconds} s nicht "
        "alle wieder da, kommt die alte Version von selbst zurück",
        "From version {before} to {now}? Cameras are dark for about half a minute. Where not all of them are back after {seconds} s, "
        "the old version comes back by itself",
    ),
    "backup": ("[1/5] sichern", "[1/5] backing up"),
    "install": ("[2/5] die neue Version neben der alten installieren", "[2/5] installing the new version beside the old one"),
    "rehearse": (
        "[3/5] an Kopien der Datenbanken probieren, ob sie sich übernehmen lassen",
        "[3/5] trying on copies of the databases whether they can be taken over",
    ),
    "switch": ("[4/5] umschalten, starten und zusehen", "[4/5] switching, starting and looking"),
    "back": (
        "[5/5] die neue Version ist nicht bereit: die alte kommt zurück",
        "[5/5] the new version is not ready: the old one comes back",
    ),
    "done": (
        "[5/5] Version {now} läuft; dunkel waren die Kameras {dark} s. Die Einheiten des Dienstes können sich geändert haben: "
        "blickschutz units",
        "[5/5] version {now} runs; cameras were dark for {dark} s. The units of the service may have changed: blickschutz units",
    ),
    "taken-back": (
        "Version {now} wurde nicht bereit ({reason}). Version {before} läuft wieder, keine Zeile ging verloren; dunkel waren die "
        "Kameras {dark} s",
        "version {now} did not become ready ({reason}). Version {before} runs again, no row was lost; cameras were dark for {dark} s",
    ),
    "unnoted": (
        "Im Protokoll fehlt der Eintrag dazu: {problem}",
        "The log has no entry of it: {problem}",
    ),
    "left": (
        "{rows} Zeilen von {table} kennt diese Version nicht; sie blieben zurück",
        "this version does not know {rows} rows of {table}; they were left behind",
    ),
}


def say(text: str, language: str, **words: Any) -> str:
    """A text in the operator's language."""
    german, english = TEXTS[text]
    return (german if language == "de" else english).format(**words)
