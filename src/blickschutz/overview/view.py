"""The rows of the overview as texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from blickschutz.overview.model import Known, Told
from blickschutz.overview.rules import Rank, live, ordered, rank
from blickschutz.overview.words import CAMERA_WORDS, FAULT_WORDS, RANK_WORDS
from blickschutz.web import texts
from blickschutz.web.words import N_


@dataclass(frozen=True, slots=True)
class Row:
    """One site. `lines` are what needs somebody, in words; `age` is how old what is known is."""

    id: str
    name: str
    address: str
    rank: str
    shape: str
    word: str
    lines: tuple[str, ...]
    cameras: str
    alerts: tuple[str, ...]
    deadlines: str
    rules: str
    chain: str
    clock: str
    version: str
    since: str
    age: str
    old: bool


class Rows:
    """Of all sites, in one language, at one moment (monotonic)."""

    def __init__(self, language: str, now: float, moment: Callable[[datetime], datetime]) -> None:
        self._language, self._now, self._moment, self._ = language, now, moment, texts.translator(language)

    def all(self, names: Mapping[str, str], addresses: Mapping[str, str], known: Mapping[str, Known]) -> list[Row]:
        """What needs somebody most first."""
        return [self._row(site, names[site], addresses[site], known[site]) for site in ordered(names, known)]

    def _row(self, site: str, name: str, address: str, known: Known) -> Row:
        level, told = rank(known), known.told
        shape, word = RANK_WORDS[level]
        return Row(
            id=site,
            name=name,
            address=address,
            rank=level.name.lower(),
            shape=shape,
            word=self._(word) if known.told is not None or known.is_away else self._(N_("noch nicht gelesen")),
            lines=tuple(self._lines(known)),
            cameras=self._last(known, self._cameras),
            alerts=tuple(self._alerts(told, was=known.is_away)) if told is not None else (),
            deadlines=self._last(known, self._deadlines),
            rules=self._last(known, self._rules),
            chain=self._last(known, self._chain),
            clock=self._last(known, self._clock),
            version=told.version if told is not None else "–",
            since=self._when(known.since) if known.since is not None else "–",
            age=self._age(known) if told is not None else "–",
            old=known.is_away,
        )

    def _last(self, known: Known, said: Callable[[Told], str]) -> str:
        """What a site told; of one that is away each figure says that it is the last one known."""
        if known.told is None:
            return "–"
        text = said(known.told)
        return f"{self._(N_('zuletzt'))} {text}" if known.is_away else text

    def _lines(self, known: Known) -> list[str]:
        _, found, told = self._, [], known.told
        if known.fault is not None:
            since = self._when(known.fault_since) if known.fault_since is not None else ""
            found.append(f"{_(FAULT_WORDS[known.fault])} ({_(N_('seit'))} {since})")
        if told is None:
            return found
        if known.is_away:
            found.append(f"{_(N_('Zahlen von'))}: {self._age(known)}")
            return found
        if told.rules.gates:
            found.append(f"{_(N_('Voraussetzungen für den Betrieb offen'))}: {told.rules.gates}")
        if told.needs.urgent:
            found.append(f"{_(N_('dringend'))}: {told.needs.urgent}")
        if told.needs.other:
            found.append(f"{_(N_('weitere Hinweise'))}: {told.needs.other}")
        if not told.recording:
            found.append(_(N_("zeichnet nicht oder nicht überall auf")))
        return found

    def _cameras(self, told: Told) -> str:
        now, every = live(told)
        others = [f"{self._(CAMERA_WORDS[state])} {count}" for state, count in sorted(told.cameras.items()) if state != "live" and count]
        return f"{now} {self._(N_('von'))} {every}" + (f" ({', '.join(others)})" if others else "")

    def _alerts(self, told: Told, *, was: bool) -> list[str]:
        rows = sorted(told.alerts.items(), key=lambda one: -one[1].oldest_s)
        first = f"{self._(N_('zuletzt'))} " if was else ""
        return [f"{first}{one.count} × {texts.kind_name(kind, self._language)}, {self._lasting(one.oldest_s)}" for kind, one in rows]

    def _deadlines(self, told: Told) -> str:
        due = told.deadlines
        if due is None:
            return self._(N_("nicht bekannt"))
        late = f", {self._(N_('überfällig'))} {due.overdue} ({self._lasting(due.oldest_s)})" if due.overdue else ""
        return f"{self._(N_('fällig'))} {due.due}{late}"

    def _rules(self, told: Told) -> str:
        rules = told.rules
        broken = f", {self._(N_('verletzt'))} {rules.broken} ({', '.join(rules.broken_ids)})" if rules.broken else ""
        unknown = f", {self._(N_('noch nicht bekannt'))} {rules.unknown}" if rules.unknown else ""
        return f"{self._(N_('erfüllt'))} {rules.holds}{broken}{unknown}"

    def _chain(self, told: Told) -> str:
        if told.chain is None:
            return self._(N_("nicht bekannt"))
        if told.chain.faults:
            return f"{self._(N_('Kette gebrochen'))} ({told.chain.faults})"
        when = self._when(told.chain.verified_at) if told.chain.verified_at is not None else ""
        return f"{self._(N_('ungebrochen'))}, {self._(N_('geprüft'))} {when}" if when else self._(N_("noch nicht geprüft"))

    def _clock(self, told: Told) -> str:
        if told.clock.suspended:
            return self._(N_("Fristen ausgesetzt"))
        return f"{texts.number(told.clock.offset_s, self._language)}\u00a0s"

    def _age(self, known: Known) -> str:
        return self._(N_("vor {age}")).format(age=self._lasting(self._now - known.told_at))

    def _when(self, at: datetime) -> str:
        return texts.moment(self._moment(at), self._language)

    def _lasting(self, seconds: float) -> str:
        return texts.lasting(max(0.0, seconds), self._)


def counts(known: Mapping[str, Known]) -> dict[Rank, int]:
    """How many sites are in which rank."""
    return {level: sum(rank(one) is level for one in known.values()) for level in reversed(Rank)}
