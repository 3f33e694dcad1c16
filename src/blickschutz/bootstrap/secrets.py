"""Secrets that lie outside of the site file: files that only their owner reads, or the credentials of systemd."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from blickschutz.config.loader import operator_language
from blickschutz.config.model import SiteFile
from blickschutz.kernel.errors import SettingsError

CREDENTIALS = "CREDENTIALS_DIRECTORY"
_MOST_BYTES = 4096
_TEXTS = {
    "gone": (
        "{path} lässt sich nicht lesen ({reason}); legen Sie die Datei an, oder geben Sie sie mit LoadCredential={name}:… weiter",
        "{path} cannot be read ({reason}); make the file, or pass it on with LoadCredential={name}:…",
    ),
    "open": (
        "{path} können auch andere lesen (Rechte {mode:04o}); schreiben Sie „chmod 600 {path}“",
        "{path} can be read by others too (mode {mode:04o}); write `chmod 600 {path}`",
    ),
    "wrong": (
        "{path} enthält kein Kennwort: leer, länger als {most} Bytes oder kein Text",
        "{path} holds no password: empty, longer than {most} bytes, or no text",
    ),
}


def read_secret(setting: str, name: str, base: Path, environment: Mapping[str, str] = os.environ, language: str = "") -> str:
    """The secret in the file `name`; empty where none is named. Raises `SettingsError` that begins with the `setting`, in the
    operator's language unless another is named.

    A relative name is looked for among the credentials of systemd first, then in `base`, the site file's folder.
    """
    if not name:
        return ""
    path, data = _opened(setting, name, base, environment, language)
    try:
        secret = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        secret = ""
    if not secret.strip() or len(data) > _MOST_BYTES or "\n" in secret:
        raise _refused(language, setting, "wrong", path=path, most=_MOST_BYTES)
    return secret


def key_file(setting: str, name: str, base: Path, environment: Mapping[str, str] = os.environ, language: str = "") -> Path:
    """Where the private key in the file `name` lies, for a library that reads it itself. Raises `SettingsError` likewise."""
    return _opened(setting, name, base, environment, language)[0]


def _opened(setting: str, name: str, base: Path, environment: Mapping[str, str], language: str) -> tuple[Path, bytes]:
    """The path of a file that only its owner may read, and the first bytes of it, one more than a secret may have."""
    given = environment.get(CREDENTIALS, "")
    passed = Path(given, name) if given and not Path(name).is_absolute() else None
    path = passed if passed is not None and passed.exists() else base / name
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise _refused(language, setting, "gone", path=path, reason=error.strerror, name=name) from error
    # systemd hands out credentials to the service alone, whatever their mode says.
    if path != passed and mode & 0o077:
        raise _refused(language, setting, "open", path=path, mode=mode)
    return path, data


def key_files(site: SiteFile) -> list[tuple[str, str]]:
    """Setting and file of every private key that the site file names, as `secret_files`."""
    mqtt = site.alerts.mqtt
    return [("alerts.mqtt.client_key", mqtt.client_key)] if mqtt is not None else []


def secret_files(site: SiteFile) -> list[tuple[str, str]]:
    """Setting and file of every secret that may lie outside of the site file; the name is empty where none is named."""
    alerts = site.alerts
    named = [(f"cameras.{camera.id}.password_file", camera.password_file) for camera in site.cameras]
    named.append(("storage.password_file", site.storage.password_file))
    named += [(f"cameras.{one.id}.notify.secret_file", one.notify.secret_file) for one in site.cameras if one.notify is not None]
    if alerts.mqtt is not None:
        named += [("alerts.mqtt.user_file", alerts.mqtt.user_file), ("alerts.mqtt.password_file", alerts.mqtt.password_file)]
    named += [("alerts.mail.password_file", alerts.mail.password_file)] if alerts.mail is not None else []
    for hook in alerts.webhooks:
        named += [(f"alerts.webhooks.{hook.id}.{key}", getattr(hook, key)) for key in ("password_file", "signing_secret_file")]
    return named + [(f"alerts.apprise.{other.id}.address_file", other.address_file) for other in alerts.apprise]


def require_secrets(site: SiteFile, base: Path, language: str = "") -> None:
    """Raises `SettingsError` unless every secret that the site file names can be read: before anything starts."""
    for setting, name in secret_files(site):
        read_secret(setting, name, base, language=language)
    for setting, name in key_files(site):
        if name:
            key_file(setting, name, base, language=language)


def _refused(language: str, setting: str, text: str, **values: object) -> SettingsError:
    german, english = _TEXTS[text]
    return SettingsError(f"{setting}: {(german if (language or operator_language()) == 'de' else english).format(**values)}")
