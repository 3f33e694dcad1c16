"""Rules that open no gate: for each word of what a rule claims a counter-example, or the test in which the program itself is tried."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

import pytest
from pydantic import ValidationError

from blickschutz.access.model import Member, Role
from blickschutz.audit.model import Event
from blickschutz.compliance.facts import FactKind as K
from blickschutz.compliance.model import FalseAlarms, Kind, Result
from blickschutz.compliance.policy import RULES
from blickschutz.config.model import Audit, SiteFile
from blickschutz.regime.model import Action
from blickschutz.situations.kinds import Kind as Situation
from tests.conftest import ROOT
from tests.unit.test_claims import _STOP as STOP
from tests.unit.test_claims import CLAIMS, other, without
from tests.unit.test_policy import (
    ALONE,
    HASH,
    NOW,
    SITE,
    TODAY,
    entry,
    facts_with,
    first_camera,
    future,
    logged,
    night,
    old,
    other_settings,
    retention,
    rows,
    said,
    site_with,
    whole,
    zone,
)

TWO = ["kvd-1", "kvd-2"]
REDACTION = "tests/properties/test_redaction.py::"
GRANTED = {"people": TWO, "reason": "Jacke", "reference": "KL-1", "seconds": 60}
HOLD = {"ground": "straftat", "reference": "KL-1", "owner": "kvd-1", "until": NOW + 9, "by": TWO}
RELEASE = {"people": TWO, "basis": "strafverfolgung", "recipient": "Polizei", "sha256": HASH}
RECEIPT = {
    "reason": "harmless",
    "method": "x",
    "destroyed": NOW,
    "overwritten": 1,
    "absent": True,
    "signature": "ab",
    "ending": "overwritten",
}
START = {"settings": "a", "model": "centernet", "version": "1"}


def machine(**more):
    return lambda g: replace(g, machine=replace(g.machine, **more))


def models(**more):
    return lambda g: replace(g, models={**g.models, **more})


def less(event, facts, **changed):
    """An entry of that event in which something is missing or otherwise."""
    return logged(event, entry(event, **{name: value for name, value in (facts | changed).items() if value is not None}))


def false_alarms(camera="vorplatz-nord", kind="gathering"):
    return rows(false_alarms=(FalseAlarms(camera, kind, 30, 29),))


def members(*roles):
    return lambda g: replace(g, members=(Member("x", "X", frozenset(roles), TODAY),))


def ground(**more):
    return lambda g: facts_with(g, grounds=tuple(one.model_copy(update=more) for one in g.facts.grounds))


def dense(px):
    return lambda g: first_camera(calibration=g.site.cameras[0].calibration.model_copy(update={"px_per_metre": px}))(g)


WORDS = {
    "RG-05": {
        "Jeder Bereich ist öffentlich oder nicht öffentlich": lambda g: facts_with(g, grounds=g.facts.grounds[1:]),
        "Intimbereiche gibt es nicht": first_camera(name="Flur vor der Toilette"),
    },
    "RG-06": {
        "Erforderlichkeit": without(K.NECESSITY_REVIEW),
        "in den letzten zwölf Monaten": old(K.NECESSITY_REVIEW, 366),
        "geprüft": future(K.NECESSITY_REVIEW),
    },
    "TR-04": {
        "Niemand behauptet": other(K.COMPLAINTS, text="Wir speichern keine personenbezogenen Daten."),
        "Anonymität": lambda g: facts_with(g, full_information="Aufnahmen sind anonym."),
        "solange Unverpixeltes gespeichert wird": lambda g: night(mode="sealed")(facts_with(g, full_information="anonymous")),
    },
    "DM-01": {
        "Kein Ton": first_camera(address="rtsp://192.0.2.11/stream1?audio=1"),
        "kein Schwenken": first_camera(address="rtsp://192.0.2.11/ptz"),
        "kein Zoomen": first_camera(address="rtsp://192.0.2.11/stream1?zoom=4"),
    },
    "DM-02": {
        "Privatzonen liegen über Nachbarn": lambda g: ground(no_privacy_zone="")(first_camera(privacy_zones=())(g)),
        "unbeteiligter Straße": other_settings(K.PRIVACY_ZONES),
        "freigegeben": without(K.PRIVACY_ZONES),
    },
    "DM-03": {
        "Pixeldichte je Bereich": first_camera(calibration=None),
        "berechnet": lambda g: site_with(
            g, cameras=tuple(one.model_copy(update={"picture": None, "calibration": None}) for one in g.site.cameras)
        ),
        "ab 250 px/m": dense(250.0),
        "sie begründet": lambda g: ground(density_reason="")(dense(300.0)(g)),
    },
    "DM-04": {
        "Voreingestellt": "tests/live/test_browser.py::test_all_tiles_play_and_a_known_person_is_redacted",
        "verpixelte Ansicht": logged(Event.UNMASK_GRANTED, entry(Event.UNMASK_GRANTED, people=ALONE)),
        "live": REDACTION + "test_no_analysis_shows_nothing",
        "Wiedergabe": "tests/unit/test_room.py::test_unredacted_pictures_are_for_two_who_want_them_and_as_long_as_they_do",
    },
    "DM-05": {
        "Verpixelung": rows(redaction_faults=1),
        "fällt auf sichere Seite": REDACTION + "test_an_exception_shows_nothing_and_is_counted",
    },
    "DM-06": {
        "Maske bleiben höchstens 12,5 px/m": lambda g: replace(g, cells_per_metre=12.6),
        "wer stillsteht bleibt verpixelt": REDACTION + "test_somebody_who_did_not_stand_out_stays_covered",
    },
    "DM-07": {
        "Keine Daueraufzeichnung": night(kinds={Situation.PERSON_IN_ZONE: Action.RECORD}),
        "kein Clip ohne Anlass": rows(untriggered=(7,)),
    },
    "KI-01": {
        "Kein Modell": lambda g: replace(g, models={}),
        "Gesicht": models(x="face"),
        "Gang": models(x="gait"),
        "Kennzeichen": models(x="plate"),
        "Wiedererkennung": models(x="re-identification"),
        "oder Gefühl": models(x="emotion"),
    },
    "KI-02": {"Wörter neutral": zone(name="Gewalt-Ecke"), "beschreiben Bewegung": zone(name="Verdächtige")},
    "KI-03": {"Über jedes Ereignis": rows(unanswered=(1,)), "entscheidet Mensch": rows(unanswered=(1, 2))},
    "KI-04": {
        "Protokolliert Start": logged(Event.SYSTEM_STARTED),
        "Ende": "tests/unit/test_keeping.py::test_the_end_is_an_entry_of_the_log_and_signed",
        "Modell": less(Event.SYSTEM_STARTED, START, model=None),
        "Hash Einstellungen": less(Event.SYSTEM_STARTED, START, settings=None),
        "Entscheidungen": "tests/unit/test_alert_entries.py::test_a_decision_while_the_log_is_locked_is_entered_later",
    },
    "KI-05": {
        "Fehlalarmrate je Kamera": false_alarms(),
        "Art": false_alarms(kind="loitering"),
        "bekannt": lambda g: replace(g, rows=None),
        "unter Schwelle": false_alarms(camera="vorplatz-mitte"),
    },
    "KI-06": {
        "Aufnahmen Betriebs nicht trainiert": "tests/unit/test_claims_of_rules.py::test_nothing_that_runs_can_learn",
        "niemand nimmt sie Mengen": logged(Event.RELEASED, *(entry(Event.RELEASED, number, people=TWO) for number in range(25))),
    },
    "KI-08": {
        "Anhalten": logged(Event.CAMERA_STOPPED),
        "je Kamera": "tests/unit/test_keeping.py::test_a_camera_that_was_stopped_stays_stopped_over_a_restart",
        "alle": "tests/unit/test_routes_records.py::test_not_everybody_lets_it_go_on",
        "monatlich geprüft": lambda g: replace(g, log={**g.log, Event.CAMERA_STOPPED: (old_entry(Event.CAMERA_STOPPED, 32),)}),
    },
    "VA-01": {
        "Sichtung öffnet sich nur zwei verschiedenen": less(Event.CLIP_OPENED, {}, people=ALONE),
        "Personen": less(Event.CLIP_OPENED, {}, people=["kvd-1"]),
        "angemeldeten": "tests/unit/test_room.py::test_two_people_do_not_sit_in_one_session",
        "geschulten": "tests/unit/test_keeping.py::test_who_is_blocked_or_no_longer_trained_does_not_count_as_somebody_who_opens",
    },
    "VA-02": {
        "Entpixelung nur Grund": less(Event.UNMASK_GRANTED, GRANTED, reason=None),
        "Aktenzeichen": less(Event.UNMASK_GRANTED, GRANTED, reference=""),
        "zweiter Person": less(Event.UNMASK_GRANTED, GRANTED, people=ALONE),
        "einen Clip": lambda g: replace(g, log={**g.log, Event.UNMASK_GRANTED: (of_nothing(Event.UNMASK_GRANTED, **GRANTED),)}),
        "kurze Zeit": less(Event.UNMASK_GRANTED, GRANTED, seconds=0),
    },
    "VA-03": {
        "Über Kontingent Entpixelungen": logged(Event.UNMASK_GRANTED, *(entry(Event.UNMASK_GRANTED, n, **GRANTED) for n in range(11))),
        "erfährt es Datenschutzbeauftragte": lambda g: logged(Event.UNMASK_QUOTA_PASSED)(
            logged(Event.UNMASK_GRANTED, *(entry(Event.UNMASK_GRANTED, n, **GRANTED) for n in range(20)))(g)
        ),
    },
    "VA-04": {
        "Wer verwaltet sieht weder Livebild noch Aufnahmen": members(Role.ADMINISTRATION, Role.CONTROL_ROOM),
        "wer sichtet verwaltet nicht": members(Role.REVIEW, Role.ADMINISTRATION),
    },
    "VA-05": {"Rechtzeitig gesichtet sonst vernichtet": rows(overdue=(4,))},
    "LO-01": {"Was niemand sichtet oder harmlos bleibt höchstens 72 Stunden": retention(unreviewed_hours=73)},
    "LO-02": {
        "Spätestens nach zwei Monaten": retention(hard_limit_days=62),
        "alles gelöscht was nicht gesperrt": "tests/unit/test_periods.py::test_every_clip_ends_within_two_months_of_its_capture",
    },
    "LO-03": {
        "Sperre Grund": less(Event.HOLD_SET, HOLD, ground="neugier"),
        "Aktenzeichen": less(Event.HOLD_SET, HOLD, reference=""),
        "verantwortliche Person": less(Event.HOLD_SET, HOLD, owner=None),
        "Ende": less(Event.HOLD_SET, HOLD, until=0),
        "zwei Personen": less(Event.HOLD_SET, HOLD, by=ALONE),
    },
    "LO-04": {
        "Kein Vorfall sofort vernichtet": lambda g: replace(g, log={**g.log, Event.SHRED_ORDERED: (old_entry(Event.SHRED_ORDERED, 0.1),)}),
        "Clip": "tests/unit/test_shredding.py::test_whenever_it_comes_the_file_was_overwritten_and_the_receipt_says_so",
        "Ausschnitte Kopien": "tests/unit/test_shredding.py::test_a_copy_that_does_not_go_lets_the_clip_go",
        "Schlüssel": "tests/unit/test_room.py::test_the_key_is_gone_when_one_leaves",
    },
    "LO-05": {
        "Jede Vernichtung Löschprotokoll": less(Event.SHREDDED, RECEIPT, signature=None),
        "ohne": less(Event.SHREDDED, RECEIPT, ending="vanished"),
        "Bild": "tests/unit/test_evidence.py::test_the_golden_package_and_receipt_still_verify",
    },
    "LO-06": {
        "Schlüssel je Clip vernichtet": rows(undecided=(3,)),
        "dass nichts blieb nachgesehen": rows(stray=("c1",)),
    },
    "LO-07": {
        "Sicherungen enthalten keine Aufnahmen": without(K.BACKUP_CONCEPT),
        "Wiederherstellung löscht erneut": "tests/unit/test_backup.py::test_what_survived_is_brought_over_and_holds_stand",
    },
    "LO-08": {
        "Für Protokoll": other(K.LOG_RETENTION, text="so lange wie nötig"),
        "gilt Frist": other(K.LOG_RETENTION, text="36 Monate"),
        "nach ihr gelöscht": rows(old_entries=1),
    },
    "ZB-01": {
        "Herausgabe Empfänger": less(Event.RELEASED, RELEASE, recipient=""),
        "Rechtsgrundlage": less(Event.RELEASED, RELEASE, basis="weil"),
        "zwei Personen": less(Event.RELEASED, RELEASE, people=ALONE),
    },
    "ZB-02": {"Ordnungswidrigkeit kein Grund Herausgabe": less(Event.RELEASED, RELEASE, basis="ordnungswidrigkeit")},
    "ZB-03": {
        "Wem Aufnahme zugeordnet": logged(Event.DUTY_OPENED),
        "erfährt es": rows(unmet_duties=(2,)),
        "oder Aufschub": "tests/unit/test_rights.py::test_a_duty_is_opened_once_met_once_and_a_deferral_comes_back",
        "festgehalten": without(K.REQUESTS_PROCESS),
    },
    "ZB-04": {"Keine Kontrolle Leistung oder Verhalten Beschäftigten": without(K.STAFF_CONTROL)},
    "BR-01": {
        "Anfragen Betroffener": without(K.REQUESTS_PROCESS),
        "binnen eines Monats beantwortet": rows(late_requests=(1,)),
    },
    "BR-02": {
        "Aufnahmen offenen Anfrage": lambda g: replace(g, log={**g.log, Event.CASE_FREED: (), Event.SHREDDED: (entry(Event.SHREDDED, 4),)}),
        "eingeschränkt": "tests/unit/test_rights.py::test_two_requests_keep_a_recording_until_both_are_answered",
        "nicht gelöscht": lambda g: replace(
            g,
            log={
                **g.log,
                Event.CASE_RESTRICTED: (entry(Event.CASE_RESTRICTED, 2, request=1), entry(Event.CASE_RESTRICTED, 4, request=2)),
                Event.SHREDDED: (entry(Event.SHREDDED, 5),),
            },
        ),
    },
    "BR-03": {
        "Kopie Person alle anderen verpixelt": logged(
            Event.RELEASED, entry(Event.RELEASED, basis="betroffener", contents=["original.mp4"], sha256=HASH)
        )
    },
    "SI-01": {
        "Keine Standardroute": machine(default_routes=("192.0.2.1",)),
        "keine Namensauflösung": machine(resolvers=("8.8.8.8",)),
        "keine Verbindung außerhalb Liste": machine(connections=("203.0.113.9:443",)),
    },
    "SI-02": {
        "Gespeichertes verschlüsselt Schlüssel je Clip": "tests/unit/test_vault.py::test_envelopes_of_two_clips_do_not_mix",
        "Weg Kamera geschützt": without(K.CAMERA_LINK),
    },
    "SI-03": {
        "Zweiter Faktor": rows(without_factor=("kvd-1",)),
        "keine gemeinsamen Konten": "tests/unit/test_claims_of_rules.py::test_two_people_cannot_share_an_account",
        "kein Kennwort Herstellers": first_camera(address="rtsp://admin:admin@192.0.2.11/stream1"),
    },
    "SI-04": {
        "Protokoll verkettet": rows(chain_faults=("entry 4 was changed",)),
        "nur ergänzt": "tests/unit/test_audit.py::test_the_log_cannot_be_changed_in_the_database",
        "täglich geprüft": "tests/unit/test_audit.py::test_what_is_new_is_looked_at_and_the_whole_once_a_day",
    },
    "SI-05": {
        "Uhr geht": machine(drift_s=None),
        "ohne Netz": lambda g: replace(g, machine=None),
        "auf Sekunde genau": machine(drift_s=-1.01),
        "Sprünge protokolliert": "tests/unit/test_time.py::test_a_jump_suspends_counts_on_and_ends_when_it_is_undone",
    },
    "SI-06": {
        "Wechseldatenträger": without(K.MEDIA_CONTROL),
        "Liste": other(K.MEDIA_CONTROL, text="zwei Personen, Eintrag im Protokoll"),
        "zwei Personen": other(K.MEDIA_CONTROL, text="Liste, Eintrag im Protokoll"),
        "protokolliert": other(K.MEDIA_CONTROL, text="Liste, zwei Personen"),
    },
    "SI-07": {
        "Sabotagemeldung je Kamera": first_camera(zones=()),
        "verdeckt bewegt unscharf geblendet": lambda g: zone(
            rules=replace(g.site.cameras[0].zones[0].rules, off=(Situation.CAMERA_TAMPERED,))
        )(g),
    },
    "SI-08": {
        "SHA-256": less(Event.RELEASED, RELEASE, sha256=None),
        "Beweispaket Original Verzeichnis Signatur Gewahrsam": "tests/unit/test_evidence.py::test_what_was_done_to_a_package_is_named",
    },
    "SI-09": {
        "Wiederherstellung": without(K.RESTORE_TEST),
        "binnen zwölf": old(K.RESTORE_TEST, 366),
        "Rechte": without(K.RIGHTS_REVIEW),
        "binnen sechs Monaten": old(K.RIGHTS_REVIEW, 190),
        "geprüft": logged(Event.RESTORE_TRIED, entry(Event.RESTORE_TRIED, whole=False)),
    },
    "SI-10": {
        "Für Datenpannen gibt es Verfahren": without(K.BREACH_PROCESS),
        "72 Stunden": other(K.BREACH_PROCESS, text="Wer etwas bemerkt, ruft an."),
    },
    "SI-11": {
        "Für Protokoll bürgt": rows(anchor_problem="forked"),
        "Zeuge außerhalb Anlage": lambda g: site_with(g, audit=Audit()),
        "täglich": rows(anchored_at=NOW - 2 * 86_400),
    },
}


def old_entry(event, days):
    made = entry(event)
    return type(made)(number=made.number, at=NOW - days * 86_400, event=event, by=made.by, subject="d" * 32)


def of_nothing(event, **facts):
    made = entry(event, **facts)
    return type(made)(number=made.number, at=made.at, event=event, by=made.by, subject="", facts=made.facts)


def test_nothing_that_runs_can_learn():
    """No part of the program knows a library that trains; models come as files with a hash (KI-01)."""
    learners = {"sklearn", "torch", "tensorflow", "keras", "jax", "xgboost", "lightgbm"}
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {name.partition(".")[0] for name in names}
    assert "numpy" in found
    assert not found & learners


def test_two_people_cannot_share_an_account():
    """An account has one person's name, and the site file takes no short name twice."""
    twice = SITE.people[0].model_copy(update={"name": "Jemand anders"})
    with pytest.raises(ValidationError, match="twice"):
        SiteFile.model_validate(SITE.model_copy(update={"people": (*SITE.people, twice)}).model_dump())


def test_every_rule_is_there():
    assert {one.id for one in RULES} == set(CLAIMS) | set(WORDS)
    assert not {one.id for one in RULES if Kind.GATE in one.kinds} & set(WORDS)


@pytest.mark.parametrize("name", WORDS)
def test_every_word_of_a_claim_has_its_counter_example(name):
    title = next(one for one in RULES if one.id == name).title[0]
    told = {word.lower() for phrase in WORDS[name] for word in re.findall(r"[\w-]+", phrase)}
    wanted = {word.lower() for word in re.findall(r"[\w-]+", title)} - STOP
    assert wanted <= told | STOP, wanted - told


@pytest.mark.parametrize(("name", "phrase"), [(name, phrase) for name, phrases in WORDS.items() for phrase in phrases])
def test_what_breaks_a_word_of_a_claim_breaks_the_rule(name, phrase):
    """Or, where no site can break it, the test is there that tries the program."""
    counter = WORDS[name][phrase]
    if isinstance(counter, str):
        file, _, function = counter.partition("::")
        source = (ROOT / file).read_text(encoding="utf-8")
        assert function
        assert f"def {function}(" in source
        return
    assert said(whole(), name).result is Result.HOLDS
    answer = said(counter(whole()), name)
    assert answer.result is not Result.HOLDS, phrase
    german, english = answer.text
    assert german != english
