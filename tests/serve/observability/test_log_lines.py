"""Every line of the service's output is one JSON object in UTC."""

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.errors import ConfigRefused, EnvironmentFailed
from serve.observability.log_lines import (
    JsonFormatter,
    TextFormatter,
    choose_format,
    facts,
    logging_config,
)
from serve.process.server import HOST, free_port
from serve.process.stderr_relay import relay_stderr
from support.noisy_scorer import CANARY, LOGGED, PRINTED, RAW, WARNED

PROJECT = Path(__file__).parents[3]
FIELDS = ["at", "level", "logger", "process", "message"]


def record(message: str = "done", error: Exception | None = None, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("goodwill.x", logging.INFO, "x.py", 1, message, (), None)
    made.created = 1764500000.25
    if error:
        made.exc_info = (type(error), error, error.__traceback__)
    if more:
        made.facts = more
    return made


def failed() -> Exception:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        return error


def test_a_line_is_one_json_object_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        line = JsonFormatter().format(record("zwei\nZeilen, 你好", customers=2, level="mine"))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert line.isascii()
    assert "\n" not in line
    fields = json.loads(line)
    assert list(fields) == [*FIELDS, "customers"]
    assert fields["at"] == "2025-11-30T10:53:20.250+00:00"
    assert (fields["level"], fields["message"]) == ("info", "zwei\nZeilen, 你好")


def test_an_exception_has_type_and_frames_and_no_message() -> None:
    fields = json.loads(JsonFormatter().format(record(error=failed())))
    assert fields["exception"] == "ValueError"
    assert fields["frames"][-1].endswith(" failed")
    assert "test_log_lines.py" in fields["frames"][-1]
    assert CANARY not in str(fields) + TextFormatter().format(record(error=failed()))


def test_text_is_one_readable_line_with_frames_below() -> None:
    text = TextFormatter().format(record(error=failed(), customers=2))
    first, *frames = text.splitlines()
    assert first == (
        "2025-11-30T10:53:20.250+00:00 info    goodwill.x: done exception=ValueError customers=2"
    )
    assert len(frames) == 1


def test_json_is_the_format_except_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOODWILL_LOG_FORMAT", raising=False)
    assert choose_format(for_terminal=True) == "text"
    assert choose_format(for_terminal=False) == "json"
    for chosen in ("json", "text"):
        monkeypatch.setenv("GOODWILL_LOG_FORMAT", chosen)
        assert {choose_format(for_terminal=where) for where in (True, False)} == {chosen}


def test_no_logger_keeps_a_handler_of_its_own() -> None:
    config = logging_config("json", sys.stdout)
    assert all(logger["handlers"] == [] for logger in config["loggers"].values())
    assert config["root"]["handlers"] == ["lines"]
    assert facts(a=1) == {"facts": {"a": 1}}


def test_what_arrives_on_stderr_becomes_a_line_and_lines_stay(tmp_path: Path) -> None:
    ours = JsonFormatter().format(record())
    program = f"import sys; sys.stderr.write('odd \\u4f60\\n\\n' + {ours!r} + '\\nno end')"
    written = tmp_path / "log"
    with written.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
        assert process.stderr
        relay_stderr(process.stderr, os.dup(out.fileno()), process.pid).join(20)
        process.wait()
    odd, kept, last = written.read_text().splitlines()
    assert kept == ours
    assert list(json.loads(odd)) == FIELDS
    assert [json.loads(line)["message"] for line in (odd, last)] == ["odd 你", "no end"]


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of an output, after checking each."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for line in lines:
        assert list(line)[:5] == FIELDS
        assert line["at"].endswith("+00:00")
        assert abs(datetime.now().astimezone() - datetime.fromisoformat(line["at"])) < timedelta(
            minutes=10
        )
    return lines


def run_goodwill_serve(
    home: Path, act: Callable[[str], None] | None, port: int, **settings: str
) -> tuple[int, list[dict[str, Any]]]:
    """Run `goodwill serve` in Shanghai's time, act when it answers; exit code and output."""
    (home / "data").mkdir()
    shutil.copy(PROJECT / "data/sample.toml", home / "data")
    environment = {
        **os.environ,
        "TZ": "Asia/Shanghai",
        "GOODWILL_HOME": str(home),
        "GOODWILL_PORT": str(port),
        "GOODWILL_OPERATE_PORT": str(free_port()),
        "GOODWILL_WORKERS": "1",
        "GOODWILL_DRAIN_SECONDS": "0",
        "GOODWILL_SCORER": "support.noisy_scorer:load",
        "PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(PROJECT / "tests")]),
        **settings,
    }
    output = home / "output"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "serve.cli", "serve"],
            env=environment,
            stdout=out,
            stderr=out,
            cwd=home,
        )
    try:
        if act:
            act(f"http://{HOST}:{port}")
            process.terminate()
        code = process.wait(60)
    finally:
        process.kill()
        process.wait()
    return code, lines_of(output)


def provoke(url: str) -> None:
    """Make one call that fails, once the service is ready."""
    until = time.monotonic() + 90
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        while time.monotonic() < until:
            try:
                if client.get("/readyz").is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        headers = {"x-request-id": "asked-by-me"}
        answer = client.post("/v1/scores", json={"customer_ids": [CANARY]}, headers=headers)
        assert answer.status_code == 500


def test_each_line_of_a_running_service_is_json_in_utc_without_values(tmp_path: Path) -> None:
    code, lines = run_goodwill_serve(tmp_path, provoke, free_port())
    assert code == 0
    assert CANARY not in str(lines)
    by_message = {line["message"]: line for line in lines}
    loggers = {line["logger"] for line in lines}
    assert {"goodwill.launch", "goodwill.serve", "goodwill.drain", "bentoml.serve"} <= loggers
    assert by_message[PRINTED]["logger"] == by_message[RAW]["logger"] == "stderr"
    assert by_message[LOGGED]["logger"] == "some.library"
    assert any(line["logger"] == "py.warnings" and WARNED in line["message"] for line in lines)
    assert by_message["thread helper ended with an exception"]["exception"] == "ValueError"
    crash = by_message["call failed with an exception"]
    assert (crash["level"], crash["exception"]) == ("error", "RuntimeError")
    assert "noisy_scorer.py" in crash["frames"][-1]
    assert crash["request_id"] == "asked-by-me"
    assert by_message["call answered"]["status"] == 500


def test_an_error_at_the_start_is_a_line_too(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        code, lines = run_goodwill_serve(tmp_path, None, port)
    assert code == EnvironmentFailed.exit_code
    assert lines[-1]["level"] == "critical"
    assert lines[-1]["message"].startswith(f"EnvironmentFailed: port {port} of {HOST} is in use")


def test_a_wrong_setting_is_named_with_its_value(tmp_path: Path) -> None:
    code, lines = run_goodwill_serve(tmp_path, None, free_port(), GOODWILL_WORKERS="none")
    assert code == ConfigRefused.exit_code
    assert lines[-1]["message"].startswith("GOODWILL_WORKERS is 'none': ")
