"""Whatever is lost, put back, cut off or killed: nothing that is held or undecided ends early, no receipt lies, and all ends in time."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field

import msgspec
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from blickschutz.audit.model import Event
from blickschutz.kernel.errors import BlickschutzError
from blickschutz.retention.model import Ending, Receipt
from blickschutz.retention.rules import METHODS
from blickschutz.review.model import CaseState, Fate, Ground, Verdict
from tests.conftest import often
from tests.house import House

HOUR, DAY = 3600.0, 86_400.0
LIMIT_S = 72 * HOUR
PEOPLE = ("kvd-1", "kvd-2", "kvd-3")
GROUND = Ground.CRIMINAL_OFFENCE

ACTS = (
    *("record", "verdict", "incident", "hold", "release", "hours", "days"),
    *("back up", "older", "lose database", "lose key", "put key back", "delete", "put clip back"),
    *("restart", "crash", "crash in hold", "accept", "propose", "decide"),
)
# A loss matters where something is held, and where people go on after it and time passes.
TOGETHER = (
    ("hold", "lose database", "accept", "days"),
    ("back up", "hold", "days", "older", "accept", "days"),
    ("hold", "lose key", "accept", "days"),
    ("crash in hold", "hours", "days"),
    ("verdict", "verdict", "crash", "restart"),
    ("delete", "days", "restart"),
)
chunks = st.one_of(st.sampled_from(ACTS).map(lambda act: (act,)), st.sampled_from(TOGETHER))
acts = st.lists(st.tuples(chunks, st.integers(0, 5)), min_size=2, max_size=8)


class Crash(BaseException):
    """The process ends here."""


@dataclass
class Truth:
    """What really happened to one clip, whatever any database says of it."""

    opened: float
    harmless: set = field(default_factory=set)
    held_until: float = 0.0
    discarded: bool = False
    taken: bool = False
    unexplained: bool = False


class World(House):
    """A site, and what really happened to it."""

    def __init__(self, folder):
        self.root = folder
        self.truth, self.overwritten, self.kept, self.receipts = {}, [], {}, 0
        self.key_aside = None
        super().__init__(folder / "site")
        self.records.keeping.begin()
        self.enrol(3)

    def start(self):
        super().start()
        shelf, real = self.records.archive.shelf, self.records.archive.shelf.overwrite

        def overwrite(clip):
            written = real(clip)
            if written:
                self.overwritten.append((clip, written))
            return written

        shelf.overwrite = overwrite

    @property
    def files(self):
        return {path.stem for path in (self.folder / "clips").glob("*.clip")}

    def case(self, clip):
        return self.records.office.cases.store.by_clip(clip)

    def pick(self, number):
        names = sorted(self.truth)
        return names[number % len(names)] if names else None

    def second(self, clip):
        """The second of two confirms what they see; whether it was taken."""
        case = self.case(clip)
        return self.records.office.cases.confirm(case.id, "kvd-2", case.version) is None

    def round(self):
        self.clock.sleep(61)
        self.housekeep()
        self.work()

    # --- what can happen ---

    def do(self, act, number):
        clip = self.pick(number)
        if act == "record" or clip is None:
            name = f"{len(self.truth):032x}"
            self.clip(name)
            self.truth[name] = Truth(self.clock.now())
            self.kept[name] = self.records.archive.shelf.path(name).read_bytes()
        if act == "record":
            return
        if act in {"hours", "days"}:
            self.clock.sleep(number * (7 * HOUR if act == "hours" else 11 * DAY))
        elif act == "restart":
            self.records.keeping.end()
            self.begin()
        elif act == "accept" and self.records.keeping.safety.losses:
            self.records.keeping.safety.accept_here("terminal")
        elif act in {"lose database", "older", "back up", "lose key", "put key back"}:
            self.lose(act)
        else:
            self.decide(act, self.pick(number), number)

    def begin(self):
        self.start()
        self.records.keeping.begin()

    def lose(self, act):
        aside, key = self.root / "backup", self.folder / "keys/installation.key"
        if act == "back up":
            self.close()
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir()
            for path in self.folder.glob("control.db*"):
                shutil.copy(path, aside)
        elif act == "lose key" and key.exists():
            self.close()
            self.key_aside = key.read_bytes()
            key.unlink()
        elif act == "put key back" and self.key_aside is not None and not key.exists():
            self.close()
            key.write_bytes(self.key_aside)
        elif act == "lose database" or (act == "older" and aside.exists()):
            self.close()
            for path in self.folder.glob("control.db*"):
                path.unlink()
            for truth in self.truth.values():
                truth.unexplained = act == "lose database"
            if act == "older":
                for path in aside.iterdir():
                    shutil.copy(path, self.folder)
        else:
            return
        self.begin()

    def decide(self, act, clip, number):
        desk, quarantine, case, truth = self.records.office.cases, self.records.office.quarantine, self.case(clip), self.truth[clip]
        path = self.records.archive.shelf.path(clip)
        if act == "delete":
            truth.taken = truth.taken or path.exists()
            path.unlink(missing_ok=True)
        elif act == "put clip back" and not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(self.kept[clip])
            self.close()
            self.begin()
        elif case is None:
            return
        elif act == "verdict":
            person = PEOPLE[number % 3]
            if isinstance(desk.verdict(case.id, person, Verdict.NO_INCIDENT, ""), CaseState):
                truth.harmless.add(person)
        elif act == "incident":
            if desk.verdict(case.id, PEOPLE[number % 3], Verdict.INCIDENT, "", GROUND, "KL-1") is CaseState.HELD:
                truth.held_until = self.case(clip).hold.until
        elif act == "hold":
            until = self.clock.now() + (number + 1) * 5 * DAY
            if desk.propose_hold(case.id, "kvd-1", GROUND, "KL-1", until) and self.second(clip):
                truth.held_until = until  # two people may shorten a hold, too
        elif act == "release":
            if desk.propose_end(case.id, "kvd-1") and self.second(clip):
                truth.held_until = 0.0
                # Two people ended it, whatever row they had of it.
                truth.discarded, truth.unexplained = True, False
        elif act == "propose":
            fate = list(Fate)[number % 3]
            quarantine.propose(case.id, "aufsicht", fate, GROUND, "KL-2", self.clock.now() + 3 * DAY)
        elif act == "decide":
            self.confirm(case, truth)
        elif act in {"crash", "crash in hold"}:
            self.crash(act, clip, number)

    def confirm(self, case, truth):
        if self.records.office.quarantine.confirm(case.id, "aufsicht-2", case.version) is None:
            truth.harmless.clear()
            truth.held_until = case.fate.hold.until if case.fate.hold is not None else 0.0
            truth.discarded, truth.unexplained = case.fate.fate is Fate.DESTROY, False

    def crash(self, act, clip, number):
        """The end comes in the middle of a destruction, or between a hold's file and its row."""
        archive, store = self.records.archive, self.records.office.cases.store
        points = (
            [(archive.shelf, "overwrite"), (archive.shelf, "remove"), (store, "shredded")] if act == "crash" else [(archive.notes, "keep")]
        )
        target, name = points[number % len(points)]
        real = getattr(target, name)

        def ends(*given):
            if number % 2 or act == "crash in hold":
                real(*given)
            raise Crash

        setattr(target, name, ends)
        try:
            if act == "crash":
                for person in PEOPLE[:2]:
                    if isinstance(self.records.office.cases.verdict(self.case(clip).id, person, Verdict.NO_INCIDENT, ""), CaseState):
                        self.truth[clip].harmless.add(person)
                self.round()
            else:
                desk = self.records.office.cases
                desk.propose_hold(self.case(clip).id, "kvd-1", GROUND, "KL-1", self.clock.now() + 9 * DAY)
                self.second(clip)
        except Crash:
            self.close()
            self.begin()
        else:
            setattr(target, name, real)

    # --- what must hold ---

    def check(self, before):
        now = self.clock.now()
        for clip in before - self.files:
            truth = self.truth[clip]
            if truth.taken:
                continue
            assert not truth.unexplained, f"no row explained {clip}, and nobody decided"
            lawful = truth.discarded or len(truth.harmless) >= 2 or now >= truth.opened + LIMIT_S
            assert lawful, f"{clip} ended {(now - truth.opened) / HOUR:.0f} h after it was recorded, and nobody decided"
            assert truth.discarded or now >= truth.held_until, f"{clip} was held for {(truth.held_until - now) / DAY:.0f} more days"
        self.check_receipts()

    def check_receipts(self):
        for entry in self.events(Event.SHREDDED):
            receipt = msgspec.convert(entry.facts, Receipt)
            assert receipt.method == METHODS[Ending(receipt.ending)]
            if receipt.ending == Ending.OVERWRITTEN:
                assert (receipt.clip, receipt.overwritten) in self.overwritten, receipt
            else:
                assert receipt.overwritten == 0


EXAMPLES = int(os.environ.get("BLICKSCHUTZ_EXAMPLES", often(8, 60)))


# Shrinking such a sequence takes longer than reading it.
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.reuse, Phase.generate)
)
@given(acts)
def test_no_loss_and_no_crash_ends_a_clip_early_or_keeps_one_for_ever(tmp_path_factory, sequence):
    world = World(tmp_path_factory.mktemp("world"))
    try:
        for act, number in ((act, number) for chunk, number in sequence for act in chunk):
            there = world.files
            note(f"{act} {number}: {sorted(there)}")
            with_errors(world, lambda act=act, number=number: world.do(act, number))
            with_errors(world, world.round)
            world.check(there)
        end(world)
    finally:
        world.close()
        shutil.rmtree(world.root)


def with_errors(world, step):
    """What is refused in words is refused; without the key some decisions cannot be signed."""
    try:
        step()
    except BlickschutzError:
        assert world.records.keeping.safety.on or not world.records.archive.key.whole


def end(world):
    """People look after it: what is lost is accepted, quarantine is decided, and then everything ends when it is due."""
    for _ in range(3):
        if world.records.keeping.safety.losses:
            assert world.records.keeping.safety.accept_here("terminal") is None
        world.work()
        world.close()
        world.begin()
    assert world.records.keeping.safety.losses == ()
    for case in world.records.office.quarantine.waiting():
        quarantine = world.records.office.quarantine
        assert quarantine.propose(case.id, "aufsicht", Fate.DESTROY) is None
        there = world.files
        world.confirm(world.case(case.clip), world.truth[case.clip])
        world.round()
        world.check(there)
    for _ in range(4):
        there = world.files
        world.clock.sleep(31 * DAY)
        world.round()
        world.round()
        world.check(there)
    assert world.files == set()
    assert not world.truth or os.listdir(world.folder / "clips") == [], "nothing lies beside a clip that is gone"
