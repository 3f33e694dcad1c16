"""Pieces of ciphertext, as a file has them."""

from __future__ import annotations

import os
from typing import Final

import structlog

from blickschutz.hosts.model import AskPiece, Piece
from blickschutz.retention.io.shelf import ClipShelf

_log = structlog.get_logger(__name__)
# A piece with its head fits a message of the broker.
PIECE_BYTES: Final = 512 * 1024


def piece_of(shelf: ClipShelf, asked: AskPiece) -> Piece:
    """What lies on the shelf from there on, a piece at most."""
    try:
        with shelf.path(asked.clip).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, asked.start))
            return Piece(asked.start, size, file.read(PIECE_BYTES))
    except OSError as error:
        _log.error("clip_not_read", clip=asked.clip, problem=error.strerror)
        return Piece(0, 0, b"", "unreadable")
