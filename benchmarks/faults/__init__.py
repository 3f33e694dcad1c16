"""Faults of ordinary life against the real system: whole processes, real files, real peers, judged from outside.

`python -m benchmarks.faults --rounds N [--seed S] [--json] [--only FAULT] [--round-seed S]`; see docs/benchmarks.md.
"""
