"""Rows of the satisfaction metrics, joined with the customer status at their period."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from features.errors import DataRefused
from insight.satisfaction.satisfaction_inputs import (
    join_status,
    read_satisfaction_inputs,
    status_at_period,
)
from support.survey_builders import on, survey_answer, write_history


def month_start(month):
    return pd.Timestamp(datetime(2025, month, 1, tzinfo=UTC))


def statuses():
    return pd.DataFrame({
        "customer_id": ["A", "A", "B"], "tier": ["C", "A", None],
        "period": [month_start(4), month_start(10), month_start(1)],
    })  # fmt: skip


def test_a_row_gets_the_last_status_at_or_before_its_period():
    rows = pd.DataFrame({
        "customer_id": ["B", "A", "A", "A", "X"],
        "period": [month_start(7), month_start(1), month_start(4), month_start(10), month_start(10)],
    })  # fmt: skip
    found = status_at_period(rows, statuses().sort_values("period"))
    assert found["tier"].tolist() == ["unknown", "unknown", "C", "A", "unknown"]
    assert found["customer_id"].tolist() == ["B", "A", "A", "A", "X"]


def test_every_source_is_grouped_by_the_status(tmp_path):
    rows = [
        survey_answer("A", on(2), 5.0),
        survey_answer("A", on(11), 3.0),
        survey_answer("B", on(5), 4.0),
    ]
    company, workspace, _ = write_history(tmp_path, surveys=rows)
    plain = read_satisfaction_inputs(company, workspace)
    assert plain.by == ("channel",)
    assert "no events" in plain.missing["customers"]
    found = join_status(plain, statuses())
    assert found.by == ("channel", "tier")
    asked = found.rows["asked"].sort_values(["customer_id", "period"])
    assert asked["tier"].tolist() == ["unknown", "A", "unknown"]


def test_a_status_named_like_an_attribute_is_renamed(tmp_path):
    company, workspace, _ = write_history(
        tmp_path, insight={"satisfaction": {"by": ["tier"]}}, surveys=[survey_answer("A", on(11), 5.0)],
        customers=[{"customer_id": "A", "valid_from": on(1), "tier": "gold"}],
    )  # fmt: skip
    found = join_status(read_satisfaction_inputs(company, workspace), statuses())
    assert found.by == ("channel", "tier", "standing_tier")
    row = found.rows["asked"].iloc[0]
    assert (row["tier"], row["standing_tier"]) == ("gold", "A")


def test_a_status_without_a_period_is_refused(tmp_path):
    company, workspace, _ = write_history(tmp_path, surveys=[survey_answer("A", on(11), 5.0)])
    with pytest.raises(DataRefused, match="standings lack period; they have customer_id, tier"):
        join_status(read_satisfaction_inputs(company, workspace), statuses().drop(columns="period"))
