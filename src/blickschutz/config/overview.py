"""The file of an overview of many sites: where its own pages are, and which sites it asks with what."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from blickschutz.config.model import Server
from blickschutz.config.parts import Identifier, Part, require_distinct
from blickschutz.config.texts import SiteError

_File = Annotated[str, Field(min_length=1, max_length=400)]


def _secure(value: str) -> str:
    try:
        parts = urlsplit(value)
        known = parts.scheme == "https" and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known or parts.username or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise SiteError("site_address")
    return value


class WatchedSite(Part):
    id: Identifier
    """Short name of the site in this overview."""
    name: Annotated[str, Field(min_length=1, max_length=80)]
    """What the overview calls it."""
    address: Annotated[str, AfterValidator(_secure)]
    """Its pages, as `https://host:8710`."""
    authority: _File
    """File (PEM) of the authority of that site's certificate (its page `/trust`), relative to this file. No other is trusted."""
    token_file: _File
    """File that holds the token that the site's administration made for this, relative to this file; only its owner reads it."""
    every_s: Annotated[float, Field(ge=10, le=3600)] = 30.0
    """Seconds between two readings."""
    within_s: Annotated[float, Field(ge=1, le=60)] = 8.0
    """Seconds that one reading may take in all."""


class OverviewFile(Part):
    format: Literal[1]
    """Version of this format."""
    name: Annotated[str, Field(min_length=1, max_length=80)] = "Übersicht der Standorte"
    """What the pages are called."""
    language: Literal["de", "en"] = "de"
    """Language of the pages for whoever has not chosen one."""
    timezone: Annotated[str, Field(max_length=60)] = "Europe/Berlin"
    """Time zone in which times are shown."""
    data: _File = "overview-data"
    """Folder of its own accounts, log and keys, relative to this file."""
    server: Server = Server(port=8720)
    """Where its own pages are served."""
    sites: Annotated[tuple[WatchedSite, ...], Field(min_length=1, max_length=200)]
    """The sites that are asked."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        require_distinct("site", "sites", [one.id for one in self.sites])
        return self
