"""Strangers who try names and passwords: nobody is locked out by them, no name is told, and no flood of them fills the log."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter

import pytest
from nacl.exceptions import InvalidkeyError
from sqlalchemy import event

from blickschutz.access.io import store as password_store
from blickschutz.access.model import AccountState, Caller, SignIn, Turned
from blickschutz.access.rules import REMEMBERED_S, place_of
from blickschutz.access.service.devices import KNOWN_S, KnownDevices
from blickschutz.audit.model import Event
from blickschutz.kernel.errors import StoreBusyError
from tests.desk import PASSWORD
from tests.fakes.clock import ManualClock
from tests.unit.test_access import GOOD, OTHER, PEOPLE, House

OWN_DESK, ELSEWHERE = "10.0.0.7", [f"10.0.{net}.{host}" for net in range(1, 6) for host in range(1, 41)]
LONGEST_S = 4.0


@pytest.fixture
def house(tmp_path, monkeypatch):
    house = House(tmp_path)
    yield house
    house.engine.dispose()


class Hasher:
    """In place of argon2id: counts, and no password fits but that which is right."""

    def __init__(self):
        self.hashes = 0

    def verify(self, hashed, password):
        self.hashes += 1
        if password != GOOD.encode() or hashed == b"nobody":
            raise InvalidkeyError
        return True


@pytest.fixture
def hasher(house, monkeypatch):
    for one in PEOPLE[:3]:
        house.begin(one.id)
    house.factor("sicht-1")
    house.access.accounts.set_state("sicht-2", AccountState.BLOCKED, "test")
    hasher = Hasher()
    monkeypatch.setattr(password_store.argon2id, "verify", hasher.verify)
    house.access.passwords._nobody = b"nobody"
    return hasher


class TestLockOut:
    def flood(self, house, person, places, tries):
        for n, place in enumerate(itertools.islice(itertools.cycle(places), tries)):
            house.sign_in(person, f"falsch {n}", Caller(place))

    @pytest.mark.parametrize("places", [[OWN_DESK], ELSEWHERE[:1], ELSEWHERE], ids=["own-desk", "one", "two-hundred"])
    def test_whoever_has_the_password_gets_in_after_any_flood(self, house, hasher, places):
        device = "the-device"
        self.flood(house, "leitstelle", places, 1000)
        assert house.sign_in("leitstelle", GOOD, Caller(OWN_DESK, device))[0] is SignIn.OK
        assert house.clock.slept[-1] == 0.0, "a device that the account knows is not even held"
        if OWN_DESK in places:
            # Whoever has no such device, and sits where the strangers sat a moment ago, cannot be told from them for a minute.
            assert house.sign_in("leitstelle", GOOD, Caller(OWN_DESK))[0] is SignIn.LOCKED
            house.clock.sleep(60)
        assert house.sign_in("leitstelle", GOOD, Caller(OWN_DESK))[0] is SignIn.OK
        assert house.clock.slept[-1] <= LONGEST_S
        assert house.sign_in("sicht-1", GOOD, Caller(OWN_DESK))[0] is SignIn.FACTOR

    def test_six_wrong_tries_from_the_very_desk_lock_nobody_out(self, house, hasher):
        self.flood(house, "leitstelle", [OWN_DESK], 6)
        assert house.sign_in("leitstelle", GOOD, Caller(OWN_DESK))[0] is SignIn.OK

    def test_in_the_middle_of_a_flood_the_known_device_is_let_in_from_the_very_place_it_comes_from(self, house, hasher):
        doors = house.access.doors
        held = [doors.knock(name, Caller(place)) for place in (OWN_DESK, *ELSEWHERE) for name in ("leitstelle", "a", "b") for _ in range(4)]
        assert None in held
        assert doors.knock("leitstelle", Caller(OWN_DESK)) is None
        for _ in range(50):
            assert house.sign_in("leitstelle", GOOD, Caller(OWN_DESK, "the-device"))[0] is SignIn.OK

    def test_a_known_device_waits_for_one_stranger_at_most(self, house, monkeypatch):
        order, begun, go = [], threading.Event(), threading.Event()

        def fits(person, password):
            order.append(password)
            begun.set()
            go.wait(10)
            return False

        monkeypatch.setattr(house.access.passwords, "fits", fits)
        knock = house.access.doors.knock("leitstelle", Caller(OWN_DESK, "the-device"))

        def asked(password, caller):
            return threading.Thread(target=house.access.sign_in, args=("leitstelle", password, knock, caller))

        strangers = [asked("falsch", Caller(place)) for place in ELSEWHERE[:20]]
        for one in strangers:
            one.start()
        assert begun.wait(10)
        known = asked("own", Caller(OWN_DESK, "the-device"))
        known.start()
        until = time.monotonic() + 10
        while not house.access._turns.first and time.monotonic() < until:
            time.sleep(0.005)
        go.set()
        for one in (*strangers, known):
            one.join(10)
        assert len(order) == 21
        assert order.index("own") == 1

    def test_a_known_device_guesses_no_faster_than_any(self, house, hasher):
        found = [house.sign_in("leitstelle", f"falsch {n}", Caller(ELSEWHERE[n], "the-device"))[0] for n in range(40)]
        assert found == [SignIn.WRONG] * 10 + [SignIn.LOCKED] * 30

    def test_guessing_from_one_place_is_slow_whatever_the_names(self, house, hasher):
        start = house.clock.monotonic()
        for n in range(2000):
            house.sign_in(f"name-{n}", "Sommer2026", Caller(OWN_DESK))
        assert (house.clock.monotonic() - start) / 2000 > 3.0

    def test_the_way_of_the_second_factor_stays_open(self, house, hasher):
        secret = house.factor("leitstelle", bytes(20))
        _, half = house.sign_in("leitstelle", GOOD, Caller(OWN_DESK))
        self.flood(house, "leitstelle", [OWN_DESK, *ELSEWHERE], 400)
        half = house.access.sessions.begin_half("leitstelle") if house.access.sessions.half(half) is None else half
        assert house.access.code(half, house.code(secret), Caller(OWN_DESK))[0] is SignIn.OK

    def test_who_has_the_password_but_no_code_does_not_lock_out_the_known_device(self, house, hasher):
        secret = house.factor("leitstelle", bytes(20))
        half = house.access.sessions.begin_half("leitstelle")
        found = Counter(house.access.code(half, "12345x", Caller(place))[0] for place in ELSEWHERE)
        assert found == {SignIn.WRONG: 20, SignIn.LOCKED: 180}
        assert house.access.code(half, house.code(secret), Caller(OWN_DESK, "the-device"))[0] is SignIn.OK

    def test_whoever_is_signed_in_can_prove_who_they_are_meanwhile(self, house, hasher):
        self.flood(house, "leitstelle", ELSEWHERE, 200)
        assert house.access.own.check("leitstelle", GOOD) is None

    @pytest.mark.parametrize(
        ("address", "place"),
        [
            ("10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("", ""),
            ("ü" * 100, "ü" * 60),
        ],
    )
    def test_a_network_of_many_addresses_is_one_place(self, address, place):
        assert place_of(address) == place


class TestNames:
    def test_ten_thousand_tries_tell_no_name(self, house, hasher):
        """A guesser who learns from half of them what is seen of names that exist is right about the others as often as a coin."""
        statements = []
        event.listen(house.engine, "before_cursor_execute", lambda *given: statements.append(given[2].split("FROM")[0]))
        chance = random.Random(16)
        real = [one.id for one in PEOPLE]
        made_up = ["chefin", "sicht-9", "admin", "root", "bürger", "kvd"]
        seen = []
        for n in range(10_000):
            exists = chance.random() < 0.5
            name = chance.choice(real if exists else made_up)
            before = hasher.hashes, len(statements)
            waited = len(house.clock.slept)
            outcome = house.sign_in(name, chance.choice(["falsch", "Sommer2026", OTHER]), Caller(chance.choice(ELSEWHERE)))
            seen.append(((*outcome, *house.clock.slept[waited:], hasher.hashes - before[0], len(statements) - before[1]), exists))
            house.clock.time += 0.01
            if n % 500 == 0:
                house.access.turned.look()
        assert all(what[-2] == (what[0] is not SignIn.LOCKED) for what, _ in seen), "one hash for each try, whoever it is for"
        learned = Counter()
        for what, exists in seen[:5000]:
            learned[what] += 1 if exists else -1
        right = sum((learned[what] > 0) is exists for what, exists in seen[5000:])
        assert abs(right / 5000 - 0.5) < 0.025, right

    def test_the_hash_of_nobody_is_as_dear_as_any(self, house):
        house.begin("leitstelle")
        costs = {bytes(one).split(b"$")[1:4].__repr__() for one in (house.access.passwords._nobody, stored(house, "leitstelle").encode())}
        assert len(costs) == 1

    def test_a_hash_of_an_older_version_is_made_anew_when_its_person_signs_in(self, house, monkeypatch):
        monkeypatch.setattr(password_store, "OPERATIONS", 2)
        house.begin("leitstelle")
        monkeypatch.undo()
        old, changes = stored(house, "leitstelle"), len(house.events(Event.PASSWORD_CHANGED))
        assert house.sign_in("leitstelle", "falsch")[0] is SignIn.WRONG
        assert stored(house, "leitstelle") == old
        assert house.sign_in("leitstelle", GOOD)[0] is SignIn.OK
        assert stored(house, "leitstelle").split("$")[3] == house.access.passwords._nobody.decode().split("$")[3]
        assert house.sign_in("leitstelle", GOOD)[0] is SignIn.OK
        assert len(house.events(Event.PASSWORD_CHANGED)) == changes

    def test_one_answer_for_all(self, desk):
        desk.session("leitstelle-1")
        desk.office.access.passwords.set("leitstelle-1", PASSWORD, "test")
        desk.office.access.accounts.set_state("kvd-3", AccountState.BLOCKED, "test")
        answers, doors = {}, desk.office.access.doors
        desk.clock.sleep(REMEMBERED_S)
        start = desk.clock.monotonic()
        for path, more in (("/sign-in", {"password": "falsch falsch"}), ("/welcome", {"code": "x", "new": PASSWORD, "again": PASSWORD})):
            for name in ("leitstelle-1", "technik", "kvd-3", "niemand", "x"):
                # Every name is asked for at the same moment, as the first of the day: a page says what time it is.
                desk.clock.time = start
                doors._counts.clear()
                for turn in range(12):
                    answer = desk.post(path, person=name, **more)
                    headers = tuple((one, value) for one, value in answer.headers.items() if one != "content-length")
                    text = answer.text.replace(f'value="{name}"', 'value=""')
                    answers.setdefault((path, turn), []).append((answer.status_code, headers, text, desk.clock.slept[-1]))
        desk.office.access.accounts.set_state("kvd-3", AccountState.ACTIVE, "test")
        assert {len(set(one)) for one in answers.values()} == {1}

    def test_too_many_at_once_are_told_the_same_and_when_to_come_again(self, desk):
        doors = desk.office.access.doors
        told = set()
        for name in ("technik", "niemand"):
            held = [doors.knock(name, Caller("127.0.0.1")) for _ in range(2)]
            answer = desk.post("/sign-in", person=name, password="falsch")
            told.add((answer.status_code, answer.headers["retry-after"], answer.text.replace(name, "")))
            for one in held:
                doors.leave(one)
        assert len(told) == 1
        assert next(iter(told))[:2] == (429, "5")


def stored(house, person):
    return house.access.passwords._hash(person)


class TestKnownDevice:
    def test_it_is_known_for_its_account_and_until_its_end(self):
        clock = ManualClock()
        devices = KnownDevices(b"key", clock)
        value = devices.make("technik")
        number = devices.known("technik", value)
        assert number
        assert devices.known("dsb", value) == ""
        assert devices.cookie("technik") != devices.cookie("dsb")
        assert "technik" not in devices.cookie("technik") + value
        assert devices.known("technik", devices.make("technik", number)) == number
        assert KnownDevices(b"other", clock).known("technik", value) == ""
        clock.sleep(KNOWN_S + 1)
        assert devices.known("technik", value) == ""

    def test_whatever_is_altered_in_it_it_is_none(self):
        devices = KnownDevices(b"key", ManualClock())
        value = devices.make("technik")
        for index, letter in enumerate(value):
            for other in ("0" if letter != "0" else "1", "ü", "", ".", "\ud800"):
                altered = value[:index] + other + value[index + 1 :]
                if altered == value:
                    continue
                assert devices.known("technik", altered) == "", altered
        for made_up in ("", ".", "..", "a.b.c", "1.9999999999.", value + "x", value.upper()):
            assert devices.known("technik", made_up) == ""

    def test_it_is_set_after_a_full_sign_in_only_and_no_script_reads_it(self, desk):
        access = desk.office.access
        desk.session("dsb")
        access.passwords.set("dsb", PASSWORD, "test")
        access.factors.remove("dsb", None, "test")
        name = access.devices.cookie("dsb")
        assert name not in desk.post("/sign-in", person="dsb", password="falsch").headers.get("set-cookie", "")
        answer = desk.post("/sign-in", person="dsb", password=PASSWORD)
        (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(name)]
        for word in ("HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={int(KNOWN_S)}"):
            assert word in cookie
        value = cookie.split("=", 1)[1].split(";")[0]
        number = access.devices.known("dsb", value)
        assert number
        again = desk.request("POST", "/sign-in", cookies={name: value}, data={"person": "dsb", "password": PASSWORD})
        (second,) = [one for one in again.headers.get_list("set-cookie") if one.startswith(name)]
        assert access.devices.known("dsb", second.split("=", 1)[1].split(";")[0]) == number

    def test_with_it_the_page_lets_in_while_strangers_hold_every_place(self, desk):
        access = desk.office.access
        desk.session("dsb")
        access.passwords.set("dsb", PASSWORD, "test")
        access.factors.remove("dsb", None, "test")
        held = [access.doors.knock("dsb", Caller("127.0.0.1")) for _ in range(4)]
        given = {"person": "dsb", "password": PASSWORD}
        assert desk.post("/sign-in", **given).status_code == 429
        cookies = {access.devices.cookie("dsb"): access.devices.make("dsb")}
        assert desk.request("POST", "/sign-in", cookies=cookies, data=given).status_code == 303
        for one in held:
            if one is not None:
                access.doors.leave(one)


class TestLog:
    def test_no_flood_writes_more_than_two_entries_a_minute_and_each_is_counted(self, house, hasher):
        log, turned = house.log, house.access.turned
        before, kinds = log.state()[0], itertools.cycle(Turned)
        counted = 0
        for second in range(600):
            for n in range(50):
                turned.count(next(kinds), ELSEWHERE[n], "")
                turned.tell(Turned.WRONG, ELSEWHERE[n], "leitstelle" if n % 2 else "")
                counted += 2
            house.clock.time += 1.0
            if second % 5 == 0:
                turned.look()
        turned.look(end=True)
        assert log.state()[0] - before <= 20
        summed = sum(value for entry in house.events(Event.REFUSALS_COUNTED) for name, value in entry.facts.items() if name in set(Turned))
        alone = len(house.events(Event.SIGN_IN_REFUSED))
        assert summed + alone == counted
        assert house.events(Event.REFUSALS_COUNTED)[0].facts["addresses"] == 50

    def test_strangers_at_every_door_of_the_pages(self, desk):
        desk.office.access.turned.look(end=True)
        desk.clock.sleep(61)
        before, start = desk.office.log.state()[0], desk.clock.monotonic()
        for n in range(60):
            desk.post("/sign-in", person="technik" if n % 2 else "niemand", password="falsch")
            desk.post("/welcome", person="technik", code="x", new="y", again="y")
            desk.get("/wall", headers={"host": "evil.example"})
            desk.get("/log")
            desk.get("/api/v1/me", headers={"Authorization": "Bearer x"})
            desk.socket("/cameras/vorplatz-nord/live")
            if n % 10 == 0:
                desk.office.access.turned.look()
        seconds = desk.clock.monotonic() - start
        desk.office.access.turned.look(end=True)
        assert desk.office.log.state()[0] - before <= 2 + seconds / 30
        counted = Counter()
        for entry in desk.events(Event.REFUSALS_COUNTED):
            counted.update({name: value for name, value in entry.facts.items() if name in set(Turned)})
        assert counted["foreign"] == counted["token"] == 60
        assert counted["not-signed-in"] >= 120
        # After some of them that door stays shut for a while.
        assert counted["wrong"] + counted["code"] + counted["locked"] >= 118

    def test_pages_that_are_left_open_write_nothing(self, house):
        for _ in range(90):
            house.access.turned.count(Turned.NOT_SIGNED_IN, OWN_DESK)
        before = house.log.state()[0]
        house.access.turned.look(end=True)
        assert house.log.state()[0] == before

    def test_what_the_log_does_not_take_stays_counted(self, house, monkeypatch):
        turned = house.access.turned
        for _ in range(7):
            turned.count(Turned.TOKEN, OWN_DESK)

        def busy(*_given, **_named):
            raise StoreBusyError("busy")

        with monkeypatch.context() as patch:
            patch.setattr(house.log, "write", busy)
            with pytest.raises(StoreBusyError):
                turned.look()
        turned.count(Turned.TOKEN, OWN_DESK)
        turned.look()
        assert house.events(Event.REFUSALS_COUNTED)[0].facts["token"] == 8

    def test_nothing_of_a_signed_in_person_is_summed_up(self, desk):
        before = len(desk.events(Event.ACCESS_REFUSED))
        for _ in range(30):
            assert desk.get("/log", "leitstelle-1").status_code == 403
        assert len(desk.events(Event.ACCESS_REFUSED)) == before + 30
