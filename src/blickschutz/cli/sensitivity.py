"""`blickschutz sensitivity`: thresholds and what they cost, from the server's own terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blickschutz.cli.place import with_site
from blickschutz.cli.users import open_records
from blickschutz.kernel.errors import OperatorError
from blickschutz.situations.kinds import Kind

if TYPE_CHECKING:
    from blickschutz.budget.model import CameraView, KindView, NotDone
    from blickschutz.budget.service import BudgetDesk

_BY = "terminal"
_DAY_S, _WEEK = 86_400.0, 7
_KINDS = click.Choice([kind.value for kind in Kind])


@click.group()
def sensitivity() -> None:
    """Thresholds of cameras: what they cost in false alarms, what is proposed, what is in force."""


@sensitivity.command("list")
@with_site
@click.option("--camera", default="", help="Only this camera.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
def list_thresholds(path: Path, data: Path | None, camera: str, as_json: bool) -> None:
    """Every camera and kind: threshold, expected false alarms a week, budget, recall, proposal."""
    views = [view for view in _desk(path, data).views() if camera in {"", view.camera}]
    if as_json:
        click.echo(json.dumps({"cameras": [_camera(view) for view in views]}, ensure_ascii=False))
        return
    for view in views:
        stand = f"shadow, {view.observed_s / _DAY_S:.1f} of {view.shadow_s / _DAY_S:g} days" if view.in_shadow else "observed"
        click.echo(f"{view.camera}: {stand} ({view.shadow.began.value})")
        for one in view.kinds:
            click.echo(f"  {one.kind.value:24} {_line(one)}")


@sensitivity.command()
@with_site
@click.argument("camera")
@click.argument("kind", type=_KINDS)
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept(path: Path, data: Path | None, camera: str, kind: str, yes: bool) -> None:
    """Lay the proposed threshold of KIND on CAMERA; a running system takes it up within seconds."""
    desk = _desk(path, data)
    view = desk.view(camera, Kind(kind))
    if view is None or view.proposal is None:
        raise OperatorError(f"nothing is proposed for {kind} on {camera}; `blickschutz sensitivity list` shows what is")
    if not yes:
        click.echo(_line(view))
        click.confirm("Lay the proposed threshold?", abort=True)
    _require(desk.accept(camera, Kind(kind), view.proposal.threshold, _BY))
    click.echo(f"{camera}, {kind}: {_threshold(view.proposal.threshold)} is in force, and in the log.")


@sensitivity.command()
@with_site
@click.argument("camera")
@click.argument("kind", type=_KINDS)
def undo(path: Path, data: Path | None, camera: str, kind: str) -> None:
    """Go back to the threshold before the one that was accepted last."""
    desk = _desk(path, data)
    _require(desk.undo(camera, Kind(kind), _BY))
    click.echo(f"{camera}, {kind}: {_threshold(desk.thresholds(camera)[Kind(kind)])} is in force, and in the log.")


def _desk(path: Path, data: Path | None) -> BudgetDesk:
    from blickschutz.bootstrap.budget import make_budget
    from blickschutz.config.loader import load_site
    from blickschutz.control.service.regime import RegimeKeeper
    from blickschutz.kernel.clock import SystemClock

    site, records, clock = load_site(path), open_records(path, data), SystemClock()
    desk = make_budget(site, records, RegimeKeeper(site, clock, records.office.log), clock)
    desk.load()
    return desk


def _require(done: NotDone | None) -> None:
    if done is not None:
        raise OperatorError(f"nothing was changed: {done.value}")


def _threshold(value: float) -> str:
    return f"threshold {value:.3f}" if value <= 1 else "never told"


def _line(one: KindView) -> str:
    parts = [_threshold(one.threshold), one.standing.value]
    if one.share is not None:
        parts.append(f"budget {_WEEK * one.share:.2f} a week")
    if one.cost is not None and one.threshold <= 1:
        parts.append(f"costs {_WEEK * one.cost.expected:.2f}, at most {_WEEK * one.cost.high:.2f} a week")
    if one.recall is not None:
        parts.append(f"recall {one.recall:.0%}")
    if one.proposal is not None:
        cost = f"{_WEEK * one.proposal.cost.expected:.2f}, at most {_WEEK * one.proposal.cost.high:.2f} a week"
        found = "not measured" if one.proposal.recall is None else f"{one.proposal.recall:.0%}"
        parts.append(f"PROPOSED {_threshold(one.proposal.threshold)} ({one.proposal.why.value}): costs {cost}; recall {found}")
    return "; ".join(parts)


def _camera(view: CameraView) -> dict[str, Any]:
    kinds = [
        {
            "kind": one.kind.value,
            "standing": one.standing.value,
            "threshold": one.threshold if one.threshold <= 1 else None,
            "budget_per_week": None if one.share is None else _WEEK * one.share,
            "expected_per_week": None if one.cost is None else _WEEK * one.cost.expected,
            "at_most_per_week": None if one.cost is None else _WEEK * one.cost.high,
            "recall": one.recall,
            "over_budget": one.over,
            "unavailable": None if one.unavailable is None else one.unavailable.value,
            "proposed": None if one.proposal is None else {"threshold": one.proposal.threshold, "why": one.proposal.why.value},
        }
        for one in view.kinds
    ]
    days = {"observed_days": view.observed_s / _DAY_S, "shadow_days": view.shadow_s / _DAY_S}
    return {"camera": view.camera, "in_shadow": view.in_shadow, **days, "began": view.shadow.began.value, "kinds": kinds}
