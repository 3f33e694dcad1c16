"""Recall by threshold, as it was measured on reference footage and comes with the package (`situations/curves.json`)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

import msgspec

from blickschutz.kernel.errors import FaultError
from blickschutz.situations.kinds import Kind


class Curves(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`evidence` names the version of the rules; points are (least score, recall, scenes), by growing score."""

    format: int
    evidence: str
    kinds: dict[Kind, list[tuple[float, float, int]]]

    def recalls(self) -> Mapping[Kind, list[tuple[float, float]]]:
        return {kind: [(score, share) for score, share, _ in points] for kind, points in self.kinds.items()}

    def scenes(self, kind: Kind) -> int:
        """On how many scenes a kind was measured; 0 for not."""
        return max((count for _, _, count in self.kinds.get(kind, ())), default=0)


def load_curves() -> Curves:
    """Raises `FaultError` for a file that says what cannot be: it comes with the program."""
    return curves_from(resources.files("blickschutz.situations").joinpath("curves.json").read_bytes())


def curves_from(data: bytes) -> Curves:
    """Raises `FaultError`."""
    try:
        found = msgspec.json.decode(data, type=Curves)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise FaultError(f"situations/curves.json: {error}") from error
    for kind, points in found.kinds.items():
        scores, shares = [point[0] for point in points], [point[1] for point in points]
        fits = all(0 <= score <= 1 for score in scores) and all(0 <= share <= 1 for share in shares)
        if found.format != 1 or not fits or scores != sorted(set(scores)) or shares != sorted(shares, reverse=True):
            raise FaultError(f"situations/curves.json: the points of {kind.value} are no recall by growing score")
    return found
