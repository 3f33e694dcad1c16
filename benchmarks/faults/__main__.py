"""`python -m benchmarks.faults`: rounds of random faults, and what of the promises they broke."""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.faults import place
from benchmarks.faults.ledger import Violation

if TYPE_CHECKING:
    from benchmarks.faults.round import Round

# Rounds that share an installation, unless something breaks in one of them.
CHAPTER = 4
COUNTED = (
    "destroyed_early",
    "overdue",
    "false_receipts",
    "alerts_lost",
    "orders_lost",
    "decisions_lost",
    "verdicts_lost",
    "entries_lost",
    "decisions_without_entry",
    "work_not_running",
    "cells_killed_by_control",
    "cells_double",
    "second_instances",
    "backup_unequal",
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="what is drawn; the same seed draws the same faults")
    parser.add_argument("--round-seed", type=int, help="repeat one round: the number that a violation names")
    parser.add_argument("--chapter-seed", type=int, help="repeat the rounds that shared an installation")
    parser.add_argument("--only", action="append", default=[], metavar="FAULT", help="only faults whose name contains this")
    parser.add_argument("--each", action="store_true", help="each fault once, in the order of the list")
    parser.add_argument("--list", action="store_true", help="say the names of all faults")
    parser.add_argument("--keep", type=Path, help="keep what the system said in rounds that broke something")
    parser.add_argument("--verbose", action="store_true", help="say how long the parts of each round took")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    if options.list:
        from benchmarks.faults import kinds  # noqa: F401 - importing it fills the list
        from benchmarks.faults.listing import FAULTS

        print("\n".join(FAULTS))
        return 0
    place.enter()
    base = Path(tempfile.mkdtemp(prefix="blickschutz-faults-"))
    place.mount_disk(base, 1500)
    try:
        return play(options, base)
    finally:
        place.unmount(base)
        base.rmdir()


def play(options: argparse.Namespace, base: Path) -> int:
    # What these bring along must be loaded inside the namespaces, and after the place for models and data is known.
    from benchmarks.faults import kinds, template  # noqa: F401 - importing the kinds fills the list
    from benchmarks.faults.listing import FAULTS
    from benchmarks.faults.peers import Peers
    from benchmarks.faults.round import Round
    from benchmarks.faults.shim import Shim

    chosen = [one for name, one in FAULTS.items() if not options.only or any(word in name for word in options.only)]
    if not chosen:
        sys.exit("no fault has such a name; see --list")
    shim, peers, tally = Shim(base), Peers(base), Tally(options)
    system = None
    try:
        system, folder = template.make(base, shim)
        one = Round(system, peers, folder)
        for number, (round_seed, name) in enumerate(drawn(options, one, len(chosen)), 1):
            # Which faults is drawn apart from what happens in them: one of them alone happens again as it did.
            pick = random.Random(round_seed + 1)
            faults = [chosen[number - 1]] if options.each else pick.sample(chosen, min(len(chosen), pick.choice((1, 1, 2))))
            start = time.monotonic()
            try:
                found = one.play(faults, random.Random(round_seed))
            except Exception as error:  # noqa: BLE001 - a harness that fails says so and goes on to the next round
                traceback.print_exc()
                found = [Violation("harness", f"{type(error).__name__}: {error}")]
            tally.add(number, [fault.name for fault in faults], found, one, time.monotonic() - start, name)
    finally:
        if system is not None:
            system.clear()
        peers.end()
    return tally.result()


def drawn(options: argparse.Namespace, one: Round, kinds: int) -> Iterator[tuple[int, str]]:
    """The seed of each round, and by which options it can be repeated. Some rounds after another share an installation: a chapter."""
    if options.round_seed is not None:
        yield options.round_seed, f"--round-seed {options.round_seed}"
        return
    draw, done = random.Random(options.seed), 0
    most = kinds if options.each else CHAPTER if options.chapter_seed is not None else options.rounds
    while done < most:
        chapter = draw.randrange(10**9) if options.chapter_seed is None else options.chapter_seed
        seeds = random.Random(chapter)
        one.worn = True
        for index in range(1 if options.each else CHAPTER):
            if done == most or (index and one.worn):
                break
            done += 1
            round_seed = seeds.randrange(10**9)
            yield round_seed, f"--chapter-seed {chapter}, round {index + 1}" if index else f"--round-seed {round_seed}"
        if options.chapter_seed is not None:
            return


class Tally:
    """Counts, prints, and sums up."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._count, self._spent = Counter[str](), list[float]()
        self._figures = Counter[str](dict.fromkeys(COUNTED, 0))
        self._reads, self._writes = list[float](), list[tuple[float, str]]()

    def add(self, number: int, faults: list[str], found: list[Violation], one: Round, seconds: float, name: str) -> None:
        self._spent.append(seconds)
        self._count.update(faults)
        self._figures.update(each.field for each in found)
        self._reads += one.ledger.reads
        self._writes += one.ledger.writes
        print(f"{number:4} {seconds:5.1f} s  {', '.join(faults)}: {f'{len(found)} broken' if found else 'held'}", flush=True)
        if self._options.verbose:
            print("       " + ", ".join(f"{part} {spent:.1f} s" for part, spent in one.spent.items()))
        for each in found:
            print(f"       {each.field}: {each.text}   [{name}]", flush=True)
        if found and self._options.keep:
            self._options.keep.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):
                (self._options.keep / f"{number}.log").write_bytes(one.system.log.read_bytes())

    def result(self) -> int:
        """Print the sum; 1 where anything was broken."""
        result: dict[str, object] = {"rounds": len(self._spent), "faults": dict(self._count), **self._figures}
        if len(self._reads) > 1:
            result["read_p95_ms"] = round(1000 * statistics.quantiles(self._reads, n=20)[-1], 1)
        if self._writes:
            slowest, what = max(self._writes)
            result["write_slowest_s"] = round(slowest, 2)
            # What was answered may be a picture.
            print(f"slowest write during a lock: {slowest:.2f} s, {what[:80]!r}")
        # Whether it is equal is known where it was tried.
        unequal = self._figures["backup_unequal"]
        del result["backup_unequal"]
        if any(name.startswith("backup ") for name in self._count):
            result["backup_equal"] = unequal == 0
        result["round_median_s"] = round(statistics.median(self._spent), 1)
        shown = (f"{name:26} {value}" for name, value in result.items() if name != "faults")
        print(json.dumps(result) if self._options.json else "\n".join(shown))
        return int(any(self._figures.values()))


if __name__ == "__main__":
    sys.exit(main())
