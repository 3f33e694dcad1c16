"""A file in memory for muxers: what was written since the last time is handed over once."""

from __future__ import annotations


class ByteSink:
    """Takes what a muxer writes; never goes back."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last call."""
        data = bytes(self._data)
        self._data.clear()
        return data
