"""The mean of a value: labels and level by hand, sums on simulated customers."""

import numpy as np
import pyarrow as pa
import pytest

from models.learners.lightgbm import Params
from models.targets.spend_level import SpendLevel
from models.training.rolling_sums import predict_mean, rolling_origins
from models.training.train import TrainingRows
from models.training.value_models import fit_mean, level_factor, mean_rows

DAY = 86_400_000_000


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


def test_labels_are_multiples_of_the_unit_and_none_is_negative() -> None:
    spend = SpendLevel(90, floor=4.0, power=0.5)
    rows = rows_of(
        np.array([6.0, 0.0, -5.0]), np.array([5.0, 0.0, 12.0]), np.array([1.0, 1.0, 2.0])
    )
    unit = np.sqrt([4 + 5, 4, 4 + 12])
    found = mean_rows(rows, spend)
    assert found.y.tolist() == [2.0, 0.0, 0.0]
    np.testing.assert_allclose(found.weight, [1, 1, 2] * np.sqrt(unit / unit.mean()))


def test_the_level_makes_unseen_predictions_add_up() -> None:
    rows = rows_of(np.array([6.0, 0.0, -1.0]), np.zeros(3), np.array([1.0, 1.0, 2.0]))
    level = level_factor(rows, np.array([1.0, 1.0, 0.0]))
    assert level.apply(np.array([1.0, 1.0, 0.0])).tolist() == [2.0, 2.0, 0.0]
    assert level_factor(rows, np.zeros(3)).parameters is None
    nothing = rows_of(np.array([1.0, -3.0]), np.zeros(2))
    assert level_factor(nothing, np.ones(2)).parameters is None  # more came back than was bought


def test_means_add_up_to_what_comes_and_medians_do_not() -> None:
    parts = {n: buyers(12_000, seed) for seed, n in enumerate(("fit", "valid", "refit"))}
    later = buyers(20_000, 7)
    spend = SpendLevel.fit(parts["refit"].features, 90)
    params = Params(max_rounds=120, learning_rate=0.1)
    mean = fit_mean(parts, spend, params, ())
    said = mean.calibrator.apply(mean.estimator.predict(later.features) * spend.of(later.features))
    assert said.min() >= 0
    # of 12,000 rows in which one in six buys, a sum is off by 4% (standard error)
    assert said.sum() / later.label.sum() == pytest.approx(1, abs=0.1)
    for bought in (False, True):
        group = (later.features["revenue_90d"].to_numpy() > 0) == bought
        assert said[group].sum() / later.label[group].sum() == pytest.approx(1, abs=0.15)
    small = predict_mean(parts["refit"], later, 90, params, ())
    assert small.sum() / later.label.sum() == pytest.approx(1, abs=0.1)
    assert np.median(later.label) == 0


def test_origins_have_enough_before_them_and_are_spread_evenly() -> None:
    cutoff = np.repeat(np.arange(12), 300) * 30 * DAY
    origins = [o // DAY for o in rolling_origins(cutoff, span_days=90, most=3)]
    assert origins == [120, 240, 330]  # the first with two mature cutoffs; the last; between them
    assert rolling_origins(cutoff, span_days=400) == []
    few = np.repeat(np.arange(12), 100) * 30 * DAY  # 500 rows: five cutoffs
    assert rolling_origins(few, span_days=90)[0] // DAY == 7 * 30
