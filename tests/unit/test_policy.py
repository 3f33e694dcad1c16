"""Every rule of the policy: once as it holds, once broken; facts and their documents; the site plan; the gates."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from blickschutz.access.model import Member, Role
from blickschutz.audit.model import Entry, Event
from blickschutz.bootstrap.cells import cell_settings, situation_settings
from blickschutz.bootstrap.system import other_sizes
from blickschutz.compliance.entered import PHOTOGRAPH, SIGNERS, Entered, Signature
from blickschutz.compliance.facts import Fact, FactKind, Facts, Ground, Incidents, Office, Purpose, Sign, Way
from blickschutz.compliance.io.documents import facts_path, load_facts, look_at
from blickschutz.compliance.io.machine import look, unroutable
from blickschutz.compliance.model import FalseAlarms, Form, Grounds, Machine, Paper, Result, Rows
from blickschutz.compliance.plan import density, density_class, sees, unannounced
from blickschutz.compliance.policy import RULES, assess, closed_gates
from blickschutz.compliance.policy.place import densities
from blickschutz.compliance.sheets import Sheet
from blickschutz.config.loader import load_site, settings_hash
from blickschutz.config.model import Audit, Calibration, PlanPlace, Scale
from blickschutz.kernel.density import px_per_metre
from blickschutz.kernel.errors import SettingsError
from blickschutz.kernel.geometry import Box
from blickschutz.kernel.scene import Scene, Track
from blickschutz.regime.model import Action, Mode
from blickschutz.situations.kinds import Kind
from blickschutz.situations.rules.history import History
from tests.conftest import ROOT

SITE = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
SETTINGS = settings_hash(SITE)
TODAY = date(2026, 11, 25)
NOW = 1_795_600_000.0
HASH = "a" * 64
OFFICE = Office(name="Amt", address="Platz 1", phone="0631 365", email="amt@example.org")
OFFICER = Office(name="Datenschutz", address="Platz 2", phone="0631 366", email="dsb@example.org")
TEXTS = {
    FactKind.MILDER_MEANS: "Licht und Streifen wurden versucht; die Zahl der Vorfälle blieb gleich.",
    FactKind.RESIDUAL_RISK: "Das Restrisiko ist gering und vertretbar.",
    FactKind.STAFF_COUNCIL: "Dienstvereinbarung mit dem Personalrat geschlossen.",
    FactKind.INFORMATION_SHEET: "Empfänger: Polizei.",
    FactKind.LOG_RETENTION: "24 Monate, damit die Evaluation nach zwei Jahren die Zahlen hat",
    FactKind.MEDIA_CONTROL: "Nur was in der Liste steht, zu zweit (zwei Personen) und mit einem Eintrag im Protokoll.",
    FactKind.BREACH_PROCESS: "Wer etwas bemerkt, ruft an; gemeldet wird binnen 72 Stunden.",
    FactKind.MAINTENANCE_CONTRACT: "Nur unter Aufsicht vor Ort; jeder Besuch steht im Protokoll.",
}
PEOPLE = {FactKind.DPO_ADVICE: "Frau Ernst, Datenschutz"}


def sha(name):
    return hashlib.sha256(name.encode()).hexdigest()


ADDRESS = "https://www.stadt.example/videoschutz"


def paper(name, form=Form.PDF, **more):
    return Paper(**{"sha256": sha(name), "form": form, "size": 20_000, **more})


def fact(kind, **more):
    values = {"kind": kind, "date": TODAY - timedelta(days=3), "person": PEOPLE.get(kind, "Amt"), "text": TEXTS.get(kind, "geprüft")}
    name = f"{kind.value}.pdf"
    return Fact(**{**values, "settings": SETTINGS, "confirmed": "Rat Zwei", "document": name, "sha256": sha(name), **more})


def signed(number, kind, sha256, subject="", settings=SETTINGS, people=("Amt", "Rat Zwei")):
    """Something that two accounts of the right roles signed."""
    roles = [min(roles) for roles in SIGNERS[kind]]
    made = tuple(Signature(one, one, role, NOW, settings) for one, role in zip(people, roles, strict=True))
    return Entered(number, kind, TODAY, "geprüft", f"{kind}.csv", sha256, 2000, "technik", NOW, SETTINGS, subject, made)


def everything_signed():
    facts = [signed(n, kind.value, sha(f"{kind.value}.pdf")) for n, kind in enumerate(FactKind)]
    sheets = [signed(100 + n, sheet.value, sha(sheet.value)) for n, sheet in enumerate(Sheet)]
    return (*facts, *sheets, signed(200, PHOTOGRAPH, sha("schild.jpg"), "schild-1"))


def entry(event, number=1, **facts):
    return Entry(number=number, at=NOW - 3600, event=event, by="kvd-2", subject="c" * 32, facts=facts)


def whole():
    """A site of which every rule holds."""
    cameras = SITE.cameras
    grounds = tuple(
        Ground(camera=one.id, purpose=Purpose.HOUSE_RIGHT, reason="Vandalismus", area="oeffentlich", no_privacy_zone="keine Nachbarn")
        for one in cameras
    )
    incidents = tuple(
        Incidents(camera=one.id, first=date(2025, 1, 1), last=date(2026, 6, 30), count=4, source="Polizei") for one in cameras
    )
    facts = Facts(
        controller=OFFICE,
        data_protection_officer=OFFICER,
        recipients=("Polizei",),
        full_information="Bürgerbüro, Platz 1",
        information_address=ADDRESS,
        grounds=grounds,
        incidents=incidents,
        ways=(Way(id="sued", name="von Süden", points=((0.5, 1.0), (0.5, 0.62))),),
        signs=(Sign(id="schild-1", x=0.5, y=0.98, photo="schild.jpg", sha256=sha("schild.jpg"), checked=TODAY),),
        facts=tuple(fact(kind) for kind in FactKind if kind is not FactKind.PRIOR_CONSULTATION),
    )
    entered = everything_signed()
    people = ["kvd-1", "kvd-2"]
    log = {
        Event.SYSTEM_STARTED: (entry(Event.SYSTEM_STARTED, settings=SETTINGS, model="centernet", version="1"),),
        Event.CAMERA_STOPPED: (entry(Event.CAMERA_STOPPED),),
        Event.CAMERA_RESUMED: (entry(Event.CAMERA_RESUMED),),
        Event.CLIP_OPENED: (entry(Event.CLIP_OPENED, people=people),),
        Event.UNMASK_GRANTED: (entry(Event.UNMASK_GRANTED, people=people, reason="Jacke", reference="KL-1", seconds=60),),
        Event.HOLD_SET: (entry(Event.HOLD_SET, ground="straftat", reference="KL-1", owner="kvd-1", until=NOW + 9, by=people),),
        Event.SHRED_ORDERED: (),
        Event.SHREDDED: (),
        Event.RELEASED: (
            entry(Event.RELEASED, people=people, basis="strafverfolgung", recipient="Polizei", reference="KL-1", sha256=HASH),
        ),
        Event.DUTY_OPENED: (entry(Event.DUTY_OPENED, case=1, source="release"),),
        Event.CASE_RESTRICTED: (entry(Event.CASE_RESTRICTED, 2, request=1),),
        Event.CASE_FREED: (entry(Event.CASE_FREED, 3, request=1),),
    }
    return Grounds(
        site=SITE.model_copy(update={"audit": Audit(witness="/run/witness/socket")}),
        settings=SETTINGS,
        facts=facts,
        today=TODAY,
        now=NOW,
        documents={name: paper(name) for name in facts.documents}
        | {one.name: paper(one.name) for one in entered}
        | {"schild.jpg": paper("schild.jpg", Form.PICTURE, side=1080, code=ADDRESS)},
        content=facts.content,
        entered=entered,
        log=log,
        members=(Member("kvd-1", "Eins", frozenset({Role.REVIEW}), TODAY + timedelta(days=100)),),
        models={"centernet": "person"},
        cells_per_metre=12.5,
        rows=Rows(anchored_at=NOW - 60),
        machine=Machine(connections=("192.0.2.11:554",), drift_s=0.01),
    )


def facts_with(g, **more):
    return replace(g, facts=g.facts.model_copy(update=more))


def old(kind, days):
    def change(g):
        rest = tuple(one for one in g.facts.facts if one.kind is not kind)
        return facts_with(g, facts=(*rest, fact(kind, date=TODAY - timedelta(days=days))))

    return change


def future(kind):
    return old(kind, -2)


def altered(kind):
    return lambda g: replace(g, documents={**g.documents, f"{kind.value}.pdf": paper("another")})


def other_settings(kind):
    def change(g):
        rest = tuple(one for one in g.facts.facts if one.kind is not kind)
        return facts_with(g, facts=(*rest, fact(kind, settings="b" * 64)))

    return change


def site_with(g, **more):
    return replace(g, site=g.site.model_copy(update=more))


def first_camera(**more):
    def change(g):
        return site_with(g, cameras=(g.site.cameras[0].model_copy(update=more), *g.site.cameras[1:]))

    return change


def logged(event, *entries):
    return lambda g: replace(g, log={**g.log, event: entries})


def rows(**more):
    return lambda g: replace(g, rows=replace(g.rows, **more))


def night(**more):
    return lambda g: site_with(g, regimes=g.site.regimes.model_copy(update={"night": g.site.regimes.night.model_copy(update=more)}))


def day(**more):
    return lambda g: site_with(g, regimes=g.site.regimes.model_copy(update={"day": g.site.regimes.day.model_copy(update=more)}))


def retention(**more):
    return lambda g: site_with(g, retention=g.site.retention.model_copy(update=more))


def zone(**more):
    return lambda g: first_camera(zones=(g.site.cameras[0].zones[0].model_copy(update=more),))(g)


ALONE = ["kvd-1", "kvd-1"]
# How each rule is broken.
BREAKS = {
    "RG-01": lambda g: facts_with(g, grounds=(*g.facts.grounds, g.facts.grounds[0].model_copy(update={"camera": "keine"}))),
    "RG-02": lambda g: facts_with(g, incidents=tuple(one.model_copy(update={"first": date(2005, 1, 1)}) for one in g.facts.incidents)),
    "RG-03": altered(FactKind.MILDER_MEANS),
    "RG-04": altered(FactKind.LEGAL_OPINION_AI),
    "RG-05": first_camera(name="Flur vor der Toilette"),
    "RG-06": old(FactKind.NECESSITY_REVIEW, 366),
    "DF-01": other_settings(FactKind.DPIA),
    "DF-02": altered(FactKind.RESIDUAL_RISK),
    "DF-03": altered(FactKind.PROCESSING_RECORD),
    "DF-04": future(FactKind.STAFF_COUNCIL),
    "TR-01": lambda g: facts_with(g, signs=(g.facts.signs[0].model_copy(update={"x": 0.1, "y": 0.1}),)),
    "TR-02": None,
    "TR-03": other_settings(FactKind.INFORMATION_SHEET),
    "TR-04": lambda g: facts_with(g, full_information="Aufnahmen sind anonym."),
    "DM-01": first_camera(address="rtsp://192.0.2.11/stream1?audio=1"),
    "DM-02": other_settings(FactKind.PRIVACY_ZONES),
    "DM-03": first_camera(calibration=SITE.cameras[0].calibration.model_copy(update={"px_per_metre": 300.0})),
    "DM-04": logged(Event.UNMASK_GRANTED, entry(Event.UNMASK_GRANTED, people=ALONE)),
    "DM-05": rows(redaction_faults=1),
    "DM-06": lambda g: replace(g, cells_per_metre=20.0),
    "DM-07": rows(untriggered=(7,)),
    "DM-08": night(on_situation=Action.COUNT),
    "KI-01": lambda g: replace(g, models={}),
    "KI-02": zone(name="Gewalt-Ecke"),
    "KI-03": rows(unanswered=(3,)),
    "KI-04": logged(Event.SYSTEM_STARTED, entry(Event.SYSTEM_STARTED, version="1")),
    "KI-05": rows(false_alarms=(FalseAlarms("vorplatz-nord", "gathering", 30, 29),)),
    "KI-06": logged(Event.RELEASED, *(entry(Event.RELEASED, number, people=["a", "b"]) for number in range(25))),
    "KI-07": lambda g: replace(g, members=(replace(g.members[0], trained_until=TODAY - timedelta(days=1)),)),
    "KI-08": logged(Event.CAMERA_STOPPED),
    "VA-01": logged(Event.CLIP_OPENED, entry(Event.CLIP_OPENED, people=ALONE)),
    "VA-02": logged(Event.UNMASK_GRANTED, entry(Event.UNMASK_GRANTED, people=["a", "b"], reason="", reference="x", seconds=9)),
    "VA-03": logged(Event.UNMASK_GRANTED, *(entry(Event.UNMASK_GRANTED, number, people=["a", "b"]) for number in range(11))),
    "VA-04": lambda g: replace(g, members=(Member("x", "X", frozenset({Role.REVIEW, Role.ADMINISTRATION}), TODAY),)),
    "VA-05": rows(overdue=(4,)),
    "LO-01": retention(unreviewed_hours=73),
    "LO-02": retention(hard_limit_days=90),
    "LO-03": logged(Event.HOLD_SET, entry(Event.HOLD_SET, ground="neugier", reference="x", owner="y", until=1.0, by=["a", "b"])),
    "LO-04": logged(Event.SHRED_ORDERED, Entry(number=1, at=NOW - 9000, event=Event.SHRED_ORDERED, by="kvd-1", subject="d" * 32)),
    "LO-05": logged(Event.SHREDDED, entry(Event.SHREDDED, reason="harmless")),
    "LO-06": rows(stray=("c1",)),
    "LO-07": altered(FactKind.BACKUP_CONCEPT),
    "LO-08": rows(old_entries=1),
    "ZB-01": logged(Event.RELEASED, entry(Event.RELEASED, people=ALONE, basis="strafverfolgung", recipient="Polizei", sha256=HASH)),
    "ZB-02": logged(Event.RELEASED, entry(Event.RELEASED, people=["a", "b"], basis="ordnungswidrigkeit", recipient="x", sha256=HASH)),
    "ZB-03": rows(unmet_duties=(2,)),
    "ZB-04": future(FactKind.STAFF_CONTROL),
    "BR-01": rows(late_requests=(1,)),
    "BR-02": lambda g: replace(g, log={**g.log, Event.CASE_FREED: (), Event.SHREDDED: (entry(Event.SHREDDED, 4),)}),
    "BR-03": logged(Event.RELEASED, entry(Event.RELEASED, basis="betroffener", contents=["original.mp4"], sha256=HASH)),
    "SI-01": lambda g: replace(g, machine=replace(g.machine, connections=("203.0.113.9:443",))),
    "SI-02": None,
    "SI-03": first_camera(address="rtsp://admin:admin@192.0.2.11/stream1"),
    "SI-04": rows(chain_faults=("entry 4 was changed",)),
    "SI-05": lambda g: replace(g, machine=replace(g.machine, drift_s=2.0)),
    "SI-06": altered(FactKind.MEDIA_CONTROL),
    "SI-07": first_camera(zones=()),
    "SI-08": logged(Event.RELEASED, entry(Event.RELEASED, people=["a", "b"], basis="strafverfolgung", recipient="Polizei")),
    "SI-09": old(FactKind.RIGHTS_REVIEW, 190),
    "SI-10": future(FactKind.BREACH_PROCESS),
    "SI-11": rows(anchor_problem="forked"),
    "AP-01": altered(FactKind.MAINTENANCE_CONTRACT),
}
# Rules that only know "recorded" and "not recorded": what takes the record away.
OPEN = {
    "TR-02": lambda g: facts_with(g, controller=None),
    "SI-02": lambda g: facts_with(g, facts=tuple(one for one in g.facts.facts if one.kind is not FactKind.CAMERA_LINK)),
}
CHAPTERS = {"RG": 6, "DF": 4, "TR": 4, "DM": 8, "KI": 8, "VA": 5, "LO": 8, "ZB": 4, "BR": 3, "SI": 11, "AP": 1}


def said(grounds, name):
    return next(one for one in assess(grounds) if one.rule.id == name).answer


def test_every_rule_of_the_table_is_there_once():
    assert [one.id for one in RULES] == [f"{chapter}-{number:02d}" for chapter, most in CHAPTERS.items() for number in range(1, most + 1)]
    for one in RULES:
        assert all((one.source, one.kinds, *one.title))


@pytest.mark.parametrize("name", [one.id for one in RULES])
def test_it_holds_and_names_its_evidence(name):
    answer = said(whole(), name)
    assert answer.result is Result.HOLDS, answer.text
    assert all(answer.text)


def test_a_log_without_a_witness_that_is_there_today_is_not_vouched_for():
    assert said(site_with(whole(), audit=Audit()), "SI-11").result is Result.UNKNOWN
    assert said(rows(anchored_at=0.0)(whole()), "SI-11").result is Result.UNKNOWN
    late = said(rows(anchored_at=NOW - 2 * 86_400)(whole()), "SI-11")
    assert late.result is Result.BROKEN
    assert all("48" in text for text in late.text)


@pytest.mark.parametrize("left", [{"old_seconds": 3}, {"old_clips": (4, 5)}])
def test_redacted_pictures_of_an_older_version_are_found(left):
    answer = said(rows(**left)(whole()), "DM-05")
    assert answer.result is Result.BROKEN
    assert all(("3" if "old_seconds" in left else "5") in text for text in answer.text)


def test_a_release_without_a_duty_to_inform_and_a_second_restriction_are_found():
    grounds = whole()
    without = logged(Event.DUTY_OPENED)(grounds)
    assert said(without, "ZB-03").result is Result.BROKEN
    known = rows(with_duty=frozenset({"c" * 32}))(without)
    assert said(known, "ZB-03").result is Result.HOLDS, "the entry ended at its limit, the duty is there"
    assert said(rows(with_duty=frozenset({"d" * 32}))(without), "ZB-03").result is Result.BROKEN
    assert said(altered(FactKind.REQUESTS_PROCESS)(grounds), "BR-01").result is Result.BROKEN
    # Freed by its first request, restricted again by another one, and destroyed all the same.
    log = {
        **grounds.log,
        Event.CASE_RESTRICTED: (entry(Event.CASE_RESTRICTED, 2, request=1), entry(Event.CASE_RESTRICTED, 4, request=2)),
        Event.SHREDDED: (entry(Event.SHREDDED, 5),),
    }
    assert said(replace(grounds, log=log), "BR-02").result is Result.BROKEN


@pytest.mark.parametrize("name", [one.id for one in RULES])
def test_it_is_broken_and_says_how_to_mend_it(name):
    change = BREAKS[name] or OPEN[name]
    answer = said(change(whole()), name)
    assert answer.result is (Result.BROKEN if BREAKS[name] else Result.UNKNOWN), answer.text
    german, english = answer.text
    assert german != english
    assert len(german) > 20


def test_nothing_recorded_is_never_taken_for_held():
    bare = Grounds(site=SITE, settings=SETTINGS, facts=Facts(), today=TODAY, now=NOW, models={"centernet": "person"}, cells_per_metre=12.5)
    found = {one.rule.id: one.answer.result for one in assess(bare)}
    assert Result.BROKEN not in found.values()
    by_construction = {"TR-04", "DM-01", "DM-03", "DM-04", "DM-05", "DM-06", "DM-07", "KI-01", "KI-02", "KI-06", "VA-04"}
    by_settings = {"LO-01", "LO-02", "BR-03", "SI-03", "SI-07", "SI-08"}
    assert {name for name, result in found.items() if result is Result.HOLDS} == by_construction | by_settings


def test_gates_and_only_gates_keep_a_site_from_running():
    assert closed_gates(assess(whole())) == []
    bare = replace(whole(), facts=Facts())
    assert [one.rule.id for one in closed_gates(assess(bare))] == [
        *("RG-01", "RG-02", "RG-03", "RG-04", "DF-01", "DF-02", "DF-03", "DF-04", "TR-01", "TR-02", "DM-08", "KI-07", "AP-01")
    ]


def test_a_claim_of_anonymity_is_fine_where_nothing_unredacted_is_stored():
    g = facts_with(whole(), full_information="Aufnahmen sind anonym.")
    assert said(night(mode=Mode.ANONYMOUS)(g), "TR-04").result is Result.HOLDS


def test_a_kind_with_too_many_false_alarms_may_be_suspended():
    g = rows(false_alarms=(FalseAlarms("vorplatz-nord", "gathering", 30, 29),))(whole())
    rules = replace(g.site.cameras[0].zones[0].rules, off=(Kind.GATHERING,))
    assert said(zone(rules=rules)(g), "KI-05").result is Result.HOLDS


class TestFile:
    def test_there_may_be_none(self, tmp_path):
        assert load_facts(facts_path(tmp_path / "anlage.toml")) == Facts()

    def test_what_is_wrong_is_named_by_line(self, tmp_path):
        path = tmp_path / "anlage.facts.toml"
        path.write_text('format = 1\n\n[[facts]]\nkind = "dsfa"\ndate = 2026-01-01\nperson = "Amt"\ndocument = "dsfa.pdf"\n', "utf-8")
        with pytest.raises(SettingsError, match=r"facts\.toml:7: facts\.0\.document: .*sha256"):
            load_facts(path, "de")
        path.write_text('[[incidents]]\ncamera = "a"\nfirst = 2026-02-01\nlast = 2026-01-01\ncount = -1\nsource = "x"\n', "utf-8")
        with pytest.raises(SettingsError, match=r":5: incidents\.0\.count"):
            load_facts(path, "de")
        path.write_text('[[facts]]\nkind = "erfunden"\ndate = 2026-01-01\nperson = "Amt"\n', "utf-8")
        with pytest.raises(SettingsError, match=r":2: facts\.0\.kind"):
            load_facts(path, "en")
        path.write_bytes(b"\xff\xfe")
        with pytest.raises(SettingsError, match="UTF-8"):
            load_facts(path, "en")

    def test_a_document_counts_only_as_it_was(self, tmp_path):
        (tmp_path / "dsfa.pdf").write_bytes(b"one")
        facts = Facts(facts=(fact(FactKind.DPIA, document="dsfa.pdf"), fact(FactKind.BACKUP_CONCEPT, document="../outside.pdf")))
        (tmp_path.parent / "outside.pdf").write_bytes(b"two")
        found = look_at(facts, tmp_path)
        assert found["dsfa.pdf"] == Paper(hashlib.sha256(b"one").hexdigest(), Form.UNREADABLE, 3)
        assert "../outside.pdf" not in found


class TestPlan:
    def test_a_camera_sees_within_its_angle_and_reach(self):
        place = PlanPlace(x=0.5, y=0.5, direction=180.0, angle=60.0, reach=0.2)
        assert sees(place, 0.5, 0.65)
        assert not sees(place, 0.5, 0.75)
        assert not sees(place, 0.5, 0.4)
        assert sees(place, 0.56, 0.65)
        assert not sees(place, 0.65, 0.6)

    def test_a_sign_must_come_before_the_field(self):
        place = PlanPlace(x=0.5, y=0.5, direction=180.0, angle=60.0, reach=0.2)
        way = Way(id="w", name="Weg", points=((0.5, 1.0), (0.5, 0.55)))
        before, after = Sign(id="a", x=0.52, y=0.85), Sign(id="b", x=0.52, y=0.58)
        assert unannounced([way], [before], [place]) == []
        assert unannounced([way], [after], [place]) == ["w"]
        assert unannounced([way], [], [place]) == ["w"]
        assert unannounced([way], [], []) == []

    @pytest.mark.parametrize(
        ("density", "name"), [(5.0, ""), (12.5, "monitor"), (46.0, "detect"), (250.0, "identify"), (2000.0, "inspect")]
    )
    def test_classes_of_density(self, density, name):
        assert density_class(density) == name

    def test_a_scale_that_lies_across_counts_the_pixels_of_both_sides(self):
        scale = Scale(start=(0.5, 0.25), end=(0.5, 0.75), metres=4.0)
        camera = SITE.cameras[0].model_copy(update={"calibration": Calibration(scale=scale)})
        assert density(camera) is None, "of no size there is no density, and none is made up"

    @pytest.mark.parametrize("size", [(640, 480), (1280, 720), (1920, 1080), (3840, 2160)])
    def test_documents_and_cells_reckon_the_same_density_and_the_same_speed(self, size):
        """One place before cameras of four kinds: a metre is 1/19 of the picture's width, somebody walks 1.5 m a second."""
        width, height = size
        scale = Scale(start=(0.2, 0.8), end=(0.7, 0.8), metres=9.5)
        camera = SITE.cameras[0].model_copy(update={"calibration": Calibration(scale=scale), "picture": size})
        in_force = px_per_metre(cell_settings(SITE, camera, Path()).redaction.px_per_metre, width, height)
        assert density(camera) == density(camera, size) == in_force == pytest.approx(width / 19)
        history = History(situation_settings(camera))
        for n in range(20):
            left = (0.1 * width) + 1.5 * (n / 10) * width / 19
            box = Box(left, 0.4 * height, left + width / 30, 0.8 * height)
            track = Track(1, box, (0.0, 0.0), 1.0, 0.0, n / 10, True)
            history.add(Scene(1000 + n / 10, (track,), width=width, height=height))
        assert history.speed(history.trails[1], 1.5) == pytest.approx(1.5, rel=0.05)

    def test_a_scale_without_a_size_is_asked_for_and_not_guessed(self):
        scaled = SITE.cameras[0].model_copy(update={"calibration": Calibration(scale=Scale(start=(0.2, 0.8), end=(0.7, 0.8), metres=9.5))})
        site = SITE.model_copy(update={"cameras": (scaled, *SITE.cameras[1:])})
        answer = densities.check(replace(whole(), site=site))
        assert answer.result is Result.UNKNOWN
        assert "picture" in answer.text[0]

    def test_a_camera_that_sends_another_size_is_named(self):
        cameras = [one.model_copy(update={"picture": (1280, 720)}) for one in SITE.cameras[:4]]
        healths = [
            SimpleNamespace(width=1280, height=720),
            SimpleNamespace(width=1920, height=1080),
            SimpleNamespace(width=0, height=0),
            None,
        ]
        keepers = {one.id: SimpleNamespace(health=health) for one, health in zip(cameras, healths, strict=True)}
        assert other_sizes(SITE.model_copy(update={"cameras": tuple(cameras)}), keepers) == {cameras[1].id: "1920 x 1080"}


class TestMachine:
    def test_it_is_read_from_the_kernels_tables(self, tmp_path):
        net = tmp_path / "net"
        net.mkdir()
        (net / "route").write_text(
            "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU\neth0 00000000 0101A8C0 0003 0 0 0 00000000 0\n"
            "eth0 0001A8C0 00000000 0001 0 0 0 00FFFFFF 0\n"
        )
        (net / "tcp").write_text("head\n0: 0100007F:2206 00000000:0000 0A x\n1: 0201A8C0:9C40 097100CB:01BB 01 x\n")
        (net / "tcp6").write_text("head\n0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A x\n")
        (tmp_path / "resolv.conf").write_text("# nothing\nnameserver 192.168.1.1\n")
        found = look(tmp_path, tmp_path / "resolv.conf")
        assert found.default_routes == ("eth0",)
        assert found.resolvers == ("192.168.1.1",)
        assert found.listening == ("127.0.0.1:8710", "::1:8080")
        assert found.connections == ("203.0.113.9:443",)

    def test_what_could_not_leave_is_counted(self, tmp_path):
        (tmp_path / "net").mkdir()
        (tmp_path / "net/snmp").write_text("Ip: Forwarding OutNoRoutes\nIp: 1 4\nTcp: a\nTcp: 1\n")
        (tmp_path / "net/snmp6").write_text("Ip6InReceives 9\nIp6OutNoRoutes 3\n")
        assert unroutable(tmp_path) == 7
        assert unroutable(tmp_path / "none") == 0

    def test_the_real_one_can_be_looked_at(self):
        assert isinstance(look(), Machine)

    def test_a_machine_without_tables_says_nothing(self, tmp_path):
        found = look(tmp_path, tmp_path / "none")
        assert (found.default_routes, found.resolvers, found.connections) == ((), (), ())


def test_by_day_nothing_unredacted_is_recorded():
    assert said(day(mode=Mode.SEALED)(whole()), "DM-08").result is Result.BROKEN


def test_a_restore_counts_by_the_log_and_a_failed_one_against_what_was_recorded():
    g = whole()
    unrecorded = facts_with(g, facts=tuple(one for one in g.facts.facts if one.kind is not FactKind.RESTORE_TEST))
    assert said(unrecorded, "SI-09").result is Result.UNKNOWN
    tried = logged(Event.RESTORE_TRIED, entry(Event.RESTORE_TRIED, 3, whole=True))(unrecorded)
    assert said(tried, "SI-09").result is Result.HOLDS
    failed = logged(Event.RESTORE_TRIED, entry(Event.RESTORE_TRIED, 3, whole=True), entry(Event.RESTORE_TRIED, 4, whole=False))(g)
    assert said(failed, "SI-09").result is Result.BROKEN
    assert said(logged(Event.RESTORED, entry(Event.RESTORED, 5))(failed), "SI-09").result is Result.HOLDS


def test_by_day_no_kind_of_situation_records_and_the_gate_is_closed():
    broken_site = day(kinds={Kind.PERSON_DOWN: Action.RECORD})(whole())
    answer = said(broken_site, "DM-08")
    assert answer.result is Result.BROKEN
    assert all("person_down" in text for text in answer.text)
    assert [one.rule.id for one in closed_gates(assess(broken_site))] == ["DM-08"]


@pytest.mark.parametrize("change", [day, night])
def test_presence_alone_records_in_no_regime(change):
    assert said(change(kinds={Kind.PERSON_IN_ZONE: Action.RECORD})(whole()), "DM-07").result is Result.BROKEN
