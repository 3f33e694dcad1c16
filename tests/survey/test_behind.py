"""The field when much comes at once: kept together, in no order that shows, and nobody waits for long without an answer."""

from __future__ import annotations

import asyncio
import html
import random
import re
import secrets
import sqlite3
import time
from concurrent.futures import Future
from datetime import date

import pytest

from stimmungsbild.collection import service, web
from stimmungsbild.collection.folder import open_store
from stimmungsbild.collection.model import Door, Outcome
from stimmungsbild.collection.rules import hashed
from stimmungsbild.collection.service import WAITING, Collector
from stimmungsbild.collection.spent import HASH, ROOM, TABLE, Spent
from stimmungsbild.collection.store import BATCH, Taking
from stimmungsbild.questionnaire.model import LANGUAGES
from tests.survey.house import House, hidden


def ticket(number: int) -> str:
    return f"{number:032x}"


def form(number: int, **more: str) -> dict[str, str]:
    return {"lang": "de", "ticket": ticket(number), "at": "10", "age": "65_up", **more}


def taking(form_: bytes, code: bytes = b"", sealed: bytes = b"sealed") -> Taking:
    return Taking(form_, code, sealed, Door.OPEN, (("language", "de"),))


# What was spent.


def written(path, order, together=7):
    """The bytes of a file in which hashes were spent in that order, so many at a time."""
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "secure_delete = ON"):
        db.execute(f"PRAGMA {pragma}")
    db.executescript(TABLE)
    spent = Spent(db)
    for at in range(0, len(order), together):
        db.execute("BEGIN IMMEDIATE")
        spent.begin()
        for one in order[at : at + together]:
            assert one not in spent
            spent.add(one)
            assert one in spent
        spent.write()
        db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    spent.begin()
    assert spent.everything() == frozenset(order)
    assert all(one in spent for one in order)
    assert secrets.token_bytes(HASH) not in spent
    db.close()
    return path.read_bytes()


@pytest.mark.parametrize("many", [1, ROOM, ROOM + 1, 5 * ROOM])
def test_a_file_of_what_was_spent_is_the_same_whatever_came_first(tmp_path, many):
    chance = random.Random(many)
    hashes = [chance.randbytes(HASH) for _ in range(many)]
    # Some that end in zeros, which are no free room, and one before and one after all others.
    hashes += [b"\x00" * (HASH - 1) + b"\x01", b"\xff" * (HASH - 3) + b"\x00" * 3]
    first = written(tmp_path / "first.db", hashes)
    chance.shuffle(hashes)
    assert written(tmp_path / "second.db", hashes) == first
    assert written(tmp_path / "third.db", sorted(hashes)) == first


def test_what_an_earlier_version_had_spent_stays_spent(house):
    codes = house.codes(200)
    hashes = sorted(hashed(house.field.pepper, "code", one) for one in codes[:150])
    with house.store._writing() as db:
        db.execute("CREATE TABLE spent (hash BLOB PRIMARY KEY) WITHOUT ROWID")
        db.executemany("INSERT INTO spent VALUES (?)", [(one,) for one in hashes])
    house.store.close()
    house.store = open_store(house.folder, secrets.token_bytes)
    assert house.store.spent() == frozenset(hashes)
    assert house.store._one("SELECT count(*) FROM sqlite_master WHERE name = 'spent'") == 0
    collector = Collector(house.field, house.store, house.time, lambda: date(2026, 12, 1), gather_s=0)
    assert collector.send(ticket(1), codes[3], "de", {}) is Outcome.REFUSED
    assert collector.send(ticket(2), codes[180], "de", {}) is Outcome.TAKEN


# Kept together.


def gathered(house: House, forms: list[tuple[str, str]]) -> tuple[list[Outcome], list[int]]:
    """What came of forms (ticket, code) that came at the same time, and how many were kept together each time."""
    groups, real = [], house.store.take

    def take(them, **how):
        groups.append(len(them))
        return real(them, **how)

    house.store.take = take
    with house.store._lock:
        offered = [house.collector.offer(one, code, "de", {"age": "65_up"}) for one, code in forms]
        waiting = [one for one in offered if isinstance(one, Future)]
    return [one.result(60) if isinstance(one, Future) else one for one in offered] if waiting else list(offered), groups


def test_forms_that_wait_together_are_kept_together_and_each_counts_once(house):
    code, other = house.codes(2)
    forms = [(ticket(number), "") for number in range(30)]
    forms += [(ticket(100), code), (ticket(100), code), (ticket(101), code), (ticket(102), other)]
    outcomes, groups = gathered(house, forms)
    assert outcomes[:30] == [Outcome.TAKEN] * 30
    assert outcomes[30:] == [Outcome.TAKEN, Outcome.ALREADY, Outcome.REFUSED, Outcome.TAKEN], "sent twice; the same code in two tabs"
    assert len(groups) <= 2, "what came while the first waited was kept together"
    assert house.store.acknowledged() == 32
    assert house.store.totals()[Door.OPEN]["age"] == {"65_up": 30}
    house.store.shuffle()
    assert len(house.store.answers()) == 32


def test_a_batch_goes_to_the_answers_and_its_log_is_cut_while_forms_are_taken(house):
    house.time.now += 10
    outcomes, _ = gathered(house, [(ticket(number), "") for number in range(BATCH + 5)])
    assert set(outcomes) == {Outcome.TAKEN}
    house.time.now += 10
    gathered(house, [(ticket(1000 + number), "") for number in range(BATCH)])
    log, until = house.folder / "answers.db-wal", time.monotonic() + 30
    while log.stat().st_size and time.monotonic() < until:
        time.sleep(0.01)
    assert log.stat().st_size == 0, "nobody asked for it"
    assert len(house.store.answers()) + house.store._one("SELECT count(*) FROM inbox") == 2 * BATCH + 5
    assert house.store._one("SELECT count(*) FROM inbox") < BATCH


def test_a_disk_that_takes_nothing_takes_nothing_of_the_whole_group(house):
    pages = house.store._one("PRAGMA page_count")
    with house.store._lock:
        house.store._db.execute(f"PRAGMA max_page_count = {pages}")
    outcomes, _ = gathered(house, [(ticket(number), "") for number in range(8)])
    assert set(outcomes) == {Outcome.NOT_SAVED}
    assert (house.store.acknowledged(), house.store.spent()) == (0, frozenset())


def test_an_error_that_nobody_foresaw_is_the_answer_of_its_forms_and_the_next_ones_are_kept(house):
    real, house.store.take = house.store.take, lambda forms, **how: 1 / 0
    with pytest.raises(ZeroDivisionError):
        house.collector.send(ticket(1), "", "de", {})
    house.store.take = real
    assert house.collector.send(ticket(1), "", "de", {}) is Outcome.TAKEN
    house.collector._cutting = Future()
    house.collector._cutting.set_exception(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        house.collector.send(ticket(2), "", "de", {})
    assert house.collector.send(ticket(2), "", "de", {}) is Outcome.TAKEN


# Behind.


def test_while_the_disk_stands_still_people_get_their_form_back_and_it_counts_once(house, monkeypatch):
    monkeypatch.setattr(web, "PATIENCE_S", 0.2)

    async def run():
        async with house.client() as client:
            with house.store._lock:
                first, second = await asyncio.gather(*(client.post("/send", data=form(number, help="mehr Licht")) for number in (1, 2)))
            return first, second, [await client.post("/send", data=hidden(first.text) | {"age": "65_up"}) for _ in range(2)]

    first, second, again = asyncio.run(run())
    for response in (first, second):
        assert (response.status_code, response.headers["retry-after"]) == (503, "60")
        assert "Bitte drücken Sie in einer Minute noch einmal auf „Absenden“" in response.text
        assert 'value="65_up" checked' in response.text
    words = house.q.words["de"].interface
    assert [one.status_code for one in again] == [200, 200]
    assert words["already"] in again[1].text
    # The form that was being kept when its sender stopped waiting may be kept all the same: sent again it says so, and counts once.
    assert house.store.acknowledged() in {1, 2}
    assert house.store.acknowledged() == sum(1 for _ in house.store.spent())


def late(monkeypatch):
    """A loop whose turn takes too long by now."""
    monkeypatch.setattr(web.Lateness, "behind", lambda self: True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_comes_while_the_server_is_behind_has_the_whole_form_back_unread(house, monkeypatch, language):
    code = house.codes(1)[0]
    sent = form(1, lang=language, code=code, help='"><b>Größe & Maß</b> 100 %\r\nالسلام')

    async def run():
        async with house.client() as client:
            with monkeypatch.context() as patch:
                late(patch)
                back = await client.post("/send", data=sent)
                # Pressed again while it is still behind, it comes back as it was.
                again = await client.post("/send", data=hidden(back.text))
            return back, again, await client.post("/send", data=hidden(again.text))

    back, again, thanked = asyncio.run(run())
    words = house.q.words[language].interface
    assert (back.status_code, back.headers["retry-after"], back.headers["cache-control"]) == (503, "60", "no-store")
    assert html.escape(words["busy"]) in back.text or words["busy"] in html.unescape(back.text)
    assert f'<html lang="{language}"' in back.text
    assert "<b>" not in back.text
    assert again.text == back.text
    assert thanked.status_code == 200
    assert words["thanks_text"] in html.unescape(thanked.text)
    assert house.store.acknowledged() == 1


def test_a_page_on_the_way_comes_back_to_where_it_was_sent(house, monkeypatch):
    async def run():
        async with house.client() as client:
            with monkeypatch.context() as patch:
                late(patch)
                back = await client.post("/page", data=form(1, at="2", go="next"))
                begun = await client.get("/")
            return back, begun, await client.post("/page", data=hidden(back.text))

    back, begun, on = asyncio.run(run())
    assert 'action="/page"' in back.text
    assert begun.status_code == 200
    assert on.status_code == 200
    assert hidden(on.text)["age"] == ["65_up"]


@pytest.mark.parametrize(
    "sent",
    [
        '"><script>alert(1)</script>',
        "form=%22%3E%3Cscript%3E",
        "form=",
        "form=a&b=c",
        "form=%ff",
        "lang=../etc",
        "x" * 600_000,
        "ä&lang=xx",
    ],
)
def test_hostile_forms_are_no_more_when_they_come_back(house, monkeypatch, sent):
    late(monkeypatch)

    async def run():
        async with house.client() as client:
            return await client.post("/send", content=sent.encode())

    response = asyncio.run(run())
    assert response.status_code in {400, 413, 503}
    assert "<script>" not in response.text
    assert not re.search(r'value="[^"]*[<>]', response.text)


def test_more_than_may_wait_for_the_disk_are_sent_back_at_once(house, monkeypatch):
    monkeypatch.setattr(service, "WAITING", 3)
    assert WAITING > 400

    async def run():
        async with house.client() as client:
            with house.store._lock:
                tasks = [asyncio.create_task(client.post("/send", data=form(number))) for number in range(12)]
                done, _ = await asyncio.wait(tasks, timeout=3)
                early = [one.result().status_code for one in done]
            return early, [(await one).status_code for one in tasks]

    early, all_ = asyncio.run(run())
    assert set(early) == {503}
    assert len(early) >= 5
    assert all_.count(200) == house.store.acknowledged() == 12 - len(early)


def test_a_turn_of_the_loop_that_takes_too_long_is_seen_while_it_lasts(house):
    lateness = web.Lateness()

    async def run():
        found = [lateness.behind()]
        time.sleep(1.2)  # noqa: ASYNC251 - what a turn full of forms does
        found.append(lateness.behind())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return [*found, lateness.behind()]

    assert asyncio.run(run()) == [False, True, False]
