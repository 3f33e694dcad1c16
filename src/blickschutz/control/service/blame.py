"""What a cell that ended unasked is not to try again."""

from __future__ import annotations

from blickschutz.kernel.devices import Decoding, InUse


def device_to_blame(wanted: Decoding, decoder: InUse | None, problem: str) -> str:
    """Why a cell is to decode in software from now on; empty where no device was within its reach.

    `decoder` is what the cell said last; None where it had said nothing yet.
    """
    if wanted is Decoding.SOFTWARE or (decoder is not None and decoder.used == Decoding.SOFTWARE and not decoder.tried):
        return ""
    return f"{wanted} was in use or being tried when the last life of the cell ended ({problem})"
