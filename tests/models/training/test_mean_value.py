"""The mean of a value: two parts by hand, sums on simulated customers."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.errors import DataRefused
from models.learners.lightgbm import Params
from models.targets.spend_level import SpendLevel
from models.training.mean_value import TwoParts, fit_mean, level_factor
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


def test_the_level_makes_unseen_predictions_add_up_and_weighs_later_cutoffs_more() -> None:
    year = 365 * 86_400_000_000
    rows = replace(
        rows_of(np.array([6.0, 0.0, -1.0]), np.zeros(3), np.array([1.0, 1.0, 2.0])),
        cutoff=np.zeros(3, np.int64),
    )
    unseen = np.array([1.0, 1.0, 0.0])
    assert level_factor(rows, unseen).apply(unseen).tolist() == [2.0, 2.0, 0.0]
    older = replace(rows, cutoff=np.array([0, year, year]))
    assert level_factor(older, unseen).parameters == {"factor": [pytest.approx((3 - 2) / 1.5)]}
    assert level_factor(rows, np.zeros(3)).parameters is None
    nothing = rows_of(np.array([1.0, -3.0]), np.zeros(2))
    assert level_factor(nothing, np.ones(2)).parameters is None  # more came back than was bought


def test_means_add_up_to_what_comes_and_medians_do_not() -> None:
    known, later = buyers(12_000, 2), buyers(20_000, 7)
    spend = SpendLevel.fit(known.features, 90)
    mean = fit_mean(known, spend, PARAMS, (), folds=2)
    said = mean.calibrator.apply(mean.estimator.predict(later.features) * spend.of(later.features))
    assert said.min() >= 0
    # of 12,000 rows in which one in six buys, a sum is off by 4% (standard error)
    assert said.sum() / later.label.sum() == pytest.approx(1, abs=0.1)
    for bought in (False, True):
        group = (later.features["revenue_90d"].to_numpy() > 0) == bought
        assert said[group].sum() / later.label[group].sum() == pytest.approx(1, abs=0.15)
    assert np.median(later.label) == 0


def test_unseen_predictions_are_of_the_one_model_within_noise() -> None:
    known = buyers(12_000, 2)
    spend = SpendLevel.fit(known.features, 90)
    mean = fit_mean(known, spend, PARAMS, (), folds=2)
    one = mean.calibrator.apply(mean.estimator.predict(known.features))
    assert np.corrcoef(one, mean.unseen)[0, 1] > 0.9
    unit = spend.of(known.features)
    assert (mean.unseen * unit).sum() / (one * unit).sum() == pytest.approx(1, abs=0.05)
