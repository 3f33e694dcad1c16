"""The committee's report for a period: what happened, from log and alerts; small counts are hidden in the public one."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Collection, Sequence

from blickschutz.audit.model import Event
from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.hours import hours
from blickschutz.compliance.documents.model import Document, Section, Sentence, Table, event, law, missing, rule, say, setting
from blickschutz.compliance.model import Found, Grounds, Result
from blickschutz.compliance.reports.accountability import accountability, outages
from blickschutz.compliance.reports.crime import Row
from blickschutz.compliance.reports.model import Happened
from blickschutz.compliance.reports.situation import crime_situation
from blickschutz.compliance.reports.suppression import HIDDEN, LEAST, Count, Suppressor
from blickschutz.situations.kinds import name

_HOUR_S = 3600.0
_SPAN = 3


def committee(g: Grounds, found: Sequence[Found], happened: Happened, crime: Sequence[Row] = (), *, public: bool) -> Document:
    """The report; `public` for the committee's public part."""
    period = f"{happened.first:%d.%m.%Y} bis {happened.last:%d.%m.%Y}"
    title = f"Bericht an den Lenkungskreis ({'öffentlich' if public else 'intern'})"
    writes = Suppressor(public=public)
    sections = [
        Section("Zeitraum", (say(f"{period}.", law("Art. 5 Abs. 2 DSGVO")), *_whole(g, happened))),
        Section("Anlage", (say(f"{len(g.site.cameras)} Kameras.", setting("cameras")), *hours(g, "de"))),
        Section("Meldungen", tuple(_alerts(happened, writes))),
        Section("Aufzeichnungen und Sichtung", tuple(_reviews(happened, writes))),
        Section("Löschung, Entpixelung, Herausgabe", (_acts(happened, writes),)),
        Section("Störungen", (_faults(happened, writes), *outages(g, happened, writes))),
        Section("Empfindlichkeit", tuple(_sensitivity(g, happened, writes))),
        *accountability(g, happened, writes, deletions_hidden=writes.hides(*_outcomes(happened).values())),
        crime_situation(crime, writes),
        Section("Regeln", (_policy(found),)),
        Section("Erforderlichkeit", (words.recorded(g, words.NECESSITY, "Letzte Prüfung der Erforderlichkeit"),)),
    ]
    if public:
        note = (
            f"Anzahlen von Meldungen, Vorgängen, Taten und Menschen von 1 bis {LEAST - 1} sind nicht veröffentlicht ({HIDDEN}), "
            "und so viele weitere, dass sie sich nicht errechnen lassen."
        )
        sections.insert(1, Section("Kleine Anzahlen", (say(note, law("Art. 5 Abs. 1 lit. c DSGVO")),)))
    return Document(f"bericht-{'oeffentlich' if public else 'intern'}", title, "de", "§ 21 LDSG RLP, Art. 5 Abs. 2 DSGVO", tuple(sections))


def _whole(g: Grounds, happened: Happened) -> list[Sentence]:
    """What the counts of the period lack, because it is not over yet, or because what happened in it is deleted already."""
    lacks = []
    if happened.last >= g.today:
        text = f"Der Zeitraum ist am {g.today:%d.%m.%Y} noch nicht zu Ende; alle Anzahlen sind vorläufig"
        lacks.append(missing(text, event(Event.LOG_SEEN)))
    known = happened.known_from
    if known is not None and happened.first < known:
        text = f"Was vor dem {known:%d.%m.%Y} geschah, ist nach Ablauf der Fristen gelöscht; alle Anzahlen sind Mindestzahlen"
        lacks.append(missing(text, setting("audit.keep_months"), setting("alerts.rows_days"), event(Event.LOG_ERASED)))
    return lacks


def _alerts(happened: Happened, writes: Suppressor) -> list[Sentence | Table]:
    if not happened.alerts:
        return [say("Im Zeitraum gab es keine Meldung.", event(Event.ALERT_DECIDED))]
    spans = {f"{start:02d} bis {start + _SPAN:02d} Uhr": range(start, start + _SPAN) for start in range(0, 24, _SPAN)}
    said = Counter(one.false for one in happened.alerts)
    tables = {
        "kind": {label: Count(count) for label, count in Counter(name(one.kind, "de") for one in happened.alerts).items()},
        "hour": {label: Count(sum(one.hour in span for one in happened.alerts)) for label, span in spans.items()},
        "false": {"Fehlalarm": Count(said[True]), "anderes Ergebnis": Count(said[False]), "noch nicht entschieden": Count(said[None])},
    }
    shown = writes.tables(tables)
    parts: list[Sentence | Table] = [say(f"Meldungen: {shown.total}.", event(Event.ALERT_DECIDED))]
    for key, title in (("kind", "Art"), ("hour", "Uhrzeit"), ("false", "Ergebnis")):
        cells = shown.tables[key]
        if cells is None:
            parts.append(say(f"{title}: nicht veröffentlicht.", law("Art. 5 Abs. 1 lit. c DSGVO")))
            continue
        rows = tuple(((label, count), (event(Event.ALERT_DECIDED), rule("KI-05"))) for label, count in cells.items())
        parts.append(Table((title, "Meldungen"), rows, bar=1))
    return parts


def _sensitivity(g: Grounds, happened: Happened, writes: Suppressor) -> list[Sentence | Table]:
    """What a camera may cost in false alarms, and what it cannot do within that."""
    budget, evidence = g.site.alerts.budget, setting("alerts.budget")
    allowed = f"{budget.false_alarms:g} in {budget.days:g}".replace(".", ",")
    parts: list[Sentence | Table] = [
        say(f"Erlaubte Fehlalarme je Kamera: {allowed} beobachteten Tagen, wo nichts anderes eingestellt ist.", evidence)
    ]
    names = {camera.id: camera.name for camera in g.site.cameras}
    if happened.counting:
        counting = ", ".join(names.get(camera, camera) for camera in happened.counting)
        parts.append(say(f"In der Probezeit, in der eine Kamera vor allem zählt: {counting}.", evidence, event(Event.SHADOW_BEGAN)))
    if happened.unavailable:
        rows = tuple(
            ((names.get(camera, camera), name(kind, "de")), (evidence, event(Event.SHADOW_OVER))) for camera, kind in happened.unavailable
        )
        parts.append(Table(("Kamera", "innerhalb des Budgets nicht verfügbar"), rows))
    changes = (
        ("Kameras oder Arten über ihrem Budget", happened.count(Event.BUDGET_EXCEEDED), Event.BUDGET_EXCEEDED),
        ("angenommene Meldeschwellen", happened.count(Event.THRESHOLD_ACCEPTED), Event.THRESHOLD_ACCEPTED),
        ("zurückgenommene Meldeschwellen", happened.count(Event.THRESHOLD_UNDONE), Event.THRESHOLD_UNDONE),
    )
    parts.append(_table(changes, writes))
    return parts


def _outcomes(happened: Happened) -> dict[str, Count]:
    counts = Counter(str(entry.facts.get("outcome")) for entry in happened.log.get(Event.CASE_DECIDED, ()))
    words = {"Vorfall": "incident", "kein Vorfall": "harmless", "dritte Stimme nötig": "third"}
    return {label: Count(counts[word]) for label, word in words.items()}


def _reviews(happened: Happened, writes: Suppressor) -> list[Sentence | Table]:
    decided = happened.log.get(Event.CASE_DECIDED, ())
    opened = {entry.subject: entry.at for entry in happened.log.get(Event.CASE_OPENED, ())}
    waits = [(entry.at - opened[entry.subject]) / _HOUR_S for entry in decided if entry.subject in opened]
    cells = writes.tables({"outcome": _outcomes(happened)}).tables["outcome"]
    recorded = writes.alone(happened.count(Event.CASE_OPENED))
    parts: list[Sentence | Table] = [say(f"Aufzeichnungen: {recorded}.", event(Event.CASE_OPENED))]
    if cells is None:
        parts.append(say("Ergebnisse der Sichtung: nicht veröffentlicht.", law("Art. 5 Abs. 1 lit. c DSGVO")))
    else:
        rows = tuple(((label, count), (event(Event.CASE_DECIDED),)) for label, count in cells.items())
        parts.append(Table(("Ergebnis der Sichtung", "Vorgänge"), rows, bar=1))
    if waits and not writes.hides(Count(len(waits))):
        middle = f"{statistics.median(waits):.1f}".replace(".", ",")
        parts.append(say(f"Median der Zeit bis zur Entscheidung: {middle} Stunden.", event(Event.CASE_OPENED), event(Event.CASE_DECIDED)))
    return parts


def _table(rows: Sequence[tuple[str, Count, Event]], writes: Suppressor, hidden: Collection[Event] = ()) -> Table:
    """Counts of different things: each is hidden for itself, or because it would tell one that is hidden elsewhere."""
    cells = [(label, HIDDEN if what in hidden else writes.alone(count), what) for label, count, what in rows]
    return Table(("Was", "Anzahl"), tuple(((label, shown), (event(what),)) for label, shown, what in cells))


def _acts(happened: Happened, writes: Suppressor) -> Table:
    rows: tuple[tuple[str, Event], ...] = (
        ("vernichtete Clips", Event.SHREDDED),
        ("Sperren", Event.HOLD_SET),
        ("Entpixelungen beantragt", Event.UNMASK_ASKED),
        ("Entpixelungen zugelassen", Event.UNMASK_GRANTED),
        ("Entpixelungen abgelehnt", Event.UNMASK_REFUSED),
        ("Herausgaben", Event.RELEASED),
        ("Herausgaben abgelehnt", Event.RELEASE_REFUSED),
    )
    if writes.public:
        # Asked is granted and refused together: with both of them it would tell the third.
        rows = tuple(row for row in rows if row[1] is not Event.UNMASK_ASKED)
    # Destroyed is nearly all that was found harmless, and held what was found an incident.
    hidden = (Event.SHREDDED, Event.HOLD_SET) if writes.hides(*_outcomes(happened).values()) else ()
    return _table([(label, happened.count(what), what) for label, what in rows], writes, hidden)


def _faults(happened: Happened, writes: Suppressor) -> Table:
    rows = (
        ("Starts der Anlage", Event.SYSTEM_STARTED),
        ("angehaltene Kameras", Event.CAMERA_STOPPED),
        ("Datenträger voll", Event.DISK_FULL),
        ("abgelehnte Aufzeichnungen", Event.RECORDING_REFUSED),
        ("fehlende Dateien", Event.MISSING_FILE),
        ("Brüche des Protokolls", Event.LOG_BROKEN),
    )
    return _table([(label, happened.count(what), what) for label, what in rows], writes)


def _policy(found: Sequence[Found]) -> Sentence:
    counts = Counter(one.answer.result for one in found)
    held, wrong, open_ = counts[Result.HOLDS], counts[Result.BROKEN], counts[Result.UNKNOWN]
    text = f"Von {len(found)} Regeln sind {held} erfüllt, {wrong} verletzt, {open_} noch nicht bekannt."
    return say(text, *(rule(one.rule.id) for one in found if one.answer.result is not Result.HOLDS), law("Art. 5 Abs. 2 DSGVO"))
