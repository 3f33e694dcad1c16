"""SIGKILL at random moments while forms come in and are shuffled: what was acknowledged is there once, codes are spent at most once.

python -m benchmarks.survey_kills [--rounds 200] [--seed 1] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import signal
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from stimmungsbild.collection.folder import load, open_store
from stimmungsbild.collection.letters import make_codes
from stimmungsbild.collection.model import Door, Outcome, Sealed
from stimmungsbild.collection.rules import hashed
from stimmungsbild.collection.service import Collector
from stimmungsbild.demo.run import HOLDERS, prepare
from stimmungsbild.evaluation.opening import open_answers
from stimmungsbild.keys.files import read_evaluation, read_holder
from stimmungsbild.keys.service import open_evaluation

PER_ROUND, SENDERS = 120, 30


def killed(field: Path, rounds: int, chance: random.Random) -> set[str]:
    """Tickets that were acknowledged over so many rounds, each in a process of its own that is ended by SIGKILL."""
    made, _ = load(field)
    store = open_store(field, secrets.token_bytes)
    codes = make_codes(made, store, Door.REGISTER, rounds * PER_ROUND, secrets.randbelow)
    store.close()
    acknowledged: set[str] = set()
    for number in range(rounds):
        mine = [(f"{number * PER_ROUND + at:032x}", codes[number * PER_ROUND + at]) for at in range(PER_ROUND)]
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            # The child opens what it needs itself, and ends by SIGKILL: threads of this process are nothing to it.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            os.close(reading)
            _write(field, mine, writing)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, encoding="ascii") as said:
            first = said.readline()
            acknowledged |= {first.strip()} if first.endswith("\n") else set()
            time.sleep(chance.random() * 0.12)
            os.kill(child, signal.SIGKILL)
            acknowledged |= {line.strip() for line in said if line.endswith("\n")}
        os.waitpid(child, 0)
    return acknowledged


def _write(field: Path, forms: list[tuple[str, str]], said: int) -> None:
    """Send forms, and say each that was acknowledged. The clock runs a hundred times as fast, so that batches are shuffled all the time.

    Several send at once, so that forms are kept together; a form that is not acknowledged in time is killed with the rest.
    """
    made, _ = load(field)
    collector = Collector(made, open_store(field, secrets.token_bytes), lambda: time.monotonic() * 100, date.today, gather_s=0.001)

    def one(form: tuple[str, str]) -> None:
        ticket, code = form
        if collector.send(ticket, code, "de", {"help": ticket}) is Outcome.TAKEN:
            # Shorter than a pipe's block, so no line is torn by another.
            os.write(said, f"{ticket}\n".encode())

    # Once the first is kept everything runs, and the time begins at the end of which this process is killed.
    one(forms[0])
    with ThreadPoolExecutor(SENDERS) as senders:
        for _ in senders.map(one, forms[1:]):
            pass


def found(field: Path, there: list[str], acknowledged: set[str]) -> dict[str, int]:
    """What is `there` afterwards (tickets of opened answers), beside what was acknowledged."""
    made, _ = load(field)
    store = open_store(field, secrets.token_bytes)
    spent = store.spent()
    store.close()
    forms = {hashed(made.pepper, "ticket", one) for one in there}
    return {
        "acknowledged": len(acknowledged),
        "there": len(there),
        "lost": len(acknowledged - set(there)),
        "twice": len(there) - len(set(there)),
        "answers_without_their_form": len(forms - spent),
        # A form and a code for each answer: whatever is more was spent without an answer.
        "spent_without_an_answer": len(spent) - 2 * len(set(there)),
    }


def _tickets(field: Path) -> list[str]:
    folder = field.parent
    (first, words), (second, other) = ((read_holder(folder / f"{name}.json"), words) for name, words in HOLDERS.items())
    key = open_evaluation(read_evaluation(folder / "evaluation.json"), (first, words), (second, other))
    store = open_store(field, secrets.token_bytes)
    store.shuffle()
    sealed = Sealed(load(field)[0], store.acknowledged(), store.letters(), store.answers())
    store.close()
    opened = open_answers(sealed, key)
    return [str(one.values["help"]) for one in opened.answers]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        field = prepare(Path(name))
        acknowledged = killed(field, given.rounds, random.Random(given.seed))
        shown = {"rounds": given.rounds, **found(field, _tickets(field), acknowledged)}
    print(json.dumps(shown) if given.json else "\n".join(f"{key:28} {value}" for key, value in shown.items()))


if __name__ == "__main__":
    main()
