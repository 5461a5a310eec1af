"""The mean of a value: two parts by hand, sums on simulated customers."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.errors import DataRefused
from models.learners.cross_fitting import assign_folds
from models.learners.lightgbm import Params
from models.targets.spend_level import SpendLevel
from models.training.mean_value import MeanRecipe, TwoParts
from models.training.train import TrainingRows


def rows_of(
    label: np.ndarray, revenue: np.ndarray, weight: np.ndarray | None = None
) -> TrainingRows:
    count = len(label)
    table = {"tenure_days": np.full(count, 900.0), "revenue_90d": revenue,
             "revenue_365d": 4 * revenue, "revenue_all": 10 * revenue}  # fmt: skip
    weight = np.ones(count) if weight is None else weight
    return TrainingRows(pa.table(table), label, weight, np.arange(count), np.zeros(count, np.int64))


def buyers(count: int, seed: int) -> TrainingRows:
    """Most buy nothing; who bought more buys more."""
    rng = np.random.default_rng(seed)
    revenue = np.where(rng.random(count) < 0.5, rng.gamma(2.0, 50.0, count), 0.0)
    chance = np.where(revenue > 0, 0.3, 0.05)
    amount = (20 + revenue) * rng.gamma(2.0, 0.5, count)
    return rows_of(np.where(rng.random(count) < chance, amount, 0.0), revenue)


PARAMS = Params(max_rounds=1, learning_rate=0.1)


def test_two_parts_by_hand_where_no_column_tells_customers_apart() -> None:
    """60 of 100 spend, in two groups that differ only in a column of their own."""
    label = np.r_[np.full(30, 10.0), np.full(30, 90.0), np.zeros(39), -5.0]
    two = TwoParts.fit(rows_of(label, np.arange(100.0)), Params(max_rounds=1), ())
    assert two.chance is not None
    assert two.amount is not None
    few = TwoParts.fit(rows_of(np.r_[label[10:50], np.zeros(60)], np.arange(100.0)), PARAMS, ())
    assert few.amount is None
    assert few.smearing == pytest.approx((20 * 10 + 20 * 90) / 40)  # the mean of those who spend


def test_where_everybody_spends_there_is_no_chance() -> None:
    rows = rows_of(np.linspace(10, 20, 200), np.arange(200.0))
    two = TwoParts.fit(rows, PARAMS, ())
    assert two.chance is None
    assert two.predict(rows.features).mean() == pytest.approx(15, rel=0.01)


def test_nobody_who_spends_is_refused() -> None:
    with pytest.raises(DataRefused, match="none of 60 labels is above 0"):
        TwoParts.fit(rows_of(np.zeros(60), np.arange(60.0)), PARAMS, ())


def test_smearing_makes_the_mean_of_a_logarithm_a_mean_of_money() -> None:
    rng = np.random.default_rng(3)
    rows = rows_of(np.exp(rng.normal(3, 0.8, 20_000)), rng.random(20_000))
    mean = TwoParts.fit(rows, Params(max_rounds=3), ()).predict(rows.features).mean()
    assert mean == pytest.approx(np.exp(3 + 0.8**2 / 2), rel=0.02)  # of the log-normal distribution


@pytest.mark.parametrize("two_parts", [False, True])
def test_means_add_up_to_what_comes_and_medians_do_not(two_parts: bool) -> None:
    known, later = buyers(12_000, 2), buyers(20_000, 7)
    spend = SpendLevel.fit(known.features, 90)
    one = MeanRecipe(two_parts, PARAMS, ()).fit(known, spend)
    said = one.predict(later.features) * spend.of(later.features)
    assert said.min() >= 0
    # of 12,000 rows in which one in six buys, a sum is off by 4% (standard error)
    assert said.sum() / later.label.sum() == pytest.approx(1, abs=0.1)
    for bought in (False, True):
        group = (later.features["revenue_90d"].to_numpy() > 0) == bought
        assert said[group].sum() / later.label[group].sum() == pytest.approx(1, abs=0.2)
    assert np.median(later.label) == 0


@pytest.mark.parametrize("two_parts", [False, True])
def test_unseen_predictions_are_of_models_of_other_customers(two_parts: bool) -> None:
    known = buyers(6_000, 2)
    spend = SpendLevel.fit(known.features, 90)
    recipe = MeanRecipe(two_parts, PARAMS, ())
    unseen = recipe.predict_unseen(known, spend, folds=2)
    fold = assign_folds(known.customer, 2)
    other = replace(known, label=np.where(fold == 1, 2 * known.label, known.label))
    moved = recipe.predict_unseen(other, spend, folds=2)
    np.testing.assert_array_equal(moved[fold == 1], unseen[fold == 1])  # models of fold 0
    assert moved[fold == 0].sum() > 1.5 * unseen[fold == 0].sum()
    with pytest.raises(DataRefused, match="1 customers are too few for cross-fitting"):
        recipe.predict_unseen(replace(known, customer=np.zeros(6_000, np.int64)), spend, folds=2)


def test_two_parts_where_few_buy_and_one_where_most_do() -> None:
    rng = np.random.default_rng(5)
    revenue = rng.gamma(2.0, 50.0, 8_000)
    often = rows_of(revenue * rng.gamma(20.0, 0.05, 8_000) + 5, revenue)
    rare = np.where(rng.random(8_000) < 0.05, np.exp(rng.normal(3, 1.2, 8_000)), 0.0)
    for rows, two_parts in ((often, False), (rows_of(rare, revenue), True)):
        spend = SpendLevel.fit(rows.features, 90)
        assert MeanRecipe.find(rows, spend, PARAMS, ()).two_parts == two_parts


def test_one_part_needs_somebody_who_spends() -> None:
    rows = rows_of(np.zeros(60), np.arange(60.0))
    with pytest.raises(DataRefused, match="none of 60 labels is above 0"):
        MeanRecipe(False, PARAMS, ()).fit(rows, SpendLevel.fit(rows.features, 90))
