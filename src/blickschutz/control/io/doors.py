"""The doors of cells: a socket for each life of a cell, in a folder of the installation, by which a later start finds it again."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from select import POLLERR, POLLHUP, poll

import structlog

from blickschutz.control.ports import FoundCell
from blickschutz.kernel.errors import ProtocolError
from blickschutz.pipeline.channel import read_from_cell
from blickschutz.pipeline.door import Challenge, Claim, Introduction, decoder, is_proof, nonce, peer_of, proof_of
from blickschutz.pipeline.messages import DoorSettings, Quit
from blickschutz.wire.frames import pack, read
from blickschutz.zones.launcher import LaunchedProcess, Started

_log = structlog.get_logger(__name__)
_SUFFIX = ".sock"
# For each of: to be let in, to say who it is. A cell has little to do for it.
_PATIENCE_S = 5.0
# As long as a cell gets at any end (`keeper.QUIT_S`), and the time in which it writes its last message.
_QUIT_S = 8.0
# For the kernel to say whether anybody listens.
_ASKED_S = 1.0


class NotOursError(ProtocolError):
    """Whoever listens is no process of this user."""


class DoorFolder:
    """See `CellDoors`. `secret` gives the secret of a life of a cell, None while the installation's key is missing."""

    def __init__(self, folder: Path, installation: Callable[[], str], secret: Callable[[str], bytes | None]) -> None:
        self._folder, self._installation, self._secret = folder, installation, secret

    def make(self, run: str) -> tuple[socket.socket, DoorSettings] | None:
        secret = self._secret(run)
        if secret is None:
            return None
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with near(self._path(run)) as path:
                listener.bind(path)
            self._path(run).chmod(0o700)
        except OSError as error:
            listener.close()
            _log.error("no_door", problem=error.strerror)
            return None
        return listener, self._settings(run, secret)

    def remove(self, run: str) -> None:
        with suppress(OSError):  # it is looked at again at the next start
            self._path(run).unlink()

    async def find(self) -> list[FoundCell]:
        runs = await asyncio.to_thread(self._runs)
        found = await asyncio.gather(*(self._greet(run) for run in runs))
        return [one for one in found if one is not None]

    async def end(self, cell: FoundCell) -> None:
        try:
            cell.writer.write(pack(Quit()))
            async with asyncio.timeout(_QUIT_S):
                while await read_from_cell(cell.reader) is not None:
                    pass  # whom it tells of is in the site file no more, or not to be watched
        except (OSError, ProtocolError, TimeoutError) as error:
            _log.error("cell_not_ended_in_order", camera=cell.camera, problem=str(error))
        cell.writer.close()
        await asyncio.to_thread(_killed, cell.process)
        await asyncio.to_thread(self.remove, cell.run)

    def _runs(self) -> list[str]:
        try:
            return sorted(path.stem for path in self._folder.iterdir() if path.suffix == _SUFFIX)
        except OSError:
            return []

    async def _greet(self, run: str) -> FoundCell | None:
        try:
            there = await asyncio.to_thread(self._connected, run)
        except NotOursError as error:
            _log.error("door_of_another", run=run, problem=str(error))
            return None
        except OSError as error:
            # Most of them are nobody's: the socket of a cell that ended while nobody could remove it.
            _log.info("nobody_at_the_door", run=run, problem=error.strerror)
            await asyncio.to_thread(self.remove, run)
            return None
        line, process = there
        reader, writer = await asyncio.open_connection(sock=line, limit=2**20)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                said = await self._proven(run, reader, writer)
        except (OSError, ProtocolError, TimeoutError) as error:
            _log.error("cell_without_proof", run=run, problem=str(error) or "it does not answer")
            writer.close()
            await asyncio.to_thread(_killed, process)
            await asyncio.to_thread(self.remove, run)
            return None
        return FoundCell(said.camera, run, said.version, said.settings, process, reader, writer)

    def _connected(self, run: str) -> tuple[socket.socket, LaunchedProcess]:
        """A connection to whoever listens, and their process: the kernel says which one called `listen`."""
        with ExitStack() as unused:
            line = unused.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            line.settimeout(_PATIENCE_S)
            with near(self._path(run)) as path:
                line.connect(path)
            pid, user = peer_of(line)
            if user != os.getuid() or pid <= 1 or pid == os.getpid():
                raise NotOursError(f"process {pid} of user {user} listens")
            handle = os.pidfd_open(pid)
            # Nobody is left who could say what it ends with.
            told, tells = os.pipe()
            os.close(tells)
            process = LaunchedProcess(pid, handle, told)
            if _is_over(line):
                raise ConnectionResetError("it ended meanwhile")  # and the number may be another process's by now
            unused.pop_all()
        return line, process

    async def _proven(self, run: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Introduction:
        """Who it is. Raises `ProtocolError` where it cannot prove it, `OSError`."""
        secret = self._secret(run)
        if secret is None:
            raise ProtocolError("the installation's key is missing, so nothing can be proven")
        door, own = self._settings(run, secret), nonce()
        challenge = await read(reader, decoder)
        if not isinstance(challenge, Challenge):
            raise ProtocolError("it does not ask for a proof")
        writer.write(pack(Claim(own, proof_of(door, "control-room", challenge.nonce, own))))
        said = await read(reader, decoder)
        if not isinstance(said, Introduction) or not is_proof(said.proof, proof_of(door, "cell", own, challenge.nonce)):
            raise ProtocolError("it is no cell of this installation")
        if (said.run, said.installation) != (run, door.installation):
            raise ProtocolError("it is another cell")
        return said

    def _settings(self, run: str, secret: bytes) -> DoorSettings:
        return DoorSettings(self._installation(), run, secret)

    def _path(self, run: str) -> Path:
        return self._folder / f"{run}{_SUFFIX}"


def living(folder: Path) -> int:
    """How many cells in the folder of doors live on without a control room; for whoever has the installation to themselves."""
    try:
        doors = [path for path in folder.iterdir() if path.suffix == _SUFFIX]
    except FileNotFoundError:
        return 0
    return sum(map(_listens, doors))


def _listens(door: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line, near(door) as address:
        line.settimeout(_ASKED_S)
        try:
            line.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except TimeoutError:
            return True  # somebody is there, and has many to answer
    return True


@contextmanager
def near(path: Path) -> Iterator[str]:
    """A short path: an address of a local socket has at most 107 bytes, a data folder may lie anywhere. unix(7)."""
    handle = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{path.name}"
    finally:
        os.close(handle)


def _is_over(line: socket.socket) -> bool:
    asked = poll()
    asked.register(line, 0)
    return any(events & (POLLHUP | POLLERR) for _, events in asked.poll(0))


def _killed(process: Started) -> None:
    if process.is_alive():
        process.kill()
    process.join(2.0)
