"""The information sheet (Art. 13 GDPR), in every language of the questionnaire; for the page and for print."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from stimmungsbild.law.model import Basis, Facts, Kept, Role
from stimmungsbild.law.rules import due


@cache
def _words(language: str) -> dict[str, str]:
    found: dict[str, str] = tomllib.loads((resources.files("stimmungsbild.law") / f"texts/{language}.toml").read_text("utf-8"))
    return found


def title(language: str) -> str:
    """What the sheet is called."""
    return _words(language)["title"]


def notice(facts: Facts, language: str) -> tuple[tuple[str, str], ...]:
    """Headings and what stands under them. Names, addresses and norms are as the facts have them."""
    t = _words(language)

    def office(name: str, address: str, email: str) -> str:
        return ", ".join(one for one in (name, address, email) if one)

    consent = facts.grounds.kind is Basis.CONSENT
    basis = t["consent" if consent else "task"].format(norm=facts.grounds.ordinary.norm)
    others = [one for one in facts.parties if one.role is not Role.CONTROLLER]
    who = "; ".join(t[one.role.value].format(name=one.name) for one in others)
    return (
        (t["who"], office(facts.controller.name, facts.controller.address, facts.controller.email)),
        (t["officer"], office(facts.officer.name, facts.officer.address, facts.officer.email)),
        (t["why"], t["purpose"]),
        (t["basis"], f"{basis} {t['special'].format(norm=facts.grounds.special.norm)}"),
        (t["what"], t["data"]),
        (t["recipients"], f"{t['two']} {who}. {t['nowhere']}" if who else f"{t['two']} {t['nowhere']}"),
        (t["how_long"], t["until"].format(answers=_day(facts, Kept.ANSWERS), texts=_day(facts, Kept.TEXTS))),
        (t["rights"], f"{t['before']} {t['after']}"),
        (t["voluntary"], t["free"]),
        (t["complaint"], office(facts.authority.name, facts.authority.address, facts.authority.email)),
    )


def _day(facts: Facts, what: Kept) -> str:
    return due(facts, what).strftime("%d.%m.%Y")
