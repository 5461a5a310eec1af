"""The exception tree and its exit codes."""

import pytest

from features import errors
from features.errors import GoodwillError


@pytest.mark.parametrize(
    ("name", "code"),
    [("ConfigRefused", 3), ("DataRefused", 3), ("GateFailed", 4), ("AlreadyRunning", 5)],
)
def test_exit_codes(name, code):
    error = getattr(errors, name)
    assert issubclass(error, GoodwillError)
    assert error.exit_code == code
    assert str(error("what was wrong")) == "what was wrong"
    assert f"{name}" in (errors.__doc__ or "")
    assert f"exit {code}" in (errors.__doc__ or "")


def test_the_tree_is_complete():
    made = {c.__name__ for c in GoodwillError.__subclasses__() if c.__module__ == errors.__name__}
    assert made == {"ConfigRefused", "DataRefused", "GateFailed", "AlreadyRunning"}
    assert GoodwillError.exit_code == 1
