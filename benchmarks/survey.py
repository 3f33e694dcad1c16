"""A burst at the survey's door: so many forms a second for so long, against the real server on one core.

    python -m benchmarks.survey [--rate 200] [--seconds 60] [--json]

Forms are sent when they are due, whether or not the ones before were answered. Lost is a form that was thanked and whose answer is not
there, or one that was not thanked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import secrets
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from stimmungsbild.collection.folder import load, open_store
from stimmungsbild.collection.letters import make_codes
from stimmungsbild.collection.model import Door
from stimmungsbild.demo.run import free_port, prepare, serving

_CONNECTIONS = 100  # each with a client that costs far less than what it measures; httpx with a full pool does not


async def burst(port: int, codes: tuple[str, ...], rate: float) -> tuple[list[float], int]:
    """Seconds that each form took since it was due, and how many were thanked."""
    took: list[float] = []
    thanked = 0
    start = time.monotonic()

    async def one(first: int) -> None:
        """Its share of the forms, one after the other over one connection."""
        nonlocal thanked
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(first, len(codes), _CONNECTIONS):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            form = {"lang": "de", "ticket": secrets.token_hex(16), "code": codes[number], "at": "10", "area_day": "very_safe"}
            body = urlencode(form).encode()
            head = (
                f"POST /send HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", answer)
            await reader.readexactly(int(length[1]) if length else 0)
            took.append(time.monotonic() - due)
            thanked += answer.startswith(b"HTTP/1.1 200")
        writer.close()

    async with asyncio.TaskGroup() as group:
        for first in range(_CONNECTIONS):
            group.create_task(one(first))
    return took, thanked


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
        made, _ = load(field)
        store = open_store(field, secrets.token_bytes)
        codes = make_codes(made, store, Door.REGISTER, many, secrets.randbelow)
        store.close()
        cores = os.sched_getaffinity(0)
        # The server is born on one core; whoever sends has the others.
        os.sched_setaffinity(0, {min(cores)})
        with serving(field, port):
            os.sched_setaffinity(0, cores - {min(cores)} or cores)
            took, thanked = asyncio.run(burst(port, codes, given.rate))
        store = open_store(field, secrets.token_bytes)
        kept = store.acknowledged()
        store.shuffle()
        there = len(store.answers())
        store.close()
    took.sort()
    found = {
        "forms": many,
        "thanked": thanked,
        "lost": many - min(thanked, kept, there),
        "p50_ms": round(took[len(took) // 2] * 1000, 1),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(found) if given.json else "\n".join(f"{name:8} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
