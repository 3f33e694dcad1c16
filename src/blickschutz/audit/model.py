"""Entries of the log: a closed vocabulary, plain facts."""

from __future__ import annotations

from enum import StrEnum

import msgspec

GENESIS = "0" * 64


class Event(StrEnum):
    """All that is ever logged. There are no others."""

    SYSTEM_STARTED = "system-started"
    SYSTEM_ENDED = "system-ended"
    SETTINGS_CHANGED = "settings-changed"
    SETTINGS_PROPOSED = "settings-proposed"
    SETTINGS_APPLIED = "settings-applied"
    SETTINGS_WITHDRAWN = "settings-withdrawn"
    SETTINGS_OVERTAKEN = "settings-overtaken"
    CAMERA_STOPPED = "camera-stopped"
    CAMERA_RESUMED = "camera-resumed"
    REGIME_SET = "regime-set"
    REGIME_RELEASED = "regime-released"
    CLOCK_CHANGED = "clock-changed"
    CLOCK_COUNTED = "clock-counted"
    CLOCK_SUSPENDED = "clock-suspended"
    CLOCK_RESUMED = "clock-resumed"
    CLOCK_PROPOSED = "clock-proposed"
    CLOCK_CONFIRMED = "clock-confirmed"
    SIGNED_IN = "signed-in"
    SIGN_IN_REFUSED = "sign-in-refused"
    SIGNED_OUT = "signed-out"
    PASSWORD_CHANGED = "password-changed"
    ACCOUNT_CREATED = "account-created"
    ACCOUNT_PROPOSED = "account-proposed"
    ACCOUNT_WITHDRAWN = "account-withdrawn"
    ACCOUNT_ACTIVATED = "account-activated"
    ACCOUNT_BLOCKED = "account-blocked"
    RIGHTS_CHANGED = "rights-changed"
    CODE_ISSUED = "code-issued"
    FACTOR_ADDED = "factor-added"
    FACTOR_REMOVED = "factor-removed"
    TOKEN_MADE = "token-made"
    TOKEN_REMOVED = "token-removed"
    LOG_BROKEN = "log-broken"
    WITNESS_BOUND = "witness-bound"
    ANCHOR_FAILED = "anchor-failed"
    ANCHORED_AGAIN = "anchored-again"
    LOSS_FOUND = "loss-found"
    LOSS_SEEN = "loss-seen"
    LOSS_ACCEPTED = "loss-accepted"
    KEY_REPLACED = "key-replaced"
    CERTIFICATE_RENEWED = "certificate-renewed"
    HOST_ENROLLED = "host-enrolled"
    HOST_REVOKED = "host-revoked"
    SITE_AWAY = "site-away"
    SITE_BACK = "site-back"
    REFUSALS_COUNTED = "refusals-counted"
    ACCESS_REFUSED = "access-refused"
    REVIEWER_ENROLLED = "reviewer-enrolled"
    REVIEWER_LEFT = "reviewer-left"
    KEY_PRESENTED = "key-presented"
    REVIEWERS_FOUNDED = "reviewers-founded"
    REVIEWER_CONFIRMED = "reviewer-confirmed"
    REVIEWER_REVOKED = "reviewer-revoked"
    REGISTER_BROKEN = "register-broken"
    PASSPHRASE_CHANGED = "passphrase-changed"
    PASSPHRASE_REFUSED = "passphrase-refused"
    ALERT_DECIDED = "alert-decided"
    SHIFT_NOTED = "shift-noted"
    SHADOW_BEGAN = "shadow-began"
    SHADOW_OVER = "shadow-over"
    BUDGET_EXCEEDED = "budget-exceeded"
    THRESHOLD_ACCEPTED = "threshold-accepted"
    THRESHOLD_UNDONE = "threshold-undone"
    RECORDING_ORDERED = "recording-ordered"
    RECORDING_REFUSED = "recording-refused"
    RECORDING_FAILED = "recording-failed"
    WORK_TROUBLE = "work-trouble"
    RECORDING_CLOSED = "recording-closed"
    CASE_OPENED = "case-opened"
    CASE_SEEN = "case-seen"
    ROOM_OPENED = "room-opened"
    ROOM_CLOSED = "room-closed"
    SEAT_TAKEN = "seat-taken"
    SEAT_REFUSED = "seat-refused"
    CLIP_OPENED = "clip-opened"
    CLIP_UNREADABLE = "clip-unreadable"
    CLIP_SHOWN = "clip-shown"
    VERDICT_GIVEN = "verdict-given"
    CASE_DECIDED = "case-decided"
    UNMASK_ASKED = "unmask-asked"
    UNMASK_GRANTED = "unmask-granted"
    UNMASK_REFUSED = "unmask-refused"
    UNMASK_ENDED = "unmask-ended"
    UNMASK_QUOTA_PASSED = "unmask-quota-passed"
    HOLD_SET = "hold-set"
    HOLD_PROPOSED = "hold-proposed"
    HOLD_RELEASED = "hold-released"
    HOLD_RESTORED = "hold-restored"
    QUARANTINED = "quarantined"
    QUARANTINE_PROPOSED = "quarantine-proposed"
    QUARANTINE_RELEASED = "quarantine-released"
    QUARANTINE_OVERDUE = "quarantine-overdue"
    NOTE_DAMAGED = "note-damaged"
    CAME_BACK = "came-back"
    DEADLINE_NEAR = "deadline-near"
    SHRED_ORDERED = "shred-ordered"
    SHREDDED = "shredded"
    SHRED_FAILED = "shred-failed"
    RELEASE_ASKED = "release-asked"
    RELEASE_REFUSED = "release-refused"
    RELEASED = "released"
    RELEASE_FETCHED = "release-fetched"
    LOG_SEEN = "log-seen"
    LOG_EXPORTED = "log-exported"
    LOG_ERASED = "log-erased"
    OUTAGE_BEGAN = "outage-began"
    OUTAGE_ENDED = "outage-ended"
    DISK_FULL = "disk-full"
    MISSING_FILE = "missing-file"
    MISSING_ROW = "missing-row"
    CASE_RESTRICTED = "case-restricted"
    CASE_FREED = "case-freed"
    REQUEST_RECORDED = "request-recorded"
    REQUEST_IDENTIFIED = "request-identified"
    REQUEST_RESTRICTED = "request-restricted"
    REQUEST_FREED = "request-freed"
    REQUEST_EXTENDED = "request-extended"
    REQUEST_PREPARED = "request-prepared"
    REQUEST_RETURNED = "request-returned"
    REQUEST_ANSWERED = "request-answered"
    REQUEST_ERASED = "request-erased"
    DUTY_OPENED = "duty-opened"
    DUTY_SETTLED = "duty-settled"
    DOCUMENTS_PRINTED = "documents-printed"
    FACT_ENTERED = "fact-entered"
    FACT_SIGNED = "fact-signed"
    FACT_WITHDRAWN = "fact-withdrawn"
    PLAN_PROPOSED = "plan-proposed"
    PLAN_SET = "plan-set"
    SETUP_LOOKED = "setup-looked"
    CAMERA_TRIED = "camera-tried"
    CAMERAS_SOUGHT = "cameras-sought"
    PICTURES_RENEWED = "pictures-renewed"
    DATA_MOVED = "data-moved"
    PROGRAMS_CHANGED = "programs-changed"
    RECOVERY_MADE = "recovery-made"
    RECOVERY_REMOVED = "recovery-removed"
    BACKUP_MADE = "backup-made"
    RESTORE_TRIED = "restore-tried"
    RESTORED = "restored"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `number` counts from 1 without a gap; `at` is POSIX seconds; `previous` the hash of the entry before.

    `by` is a person's short name, or "system"; `subject` what it is about (a clip, a camera, a person). `salt` is random: once the text
    is erased, nobody finds it again by trying what would give its hash. Entries of older versions have none.
    """

    number: int
    at: float
    event: Event
    by: str
    subject: str = ""
    facts: dict[str, str | int | float | bool | list[str]] = {}
    previous: str = GENESIS
    salt: str | msgspec.UnsetType = msgspec.UNSET


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A signature (Ed25519, hex) over number and hash of the entry at which the log stood at `at`."""

    number: int
    hash: str
    at: float
    signature: str


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """First line of an exported log."""

    format: str
    installation: str
    public_key: str
    first: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One exported entry: its hash, and its text exactly as it was hashed."""

    hash: str
    entry: msgspec.Raw


class ErasedLine(msgspec.Struct, frozen=True, kw_only=True):
    """An exported entry whose text was erased at its limit: its hash, and the number of the entry that tells of it."""

    hash: str
    erased: int


class CheckpointLine(msgspec.Struct, frozen=True, kw_only=True):
    checkpoint: Checkpoint


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a log, and at which entry (0: the file itself)."""

    number: int
    problem: str
    text: str
