"""Write what is installed as a CycloneDX list (ECMA-424, version 1.6): `python -m scripts.sbom [FILE]`. Needs no network, no library.

Into `share/blickschutz/sbom.cdx.json` of the environment without FILE, `-` for the terminal. Named are the packages of this environment
with versions, licences, what needs what, and a hash over the hashes of their files; native libraries inside of them (FFmpeg comes so),
each with its hash; the models; Python and the system. The same environment gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import platform
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from blickschutz.analysis.io.engine import ENGINE

OWN = "blickschutz"
TARGET = Path(sys.prefix) / "share" / OWN / "sbom.cdx.json"
_NAMESPACE = uuid.UUID("6f1d9c0e-9f0b-5d7e-8c3e-2f4f6c5b7a10")
_NATIVE = re.compile(r"\.so(\.[\d.]+)?$")
# As wheels rename what they bring: name, part of its hash, version.
_BUNDLED = re.compile(r"^(?:lib)?(?P<name>.+?)(?:-[0-9a-f]{8})?\.so(?:\.(?P<version>[\d.]+))?$")
_WANTED = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_LONGEST_LICENCE = 100

Component = dict[str, Any]


def inventory(models: Path) -> dict[str, Any]:
    """The whole list, as JSON. `models` is the folder of the model registry."""
    packages = {_name(one.metadata["Name"]): one for one in metadata.distributions()}
    needed = {name: sorted(_needs(one) & packages.keys()) for name, one in packages.items()}
    # No requirement of the package: `blickschutz models install` brings it.
    needed[OWN] = sorted({*needed[OWN], ENGINE} & packages.keys())
    running = _closure(OWN, needed)
    components = [_package(one, required=name in running) for name, one in sorted(packages.items()) if name != OWN]
    components += [*_models(models), *_machine()]
    links = [{"ref": _ref(packages[name]), "dependsOn": [_ref(packages[one]) for one in below]} for name, below in sorted(needed.items())]
    own = _package(packages[OWN], required=True) | {"type": "application"}
    text = json.dumps([own, components, links], sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, text)}",
        "version": 1,
        "metadata": {"component": own, "lifecycles": [{"phase": "post-build"}]},
        "components": components,
        "dependencies": links,
    }


def _name(name: str) -> str:
    """As names of packages are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _ref(package: metadata.Distribution) -> str:
    return f"pkg:pypi/{_name(package.metadata['Name'])}@{package.version}"


def _needs(package: metadata.Distribution) -> set[str]:
    """What it asks for without any of its extras; what another system or Python would need is not installed here and falls out."""
    wanted = (_WANTED.match(line) for line in package.requires or () if "extra ==" not in line.replace("'", '"'))
    return {_name(one[1]) for one in wanted if one}


def _closure(start: str, needed: Mapping[str, list[str]]) -> set[str]:
    found, waiting = set[str](), [start]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needed[name]
    return found


def _package(package: metadata.Distribution, *, required: bool) -> Component:
    ref = _ref(package)
    made: Component = {"type": "library", "bom-ref": ref, "name": package.metadata["Name"], "version": package.version, "purl": ref}
    made |= {"scope": "required" if required else "excluded"}
    if licences := _licences(package):
        made["licenses"] = licences
    hashes = sorted(f"{one.hash.mode}:{one.hash.value}  {one}" for one in package.files or () if one.hash is not None)
    if hashes:
        digest = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
        made["properties"] = [{"name": "blickschutz:sha256-of-record", "value": digest}]
    if bundled := list(_bundled(package, ref)):
        made["components"] = bundled
    return made


def _licences(package: metadata.Distribution) -> list[dict[str, Any]]:
    """The expression of SPDX where the package states one, else its own words."""
    expression = package.metadata.get("License-Expression")
    if expression:
        return [{"expression": expression}]
    stated = [one.rpartition("::")[2].strip() for one in package.metadata.get_all("Classifier") or () if one.startswith("License ::")]
    text = (package.metadata.get("License") or "").strip()
    words = [one for one in stated if one != "OSI Approved"] or ([text.splitlines()[0]] if text else [])
    return [{"license": {"name": one[:_LONGEST_LICENCE]}} for one in dict.fromkeys(words)]


def _bundled(package: metadata.Distribution, ref: str) -> Iterator[Component]:
    """Native libraries that a package brings beside its own modules, as auditwheel lays them: `NAME.libs`, or `libs`."""
    for file in sorted(package.files or (), key=str):
        if not any(part.endswith("libs") for part in file.parts[:-1]) or not _NATIVE.search(file.name):
            continue
        found = _BUNDLED.match(file.name)
        name, version = (found["name"], found["version"]) if found else (file.name, None)
        made: Component = {"type": "library", "bom-ref": f"{ref}#{file}", "name": name}
        made |= {"version": version} if version else {}
        if file.hash is not None and file.hash.mode == "sha256":
            digest = base64.urlsafe_b64decode(file.hash.value + "=").hex()
            made["hashes"] = [{"alg": "SHA-256", "content": digest}]
        yield made


def _models(folder: Path) -> Iterator[Component]:
    index = folder / "registry.json"
    for card in json.loads(index.read_text(encoding="utf-8")) if index.exists() else ():
        yield {
            "type": "machine-learning-model",
            "bom-ref": f"model:{card['name']}",
            "name": card["name"],
            "hashes": [{"alg": "SHA-256", "content": card["sha256"]}],
            "licenses": [{"license": {"name": card["licence"]}}],
            "description": card["source"],
        }


def _machine() -> Iterator[Component]:
    yield {"type": "platform", "bom-ref": "python", "name": platform.python_implementation(), "version": platform.python_version()}
    try:
        told = platform.freedesktop_os_release()
    except OSError:
        return
    yield {"type": "operating-system", "bom-ref": "system", "name": told["NAME"], "version": told.get("VERSION_ID", "unknown")}


def listing() -> str:
    """The list of this environment, as it is written."""
    return json.dumps(inventory(TARGET.parent / "models"), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    target = sys.argv[1] if len(sys.argv) > 1 else str(TARGET)
    text = listing()
    if target == "-":
        sys.stdout.write(text)
        return
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
