"""Every page in both languages and themes: nothing that axe finds, nothing wider than the window, reached by keyboard."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from blickschutz.alerts.model import Alert, AlertState, HistoryEntry, Origin
from blickschutz.audit.model import Event
from blickschutz.bootstrap.system import Source
from blickschutz.demo.site import seed
from blickschutz.review.model import Case, CaseState
from blickschutz.rights.model import DutySource, Outcome, Request, RequestState, Right
from blickschutz.settings.model import Difference, Proposal
from blickschutz.situations.kinds import Kind
from blickschutz.web.texts import translator
from tests.conftest import LONG, ROOT
from tests.documents import pdf
from tests.fakes.cells import no_process
from tests.live.system import AXE, RunningSystem, axe_findings, client, guest_site, reach, signed_in, until

pytestmark = [pytest.mark.peers, pytest.mark.timeout(240)]
EXAMPLE = ROOT / "examples/rathaus-kaiserslautern.toml"
FLOOR = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100"><rect width="200" height="100" fill="#fff"/></svg>'
PAGES = {
    "leitstelle-1": [
        "wall",
        "alerts",
        "alerts?date=2020-01-01&text=x",
        "alerts/1",
        "alerts/1/together",
        "alerts/times",
        "shift",
        "wall/views?name=Nacht",
        "wall/window?view=Nacht",
        "sensitivity/vorplatz-nord",
        "cameras/vorplatz-nord",
        "cameras/vorplatz-nord/stop",
        "stop",
        "regime",
        "plan",
        "health",
        "account",
    ],
    "kvd-1": ["cases", "cases/999", "clock", "wall"],
    "aufsicht": [
        *("evidence", "cases", "cases/1", "clock", "people", "resume", "requests", "requests/1", "requests/2", "plan/picture"),
        "settings/changes/1",
    ],
    "technik": [
        *("people", "people/kvd-1", "settings", "settings/changes", "settings/changes/1", "health", "plan", "plan/picture"),
        *("sensitivity", "loss"),
    ],
    "dsb": ["log", "people", "policy", "documents", "facts", "facts/1", "report", "report?public=1"],
    "": ["sign-in", "welcome", "trust"],
}
# What shows every colour there is between them.
COLOURS = {"wall", "alerts/1", "health", "policy", "cases/1"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    base = tmp_path_factory.mktemp("pages")
    source = Source(EXAMPLE.read_text(encoding="utf-8"), str(EXAMPLE))
    site = guest_site(base, 2)
    # With the mark of a demonstration, which is the widest bar there is.
    running = RunningSystem(site.model_copy(update={"site": site.site.model_copy(update={"demo": True})}), base, source, no_process)
    seed(running.system.records)
    running.system.records.office.access.people.recover("technik", "kvd-2")
    ask(running.system.records)
    zone = Difference(("cameras", "vorplatz-nord", "zones", "flaeche", "polygon"), [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], [[0.1, 0.1]])
    running.system.records.settings.add(Proposal(0, "technik", 0.0, (zone,), reason="Baum davor"))
    furnish(running.system)
    yield running.system
    running.end()


def furnish(system):
    """A floor plan and a proposal of another, a fact that waits, a view, an entry of the shift, and three alerts of which two are alike."""
    for person, path, fields, files in (
        ("technik", "plan/picture", {"metres": "80", "north": "30"}, {"picture": ("plan.svg", FLOOR)}),
        (
            "technik",
            "facts",
            {"kind": "rechtsgutachten-ki", "day": "2026-01-05", "text": "Ohne Bedenken."},
            {"document": ("g.pdf", pdf("G"))},
        ),
        ("leitstelle-1", "wall/views", {"name": "Nacht", "cameras": "vorplatz-nord", "patrol": "yes"}, None),
        ("leitstelle-1", "wall/views", {"name": "Tag", "cameras": "vorplatz-nord", "patrol": "yes"}, None),
        ("leitstelle-1", "wall/patrol", {"seconds": "600"}, None),
        ("leitstelle-1", "shift", {"text": "Tor klemmt"}, None),
    ):
        with client(system, person) as requests:
            assert requests.post(f"{system.address}{path}", data=fields, files=files).status_code == 303, path
    plans = system.app.state.room.floorplan
    assert plans.confirm(plans.proposed().number, "aufsicht") is None
    assert plans.propose(FLOOR.replace(b"#fff", b"#eee"), 80, 0, "technik") is None
    for camera, kind in (("vorplatz-nord", Kind.OBJECT_LEFT), ("vorplatz-nord", Kind.OBJECT_LEFT), ("vorplatz-mitte", Kind.PERSON_DOWN)):
        raise_alert(system, camera, kind)


def raise_alert(system, camera, kind):
    now = time.time()
    new = Alert(0, camera, kind, "flaeche", Origin.ANALYSIS, AlertState.RAISED, now, now, 0.9)
    return system.control.alerting.desk.store.add(new, (), HistoryEntry(now, "raised", "system")).id


def ask(records):
    """Two requests about a recording: one that is answered but for the second person, one that is open; and a duty to inform."""
    case = recorded(records, 1)
    for number in (1, 2):
        assert isinstance(records.office.rights.record(asked(records)), Request)
        assert records.office.rights.restrict(number, [case.id], "aufsicht") is None
    records.office.rights.identify(1, "Ausweis vorgelegt", "aufsicht")
    assert records.office.rights.prepare(1, Outcome.GRANTED, "", "aufsicht") is None
    recorded(records, 2)
    records.office.rights.assigned(case.id, case.clip, DutySource.RELEASE, "aufsicht")


def recorded(records, number):
    """A case without a file: nothing here opens it."""
    now = time.time()
    new = Case(0, f"{number:032x}", "vorplatz-nord", "sealed", "person_down", now - 60, CaseState.RECORDING)
    case = records.office.cases.store.add(new)
    assert records.office.cases.store.close(replace(case, state=CaseState.WAITING, seconds=30.0))
    return case


def asked(records):
    now = time.time()
    about = {"name": "Erika Mustermann", "contact": "Musterweg 1\n67655 Kaiserslautern", "language": "de", "by": "aufsicht", "at": now}
    window = {"starts": now - 600, "ends": now + 600, "text": "Ich war um kurz nach acht auf dem Vorplatz."}
    return Request(
        id=0, state=RequestState.OPEN, received=records.orders.today(), rights=(Right.ACCESS, Right.RESTRICTION), **about, **window
    )


@pytest.mark.parametrize("language", ["de", pytest.param("en", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "person",
    [pytest.param(one, marks=pytest.mark.later) if one in {"kvd-1", "technik", "dsb"} else one for one in PAGES],
    ids=lambda person: person or "nobody",
)
def test_axe_finds_nothing(place, browser, person, language):
    if not AXE.exists():
        pytest.skip("the front-end tools are not installed (npm ci)")
    found = []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    if person:
        signed_in(context, place, person)
    context.add_cookies([{"name": "language", "value": language, "url": place.address}])
    page = context.new_page()
    for path in PAGES[person]:
        page.goto(f"{place.address}{path}")
        # The theme is this one attribute: the page differs in nothing but colours, which all pages have from one list.
        for theme in ("dark", "light") if LONG or path in COLOURS else ("dark",):
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
            found += [(theme, *one) for one in axe_findings(page, colours=theme == "light" and not LONG)]
        moving = page.evaluate("document.getAnimations().filter(one => one.playState === 'running').length")
        if moving:
            found.append((path, "moves though reduced motion is asked for", moving))
    context.close()
    assert found == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_chosen_theme_is_the_one_attribute(place, browser, theme):
    context = signed_in(browser.new_context(), place, "technik")
    context.add_cookies([{"name": "theme", "value": theme, "url": place.address}])
    page = context.new_page()
    page.goto(f"{place.address}settings")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    context.close()


@pytest.fixture(params=["de", pytest.param("en", marks=pytest.mark.long)])
def seat(request, place, browser):
    """Opens a page as somebody, in one language; `_` gives a text of it."""
    contexts = []

    def open_page(person, path):
        context = signed_in(browser.new_context(viewport={"width": 1280, "height": 800}), place, person)
        context.add_cookies([{"name": "language", "value": request.param, "url": place.address}])
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{place.address}{path}")
        assert page.evaluate("document.documentElement.lang") == request.param
        return page

    yield open_page, translator(request.param)
    for context in contexts:
        context.close()


def choose(page, selector, key="Space"):
    reach(page, selector)
    page.keyboard.press(key)


def submit(page, selector):
    """Send a form and arrive: Chromium may never answer who closes its context while a page is on its way."""
    reach(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_the_control_room_acknowledges_acts_and_closes_by_keyboard_alone(place, seat):
    open_page, _ = seat
    number = raise_alert(place, place.site.cameras[0].id, Kind.PERSON_DOWN)
    page = open_page("leitstelle-1", f"alerts/{number}")
    choose(page, "[data-acknowledge]", "Enter")
    page.locator("#act").wait_for()
    reach(page, "#act")
    page.keyboard.type("Streife geschickt")
    page.keyboard.press("Enter")
    page.get_by_text("Streife geschickt").first.wait_for()
    choose(page, "input[name=outcome]")
    reach(page, "#note")
    page.keyboard.type("versorgt")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.get_by_text(_("Ergebnis")).first.wait_for()
    assert place.control.alerting.desk.store.get(number).state is AlertState.CLOSED


def test_the_control_room_stops_and_resumes_a_camera_by_keyboard_alone(place, seat):
    open_page, _ = seat
    camera = place.site.cameras[1].id
    page = open_page("leitstelle-1", f"cameras/{camera}/stop")
    assert page.evaluate("document.activeElement.id") == "reason"
    page.keyboard.type("Versammlung")
    submit(page, "main form button")
    until(lambda: place.supervisor.keepers[camera].stopped)
    page = open_page("aufsicht", "resume")
    page.keyboard.type("vorbei")
    submit(page, "main form button")
    until(lambda: not place.supervisor.keepers[camera].stopped)


def test_an_account_is_proposed_and_confirmed_by_keyboard_alone(place, seat, request):
    open_page, _ = seat
    person = f"tast-{request.node.callspec.params['seat']}"
    page = open_page("technik", "people")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    choose(page, "main summary", "Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(person)
    page.keyboard.press("Tab")
    page.keyboard.type("Tanja Tastatur")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.locator(".secret").wait_for()
    change = next(one for one in place.records.office.access.accounts.changes() if one.person == person)
    page = open_page("dsb", "people")
    choose(page, f"form[action='/changes/{change.id}/confirm'] button", "Enter")
    page.locator(".secret").wait_for()
    assert person in place.records.office.access.members


def test_the_data_protection_officer_searches_the_log_and_takes_it_along_by_keyboard_alone(place, seat):
    open_page, _ = seat
    page = open_page("dsb", "log")
    submit(page, "main form button")
    reach(page, "a[href^='/log/export']")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert b"checkpoint" in Path(download.value.path()).read_bytes()


@pytest.mark.later
def test_the_documents_are_printed_and_fetched_by_keyboard_alone(place, seat):
    open_page, _ = seat
    page = open_page("dsb", "documents")
    submit(page, "form[action='/documents'] button")
    assert page.get_by_text(_("aktuell"), exact=False).count() >= 11
    reach(page, "a[href='/documents/tom.pdf']")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    assert place.records.office.log.find(event=Event.DOCUMENTS_PRINTED, by="dsb")


@pytest.mark.later
def test_the_report_is_shown_and_taken_along_by_keyboard_alone(place, seat):
    open_page, _ = seat
    page = open_page("dsb", "report?first=2026-01-01&last=2025-01-01")
    page.locator(".problem").wait_for()
    choose(page, "input[name=public]")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "public=1" in page.url
    assert page.locator("article h2").count() >= 15
    reach(page, "a[href^='/report.pdf']")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    entry, _hash = place.records.office.log.find(event=Event.DOCUMENTS_PRINTED, by="dsb")[0]
    assert entry.facts["public"] is True


def test_a_request_is_recorded_answered_and_confirmed_by_keyboard_alone(place, seat):
    open_page, _ = seat
    store = place.records.office.rights.store
    page = open_page("aufsicht", "requests")
    choose(page, "main details summary", "Enter")
    reach(page, "#name")
    page.keyboard.type("Max Muster")
    page.keyboard.press("Tab")
    page.keyboard.type("Platz 2")
    choose(page, "input[name=rights]")
    reach(page, "#text")
    page.keyboard.type("Bin ich zu sehen?")
    choose(page, "form[action='/requests'] button", "Enter")
    page.get_by_text("Bin ich zu sehen?").wait_for()
    number = int(page.url.rsplit("/", 1)[1])
    assert "Max Muster" in page.content()
    # Without a reason a refusal is not taken, and the page says so.
    reach(page, "#outcome")
    page.keyboard.type(_("Abgelehnt"))
    choose(page, f"form[action='/requests/{number}/answer'] button", "Enter")
    page.get_by_text(_("Bitte nennen Sie den Grund.")).wait_for()
    reach(page, "#outcome")
    page.keyboard.type(_("Keine Aufnahme gespeichert"))
    choose(page, f"form[action='/requests/{number}/answer'] button", "Enter")
    page.get_by_text(_("Es fehlt die Bestätigung einer zweiten Person.")).wait_for()
    page = open_page("dsb", f"requests/{number}")
    reach(page, f"a[href='/requests/{number}/answer.pdf']")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    submit(page, f"form[action='/requests/{number}/confirm'] button")
    page.get_by_text(_("Antwortschreiben (PDF)")).wait_for()
    assert store.get(number).answer.by == ("aufsicht", "dsb")


def test_the_settings_name_the_lines_of_the_site_file(place, seat):
    open_page, _ = seat
    page = open_page("technik", "settings")
    line = 1 + EXAMPLE.read_text(encoding="utf-8").splitlines().index("unreviewed_hours = 72")
    cells = page.locator("tr", has=page.get_by_text("unreviewed_hours", exact=True)).locator("td").all_inner_texts()
    assert (cells[0], cells[1]) == ("72", str(line))
