"""Each decision about an alert has its entry in the log of the site, once, whatever crashes or locks come in between."""

from __future__ import annotations

import threading

import pytest

from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA
from blickschutz.alerts.model import By, Outcome
from blickschutz.alerts.service import AlertDesk
from blickschutz.audit.io.log import METADATA as LOG_TABLES
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.errors import StoreBusyError
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import InstallationKey
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.both_databases

ADA, BERT = By("Ada Lovelace", "ada"), By("Bert Brecht", "bert")


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def log(tmp_path, clock):
    key = InstallationKey(tmp_path / "key")
    engine = open_engine(tmp_path / "control.db", LOG_TABLES)
    yield AuditLog(engine, clock, key.sign, key.public)
    engine.dispose()


@pytest.fixture
def desk(tmp_path, clock):
    store = SqlAlertStore(open_engine(tmp_path / "alerts.db", METADATA))
    yield AlertDesk(store, clock)
    store.close()


def take(desk, number=1):
    return desk.take("gate", Situation(number, Kind.LOITERING, "all", 1.0, 1.7e9, 0.8), notify=True, run="a").id


def entries(log):
    found = [entry for entry, _ in log.find(event=Event.ALERT_DECIDED)][::-1]
    return [(entry.by, entry.subject, {key: value for key, value in entry.facts.items() if key != "history"}) for entry in found]


def test_who_decided_what_is_entered_by_short_name_and_once(desk, log):
    number = take(desk)
    desk.seen(number, ADA.name)
    desk.acknowledge(number, ADA)
    assert not desk.acknowledge(number, BERT)
    desk.act(number, ADA, "Streife geschickt")
    desk.order_recording(number, BERT, "Lärm")
    desk.close(number, BERT, Outcome.CONFIRMED, "war so")
    assert desk.enter_owed(log) == 4
    assert desk.enter_owed(log) == 0
    subject = f"alert-{number}"
    assert entries(log) == [
        ("ada", subject, {"decision": "acknowledge"}),
        ("ada", subject, {"decision": "act", "text": "Streife geschickt"}),
        ("bert", subject, {"decision": "record", "text": "Lärm"}),
        ("bert", subject, {"decision": "close", "outcome": "confirmed"}),
    ]


def test_a_decision_while_the_log_is_locked_is_entered_later(desk, log, monkeypatch):
    number = take(desk)

    def busy(*args, **kwargs):
        raise StoreBusyError("somebody else is writing")

    with monkeypatch.context() as patch:
        patch.setattr(log, "write", busy)
        assert desk.acknowledge(number, ADA)
        with pytest.raises(StoreBusyError):
            desk.enter_owed(log)
    assert entries(log) == []
    assert desk.enter_owed(log) == 1
    assert [by for by, _, _ in entries(log)] == ["ada"]


@pytest.mark.parametrize("crash", ["before the entry", "after the entry"])
def test_a_crash_on_either_side_leaves_one_entry(desk, log, clock, tmp_path, monkeypatch, crash):
    number = take(desk)
    desk.acknowledge(number, ADA)
    if crash == "after the entry":

        def die(number):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(desk.store, "entered", die)
            with pytest.raises(KeyboardInterrupt):
                desk.enter_owed(log)
        assert len(entries(log)) == 1
    again = AlertDesk(SqlAlertStore(open_engine(tmp_path / "alerts.db", METADATA)), clock)
    assert again.enter_owed(log) == 1
    assert len(entries(log)) == 1
    again.store.close()


def test_many_at_once_enter_each_once(desk, log):
    numbers = [take(desk, number) for number in range(1, 13)]

    def decide(number):
        desk.acknowledge(number, ADA)
        desk.enter_owed(log)

    threads = [threading.Thread(target=decide, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.enter_owed(log)
    assert sorted(subject for _, subject, _ in entries(log)) == sorted(f"alert-{number}" for number in numbers)
