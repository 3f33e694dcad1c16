"""The analysis by software (KI)."""

from __future__ import annotations

from datetime import timedelta

from blickschutz.access.model import AccountState, Role
from blickschutz.audit.model import Event
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Answer, Grounds, Result, broken, holds, unknown
from blickschutz.compliance.policy.base import GATE, LOG, MONTH, NOT_STARTED, SETTING, YEAR, names, recorded, rule
from blickschutz.situations.kinds import Kind as SituationKind

# Above this share of false alarms a kind is suspended at a camera; below this number the share says nothing.
MOST_FALSE = 0.8
LEAST_ALERTS = 20
_ALLOWED_MODELS = ("person",)
_LOADED_WORDS = ("aggress", "suspicious", "verdächtig", "gewalt", "täter", "threat", "angry", "race", "ethnic", "intent", "thief")


@rule(
    "KI-01",
    "KI-VO Art. 5, Anhang III; Art. 9 DSGVO",
    "Kein Modell für Gesicht, Gang, Kennzeichen, Wiedererkennung oder Gefühl",
    "No model of faces, gait, plates, re-identification or emotion",
    SETTING,
)
def models(g: Grounds) -> Answer:
    name = g.site.analysis.model
    if name not in g.models:
        return (broken if g.started else unknown)(
            f"Das Modell {name!r} fehlt oder ist verändert; „blickschutz models install“ bringt es neu.",
            f"The model {name!r} is missing or altered; `blickschutz models install` brings it anew.",
        )
    strange = [model for model, sees in g.models.items() if sees not in _ALLOWED_MODELS]
    if strange:
        return broken(
            f"Nur Modelle für Personen sind erlaubt; entfernen Sie: {names(strange)}.",
            f"Only models of persons are allowed; remove: {names(strange)}.",
        )
    return holds(f"analysis.model = {name}, Datei unverändert (SHA-256)", f"analysis.model = {name}, file unaltered (SHA-256)")


@rule(
    "KI-02",
    "KI-VO Erwägungsgrund 18",
    "Die Wörter sind neutral und beschreiben Bewegung",
    "The words are neutral and describe movement",
    SETTING,
)
def vocabulary(g: Grounds) -> Answer:
    spoken = [kind.value for kind in SituationKind] + [zone.name for camera in g.site.cameras for zone in camera.zones]
    loaded = [word for word in spoken if any(bad in word.lower() for bad in _LOADED_WORDS)]
    if loaded:
        return broken(
            f"Benennen Sie neutral, was zu sehen ist, statt: {names(loaded)}.",
            f"Name neutrally what is to be seen instead of: {names(loaded)}.",
        )
    return holds("situations/kinds.py; cameras.zones.name", "situations/kinds.py; cameras.zones.name")


@rule("KI-03", "Art. 22 DSGVO, Art. 14 KI-VO", "Über jedes Ereignis entscheidet ein Mensch", "A person decides about each event", LOG)
def human_decision(g: Grounds) -> Answer:
    if g.rows is None:
        return NOT_STARTED
    if g.rows.unanswered:
        return broken(
            f"Ohne Entscheidung einer Person abgeschlossen: Meldungen {names(g.rows.unanswered)}.",
            f"Closed without a person's decision: alerts {names(g.rows.unanswered)}.",
        )
    return holds("Verlauf der Meldungen", "history of the alerts")


@rule(
    "KI-04",
    "Art. 12 KI-VO",
    "Protokolliert sind Start, Ende, Modell, Hash der Einstellungen und Entscheidungen",
    "Logged are start, end, model, settings' hash and decisions",
    LOG,
)
def logged(g: Grounds) -> Answer:
    starts = g.log.get(Event.SYSTEM_STARTED, ())
    if not starts:
        return NOT_STARTED
    bare = [entry.number for entry in starts if not {"settings", "model", "version"}.issubset(entry.facts)]
    if bare:
        return broken(
            f"Diesen Starts fehlt Modell oder Hash: Einträge {names(bare)}; das Programm ist zu alt.",
            f"These starts lack model or hash: entries {names(bare)}; the program is too old.",
        )
    return holds("Einträge system-started, alert-decided", "entries system-started, alert-decided")


@rule(
    "KI-05",
    "Art. 26 Abs. 5 KI-VO",
    "Die Fehlalarmrate je Kamera und Art ist bekannt und unter der Schwelle",
    "The rate of false alarms per camera and kind is known and below the threshold",
    LOG,
)
def false_alarms(g: Grounds) -> Answer:
    if g.rows is None:
        return NOT_STARTED
    off = {(camera.id, kind.value) for camera in g.site.cameras for zone in camera.zones for kind in zone.rules.off}
    many = [one for one in g.rows.false_alarms if one.alerts >= LEAST_ALERTS and one.false / one.alerts > MOST_FALSE]
    many = [one for one in many if (one.camera, one.kind) not in off]
    if many:
        shown = names(f"{one.camera}/{one.kind} {100 * one.false / one.alerts:.0f} %" for one in many)
        return broken(
            f"Zu viele Fehlalarme; setzen Sie die Art dort mit rules.off aus: {shown}.",
            f"Too many false alarms; suspend the kind there with rules.off: {shown}.",
        )
    return holds("Meldungen der letzten 30 Tage", "alerts of the last 30 days")


@rule(
    "KI-06",
    "§ 21 Abs. 3 LDSG RLP",
    "Mit Aufnahmen des Betriebs wird nicht trainiert, und niemand nimmt sie in Mengen mit",
    "Operational footage trains nothing, and nobody takes it along in bulk",
    SETTING,
    LOG,
)
def no_training(g: Grounds) -> Answer:
    day = g.entries(Event.RELEASED, 365)
    busy = {entry.number for entry in day if sum(abs(other.at - entry.at) < 86_400 for other in day) > 20}
    if busy:
        return broken(
            "An einem Tag wurden mehr als 20 Clips herausgegeben; prüfen Sie die Einträge released.",
            "More than 20 clips were released in one day; look at the entries released.",
        )
    return holds("Es gibt keinen Weg zum Training; Einträge released", "there is no way to train; entries released")


@rule(
    "KI-07",
    "Art. 4 KI-VO",
    "Die KI-Einstufung ist unterschrieben; die Bediener sind in den letzten zwölf Monaten geschult",
    "The AI classification is signed; the operators were trained within twelve months",
    GATE,
    LOG,
)
def training(g: Grounds) -> Answer:
    classified, trained = recorded(g, FactKind.AI_CLASSIFICATION), recorded(g, FactKind.OPERATOR_TRAINING, YEAR, document=False)
    for answer in (classified, trained):
        if answer.result is not Result.HOLDS:
            return answer
    active = [one for one in g.members if one.state is not AccountState.BLOCKED and one.may(Role.REVIEW, Role.SUPERVISION)]
    late = [
        one.id
        for one in active
        if one.trained_until is None or one.trained_until < g.today or one.trained_until > g.today + timedelta(days=2 * YEAR)
    ]
    if late:
        return broken(
            f"Diese Personen sind nicht geschult und sichten deshalb nicht: {names(late)}.",
            f"These people are not trained and so do not review: {names(late)}.",
        )
    german, english = (f"{one}; {two}; trained_until" for one, two in zip(classified.text, trained.text, strict=True))
    return holds(german, english)


@rule(
    "KI-08",
    "Art. 14 KI-VO, Art. 21 DSGVO",
    "Anhalten je Kamera und für alle, monatlich geprüft",
    "The stop control for each camera and for all, tried every month",
    LOG,
)
def stop_control(g: Grounds) -> Answer:
    if not g.started:
        return NOT_STARTED
    if not g.entries(Event.CAMERA_STOPPED, MONTH):
        return broken(
            "Halten Sie einmal an und geben Sie wieder frei; der letzte Versuch ist über einen Monat her.",
            "Stop once and resume; the last trial is more than a month ago.",
        )
    stopped, resumed = g.log.get(Event.CAMERA_STOPPED, ()), g.log.get(Event.CAMERA_RESUMED, ())
    if stopped and not resumed:
        return unknown(
            "Angehalten wurde, freigegeben noch nie; geben Sie nach der Probe wieder frei.",
            "Something was stopped and nothing ever resumed; resume after the trial.",
        )
    return holds("Einträge camera-stopped, camera-resumed", "entries camera-stopped, camera-resumed")


RULES = (models, vocabulary, human_decision, logged, false_alarms, no_training, training, stop_control)
