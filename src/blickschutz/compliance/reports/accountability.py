"""What the committee is owed an account of besides alerts and reviews (Art. 5(2) GDPR)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from blickschutz.access.model import Role
from blickschutz.audit.model import Entry, Event
from blickschutz.compliance.documents import words
from blickschutz.compliance.documents.model import Section, Sentence, Table, event, fact, law, missing, rule, say, setting
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.reports.model import Happened
from blickschutz.compliance.reports.suppression import HIDDEN, Count, Suppressor

_HOUR_S, _MINUTE_S = 3600.0, 60.0
_GRACE_S = _HOUR_S
_BASES = {
    "strafverfolgung": "Strafverfolgung",
    "gefahrenabwehr": "Gefahrenabwehr",
    "gesetzlich": "gesetzlich angeordnet",
    "betroffener": "betroffene Person",
}
_OUTAGES = {"lost": "kein Bild", "stale": "Bild steht", "redaction-fault": "Verpixelung gestört, Bild ganz verdeckt"}
_RECORDED = (
    (FactKind.COMPLAINTS, "Beschwerden"),
    (FactKind.BREACHES, "Verletzungen des Schutzes personenbezogener Daten"),
    (FactKind.OPERATOR_TRAINING, "Schulung der Bedienung"),
    (FactKind.COSTS, "Kosten"),
)
_NOT_PUBLISHED = say("Nicht veröffentlicht.", law("Art. 5 Abs. 1 lit. c DSGVO"))


def accountability(g: Grounds, happened: Happened, writes: Suppressor, *, deletions_hidden: bool) -> list[Section]:
    """Deletions on time, releases, requests, what is recorded as facts, and the necessity of each camera.

    `deletions_hidden`: how many clips were destroyed would tell a count that is hidden elsewhere.
    """
    return [
        Section("Fristgerechte Löschung", (_NOT_PUBLISHED if deletions_hidden else _deletions(g, happened, writes),)),
        Section("Herausgaben nach Rechtsgrundlage", tuple(_releases(happened, writes))),
        Section("Anfragen Betroffener und Informationspflichten", (_requests(happened, writes),)),
        Section("Beschwerden, Datenpannen, Schulung, Kosten", (*_training(g, writes), *_recorded(g, happened, writes))),
        Section("Erforderlichkeit je Kamera", (_necessity(g, writes),)),
    ]


def _deletions(g: Grounds, happened: Happened, writes: Suppressor) -> Table:
    """A clip goes within an hour of its order, and its order comes within an hour of its limit."""
    ordered = {entry.subject: entry.at for entry in happened.log.get(Event.SHRED_ORDERED, ())}
    freed = {entry.subject: entry.at for entry in sorted(happened.log.get(Event.CASE_FREED, ()), key=lambda one: one.at)}
    limit_s = g.site.retention.unreviewed_hours * _HOUR_S
    late = [_is_late(entry, ordered, freed, limit_s) for entry in happened.log.get(Event.SHREDDED, ())]
    counts = {"fristgerecht vernichtet": Count(late.count(False)), "verspätet vernichtet": Count(late.count(True))}
    cells = writes.tables({"time": counts}).tables["time"] or dict.fromkeys(counts, HIDDEN)
    evidence = (event(Event.SHREDDED), event(Event.SHRED_ORDERED), setting("retention.unreviewed_hours"))
    return Table(("Löschung", "Clips"), tuple(((label, count), evidence) for label, count in cells.items()))


def _is_late(entry: Entry, ordered: dict[str, float], freed: dict[str, float], limit_s: float) -> bool:
    if entry.at - ordered.get(entry.subject, entry.at) > _GRACE_S:
        return True
    opened = entry.facts.get("opened")
    if entry.facts.get("reason") != "unreviewed" or not isinstance(opened, float | int):
        return False
    # What an open request kept is due when it is answered.
    return entry.at > max(opened + limit_s, freed.get(entry.subject, 0.0)) + _GRACE_S


def _releases(happened: Happened, writes: Suppressor) -> list[Sentence | Table]:
    entries = happened.log.get(Event.RELEASED, ())
    if not entries:
        return [say("Im Zeitraum wurde nichts herausgegeben.", event(Event.RELEASED))]
    counts = Counter(_BASES.get(str(entry.facts.get("basis")), "andere") for entry in entries)
    cells = writes.tables({"basis": {label: Count(count) for label, count in counts.items()}}).tables["basis"]
    if cells is None:
        return [say("Rechtsgrundlagen der Herausgaben: nicht veröffentlicht.", law("Art. 5 Abs. 1 lit. c DSGVO"))]
    rows = tuple(((label, count), (event(Event.RELEASED), rule("ZB-01"))) for label, count in sorted(cells.items()))
    return [Table(("Rechtsgrundlage", "Herausgaben"), rows)]


def _requests(happened: Happened, writes: Suppressor) -> Table:
    rows: tuple[tuple[str, Event], ...] = (
        ("Anfragen eingegangen", Event.REQUEST_RECORDED),
        ("Anfragen beantwortet", Event.REQUEST_ANSWERED),
        ("Fristen verlängert", Event.REQUEST_EXTENDED),
        ("Informationspflichten entstanden", Event.DUTY_OPENED),
        ("Informationspflichten erledigt oder aufgeschoben", Event.DUTY_SETTLED),
    )
    if writes.public:
        # Each release but those to people concerned opens a duty: with their number a hidden legal basis could be computed.
        rows = rows[:3]
    evidence = (rule("BR-01"), rule("ZB-03"))
    return Table(("Was", "Anzahl"), tuple(((label, writes.alone(happened.count(what))), (event(what), *evidence)) for label, what in rows))


def _training(g: Grounds, writes: Suppressor) -> list[Sentence]:
    reviewers = [member for member in g.members if member.may(Role.REVIEW, Role.SUPERVISION)]
    if not reviewers:
        return [missing("Schulung der Sichtung", rule("KI-07"))]
    valid = sum(member.trained_until is not None and member.trained_until >= g.today for member in reviewers)
    if valid == len(reviewers):
        return [say("Alle Personen, die sichten dürfen, haben eine gültige Schulung.", rule("KI-07"))]
    if writes.hides(Count(len(reviewers)), Count(valid), Count(len(reviewers) - valid)):
        return [say("Nicht alle Personen, die sichten dürfen, haben eine gültige Schulung.", rule("KI-07"))]
    return [say(f"Von {len(reviewers)} Personen, die sichten dürfen, haben {valid} eine gültige Schulung.", rule("KI-07"))]


def _recorded(g: Grounds, happened: Happened, writes: Suppressor) -> list[Sentence]:
    """Facts of the period, internally each with its day and person; what nobody recorded is open, not nought."""
    said = []
    for kind, about in _RECORDED:
        found = [one for one in g.facts.facts if one.kind is kind and happened.first <= one.date <= happened.last]
        if not found:
            said.append(missing(f"{about} im Zeitraum", fact(kind)))
        elif writes.public:
            # How many were recorded, and on which days, is a count too.
            told = " ".join(dict.fromkeys(writes.text(one.text) for one in found))
            said.append(say(f"{about}: {told}".strip(), fact(kind)))
        else:
            said += [words.stated(g, one, about) for one in found]
    return said


def _necessity(g: Grounds, writes: Suppressor) -> Table:
    """Incidents in the field of each camera, and what the last review found."""
    grounds = {ground.camera: ground for ground in g.facts.grounds}
    rows = []
    known: dict[str, int] = {}
    for one in g.facts.incidents:
        known[one.camera] = known.get(one.camera, 0) + one.count
    table = {camera.id: Count(known[camera.id]) for camera in g.site.cameras if camera.id in known}
    shown = writes.tables({"camera": table}).tables["camera"] or dict.fromkeys(table, HIDDEN)
    for camera in g.site.cameras:
        ground = grounds.get(camera.id)
        conclusion = writes.text(ground.conclusion) if ground is not None and ground.conclusion else "OFFEN"
        cells = (camera.name, shown.get(camera.id, "OFFEN"), conclusion)
        rows.append((cells, (fact("incidents"), fact("grounds"), rule("RG-06"))))
    return Table(("Kamera", "erfasste Vorfälle", "Ergebnis der Prüfung"), tuple(rows))


def outages(g: Grounds, happened: Happened, writes: Suppressor) -> list[Sentence | Table]:
    """Outages of cameras of ten seconds and more that ended in the period: how many and how long; by camera in the internal report."""
    ended = happened.log.get(Event.OUTAGE_ENDED, ())
    if not ended:
        return [say("Kein Ausfall einer Kamera endete im Zeitraum.", event(Event.OUTAGE_ENDED))]
    names = {camera.id: camera.name for camera in g.site.cameras}
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in ended:
        what = _OUTAGES.get(str(entry.facts.get("kind")), str(entry.facts.get("kind")))
        groups.setdefault((what,) if writes.public else (what, names.get(entry.subject, entry.subject)), []).append(entry)
    head: Sequence[str] = ("Störung",) if writes.public else ("Störung", "Kamera")
    cells = writes.tables({"what": {"\n".join(key): Count(len(found)) for key, found in groups.items()}}).tables["what"] or {}
    rows = tuple(
        ((*key, count, HIDDEN if count == HIDDEN else _minutes(found)), (event(Event.OUTAGE_ENDED),))
        for key, found in sorted(groups.items())
        for count in [cells.get("\n".join(key), HIDDEN)]
    )
    return [Table((*head, "Anzahl", "Minuten"), rows)]


def _minutes(found: Sequence[Entry]) -> str:
    seconds = sum(value for entry in found if isinstance(value := entry.facts.get("seconds"), float | int))
    return f"{seconds / _MINUTE_S:.1f}".replace(".", ",")
