"""Accounts, second factors, sessions, tokens, rights: on a real database, with a clock that moves when told."""

from __future__ import annotations

import itertools
import threading
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.access.io.accounts import METADATA as ACCOUNTS
from blickschutz.access.io.accounts import AccountStore
from blickschutz.access.io.factors import METADATA as FACTORS
from blickschutz.access.io.factors import FactorStore, TokenStore
from blickschutz.access.io.preferences import METADATA as PREFERENCES
from blickschutz.access.io.preferences import PreferenceStore
from blickschutz.access.io.store import METADATA as PASSWORDS
from blickschutz.access.io.store import PasswordStore
from blickschutz.access.model import AccountState, Change, FactorKind, Member, Permission, Refusal, Role, SignIn, Todo
from blickschutz.access.rules import PERMISSIONS, PERSONAL, PICTURES, gives, idle_s, may, permitted, separated
from blickschutz.access.service import Access
from blickschutz.access.service.access import NOWHERE
from blickschutz.access.service.sessions import hashed
from blickschutz.access.service.totp import address, code_at, drift_of, step_of, written
from blickschutz.audit.io.log import METADATA as LOG
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.kernel.errors import OperatorError
from blickschutz.storage.engine import open_engine
from blickschutz.vault.io.files import InstallationKey
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.both_databases

GOOD = "vier Wörter ganz ohne Sinn"
OTHER = "sieben blaue Ziegel im Regal"
PEOPLE = [
    Member("leitstelle", "Lea Leit", frozenset({Role.CONTROL_ROOM})),
    Member("sicht-1", "Sina Sicht", frozenset({Role.REVIEW}), date(2030, 1, 1)),
    Member("sicht-2", "Sven Sicht", frozenset({Role.REVIEW}), date(2030, 1, 1)),
    Member("aufsicht", "Anton Auf", frozenset({Role.SUPERVISION}), date(2030, 1, 1)),
    Member("technik", "Tom Tech", frozenset({Role.ADMINISTRATION})),
    Member("dsb", "Doris Schutz", frozenset({Role.DATA_PROTECTION})),
]


class House:
    def __init__(self, folder):
        self.clock = ManualClock()
        self.engine = open_engine(folder / "control.db", LOG, ACCOUNTS, FACTORS, PASSWORDS, PREFERENCES)
        key = InstallationKey(folder / "installation.key")
        self.log = AuditLog(self.engine, self.clock, key.sign, key.public)
        accounts = AccountStore(self.engine, self.log, self.clock)
        accounts.take_over(PEOPLE)
        factors = FactorStore(self.engine, self.log, self.clock, folder / "factors.key")
        passwords, tokens = PasswordStore(self.engine, self.log, self.clock), TokenStore(self.engine, self.log, self.clock)
        self.access = Access(accounts, passwords, factors, tokens, PreferenceStore(self.engine), self.log, self.clock)
        self.lost: list[str] = []
        self.access.lost.listen(self.lost.append)

    def begin(self, person, password=GOOD):
        """Somebody takes over their account with a code from the terminal."""
        code = self.access.people.issue(person, "terminal")
        assert self.access.people.redeem(person, code)
        assert self.access.own.begin(person, password) is None

    def sign_in(self, person, password, caller=NOWHERE):
        """Knock, wait for as long as it is held, and be looked at."""
        knock = self.access.doors.knock(person, caller)
        if knock is None:
            return SignIn.LOCKED, ""
        self.clock.sleep(knock.wait_s)
        try:
            return self.access.sign_in(person, password, knock, caller)
        finally:
            self.access.doors.leave(knock)

    def factor(self, person, secret=b"12345678901234567890"):
        self.access.factors.add(person, FactorKind.TOTP, "Gerät", secret, 0)
        return secret

    def code(self, secret, steps=0):
        return code_at(secret, int(self.clock.now() // 30) + steps)

    def events(self, event):
        return [entry for entry, _ in self.log.find(event=event)]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.engine.dispose()


class TestPassword:
    def test_tries_are_held_ever_longer_and_ten_a_minute_are_looked_at(self, house):
        house.begin("leitstelle")
        slept = house.clock.slept
        results = [house.sign_in("leitstelle", f"falsch {n}")[0] for n in range(12)]
        assert results == [SignIn.WRONG] * 10 + [SignIn.LOCKED] * 2
        assert slept == [0.0] * 5 + [1.0, 2.0, 2.0, 4.0, 4.0]
        house.clock.sleep(60)
        assert house.sign_in("leitstelle", GOOD)[0] is SignIn.OK
        assert slept[-1] == 4.0
        assert house.sign_in("leitstelle", GOOD)[0] is SignIn.OK
        assert slept[-1] == 0.0, "forgotten with the right one"

    def test_after_a_quarter_of_an_hour_tries_are_forgotten(self, house):
        for n in range(12):
            house.sign_in("leitstelle", f"falsch {n}")
        house.clock.sleep(901)
        house.sign_in("leitstelle", "falsch")
        assert house.clock.slept[-1] == 0.0

    def test_of_a_hundred_tries_at_once_two_are_looked_at(self, house):
        threads = 100
        found, start = [], threading.Barrier(threads)

        def knock():
            start.wait()
            found.append(house.access.doors.knock("leitstelle", NOWHERE))

        running = [threading.Thread(target=knock) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        let_in = [one for one in found if one is not None]
        assert len(let_in) == 2
        house.access.doors.leave(let_in[0])
        assert house.access.doors.knock("leitstelle", NOWHERE) is not None

    def test_a_try_alone_is_in_the_log_and_many_are_in_it_as_a_sum(self, house):
        house.sign_in("leitstelle", "falsch")
        house.sign_in("unbekannt", "x" * 20)
        house.sign_in("leitstelle", "falsch")
        (entry,) = house.events(Event.SIGN_IN_REFUSED)
        assert (entry.by, entry.facts) == ("leitstelle", {"reason": "wrong"})
        house.access.turned.look()
        assert house.events(Event.REFUSALS_COUNTED) == []
        house.clock.sleep(60)
        house.access.turned.look()
        house.access.turned.look(end=True)
        (entry,) = house.events(Event.REFUSALS_COUNTED)
        assert entry.by == "system"
        assert entry.facts == {"seconds": 60, "wrong": 2, "addresses": 1, "people": ["leitstelle: 1"]}

    @pytest.mark.parametrize(
        ("password", "problem"),
        [
            ("kurz", Refusal.SHORT),
            ("x" * 201, Refusal.SHORT),
            ("passwort1234", Refusal.GUESSABLE),
            ("aaaaaaaaaaaaaaaa", Refusal.GUESSABLE),
            ("leitstelle leit", Refusal.GUESSABLE),
            (GOOD, None),
        ],
    )
    def test_what_is_short_or_soon_guessed_is_refused(self, house, password, problem):
        house.access.people.issue("leitstelle", "terminal")
        assert house.access.own.begin("leitstelle", password) is problem

    def test_the_store_itself_takes_no_short_one(self, house):
        with pytest.raises(OperatorError, match="12 characters"):
            house.access.passwords.set("leitstelle", "kurz", "test")

    def test_a_password_that_another_set_must_be_changed_first(self, house):
        house.access.people.set_temporary("leitstelle", GOOD, "terminal")
        outcome, token = house.sign_in("leitstelle", GOOD)
        member, todo = house.access.who(token)
        assert (outcome, member.id, todo) == (SignIn.OK, "leitstelle", Todo.PASSWORD)
        assert house.access.own.change_password(member, token, "falsch falsch", OTHER) is Refusal.WRONG
        assert house.access.own.change_password(member, token, GOOD, GOOD) is Refusal.NOTHING
        assert house.access.own.change_password(member, token, GOOD, OTHER) is None
        assert house.access.who(token)[1] is None
        assert house.sign_in("leitstelle", GOOD)[0] is SignIn.WRONG

    def test_changing_it_ends_all_other_sessions(self, house):
        house.begin("leitstelle")
        here, there = house.access.begin("leitstelle"), house.access.begin("leitstelle")
        assert house.access.own.change_password(house.access.members["leitstelle"], here, GOOD, OTHER) is None
        assert house.access.who(here)[0] is not None
        assert house.access.who(there)[0] is None

    def test_nobody_without_an_account_of_their_own_gets_in(self, house):
        house.access.passwords.set("leitstelle", GOOD, "test")
        assert house.access.members["leitstelle"].state is AccountState.INVITED
        assert house.sign_in("leitstelle", GOOD)[0] is SignIn.WRONG


class TestCodes:
    @pytest.mark.parametrize(
        ("at", "code"), [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")]
    )
    def test_codes_are_those_of_rfc_6238(self, at, code):
        assert code_at(b"12345678901234567890", at // 30) == code

    def test_what_an_app_reads_is_what_people_can_type(self):
        assert address(b"12345678901234567890", "kvd-1", "Rathaus").startswith("otpauth://totp/Rathaus:kvd-1?secret=GEZDGNBVGY3TQOJQ")
        assert written(b"12345678901234567890").replace(" ", "") == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    def test_a_code_counts_once_and_a_little_drift_is_no_trouble(self, house):
        house.begin("sicht-1")
        secret = house.factor("sicht-1")
        outcome, half = house.sign_in("sicht-1", GOOD)
        assert outcome is SignIn.FACTOR
        assert house.access.who(half) == (None, None)
        code = house.code(secret, -1)
        outcome, token, _ = house.access.code(half, f" {code[:3]} {code[3:]} ")
        assert (outcome, house.access.who(token)[0].id) == (SignIn.OK, "sicht-1")
        _, again = house.sign_in("sicht-1", GOOD)
        assert house.access.code(again, code)[0] is SignIn.WRONG
        assert house.access.code(half, house.code(secret))[0] is SignIn.WRONG, "a half is good for one session"
        assert house.access.code(again, house.code(secret))[0] is SignIn.OK

    def test_a_clock_that_drifts_far_is_named(self, house):
        house.begin("sicht-1")
        secret = house.factor("sicht-1")
        _, half = house.sign_in("sicht-1", GOOD)
        assert house.access.code(half, house.code(secret, -8))[0::2] == (SignIn.WRONG, -240)
        assert house.access.code(half, house.code(secret, 4))[0::2] == (SignIn.WRONG, 120)
        assert house.access.code(half, "000000" if house.code(secret) != "000000" else "000001")[2] is None

    def test_tries_of_codes_are_limited(self, house):
        house.begin("sicht-1")
        secret = house.factor("sicht-1")
        _, half = house.sign_in("sicht-1", GOOD)
        outcomes = [house.access.code(half, "12345x")[0] for _ in range(6)]
        assert outcomes == [SignIn.WRONG] * 5 + [SignIn.LOCKED]
        assert house.access.code(half, house.code(secret))[0] is SignIn.LOCKED

    def test_a_half_lasts_five_minutes(self, house):
        house.begin("sicht-1")
        secret = house.factor("sicht-1")
        _, half = house.sign_in("sicht-1", GOOD)
        house.clock.sleep(301)
        assert house.access.code(half, house.code(secret))[0] is SignIn.WRONG

    def test_without_the_factor_that_a_role_needs_nothing_goes_on_but_setting_it_up(self, house):
        house.begin("sicht-1")
        _, token = house.sign_in("sicht-1", GOOD)
        member, todo = house.access.who(token)
        assert todo is Todo.FACTOR
        secret = house.access.own.new_totp(token)
        assert house.access.own.new_totp(token) == secret, "a reload shows the same"
        assert house.access.own.add_totp(member, token, "Handy", "abc", "") is Refusal.CODE
        assert house.access.own.add_totp(member, token, "Handy", code_at(secret, int(house.clock.now() // 30) - 6), "") == -180
        assert house.access.own.add_totp(member, token, "Handy", house.code(secret), "") is None
        assert house.access.who(token)[1] is None
        other = house.access.own.new_totp(token)
        assert house.access.own.add_totp(member, token, "zwei", house.code(other), "falsch") is Refusal.WRONG
        assert house.access.own.add_totp(member, token, "zwei", house.code(other), GOOD) is None
        first, second = house.access.factors.of("sicht-1")
        assert house.access.own.remove_factor(member, first.id, GOOD) is None
        assert house.access.own.remove_factor(member, second.id, GOOD) is Refusal.LAST_FACTOR

    def test_whoever_stands_at_a_desk_that_somebody_left_adds_no_factor_of_their_own(self, house):
        house.begin("leitstelle")
        _, token = house.sign_in("leitstelle", GOOD)
        member, todo = house.access.who(token)
        assert todo is None, "this role needs none"
        secret = house.access.own.new_totp(token)
        assert house.access.own.add_totp(member, token, "fremd", house.code(secret), "") is Refusal.WRONG
        assert house.access.own.add_totp(member, token, "eigen", house.code(secret), GOOD) is None

    def test_where_a_factor_is_missing_the_password_counts_ten_minutes(self, house):
        house.begin("sicht-1")
        _, token = house.sign_in("sicht-1", GOOD)
        member, _ = house.access.who(token)
        for _ in range(2):
            house.clock.sleep(301)
            assert house.access.who(token)[0] is not None
        secret = house.access.own.new_totp(token)
        assert house.access.own.add_totp(member, token, "fremd", house.code(secret), "") is Refusal.WRONG

    def test_who_signs_in_again_and_again_signs_nobody_else_out(self, house):
        house.begin("sicht-1")
        house.begin("leitstelle")
        _, mine = house.sign_in("sicht-1", GOOD)
        others = [house.access.sessions.begin("leitstelle", None) for _ in range(300)]
        assert house.access.who(mine)[0] is not None
        assert sum(house.access.who(one)[0] is not None for one in others) == 10
        first = house.access.sessions.begin_half("sicht-1")
        for _ in range(300):
            house.access.sessions.begin_half("leitstelle")
        assert house.access.sessions.half(first) is not None

    def test_secrets_are_not_to_be_read_from_the_database_alone(self, house, tmp_path):
        secret = house.factor("sicht-1")
        house.engine.dispose()
        assert all(secret not in path.read_bytes() for path in tmp_path.glob("control.db*"))

    @pytest.mark.files_alone  # draws, and asks no database
    @given(st.binary(min_size=20, max_size=20), st.integers(10**9, 2**33), st.integers(-40, 40))
    def test_a_code_is_taken_within_one_step_and_its_drift_is_told_within_ten_minutes(self, secret, at, steps):
        code = code_at(secret, at // 30 + steps)
        found = step_of(secret, code, at)
        if abs(steps) <= 1:
            assert found is not None
        if 1 < abs(steps) <= 20:
            assert drift_of(secret, code, at) is not None


class TestSessions:
    def test_a_session_ends_when_nobody_does_anything_and_after_twelve_hours_anyway(self, house):
        house.begin("dsb")
        token = house.access.begin("dsb")
        house.clock.sleep(29 * 60)
        assert house.access.who(token)[0] is not None
        house.clock.sleep(31 * 60)
        assert house.access.who(token)[0] is None
        assert house.access.sessions.whose(token) == "dsb"
        token = house.access.begin("dsb")
        for _ in range(12 * 3):
            house.clock.sleep(20 * 60)
            house.access.who(token)
        house.clock.sleep(60)
        assert house.access.who(token)[0] is None

    def test_watching_does_not_keep_a_session_alive_but_a_wall_stands_for_a_shift(self, house):
        house.begin("aufsicht")
        house.factor("aufsicht")
        token = house.access.begin("aufsicht")
        for _ in range(4):
            house.clock.sleep(10 * 60)
            house.access.who(token, touch=False)
        assert house.access.who(token)[0] is None
        assert idle_s(PEOPLE[0]) == 12 * 3600
        assert idle_s(Member("x", "x", frozenset({Role.CONTROL_ROOM, Role.REVIEW}))) == 30 * 60

    def test_whoever_another_process_blocked_is_nobody_from_now_on(self, house):
        """The terminal has sessions of its own: it cannot end those that are open here."""
        house.begin("leitstelle")
        token = house.access.begin("leitstelle")
        assert house.access.who(token)[0] is not None
        house.access.accounts.set_state("leitstelle", AccountState.BLOCKED, "terminal")
        assert house.access.who(token) == (None, None)

    def test_signing_out_ends_it_and_is_told_on(self, house):
        house.begin("dsb")
        token = house.access.begin("dsb")
        house.access.sign_out(token)
        assert house.access.who(token)[0] is None
        assert house.lost == ["dsb"]


class TestTwoPeople:
    """Taking away takes one, giving takes two."""

    def confirm(self, house, by="dsb"):
        (change,) = house.access.accounts.changes()
        return house.access.people.confirm(house.access.members[by], change.id)

    @pytest.fixture
    def staff(self, house):
        for person in ("technik", "dsb", "aufsicht", "sicht-1"):
            house.begin(person)
        return house

    def test_a_new_account_takes_two_and_its_code_both_halves(self, staff):
        first = staff.access.people.invite("technik", "neu", "Nele Neu", frozenset({Role.REVIEW}), date(2030, 1, 1))
        assert "neu" not in staff.access.members
        change, second = self.confirm(staff)
        assert (change.person, staff.access.members["neu"].state) == ("neu", AccountState.INVITED)
        assert not staff.access.people.redeem("neu", first)
        assert not staff.access.people.redeem("neu", second + first)
        assert staff.access.people.redeem("neu", f"{first[:6]}-{first[6:]} {second}".lower())
        assert staff.access.own.begin("neu", GOOD) is None
        assert not staff.access.people.redeem("neu", first + second), "once"
        assert staff.events(Event.CODE_ISSUED)[0].facts["people"] == ["technik", "dsb"]

    def test_a_code_ends_after_three_days(self, staff):
        first = staff.access.people.invite("technik", "neu", "Nele Neu", frozenset({Role.REVIEW}), None)
        _, second = self.confirm(staff)
        staff.clock.sleep(3 * 86_400 + 1)
        assert not staff.access.people.redeem("neu", first + second)

    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            (("Neu!", "Nele", {Role.REVIEW}), Refusal.ID),
            (("neu", "  ", {Role.REVIEW}), Refusal.NAME),
            (("neu", "x" * 81, {Role.REVIEW}), Refusal.NAME),
            (("sicht-1", "Nele", {Role.REVIEW}), Refusal.TAKEN),
            (("neu", "Nele", set()), Refusal.NO_ROLE),
            (("neu", "Nele", {Role.REVIEW, Role.ADMINISTRATION}), Refusal.SEPARATED),
        ],
    )
    def test_what_is_wrong_with_a_new_account_is_named(self, staff, values, problem):
        person, name, roles = values
        assert staff.access.people.invite("technik", person, name, frozenset(roles), None) is problem
        assert staff.access.accounts.changes() == []

    def test_only_who_may_and_did_not_propose_and_is_not_meant_confirms(self, staff):
        staff.access.people.recover("technik", "dsb")
        for person in ("technik", "dsb", "sicht-1"):
            assert self.confirm(staff, person) is Refusal.SELF
        assert isinstance(self.confirm(staff, "aufsicht"), tuple)
        assert staff.access.people.recover("technik", "technik") is Refusal.SELF

    def test_who_was_blocked_confirms_nothing(self, staff):
        staff.access.people.recover("technik", "sicht-1")
        staff.access.people.block("technik", "dsb")
        assert self.confirm(staff, "dsb") is Refusal.SELF

    def test_a_lost_second_factor_is_recovered_by_two(self, staff):
        old = staff.factor("sicht-1")
        session = staff.access.begin("sicht-1")
        first = staff.access.people.recover("technik", "sicht-1")
        assert staff.access.who(session)[0] is not None
        _, second = self.confirm(staff, "aufsicht")
        assert staff.access.who(session)[0] is None, "whoever has the account now may not be its person"
        assert staff.access.people.redeem("sicht-1", first + second)
        assert staff.access.own.begin("sicht-1", OTHER) is None
        assert staff.access.factors.of("sicht-1") == []
        _, token = staff.sign_in("sicht-1", OTHER)
        assert staff.access.who(token)[1] is Todo.FACTOR
        assert staff.access.code(token, staff.code(old))[0] is SignIn.WRONG

    def test_rights_are_taken_at_once_and_given_by_two(self, staff):
        staff.factor("sicht-1")
        session = staff.access.begin("sicht-1")
        roles = frozenset({Role.REVIEW, Role.CONTROL_ROOM})
        assert staff.access.people.change("technik", "sicht-1", roles, date(2030, 1, 1)) is False
        assert staff.access.members["sicht-1"].roles == {Role.REVIEW}
        self.confirm(staff)
        assert staff.access.members["sicht-1"].roles == roles
        assert staff.access.who(session)[0] is None
        session = staff.access.begin("sicht-1")
        assert staff.access.people.change("technik", "sicht-1", frozenset({Role.CONTROL_ROOM}), date(2030, 1, 1)) is True
        assert staff.access.who(session)[0] is None
        assert "sicht-1" in staff.lost
        assert staff.access.people.change("technik", "sicht-1", frozenset({Role.CONTROL_ROOM}), date(2031, 1, 1)) is False
        assert staff.access.people.change("technik", "sicht-1", frozenset({Role.CONTROL_ROOM}), None) is True

    def test_nobody_changes_their_own_rights_and_the_last_administrator_stays(self, staff):
        assert staff.access.people.change("technik", "technik", frozenset({Role.REVIEW}), None) is Refusal.SELF
        assert staff.access.people.block("technik", "technik") is Refusal.SELF
        assert staff.access.people.block("x", "technik") is Refusal.LAST
        assert staff.access.people.change("x", "technik", frozenset({Role.CONTROL_ROOM}), None) is Refusal.LAST

    def test_who_is_blocked_has_nothing_left(self, staff):
        staff.factor("sicht-1")
        session = staff.access.begin("sicht-1")
        member = staff.access.members["sicht-1"]
        (token,) = staff.access.own.new_token(member, "Liste", frozenset({Permission.CASES}), 5, GOOD)
        assert staff.access.people.block("technik", "sicht-1") is None
        assert staff.access.who(session)[0] is None
        assert staff.access.bearer(token) is None
        assert staff.sign_in("sicht-1", GOOD)[0] is SignIn.WRONG
        assert staff.access.factors.count("sicht-1") == 0
        first = staff.access.people.recover("technik", "sicht-1")
        _, second = self.confirm(staff)
        assert staff.access.members["sicht-1"].state is AccountState.INVITED
        assert staff.access.people.redeem("sicht-1", first + second), "back by two, with a code"

    def test_the_site_file_gives_nobody_back_what_was_taken(self, staff):
        staff.access.people.change("technik", "aufsicht", frozenset({Role.CONTROL_ROOM}), None)
        self.confirm(staff)
        staff.access.people.block("technik", "sicht-1")
        staff.access.accounts.take_over(PEOPLE)
        assert staff.access.members["aufsicht"].roles == {Role.CONTROL_ROOM}
        assert staff.access.members["sicht-1"].state is AccountState.BLOCKED

    def test_a_second_proposal_takes_the_place_of_the_first(self, staff):
        first = staff.access.people.recover("technik", "sicht-1")
        (before,) = staff.access.accounts.changes()
        staff.access.people.recover("technik", "sicht-1")
        assert staff.access.people.confirm(staff.access.members["dsb"], before.id) is Refusal.NOT_THERE
        _, second = self.confirm(staff)
        assert not staff.access.people.redeem("sicht-1", first + second)

    def test_two_who_confirm_at_once_make_one_code(self, staff):
        staff.access.people.recover("technik", "sicht-1")
        (change,) = staff.access.accounts.changes()
        answers = []
        threads = [
            threading.Thread(target=lambda p=p: answers.append(staff.access.people.confirm(staff.access.members[p], change.id)))
            for p in ("dsb", "aufsicht")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(isinstance(answer, tuple) for answer in answers) == 1
        assert Refusal.NOT_THERE in answers

    def test_a_proposal_is_withdrawn(self, staff):
        staff.access.people.recover("technik", "sicht-1")
        (change,) = staff.access.accounts.changes()
        assert isinstance(change, Change)
        assert staff.access.people.withdraw("dsb", change.id) is None
        assert staff.access.people.withdraw("dsb", change.id) is Refusal.NOT_THERE


class TestTokens:
    def test_a_token_does_less_than_its_person_and_ends_with_their_rights(self, house):
        house.begin("leitstelle")
        member = house.access.members["leitstelle"]
        own = house.access.own
        for scopes in (set(), {Permission.OWN}, {Permission.LOG}, {Permission.WALL, Permission.CASES}):
            assert own.new_token(member, "x", frozenset(scopes), 5, GOOD) is Refusal.SCOPE
        assert own.new_token(member, " ", frozenset({Permission.WALL}), 5, GOOD) is Refusal.NAME
        assert own.new_token(member, "x", frozenset({Permission.WALL}), 91, GOOD) is Refusal.DAYS
        assert own.new_token(member, "x", frozenset({Permission.WALL}), 5, "falsch") is Refusal.WRONG
        (token,) = own.new_token(member, "Wand", frozenset({Permission.WALL, Permission.ALERTS}), 5, GOOD)
        assert house.access.bearer(token) == (member, {Permission.WALL, Permission.ALERTS})
        assert house.access.bearer(token + "x") is None
        house.access.accounts.set_rights("leitstelle", frozenset({Role.REVIEW}), None, ["test"])
        assert house.access.bearer(token)[1] == frozenset()
        house.access.accounts.set_rights("leitstelle", frozenset({Role.CONTROL_ROOM}), None, ["test"])
        house.clock.sleep(6 * 86_400)
        assert house.access.bearer(token) is None

    def test_what_takes_a_person_is_not_done_by_a_token_whatever_stands_in_its_row(self, house):
        house.begin("aufsicht")
        member = house.access.members["aufsicht"]
        scopes = frozenset({Permission.REVIEW, Permission.CONFIRM, Permission.OWN, Permission.HEALTH})
        assert scopes <= permitted(member)
        house.access.tokens.add("aufsicht", "alt", hashed("bls_x"), scopes, house.clock.now() + 60)
        assert house.access.bearer("bls_x") == (member, {Permission.HEALTH})

    def test_a_token_is_nowhere_to_be_read(self, house, tmp_path):
        house.begin("leitstelle")
        (token,) = house.access.own.new_token(house.access.members["leitstelle"], "x", frozenset({Permission.WALL}), 5, GOOD)
        house.engine.dispose()
        assert all(token.encode() not in path.read_bytes() for path in tmp_path.glob("control.db*"))


ROLE_SETS = [frozenset(some) for count in range(1, 6) for some in itertools.combinations(Role, count)]


class TestTable:
    def test_every_permission_has_its_row(self):
        assert set(PERMISSIONS) == set(Permission)

    @pytest.mark.parametrize("roles", [one for one in ROLE_SETS if separated(one) is None], ids=lambda roles: "+".join(sorted(roles)))
    def test_whoever_administers_or_watches_the_log_sees_neither_live_picture_nor_recording(self, roles):
        member = Member("x", "x", roles)
        grave = {Permission.PROPOSE, Permission.SETTINGS, Permission.LOG, Permission.FIGURES}
        if any(may(member, one) for one in grave):
            assert not any(may(member, one) for one in PICTURES)

    def test_pictures_to_draw_on_are_for_the_administration_alone_and_for_no_program(self):
        assert PERMISSIONS[Permission.SETUP] == {Role.ADMINISTRATION}
        assert Permission.SETUP in PERSONAL

    def test_nobody_may_both_propose_and_confirm(self):
        for roles in ROLE_SETS:
            if separated(roles) is None:
                assert not (may(Member("x", "x", roles), Permission.PROPOSE) and may(Member("x", "x", roles), Permission.CONFIRM))

    def test_nobody_who_is_not_signed_in_may_anything_but_what_is_public(self):
        assert [one for one in Permission if may(None, one)] == [Permission.PUBLIC]

    def test_what_takes_a_person_is_in_no_token(self):
        assert {Permission.REVIEW, Permission.CLOCK, Permission.PROPOSE, Permission.CONFIRM} <= PERSONAL

    @pytest.mark.files_alone  # draws, and asks no database
    @given(st.sets(st.sampled_from(list(Role))), st.sets(st.sampled_from(list(Role))))
    def test_a_change_that_gives_nothing_is_a_subset(self, before, after):
        member = Member("x", "x", frozenset(before))
        assert gives(member, frozenset(after), None) is not (after <= before)
