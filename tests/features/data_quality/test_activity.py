"""Checks of customers by first and last activity."""

import duckdb

from features.data_quality import activity
from support.checked_table_builders import build_checked_table, finding_rows, order_rows


def laid_out(rows, **more):
    made = build_checked_table("events", rows, **more)
    activity.create_activity_table(made.connection, [made])
    return made


def test_first_and_last_seen_by_month_without_gaps():
    rows = [{"customer_id": c, "occurred_at": d, "kind": "order"}
            for c, d in (("A", 0), ("A", 40), ("B", 5), ("C", 100))]  # fmt: skip
    assert activity.count_first_and_last_seen(laid_out(rows)) == [
        ("2024-01", 2, 1), ("2024-02", 0, 1), ("2024-03", 0, 0), ("2024-04", 1, 1),
    ]  # fmt: skip


def test_crm_customers_without_rows_in_other_tables():
    con = duckdb.connect()
    people = build_checked_table("customers", [{"customer_id": c} for c in "ABCD"], con=con)
    events = build_checked_table("events", order_rows([0]), con=con)
    activity.create_activity_table(con, [people, events])
    (found,) = activity.check_never_active(people)
    assert finding_rows([found]) == [("customers.customer_id", "never active", "warning", 3, 4)]
    assert list(activity.check_never_active(events)) == []


def test_a_month_with_far_more_newcomers_than_usual():
    rows = [{"customer_id": f"{m}-{i}", "occurred_at": m * 30.5, "kind": "order"}
            for m in range(12) for i in range(60 if m == 7 else 4)]  # fmt: skip
    (found,) = activity.check_newcomer_surges(laid_out(rows))
    assert found.says.startswith("60 customers are first seen in 2024-08, 4 in a usual month")
    rows = [r for r in rows if not r["customer_id"].startswith("7-")]
    assert list(activity.check_newcomer_surges(laid_out(rows))) == []


def test_ids_that_differ_only_in_spelling():
    rows = [{"customer_id": c, "occurred_at": 0, "kind": "order"}
            for c in ("A1", "a1 ", "007", "7", "B")]  # fmt: skip
    (found,) = activity.check_id_spellings(laid_out(rows))
    assert (found.rows, found.total) == (2, 5)
    assert "'007' and '7'" in found.says


def test_an_id_with_a_large_share_of_the_rows():
    rows = [{"customer_id": f"C{i}", "occurred_at": 0, "kind": "order"} for i in range(200)]
    assert list(activity.check_collective_id(laid_out(rows))) == []
    rows += [{"customer_id": "CASH", "occurred_at": 1, "kind": "order"}] * 20
    (found,) = activity.check_collective_id(laid_out(rows))
    assert (found.rows, found.total, found.evidence) == (20, 220, {"example": ["CASH"]})


def test_surveys_without_unanswered_questions():
    asked = {"customer_id": "A", "sent_at": 0, "answered_at": 1, "instrument": "csat"}
    assert len(list(activity.check_answer_rate(build_checked_table("surveys", [asked] * 100)))) == 1
    some = [*[asked] * 100, {**asked, "answered_at": None}]
    assert list(activity.check_answer_rate(build_checked_table("surveys", some))) == []
