"""Leak findings: their text, how they are merged, and the error that stops training."""

import json
from dataclasses import replace

import pytest

from features.errors import DataRefused, LeakFound
from models.leakage.findings import (
    LeakCheckResult,
    LeakFinding,
    LeakReport,
    list_names,
    merge_findings,
    raise_on_leaks,
)

ONE = LeakFinding("duplicates", "features/churn.parquet", "3 of 9 rows", "remove them", "churn")


def test_a_finding_names_kind_place_target_evidence_and_remedy():
    assert str(ONE) == "duplicates: features/churn.parquet (target churn): 3 of 9 rows; remove them"


def test_findings_of_several_targets_are_merged():
    other = LeakFinding(
        "duplicates", "features/churn.parquet", "4 of 9 rows", "remove them", "value"
    )
    (both,) = merge_findings([ONE, other])
    assert both.target == "churn, value"
    assert (
        merge_findings([ONE, LeakFinding("duplicates", "elsewhere", "4", "remove them")])[1].target
        is None
    )


def test_nothing_is_raised_without_a_finding():
    raise_on_leaks(LeakReport((LeakCheckResult("duplicates", "9 rows", notes=("2 twins",)),)))


def test_the_error_lists_every_finding():
    with pytest.raises(LeakFound, match=r"1 leak found, nothing was trained") as caught:
        raise_on_leaks(LeakReport((LeakCheckResult("duplicates", "9 rows", (ONE,)),)))
    assert isinstance(caught.value, DataRefused)
    assert str(caught.value).endswith(f"\n  - {ONE}")


def test_a_doubt_about_one_target_skips_it_and_stops_no_other():
    doubt = LeakFinding(
        "immature label", "events", "91 days without", "import", "churn", skips_target=True
    )
    other = replace(doubt, target="value")
    merged = merge_findings([doubt, other])
    assert merged == (doubt, other)
    report = LeakReport((LeakCheckResult("immature label", "9 rows", merged),))
    raise_on_leaks(report)
    assert report.doubtful_targets() == {"churn": str(doubt), "value": str(other)}
    assert json.loads(report.to_json())["passed"] is True
    assert report.table()["outcome"].tolist() == ["2 found"]


def test_report_as_json_and_as_table():
    report = LeakReport(
        (
            LeakCheckResult("duplicates", "9 rows", (ONE, ONE)),
            LeakCheckResult("identifier", "2 columns"),
        )
    )
    assert json.loads(report.to_json())["passed"] is False
    assert report.findings == (ONE,)
    assert report.table()["outcome"].tolist() == ["2 found", "passed"]


def test_long_lists_of_names_are_shortened():
    assert list_names(["a", "b"]) == "a, b"
    assert list_names([*"abcdefg"]) == "a, b, c, d, e and 2 more"
