"""Filters of system calls as classic BPF (seccomp(2), linux/filter.h, linux/seccomp.h): a list of checks, put into instructions."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
# Calls of the 32-bit interface that x86-64 knows beside its own.
_X32 = 0x40000000
EPERM, ENOSYS = 1, 38

Instruction = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Check:
    """The call `number` is refused with `error`, unless its argument, masked by `mask`, is one of `good`; or where it is one of `bad`.

    `argument` None: it is always refused. All arguments that are looked at are 32 bits wide.
    """

    number: int
    error: int = EPERM
    argument: int | None = None
    mask: int = 0xFFFFFFFF
    good: tuple[int, ...] = ()
    bad: tuple[int, ...] = ()


def program(arch: int, checks: Iterable[Check], only: Collection[int] | None = None) -> list[Instruction]:
    """Instructions (code, jump if true, jump if false, value). What no check refuses is allowed where it is one of `only`, or where
    there is no such list; else it answers ENOSYS.

    A call of another architecture's interface ends the process: no program of ours makes one, so it is an attack on the filter.
    """
    made = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]
    made += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    for check in checks:
        made += _instructions(check)
    if only is not None:
        for number in sorted(only):
            made += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
        made.append((_RETURN, 0, 0, _ERRNO | ENOSYS))
    return [*made, (_RETURN, 0, 0, _ALLOW)] if only is None else made


def _instructions(check: Check) -> Sequence[Instruction]:
    refuse = (_RETURN, 0, 0, _ERRNO | check.error)
    if check.argument is None:
        return (_EQUAL, 0, 1, check.number), refuse
    size = len(check.good)
    # A good value jumps over the rest of its list and over the refusal.
    judged = [(_EQUAL, size - index, 0, value) for index, value in enumerate(check.good)]
    judged += [refuse] if not check.bad else [step for value in check.bad for step in ((_EQUAL, 0, 1, value), refuse)]
    inside = [(_LOAD, 0, 0, _ARGUMENTS + 8 * check.argument), (_AND, 0, 0, check.mask), *judged, (_LOAD, 0, 0, _NUMBER)]
    return [(_EQUAL, 0, len(inside), check.number), *inside]


def packed(instructions: Iterable[Instruction]) -> bytes:
    """As `struct sock_filter[]`."""
    return b"".join(struct.pack("=HBBI", *one) for one in instructions)
