"""Derived columns on literal rows."""

import numpy as np
import pytest

from features.contract import TABLES
from features.history.build_history import build_history
from features.history.derived_columns import DERIVED, add_derived_columns
from support.table_builders import contract_table

NAN = float("nan")


def derived(table: str, column: str, *rows: dict) -> list[float]:
    clock = TABLES[table].clock
    made = [{"customer_id": "A", clock: 2 + i / 1000} | row for i, row in enumerate(rows)]
    rows_ = build_history({table: contract_table(table, made)}).tables[table]
    add_derived_columns(rows_, [column])
    found: list[float] = rows_.numbers[column].tolist()
    return found


@pytest.mark.parametrize(
    ("column", "answers"),
    [
        ("lateness_days", [1.5, -2, 0, NAN]),
        ("overdue_days", [1.5, 0, 0, NAN]),
        ("late", [1, 0, 0, NAN]),
    ],
)
def test_lateness(column, answers):
    rows = [
        {"kind": "shipment", "occurred_at": at, "due_at": due}
        for at, due in ((3.5, 2), (4, 6), (5, 5), (6, None))
    ]
    assert derived("events", column, *rows) == pytest.approx(answers, nan_ok=True)


def test_levels_map_any_scale_to_0_to_100():
    rows = [
        {"scale_low": low, "scale_high": high, "score": score, "answered_at": 3}
        for low, high, score in (
            (1, 5, 1), (1, 5, 4), (0, 10, 7), (1, 7, 4), (5, 1, 5), (1, 5, None), (3, 3, 3),
        )
    ]  # fmt: skip
    found = derived("surveys", "level", *rows)
    assert found[:5] == [0, 75, 70, 50, 0]
    assert np.isnan(found[5:]).all(), "no answer, or a scale without length"


def test_gap_is_perception_minus_expectation():
    scale = {"scale_low": 1, "scale_high": 5}
    rows = [
        scale | {"score": 3, "expectation": 5}, scale | {"score": 5, "expectation": 4},
        scale | {"score": 5}, scale | {"expectation": 5},
    ]  # fmt: skip
    assert derived("surveys", "gap", *rows) == pytest.approx([-50, 25, NAN, NAN], nan_ok=True)
    levels = derived("surveys", "expected_level", *rows)
    assert levels == pytest.approx([100, 75, NAN, 100], nan_ok=True)


def test_durations_in_hours():
    rows = [
        {"opened_at": 2, "first_reply_at": 2.5, "closed_at": 4}, {"opened_at": 3},
        {"opened_at": 4, "closed_at": 4},
    ]  # fmt: skip
    found = derived("tickets", "reply_hours", *rows)
    assert found == pytest.approx([12, NAN, NAN], nan_ok=True)
    found = derived("tickets", "resolution_hours", *rows)
    assert found == pytest.approx([48, NAN, 0], nan_ok=True)
    asked = {"scale_low": 1, "scale_high": 5}
    rows = [asked | {"sent_at": 2, "answered_at": 3.25}, asked | {"sent_at": 3}]
    assert derived("surveys", "answer_hours", *rows) == pytest.approx([30, NAN], nan_ok=True)


@pytest.mark.parametrize("table", ["surveys", "tickets"])
def test_sentiment_of_comments(table):
    rows = [{"comment": "excellent, we love it"}, {"comment": None}, {"comment": "terrible, awful"}]
    good, none, bad = derived(table, "sentiment", *rows)
    assert good > 0 > bad
    assert np.isnan(none)
    assert np.isnan(derived(table, "sentiment", {"comment": None})).all()


@pytest.mark.parametrize("table", ["surveys", "tickets"])
def test_topics_of_comments(table):
    rows = [{"comment": "the delivery was late"}, {"comment": None}, {"comment": "我们很满意"}]
    assert derived(table, "about_delivery", *rows) == pytest.approx([1, NAN, 0], nan_ok=True)
    assert derived(table, "about_price", *rows) == pytest.approx([0, NAN, 0], nan_ok=True)
    assert np.isnan(derived(table, "tone", *rows)).all(), "no model was given"


def test_an_empty_table_has_empty_columns():
    for name, columns in DERIVED.items():
        rows = build_history({name: contract_table(name, [])}, customers=["A"]).tables[name]
        add_derived_columns(rows, columns)
        assert all(len(rows.numbers[column]) == 0 for column in columns)


def test_each_derived_column_has_a_unit_and_needed_columns():
    for name, columns in DERIVED.items():
        for column, declared in columns.items():
            assert column not in TABLES[name].names
            assert declared.unit
            assert set(declared.needs) <= set(TABLES[name].names)
            late = {TABLES[name].column(n).revealed_by for n in declared.needs} - {None}
            assert late <= {declared.revealed_by}, "revealed no earlier than what it is made of"
