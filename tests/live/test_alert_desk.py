"""Alerts in a real browser, over the running system."""

from __future__ import annotations

import time
import uuid

import pytest
from sqlalchemy import update

from blickschutz.alerts.crowd import STORM_LOOK_S
from blickschutz.alerts.io.tables import alerts
from blickschutz.alerts.model import By, Outcome
from blickschutz.audit.model import Event
from blickschutz.control.model import SituationSeen
from blickschutz.demo.enrolment import found_with
from blickschutz.kernel.geometry import Box
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.storage.engine import writing
from tests.live.system import signed_in, until, wait_live

pytestmark = [pytest.mark.alone, pytest.mark.peers, pytest.mark.timeout(240)]


def raise_one(running, camera="brunnen", kind=Kind.PERSON_DOWN, run=""):
    """Hand a situation to the desk, as a cell's keeper does."""
    figures = {"height_share": 0.4, "seconds": 0.6, "lying": 0.3} if kind is Kind.PERSON_DOWN else {"seconds": 15.0}
    situation = Situation(1, kind, "all", time.monotonic(), time.time(), 0.8, figures, Box(0.1, 0.1, 0.4, 0.9))
    running.control.routing.seen(SituationSeen(camera, run or uuid.uuid4().hex, situation))


def newest(running):
    return running.control.alerting.desk.open_alerts()[0]


@pytest.fixture(autouse=True)
def empty_queues(request):
    yield
    for system in (request.getfixturevalue(name) for name in ("running", "bare") if name in request.fixturenames):
        desk = system.control.alerting.desk
        for alert in desk.open_alerts():
            desk.close(alert.id, By("test", "test"), Outcome.NO_FINDING, "")
        # The alerts of one test and the next are no storm.
        with writing(desk.store.engine) as connection:
            connection.execute(update(alerts).values(raised=alerts.c.raised - 2 * STORM_LOOK_S))


def test_an_alert_comes_at_once_and_keys_act_on_the_selected_one(page, running):
    page.goto(running.address)
    wait_live(page)
    page.get_by_text("Keine offene Meldung.").wait_for()
    page.evaluate("window.stayed = true")
    delays = []
    for camera in ("brunnen", "haupteingang", "freitreppe"):
        count = page.locator("[data-alert]").count()
        start = time.monotonic()
        raise_one(running, camera)
        page.locator("[data-alert]").nth(count).wait_for(timeout=20_000)
        delays.append(time.monotonic() - start)
    assert max(delays) < 1.0, delays
    card = page.locator("[data-alert]").first
    assert "Sturz oder liegende Person" in card.inner_text()
    assert "Höhe auf 40 % der stehenden Höhe gesunken" in card.inner_text()
    first = card.get_attribute("data-alert")
    page.keyboard.press("Space")
    selected = page.locator("[data-alert][aria-current]")
    assert selected.get_attribute("data-alert") == first
    assert page.locator("wall-tile[enlarged]").get_attribute("camera") == "brunnen"
    assert page.locator("wall-tile[alarming=high]").count() == 3
    # What is selected stays so, whatever comes; a press at once is too early and acknowledges nothing.
    raise_one(running, "vorplatz-nord", Kind.OBJECT_LEFT)
    page.keyboard.press("Space")
    page.locator("[data-alert]").nth(3).wait_for(timeout=20_000)
    assert page.locator("[data-state=acknowledged]").count() == 0
    page.wait_for_timeout(1100)
    page.keyboard.press("Space")
    page.locator(f"[data-alert='{first}'][data-state=acknowledged]").wait_for(timeout=20_000)
    assert page.locator("[data-alert][data-state=raised]").count() == 3
    # Taken back by a key, while the wall stays; the alert opens beside it.
    page.get_by_role("button", name="Rückgängig").wait_for(timeout=20_000)
    page.keyboard.press("u")
    page.locator(f"[data-alert='{first}'][data-state=raised]").wait_for(timeout=20_000)
    page.keyboard.press("Enter")
    page.locator(".panel").get_by_text("Woran erkannt").wait_for(timeout=20_000)
    page.keyboard.press("Escape")
    page.locator(".panel").wait_for(state="hidden", timeout=20_000)
    assert page.evaluate("window.stayed") is True
    assert page.locator("nav .count").inner_text() == "4"


HEARD = """
window.told = [];
window.Notification = class { constructor(title, options) { window.told.push([title, options.body]); }
  static permission = "granted"; static requestPermission() { return Promise.resolve("granted"); } };
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.told.push(["sound", this.frequency.value]); return start.apply(this, when); };
"""


@pytest.mark.later
def test_a_new_alert_sounds_and_notifies_where_that_was_switched_on(bare_page, bare):
    """The browser's own notices and sound; only the outermost call is listened to, for a headless browser shows neither."""
    bare_page.add_init_script(HEARD)

    def between(route):
        """After the page and before its stream: this one is in no event, in the list alone."""
        raise_one(bare, "brunnen")
        until(lambda: bare.control.alerting.desk.open_alerts(), 30)
        route.continue_()

    bare_page.route("**/alerts/stream", between, times=1)
    bare_page.goto(bare.address)
    until(lambda: bare_page.evaluate("window.told.length"), 30)
    told = bare_page.evaluate("window.told")
    assert [entry for entry in told if entry[0] == "sound"] == []
    assert len([entry for entry in told if "Brunnen" in str(entry[1])]) == 1, told
    bare_page.get_by_label("Ton").check()
    raise_one(bare, "freitreppe")
    until(lambda: any(entry[0] == "sound" for entry in bare_page.evaluate("window.told")), 30)


def test_the_redacted_seconds_before_and_after_play_beside_it(page, running):
    page.goto(running.address)
    wait_live(page)
    page.wait_for_timeout(4000)
    raise_one(running, "vorplatz-nord")
    number = until(lambda: newest(running) if running.control.alerting.desk.open_alerts() else None).id
    until(lambda: running.control.alerting.desk.store.get(number).has_clip, 50)
    page.goto(f"{running.address}alerts/{number}")
    # The length of a fragmented file is known to the browser as far as it has read it.
    until(lambda: page.evaluate("document.querySelector('.alert-video').duration || 0") > 6, 60)
    until(lambda: page.evaluate("document.querySelector('.alert-video').currentTime") > 0.5)
    # That somebody looked is noted beside the page, which does not wait for it.
    page.reload()
    assert "angesehen" in page.locator(".history").inner_text()


def test_the_whole_life_by_forms_alone(browser, bare):
    """Every decision works without script."""
    context = signed_in(browser.new_context(java_script_enabled=False), bare)
    page = context.new_page()
    raise_one(bare, "brunnen")
    number = until(lambda: newest(bare) if bare.control.alerting.desk.open_alerts() else None).id
    page.goto(bare.address)
    page.get_by_role("button", name="Quittieren").click()
    page.goto(f"{bare.address}alerts/{number}")
    page.get_by_label("Was wurde veranlasst?").fill("Streife geschickt")
    page.get_by_role("button", name="Festhalten").click()
    page.get_by_label("Fehlalarm").check()
    page.get_by_label("Notiz").fill("Schatten")
    page.get_by_role("button", name="Meldung abschließen").click()
    row = page.locator("tr", has=page.get_by_role("link", name=str(number), exact=True))
    assert "Fehlalarm" in row.inner_text()
    context.close()
    told = bare.control.alerting.desk.store.history(number)
    # Its seconds are lost where no cell is, which is told beside.
    history = [(entry.event, entry.by) for entry in told if entry.event != "lost"]
    assert [event for event, _ in history] == ["raised", "acknowledge", "seen", "act", "close"]
    assert {by for event, by in history if event != "raised"} == {"Dienst Leitstelle"}


@pytest.mark.later
def test_the_plan_shows_every_camera_and_where_something_is(bare_page, bare):
    raise_one(bare, "rueckseite")
    until(bare.control.alerting.desk.open_alerts)
    bare_page.goto(f"{bare.address}plan")
    assert bare_page.locator(".plan-camera").count() == 11
    assert "offene Meldung" in bare_page.locator(".plan-camera.has-alert").get_attribute("aria-label")


class TestRequests:
    @pytest.fixture
    def number(self, bare):
        raise_one(bare)
        return until(lambda: newest(bare) if bare.control.alerting.desk.open_alerts() else None).id

    def test_a_late_decision_is_told_so(self, bare, number, bare_http):
        assert bare.control.alerting.desk.close(number, By("Bert", "bert"), Outcome.NO_FINDING, "")
        answer = bare_http.post(f"{bare.address}alerts/{number}/acknowledge")
        assert answer.status_code == 409
        assert "Jemand anders war schneller" in answer.text

    @pytest.mark.parametrize(
        ("action", "data", "text"),
        [
            ("close", {}, "Bitte wählen Sie ein Ergebnis."),
            ("close", {"outcome": "guilty"}, "Bitte wählen Sie ein Ergebnis."),
            ("act", {"text": "  "}, "Bitte schreiben Sie"),
            ("record", {}, "Bitte nennen Sie einen Grund."),
        ],
    )
    def test_what_is_missing_is_named(self, bare, number, action, data, text, bare_http):
        bare.control.alerting.desk.acknowledge(number, By("Ada", "ada"))
        answer = bare_http.post(f"{bare.address}alerts/{number}/{action}", data=data)
        assert answer.status_code == 422
        assert text in answer.text

    def test_hostile_text_is_text(self, bare, number, bare_http):
        bare.control.alerting.desk.acknowledge(number, By("Ada", "ada"))
        bare_http.post(f"{bare.address}alerts/{number}/act", data={"text": "<script>alert(1)</script>"})
        page = bare_http.get(f"{bare.address}alerts/{number}").text
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;" in page

    @pytest.mark.parametrize("path", ["alerts/999999", "alerts/999999/clip.mp4", "alerts/x"])
    def test_what_is_not_there_is_not_found(self, bare, path, bare_http):
        assert bare_http.get(bare.address + path).status_code in {404, 422}

    def test_filters_take_anything(self, bare, bare_http):
        for query in ("date=tomorrow", "camera=x&kind=y&state=z", "date=2026-02-31", "kind=loitering&camera=brunnen"):
            answer = bare_http.get(f"{bare.address}alerts?{query}")
            assert answer.status_code == 200
            assert "keine Meldung" in answer.text or "<td>" in answer.text

    def test_a_recording_is_ordered_with_name_and_reason(self, running, http):
        raise_one(running)
        number = until(lambda: newest(running) if running.control.alerting.desk.open_alerts() else None).id
        address = f"{running.address}alerts/{number}/record"
        refused = http.post(address, data={"text": "Sachbeschädigung"})
        assert refused.status_code == 422
        assert "weniger als zwei Personen" in refused.text
        assert not running.control.alerting.desk.store.get(number).record_ordered
        found_with(running.records, dict.fromkeys(("kvd-1", "kvd-2"), "eine lange Losung"))
        try:
            camera = running.supervisor.keepers[running.control.alerting.desk.store.get(number).camera]
            until(lambda: camera.reachable and camera.health is not None, 80)
            http.post(address, data={"text": "Sachbeschädigung"})
            entry = running.control.alerting.desk.store.history(number)[-1]
            assert (entry.event, entry.text) == ("record", "Sachbeschädigung")
            assert running.control.alerting.desk.store.get(number).record_ordered
            until(lambda: running.records.office.log.find(event=Event.RECORDING_ORDERED, most=1), 30)
        finally:
            for person in ("kvd-1", "kvd-2"):
                running.records.archive.keys.remove(person)
                running.records.office.log.write(Event.REVIEWER_LEFT, "terminal", person)
                running.records.archive.enrolment.revoke(person, "left", "terminal")

    def test_the_regime_by_hand(self, bare, bare_http):
        address = f"{bare.address}regime"
        for data in (
            {},
            {"name": "dusk", "hours": "1", "reason": "x"},
            {"name": "night", "hours": "1000", "reason": "x"},
            {"name": "night", "hours": "1"},
        ):
            assert bare_http.post(address, data=data).status_code == 422
        bare_http.post(address, data={"name": "night", "hours": "0,5", "reason": "Baustelle"})
        page = bare_http.get(address).text
        assert "von Hand gesetzt" in page
        assert "Baustelle" in page
        bare_http.post(f"{address}/end")
        assert "von Hand gesetzt" not in bare_http.get(address).text
