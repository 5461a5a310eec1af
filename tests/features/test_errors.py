"""The exception tree and its exit codes."""

import re
import subprocess
from pathlib import Path

import pytest

from features import errors
from features.errors import GoodwillError

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "code"),
    [("ConfigRefused", 3), ("DataRefused", 3), ("LeakFound", 3), ("GateFailed", 4),
     ("AlreadyRunning", 5), ("NothingTrained", 6), ("PartMissing", 7), ("EnvironmentFailed", 9)],
)  # fmt: skip
def test_exit_codes(name, code):
    error = getattr(errors, name)
    assert issubclass(error, GoodwillError)
    assert error.exit_code == code
    assert str(error("what was wrong")) == "what was wrong"
    assert f"{name}" in (errors.__doc__ or "")
    assert f"exit {code}" in (errors.__doc__ or "")


def test_every_exit_code_is_documented():
    kinds = [
        k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, GoodwillError)
    ]
    codes = {k.exit_code for k in kinds} - {GoodwillError.exit_code}
    assert codes <= set(errors.EXIT_CODES)
    assert set(errors.FAILURES) | {0, 5, 8} == set(errors.EXIT_CODES)


def test_the_help_of_make_names_the_codes():
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert max(map(len, shown.splitlines())) <= 80
    named = {int(code) for code in re.findall(r"\b\d\b", shown.partition("itself exits with")[2])}
    assert named == set(errors.EXIT_CODES) - {2, 8}


def test_the_systemd_unit_fails_for_the_failures_only():
    unit = (PROJECT / "deploy/goodwill-retrain.service").read_text(encoding="utf-8")
    (line,) = (line for line in unit.splitlines() if line.startswith("SuccessExitStatus="))
    accepted = {int(code) for code in line.partition("=")[2].split()}
    assert accepted | {0} == set(errors.EXIT_CODES) - set(errors.FAILURES)
