"""How each message between a cell and the control room is delivered: one table for both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blickschutz.hosts.model import ClipGone, Delivery, DirectiveHeard
from blickschutz.pipeline import messages

MUST, NEWEST, DEMAND = Delivery.MUST_ARRIVE, Delivery.NEWEST_WINS, Delivery.BY_DEMAND

TABLE: Mapping[type[Any], Delivery] = {
    messages.Record: MUST,
    messages.EndOrder: MUST,
    messages.SituationTold: MUST,
    messages.FoundTold: MUST,
    messages.EpisodeTold: MUST,
    messages.ClipTold: MUST,
    messages.Configure: NEWEST,
    messages.Watch: NEWEST,
    messages.Stop: NEWEST,
    messages.FilmUntil: NEWEST,
    messages.SetThresholds: NEWEST,
    messages.SetSituations: NEWEST,
    messages.SetStanding: NEWEST,
    messages.TakenOver: NEWEST,
    messages.Resumed: NEWEST,
    messages.Heard: NEWEST,
    messages.AskClock: NEWEST,
    messages.ClockTold: NEWEST,
    messages.Health: NEWEST,
    messages.Quit: NEWEST,
    messages.TakeSnapshot: DEMAND,
    messages.TakeMoment: DEMAND,
    messages.Head: DEMAND,
    messages.Fragment: DEMAND,
    messages.Snapshot: DEMAND,
    messages.Moment: DEMAND,
    DirectiveHeard: MUST,
    ClipGone: MUST,
}


def delivery_of(message: object) -> Delivery:
    return TABLE[type(message)]


def importance_of(news: messages.News) -> int:
    """In which order a full journal drops: the highest first, 0 never."""
    if isinstance(news, messages.ClipTold):
        return 0
    if isinstance(news, messages.SituationTold | messages.FoundTold):
        return 2 if news.over else 1
    return 3
