"""Questions as they were asked: on one scale, with the attributes of their day, unanswered ones too."""

from datetime import timedelta

import numpy as np
import pytest

from features.errors import ConfigRefused, DataRefused
from features.history_store import open_history
from insight.satisfaction.responses import read_questions
from insight.satisfaction.satisfaction_settings import Satisfaction
from support.survey_builders import END, on, said, write


def read(folder, choices=None, **tables):
    company, workspace, manifest = write(folder, **tables)
    with open_history(workspace.history(company.name)) as con:
        return read_questions(con, manifest, choices or Satisfaction())


def test_answers_are_on_0_to_100_and_silence_is_kept(tmp_path):
    rows = [said("A", on(2), 5.0), said("A", on(5), 2.0), said("B", on(5), None)]
    table = read(tmp_path, surveys=rows)
    assert table["score"].tolist()[:2] == [100.0, 25.0]
    assert table["score"].isna().tolist() == [False, False, True]
    assert table["period"].dt.strftime("%Y-%m-%d").tolist() == [
        "2025-01-01",
        "2025-04-01",
        "2025-04-01",
    ]
    assert set(table["channel"]) == {"unknown"}


def test_an_answer_after_the_end_of_the_data_is_none(tmp_path):
    late = said("A", END - timedelta(hours=1), 5.0)
    assert read(tmp_path, surveys=[said("A", on(2), 5.0), late])["score"].isna().tolist() == [
        False,
        True,
    ]


def test_attributes_are_those_of_the_day_of_asking(tmp_path):
    customers = [
        {"customer_id": "A", "valid_from": on(1), "region": "north"},
        {"customer_id": "A", "valid_from": on(4), "region": "south"},
    ]
    rows = [said("A", on(2), 5.0), said("A", on(5), 4.0), said("B", on(5), 3.0)]
    table = read(tmp_path, Satisfaction(by=["region"]), surveys=rows, customers=customers)
    assert table["region"].tolist() == ["north", "south", "unknown"]


def test_an_attribute_the_customers_lack_is_refused(tmp_path):
    customers = [{"customer_id": "A", "valid_from": on(1), "region": "north"}]
    with pytest.raises(ConfigRefused, match=r"names regoin; did you mean region"):
        read(
            tmp_path,
            Satisfaction(by=["regoin"]),
            surveys=[said("A", on(2), 5.0)],
            customers=customers,
        )


def test_scales_that_disagree_within_one_question_are_refused(tmp_path):
    rows = [said("A", on(2), 5.0), said("B", on(2), 8.0, scale_high=10.0)]
    with pytest.raises(DataRefused, match=r"csat overall: the scales disagree"):
        read(tmp_path, surveys=rows)


def test_two_questions_may_have_two_scales(tmp_path):
    rows = [
        said("A", on(2), 5.0),
        said("B", on(2), 9.0, instrument="nps", scale_low=0.0, scale_high=10.0),
    ]
    assert read(tmp_path, surveys=rows)["score"].tolist() == [100.0, 90.0]


@pytest.mark.parametrize(("how", "mean"), [("linear", 66.6), ("equipercentile", 50.0)])
def test_a_company_may_say_how_scales_come_together(tmp_path, how, mean):
    """40 answers evenly over 1 to 5, then 30 of 10 points whose middle is 7: the same people."""
    five = [said(f"A{i}", on(2), 1.0 + i % 5) for i in range(40)]
    ten = [said(f"B{i}", on(5), 6.0 + i % 3, scale_high=10.0) for i in range(30)]
    table = read(tmp_path, Satisfaction(mixed_scales=how), surveys=five + ten)
    later = table[table["customer_id"].str.startswith("B")]["score"]
    assert np.isclose(later.mean(), mean, atol=0.7)


def test_without_surveys_nothing_is_measured(tmp_path):
    with pytest.raises(DataRefused, match="no surveys; satisfaction is measured by asking"):
        read(tmp_path, events=[{"customer_id": "A", "occurred_at": on(2), "kind": "order"}])
