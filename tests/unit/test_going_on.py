"""What a host goes on with when it is started anew while nobody is reached."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from blickschutz.hosts.io.going_on import GoingOn
from blickschutz.ingest.model import SourceKind, SourceSettings
from blickschutz.kernel.errors import DeviceError
from blickschutz.pipeline.messages import CellSettings, Configure, SetSituations, SetThresholds, Stop, Watch
from blickschutz.situations.kinds import Kind

CAMERA = Configure(CellSettings(camera="gate", source=SourceSettings(SourceKind.FILE, "x")))
RUN = "5" * 32


@pytest.fixture
def path(tmp_path):
    return tmp_path / "going-on"


def there(path, host="north", cameras=("gate", "door")):
    return GoingOn(path, "town-hall", host, cameras)


async def kept(path, *messages, tokens=None):
    """A life of a host that was told this, and has it on its disk."""
    going = there(path)
    for camera in ("gate", "door"):
        for message in messages:
            going.tell(camera, message)
    await going.hold(RUN, {"gate": 7} if tokens is None else tokens)
    return going


def test_what_is_held_without_end_is_there_again_with_what_was_told_of_it(path):
    asyncio.run(kept(path, Stop(True), SetThresholds({Kind.LOITERING: 0.7}), Watch(True), CAMERA))
    going = there(path)
    assert (going.run, going.tokens) == (RUN, {"gate": 7})
    assert going.told("gate") == [CAMERA, SetThresholds({Kind.LOITERING: 0.7}), Stop(True)], "and nobody watches"
    assert going.told("door") == [], "another host may film that one"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_given_back_is_not_there(path):
    async def life():
        going = await kept(path, CAMERA)
        await going.hold(RUN, {})

    asyncio.run(life())
    assert not path.exists()
    assert there(path).tokens == {}


def test_what_is_told_later_is_on_disk_too(path):
    async def life():
        going = await kept(path, CAMERA, Stop(False))
        keeping = asyncio.create_task(going.keep())
        situations = dataclasses.replace(CAMERA.settings.situations, thresholds={Kind.LOITERING: 0.9})
        going.tell("gate", Stop(True))
        going.tell("gate", SetSituations(situations))
        while there(path).told("gate")[-1] != Stop(True):
            await asyncio.sleep(0.01)
        keeping.cancel()
        assert there(path).told("gate")[0].settings.situations == situations

    asyncio.run(life())


def test_what_cannot_be_written_is_not_there_at_all(path, monkeypatch):
    """A camera that was stopped since must not be filmed by what was said before."""

    def full(*_):
        raise OSError(28, "No space left on device")

    async def life():
        going = await kept(path, CAMERA, Stop(False))
        monkeypatch.setattr("blickschutz.hosts.io.going_on.write_private", full)
        going.tell("gate", Stop(True))
        with pytest.raises(DeviceError, match="No space left"):
            await going.keep()
        assert not path.exists()
        monkeypatch.undo()
        keeping = asyncio.create_task(going.keep())
        while there(path).tokens != {"gate": 7}:
            await asyncio.sleep(0.01)
        keeping.cancel()
        assert there(path).told("gate")[-1] == Stop(True)

    asyncio.run(life())


@pytest.mark.parametrize("what", ["another host", "bytes of a stranger", "a camera that is elsewhere by now", "nothing was told"])
def test_what_is_not_its_own_is_nothing_to_go_on_with(path, what):
    asyncio.run(kept(path, *([] if what == "nothing was told" else [CAMERA])))
    if what == "bytes of a stranger":
        path.write_bytes(b"\xc1" + path.read_bytes())
    going = there(path, host="south" if what == "another host" else "north", cameras=("door",) if "elsewhere" in what else ("gate",))
    assert going.tokens == {}
