"""The field: pages without script, three doors, codes once, nothing readable and nothing that links; hostile input."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import http.client
import json
import os
import random
import re
import secrets
import shutil
import subprocess
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest
from benchmarks.survey_kills import found, killed
from click.testing import CliRunner

from stimmungsbild.cli import main
from stimmungsbild.collection.busy import LARGEST_FORM
from stimmungsbild.collection.folder import create, end, facts_of, load, map_of, open_store
from stimmungsbild.collection.letters import make_codes, print_letters
from stimmungsbild.collection.model import Answer, Door, Outcome, Sealed
from stimmungsbild.collection.monitor import read_margins, standing
from stimmungsbild.collection.rules import (
    ALPHABET,
    BLOCK,
    MOST_WORK,
    Bucket,
    draw_code,
    hashed,
    pad,
    printed,
    read_code,
    rounded,
    unpad,
    wanting,
)
from stimmungsbild.collection.service import OPEN_AT_ONCE, WRONG_CODES_AT_ONCE
from stimmungsbild.collection.store import BATCH
from stimmungsbild.collection.web import Pages, language_of
from stimmungsbild.demo.run import free_port, prepare, serving
from stimmungsbild.errors import FieldError, MarginsError
from stimmungsbild.keys.service import open_evaluation, unseal
from stimmungsbild.questionnaire.model import LANGUAGES, RIGHT_TO_LEFT
from tests.conftest import ROOT, often
from tests.survey.house import PEOPLE, House, hidden, walk


def ticket(number: int) -> str:
    return f"{number:032x}"


def opened(house: House) -> list[Answer]:
    """Everything that was taken so far, as two holders read it."""
    key = open_evaluation(house.key, *[(house.people[name], PEOPLE[name]) for name in ("institut", "datenschutz")])
    house.store.shuffle()
    texts = [unseal(key, one) for one in house.store.answers()]
    return [msgspec.json.decode(unpad(text), type=Answer) for text in texts if text is not None]


def go(coroutine):
    return asyncio.run(coroutine)


# Codes.


def test_a_code_reads_as_it_was_typed_by_people():
    code = draw_code(secrets.randbelow)
    assert read_code(printed(code).lower()) == code
    assert read_code(f"  {printed(code).replace('-', ' – ')}") == code
    assert read_code(code.replace("0", "O").replace("1", "l")) == code


def test_one_wrong_sign_or_two_that_changed_places_are_found_without_asking():
    chance = random.Random(7)
    for _ in range(often(40, 400)):
        code = draw_code(chance.randrange)
        at = chance.randrange(len(code) - 1)
        other = chance.choice([one for one in ALPHABET if abs(ALPHABET.index(one) - ALPHABET.index(code[at])) % 31])
        assert read_code(code[:at] + other + code[at + 1 :]) is None
        swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
        pair = ALPHABET.index(code[at]), ALPHABET.index(code[at + 1])
        if at < 12 and (pair[0] - pair[1]) % 31:
            assert read_code(swapped) is None


@pytest.mark.parametrize("typed", ["", "x", "A" * 15, "A" * 100_000, "ÄÖÜ" * 5, "\x00" * 14, "' OR 1=1 --14"])
def test_what_is_no_code_is_none(typed):
    assert read_code(typed) is None


def test_codes_are_kept_as_hashes_under_the_fields_own_key(house):
    code = house.codes(1)[0]
    assert hashed(house.field.pepper, "code", code) != hashed(secrets.token_bytes(32), "code", code)
    assert hashed(house.field.pepper, "code", code) != hashed(house.field.pepper, "ticket", code)
    house.store.shuffle()
    everything = b"".join(path.read_bytes() for path in house.folder.iterdir())
    assert code.encode() not in everything
    assert printed(code).encode() not in everything


def test_letters_carry_each_code_once_and_nothing_that_tells_them_apart(house):
    import pikepdf

    codes = house.codes(3)
    pdf = print_letters(house.q, codes, "https://umfrage.example.org")
    path = house.folder / "letters.pdf"
    path.write_bytes(pdf)
    with pikepdf.open(path) as found:
        assert len(found.pages) == 3
        assert found.Root.MarkInfo.Marked
    text = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout
    pages = [page for page in text.split("\f") if page.strip()]
    assert [sum(printed(code) in page for page in pages) for code in codes] == [1, 1, 1]
    assert len({page.replace(printed(code), "") for page, code in zip(pages, codes, strict=True)}) == 1


@pytest.mark.parametrize("odd", ["\u202e", "💥" * 3, "\u0007", "𓀀 ☃"])
def test_no_sign_in_the_institutes_words_keeps_letters_from_being_printed(house, odd):
    words = house.q.words["de"]
    odd_words = msgspec.structs.replace(words, interface={**words.interface, "title": f"Umfrage {odd} 2026"})
    q = msgspec.structs.replace(house.q, words={**house.q.words, "de": odd_words})
    assert print_letters(q, house.codes(1), "https://umfrage.example.org").startswith(b"%PDF")


# The pages.


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_form_works_without_script_in_every_language(house, language):
    async def run():
        async with house.client() as client:
            return await walk(client, language, "", random.Random(3), "mehr Licht")

    responses = go(run())
    assert [one.status_code for one in responses] == [200] * len(responses)
    assert 12 <= len(responses) <= 13, "the page about the police is left out where nothing happened"
    texts = [one.text for one in responses]
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    assert all(f'<html lang="{language}" dir="{direction}">' in text for text in texts)
    own = '<script src="/survey.js" defer></script>'
    assert not any("<script" in text.replace(own, "") or "javascript:" in text or " on" + "click" in text for text in texts)
    words = house.q.words[language].interface
    assert words["thanks_text"] in texts[-1]
    (answer,) = opened(house)
    assert (answer.door, answer.language, answer.day, answer.burst) == (Door.OPEN, language, "2026-12-01", False)
    assert answer.values["help"] == "mehr Licht"
    assert len(answer.values) >= 42


def test_no_page_is_larger_than_sixty_kilobytes_with_its_styles(house):
    async def run():
        async with house.client() as client:
            besides = [await client.get("/survey.css"), await client.get("/survey.js")]
            return besides, await walk(client, "ar", "", random.Random(1), "x" * 1000)

    besides, pages = go(run())
    assert max(len(gzip.compress(one.content)) for one in pages) + sum(len(gzip.compress(one.content)) for one in besides) < 20_000
    assert max(len(one.content) for one in pages) + sum(len(one.content) for one in besides) < 60_000


def test_every_control_has_its_name_and_every_group_its_legend(house):
    async def run():
        async with house.client() as client:
            return await walk(client, "de", "", random.Random(2))

    for page in go(run()):
        text = page.text
        for name in re.findall(r'<(?:textarea|select)[^>]* id="([^"]+)"', text):
            assert f'<label for="{name}">' in text
        assert text.count("<fieldset") == text.count("<legend>")
        assert text.count('type="radio"') + text.count('type="checkbox"') == text.count('<label class="choice')
        assert text.count("<h1>") == 1


def test_answers_have_the_headers_that_keep_a_page_to_itself(house):
    async def run():
        async with house.client() as client:
            return [await client.get("/"), await client.get("/nothing"), await client.post("/page", data={})]

    for response in go(run()):
        assert response.headers["content-security-policy"].startswith(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action"
        )
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    ("asked", "accepted", "found"),
    [("tr", "de", "tr"), (None, "uk-UA,uk;q=0.9", "uk"), (None, "fr, ar-SY;q=0.5", "ar"), ("../etc", "", "de"), (None, "*", "de")],
)
def test_languages(asked, accepted, found):
    assert language_of(asked, accepted) == found


def test_going_back_loses_nothing(house):
    async def run():
        async with house.client() as client:
            first = await client.get("/")
            walkers = await client.post("/page", data={**hidden(first.text), "go": "next"})
            places = await client.post("/page", data={**hidden(walkers.text), "area_day": "very_unsafe", "go": "next"})
            again = await client.post("/page", data={**hidden(places.text), "place_mall": "rather_safe", "go": "back"})
            forth = await client.post("/page", data={**hidden(again.text), "area_day": "very_unsafe", "go": "next"})
            start = await client.post("/page", data={**hidden(again.text), "go": "back"})
            return again.text, forth.text, start.text

    again, forth, start = go(run())
    assert 'name="area_day" value="very_unsafe" checked' in again
    assert 'name="place_mall" value="rather_safe"' in again
    assert 'name="place_mall" value="rather_safe" checked' in forth
    assert 'name="code"' in start
    assert hidden(start)["place_mall"] == ["rather_safe"], "the first page keeps it as well"


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE answers; --",
    "{{ 7*7 }}{% include 'x' %}",
    "\u202egnp.exe\x00\x1b[31m",
    "\ud83d".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    "ا" * 1000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_an_answer_and_nothing_else(house, text):
    async def run():
        async with house.client() as client:
            return await walk(client, "de", "", random.Random(4), text)

    responses = go(run())
    assert responses[-1].status_code == 200
    for one in responses:
        assert "<script>alert" not in one.text
        assert "<img" not in one.text
    (answer,) = opened(house)
    assert answer.values["help"] == "".join(c for c in text if c not in "\u202e\x00\x1b")


def test_a_text_that_is_too_long_comes_back_whole_and_nothing_is_lost(house):
    async def run(text):
        async with house.client() as client:
            data = {"lang": "en", "ticket": ticket(1), "at": "2", "go": "next", "area_day": "very_safe", "help": text}
            return await client.post("/page", data=data), await client.post("/send", data={**data, "at": "10"})

    for response in go(run("x" * 100_000)):
        assert response.status_code == 413
        assert "longer than 1000 characters" in response.text
        assert 'name="area_day" value="very_safe"' in response.text
        assert "x" * 100_000 in response.text
    for response in go(run("x" * (LARGEST_FORM + 1))):
        assert response.status_code == 413
        assert "x" * 100 not in response.text


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"lang": "xx"},
        {"ticket": "x"},
        {"at": "99"},
        {"at": "-7"},
        {"at": "zwei"},
        {"area_day": "<b>"},
        {"unsafe_places": "nowhere"},
        {f"x{number}": "y" for number in range(500)},
    ],
)
def test_forms_that_are_not_ours_are_refused_with_words(house, data):
    async def run():
        async with house.client(**{"accept-language": "de"}) as client:
            whole = {"lang": "de", "ticket": ticket(1), "at": "0", "go": "next"} if data else {}
            return [await client.post(path, data={**whole, **data}) for path in ("/page", "/send")]

    for response in go(run()):
        assert response.status_code == 400
        assert "Bitte beginnen Sie noch einmal" in response.text
    assert house.store.acknowledged() == 0


def test_bytes_that_are_no_text_are_refused(house):
    async def run():
        async with house.client() as client:
            return await client.post("/send", content=b"\xff\xfe\x00" * 10)

    assert go(run()).status_code == 400


# Doors and codes.


def test_three_doors_are_kept_apart(house):
    letter, outreach = house.codes(1)[0], house.codes(1, Door.OUTREACH)[0]
    for number, code in enumerate((letter, outreach, "")):
        assert house.collector.send(ticket(number), code, "de", {"sex": "male"}) is Outcome.TAKEN
    assert sorted(one.door.value for one in opened(house)) == ["open", "outreach", "register"]


def test_a_code_is_spent_once_and_a_form_sent_twice_counts_once(house):
    code = house.codes(1)[0]
    assert house.collector.send(ticket(1), code, "de", {}) is Outcome.TAKEN
    assert house.collector.send(ticket(1), code, "de", {}) is Outcome.ALREADY, "the page was sent again"
    assert house.collector.send(ticket(2), code, "de", {}) is Outcome.REFUSED, "another tab, or another person"
    assert house.collector.send(ticket(3), "", "de", {}) is Outcome.TAKEN
    assert house.collector.send(ticket(3), "", "de", {}) is Outcome.ALREADY
    assert house.store.acknowledged() == len(opened(house)) == 2


def test_spent_altered_and_made_up_codes_are_answered_alike(house):
    spent = house.codes(1)[0]
    house.collector.send(ticket(1), spent, "de", {})
    typed = [spent, draw_code(secrets.randbelow), spent[:-1] + ("0" if spent[-1] != "0" else "1")]

    async def run():
        async with house.client() as client:
            starts = [await client.post("/page", data={"lang": "de", "ticket": ticket(2), "at": "-1", "code": one}) for one in typed]
            ends = [
                await client.post("/send", data={"lang": "de", "ticket": ticket(2), "at": "10", "code": one, "age": "65_up"})
                for one in typed
            ]
            return starts, ends

    for responses in go(run()):
        assert {one.status_code for one in responses} == {403}
        assert len({one.text.replace(code, "CODE") for one, code in zip(responses, typed, strict=True)}) == 1
        assert "Ihre Antworten auf dieser Seite sind nicht verloren" in responses[0].text
    assert 'value="65_up" checked' in responses[0].text


def test_guessing_is_slowed_down_for_the_whole_field(house):
    right = house.codes(1)[0]
    for _ in range(WRONG_CODES_AT_ONCE):
        assert house.collector.door(draw_code(secrets.randbelow)) is Outcome.REFUSED
    assert house.collector.door(draw_code(secrets.randbelow)) is Outcome.TOO_MANY_CODES
    assert house.collector.door(right) is Outcome.TOO_MANY_CODES, "else the limit would tell right codes from wrong ones"
    assert house.collector.door("") is Door.OPEN
    house.time.now += 1
    assert house.collector.door(right) is Door.REGISTER


def test_a_bucket_fills_with_time():
    now = [0.0]
    bucket = Bucket(60, 2, lambda: now[0])
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now[0] = 1.0
    assert [bucket.take() for _ in range(2)] == [True, False]


def test_a_burst_at_the_open_door_is_marked_and_kept(house):
    code = house.codes(1)[0]
    for number in range(OPEN_AT_ONCE + 3):
        assert house.collector.send(ticket(number), "", "de", {}) is Outcome.TAKEN
    assert house.collector.send(ticket(9999), code, "de", {}) is Outcome.TAKEN
    found = opened(house)
    assert sum(one.burst for one in found) == 3
    assert not any(one.burst for one in found if one.door is Door.REGISTER)


def solved(house: House, number: int) -> str:
    """As a browser finds it: by trying."""
    one = house.collector.challenge(ticket(number))
    found = next(n for n in range(MOST_WORK + 1) if hashlib.sha256(f"{one.salt}{n}".encode()).hexdigest() == one.challenge)
    said = {"algorithm": "SHA-256", "challenge": one.challenge, "number": found, "salt": one.salt, "signature": one.signature}
    return base64.b64encode(json.dumps(said).encode()).decode()


def test_work_that_was_done_is_seen_and_whoever_did_none_is_taken_all_the_same(house):
    for number in range(OPEN_AT_ONCE):
        house.collector.send(ticket(number), "", "de", {})
    done, other = solved(house, 1000), solved(house, 2000)
    altered = base64.b64encode(base64.b64decode(done).replace(b'"number": ', b'"number": 1')).decode()
    wrong = [other, altered, "", "x", "e30=", done[:-4], base64.b64encode(b"[1]").decode(), "ü"]
    assert house.collector.send(ticket(1000), "", "de", {}, done) is Outcome.TAKEN
    for number, solution in enumerate(wrong, 1001):
        assert house.collector.send(ticket(number), "", "de", {}, solution) is Outcome.TAKEN
    bursts = [one for one in opened(house) if one.burst]
    assert len(bursts) == 1 + len(wrong)
    assert sum(one.worked for one in bursts) == 1


def test_the_open_door_asks_for_work_on_its_last_page_and_a_letter_does_not(house):
    code = house.codes(1)[0]

    async def run():
        async with house.client() as client:
            data = {"lang": "de", "ticket": ticket(7), "at": "9", "go": "next"}
            return [(await client.post("/page", data={**data, "code": one})).text for one in ("", code)]

    asked_, letter = go(run())
    assert 'name="altcha"' in asked_
    assert house.collector.challenge(ticket(7)).challenge in asked_
    assert str(house.collector.challenge(ticket(7)).number) not in re.findall(r'data-\w+="([^"]*)"', asked_)
    assert 'name="altcha"' not in letter
    assert house.collector.challenge(ticket(8)) != house.collector.challenge(ticket(7))


@pytest.mark.later
def test_the_script_is_small_typed_and_the_built_one(tmp_path):
    committed = (ROOT / "src/stimmungsbild/collection/static/survey.js").read_bytes()
    assert len(committed) < 6_000
    assert not re.search(rb"https?://|cookie|sendBeacon|fetch\(", committed)
    binaries, source = ROOT / "node_modules/.bin", "src/stimmungsbild/collection/ts"
    if not (binaries / "esbuild").exists() or shutil.which("node") is None:
        pytest.skip("the front-end tools are not installed (npm ci)")
    options = ["--bundle", "--minify", "--target=es2022", "--format=esm", f"--outfile={tmp_path / 'built.js'}"]
    for command in ([binaries / "esbuild", f"{source}/survey.ts", *options], [binaries / "tsc", "--noEmit", "-p", source]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "built.js").read_bytes() == committed, "run `npm run build`"


PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 400"><path d="M0 200H600M300 0V400" stroke="#888"/></svg>'


def test_a_field_shows_its_own_picture_of_the_town_and_takes_squares(house):
    async def run(pages):
        house.pages = pages
        async with house.client() as client:
            data = {"lang": "de", "ticket": ticket(7), "at": "1", "go": "next", "unsafe_squares": ["100mN29300E41200", "100mN29301E41200"]}
            return (await client.post("/page", data=data)).text, await client.get("/map.svg")

    without, missing = go(run(house.pages))
    assert 'id="map"' not in without
    assert missing.status_code == 404
    words = ["field", "map", "--field", str(house.folder), "--picture", str(house.folder / "town.svg"), "--wide", "60", "--high", "40"]
    (house.folder / "town.svg").write_bytes(PICTURE)
    said = CliRunner().invoke(main, [*words, "--square", "100mN29280E41180"])
    assert said.exit_code == 0, said.output
    page, picture = go(run(Pages(house.q, house.collector, facts_of(house.folder), picture=map_of(house.folder))))
    assert 'data-east="41180" data-north="29280" data-wide="60" data-high="40" data-most="3"' in page
    assert hidden(page)["unsafe_squares"] == ["100mN29300E41200", "100mN29301E41200"]
    assert (picture.content, picture.headers["content-type"]) == (PICTURE, "image/svg+xml")
    assert "no name of a 100 m square" in CliRunner().invoke(main, [*words, "--square", "49.44,7.77"]).output
    (house.folder / "town.svg").write_bytes(b"GIF89a")
    assert "the picture is an SVG" in CliRunner().invoke(main, [*words, "--square", "100mN29280E41180"]).output


# What the disk shows.


def test_no_answer_and_no_code_can_be_read_from_the_fields_folder(house):
    codes = house.codes(30)
    for number, code in enumerate(codes):
        house.collector.send(ticket(number), code, "tr", {"help": f"Geheimnis-{number}", "district": "erlenbach"})
    everything = b"".join(path.read_bytes() for path in house.folder.iterdir())
    assert b"Geheimnis" not in everything
    assert not any(code.encode() in everything for code in codes)
    sizes = {len(one) for one in house.store.answers()}
    assert sizes <= {BLOCK + 48}, "all of one size, whatever was written"


def told(memory: int, words: bytes) -> int:
    """How often something stands in what a process may write to. Its parent may look, whatever the kernel thinks of others."""
    found = 0
    with Path(f"/proc/{memory}/maps").open(encoding="ascii") as maps, Path(f"/proc/{memory}/mem").open("rb") as image:
        for line in maps:
            (start, _, end), rights = line.split()[0].partition("-"), line.split()[1]
            if rights.startswith("rw"):
                image.seek(int(start, 16))
                found += len(re.findall(words, image.read(int(end, 16) - int(start, 16))))
    return found


def test_no_answer_can_be_read_from_the_memory_of_a_server_that_runs(tmp_path):
    """A real server takes forms, some of them page by page; once they are thanked its memory is searched."""
    field, port = prepare(tmp_path), free_port()
    with serving(field, port) as server:
        for number in range(40):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            form = {"lang": "de", "ticket": ticket(number), "at": "10", "area_day": "very_safe", "help": f"Geheimnis-{number:04d}"}
            for path in ("/page", "/send") if number % 3 == 0 else ("/send",):
                connection.request("POST", path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
                answer = connection.getresponse()
                assert (answer.status, b"<html" in answer.read()) == (200, True)
            connection.close()
        connection.request("GET", "/")
        assert connection.getresponse().read()
        connection.close()
        assert told(server, rb"area_day") > 0, "what it knows is found"
        assert told(server, rb"Geheimnis-\d{4}") == 0


def correlation(places: list[int]) -> float:
    """Spearman's between where things lie and the order in which they came."""
    assert min(places) > 0
    n, order = len(places), {place: at for at, place in enumerate(sorted(places))}
    d = sum((order[place] - number) ** 2 for number, place in enumerate(places))
    return 1 - 6 * d / (n * (n * n - 1))


def test_spent_codes_and_answers_lie_in_no_common_order_on_the_disk(house, monkeypatch):
    """Where in the file each spent hash and each answer begins, beside the order in which they came: no better than chance."""
    came = []
    real = house.store.take
    monkeypatch.setattr(house.store, "take", lambda forms, **how: came.extend(forms) or real(forms, **how))
    n = often(300, 5000)
    for number, code in enumerate(house.codes(n)):
        house.time.now += 0.1
        assert house.collector.send(ticket(number), code, "de", {}) is Outcome.TAKEN
    assert house.store._one("SELECT count(*) FROM inbox") < BATCH, "batches were shuffled meanwhile"
    log, file = house.folder / "answers.db-wal", house.folder / "answers.db"
    house.store.shuffle()
    assert not log.stat().st_size
    raw = file.read_bytes()
    # The hash of a form stands nowhere but in `spent`; that of a code stands in `codes` too, as it was drawn.
    assert abs(correlation([raw.find(one.ticket) for one in came])) < 4 / n**0.5, "while the field runs"
    house.store.close_field()
    assert not log.stat().st_size
    raw = file.read_bytes()
    spent = [raw.find(one.ticket) for one in came]
    answers = [raw.find(one.sealed[:200]) for one in came]
    assert abs(correlation(spent)) < 4 / n**0.5
    assert abs(correlation(answers)) < 4 / n**0.5
    nearest = sorted(range(n), key=spent.__getitem__), sorted(range(n), key=answers.__getitem__)
    assert sum(a == b for a, b in zip(*nearest, strict=True)) < 10, "one right by chance is what to expect"


# Ends.


def test_a_closed_field_says_so_everywhere_and_takes_nothing(house):
    house.collector.send(ticket(1), "", "de", {})
    house.store.close_field()

    async def run():
        async with house.client() as client:
            data = {"lang": "ar", "ticket": ticket(2), "at": "10", "go": "next"}
            return [await client.get("/?lang=ar"), await client.post("/page", data=data), await client.post("/send", data=data)]

    for response in go(run()):
        assert response.status_code == 410
        assert house.q.words["ar"].interface["closed"] in response.text
    assert house.store.acknowledged() == 1


def test_all_that_leaves_a_field_is_sealed(house, tmp_path):
    letters = house.codes(2)
    house.collector.send(ticket(1), letters[0], "de", {"help": "Geheimnis"})
    house.store.close()
    sealed, digest = end(house.folder, tmp_path / "answers.sealed", secrets.token_bytes)
    assert (sealed.acknowledged, sealed.letters, len(sealed.answers)) == (1, {Door.REGISTER: 2}, 1)
    data = (tmp_path / "answers.sealed").read_bytes()
    assert b"Geheimnis" not in data
    assert msgspec.json.decode(data, type=Sealed) == sealed
    assert len(digest) == 64


def test_a_full_disk_loses_nothing_that_was_acknowledged_and_says_so(house):
    assert house.collector.send(ticket(1), "", "de", {}) is Outcome.TAKEN
    pages = house.store._one("PRAGMA page_count")
    with house.store._lock:
        house.store._db.execute(f"PRAGMA max_page_count = {pages}")

    async def run():
        async with house.client() as client:
            return await client.post("/send", data={"lang": "en", "ticket": ticket(2), "at": "10", "age": "16_29"})

    response = go(run())
    assert response.status_code == 503
    assert response.headers["retry-after"] == "60"
    assert "could not be stored just now" in response.text
    assert 'value="16_29" checked' in response.text
    with house.store._lock:
        house.store._db.execute("PRAGMA max_page_count = 100000")
    assert go(run()).status_code == 200
    assert house.store.acknowledged() == len(opened(house)) == 2


def test_killed_at_any_moment_what_was_acknowledged_is_there_once(house):
    """SIGKILL while forms come in and are shuffled; the benchmark does it two hundred times."""
    house.store.close()
    rounds = often(5, 50)
    acknowledged = killed(house.folder, rounds, random.Random(11))
    assert len(acknowledged) >= rounds
    house.store = open_store(house.folder, secrets.token_bytes)
    shown = found(house.folder, [str(one.values["help"]) for one in opened(house)], acknowledged)
    assert {key: value for key, value in shown.items() if key not in {"acknowledged", "there"}} == {
        "lost": 0,
        "twice": 0,
        "answers_without_their_form": 0,
        "spent_without_an_answer": 0,
    }


# The folder, and what may be known meanwhile.


def test_a_field_begins_once_and_goes_on_with_its_own_questionnaire(house, tmp_path):
    with pytest.raises(FieldError, match="is a field already"):
        create(house.folder, house.key, None, None, secrets.token_bytes)
    with pytest.raises(FieldError, match="no field"):
        load(tmp_path)
    other = msgspec.structs.replace(house.field, questionnaire="0" * 64)
    (house.folder / "field.json").write_bytes(msgspec.json.encode(other))
    with pytest.raises(FieldError, match="another one than the field began with"):
        load(house.folder)


def test_a_server_gets_no_part_of_the_evaluations_secret(house):
    text = (house.folder / "field.json").read_bytes()
    assert all(pair.box not in text and msgspec.json.encode(pair.box) not in text for pair in house.key.pairs)


def test_the_monitor_shows_whole_tens_and_nothing_below():
    totals = {Door.OPEN: {"age": {"16_29": 9, "30_44": 10, "65_up": 127}}}
    assert rounded(totals) == {"open": {"age": {"30_44": 10, "65_up": 120}}}


def test_the_monitor_stands_still_for_a_week(house):
    for number in range(12):
        house.collector.send(ticket(number), "", "de", {"age": "65_up"})
    monday, sunday, next_week = date(2026, 11, 30), date(2026, 12, 6), date(2026, 12, 7)
    first = standing(house.folder, None, monday, secrets.token_bytes)
    assert first["answers"]["open"] == {"all": {"all": 10}, "age": {"65_up": 10}, "language": {"de": 10}}
    for number in range(12, 30):
        house.collector.send(ticket(number), "", "de", {"age": "65_up"})
    assert standing(house.folder, None, sunday, secrets.token_bytes) == first
    assert standing(house.folder, None, next_week, secrets.token_bytes)["answers"]["open"]["age"] == {"65_up": 30}


def test_outreach_is_due_where_a_stratum_is_short_of_its_share(tmp_path):
    (tmp_path / "margins.csv").write_text("margin,category,people\nage,16_29,300\nage,65_up,700\n", encoding="utf-8")
    margins = read_margins(tmp_path / "margins.csv")
    assert wanting({"age": {"16_29": 20, "65_up": 80}}, margins) == {"age": ["16_29"]}
    assert wanting({"age": {"16_29": 30, "65_up": 70}}, margins) == {}
    assert wanting({}, margins) == {}, "nobody answered yet"


@pytest.mark.parametrize("rows", ["", "margin,category\nage,x", "margin,category,people\nage,x,viele", "margin,category,people\na,b,-1"])
def test_margins_that_are_none_are_refused(tmp_path, rows):
    (tmp_path / "m.csv").write_text(f"{rows}\n", encoding="utf-8")
    with pytest.raises(MarginsError, match=r"m\.csv"):
        read_margins(tmp_path / "m.csv")


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK + 5])
def test_padding(size):
    text = os.urandom(size)
    assert unpad(pad(text)) == text
    assert len(pad(text)) % BLOCK == 0


def test_commands_lead_from_keys_to_the_sealed_file(tmp_path):
    def run(*words, fails=0):
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == fails, result.output
        return result.output

    for name in ("institut", "stadt"):
        run("keys", "holder", name, tmp_path / f"{name}.json", "--passphrase", PEOPLE[name])
    holders = [part for name in ("institut", "stadt") for part in ("--holder", tmp_path / f"{name}.json")]
    run("keys", "evaluation", tmp_path / "key.json", *holders)
    create_it = ["field", "create", "--field", tmp_path / "field", "--key", tmp_path / "key.json"]
    assert "a field needs its facts file" in run(*create_it, fails=1)
    assert "a demonstration" in run(*create_it, "--demo")
    assert "is a field already" in run(*create_it, "--demo", fails=1)
    letters = ["--door", "register", "--count", 3, "--address", "https://umfrage.example.org", "--letters", tmp_path / "letters.pdf"]
    assert "with 3 codes" in run("field", "codes", "--field", tmp_path / "field", *letters)
    assert json.loads(run("field", "monitor", "--field", tmp_path / "field"))["answers"] == {}
    assert "0 answers, sha256" in run("field", "close", "--field", tmp_path / "field", "--out", tmp_path / "answers.sealed", "--yes")
    assert "no field" in run("field", "monitor", "--field", tmp_path / "nowhere", fails=1)


def test_codes_of_a_second_letter_are_other_codes(house):
    assert not set(house.codes(50)) & set(house.codes(50))
    assert house.store.letters() == {Door.REGISTER: 100}
    assert len(make_codes(house.field, house.store, Door.OUTREACH, 5, secrets.randbelow)) == 5
