"""What a database server keeps, where, and who can read it, where a site's databases are on one; nothing of it is said of files."""

from __future__ import annotations

from blickschutz.compliance.documents.model import Sentence, law, rule, say, setting, test
from blickschutz.compliance.model import Grounds

_SET, _TRIED = setting("storage.database"), test("tests/unit/test_server_store.py")


def where(g: Grounds) -> str:
    """The server in words; empty where there is none."""
    server = g.site.storage.server
    if server is None:
        return ""
    return "auf diesem Rechner" if server.local else f"auf dem Rechner {server.host}"


def kept_there(g: Grounds) -> tuple[Sentence, ...]:
    """What is on the server and who can read it."""
    place = where(g)
    if not place:
        return ()
    return (
        say(
            f"Die Datenbanken liegen auf einem Datenbankserver (PostgreSQL) {place}: Protokoll, Konten mit Prüfwerten der Kennwörter, "
            "Vorgänge, Anfragen Betroffener, Meldungen mit ihren verpixelten Sekunden. Aufnahmen und ihre Schlüssel liegen dort nicht.",
            _SET,
            _TRIED,
        ),
        say(
            "Kleine Dateien der Leitstelle (etwa die versiegelten Schlüsseldateien der Sichtenden und die Zertifikate) liegen dort für "
            "eine zweite Leitstelle, verschlüsselt mit einem Schlüssel, den der Server nicht hat.",
            _SET,
            test("tests/unit/test_leading.py"),
        ),
        say(
            "Lesen kann diese Datenbanken, wer den Server verwaltet, auch an der Anlage vorbei. Betreibt ihn eine andere Stelle, ist das "
            "Auftragsverarbeitung.",
            _SET,
            law("Art. 28 DSGVO"),
        ),
    )


def third_countries(g: Grounds) -> Sentence:
    """Whether data go to third countries: where another machine keeps them, this software does not know."""
    server = g.site.storage.server
    if server is None or server.local:
        return say("Eine Übermittlung in Drittländer findet nicht statt.", rule("SI-01"))
    return say(
        f"Eine Übermittlung in Drittländer findet nicht statt, wenn der Datenbankserver {server.host} in keinem steht; das kann diese "
        "Software nicht prüfen.",
        rule("SI-01"),
        _SET,
    )


def erased_there(g: Grounds) -> tuple[Sentence, ...]:
    """What deletion means on a server, which overwrites nothing."""
    if not where(g):
        return ()
    return (
        say(
            "Auf dem Datenbankserver wird nichts überschrieben: Tabellen werden nach einer Löschung neu geschrieben und die alten Dateien "
            "entfernt. Was darin stand, bleibt auf dem Datenträger lesbar, bis dort anderes gespeichert wird; er gehört verschlüsselt.",
            _SET,
            _TRIED,
        ),
        say(
            "Zweitserver, Archive des Journals, Abzüge und Abbilder des Servers behalten Gelöschtes für eine eigene Zeit. Diese Fristen "
            "setzt, wer den Server verwaltet; sie gehören in dieses Löschkonzept.",
            _SET,
            law("Art. 17 DSGVO"),
        ),
    )
