"""Tier thresholds: hand-calculated for each method, ties, refused settings."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.config.company import Company
from features.errors import ConfigRefused, DataRefused
from insight.company_settings import read_section
from insight.segments.service_policy import DEFAULT_POLICIES, Policy
from insight.segments.tier_thresholds import (
    TierSettings,
    TierThresholds,
    classify_tiers,
    fit_thresholds,
    summarise_tiers,
)

MONEY = pd.Series([500.0, 300.0, 100.0, 50.0, 30.0, 10.0, 10.0, 0.0, -20.0, np.nan])


def test_abc_by_cumulative_value() -> None:
    """500 + 300 of 1,000 are 80%; with 100 and 50 it is 95%."""
    settings = TierSettings(method="cumulative", cuts=[0.8, 0.95])
    found = fit_thresholds(MONEY, settings)
    assert found.at == (300, 50)
    tier = classify_tiers(MONEY, found)
    assert tier.tolist() == ["A", "A", "B", "B", *["C"] * 5, None]
    table = summarise_tiers(MONEY, tier, found)
    assert table["customers"].tolist() == [2, 2, 5]
    assert table["sum"].tolist() == [800, 150, 30]


def test_quantiles_keep_ties_together() -> None:
    found = fit_thresholds(MONEY, TierSettings(cuts=[0.25, 0.65]))
    assert found.at == (300, 10)
    assert classify_tiers(MONEY, found).value_counts().to_dict() == {"A": 2, "B": 5, "C": 2}


def test_ties_go_to_the_tier_that_brings_it_closest_to_its_share() -> None:
    """Six of ten customers have the lowest score: with cuts of 10% and 50%, none of them is B."""
    figure = pd.Series([90.0, 80.0, 70.0, 60.0] + [0.0] * 6)
    found = fit_thresholds(figure, TierSettings(cuts=[0.1, 0.5]))
    assert found.at == (90, 60)
    assert classify_tiers(figure, found).value_counts().to_dict() == {"C": 6, "B": 3, "A": 1}


def test_thresholds_are_used_as_given() -> None:
    found = fit_thresholds(MONEY, TierSettings(method="threshold", cuts=[100, 0]))
    assert classify_tiers(MONEY, found).tolist() == ["A"] * 3 + ["B"] * 5 + ["C"] + [None]


@given(st.lists(st.integers(0, 10_000), min_size=20, max_size=60, unique=True))
def test_the_share_of_customers_is_as_configured(values: list[int]) -> None:
    figure = pd.Series(values, dtype=float)
    tier = classify_tiers(figure, fit_thresholds(figure, TierSettings(cuts=[0.2, 0.5])))
    assert (tier == "A").sum() == round(0.2 * len(values))
    assert figure[tier == "A"].min() > figure[tier != "A"].max()


@pytest.mark.parametrize(
    ("figure", "changed", "words"),
    [
        ([1.0, 1.0, 2.0], {}, "2 different values over 3 customers; 3 tiers need as many"),
        ([-1.0, -2.0, -3.0], {"method": "cumulative"}, "no customer has value_score above 0"),
        ([9.0] * 8 + [1.0, 2.0], {}, "too many customers are alike"),
    ],
)
def test_unusable_scores_are_refused(
    figure: list[float], changed: dict[str, str], words: str
) -> None:
    settings = TierSettings().model_copy(update=changed)
    with pytest.raises(DataRefused, match=words):
        fit_thresholds(pd.Series(figure), settings)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ({"names": ["A", "B", "D"]}, r"tier D has no policy; .*\[insight\.tiers\.policies\.D\]"),
        ({"names": ["A", "B"], "cuts": [0.5]}, "policies of C belong to no tier; tiers are A, B"),
        ({"cuts": [0.5]}, "3 tiers have 2 borders between them, not 1"),
        ({"cuts": [0.5, 0.2]}, "should rise"),
        ({"cuts": [0.5, 1.2]}, "shares between 0 and 1"),
        ({"method": "threshold", "cuts": [10, 20]}, "should fall"),
        ({"names": ["A", "A", "B"]}, "different tiers"),
        ({"policies": {"A": {"service_levl": "x"}}}, "unknown key .*service_levl.*service_level"),
    ],
)
def test_invalid_settings_are_refused(toml: dict[str, object], words: str) -> None:
    company = Company.model_construct(insight={"tiers": toml})
    with pytest.raises(ConfigRefused, match=words):
        read_section(company, "tiers", TierSettings)


def test_a_custom_policy() -> None:
    mine = {
        **{n: DEFAULT_POLICIES[n].model_dump() for n in "AB"},
        "C": {"service_level": "self", "first_reply_hours": 48},
    }
    company = Company.model_construct(insight={"tiers": {"policies": mine}})
    assert read_section(company, "tiers", TierSettings).policies["C"] == Policy(
        service_level="self", first_reply_hours=48
    )


def test_a_score_on_the_threshold_is_in_the_better_tier() -> None:
    assert classify_tiers(
        pd.Series([80.0, 79.9]), TierThresholds(("A", "B"), (80.0,))
    ).tolist() == ["A", "B"]
