"""The order of the call list, and the revenue at risk of all customers."""

import pytest

from insight.business_report.report_inputs import load_report_inputs
from insight.business_report.risk_ranking import rank_customers, revenue_at_risk


def ranked(world, scores_of, *targets):
    facts = load_report_inputs(*world(scores_of(*targets)), "en").facts
    return rank_customers(facts.scores), facts


def test_value_times_the_higher_risk(world, scores_of):
    """C1 100 x 0.8, C2 1000 x 0.1, C3 200 x 0.25; C4 is gone."""
    found, facts = ranked(world, scores_of, "satisfaction", "nps", "churn", "value")
    assert found.table["amount"].to_dict() == {"C2": 100.0, "C1": 80.0, "C3": 50.0}
    assert (found.by, found.is_money) == ("value_risk", True)
    total, lost = revenue_at_risk(found.table, facts)
    assert (total.value, lost.value) == (1300.0, 200.0)


@pytest.mark.parametrize(
    ("targets", "by", "first"),
    [
        (("churn", "value"), "value_churn", ("C2", 100.0)),
        (("nps", "value"), "value_dissatisfied", ("C2", 100.0)),
        (("churn",), "any_churn", ("C1", 0.5)),
        (("nps",), "any_dissatisfied", ("C1", 0.7)),
        (("value",), "value_only", ("C2", 1000.0)),
    ],
)
def test_without_a_prediction_the_others_decide(world, scores_of, targets, by, first):
    found, facts = ranked(world, scores_of, *targets)
    assert found.by == by
    assert (found.table.index[0], found.table["amount"].iloc[0]) == first
    assert (revenue_at_risk(found.table, facts) is None) == (set(targets) != {"churn", "value"})
