"""Hosts of an installation: who is let in, the broker's files, and what the control room needs to reach them."""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blickschutz.access.model import Member
from blickschutz.access.voices import VOICES, Decision, Lack, Voices
from blickschutz.audit.io.log import AuditLog
from blickschutz.audit.model import Event
from blickschutz.config.hosts import port_of
from blickschutz.config.model import Camera, SiteFile
from blickschutz.hosts.io.register import HostRegister
from blickschutz.hosts.io.witness import require_signed
from blickschutz.hosts.model import Enrolled
from blickschutz.hosts.rules import server
from blickschutz.hosts.rules.placement import Need
from blickschutz.hosts.rules.subjects import ROOM, domain, require_name, user
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import DeviceError, OperatorError, SettingsError
from blickschutz.storage.files import write_private
from blickschutz.vault.io.authority import Authority, ends

if TYPE_CHECKING:
    from blickschutz.bootstrap.leading import Leading
    from blickschutz.hosts.io.room import HostRoom

# How long certificates are good for: the control room makes its own anew, hosts are enrolled anew.
HOST_DAYS: Final = 730
_OWN_DAYS, _RENEW_S = 90, 30 * 86_400.0
BROKER: Final = "broker"


class HostOffice:
    """In the folder `data` of an installation. Made where it is first used."""

    def __init__(self, site: SiteFile, data: Path, installation: str, clock: Clock) -> None:
        if site.hosts is None:
            raise SettingsError("hosts: there is no section [hosts] in the site file, so no camera lies with a host")
        self._site, self._hosts, self.installation, self._clock = site, site.hosts, require_name(installation), clock
        self.folder = data / "hosts"
        self.register = HostRegister(self.folder / "enrolled.json", clock)

    @property
    def authority_file(self) -> Path:
        return self.folder / "authority.crt"

    @property
    def broker_folder(self) -> Path:
        return self.folder / BROKER

    def enrol(self, name: str, first: Member, second: Member, out: Path, log: AuditLog, voices: Voices) -> Enrolled:
        """Let a host in: two people who may, and a folder `out` with all that its machine needs. An earlier enrolment counts no more."""
        if require_name(name) in {ROOM, BROKER}:
            raise SettingsError(f"{name} is a name that stands for something else: give the host another one")
        _require_two(first, second, voices)
        if out.exists() and any(out.iterdir()):
            raise OperatorError(f"{out} is not empty")
        authority, enrolment = self._authority(), secrets.token_hex(4)
        made = authority.issue(user(self.installation, name, enrolment), HOST_DAYS, server=False)
        by = (first.id, second.id)
        one = Enrolled(host=name, enrolment=enrolment, at=self._clock.now(), until=made.until.timestamp(), by=by)
        log.write(Event.HOST_ENROLLED, first.id, name, {"confirmed": second.id, "enrolment": enrolment, "until": made.until.isoformat()})
        self.register.add(one)
        self.write_broker()
        _put(out / "authority.crt", authority.pem)
        _put(out / "host.crt", made.certificate + authority.pem)
        _put(out / "host.key", made.key)
        _put(out / "join.toml", self._join(name, log.public.hex()).encode())
        return one

    def revoke(self, name: str, by: Member, log: AuditLog) -> None:
        """One person is enough to shut a host out. The broker hears of it when it reads its configuration anew."""
        if name not in self.register.valid():
            raise OperatorError(f"{name} is no host that is let in; known are {', '.join(self.register.valid()) or 'none'}")
        log.write(Event.HOST_REVOKED, by.id, name)
        self.register.revoke(name)
        self.write_broker()

    def write_broker(self) -> Path:
        """All that the broker needs, in one folder; its configuration, made anew."""
        folder = self.broker_folder
        certificate, key = folder / "broker.crt", folder / "broker.key"
        authority = self._authority()
        if self._ends_soon(certificate) or not key.exists():
            made = authority.issue(self._name(BROKER), HOST_DAYS, server=True)
            _put(key, made.key)
            _put(certificate, made.certificate + authority.pem)
        _put(folder / "authority.crt", authority.pem)
        where = server.Broker(
            self._hosts.listen,
            port_of(self._hosts.broker),
            str(certificate),
            str(key),
            str(folder / "authority.crt"),
            str(folder / "store"),
        )
        text = server.configuration(where, self.installation, self.register.valid(), self._hosts.copies)
        _put(folder / "nats.conf", text.encode())
        return folder / "nats.conf"

    def room_files(self) -> tuple[Path, Path]:
        """Certificate and key of the control room itself, made anew where they end soon."""
        certificate, key = self.folder / "room.crt", self.folder / "room.key"
        if self._ends_soon(certificate) or not key.exists():
            authority = self._authority()
            made = authority.issue(user(self.installation, ROOM), _OWN_DAYS, server=False)
            _put(key, made.key)
            _put(certificate, made.certificate + authority.pem)
        return certificate, key

    def _name(self, of: str) -> str:
        return f"{of}.{domain(self.installation)}"

    def _authority(self) -> Authority:
        """Of hosts alone, good for names of this installation's hosts only: workstations trust another one."""
        return Authority(self.folder, f"{self._site.site.name} (hosts)", (domain(self.installation),), self._clock)

    def _ends_soon(self, certificate: Path) -> bool:
        until = ends(certificate)
        return until is None or until.timestamp() - self._clock.now() < _RENEW_S

    def _join(self, name: str, signed_by: str) -> str:
        hosted = {one.id for one in self._hosts.cameras}
        head = f"""# What this machine joins the installation with: `blickschutz cells --join join.toml`.
format = 1
installation = {_text(self.installation)}
host = {_text(name)}
broker = {_text(self._hosts.broker)}
broker_name = {_text(self._name(BROKER))}
authority = "authority.crt"
certificate = "host.crt"
key = "host.key"
data = "data"
cores = 4
memory_mb = 4000
networks = [{", ".join(sorted({_text(one.network) for one in self._hosts.cameras if one.network}))}]
signed_by = {_text(signed_by)}
root = {_text(self._site.review.root or "")}
"""
        made = head + "".join(_camera(one) for one in self._site.cameras if one.id in hosted)
        tomllib.loads(made)
        return made


def needs_of(site: SiteFile) -> dict[str, Need]:
    """What each camera that lies with hosts takes."""
    hosts = site.hosts
    return {one.id: Need(one.cores, one.memory_mb, one.network, one.only) for one in hosts.cameras} if hosts is not None else {}


def keepers_of(site: SiteFile) -> dict[str, str]:
    """Hosts that keep second copies of clips, in their order, each with the store that it uses (empty: its disk)."""
    if site.hosts is None:
        return {}
    stores = {one.host: one.store for one in site.hosts.stores}
    return {host: stores.get(host, "") for host in site.hosts.copies}


def make_host_room(site: SiteFile, data: Path, installation: str, clock: Clock, leading: Leading | None = None) -> HostRoom | None:
    """The control room's side; None for a site that has no camera with hosts. Raises `SettingsError` where the client is missing.

    Where control rooms take over from each other the highest token is kept with the lead, and nothing is given without it.
    """
    if site.hosts is None:
        return None
    try:
        from blickschutz.hosts.io.broker import Address, Broker
        from blickschutz.hosts.io.room import HostRoom
        from blickschutz.hosts.io.tokens import LedTokens, TokenFile
    except ModuleNotFoundError as error:
        raise SettingsError("hosts: the broker's client is not installed; install blickschutz with the extra 'hosts'") from error
    office = HostOffice(site, data, installation, clock)
    url, name = site.hosts.broker, f"{BROKER}.{domain(office.installation)}"

    def address() -> Address:
        certificate, key = office.room_files()
        return Address(url, name, office.authority_file, certificate, key)

    register = office.register
    broker, newest = Broker(office.installation, ROOM), TokenFile(office.folder / "newest.json", office.folder / "alone.json")
    tokens = newest if leading is None else LedTokens(newest, leading.lead.look().token, leading.remember)
    leads = (lambda: leading.leader.leads) if leading is not None else (lambda: True)

    def require_report(host: str, text: bytes, signature: bytes, certificate: bytes) -> None:
        # What one that is shut out by now did before is true all the same.
        names = {user(office.installation, one.host, one.enrolment) for one in register.all() if one.host == host}
        try:
            authority = office.authority_file.read_bytes()
        except OSError as error:
            raise DeviceError(f"{office.authority_file} cannot be read: {error.strerror}") from error
        require_signed(text, signature, certificate, authority, names)

    return HostRoom(broker, address, register.known, register.valid, needs_of(site), tokens, require_report, leads)


def _require_two(first: Member, second: Member, voices: Voices) -> None:
    """Raises `OperatorError` unless one may propose and another one may confirm, at this moment."""
    lack = voices.lack(Decision.HOST, (first.id,), second.id)
    if lack is Lack.SAME:
        raise OperatorError("a host is let in by two people, and these are one")
    if lack is not None:
        member, permission = (first, VOICES[Decision.HOST][0]) if lack is Lack.LEFT else (second, VOICES[Decision.HOST][1])
        raise OperatorError(f"{member.id} may not {permission.value} that a host is let in")


def _camera(camera: Camera) -> str:
    # A path is one of this machine: the host's own is filled in there.
    lines: Mapping[str, str] = {
        "id": camera.id,
        "address": "file:FILL-IN" if camera.address.startswith("file:") else camera.address,
        "substream": camera.substream or "",
        "user": camera.user,
        "password_file": f"{camera.id}.password" if camera.password_file else "",
        "notify_file": f"{camera.id}.notify" if camera.notify is not None else "",
        "onvif": camera.onvif.address if camera.onvif is not None and camera.onvif.address is not None else "",
    }
    return "\n[[cameras]]\n" + "".join(f"{key} = {_text(value)}\n" for key, value in lines.items() if value)


def _text(value: str) -> str:
    """As TOML writes it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _put(path: Path, data: bytes) -> None:
    try:
        write_private(path, data)
    except OSError as error:
        raise DeviceError(f"{path} cannot be written: {error.strerror}") from error
