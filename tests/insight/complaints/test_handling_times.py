"""Handling of complaints: states, times and reopen rates, by hand and by formula."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from insight.complaints.handling_times import (
    MIN_COMPLAINTS,
    compute_cycle_times,
    compute_reopen_rates,
    count_states,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=100)

Row = tuple[float | None, float | None, float | None]


def table(rows: list[Row], category: str = "late") -> pd.DataFrame:
    """Complaints by days until reply and solution, and whether they were reopened."""

    def times(days: list[float | None]) -> "pd.Series[pd.Timestamp]":
        dates = [None if d is None else START + timedelta(days=d) for d in days]
        return pd.Series(pd.to_datetime(dates, utc=True))

    replied, closed, again = (list(column) for column in zip(*rows, strict=True))
    return pd.DataFrame({
        "opened_at": pd.to_datetime([START] * len(rows), utc=True), "category": category,
        "first_reply_at": times(replied), "closed_at": times(closed),
        "reopened": pd.array(again, dtype="Float64").to_numpy(float, na_value=np.nan),
    })  # fmt: skip


def test_every_complaint_has_a_state() -> None:
    rows: list[Row] = [(None, None, None), (1, None, None), (1, 2, 0), (1, 2, 1), (None, 2, None)]
    assert count_states(table(rows)) == {"received": 1, "answered": 1, "closed": 2, "reopened": 1}


def test_unrecorded_handling_gives_no_results() -> None:
    unrecorded = table([(None, None, None)] * 30)
    assert count_states(unrecorded) == {}
    assert compute_cycle_times(unrecorded, END) == []
    assert compute_reopen_rates(unrecorded) == []


def test_without_open_complaints_the_median_is_the_plain_one() -> None:
    rows: list[Row] = [(d / 24, d, 0) for d in range(1, 26)]
    reply, solution = (c for c in compute_cycle_times(table(rows), END) if c.category == "all")
    assert (reply.unit, reply.median, solution.unit, solution.median) == ("hours", 13, "days", 13)
    assert solution.low < 13 < solution.high
    assert solution.nine_in_ten == 23


def test_equal_waits_have_a_median_without_interval() -> None:
    rows: list[Row] = [(0, 1, 0)] * 30
    reply, solution = (c for c in compute_cycle_times(table(rows), END) if c.category == "all")
    assert (reply.median, solution.median) == (0, 1)
    assert np.isnan([reply.low, reply.high, solution.low, solution.high]).all()


def test_open_complaints_are_censored() -> None:
    """Half are solved on day 1, half are open for 100 days: the median is not reached."""
    rows: list[Row] = [(1, 1, 0)] * 20 + [(1, None, None)] * 21
    solution = compute_cycle_times(table(rows), END)[-1]
    assert solution.waiting == 21
    assert np.isnan(solution.median)


def test_the_censored_median_matches_the_product_formula() -> None:
    """Kaplan-Meier by its product formula."""
    rng = np.random.default_rng(1)
    days = np.round(rng.exponential(60, 81), 3)
    done = days < 100
    rows: list[Row] = [(None, float(d) if d < 100 else None, None) for d in days]
    left, curve = len(days), 1.0
    for day in np.sort(days[done]):
        curve *= 1 - 1 / left
        left -= 1
        if curve <= 0.5:
            median = day
            break
    (solution,) = [c for c in compute_cycle_times(table(rows), END) if c.category == "all"]
    assert solution.median == pytest.approx(median, abs=1e-4)


def test_small_categories_are_left_out() -> None:
    rows: list[Row] = [(1, 2, 0)] * MIN_COMPLAINTS
    both = pd.concat([table(rows), table(rows[:-1], "rare")])
    assert {c.category for c in compute_cycle_times(both, END)} == {"all", "late"}


def test_the_reopen_rate_is_a_share_of_the_solved() -> None:
    rows: list[Row] = [(1, 2, 1)] * 5 + [(1, 2, 0)] * 20 + [(1, None, None)] * 10
    rate = compute_reopen_rates(table(rows))[0]
    assert (rate.solved, rate.reopened, rate.rate) == (25, 5, 0.2)
    assert (rate.low, rate.high) == pytest.approx((0.0886, 0.3913), abs=1e-3)
