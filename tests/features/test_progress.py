"""Steps: the terminal output, and one JSON log line for each."""

import io
import json
from datetime import datetime

import pytest
from rich.console import Console

from features.errors import DataRefused
from features.progress import Steps, silent_steps


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def steps(tmp_path, output: io.StringIO) -> Steps:
    return Steps(tmp_path / "logs" / "shop.jsonl", Console(file=output, width=120))


def lines(steps: Steps) -> list[dict]:
    return [json.loads(line) for line in steps.log.read_text(encoding="utf-8").splitlines()]


def test_a_step_writes_one_json_line(steps, output):
    with steps.step("check events") as done:
        done(rows=1234567, share=0.123456)
        done(what="orders", full=True)
    (line,) = lines(steps)
    assert datetime.fromisoformat(line.pop("at")).utcoffset().total_seconds() == 0
    assert line.pop("seconds") >= 0
    assert line == {
        "step": "check events", "outcome": "ok", "rows": 1234567, "share": 0.123456,
        "what": "orders", "full": True,
    }  # fmt: skip
    for shown in ("✓", "check events", "rows 1,234,567", "share 0.1235", "full True"):
        assert shown in output.getvalue()


def test_a_failed_step_is_logged_with_its_error_and_raised(steps, output):
    def fail() -> None:
        with steps.step("check surveys") as done:
            done(rows=3)
            raise DataRefused("too bad")

    with pytest.raises(DataRefused, match="too bad"):
        fail()
    (line,) = lines(steps)
    assert (line["outcome"], line["rows"]) == ("DataRefused", 3)
    assert "too bad" not in steps.log.read_text(encoding="utf-8"), "no values in the log"
    assert "✗" in output.getvalue()


def test_even_an_interruption_is_logged(steps):
    with pytest.raises(KeyboardInterrupt), steps.step("train"):
        raise KeyboardInterrupt
    assert lines(steps)[0]["outcome"] == "KeyboardInterrupt"


def test_steps_are_appended_to_the_log(steps):
    for name in ("one", "zwei", "三"):
        with steps.step(name):
            pass
    assert [line["step"] for line in lines(steps)] == ["one", "zwei", "三"]


def test_track_yields_every_item(steps):
    with steps.step("letters"):
        assert list(steps.track(iter("abc"), 3)) == ["a", "b", "c"]
    assert list(steps.track(["alone"], 1)) == ["alone"]
    assert list(silent_steps().track(iter("ab"), 2)) == ["a", "b"]


def test_a_step_shows_its_progress(tmp_path):
    output = io.StringIO()
    steps = Steps(None, Console(file=output, width=120, force_terminal=True))
    with steps.step("simulate") as done:
        done.progress(1, 4)
        steps.note("now")  # a line above the spinner draws it again
    assert "simulate ... 25%, about" in output.getvalue()


def test_a_note_is_not_logged(steps, output):
    steps.note("look here")
    assert "look here" in output.getvalue()
    assert not steps.log.exists()


def test_silent_steps_print_and_write_nothing(capsys):
    steps = silent_steps()
    with steps.step("silent") as done:
        done(rows=1)
    steps.note("nothing")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
    assert steps.log is None
