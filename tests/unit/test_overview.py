"""Many sites in one view: what a site tells is read whole or not at all, one site's fault is its own, and what is away is never well."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import ssl
import stat
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from blickschutz.access.model import FactorKind, Role
from blickschutz.access.service.totp import new_secret
from blickschutz.audit.model import Event
from blickschutz.bootstrap import overview as served
from blickschutz.bootstrap.overview import Overview, load_overview, opened, place_of
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import OperatorError, SettingsError
from blickschutz.overview.io.reader import Place, fetch, trusting
from blickschutz.overview.model import CameraState, Fault, Known, ReadError
from blickschutz.overview.rules import MOST_BYTES, Rank, ordered, rank, read
from blickschutz.overview.service import Rounds
from blickschutz.overview.words import FAULT_WORDS
from blickschutz.vault.io.authority import Authority
from blickschutz.wall.model import TileState
from tests.fakes.clock import ManualClock
from tests.peers.nats import free_port

AT = "2026-11-27T10:00:00+01:00"
PERSON = "Erika Mustermann"


def told(**other):
    """What a site tells where all is well."""
    return {
        "contract": 1,
        "version": "0.1.0",
        "at": AT,
        "up_s": 86_400.0,
        "cameras": {"live": 11},
        "recording": True,
        "alerts": {},
        "deadlines": {"due": 0, "overdue": 0, "oldest_s": 0.0},
        "chain": {"entries": 100, "faults": 0, "verified_at": AT},
        "clock": {"offset_s": 0.01, "suspended": False},
        "rules": {"holds": 60, "broken": 0, "unknown": 0, "gates": 0, "broken_ids": [], "age_s": 3.0},
        "needs": {"urgent": 0, "other": 0},
        **other,
    }


def data(**other):
    return json.dumps(told(**other)).encode()


def known(**other):
    return Known(read(data(**other)), 0.0, datetime.now(UTC), datetime.now(UTC))


class TestForm:
    def test_what_is_meant_is_read(self):
        found = read(data(alerts={"person_down": {"count": 2, "oldest_s": 12}}))
        assert found.cameras == {"live": 11}
        assert [one.count for one in found.alerts.values()] == [2]

    def test_its_words_for_cameras_are_those_of_the_tiles(self):
        assert set(CameraState.__args__) == {one.value for one in TileState}

    @pytest.mark.parametrize(
        "lie",
        [
            {"people": [PERSON]},
            {"picture": "/9j/4AAQSkZJRgABAQAAAQABAAD"},
            {"cameras": {PERSON: 1}},
            {"cameras": {"live": "11"}},
            {"cameras": {"live": -1}},
            {"cameras": {"live": True}},
            {"alerts": {PERSON: {"count": 1, "oldest_s": 1.0}}},
            {"alerts": {"person_down": {"count": 1, "oldest_s": 1.0, "camera": "nord"}}},
            {"version": PERSON},
            {"version": "<b>1.0</b>"},
            {"at": PERSON},
            {"at": "2026-11-27T10:00:00"},
            {"up_s": float("inf")},
            {"up_s": float("nan")},
            {"rules": {**told()["rules"], "broken_ids": [PERSON]}},
            {"rules": {**told()["rules"], "broken_ids": ["TR-02"] * 201}},
            {"rules": {**told()["rules"], "broken_ids": "TR-02"}},
            {"needs": {"urgent": 0, "other": 0, "subject": PERSON}},
            {"deadlines": 3},
            {"chain": {"entries": 10**12, "faults": 0, "verified_at": None}},
            {"clock": {"offset_s": "0", "suspended": False}},
        ],
        ids=lambda lie: next(iter(lie)),
    )
    def test_whatever_else_it_tells_is_dropped_whole(self, lie):
        with pytest.raises(ReadError) as refused:
            read(data(**lie))
        assert refused.value.fault is Fault.FORM
        assert PERSON not in repr(refused.value)
        assert refused.value.__cause__ is None, "what was sent would be quoted there"

    @pytest.mark.parametrize("field", sorted(told()))
    def test_what_is_missing_is_not_guessed(self, field):
        less = {name: value for name, value in told().items() if name != field}
        with pytest.raises(ReadError, match="form"):
            read(json.dumps(less).encode())

    @pytest.mark.parametrize("text", [b"", b"<html>", b"[]", b"1", b"\xff\xfe", b"[" * 60_000, b'{"contract":1}', b'{"contract":1'])
    def test_what_is_no_such_document(self, text):
        with pytest.raises(ReadError, match="form"):
            read(text)

    def test_another_contract_and_too_much_are_named(self):
        with pytest.raises(ReadError, match="contract"):
            read(data(contract=2, more="x"))
        with pytest.raises(ReadError, match="size"):
            read(b" " * (MOST_BYTES + 1))


class TestRank:
    @pytest.mark.parametrize(
        ("other", "wanted"),
        [
            ({}, Rank.WELL),
            ({"needs": {"urgent": 0, "other": 1}}, Rank.LOOK),
            ({"recording": False}, Rank.LOOK),
            ({"cameras": {"live": 10, "stopped": 1}}, Rank.WELL),
            ({"cameras": {"live": 10, "lost": 1}}, Rank.SOON),
            ({"alerts": {"person_down": {"count": 1, "oldest_s": 20.0}}}, Rank.LOOK),
            ({"alerts": {"person_down": {"count": 1, "oldest_s": 301.0}}}, Rank.SOON),
            ({"deadlines": {"due": 1, "overdue": 1, "oldest_s": 9.0}}, Rank.SOON),
            ({"needs": {"urgent": 1, "other": 0}}, Rank.SOON),
            ({"clock": {"offset_s": 0.0, "suspended": True}}, Rank.SOON),
            ({"chain": {"entries": 5, "faults": 1, "verified_at": AT}}, Rank.NOW),
            ({"chain": None}, Rank.NOW),
            ({"deadlines": None}, Rank.NOW),
            ({"rules": {**told()["rules"], "gates": 1}}, Rank.NOW),
        ],
    )
    def test_what_needs_somebody(self, other, wanted):
        assert rank(known(**other)) is wanted

    def test_what_is_away_is_never_well_and_stands_before_what_is(self):
        away = replace(known(), fault=Fault.AWAY, fault_since=datetime.now(UTC))
        assert rank(away) is rank(Known()) is Rank.NOW
        names = {"a": "Altstadt", "b": "Bahnhof", "c": "City", "d": "Dom"}
        states = {"a": known(), "b": away, "c": known(needs={"urgent": 1, "other": 0}), "d": known()}
        assert list(ordered(names, states)) == ["b", "c", "a", "d"]


class LyingSite:
    """Answers whatever it is told to, over TLS."""

    def __init__(self, folder, answer, names=("127.0.0.1",), authority=None):
        self.authority = Authority(folder, "Site", names, SystemClock())
        self.trusted = folder / "trusted.pem"
        folder.mkdir(parents=True, exist_ok=True)
        self.trusted.write_bytes((authority or self.authority).pem)
        self.answer, self.asked = answer, []

    async def __aenter__(self):
        files, _ = self.authority.server()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self._server.close()

    async def _talk(self, reader, writer):
        try:
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            async for part in self.answer():
                writer.write(part)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    def place(self, within_s=20.0, host="127.0.0.1", port=None):
        return Place(host, port or self.port, "bls_a-token-of-the-site", trusting(self.trusted), within_s)


def says(body, status="200 OK", kind="application/json", more=""):
    async def answer():
        yield f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body

    return answer


async def endless():
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    part = b"10000\r\n" + b"9" * 65536 + b"\r\n"
    for _ in range(800):  # 50 MB
        yield part


async def dripping():
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    while True:
        yield b" "
        await asyncio.sleep(0.05)


async def headless():
    while True:
        yield b"x" * 4096


def fault_of(folder, answer, **place):
    """What comes of it, and what was asked."""

    async def scenario():
        async with LyingSite(folder, answer) as site:
            with pytest.raises(ReadError) as refused:
                await fetch(site.place(**place))
            return refused.value.fault

    return asyncio.run(scenario())


class TestReader:
    def test_it_asks_for_one_document_with_its_token_and_takes_it(self, tmp_path):
        async def scenario():
            async with LyingSite(tmp_path, says(data())) as site:
                assert read(await fetch(site.place())).version == "0.1.0"
                return site.asked

        (asked,) = asyncio.run(scenario())
        assert asked.startswith(b"GET /api/v1/overview HTTP/1.1\r\n")
        assert b"authorization: bearer bls_a-token-of-the-site" in asked.lower()
        assert b"cookie" not in asked.lower()

    @pytest.mark.parametrize(
        ("answer", "wanted"),
        [
            (says(b"<html>" + PERSON.encode(), kind="text/html"), Fault.ANSWER),
            (says(b"\xff\xd8\xff\xe0", kind="image/jpeg"), Fault.ANSWER),
            (says(b"", status="302 Found", more="Location: https://127.0.0.1:1/api/v1/overview\r\n"), Fault.ANSWER),
            (says(data(), more="Content-Encoding: gzip\r\n"), Fault.ANSWER),
            (says(b"{}", status="401 Unauthorized"), Fault.REFUSED),
            (says(b"{}", status="403 Forbidden"), Fault.REFUSED),
            (says(b"{}", status="409 Conflict"), Fault.REFUSED),
            (says(b"{}", status="429 Too Many Requests"), Fault.TOO_OFTEN),
            (says(b"{}", status="500 Oh"), Fault.ANSWER),
            (says(b" " * (MOST_BYTES + 1)), Fault.SIZE),
            (endless, Fault.SIZE),
            (headless, Fault.ANSWER),
        ],
        ids=["page", "picture", "redirect", "packed", "401", "403", "409", "429", "500", "large", "endless", "no-http"],
    )
    def test_whatever_else_comes_is_a_named_fault(self, tmp_path, answer, wanted):
        assert fault_of(tmp_path, answer) is wanted

    def test_who_drips_is_not_waited_for(self, tmp_path):
        assert fault_of(tmp_path, dripping, within_s=1.0) is Fault.SLOW

    def test_who_is_not_there_is_away(self, tmp_path):
        async def scenario():
            async with LyingSite(tmp_path, says(data())) as site:
                pass
            with pytest.raises(ReadError, match="away"):
                await fetch(site.place())

        asyncio.run(scenario())

    @pytest.mark.parametrize("wrong", ["authority", "name"])
    def test_who_shows_another_certificate_is_told_no_token(self, tmp_path, wrong):
        other = Authority(tmp_path / "other", "Other", ("127.0.0.1",), SystemClock()) if wrong == "authority" else None

        async def scenario():
            names = ("127.0.0.1",) if wrong == "authority" else ("elsewhere.example",)
            async with LyingSite(tmp_path / "site", says(data()), names, other) as site:
                with pytest.raises(ReadError, match="certificate"):
                    await fetch(site.place())
                return site.asked

        assert asyncio.run(scenario()) == []


class TestRounds:
    def test_a_site_that_lies_hangs_or_breaks_stops_no_other_and_leaves_a_word(self):
        async def scenario():
            entries, hanging = [], asyncio.Event()

            async def answer(site):
                if site == "hangs":
                    await hanging.wait()
                if site == "breaks":
                    raise RuntimeError(PERSON)
                return data(people=[PERSON]) if site == "lies" else data()

            rounds = Rounds(("well", "lies", "hangs", "breaks"), answer, lambda *entry: entries.append(entry), SystemClock(), at_once=4)
            guard = Guard(SystemClock())
            rounds.start(guard, dict.fromkeys(rounds.known, 0.02))
            async with asyncio.timeout(20):
                while rounds.known["lies"].fault is None or rounds.known["well"].told is None:
                    await asyncio.sleep(0.01)
                first = rounds.known["well"].told_at
                while rounds.known["well"].told_at == first:
                    await asyncio.sleep(0.01)
            await guard.finish()
            assert rounds.known["hangs"] == Known()
            assert entries == [(Event.SITE_AWAY, "lies", {"reason": "form"})]
            assert PERSON not in repr(rounds.known)

        asyncio.run(scenario())

    def test_what_was_known_stays_with_its_age_and_the_log_hears_of_each_change_once(self):
        async def scenario():
            clock, entries, faults = ManualClock(), [], []

            async def answer(site):
                if faults:
                    raise ReadError(faults[-1])
                return data()

            rounds = Rounds(("a",), answer, lambda *entry: entries.append(entry), clock)
            await rounds.look("a")
            first = rounds.known["a"]
            assert first.since is not None
            for fault in (Fault.AWAY, Fault.AWAY, Fault.SLOW):
                faults.append(fault)
                clock.sleep(30)
                await rounds.look("a")
            away = rounds.known["a"]
            assert (away.told, away.told_at, away.fault) == (first.told, first.told_at, Fault.SLOW)
            assert clock.monotonic() - away.told_at == 90
            faults.clear()
            await rounds.look("a")
            assert not rounds.known["a"].is_away
            assert rounds.known["a"].since > first.since, "reachable since it is back"
            assert [(event, facts.get("reason")) for event, _, facts in entries] == [
                (Event.SITE_AWAY, "away"),
                (Event.SITE_AWAY, "slow"),
                (Event.SITE_BACK, None),
            ]

        asyncio.run(scenario())


TEXT = """format = 1
[[sites]]
id = "dom"
name = "Dom <am Markt>"
address = "https://127.0.0.1:8710"
authority = "dom.pem"
token_file = "dom.token"
[[sites]]
id = "bahnhof"
name = "Bahnhof"
address = "https://127.0.0.1:8711"
authority = "dom.pem"
token_file = "dom.token"
"""
PASSWORD = "vier Wörter ganz ohne Sinn"


@pytest.fixture
def place(tmp_path):
    (tmp_path / "overview.toml").write_text(TEXT)
    (tmp_path / "dom.pem").write_bytes(Authority(tmp_path / "authority", "Dom", ("127.0.0.1",), SystemClock()).pem)
    (tmp_path / "dom.token").write_text("bls_x\n")
    (tmp_path / "dom.token").chmod(0o600)
    return tmp_path


class TestFile:
    def test_a_token_that_others_may_read_or_that_is_none_is_refused(self, place):
        site = load_overview(place / "overview.toml").sites[0]
        assert place_of(site, place).token == "bls_x"
        assert "bls_x" not in repr(place_of(site, place))
        (place / "dom.token").chmod(0o640)
        assert stat.S_IMODE((place / "dom.token").stat().st_mode) == 0o640
        with pytest.raises(SettingsError, match="chmod 600"):
            place_of(site, place)
        (place / "dom.token").chmod(0o600)
        (place / "dom.token").write_text("two words")
        with pytest.raises(SettingsError, match="no token"):
            place_of(site, place)

    @pytest.mark.parametrize("address", ["http://a:1", "https://user:word@a", "https://a/path", "https://", "a"])
    def test_only_addresses_of_sites_by_tls(self, place, address):
        (place / "overview.toml").write_text(TEXT.replace("https://127.0.0.1:8710", address))
        with pytest.raises(SettingsError, match=r"sites\.0\.address|https://host:8710|https://Rechner:8710"):
            load_overview(place / "overview.toml")

    def test_one_process_has_it(self, place):
        with (
            opened(place / "overview.toml", SystemClock()),
            pytest.raises(OperatorError, match="another process"),
            opened(place / "overview.toml", SystemClock()),
        ):
            pass


class Asked:
    """The pages as they are served, asked in memory as somebody."""

    def __init__(self, overview: Overview, known) -> None:
        self.overview, self._runner = overview, asyncio.Runner()
        self.app = overview.app({})
        overview.rounds.known.update(known)
        self.cookies: dict[str, str] = {}

    def __call__(self, method, path, **form):
        async def ask():
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8720", cookies=self.cookies) as client:
                answer = await client.request(method, path, data=form or None)
                self.cookies = dict(client.cookies)
                return answer

        return self._runner.run(ask())

    def close(self):
        self._runner.close()


@pytest.fixture
def asked(place):
    away = replace(known(), fault=Fault.FORM, fault_since=datetime.now(UTC))
    with opened(place / "overview.toml", SystemClock()) as overview:
        pages = Asked(overview, {"dom": away, "bahnhof": known(alerts={"person_down": {"count": 2, "oldest_s": 12.0}})})
        yield pages
        pages.close()


def admit(asked, person, role, factor=True):
    """Somebody who is ready to work."""
    access = asked.overview.access
    asked.overview.invite(person, person, role)
    access.accounts.activate(person)
    if factor:
        access.factors.add(person, FactorKind.TOTP, "test", new_secret(), 0)
    asked.cookies = {"session": access.begin(person)}


class TestPages:
    def test_it_shows_what_needs_somebody_first_and_how_old_what_is_known_is(self, asked):
        admit(asked, "technik", Role.ADMINISTRATION)
        answer = asked("GET", "/")
        assert answer.status_code == 200
        assert answer.headers["refresh"] == "30"
        assert "refresh" not in asked("GET", "/?still=1").headers
        rows = re.findall(r'<tr data-rank="(\w+)"( data-old)?>', answer.text)
        assert rows == [("now", " data-old"), ("look", "")]
        assert "Dom &lt;am Markt&gt;" in answer.text
        assert str(FAULT_WORDS[Fault.FORM]) in answer.text
        assert "alt:" in answer.text
        assert "zuletzt 11 von 11" in answer.text, "what it was, not what it is"
        assert "Zahlen von: vor" in answer.text
        assert "2 × " in answer.text
        assert "<script" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]

    def test_nobody_gets_in_without_a_second_factor(self, asked):
        assert asked("GET", "/").headers["location"] == "/sign-in"
        admit(asked, "technik", Role.ADMINISTRATION, factor=False)
        assert asked("GET", "/").headers["location"] == "/account"
        asked.cookies = {}
        admit(asked, "dsb", Role.DATA_PROTECTION, factor=False)
        assert asked("GET", "/log").headers["location"] == "/account", "though the rules of a site would let them"

    def test_who_watches_the_log_sees_no_site_and_the_other_way_round(self, asked):
        admit(asked, "dsb", Role.DATA_PROTECTION)
        assert asked("GET", "/").status_code == 403
        assert "Zugriff" in asked("GET", "/log").text
        admit(asked, "technik", Role.ADMINISTRATION)
        assert asked("GET", "/log").status_code == 403

    def test_from_the_one_time_code_to_the_sites(self, asked):
        code = asked.overview.invite("technik", "Technik", Role.ADMINISTRATION)
        wrong = asked("POST", "/welcome", person="technik", code="A" * 24, new=PASSWORD, again=PASSWORD)
        assert wrong.status_code == 422
        assert asked("POST", "/welcome", person="technik", code=code, new=PASSWORD, again=PASSWORD).headers["location"] == "/"
        page = asked("GET", "/account")
        assert 'class="qr"' in page.text
        assert asked("POST", "/account/totp", name="x", code="000000").status_code == 422
        assert asked("GET", "/").headers["location"] == "/account"
        access = asked.overview.access
        access.factors.add("technik", FactorKind.TOTP, "test", new_secret(), 0)
        assert asked("POST", "/sign-out").headers["location"] == "/sign-in"
        assert asked("POST", "/sign-in", person="technik", password="falsch").status_code == 403
        assert asked("POST", "/sign-in", person="technik", password=PASSWORD).headers["location"] == "/sign-in/factor"
        assert asked("GET", "/sign-in/factor").status_code == 200
        assert asked("POST", "/sign-in/factor", code="123456").status_code == 403
        assert asked("GET", "/").headers["location"] == "/sign-in", "half of it is no session"

    def test_english_and_dark(self, asked):
        admit(asked, "technik", Role.ADMINISTRATION)
        asked("POST", "/preferences", language="en")
        asked("POST", "/preferences", theme="dark")
        page = asked("GET", "/").text
        assert '<html lang="en" data-theme="dark">' in page
        assert "look now" in page
        assert "Offene Meldungen" not in page

    def test_what_is_not_there_is_said_and_foreign_forms_are_refused(self, asked):
        admit(asked, "technik", Role.ADMINISTRATION)
        assert asked("GET", "/nothing").status_code == 404
        assert asked("GET", "/log?before=x").status_code in {403, 422}
        assert asked("DELETE", "/").status_code == 405


class Later(SystemClock):
    """Real time, and as much more as somebody says."""

    more = 0.0

    def now(self):
        return super().now() + self.more

    def monotonic(self):
        return super().monotonic() + self.more


def test_its_certificate_is_made_anew_while_it_runs(place, monkeypatch):
    """It lasts 90 days, and a machine may run for longer: who connects after 60 days gets the next one."""
    monkeypatch.setattr(served, "_LOOK_S", 0.02)
    port, clock = free_port(), Later()
    # The next one is not good yet by the clock of whoever looks.
    anybody = ssl.create_default_context()
    # Handed on once the server has ended by it.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    (place / "overview.toml").write_text(TEXT.replace("[[sites]]", f"[server]\nport = {port}\ntls = true\n\n[[sites]]", 1))

    async def shown():
        """The certificate that somebody who connects is shown."""
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=anybody)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.close()
            return found

    async def run(overview):
        serving = asyncio.create_task(overview.serve())
        async with asyncio.timeout(60):
            first = await shown()
            assert await shown() == first
            clock.more = 61 * 86_400.0
            while await shown() == first:
                await asyncio.sleep(0.05)
            signal.raise_signal(signal.SIGTERM)
            await serving

    with opened(place / "overview.toml", clock) as overview:
        try:
            asyncio.run(run(overview))
        finally:
            signal.signal(signal.SIGTERM, before)
        assert [entry.event for entry, _ in overview.log.find()].count(Event.CERTIFICATE_RENEWED) == 2
