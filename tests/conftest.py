"""What all tests share: no network but loopback, the real detector, videos that the tests draw."""

from __future__ import annotations

import gc
import ipaddress
import logging
import os
import socket
from pathlib import Path

import hypothesis
import pytest
import structlog

from blickschutz.access.io import store as passwords
from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.demo.drawn_scene import DrawnScene
from blickschutz.vault import service as vault
from tests.databases import on_a_server, on_server, parameters
from tests.forms import known_forms
from tests.videos import write_scene

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

LONG = bool(os.environ.get("BLICKSCHUTZ_LONG"))


def often(usual: int, long: int) -> int:
    """How often something drawn by chance is tried: in `make test`, and in `make test-long`."""
    return long if LONG else usual


# How long one example takes is the machine's affair: whatever else runs on it must fail no test. `timeout` bounds each test as a whole.
# What is new is looked for in the long run: in the other the same examples are drawn each time, so that a change fails for itself alone.
hypothesis.settings.register_profile("house", deadline=None, derandomize=not LONG, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("house")

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def pytest_collection_finish():
    """What was imported and collected stays to the end; to look through it again and again for what nobody holds took 7 % of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


@pytest.fixture(autouse=True, scope="session")
def quick_forms():
    """Hundreds of tests begin with a new database."""
    with known_forms():
        yield


@pytest.fixture(autouse=True, scope="session")
def quick_words():
    """Passwords and passphrases cost a second of a core by intent, and the keys that are made say what theirs cost: here they are cheap,
    also for the processes that open them. What they cost in earnest is tested with the vault and the doors.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (vault, passwords):
            patch.setattr(module, "OPERATIONS", 1)
            patch.setattr(module, "MEMORY", 8192 * 8)
        yield


@pytest.fixture(autouse=True, scope="session")
def only_loopback():
    """Refuse every connection that leaves this machine."""
    real = socket.socket.connect

    def connect(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to connect to {address}")
        return real(self, address)

    socket.socket.connect = connect
    yield
    socket.socket.connect = real


def pytest_generate_tests(metafunc):
    """Tests of stores run on each database system, see `tests.databases`."""
    mark = metafunc.definition.get_closest_marker("both_databases")
    if mark is not None and metafunc.definition.get_closest_marker("files_alone") is None:
        metafunc.parametrize("database_system", parameters(mark.kwargs.get("usual", False)), indirect=True, scope="module")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    """What a test left on a server ends with it."""
    result = yield
    server, folder = on_a_server(), getattr(item, "funcargs", {}).get("tmp_path")
    if server is not None and folder is not None:
        server.drop(folder)
    return result


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL server."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (the extra postgresql)")
    from tests.postgres import cluster_of_tests

    yield from cluster_of_tests()


@pytest.fixture(autouse=True, scope="module")
def database_system(request):
    """What the databases of the tests are in."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield
        return
    with on_server(request.getfixturevalue("cluster")) as opened:
        yield
    assert opened, "no test of this module opened a database, so none of them shows anything of the server"


@pytest.fixture(scope="session")
def detector():
    """The real detector, as the set-up installed it."""
    return OpenVinoDetector.from_registry("centernet")


@pytest.fixture(scope="session")
def walk_clip(tmp_path_factory) -> Path:
    """Eight seconds of a drawn forecourt: three without people, then walkers in checked shirts."""
    path = tmp_path_factory.mktemp("video") / "walk.mp4"
    write_scene(path, DrawnScene(320, 240, seed=3, empty=30), 80)
    return path


def footage(name: str) -> Path:
    """A file of the real footage; the test is skipped, by name, where it is absent."""
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"the footage {name} is not here")
    return path
