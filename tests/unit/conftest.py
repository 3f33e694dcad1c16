"""What unit tests of pages and of a house share."""

from __future__ import annotations

import pytest

from blickschutz.control.service import keeper
from blickschutz.storage.dialects import sqlite
from tests.desk import Desk
from tests.fakes.rtsp_camera import TalkingCamera
from tests.fakes.web_camera import WebCamera
from tests.house import House


@pytest.fixture(scope="module")
def desk(tmp_path_factory, database_system):
    """A site's pages; nobody waits long for a picture or a lock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeper, "SNAPSHOT_S", 0.02)
        patch.setattr(sqlite, "LONGEST_WAIT_S", 0.2)
        desk = Desk(tmp_path_factory.mktemp("desk"))
        yield desk
        desk.close()


def _ended(kind):
    made = []

    def make(*args, **kwargs):
        made.append(kind(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def camera():
    """Makes cameras that talk RTSP."""
    yield from _ended(TalkingCamera)


@pytest.fixture
def web():
    """Makes cameras with pictures by HTTP."""
    yield from _ended(WebCamera)


@pytest.fixture
def house(tmp_path):
    """Files, rows and a clock of an installation."""
    house = House(tmp_path)
    yield house
    house.close()
