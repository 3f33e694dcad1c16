"""The clocks of this machine, and whether a time server stands behind them."""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
import time
from pathlib import Path

from blickschutz.kernel.clock import Clock
from blickschutz.retention.model import Sample

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_ERROR = 5
_TIMEX_BYTES = 512
_TOGETHER_S = 0.1
_TRIES = 5
_CHRONY_EVERY_S = 60.0
_CHRONY_WAIT_S = 2.0
_STRATUM, _LEAP_STATUS, _FIELDS = 2, 13, 14


class MachineSources:
    """See `Sources`. Linux only."""

    def __init__(self) -> None:
        self._boot = _BOOT_ID.read_text(encoding="ascii").strip().replace("-", "")
        self._chrony, self._asked_at = False, float("-inf")

    def sample(self) -> Sample:
        """Read again where something came in between (a stopped process), for the wall clock would seem to have jumped."""
        before = after = wall = 0.0
        for _ in range(_TRIES):
            before = time.clock_gettime(time.CLOCK_BOOTTIME)
            wall = time.time()
            after = time.clock_gettime(time.CLOCK_BOOTTIME)
            if after - before <= _TOGETHER_S:
                break
        return Sample(self._boot, before, wall, kernel_is_synchronised() or self._chrony_is_synchronised(after))

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def _chrony_is_synchronised(self, boottime: float) -> bool:
        """Without `rtcsync` chrony does not tell the kernel; it is asked itself, at most once a minute."""
        if boottime - self._asked_at >= _CHRONY_EVERY_S:
            self._asked_at, self._chrony = boottime, chrony_is_synchronised()
        return self._chrony


def kernel_is_synchronised() -> bool:
    """Whether the kernel says that a time server stands behind its clock (`adjtimex`); setting it by hand ends that."""
    # With no mode set the call reads only. Its return value is all that is needed, so the buffer stands for `struct timex`.
    state = int(_libc().adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return 0 <= state < _TIME_ERROR


def chrony_is_synchronised() -> bool:
    """What `chronyc tracking` says, where it is installed and answers."""
    program = shutil.which("chronyc")
    if program is None:
        return False
    try:
        result = subprocess.run([program, "-n", "-c", "tracking"], capture_output=True, text=True, timeout=_CHRONY_WAIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0 and tracking_is_synchronised(result.stdout)


def tracking_is_synchronised(text: str) -> bool:
    """From one line of comma-separated values: stratum 1 to 15, and a leap status that is one."""
    fields = text.strip().split(",")
    if len(fields) < _FIELDS or not fields[_STRATUM].isdigit():
        return False
    return 0 < int(fields[_STRATUM]) < 16 and fields[_LEAP_STATUS] in {"Normal", "Insert second", "Delete second"}


class ClockSources:
    """See `Sources`: from a clock that is handed in, as tests and demonstrations do. `boot` names the boot that it stands for."""

    def __init__(self, clock: Clock, boot: str = "clock", *, synchronised: bool = False) -> None:
        self._clock, self.boot, self.synchronised = clock, boot, synchronised

    def sample(self) -> Sample:
        return Sample(self.boot, self._clock.monotonic(), self._clock.now(), self.synchronised)

    def boottime(self) -> float:
        return self._clock.monotonic()


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
