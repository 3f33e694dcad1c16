"""What keeps the processes of the system apart on this machine, in words of the DSFA."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.compliance.documents.model import Sentence, say, test
from blickschutz.compliance.model import Grounds
from blickschutz.zones.model import Wall

_EVIDENCE = test("tests/attack/test_zones.py")
# What an attacker who has taken over one process could do where the wall is missing.
WEAKER: Mapping[str, str] = {
    Wall.UNREADABLE: "andere Programme desselben Benutzers könnten rohe Bilder und Schlüssel im Arbeitsspeicher lesen",
    Wall.NO_CORE: "ein Absturz könnte Arbeitsspeicher auf den Datenträger schreiben",
    Wall.NO_DUMP: "ein Speicherabbild, das die Verwaltung des Rechners anfertigt, enthielte rohe Bilder und Schlüssel",
    Wall.NO_NEW_RIGHTS: "ein gestartetes Programm könnte mehr Rechte haben als der Prozess",
    Wall.NO_SWAP: "rohe Bilder und Schlüssel könnten in den Auslagerungsspeicher geraten",
    Wall.FILES: "ein übernommener Prozess könnte alle Dateien seines Benutzers lesen und ändern",
    Wall.TRUNCATION: "ein übernommener Prozess könnte verschlüsselte Aufzeichnungen leeren, aber nicht lesen",
    Wall.PORTS: "ein übernommener Prozess könnte sich zu jedem Dienst verbinden, den das Netz erreichbar lässt",
    Wall.SIGNALS: "ein übernommener Prozess könnte andere Prozesse desselben Benutzers beenden",
    Wall.CALLS: "ein übernommener Prozess könnte mehr Teile des Betriebssystems angreifen",
}


def walls(g: Grounds) -> tuple[Sentence, ...]:
    """Nothing where nobody asked the machine."""
    if g.machine is None:
        return ()
    held = say(
        "Kameraprozesse, Sichtungsräume, Schlüsselplätze und Leitstand sind getrennte Prozesse; jeder kann nur die Dateien, "
        "Netzanschlüsse und Systemaufrufe benutzen, die er braucht, und seinen Arbeitsspeicher liest kein anderer.",
        _EVIDENCE,
    )
    missing = [WEAKER[one] for one in g.machine.walls_missing]
    if not missing:
        return (held,)
    return held, say(f"Auf diesem Rechner gilt das schwächer als zugesagt: {'; '.join(missing)}.", _EVIDENCE)
