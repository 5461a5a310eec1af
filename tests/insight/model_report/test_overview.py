"""Sums, the call list and the past on four customers, checkable by eye."""

from datetime import date

import pytest

from insight.model_report.history_series import answered, history, months
from insight.model_report.overview import add_up, calls
from insight.model_report.overview_plots import month_pictures, score_pictures
from insight.report_facts import gather, read_scores


def test_the_sums(world, four_targets):
    sums = add_up(read_scores(*world(four_targets)))
    assert (sums.customers, sums.current) == (4, 3)
    assert sums.satisfaction == 50.0
    assert sums.satisfaction_current == pytest.approx(160 / 3)
    assert sums.nps == pytest.approx(-10.0)  # promoters 0.3 less detractors 0.4
    assert sums.leavers == pytest.approx(0.85)  # the one who is gone does not leave again
    assert sums.expected == 1296.0
    assert sums.at_risk == pytest.approx(50 + 100 + 50)


def test_what_a_company_lacks_is_none(world, scores_of):
    sums = add_up(read_scores(*world(scores_of("satisfaction"))))
    assert sums.satisfaction == 50.0
    assert [sums.current, sums.nps, sums.leavers, sums.expected, sums.at_risk] == [None] * 5


def test_calls_go_by_probability_times_value(world, four_targets):
    found = calls(read_scores(*world(four_targets)), "EUR")
    assert [row[0] for row in found.rows] == ["C2", "C1", "C3"]  # a draw keeps the file's order
    assert found.columns == (
        "customer", "leaves", "expected value, EUR", "at risk, EUR", "satisfaction of 100",
        "dissatisfied", "NPS",
    )  # fmt: skip
    assert found.rows[0] == (
        "C2", "10.0 %", "1,000", "100", "80", "10.0 %", "promoter, 70.0 %",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("target", "first", "order"),
    [
        ("churn", "C1", "by probability of leaving"),
        ("satisfaction", "C1", "by probability of being dissatisfied"),
        ("nps", "C1", "by probability of being a detractor"),
        ("value", "C2", "by expected value"),
    ],
)
def test_with_one_target_calls_go_by_it(world, scores_of, target, first, order):
    found = calls(read_scores(*world(scores_of(target))), "EUR")
    assert (found.rows[0][0], found.order) == (first, order)
    assert len(found.rows) == (3 if target == "churn" else 4)


def test_at_most_fifteen_are_called(world, scores_of):
    many = {name: values * 10 for name, values in scores_of("churn").items()}
    assert len(calls(read_scores(*world(many)), "EUR").rows) == 15


def test_last_years_answers(world, surveys):
    facts = gather(*world(surveys=surveys))
    with history(facts.workspace, "tiny") as con:
        said = answered(con, facts.manifest)
    assert (said["satisfaction"].asked, said["satisfaction"].answered) == (3, 2)
    assert said["satisfaction"].figure == 75.0  # 100 and 50; the 0 is older than a year
    assert (said["nps"].asked, said["nps"].answered) == (4, 3)
    assert said["nps"].figure == pytest.approx(-100 / 3)


def test_whole_months(world, surveys):
    facts = gather(*world(surveys=surveys))
    with history(facts.workspace, "tiny") as con:
        found = months(con, facts.manifest)
    assert set(found) == {"revenue", "active"}  # too few answers a month to show a mean
    assert found["revenue"].first_days[:2] == [date(2025, 1, 1), date(2025, 2, 1)]
    assert found["revenue"].numbers[:3].tolist() == [150.0, 150.0, 120.0]
    assert found["active"].numbers.tolist() == [2.0] * 12


def test_pictures_say_what_is_seen(world, four_targets):
    facts = gather(*world(four_targets))
    drawn = score_pictures(facts.scores, "EUR")
    assert [p.finding for p in drawn] == [
        "Four fifths of the current customers score 28 to 76",
        "1 of 3 current customers are likelier to leave than to stay",
        "A tenth of the customers holds 30.9 % of the expected value",
        "3 customers hold 100 % of the value at risk",
    ]
    with history(facts.workspace, "tiny") as con:
        past = month_pictures(months(con, facts.manifest), "EUR")
    assert past[0].finding == "Revenue, last half year up 3.4 % on the one before"
    assert all(p.source.startswith("data:image/png;base64,") for p in [*drawn, *past])
