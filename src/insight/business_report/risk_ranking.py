"""The order in which customers are called: the most revenue at risk first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from insight.calls.call_ranking import rank_by_risk
from insight.report_facts import ReportFacts, ScoreColumns
from insight.value.expected_totals import ExpectedTotal, expected_total
from models.evaluation.sum_errors import SumErrors


@dataclass(frozen=True)
class RankedCustomers:
    """Current customers in order; `by` names what they are sorted by.

    `table` has `value`, `churn` and `dissatisfied` where they are predicted, and `amount`: the expected
    value × the higher probability of churn or dissatisfaction, without one of the three predictions
    that of the others. `by` is `value_risk`, `any_churn`, ...: money or a probability, and which risk.
    """

    table: pd.DataFrame
    by: str

    @property
    def is_money(self) -> bool:
        """Whether `amount` is an amount of money rather than a probability."""
        return self.by.startswith("value")


def rank_customers(scores: ScoreColumns) -> RankedCustomers:
    """Rank current customers by value times the higher probability of churn or dissatisfaction."""
    ranking = rank_by_risk(scores.columns, len(scores))
    ids = scores.columns["customer_id"][ranking.rows]
    index = pd.Index([str(i) for i in ids], name="customer_id")
    columns = {**ranking.predicted, "amount": ranking.amounts}
    return RankedCustomers(pd.DataFrame(columns, index=index), ranking.by)


def revenue_at_risk(
    table: pd.DataFrame, facts: ReportFacts
) -> tuple[ExpectedTotal, ExpectedTotal] | None:
    """The expected revenue of the customers, and the part at risk: probability of churn × value.

    None where value or churn is not predicted.
    """
    if not {"value", "churn"} <= set(table):
        return None
    expected, churn = (table[n].to_numpy(np.float64) for n in ("value", "churn"))
    bundle = facts.bundles.get("value")
    stored = bundle.manifest.sums if bundle else None
    errors = SumErrors.from_dict(stored) if stored else None
    return expected_total(expected, errors), expected_total(expected, errors, churn)
