"""What keeps the processes of the system apart on this machine, in words of the DSFA."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.compliance.documents.model import Sentence, say, setting, test
from blickschutz.compliance.model import Grounds
from blickschutz.kernel.devices import Decoding, Device
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


_DECODED = test("tests/unit/test_decoding.py")


def cards(g: Grounds) -> tuple[Sentence, ...]:
    """Where raw pictures are besides the memory of their process; nothing where that is nowhere."""
    analysis = g.site.analysis
    said = []
    if analysis.decoding is not Decoding.SOFTWARE:
        said.append(
            say(
                f"Die Kamerabilder werden auf der Grafikkarte dekodiert ({analysis.decoding.value}), solange sie dieselben Bilder liefert "
                "wie die Software; die Seite „Zustand“ nennt je Kamera, was dekodiert.",
                setting("analysis.decoding"),
                _DECODED,
            )
        )
    if analysis.device is not Device.CPU:
        said.append(say(f"Der Detektor rechnet auf einem eigenen Gerät ({analysis.device.value}).", setting("analysis.device")))
    if said:
        said.append(
            say(
                "Rohe Bilder liegen deshalb auch im Speicher dieses Geräts und seines Treibers. Nur die Kameraprozesse können das Gerät "
                "benutzen. Für diesen Speicher bürgt der Treiber: Diese Software überschreibt ihn nicht, hält ihn nicht im Arbeitsspeicher "
                "fest, und wer den Rechner verwaltet, kann ihn lesen.",
                test("tests/unit/test_decoding.py"),
            )
        )
    return tuple(said)


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
