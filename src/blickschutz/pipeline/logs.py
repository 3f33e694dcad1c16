"""Logs: one readable line per event on standard error, tracebacks without the values of variables.

structlog's usual console output prints local variables where a library for it happens to be installed;
in a cell these are pictures. So the plain traceback is set here, whatever is installed.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from blickschutz.ingest.rules.address import without_secrets


def _without_secrets(logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Whoever logs an address, a library's message too: no account stands in a log."""
    del logger, name
    return {key: without_secrets(value) if isinstance(value, str) else value for key, value in event.items()}


def configure_logs() -> None:
    """Only warnings and worse."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _without_secrets,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
