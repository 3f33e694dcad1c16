"""Which server a site's databases are on, with what connecting to it takes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from blickschutz.bootstrap.secrets import read_secret
from blickschutz.config.model import SiteFile
from blickschutz.storage.places import Server


def server_of(site: SiteFile, base: Path, environment: Mapping[str, str] = os.environ, language: str = "") -> Server | None:
    """None where they are files in the data folder. `base` is the site file's folder. Raises `SettingsError`."""
    storage, server = site.storage, site.storage.server
    if server is None:
        return None
    password = read_secret("storage.password_file", storage.password_file, base, environment, language)
    authority = base / storage.authority if storage.authority is not None else None
    return dataclasses.replace(server, password=password, authority=authority)
