"""What a night leaves: recordings of the camera's own packets, an incident that is held and released, redacted seconds, the log."""

from __future__ import annotations

import hashlib
import io
import re
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from pyrage import decrypt, passphrase, x25519

from blickschutz.audit.model import Event
from blickschutz.audit.rules import verify
from blickschutz.cli.main import cli
from blickschutz.control.model import SituationSeen
from blickschutz.evidence.io.package import unpack
from blickschutz.recording.io.clipfile import ClipReader, read_head
from blickschutz.recording.model import ClipMode, ClipState
from blickschutz.regime.model import RegimeName
from blickschutz.review.model import CaseState
from blickschutz.situations.kinds import Kind, Situation
from blickschutz.vault.io.files import is_signed
from blickschutz.vault.service import join_shares, open_share, unlock
from tests.live.night import ask, enter, judge, plays, record, sees, sign_in
from tests.live.system import until


@pytest.mark.later
def test_an_incident_is_held_unmasked_and_released(night, desk, tmp_path):
    system, people = night
    case = record(system)
    first, second = desk(), desk()
    sign_in(first, system, people, "kvd-1")
    sign_in(second, system, people, "aufsicht")
    enter(first, system, people, "kvd-1", case)
    enter(second, system, people, "aufsicht", case)
    until(lambda: plays(second), 30)

    second.get_by_text("Entpixelung beantragen").click()
    second.get_by_label("Grund", exact=True).fill("Kleidung erkennen")
    second.locator("#unmask-reference").fill("KL-17")
    second.locator("details form button").first.click()
    address, others = second.url, first.url
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
    assert str(identity.to_public()) in first.content().replace(" ", "")
    first.get_by_label("Der Empfänger hat mir selbst seinen Schlüssel genannt").check()
    first.get_by_role("button", name="Zustimmen und Paket erstellen").click()
    until(lambda: "Das Beweispaket ist erstellt" in first.content(), 40)
    ((released, _),) = system.records.office.log.find(event=Event.RELEASED, subject=case.clip)
    package = system.records.archive.exports / str(released.facts["file"])
    (tmp_path / "identity.txt").write_text(f"# key\n{identity}\n")
    options = ["--identity", str(tmp_path / "identity.txt"), "--public-key", system.records.archive.key.public.hex()]
    result = CliRunner().invoke(cli, ["verify", "evidence", str(package), *options])
    assert result.exit_code == 0, result.output

    # Whoever is to be seen must be told: the release opened the task by itself (§ 21(4) LDSG RLP).
    assert [one.case for one in system.records.office.rights.store.duties(settled=False)] == [case.id]

    second.goto(f"{system.address}evidence")
    second.get_by_role("link", name=f"Beweispaket, Vorgang {case.id}").click()
    sees(second, "Sie haben den Schlüssel angegeben")
    public = system.records.archive.key.public.hex()
    reads_the_package(second.context, decrypt(package.read_bytes(), [identity]), public, tmp_path / "key")
    words, second_package = released_with_words(system, first, second, (others, address), case)
    reads_the_package(second.context, passphrase.decrypt(second_package.read_bytes(), words), public, tmp_path / "words")

    first.goto(f"{system.address}cases/{case.id}")
    first.get_by_role("button", name="Aufhebung vorschlagen").click()
    first.get_by_text("Es fehlt die Bestätigung").wait_for()
    second.goto(f"{system.address}cases/{case.id}")
    second.get_by_role("button", name="Als zweite Person bestätigen").click()
    until(lambda: system.records.office.cases.store.get(case.id).state is CaseState.DESTROYED, 30)
    assert not package.exists()
    assert not second_package.exists()


def released_with_words(system, first, second, seats, case):
    """A package that opens with words: who asked fetches it and never sees them, who agreed reads them once and cannot fetch it."""
    second.goto(seats[1])
    second.get_by_text("Herausgabe beantragen").click()
    second.get_by_label("Rechtsgrundlage").select_option("strafverfolgung")
    second.get_by_label("Empfänger", exact=True).fill("Polizei Kaiserslautern 2")
    second.locator("#release-reference").fill("KL-18")
    second.get_by_label(re.compile("mit einem Kennwort")).check()
    second.locator("#key").locator("xpath=ancestor::form").locator("button").click()
    first.goto(seats[0])
    sees(first, "mit einem Kennwort, das dann Sie lesen und übergeben")
    first.get_by_role("button", name="Zustimmen und Paket erstellen").click()
    first.locator(".banner .hash").wait_for(timeout=20_000)
    words = first.locator(".banner .hash").inner_text()
    second.goto(seats[1])
    sees(second, "Das Kennwort dazu liest die andere Person")
    assert words not in second.content()
    first.get_by_role("button", name="Aufgeschrieben, nicht mehr zeigen").click()
    until(lambda: words not in first.content(), 10)
    released = system.records.office.log.find(event=Event.RELEASED, subject=case.clip)[0][0]
    package = system.records.archive.exports / str(released.facts["file"])
    assert ask(first, f"{system.address}exports/{package.name}").status_code == 403
    second.goto(f"{system.address}evidence")
    with second.expect_download() as download:
        second.locator(f"a[href='/exports/{package.name}']").click()
    assert Path(download.value.path()).read_bytes() == package.read_bytes()
    assert download.value.suggested_filename.startswith(f"Beweispaket-Vorgang-{case.id}-")
    return words, package


def reads_the_package(context, data, public, folder):
    """The page that lies in the package, opened from the disk as the recipient does: it verifies, plays, and finds an altered byte."""
    folder.mkdir()
    (folder / "opened").mkdir()
    unpack(data, folder / "opened")
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    (folder / "paket.tar").write_bytes(data)
    page.goto((folder / "opened/data/Beweis-ansehen.html").as_uri())
    page.locator("#key").fill(public)
    page.locator("#key").press("Tab")
    page.locator("#file").set_input_files(folder / "paket.tar")
    page.get_by_text(re.compile("Unverändert: Alle|Unaltered: all")).wait_for()
    assert page.locator("#key").input_value() == public
    until(lambda: page.evaluate("document.querySelector('#film').duration > 1 && document.querySelector('#film').videoWidth > 0"), 30)
    assert {url.split(":")[0] for url in asked} <= {"file", "blob"}, "nothing is fetched"
    altered = bytearray(data)
    altered[data.index(b"ftyp")] ^= 1
    (folder / "paket.tar").write_bytes(altered)
    page.locator("#file").set_input_files(folder / "paket.tar")
    page.get_by_text(re.compile("NICHT in Ordnung|NOT in order")).wait_for()
    assert page.locator("video").count() == 0
    page.close()


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
    page.get_by_role("button", name="Mein Sichtungskennwort").click()
    page.get_by_role("link", name="Weiter zur Eingabe").click()
    page.get_by_label("Bisheriges Sichtungskennwort").fill(people["kvd-3"][1])
    page.get_by_label("Neues Sichtungskennwort, mindestens").fill("ein ganz neuer Satz")
    page.get_by_label("Neues Sichtungskennwort noch einmal").fill("ein ganz anderer Satz")
    page.get_by_role("button", name="Festlegen").click()
    sees(page, "verschieden")
    page.get_by_label("Bisheriges Sichtungskennwort").fill(people["kvd-3"][1])
    page.get_by_label("Neues Sichtungskennwort, mindestens").fill("ein ganz neuer Satz")
    page.get_by_label("Neues Sichtungskennwort noch einmal").fill("ein ganz neuer Satz")
    page.get_by_role("button", name="Festlegen").click()
    sees(page, "Ihr neues Sichtungskennwort gilt")
    until(lambda: system.records.office.log.find(event=Event.PASSPHRASE_CHANGED, by="kvd-3"), 30)


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
    until(lambda: keeper.health is not None and keeper.health.doubt is None, 80)
    system.control.regime.set_override(RegimeName.NIGHT, system.control.regime.now() + timedelta(hours=1), "test", "test")
    try:
        alerts = len(system.control.alerting.desk.open_alerts())
        system.control.routing.seen(SituationSeen(keeper.camera, "run", situation(71)))
        until(lambda: keeper.health.recording == "sealed", 30)
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
    until(lambda: keeper.health is not None and keeper.health.doubt is None, 80)
    assert system.records.orders.order(keeper.camera, ClipMode.ANONYMOUS, "manual", "test", reason="test", for_s=4.0)
    found = until(lambda: [c for c in system.records.office.cases.store.find(states=[CaseState.WAITING]) if c.mode == "anonymous"], 60)
    opening, groups = opened(system, people, found[0])
    (tmp_path / "clip.mp4").write_bytes(opening.init + b"".join(group.data for group in groups))
    assert all(group.masks == () for group in groups)
    assert found[0].seconds >= 6, "the seconds before are in it"
    assert max(stripes(picture) for picture in read_all(tmp_path / "clip.mp4")) < 25


def test_an_alert_has_its_redacted_seconds_though_nobody_watched(night, tmp_path):
    system, _ = night
    keeper = next(iter(system.supervisor.keepers.values()))
    until(lambda: keeper.health is not None and keeper.health.doubt is None, 80)
    time.sleep(5)
    assert keeper.stream.viewers == 0
    encoded = keeper.health.encoded
    system.control.regime.set_override(RegimeName.DAY, system.control.regime.now() + timedelta(hours=1), "test", "test")
    try:
        system.control.routing.seen(SituationSeen(keeper.camera, "moment", situation(1)))
        # By the regime of the moment in which it is routed: the thread of disk and database may be busy until then.
        alert = until(lambda: system.control.alerting.desk.open_alerts(), 30)[0]
    finally:
        system.control.regime.end_override("test")
    data = until(lambda: system.control.alerting.desk.store.clip(alert.id), 40)
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
