"""Fuzzy evaluation: hand-calculated, and consistent with the weighted score."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from features.errors import ConfigRefused
from insight.value.fuzzy_grades import Grades, assign_fuzzy_grades, grade_memberships
from insight.value.weights import DimensionWeights, weighted_mean

THREE = Grades(names=["low", "middle", "high"], peaks=[20, 50, 80])
WEIGHTS = DimensionWeights("x", {"a": 0.7, "b": 0.3})


def test_memberships_match_a_hand_calculation() -> None:
    found = grade_memberships(pd.Series([0.0, 20, 35, 50, 74, 100]), THREE)
    assert found["low"].tolist() == [1, 1, 0.5, 0, 0, 0]
    assert found["middle"].tolist() == pytest.approx([0, 0, 0.5, 1, 0.2, 0])
    assert found["high"].tolist() == pytest.approx([0, 0, 0, 0, 0.8, 1])


def test_both_operators_match_a_hand_calculation() -> None:
    """a = 35 is half low, half middle; b = 74 is one fifth middle, four fifths high."""
    table = pd.DataFrame({"a": [35.0], "b": [74.0]})
    mean = assign_fuzzy_grades(table, WEIGHTS, THREE)
    assert mean.membership.iloc[0].tolist() == pytest.approx([0.35, 0.35 + 0.06, 0.24])
    assert mean.grade[0] == "middle"
    assert mean.unclear[0]  # 0.41 against 0.35
    largest = assign_fuzzy_grades(table, WEIGHTS, THREE, "max-min").membership.iloc[0]
    assert largest.tolist() == pytest.approx(np.array([0.5, 0.5, 0.3]) / 1.3)


@given(st.lists(st.tuples(st.floats(20, 80), st.floats(20, 80)), min_size=1, max_size=20))
def test_between_the_peaks_the_points_equal_the_weighted_score(
    rows: list[tuple[float, float]],
) -> None:
    table = pd.DataFrame(rows, columns=["a", "b"])
    found = assign_fuzzy_grades(table, WEIGHTS, THREE)
    assert found.points.to_numpy() == pytest.approx(weighted_mean(table, WEIGHTS).to_numpy())
    assert found.membership.sum(axis=1).to_numpy() == pytest.approx(1)


def test_missing_dimensions() -> None:
    table = pd.DataFrame({"a": [np.nan, np.nan], "b": [80.0, np.nan]})
    found = assign_fuzzy_grades(table, WEIGHTS, THREE)
    assert found.grade.tolist()[0] == "high"
    assert found.membership.iloc[0].tolist() == pytest.approx([0, 0, 1])
    assert pd.isna(found.grade[1])
    assert pd.isna(found.points[1])
    assert not found.unclear[1]


def test_invalid_settings_are_refused() -> None:
    with pytest.raises(ValidationError, match="should rise"):
        Grades(names=["a", "b"], peaks=[50, 50])
    with pytest.raises(ValidationError, match="3 names and 2 peaks"):
        Grades(names=["a", "b", "c"], peaks=[1, 2])
    with pytest.raises(ConfigRefused, match="weights name b; the dimensions are a, c"):
        assign_fuzzy_grades(pd.DataFrame({"a": [1.0], "c": [1.0]}), WEIGHTS, THREE)
