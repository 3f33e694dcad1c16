"""Seen from outside: what needs somebody, how late the loop is, whether databases answer, metrics that Prometheus takes."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from dataclasses import replace

import pytest

from blickschutz.alerts.model import Alert, AlertState, HistoryEntry, Origin
from blickschutz.audit.model import Event
from blickschutz.control.model import OrderState, RecordingOrder
from blickschutz.control.replicas import BEHIND_S, ReplicaState, ReplicationState
from blickschutz.control.service.lag import EVERY_S, LoopLag
from blickschutz.control.service.vitals import FRESH_S, GRACE_S
from blickschutz.control.vitals import (
    CERTIFICATE_S,
    OLD_ANCHOR_S,
    OLD_CHAIN_S,
    OLD_NOTICE_S,
    AnchorState,
    ChainState,
    ChannelState,
    ClockState,
    DatabaseState,
    DeadlineState,
    DiskState,
    LoopState,
    Need,
    OrdersState,
    Vitals,
    concerns,
)
from blickschutz.guard.model import WorkKind, WorkState
from blickschutz.ingest.model import SessionState
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.devices import InUse
from blickschutz.kernel.errors import StoreBusyError
from blickschutz.pipeline.messages import Health
from blickschutz.review.model import Case, CaseState, Quarantine, QuarantineReason
from blickschutz.situations.kinds import Kind
from blickschutz.wall.model import TileState
from blickschutz.web import health
from blickschutz.web.metrics import METRICS
from blickschutz.web.pages import TileView
from blickschutz.web.texts import NEED_WORDS
from tests.desk import CAMERA
from tests.fakes.holder import write_lock

NOW, STEADY = 1.8e9, 5000.0
WELL = Vitals(
    at=NOW,
    steady=STEADY,
    up_s=4000.0,
    databases=[DatabaseState("control", 0.001, written=NOW - 60)],
    loop=LoopState(0.01, 0.05),
    disk=DiskState(10**12, 2 * 10**9, 10**6),
    clock=ClockState(),
    chain=ChainState(100, 100, NOW - 30, NOW - 3000),
    deadlines=DeadlineState(due=1),
    orders=OrdersState(1, 100.0),
    quarantined=0,
    channels=[ChannelState("mail", 3, OLD_NOTICE_S - 1)],
    certificate_until=NOW + CERTIFICATE_S + 1,
    replication=ReplicationState(True, [ReplicaState("zwei", there=True, awaited=True, behind_s=BEHIND_S)]),
    cameras={CAMERA: TileState.LIVE, "seite": TileState.STOPPED, "neu": TileState.STARTING},
    work={
        "control": [
            WorkState("records", WorkKind.QUEUE, True, failures=7, depth=3, oldest_s=5.0, since=STEADY - 10),
            WorkState("chain", WorkKind.THREAD, False, failing=1, failures=1, since=STEADY - 1),
            WorkState("clip", WorkKind.SHORT, False),
        ]
    },
)


def work(**changed):
    return {"control": [replace(WorkState("chain", WorkKind.THREAD, True), **changed)]}


def copies(**changed):
    return ReplicationState(True, [replace(ReplicaState("zwei", there=True, awaited=True, behind_s=BEHIND_S, unstored=10), **changed)])


class TestConcerns:
    def test_where_all_is_well_nobody_has_to_do_anything(self):
        assert concerns(WELL) == []

    @pytest.mark.parametrize(
        ("changed", "need", "since"),
        [
            ({"work": work(running=False, failing=3, since=STEADY - 90)}, Need.WORK_STOPPED, NOW - 90),
            ({"work": work(failing=3)}, Need.WORK_FAILING, None),
            ({"work": work(kind=WorkKind.SHORT, running=False, failing=1)}, Need.WORK_FAILING, None),
            ({"work": work(set_aside=1)}, Need.ITEMS_ASIDE, None),
            ({"work": work(kind=WorkKind.QUEUE, depth=2, oldest_s=61.0)}, Need.QUEUE_OLD, NOW - 61),
            ({"cameras": {CAMERA: TileState.LOST}}, Need.CAMERA_OUT, None),
            ({"other_sizes": {CAMERA: "640 x 480"}}, Need.PICTURE_SIZE, None),
            ({"other_devices": {CAMERA: "no GPU here"}}, Need.OTHER_DEVICE, None),
            ({"other_decoders": {CAMERA: "nvdec failed: gone"}}, Need.OTHER_DECODER, None),
            ({"unrecordable": {CAMERA: "no keyframe came"}}, Need.CAMERA_UNRECORDABLE, None),
            ({"problem": "disk"}, Need.STORE_FAILED, None),
            ({"databases": [DatabaseState("control", None, "damaged")]}, Need.DATABASE_UNREADABLE, None),
            ({"databases": [DatabaseState("control", 0.01, written=NOW - 50, refused=NOW - 5)]}, Need.DATABASE_BUSY, NOW - 50),
            ({"databases": [DatabaseState("control", 0.5)]}, Need.DATABASE_SLOW, None),
            ({"replication": copies(there=False, since=NOW - 70)}, Need.REPLICA_GONE, NOW - 70),
            ({"replication": ReplicationState(awaits=True)}, Need.REPLICA_GONE, None),
            ({"replication": copies(behind_s=BEHIND_S + 1)}, Need.REPLICA_BEHIND, NOW - BEHIND_S - 1),
            ({"replication": ReplicationState(False, copies().replicas)}, Need.REPLICA_UNAWAITED, None),
            ({"replication": ReplicationState(True, problem="no right")}, Need.REPLICAS_UNSEEN, None),
            ({"loop": LoopState(0.2, 1.9)}, Need.LOOP_SLOW, None),
            ({"loop": LoopState(0.2, 2.1)}, Need.LOOP_STOOD, None),
            ({"disk": DiskState(None, 1)}, Need.DISK_UNREADABLE, None),
            ({"disk": DiskState(10, 11)}, Need.DISK_FULL, None),
            ({"disk": DiskState(12, 11, 3600.0)}, Need.DISK_SHORT, None),
            ({"chain": ChainState(100, 100, NOW - 30, NOW - 3000, faults=2)}, Need.CHAIN_BROKEN, None),
            ({"chain": ChainState(100, 90, NOW - OLD_CHAIN_S - 1, NOW - 3000)}, Need.CHAIN_OLD, NOW - OLD_CHAIN_S - 1),
            ({"chain": ChainState(100)}, Need.CHAIN_OLD, None),
            ({"anchor": AnchorState(9, NOW - 60, "forked")}, Need.ANCHOR_BROKEN, NOW - 60),
            ({"anchor": AnchorState(9, NOW - 60, "unreachable", passing=True)}, Need.ANCHOR_OLD, NOW - 60),
            ({"anchor": AnchorState(9, NOW - OLD_ANCHOR_S - 1)}, Need.ANCHOR_OLD, NOW - OLD_ANCHOR_S - 1),
            ({"deadlines": DeadlineState(3, 2, 7200.0)}, Need.DEADLINES_OVERDUE, NOW - 7200),
            ({"channels": [ChannelState("mail", 3, OLD_NOTICE_S + 1)]}, Need.NOTICES_UNSENT, NOW - OLD_NOTICE_S - 1),
            ({"channels": [ChannelState("mail", 0, 0.0, "550", set_aside=2)]}, Need.NOTICES_ASIDE, None),
            ({"orders": OrdersState(1, 900.0, 200.0)}, Need.ORDERS_OPEN, NOW - 200),
            ({"clock": ClockState(0.0, suspended=True)}, Need.CLOCK_SUSPENDED, None),
            ({"clock": ClockState(-3600.0)}, Need.CLOCK_OFF, None),
            ({"quarantined": 1}, Need.QUARANTINE, None),
            ({"certificate_until": NOW + CERTIFICATE_S - 1}, Need.CERTIFICATE_ENDS, None),
            ({"walls_missing": ("files", "no-swap")}, Need.WALLS_MISSING, None),
            ({"launcher_gone": True}, Need.LAUNCHER_GONE, None),
        ],
    )
    def test_each_threshold(self, changed, need, since):
        (found,) = concerns(replace(WELL, **changed))
        assert (found.need, found.since) == (need, since)
        assert found.of_camera == (found.subject == CAMERA)

    def test_every_need_has_its_words_and_a_test(self):
        assert set(NEED_WORDS) == {need.value for need in Need}

    def test_at_the_start_the_chain_is_not_late_yet(self):
        assert concerns(replace(WELL, up_s=10.0, chain=ChainState(100))) == []

    def test_what_a_broken_database_would_have_said_is_not_made_up(self):
        broken = [DatabaseState("control", None, "damaged")]
        unknown = replace(WELL, databases=broken, chain=None, deadlines=None, orders=None, quarantined=None, channels=None)
        assert [one.need for one in concerns(unknown)] == [Need.DATABASE_UNREADABLE]

    def test_the_urgent_comes_first(self):
        found = concerns(replace(WELL, certificate_until=NOW, quarantined=1, disk=DiskState(10, 11)))
        assert [one.need for one in found] == [Need.DISK_FULL, Need.QUARANTINE, Need.CERTIFICATE_ENDS]


class TestLoopLag:
    def test_a_loop_that_stood_is_late_for_all_that_it_missed(self):
        lag = LoopLag(SystemClock())
        for tick in range(1000):
            lag.note(tick * EVERY_S, 0.001)
        assert lag.state() == LoopState(0.001, 0.001)
        lag.note(1000 * EVERY_S, 5.0)
        state = lag.state()
        # Five seconds are a tenth of what is kept, though it is one sleep of a thousand.
        assert state.max_s == 5.0
        assert state.p99_s > 4.0
        lag.note(2000 * EVERY_S + 60, 0.002)
        lag.note(3000 * EVERY_S + 60, 0.002)
        assert lag.state().max_s == 0.002

    def test_it_hears_of_a_real_wait(self):
        lag = LoopLag(SystemClock())

        async def stand():
            task = asyncio.create_task(lag.run())
            await asyncio.sleep(3 * EVERY_S)
            time.sleep(0.3)  # noqa: ASYNC251 - what it is there to find
            await asyncio.sleep(2 * EVERY_S)
            task.cancel()

        asyncio.run(stand())
        assert 0.2 < lag.state().max_s < 5.0


class TestHealthWatch:
    @pytest.fixture(autouse=True)
    def fresh(self, desk):
        desk.clock.sleep(FRESH_S + 1)

    def look(self, desk):
        desk.clock.sleep(FRESH_S + 0.1)
        return desk.system.app.state.room.vitals()

    def test_it_asks_once_for_all_that_ask_together(self, desk):
        first = self.look(desk)
        assert desk.system.app.state.room.vitals() is first
        assert self.look(desk) is not first

    def test_a_database_that_takes_no_entry_is_seen_until_it_does(self, desk):
        desk.office.log.checkpoint()
        written = next(one for one in self.look(desk).databases if one.name == "control")
        assert written.written > 0
        assert written.read_s is not None
        with write_lock(desk.folder / "state/control.db"):
            desk.clock.sleep(10)
            with pytest.raises(StoreBusyError):
                desk.office.log.write(Event.LOG_SEEN, "test")
            vitals = self.look(desk)
            assert Need.DATABASE_BUSY in {one.need for one in concerns(vitals)}
            assert vitals.chain is not None
        desk.clock.sleep(10)
        desk.office.log.write(Event.LOG_SEEN, "test")
        assert Need.DATABASE_BUSY not in {one.need for one in concerns(self.look(desk))}

    def test_a_database_that_is_gone_is_said_and_stops_nothing(self, desk, monkeypatch):
        def fails(*_, **__):
            raise StoreBusyError("gone")

        for probe in desk.records.databases:
            monkeypatch.setattr(probe, "_engine", Broken())
        monkeypatch.setattr(desk.office.cases.store, "find", fails)
        vitals = self.look(desk)
        assert [one.read_s for one in vitals.databases] == [None, None]
        assert (vitals.deadlines, vitals.quarantined) == (None, None)
        assert "Eine Datenbank antwortet nicht: Vorgänge, Protokoll, Konten" in desk.get("/health", "technik").text

    def test_deadlines_orders_strays_and_notices_are_counted(self, desk):
        cases, now = desk.office.cases, desk.clock.now()
        case = cases.opened(Case(0, "b" * 32, CAMERA, "sealed", "person_down", now, CaseState.RECORDING))
        cases.store.close(replace(case, state=CaseState.WAITING, seconds=30.0, size=3000))
        assert self.look(desk).deadlines == DeadlineState()
        desk.clock.sleep(72 * 3600 + GRACE_S / 2)
        assert self.look(desk).deadlines == DeadlineState(1, 0, 0.0)
        desk.clock.sleep(GRACE_S)
        found = self.look(desk).deadlines
        assert (found.due, found.overdue) == (1, 1)
        assert found.oldest_s == pytest.approx(1.5 * GRACE_S, abs=20)

        number = desk.records.orders.store.newest() + 1
        order = RecordingOrder(number, CAMERA, "sealed", "manual", "leitstelle-1", "Beweis", desk.clock.now())
        desk.records.orders.store.add(order)
        desk.clock.sleep(200)
        orders = self.look(desk).orders
        assert (orders.open, orders.oldest_s) == (1, pytest.approx(200, abs=5))
        assert orders.untaken_s == orders.oldest_s
        desk.records.orders.store.begun(number, "c" * 32)
        assert self.look(desk).orders.untaken_s == 0.0
        desk.records.orders.store.end(number, OrderState.DONE)
        assert self.look(desk).orders == OrdersState()

        assert self.look(desk).quarantined == 0
        waiting = cases.store.get(case.id)
        assert cases.store.quarantine(waiting, Quarantine(QuarantineReason.NOTE_DAMAGED, desk.records.archive.time.now()), None)
        assert self.look(desk).quarantined == 1

        raised = desk.clock.now()
        new = Alert(0, CAMERA, Kind.PERSON_DOWN, "all", Origin.ANALYSIS, AlertState.RAISED, raised, raised, 0.9)
        desk.records.alerts.add(new, ("mail",), HistoryEntry(raised, "raised", "system"))
        desk.clock.sleep(400)
        (channel,) = self.look(desk).channels
        assert (channel.name, channel.waiting) == ("mail", 1)
        assert channel.oldest_s == pytest.approx(400, abs=5)


class Broken:
    """An engine whose disk is gone."""

    def connect(self):
        raise StoreBusyError("gone")


@pytest.fixture
def troubled(desk, monkeypatch):
    """A control room in which every need is there at once."""
    states = [
        WorkState("chain", WorkKind.THREAD, False, failing=4, failures=9, restarts=8, error="DeviceError: <b>gone</b>", since=STEADY - 600),
        WorkState("records", WorkKind.QUEUE, True, failing=3, failures=4, depth=7, oldest_s=130.0, set_aside=2),
        WorkState("clip-intake", WorkKind.SHORT, False, failures=1),
    ]
    vitals = replace(
        WELL,
        work={"control": states},
        problem="disk",
        databases=[DatabaseState("control", 0.5, written=NOW - 7200, refused=NOW - 5), DatabaseState("alerts", None, "damaged")],
        loop=LoopState(0.4, 3.0),
        disk=DiskState(10**9, 2 * 10**9, 3600.0),
        chain=ChainState(100, 90, NOW - 3000, NOW - 3 * 86_400, faults=2),
        anchor=AnchorState(88, NOW - 60, "forked"),
        deadlines=DeadlineState(3, 2, 7200.0),
        channels=[ChannelState("mail", 12, 90_000.0, "connection refused")],
        orders=OrdersState(2, 900.0, 400.0),
        clock=ClockState(-3600.0, suspended=True),
        quarantined=4,
        certificate_until=NOW + 3600,
        replication=ReplicationState(
            False,
            [ReplicaState("zwei", there=False, awaited=True, unstored=4096, since=NOW - 600), copies(behind_s=90, name="drei").replicas[0]],
            "GRANT pg_read_all_stats",
        ),
    )
    monkeypatch.setattr(desk.system.app.state.room, "vitals", lambda: vitals)
    return desk


class TestPage:
    def test_it_says_what_is_wrong_since_when_and_what_to_do(self, troubled):
        text = re.sub(r"<[^>]+>", "", troubled.get("/health", "technik").text)
        for words in (
            "Eine Arbeit im Hintergrund läuft nicht: chain",
            "Seit 15.01.2027, 08:50 Uhr",
            "Sie wird von selbst wieder begonnen.",
            "Aufzeichnungen sind fällig und noch da (2)",
            "Meldungen nach außen kommen nicht an: mail (12)",
            "Ein zweiter Datenbankserver ist nicht verbunden: zwei",
            "Zweiter Datenbankserver: zwei▲ nicht verbunden seit 10 min",
            "Zweiter Datenbankserver: drei▲ seit mindestens 2 min zurück",
            "Auf den zweiten Datenbankserver wird nicht gewartet",
            "dringend",
        ):
            assert words in text, text[:3000]
        assert "DeviceError: &lt;b&gt;gone" in text
        english = troubled.get("/health", "technik", cookies={"language": "en"}).text
        assert "A piece of background work does not run: chain" in english
        assert "A second database server is behind: drei" in english
        assert "not connected for 10 min" in english

    def test_of_many_cameras_and_works_those_come_first_that_need_somebody(self, troubled, monkeypatch):
        names = [one.id for one in troubled.system.site.cameras if one.id in troubled.system.supervisor.keepers]
        monkeypatch.setattr(TileView, "state", property(lambda tile: "starting" if tile.camera.id == names[-1] else "live"))
        monkeypatch.setattr(health, "MOST_CAMERAS", 1)
        monkeypatch.setattr(health, "MOST_WORK", 2)
        monkeypatch.setattr(health, "MOST_NEEDS", 3)
        page = troubled.get("/health", "technik").text
        assert re.findall('<td data-state="([a-z]+)"', page) == ["starting"]
        assert f"1 von {len(names)} Kameras, zuerst die ohne Bild." in page
        assert "Gezeigt wird, was nicht läuft, wartet oder einen Fehler hatte (2)." in page
        assert "clip-intake" not in page
        assert page.count('<p class="need">') == 3
        assert "Gezeigt sind die dringendsten 3." in page
        every = troubled.get("/health?every=1", "technik").text
        assert every.count('<td data-state="') == len(names)
        assert "clip-intake" in every
        assert every.count('<p class="need">') > 3
        assert "Alle zeigen" not in every

    def test_it_says_what_computes_and_why(self, desk):
        one, other, *_ = desk.system.supervisor.keepers.values()
        facts = {"session": SessionState.LIVE, "stopped": False, "doubt": None}
        one.health = Health(**facts, detector=InUse("GPU", "CPU", "no GPU here (there is CPU)", trouble=True))
        other.health = Health(**facts, detector=InUse("CPU", "CPU"))
        desk.clock.sleep(60.0)  # what was looked at for another page is old
        text = desk.get("/health", "technik").text
        assert '<span class="warn">▲ CPU</span><br><span class="quiet" lang="en">no GPU here (there is CPU)</span>' in text
        assert "<td>CPU</td>" in text
        assert "rechnet nicht auf dem eingestellten Gerät" in text

    def test_it_counts_what_was_withheld_of_damaged_streams(self, desk):
        one, *_ = desk.system.supervisor.keepers.values()
        one.health = Health(session=SessionState.LIVE, stopped=False, doubt=None, frames=4000, withheld=1234)
        camera = next(iter(desk.system.supervisor.keepers))
        desk.clock.sleep(60.0)
        text = desk.get("/health", "technik").text
        assert '<th scope="col" class="n">zurückgehalten</th>' in text
        assert '<td class="n">1.234</td>' in text
        figures = desk.get("/metrics", "technik").text
        assert f'blickschutz_frames_withheld_total{{camera="{camera}"}} 1234.0' in figures.splitlines()

    def test_it_says_what_decodes_and_why(self, desk):
        one, other, *_ = desk.system.supervisor.keepers.values()
        facts = {"session": SessionState.LIVE, "stopped": False, "doubt": None}
        one.health = Health(**facts, decoder=InUse("nvdec", "software", "nvdec failed: no answer within 2 s", trouble=True))
        other.health = Health(**facts, decoder=InUse("auto", "nvdec", "nvdec takes 1.0 ms of the processor a picture, software 9.0 ms"))
        desk.clock.sleep(60.0)
        text = desk.get("/health", "technik").text
        assert '<span class="warn">▲ software</span><br><span class="quiet" lang="en">nvdec failed: no answer within 2 s</span>' in text
        assert '<td>nvdec<br><span class="quiet" lang="en">nvdec takes 1.0 ms' in text
        assert "Dekodiert auf" in text
        assert text.count("wird nicht auf dem eingestellten Gerät dekodiert, oder kostet dort mehr") == 1
        assert "analysis.decoding in der Anlagendatei auf software stellen" in text
        desk.clock.sleep(60.0)
        english = desk.get("/health", "technik", cookies={"language": "en"}).text
        assert "is not decoded on the device that is set, or costs more there" in english
        assert "Decoded on" in english
        metrics = desk.get("/metrics", "technik").text
        assert f'blickschutz_decoder_in_use{{camera="{one.camera}",used="software",wanted="nvdec"}} 1.0' in metrics
        assert f'blickschutz_decoder_in_use{{camera="{other.camera}",used="nvdec",wanted="auto"}} 1.0' in metrics
        assert f'blickschutz_decoder_trouble{{camera="{one.camera}"}} 1.0' in metrics
        assert f'blickschutz_decoder_trouble{{camera="{other.camera}"}} 0.0' in metrics

    def test_where_all_is_well_it_says_so(self, desk, monkeypatch):
        monkeypatch.setattr(desk.system.app.state.room, "vitals", lambda: WELL)
        text = desk.get("/health", "technik").text
        assert "sind, wie sie sein sollen." in text
        assert "Bitte kümmern" not in text

    def test_a_program_gets_the_same(self, troubled):
        token = troubled.token("technik")
        found = troubled.api("GET", "/health", token).json()
        needs = [(one["need"], one["urgent"]) for one in found["needs"]]
        assert needs[0] == ("work-stopped", True)
        assert {one for one, _ in needs} >= {"deadlines-overdue", "chain-broken", "clock-suspended", "quarantine"}
        assert found["work"][0] | {"error": ""} == {
            "name": "chain",
            "process": "control",
            "kind": "thread",
            "running": False,
            "failures": 9,
            "restarts": 8,
            "items": 0,
            "oldest_s": 0.0,
            "set_aside": 0,
            "error": "",
        }
        assert found["databases"][1] == {"name": "alerts", "read_s": None, "written": None, "refused": None}


class TestMetrics:
    def test_every_metric_is_there_and_no_other(self, troubled):
        text = troubled.get("/metrics", "technik").text
        named = set(re.findall(r"^# TYPE (\S+) ", text, re.M))
        assert named == set(METRICS)
        for line in (
            'blickschutz_work_running{kind="thread",name="chain",process="control"} 0.0',
            'blickschutz_work_failures_total{name="chain",process="control"} 9.0',
            'blickschutz_work_set_aside{name="records",process="control"} 2.0',
            'blickschutz_queue_items{name="records"} 7.0',
            'blickschutz_queue_oldest_seconds{name="records"} 130.0',
            'blickschutz_database_up{database="alerts"} 0.0',
            'blickschutz_notices_oldest_seconds{channel="mail"} 90000.0',
            "blickschutz_deadlines_oldest_overdue_seconds 7200.0",
            'blickschutz_database_replica_up{replica="zwei"} 0.0',
            'blickschutz_database_replica_lag_bytes{replica="zwei"} 4096.0',
            'blickschutz_database_replica_lag_seconds{replica="drei"} 90.0',
            "blickschutz_database_commits_awaited 0.0",
            "blickschutz_database_replicas_visible 0.0",
            "blickschutz_clock_suspended 1.0",
            "blickschutz_log_anchored_entries 88.0",
            "blickschutz_log_anchor_failing 1.0",
            "blickschutz_quarantined_clips 4.0",
        ):
            assert line in text.splitlines(), line
        assert 'blickschutz_queue_items{name="chain"}' not in text

    def test_only_who_may_sees_figures(self, desk):
        assert desk.get("/metrics", "leitstelle-1").status_code == 403
        token = desk.token("technik")
        assert desk.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert desk.get("/metrics", headers={"Authorization": "Bearer x"}).status_code == 401

    @pytest.mark.peers
    def test_prometheus_finds_nothing_to_criticise(self, troubled):
        if shutil.which("promtool") is None:
            pytest.skip("promtool is not installed (apt-get install prometheus)")
        text = troubled.get("/metrics", "technik").text
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
