"""Number, version and history of each document: what was printed before, and which sentences are others since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blickschutz.compliance.documents.model import Document

NUMBERS: Mapping[str, str] = {
    "tom": "01",
    "dsfa": "02",
    "vvt": "03",
    "informationsblatt": "04",
    "schild": "05",
    "betriebskonzept": "06",
    "loeschkonzept": "07",
    "dienstvereinbarung": "08",
    "erforderlichkeit": "09",
    "ki-einstufung": "10",
    "rollenkonzept": "11",
    "wartung": "12",
    "verpflichtung-schulung": "13",
    "abnahme": "14",
    "protokolle": "15",
    "brief-information": "16",
    "datenpanne-meldung": "17",
    "datenpanne-benachrichtigung": "18",
    "wiederanlauf": "19",
    "evaluation": "20",
    "fragen": "21",
    "versammlungslage": "22",
    "ratsvorlage": "23",
}
"""The place of each document in the file; it never changes, so that a reference to it stays right."""
MOST_EDITIONS, MOST_SENTENCES = 8, 12
FIRST = "Erste Fassung."


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of a document: since when (ISO day), for which settings, sentences that are new in it and that were dropped.

    `more` counts what is left out of both lists.
    """

    version: int
    date: str
    settings: str
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    more: int = 0


def number(document: Document) -> str:
    """Its number in the file, for example VS-04-EN; empty for what is no document of the file (reports, letters to one person)."""
    base = next((key for key in NUMBERS if document.key == key or document.key.startswith(f"{key}-")), "")
    marks = [mark.upper() for mark in document.key.removeprefix(base).split("-") if mark not in {"", "de"}]
    return "-".join(["VS", NUMBERS[base], *marks]) if base else ""


def editions_of(kept: Any) -> tuple[Edition, ...]:
    """What the list of the last pack says of one document, the oldest first; what cannot be read there is left out."""
    found = []
    for one in kept if isinstance(kept, list) else []:
        try:
            found.append(
                Edition(
                    int(one["version"]),
                    str(one["date"]),
                    str(one["settings"]),
                    tuple(one["added"]),
                    tuple(one["dropped"]),
                    int(one["more"]),
                )
            )
        except (KeyError, TypeError, ValueError):
            continue
    return tuple(found)


def followed(before: Sequence[Edition], document: Document, last: Sequence[str] | None, date: str, settings: str) -> tuple[Edition, ...]:
    """The editions with the one that says what the document says; `last` is what the last print said, None where there was none.

    A print that says the same is the same edition. The day and the hash in its head change nothing.
    """
    if last is None or not before:
        start = before[-1].version + 1 if before else 1
        return (*before, Edition(start, date, settings))[-MOST_EDITIONS:]
    said = [one.text for one in document.sentences()]
    added, dropped = [one for one in said if one not in set(last)], [one for one in last if one not in set(said)]
    if not added and not dropped:
        return tuple(before)
    shown = 0 if document.reticent else MOST_SENTENCES
    more = max(0, len(added) - shown) + max(0, len(dropped) - shown)
    edition = Edition(before[-1].version + 1, date, settings, tuple(added[:shown]), tuple(dropped[:shown]), more)
    return (*before, edition)[-MOST_EDITIONS:]


def history(last: Mapping[str, Any], documents: Sequence[Document], today: str, settings: str) -> dict[str, tuple[Edition, ...]]:
    """The editions of every document once it is printed; `last` is the list of the last pack, empty where there was none.

    Documents that are no longer printed keep theirs.
    """
    before = last.get("said", {})
    kept = {key: editions_of(found) for key, found in last.get("editions", {}).items()}
    for key in before.keys() - kept.keys():
        # Printed by a version that kept no history.
        kept[key] = (Edition(1, str(last["date"]), str(last["settings"])),)
    return kept | {one.key: followed(kept.get(one.key, ()), one, before.get(one.key), today, settings) for one in documents}
