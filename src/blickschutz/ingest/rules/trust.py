"""Which decoded pictures rest on nothing that is missing or damaged, from where in the order of decoding that was noticed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from blickschutz.ingest.rules.bitstream import Look

T = TypeVar("T")

# H.264 and H.265 let no decoder hold back more pictures than 16; beyond that nothing is waited for.
_MOST_WAITING = 16
_MOST_KNOWN = 64


@dataclass(slots=True, eq=False)
class _Coded:
    """`group` counts the beginnings; `leading`: shown before that of its group, it may rest on the group before."""

    number: int
    pts: int
    group: int
    leading: bool
    doubtful: bool
    came: bool = False


class Trust(Generic[T]):
    """`coded` for each coded picture before it is decoded, `shown` for what came out then, both with times in the stream.

    A doubt lasts until a picture that rests on no other has come, or until the point that the stream itself names. What comes
    out waits for those that were decoded before it, since only then is known whether it rests on something damaged. `withheld` counts
    what was not given out, what the decoder refused, and what it passed over in silence.
    """

    def __init__(self, *, each_comes: bool = False) -> None:
        """`each_comes`: of a whole stream every coded picture comes out; of others two may be the fields of one."""
        self.withheld, self._each_comes = 0, each_comes
        self._doubt = self._leading_doubt = False
        # Steps until the stream recovers by itself.
        self._left: int | None = None
        self._number = self._group = self._begun = 0
        self._coded: deque[_Coded] = deque(maxlen=_MOST_KNOWN)
        self._waiting: deque[tuple[_Coded, T]] = deque()

    @property
    def doubts(self) -> bool:
        """Whether what is decoded now rests on something that is missing."""
        return self._doubt

    def missing(self) -> None:
        """From here on something is missing, or damaged."""
        self._doubt, self._left = True, None

    def coded(self, pts: int | None, look: Look, *, begins: bool = True) -> None:
        """The next picture in the order of decoding. Without `begins` it ends no doubt: it may lie before what is missing."""
        if look.lost:
            self.missing()
        self._number += 1
        # Without a time nothing can be told of its picture, and nothing waits for it.
        timeless, pts = pts is None, -1 if pts is None else pts
        if begins and (look.clean or self._has_recovered(look)):
            self._leading_doubt, self._doubt, self._left = self._doubt, False, None
            self._group, self._begun = self._group + 1, pts
        leading = self._group > 0 and pts < self._begun
        if len(self._coded) == _MOST_KNOWN:
            self._give_up([self._coded[0]])
        self._coded.append(_Coded(self._number, pts, self._group, leading, self._doubt or (leading and self._leading_doubt), timeless))

    def failed(self) -> None:
        """The decoder refused the newest one."""
        self.withheld += 1
        self.missing()
        if self._coded:
            self._coded[-1].doubtful = self._coded[-1].came = True

    def shown(self, pictures: Sequence[tuple[int | None, bool, T]]) -> list[T]:
        """What came out of the decoder (time, whether it says itself that it is damaged, picture): those to be trusted, in order."""
        for pts, damaged, picture in pictures:
            known = self._known(pts)
            if damaged:
                self._spread(known)
            known.came = True
            self._waiting.append((known, picture))
            # Pictures come out by their times: one before this that did not come will not come.
            self._give_up(one for one in self._coded if one.pts < known.pts)
        return self._released()

    def rest(self) -> list[T]:
        """No more comes: what still waits."""
        self._give_up(self._coded)
        return self._released()

    def _give_up(self, coded: Iterable[_Coded]) -> None:
        """Those of `coded` that did not come will not come any more."""
        for one in coded:
            if not one.came:
                one.came = True
                self.withheld += one.doubtful or self._each_comes

    def _has_recovered(self, look: Look) -> bool:
        if self._left is not None:
            self._left -= look.step
        elif self._doubt and look.recovers_in is not None:
            self._left = max(1, look.recovers_in)
        return self._left is not None and self._left <= 0

    def _known(self, pts: int | None) -> _Coded:
        """The coded picture of that time; where none is known a new one, whose doubts are those of now."""
        found = next((one for one in self._coded if one.pts == pts and not one.came), None)
        return found or _Coded(self._number, -1 if pts is None else pts, self._group, False, self._doubt)

    def _spread(self, damaged: _Coded) -> None:
        """To what may rest on it: the rest of its group, and what is shown before the beginning of the next."""
        damaged.doubtful = True
        for one in self._coded:
            same = one.group == damaged.group and one.number >= damaged.number
            one.doubtful = one.doubtful or same or (one.group == damaged.group + 1 and one.leading)
        if damaged.group == self._group:
            self.missing()
        elif damaged.group == self._group - 1:
            self._leading_doubt = True

    def _released(self) -> list[T]:
        given: list[T] = []
        while self._waiting:
            head, picture = self._waiting[0]
            if len(self._waiting) <= _MOST_WAITING and any(not one.came and one.number < head.number for one in self._coded):
                break
            self._waiting.popleft()
            self.withheld += head.doubtful
            if not head.doubtful:
                given.append(picture)
        return given
