"""Voices where a test is about something else: whoever is named has every role."""

from __future__ import annotations

from blickschutz.access.model import Member, Role
from blickschutz.access.voices import Voices


class _Everybody(dict[str, Member]):
    def get(self, person: str, default: object = None) -> Member:
        return Member(person, person, frozenset(Role))


ALL_VOICES = Voices(_Everybody)
