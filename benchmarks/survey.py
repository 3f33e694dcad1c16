"""A burst at the survey's door: so many forms a second for so long, against the real server on one core.

    python -m benchmarks.survey [--rate 200] [--seconds 60] [--json]

Whole forms are sent when they are due, whether or not the ones before were answered. Who is asked to press again does so after fifteen
seconds. Lost is a form that was thanked and whose answer is not there, or one that was not thanked. Times count from when a form was due
until it was thanked, pressing again included; a plain answer is also the page that asks to press again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import re
import secrets
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import numpy as np

from stimmungsbild.collection.folder import load, open_store
from stimmungsbild.collection.letters import make_codes
from stimmungsbild.collection.model import Door
from stimmungsbild.demo.run import free_port, prepare, serving
from stimmungsbild.demo.town import answers_of, town
from stimmungsbild.questionnaire.model import Questionnaire

# People whose answers are sent, again and again; each form has its own ticket and code.
_PEOPLE = 200
# Whoever is asked to press again does so after this time, in seconds, and so often at most.
_AGAIN_S, _MOST_TIMES = 15.0, 20
# A connection is used again within this time: the server ends one that was idle for five seconds.
_IDLE_S = 3.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Seen(msgspec.Struct):
    """What people saw: seconds since each form was due until they were thanked, and until they had any plain answer."""

    thanked: list[float] = []
    answered: list[float] = []
    again: int = 0


def whole_forms(q: Questionnaire) -> list[str]:
    """What people of a small town answer, every question of it, as a browser sends it."""
    chance = np.random.default_rng(1)
    everybody = town(q, chance, _PEOPLE)
    return [urlencode(answers_of(q, everybody, one), doseq=True) for one in range(_PEOPLE)]


async def burst(port: int, codes: tuple[str, ...], rate: float, forms: list[str]) -> Seen:
    """Send each form when it is due, over a connection that is idle or a new one, as a proxy does: nobody waits for who came before."""
    seen, idle, start = Seen(), [], time.monotonic()

    async def post(body: bytes) -> int:
        while idle and idle[-1][2] < time.monotonic() - _IDLE_S:
            idle.pop()[1].close()
        reader, writer, _ = idle.pop() if idle else (*await asyncio.open_connection("127.0.0.1", port), 0.0)
        # Each part costs the sender as little as it can: httpx with a full pool takes more than what it measures.
        head = f"POST /send HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answer)
        await reader.readexactly(int(length[1]) if length else 0)
        idle.append((reader, writer, time.monotonic()))
        return int(answer[9:12])

    async def one(number: int, due: float) -> None:
        own = urlencode({"lang": "de", "ticket": secrets.token_hex(16), "code": codes[number], "at": "10"})
        body = f"{own}&{forms[number % len(forms)]}".encode()
        for times in range(_MOST_TIMES):
            sent = time.monotonic() if times else due
            status = await post(body)
            seen.answered.append(time.monotonic() - sent)
            if status == 200:
                seen.thanked.append(time.monotonic() - due)
                return
            seen.again += 1
            await asyncio.sleep(_AGAIN_S)

    async with asyncio.TaskGroup() as group:
        for number in range(len(codes)):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            group.create_task(one(number, due))
    for _, writer, _ in idle:
        writer.close()
    return seen


def computed(pid: int) -> float:
    """Seconds of a core that a process took so far."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICKS


def _ms(seconds: list[float], share: float) -> float:
    return round(sorted(seconds)[min(int(len(seconds) * share), len(seconds) - 1)] * 1000, 1) if seconds else math.inf


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    many = int(given.rate * given.seconds)
    with tempfile.TemporaryDirectory() as name:
        field, port = prepare(Path(name)), free_port()
        made, q = load(field)
        forms = whole_forms(q)
        store = open_store(field, secrets.token_bytes)
        codes = make_codes(made, store, Door.REGISTER, many, secrets.randbelow)
        store.close()
        cores = os.sched_getaffinity(0)
        # The server is born on one core; whoever sends has the others.
        os.sched_setaffinity(0, {min(cores)})
        with serving(field, port) as server:
            os.sched_setaffinity(0, cores - {min(cores)} or cores)
            before = computed(server)
            seen = asyncio.run(burst(port, codes, given.rate, forms))
            core = computed(server) - before
            resident = int(Path(f"/proc/{server}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        store = open_store(field, secrets.token_bytes)
        kept = store.acknowledged()
        store.shuffle()
        there = len(store.answers())
        store.close()
    found = {
        "forms": many,
        "thanked": len(seen.thanked),
        "lost": many - min(len(seen.thanked), kept, there),
        "p50_ms": _ms(seen.thanked, 0.5),
        "p99_ms": _ms(seen.thanked, 0.99),
        "asked_to_press_again": seen.again,
        "slowest_plain_answer_ms": _ms(seen.answered, 1.0),
        "core_ms_a_form": round(core / many * 1000, 2),
        "memory_mib": resident >> 20,
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(found) if given.json else "\n".join(f"{name:24} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
