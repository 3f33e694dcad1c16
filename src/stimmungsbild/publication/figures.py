"""Makes the file of figures, signs it, reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from stimmungsbild.collection.model import Door
from stimmungsbild.errors import OpeningError
from stimmungsbild.evaluation.model import Estimate, Opened
from stimmungsbild.evaluation.room import Finding, Findings
from stimmungsbild.evaluation.texts import LEAST_KAPPA
from stimmungsbild.keys.model import OpenKey
from stimmungsbild.keys.service import sign, signed
from stimmungsbild.publication.model import KIND, PURPOSE, Asked, Figures, Group, Method, Open, Place, Row, Said, Signed, Town
from stimmungsbild.questionnaire.model import Questionnaire, Wave
from stimmungsbild.questionnaire.rules import compare, digest, wording


def figures(
    q: Questionnaire,
    earlier: Wave,
    opened: Opened,
    found: Findings,
    printed: date,
    kappa: Mapping[str, float | None] | None = None,
    *,
    simulated: bool = False,
) -> Figures:
    """Everything that is published, from what was found. `kappa`: how far those agree who coded the open texts, by category."""
    standings = {one.item: one.standing.value for one in compare(q, earlier)}
    weights = found.weights
    method = Method(
        opened.letters.get(Door.REGISTER.value, 0),
        round(weights.deff, 2),
        round(weights.n_eff),
        weights.iterations,
        round(weights.residual * 100, 2),
        bool(weights.trimmed),
        weights.converged,
        len(opened.altered),
        opened.missing,
    )
    items = tuple(
        Asked(
            item.name,
            digest(wording(q, item)),
            standings[item.name],
            found.bases[item.name][Door.REGISTER],
            found.bases[item.name][Door.OPEN],
            tuple(_row(name, one) for name, one in found.items[item.name].items()),
        )
        for item in q.items()
        if item.name in found.items
    )
    groups = [
        Group(item, by, tuple(_row(group, one) for (of, group), one in rows.items() if of == by))
        for item, rows in found.unsafe_by.items()
        for by in dict.fromkeys(of for of, _ in rows)
    ]
    return Figures(
        KIND,
        PURPOSE,
        opened.field.id,
        opened.field.wave,
        earlier.wave,
        opened.field.questionnaire,
        printed.isoformat(),
        simulated,
        found.doors.people[Door.REGISTER],
        found.doors.people[Door.OPEN],
        found.doors.people[Door.OUTREACH],
        found.doors.bursts,
        method,
        tuple(_row(name, one) for name, one in found.unsafe.items()),
        tuple(Row(name, None, _open(one)) for name, one in found.without_bursts.items()),
        tuple(groups),
        items,
        _places(found, Door.REGISTER),
        _places(found, Door.OPEN),
        tuple(_said(name, one, (kappa or {}).get(name)) for name, one in found.texts.items()),
    )


def _said(name: str, by: Mapping[Door, int | None], kappa: float | None) -> Said:
    sure = kappa is not None and kappa >= LEAST_KAPPA
    shown = round(kappa, 2) if kappa is not None else None
    return Said(name, shown, by[Door.REGISTER] if sure else None, by[Door.OPEN] if sure else None)


def _places(found: Findings, door: Door) -> tuple[Place, ...]:
    return tuple(
        Place(one.cell.east, one.cell.north, one.cell.size * 100, one.cell.rest, one.people, one.more) for one in found.squares[door]
    )


def _row(name: str, one: Finding) -> Row:
    return Row(name, _town(one.register), _open(one.open))


def _town(one: Estimate | None) -> Town | None:
    return Town(round(one.share * 100), round(one.low * 100), round(one.high * 100)) if one else None


def _open(share: float | None) -> Open | None:
    return Open(round(share * 100)) if share is not None else None


def sign_figures(what: Figures, key: OpenKey, verify: bytes) -> bytes:
    """The file, as it is handed over."""
    text = msgspec.json.encode(what)
    return msgspec.json.encode(Signed(text.decode(), verify.hex(), sign(key, text).hex()))


def read_figures(data: bytes, verify: str | None = None) -> Figures:
    """The figures of a file whose signature holds. `verify`: the key (hex) that must have signed; else the one the file names."""
    try:
        file = msgspec.json.decode(data, type=Signed)
        text = file.figures.encode()
        holds = signed(bytes.fromhex(verify or file.verify), text, bytes.fromhex(file.signature))
        if not holds:
            raise OpeningError("the signature does not hold: the figures were altered, or another evaluation signed them")
        return msgspec.json.decode(text, type=Figures)
    except (msgspec.MsgspecError, ValueError) as error:
        raise OpeningError(f"this is no file of figures: {error}") from error
