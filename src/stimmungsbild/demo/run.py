"""The demonstration: keys, letters, a real server, a few hundred answers in fast motion, the end, two keys, the report beside the truth."""

from __future__ import annotations

import csv
import http.client
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import nacl.pwhash.argon2id as argon
import numpy as np

from stimmungsbild.collection.folder import create, end, load, open_store, write_private
from stimmungsbild.collection.letters import make_codes, print_letters
from stimmungsbild.collection.model import Door
from stimmungsbild.demo.town import PEOPLE, Town, answers_of, come, register, sample, town, unsafe
from stimmungsbild.errors import FieldError
from stimmungsbild.evaluation.room import HEADLINES
from stimmungsbild.keys.files import write_key
from stimmungsbild.keys.service import make_evaluation, make_holder
from stimmungsbild.publication.model import Figures
from stimmungsbild.publication.office import publish
from stimmungsbild.questionnaire.io import earlier_wave
from stimmungsbild.questionnaire.model import LANGUAGES, Questionnaire

HOLDERS: Mapping[str, str] = {"institut": "vier blaue Stühle im Hof", "datenschutz": "sieben rote Steine am Bach"}
LETTERS, ANSWERING, OPEN = 1500, 0.42, 700
_READY_S = 30.0
Say = Callable[[str], None]


def free_port() -> int:
    """A port of the loopback that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving(field: Path, port: int) -> Iterator[int]:
    """The real server, in a process of its own, until the block ends; its number."""
    command = [sys.executable, "-m", "stimmungsbild.cli", "field", "serve", "--field", str(field), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(port, server)
            yield server.pid
        finally:
            server.terminate()


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until and server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise FieldError("the collection server did not start")


def answer(port: int, codes: tuple[str, ...], people: list[tuple[str, dict[str, list[str]]]]) -> int:
    """Everybody of `people` (language, answers) sends their form, with a code each where there are codes; how many were thanked."""
    connection, thanked = http.client.HTTPConnection("127.0.0.1", port, timeout=30), 0
    for number, (language, values) in enumerate(people):
        form = {"lang": language, "ticket": secrets.token_hex(16), "code": codes[number] if codes else "", "at": "10", **values}
        connection.request("POST", "/send", urlencode(form, doseq=True), {"Content-Type": "application/x-www-form-urlencoded"})
        response = connection.getresponse()
        response.read()
        thanked += response.status == 200
    connection.close()
    return thanked


def _people(q: Questionnaire, everybody: Town, who: Iterator[int], chance: np.random.Generator) -> list[tuple[str, dict[str, list[str]]]]:
    languages = list(LANGUAGES)
    return [(languages[min(int(chance.exponential(0.6)), len(languages) - 1)], answers_of(q, everybody, one)) for one in who]


def prepare(folder: Path) -> Path:
    """Keys of two holders, the evaluation's key, and a field in `folder`; the field."""
    folder.mkdir(parents=True, exist_ok=True)
    # Passphrases that stand in public source protect nothing, so argon2id need not be costly here.
    keys = [make_holder(name, words, secrets.token_bytes, argon.OPSLIMIT_MIN, argon.MEMLIMIT_MIN) for name, words in HOLDERS.items()]
    for key in keys:
        write_key(folder / f"{key.holder}.json", key)
    evaluation = make_evaluation(keys, secrets.token_bytes)
    write_key(folder / "evaluation.json", evaluation)
    create(folder / "field", evaluation, None, None, secrets.token_bytes)
    return folder / "field"


def run(
    folder: Path, seed: int, say: Say, letters: int = LETTERS, open_: int = OPEN, people: int = PEOPLE
) -> tuple[Figures, dict[str, float]]:
    """The whole story in `folder`; the figures, and the truth of each headline."""
    chance, port = np.random.default_rng(seed), free_port()
    field = prepare(folder)
    made, q = load(field)
    everybody = town(q, chance, people)
    say("a demonstration: a real field begins only once its own papers are there (`stimmungsbild papers check`)")
    say(f"a simulated town of {len(everybody.annoyed)} people aged 16 and over; two holders' keys; a field {made.id[:8]}")
    store = open_store(field, secrets.token_bytes)
    try:
        codes = make_codes(made, store, Door.REGISTER, letters, secrets.randbelow)
    finally:
        store.close()
    write_private(folder / "letters.pdf", print_letters(q, codes[:3], "https://umfrage.example.org"))
    say(f"{letters} letters with codes drawn blind (three of them printed: {folder / 'letters.pdf'})")
    drawn, came = sample(everybody, letters, ANSWERING, chance), come(everybody, open_, chance)
    start = time.monotonic()
    with serving(field, port):
        say(f"the collection server runs at http://127.0.0.1:{port}/ ; answers come in fast motion")
        thanked = answer(port, codes, _people(q, everybody, iter(drawn.tolist()), chance))
        thanked += answer(port, (), _people(q, everybody, iter(came.tolist()), chance))
    took = time.monotonic() - start
    if thanked != len(drawn) + len(came):
        raise FieldError(f"{len(drawn) + len(came)} people answered and {thanked} were thanked")
    say(f"{len(drawn)} people with a letter and {len(came)} by the open link answered in {took:.0f} s; the field is closed")
    _, digest = end(field, folder / "answers.sealed", secrets.token_bytes)
    say(f"all that leaves the server is sealed: sha256 {digest[:16]}…")
    margins = folder / "margins.csv"
    _write_margins(margins, register(q, everybody))
    holders = {folder / f"{name}.json": words for name, words in HOLDERS.items()}
    what = publish(
        q,
        earlier_wave(),
        [folder / "answers.sealed"],
        folder / "evaluation.json",
        holders,
        margins,
        folder / "report",
        date.today(),
    )
    say(f"opened by {' and '.join(HOLDERS)}; report in {folder / 'report/public'}")
    return what, {name: unsafe(q, everybody, name) for name in HEADLINES}


def _write_margins(path: Path, people: Mapping[str, Mapping[str, float]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["margin", "category", "people"])
        writer.writerows([name, one, int(many)] for name, values in people.items() for one, many in values.items())


def beside(what: Figures, truth: Mapping[str, float]) -> list[str]:
    """The report beside the truth: a line for each headline."""
    lines = ["feel unsafe                 truth    letters (95 % interval)    open door, no interval"]
    for row in what.unsafe:
        if row.name in truth:
            town_ = f"{row.town.percent} % ({row.town.low} to {row.town.high} %)" if row.town else "too few"
            open_ = f"{row.open.percent} %" if row.open else "too few"
            lines.append(f"{row.name:26} {truth[row.name] * 100:5.1f} %    {town_:26} {open_}")
    return lines
