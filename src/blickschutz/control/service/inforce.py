"""The settings in force: what a change of them would do, and doing it without a restart of what it does not touch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec

from blickschutz.compliance.documents.model import Document
from blickschutz.compliance.documents.pack import pack
from blickschutz.compliance.model import Found, Grounds, Kind, Result
from blickschutz.compliance.policy import assess
from blickschutz.config.model import SiteFile
from blickschutz.control.service.keeper import CellKeeper
from blickschutz.control.service.supervisor import Supervisor
from blickschutz.kernel.events import Topic
from blickschutz.pipeline.door import digest_of
from blickschutz.pipeline.messages import CellSettings
from blickschutz.settings.model import Difference, Effects, Reach, Sentences, Verdict
from blickschutz.settings.rules.changes import in_force, needs_restart


class SettingsInForce:
    """See `settings.ports.Running`. Not in the event loop.

    `cells_of` gives what each cell of a site is told, and raises `SettingsError` where a file that is named cannot be read; `gather` gives
    what rules look at for a site. `joined` is called with the keeper of a camera that is new. `changed` tells the site that is in force.
    """

    def __init__(
        self,
        site: SiteFile,
        cells_of: Callable[[SiteFile], Mapping[str, CellSettings]],
        gather: Callable[[SiteFile, Grounds | None], Grounds],
        supervisor: Supervisor,
        joined: Callable[[CellKeeper], None],
    ) -> None:
        self.site, self._cells_of, self._gather = site, cells_of, gather
        self._supervisor, self._joined = supervisor, joined
        self.changed: Topic[SiteFile] = Topic()

    def prepare(self, site: SiteFile) -> Callable[[], Mapping[str, Reach]]:
        wanted = in_force(self.site, site)
        cells = self._cells_of(wanted)

        def go() -> Mapping[str, Reach]:
            reached = self._supervisor.settle(cells, self._joined)
            self.site = wanted
            self.changed.tell(wanted)
            return reached

        return go

    def effects(self, before: SiteFile, after: SiteFile, wanted: Sequence[Difference]) -> Effects:
        grounds = self._gather(before, None)
        against, open_, anew = judged(grounds, self._gather(after, grounds), lenient=after.site.demo or self._supervisor.preparing)
        return Effects(
            against=against,
            open=open_,
            anew=anew,
            documents=sentences(pack(grounds), pack(replace(grounds, site=after))),
            cells=self._reached(after),
            restart=needs_restart(wanted),
        )

    def _reached(self, after: SiteFile) -> dict[str, Reach]:
        return reach(self._cells_of(self.site), self._cells_of(in_force(self.site, after)))


def reach(before: Mapping[str, CellSettings], now: Mapping[str, CellSettings]) -> dict[str, Reach]:
    """By camera what would become of its cell; cameras that are only called otherwise are told nothing."""
    reached = {name: Reach.BEGINS for name in now if name not in before} | {name: Reach.ENDS for name in before if name not in now}
    for name in (name for name in now if name in before):
        if digest_of(now[name]) != digest_of(before[name]):
            told = digest_of(msgspec.structs.replace(now[name], situations=before[name].situations)) == digest_of(before[name])
            reached[name] = Reach.TOLD if told else Reach.ANEW
        elif now[name].situations.thresholds != before[name].situations.thresholds:
            reached[name] = Reach.TOLD
    return reached


def judged(before: Grounds, after: Grounds, *, lenient: bool) -> tuple[tuple[Verdict, ...], tuple[Verdict, ...], tuple[Verdict, ...]]:
    """What stands against a change, what it leaves open, and what has to be signed anew because it is about the settings before.

    By its content alone a change is judged with the signatures as they are. Where cameras film on real people, a gate that it would leave
    open stands against it, too; `lenient` where none does yet, or a demonstration.
    """
    held = {one.rule.id: one.answer.result for one in assess(before)}
    known = {camera.id for camera in after.site.cameras}
    # Purposes of a camera that is taken away are struck afterwards: nobody can do that as long as it is there.
    facts = before.facts.model_copy(update={"grounds": tuple(one for one in before.facts.grounds if one.camera in known)})
    found = assess(replace(before, site=after.site, facts=facts))
    broken = [one for one in found if one.answer.result is Result.BROKEN and held[one.rule.id] is not Result.BROKEN]
    left = [one for one in found if one.answer.result is Result.UNKNOWN and held[one.rule.id] is Result.HOLDS]
    stops = [] if lenient else [one for one in left if Kind.GATE in one.rule.kinds]
    content = {one.rule.id: one.answer.result for one in found}
    signed = [one for one in assess(after) if one.answer.result is not Result.HOLDS and content[one.rule.id] is Result.HOLDS]
    return _verdicts([*broken, *stops]), _verdicts([one for one in left if one not in stops]), _verdicts(signed)


def _verdicts(found: Sequence[Found]) -> tuple[Verdict, ...]:
    return tuple(Verdict(one.rule.id, one.rule.source, one.answer.text) for one in found)


def sentences(before: Sequence[Document], after: Sequence[Document]) -> tuple[Sentences, ...]:
    """By document what it says no longer, and what it says instead."""
    former = {one.key: one for one in before}
    found = []
    for document in after:
        old = [one.text for one in former[document.key].sentences()] if document.key in former else []
        new = [one.text for one in document.sentences()]
        gone, come = tuple(one for one in old if one not in set(new)), tuple(one for one in new if one not in set(old))
        if gone or come:
            found.append(Sentences(document.title, gone, come))
    return tuple(found)
