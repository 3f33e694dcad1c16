"""python -m benchmarks.mutations [--only NAME ...] [--all] [--listed] [--json]"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.mutations.lines import FORTY, FURTHER
from benchmarks.mutations.model import Outcome, Result
from benchmarks.mutations.runner import try_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutations", description="Alters lines; tells which no fast test notices.")
    parser.add_argument("--only", action="append", metavar="NAME", help="this line only (may be repeated)")
    parser.add_argument("--all", action="store_true", help="the forty and the further ones")
    parser.add_argument("--listed", action="store_true", help="only the tests that should notice")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    options = parser.parse_args()
    lines = (
        [line for line in (*FORTY, *FURTHER) if line.name in options.only] if options.only else [*FORTY, *(FURTHER if options.all else ())]
    )
    if not lines or (options.only and len(lines) != len(set(options.only))):
        parser.error("there is no line of that name")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="blickschutz-mutations-") as folder:
        results, slowest_s = try_all(lines, Path(folder), _tell, listed_only=options.listed)
    counts = Counter(one.outcome for one in results)
    figures = {
        "mutations": len(results),
        **{f"mutations_{outcome.value}": counts[outcome] for outcome in Outcome},
        "mutations_noticed_by_others": sum(one.outcome is Outcome.NOTICED and not one.listed for one in results),
        "mutations_slowest_test_s": slowest_s,
        "mutations_s": round(time.monotonic() - begun, 1),
    }
    bad = [one for one in results if one.outcome is not Outcome.NOTICED]
    if options.json:
        print(json.dumps({**figures, "lines": {one.line.name: f"{one.outcome.value}: {one.by or one.why}" for one in results}}, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:30} {value}")
        for one in bad:
            print(f"{one.outcome.value}: {one.line.name} ({one.line.promise}; {one.line.file}): {one.why}")
    return 1 if bad else 0


def _tell(result: Result) -> None:
    print(f"{result.outcome.value:9} {result.seconds:6.1f} s  {result.line.name:28} {result.by or result.why}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
