"""A site that records, two reviewers at their desks, and what they do there; shared by the tests of the night."""

from __future__ import annotations

import contextlib

import httpx
import pytest
from playwright.sync_api import Error

from blickschutz.demo.site import seed
from blickschutz.review.model import CaseState
from tests.live.system import RunningSystem, client, guest_site, signed_in, until

PLAYED = """() => { const v = document.querySelector("review-player video"); return v && v.readyState >= 2 ? v.videoWidth : 0; }"""


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Two cameras of a site in which everybody can sign in and reviewers have their keys."""
    base = tmp_path_factory.mktemp("night")
    site = guest_site(base, 2, rate=5.0)
    recording = site.recording.model_copy(update={"reserve_mb": 50, "manual_s": 4, "after_s": 1, "before_s": 5})
    day = site.regimes.day.model_copy(update={"mode": site.regimes.night.mode})
    regimes = site.regimes.model_copy(update={"day": day})
    alerts = site.alerts.model_copy(update={"before_s": 4, "after_s": 3})
    shown = {"recording": recording, "regimes": regimes, "alerts": alerts}
    running = RunningSystem(site.model_copy(update=shown), base)
    people = {one.person: (one.password, one.passphrase, one.totp) for one in seed(running.system.records)}
    yield running.system, people
    running.end()


def plays(page):
    """Whether the room's video is there; while the page is on its way it is not."""
    try:
        return page.evaluate(PLAYED)
    except Error:
        return 0


def record(system, camera=0):
    """A finished recording; its case."""
    keeper = list(system.supervisor.keepers.values())[camera]
    until(lambda: keeper.health is not None and keeper.health.doubt is None, 80)
    before = {case.id for case in system.records.office.cases.store.find(states=list(CaseState), most=1000)}
    with client(system) as requests:
        answer = requests.post(f"{system.address}cameras/{keeper.camera}/record", data={"text": "Lärm am Brunnen"})
    assert answer.status_code == 303, answer.text
    found = until(lambda: [c for c in system.records.office.cases.store.find(states=[CaseState.WAITING]) if c.id not in before], 80)
    return found[0]


def sign_in(page, system, people, person):
    """By a session: a code counts once, and these tests sign in often. The way through the pages has its own tests."""
    signed_in(page.context, system, person)
    page.goto(f"{system.address}cases")


def enter(page, system, people, person, case, passphrase=None):
    page.goto(f"{system.address}cases/{case.id}")
    page.get_by_role("button", name="Zum Sichtungsraum").click()
    page.get_by_role("link", name="Raum betreten").click()
    page.get_by_label("Ihr Sichtungskennwort").fill(passphrase or people[person][1])
    page.get_by_role("button", name="Platz nehmen").click()


@pytest.fixture
def desk(browser):
    """Makes pages in contexts of their own; what goes wrong in one of them fails the test."""
    contexts, problems = [], []

    def open_desk():
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        contexts.append(context)
        return page

    yield open_desk
    for context in contexts:
        context.close()
    assert problems == []


def ask(page, address):
    """Ask as the browser of `page` does."""
    return httpx.get(address, cookies={one["name"]: one["value"] for one in page.context.cookies()})


def sees(page, text):
    """Wait until a text stands on the page: a form's answer is on its way for a moment."""
    page.get_by_text(text).first.wait_for(timeout=30_000)


def watch(page, button="Bewertung abgeben"):
    """Have the whole clip played before somebody's eyes, at the highest speed; the verdict opens then.

    What the other person does may load the player anew meanwhile; people press play again, too.
    """
    begun = """() => {
        const video = document.querySelector("review-player video");
        if (!video || (!video.paused && video.playbackRate === 4)) return;
        Object.assign(video, { playbackRate: 4, currentTime: 0 }).play().catch(() => {});
    }"""
    opened = page.get_by_role("button", name=button)

    def seen():
        with contextlib.suppress(Error):  # it is loaded anew this very moment
            page.evaluate(begun)
            page.wait_for_timeout(300)
            return opened.is_visible()
        return False

    until(seen, 80)


def judge(page, verdict, **more):
    watch(page)
    page.get_by_label(verdict, exact=True).check()
    for label, value in more.items():
        field = page.get_by_label({"note": "Notiz", "reference": "Aktenzeichen"}[label]).first
        field.fill(value)
    if verdict == "Vorfall":
        page.get_by_label("Rechtlicher Grund").select_option("straftat")
    page.get_by_role("button", name="Bewertung abgeben").click()
    if verdict != "Vorfall":
        sees(page, "sofort und endgültig vernichtet")
        page.get_by_role("button", name="Ja, dieses Ergebnis abgeben").click()
