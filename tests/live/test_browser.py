"""The wall in a real browser: tiles play, a known person is redacted, states and controls are as they say."""

from __future__ import annotations

import io
import os
import re
import signal
import time

import av
import numpy as np
import pytest

from blickschutz.audit.model import Event
from blickschutz.control.service.launching import LAUNCHER
from blickschutz.wall.model import TileState
from blickschutz.web.security import HEADERS
from tests.live.system import HEIGHT, LIVE, STRIPES, WIDTH, client, signed_in, until, wait_live

pytestmark = [pytest.mark.alone, pytest.mark.peers, pytest.mark.timeout(240)]


def gray(png: bytes) -> np.ndarray:
    with av.open(io.BytesIO(png), format="png_pipe") as container:
        return next(container.decode(video=0)).to_ndarray(format="gray").astype(float)


def fine_contrast(picture: np.ndarray) -> float:
    """Mean difference between pixels two apart, along rows: large for stripes of two pixels, small for a mosaic."""
    return float(np.abs(picture[:, 2:] - picture[:, :-2]).mean())


def test_all_tiles_play_and_a_known_person_is_redacted(page, running):
    page.goto(running.address)
    wait_live(page)
    time.sleep(8)  # the guest has come by now, whatever the start
    page.evaluate("document.querySelectorAll('.tile-enlarge').forEach(button => button.remove())")
    wait_live(page)
    for tile in page.locator("wall-tile").all():
        picture = page.evaluate(
            """async (video) => {
                 const canvas = document.createElement("canvas");
                 [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
                 const context = canvas.getContext("2d");
                 context.drawImage(video, 0, 0);
                 const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
                 return [canvas.width, canvas.height, Array.from(pixels.filter((_, i) => i % 4 === 1))];
               }""",
            tile.locator("video").element_handle(),
        )
        width, height, values = picture
        assert (width, height) == (WIDTH, HEIGHT)
        shown = np.array(values, float).reshape(height, width)
        # The stripes are 180 steps of contrast in the source; in the mosaic nothing finer than a cell is left.
        assert fine_contrast(shown[STRIPES]) < 25, tile.get_attribute("camera")
        assert fine_contrast(shown[:, :60]) < 25


def test_the_screenshot_itself_shows_no_stripe(page, running):
    page.goto(running.address)
    wait_live(page)
    time.sleep(3)
    page.keyboard.press("1")
    page.wait_for_selector("wall-tile[enlarged] video")
    box = page.locator("wall-tile[enlarged] video").bounding_box()
    shot = gray(page.screenshot(clip=box))
    scale = min(box["width"] / WIDTH, box["height"] / HEIGHT)
    left, top = (box["width"] - WIDTH * scale) / 2, (box["height"] - HEIGHT * scale) / 2
    person = shot[
        int(top + (STRIPES[0].start + 4) * scale) : int(top + (STRIPES[0].stop - 4) * scale),
        int(left + (STRIPES[1].start + 2) * scale) : int(left + (STRIPES[1].stop - 2) * scale),
    ]
    step = round(2 * scale)
    assert np.abs(person[:, step:] - person[:, :-step]).mean() < 40


def test_keys_and_clicks_enlarge_and_go_back(bare_page, bare):
    bare_page.goto(bare.address)
    bare_page.keyboard.press("4")
    assert bare_page.locator("wall-tile[enlarged]").get_attribute("camera") == "haupteingang"
    bare_page.keyboard.press("0")
    assert bare_page.locator("wall-tile[enlarged]").get_attribute("camera") == "rueckseite"
    bare_page.keyboard.press("Escape")
    assert bare_page.locator("wall-tile[enlarged]").count() == 0
    bare_page.locator("wall-tile[camera=brunnen] .tile-enlarge").click()
    assert bare_page.locator("wall-tile[enlarged]").get_attribute("camera") == "brunnen"


@pytest.mark.later
def test_a_view_a_part_of_the_picture_and_a_second_window(bare_page, bare):
    """What somebody keeps is there again; a part of the picture is larger under the hand; the second window goes with the first."""
    bare_page.goto(f"{bare.address}wall/views")
    bare_page.locator("#view-name").fill("Süden")
    for camera in ("brunnen", "haupteingang"):
        bare_page.locator(f"[name=cameras][value={camera}]").check()
    bare_page.locator("#view-large").select_option("brunnen")
    bare_page.locator("form[action='/wall/views'] button").click()
    bare_page.wait_for_url("**/wall?view=S*")
    assert {tile.get_attribute("camera") for tile in bare_page.locator("wall-tile").all()} == {"brunnen", "haupteingang"}
    large = bare_page.locator("wall-tile[enlarged]")
    assert large.get_attribute("camera") == "brunnen"
    bare_page.keyboard.press("+")
    box = large.locator(".tile-picture").bounding_box()
    bare_page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.2 * box["height"])
    bare_page.mouse.wheel(0, -100)
    bare_page.wait_for_function("document.querySelector('wall-tile[enlarged] video').style.transform.startsWith('scale(1.5625)')")
    bare_page.mouse.down()
    bare_page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    bare_page.mouse.up()
    assert large.count() == 1, "a drag is no click"
    bare_page.keyboard.press("0")
    assert large.locator("video").evaluate("video => video.style.transform") == ""
    with bare_page.expect_popup() as popup:
        bare_page.locator("[data-open-window]").click()
    second = popup.value
    second.get_by_text("Im Gleichlauf").wait_for()
    bare_page.bring_to_front()
    bare_page.locator("wall-tile[camera=haupteingang] .tile-enlarge").click()
    second.locator("wall-tile[enlarged][camera=haupteingang]").wait_for()
    second.close()
    bare_page.goto(f"{bare.address}wall/views")
    bare_page.locator("form[action='/wall/views/remove'] button").click()
    bare_page.get_by_text("Noch keine.").wait_for()


@pytest.mark.later
def test_the_views_go_round_by_themselves_and_stay_under_somebodys_hand(bare_page, bare):
    for name, camera in (("Eins", "brunnen"), ("Zwei", "haupteingang")):
        bare_page.goto(f"{bare.address}wall/views")
        bare_page.locator("#view-name").fill(name)
        bare_page.locator(f"[name=cameras][value={camera}]").check()
        bare_page.locator("form[action='/wall/views'] button").click()
        bare_page.wait_for_url("**/wall?view=*")
    assert bare_page.locator("[data-patrol]").count() == 0
    bare_page.goto(f"{bare.address}wall/views")
    bare_page.locator("#patrol-seconds").fill("5")
    bare_page.locator("form[action='/wall/patrol'] button").click()
    bare_page.goto(f"{bare.address}wall")
    tiles = bare_page.locator("wall-tile")
    # All, then one view, then the other.
    for camera in ("brunnen", "haupteingang"):
        bare_page.wait_for_function(
            "camera => [...document.querySelectorAll('wall-tile')].map(one => one.getAttribute('camera')).join() === camera", arg=camera
        )
    assert bare_page.locator("[data-view]").input_value() == "Zwei"
    tiles.first.locator(".tile-enlarge").click()
    bare_page.locator("[data-patrol-line]").get_by_text("wartet").wait_for()
    bare_page.keyboard.press("Escape")
    bare_page.locator("[data-patrol-line]").get_by_text("alle 5 s").wait_for()
    bare_page.keyboard.press("g")
    bare_page.locator("[data-patrol][aria-pressed=false]").get_by_text("aus").wait_for()
    bare_page.goto(f"{bare.address}wall/views")
    for _ in range(2):
        bare_page.locator("form[action='/wall/views/remove'] button").first.click()
    bare_page.get_by_text("Noch keine.").wait_for()


def test_stopping_one_camera_says_so_and_resumes(page, running):
    page.goto(f"{running.address}cameras/brunnen/stop")
    page.get_by_label(re.compile("Grund")).fill("Versammlung auf dem Vorplatz")
    page.get_by_role("button", name="Anhalten: Brunnen").click()
    page.wait_for_selector("wall-tile[state=stopped]")
    assert "Angehalten" in page.locator("wall-tile").inner_text()
    page.goto(running.address)
    page.wait_for_selector("wall-tile[camera=brunnen][state=stopped]")
    wait_live(page, len(LIVE) - 1)
    page.goto(f"{running.address}cameras/brunnen/stop")
    page.get_by_label(re.compile("Grund")).fill("Versammlung beendet")
    page.get_by_role("button", name="Wieder starten: Brunnen").click()
    page.goto(running.address)
    wait_live(page)


def test_a_lost_cell_is_named_on_its_tile_and_comes_back(page, running):
    page.goto(running.address)
    wait_live(page)
    running.supervisor.keepers["freitreppe"].process.kill()
    # All of it at one moment: a cell is back half a second later.
    lost = page.locator("wall-tile[camera=freitreppe][state=lost]").filter(has_text="Die Auswertung dieser Kamera ist ausgefallen")
    lost.filter(has_text="Kamera verloren").wait_for(timeout=30_000)
    wait_live(page)


def test_a_killed_launcher_is_replaced_and_a_cell_that_ends_then_is_started_again(running, bare):
    keeper = running.supervisor.keepers["brunnen"]
    until(lambda: len(LAUNCHER.pids) == 2 and keeper.state is TileState.LIVE, 90)
    first, stands_by = LAUNCHER.pids
    os.kill(first, signal.SIGKILL)
    restarts = keeper.restarts
    keeper.process.kill()
    until(lambda: keeper.restarts == restarts + 1 and keeper.state is TileState.LIVE, 60)
    until(lambda: len(LAUNCHER.pids) == 2)
    assert stands_by in LAUNCHER.pids
    assert first not in LAUNCHER.pids
    # Both sites of this process have the same two launchers; one of them saw it first, and its log has it.
    until(lambda: any(launcher_changes(site) >= {"failed", "recovered"} for site in (running, bare)))


def launcher_changes(system):
    log = system.records.office.log
    return {one.facts["change"] for one, _ in log.find(event=Event.WORK_TROUBLE, most=50) if one.subject == "launcher"}


@pytest.mark.parametrize("size", [pytest.param((1920, 1080), marks=pytest.mark.later), (1280, 800)])
@pytest.mark.parametrize(("language", "word"), [("de", "Kameras live"), ("en", "cameras live")])
def test_everything_fits_in_both_languages(browser, bare, size, language, word):
    context = signed_in(browser.new_context(viewport={"width": size[0], "height": size[1]}), bare)
    context.add_cookies([{"name": "language", "value": language, "url": bare.address}])
    page = context.new_page()
    page.goto(bare.address)
    assert word in page.locator(".overview").inner_text()
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("html").get_attribute("lang") == language
    for tile in page.locator("wall-tile").all():
        box = tile.bounding_box()
        assert box["width"] > 180
        assert box["height"] > 130
    context.close()


class TestRequests:
    """What the server says to requests, good and bad; on the bare system."""

    def test_every_page_carries_the_strict_headers(self, bare, bare_http):
        for path in ("wall", "health", "cameras/brunnen", "stop", "static/app.css", "cameras/none"):
            answer = bare_http.get(bare.address + path)
            for name, value in HEADERS.items():
                assert answer.headers[name] == value, path
            assert "server" not in answer.headers

    def test_a_foreign_host_or_origin_is_refused(self, bare, bare_http):
        assert bare_http.get(bare.address, headers={"Host": "evil.example"}).status_code == 403
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = bare_http.post(f"{bare.address}stop", data={"reason": "x"}, headers=headers)
            assert answer.status_code == 403
        assert not any(keeper.stopped for keeper in bare.supervisor.keepers.values())

    def test_stopping_needs_a_reason(self, bare, bare_http):
        answer = bare_http.post(f"{bare.address}stop", data={"reason": "  "})
        assert answer.status_code == 422
        assert "Bitte nennen Sie einen Grund" in answer.text
        assert not any(keeper.stopped for keeper in bare.supervisor.keepers.values())

    def test_a_hostile_reason_is_text(self, bare, bare_http):
        answer = bare_http.post(f"{bare.address}stop", data={"reason": "x" * 5000})
        assert answer.status_code == 422
        assert "Traceback" not in answer.text

    def test_an_unknown_camera_is_not_found(self, bare, bare_http):
        for path in ("cameras/none", "cameras/none/stop", "cameras/none/picture.jpg", "nothing"):
            answer = bare_http.get(bare.address + path)
            assert answer.status_code == 404
            assert "gibt es nicht" in answer.text

    @pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
    def test_preferences_lead_nowhere_else(self, bare, back, bare_http):
        answer = bare_http.post(f"{bare.address}preferences", data={"language": "en", "back": back})
        assert answer.headers["location"] == "/"
        assert "SameSite=strict" in answer.headers["set-cookie"]

    def test_a_snapshot_is_given(self, running, http):
        answer = http.get(f"{running.address}cameras/haupteingang/picture.jpg")
        assert answer.headers["content-type"] == "image/jpeg"

    def test_metrics_name_every_camera_and_state(self, running, http):
        assert http.get(f"{running.address}metrics").status_code == 403
        with client(running, "technik") as admin:
            text = admin.get(f"{running.address}metrics").text
        assert 'blickschutz_camera_state{camera="brunnen",state="live"}' in text
        assert 'blickschutz_frames_total{camera="brunnen"}' in text
