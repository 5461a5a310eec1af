"""The spending level of a customer, the unit of the value model."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.targets.spend_level import SpendLevel

NAN = float("nan")


def features(**columns: list[float]) -> pa.Table:
    rows = len(next(iter(columns.values())))
    nothing = {"tenure_days": [NAN] * rows, "revenue_90d": [NAN] * rows,
               "revenue_365d": [NAN] * rows, "revenue_all": [NAN] * rows}  # fmt: skip
    return pa.table({**nothing, **columns})


def test_the_level_is_the_largest_of_three_rates_above_the_floor() -> None:
    table = features(
        tenure_days=[730, 730, 730, 180, 10, NAN, 400],
        revenue_90d=[900, 0, 0, 0, 50, NAN, -500],
        revenue_365d=[900, 3650, 0, 400, 50, NAN, -500],
        revenue_all=[900, 3650, 14600, 0, 50, NAN, -500],
    )
    assert SpendLevel(90, 7.0).of(table).tolist() == pytest.approx(
        [7 + 900,  # the last horizon
         7 + 900,  # 3650 a year are 900 in 90 days
         7 + 1800,  # 14600 in two years
         7 + 200,  # 400 in the half year since the first event
         7 + 50,  # younger than the horizon: no extrapolation
         7.0,  # nothing known
         7.0]  # more returned than bought
    )  # fmt: skip


def test_the_unit_is_a_power_of_the_level_and_the_level_itself_for_older_models() -> None:
    table = features(revenue_90d=[93.0, 0.0], tenure_days=[400.0, 400.0])
    assert SpendLevel(90, 7.0, 0.5).usual(table).tolist() == [100.0, 7.0]
    assert SpendLevel(90, 7.0, 0.5).of(table).tolist() == pytest.approx([10.0, 7.0**0.5])
    assert SpendLevel(90, 7.0).of(table).tolist() == [100.0, 7.0]


def test_the_floor_is_a_fifth_of_the_median_spender_and_at_least_one() -> None:
    spend = features(revenue_90d=[0.0, 0.0, 100.0, 200.0, 300.0], tenure_days=[400.0] * 5)
    assert SpendLevel.fit(spend, 90) == SpendLevel(90, 40.0, 0.5)
    assert SpendLevel.fit(features(revenue_90d=[0.5]), 90).floor == 1.0
    assert SpendLevel.fit(features(revenue_90d=[0.0, NAN]), 90).floor == 1.0


numbers = arrays(np.float64, 6, elements=st.floats(-1e6, 1e6))


@given(numbers, numbers, arrays(np.float64, 6, elements=st.floats(1.0, 1e5)))
def test_weighting_multiples_by_the_level_is_the_absolute_error_in_money(
    money: np.ndarray, multiple: np.ndarray, level: np.ndarray
) -> None:
    weighted = level * np.abs(money / level - multiple)
    np.testing.assert_allclose(weighted, np.abs(money - level * multiple), rtol=1e-9, atol=1e-6)
