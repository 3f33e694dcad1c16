"""Where recordings lie that hosts beside the cameras make, and their second copies; nothing is said of a site that has no such host."""

from __future__ import annotations

from blickschutz.compliance.documents.model import Sentence, law, say, setting, test
from blickschutz.compliance.model import Grounds

_CAMERAS, _COPIES = setting("hosts.cameras"), setting("hosts.copies")
_STORES, _STORED = setting("hosts.stores"), test("tests/unit/test_copy_store.py")
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
    names, stores = ", ".join(hosts.copies), [one for one in hosts.stores if one.host in hosts.copies]
    return (
        made,
        say(
            f"Zweitkopien: Von jeder fertigen Aufzeichnung dieser Rechner liegt ein versiegeltes Doppel auf einem weiteren Rechner der "
            f"Anlage ({names}), nie auf dem, der sie gemacht hat. Zweck ist allein, dass sie trotz Verlust eines Rechners gesichtet werden "
            "kann. Schlüssel liegen dort nicht. Geht ein Doppel verloren oder ist sein Rechner eine Stunde lang nicht erreichbar, wird ein "
            "weiteres angelegt, solange niemand die Vernichtung angeordnet hat; kommt der Rechner wieder, gibt es bis zum Ende der Frist "
            "beide.",
            _COPIES,
            _COPIED,
            law("Art. 32 Abs. 1 lit. b und c DSGVO"),
        ),
        *(
            (say("Von Aufzeichnungen der übrigen Kameras, die die Leitstelle selbst auswertet, gibt es keine Zweitkopie.", _CAMERAS),)
            if len(g.site.cameras) > count
            else ()
        ),
        *(
            say(
                f"Der Rechner {one.host} legt seine Zweitkopien in einen Objektspeicher: {one.place}. Betreibt ihn eine andere Stelle, ist "
                "das Auftragsverarbeitung; ob er in einem Drittland steht, kann diese Software nicht prüfen. Lesen kann er sie nicht.",
                _STORES,
                _STORED,
                law("Art. 28 DSGVO"),
            )
            for one in stores
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
            "Vernichtungen gelten für beide. Das Löschprotokoll entsteht erst, wenn das Original und jede Zweitkopie, die es je gab, "
            "nachweislich vernichtet sind; es nennt jede mit ihrem Nachweis.",
            _COPIES,
            _COPIED,
            law("Art. 17 DSGVO"),
        ),
        *(
            (
                say(
                    "Ein Objektspeicher überschreibt nichts: Jede Fassung wird dort gelöscht, und danach darf keine mehr aufgeführt sein. "
                    "Ist er zum Ende der Frist nicht erreichbar, wird weiter versucht, und der Vorgang bleibt bis zum Nachweis offen.",
                    _STORES,
                    _STORED,
                    law("Art. 17 DSGVO"),
                ),
            )
            if any(one.host in g.site.hosts.copies for one in g.site.hosts.stores)
            else ()
        ),
    )
