"""Build the image of a bundle and run it as `compose.yaml` says: `.venv/bin/python -m benchmarks.container BUNDLE.tar [ROOT]`.

Needs root, buildah and runc; debootstrap unless ROOT has a minimal Debian 12 with `python3`. No engine: what one would hand to its
runtime is made here from `compose.yaml` and from the filter of system calls that podman and buildah ship (`containers-common`). Build and
runs lie in a network namespace that has loopback alone. Prints JSON; ends with 1 where the image does not do what `docs/container.md` says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from benchmarks.offline import empty, sealed, shown
from tests.conftest import ROOT

FILTER = Path("/usr/share/containers/seccomp.json")
_SITE = "/etc/blickschutz/anlage.toml"
_CALLS = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
# Binds that a runtime makes of Linux' own, as the runtimes' default specification has them (runc spec).
_MASKED = [
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
]
_READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def calls(profile: dict[str, Any], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The filter of a container without any capability, in the runtime's form, less the calls `without`."""
    kept = []
    for rule in profile["syscalls"]:
        wanted, refused = rule.get("includes") or {}, rule.get("excludes") or {}
        if wanted.get("caps") or "amd64" not in wanted.get("arches", ["amd64"]) or "amd64" in refused.get("arches", []):
            continue
        names = [name for name in rule["names"] if name not in without]
        args = [
            {key: one[key] for key in ("index", "value", "valueTwo", "op") if one.get(key) is not None} for one in rule.get("args") or []
        ]
        number = {"errnoRet": rule["errnoRet"]} if rule["action"] == "SCMP_ACT_ERRNO" and rule.get("errnoRet") is not None else {}
        kept += [{"names": names, "action": rule["action"], "args": args, **number}] if names else []
    default = {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile.get("defaultErrnoRet", 38)}
    return {**default, "architectures": ["SCMP_ARCH_X86_64"], "syscalls": kept}


def specification(root: str, data: Path, site: Path, words: list[str], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """What an engine would make of `compose.yaml` for its runtime, but for networks: the one of whoever calls it."""
    service = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["blickschutz"]
    person, group = map(int, service["user"].split(":"))
    (temporary,) = (one.partition(":") for one in service["tmpfs"])

    def memory(where: str, *options: str) -> dict[str, Any]:
        return {"destination": where, "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", *options]}

    def bound(where: str, source: Path, *options: str) -> dict[str, Any]:
        return {"destination": where, "type": "bind", "source": str(source), "options": ["bind", *options]}

    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
        memory("/dev/shm", "mode=1777", f"size={service['shm_size'].removesuffix('b')}"),
        memory(temporary[0], *(one for one in temporary[2].split(",") if one not in {"nosuid", "nodev"})),
        bound("/var/lib/blickschutz", data, "rw"),
        bound(_SITE, site, "ro"),
    ]
    image = {"PATH": "/opt/blickschutz/bin:/usr/bin:/bin", "HOME": "/var/lib/blickschutz", "CREDENTIALS_DIRECTORY": "/run/secrets"}
    environment = [f"{name}={value}" for name, value in {**image, "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}.items()]
    none: dict[str, list[str]] = {name: [] for name in ("bounding", "effective", "inheritable", "permitted", "ambient")}
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": person, "gid": group},
            "args": ["/opt/blickschutz/bin/blickschutz", *words],
            "cwd": "/var/lib/blickschutz",
            "env": environment,
            "capabilities": none if service["cap_drop"] == ["ALL"] else None,
            "noNewPrivileges": "no-new-privileges:true" in service["security_opt"],
        },
        "root": {"path": root, "readonly": service["read_only"]},
        "mounts": mounts,
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")],
            "seccomp": calls(json.loads(FILTER.read_text(encoding="utf-8")), without),
            "maskedPaths": _MASKED,
            "readonlyPaths": _READ_ONLY,
        },
    }


class Image:
    """The image of a bundle, in a store of its own."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._root = ""

    def _buildah(self, *words: str) -> str:
        stores = ["--root", str(self._work / "store"), "--runroot", str(self._work / "runroot"), "--storage-driver", "overlay"]
        done = subprocess.run(["buildah", *stores, *words], cwd=self._work, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"buildah {words[0]}: {(done.stderr or done.stdout)[-800:]}")
        return done.stdout.strip()

    def build(self, bundle: str) -> None:
        """Of `bundle` and `base.tar`, both in the folder `context`. Without an engine's namespaces: the whole build has no network."""
        build = ("build", "--isolation", "chroot", "--network", "host", "--format", "docker")
        (self._work / "context/Base").write_text("FROM scratch\nADD base.tar /\n", encoding="ascii")
        self._buildah(*build, "--tag", "localhost/base", "--file", "context/Base", "context")
        names = ("--build-arg", "BASE=localhost/base", "--build-arg", f"BUNDLE={bundle}")
        self._buildah(*build, *names, "--tag", "localhost/blickschutz", "--file", str(ROOT / "Containerfile"), "context")
        self._root = self._buildah("mount", self._buildah("from", "--pull-never", "localhost/blickschutz"))

    def command(self, name: str, *words: str, without: tuple[str, ...] = ()) -> list[str]:
        """A container of the image that runs these words."""
        folder, data, site = self._work / name, self._work / "data", self._work / "anlage.toml"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(specification(self._root, data, site, list(words), without)), encoding="utf-8")
        return ["runc", "--root", str(self._work / "runc"), "run", "--bundle", str(folder), f"blickschutz-{name}-{os.getpid()}"]

    def said(self, name: str, *words: str, without: tuple[str, ...] = ()) -> str:
        command = self.command(name, *words, without=without)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if not done.stdout:
            raise RuntimeError(f"runc: {done.stderr[-800:]}")
        return done.stdout


def _inside(work: Path, bundle: str) -> dict[str, object]:
    (work / "data").mkdir(mode=0o700)
    os.chown(work / "data", 10001, 10001)
    (work / "anlage.toml").write_bytes((ROOT / "examples/rathaus-kaiserslautern.toml").read_bytes())
    (work / "anlage.toml").chmod(0o644)
    image, start = Image(work), time.monotonic()
    image.build(bundle)
    figures: dict[str, object] = {"build_s": round(time.monotonic() - start), "version": image.said("version", "--version").strip()}
    doctor = ("doctor", "--site", _SITE, "--json")
    for name, without in (("doctor", ()), ("doctor_without_landlock", _CALLS)):
        found = json.loads(image.said(name, *doctor, without=without))
        figures[name] = _of_kernel(found)
    figures["tile"] = shown(image.command("demo", "demo"))
    return figures


def _of_kernel(found: dict[str, Any]) -> str:
    """What the doctor says of the kernel's walls; nothing where all are there."""
    return str(next(row["mend"] for row in found["findings"] if row["id"] == "kernel"))


def measured(bundle: Path, root: Path | None = None) -> dict[str, object]:
    """The figures."""
    with tempfile.TemporaryDirectory(prefix="blickschutz-container-") as place:
        work = Path(place)
        (work / "context").mkdir()
        if root is None:
            empty(root := work / "root")
        subprocess.run(["tar", "-C", str(root), "-cf", str(work / "context/base.tar"), "."], check=True)
        (work / "context" / bundle.name).write_bytes(bundle.read_bytes())
        command = sealed([sys.executable, "-m", "benchmarks.container", "--inside", str(work), bundle.name])
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return dict(json.loads(done.stdout))


def main(words: list[str]) -> int:
    if words[:1] == ["--inside"]:
        print(json.dumps(_inside(Path(words[1]), words[2])))
        return 0
    figures = measured(Path(words[0]), Path(words[1]) if len(words) > 1 else None)
    print(json.dumps(figures, indent=1))
    return 0 if figures["tile"] and not figures["doctor"] and figures["doctor_without_landlock"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
