"""Where recordings lie that hosts beside the cameras make, and their second copies; nothing is said of a site that has no such host."""

from __future__ import annotations

from blickschutz.compliance.documents.model import Sentence, law, say, setting, test
from blickschutz.compliance.model import Grounds

_CAMERAS, _COPIES = setting("hosts.cameras"), setting("hosts.copies")
_STAYS, _COPIED = test("tests/unit/test_host_clips.py"), test("tests/unit/test_copies.py")


def kept_there(g: Grounds) -> tuple[Sentence, ...]:
    """On which machines recordings lie, and what those can read of them."""
    hosts = g.site.hosts
    if hosts is None:
        return ()
    count = len(hosts.cameras)
    cameras = "Eine Kamera wird" if count == 1 else f"{count} Kameras werden"
    made = say(
        f"{cameras} von Rechnern bei den Kameras ausgewertet. Was dort aufgezeichnet wird, bleibt dort, versiegelt für zwei Sichtende; "
        "lesen kann es der Rechner nicht. Zur Sichtung wird es übertragen und danach in der Leitstelle gelöscht.",
        _CAMERAS,
        _STAYS,
    )
    if not hosts.copies:
        return (made, say("Eine Zweitkopie wird nicht angelegt.", _COPIES))
    names = ", ".join(hosts.copies)
    return (
        made,
        say(
            f"Zweitkopien: Von jeder fertigen Aufzeichnung dieser Rechner liegt ein versiegeltes Doppel auf einem weiteren Rechner der "
            f"Anlage ({names}), nie auf dem, der sie gemacht hat. Zweck ist allein, dass sie trotz Verlust eines Rechners gesichtet werden "
            "kann. Schlüssel liegen dort nicht.",
            _COPIES,
            _COPIED,
            law("Art. 32 Abs. 1 lit. b und c DSGVO"),
        ),
    )


def erased_there(g: Grounds) -> tuple[Sentence, ...]:
    """How recordings and copies end on those machines."""
    if g.site.hosts is None:
        return ()
    alone = say(
        "Auf Rechnern bei den Kameras hält jeder Rechner die Frist seiner Aufzeichnungen selbst ein, auch wenn er die Leitstelle nicht "
        "erreicht. Er überschreibt und entfernt die Datei und unterschreibt einen Bericht darüber; erst damit entsteht das Löschprotokoll.",
        _CAMERAS,
        _STAYS,
    )
    if not g.site.hosts.copies:
        return (alone,)
    return (
        alone,
        say(
            "Eine Zweitkopie hat dieselbe Frist wie ihr Original; ihr Rechner hält sie allein ein. Sperren, Einschränkungen und "
            "Vernichtungen gelten für beide. Das Löschprotokoll entsteht erst, wenn Original und Zweitkopie nachweislich vernichtet sind; "
            "es nennt jede Kopie mit ihrem Nachweis.",
            _COPIES,
            _COPIED,
            law("Art. 17 DSGVO"),
        ),
    )
