"""Survey questions on one scale, with the attributes of the day, unanswered ones included."""

from datetime import timedelta

import numpy as np
import pytest

from features.errors import ConfigRefused, DataRefused
from features.history_store import open_history
from insight.satisfaction.responses import read_questions
from insight.satisfaction.satisfaction_settings import SatisfactionSettings
from support.survey_builders import END, on, survey_answer, write_history


def read(folder, settings=None, **tables):
    company, workspace, manifest = write_history(folder, **tables)
    with open_history(workspace.history(company.name)) as con:
        return read_questions(con, manifest, settings or SatisfactionSettings())


def test_answers_are_on_0_to_100_and_unanswered_questions_are_kept(tmp_path):
    rows = [
        survey_answer("A", on(2), 5.0),
        survey_answer("A", on(5), 2.0),
        survey_answer("B", on(5), None),
    ]
    table = read(tmp_path, surveys=rows)
    assert table["score"].tolist()[:2] == [100.0, 25.0]
    assert table["score"].isna().tolist() == [False, False, True]
    assert table["period"].dt.strftime("%Y-%m-%d").tolist() == [
        "2025-01-01",
        "2025-04-01",
        "2025-04-01",
    ]
    assert set(table["channel"]) == {"unknown"}


def test_an_answer_after_the_end_of_the_data_is_missing(tmp_path):
    late = survey_answer("A", END - timedelta(hours=1), 5.0)
    assert read(tmp_path, surveys=[survey_answer("A", on(2), 5.0), late])[
        "score"
    ].isna().tolist() == [
        False,
        True,
    ]


def test_attributes_are_those_when_the_question_was_sent(tmp_path):
    customers = [
        {"customer_id": "A", "valid_from": on(1), "region": "north"},
        {"customer_id": "A", "valid_from": on(4), "region": "south"},
    ]
    rows = [
        survey_answer("A", on(2), 5.0),
        survey_answer("A", on(5), 4.0),
        survey_answer("B", on(5), 3.0),
    ]
    table = read(tmp_path, SatisfactionSettings(by=["region"]), surveys=rows, customers=customers)
    assert table["region"].tolist() == ["north", "south", "unknown"]


def test_an_attribute_the_customers_lack_is_refused(tmp_path):
    customers = [{"customer_id": "A", "valid_from": on(1), "region": "north"}]
    with pytest.raises(ConfigRefused, match=r"names regoin; did you mean region"):
        read(
            tmp_path,
            SatisfactionSettings(by=["regoin"]),
            surveys=[survey_answer("A", on(2), 5.0)],
            customers=customers,
        )


def test_different_scales_within_one_question_are_refused(tmp_path):
    rows = [survey_answer("A", on(2), 5.0), survey_answer("B", on(2), 8.0, scale_high=10.0)]
    with pytest.raises(DataRefused, match=r"csat overall: the scales disagree"):
        read(tmp_path, surveys=rows)


def test_two_questions_may_have_two_scales(tmp_path):
    rows = [
        survey_answer("A", on(2), 5.0),
        survey_answer("B", on(2), 9.0, instrument="nps", scale_low=0.0, scale_high=10.0),
    ]
    assert read(tmp_path, surveys=rows)["score"].tolist() == [100.0, 90.0]


@pytest.mark.parametrize(("how", "mean"), [("linear", 66.6), ("equipercentile", 50.0)])
def test_mixed_scales_are_combined_as_configured(tmp_path, how, mean):
    """40 answers evenly over 1 to 5, then 30 on 10 points with mean 7, from the same population."""
    five = [survey_answer(f"A{i}", on(2), 1.0 + i % 5) for i in range(40)]
    ten = [survey_answer(f"B{i}", on(5), 6.0 + i % 3, scale_high=10.0) for i in range(30)]
    table = read(tmp_path, SatisfactionSettings(mixed_scales=how), surveys=five + ten)
    later = table[table["customer_id"].str.startswith("B")]["score"]
    assert np.isclose(later.mean(), mean, atol=0.7)


def test_a_company_without_surveys_is_refused(tmp_path):
    with pytest.raises(DataRefused, match="no surveys; satisfaction is measured with surveys"):
        read(tmp_path, events=[{"customer_id": "A", "occurred_at": on(2), "kind": "order"}])
