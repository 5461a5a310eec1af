"""Implausible feedback is quarantined with the call it came by, and never stops an import."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from features.config.feedback_settings import FeedbackSettings
from support.feedback_builders import RECEIVED, USUAL, WITHDRAWAL, EventImport, call, own, sent

#: Orders over 100 to 199 with two pieces each, and a few returns of negative quantity.
HUNDREDS = [
    own(f"2025-05-01T07:00:{i % 60:02}Z", amount=100.0 + i, quantity=2.0) for i in range(100)
]
RETURNS = [own("2025-05-02T07:00:00Z", kind="return", amount=-50.0, quantity=-1.0)] * 5


def judged(tmp_path: Path, settings: FeedbackSettings = USUAL, **event: Any) -> str:
    """The rule that an event breaks in a company of hundreds; empty for an imported one."""
    applied = EventImport(tmp_path, [*HUNDREDS, *RETURNS], settings).apply(call(sent(**event)))
    (row,) = applied.outcomes.to_pylist()
    assert row["state"] == ("quarantined" if row["rule"] else "imported")
    return row["rule"] or ""


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        ({"amount": 150.0}, ""),
        ({"amount": 15_000.0}, ""),
        ({"amount": 1e9}, "amount: implausibly large"),
        ({"amount": -1e9}, "amount: implausibly large"),
        ({"amount": 1e308}, "amount: implausibly large"),
        ({"amount": float("inf")}, "amount: not a finite number"),
        ({"amount": float("nan")}, "amount: not a finite number"),
        ({"kind": "renewal", "amount": 1e9}, "amount: implausibly large"),
        ({"kind": "renewal", "amount": 9_000.0}, ""),
        ({"quantity": 150.0}, ""),
        ({"quantity": 1e6}, "quantity: implausibly large"),
        ({"quantity": -1.0}, "quantity: negative"),
        ({"kind": "return", "quantity": -1.0}, ""),
        ({"occurred_at": "1970-01-01T00:00:00Z"}, "occurred_at: long before the company's events"),
        ({"occurred_at": "2024-06-01T00:00:00Z"}, ""),
        ({"occurred_at": "2099-01-01T00:00:00Z"},
         "occurred_at: more than a year after it was received"),
        ({"occurred_at": "yesterday"}, "occurred_at: not a time with an offset"),
        ({"occurred_at": "2025-06-12T07:00:00"}, "occurred_at: not a time with an offset"),
    ],
)  # fmt: skip
def test_the_companys_own_events_set_the_bounds(
    tmp_path: Path, event: dict[str, Any], rule: str
) -> None:
    assert judged(tmp_path, **event) == rule


def test_the_bounds_are_settings(tmp_path: Path) -> None:
    assert judged(tmp_path, FeedbackSettings(largest_amount=2e9), amount=1e9) == ""
    assert judged(tmp_path, FeedbackSettings(largest_amount=140.0), amount=150.0)
    assert judged(tmp_path, FeedbackSettings(plausible_multiple=1.5), amount=400.0)
    early = FeedbackSettings.model_validate({"earliest": "1960-01-01T00:00:00Z"})
    assert judged(tmp_path, early, occurred_at="1970-01-01T00:00:00Z") == ""


def test_typing_errors_in_the_table_do_not_widen_the_bounds(tmp_path: Path) -> None:
    company = EventImport(tmp_path, [*HUNDREDS, own(amount=1e12)])
    assert company.apply(call(sent(amount=1e9))).counts() == {"quarantined": 1}


def test_a_rare_kind_may_be_larger_than_the_usual_one(tmp_path: Path) -> None:
    company = EventImport(tmp_path, [*HUNDREDS, own(kind="contract", amount=80_000.0)])
    contract = sent(kind="contract", amount=120_000.0)
    assert company.apply(call(contract)).counts() == {"imported": 1}


def test_a_young_company_has_wide_bounds(tmp_path: Path) -> None:
    applied = EventImport(tmp_path, [own()]).apply(call(sent(amount=1e9), sent(amount=1e13)))
    assert applied.counts() == {"imported": 1, "quarantined": 1}
    applied = EventImport(tmp_path).apply(call(sent(amount=1e9), sent(amount=1e13)))
    assert applied.counts() == {"imported": 1, "quarantined": 1}


def test_the_quarantine_names_the_call(tmp_path: Path) -> None:
    company = EventImport(tmp_path, HUNDREDS)
    company.apply(call(sent(amount=1e9), sent(amount=120.0), name="0a1b", request_id="r-7"))
    (row,) = pq.read_table(company.quarantine).to_pylist()
    assert row["broken_rules"] == "amount: implausibly large"
    assert (row["call"], row["client"], row["request_id"]) == ("0a1b", "crm", "r-7")
    assert (row["received_at"], row["customer_id"], row["amount"]) == (RECEIVED, "A", 1e9)
    assert row["value"] == "1e+09"
    assert 19_000 < row["bound"] < 21_000
    assert [(line.step, line.rule) for line in company.audit.lines[2:]] == [
        ("quarantine", "implausible feedback, amount: implausibly large"),
    ]
    EventImport(tmp_path, HUNDREDS).apply(call(sent(amount=120.0)))
    assert not company.quarantine.exists()


def test_withdrawn_and_waiting_events_are_left_out_and_counted(tmp_path: Path) -> None:
    company = EventImport(tmp_path, HUNDREDS)
    applied = company.apply(
        call(sent(), sent(amount=1e308), name="a", withdrawal=WITHDRAWAL),
        call(sent(customer_id="Z"), sent("2025-07-01T00:00:00Z"), sent(), name="b"),
    )
    states = {"imported": 1, "withdrawn": 2, "waiting: unknown customer": 1}
    assert applied.counts() == states | {"waiting: after the end": 1}
    assert applied.waiting == 2
    assert [(line.rule, line.rows) for line in company.audit.lines[2:]] == [
        ("withdrawn feedback", 2),
        ("feedback of unknown customers waits", 1),
        ("feedback from after the end of the data waits", 1),
    ]
    (row,) = [e for e in company.events() if e["occurred_at"].month == 6]
    assert row["known_at"] == RECEIVED
