"""Builds the ways of alerts: channels that the site file names, and the broker that cameras speak to."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Container, Mapping
from functools import lru_cache
from pathlib import Path

from blickschutz.alerts.io.broker import Broker
from blickschutz.alerts.io.channels import AppriseChannel, MailSender, Webhook, Words
from blickschutz.alerts.io.homeassistant import discovery
from blickschutz.alerts.io.mqtt import MqttSender, MqttSource
from blickschutz.alerts.io.signing import Signing, read_key
from blickschutz.alerts.io.states import CameraNow, MqttStates, SiteNow, nothing_fixed
from blickschutz.alerts.io.transport import Trust, context, show
from blickschutz.alerts.io.wire import CameraEvent
from blickschutz.alerts.model import Priorities
from blickschutz.alerts.ports import Channel
from blickschutz.alerts.service import AlertDesk, Sender
from blickschutz.bootstrap.records import Records
from blickschutz.bootstrap.secrets import key_file, read_secret
from blickschutz.config.channels import MqttChannel, Reached, WebhookChannel
from blickschutz.config.model import SiteFile
from blickschutz.control.ports import Shown
from blickschutz.control.service.alerting import Alerting
from blickschutz.control.service.notices import PublishedNotices
from blickschutz.control.service.regime import RegimeKeeper
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import OperatorError, SettingsError
from blickschutz.regime.model import RegimeName
from blickschutz.wall.model import TileState


def make_alerting(site: SiteFile, base: Path, records: Records, clock: Clock, guard: Guard, names: Mapping[str, str]) -> Alerting:
    """The desk with its senders. A relative file address is relative to `base`, the site file's folder; `names` are those of cameras, by
    id, at any moment."""
    channels = make_channels(site, base, names, records.archive.key.installation, clock)
    store, time = records.alerts, records.archive.time
    named = {(one.kind, one.zone or ""): one.priority for one in site.alerts.priorities}
    ways = [channel.name for channel in channels]
    desk = AlertDesk(store, clock, ways, site.alerts.escalate_after_s, time.now, Priorities(named))
    return Alerting(desk, [Sender(channel, store, clock, guard=guard) for channel in channels], clock)


def make_source(
    site: SiteFile,
    base: Path,
    installation: str,
    cameras: Container[str],
    take: Callable[[str, CameraEvent], None],
    guard: Guard,
    notices: PublishedNotices,
) -> MqttSource | None:
    """Where `cameras`, those that there are at any moment, tell what they find themselves; None where the site file names no broker that
    is to be heard."""
    mqtt = site.alerts.mqtt
    if mqtt is None or not mqtt.listen:
        return None
    return MqttSource(broker(site, mqtt, installation, base), cameras, take, guard, notices.read)


def make_states(
    site: SiteFile,
    base: Path,
    installation: str,
    desk: AlertDesk,
    cells: Mapping[str, Shown],
    regime: RegimeKeeper,
    guard: Guard,
    clock: Clock,
    names: Mapping[str, str],
) -> MqttStates | None:
    """What keeps the states of site and cameras at the broker; None where the site file wants none."""
    mqtt = site.alerts.mqtt
    if mqtt is None or not mqtt.states:
        return None
    at = broker(site, mqtt, installation, base)
    language, prefix = site.site.language, mqtt.discovery_prefix
    states, regimes = [state.value for state in TileState], [name.value for name in RegimeName]

    @lru_cache(maxsize=1)
    def found(known: tuple[tuple[str, str], ...]) -> Mapping[str, bytes]:
        return discovery(at, site.site.name, known, states, regimes, language, prefix)

    def fixed() -> Mapping[str, bytes]:
        return found(tuple((name, names.get(name, name)) for name in list(cells)))

    def look() -> SiteNow:
        cameras = [CameraNow(name, names.get(name, name), cell.state.value, cell.stopped) for name, cell in cells.items()]
        return SiteNow(regime.current().name.value, cameras, desk.store.marks())

    return MqttStates(at, site.site.name, look, guard, clock, fixed if mqtt.discovery else nothing_fixed)


def broker(site: SiteFile, mqtt: MqttChannel, installation: str, base: Path) -> Broker:
    """The broker of the site file, with user and password from their files. Raises `SettingsError`."""
    user = mqtt.user or read_secret("alerts.mqtt.user_file", mqtt.user_file, base)
    password = read_secret("alerts.mqtt.password_file", mqtt.password_file, base)
    tls = tls_of("alerts.mqtt", mqtt, base) if mqtt.secure else None
    if tls is not None and mqtt.client_certificate:
        key = key_file("alerts.mqtt.client_key", mqtt.client_key, base)
        try:
            show(tls, base / mqtt.client_certificate, key)
        except OperatorError as error:
            raise SettingsError(f"alerts.mqtt.client_certificate: {error}") from error
    return Broker(mqtt.host, site.site.id or installation, installation, mqtt.known_port, mqtt.prefix, user, password, tls)


def tls_of(setting: str, channel: Reached, base: Path) -> ssl.SSLContext:
    """How the server of a channel is verified. Raises `SettingsError`."""
    key, name = ("certificate", channel.certificate) if channel.certificate else ("authority", channel.authority)
    try:
        text = (base / name).read_text(encoding="ascii") if name else ""
        return context(Trust(certificate=text) if channel.certificate else Trust(authority=text))
    except (OSError, UnicodeDecodeError, OperatorError) as error:
        raise SettingsError(f"{setting}.{key}: {base / name}: {getattr(error, 'strerror', None) or error}") from error


def signing_of(setting: str, hook: WebhookChannel, base: Path, installation: str, clock: Clock) -> Signing | None:
    """How messages to a webhook are signed; None where they are not. Raises `SettingsError`."""
    secret = read_secret(f"{setting}.signing_secret_file", hook.signing_secret_file, base)
    try:
        return Signing(read_key(secret), installation, clock) if secret else None
    except OperatorError as error:
        raise SettingsError(f"{setting}.signing_secret_file: {error}") from error


def make_channels(site: SiteFile, base: Path, cameras: Mapping[str, str], installation: str, clock: Clock) -> list[Channel]:
    """The channels that the site file names. Raises `SettingsError`."""
    alerts, language = site.alerts, site.site.language
    words = Words(site.site.name, language, cameras)
    channels: list[Channel] = []
    if alerts.mqtt is not None:
        channels.append(MqttSender(broker(site, alerts.mqtt, installation, base), site.site.name, language))
    if alerts.mail is not None:
        mail = alerts.mail
        account = (mail.user, read_secret("alerts.mail.password_file", mail.password_file, base))
        tls = tls_of("alerts.mail", mail, base) if mail.starttls else None
        channels.append(MailSender(mail.host, mail.port, mail.sender, mail.to, tls, words, account))
    for hook in alerts.webhooks:
        setting = f"alerts.webhooks.{hook.id}"
        account = (hook.user, read_secret(f"{setting}.password_file", hook.password_file, base))
        secure = hook.address.startswith("https:")
        tls = tls_of(setting, hook, base) if secure else None
        signing = signing_of(setting, hook, base, installation, clock)
        channels.append(Webhook(hook.id, hook.address, site.site.name, language, tls, account, signing))
    for other in alerts.apprise:
        address = other.address or read_secret(f"alerts.apprise.{other.id}.address_file", other.address_file, base)
        channels.append(AppriseChannel(other.id, address, words, plain=bool(other.plain_because)))
    return channels
