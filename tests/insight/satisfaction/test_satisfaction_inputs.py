"""What figures are made of: read once, and joined to the standing of the time."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from features.errors import DataRefused
from insight.satisfaction.satisfaction_inputs import at_the_time, sources, with_standing
from support.survey_builders import on, said, write


def moment(month):
    return pd.Timestamp(datetime(2025, month, 1, tzinfo=UTC))


def standings():
    return pd.DataFrame({
        "customer_id": ["A", "A", "B"], "tier": ["C", "A", None],
        "period": [moment(4), moment(10), moment(1)],
    })  # fmt: skip


def test_a_row_has_the_last_standing_of_its_period_or_before():
    rows = pd.DataFrame({
        "customer_id": ["B", "A", "A", "A", "X"],
        "period": [moment(7), moment(1), moment(4), moment(10), moment(10)],
    })  # fmt: skip
    found = at_the_time(rows, standings().sort_values("period"))
    assert found["tier"].tolist() == ["unknown", "unknown", "C", "A", "unknown"]
    assert found["customer_id"].tolist() == ["B", "A", "A", "A", "X"]


def test_every_source_is_cut_by_the_standing(tmp_path):
    rows = [said("A", on(2), 5.0), said("A", on(11), 3.0), said("B", on(5), 4.0)]
    company, workspace, _ = write(tmp_path, surveys=rows)
    plain = sources(company, workspace)
    assert plain.by == ("channel",)
    assert "no events" in plain.lacking["customers"]
    found = with_standing(plain, standings())
    assert found.by == ("channel", "tier")
    told = found.rows["asked"].sort_values(["customer_id", "period"])
    assert told["tier"].tolist() == ["unknown", "A", "unknown"]


def test_a_standing_named_as_an_attribute_gives_way(tmp_path):
    company, workspace, _ = write(
        tmp_path, insight={"satisfaction": {"by": ["tier"]}}, surveys=[said("A", on(11), 5.0)],
        customers=[{"customer_id": "A", "valid_from": on(1), "tier": "gold"}],
    )  # fmt: skip
    found = with_standing(sources(company, workspace), standings())
    assert found.by == ("channel", "tier", "standing_tier")
    row = found.rows["asked"].iloc[0]
    assert (row["tier"], row["standing_tier"]) == ("gold", "A")


def test_standings_without_a_period_are_refused(tmp_path):
    company, workspace, _ = write(tmp_path, surveys=[said("A", on(11), 5.0)])
    with pytest.raises(DataRefused, match="standings lack period; they have customer_id, tier"):
        with_standing(sources(company, workspace), standings().drop(columns="period"))
