"""Settings as versions: proposals on a real file and database, the second person, hand edits in between, the way back."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from blickschutz.audit.model import Event
from blickschutz.bootstrap.control import make_control
from blickschutz.bootstrap.system import Source
from blickschutz.budget.model import Began
from blickschutz.config.loader import load_site
from blickschutz.kernel.errors import DeviceError
from blickschutz.settings.io.file import SettingsFile
from blickschutz.settings.model import Edit, Origin, Proposal, Reach, Refused, State, Why
from blickschutz.settings.ports import ReadOnlyError
from blickschutz.settings.rules.changes import differences
from blickschutz.settings.rules.document import plain, written
from tests.conftest import ROOT
from tests.fakes.cells import no_process
from tests.fakes.clock import ManualClock

EXAMPLE = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
ZONE = ("cameras", "vorplatz-nord", "zones", "flaeche", "polygon")
OTHER = [[0.1, 0.4], [0.9, 0.4], [0.9, 0.9], [0.1, 0.9]]
NAME = ("cameras", "brunnen", "name")
NEW = {"id": "hof", "name": "Hof", "side": "side", "address": "rtsp://192.0.2.40/x"}


class House:
    """A site whose file lies in `folder`; nothing runs."""

    def __init__(self, folder, text=EXAMPLE):
        self.path, self.folder = folder / "anlage.toml", folder
        self.path.write_bytes(text.encode())
        self.start()

    def start(self):
        text = self.path.read_bytes().decode()
        site, source = load_site(self.path), Source(text, str(self.path))
        self.control = make_control(site, self.folder, self.folder / "state", ManualClock(), no_process, file=source)
        self.desk, self.log = self.control.desk, self.control.records.office.log

    def restart(self):
        self.close()
        self.start()

    def close(self):
        self.control.records.keeping.close()

    @property
    def text(self):
        return self.path.read_bytes().decode()

    def told(self, event):
        return [entry for entry, _ in self.log.find(event=event)]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """One that nothing is changed in."""
    house = House(tmp_path_factory.mktemp("still"))
    yield house
    assert (house.text, house.desk.proposals()) == (EXAMPLE, [])
    house.close()


def polygon(site, camera=0):
    return site.cameras[camera].zones[0].polygon


class TestTwoPeople:
    def test_a_zone_takes_a_second_person_and_is_then_in_file_system_history_and_log(self, house):
        before = house.text
        made = house.desk.propose("technik", [Edit(ZONE, OTHER)], "Baum davor")
        assert isinstance(made, Proposal)
        assert (made.state, made.second, house.text) == (State.WAITING, True, before)
        assert house.desk.confirm(made.number, "technik") == Refused(Why.SAME)
        done = house.desk.confirm(made.number, "aufsicht")
        assert isinstance(done, Proposal)
        assert (done.state, done.decided_by) == (State.APPLIED, "aufsicht")
        assert house.text == before.replace("[[0.05, 0.35], [0.95, 0.35], [0.95, 0.95], [0.05, 0.95]]", str(OTHER), 1)
        assert polygon(house.control.settings.site) == tuple(map(tuple, OTHER))
        assert house.control.settings.site == load_site(house.path)
        assert [one.state for one in house.desk.proposals()] == [State.APPLIED]
        (entry,) = house.told(Event.SETTINGS_APPLIED)
        assert entry.facts["people"] == ["technik", "aufsicht"]
        assert entry.facts["keys"] == [".".join(ZONE)]

    def test_a_name_takes_one(self, house):
        done = house.desk.propose("technik", [Edit(NAME, "Brunnen (neu)")])
        assert isinstance(done, Proposal)
        assert (done.state, done.second) == (State.APPLIED, False)
        assert 'name = "Brunnen (neu)"' in house.text

    def test_the_same_is_confirmed_once(self, house):
        made = house.desk.propose("technik", [Edit(ZONE, OTHER)])
        house.desk.confirm(made.number, "aufsicht")
        assert house.desk.confirm(made.number, "dsb") == Refused(Why.GONE)
        assert house.desk.withdraw(made.number, "dsb") == Refused(Why.GONE)
        assert house.desk.confirm(99, "dsb") == Refused(Why.GONE)

    def test_one_that_is_declined_does_nothing(self, house):
        before = house.text
        made = house.desk.propose("technik", [Edit(ZONE, OTHER)])
        assert house.desk.withdraw(made.number, "dsb") is None
        assert house.desk.confirm(made.number, "aufsicht") == Refused(Why.GONE)
        assert house.text == before
        assert house.told(Event.SETTINGS_WITHDRAWN)

    def test_what_is_no_change_is_none(self, house):
        assert house.desk.propose("technik", [Edit(NAME, "Brunnen")]) == Refused(Why.NOTHING)

    def test_accounts_are_not_changed_here(self, house):
        assert house.desk.propose("technik", [Edit(("people", "technik", "name"), "Neu")]) == Refused(Why.ACCOUNTS)


class TestRefused:
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("review", "root"), "ab" * 32),
            (("audit",), {"witness_key": "ab" * 32}),
            (("audit", "witness"), "/run/x"),
            (("site", "data"), "/srv/x"),
        ],
    )
    def test_by_what_the_installation_is_measured_no_page_changes(self, still, path, value):
        refused = still.desk.propose("technik", [Edit(path, value)])
        assert isinstance(refused, Refused)
        assert (refused.why, len(refused.keys)) == (Why.ANCHOR, 1)
        assert still.text == EXAMPLE

    def test_law_in_the_file_itself_is_told_with_its_paragraph(self, still):
        refused = still.desk.propose("technik", [Edit(("retention", "hard_limit_days"), 200)])
        assert isinstance(refused, Refused)
        assert refused.why is Why.FILE
        assert "§ 21 Abs. 5 LDSG RLP" in refused.lines[0]
        assert still.desk.proposals() == []

    def test_a_rule_that_would_be_broken_is_told_with_source_and_mend(self, still):
        refused = still.desk.propose("technik", [Edit(("cameras", "brunnen", "zones", "flaeche", "rules"), {"off": ["camera_tampered"]})])
        assert isinstance(refused, Refused)
        assert refused.why is Why.LAW
        assert refused.against
        assert all(one.source and one.text[0] and one.text[1] for one in refused.against)

    @pytest.mark.parametrize(
        "edit",
        [
            Edit(("cameras", "brunnen", "zones", "flaeche", "polygon"), [[0.1, 0.1], [0.9, 0.9]]),
            Edit(("cameras", "brunnen", "zones", "flaeche", "polygon"), [[0.1, 0.1], [2.0, 0.9], [0.1, 0.9]]),
            Edit(("cameras", "brunnen", "nam"), "x"),
            Edit(("cameras", "brunnen", "address"), "rtsp://user:geheim@192.0.2.16/stream1"),
            Edit(("cameras",), "x"),
        ],
    )
    def test_what_the_file_refuses_is_no_proposal(self, still, edit):
        refused = still.desk.propose("technik", [edit])
        assert isinstance(refused, Refused)
        assert refused.why is Why.FILE
        assert "geheim" not in " ".join(refused.lines)

    def test_what_is_not_there_is_not_taken_away(self, still):
        for path in (("cameras", "brunnen", "lines", "x"), ("cameras", "keine"), ("alerts", "mqtt", "host")):
            assert still.desk.propose("technik", [Edit(path, remove=True)]) == Refused(Why.NOTHING)

    def test_a_path_that_leads_nowhere(self, still):
        refused = still.desk.propose("technik", [Edit(("cameras", "keine", "name"), "x")])
        assert isinstance(refused, Refused)
        assert refused.why is Why.FORM


class TestText:
    def test_what_stands_above_the_next_table_is_about_that_and_stays(self):
        text = EXAMPLE.replace('[[cameras]]\nid = "fahrradstaender"', '# Neben den Rädern.\n[[cameras]]\nid = "fahrradstaender"')
        assert text != EXAMPLE
        made = written(text, [Edit(("cameras", "brunnen"), remove=True)])
        assert made.index("# Neben den Rädern.\n") < made.index('id = "fahrradstaender"')
        assert '"brunnen"' not in made
        assert differences(plain(made), plain(written(text, [Edit(("cameras", "brunnen"), remove=True)]))) == ()

    def test_what_stands_behind_a_value_stays(self):
        text = EXAMPLE.replace("rate = 5.0", "rate = 5.0 # gemessen am 3. Mai")
        assert written(text, [Edit(("analysis", "rate"), 6.0)]) == text.replace("rate = 5.0 #", "rate = 6.0 #")

    def test_zones_in_one_line_come_back_whatever_was_put_there_meanwhile(self):
        zone = {"id": "a", "name": "A", "polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]}
        line = 'zones = [{ id = "a", name = "A", polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]] }]\n'
        text = f'{EXAMPLE}\n[[cameras]]\nid = "hof"\nname = "Hof"\nside = "side"\naddress = "rtsp://192.0.2.40/x"\n{line}'
        away = Edit(("cameras", "hof", "zones", "a"), remove=True)
        back = Edit(("cameras", "hof", "zones", "a"), zone)
        assert written(written(text, [away]), [back], text).rstrip() == text.rstrip()
        other = written(text, [away, Edit(("cameras", "hof", "zones", "neu"), {**zone, "id": "neu"})])
        assert [one["id"] for one in plain(written(other, [back], text))["cameras"][-1]["zones"]] == ["neu", "a"]

    def test_a_table_that_is_not_there_yet_is_made(self):
        made = written(EXAMPLE, [Edit(("alerts", "budget", "days"), 14.0)])
        assert made == EXAMPLE.replace("keep_hours = 72\n\n", "keep_hours = 72\n\n[alerts.budget]\ndays = 14.0\n\n")


class TestTogether:
    def test_a_proposal_stands_on_a_file_that_somebody_edited_elsewhere(self, house):
        made = house.desk.propose("technik", [Edit(ZONE, OTHER)])
        house.path.write_text(house.text.replace('name = "Brunnen"', 'name = "Am Brunnen" # so heißt er'), encoding="utf-8")
        edited = house.text
        # Whoever confirms saw the proposal, and not what somebody wrote into the file since.
        assert house.desk.confirm(made.number, "aufsicht") == Refused(Why.BY_HAND, keys=("cameras.brunnen.name",))
        assert (house.text, house.desk.proposal(made.number).state) == (edited, State.WAITING)
        assert [camera.name for camera in house.control.settings.site.cameras if camera.id == "brunnen"] == ["Brunnen"]
        seen = house.desk.hand_edit()
        assert [one.key for one in seen.differences] == ["cameras.brunnen.name"]
        taken = house.desk.reload("de", "technik", seen.seen)
        assert (taken.origin, taken.by, taken.decided_by) == (Origin.FILE, "site-file", "technik")
        done = house.desk.confirm(made.number, "aufsicht")
        assert done.state is State.APPLIED
        assert 'name = "Am Brunnen" # so heißt er' in house.text
        assert str(OTHER) in house.text
        # What was written by hand is a change of its own, before the other.
        assert [(one.origin, one.by) for one in house.desk.proposals()] == [(Origin.FILE, "site-file"), (Origin.PAGE, "technik")]
        assert [entry.facts["people"] for entry in house.told(Event.SETTINGS_APPLIED)] == [
            ["technik", "aufsicht"],
            ["site-file", "technik"],
        ]

    def test_a_file_that_is_put_back_is_in_nobodys_way(self, house):
        made, before = house.desk.propose("technik", [Edit(ZONE, OTHER)]), house.text
        house.path.write_text(house.text.replace("rate = 5.0", "rate = 6.0"), encoding="utf-8")
        assert house.desk.confirm(made.number, "aufsicht").why is Why.BY_HAND
        house.path.write_text(before, encoding="utf-8")
        assert house.desk.confirm(made.number, "aufsicht").state is State.APPLIED

    def test_what_takes_one_person_does_not_take_the_file_with_it(self, house):
        house.path.write_text(house.text.replace("rate = 5.0", "rate = 6.0"), encoding="utf-8")
        assert house.desk.propose("technik", [Edit(NAME, "Eins")]) == Refused(Why.BY_HAND, keys=("analysis.rate",))
        assert (house.control.settings.site.analysis.rate, 'name = "Brunnen"' in house.text) == (5.0, True)

    def test_what_is_taken_is_what_was_seen(self, house):
        house.path.write_text(house.text.replace("rate = 5.0", "rate = 6.0"), encoding="utf-8")
        seen = house.desk.hand_edit().seen
        house.path.write_text(house.text.replace("rate = 6.0", "rate = 4.0"), encoding="utf-8")
        assert house.desk.reload("de", "technik", seen) == Refused(Why.OTHER)
        assert house.control.settings.site.analysis.rate == 5.0
        assert house.desk.reload("de", "technik", house.desk.hand_edit().seen).state is State.APPLIED
        assert house.desk.hand_edit() == Refused(Why.NOTHING)

    def test_a_hand_edit_that_a_rule_is_against_is_named_before_anything_else(self, house):
        made = house.desk.propose("technik", [Edit(ZONE, OTHER)])
        zone = '[[cameras.zones]]\nid = "flaeche"'
        house.path.write_text(house.text.replace(zone, f'{zone}\nrules = {{ off = ["camera_tampered"] }}'), encoding="utf-8")
        refused = house.desk.confirm(made.number, "aufsicht")
        assert (refused.why, bool(refused.lines)) == (Why.BY_HAND, True)
        assert house.desk.hand_edit().why is Why.LAW
        assert house.desk.proposal(made.number).state is State.WAITING

    def test_one_whose_key_somebody_edited_is_refused_in_words(self, house):
        made = house.desk.propose("technik", [Edit(ZONE, OTHER)])
        mine = "[[0.0, 0.35], [0.95, 0.35], [0.95, 0.95], [0.05, 0.95]]"
        house.path.write_text(house.text.replace("[[0.05, 0.35], [0.95, 0.35], [0.95, 0.95], [0.05, 0.95]]", mine, 1), encoding="utf-8")
        assert house.desk.confirm(made.number, "aufsicht") == Refused(Why.BY_HAND, keys=(".".join(ZONE),))
        house.desk.reload()
        refused = house.desk.confirm(made.number, "aufsicht")
        assert refused == Refused(Why.CLASH, keys=(".".join(ZONE),))
        assert mine in house.text
        assert house.desk.proposal(made.number).state is State.OVERTAKEN

    def test_a_zone_that_is_gone_is_not_made_anew_by_a_point_of_it(self, house):
        made = house.desk.propose("technik", [Edit(ZONE, OTHER)])
        other = Edit((*ZONE[:-2], "anders"), {"id": "anders", "name": "Anders", "polygon": OTHER})
        gone = house.desk.propose("technik", [other, Edit(ZONE[:-1], remove=True)])
        assert house.desk.confirm(gone.number, "aufsicht").state is State.APPLIED
        assert house.desk.confirm(made.number, "aufsicht").why is Why.CLASH

    def test_a_file_that_is_broken_meanwhile_stays_and_is_told(self, house):
        made = house.desk.propose("technik", [Edit(ZONE, OTHER)])
        broken = house.text.replace("hard_limit_days = 60", "hard_limit_days = 600")
        house.path.write_text(broken, encoding="utf-8")
        refused = house.desk.confirm(made.number, "aufsicht")
        assert refused.why is Why.FILE
        assert "§ 21" in refused.lines[0]
        assert house.text == broken
        assert house.desk.proposal(made.number).state is State.WAITING

    def test_of_many_at_once_none_is_lost(self, house):
        names = [camera.id for camera in house.control.settings.site.cameras[:4]]

        def rename(name):
            assert house.desk.propose("technik", [Edit(("cameras", name, "name"), f"{name} neu")]).state is State.APPLIED

        threads = [threading.Thread(target=rename, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [camera.name for camera in load_site(house.path).cameras[:4]] == [f"{name} neu" for name in names]
        assert house.control.settings.site == load_site(house.path)


class TestCells:
    """What each cell is told; nothing runs here."""

    def put(self, house, *edits):
        made = house.desk.propose("technik", edits)
        assert house.desk.confirm(made.number, "aufsicht").state is State.APPLIED

    def add(self, house):
        self.put(house, Edit(("cameras", "hof"), {**NEW, "zones": [{"id": "alles", "name": "Alles", "polygon": OTHER}]}))

    def test_a_camera_comes_and_goes_and_the_others_are_the_same(self, house):
        keepers = house.control.supervisor.keepers
        before = dict(keepers)
        self.add(house)
        assert {name: keepers[name] for name in before} == before
        assert keepers["hof"].camera == "hof"
        assert "Hof" in {camera.name for camera in house.control.settings.site.cameras}
        self.put(house, Edit(("cameras", "hof"), remove=True))
        assert dict(keepers) == before

    def test_one_that_comes_while_all_are_stopped_is_stopped(self, house):
        house.control.records.stops.stop("all", "leitstelle-1", "Versammlung")
        self.add(house)
        assert house.control.supervisor.keepers["hof"].stopped
        house.control.records.stops.resume("all", "leitstelle-1", "vorbei")
        assert not house.control.supervisor.keepers["hof"].stopped

    def test_thresholds_that_people_accepted_stay_over_another_zone(self, house):
        keeper = house.control.supervisor.keepers["vorplatz-nord"]
        laid = dict(keeper._settings.situations.thresholds)
        self.put(house, Edit(ZONE, OTHER))
        assert keeper._settings.situations.zones[0].polygon == tuple(map(tuple, OTHER))
        assert keeper._settings.situations.thresholds == laid

    def test_another_zone_begins_what_is_counted_of_a_camera_anew(self, house):
        budget = house.control.sensitivity.desk
        budget.keep()
        self.put(house, Edit(ZONE, OTHER))
        assert budget._moved == {"vorplatz-nord": Began.SETTINGS}


class TestBack:
    def test_undo_restores_the_bytes(self, house):
        before = house.text
        made = house.desk.propose("technik", [Edit(ZONE, OTHER), Edit(("cameras", "seite-ost"), remove=True)])
        house.desk.confirm(made.number, "aufsicht")
        back = house.desk.undo(made.number, "technik")
        assert (back.state, back.undoes) == (State.WAITING, made.number)
        assert house.desk.confirm(back.number, "dsb").state is State.APPLIED
        assert house.text == before

    def test_two_that_stood_side_by_side_come_back_in_their_order(self, house):
        names = [one.id for one in load_site(house.path).cameras]
        made = house.desk.propose("technik", [Edit(("cameras", name), remove=True) for name in names[:2]])
        house.desk.confirm(made.number, "aufsicht")
        house.desk.propose("technik", [Edit(NAME, "Am Brunnen")])
        house.desk.confirm(house.desk.undo(made.number, "technik").number, "aufsicht")
        assert [one.id for one in load_site(house.path).cameras] == names

    def test_undo_leaves_what_came_later(self, house):
        made = house.desk.propose("technik", [Edit(ZONE, OTHER)])
        house.desk.confirm(made.number, "aufsicht")
        house.desk.propose("technik", [Edit(NAME, "Am Brunnen")])
        back = house.desk.undo(made.number, "technik")
        house.desk.confirm(back.number, "aufsicht")
        assert house.text == EXAMPLE.replace('name = "Brunnen"', 'name = "Am Brunnen"')

    def test_undo_of_what_was_changed_again_is_refused(self, house):
        house.desk.propose("technik", [Edit(NAME, "Eins")])
        made = house.desk.proposals()[0]
        house.desk.propose("technik", [Edit(NAME, "Zwei")])
        assert house.desk.undo(made.number, "technik") == Refused(Why.CLASH, keys=(".".join(NAME),))

    def test_after_a_restart_there_is_the_same_history(self, house):
        made = house.desk.propose("technik", [Edit(NAME, "Eins")])
        house.restart()
        assert house.desk.undo(made.number, "technik").state is State.APPLIED
        assert house.text == EXAMPLE


class TestFile:
    def test_mode_is_kept_and_nothing_lies_about(self, house):
        house.path.chmod(0o640)
        house.desk.propose("technik", [Edit(NAME, "Eins")])
        assert stat.S_IMODE(house.path.stat().st_mode) == 0o640
        assert sorted(path.name for path in house.folder.iterdir()) == ["anlage.toml", "state"]
        versions = list((house.folder / "state/versions").iterdir())
        assert {path.suffix for path in versions} == {".toml", ".json"}
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in versions)

    def test_a_link_stays_a_link(self, house):
        real = house.folder / "wo-anders.toml"
        house.path.rename(real)
        house.path.symlink_to(real)
        house.desk.propose("technik", [Edit(NAME, "Eins")])
        assert house.path.is_symlink()
        assert "Eins" in real.read_text(encoding="utf-8")

    def test_a_folder_that_may_not_be_written_to_is_told(self, tmp_path):
        # Not even root makes files there.
        file = SettingsFile(Path("/sys/kernel/mm/transparent_hugepage/enabled"), tmp_path)
        with pytest.raises(ReadOnlyError):
            file.write("always", file.read())

    def test_a_file_that_is_gone_is_told(self, house):
        house.path.unlink()
        assert house.desk.propose("technik", [Edit(NAME, "Eins")]).why is Why.DEVICE
        with pytest.raises(DeviceError):
            house.desk.unread()

    def test_ends_and_mark_of_windows_stay(self, tmp_path):
        house = House(tmp_path, "\ufeff" + EXAMPLE.replace("\n", "\r\n"))
        house.desk.propose("technik", [Edit(NAME, "Eins")])
        assert house.text == "\ufeff" + EXAMPLE.replace('"Brunnen"', '"Eins"').replace("\n", "\r\n")
        house.close()

    def test_a_crash_between_row_and_file_is_settled_by_the_file(self, house, monkeypatch):
        made = house.desk.propose("technik", [Edit(ZONE, OTHER)])
        write = type(house.desk._file).write

        def dies(file, text, expected):
            write(file, text, expected)
            raise KeyboardInterrupt

        monkeypatch.setattr(type(house.desk._file), "write", dies)
        with pytest.raises(KeyboardInterrupt):
            house.desk.confirm(made.number, "aufsicht")
        monkeypatch.undo()
        assert house.desk.proposal(made.number).state is State.WRITING
        house.restart()
        house.desk.begin()
        assert house.desk.proposal(made.number).state is State.APPLIED
        assert house.told(Event.SETTINGS_APPLIED)


class TestByHand:
    def test_the_file_is_put_in_force(self, house):
        house.path.write_text(house.text.replace('name = "Brunnen"', 'name = "Am Brunnen"'), encoding="utf-8")
        done = house.desk.reload()
        assert (done.state, done.origin, [one.key for one in done.differences]) == (State.APPLIED, Origin.FILE, ["cameras.brunnen.name"])
        assert house.control.settings.site == load_site(house.path)
        assert house.desk.reload() == Refused(Why.NOTHING)

    def test_comments_alone_change_nothing(self, house):
        house.path.write_text(f"# neu\n{house.text}", encoding="utf-8")
        assert house.desk.reload() == Refused(Why.NOTHING)
        house.desk.propose("technik", [Edit(NAME, "Eins")])
        assert house.text.startswith("# neu\n")

    def test_what_contradicts_the_law_is_not_put_in_force(self, house):
        house.path.write_text(house.text.replace("[cameras.calibration]", "[cameras.calibration] ", 1).replace("rate = 5.0", "rate = 50.0"))
        assert house.desk.reload().why is Why.FILE
        assert house.control.settings.site.analysis.rate == 5.0

    def test_what_waits_for_a_restart_is_named_and_not_in_force(self, house):
        house.path.write_text(house.text.replace("keep_hours = 72", "keep_hours = 48"), encoding="utf-8")
        done = house.desk.reload()
        assert done.restart == house.desk.pending() == ("alerts.keep_hours",)
        assert house.control.settings.site.alerts.keep_hours == 72
        house.path.write_text(EXAMPLE, encoding="utf-8")
        house.desk.reload()
        assert house.desk.pending() == ()


class TestEffects:
    def test_documents_that_say_something_else_are_named(self, still):
        looked = still.desk.look([Edit(("cameras", "brunnen"), remove=True)], "de")
        assert looked.effects.cells == {"brunnen": Reach.ENDS}
        assert any("Brunnen" in " ".join(one.gone) for one in looked.effects.documents)

    def test_a_real_site_that_would_leave_a_gate_open_is_told_so_and_a_demonstration_lists_it(self, tmp_path):
        """What a camera is for is entered for cameras that are there; the example's facts say it for those of the file."""
        (tmp_path / "anlage.facts.toml").write_bytes((ROOT / "examples/rathaus-kaiserslautern.facts.toml").read_bytes())
        house = House(tmp_path)
        bare = house.desk.look([Edit(("cameras", "hof"), NEW)], "de")
        assert {one.rule for one in bare.against} >= {"SI-07"}
        looked = house.desk.look([Edit(("cameras", "brunnen"), remove=True)], "de")
        assert looked.effects.cells == {"brunnen": Reach.ENDS}
        assert {one.rule for one in looked.effects.against} == set()
        house.close()

    def test_a_zone_is_told_a_style_begins_all_anew_and_a_name_touches_none(self, still):
        assert still.desk.look([Edit(ZONE, OTHER)], "de").effects.cells == {"vorplatz-nord": Reach.TOLD}
        assert set(still.desk.look([Edit(("redaction", "style"), "silhouette")], "de").effects.cells.values()) == {Reach.ANEW}
        assert still.desk.look([Edit(NAME, "Eins")], "de").effects.cells == {}

    def test_a_demonstration_on_other_footage_cannot_be_changed(self, tmp_path):
        site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
        other = site.model_copy(update={"cameras": site.cameras[:2]})
        source = Source(EXAMPLE, str(ROOT / "examples/rathaus-kaiserslautern.toml"))
        control = make_control(other, tmp_path, tmp_path / "state", ManualClock(), no_process, file=source)
        assert control.desk.propose("technik", [Edit(NAME, "Eins")]) == Refused(Why.DEMO)
        control.records.keeping.close()
