"""The value score: by hand, in bounds, in order, and what settings are refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.config.company import Company
from features.errors import ConfigRefused, DataRefused
from insight.company_settings import section
from insight.value.ahp import Judged
from insight.value.value_score import (
    Dimension,
    Scale,
    ValueSettings,
    check,
    dimensions,
    value_score,
    weight_sets,
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


def test_by_hand() -> None:
    """Mid-ranks of four are 12.5, 37.5, 62.5, 87.5; ties share theirs; fewer returns are better."""
    found = value_score(TABLE, Scale.fit(TABLE, SETTINGS), SETTINGS)
    assert found["power"].tolist() == [12.5, 50, 50, 87.5]
    assert found["contribution"].tolist()[:2] == pytest.approx([100 / 6, 500 / 6])
    assert found["growth"].tolist() == [12.5, 37.5, 62.5, 87.5]
    assert found.loc["B", "value_score"] == pytest.approx(0.5 * 50 + 0.3 * 500 / 6 + 0.2 * 37.5)
    assert found.loc["C", "known_weight"] == pytest.approx(0.7)
    assert found.loc["C", "value_score"] == pytest.approx((0.5 * 50 + 0.2 * 62.5) / 0.7)


def test_the_interval_is_that_of_the_only_measure_with_bounds() -> None:
    """A's growth lies between below everybody and 0: ranks 0 to 37.5 around 12.5, of weight 0.2."""
    found = value_score(TABLE, Scale.fit(TABLE, SETTINGS), SETTINGS).loc["A"]
    assert found["value_score"] - found["value_score_low"] == pytest.approx(0.2 * 12.5)
    assert found["value_score_high"] - found["value_score"] == pytest.approx(0.2 * 25)


def test_too_little_known_is_no_score() -> None:
    strict = SETTINGS.model_copy(update={"least_known": 0.8})
    found = value_score(TABLE, Scale.fit(TABLE, strict), strict)
    assert found["value_score"].notna().tolist() == [True, True, False, True]


def test_a_score_does_not_move_because_others_do() -> None:
    scale = Scale.fit(TABLE, SETTINGS)
    later = TABLE.assign(revenue=[0.0, 5000.0, 8000.0, 900.0])
    first, second = (value_score(t, scale, SETTINGS)["value_score"] for t in (TABLE, later))
    assert second["A"] == first["A"]
    assert second["D"] == first["D"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
def test_points_keep_the_order_and_the_bounds(values: list[float]) -> None:
    table = pd.DataFrame({"revenue": values})
    one = ValueSettings(dimensions={"power": Dimension(weight=1, measures={"revenue": 1})})
    points = dimensions(table, Scale.fit(table, one), one)["power"]
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
def test_refused(changed: dict[str, Dimension], words: str) -> None:
    wrong = ValueSettings(dimensions={**SETTINGS.dimensions, **changed})
    with pytest.raises(ConfigRefused, match=words):
        check(wrong)


def test_a_measure_nobody_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        DataRefused, match=r"nobody has growth.*Measured here: revenue, return_share"
    ):
        Scale.fit(TABLE.assign(growth=np.nan), SETTINGS)


def test_raters_must_compare_the_dimensions() -> None:
    judged = Judged(items=["power", "image"], raters={"x": [[1, 1], [1, 1]]})
    with pytest.raises(
        ConfigRefused, match="compares power, image; it should compare the dimensions"
    ):
        check(SETTINGS.model_copy(update={"ahp": judged}))
    with pytest.raises(ConfigRefused, match="give the judgements"):
        check(SETTINGS.model_copy(update={"weights": "ahp"}))


def test_every_method_gives_its_weights() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0, 100, (60, 3)), columns=list(SETTINGS.dimensions))
    rows: list[list[float | str]] = [[1, 2, 4], ["1/2", 1, 2], ["1/4", "1/2", 1]]
    judged = Judged(items=list(SETTINGS.dimensions), raters={"x": rows})
    sets = weight_sets(table, SETTINGS.model_copy(update={"ahp": judged}), table["power"])
    assert set(sets) == {"given", "ahp", "entropy", "critic", "learned"}
    assert sets["learned"].share["power"] == pytest.approx(1)
    assert sets["ahp"].share["power"] == pytest.approx(4 / 7)


@pytest.mark.parametrize("count", [12, 0])
def test_a_dozen_customers_have_weights_that_need_no_data(count: int) -> None:
    table = pd.DataFrame({n: np.arange(count, dtype=float) for n in SETTINGS.dimensions})
    assert set(weight_sets(table, SETTINGS)) == {"given"}
    with pytest.raises(DataRefused, match=f"{count} of {count} .* need 30: give the weights"):
        weight_sets(table, SETTINGS.model_copy(update={"weights": "critic"}))


def test_the_weights_the_settings_ask_for_are_used_or_asked_for() -> None:
    scale = Scale.fit(TABLE, SETTINGS)
    rows: list[list[float | str]] = [[1, 9, 9], ["1/9", 1, 1], ["1/9", 1, 1]]
    judged = Judged(items=list(SETTINGS.dimensions), raters={"x": rows})
    by_raters = SETTINGS.model_copy(update={"weights": "ahp", "ahp": judged})
    found = value_score(TABLE, scale, by_raters).loc["B", "value_score"]
    assert found == pytest.approx((9 * 50 + 500 / 6 + 37.5) / 11)
    with pytest.raises(ConfigRefused, match='"critic", which is told from the data'):
        value_score(TABLE, scale, SETTINGS.model_copy(update={"weights": "critic"}))


def test_the_section_of_a_company() -> None:
    company = Company.model_construct(insight={"value": {"weights": "critic"}})
    assert section(company, "value", ValueSettings).weights == "critic"
    company = Company.model_construct(insight={"value": {"weight": "critic"}})
    with pytest.raises(ConfigRefused, match=r"unknown key insight\.value\.weight.*weights"):
        section(company, "value", ValueSettings)
