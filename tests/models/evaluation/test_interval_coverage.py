"""Coverage of prediction intervals, on a few literal rows."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from models.evaluation.calibration_error import ENOUGH_ROWS
from models.evaluation.interval_coverage import interval_coverage, interval_coverage_by_segment

ONES = np.ones(4)


def test_coverage_by_hand():
    found = interval_coverage(
        np.array([0.0, 5, 10, -1]), np.array([0.0, 6, 0, 0]), np.array([0.0, 9, 8, 2]), ONES
    )
    assert (found.share, found.below, found.above, found.rows) == (0.25, 0.5, 0.25, 4)
    assert found.width == 2.5  # of 0, 3, 8 and 2
    known = stats.binomtest(1, 4).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-3)


def test_weights_count_rows():
    y, low, high = np.array([1.0, 9]), np.zeros(2), np.full(2, 5.0)
    assert interval_coverage(y, low, high, np.array([3.0, 1])).share == 0.75


def test_an_outcome_at_the_limit_is_covered_despite_rounding():
    y = np.array([0.1 + 0.2, 1e6 / 3])
    assert interval_coverage(y, np.zeros(2), np.array([0.3, 333333.3333333]), np.ones(2)).share == 1


def test_only_segments_with_enough_rows_are_evaluated():
    plan = pa.array(["basic"] * ENOUGH_ROWS + ["premium"] * 9).dictionary_encode()
    count = len(plan)
    y = np.r_[np.zeros(count - 9), np.full(9, 7.0)]
    found = interval_coverage_by_segment(
        pa.table({"crm_plan": plan}), y, (np.zeros(count), np.ones(count)), np.ones(count)
    )
    assert [(c.name, c.rows, c.share) for c in found] == [("plan: basic", ENOUGH_ROWS, 1.0)]
