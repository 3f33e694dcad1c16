"""The list of what is installed: valid by CycloneDX's own schema, whole, and true."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib import metadata
from pathlib import Path

import jsonschema_rs
import pytest
from scripts.sbom import inventory, main

from tests.conftest import ROOT

SCHEMAS = ROOT / "tests/golden/cyclonedx"
NAMES = ("spdx", "jsf-0.82")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    card = {"name": "eye", "file": "eye.onnx", "sha256": "ab" * 32, "licence": "Apache-2.0", "source": "https://models.example/eye"}
    (folder / "registry.json").write_text(json.dumps([card]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def made(models):
    return inventory(models)


@pytest.fixture(scope="module")
def schema():
    """CycloneDX 1.6 as its makers publish it (github.com/CycloneDX/specification, Apache-2.0)."""
    others = [
        (f"http://cyclonedx.org/schema/{name}.schema.json", json.loads((SCHEMAS / f"{name}.schema.json").read_text())) for name in NAMES
    ]
    registry = jsonschema_rs.Registry(others)
    return jsonschema_rs.validator_for(json.loads((SCHEMAS / "bom-1.6.schema.json").read_text()), registry=registry)


def test_it_is_valid(made, schema):
    assert [error.message for error in schema.iter_errors(made)] == []
    assert not schema.is_valid({**made, "bomFormat": "other"})
    assert not schema.is_valid({**made, "components": [{**made["components"][0], "scope": "perhaps"}]})


def test_everything_that_is_installed_is_in_it_once(made):
    names = [one["name"] for one in made["components"] if one.get("purl")]
    assert len(names) == len(set(names))
    installed = {one.metadata["Name"].lower().replace("_", "-") for one in metadata.distributions()} - {"blickschutz"}
    assert {name.lower().replace("_", "-") for name in names} >= installed
    refs = {one["bom-ref"] for one in (*made["components"], made["metadata"]["component"])}
    assert {one for link in made["dependencies"] for one in (link["ref"], *link["dependsOn"])} <= refs


def test_it_says_what_runs_and_what_only_tests(made):
    scopes = {one["name"].lower(): one.get("scope") for one in made["components"]}
    assert {scopes[name] for name in ("av", "pynacl", "fastapi", "starlette", "cffi")} == {"required"}
    assert {scopes[name] for name in ("pytest", "hypothesis", "mypy")} == {"excluded"}


def test_what_lies_inside_of_a_package_has_its_own_hash(made):
    """FFmpeg, which decodes what strangers send, comes inside of PyAV."""
    av = next(one for one in made["components"] if one["name"] == "av")
    codec = next(one for one in av["components"] if one["name"] == "avcodec")
    path = Path(metadata.distribution("av").locate_file(codec["bom-ref"].partition("#")[2]))
    assert codec["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]
    assert codec["version"][0].isdigit()


def test_models_python_and_system_are_in_it(made, models):
    by_name = {one["name"]: one for one in made["components"]}
    assert by_name["eye"]["hashes"][0]["content"] == "ab" * 32
    assert by_name["CPython"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert inventory(models.parent / "none")["serialNumber"] != made["serialNumber"]


@pytest.mark.long
def test_the_same_environment_gives_the_same_file(made, models, tmp_path, monkeypatch, capsys):
    assert inventory(models) == made
    for target in (str(tmp_path / "more/sbom.json"), "-"):
        monkeypatch.setattr(sys, "argv", ["sbom", target])
        main()
    assert (tmp_path / "more/sbom.json").read_text(encoding="utf-8") == capsys.readouterr().out
