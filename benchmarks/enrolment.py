"""Attacks on the register of reviewers, tried against the door that seals and a real vault.

python -m benchmarks.enrolment [--attacks N]     how many of N generated attacks open a clip alone; the last line is one JSON object
"""

from __future__ import annotations

import argparse
import json
import time

from tests.properties.test_enrolment import Case


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--attacks", type=int, default=10_000)
    count = parser.parse_args().attacks
    began, opened, altered, sealed = time.perf_counter(), 0, 0, 0
    for seed in range(count):
        case = Case(seed)
        case.attack()
        altered += case.forged != case.honest.lines
        opened += case.opens_alone()
        sealed += case.sealed
    seconds = round(time.perf_counter() - began, 1)
    print(json.dumps({"attacks": count, "registers_altered": altered, "sealed": sealed, "opened_by_one": opened, "seconds": seconds}))


if __name__ == "__main__":
    main()
