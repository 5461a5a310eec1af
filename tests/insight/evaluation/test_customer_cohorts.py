"""Cohorts of customers by the quarter they came, and the share that stays."""

from datetime import date

import pytest

from features.errors import DataRefused
from insight.evaluation.customer_cohorts import measure_cohorts
from support.survey_builders import on, write_history

INSIGHT = {"satisfaction": {"fewest": 2}}


def event(customer, month, kind="contract", day=10):
    return {
        "customer_id": customer, "occurred_at": on(month, day), "known_at": on(month, day),
        "kind": kind,
    }  # fmt: skip


def measure(folder, rows, **changes):
    company, workspace, _ = write_history(folder, events=rows, insight=INSIGHT, **changes)
    return measure_cohorts(company, workspace)


def test_the_share_that_stays_by_quarter(tmp_path):
    rows = [
        *(event(c, 1) for c in "AB"), event("B", 8, "cancel"),
        *(event(c, 5) for c in "CDEF"), event("C", 6, "cancel"), event("D", 11, "cancel"),
        event("G", 11), event("C", 2, "login"),
    ]  # fmt: skip
    first, second = measure(tmp_path, rows, churn="cancel")
    assert (first.start, first.customers, first.earlier) == (date(2025, 1, 1), 2, True)
    assert first.kept == [1.0, 1.0, 0.5, 0.5]
    assert (second.start, second.customers, second.earlier) == (date(2025, 4, 1), 4, False)
    assert second.kept == [0.75, 0.75, 0.5]  # G alone is no cohort


def test_without_contracts_a_customer_comes_with_the_first_order(tmp_path):
    rows = [event("A", 1, "login"), *(event(c, 4, "order") for c in "AB"), event("A", 12, "order")]
    (found,) = measure(tmp_path, rows, targets={"active_days": 90})
    assert (found.start, found.kept) == (date(2025, 4, 1), [1.0, 0.0, 0.5])


def test_data_that_begin_within_a_quarter_have_older_customers_in_the_next(tmp_path):
    rows = [event(c, 4) for c in "AB"]
    (found,) = measure(tmp_path, rows, start="2025-02-15T00:00:00+00:00", churn="cancel")
    assert found.earlier


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ("2025-10-01T00:00:00+00:00", "1 whole quarters of data; cohorts need 2"),
        ("2025-01-01T00:00:00+00:00", "no quarter has 2 new customers"),
    ],
)
def test_too_little_data_is_refused(tmp_path, start, why):
    with pytest.raises(DataRefused, match=why):
        measure(tmp_path, [event("A", 11)], start=start, churn="cancel")
