"""Files that are missing, damaged, older, or lie where none should be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.faults.listing import fault
from benchmarks.faults.round import Round
from benchmarks.faults.steps import confirm_clock

_LOOK_S = 8.0


def at_rest(round_: Round, harm: Callable[[Path], None], *, back: tuple[str, ...] = (), loses: str = "") -> None:
    """Something happens to a file while the system is off. It starts and lives with it, or refuses in words; then `back` is put back."""
    round_.down()
    round_.keep_safe(back)
    if loses:
        round_.ledger.lost.add(loses)
    harm(round_.system.data)
    if round_.up_or_words():
        round_.wait(_LOOK_S)
    elif not back:
        round_.ledger.broken("work_not_running", f"the system does not start: {round_.system.said[-300:]}")
    round_.referee.destroyed()
    if back:
        round_.system.stop()
        round_.put_back(back)
        round_.up()


def _clock_text(text: bytes) -> Callable[[Path], None]:
    def harm(data: Path) -> None:
        known = [path for path in data.glob("retention*") if path.is_file()]
        for path in known or [data / "retention.clock"]:
            path.write_bytes(text)

    return harm


def _clock_missing(data: Path) -> None:
    for path in data.glob("retention*"):
        if path.is_file():
            path.unlink()


def _clock(round_: Round, harm: Callable[[Path], None]) -> None:
    at_rest(round_, harm)
    confirm_clock(round_)


for _name, _text in (
    ("nan", b"nan\n"),
    ("inf", b"inf\n"),
    ("noise", bytes(range(200, 240))),
    ("of 0 bytes", b""),
    ("of next year", b"1830000000.000\n"),
):

    def _play_clock(round_: Round, text: bytes = _text) -> None:
        _clock(round_, _clock_text(text))

    fault(f"retention clock {_name}")(_play_clock)


@fault("retention clock missing")
def clock_missing(round_: Round) -> None:
    _clock(round_, _clock_missing)


@fault("retention clock of a month ago")
def clock_older(round_: Round) -> None:
    text = f"{round_.system.now() - 30 * 86_400:.3f}\n".encode()
    _clock(round_, _clock_text(text))


def _key(name: str, change: Callable[[Path], None]) -> Callable[[Round], None]:
    def play(round_: Round) -> None:
        # While a key is away nothing can be judged by it: receipts of that time are looked at with the true one.
        at_rest(round_, lambda data: change(data / name), back=(name,))

    return play


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)


def _noise(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size if path.exists() else 32))


def _half(path: Path) -> None:
    if path.exists():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


for _file in ("keys/installation.key", "keys/factors.key"):
    fault(f"{_file} missing")(_key(_file, _unlink))
    fault(f"{_file} another one")(_key(_file, _noise))
    fault(f"{_file} cut in half")(_key(_file, _half))


def _reviewer(round_: Round, change: Callable[[Path], None], *, stops: bool) -> None:
    """What lies beside the keys stops nothing; a key that is not the one that others vouched for stops sealing, and it is said."""
    at_rest(round_, lambda data: change(data / "keys" / "reviewers"))
    # With two of these in one round it stays stopped, whatever the second one does.
    round_.sealing_stopped = stops = stops or round_.sealing_stopped
    one = round_.life.order()
    if not one.accepted and not stops:
        round_.ledger.broken("work_not_running", f"nothing is recorded though five people can open: {one.answer}")
    if one.accepted and stops:
        round_.ledger.broken("half_states", "it is sealed though a reviewer's key is not what it was")
    # A key that nobody put back stops sealing in the rounds that follow, too.
    round_.worn = round_.worn or stops


for _what, _change, _stops in (
    ("missing", lambda folder: (folder / "kvd-3.json").unlink(), True),
    ("damaged", lambda folder: _half(folder / "kvd-3.json"), True),
    ("copied beside", lambda folder: shutil.copy(folder / "kvd-3.json", folder / "kvd-3 (Kopie).json"), False),
    ("of 0 bytes", lambda folder: (folder / "kvd-3.json").write_bytes(b""), True),
    ("beside a hidden folder", lambda folder: (folder / ".snapshot").mkdir(), False),
):

    def _play_reviewer(round_: Round, change: Callable[[Path], object] = _change, stops: bool = _stops) -> None:
        _reviewer(round_, lambda folder: change(folder) and None, stops=stops)

    fault(f"reviewer's key {_what}")(_play_reviewer)


@fault("regime log missing")
def regime_missing(round_: Round) -> None:
    at_rest(round_, lambda data: _unlink(data / "regime.jsonl"), loses="regime")


@fault("regime log damaged")
def regime_damaged(round_: Round) -> None:
    at_rest(round_, lambda data: _noise(data / "regime.jsonl"), loses="regime")


def _clip(where: str, role: str) -> Callable[[Round], None]:
    """Damage in one clip: it stays what it is, and goes when it is due."""

    def play(round_: Round) -> None:
        one = round_.next_due() if role == "due" else round_.pick(role)

        def harm(data: Path) -> None:
            path = data / "clips" / f"{one.clip}.clip"
            if where == "missing":
                round_.ledger.taken[one.clip] = "missing"
                path.unlink()
                return
            round_.ledger.taken[one.clip] = "damaged"
            size = path.stat().st_size
            at = {"head": 2, "middle": size // 2, "tail": size - 40}[where]
            with path.open("r+b") as file:
                file.seek(at)
                file.write(os.urandom(32))

        at_rest(round_, harm)

    return play


for _role in ("due", "held", "waiting"):
    for _where in ("missing", "head", "middle", "tail"):
        fault(f"clip that is {_role}: {'missing' if _where == 'missing' else f'damaged {_where}'}")(_clip(_where, _role))


def _stray(put: Callable[[Path, Round], None]) -> Callable[[Round], None]:
    def play(round_: Round) -> None:
        if round_.chance.random() < 0.5:
            put(round_.system.data, round_)
            round_.wait(_LOOK_S)
        at_rest(round_, lambda data: put(data, round_))

    return play


@fault("hidden folder in exports")
@_stray
def hidden_folder(data: Path, round_: Round) -> None:
    del round_
    (data / "exports" / ".snapshot" / "inner").mkdir(parents=True, exist_ok=True)


@fault("folder in clips")
@_stray
def folder_in_clips(data: Path, round_: Round) -> None:
    del round_
    (data / "clips" / "lost+found").mkdir(exist_ok=True)
    (data / "clips" / "0123456789abcdef0123456789abcdef.clip").mkdir(exist_ok=True)


@fault("stray files in clips")
@_stray
def stray_clips(data: Path, round_: Round) -> None:
    """Noise, nothing, a copy of a held clip under another name, a name that is no name."""
    clips = data / "clips"
    held = clips / f"{round_.pick('held').clip}.clip"
    (clips / "a.clip").write_bytes(os.urandom(500))
    (clips / "b.clip").write_bytes(b"")
    (clips / "Kopie von \udce4.clip".encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")).write_bytes(b"x")
    shutil.copy(held, clips / "0000000000000000000000000000000a.clip")


@fault("folder in exports that bears the name of a due clip")
def export_folder(round_: Round) -> None:
    one = round_.next_due()
    folder = round_.system.data / "exports" / f"{one.clip}-1"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"x")
    round_.wait(_LOOK_S)
