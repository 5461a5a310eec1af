"""Yardsticks are drawn once and kept; measures nobody has are left out and told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.config.company import Company
from features.errors import DataRefused
from insight.evaluation.customer_metrics import DayMetrics
from insight.evaluation.evaluation_settings import read_evaluation_settings
from insight.evaluation.reference_scales import (
    SCALES_FILE,
    ReferenceScales,
    fit_reference_scales,
    read_reference_scales,
    median_spend,
    star_basis,
    usable_settings,
)
from insight.segments.star_rating import score_probability
from support.evaluation_company import company

TODAY = datetime(2026, 7, 1, tzinfo=UTC)
IDS = pd.Index([f"c{i:03}" for i in range(400)], name="customer_id")


def day(ago: int = 0, seed: int = 0) -> DayMetrics:
    """400 customers, half of whom buy; who bought much goes on buying."""
    rng = np.random.default_rng(seed)
    size = np.repeat([0.0, 1.0], 200) * rng.lognormal(5, 1, 400)
    again = np.random.default_rng(seed + ago).lognormal(0, 0.3, 400)
    table = pd.DataFrame(
        {"revenue": size, "orders": np.round(size / 50), "last_period_revenue": size * again / 4,
         "margin": size * 0.3, "satisfaction_score": np.nan},
        IDS,
    )  # fmt: skip
    return DayMetrics(TODAY - timedelta(days=ago), table, None)


OWN = {
    "power": {"weight": 0.5, "measures": {"revenue": 1.0}},
    "loyalty": {"weight": 0.5, "measures": {"orders": 1.0}},
}


def own(**more: object) -> Company:
    return company(value={"dimensions": OWN, **more})


def test_the_score_is_the_weighted_rank_of_the_reference_day() -> None:
    drawn = fit_reference_scales(read_evaluation_settings(own()), day(), day(90, 0))
    told = drawn.score(day())
    rank = pd.DataFrame(
        {n: day().measured[n].rank(method="average") for n in ("revenue", "orders")}
    )
    points = 100 * (rank - 0.5) / 400
    np.testing.assert_allclose(told["value_score"], points.mean(axis=1))
    best = told["value_score"].nlargest(80)
    assert drawn.kept.borders.at[0] == pytest.approx(best.min())


def test_a_star_is_the_chance_of_bringing_more_than_the_median_buyer() -> None:
    then, now = day(90), day()
    drawn = fit_reference_scales(read_evaluation_settings(own()), now, then)
    spent = now.measured["last_period_revenue"]
    assert median_spend(now) == spent[spent > 0].median()
    assert drawn.kept.stars is not None
    told = score_probability(drawn.score(then)["value_score"], drawn.kept.stars)
    assert told.mean() == pytest.approx((spent > median_spend(now)).mean(), abs=0.02)


def test_without_an_earlier_day_there_are_no_stars_and_it_is_said() -> None:
    drawn = fit_reference_scales(read_evaluation_settings(own()), day(), None)
    assert drawn.kept.stars is None
    assert "history is too short" in drawn.no_stars


def test_stars_of_a_chance_that_is_predicted() -> None:
    choices = read_evaluation_settings(company(value={"dimensions": OWN}, stars={"by": "churn"}))
    scores = pd.DataFrame({"churn_probability": np.linspace(0, 1, 400)}, IDS)
    now = DayMetrics(TODAY, day().measured, scores)
    drawn = fit_reference_scales(choices, now, None)
    told = star_basis(choices.stars, now, drawn.score(now))
    assert told.iloc[[0, -1]].tolist() == [1.0, 0.0]
    assert drawn.kept.stars is not None
    with pytest.raises(DataRefused, match=r'stars\.by is "churn" and no model'):
        star_basis(choices.stars, day(), drawn.score(day()))


def test_they_are_kept_until_the_settings_change(tmp_path: Path) -> None:
    choices = read_evaluation_settings(own())
    assert read_reference_scales(tmp_path, choices, day()) is None
    drawn = fit_reference_scales(choices, day(), day(90))
    drawn.kept.write(tmp_path / SCALES_FILE)
    back = read_reference_scales(tmp_path, choices, day(seed=5))
    assert isinstance(back, ReferenceScales)
    assert back.kept.version == drawn.kept.version
    pd.testing.assert_frame_equal(back.score(day(seed=5)), drawn.score(day(seed=5)))
    other = read_evaluation_settings(company(value={"dimensions": OWN}, tiers={"cuts": [0.1, 0.5]}))
    assert read_reference_scales(tmp_path, other, day()) is None


def test_default_dimensions_do_without_what_nobody_has() -> None:
    choices = read_evaluation_settings(company())
    settings, lacking = usable_settings(choices.value, day().measured, choices.own_value)
    assert set(settings.dimensions) == {"purchasing_power", "contribution"}
    assert sum(d.weight for d in settings.dimensions.values()) == pytest.approx(1)
    assert set(lacking) >= {"satisfaction_score", "days_sales_outstanding", "growth"}
    with pytest.raises(DataRefused, match="nobody has any of"):
        usable_settings(choices.value, pd.DataFrame(index=IDS), choices.own_value)


def test_dimensions_of_the_company_need_their_measures() -> None:
    asked = company(value={"dimensions": {"growth": {"weight": 1.0, "measures": {"growth": 1.0}}}})
    with pytest.raises(DataRefused, match=r"nobody has growth.*Measured here: revenue"):
        fit_reference_scales(read_evaluation_settings(asked), day(), None)


def test_learned_weights_need_an_earlier_day() -> None:
    with pytest.raises(DataRefused, match="history is too short"):
        fit_reference_scales(read_evaluation_settings(own(weights="learned")), day(), None)
    drawn = fit_reference_scales(read_evaluation_settings(own(weights="learned")), day(), day(90))
    assert drawn.kept.weights.method == "learned"
