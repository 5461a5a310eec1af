"""Turns what the processes of a service write to stderr into log lines.

Log lines go to stdout. What arrives on stderr was written past the log: a crash before it was set up,
an error of BentoML's command line, a `print` or a warning of a C library.
"""

import json
import os
import threading
from datetime import UTC, datetime
from typing import IO


def relay_stderr(source: IO[bytes], target: int, process: int) -> threading.Thread:
    """Start a thread that writes each line of `source` as a log line to the file descriptor `target`.

    The thread closes both at the end of `source`. `process` is named in the lines, though any
    process of the service may have written them.
    """
    thread = threading.Thread(
        target=_relay, args=(source, target, process), name="stderr", daemon=True
    )
    thread.start()
    return thread


def _relay(source: IO[bytes], target: int, process: int) -> None:
    with source, os.fdopen(target, "wb", buffering=0) as out:
        for line in source:
            if text := line.decode("utf-8", "replace").strip():
                out.write(_as_log_line(text, process))


def _as_log_line(text: str, process: int) -> bytes:
    if text.startswith('{"at": '):  # it is one already
        return text.encode() + b"\n"
    fields = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": "error",
        "logger": "stderr",
        "process": process,
        "message": text,
    }
    return json.dumps(fields).encode() + b"\n"
