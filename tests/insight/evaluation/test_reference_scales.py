"""Reference scales are fitted once and stored; metrics without data are left out with a reason."""

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
    median_spend,
    read_reference_scales,
    settings_digest,
    star_basis,
    usable_settings,
)
from insight.segments.star_rating import score_probability
from support.evaluation_company import company

TODAY = datetime(2026, 7, 1, tzinfo=UTC)
IDS = pd.Index([f"c{i:03}" for i in range(400)], name="customer_id")


def day(ago: int = 0, seed: int = 0) -> DayMetrics:
    """400 customers, half of whom buy; large customers stay large."""
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


def test_score_is_the_weighted_rank_among_the_reference_customers() -> None:
    scales = fit_reference_scales(read_evaluation_settings(own()), day(), day(90, 0))
    result = scales.score(day())
    rank = pd.DataFrame({n: day().metrics[n].rank(method="average") for n in ("revenue", "orders")})
    points = 100 * (rank - 0.5) / 400
    np.testing.assert_allclose(result["value_score"], points.mean(axis=1))
    best = result["value_score"].nlargest(80)
    assert scales.stored.thresholds.at[0] == pytest.approx(best.min())


def test_stars_express_the_chance_of_more_revenue_than_the_median_buyer() -> None:
    earlier, now = day(90), day()
    scales = fit_reference_scales(read_evaluation_settings(own()), now, earlier)
    spent = now.metrics["last_period_revenue"]
    assert median_spend(now) == spent[spent > 0].median()
    assert scales.stored.stars is not None
    result = score_probability(scales.score(earlier)["value_score"], scales.stored.stars)
    assert result.mean() == pytest.approx((spent > median_spend(now)).mean(), abs=0.02)


def test_no_stars_without_an_earlier_day() -> None:
    scales = fit_reference_scales(read_evaluation_settings(own()), day(), None)
    assert scales.stored.stars is None
    assert "history is too short" in scales.no_stars


def test_stars_by_predicted_churn() -> None:
    settings = read_evaluation_settings(company(value={"dimensions": OWN}, stars={"by": "churn"}))
    scores = pd.DataFrame({"churn_probability": np.linspace(0, 1, 400)}, IDS)
    now = DayMetrics(TODAY, day().metrics, scores)
    scales = fit_reference_scales(settings, now, None)
    result = star_basis(settings.stars, now, scales.score(now))
    assert result.iloc[[0, -1]].tolist() == [1.0, 0.0]
    assert scales.stored.stars is not None
    with pytest.raises(DataRefused, match=r'stars\.by is "churn" and no model'):
        star_basis(settings.stars, day(), scales.score(day()))


def test_scales_are_stored_until_the_settings_change(tmp_path: Path) -> None:
    settings = read_evaluation_settings(own())
    assert read_reference_scales(tmp_path, settings, day()) is None
    scales = fit_reference_scales(settings, day(), day(90))
    scales.stored.write(tmp_path / SCALES_FILE)
    back = read_reference_scales(tmp_path, settings, day(seed=5))
    assert isinstance(back, ReferenceScales)
    assert back.stored.version == scales.stored.version
    pd.testing.assert_frame_equal(back.score(day(seed=5)), scales.score(day(seed=5)))
    other = read_evaluation_settings(company(value={"dimensions": OWN}, tiers={"cuts": [0.1, 0.5]}))
    assert read_reference_scales(tmp_path, other, day()) is None


def test_default_dimensions_leave_out_metrics_without_data() -> None:
    settings = read_evaluation_settings(company())
    usable, missing = usable_settings(settings.value, day().metrics, settings.own_value)
    assert set(usable.dimensions) == {"purchasing_power", "contribution"}
    assert sum(d.weight for d in usable.dimensions.values()) == pytest.approx(1)
    assert set(missing) >= {"satisfaction_score", "days_sales_outstanding", "growth"}
    with pytest.raises(DataRefused, match="no customer has"):
        usable_settings(settings.value, pd.DataFrame(index=IDS), settings.own_value)


def test_own_dimensions_require_their_metrics() -> None:
    own_growth = company(
        value={"dimensions": {"growth": {"weight": 1.0, "measures": {"growth": 1.0}}}}
    )
    with pytest.raises(DataRefused, match=r"no customer has growth.*Measured here: revenue"):
        fit_reference_scales(read_evaluation_settings(own_growth), day(), None)


def test_learned_weights_need_an_earlier_day() -> None:
    with pytest.raises(DataRefused, match="history is too short"):
        fit_reference_scales(read_evaluation_settings(own(weights="learned")), day(), None)
    scales = fit_reference_scales(read_evaluation_settings(own(weights="learned")), day(), day(90))
    assert scales.stored.weights.method == "learned"


def test_digest_of_the_settings_does_not_change() -> None:
    """A new digest discards the stored scales of every company: renames must not change it."""
    own_settings = read_evaluation_settings(
        company(
            value={
                "dimensions": {
                    "a": {"weight": 0.5, "measures": {"revenue": 1.0}},
                    "b": {"weight": 0.5, "measures": {"orders": 1.0}},
                },
                "ahp": {"items": ["a", "b"], "raters": {"x": [[1, 2], ["1/2", 1]]}},
                "experts": {"file": "e.csv"},
            },
            tiers={"cuts": [0.1, 0.5]},
            stars={"by": "churn"},
        )
    )
    default = read_evaluation_settings(company())
    assert settings_digest(default.value, default) == "c12c90af"
    assert settings_digest(own_settings.value, own_settings) == "b66fbe8e"
