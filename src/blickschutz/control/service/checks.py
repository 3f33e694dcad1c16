"""`blickschutz check`: what of a site's settings, files, keys and rows does not fit, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blickschutz.access.model import AccountState
from blickschutz.access.rules import needs_factor
from blickschutz.audit.rules import verify
from blickschutz.config.model import SiteFile
from blickschutz.control.rules import stops
from blickschutz.control.service.office import Inspected
from blickschutz.control.service.orders import LEAST_REVIEWERS
from blickschutz.control.words import said
from blickschutz.kernel.errors import BlickschutzError
from blickschutz.review.model import Case
from blickschutz.vault.io.files import is_signed

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule: does it hold, where it comes from, and the mend in one sentence where it does not."""

    id: str
    result: str
    source: str
    mend: str = ""


def check_site(site: SiteFile, records: Inspected) -> list[Finding]:
    """Recordings, keys, log and rows of a site."""
    return [
        *_check_losses(records),
        *_check_people(records),
        *_check_files(records),
        *_check_pictures(records),
        _check_log(records),
        _check_disk(site, records),
    ]


def _finding(name: str, source: str, mend: str) -> Finding:
    return Finding(name, "broken" if mend else "holds", source, mend)


def _check_losses(records: Inspected) -> list[Finding]:
    """What is missing, and what was set aside because of it."""
    losses = records.safety.losses
    stopping = " ".join(" ".join(said(loss, "en")) for loss in losses if stops(loss))
    others = " ".join(" ".join(said(loss, "en")) for loss in losses if not stops(loss))
    aside = sorted(path.name for path in records.archive.data.glob("*.damaged*"))
    mend = f"set aside because they are damaged: {', '.join(aside)}; have them rescued or remove them, they hold personal data"
    found = records.office.quarantine.waiting()
    waiting = f"in quarantine: {_cases(found)}; two people of the supervision decide on the page Vorgänge"
    stuck = "; ".join(f"case {one.case} ({one.clip}): {one.problem}" for one in records.stuck())
    return [
        _finding("safe-mode", "LO-05, SI-04", f"nothing is destroyed or recorded: {stopping}" if stopping else ""),
        _finding("lost-alerts", "KI-03", others),
        _finding("set-aside", "LO-06", mend if aside else ""),
        _finding("quarantine", "LO-06", waiting if found else ""),
        _finding("stuck", "LO-04", f"these do not go, and are tried again: {stuck}" if stuck else ""),
    ]


def _check_people(records: Inspected) -> list[Finding]:
    enrolled, stray = len(records.archive.keys.readable()), records.archive.keys.faults()
    mend = f"{enrolled} people have a key; at least {LEAST_REVIEWERS} set a passphrase (page Meine Losung)"
    found = [_finding("reviewers", "VA-01, SI-02", mend if records.orders.records and enrolled < LEAST_REVIEWERS else "")]
    found.append(_finding("keys", "VA-01", f"in keys/reviewers: {'; '.join(stray)}; put them right or remove them" if stray else ""))
    access = records.office.access
    people = [member for member in access.members.values() if member.state is not AccountState.BLOCKED]
    missing = [member.id for member in people if not access.passwords.is_set(member.id)]
    mend = f"these people never signed in; propose a one-time code on the page Personen: {', '.join(missing)}" if missing else ""
    found.append(_finding("passwords", "SI-03", mend))
    counts = access.factors.counts()
    without = [one.id for one in people if needs_factor(one) and one.state is AccountState.ACTIVE and not counts.get(one.id)]
    mend = f"these people set up a second factor when they sign in next: {', '.join(without)}" if without else ""
    return [*found, _finding("second-factor", "SI-03", mend)]


def _check_files(records: Inspected) -> list[Finding]:
    missing = [f"case {case.id} ({case.clip})" for case in records.intake.missing()]
    mend = f"the file is not there: {', '.join(missing)}; look for it in the disk's lost files, else let the deadline close the case"
    strays = sorted(clip for clip in records.archive.shelf.clips() if not records.office.cases.store.knows(clip))
    stray_mend = f"no case knows these files: {', '.join(strays)}; the next start puts those of this installation into quarantine"
    return [
        _finding("missing-file", "LO-05", mend if missing else ""),
        _finding("missing-row", "LO-06", stray_mend if strays else ""),
    ]


def _check_pictures(records: Inspected) -> list[Finding]:
    """Redacted pictures that an older version stored."""
    renewal = records.renewal
    clips, packages = renewal.clips(), renewal.packages()
    try:
        count = renewal.alerts()
        alerts = f"{count} alerts have seconds that an older version redacted; they are destroyed at the next start" if count else ""
    except BlickschutzError as error:
        alerts = str(error)
    ending = f"an older version redacted these recordings: {_cases(clips.ending)}; they are destroyed at the next start"
    kept = [*(f"held: {_cases([case])}, ends with its hold" for case in clips.held)]
    kept += [f"restricted: {_cases([case])}, destroyed when request {case.restricted[0]} needs it no longer" for case in clips.restricted]
    kept += [f"half decided: {_cases([case])}, ends with its deadline" for case in clips.half_held]
    mend = f"an older version redacted these recordings; they are shown to nobody and are not released; {'; '.join(kept)}"
    result = [
        _finding("old-alerts", "DM-05", alerts),
        _finding("old-clips", "DM-05", ending if clips.ending else ""),
        _finding("old-kept", "DM-05, LO-03", mend if kept else ""),
    ]
    if not packages:
        return [*result, _finding("old-packages", "DM-05", "")]
    text = (
        f"made by an older version, whose redaction could leave fast people visible: {', '.join(packages)}; they are encrypted and "
        "cannot be looked into here; tell the recipients, and make new packages; each is removed with its recording"
    )
    return [*result, Finding("old-packages", "not yet known", "DM-05", text)]


def _cases(cases: Sequence[Case]) -> str:
    return ", ".join(f"case {case.id}" for case in cases)


def _check_log(records: Inspected) -> Finding:
    faults = list(verify(records.office.log.export(), is_signed, records.archive.key.public)) if records.office.log.state()[0] else []
    return _finding(
        "log", "SI-04", f"the log is not intact: {faults[0].text}; keep the disk and tell the data protection officer" if faults else ""
    )


def _check_disk(site: SiteFile, records: Inspected) -> Finding:
    try:
        free = records.archive.shelf.free() // _MB
    except OSError as error:
        return _finding("disk", "SI-02", f"{records.archive.shelf.folder} cannot be used: {error.strerror}")
    mend = f"{free} MB are free, {site.recording.reserve_mb} MB must be; make room or nothing is recorded"
    return _finding("disk", "LO-01", mend if free < site.recording.reserve_mb else "")
