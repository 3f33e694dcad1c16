"""Who may read numbers of this site for an overview of several, by the settings: nothing is said where nobody may."""

from __future__ import annotations

from collections.abc import Sequence

from blickschutz.compliance.documents.model import Sentence, say, setting, test
from blickschutz.compliance.model import Grounds

READ_BY = (setting("server.overview"), test("tests/unit/test_overview_site.py"))


def is_read(g: Grounds) -> bool:
    return bool(g.site.server.overview)


def row(g: Grounds) -> str:
    """The measure, for the TOM."""
    return (
        f"Zahlen dieses Standorts liest „{g.site.server.overview}“ für eine Übersicht mehrerer Standorte, mit einem Token, der nichts "
        "anderes kann, und über eine geprüfte, verschlüsselte Verbindung. Die Administration widerruft ihn jederzeit."
    )


def overview(g: Grounds) -> Sequence[Sentence]:
    """For the record of processing and the DPIA."""
    if not is_read(g):
        return ()
    return (
        say(
            f"„{g.site.server.overview}“ liest für eine Übersicht mehrerer Standorte laufend: wie viele Kameras in welchem Zustand sind, "
            "offene Meldungen nach Art und Alter, fällige Fristen, Stand von Protokoll, Uhr und Regeln, Version der Programme. Keine "
            "Bilder, keine Namen, keine Orte innerhalb des Standorts.",
            *READ_BY,
        ),
        say(
            "Dafür besteht eine Verbindung vom Netz dieser Stelle zum Server des Standorts. Kameras und Bildschirme sind weiterhin nicht "
            "angeschlossen. Aus Zahl und Alter von Meldungen kann sich ergeben, wie viel an einem Ort geschieht, und wie schnell die "
            "Leitstelle sie bearbeitet; sie werden bei dieser Stelle nur angezeigt, nicht gespeichert.",
            *READ_BY,
        ),
    )
