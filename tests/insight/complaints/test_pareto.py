"""The Pareto table by hand, and its interval by formula."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insight.complaints.pareto import compute_pareto, select_vital_few


def table(names: list[str | None], weight: float = 1.0) -> pd.DataFrame:
    columns = {"category": names, "weight": weight, "severity": np.arange(len(names), dtype=float)}
    return pd.DataFrame(columns)


def test_the_largest_come_first_with_cumulative_shares() -> None:
    rows = compute_pareto(table(["late"] * 6 + ["broken"] * 2 + ["dear", None]))
    assert [(r.category, r.count) for r in rows] == [
        ("late", 6), ("broken", 2), ("dear", 1), ("unknown", 1),
    ]  # fmt: skip
    assert [r.cumulative for r in rows] == pytest.approx([0.6, 0.8, 0.9, 1.0])
    assert select_vital_few(rows) == ["late", "broken"]
    assert rows[0].severity == 2.5


def test_the_interval_is_the_wilson_interval() -> None:
    first = compute_pareto(table(["late"] * 6 + ["broken"] * 4))[0]
    p, n, z = 0.6, 10, 1.959964
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert (first.low, first.high) == pytest.approx((middle - half, middle + half), abs=1e-6)


def test_equal_weights_change_neither_share_nor_interval() -> None:
    plain, heavy = (compute_pareto(table(["late"] * 6 + ["dear"] * 4, w))[0] for w in (1.0, 9.8))
    assert (heavy.share, heavy.low) == pytest.approx((plain.share, plain.low))
    assert heavy.count == pytest.approx(58.8)


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=60))
def test_shares_add_up_and_the_vital_few_reach_four_fifths(names: list[str]) -> None:
    rows = compute_pareto(table(list(names)))
    assert sum(r.share for r in rows) == pytest.approx(1)
    assert sum(r.share for r in rows if r.vital) >= 0.8 - 1e-9
    assert all(r.low <= r.share + 1e-12 and r.share <= r.high + 1e-12 for r in rows)
