"""What a cell has told, or has to tell, and what the control room has not confirmed yet. Bounded; knows no socket."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import structlog

from blickschutz.pipeline.messages import EpisodeTold, FoundTold, News, SituationTold
from blickschutz.situations.kinds import Episode

_log = structlog.get_logger(__name__)
MOST = 2000


class Untold:
    """News by their numbers. Not safe to be used by two threads at once."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._newest, self._alone_since = most, 0, 0
        self._kept: dict[int, News] = {}
        self.dropped = 0

    def add(self, news: News, *, alone: bool) -> News:
        """Keep it; gives it back with its number. `alone`: nobody is there to be told of it now."""
        self._newest += 1
        numbered = msgspec.structs.replace(news, number=self._newest)
        if not alone:
            self._alone_since = self._newest
        elif (ended := _ended(numbered)) is not None:
            self._over(ended)
        self._kept[self._newest] = numbered
        if len(self._kept) > self._most:
            self._drop()
        return numbered

    def heard(self, number: int) -> None:
        """All up to this number need not be told again."""
        for one in [one for one in self._kept if one <= number]:
            del self._kept[one]

    def again(self) -> Iterable[News]:
        """All that was not confirmed, in order; from now on somebody hears it."""
        self._alone_since = self._newest
        return list(self._kept.values())

    def _over(self, name: int | str) -> None:
        """What began unheard and is over by now is told as such: to record what comes after it would be of no use."""
        for number, news in self._kept.items():
            if number > self._alone_since and isinstance(news, SituationTold | FoundTold) and _name(news) == name:
                self._kept[number] = msgspec.structs.replace(news, over=True)

    def _drop(self) -> None:
        """Clips are never dropped: each was ordered, and their number is that of orders."""
        for kinds in ((EpisodeTold,), (SituationTold, FoundTold)):
            number = next((number for number, news in self._kept.items() if isinstance(news, kinds)), None)
            if number is not None:
                del self._kept[number]
                self.dropped += 1
                _log.error("news_dropped", dropped=self.dropped)
                return


def _name(news: SituationTold | FoundTold) -> int | str:
    """What beginning and end have in common: the cell's number, or the camera's own name for it."""
    return news.situation.number if isinstance(news, SituationTold) else news.found.id


def _ended(news: News) -> int | str | None:
    """The name of what is over with this; None where nothing is."""
    if isinstance(news, SituationTold):
        return _name(news) if news.situation.ended_at is not None else None
    return _name(news) if isinstance(news, FoundTold) and not news.found.active else None


def episode_told(episode: Episode) -> EpisodeTold:
    """What is told of an episode: numbers alone."""
    seconds = round(episode.ended_at - episode.at, 1)
    return EpisodeTold(episode.kind, episode.zone, episode.taken, seconds, episode.peak, episode.threshold)
