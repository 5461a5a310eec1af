"""The range for what no table shows: against every corner tried, and its own borders."""

from itertools import product

import numpy as np
import pytest

from models.nonresponse.aipw import AipwInputs, aipw_mean
from models.nonresponse.sensitivity import sensitivity_bound, smallest_gamma


def answers(rows: int = 7, seed: int = 0) -> tuple[AipwInputs, np.ndarray]:  # type: ignore[type-arg]
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.1, 0.9, rows)
    heard = np.arange(rows) < rows - 2
    base = rng.uniform(0.5, 1.5, rows)
    return AipwInputs(
        said=np.where(heard, rng.normal(50, 20, rows), 0.0),
        expected=rng.normal(50, 10, rows),
        weight=np.where(heard, base / chance, 0.0),
        base=base,
        customer=np.arange(rows),
    ), chance


def test_without_hidden_odds_the_range_is_the_figure() -> None:
    told, chance = answers()
    found = sensitivity_bound(told, chance, 1.0)
    assert found.low == pytest.approx(found.high)
    assert found.low == pytest.approx(aipw_mean(told).value)


@pytest.mark.parametrize("gamma", [1.2, 2.0, 5.0])
def test_the_range_is_that_of_the_worst_corner(gamma: float) -> None:
    told, chance = answers()
    heard = told.weight > 0
    misses = (told.said - told.expected)[heard]
    level = np.average(told.expected, weights=told.base)
    tried = []
    for signs in product((1 / gamma, gamma), repeat=int(heard.sum())):
        odds = chance[heard] / (1 - chance[heard]) / np.array(signs)
        tried.append(np.average(misses, weights=told.base[heard] * (1 + odds) / odds))
    found = sensitivity_bound(told, chance, gamma)
    assert found.low == pytest.approx(level + min(tried))
    assert found.high == pytest.approx(level + max(tried))


def test_the_range_grows_with_gamma() -> None:
    told, chance = answers(40)
    found = [sensitivity_bound(told, chance, g) for g in (1.0, 1.5, 2.0, 4.0)]
    assert [f.low for f in found] == sorted((f.low for f in found), reverse=True)
    assert [f.high for f in found] == sorted(f.high for f in found)


def test_the_gamma_to_a_figure_puts_it_on_the_border() -> None:
    told, chance = answers(40)
    figure = sensitivity_bound(told, chance, 1.7).high
    gamma = smallest_gamma(figure, told, chance)
    assert gamma == pytest.approx(1.7, abs=0.01)
    assert smallest_gamma(aipw_mean(told).value + 1000, told, chance) is None


def test_a_gamma_below_one_is_refused() -> None:
    told, chance = answers()
    with pytest.raises(ValueError, match=r"gamma 0\.5 is below 1"):
        sensitivity_bound(told, chance, 0.5)
