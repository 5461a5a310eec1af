"""Cross-tabulated metrics: hand-calculated values, independent intervals, suppression of small cells."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from features.errors import ConfigRefused, DataRefused
from insight.satisfaction.crosstabs import (
    MAX_RESAMPLED,
    cross_tabulate,
    mean_interval,
    wilson_interval,
)
from insight.satisfaction.satisfaction_metrics import SATISFACTION_METRICS
from insight.satisfaction.satisfaction_settings import SatisfactionSettings


def answers(scores, **columns):
    rows = {
        "customer_id": [f"C{i}" for i in range(len(scores))], "instrument": "csat",
        "dimension": "overall", "weight": 1.0, "score": scores,
    }  # fmt: skip
    return pd.DataFrame(rows | columns)


FEW = SatisfactionSettings(fewest=2)


def test_a_cell_counts_asked_and_answered():
    rows = answers([100.0, 50.0, np.nan, np.nan], region=["n", "n", "n", "s"])
    found = cross_tabulate(SATISFACTION_METRICS["csat_index"], rows, FEW, ("region",))
    line = found.table.iloc[0]
    assert line[["region", "asked", "answered", "customers", "value"]].tolist() == [
        "n",
        3,
        2,
        2,
        7.5,
    ]
    assert line["coverage"] == pytest.approx(2 / 3)


def test_small_cells_are_suppressed_and_counted():
    rows = answers([100.0, 50.0, 0.0, 25.0], region=["n", "n", "s", "w"])
    found = cross_tabulate(SATISFACTION_METRICS["csat_index"], rows, FEW, ("region",))
    assert found.table["region"].tolist() == ["n"]
    assert (found.hidden, found.hidden_answers) == (2, 2)


def test_a_small_cell_cannot_be_derived_from_the_total():
    """The total is known: with e, w and s published, the value of n could be computed."""
    region = ["n"] + ["s"] * 2 + ["w"] * 3 + ["e"] * 4
    rows = answers([50.0] + [100.0] * 2 + [0.0] * 3 + [75.0] * 4, region=region)
    found = cross_tabulate(SATISFACTION_METRICS["csat_index"], rows, FEW, ("region",))
    assert found.table["region"].tolist() == ["e", "w"]
    assert (found.hidden, found.hidden_answers) == (2, 3)


def test_each_period_has_its_own_total():
    rows = answers(
        [50.0] * 8, region=["n", "s", "s", "w", "w", "n", "n", "s"], period=[1] * 5 + [2] * 3
    )
    found = cross_tabulate(SATISFACTION_METRICS["csat_index"], rows, FEW, ("region", "period"))
    shown = list(zip(found.table["region"], found.table["period"], strict=True))
    assert shown == [("w", 1)]  # in period 1 n is small and s is suppressed with it; in 2 all are
    assert (found.hidden, found.hidden_answers) == (4, 6)


def test_a_period_is_not_suppressed_because_of_another():
    rows = answers([50.0] * 5, period=[1, 2, 2, 3, 3])
    found = cross_tabulate(SATISFACTION_METRICS["csat_index"], rows, FEW, ("period",))
    assert found.table["period"].tolist() == [2, 3]


def test_without_the_bootstrap_the_interval_is_normal():
    """Errors by hand: 25 and -25 around 50; 2 / 1 * (25^2 + 25^2) / 4 = 25^2, so 50 +- 1.96 * 25."""
    rows = answers([75.0, 25.0])
    line = cross_tabulate(
        SATISFACTION_METRICS["csat_index"], rows, FEW, resampled=False
    ).table.iloc[0]
    assert (line["low"], line["high"]) == pytest.approx((5 - 4.899910, 5 + 4.899910))


def test_values_are_weighted():
    rows = answers([100.0, 0.0], weight=[3.0, 1.0])
    assert (
        cross_tabulate(SATISFACTION_METRICS["csat_index"], rows, FEW).table["value"].item() == 7.5
    )


def test_dimensions_are_separate():
    rows = answers([100.0, 50.0, 0.0, 0.0], dimension=["price", "price", "staff", "staff"])
    found = cross_tabulate(SATISFACTION_METRICS["dimension"], rows, FEW).table
    assert dict(zip(found["dimension"], found["value"], strict=True)) == {
        "price": 75.0,
        "staff": 0.0,
    }


def test_cells_match_pandas():
    rng = np.random.default_rng(5)
    rows = answers(
        rng.choice([0.0, 50.0, 100.0, np.nan], 600), region=rng.choice(list("abc"), 600),
        channel=rng.choice(["mail", "phone"], 600),
    )  # fmt: skip
    rows["customer_id"] = rng.choice([f"C{i}" for i in range(150)], 600)
    ours = cross_tabulate(
        SATISFACTION_METRICS["csat_index"], rows, FEW, ("region", "channel")
    ).table
    theirs = rows.groupby(["region", "channel"]).agg(
        asked=("score", "size"), answered=("score", "count"), value=("score", "mean")
    )
    theirs["value"] /= 10
    answered_customers = rows.dropna().groupby(["region", "channel"])["customer_id"].nunique()
    ours = ours.set_index(["region", "channel"])
    pd.testing.assert_frame_equal(ours[list(theirs)], theirs, check_dtype=False)
    assert ours["customers"].tolist() == answered_customers.tolist()


@pytest.mark.parametrize(("ones", "rows"), [(7, 20), (0, 15), (15, 15), (1, 1000)])
def test_wilson_matches_scipy_with_one_row_per_customer(ones, rows):
    values = np.repeat([1.0, 0.0], [ones, rows - ones])
    ours = wilson_interval(values, np.ones(rows), np.arange(rows))
    theirs = binomtest(ones, rows).proportion_ci(method="wilson")
    # the variance over customers is divided by n - 1
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)


@pytest.mark.parametrize("rows", [9, 20, 29, 297])
def test_a_share_of_0_or_1_lies_inside_its_interval(rows):
    for value in (0.0, 1.0):
        found = wilson_interval(np.full(rows, value), np.ones(rows), np.arange(rows))
        assert found.low <= value <= found.high


def test_equal_answers_of_several_customers_have_an_interval():
    """30 of 30 promoters: at most 1 - 0.05^(1/30) = 9.5% of all customers are not."""
    line = cross_tabulate(
        SATISFACTION_METRICS["nps"], answers([100.0] * 30, instrument="nps"), FEW
    ).table.iloc[0]
    assert (line["value"], line["high"]) == (100.0, 100.0)
    assert line["low"] == pytest.approx(100 - 200 * 0.0950, abs=0.01)


def test_a_period_without_a_complaint_has_an_upper_limit():
    customers = pd.DataFrame({
        "customer_id": [f"C{i}" for i in range(50)], "stood": True, "complaints": 0.0,
    })  # fmt: skip
    line = cross_tabulate(SATISFACTION_METRICS["complaints_per_100"], customers, FEW).table.iloc[0]
    assert (line["value"], line["low"]) == (0.0, 0.0)
    assert line["high"] == pytest.approx(100 * 3.6889 / 50, abs=1e-3)  # Garwood


def test_the_mean_of_a_single_customer_has_an_infinite_interval():
    found = mean_interval(np.arange(30.0), np.ones(30), np.zeros(30, int))
    assert (found.value, found.low, found.high) == (14.5, -np.inf, np.inf)


def test_repeated_answers_of_a_customer_do_not_narrow_the_interval():
    once = wilson_interval(np.tile([1.0, 0.0], 20), np.ones(40), np.arange(40))
    twice = wilson_interval(
        np.repeat(np.tile([1.0, 0.0], 20), 2), np.ones(80), np.repeat(np.arange(40), 2)
    )
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), abs=0.005)


def test_wilson_covers_95_percent_with_repeated_customers():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        chance = rng.beta(2, 8, 60)  # one per customer, 0.2 on average
        customer = np.repeat(np.arange(60), 3)
        found = wilson_interval(
            (rng.random(180) < chance[customer]).astype(float), np.ones(180), customer
        )
        hits += found.low <= 0.2 <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_bootstrap_and_normal_interval_agree_at_the_limit():
    rng = np.random.default_rng(1)
    for count in (MAX_RESAMPLED, MAX_RESAMPLED + 1):
        values = rng.normal(50, 20, count)
        found = mean_interval(values, np.ones(count), np.arange(count))
        assert found.high - found.low == pytest.approx(2 * 1.96 * 20 / np.sqrt(count), rel=0.12)


def test_the_bootstrap_covers_95_percent():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(300):
        found = mean_interval(
            rng.choice([-100.0, 0.0, 100.0], 80, p=[0.2, 0.3, 0.5]), np.ones(80), np.arange(80)
        )
        hits += found.low <= 30 <= found.high
    assert 0.91 <= hits / 300 <= 0.98


def test_a_metric_without_data_is_refused():
    with pytest.raises(DataRefused, match="Net promoter score: no data in 0 rows"):
        cross_tabulate(SATISFACTION_METRICS["nps"], answers([50.0]), FEW)


def test_an_unknown_column_is_refused():
    with pytest.raises(
        ConfigRefused, match=r"no column owner to group by; known: period, .*region"
    ):
        cross_tabulate(
            SATISFACTION_METRICS["csat_index"], answers([50.0], region=["n"]), FEW, ("owner",)
        )
