"""The night's recording from end to end in a real browser: two people, two contexts, one clip."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from playwright.sync_api import Error
from pyrage import x25519

from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.cli.main import cli
from blickschutz.config.loader import load_site
from blickschutz.control.model import SituationSeen
from blickschutz.demo.site import seed
from blickschutz.kernel.situation import Kind, Situation
from blickschutz.recording.io.clipfile import ClipReader, read_head
from blickschutz.recording.model import ClipMode, ClipState
from blickschutz.regime.model import RegimeName
from blickschutz.review.model import CaseState
from blickschutz.vault.io.files import is_signed
from blickschutz.vault.service import join_shares, open_share, unlock
from tests.conftest import ROOT
from tests.live.system import RunningSystem, axe_findings, client, free_port, guest_clip, reach, signed_in, until

pytestmark = pytest.mark.paired

PLAYED = """() => { const v = document.querySelector("review-player video"); return v && v.readyState >= 2 ? v.videoWidth : 0; }"""


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Two cameras of a site in which everybody can sign in and reviewers have their keys."""
    base = tmp_path_factory.mktemp("night")
    guest_clip(base / "guest.mp4")
    site = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
    plain = {"address": "file:guest.mp4", "calibration": None, "zones": (), "privacy_zones": ()}
    cameras = tuple(camera.model_copy(update=plain) for camera in site.cameras[:2])
    server = site.server.model_copy(update={"port": free_port()})
    recording = site.recording.model_copy(update={"reserve_mb": 50, "manual_s": 10, "after_s": 1, "before_s": 5})
    day = site.regimes.day.model_copy(update={"mode": site.regimes.night.mode})
    regimes = site.regimes.model_copy(update={"day": day})
    alerts = site.alerts.model_copy(update={"before_s": 4, "after_s": 3})
    shown = {"cameras": cameras, "server": server, "recording": recording, "regimes": regimes, "alerts": alerts}
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
    until(lambda: keeper.health is not None and keeper.health.doubt is None, 40)
    before = {case.id for case in system.records.office.cases.store.find(states=list(CaseState), most=1000)}
    with client(system) as requests:
        answer = requests.post(f"{system.address}cameras/{keeper.camera}/record", data={"text": "Lärm am Brunnen"})
    assert answer.status_code == 303, answer.text
    found = until(lambda: [c for c in system.records.office.cases.store.find(states=[CaseState.WAITING]) if c.id not in before], 40)
    return found[0]


def sign_in(page, system, people, person):
    """By a session: a code counts once, and these tests sign in often. The way through the pages has its own tests."""
    signed_in(page.context, system, person)
    page.goto(f"{system.address}cases")


def enter(page, system, people, person, case, passphrase=None):
    page.goto(f"{system.address}cases/{case.id}")
    page.get_by_role("button", name="Zum Sichtungsraum").click()
    page.get_by_role("link", name="Raum betreten").click()
    page.get_by_label("Ihre Losung").fill(passphrase or people[person][1])
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
    page.get_by_text(text).first.wait_for(timeout=10_000)


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

    until(seen, 40)


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


def test_two_people_find_nothing_and_the_clip_is_gone(night, desk):
    system, people = night
    case = record(system)
    assert case.seconds >= 10
    first, second = desk(), desk()
    sign_in(first, system, people, "kvd-1")
    sees(first, "wartet auf Erstsichtung")
    enter(first, system, people, "kvd-1", case, "falsche Losung")
    sees(first, "Die Losung stimmt nicht.")
    first.get_by_label("Ihre Losung").fill(people["kvd-1"][1])
    first.get_by_role("button", name="Platz nehmen").click()
    sees(first, "sobald eine zweite Person")
    assert first.locator("video").count() == 0

    sign_in(second, system, people, "kvd-2")
    start = time.monotonic()
    enter(second, system, people, "kvd-2", case)
    until(lambda: plays(second), 5)
    assert time.monotonic() - start < 5
    until(lambda: plays(first), 8)
    judge(second, "kein Vorfall", note="nur ein Hund")
    sees(second, "bleibt verdeckt")
    first.reload()
    assert "nur ein Hund" not in first.content()
    judge(first, "Fehlalarm")
    sees(first, "Der Clip ist vernichtet")
    gone = until(lambda: (found := system.records.office.cases.store.get(case.id)).state is CaseState.DESTROYED and found, 10)
    assert gone.shred_by == ("kvd-2", "kvd-1")
    assert not system.records.archive.shelf.path(case.clip).exists()
    ((receipt, _),) = system.records.office.log.find(event=Event.SHREDDED, subject=case.clip)
    path = system.records.archive.data / "receipt.json"
    path.write_text(json.dumps({k: v for k, v in receipt.facts.items() if k != "case"} | {"case": case.id}))
    key = system.records.archive.key.public.hex()
    assert CliRunner().invoke(cli, ["verify", "receipt", str(path), "--public-key", key]).exit_code == 0
    path.write_text(path.read_text().replace("harmless", "harmlesS"))
    assert CliRunner().invoke(cli, ["verify", "receipt", str(path), "--public-key", key]).exit_code == 1


def test_two_people_review_in_english_by_keyboard_alone(night, desk):
    """Key desk, door, room and verdict without a mouse; in the same run what axe says of the pages of the review room."""
    system, people = night
    case = record(system, 1)
    pages = {}
    for person in ("kvd-3", "kvd-1"):
        page = pages[person] = desk()
        signed_in(page.context, system, person)
        page.context.add_cookies([{"name": "language", "value": "en", "url": system.address}])
        page.goto(f"{system.address}cases/{case.id}")
        reach(page, "form[action$='/enter'] button")
        page.keyboard.press("Enter")
        page.get_by_text("Enter the room").wait_for()
        reach(page, "main a.primary")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        page.get_by_label("Your passphrase").wait_for()
        assert axe_findings(page) == []
        assert page.evaluate("document.activeElement.id") == "passphrase"
        page.keyboard.type(people[person][1])
        with page.expect_navigation():
            page.keyboard.press("Enter")
        sees(page, "Your verdict")
        assert axe_findings(page) == []
    until(lambda: plays(pages["kvd-1"]), 8)
    for theme in ("dark", "light"):
        pages["kvd-1"].evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        assert axe_findings(pages["kvd-1"]) == []
    for page in pages.values():
        until(lambda page=page: plays(page), 8)
        watch(page, "Give verdict")
        reach(page, "input[name=verdict]")
        page.keyboard.press("Space")
        assert page.get_by_label("no incident", exact=True).is_checked()
        page.keyboard.press("Enter")
        sees(page, "destroyed at once and for good. Nobody can undo that.")
        reach(page, "form[action$='/verdict'] button")
        page.keyboard.press("Enter")
        page.get_by_text("✓ no incident").first.wait_for()
    until(lambda: system.records.office.cases.store.get(case.id).state is CaseState.DESTROYED, 10)


def test_the_key_desk_has_nothing_that_axe_finds(night, desk):
    system, _ = night
    page = desk()
    signed_in(page.context, system, "kvd-3")
    page.goto(f"{system.address}account")
    page.locator("form[action='/passphrase'] button").click()
    page.locator("main a.primary").click()
    page.locator("#new").wait_for()
    assert axe_findings(page) == []


def test_an_incident_is_held_unmasked_and_released(night, desk, tmp_path):
    system, people = night
    case = record(system)
    first, second = desk(), desk()
    sign_in(first, system, people, "kvd-1")
    sign_in(second, system, people, "aufsicht")
    enter(first, system, people, "kvd-1", case)
    enter(second, system, people, "aufsicht", case)
    until(lambda: plays(second), 8)

    second.get_by_text("Entpixelung beantragen").click()
    second.get_by_label("Grund", exact=True).fill("Kleidung erkennen")
    second.locator("#unmask-reference").fill("KL-17")
    second.locator("details form button").first.click()
    address = second.url
    assert httpx.get(address).status_code == 404, "the address of a seat alone shows nothing"
    assert ask(second, f"{address}/clear.mp4").status_code == 403
    first.reload()
    sees(first, "Kleidung erkennen")
    first.get_by_role("button", name="Zustimmen").click()
    sees(first, "Unverpixelt, noch")
    data = ask(second, f"{address}/clear.mp4").content
    (tmp_path / "clear.mp4").write_bytes(data)
    # The guest comes and goes; whether he is there in the last picture depends on when the recording began.
    shown = max(stripes(picture) for picture in read_all(tmp_path / "clear.mp4"))
    assert shown > 60, "the guest's shirt is to be seen when both asked"
    first.get_by_role("button", name="Wieder verpixeln").click()
    assert ask(second, f"{address}/clear.mp4").status_code == 403
    (tmp_path / "redacted.mp4").write_bytes(ask(second, f"{address}/video.mp4").content)
    assert max(stripes(picture) for picture in read_all(tmp_path / "redacted.mp4")) < 25

    judge(first, "Vorfall", reference="KL-17")
    second.goto(address)
    judge(second, "Vorfall", reference="KL-17")
    held = system.records.office.cases.store.get(case.id)
    assert (held.state, held.hold.ground, held.hold.by) == (CaseState.HELD, "straftat", ("kvd-1", "aufsicht"))

    identity = x25519.Identity.generate()
    second.goto(address)
    second.get_by_text("Herausgabe beantragen").click()
    second.get_by_label("Rechtsgrundlage").select_option("ordnungswidrigkeit")
    second.get_by_label("Empfänger", exact=True).fill("Polizei Kaiserslautern 1")
    second.locator("#release-reference").fill("KL-17")
    second.get_by_label(re.compile("Öffentlicher Schlüssel")).fill(str(identity.to_public()))
    second.locator("#key").locator("xpath=ancestor::form").locator("button").click()
    sees(second, "kein Grund für eine Herausgabe")
    second.get_by_text("Herausgabe beantragen").click()
    second.get_by_label("Rechtsgrundlage").select_option("strafverfolgung")
    second.get_by_label("Empfänger", exact=True).fill("Polizei Kaiserslautern 1")
    second.locator("#release-reference").fill("KL-17")
    second.get_by_label(re.compile("Öffentlicher Schlüssel")).fill(str(identity.to_public()))
    second.locator("#key").locator("xpath=ancestor::form").locator("button").click()
    first.reload()
    sees(first, "Polizei Kaiserslautern 1")
    first.get_by_role("button", name="Zustimmen und Paket erstellen").click()
    until(lambda: "Das Beweispaket ist erstellt" in first.content(), 20)
    ((released, _),) = system.records.office.log.find(event=Event.RELEASED, subject=case.clip)
    package = system.records.archive.exports / str(released.facts["file"])
    (tmp_path / "identity.txt").write_text(f"# key\n{identity}\n")
    options = ["--identity", str(tmp_path / "identity.txt"), "--public-key", system.records.archive.key.public.hex()]
    result = CliRunner().invoke(cli, ["verify", "evidence", str(package), *options])
    assert result.exit_code == 0, result.output

    # Whoever is to be seen must be told: the release opened the task by itself (§ 21(4) LDSG RLP).
    assert [one.case for one in system.records.office.rights.store.duties(settled=False)] == [case.id]

    with second.expect_download() as download:
        second.goto(f"{system.address}evidence")
        second.get_by_role("link", name=package.name).click()
    assert Path(download.value.path()).read_bytes() == package.read_bytes()

    first.goto(f"{system.address}cases/{case.id}")
    first.get_by_role("button", name="Aufhebung vorschlagen").click()
    first.get_by_text("Es fehlt die Bestätigung").wait_for()
    second.goto(f"{system.address}cases/{case.id}")
    second.get_by_role("button", name="Als zweite Person bestätigen").click()
    until(lambda: system.records.office.cases.store.get(case.id).state is CaseState.DESTROYED, 10)
    assert not package.exists()


def test_one_person_twice_and_people_who_may_not_get_in(night, desk):
    system, people = night
    case = record(system)
    first, again = desk(), desk()
    sign_in(first, system, people, "kvd-1")
    sign_in(again, system, people, "kvd-1")
    enter(first, system, people, "kvd-1", case)
    enter(again, system, people, "kvd-1", case)
    sees(again, "zweiter Platz frei")
    assert again.locator("video").count() == 0
    for person in ("technik", "dsb", "leitstelle-1"):
        other = desk()
        sign_in(other, system, people, person)
        other.goto(f"{system.address}cases")
        sees(other, "Nicht für Ihre Rolle")
    events = [entry.event for entry, _ in system.records.office.log.find(most=20)]
    assert events.count(Event.ACCESS_REFUSED) >= 3


def test_the_log_is_whole_and_shown_to_the_data_protection_officer(night, desk):
    system, people = night
    page = desk()
    sign_in(page, system, people, "dsb")
    page.goto(f"{system.address}log")
    sees(page, "vollständig und unverändert")
    with page.expect_download() as download:
        page.get_by_role("link", name="Exportieren").click()
    lines = Path(download.value.path()).read_bytes().removesuffix(b"\n").split(b"\n")
    assert list(verify(lines, is_signed, system.records.archive.key.public)) == []


def test_a_person_changes_their_own_passphrase(night, desk):
    system, people = night
    page = desk()
    sign_in(page, system, people, "kvd-3")
    page.get_by_role("button", name="Meine Losung").click()
    page.get_by_role("link", name="Weiter zur Eingabe").click()
    page.get_by_label("Bisherige Losung").fill(people["kvd-3"][1])
    page.get_by_label("Neue Losung, mindestens").fill("ein ganz neuer Satz")
    page.get_by_label("Neue Losung noch einmal").fill("ein ganz anderer Satz")
    page.get_by_role("button", name="Festlegen").click()
    sees(page, "verschieden")
    page.get_by_label("Bisherige Losung").fill(people["kvd-3"][1])
    page.get_by_label("Neue Losung, mindestens").fill("ein ganz neuer Satz")
    page.get_by_label("Neue Losung noch einmal").fill("ein ganz neuer Satz")
    page.get_by_role("button", name="Festlegen").click()
    sees(page, "Ihre neue Losung gilt")
    until(lambda: system.records.office.log.find(event=Event.PASSPHRASE_CHANGED, by="kvd-3"), 5)


def opened(system, people, case):
    """(init, groups) of a clip, with the keys of two people."""
    path = system.records.archive.shelf.path(case.clip)
    head = read_head(path)
    privates = {person: unlock(system.records.archive.keys.get(person), people[person][1]) for person in ("kvd-1", "aufsicht")}
    key = join_shares(head.envelope, *(open_share(head.envelope, person, private) for person, private in privates.items()))
    reader = ClipReader(path, key, system.records.archive.key.installation)
    groups = list(reader)
    reader.close()
    assert reader.state is ClipState.WHOLE
    return reader.opening, groups


def situation(number, ended=None):
    at = time.monotonic()
    return Situation(
        number, Kind.PERSON_DOWN, "all", at, time.time(), 0.9, {"height_share": 0.4, "seconds": 2.0, "lying": 0.5}, None, ended
    )


def test_by_night_a_situation_records_the_cameras_own_packets(night, tmp_path):
    system, people = night
    keeper = list(system.supervisor.keepers.values())[1]
    until(lambda: keeper.health is not None and keeper.health.doubt is None, 40)
    system.control.regime.set_override(RegimeName.NIGHT, system.control.regime.now() + timedelta(hours=1), "test", "test")
    try:
        alerts = len(system.control.alerting.desk.open_alerts())
        system.control.routing.seen(SituationSeen(keeper.camera, "run", situation(71)))
        until(lambda: keeper.health.recording == "sealed", 10)
        system.control.routing.seen(SituationSeen(keeper.camera, "run", situation(72)))
        system.control.routing.seen(SituationSeen(keeper.camera, "run", situation(71, time.monotonic())))
        time.sleep(3)
        assert keeper.health.recording == "sealed"
        system.control.routing.seen(SituationSeen(keeper.camera, "run", situation(72, time.monotonic())))
        cases = until(
            lambda: [c for c in system.records.office.cases.store.find(states=[CaseState.WAITING]) if c.cause == "person_down"], 20
        )
    finally:
        system.control.regime.end_override("test")
    assert len(cases) == 1, "overlapping orders are one clip"
    assert len(system.control.alerting.desk.open_alerts()) == alerts, "by night it records and tells nobody"
    opening, groups = opened(system, people, cases[0])
    recorded = packets(opening.init + b"".join(group.data for group in groups))
    original = packets((system.records.archive.data.parent / "guest.mp4").read_bytes())
    assert set(recorded) <= set(original), "the camera's own packets, not one changed"
    assert len(recorded) > 30
    proofs = [mask for group in groups for mask in group.masks]
    assert len(proofs) > 10
    assert any(not mask.doubt for mask in proofs)


def packets(data):
    import av

    with av.open(io.BytesIO(data), "r") as container:
        return [hashlib.sha256(bytes(packet)).hexdigest() for packet in container.demux(video=0) if packet.size]


def test_in_mode_anonymous_only_redacted_video_is_written(night, tmp_path):
    system, people = night
    keeper = next(iter(system.supervisor.keepers.values()))
    until(lambda: keeper.health is not None and keeper.health.doubt is None, 40)
    assert system.records.orders.order(keeper.camera, ClipMode.ANONYMOUS, "manual", "test", reason="test", for_s=10.0)
    found = until(lambda: [c for c in system.records.office.cases.store.find(states=[CaseState.WAITING]) if c.mode == "anonymous"], 30)
    opening, groups = opened(system, people, found[0])
    (tmp_path / "clip.mp4").write_bytes(opening.init + b"".join(group.data for group in groups))
    assert all(group.masks == () for group in groups)
    assert found[0].seconds >= 12, "the seconds before are in it"
    assert max(stripes(picture) for picture in read_all(tmp_path / "clip.mp4")) < 25


def test_an_alert_has_its_redacted_seconds_though_nobody_watched(night, tmp_path):
    system, _ = night
    keeper = next(iter(system.supervisor.keepers.values()))
    until(lambda: keeper.health is not None and keeper.health.doubt is None, 40)
    time.sleep(5)
    assert keeper.stream.viewers == 0
    encoded = keeper.health.encoded
    system.control.regime.set_override(RegimeName.DAY, system.control.regime.now() + timedelta(hours=1), "test", "test")
    try:
        system.control.routing.seen(SituationSeen(keeper.camera, "moment", situation(1)))
    finally:
        system.control.regime.end_override("test")
    alert = until(lambda: system.control.alerting.desk.open_alerts(), 5)[0]
    data = until(lambda: system.control.alerting.desk.store.clip(alert.id), 20)
    assert keeper.health.encoded == encoded, "nothing was encoded for the wall"
    (tmp_path / "alert.mp4").write_bytes(data)
    import av

    with av.open(str(tmp_path / "alert.mp4")) as container:
        frames = list(container.decode(video=0))
    assert 6.0 <= (frames[-1].pts - frames[0].pts) * frames[0].time_base <= 8.0
    assert stripes(read_last(tmp_path / "alert.mp4")) < 25


def read_last(path):
    frames = read_all(path)
    return frames[len(frames) * 3 // 4]


def read_all(path):
    import av

    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def stripes(picture):
    """How striped the guest's shirt is: the standard deviation of brightness across it."""
    return float(picture[70:130, 142:178].astype(float).std())
