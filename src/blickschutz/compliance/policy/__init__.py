"""The rules, by chapter, and what they say of a site."""

from __future__ import annotations

from blickschutz.compliance.model import Found, Grounds, Rule
from blickschutz.compliance.policy import ai, deletion, law, place, review, rights, security

RULES: tuple[Rule, ...] = (
    *law.RULES,
    *place.RULES,
    *ai.RULES,
    *review.RULES,
    *deletion.RULES,
    *rights.RULES,
    *security.RULES,
)


def assess(grounds: Grounds) -> list[Found]:
    """Every rule, in the order of the table, and what it says."""
    return [Found(rule, rule.check(grounds)) for rule in RULES]


def closed_gates(found: list[Found]) -> list[Found]:
    """The gates that keep the site from running."""
    return [one for one in found if one.closed_gate]
