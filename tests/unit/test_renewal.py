"""What older versions stored redacted: found, shown to nobody, destroyed at the next start unless it is held. Real files, real rows."""

from __future__ import annotations

import asyncio
import os
from contextlib import closing
from datetime import date
from types import SimpleNamespace

import msgspec
import pytest
from jinja2 import Environment, PackageLoader

from blickschutz.access.model import Member, Role
from blickschutz.alerts.io.store import SqlAlertStore
from blickschutz.alerts.io.tables import METADATA as ALERT_TABLES
from blickschutz.alerts.io.tables import alerts as alert_rows
from blickschutz.alerts.io.tables import old_clips
from blickschutz.alerts.model import Alert, AlertState, HistoryEntry, Origin
from blickschutz.audit.model import Event
from blickschutz.compliance.policy import assess
from blickschutz.control.service.checks import check_site
from blickschutz.control.service.grounds import gather
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import DeviceError
from blickschutz.recording.io import clipfile
from blickschutz.recording.io.clipfile import ClipReader, ClipWriter, read_head
from blickschutz.recording.model import ClipEvent, ClipHeader, ClipMode, ClipNews, CloseReason
from blickschutz.retention.io import shelf
from blickschutz.retention.model import Receipt, Why
from blickschutz.retention.rules import receipt_text
from blickschutz.review.model import CaseState, Ground, Verdict
from blickschutz.reviewroom.host import ReviewRooms
from blickschutz.reviewroom.messages import Guest, RoomSettings, SeatRefused, SeatTaken, Trouble
from blickschutz.reviewroom.playback import Playback
from blickschutz.reviewroom.release import Release, Wish
from blickschutz.reviewroom.room import Room, RoomError
from blickschutz.rights.model import Request, RequestState, Right
from blickschutz.situations.kinds import Kind
from blickschutz.storage.engine import open_engine, writing
from blickschutz.vault.io.files import is_signed
from blickschutz.vault.model import Reviewer
from blickschutz.vault.service import enrol, new_key, seal_key
from blickschutz.web import texts
from tests.databases import is_kept
from tests.faults.children import OPENING, group
from tests.house import SITE, House

pytestmark = pytest.mark.both_databases

PASSPHRASE = "eine lange Losung"
SECRET = b"pixels of somebody who ran"
OLD, NEW = 1, 2
UNSAFE = "unsafe-redaction"


class Site(House):
    """A site with clips as an older version left them. Nothing looked at them yet."""

    def __init__(self, folder):
        super().__init__(folder)
        self.sealed = [enrol(f"kvd-{number}", PASSPHRASE) for number in (1, 2)]
        for one in self.sealed:
            self.records.archive.keys.put(one)
        self.keys = {}
        self.cell.state = None

    def left(self, letter, version=OLD, mode=ClipMode.ANONYMOUS, *, row=True):
        """A closed clip of that version; its case waits."""
        name, key = letter * 32, new_key()
        self.keys[name] = key
        self.records.archive.shelf.folder.mkdir(parents=True, exist_ok=True)
        shared = {"clip": name, "mode": mode, "cause": "person_down", "opened": self.clock.now()}
        header = ClipHeader(installation=self.records.archive.key.installation, camera="vorplatz-nord", **shared)
        envelope = seal_key(key, name, [Reviewer(one.id, one.public) for one in self.sealed])
        with pytest.MonkeyPatch.context() as before:
            before.setattr(clipfile, "_ONE_STREAM", version)
            writer = ClipWriter(self.records.archive.shelf.path(name), header, envelope, key, OPENING)
        writer.add(group(1))
        writer.close(CloseReason.OVER, 1.0)
        assert read_head(self.records.archive.shelf.path(name)).version == version
        if not row:
            return None
        for event in (ClipEvent.OPENED, ClipEvent.CLOSED):
            news = ClipNews(event=event, closed=self.clock.now(), seconds=9.0, reason="over", orders=(), **shared)
            self.hear(news)
        self.work()
        return self.records.office.cases.store.by_clip(name)

    def hold(self, case):
        for person in ("kvd-1", "kvd-2"):
            self.records.office.cases.verdict(case.id, person, Verdict.INCIDENT, "", Ground.CRIMINAL_OFFENCE, "KL-1")
        return self.case(case)

    def propose(self, case):
        """One person proposes a hold; nobody has answered yet."""
        assert self.records.office.cases.propose_hold(case.id, "aufsicht", Ground.CRIMINAL_OFFENCE, "KL-2", self.clock.now() + 86_400)

    def restrict(self, case):
        """Somebody who is to be seen asks; the clip is kept for them."""
        about = {"name": "Erika Mustermann", "contact": "Musterweg 1", "language": "de", "by": "aufsicht", "text": "Vorplatz"}
        window = {"at": case.opened, "starts": case.opened - 60, "ends": case.opened + 60, "rights": (Right.ACCESS,)}
        asked = Request(id=0, state=RequestState.OPEN, received=self.records.orders.today(), **about, **window)
        request = self.records.office.rights.record(asked)
        assert self.records.office.rights.restrict(request.id, [case.id], "aufsicht") is None
        return self.case(case)

    def case(self, case):
        return self.records.office.cases.store.get(case.id)

    def there(self, case):
        return self.records.archive.shelf.path(case.clip).exists()

    def alerts(self):
        return SqlAlertStore(open_engine(self.folder / "alerts.db", ALERT_TABLES))

    def alert(self, old=b"", new=b""):
        """An alert with seconds of an older version, of this one, or both."""
        store = self.alerts()
        number = store.add(
            Alert(0, "vorplatz-nord", Kind.PERSON_DOWN, "all", Origin.ANALYSIS, AlertState.RAISED, 1.0, 1.0, 0.9),
            [],
            HistoryEntry(1.0, "raised", "system"),
        ).id
        if old:
            with writing(store._engine) as connection:
                connection.execute(old_clips.insert().values(alert=number, data=old))
                connection.execute(alert_rows.update().where(alert_rows.c.id == number).values(has_clip=True))
        if new:
            store.put_clip(number, new)
        store.close()
        return number

    def bytes_of_alerts(self):
        """All that the alerts' database has on disk, its journal too."""
        return b"".join(path.read_bytes() for path in self.folder.glob("alerts.db*"))

    def found(self):
        return {one.id: one for one in check_site(SITE, self.records.inspected) if one.id.startswith("old-")}

    def renewed(self):
        return [entry.facts for entry in self.events(Event.PICTURES_RENEWED)]


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    yield site
    site.records.keeping.close()


class TestStart:
    def test_exactly_what_shows_too_much_and_is_not_kept_is_destroyed(self, site):
        waiting, second, held, restricted, half, asked = (site.left(letter) for letter in "abcd34")
        new, sealed, sealed_new = (
            site.left("e", NEW),
            site.left("f", OLD, ClipMode.SEALED),
            site.left("1", NEW, ClipMode.SEALED),
        )
        site.left("2", row=False)
        site.records.office.cases.verdict(second.id, "kvd-1", Verdict.NO_INCIDENT, "")
        site.records.office.cases.verdict(half.id, "kvd-1", Verdict.INCIDENT, "", Ground.CRIMINAL_OFFENCE, "KL-1")
        site.propose(asked)
        held, restricted = site.hold(held), site.restrict(restricted)
        site.again()
        orphan = site.records.office.cases.store.by_clip("2" * 32)
        assert orphan.state is CaseState.QUARANTINED, "what no row explains is destroyed by nothing but two people"
        gone = {site.case(case).clip for case in (waiting, second)}
        assert {site.case(case).state for case in (waiting, second)} == {CaseState.DESTROYED}
        kept = (held, restricted, half, asked, new, sealed, sealed_new, orphan)
        assert site.records.archive.shelf.clips() == {case.clip for case in kept}
        assert [site.case(case).state for case in (held, restricted, new)] == [CaseState.HELD, CaseState.WAITING, CaseState.WAITING]
        receipts = [Receipt(**entry.facts) for entry in site.events(Event.SHREDDED)]
        assert {receipt.clip for receipt in receipts} == gone
        for receipt in receipts:
            assert (receipt.reason, receipt.absent) == (UNSAFE, True)
            assert is_signed(receipt_text(receipt), bytes.fromhex(receipt.signature), site.records.archive.key.public)
        assert {entry.facts["reason"] for entry in site.events(Event.SHRED_ORDERED)} == {UNSAFE}
        kept = [str(case.id) for case in (held, half, asked)]
        assert site.renewed() == [{"alerts": 0, "clips": 2, "held": kept, "restricted": [str(restricted.id)]}]
        assert "half decided" in site.found()["old-kept"].mend

    def test_the_log_is_told_once_and_again_only_of_what_is_new(self, site):
        site.again()
        assert site.renewed() == [{"alerts": 0, "clips": 0, "held": [], "restricted": []}], "the mark of the first start"
        site.again()
        assert len(site.renewed()) == 1
        held = site.hold(site.left("a"))
        site.again()
        site.again()
        assert len(site.renewed()) == 2
        assert site.renewed()[0]["held"] == [str(held.id)]

    def test_after_a_crash_between_order_and_destruction_the_next_start_ends_the_same(self, site):
        case, held = site.left("a"), site.hold(site.left("b"))
        site.alert(old=SECRET)
        site.records.renewal.run()
        assert (site.case(case).state, site.there(case)) == (CaseState.DESTROYING, True)
        site.again()
        assert (site.case(case).state, site.there(case)) == (CaseState.DESTROYED, False)
        assert site.there(held)
        assert len(site.events(Event.SHREDDED)) == 1
        assert len(site.renewed()) == 1

    def test_after_a_crash_before_the_order_the_next_start_ends_the_same(self, site, monkeypatch):
        case = site.left("a")

        def crash(case):
            raise KeyboardInterrupt

        with monkeypatch.context() as broken:
            broken.setattr(site.records.office.cases, "outdated", crash)
            with pytest.raises(KeyboardInterrupt):
                site.records.keeping.recover()
        assert site.there(case)
        site.again()
        assert site.case(case).state is CaseState.DESTROYED

    def test_what_cannot_be_destroyed_stops_neither_the_start_nor_the_others(self, site, monkeypatch):
        stuck, other = site.left("a"), site.left("b")
        overwrite = shelf.overwrite

        def fail(path):
            if path.stem == stuck.clip:
                raise OSError(30, "Read-only file system")
            overwrite(path)

        with monkeypatch.context() as broken:
            broken.setattr(shelf, "overwrite", fail)
            site.again()
            assert (site.case(stuck).state, site.there(stuck)) == (CaseState.DESTROYING, True)
            assert (site.case(other).state, site.there(other)) == (CaseState.DESTROYED, False)
            assert "Read-only" in site.records.shredder.stuck()[0].problem
        site.clock.sleep(5)
        site.housekeep()
        site.work()
        assert (site.case(stuck).state, site.there(stuck)) == (CaseState.DESTROYED, False)

    def test_a_clip_that_a_newer_program_wrote_is_left_alone_with_words(self, site):
        site.left("a", 3 - 1, row=False)
        path = site.records.archive.shelf.path("a" * 32)
        data = path.read_bytes()
        path.write_bytes(data[:8] + b"\0\4" + data[10:])
        site.again()
        assert path.exists()
        assert "a newer program wrote it" in site.events(Event.MISSING_ROW)[0].facts["problem"]


class TestKept:
    def test_when_the_request_is_answered_it_is_destroyed_at_the_next_look(self, site):
        case = site.restrict(site.left("a"))
        site.again()
        site.housekeep()
        site.work()
        assert site.there(case)
        assert site.records.office.rights.free(case.restricted[0], case.id, "dsb") is None
        site.housekeep()
        site.work()
        assert not site.there(case)
        assert site.case(case).shred_reason == UNSAFE

    def test_when_the_hold_is_over_it_is_destroyed_like_any_other(self, site):
        expiring, released = site.hold(site.left("a")), site.hold(site.left("b"))
        site.again()
        site.records.office.cases.propose_end(released.id, "kvd-1")
        assert site.records.office.cases.confirm(released.id, "kvd-2", site.records.office.cases.store.get(released.id).version) is None
        site.housekeep()
        site.work()
        assert (site.there(expiring), site.there(released)) == (True, False)
        site.clock.sleep(61 * 24 * 3600)
        site.housekeep()
        site.work()
        assert site.case(expiring).state is CaseState.DESTROYED
        assert [site.case(case).shred_reason for case in (expiring, released)] == ["hold-expired", "hold-released"]

    def test_a_hold_or_a_request_that_comes_before_the_order_keeps_it(self, site):
        """Somebody is faster than the order: the case is no longer what it was when it was looked at."""
        stale = site.left("a")
        site.restrict(stale)
        assert not site.records.office.cases.outdated(stale)
        held = site.hold(site.left("b"))
        assert not site.records.office.cases.outdated(held)


class TestAlerts:
    def test_no_byte_of_the_old_seconds_is_left_and_the_new_ones_stay(self, site):
        old = [site.alert(old=SECRET * 4000) for _ in range(45)]
        new, both = site.alert(new=b"new seconds"), site.alert(old=SECRET, new=b"new too")
        assert is_kept(SECRET, site.folder)
        site.again()
        assert not is_kept(SECRET, site.folder)
        store = site.alerts()
        assert {(store.get(number).has_clip, store.clip(number)) for number in old} == {(False, None)}
        assert [store.get(number).has_clip for number in (new, both)] == [True, True]
        assert (store.clip(new), store.clip(both)) == (b"new seconds", b"new too")
        assert [entry.event for entry in store.history(old[0])] == ["raised", "outdated"]
        store.close()
        assert site.renewed() == [{"alerts": 46, "clips": 0, "held": [], "restricted": []}]
        site.again()
        assert len(site.renewed()) == 1

    def test_they_are_shown_to_nobody_even_before_that(self, site):
        number = site.alert(old=SECRET)
        store = site.alerts()
        assert store.clip(number) is None
        store.close()

    @pytest.mark.files_alone
    def test_what_a_crash_left_in_the_journal_goes_at_the_next_start(self, site):
        number = site.alert(old=SECRET)
        # Somebody reads meanwhile: rows are deleted, but the journal cannot end. A crash at this point leaves the same.
        reader = site.alerts()
        with reader._engine.connect() as connection:
            connection.execute(old_clips.select()).all()
            old = site.records.renewal._opened()
            with closing(old._engine.raw_connection()) as own:
                own.cursor().execute("PRAGMA busy_timeout = 50")
            with pytest.raises(DeviceError, match="journal"):
                old.destroy(1.0)
            assert site.records.renewal.alerts() == 0
            old.close()
            left = {path: path.read_bytes() for path in (site.folder / "alerts.db", site.folder / "alerts.db-wal")}
        reader.close()
        for path, data in left.items():
            path.write_bytes(data)
        assert SECRET in site.bytes_of_alerts(), "as a crash leaves it"
        # The rest of the system has the database open too, so the journal does not end by itself.
        other = site.alerts()
        other.get(number)
        site.again()
        assert SECRET not in site.bytes_of_alerts()
        assert not other.get(number).has_clip
        other.close()

    def test_a_database_that_fails_stops_no_start_and_is_tried_again(self, site, monkeypatch):
        site.alert(old=SECRET)
        case = site.left("a")

        def fail(old, at):
            raise DeviceError("disk full")

        with monkeypatch.context() as broken:
            broken.setattr("blickschutz.alerts.io.outdated.OldSeconds.destroy", fail)
            site.again()
        assert not site.there(case)
        assert site.records.renewal.alerts() == 1
        site.housekeep()
        site.work()
        assert site.records.renewal.alerts() == 0
        assert not is_kept(SECRET, site.folder)

    @pytest.mark.parametrize("language", ["de", "en"])
    def test_the_page_says_why_there_are_no_moving_pictures(self, language):
        environment = Environment(loader=PackageLoader("blickschutz.web"), autoescape=True)
        template = environment.get_template("alert.html")
        translate = texts.translator(language)

        def page(*events):
            own = Alert(3, "v", Kind.PERSON_DOWN, "all", Origin.ANALYSIS, AlertState.CLOSED, 1.0, 1.0, 0.9)
            values = {
                "_": translate,
                "words": texts,
                "language": language,
                "site": SITE,
                "problem": "",
                "others": (),
                "outcomes": (),
                "number": lambda value, digits: str(value),
                "alert": {"own": own, "name": "x", "camera": "x", "line": "", "taken": texts.zoned(1.0, "Europe/Berlin")},
                "history": [HistoryEntry(1.0, event, "system") for event in events],
                "over": {"clip": False, "history": False},
            }
            return "".join(template.blocks["content"](template.new_context(values)))

        said = {
            "de": "Die verpixelten Sekunden dieser Meldung hat eine ältere Version erstellt",
            "en": "An older version made the redacted",
        }
        assert said[language] in page("raised", "outdated")
        assert said[language] not in page("raised")


class TestCheck:
    def test_it_lists_what_is_there_before_the_start_and_destroys_nothing(self, site):
        waiting, held, restricted = site.left("a"), site.hold(site.left("b")), site.restrict(site.left("c"))
        site.left("d", NEW)
        site.left("e", OLD, ClipMode.SEALED)
        site.alert(old=SECRET)
        found = site.found()
        assert {one.result for one in found.values()} == {"broken", "holds"}
        assert "1 alerts" in found["old-alerts"].mend
        assert f"these recordings: case {waiting.id}; they are destroyed at the next start" in found["old-clips"].mend
        assert f"held: case {held.id}, ends with its hold" in found["old-kept"].mend
        assert f"restricted: case {restricted.id}, destroyed when request 1" in found["old-kept"].mend
        assert found["old-packages"].result == "holds"
        grounds = gather(SITE, None, site.records.inspected, site.clock)
        assert (grounds.rows.old_seconds, set(grounds.rows.old_clips)) == (1, {waiting.id, held.id, restricted.id})
        assert next(one for one in assess(grounds) if one.rule.id == "DM-05").answer.result.value == "broken"
        assert len(site.records.archive.shelf.clips()) == 5
        assert is_kept(SECRET, site.folder)
        assert site.renewed() == []

    def test_after_the_start_only_what_is_kept_is_listed(self, site):
        site.left("a")
        held = site.hold(site.left("b"))
        site.alert(old=SECRET)
        site.again()
        found = site.found()
        assert [found[name].result for name in ("old-alerts", "old-clips", "old-kept")] == ["holds", "holds", "broken"]
        assert f"case {held.id}" in found["old-kept"].mend
        assert site.records.renewal.alerts() == 0

    def test_a_site_without_any_has_nothing_to_mend(self, site):
        site.left("a", NEW)
        site.again()
        assert {one.result for one in site.found().values()} == {"holds"}

    def test_packages_from_before_are_named_and_later_ones_are_not(self, site):
        site.records.archive.exports.mkdir(parents=True)
        old, new = (site.records.archive.exports / f"{letter * 32}-1.tar.age" for letter in "ab")
        old.write_bytes(b"x")
        assert old.name in site.found()["old-packages"].mend, "nothing was renewed yet"
        site.again()
        at = site.events(Event.PICTURES_RENEWED)[0].at
        new.write_bytes(b"x")
        os.utime(old, (at - 1, at - 1))
        os.utime(new, (at + 1, at + 1))
        found = site.found()["old-packages"]
        assert found.result == "not yet known"
        assert old.name in found.mend
        assert new.name not in found.mend


class Line:
    """Stands for the link to the control room."""

    def __init__(self):
        self.sent = []

    def send(self, message):
        self.sent.append(message)


class TestRoom:
    def room(self, site, case):
        values = dict.fromkeys(("exports", "site", "operator", "camera", "timezone", "theme", "back", "host"), "")
        values |= {"certificate": "", "certificate_key": "", "names": (), "port": 0, "unmask_s": 60, "held": True, "language": "de"}
        path = str(site.records.archive.shelf.path(case.clip))
        settings = RoomSettings(case=case.id, clip=case.clip, path=path, installation=site.records.archive.key.installation, **values)
        room = Room(settings, Line(), Guard(SystemClock()))
        for one in site.sealed:
            room.admit(one.id, Guest(id=one.id, name=one.id, sealed=one, may_release=True))
        return room

    @pytest.mark.parametrize(("version", "refused"), [(OLD, UNSAFE), (NEW, "")])
    def test_the_door_stays_shut_before_anything_is_started(self, site, version, refused):
        case = site.hold(site.left("a", version))
        rooms = ReviewRooms(SITE, site.records.office, site.records.archive, site.clock, lambda: ("", ""))
        member = Member("kvd-1", "Eins", frozenset({Role.REVIEW}), date(2999, 1, 1))
        assert rooms.refusal(member, case) == refused
        sealed = site.left("b", OLD, ClipMode.SEALED)
        assert rooms.refusal(member, sealed) == ""

    @pytest.mark.parametrize("version", [OLD, NEW])
    def test_nobody_takes_a_seat_before_pictures_that_nobody_may_see(self, site, version):
        room = self.room(site, site.hold(site.left("a", version)))

        async def enter():
            for one in site.sealed:
                await room.enter(one.id, PASSPHRASE)

        if version == NEW:
            asyncio.run(enter())
            assert room.playback is not None
            assert not room.playback.unsafe
            room.close_clip()
            return
        with pytest.raises(RoomError) as caught:
            asyncio.run(enter())
        assert caught.value.trouble is Trouble.UNSAFE_REDACTION
        assert room.link.sent == [SeatRefused(person="kvd-1", reason=UNSAFE)]
        assert not any(isinstance(message, SeatTaken) for message in room.link.sent)
        assert room.playback is None

    def playback(self, site, case):
        archive = site.records.archive
        playback = Playback(archive.shelf.path(case.clip), site.keys[case.clip], archive.key.installation, Guard(SystemClock()))
        playback._work.wait(10)
        return playback

    def test_what_holds_the_key_shows_nothing_either(self, site):
        old = self.playback(site, site.left("a"))
        assert list(old.stream()) == []
        assert old.parts == []
        new = self.playback(site, site.left("b", NEW))
        assert len(b"".join(new.stream())) > 20_000

    def test_it_is_not_released(self, site, tmp_path):
        case = site.hold(site.left("a"))
        room = self.room(site, case)
        room.playback = self.playback(site, case)
        release = Release(room)
        release.wish = Wish("kvd-1", "strafverfolgung", "Polizei", "KL-1", "age1x")
        seat = SimpleNamespace(guest=SimpleNamespace(id="kvd-2"))
        assert asyncio.run(release.consent(seat, release.wish.mark, compared=True)) == UNSAFE
        assert [(message.person, message.why) for message in room.link.sent] == [("kvd-2", UNSAFE)]
        assert release.wish is None
        bag = tmp_path / "bag"
        bag.mkdir()
        wish = Wish("kvd-1", "strafverfolgung", "Polizei", "KL-1", "age1x")
        with pytest.raises(RoomError):
            Release._fill(bag, room.playback, wish)
        assert list(bag.iterdir()) == []
        new = self.playback(site, site.left("b", NEW))
        assert Release._fill(bag, new, wish).state == "whole"
        assert (bag / "redacted.mp4").stat().st_size > 20_000

    def test_the_number_alone_makes_no_old_clip_a_new_one(self, site):
        case = site.left("a")
        path = site.records.archive.shelf.path(case.clip)
        data = path.read_bytes()
        path.write_bytes(data[:8] + b"\0\2" + data[10:])
        with pytest.raises(clipfile.ClipError, match="altered"):
            ClipReader(path, site.keys[case.clip])


def test_every_reason_event_and_trouble_has_words():
    assert set(Why) <= set(texts.SHRED_WORDS)
    assert set(Event) == set(texts.EVENT_WORDS)
    assert set(Trouble) <= set(texts.ROOM_PROBLEMS)
    assert UNSAFE in texts.DOOR_PROBLEMS
    assert "Löschsperre" in texts.translator("de")(texts.ROOM_PROBLEMS[UNSAFE])
    assert "shown to nobody" in texts.translator("en")(texts.DOOR_PROBLEMS[UNSAFE])


def test_the_golden_clip_of_version_1_is_sealed_and_stays(tmp_path):
    from tests.unit.test_recording import GOLDEN

    head = read_head(GOLDEN / "clip-v1.clip")
    assert (head.version, head.header.mode, clipfile.is_unsafe(head)) == (1, ClipMode.SEALED, False)
    assert clipfile.is_unsafe(msgspec.structs.replace(head, header=msgspec.structs.replace(head.header, mode=ClipMode.ANONYMOUS)))
