"""The order of an upgrade. What can fail is done while the old programs still watch; what is dark is the time of two starts at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError, FaultError
from blickschutz.upgrade.model import Begun, Bundle, Fate, Outcome, Seen, UpgradeError, Verdict
from blickschutz.upgrade.ports import Programs, Records, Service
from blickschutz.upgrade.rules import judged

# Seconds between two looks at the service, and for how long it has to stay as it is once it is ready.
_EACH_S, _STAYS_S = 0.5, 10.0
# Seconds for cameras to be live once the service has said that each of them answered or why it does not.
_CAMERAS_S = 20.0
Say = Callable[[str], object]
_FAILURES = (DeviceError, OSError, UpgradeError)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade from the version `before`. `limit_s`: how long the new programs may take until every camera is live again.

    `listen` decides whether an interrupt is heard (and means going back) or waits for the end.
    """

    service: Service
    programs: Programs
    records: Records
    clock: Clock
    before: str
    limit_s: float
    say: Say
    listen: Callable[[bool], object] = lambda on: None

    def run(self, bundle: Bundle) -> Outcome:
        """Raises `UpgradeError` where nothing was changed, `FaultError` where the old programs do not come back either."""
        was = self.service.seen()
        if not was.active:
            raise UpgradeError(_NOT_ACTIVE)
        self.say("backup")
        self.records.back_up()
        self.say("install")
        self.programs.install(bundle, self.before)
        try:
            self.say("rehearse")
            self.records.rehearse()
        except (UpgradeError, KeyboardInterrupt):
            self.programs.drop()
            raise
        self.say("switch")
        dark = self.clock.monotonic()
        reason = self._tried(was)
        self.listen(False)
        if reason:
            self._back(was, bundle.version, reason)
        dark_s = self.clock.monotonic() - dark - _STAYS_S
        unnoted = self._noted(self.before, bundle.version, reason)
        if reason:
            self.programs.drop()
        else:
            self.programs.settle()
        return Outcome(Fate.TAKEN_BACK if reason else Fate.DONE, self.before, bundle.version, dark_s, reason, unnoted)

    def finish(self, begun: Begun) -> Outcome:
        """Bring an upgrade to its end that was cut off. The programs of this process are those that everybody calls now.

        Newer ones stay where they run; else the older ones come back, with what was written since.
        """
        self.listen(False)
        seen, began = self.service.seen(), self.clock.monotonic()
        is_new, reason = self.before == begun.now, ""
        if is_new and seen.active:
            self.programs.settle()
        else:
            reason = "it was cut off"
            if is_new or not seen.active:
                self._back(Seen(active=True, failed=False, restarts=0), begun.now, reason)
            self.programs.drop()
        unnoted = self._noted(begun.before, begun.now, reason)
        return Outcome(Fate.TAKEN_BACK if reason else Fate.DONE, begun.before, begun.now, self.clock.monotonic() - began, reason, unnoted)

    def _noted(self, before: str, now: str, reason: str) -> str:
        """Why the log has no entry; the programs that run are not to be judged by that."""
        try:
            self.records.note(before, now, reason)
        except UpgradeError as error:
            return str(error)
        return ""

    def _tried(self, was: Seen) -> str:
        """Why the new programs are not to stay; empty where they are."""
        try:
            self.service.stop()
            self.programs.switch()
            return self._started(was)
        except _FAILURES as error:
            return str(error)
        except KeyboardInterrupt:
            return "somebody interrupted it"

    def _started(self, was: Seen) -> str:
        restarts, began = self.service.seen().restarts, self.clock.monotonic()
        self.service.start()
        ready_since: float | None = None
        active_since: float | None = None
        while True:
            seen, now = self.service.seen(), self.clock.monotonic()
            active_since = now if seen.active and active_since is None else active_since
            limit_s = self.limit_s if active_since is None else min(self.limit_s, active_since - began + _CAMERAS_S)
            verdict = judged(seen, was, restarts, now - began, limit_s)
            if verdict is Verdict.FAILED:
                return _said(seen, was, now - began)
            if verdict is Verdict.WAIT:
                ready_since = None
            else:
                ready_since = now if ready_since is None else ready_since
                if now - ready_since >= _STAYS_S:
                    return ""
            self.clock.sleep(_EACH_S)

    def _back(self, was: Seen, version: str, reason: str) -> None:
        self.say("back")
        try:
            self.service.stop()
            self.programs.switch_back()
            self.records.take_back()
            still = self._started(was)
        except _FAILURES as error:
            still = str(error)
        if still:
            raise FaultError(
                f"version {version} is not to stay ({reason}), and the version before did not come back ({still}): the service stands. "
                "Look at its journal, mend what it says and call this command again; if its data are at fault, restore the backup that was "
                "made before into another folder"
            )


_NOT_ACTIVE = (
    "the service does not run, so nobody could tell whether the new version works as well as this one; start it first, "
    "or install the bundle with its install.sh while it stands"
)


def _said(seen: Seen, was: Seen, after_s: float) -> str:
    if seen.failed:
        return "the service ended with a failure"
    if seen.active:
        return f"{seen.live or 0} of {seen.cameras or was.cameras or 0} cameras were live after {after_s:.0f} s, {was.live} before"
    return f"it was not ready after {after_s:.0f} s"
