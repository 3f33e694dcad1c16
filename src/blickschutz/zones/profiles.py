"""The profile of each zone. What it names is all that a process of that zone opens, connects to or binds."""

from __future__ import annotations

import mimetypes
import sysconfig
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import blickschutz
import plattform
from blickschutz.kernel.devices import Decoding
from blickschutz.kernel.hosts import number_of
from blickschutz.zones.model import Grant, Profile, Right, Zone

CAMERA_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
# With what the kernel starts together with a program that is linked dynamically.
_CHRONYC = ("/usr/bin/chronyc", "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
_PROGRAM, _LIBRARIES, _MACHINE, _TIME, _NAMES = "program", "libraries", "machine", "time zones", "names of hosts"
_GRAPHICS, _DEV = "graphics card, neural unit", "/dev"
_BY_DRI = frozenset({Decoding.AUTO, Decoding.QSV, Decoding.VAAPI})
_BY_NVIDIA = frozenset({Decoding.AUTO, Decoding.NVDEC})
# Not what sets the screen's mode, measures other processes, or parts the card among users.
_NVIDIA = ("nvidiactl", "nvidia-uvm", "nvidia[0-9]*")


def cell(
    *,
    models: Path,
    clips: Path | None,
    addresses: Iterable[str] = (),
    file: Path | None = None,
    authority: Path | None = None,
    local: Iterable[int] = (),
    datagrams: bool = False,
    onvif: str = "",
    devices: bool = False,
    decoding: Decoding = Decoding.SOFTWARE,
) -> Profile:
    """A camera's cell: the `addresses` of its streams (RTSP or HTTP), or the video `file` that stands for a camera.

    `clips` is the folder in which it makes clips. `onvif` is the address of the camera's own service, where it is listened to.
    `authority` is the file of the authority that made the camera's certificate, `local` are ports of its own through which it reads it.
    `datagrams`: its media come by UDP. `devices`: its networks may run on the machine's graphics card or neural unit. `decoding`: what
    may decode its stream.
    """
    files = [*_common(), Grant("models", models, Right.READ)]
    if clips is not None:
        files.append(Grant("clips", clips, Right.ADD | Right.LIST))
    if file is not None:
        # A file that comes later has to be seen when it comes.
        files.append(Grant("its video file", file if file.is_file() else file.parent, Right.READ))
    if authority is not None:
        files.append(Grant("its camera's authority", authority, Right.READ))
    if devices or decoding in _BY_DRI:
        files += _devices(f"{_DEV}/dri", "renderD*")
        files += _reading(_GRAPHICS, "/sys/class/drm", "/sys/dev/char", "/sys/devices", "/sys/bus")
    if devices:
        files += [*_devices(f"{_DEV}/accel", "accel*"), *_reading(_GRAPHICS, "/etc/OpenCL")]
    if decoding in _BY_NVIDIA:
        files += [Grant(_GRAPHICS, one, Right.DEVICE) for name in _NVIDIA for one in sorted(Path(_DEV).glob(name))]
        files += _reading(_GRAPHICS, "/proc/driver/nvidia", "/proc/devices", "/proc/sys/vm/mmap_min_addr", "/sys/devices", "/sys/bus/pci")
        files += _reading(_GRAPHICS, "/usr/local/nvidia", "/usr/share/nvidia")
        # The driver gives its threads names, and does not open where it cannot.
        files.append(Grant("names of its threads", Path("/proc/self/task"), Right.OVERWRITE))
    places = [urlsplit(one) for one in (*addresses, onvif) if one]
    if any(one.scheme in {"rtsps", "https"} for one in places) and authority is None:
        files += _authorities()
    named = any(one.hostname and number_of(one.hostname) is None for one in places)
    if named:
        files += _names()
    ports = (*local, *(one.port or CAMERA_PORTS.get(one.scheme, 0) for one in places))
    return Profile(
        Zone.CELL,
        tuple(files),
        frozenset(one for one in ports if one),
        udp=named,
        datagrams=datagrams,
        devices=devices or decoding is not Decoding.SOFTWARE,
        driver_socket=decoding in _BY_NVIDIA,
    )


def trial(*, models: Path, addresses: Iterable[str], local: Iterable[int] = ()) -> Profile:
    """A camera that is tried before it is one of the site's: what a cell may, without clips, devices and datagrams."""
    found = cell(models=models, clips=None, addresses=addresses, local=local)
    return replace(found, zone=Zone.TRIAL)


def device(*, address: str) -> Profile:
    """A camera's ONVIF service that is asked once: no model, no picture, nothing but its port."""
    place = urlsplit(address)
    files = [*_common(), *(_authorities() if place.scheme == "https" else [])]
    return Profile(Zone.TRIAL, tuple(files), frozenset({place.port or CAMERA_PORTS[place.scheme]}))


def finder() -> Profile:
    """Who asks a network for cameras. Its sockets are open already, and it opens no other."""
    return Profile(Zone.FINDER, tuple(_common()))


def review_room(*, clip: Path, exports: Path, memory: Path, certificate: Iterable[Path]) -> Profile:
    """A review room whose port is bound already. `memory` is its own folder in memory, for the package that it puts together."""
    files = (
        Grant("its clip", clip, Right.READ),
        Grant("exports", exports, Right.CHANGE | Right.LIST),
        Grant("its folder in memory", memory, Right.READ | Right.CHANGE),
    )
    return Profile(Zone.REVIEW_ROOM, (*_common(), *_own(certificate), *files))


def doors_of(data: Path) -> Path:
    """The folder in which the sockets lie by which cells are found again. To be made before the control room is confined."""
    return data / "cells"


def key_desk(*, certificate: Iterable[Path]) -> Profile:
    """A key desk whose port is bound already."""
    return Profile(Zone.KEY_DESK, (*_common(), *_own(certificate)))


def control_room(
    *,
    data: Path,
    site: Iterable[Path],
    models: Path,
    memory: Path,
    temporary: Path,
    connect: Iterable[int],
    bind: int,
    changes: Iterable[Path] = (),
) -> Profile:
    """The control room. `site` are the site file's folder and what else it names; `changes` is that folder where the pages may change the
    file, which is replaced as a whole; `memory` is the folder in memory in which rooms work,
    where what a dead one left is overwritten, never read; `connect` are the ports of the channels that the site file names.
    """
    files = [
        *_common(),
        *_names(),
        Grant("data folder", data, Right.READ | Right.CHANGE),
        Grant("doors of cells", doors_of(data), Right.LISTEN),
        *(Grant("site file's folder", path, Right.READ) for path in site),
        *(Grant("site file's folder", path, Right.READ | Right.CHANGE) for path in changes),
        Grant("models", models, Right.READ),
        Grant("memory", memory, Right.LIST | Right.CHANGE),
        *_reading(_MACHINE, "/proc/sys/kernel", "/proc/swaps"),
        *_authorities(),
        *_reading("fonts", "/usr/share/fonts"),
        *(Grant("chronyc", Path(path), Right.RUN) for path in _CHRONYC),
        Grant("temporary files", temporary, Right.READ | Right.CHANGE),
    ]
    return Profile(
        Zone.CONTROL_ROOM,
        tuple(files),
        frozenset(connect),
        frozenset({bind}),
        udp=True,
        unix=True,
        signals=True,
        starts=True,
    )


def cell_host(*, data: Path, join: Path, temporary: Path, broker: int, store: int | None = None) -> Profile:
    """A host's agent: what it joins by, the folder of what it has to tell and of its clips, the broker, and the port of a store for copies
    where it has one. No camera: that is its cells' alone."""
    files = (
        *_common(),
        *_names(),
        Grant("data folder", data, Right.READ | Right.CHANGE),
        Grant("doors of cells", doors_of(data), Right.LISTEN),
        Grant("join file's folder", join, Right.READ),
        # Which boot this is: deadlines are counted in one, and judged anew after another.
        *_reading(_MACHINE, "/proc/sys/kernel/random/boot_id"),
        Grant("temporary files", temporary, Right.READ | Right.CHANGE),
    )
    return Profile(
        Zone.CELL_HOST, files, frozenset({broker} if store is None else {broker, store}), udp=True, unix=True, signals=True, starts=True
    )


def _common() -> list[Grant]:
    """What every program in Python needs of the machine."""
    paths = sysconfig.get_paths()
    own = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    own |= {str(Path(str(one.__file__)).parent) for one in (blickschutz, plattform)}
    return [
        *_reading(_PROGRAM, *sorted(own)),
        *_reading(_LIBRARIES, "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"),
        *_reading(_TIME, "/usr/share/zoneinfo", "/etc/localtime", "/etc/timezone"),
        *_reading(_MACHINE, "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems"),
        *_reading(_MACHINE, "/proc/sys/vm/overcommit_memory"),
        # Which ending of a name means which type, and what OpenSSL reads when it is first used.
        *_reading(_MACHINE, *map(str, mimetypes.knownfiles), "/etc/ssl/openssl.cnf"),
        *_reading(_MACHINE, "/sys/devices/system", "/sys/fs/cgroup", "/dev/urandom"),
        Grant(_MACHINE, Path("/dev/null"), Right.READ | Right.ADD),
    ]


def _authorities() -> list[Grant]:
    return _reading("certificates of authorities", "/etc/ssl/certs", "/usr/share/ca-certificates")


def _names() -> list[Grant]:
    """How a host is found by its name."""
    files = (f"/etc/{name}" for name in ("hosts", "resolv.conf", "nsswitch.conf", "host.conf", "gai.conf", "services"))
    return _reading(_NAMES, *files, "/run/systemd/resolve")


def _reading(place: str, *paths: str) -> list[Grant]:
    return [Grant(place, Path(path), Right.READ) for path in paths]


def _devices(folder: str, names: str) -> list[Grant]:
    """The folder to look into, and of its devices those that are there."""
    there = sorted(Path(folder).glob(names))
    return [Grant(_GRAPHICS, Path(folder), Right.LIST), *(Grant(_GRAPHICS, one, Right.DEVICE) for one in there)]


def _own(certificate: Iterable[Path]) -> list[Grant]:
    return [Grant("the server's certificate and its key", path, Right.READ) for path in certificate]
