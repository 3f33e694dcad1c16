"""What signs and documents say of hours and of what follows is what the regime does, at any moment, in both languages.

The sentences are read by a reader of this test alone, who knows the calendar and the sun and nothing of the settings.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
import pytest
from astral import LocationInfo
from astral.sun import sun
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blickschutz.compliance.documents.operation import service_order
from blickschutz.compliance.documents.privacy import impact_assessment, record_of_processing
from blickschutz.compliance.documents.public import information_sheet, sign
from blickschutz.config.hours import service
from blickschutz.config.model import Regime, Regimes, Weekday
from blickschutz.regime.io.calendar import PlaceCalendar
from blickschutz.regime.model import Action, Mode, Override, RegimeName
from blickschutz.regime.rules import at_moment
from blickschutz.situations.kinds import Kind
from tests.conftest import often
from tests.unit.test_policy import whole

BERLIN = ZoneInfo("Europe/Berlin")
PLACE = LocationInfo(latitude=49.443, longitude=7.769)
WHOLE = whole()
STATES = {
    "Rheinland-Pfalz": "RP",
    "Rhineland-Palatinate": "RP",
    "dem Saarland": "SL",
    "Saarland": "SL",
    "Bayern": "BY",
    "Bavaria": "BY",
    "Berlin": "BE",
}
HOLIDAYS = {state: holidays.country_holidays("DE", subdiv=state) for state in set(STATES.values())}
DAYS = (
    ["montags", "dienstags", "mittwochs", "donnerstags", "freitags", "samstags", "sonntags"],
    ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"],
)
WHEN = re.compile(
    r"^(?P<days>.+?),? ?(?:von|from) (?P<start>\S+) (?:bis|to) (?P<end>\d\d:\d\d|\w+)(?: Uhr)?(?P<over> des Folgetags| of the day after)?"
    r"(?:, (?:außer an gesetzlichen Feiertagen in|except on public holidays in) (?P<state>.+))?$"
)
OTHER = re.compile(
    r"^(?:in der übrigen Zeit|at all other times): (?:von|from) (?P<start>\S+) (?:bis|to) (?P<end>\d\d:\d\d|\w+)(?: Uhr)?"
    r"(?:, (?P<whole>.+) (?:ganztägig|all day)|; (?P<none>.+) beginnt kein Tagbetrieb|; no day operation begins (?P<begins>.+))?$"
)
ACTIONS = {
    "Ein Ereignis wird dem diensthabenden Personal gemeldet.": Action.NOTIFY,
    "An event is reported to the staff on duty.": Action.NOTIFY,
    "Ein Ereignis löst eine Aufzeichnung aus.": Action.RECORD,
    "An event starts a recording.": Action.RECORD,
    "Ein Ereignis wird dem diensthabenden Personal gemeldet und löst eine Aufzeichnung aus.": Action.BOTH,
    "An event is reported to the staff on duty and starts a recording.": Action.BOTH,
    "Ein Ereignis wird nur gezählt.": Action.COUNT,
    "An event is only counted.": Action.COUNT,
}
EXCEPTIONS = {
    **dict.fromkeys(("gemeldet", "reported"), Action.NOTIFY),
    **dict.fromkeys(("aufgezeichnet", "recorded"), Action.RECORD),
    **dict.fromkeys(("gemeldet und aufgezeichnet", "reported and recorded"), Action.BOTH),
    **dict.fromkeys(("nur gezählt", "only counted"), Action.COUNT),
}
KIND_NAMES = {
    "Person im Bereich": Kind.PERSON_IN_ZONE,
    "Person in zone": Kind.PERSON_IN_ZONE,
    "Sturz oder liegende Person": Kind.PERSON_DOWN,
    "Person down": Kind.PERSON_DOWN,
    "Ansammlung": Kind.GATHERING,
    "Gathering": Kind.GATHERING,
}
CHANGES = {day: datetime.combine(day, time(3), BERLIN).timestamp() for day in (date(2026, 3, 29), date(2027, 3, 28), date(2028, 3, 26))}
"""When the clocks resume on the days on which they skip the hour from two to three."""
MODES = {
    "Aufzeichnungen enthalten nur verpixelte Bilder.": Mode.ANONYMOUS,
    "Recordings hold redacted pictures only.": Mode.ANONYMOUS,
    "Das ist Pseudonymisierung.": Mode.SEALED,
    "That is pseudonymisation.": Mode.SEALED,
}
NOTHING = ("Von selbst wird nicht aufgezeichnet.", "Nothing is recorded by itself.")


@cache
def instant(day: date, clock: str) -> float:
    """When the clock on the wall first shows that time or a later one."""
    if clock in {"Sonnenaufgang", "sunrise", "Sonnenuntergang", "sunset"}:
        return sun(PLACE.observer, date=day, tzinfo=BERLIN)["sunrise" if clock in {"Sonnenaufgang", "sunrise"} else "sunset"].timestamp()
    if clock == "24:00":
        return instant(day + timedelta(days=1), "00:00")
    wanted = time.fromisoformat(clock)
    midnight = datetime.combine(day, time(), BERLIN).timestamp()
    minutes = wanted.hour * 60 + wanted.minute
    # The clocks change by an hour: the first moment of the day from which on the wall shows it, found among these three.
    tries = [midnight + 60 * (minutes + moved) for moved in (-60, 0, 60)]
    shown = [at for at in tries if datetime.fromtimestamp(at, BERLIN).time() == wanted and datetime.fromtimestamp(at, BERLIN).date() == day]
    return min(shown) if shown else CHANGES[day]


def weekdays(text: str) -> set[int]:
    """Which days of the week a text names."""
    if text in {"täglich", "every day"}:
        return set(range(7))
    names = DAYS[0] if any(name in text for name in DAYS[0]) else DAYS[1]
    found = set()
    for part in re.split(r", | und | and ", text.removeprefix("on ")):
        first, _, last = re.sub(r" (bis|to) ", "-", part).partition("-")
        found |= set(range(names.index(first), names.index(last or first) + 1))
    return found


@dataclass
class Closed:
    """Days on which nobody is on duty, as the text of the night names them."""

    days: set[int]
    state: str

    @classmethod
    def read(cls, text: str | None) -> Closed:
        if not text:
            return cls(set(), "")
        text, _, state = re.sub(r"(an gesetzlichen Feiertagen|public holidays) in ", "@", text.removeprefix("on ")).partition("@")
        text = re.sub(r"(, | und | and |,)$", "", text)
        return cls(weekdays(text) if text else set(), STATES[state] if state else "")

    def has(self, day: date) -> bool:
        return day.weekday() in self.days or is_holiday(day, self.state)


def is_holiday(day: date, state: str) -> bool:
    return bool(state) and day in HOLIDAYS[state]


def says_day(text: str, now: float) -> bool:
    """Whether the sentence of day operation says that `now` belongs to it."""
    said = WHEN.match(text)
    assert said, text
    days, state = weekdays(said["days"]), STATES[said["state"]] if said["state"] else ""
    today = datetime.fromtimestamp(now, BERLIN).date()
    for day in (today - timedelta(days=1), today):
        if day.weekday() in days and not is_holiday(day, state):
            end = instant(day + timedelta(days=1) if said["over"] else day, said["end"])
            if instant(day, said["start"]) <= now < end:
                return True
    return False


def says_night(text: str, now: float) -> bool:
    """The same of the sentence of night operation, which is read alone."""
    said = OTHER.match(text)
    assert said, text
    closed, today = Closed.read(said["whole"] or said["none"] or said["begins"]), datetime.fromtimestamp(now, BERLIN).date()
    begins, ends = instant(today, said["start"]), instant(today, said["end"])
    # By the clock, not by the moments: on the day that skips an hour both may be the moment at which the clock resumes.
    is_within = said["start"] < said["end"] if said["start"][0].isdigit() else begins < ends
    between = begins <= now < ends if is_within else now >= begins or now < ends
    if said["none"] or said["begins"]:
        # Day operation lasts over midnight: what lies outside belongs to the day on which it began.
        return between or closed.has(today if now >= ends else today - timedelta(days=1))
    return between or closed.has(today)


def follows(text: str) -> tuple[dict[Kind, Action], Mode]:
    """Action of each kind and the mode, as a sentence says them."""
    base = next(action for said, action in sorted(ACTIONS.items(), key=lambda one: -len(one[0])) if said in text)
    actions = dict.fromkeys(Kind, base)
    exceptions = re.search(r"(?:Davon abweichend werden|Exceptions,) (.+?)\.", text)
    for part in exceptions[1].split("; ") if exceptions else []:
        word, _, kinds = part.partition(": ")
        actions.update({KIND_NAMES[kind]: EXCEPTIONS[word] for kind in kinds.split(", ")})
    is_nothing = any(said in text for said in NOTHING)
    assert is_nothing == all(action in {Action.NOTIFY, Action.COUNT} for action in actions.values())
    return actions, next(mode for said, mode in MODES.items() if said in text)


def regime(starts: str):
    exceptions = st.dictionaries(st.sampled_from([Kind.PERSON_IN_ZONE, Kind.PERSON_DOWN, Kind.GATHERING]), st.sampled_from(Action))
    return st.builds(Regime, starts=st.just(starts), on_situation=st.sampled_from(Action), mode=st.sampled_from(Mode), kinds=exceptions)


TIMES = st.one_of(st.sampled_from(["00:00", "02:30", "06:00", "20:00", "23:59"]), st.times().map(lambda at: f"{at:%H:%M}"))


@st.composite
def sites(draw):
    day, night = draw(st.tuples(TIMES, TIMES).filter(lambda pair: pair[0] != pair[1]))
    regimes = Regimes(
        day=draw(regime(day)),
        night=draw(regime(night)),
        weekdays=tuple(draw(st.lists(st.sampled_from(list(Weekday)), min_size=1, unique=True))),
        holidays=draw(st.sampled_from(["", "RP", "SL", "BY", "BE"])),
        by_sun=draw(st.sampled_from([False, False, True])),
    )
    return WHOLE.site.model_copy(update={"regimes": regimes})


def moments(rng: random.Random, site) -> list[datetime]:
    """Fifty moments of three years: on random days, on holidays, on both changes of the clocks, and at every turn."""
    first = date(2026, 1, 1)
    known = sorted(HOLIDAYS["RP"]["2026-01-01":"2028-12-31"])
    days = [first + timedelta(days=rng.randrange(1095)) for _ in range(6)] + rng.sample(known, 3)
    days.append(rng.choice([date(2027, 3, 28), date(2027, 10, 31), date(2026, 3, 29), date(2026, 10, 25)]))
    found = []
    for day in days:
        turn = instant(day, rng.choice([site.regimes.day.starts, site.regimes.night.starts]))
        midnight = datetime.combine(day, time(), BERLIN).timestamp()
        found += [turn, turn - 1, midnight, *(midnight + rng.randrange(86_400) for _ in range(2))]
    return [datetime.fromtimestamp(at, BERLIN) for at in found]


def printed(g):
    """Of every document the sentences of day and of night."""
    documents = [impact_assessment(g), record_of_processing(g), service_order(g)]
    documents += [information_sheet(g, language) for language in ("de", "en")]
    pairs = []
    for document in documents:
        texts = [one.text for one in document.sentences()]
        pairs.append(tuple(next(text for text in texts if text.startswith(start)) for start in _STARTS[document.language]))
    signs = []
    for language in ("de", "en"):
        for paper in ("a4", "a3"):
            section = next(one for one in sign(g, language, paper).sections if one.title in {"Zeiten", "Hours"})
            signs.append(tuple(one.text for one in section.parts[:2]))
    return pairs, signs


_STARTS = {"de": ("Tagbetrieb", "Nachtbetrieb"), "en": ("Day operation", "Night operation")}
_PARTS = re.compile(r"^(?:Tagbetrieb|Nachtbetrieb|Day operation|Night operation) \((.+?)\): (.+)$")


def records(text: str) -> bool:
    return any(said in text for said in ("Aufzeichnung bei", "recorded on"))


# 200 settings with 50 moments each are the 10,000 of docs/benchmarks.md (`make test-long`); every run takes some of them.
@settings(max_examples=often(40, 200), deadline=None, suppress_health_check=list(HealthCheck))
@given(sites(), st.randoms(use_true_random=False), st.sampled_from([None, *RegimeName]))
def test_what_is_printed_is_what_happens(site, rng, by_hand):
    known, calendar = service(site), PlaceCalendar(site.regimes.holidays, (PLACE.latitude, PLACE.longitude), BERLIN)
    pairs, signs = printed(replace(WHOLE, site=site))
    read = {(day, night): [_PARTS.match(text) for text in (day, night)] for day, night in pairs}
    for now in moments(rng, site):
        override = Override(by_hand, now + timedelta(hours=1), "Fest", "ada") if by_hand else None
        happens, at = at_moment(now, known, calendar, override), now.timestamp()
        planned = (at_moment(now, known, calendar) if override else happens).regime.name is RegimeName.DAY
        for day, night in read.values():
            assert (says_day(day[1], at), says_night(night[1], at)) == (planned, not planned), (now, day[0], night[0])
            # Whoever switched by hand gets what the other sentence says.
            actions, mode = follows((day if happens.regime.name is RegimeName.DAY else night)[2])
            assert actions == {kind: happens.policy.action(kind) for kind in Kind}
            assert mode is happens.policy.mode
        for day_text, night_text in set(signs):
            (day_when, day_what), (night_when, night_what) = (text.split(" – ") for text in (day_text, night_text))
            assert says_day(day_when[0].lower() + day_when[1:], at) == planned, (now, day_text)
            assert says_night(night_when[0].lower() + night_when[1:], at) != planned, (now, night_text)
            recorded = any(happens.policy.action(kind) in {Action.RECORD, Action.BOTH} for kind in Kind)
            assert records(day_what if happens.regime.name is RegimeName.DAY else night_what) == recorded


def test_the_eleven_holidays_of_the_example_are_named():
    """Its signs said 20:00 to 06:00, and it records at noon."""
    calendar, known = PlaceCalendar("RP", None, BERLIN), service(WHOLE.site)
    noons = [datetime(2027, 1, 1, 12, tzinfo=BERLIN) + timedelta(days=offset) for offset in range(365)]
    recording = [noon for noon in noons if at_moment(noon, known, calendar).policy.usual is Action.RECORD]
    assert len(recording) == 11
    for _, night in printed(WHOLE)[1]:
        text = night.split(" – ")[0]
        assert all(says_night(text[0].lower() + text[1:], noon.timestamp()) for noon in recording)


@pytest.mark.parametrize("language", ["de", "en"])
def test_orders_by_hand_and_the_switch_are_named_everywhere(language):
    for document in (sign(WHOLE, language, "a4"), information_sheet(WHOLE, language)):
        text = " ".join(one.text for one in document.sentences())
        assert "72" in text
        assert re.search(r"Auf Anordnung|[Bb]y order", text)
        assert re.search(r"umgeschaltet|umschalten|switch", text)
