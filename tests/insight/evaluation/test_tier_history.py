"""Tiers from month to month: stored, changed once a month, rebuilt backwards the first time."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from insight.evaluation.tier_history import (
    KEPT_MONTHS,
    TierMonth,
    add_since,
    assign_tiers,
    earlier_dates,
    keep_since,
    read_months,
    rebuild_months,
)
from insight.segments.tier_thresholds import TierThresholds

THRESHOLDS = TierThresholds(("A", "B"), (50.0,))
JULY = datetime(2026, 7, 1, tzinfo=UTC)


def month(as_of: datetime, **scores: float) -> TierMonth:
    """A month without tiers; every score has a half-width of 2."""
    score = pd.Series(scores, dtype=float).rename_axis("customer_id")
    table = pd.DataFrame(
        {"value_score": score, "value_score_low": score - 2, "value_score_high": score + 2}
    )
    return TierMonth(as_of, table, {"value": "3"})


def tier_of(month: TierMonth) -> dict[str, str | None]:
    return dict(month.table["tier"])


def test_data_until_1_july_belong_to_june() -> None:
    assert month(JULY).name == "2026-06"
    assert month(datetime(2026, 7, 15, tzinfo=UTC)).name == "2026-07"


def test_tiers_change_once_a_month_and_new_customers_get_one() -> None:
    first = assign_tiers(None, month(JULY, a=60, b=49), THRESHOLDS)
    assert tier_of(first) == {"a": "A", "b": "B"}
    again = assign_tiers(
        first, month(datetime(2026, 6, 20, tzinfo=UTC), a=10, b=90, c=70), THRESHOLDS
    )
    assert again.name == first.name
    assert tier_of(again) == {"a": "A", "b": "B", "c": "A"}
    august = assign_tiers(first, month(datetime(2026, 8, 1, tzinfo=UTC), a=10, b=51), THRESHOLDS)
    assert tier_of(august) == {"a": "B", "b": "B"}  # b is not clearly beyond the threshold
    assert august.table["leaning"].tolist() == [0, 0]


def test_a_customer_without_a_score_has_no_tier() -> None:
    first = assign_tiers(None, month(JULY, a=60, b=np.nan), THRESHOLDS)
    assert first.table["tier"].isna().tolist() == [False, True]
    same = assign_tiers(first, month(JULY, a=np.nan, b=70), THRESHOLDS)
    assert same.table["tier"].isna().tolist() == [True, False]


def test_with_enough_customers_noise_between_months_changes_few_tiers() -> None:
    rng = np.random.default_rng(0)
    true = dict(zip([f"c{i}" for i in range(4000)], rng.normal(50, 20, 4000), strict=True))
    noisy = [{k: v + rng.normal(0, 5) for k, v in true.items()} for _ in range(2)]
    first = assign_tiers(None, month(JULY, **noisy[0]), THRESHOLDS)
    august = assign_tiers(first, month(datetime(2026, 8, 1, tzinfo=UTC), **noisy[1]), THRESHOLDS)
    assert (first.table["tier"] != august.table["tier"]).mean() <= 0.01


def test_earlier_months_are_rebuilt_backwards_from_today() -> None:
    today = assign_tiers(None, month(JULY, a=60, b=49, c=80), THRESHOLDS)
    of_may, of_june = (
        month(datetime(2026, 5, 1, tzinfo=UTC), a=20, b=51),
        month(datetime(2026, 6, 1, tzinfo=UTC), a=59, b=51, c=10),
    )
    past = rebuild_months(today, [of_may, of_june], THRESHOLDS)
    assert [tier_of(m) for m in past] == [{"a": "B", "b": "B"}, {"a": "A", "b": "B", "c": "B"}]
    months = add_since([*past, today])
    since = months[-1].table["since"]
    assert since["a"] == of_june.as_of
    assert since["b"] == of_may.as_of
    assert since["c"] == JULY


def test_a_second_evaluation_of_a_month_keeps_since() -> None:
    (first,) = add_since([assign_tiers(None, month(JULY, a=60, b=49), THRESHOLDS)])
    later = datetime(2026, 6, 20, tzinfo=UTC)
    again = keep_since(first, assign_tiers(first, month(later, a=10, c=70, d=np.nan), THRESHOLDS))
    since = again.table["since"]
    assert (since["a"], since["c"]) == (JULY, later)
    assert pd.isna(since["d"])


def test_months_are_read_back_as_written_and_the_last_24_are_kept(tmp_path: Path) -> None:
    stored = add_since([assign_tiers(None, month(JULY, a=60, b=np.nan), THRESHOLDS)])[0]
    stored.write(tmp_path)
    (back,) = read_months(tmp_path)
    assert (back.as_of, back.versions, back.rebuilt) == (JULY, {"value": "3"}, False)
    assert back.table["tier"].fillna("none").tolist() == ["A", "none"]
    assert back.table["since"]["a"] == JULY
    for past in range(30):
        when = (pd.Timestamp(JULY) - pd.DateOffset(months=past)).to_pydatetime()
        add_since([assign_tiers(None, month(when, a=1.0), THRESHOLDS)])[0].write(tmp_path)
    names = [m.name for m in read_months(tmp_path)]
    assert (len(names), names[-1]) == (KEPT_MONTHS, "2026-06")


@pytest.mark.parametrize(("start", "count"), [((2026, 1, 1), 3), ((2026, 4, 15), 2)])
def test_earlier_dates_are_within_the_data(start: tuple[int, int, int], count: int) -> None:
    days = earlier_dates(JULY, datetime(*start, tzinfo=UTC))
    assert [d.month for d in days] == [4, 5, 6][-count:]
    assert all(d.day == 1 for d in days)
