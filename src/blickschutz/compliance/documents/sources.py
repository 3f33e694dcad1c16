"""What cameras analyse themselves and the installation takes from them, by the settings: said wherever software is spoken of."""

from __future__ import annotations

from collections.abc import Sequence

from blickschutz.compliance.documents.model import Sentence, law, say, setting, test
from blickschutz.compliance.model import Grounds
from blickschutz.config.model import Camera
from blickschutz.situations.kinds import name

OWN = (setting("cameras.onvif"), setting("cameras.notify"), setting("alerts.mqtt"))


def ways(g: Grounds, camera: Camera) -> list[str]:
    """How that camera tells what it finds itself; nothing where nothing of it is taken."""
    mqtt = g.site.alerts.mqtt is not None and g.site.alerts.mqtt.listen
    found = []
    if camera.onvif is not None and camera.onvif.events and camera.onvif.address is not None:
        found.append("ONVIF")
    if camera.notify is not None:
        found.append("eigene Zeilen (unverschlüsselt)")
    if mqtt:
        found.append("MQTT")
    return found


def listens(g: Grounds) -> bool:
    """Whether anything is taken of what cameras find themselves."""
    return any(ways(g, camera) for camera in g.site.cameras)


def _by_way(g: Grounds) -> str:
    by: dict[str, list[str]] = {}
    for camera in g.site.cameras:
        for way in ways(g, camera):
            by.setdefault(way, []).append(camera.name)
    every = len(g.site.cameras)
    return "; ".join(f"{way}: {'alle Kameras' if len(names) == every else ', '.join(names)}" for way, names in by.items())


def _motion(g: Grounds) -> str:
    said = [(camera.name, camera.onvif.motion) for camera in g.site.cameras if camera.onvif is not None and ways(g, camera)]
    counted = "; ".join(f"bei {which} als „{name(kind, 'de')}“" for which, kind in said if kind is not None)
    return f"Dass sich nur etwas bewegt hat, zählt {counted}, sonst nicht." if counted else "Dass sich nur etwas bewegt hat, zählt nicht."


def own_analysis(g: Grounds) -> Sequence[Sentence]:
    """For the record of processing, the DPIA and the classification."""
    if not listens(g):
        return (
            say(
                "Was Kameras selbst auswerten können, nimmt die Anlage nicht an; ob es in einer Kamera eingeschaltet ist, weiß sie nicht. "
                "Es gehört dort abgeschaltet.",
                *OWN,
            ),
        )
    return (
        say(
            f"Kameras werten auch selbst aus, und die Anlage nimmt ihre Meldungen an. {_by_way(g)}.",
            *OWN,
            test("tests/unit/test_onvif.py"),
            test("tests/unit/test_notify.py"),
        ),
        say(
            "Angenommen wird, dass eine Lage beginnt oder endet, mit ihrer Art, dem Namen der Regel in der Kamera und Maßzahlen, aber kein "
            f"Bild. {_motion(g)} Gesichter und Kennzeichen werden nie angenommen.",
            *OWN,
            test("tests/unit/test_onvif.py"),
        ),
        say(
            "Daraus folgt dasselbe wie aus dem, was die Anlage selbst findet (siehe die Zeiten). Die Verpixelung hängt nicht davon ab.",
            setting("regimes"),
            test("tests/unit/test_onvif.py"),
        ),
        say(
            "Zu prüfen: womit die Kamera auswertet und was sie dabei erkennt oder speichert. Das steht in den Unterlagen des Herstellers "
            "und in den Einstellungen der Kamera, nicht in dieser Anlage.",
            law("Art. 25 Abs. 2 DSGVO"),
            *OWN,
        ),
    )
