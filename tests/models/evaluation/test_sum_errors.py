"""Sums of expected values over origins, and the intervals of any sum: by hand and by simulation."""

import json

import numpy as np
import pytest

from models.evaluation.sum_errors import OriginSum, PredictedOrigin, SumErrors


def origin(cutoff: str, actual: list[float], predicted: list[float]) -> PredictedOrigin:
    return PredictedOrigin(cutoff, np.arange(len(actual)), np.array(actual), np.array(predicted))


def test_the_sums_of_two_origins_by_hand() -> None:
    errors = SumErrors.fit(
        [origin("2025-01", [0, 9, 3], [4, 4, 4]), origin("2025-02", [0, 1, 7], [1, 4, 1])]
    )
    assert errors.origins == (
        OriginSum("2025-01", 3, 12.0, 12.0),
        OriginSum("2025-02", 3, 6.0, 8.0),
    )
    assert errors.ratio == pytest.approx(18 / 20)
    assert errors.low < errors.ratio < errors.high
    # squared errors 16 + 25 + 1 + 1 + 9 + 36, means to the power 1.5: 8 + 8 + 8 + 1 + 8 + 1
    assert errors.dispersion == pytest.approx(88 / 34)
    # relative errors 0 and 1/3, less than the customers' own: (88/34) 24/144 and (88/34) 10/36
    assert errors.common == 0.0


def test_a_sum_has_the_interval_of_its_customers_and_of_all_of_them() -> None:
    errors = SumErrors((), 1.0, 0.9, 1.1, common=0.1, dispersion=4.0)
    total, low, high = errors.of_sum(np.array([100.0, 0.0, np.nan]))
    half = 1.645 * np.sqrt(10.0**2 + 4.0 * 1000)
    assert (total, low, high) == (100.0, 0.0, pytest.approx(100 + half))  # never below 0
    total, low, high = errors.of_sum(np.array([100.0, 900.0]), np.array([0.5, 0.5]))
    half = 1.645 * np.sqrt(50.0**2 + 0.25 * 4.0 * (1000 + 27_000))
    assert (total, low) == (500.0, pytest.approx(500 - half))
    alone = SumErrors((), 1.0, 0.9, 1.1, common=0.0, dispersion=1.0)
    many = alone.of_sum(np.full(1_000_000, 4.0))
    assert many[2] / many[0] - 1 == pytest.approx(1.645 * np.sqrt(8e6) / 4e6)  # it averages out


def test_intervals_cover_90_percent_of_later_sums() -> None:
    rng = np.random.default_rng(3)
    mean = rng.gamma(0.5, 40.0, 500)

    def period(cutoff: str) -> PredictedOrigin:
        better = np.exp(0.15 * rng.standard_normal() - 0.15**2 / 2)  # for all customers alike
        buys = rng.random(500) < 0.3
        amount = np.where(buys, mean / 0.3 * better * rng.gamma(2.0, 0.5, 500), 0.0)
        return PredictedOrigin(cutoff, np.arange(500), amount, mean)

    covered = []
    for _ in range(150):
        errors = SumErrors.fit([period(f"{n}") for n in range(5)])
        _, low, high = errors.of_sum(mean)
        covered.append(low <= period("later").actual.sum() <= high)
    assert 0.83 < np.mean(covered) <= 0.99


def test_errors_round_trip_through_json_and_an_empty_company_has_no_ratio() -> None:
    nothing = SumErrors.fit([origin("2025-01", [0, 0], [1, 2])])
    assert np.isnan(nothing.ratio)
    again = SumErrors.from_dict(json.loads(json.dumps(nothing.to_dict(), allow_nan=False)))
    assert (again.origins, again.common) == (nothing.origins, nothing.common)
    assert np.isnan(again.ratio)
