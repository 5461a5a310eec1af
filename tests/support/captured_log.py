"""The log lines of a test, as the service would write them."""

import json
from typing import Any

import pytest

from serve.observability.log_lines import JsonFormatter


def log_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The fields of each line that was logged so far."""
    return [json.loads(JsonFormatter().format(record)) for record in caplog.records]
