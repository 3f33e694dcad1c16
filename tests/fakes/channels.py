"""A channel that is down, or refuses single alerts, as long as a test says so."""

from __future__ import annotations

from blickschutz.alerts.model import Digest, FaultNotice, Notice
from blickschutz.kernel.errors import DeviceError


class Wire:
    """`sent` has what got through: number, event and alert of a notice, key and number of alerts of a digest."""

    def __init__(self, name: str = "wire", down: bool = True, error: Exception | None = None) -> None:
        self.name, self.down, self.error = name, down, error or DeviceError("nobody answers")
        self.poisoned: set[int] = set()
        self.refuses_digests = False
        self.sent: list[tuple[int | str, str, int]] = []
        self.digests: list[Digest] = []
        self.faults: list[FaultNotice] = []
        self.tried = 0

    def send(self, notice: Notice) -> None:
        self._try(notice.alert.id in self.poisoned)
        self.sent.append((notice.number, notice.event, notice.alert.id))

    def send_digest(self, digest: Digest) -> None:
        self._try(self.refuses_digests)
        self.digests.append(digest)
        self.sent.append((digest.key, "digest", digest.alerts))

    def send_fault(self, fault: FaultNotice) -> None:
        self._try(False)
        self.faults.append(fault)

    def close(self) -> None:
        """Nothing stays open."""

    def _try(self, refused: bool) -> None:
        self.tried += 1
        if self.down or refused:
            raise self.error
