"""Builds the ways of alerts: channels that the site file names, and the broker that cameras speak to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from blickschutz.alerts.io.channels import AppriseChannel, MailSender, Webhook, Words
from blickschutz.alerts.io.mqtt import Broker, MqttSender, MqttSource
from blickschutz.alerts.io.wire import CameraEvent
from blickschutz.alerts.ports import Channel
from blickschutz.alerts.service import AlertDesk, Sender
from blickschutz.bootstrap.records import Records
from blickschutz.config.channels import MqttChannel
from blickschutz.config.model import SiteFile
from blickschutz.control.service.alerting import Alerting
from blickschutz.guard.service import Guard
from blickschutz.kernel.clock import Clock
from blickschutz.kernel.errors import SettingsError


def make_alerting(site: SiteFile, base: Path, records: Records, clock: Clock, guard: Guard) -> Alerting:
    """The desk with its senders. A relative file address is relative to `base`, the site file's folder."""
    channels = make_channels(site, base, {camera.id: camera.name for camera in site.cameras})
    store, time = records.alerts, records.archive.time
    desk = AlertDesk(store, clock, [channel.name for channel in channels], site.alerts.escalate_after_s, time.now)
    return Alerting(desk, [Sender(channel, store, clock, guard=guard) for channel in channels], clock)


def make_source(site: SiteFile, base: Path, take: Callable[[str, CameraEvent], None], guard: Guard) -> MqttSource | None:
    """Where cameras tell what they find themselves; None where the site file names no broker that is to be heard."""
    mqtt = site.alerts.mqtt
    if mqtt is None or not mqtt.listen:
        return None
    return MqttSource(broker(mqtt, base), frozenset(camera.id for camera in site.cameras), take, guard)


def broker(mqtt: MqttChannel, base: Path) -> Broker:
    """The broker of the site file, with the password from its file. Raises `SettingsError`."""
    password = ""
    if mqtt.password_file:
        path = base / mqtt.password_file
        try:
            password = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"alerts.mqtt.password_file: {path}: {error.strerror}") from error
    return Broker(mqtt.host, mqtt.port, mqtt.prefix, mqtt.user, password)


def make_channels(site: SiteFile, base: Path, cameras: Mapping[str, str]) -> list[Channel]:
    """The channels that the site file names."""
    alerts, language = site.alerts, site.site.language
    words = Words(site.site.name, language, cameras)
    channels: list[Channel] = []
    if alerts.mqtt is not None:
        channels.append(MqttSender(broker(alerts.mqtt, base), site.site.name, language))
    if alerts.mail is not None:
        mail = alerts.mail
        channels.append(MailSender(mail.host, mail.port, mail.sender, mail.to, mail.starttls, words))
    channels += [Webhook(hook.id, hook.address, site.site.name, language) for hook in alerts.webhooks]
    channels += [AppriseChannel(other.id, other.address, words) for other in alerts.apprise]
    return channels
