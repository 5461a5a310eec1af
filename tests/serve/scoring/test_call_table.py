"""The call list in memory: rows, filters, groups, and the customers whose scores moved."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.config.company import load_company
from insight.business_report.call_list import call_list
from insight.business_report.report_inputs import load_report_inputs
from serve.scoring.call_table import CallTable, StoredScores, build_call_table
from serve.scoring.company_scorer import CompanyScorer
from support.call_lists import BOUNDS, MONTH_BEFORE, NAN, call_table, earlier_of, scores_as_of
from support.evaluation_builders import evaluated
from support.trained_company import trained

AS_OF = datetime(2025, 6, 30, tzinfo=UTC)
#: At risk: C-1 10, C-2 40, C-3 90 with an unknown risk of dissatisfaction; C-4 has left.
COLUMNS: dict[str, list[Any]] = {
    "customer_id": ["C-1", "C-2", "C-3", "C-4"],
    "churn_probability": [0.1, 0.2, 0.3, None],
    "churn_in_population": [True, True, True, False],
    "value_expected": [100.0, 200.0, 300.0, 900.0],
    "value_segment": ["low", "low", "middle", "middle"],
}
IDS = COLUMNS["customer_id"]


def listed(earlier: Any = None, **columns: list[Any]) -> CallTable:
    return call_table(AS_OF, {**COLUMNS, **columns}, evaluated().statuses, earlier)


def ids_of(found: CallTable, order: Any = "risk", **wanted: str) -> list[str]:
    return [row["customer_id"] for row in found.page(wanted, order, 10, None).rows]


def test_rows_have_what_is_known_and_null_for_the_rest() -> None:
    found = listed()
    first = found.page({}, "risk", 1, None).rows[0]
    assert first == {
        "customer_id": "C-3", "owner": "S-3", "region": "north", "tier": "A", "stage": "at_risk",
        "segment": "middle", "segment_before": None, "amount": 90.0, "value": 300.0, "churn": 0.3,
        "dissatisfied": None, "value_before": None, "churn_before": None,
    }  # fmt: skip
    assert ids_of(found) == ["C-3", "C-2", "C-1"]
    assert found.compared_with is None


def test_a_customer_outside_the_population_of_churn_is_not_listed() -> None:
    assert "C-4" not in ids_of(listed())
    assert all(group["churn"] is not None for group in listed().groups["tier"])


def test_filters_and_a_page_after_a_customer() -> None:
    found = listed()
    assert ids_of(found, region="north") == ["C-3", "C-1"]
    assert ids_of(found, region="north", owner="S-1") == ["C-1"]
    page = found.page({}, "risk", 1, "C-3")
    assert ([r["customer_id"] for r in page.rows], page.total, page.more) == (["C-2"], 3, True)
    with pytest.raises(KeyError):
        found.page({}, "risk", 1, "C-4")


def test_groups_sum_the_money_at_risk() -> None:
    assert listed().groups["region"] == [
        {"name": "north", "customers": 2, "amount": 100.0, "churn": pytest.approx(0.2)},
        {"name": "south", "customers": 1, "amount": 40.0, "churn": pytest.approx(0.2)},
    ]


def test_probabilities_are_not_summed() -> None:
    scores = {n: c for n, c in COLUMNS.items() if not n.startswith("value")}
    found = call_table(AS_OF, scores, None)
    assert found.by == "any_churn"
    assert set(found.groups) == {"owner", "region"}  # nobody has a tier
    assert {group["amount"] for group in found.groups["region"]} == {None}


def test_without_a_snapshot_there_is_no_owner() -> None:
    found = build_call_table(scores_as_of(AS_OF, COLUMNS), None, None, None, None)
    assert (found.groups, found.attributes) == ({}, {})


def test_changes_of_churn_from_one_point_on_the_largest_first() -> None:
    found = listed(earlier_of(IDS, [0.105, 0.5, 0.1, 0.2], [100.0] * 4))
    assert ids_of(found, "churn_change") == ["C-2", "C-3"]
    assert found.compared_with == MONTH_BEFORE


def test_who_had_no_score_before_has_not_moved() -> None:
    found = listed(earlier_of(["C-2", "C-3"], [NAN, 0.1], [NAN, 300.0]))
    assert ids_of(found, "churn_change") == ["C-3"]
    rows = {row["customer_id"]: row for row in found.page({}, "risk", 10, None).rows}
    assert (rows["C-2"]["segment_before"], rows["C-1"]["churn_before"]) == (None, None)


def test_changes_of_the_value_segment_the_most_steps_first() -> None:
    found = listed(earlier_of(IDS, [0.1] * 4, [6000.0, 600.0, 300.0, 1.0]))
    assert ids_of(found, "value_change") == ["C-1", "C-2", "C-3"]
    steps = [
        (r["segment_before"], r["segment"]) for r in found.page({}, "value_change", 3, None).rows
    ]
    assert steps == [("top", "low"), ("middle", "low"), ("low", "middle")]


def test_a_model_that_was_replaced_meanwhile_is_named() -> None:
    assert listed(earlier_of(IDS, [0.1] * 4, [1.0] * 4, version="6")).new_models == ["churn"]
    assert listed(earlier_of(IDS, [0.1] * 4, [1.0] * 4)).new_models == []


def test_the_columns_of_a_scores_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    times = pa.array([AS_OF] * 4, pa.timestamp("us", "UTC"))
    table = pa.table({**COLUMNS, "as_of": times, "value_low": [0.0] * 4})
    metadata = {b"goodwill_versions": b'{"churn": "3"}'}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    stored = StoredScores.read(path)
    assert (stored.as_of, stored.versions) == (AS_OF, {"churn": "3"})
    assert set(stored.table.column_names) == set(COLUMNS)
    found = build_call_table(stored, None, None, None, BOUNDS)
    assert ids_of(found) == ["C-3", "C-2", "C-1"]
    assert found.as_of - AS_OF == timedelta(0)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_service_ranks_as_the_report_does() -> None:
    workspace = trained()[0]
    company = load_company(workspace.data / "sample.toml")
    made = CompanyScorer(company, workspace).call_table()
    report = call_list(load_report_inputs(company, workspace, "en"))
    assert made is not None
    assert report is not None
    customers = [entry.customer for entry in report.entries]
    assert ids_of(made)[:10] == customers[:10]
    assert set(made.groups) >= {"owner", "region"}
