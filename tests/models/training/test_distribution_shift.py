"""Columns whose later rows training has never seen; by their features and cutoffs, never labels."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from models.training.distribution_shift import (
    _outside,
    covers_seasons,
    outside_training,
    shifted_columns,
)
from models.training_set.splits import Split, instant, microseconds

RNG = np.random.default_rng(4)
NAN = float("nan")


def months(first: str, count: int) -> list[int]:
    """The first days of `count` months from a `YYYY-MM` on, in microseconds."""
    year, month = map(int, first.split("-"))
    places = range(month - 1, month - 1 + count)
    return [microseconds(datetime(year + p // 12, p % 12 + 1, 1, tzinfo=UTC)) for p in places]


def panel(train: list[int], test: list[int], each: int = 100) -> tuple[pa.Table, np.ndarray, Split]:
    """`each` customers at every cutoff: age since the first one, a stable column, the month."""
    cutoff = np.repeat(np.array([*train, *test]), each)
    masks = np.isin(cutoff, train), np.isin(cutoff, test)
    age = (cutoff - cutoff.min()) / 86_400e6 + RNG.uniform(0, 30, len(cutoff))
    table = pa.table(
        {
            "tenure_days": age,
            "orders_90d": RNG.poisson(3, len(cutoff)).astype(float),
            "season": np.array([float(instant(int(c)).month) for c in cutoff]),
            "region": RNG.choice(["east", "north"], len(cutoff)),
        }
    )
    split = Split(masks[0], masks[0], masks[1], masks[0], instant(train[-1]), instant(test[0]))
    return table, cutoff, split


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_an_age_that_moved_on_is_left_out_of_probabilities(kind: str) -> None:
    table, cutoff, split = panel(months("2021-01", 30), months("2024-01", 1))
    assert shifted_columns(kind, table, cutoff, split) == ("tenure_days",)


def test_amounts_follow_their_level_and_keep_the_age() -> None:
    table, cutoff, split = panel(months("2021-01", 30), months("2024-01", 1))
    assert shifted_columns("regression", table, cutoff, split) == ()


def test_the_month_is_left_out_first_and_once() -> None:
    table, cutoff, split = panel(months("2023-01", 6), months("2023-11", 1))
    assert shifted_columns("binary", table, cutoff, split) == ("season", "tenure_days")
    assert shifted_columns("regression", table, cutoff, split) == ("season",)
    stable = table.drop(["tenure_days"])
    assert shifted_columns("binary", stable, cutoff, split) == ("season",)


@pytest.mark.parametrize(
    ("train", "test", "amounts", "chances"),
    [
        (months("2021-01", 30), months("2023-12", 1), True, True),  # two turns of the year
        (months("2022-01", 20), months("2023-12", 1), True, False),  # 699 days: one turn only
        (months("2023-01", 12), months("2024-02", 1), True, False),  # February seen once
        (months("2023-03", 6), months("2023-11", 1), False, False),  # November never seen
        (months("2023-01", 3), months("2023-03", 1), False, False),  # seen, but 59 days ago
    ],
)
def test_a_season_is_known_once_it_was_seen_and_looked_back_on(
    train: list[int], test: list[int], amounts: bool, chances: bool
) -> None:
    table, cutoff, split = panel(train, test)
    assert covers_seasons("regression", table, cutoff, split) is amounts
    assert covers_seasons("binary", table, cutoff, split) is chances
    assert covers_seasons("multiclass", table, cutoff, split) is chances


def test_the_share_outside_by_hand() -> None:
    earlier = np.arange(1000.0)  # all but the outermost 5 on either side: 4.995 to 994.005
    assert _outside(earlier, np.arange(1000.0)) == 0.01
    assert _outside(earlier, np.r_[np.full(70, 500.0), np.full(30, 2000.0)]) == 0.3
    assert _outside(earlier, np.r_[np.full(50, 500.0), np.full(50, NAN)]) == 0
    assert _outside(earlier, np.r_[np.full(49, 2000.0), np.full(50, NAN)]) == 0  # too few to say
    assert _outside(earlier[:49], np.full(100, 2000.0)) == 0
    assert _outside(earlier, np.full(50, 2000.0)) == 1


def test_three_tenths_outside_stay_and_more_do_not_and_words_are_not_looked_at() -> None:
    earlier = pa.table({"a": np.arange(1000.0), "b": np.arange(1000.0), "word": ["x"] * 1000})
    later = pa.table(
        {
            "a": np.r_[np.full(70, 500.0), np.full(30, 2000.0)],
            "b": np.r_[np.full(69, 500.0), np.full(31, -2000.0)],
            "word": ["y"] * 100,
        }
    )
    assert outside_training(earlier, later) == ("b",)
