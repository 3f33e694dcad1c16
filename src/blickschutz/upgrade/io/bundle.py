"""A bundle (`blickschutz bundle`) is unpacked and compared with its hashes before anything else is asked of it."""

from __future__ import annotations

import platform
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from blickschutz.storage.files import sha256_of
from blickschutz.upgrade.model import Bundle, UpgradeError
from blickschutz.upgrade.rules import version_of

_SUMS, _PLATFORM = "SHA256SUMS", "PLATFORM"


@contextmanager
def unpacked(file: Path, beside: Path) -> Iterator[Bundle]:
    """The bundle in `file`, unpacked into a folder in `beside` that is gone afterwards. Raises `UpgradeError` where it is not whole."""
    with ExitStack() as held:
        try:
            bundle = _opened(file, Path(held.enter_context(TemporaryDirectory(prefix=".blickschutz-bundle-", dir=beside))))
        except OSError as error:
            raise UpgradeError(f"{file} cannot be unpacked beside {beside}: {error.strerror or error}") from error
        yield bundle


def _opened(file: Path, place: Path) -> Bundle:
    try:
        with tarfile.open(file, "r:") as packed:
            packed.extractall(place, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise UpgradeError(f"{file} is no bundle, or not wholly there ({error})") from error
    inside = list(place.iterdir())
    version = version_of(inside[0].name) if len(inside) == 1 and inside[0].is_dir() else None
    if version is None:
        raise UpgradeError(f"{file} is no bundle of `blickschutz bundle`")
    folder = inside[0]
    _verify(folder)
    here = f"{sys.version_info[0]}.{sys.version_info[1]} {platform.machine()}"
    there = (folder / _PLATFORM).read_text(encoding="ascii", errors="replace").strip()
    if there != here:
        raise UpgradeError(f"the bundle is for Python and machine {there}, this is {here}; make one on a machine of this kind")
    return Bundle(folder, version)


def _verify(folder: Path) -> None:
    try:
        lines = (folder / _SUMS).read_text(encoding="utf-8").splitlines()
        named = {name: digest for digest, name in (line.split("  ", maxsplit=1) for line in lines)}
    except (OSError, ValueError) as error:
        raise UpgradeError(f"the bundle has no list of hashes that can be read ({_SUMS})") from error
    there = {str(one.relative_to(folder)) for one in folder.rglob("*") if not one.is_dir()} - {_SUMS}
    wrong = sorted(there ^ named.keys()) + sorted(name for name in there & named.keys() if sha256_of(folder / name) != named[name])
    if wrong:
        raise UpgradeError(f"the bundle is not as it was made: {', '.join(wrong[:5])}; fetch it again and compare its SHA-256")
