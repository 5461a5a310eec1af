"""Sensitivity bounds, compared with all extreme combinations of odds."""

from itertools import product

import numpy as np
import pytest

from models.nonresponse.aipw import AipwInputs, aipw_mean
from models.nonresponse.sensitivity import sensitivity_bound, smallest_gamma


def draw_inputs(rows: int = 7, seed: int = 0) -> tuple[AipwInputs, np.ndarray]:  # type: ignore[type-arg]
    rng = np.random.default_rng(seed)
    propensity = rng.uniform(0.1, 0.9, rows)
    responded = np.arange(rows) < rows - 2
    base = rng.uniform(0.5, 1.5, rows)
    return AipwInputs(
        observed=np.where(responded, rng.normal(50, 20, rows), 0.0),
        predicted=rng.normal(50, 10, rows),
        weight=np.where(responded, base / propensity, 0.0),
        base_weight=base,
        customer=np.arange(rows),
    ), propensity


def test_gamma_one_gives_the_estimate_itself() -> None:
    inputs, propensity = draw_inputs()
    found = sensitivity_bound(inputs, propensity, 1.0)
    assert found.low == pytest.approx(found.high)
    assert found.low == pytest.approx(aipw_mean(inputs).value)


@pytest.mark.parametrize("gamma", [1.2, 2.0, 5.0])
def test_bounds_equal_the_most_extreme_combination_of_odds(gamma: float) -> None:
    inputs, propensity = draw_inputs()
    responded = inputs.weight > 0
    residuals = (inputs.observed - inputs.predicted)[responded]
    level = np.average(inputs.predicted, weights=inputs.base_weight)
    tried = []
    for signs in product((1 / gamma, gamma), repeat=int(responded.sum())):
        odds = propensity[responded] / (1 - propensity[responded]) / np.array(signs)
        tried.append(
            np.average(residuals, weights=inputs.base_weight[responded] * (1 + odds) / odds)
        )
    found = sensitivity_bound(inputs, propensity, gamma)
    assert found.low == pytest.approx(level + min(tried))
    assert found.high == pytest.approx(level + max(tried))


def test_bounds_widen_with_gamma() -> None:
    inputs, propensity = draw_inputs(40)
    found = [sensitivity_bound(inputs, propensity, g) for g in (1.0, 1.5, 2.0, 4.0)]
    assert [f.low for f in found] == sorted((f.low for f in found), reverse=True)
    assert [f.high for f in found] == sorted(f.high for f in found)


def test_smallest_gamma_puts_the_value_on_the_bound() -> None:
    inputs, propensity = draw_inputs(40)
    figure = sensitivity_bound(inputs, propensity, 1.7).high
    gamma = smallest_gamma(figure, inputs, propensity)
    assert gamma == pytest.approx(1.7, abs=0.01)
    assert smallest_gamma(aipw_mean(inputs).value + 1000, inputs, propensity) is None


def test_a_gamma_below_one_is_refused() -> None:
    inputs, propensity = draw_inputs()
    with pytest.raises(ValueError, match=r"gamma is 0\.5"):
        sensitivity_bound(inputs, propensity, 0.5)
