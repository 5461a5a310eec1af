"""Log lines of the service: one JSON object per line, or text for people at a terminal.

All processes of the service write through here, BentoML's supervisor and workers included. Every line
has `at` (UTC), `level`, `logger`, `process` and `message`; a line about a call or an exception has more.
"""

import json
import logging
import logging.config
import os
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from features.errors import GoodwillError

log = logging.getLogger("goodwill.process")

#: The innermost frames of an exception that are logged.
_FRAMES = 8
#: Exceptions that end a process with a message about files, modules or settings.
_SAFE_MESSAGES = (GoodwillError, ImportError, OSError)
_LEVELS = {
    "goodwill": "INFO",
    "bentoml": "INFO",
    "circus": "WARNING",
    "uvicorn": "WARNING",
    "uvicorn.error": "WARNING",
    "uvicorn.access": "WARNING",
}


def facts(**values: Any) -> dict[str, Any]:
    """The `extra` of a log call: further fields of its line. They must not be a customer's values."""
    return {"facts": values}


def describe_exception(error: BaseException) -> dict[str, Any]:
    """Describe an exception by type and frames, not by its message, which may hold a sent value."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return {
        "exception": type(error).__qualname__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of a line; those of the call cannot replace the common ones."""
    fields = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "process": record.process,
        "message": record.getMessage(),
    }
    error = record.exc_info[1] if record.exc_info else None
    more = describe_exception(error) if error else {}
    return {**more, **getattr(record, "facts", {}), **fields}


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object on one line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        common = ("at", "level", "logger", "process", "message")
        return json.dumps({name: fields.pop(name) for name in common} | fields, default=str)


class TextFormatter(logging.Formatter):
    """Formats a record for people: the common fields, then the others as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        del fields["process"]
        at, level, logger, message = (
            fields.pop(name) for name in ("at", "level", "logger", "message")
        )
        frames = "".join(f"\n    {frame}" for frame in fields.pop("frames", ()))
        more = "".join(f" {name}={value}" for name, value in fields.items())
        return f"{at} {level:<7} {logger}: {message}{more}{frames}"


def choose_format(*, for_terminal: bool) -> str:
    """Return the format of log lines: that of `GOODWILL_LOG_FORMAT`, else text for a terminal.

    Reads no other setting: an error in one of them must be logged, too.
    """
    chosen = os.environ.get("GOODWILL_LOG_FORMAT")
    return chosen if chosen in ("json", "text") else "text" if for_terminal else "json"


def logging_config(form: str, stream: TextIO) -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig`: one handler, for all loggers."""
    formatter = JsonFormatter if form == "json" else TextFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {
            "lines": {"class": "logging.StreamHandler", "stream": stream, "formatter": "line"}
        },
        "root": {"level": "WARNING", "handlers": ["lines"]},
        # An empty list removes the handlers that the library installed.
        "loggers": {
            name: {"level": level, "handlers": [], "propagate": True}
            for name, level in _LEVELS.items()
        },
    }


def configure_logging() -> None:
    """Write everything that this process logs to stdout, warnings and fatal exceptions included."""
    stream = sys.__stdout__ or sys.stdout
    form = choose_format(for_terminal=stream.isatty())
    logging.config.dictConfig(logging_config(form, stream))
    logging.captureWarnings(True)
    sys.excepthook = _log_fatal
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_thread


def print_to_stderr() -> None:
    """Let `print` of libraries write to stderr, so that stdout holds log lines only."""
    sys.stdout = sys.stderr


def _log_fatal(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        reason = str(error) if isinstance(error, _SAFE_MESSAGES) else "see the frames"
        log.critical("the process ends: %s", reason, exc_info=(kind, error, trace))


def _log_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and failed.exc_type is not SystemExit:
        name = failed.thread.name if failed.thread else "unknown"
        log.error("thread %s ended with an exception", name, exc_info=failed.exc_value)


def _log_unraisable(failed: "sys.UnraisableHookArgs") -> None:
    log.error("an exception was ignored", exc_info=failed.exc_value)
