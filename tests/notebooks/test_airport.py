"""The airport surveys have common names and a common scale; codes are mapped, on real interviews."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from features.settings import Workspace, find_workspace, real_data_root
from insight.satisfaction.crosstabs import cross_tabulate
from insight.satisfaction.satisfaction_metrics import SATISFACTION_METRICS
from insight.satisfaction.satisfaction_settings import SatisfactionSettings

sys.path.append(str(Path(__file__).parents[2] / "notebooks"))
from airport import ITEMS, as_questions, read_airport_surveys

ROWS = {2011: 3872, 2012: 3521, 2013: 3535, 2014: 2818, 2015: 2958, 2016: 3087, 2017: 2831}


def test_without_data_the_result_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("GOODWILL_REAL_DATA", str(tmp_path))
    assert read_airport_surveys(Workspace(tmp_path)) is None


@pytest.fixture(scope="module")
def surveys() -> pd.DataFrame:
    workspace = find_workspace()
    found = read_airport_surveys(workspace)
    if found is None:
        pytest.skip(f"no airport surveys in {real_data_root(workspace)}")
    return found


@pytest.mark.real_data
def test_all_interviews_of_all_years_have_one_scale(surveys):
    assert surveys["year"].value_counts().to_dict() == ROWS
    assert set(surveys[["overall", *ITEMS]].stack().dropna().unique()) == {
        0.0,
        25.0,
        50.0,
        75.0,
        100.0,
    }
    assert (surveys.groupby("year")[["overall", *ITEMS]].count() > 2000).all(axis=None)


@pytest.mark.real_data
def test_codes_for_no_answer_are_missing(surveys):
    """2011: 132 blanks and 46 'not used' for the overall question; 2017: 84 'don't know' and a blank."""
    assert surveys.loc[surveys["year"] == 2011, "overall"].isna().sum() == 132 + 46
    assert surveys.loc[surveys["year"] == 2017, "recommend"].isna().sum() == 84 + 1


@pytest.mark.real_data
def test_satisfaction_rises_beyond_chance(surveys):
    table = cross_tabulate(
        SATISFACTION_METRICS["csat_index"],
        as_questions(surveys, "overall"),
        SatisfactionSettings(),
        ("period",),
    ).table
    assert table["low"].iloc[-1] > table["high"].iloc[0] + 0.1
