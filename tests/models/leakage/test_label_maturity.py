"""Days without records at the end of the data, compared with the usual gaps."""

import numpy as np
import pytest

from features.history.history_table import DAY
from models.leakage.label_maturity import measure_gaps


def days(*numbers):
    return np.array(numbers) * DAY, np.ones(len(numbers), np.int64)


def test_days_after_the_last_record_and_the_longest_gap():
    assert measure_gaps(*days(*range(30)), 30 * DAY) == (0, 0)
    assert measure_gaps(*days(*range(30)), 40 * DAY) == (10, 0)
    assert measure_gaps(*days(*range(10), *range(15, 30)), 31 * DAY) == (1, 5)


def test_a_single_late_record_does_not_hide_a_gap():
    since, records = days(*range(30), 38)
    records = np.where(since < 30 * DAY, 50, 1)
    assert measure_gaps(since, records, 40 * DAY) == (10, 0)


def test_days_of_several_kinds_count_together():
    since, records = days(*range(30), *range(30))
    assert measure_gaps(since, records, 32 * DAY) == (2, 0)


@pytest.mark.parametrize("few", [0, 1, 19])
def test_too_few_days_give_zero(few):
    assert measure_gaps(*days(*range(few)), 100 * DAY) == (0, 0)
