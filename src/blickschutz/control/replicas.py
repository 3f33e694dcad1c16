"""How the copies of the database server are, at one moment. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# What takes longer than this is no hiccup of the network; a copy that is made anew may take minutes, and says so meanwhile.
BEHIND_S = 30.0


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """One copy. `there`: it is connected; `since` (POSIX) is when it was first seen that it is not. `awaited`: commits may wait for it.

    `behind_s`: for how long at least it lacks something that its server shows. `unstored`: bytes of the journal that it has not on its
    disk, or that are kept for one that is away; None where that is not known.
    """

    name: str
    there: bool
    awaited: bool
    behind_s: float = 0.0
    unstored: int | None = None
    since: float = 0.0

    @property
    def is_behind(self) -> bool:
        return self.there and self.behind_s > BEHIND_S


@dataclass(frozen=True, slots=True)
class ReplicationState:
    """All of them. `awaits`: a commit waits for at least one. `problem`, in words: why it cannot be seen how they are."""

    awaits: bool
    replicas: Sequence[ReplicaState] = ()
    problem: str = ""

    @property
    def expected(self) -> bool:
        """Whether this server has copies at all, or is to have them."""
        return self.awaits or bool(self.replicas) or bool(self.problem)

    @property
    def nobody(self) -> bool:
        """Whether commits wait for a copy, and there is none of any name."""
        return self.awaits and not self.replicas and not self.problem

    @property
    def wrong(self) -> str:
        """What is wrong, in a line; empty where all is well."""
        said = [f"{one.name} is not connected" for one in self.replicas if not one.there]
        said += [f"{one.name} is {one.behind_s:.0f} s behind" for one in self.replicas if one.is_behind]
        if self.nobody:
            said.append("commits wait for a copy, and none is connected")
        if self.replicas and not self.awaits:
            said.append("no commit waits for a copy")
        return "; ".join([*said, self.problem] if self.problem else said)
