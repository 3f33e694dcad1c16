"""Make a Debian package of a bundle: `python -m scripts.deb BUNDLE.tar FOLDER`. Needs dpkg-deb.

The package carries the bundle as it is; what installs it on any other machine (`install.sh`) makes the environment under
`/opt/blickschutz` here, too, verified and without a network. Settings are conffiles under `/etc/blickschutz`, data lie in
`/var/lib/blickschutz` and outlive the package: recordings end by their deadlines and by two people, not by a package manager.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from blickschutz.shipped import shipped

_NAME = re.compile(r"blickschutz-(?P<version>[\w.]+)-python(?P<python>\d+\.\d+)-(?P<machine>\w+)$")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_SETTINGS = "etc/blickschutz/anlage.toml"
_CONTROL = """\
Package: blickschutz
Version: {version}
Architecture: {architecture}
Section: video
Priority: optional
Maintainer: Blickschutz maintainers <maintainers@blickschutz.invalid>
Depends: python3 (>= {python}), python3 (<< {next})
Recommends: chrony | systemd-timesyncd
Installed-Size: {size}
Description: watches a place without watching its people
 Shows cameras live and redacts every person before a picture leaves the process that reads
 the camera. The environment is made in /opt/blickschutz from what the package carries,
 without a network. `blickschutz units` writes the units of a site.
"""
# With DPKG_ROOT dpkg installs into another root without leaving its own (dpkg(1), force-script-chrootless).
_HEAD = '#!/bin/sh\nset -e\nroot=${DPKG_ROOT:-}\nrunning() { [ -z "$root" ] && [ -d /run/systemd/system ]; }\n'
_POSTINST = """\
[ "$1" = configure ] || exit 0
if [ -z "$root" ]; then
    for user in blickschutz blickschutz-witness; do
        getent passwd "$user" >/dev/null || useradd --system --home-dir "/var/lib/$user" --shell /usr/sbin/nologin "$user"
    done
fi
mkdir -p "$root/var/lib/blickschutz"
chmod 0700 "$root/var/lib/blickschutz"
[ -n "$root" ] || chown blickschutz: /var/lib/blickschutz
sh "$root/usr/share/blickschutz/bundle/install.sh" "$root/opt/blickschutz"
mkdir -p "$root/usr/bin"
ln -sf /opt/blickschutz/bin/blickschutz "$root/usr/bin/blickschutz"
if running; then
    systemctl try-restart blickschutz-witness.service blickschutz.service || true
fi
"""
_PRERM = """\
[ "$1" = remove ] || exit 0
if running; then
    systemctl stop blickschutz.service blickschutz-witness.service blickschutz-witness.socket blickschutz-backup.timer || true
fi
# Of `blickschutz upgrade`: a link, and the environment that it leads to.
if [ -L "$root/opt/blickschutz" ]; then rm -rf "$(readlink -f "$root/opt/blickschutz")"; fi
rm -rf "$root/opt/blickschutz" "$root/usr/bin/blickschutz"
"""
_POSTRM = """\
[ "$1" = purge ] || exit 0
rmdir "$root/var/lib/blickschutz" 2>/dev/null || {
    echo "Aufzeichnungen, Sperren und Protokoll liegen weiter in /var/lib/blickschutz; sie enden durch ihre Fristen und durch zwei" \\
        "Personen, nicht durch die Paketverwaltung." >&2
    echo "Recordings, holds and the log still lie in /var/lib/blickschutz; they end by their deadlines and by two people, not by the" \\
        "package manager." >&2
}
"""


class PackageError(Exception):
    """Something that a person must put right; the text says what."""


def make(bundle: Path, folder: Path) -> Path:
    """The package, of a bundle that `blickschutz bundle` made."""
    if shutil.which("dpkg-deb") is None:
        raise PackageError("dpkg-deb is not installed (apt-get install dpkg)")
    with tempfile.TemporaryDirectory(prefix="blickschutz-deb-") as place:
        root, control = Path(place) / "root", Path(place) / "root/DEBIAN"
        with tarfile.open(bundle) as packed:
            packed.extractall(place, filter="data")
        (inside,) = Path(place).glob("blickschutz-*")
        found = _NAME.match(inside.name)
        if found is None:
            raise PackageError(f"{bundle} is no bundle of `blickschutz bundle`")
        carried = root / "usr/share/blickschutz/bundle"
        carried.parent.mkdir(parents=True)
        inside.rename(carried)
        settings, rights = root / _SETTINGS, root / "usr/share/doc/blickschutz/copyright"
        for target, source in ((settings, "examples/rathaus-kaiserslautern.toml"), (rights, "LICENCE")):
            target.parent.mkdir(parents=True)
            shutil.copyfile(shipped(source), target)
        files = sorted(one for one in root.rglob("*") if one.is_file())
        major, minor = map(int, found["python"].split("."))
        text = _CONTROL.format(
            version=found["version"],
            architecture=_ARCHITECTURES.get(found["machine"], found["machine"]),
            python=found["python"],
            next=f"{major}.{minor + 1}",
            size=sum(one.stat().st_size for one in files) // 1024,
        )
        control.mkdir()
        sums = "".join(f"{hashlib.md5(one.read_bytes(), usedforsecurity=False).hexdigest()}  {one.relative_to(root)}\n" for one in files)
        for name, what in (("control", text), ("conffiles", f"/{_SETTINGS}\n"), ("md5sums", sums)):
            (control / name).write_text(what, encoding="utf-8")
        for name, what in (("postinst", _POSTINST), ("prerm", _PRERM), ("postrm", _POSTRM)):
            (control / name).write_text(_HEAD + what, encoding="utf-8")
            (control / name).chmod(0o755)
        return _build(root, folder)


def _build(root: Path, folder: Path) -> Path:
    """The same files give the same bytes: times are those of `SOURCE_DATE_EPOCH`, owners root. Wheels are compressed already."""
    for one in root.rglob("*"):
        if one.is_dir():
            one.chmod(0o755)
        elif one.parent.name != "DEBIAN":
            one.chmod(0o755 if one.suffix == ".sh" else 0o644)
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "0")}
    command = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"dpkg-deb failed: {done.stderr.strip()[-400:]}")
    return Path(re.search(r"'([^']+\.deb)'", done.stdout)[1])  # type: ignore[index]


def main(words: list[str]) -> int:
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        made = make(Path(words[0]), Path(words[1]))
    except (PackageError, OSError, tarfile.TarError) as error:
        print(f"No package: {error}", file=sys.stderr)
        return 1
    print(f"{made} ({made.stat().st_size // 1_000_000} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
