"""Migration between tiers and stages on two literal months."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.evaluation.evaluation_settings import read_evaluation_settings
from insight.evaluation.migration_summary import summarise_stage_migration, summarise_tier_migration
from insight.evaluation.reference_scales import ReferenceScales
from insight.evaluation.tier_history import TierMonth
from insight.segments.persisted_scales import PersistedScales
from insight.segments.tier_thresholds import TierThresholds
from insight.value.value_score import ValueScale, ValueSettings
from insight.value.weights import DimensionWeights
from support.evaluation_company import company

JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (6, 7))
STORED = PersistedScales(
    JUNE, ValueScale({"revenue": np.arange(3.0)}),
    DimensionWeights("given", {"power": 0.6, "loyalty": 0.4}),
    TierThresholds(("A", "B", "C"), (70.0, 40.0)), None,
)  # fmt: skip


def month(as_of: datetime, rows: dict[str, tuple[str, str, float, float]]) -> TierMonth:
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["tier", "stage", "power", "loyalty"]
    )
    table["value_score"] = 0.6 * table["power"] + 0.4 * table["loyalty"]
    return TierMonth(as_of, table, {}, rebuilt=as_of == JUNE)


BEFORE = month(JUNE, {
    "stays": ("A", "active", 90, 90), "falls": ("A", "active", 80, 90), "rises": ("C", "lost", 20, 30),
    "gone": ("C", "lost", 1, 1),
})  # fmt: skip
NOW = month(JULY, {
    "stays": ("A", "active", 90, 90), "falls": ("B", "at_risk", 30, 85),
    "rises": ("B", "reactivated", 60, 35),
    "new": ("C", "new", 10, 10),
})  # fmt: skip


def test_tier_migration_matrix_and_causes() -> None:
    matrix, moves = summarise_tier_migration(
        [BEFORE, NOW],
        ReferenceScales(STORED, ValueSettings(), {}),
        read_evaluation_settings(company()),
    )
    assert (matrix.since, matrix.until, matrix.rebuilt) == (JUNE, JULY, True)
    counts = {
        (before, after): matrix.customers[i][j]
        for i, before in enumerate(matrix.before)
        for j, after in enumerate(matrix.after)
        if matrix.customers[i][j]
    }
    assert counts == {
        ("A", "A"): 1, ("A", "B"): 1, ("C", "B"): 1, ("C", "(left)"): 1, ("(entered)", "C"): 1,
    }  # fmt: skip
    assert matrix.moved == pytest.approx(2 / 3)
    assert {c.cause: (c.up, c.down) for c in matrix.causes if c.up or c.down} == {"power": (1, 1)}
    assert moves["cause"].to_dict() == {
        "falls": "power", "rises": "power", "gone": "left", "new": "entered",
    }  # fmt: skip


def test_stage_migration_matrix() -> None:
    matrix = summarise_stage_migration([BEFORE, NOW])
    assert sum(map(sum, matrix.customers)) == 3  # known at both dates
    assert matrix.customers[matrix.before.index("lost")][matrix.after.index("reactivated")] == 1
    assert matrix.moved == 0.5  # of the two who were customers, one fell


def test_a_single_month_is_refused() -> None:
    with pytest.raises(DataRefused, match="an earlier month"):
        summarise_stage_migration([NOW])
