"""Undefined numbers are null in JSON."""

import math

from features.json_values import finite_or_none


def test_undefined_numbers_become_none_at_any_depth() -> None:
    value = {"a": math.nan, "b": [1.5, -math.inf, "x"], "c": ({"d": math.inf}, None, True, 3)}
    assert finite_or_none(value) == {
        "a": None, "b": [1.5, None, "x"], "c": [{"d": None}, None, True, 3],
    }  # fmt: skip
