"""The image and how it is run: what `Containerfile` and `compose.yaml` promise, and, where buildah and runc are, the image itself."""

from __future__ import annotations

import json
import os
import re
import shutil

import jsonschema_rs
import pytest
import yaml
from benchmarks import container, offline

from blickschutz import __version__
from tests.bundles import BUNDLES
from tests.conftest import ROOT

STEPS = [
    line.split(maxsplit=1)
    for line in re.sub(r"\\\n\s*", " ", (ROOT / "Containerfile").read_text("utf-8")).splitlines()
    if line and not line.startswith("#")
]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICE = COMPOSE["services"]["blickschutz"]
# A bundle of this machine's Python (`make deb`); making one takes a network.
TOOLS = ("debootstrap", "unshare", "strace", "buildah", "runc")


def arguments(word):
    return [rest for step, rest in STEPS if step == word]


def test_the_file_is_one_of_the_compose_specification():
    """As its makers publish the schema (github.com/compose-spec/compose-spec, Apache-2.0)."""
    schema = json.loads((ROOT / "tests/golden/compose/compose-spec.json").read_text("utf-8"))
    validator = jsonschema_rs.validator_for(schema)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    assert not validator.is_valid({**COMPOSE, "services": {"a": {**SERVICE, "network": "none"}}})


def test_there_is_no_way_out():
    assert set(SERVICE["networks"]) == set(COMPOSE["networks"]) == {"cameras", "workstations"}
    assert all(network["internal"] is True for network in COMPOSE["networks"].values())
    assert not {"ports", "network_mode", "extra_hosts", "dns", "links"} & set(SERVICE)
    parents = [network["driver_opts"]["parent"] for network in COMPOSE["networks"].values()]
    assert len(set(parents)) == 2


def test_it_has_no_rights_and_writes_to_its_volume_and_memory_alone():
    assert SERVICE["user"] == arguments("USER")[0] == "10001:10001"
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"} & set(SERVICE)
    assert SERVICE["volumes"] == ["data:/var/lib/blickschutz"]
    assert (SERVICE["ulimits"]["memlock"], SERVICE["ulimits"]["core"]) == (-1, 0)


def test_no_shell_has_part_in_a_start():
    for word in ("ENTRYPOINT", "CMD"):
        (form,) = arguments(word)
        assert json.loads(form), "a form that is no list is handed to a shell"
    assert SERVICE["healthcheck"]["test"][:2] == ["CMD", "/opt/blickschutz/bin/python"]
    compile(SERVICE["healthcheck"]["test"][3], "healthcheck", "exec")
    assert SERVICE["networks"]["workstations"]["ipv4_address"] in SERVICE["healthcheck"]["test"][3]


def test_the_build_fetches_nothing_but_its_base():
    known = "ARG FROM ADD RUN LABEL COPY ENV USER WORKDIR VOLUME STOPSIGNAL ENTRYPOINT CMD"
    assert {step for step, _ in STEPS} <= set(known.split())
    assert {rest.split()[0] for rest in arguments("FROM")} == {"${BASE}"}
    assert arguments("ADD") == ["${BUNDLE} /bundle"]
    assert not [rest for rest in arguments("RUN") if re.search(r"apt|pip install|curl|wget|https?:", rest)]
    assert "ENV" in dict(STEPS)
    assert "CREDENTIALS_DIRECTORY=/run/secrets" in arguments("ENV")[0]


def test_the_version_is_that_of_the_package():
    assert SERVICE["image"] == f"localhost/blickschutz:{__version__}"
    for text in ((ROOT / "Containerfile").read_text("utf-8"), (ROOT / "docs/container.md").read_text("utf-8")):
        assert set(re.findall(r"blickschutz[:-](\d+\.\d+\.\d+)", text)) == {__version__}


def test_addresses_elsewhere_are_told_from_those_of_this_machine():
    lines = (
        '7 connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.7")}, 16) = -1 ENETUNREACH',
        '7 connect(3, {sa_family=AF_INET, sin_port=htons(8710), sin_addr=inet_addr("127.0.0.1")}, 16) = 0',
        '8 connect(4, {sa_family=AF_INET6, sin6_port=htons(53), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr)}, 28) = -1',
        '8 connect(4, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = -1 ENOENT',
    )
    assert offline.elsewhere(lines) == ["192.0.2.7", "2001:db8::1"]


def needs():
    if os.geteuid() or not all(shutil.which(one) for one in TOOLS):
        pytest.skip(f"needs root and {', '.join(TOOLS)}")
    if not BUNDLES:
        pytest.skip("no bundle in dist (make deb), and BLICKSCHUTZ_BUNDLE names none")


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    needs()
    root = tmp_path_factory.mktemp("debian") / "root"
    offline.empty(root)
    return root


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_an_empty_debian_shows_a_redacted_tile_and_asks_nobody(debian):
    figures = offline.measured(BUNDLES[-1], debian)
    assert figures["commands"] <= offline.MOST_COMMANDS
    assert figures["minutes"] <= offline.MOST_MINUTES
    assert {step: figures[step] for step in offline.STEPS if step not in offline.MAY and figures[step]} == {}
    assert len(figures["first demonstration"]) <= 2, "the machine's servers for names, which apt asks for the film"


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_image_runs_confined_without_rights(debian):
    figures = container.measured(BUNDLES[-1], debian)
    assert figures["version"] == f"blickschutz, version {__version__}"
    assert figures["doctor"] == ""
    assert "Landlock" in figures["doctor_without_landlock"]
    assert figures["tile"]
