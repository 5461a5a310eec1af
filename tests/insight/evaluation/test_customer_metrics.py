"""Measures of a day: what a company needs for them, and ratings that belong to nobody."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from features.errors import DataRefused
from features.settings import Workspace
from insight.evaluation.customer_metrics import MetricCalculator
from insight.evaluation.evaluation_settings import read_evaluation_settings
from support.evaluation_company import company

RATINGS = pd.DataFrame({"customer_credit": [3.0, 4.0]}, index=["A", "Z"])


def measurer(home: Path, ratings: pd.DataFrame | None) -> MetricCalculator:
    made = company()
    return MetricCalculator(made, Workspace(home), read_evaluation_settings(made), ratings)


def test_ratings_of_customers_who_are_not_known_are_told(tmp_path: Path) -> None:
    known = pd.Index(["A", "B"])
    told = measurer(tmp_path, RATINGS).rated_in_vain(known)
    assert told.startswith("1 of 2 customers rated by experts are not known (first: Z)")
    assert measurer(tmp_path, RATINGS.head(1)).rated_in_vain(known) == ""
    assert measurer(tmp_path, None).rated_in_vain(known) == ""


def test_a_company_of_surveys_only_is_told_what_value_is_made_of(tmp_path: Path) -> None:
    with pytest.raises(
        DataRefused, match=r"no events; .*orders: map them under \[tables\.events\]"
    ):
        measurer(tmp_path, None).on(datetime(2026, 1, 1, tzinfo=UTC), None)
