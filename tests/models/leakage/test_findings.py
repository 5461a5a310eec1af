"""Charges: how they read, how they are told once, and how training is refused."""

import json

import pytest

from features.errors import DataRefused, LeakFound
from models.leakage.findings import LeakFinding, LeakCheckResult, LeakReport, merge_findings, raise_on_leaks, list_names

ONE = LeakFinding("copies", "features/churn.parquet", "3 of 9 rows", "remove them", "churn")


def test_a_charge_names_kind_place_target_figures_and_remedy():
    assert str(ONE) == "copies: features/churn.parquet (target churn): 3 of 9 rows; remove them"


def test_several_targets_in_one_charge():
    other = LeakFinding("copies", "features/churn.parquet", "4 of 9 rows", "remove them", "value")
    (both,) = merge_findings([ONE, other])
    assert both.target == "churn, value"
    assert merge_findings([ONE, LeakFinding("copies", "elsewhere", "4", "remove them")])[1].target is None


def test_nothing_is_refused_without_a_charge():
    raise_on_leaks(LeakReport((LeakCheckResult("copies", "9 rows", notes=("2 twins",)),)))


def test_a_refusal_lists_every_charge():
    with pytest.raises(LeakFound, match=r"1 leak found, nothing was trained") as caught:
        raise_on_leaks(LeakReport((LeakCheckResult("copies", "9 rows", (ONE,)),)))
    assert isinstance(caught.value, DataRefused)
    assert str(caught.value).endswith(f"\n  - {ONE}")


def test_the_record_and_the_table():
    verdict = LeakReport((LeakCheckResult("copies", "9 rows", (ONE, ONE)), LeakCheckResult("identifier", "2 columns")))
    assert json.loads(verdict.to_json())["passed"] is False
    assert verdict.charges == (ONE,)
    assert verdict.table()["outcome"].tolist() == ["2 charged", "passed"]


def test_some_of_many():
    assert list_names(["a", "b"]) == "a, b"
    assert list_names([*"abcdefg"]) == "a, b, c, d, e and 2 more"
