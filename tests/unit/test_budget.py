"""The alarm budget: shadow, proposals, decisions, drift, and what becomes of numbers that cannot be believed."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks.budget import split
from scripts.curves import curves, labels_of
from sqlalchemy import select, update

from blickschutz.alerts.model import By, Outcome
from blickschutz.audit.model import Event
from blickschutz.bootstrap.budget import make_budget
from blickschutz.budget.io.curves import curves_from, load_curves
from blickschutz.budget.io.store import days as day_rows
from blickschutz.budget.model import DAY_S, FACTS, HOUR_S, MOST_DAYS, MUST_NOT_WAIT, NEVER, Began, NotDone, Standing, Why
from blickschutz.budget.rules.decide import false_counts, recall, shares
from blickschutz.budget.rules.tail import CONFIDENCE, bin_of
from blickschutz.budget.service import MOST_LOOK_S, BudgetDesk
from blickschutz.config.budgets import budget_settings
from blickschutz.config.loader import load_site
from blickschutz.config.model import SiteFile
from blickschutz.control.model import EpisodeHeard
from blickschutz.control.service.sensitivity import Sensitivity
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.kernel.errors import FaultError, SettingsError, StoreError
from blickschutz.pipeline.messages import SetThresholds
from blickschutz.review.model import Ground, Verdict
from blickschutz.situations.kinds import Kind
from blickschutz.situations.settings import START_THRESHOLDS
from blickschutz.storage.engine import writing
from blickschutz.wire.frames import pack
from tests.conftest import ROOT
from tests.house import CAMERA, SITE, House
from tests.unit.test_cell import OneCell, until
from tests.videos import write_scene

LEFT, DOWN, FIGHT, GATHERING = Kind.OBJECT_LEFT, Kind.PERSON_DOWN, Kind.PHYSICAL_ALTERCATION, Kind.GATHERING
LOOK_S = 15.0


def site_with(**budget) -> SiteFile:
    values = SITE.model_dump()
    values["alerts"]["budget"] |= budget
    return SiteFile.model_validate(values)


class Desk:
    """A desk on the records of a house, whose time a test lets pass."""

    def __init__(self, folder, site=SITE, curves=None):
        self.house, self.site, self.curves = House(folder), site, curves
        self.start()

    def start(self):
        records = self.house.records
        desk = make_budget(self.site, records, self.house.regime, self.house.clock)
        if self.curves is not None:
            desk = BudgetDesk(desk.settings, records.budget, self.curves, self.house.clock, desk._cell)
        self.desk, self.random = desk, np.random.default_rng(5)
        self.asked, self.hour = desk._cell, desk._cell()
        desk._cell = lambda: self.hour  # the calendar is asked once an hour, not every few seconds
        self.laid = []
        desk.changed.listen(self.laid.append)
        desk.load()
        desk.keep()

    def again(self, site=None):
        self.house.close()
        self.house.start()
        self.site = site or self.site
        self.start()

    def observe(self, days, *, camera=CAMERA, kind=LEFT, per_day=0.0, scale=0.3, told=False):
        """Time passes in which the camera works; episodes have an exponential tail on log odds above one third."""
        for _ in range(round(days)):
            for peak in self.peaks(self.random.poisson(per_day), scale):
                self.desk.heard(camera, kind, peak, 3.0, told=told)
            for _ in range(24):
                self.house.clock.sleep(HOUR_S)
                self.hour = self.asked()
                for _ in range(int(HOUR_S / LOOK_S)):
                    self.desk.observed(camera, LOOK_S)
            self.desk.keep()

    def peaks(self, count, scale):
        odds = math.log(0.5) + self.random.exponential(scale, count)
        return [1 / (1 + math.exp(-one)) for one in odds]

    def camera(self, camera=CAMERA):
        self.house.clock.sleep(61)  # what was judged a minute ago is judged anew
        return next(one for one in self.desk.views() if one.camera == camera)

    def kind(self, kind=LEFT, camera=CAMERA):
        return next(one for one in self.camera(camera).kinds if one.kind is kind)


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path / "site")
    yield made
    made.house.close()


class TestSettings:
    def test_one_in_ten_days_for_each_camera_unless_the_site_file_says_otherwise(self):
        budget = budget_settings(SITE).cameras[CAMERA]
        assert budget.per_day == pytest.approx(0.1)
        found = shares(budget)
        assert sum(found.values()) == pytest.approx(0.2), "bounds that are not all reached at once"
        assert found[DOWN] == pytest.approx(2 * found[LEFT])
        assert not set(found) & FACTS

    def test_kinds_and_cameras_have_budgets_of_their_own(self):
        site = site_with(days=5.0, kinds={LEFT: 2.0}, cameras=({"id": CAMERA, "false_alarms": 4.0, "kinds": {GATHERING: 0.0}},))
        settings = budget_settings(site)
        here, there = shares(settings.cameras[CAMERA]), shares(settings.cameras["vorplatz-mitte"])
        assert here[LEFT] == there[LEFT] == pytest.approx(0.4)
        assert here[GATHERING] == 0.0
        assert there[GATHERING] > 0
        assert sum(here.values()) == pytest.approx(0.4 + 2 * 4 / 5)
        assert sum(there.values()) == pytest.approx(0.4 + 2 * 1 / 5)

    def test_a_kind_that_is_only_counted_spends_nothing(self):
        values = SITE.model_dump()
        for regime in ("day", "night"):
            values["regimes"][regime]["kinds"] = {LEFT: "count", Kind.PERSON_IN_ZONE: "count"}
        values["regimes"]["night"]["kinds"][LEFT] = "record"
        budget = budget_settings(SiteFile.model_validate(values)).cameras[CAMERA]
        assert budget.told[LEFT] == {"night"}
        assert budget.told[Kind.PERSON_IN_ZONE] == frozenset()

    def test_a_surface_and_a_line_are_looked_for_where_there_are_some(self):
        told = budget_settings(SITE).cameras[CAMERA].told
        camera = next(one for one in SITE.cameras if one.id == CAMERA)
        assert (Kind.LINE_CROSSED in told) == bool(camera.lines)
        assert (Kind.SURFACE_CHANGED in told) == any(zone.surface for zone in camera.zones)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('[[alerts.budget.cameras]]\nid = "nowhere"', "nowhere"),
            ("[alerts.budget]\nfalse_alarms = -1", "false_alarms"),
            ("[alerts.budget]\nfalse_alarms = nan", "false_alarms"),
            ("[alerts.budget]\ndays = 0", "days"),
            ("[alerts.budget]\nkinds = { nonsense = 1.0 }", "kinds"),
            ('[[alerts.budget.cameras]]\nid = "vorplatz-nord"\n[[alerts.budget.cameras]]\nid = "vorplatz-nord"', "vorplatz-nord"),
        ],
    )
    def test_nonsense_is_refused_with_its_place(self, tmp_path, text, said):
        example = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
        path = tmp_path / "site.toml"
        path.write_text(f"{example}\n{text}\n", encoding="utf-8")
        with pytest.raises(SettingsError, match=said):
            load_site(path)

    def test_a_name_changes_nothing_and_a_zone_is_another_camera(self):
        def mark(**changes):
            cameras = tuple(one.model_copy(update=changes) if one.id == CAMERA else one for one in SITE.cameras)
            return budget_settings(SITE.model_copy(update={"cameras": cameras}), "a").cameras[CAMERA].mark

        camera = next(one for one in SITE.cameras if one.id == CAMERA)
        assert mark(name="Anders", thresholds={LEFT: 0.7}) == mark()
        assert mark(address="rtsp://elsewhere/1") != mark()
        assert mark(zones=camera.zones[:-1]) != mark()
        assert budget_settings(SITE, "b").cameras[CAMERA].mark != mark()


class TestShadow:
    def test_a_new_camera_only_counts_but_for_what_must_not_wait(self, desk):
        laid = desk.desk.thresholds(CAMERA)
        for kind in MUST_NOT_WAIT:
            assert laid[kind] == START_THRESHOLDS[kind]
        assert laid[LEFT] == laid[GATHERING] == NEVER
        assert laid[Kind.PERSON_IN_ZONE] == START_THRESHOLDS[Kind.PERSON_IN_ZONE]
        assert desk.camera().in_shadow
        assert desk.kind().standing is Standing.SHADOW
        assert [one.facts["why"] for one in desk.house.events(Event.SHADOW_BEGAN) if one.subject == CAMERA] == ["new"]

    def test_observed_hours_count_and_no_calendar(self, desk):
        desk.observe(3, per_day=30)
        desk.house.clock.sleep(30 * DAY_S)  # a month without a picture
        desk.desk.keep()
        assert desk.camera().observed_s == pytest.approx(3 * DAY_S)
        assert desk.camera().in_shadow
        assert desk.kind().proposal is None
        desk.observe(4, per_day=30)
        assert not desk.camera().in_shadow
        assert desk.kind().proposal.why is Why.FIRST
        assert desk.desk.thresholds(CAMERA)[LEFT] == NEVER, "nothing changes by itself"

    def test_a_process_that_stood_still_observed_nothing(self, desk):
        desk.desk.observed(CAMERA, 5 * DAY_S)
        assert desk.camera().observed_s == MOST_LOOK_S

    def test_without_a_shadow_every_kind_is_told_at_once(self, tmp_path):
        desk = Desk(tmp_path / "site", site_with(shadow_days=0.0))
        assert desk.desk.thresholds(CAMERA)[LEFT] == START_THRESHOLDS[LEFT]
        assert not desk.camera().in_shadow
        assert desk.kind().standing is Standing.START
        assert desk.kind().proposal is None, "nobody proposes from nothing"
        desk.observe(1, per_day=100)
        assert desk.kind().proposal is not None
        desk.house.close()

    def test_numbers_survive_a_start_and_a_crash_costs_a_minute_at_most(self, desk):
        desk.observe(2, per_day=50)
        before = desk.kind().episodes, desk.camera().observed_s
        desk.desk.heard(CAMERA, LEFT, 0.6, 1.0, told=False)
        desk.desk.observed(CAMERA, 10.0)
        desk.again()  # without a last word
        assert desk.camera().observed_s == pytest.approx(before[1], abs=60)
        assert abs(desk.kind().episodes - before[0]) <= 1
        desk.desk.heard(CAMERA, LEFT, 0.6, 1.0, told=False)
        desk.desk.write()
        counted = desk.kind().episodes
        desk.again()
        assert desk.kind().episodes == counted
        assert len(desk.house.events(Event.SHADOW_BEGAN)) == len(SITE.cameras)

    def test_numbers_that_were_damaged_are_not_used_and_that_is_said(self, desk):
        desk.observe(7, per_day=50)
        desk.desk.accept(CAMERA, LEFT, desk.kind().proposal.threshold, "aufsicht")
        with writing(desk.house.records.budget._engine) as connection:
            row = connection.execute(select(day_rows).where(day_rows.c.camera == CAMERA)).first()
            altered = row.data.replace('"seconds"', "").replace(":1", ":9", 1)
            connection.execute(update(day_rows).where(day_rows.c.camera == CAMERA, day_rows.c.number == row.number).values(data=altered))
        laid = desk.desk.thresholds(CAMERA)
        desk.again()
        view = desk.camera()
        assert view.in_shadow
        assert view.observed_s == 0
        assert view.shadow.began is Began.DAMAGED
        assert desk.house.events(Event.SHADOW_BEGAN)[0].facts["why"] == "damaged"
        assert desk.desk.thresholds(CAMERA) == laid, "what a person accepted stays"
        assert desk.camera("vorplatz-mitte").shadow.began is Began.NEW

    def test_a_camera_that_was_moved_on_the_fourth_day_begins_anew(self, desk):
        desk.observe(4, per_day=20)
        desk.desk.heard(CAMERA, Kind.CAMERA_TAMPERED, 0.9, 599.0, told=True)
        desk.desk.keep()
        assert desk.camera().shadow.number == 1, "somebody stood before it"
        desk.desk.heard(CAMERA, Kind.CAMERA_TAMPERED, 0.9, 900.0, told=True)
        desk.desk.keep()
        view = desk.camera()
        assert view.shadow.began is Began.VIEW
        assert view.shadow.number == 2
        assert view.observed_s == 0
        desk.observe(4)
        assert desk.camera().in_shadow
        for _ in range(3):  # a lens that sees nothing each night: it would never leave its shadow
            desk.desk.heard(CAMERA, Kind.CAMERA_TAMPERED, 0.9, 900.0, told=True)
            desk.observe(1)
        view = desk.camera()
        assert not view.in_shadow
        assert view.shadow.number == 2

    def test_other_settings_of_a_camera_begin_anew_and_nothing_accepted_is_lost(self, desk):
        desk.observe(7, per_day=50)
        desk.desk.accept(CAMERA, LEFT, desk.kind().proposal.threshold, "aufsicht")
        laid = desk.desk.thresholds(CAMERA)[LEFT]
        cameras = tuple(one.model_copy(update={"address": "rtsp://new/1"}) if one.id == CAMERA else one for one in SITE.cameras)
        desk.again(SITE.model_copy(update={"cameras": cameras}))
        assert desk.camera().shadow.began is Began.SETTINGS
        assert desk.kind().threshold == laid
        assert desk.kind().decided.shadow < desk.camera().shadow.number

    def test_a_wall_clock_that_jumps_changes_no_observation(self, desk):
        clock = desk.house.clock
        real = clock.now
        desk.observe(2, per_day=20)
        clock.now = lambda: real() + 20 * 365 * DAY_S
        desk.observe(2, per_day=20)
        clock.now = lambda: 0.0
        desk.observe(2, per_day=20)
        clock.now = lambda: 1e13  # no calendar has such a year
        desk.desk.observed(CAMERA, 10.0)
        desk.desk._cell = desk.asked
        desk.desk.heard(CAMERA, LEFT, 0.5, 1.0, told=False)
        clock.now = real
        assert desk.camera().observed_s == pytest.approx(6 * DAY_S + 10.0)
        assert desk.camera().shadow.number == 1

    def test_a_person_can_say_that_a_camera_sees_something_else(self, desk):
        desk.observe(1)
        assert desk.desk.renew("nowhere", "aufsicht") is NotDone.UNKNOWN
        assert desk.desk.renew(CAMERA, "aufsicht") is None
        assert desk.camera().observed_s == 0
        newest = desk.house.events(Event.SHADOW_BEGAN)[0]
        assert (newest.by, newest.facts["why"]) == ("aufsicht", "by-hand")

    def test_what_is_older_than_four_weeks_and_cameras_that_are_gone_end(self, desk):
        desk.observe(31, per_day=2)
        with desk.house.records.budget._engine.connect() as connection:
            numbers = connection.execute(select(day_rows.c.number).where(day_rows.c.camera == CAMERA)).scalars().all()
        assert len(numbers) <= MOST_DAYS
        assert max(numbers) >= 31
        others = tuple(one for one in SITE.cameras if one.id != CAMERA)
        desk.again(SITE.model_copy(update={"cameras": others}))
        assert desk.house.records.budget.load(CAMERA).shadow is None


class TestProposals:
    def test_the_price_is_shown_and_the_proposal_keeps_the_budget(self, desk):
        desk.observe(7, per_day=200)
        view = desk.kind()
        proposal = view.proposal
        assert 0.5 < proposal.threshold < NEVER
        assert proposal.cost.expected < proposal.cost.high <= view.share * 1.05
        assert proposal.recall is None, "not measured is called so"
        truly = 200 * math.exp(-(math.log(proposal.threshold / (1 - proposal.threshold)) - math.log(0.5)) / 0.3)
        assert truly <= 1.5 * view.share

    def test_a_person_accepts_and_takes_back(self, desk):
        desk.observe(7, per_day=50)
        proposal = desk.kind().proposal
        assert desk.desk.accept(CAMERA, LEFT, proposal.threshold + 0.01, "aufsicht") is NotDone.CHANGED
        assert desk.desk.accept(CAMERA, Kind.PERSON_IN_ZONE, 0.5, "aufsicht") is NotDone.NOTHING
        assert desk.desk.accept("nowhere", LEFT, 0.5, "aufsicht") is NotDone.UNKNOWN
        assert desk.desk.accept(CAMERA, LEFT, proposal.threshold, "aufsicht") is None
        assert desk.laid == [CAMERA]
        assert desk.desk.thresholds(CAMERA)[LEFT] == proposal.threshold
        view = desk.kind()
        assert (view.standing, view.proposal, view.decided.by) == (Standing.ACCEPTED, None, "aufsicht")
        entry = desk.house.events(Event.THRESHOLD_ACCEPTED)[0]
        assert (entry.by, entry.subject, entry.facts["kind"]) == ("aufsicht", CAMERA, "object_left")
        assert entry.facts["recall"] == "not measured"
        assert desk.desk.undo(CAMERA, LEFT, "aufsicht") is None
        assert desk.desk.thresholds(CAMERA)[LEFT] == NEVER
        assert desk.house.events(Event.THRESHOLD_UNDONE)[0].facts["threshold"] == "start"
        assert desk.desk.undo(CAMERA, LEFT, "aufsicht") is NotDone.NOTHING

    def test_what_was_accepted_holds_over_a_start_and_three_are_kept(self, desk):
        desk.observe(7, per_day=50)
        threshold = desk.kind().proposal.threshold
        for _ in range(4):
            desk.desk.accept(CAMERA, LEFT, threshold, "aufsicht")
            desk.desk.undo(CAMERA, LEFT, "aufsicht")
            desk.house.clock.sleep(61)
        desk.desk.accept(CAMERA, LEFT, threshold, "aufsicht")
        assert len(desk.house.records.budget.decisions()[CAMERA][LEFT]) == 3
        desk.again()
        assert desk.desk.thresholds(CAMERA)[LEFT] == threshold

    def test_what_another_process_accepted_is_laid_without_a_start(self, desk):
        desk.observe(7, per_day=50)
        beside = make_budget(desk.site, desk.house.records, desk.house.regime, desk.house.clock)
        beside.load()
        threshold = desk.kind().proposal.threshold
        assert beside.accept(CAMERA, LEFT, threshold, "terminal") is None
        desk.desk.keep()
        assert desk.laid == [CAMERA]
        assert desk.desk.thresholds(CAMERA)[LEFT] == threshold

    def test_a_budget_of_nothing_never_tells_and_one_of_a_thousand_tells_all(self, tmp_path):
        desk = Desk(tmp_path / "site", site_with(kinds={LEFT: 0.0, GATHERING: 1000.0}))
        desk.observe(7, per_day=20)
        desk.observe(1, kind=GATHERING, per_day=20)
        nothing, thousand = desk.kind(LEFT), desk.kind(GATHERING)
        assert (nothing.standing, nothing.threshold, nothing.proposal) == (Standing.NEVER, NEVER, None)
        assert thousand.proposal.threshold == pytest.approx(desk.desk.settings.floor, abs=0.02)
        desk.house.close()

    def test_a_threshold_of_the_site_file_is_fixed_and_has_its_price(self, tmp_path):
        cameras = tuple(one.model_copy(update={"thresholds": {LEFT: 0.7}}) for one in SITE.cameras)
        desk = Desk(tmp_path / "site", SITE.model_copy(update={"cameras": cameras}))
        desk.observe(7, per_day=50)
        view = desk.kind()
        assert (view.standing, view.threshold, view.proposal) == (Standing.FIXED, 0.7, None)
        assert view.cost.expected > 0
        desk.house.close()

    def test_a_week_with_two_people_in_it_gives_a_bound(self, desk):
        desk.desk.heard(CAMERA, LEFT, 0.36, 2.0, told=False)
        desk.desk.heard(CAMERA, LEFT, 0.41, 2.0, told=False)
        desk.observe(7)
        view = desk.kind()
        assert view.episodes == 2
        assert 0.5 < view.proposal.threshold < NEVER
        assert view.proposal.cost.high > 0
        empty = desk.kind(GATHERING)
        assert empty.episodes == 0
        assert empty.proposal.cost.high > 0

    def test_a_camera_that_cannot_says_so(self, tmp_path):
        curves = {LEFT: [(0.4, 0.9), (0.6, 0.25), (0.9, 0.02)], GATHERING: [(0.4, 1.0), (0.95, 0.8)]}
        desk = Desk(tmp_path / "site", curves=curves)
        desk.observe(7, per_day=200)
        assert desk.kind(LEFT).unavailable is Why.RECALL
        assert desk.kind(LEFT).proposal.threshold == NEVER
        assert desk.kind(GATHERING).unavailable is None
        assert desk.kind(GATHERING).proposal.recall == 0.8
        assert desk.desk.accept(CAMERA, LEFT, NEVER, "aufsicht") is None
        assert desk.kind(LEFT).standing is Standing.OFF
        assert desk.kind(LEFT).proposal is None
        assert desk.kind(LEFT).unavailable is not None
        desk.house.close()

    def test_peaks_that_reach_every_score_leave_no_threshold(self, desk):
        for _ in range(60):
            desk.desk.heard(CAMERA, LEFT, 1.0, 2.0, told=False)
        desk.observe(7)
        assert desk.kind().unavailable is Why.NOISE

    def test_what_people_confirmed_is_no_false_alarm(self, desk):
        desk.observe(7, per_day=20)
        for _ in range(5):
            desk.desk.heard(CAMERA, LEFT, 0.97, 2.0, told=True)
        wrong = desk.kind().proposal.threshold
        for _ in range(5):
            desk.desk.closed(CAMERA, LEFT, 0.96, "confirmed", confirmed=True)
        right = desk.kind()
        assert right.proposal.threshold < wrong
        assert right.closed == {"confirmed": 5}
        assert right.alarms == 5
        desk.desk.closed(CAMERA, LEFT, 0.9, "false-alarm", confirmed=False)
        assert desk.kind().proposal.threshold == right.proposal.threshold

    def test_an_outcome_that_was_taken_back_counts_for_nothing(self, desk):
        desk.observe(7, per_day=20)
        for _ in range(5):
            desk.desk.heard(CAMERA, LEFT, 0.97, 2.0, told=True)
        before = desk.kind().proposal.threshold
        for times in (1, 1, -1, -1, -1):
            desk.desk.closed(CAMERA, LEFT, 0.96, "confirmed", confirmed=True, times=times)
        assert desk.kind().proposal.threshold == before
        assert not any(desk.kind().closed.values())

    def test_a_camera_that_leaves_its_budget_says_so_and_proposes(self, desk):
        desk.observe(7, per_day=50)
        accepted = desk.kind().proposal.threshold
        desk.desk.accept(CAMERA, LEFT, accepted, "aufsicht")
        desk.observe(7, per_day=50)
        assert not desk.kind().over
        desk.observe(7, per_day=500, scale=0.6)  # summer: leaves before the lens
        view = desk.kind()
        assert view.over
        assert view.proposal.why is Why.OVER
        assert view.proposal.threshold > view.threshold == accepted, "it proposes, it does not go deaf"
        for _ in range(3):
            desk.house.clock.sleep(700)
            desk.desk.keep()
        desk.again()
        desk.house.clock.sleep(700)
        desk.desk.keep()
        entries = desk.house.events(Event.BUDGET_EXCEEDED)
        assert [one.facts["kind"] for one in entries] == ["object_left"]
        assert len([one for one in desk.house.events(Event.SHADOW_OVER) if one.subject == CAMERA]) == 1

    def test_a_calmer_season_gives_room(self, desk):
        desk.observe(7, per_day=500, scale=0.6)
        desk.desk.accept(CAMERA, LEFT, desk.kind().proposal.threshold, "aufsicht")
        desk.desk.renew(CAMERA, "aufsicht")
        desk.observe(15, per_day=20, scale=0.2)
        view = desk.kind()
        assert view.proposal.why is Why.ROOM
        assert view.proposal.threshold < view.threshold

    def test_facts_have_no_threshold_to_lay(self, desk):
        desk.observe(8, kind=Kind.PERSON_IN_ZONE, per_day=100)
        view = desk.kind(Kind.PERSON_IN_ZONE)
        assert view.standing in {Standing.FACT, Standing.COUNTED}
        assert view.proposal is None
        assert view.episodes == 0, "what has no budget is not kept"


class TestCurves:
    def test_the_file_of_the_package_can_be_read(self):
        curves = load_curves()
        assert curves.evidence
        for kind in curves.kinds:
            assert curves.scenes(kind) > 0

    @pytest.mark.parametrize(
        "kinds", ['{"loitering": [[0.5, 0.4, 3], [0.4, 0.3, 3]]}', '{"loitering": [[0.5, 0.4, 3], [0.6, 0.5, 3]]}', '{"theft": []}', "[]"]
    )
    def test_one_that_cannot_be_a_recall_is_refused(self, kinds):
        with pytest.raises(FaultError, match="curves"):
            curves_from(f'{{"format": 1, "evidence": "a", "kinds": {kinds}}}'.encode())

    def test_they_are_made_from_scored_episodes_of_labelled_clips(self):
        rows = [
            {"clip": "a", "scene": "yard", "kind": "person_down", "start_s": "10", "end_s": "12"},
            {"clip": "b", "scene": "yard", "kind": "person_down", "start_s": "", "end_s": ""},
            {"clip": "c", "scene": "hall", "kind": "person_down", "start_s": "5", "end_s": "6"},
            {"clip": "d", "scene": "hall", "kind": "person_down", "start_s": "0", "end_s": "9"},
            {"clip": "e", "scene": "street", "kind": "", "start_s": "", "end_s": ""},
        ]

        def episode(clip, at, peak, kind="person_down"):
            return json.dumps({"clip": clip, "kind": kind, "start_s": at, "end_s": at + 1, "peak": peak})

        ends = [json.dumps({"clip": clip, "analysed_s": 30.0}) for clip in "abce"]
        lines = [episode("a", 8.9, 0.9), episode("a", 19, 0.7), episode("b", 25, 0.5), episode("c", 5, 0.9, "gathering"), *ends]
        made = curves(lines, labels_of(rows), "2")
        assert made["kinds"] == {"person_down": [[0.5, 0.6667, 2], [0.7, 0.3333, 2]]}
        read = curves_from(json.dumps(made).encode())
        assert read.scenes(DOWN) == 2
        assert recall(read.recalls()[DOWN], 0.6) == 0.3333
        nothing = curves(ends, labels_of(rows), "2")
        assert curves_from(json.dumps(nothing).encode()).recalls()[DOWN] == [(1.0, 0.0)]

    def test_between_two_points_the_higher_score_holds(self):
        curve = [(0.4, 0.9), (0.6, 0.5)]
        assert recall(curve, 0.2) == 0.9
        assert recall(curve, 0.5) == 0.5
        assert recall(curve, 0.7) == 0.0
        assert recall((), 0.5) is None


class Watched:
    """A cell as the budget sees it."""

    def __init__(self):
        self.health, self.laid = None, []

    def set_thresholds(self, thresholds):
        self.laid.append(dict(thresholds))


class TestControl:
    @pytest.fixture
    def joined(self, desk):
        cell = Watched()
        watch = Sensitivity({CAMERA: cell}, desk.desk, desk.house.clock)
        watch.begin()
        return SimpleNamespace(cell=cell, watch=watch, desk=desk)

    def test_thresholds_reach_the_cell_at_once_and_when_somebody_accepts(self, joined):
        assert joined.cell.laid[0][LEFT] == NEVER
        joined.desk.observe(7, per_day=50)
        threshold = joined.desk.kind().proposal.threshold
        assert joined.watch.accept(CAMERA, LEFT, threshold, "aufsicht") is None
        assert joined.cell.laid[-1][LEFT] == threshold
        joined.watch.undo(CAMERA, LEFT, "aufsicht")
        assert joined.cell.laid[-1][LEFT] == NEVER

    def test_time_is_observed_where_pictures_were_analysed(self, joined):
        def look(analysed, stopped=False):
            joined.cell.health = SimpleNamespace(analysed=analysed, stopped=stopped) if analysed is not None else None
            joined.desk.house.clock.sleep(5.0)
            joined.watch.look()
            return joined.desk.desk._cameras[CAMERA].today.seconds

        assert look(10) == 0
        assert look(35) == 5
        assert look(35) == 5, "no picture came"
        assert look(60, stopped=True) == 5
        assert look(3) == 5, "another cell"
        assert look(20) == 10
        assert look(None) == 10

    def test_episodes_and_outcomes_go_in(self, joined):
        house = joined.desk.house
        house.desk.closed.listen(joined.watch.closed)
        joined.watch.heard(EpisodeHeard(CAMERA, DOWN, "all", 0.0, 4.0, 0.9, 0.5))
        joined.watch.heard(EpisodeHeard(CAMERA, DOWN, "all", 0.0, 4.0, 0.4, 0.5))
        alert = house.desk.take(CAMERA, house.situation(), notify=True, run="r")
        by = By("KVD", "kvd-1")
        house.desk.acknowledge(alert.id, by)
        assert house.desk.close(alert.id, by, Outcome.CONFIRMED, "")
        assert not house.desk.close(alert.id, by, Outcome.CONFIRMED, "")
        house.desk.lost()  # told again, closed once
        view = joined.desk.kind(DOWN)
        assert (view.episodes, view.alarms, view.closed) == (2, 1, {"confirmed": 1})
        assert joined.desk.desk._cameras[CAMERA].today.confirmed[DOWN] == {bin_of(0.9): 1}
        assert joined.desk.desk.episodes[CAMERA, DOWN] == 2
        assert joined.desk.desk.alarms[CAMERA, DOWN] == 1

    def test_what_two_people_find_in_a_review_goes_in(self, joined):
        house = joined.desk.house
        house.records.office.cases.decided.listen(joined.watch.reviewed)
        joined.watch.heard(EpisodeHeard(CAMERA, DOWN, "all", 0.0, 4.0, START_THRESHOLDS[DOWN], 0.5))
        for name, verdict in (("a" * 32, Verdict.INCIDENT), ("b" * 32, Verdict.NO_INCIDENT)):
            case = house.clip(name)
            for person in ("kvd-1", "kvd-2"):
                house.records.office.cases.verdict(case.id, person, verdict, "", Ground.CRIMINAL_OFFENCE, "KL-1")
            view = joined.desk.kind(DOWN)
            assert joined.desk.desk._cameras[CAMERA].today.confirmed[DOWN] == {bin_of(START_THRESHOLDS[DOWN]): 1}
            assert sum(map(float, false_counts(joined.desk.desk._cameras[CAMERA].days, DOWN, frozenset({"day", "night"}))[0])) == 0
        assert view.closed == {"confirmed": 1, "no-finding": 1}

    def test_where_nothing_can_be_read_the_shadow_holds(self, joined, monkeypatch):
        def busy(camera):
            raise StoreError("busy")

        fresh = make_budget(SITE, joined.desk.house.records, joined.desk.house.regime, joined.desk.house.clock)
        monkeypatch.setattr(fresh._store, "load", busy)
        cell = Watched()
        watch = Sensitivity({CAMERA: cell}, fresh, joined.desk.house.clock)
        watch.begin()
        assert cell.laid[-1][LEFT] == NEVER
        assert cell.laid[-1][DOWN] == START_THRESHOLDS[DOWN]
        watch.heard(EpisodeHeard(CAMERA, DOWN, "all", 0.0, 4.0, 0.9, 0.5))
        with pytest.raises(StoreError):
            watch.look()
        monkeypatch.undo()
        watch.look()
        assert fresh.known()

    def test_a_confidence_is_what_the_page_says(self):
        assert CONFIDENCE == 0.9


def test_footage_split_in_time_is_watched_with_thresholds_from_its_first_half():
    def lines(clip, peaks, seconds=60.0):
        rows = [{"clip": clip, "kind": "object_left", "start_s": at, "end_s": at + 1, "peak": peak} for at, peak in peaks]
        return [json.dumps(row) for row in (*rows, {"clip": clip, "analysed_s": seconds})]

    calm = lines("calm", [(5, 0.36), (40, 0.37)])
    loud = lines("loud", [(at / 2, 0.5 + 0.001 * at) for at in range(60)] + [(45, 0.99)])
    short = lines("short", [(8, 0.99)], 10.0)
    found = split([*calm, *loud, *short], per_hour=60.0)
    assert found.seconds == 60.0
    assert found.start_alarms == 1
    assert found.by_clip["calm"] == 0
    assert "short" not in found.by_clip
    assert split(loud, per_hour=1e6).alarms == 1


def test_a_cell_that_runs_lays_what_it_is_told(tmp_path):
    """Over its own channel, into the watch that weighs what it sees; nothing is started anew."""
    source = tmp_path / "source.mp4"
    write_scene(source, DrawnScene(96, 64, 2), 10)
    one = OneCell(source)
    watch = one.cell._situations
    one.ours.sendall(pack(SetThresholds({LEFT: 0.83, GATHERING: NEVER})))
    until(lambda: one.cell._inbox)
    one.works_off()
    assert one.cell._situations is watch
    assert watch._thresholds == {LEFT: 0.83, GATHERING: NEVER}
    one.end()
