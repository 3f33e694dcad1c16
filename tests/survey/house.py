"""A field for tests: keys that cost little, a folder in memory or on disk, forms as a browser without script sends them."""

from __future__ import annotations

import html
import random
import re
import secrets
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import httpx
import nacl.pwhash.argon2id as argon

from stimmungsbild.collection.folder import create, facts_of, load, open_store
from stimmungsbild.collection.letters import make_codes
from stimmungsbild.collection.model import Door, Field
from stimmungsbild.collection.service import Collector
from stimmungsbild.collection.store import Store
from stimmungsbild.collection.web import Pages
from stimmungsbild.keys.model import EvaluationKey, HolderKey
from stimmungsbild.keys.service import make_evaluation, make_holder
from stimmungsbild.questionnaire.model import Questionnaire

PEOPLE = {"institut": "fünf blaue Wolken", "datenschutz": "sieben rote Steine", "stadt": "drei alte Türme"}


def holders() -> dict[str, HolderKey]:
    return {name: make_holder(name, words, secrets.token_bytes, argon.OPSLIMIT_MIN, argon.MEMLIMIT_MIN) for name, words in PEOPLE.items()}


class Time:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class House:
    """A running field with everything a test may want to hold."""

    folder: Path
    people: dict[str, HolderKey]
    key: EvaluationKey
    field: Field
    q: Questionnaire
    store: Store
    collector: Collector
    time: Time
    pages: Pages
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def codes(self, many: int, door: Door = Door.REGISTER) -> tuple[str, ...]:
        return make_codes(self.field, self.store, door, many, secrets.randbelow)

    def client(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.pages.app(), raise_app_exceptions=True)
        return httpx.AsyncClient(transport=transport, base_url="http://survey", headers=headers)


def open_house(folder: Path) -> House:
    people = holders()
    key = make_evaluation(list(people.values()), secrets.token_bytes)
    create(folder, key, None, None, secrets.token_bytes)
    made, q = load(folder)
    store, time = open_store(folder, secrets.token_bytes), Time()
    collector = Collector(made, store, time, lambda: date(2026, 12, 1), gather_s=0)
    return House(folder, people, key, made, q, store, collector, time, Pages(q, collector, facts_of(folder)))


def hidden(page: str) -> dict[str, list[str]]:
    """Every hidden field of a page."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page):
        found.setdefault(name, []).append(html.unescape(value))
    return found


def offered(page: str) -> dict[str, list[str]]:
    """What may be chosen on a page, by item."""
    found: dict[str, list[str]] = {}
    for kind, name, value in re.findall(r'<input type="(radio|checkbox)" name="([^"]+)" value="([^"]+)"', page):
        assert kind
        found.setdefault(name, []).append(value)
    for name, options in re.findall(r'<select id="[^"]+" name="([^"]+)">(.*?)</select>', page, re.S):
        found[name] = re.findall(r'<option value="([^"]+)"', options)
    return found


async def walk(client: httpx.AsyncClient, language: str, code: str, chance: random.Random, text: str = "") -> list[httpx.Response]:
    """All pages from the first to the last, each filled by chance; every response, the last one after sending."""
    responses = [await client.get("/", params={"lang": language})]
    values: dict[str, list[str]] = {**hidden(responses[0].text), "code": [code], "go": ["next"]}
    where = "/page"
    while True:
        responses.append(await client.post(where, data=values))
        page = responses[-1].text
        if "<form" not in page or responses[-1].status_code != 200 or where == "/send":
            return responses
        values = {**hidden(page), **{name: [chance.choice(choices)] for name, choices in offered(page).items()}, "go": ["next"]}
        if text and 'name="help"' in page:
            values["help"] = [text]
        where = "/send" if 'action="/send"' in page else "/page"
