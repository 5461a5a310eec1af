"""Exact intervals of counts and of unanimous answers, beside published tables and statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

from insight.satisfaction.exact_intervals import (
    count_interval,
    effective_customers,
    unanimous_interval,
)


def per_100(events: int, customers: int) -> tuple[float, float]:
    """The interval of complaints per 100 customers, one complaint each."""
    values = np.where(np.arange(customers) < events, 100.0, 0.0)
    found = count_interval(values, np.ones(customers), np.arange(customers), 100.0)
    assert found.value == pytest.approx(100.0 * events / customers)
    return found.low, found.high


# Garwood (1936): the 95% limits of an expected count, as tables of the Poisson distribution print them.
TABLE = {0: (0.0, 3.689), 1: (0.0253, 5.572), 5: (1.623, 11.668), 10: (4.795, 18.390)}


@pytest.mark.parametrize("events", TABLE)
def test_counts_have_the_limits_of_the_published_table(events):
    low, high = per_100(events, 100_000)
    assert (1000 * low, 1000 * high) == pytest.approx(TABLE[events], rel=2e-3, abs=1e-9)


@pytest.mark.parametrize("events", [0, 1, 3, 40])
def test_counts_agree_with_statsmodels(events):
    theirs = confint_poisson(events, 100_000, method="exact-c")
    assert per_100(events, 100_000) == pytest.approx([100 * end for end in theirs], rel=1e-4)


def test_no_complaint_of_few_customers_is_not_certainty():
    assert per_100(0, 20) == pytest.approx((0.0, 18.4444), abs=1e-4)


def test_several_complaints_of_one_customer_widen_the_interval():
    each = count_interval(np.repeat([100.0, 0.0], [20, 180]), np.ones(200), np.arange(200), 100.0)
    one = count_interval(np.repeat([500.0, 0.0], [4, 196]), np.ones(200), np.arange(200), 100.0)
    assert each.value == one.value == 10.0
    assert one.high - one.low > 1.5 * (each.high - each.low)


def test_the_interval_of_a_count_covers_95_percent():
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        values = 100.0 * rng.poisson(0.05, 60)
        found = count_interval(values, np.ones(60), np.arange(60), 100.0)
        held += found.low <= 5.0 <= found.high
    assert held / 400 >= 0.94  # exact intervals of few events are conservative


@pytest.mark.parametrize("customers", [2, 20, 300])
def test_unanimous_answers_are_bounded_as_clopper_and_pearson_bound_the_others(customers):
    _, others = proportion_confint(0, customers, alpha=0.10, method="beta")  # 95%, one side
    found = unanimous_interval(7.5, customers, (0.0, 10.0))
    assert (found.low, found.high) == pytest.approx((7.5 - 7.5 * others, 7.5 + 2.5 * others))


def test_the_rule_of_three():
    found = unanimous_interval(100.0, 1000, (-100.0, 100.0))
    assert found.high == 100.0
    assert 100.0 - found.low == pytest.approx(200 * 3 / 1000, rel=0.01)


def test_equal_values_without_bounds_have_no_interval():
    found = unanimous_interval(7.5, 30, None)
    assert np.isnan([found.low, found.high]).all()


def test_effective_customers_is_kish_over_customers():
    weight, customer = np.array([1.0, 1.0, 2.0, 4.0]), np.array([0, 0, 1, 2])
    assert effective_customers(weight, customer) == pytest.approx(64 / 24)  # 2, 2 and 4
