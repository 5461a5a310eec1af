"""Active customers apart: the others must not matter."""

import numpy as np
import pyarrow as pa
import pytest

from models.evaluation.active_customers import evaluate_active, is_active
from models.evaluation.metrics import spearman

RNG = np.random.default_rng(0)
ORDERS = np.repeat([0.0, 3.0, np.nan], [60, 40, 5])
FEATURES = pa.table({"orders_365d": ORDERS})
Y = np.where(ORDERS > 0, RNG.exponential(100, 105), 0.0)
CUSTOMERS = np.arange(105)


def test_who_ordered_in_the_last_year_is_active():
    assert is_active(FEATURES).tolist() == [False] * 60 + [True] * 40 + [False] * 5
    assert is_active(pa.table({"logins_30d": [1.0]})) is None


def test_telling_the_silent_from_the_active_counts_for_nothing_among_the_active():
    level = (ORDERS > 0) + 0.01 * RNG.random(105)
    assert spearman(Y, level) > 0.7
    found = evaluate_active(FEATURES, Y, {"model": level}, np.ones(105), CUSTOMERS)
    assert (found.rows, found.customers) == (40, 40)
    rank = found.metrics["model"]["spearman"]
    assert rank.value == pytest.approx(spearman(Y[60:100], level[60:100]))
    assert rank.low < 0 < rank.high
    assert set(found.metrics["model"]) == {"spearman", "mae"}


def test_few_active_customers_are_not_measured():
    few = pa.table({"orders_365d": np.where(CUSTOMERS < 29, 1.0, 0.0)})
    assert evaluate_active(few, Y, {"model": Y}, np.ones(105), CUSTOMERS) is None
