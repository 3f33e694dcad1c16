"""The invariants, each looked at from outside: files, databases read only, signed receipts, pages."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from benchmarks.faults import seed
from benchmarks.faults.installation import Installation
from benchmarks.faults.ledger import Decision, Ledger
from benchmarks.faults.seed import Planted
from click.testing import CliRunner

from blickschutz.cli.main import cli

# Housekeeping looks every five seconds; a busy machine may take a little longer.
SLACK_S = 8.0
_NEVER = sys.maxsize
_FAILED = {"recording-refused", "recording-failed", "disk-full"}
_ENTRY = {"stop": "camera-stopped", "resume": "camera-resumed", "regime": "regime-set", "acknowledge": "alert-decided"}


class Referee:
    """Compares what is there with what the ledger knows."""

    def __init__(self, installation: Installation, ledger: Ledger, public: bytes) -> None:
        self._system, self._ledger, self._public = installation, ledger, public

    def clip(self, name: str) -> Path:
        return self._system.data / "clips" / f"{name}.clip"

    # --- what may take a moment: looked at until it holds ---

    def overdue(self) -> list[Planted]:
        """What must be gone by now and is not; what has no row any more waits for people instead."""
        now = self._system.now()
        due = [
            one
            for one in self._ledger.planted
            if one.due + SLACK_S * self._system.slow < now and self._ledger.taken.get(one.clip) != "missing"
        ]
        if "rows" in self._ledger.lost:
            return []
        rows = self._cases()
        return [one for one in due if self.clip(one.clip).exists() or rows.get(one.clip, {}).get("state") != "destroyed"]

    def orders_open(self) -> list[Decision]:
        """Accepted orders of which neither a recording nor a word came."""
        orders = [one for one in self._ledger.decisions if one.what == "order" and one.accepted]
        if "rows" in self._ledger.lost or not orders:
            return []
        cases, entries = self._cases(), self._entries()
        return [one for one in orders if not self._has_outcome(one, cases, entries)]

    @staticmethod
    def _has_outcome(one: Decision, cases: dict[str, dict[str, Any]], entries: list[dict[str, Any]]) -> bool:
        """Whether a finished recording covers the order, or an entry says that there is none.

        By the numbers of entries alone: the clock may have been wrong meanwhile.
        """
        placed = [e["number"] for e in entries if e["event"] == "recording-ordered" and e["facts"].get("reason") == one.text]
        if not placed:
            return False
        begun, closed = (
            {e["subject"]: e["number"] for e in entries if e["event"] == event} for event in ("case-opened", "recording-closed")
        )
        mine = [clip for clip, case in cases.items() if case["camera"] == one.subject and clip in begun]
        running = [clip for clip in mine if begun[clip] < placed[0] < closed.get(clip, _NEVER)]
        next_one = sorted((clip for clip in mine if begun[clip] > placed[0]), key=lambda clip: begun[clip])[:1]
        if any(cases[clip]["state"] != "recording" for clip in (*running, *next_one)):
            return True
        order = next(e["facts"].get("order") for e in entries if e["number"] == placed[0])
        failed = [e for e in entries if e["event"] in _FAILED and e["number"] > placed[0]]
        failed = [e for e in failed if one.subject in {e["subject"], e["facts"].get("camera")}]
        return any(e["facts"].get("order") in {None, order} for e in failed)

    def row_of(self, one: Decision) -> str:
        """What the system itself knows of an order."""
        entries = self._entries()
        placed = [e["facts"].get("order") for e in entries if e["event"] == "recording-ordered" and e["facts"].get("reason") == one.text]
        return ", ".join(self._look(lambda: self._system.records.orders(placed), [])) or "there is no row"

    def alerts_missing(self) -> list[str]:
        """Alerts that were there, and situations that were told to a control room that lived on, without an alert now."""
        if "alerts" in self._ledger.lost:
            return []
        rows = self._look(self._system.records.alerts, {})
        missing = [f"alert {number}" for number in self._ledger.alerts if number not in rows]
        probes = {int(row["figures"]["probe"]) for row in rows.values() if "probe" in row["figures"]}
        heard: set[tuple[int, int]] = set()
        for one in self._ledger.told:
            known = one.probe in probes
            # The first that is heard in a life shows that somebody listens; what came before may have come too early.
            lived = one.epoch in heard and one.epoch[0] == self._system.pid and self._system.running
            if known:
                heard.add(one.epoch)
            elif one.published and (lived or one.seen):
                missing.append(f"situation {one.probe} of {one.camera}")
        return missing

    # --- what must never have happened: looked at once ---

    def judge(self) -> None:
        """Everything else; the system may run or not."""
        self.destroyed()
        if "rows" not in self._ledger.lost:
            self._receipts()
            self._verdicts()
            for text in self.unlogged():
                self._ledger.broken("decisions_without_entry", text)
            self._chain()

    def destroyed(self) -> None:
        """What must be there is there, byte for byte, and nobody ordered its end."""
        rows, now = self._cases(), self._system.now()
        for one in self._ledger.planted:
            done = self._ledger.taken.get(one.clip)
            if done == "missing" or one.due <= now:
                continue
            path = self.clip(one.clip)
            row = rows.get(one.clip)
            if not path.exists():
                self._ledger.broken("destroyed_early", f"{one.role} (case {one.case}) is gone, {_span(one.due - now)} before its time")
            elif done is None and hashlib.sha256(path.read_bytes()).hexdigest() != one.sha256:
                self._ledger.broken("destroyed_early", f"{one.role} (case {one.case}) was overwritten")
            elif row is not None and row["state"] in {"destroying", "destroyed"}:
                self._ledger.broken("destroyed_early", f"the end of {one.role} (case {one.case}) is ordered: {row.get('shred_reason')}")
            elif one.role.startswith("held") and row is not None and row.get("hold") is None and "rows" not in self._ledger.lost:
                self._ledger.broken("destroyed_early", f"the hold of {one.role} (case {one.case}) is lost")

        known = {one.clip for one in self._ledger.planted}
        for clip, row in rows.items():
            # Whatever else there is was recorded in this round: it is minutes old by any true clock.
            if clip not in known and row["state"] != "recording" and not self.clip(clip).exists():
                self._ledger.broken("destroyed_early", f"a recording made minutes ago is gone: {row.get('shred_reason')}")

    def _receipts(self) -> None:
        """Each receipt against what is true."""
        known = {one.clip: one for one in self._ledger.planted}
        seen: dict[str, int] = {}
        for entry in self._entries():
            if entry["event"] != "shredded":
                continue
            clip, facts = entry["subject"], dict(entry["facts"])
            seen[clip] = seen.get(clip, 0) + 1
            wrong = seed.receipt_faults(facts, self._public)
            if seen[clip] > 1:
                wrong.append("is the second one")
            if self.clip(clip).exists():
                wrong.append("is of a clip that is there")
            one = known.get(clip)
            if one is not None:
                wrong += self._compared(one, facts)
            for text in wrong:
                self._ledger.broken("false_receipts", f"the receipt of {one.role if one else clip} {text}")

    def _compared(self, one: Planted, facts: dict[str, Any]) -> list[str]:
        wrong = []
        done = self._ledger.taken.get(one.clip)
        # Receipts of version 1 say nothing of how it ended, and by their method that it was overwritten.
        ending, overwritten = facts.get("ending") or "overwritten", facts.get("overwritten")
        if done == "missing" and ending != "vanished":
            wrong.append("says that a file was overwritten which was not there")
        if done is None and ending == "vanished":
            wrong.append("says that the file was not there")
        if overwritten != (one.size if ending == "overwritten" else 0) and done != "missing":
            wrong.append(f"says {overwritten} of {one.size} bytes, {ending}")
        if facts.get("sha256") != one.sha256 and done is None:
            wrong.append("names another file")
        if not one.due - 5 <= float(facts.get("destroyed", 0)) <= self._system.now() + 60:
            wrong.append(f"says a time that is not true, {_span(float(facts.get('destroyed', 0)) - self._system.now())} from now")
        if facts.get("reason") != one.why:
            wrong.append(f"says {facts.get('reason')!r}, not {one.why!r}")
        return wrong

    def _verdicts(self) -> None:
        rows, entries = self._cases(), self._entries()
        for one in self._ledger.planted:
            given = [verdict["person"] for verdict in rows.get(one.clip, {}).get("verdicts", [])]
            logged = [entry["by"] for entry in entries if entry["event"] == "verdict-given" and entry["subject"] == one.clip]
            for person in one.verdicts:
                if person not in given:
                    self._ledger.broken("verdicts_lost", f"the verdict of {person} on {one.role} (case {one.case}) is lost")
                if person not in logged:
                    self._ledger.broken("decisions_without_entry", f"the verdict of {person} on case {one.case} has no entry")

    def unlogged(self) -> list[str]:
        """Decisions that were accepted, or are in force, and have no entry (yet: one that could not be written at once is owed)."""
        if "rows" in self._ledger.lost:
            return []
        entries, found = self._entries(), []
        for one in self._ledger.decisions:
            if not one.accepted or one.what not in _ENTRY:
                continue
            known = [e for e in entries if e["event"] == _ENTRY[one.what] and e["subject"] == one.subject]
            if not any(one.text in {"", e["facts"].get("reason")} for e in known):
                found.append(f"{one.what} {one.subject} was answered {one.answer[:60]!r} and has no entry")
        reasons = {e["facts"].get("reason") for e in entries if e["event"] == "recording-ordered"}
        orders = [one for one in self._ledger.decisions if one.what == "order" and one.accepted]
        found += [f"the order {one.text!r} was accepted and has no entry" for one in orders if one.text not in reasons]
        if "alerts" not in self._ledger.lost:
            decided = {e["subject"] for e in entries if e["event"] == "alert-decided" and e["facts"].get("decision") == "acknowledge"}
            taken = self.acknowledged() - self._ledger.unentered
            found += [f"alert {number} was acknowledged without an entry" for number in sorted(taken) if f"alert-{number}" not in decided]
        said = {"camera-stopped": True, "camera-resumed": False}
        for name, one in self.cameras().items() if self._system.running else ():
            last = [said[e["event"]] for e in entries if e["event"] in said and e["subject"] in {name, "all"}]
            if one["stopped"] and not (last and last[-1]):
                found.append(f"{name} is stopped and the log does not say who did it")
        return found

    def acknowledged(self) -> set[int]:
        """Alerts that somebody acknowledged, by their own history."""
        return {row["alert"] for row in self._look(self._system.records.decisions, []) if row["event"] == "acknowledge"}

    def _chain(self) -> None:
        """No entry that once stood there is gone or another; the exported log verifies."""
        now = {entry["number"]: entry["hash"] for entry in self._entries()}
        if "log" in self._ledger.lost:
            return
        gone = [number for number, hashed in self._ledger.entries.items() if now.get(number) != hashed]
        if gone:
            self._ledger.broken("entries_lost", f"{len(gone)} entries from {min(gone)} on are gone or altered")
        if sorted(now) != list(range(1, len(now) + 1)):
            self._ledger.broken("entries_lost", "the numbers of the log have a gap")

    def verify_export(self) -> None:
        """The log as the data protection officer exports it, verified by the command that anybody has."""
        if "rows" in self._ledger.lost:
            return
        try:
            with self._system.session("dsb") as pages:
                answer = pages.get("/log/export")
        except httpx.HTTPError as error:
            self._ledger.broken("work_not_running", f"the log cannot be exported: {error}")
            return
        path = self._system.base / "log.jsonl"
        path.write_bytes(answer.content)
        # The command itself; in this process only because starting another takes longer than verifying.
        found = CliRunner().invoke(cli, ["verify", "audit", str(path), "--public-key", self._public.hex(), "--json"])
        if found.exit_code:
            said = json.loads(found.output.splitlines()[-1])["faults"][:2] if found.output else repr(found.exception)
            self._ledger.broken("entries_lost", f"the exported log does not verify: {said}")

    def cameras(self) -> dict[str, dict[str, Any]]:
        """Every camera as the interface tells it; empty where it does not answer."""
        try:
            answer = self._system.api("leit-1").get("/cameras")
        except httpx.HTTPError:
            return {}
        return {one["id"]: one for one in answer.json()} if answer.status_code == 200 else {}

    def restarts(self) -> dict[str, int]:
        """Restarts of each cell since the control room's start."""
        try:
            answer = self._system.api("technik").get("/health")
        except httpx.HTTPError:
            return {}
        return {one["camera"]: one["restarts"] for one in answer.json()["cameras"]} if answer.status_code == 200 else {}

    def _cases(self) -> dict[str, dict[str, Any]]:
        return self._look(self._system.records.cases, {})

    def _entries(self) -> list[dict[str, Any]]:
        return self._look(self._system.records.entries, [])

    @staticmethod
    def _look(read: Callable[[], Any], without: Any) -> Any:
        """A database that cannot be read now holds nothing that could be shown; the ledger says whether it should."""
        import sqlite3

        end = time.monotonic() + 3
        while True:
            try:
                return read()
            except sqlite3.Error:
                if time.monotonic() > end:
                    return without
                time.sleep(0.1)


def _span(seconds: float) -> str:
    if seconds == float("inf"):
        return "for ever"
    return f"{seconds / 86_400:.1f} d" if abs(seconds) > 86_400 else f"{seconds / 3600:.1f} h"
