"""The value score: hand-calculated, bounded, monotone; invalid settings are refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.config.company import Company
from features.errors import ConfigRefused, DataRefused
from insight.company_settings import read_section
from insight.value.ahp import AhpSettings
from insight.value.value_score import (
    Dimension,
    ValueScale,
    ValueSettings,
    check_value_settings,
    compute_value_score,
    compute_weight_sets,
    score_dimensions,
)

TABLE = pd.DataFrame(
    {
        "revenue": [0.0, 100.0, 100.0, 900.0],
        "return_share": [0.5, 0.0, np.nan, 0.1],
        "growth": [-5.0, 0.0, 5.0, 10.0],
        "growth_low": [-9.0, -9.0, 0.0, 10.0],
        "growth_high": [0.0, 5.0, 10.0, 10.0],
    },
    index=list("ABCD"),
)
SETTINGS = ValueSettings(
    least_known=0.7,
    dimensions={
        "power": Dimension(weight=0.5, measures={"revenue": 1.0}),
        "contribution": Dimension(weight=0.3, measures={"return_share": 1.0}),
        "growth": Dimension(weight=0.2, measures={"growth": 1.0}),
    },
)


def test_the_score_matches_a_hand_calculation() -> None:
    """Mid-ranks of four are 12.5, 37.5, 62.5, 87.5; ties share theirs; fewer returns are better."""
    found = compute_value_score(TABLE, ValueScale.fit(TABLE, SETTINGS), SETTINGS)
    assert found["power"].tolist() == [12.5, 50, 50, 87.5]
    assert found["contribution"].tolist()[:2] == pytest.approx([100 / 6, 500 / 6])
    assert found["growth"].tolist() == [12.5, 37.5, 62.5, 87.5]
    assert found.loc["B", "value_score"] == pytest.approx(0.5 * 50 + 0.3 * 500 / 6 + 0.2 * 37.5)
    assert found.loc["C", "known_weight"] == pytest.approx(0.7)
    assert found.loc["C", "value_score"] == pytest.approx((0.5 * 50 + 0.2 * 62.5) / 0.7)


def test_the_interval_comes_from_the_metric_with_bounds() -> None:
    """A's growth lies between the minimum and 0: ranks 0 to 37.5 around 12.5, with weight 0.2."""
    found = compute_value_score(TABLE, ValueScale.fit(TABLE, SETTINGS), SETTINGS).loc["A"]
    assert found["value_score"] - found["value_score_low"] == pytest.approx(0.2 * 12.5)
    assert found["value_score_high"] - found["value_score"] == pytest.approx(0.2 * 25)


def test_too_little_known_weight_gives_no_score() -> None:
    strict = SETTINGS.model_copy(update={"least_known": 0.8})
    found = compute_value_score(TABLE, ValueScale.fit(TABLE, strict), strict)
    assert found["value_score"].notna().tolist() == [True, True, False, True]


def test_a_score_does_not_depend_on_other_customers() -> None:
    scale = ValueScale.fit(TABLE, SETTINGS)
    later = TABLE.assign(revenue=[0.0, 5000.0, 8000.0, 900.0])
    first, second = (compute_value_score(t, scale, SETTINGS)["value_score"] for t in (TABLE, later))
    assert second["A"] == first["A"]
    assert second["D"] == first["D"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
def test_points_are_monotone_and_bounded(values: list[float]) -> None:
    table = pd.DataFrame({"revenue": values})
    one = ValueSettings(dimensions={"power": Dimension(weight=1, measures={"revenue": 1})})
    points = score_dimensions(table, ValueScale.fit(table, one), one)["power"]
    assert points.between(0, 100).all()
    assert points.mean() == pytest.approx(50)
    assert (np.diff(points.to_numpy()[np.argsort(values, kind="stable")]) >= 0).all()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"power": Dimension(weight=0.6, measures={"revenue": 1})}, "should sum to 1"),
        ({"power": Dimension(weight=0.5, measures={"revenue": 0.6})}, r"measures sum to 0\.6"),
        ({"power": Dimension(weight=0.5, measures={"turnover": 1})}, "unknown measure .*turnover"),
    ],
)
def test_invalid_settings_are_refused(changed: dict[str, Dimension], words: str) -> None:
    wrong = ValueSettings(dimensions={**SETTINGS.dimensions, **changed})
    with pytest.raises(ConfigRefused, match=words):
        check_value_settings(wrong)


def test_a_metric_no_customer_has_is_refused() -> None:
    with pytest.raises(
        DataRefused, match=r"no customer has growth.*Measured here: revenue, return_share"
    ):
        ValueScale.fit(TABLE.assign(growth=np.nan), SETTINGS)


def test_raters_must_compare_the_dimensions() -> None:
    ahp = AhpSettings(items=["power", "image"], raters={"x": [[1, 1], [1, 1]]})
    with pytest.raises(
        ConfigRefused, match="compares power, image; it should compare the dimensions"
    ):
        check_value_settings(SETTINGS.model_copy(update={"ahp": ahp}))
    with pytest.raises(ConfigRefused, match="give the judgements"):
        check_value_settings(SETTINGS.model_copy(update={"weights": "ahp"}))


def test_every_method_computes_weights() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0, 100, (60, 3)), columns=list(SETTINGS.dimensions))
    rows: list[list[float | str]] = [[1, 2, 4], ["1/2", 1, 2], ["1/4", "1/2", 1]]
    ahp = AhpSettings(items=list(SETTINGS.dimensions), raters={"x": rows})
    sets = compute_weight_sets(table, SETTINGS.model_copy(update={"ahp": ahp}), table["power"])
    assert set(sets) == {"given", "ahp", "entropy", "critic", "learned"}
    assert sets["learned"].share["power"] == pytest.approx(1)
    assert sets["ahp"].share["power"] == pytest.approx(4 / 7)


@pytest.mark.parametrize("count", [12, 0])
def test_few_customers_have_only_given_weights(count: int) -> None:
    table = pd.DataFrame({n: np.arange(count, dtype=float) for n in SETTINGS.dimensions})
    assert set(compute_weight_sets(table, SETTINGS)) == {"given"}
    with pytest.raises(DataRefused, match=f"{count} of {count} .* need 30: give the weights"):
        compute_weight_sets(table, SETTINGS.model_copy(update={"weights": "critic"}))


def test_the_configured_weights_are_used_or_required() -> None:
    scale = ValueScale.fit(TABLE, SETTINGS)
    rows: list[list[float | str]] = [[1, 9, 9], ["1/9", 1, 1], ["1/9", 1, 1]]
    ahp = AhpSettings(items=list(SETTINGS.dimensions), raters={"x": rows})
    by_raters = SETTINGS.model_copy(update={"weights": "ahp", "ahp": ahp})
    found = compute_value_score(TABLE, scale, by_raters).loc["B", "value_score"]
    assert found == pytest.approx((9 * 50 + 500 / 6 + 37.5) / 11)
    with pytest.raises(ConfigRefused, match='"critic", which is estimated from the data'):
        compute_value_score(TABLE, scale, SETTINGS.model_copy(update={"weights": "critic"}))


def test_the_section_is_read_from_the_company() -> None:
    company = Company.model_construct(insight={"value": {"weights": "critic"}})
    assert read_section(company, "value", ValueSettings).weights == "critic"
    company = Company.model_construct(insight={"value": {"weight": "critic"}})
    with pytest.raises(ConfigRefused, match=r"unknown key insight\.value\.weight.*weights"):
        read_section(company, "value", ValueSettings)
