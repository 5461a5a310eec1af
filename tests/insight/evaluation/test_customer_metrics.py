"""Customer metrics of a day: required data, and ratings of unknown customers."""

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


def calculator(home: Path, ratings: pd.DataFrame | None) -> MetricCalculator:
    tiny = company()
    return MetricCalculator(tiny, Workspace(home), read_evaluation_settings(tiny), ratings)


def test_ratings_of_unknown_customers_give_a_warning(tmp_path: Path) -> None:
    known = pd.Index(["A", "B"])
    warning = calculator(tmp_path, RATINGS).unknown_rated(known)
    assert warning.startswith("1 of 2 customers rated by experts are not known (first: Z)")
    assert calculator(tmp_path, RATINGS.head(1)).unknown_rated(known) == ""
    assert calculator(tmp_path, None).unknown_rated(known) == ""


def test_a_company_without_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataRefused, match=r"no events; .*orders: map them under \[tables\.events\]"
    ):
        calculator(tmp_path, None).on(datetime(2026, 1, 1, tzinfo=UTC), None)


def test_agreement_of_the_raters_comes_from_the_file_of_ratings(tmp_path: Path) -> None:
    lines = [f"C{i},{rater},customer_credit,{i}" for i in (1, 2, 3, 4) for rater in "xy"]
    file = tmp_path / "ratings.csv"
    file.write_text("\n".join(["customer_id,rater,item,score", *lines]), encoding="utf-8")
    rated = company(value={"experts": {"file": str(file)}})
    settings = read_evaluation_settings(rated)
    (credit,) = MetricCalculator.for_company(rated, Workspace(tmp_path), settings).agreement
    assert (credit.item, credit.raters) == ("customer_credit", 2)
    assert credit.icc is not None
    assert credit.icc.value == 1
    file.write_text("\n".join(["customer_id,rater,item,score", *lines[::2]]), encoding="utf-8")
    assert MetricCalculator.for_company(rated, Workspace(tmp_path), settings).agreement == []
    assert calculator(tmp_path, None).agreement == []
