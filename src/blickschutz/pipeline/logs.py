"""Logs: one line per event on standard error, readable or as JSON, tracebacks without the values of variables.

structlog's usual console output prints local variables where a library for it happens to be installed;
in a cell these are pictures. So the plain traceback is set here, whatever is installed.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from blickschutz.ingest.rules.address import without_secrets

# Read by every process of a system: what is started inherits it.
FORM, TEXT, JSON = "BLICKSCHUTZ_LOG", "text", "json"
# sd-daemon(3): the level before a line, which the journal takes off again. It sets the variable for what writes to it.
_JOURNAL = "JOURNAL_STREAM"
_LEVELS = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}


def _without_secrets(logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Whoever logs an address, a library's message too: no account stands in a log."""
    del logger, name
    return {key: without_secrets(value) if isinstance(value, str) else value for key, value in event.items()}


def _as_json(logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
    """One line; the traceback is a text in it."""
    line = structlog.processors.JSONRenderer(ensure_ascii=False)(logger, name, structlog.processors.format_exc_info(logger, name, event))
    return line if isinstance(line, str) else line.decode()


def _for_the_journal(logger: object, name: str, line: Any) -> str:
    """A traceback has lines of its own, each of which would else be of the least level."""
    del logger
    return "\n".join(f"<{_LEVELS.get(name, 4)}>{one}" for one in str(line).split("\n"))


class _Lasting:
    """Standard error, which may be gone while a cell lives on: whoever read it ended with the control room, and nobody is told."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def configure_logs(environment: Mapping[str, str] = os.environ) -> None:
    """Only warnings and worse; in the form that `BLICKSCHUTZ_LOG` says."""
    text = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _without_secrets,
            _as_json if environment.get(FORM) == JSON else text,
            *([_for_the_journal] if environment.get(_JOURNAL) else []),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Lasting())),
    )
