"""No feature looks ahead: every registered column is tested, and planted leaks are detected."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import features.feature_table as feature_table_module
import features.history.build_history as build_history_module
from features.contract import EVENTS, SURVEYS, TABLES, TICKETS
from features.definitions.expressions import Aggregate, Past, View
from features.definitions.feature_registry import REGISTRY, feature
from features.engine import kernel
from features.engine.compute_features import FeaturePlan
from features.engine.packing import Stream
from features.feature_table import feature_table, plan_for
from features.history.build_history import build_history
from features.history.derived_columns import DERIVED, DerivedColumn
from features.history.history_table import DAY
from features.history_store import Manifest
from features.text.comment_score_model import CommentScoreModel
from features.truncation_check import find_leaking_features, truncate
from support.table_builders import column_of, contract_table, micro

Tables = dict[str, pa.Table]
PAST = Past()


def instant(*date: int) -> int:
    return round(datetime(*date, tzinfo=UTC).timestamp() * 1e6)


#: Mid-day and midnight, summer and winter, the very first instant and the end of the data.
CUTOFFS = (
    instant(2024, 7, 1),
    instant(2024, 10, 27),
    instant(2025, 3, 30, 13, 37),
    instant(2025, 9, 1),
    instant(2026, 1, 15, 9),
    instant(2026, 6, 30, 23, 59, 59),
)
FEW = (instant(2025, 3, 30, 13, 37), instant(2026, 1, 15, 9))


@pytest.fixture(scope="module")
def manifest(tiny_company) -> Manifest:
    company, workspace = tiny_company
    return Manifest.read(workspace, company.name)


@pytest.fixture(scope="module")
def everyone(tiny_tables: Tables) -> pa.Array:
    return pc.unique(tiny_tables["customers"]["customer_id"].combine_chunks())


@pytest.fixture(scope="module")
def comment_model(tiny_tables: Tables) -> CommentScoreModel:
    """A comment score model, fitted before any cutoff of the test."""
    comments = pc.drop_null(tiny_tables["surveys"]["comment"]).to_pylist()
    levels = np.arange(len(comments)) * 31 % 101.0
    texts, levels = comments * 3, np.tile(levels, 3)
    found = CommentScoreModel.fit(texts, levels, np.ones(len(levels)), 0)
    assert found is not None
    return found


@pytest.fixture
def find_leaks(tiny_tables, everyone, manifest, comment_model) -> Callable[[], list[str]]:
    """Find the columns that leak at a few cutoffs, including those planted by the test."""
    return lambda: find_leaking_features(
        tiny_tables, everyone, FEW, plan_for(manifest.schema, comment_model=comment_model)
    )


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch):
    """A registry that is restored at the end of the test."""
    before = dict(REGISTRY)
    yield monkeypatch
    REGISTRY.clear()
    REGISTRY.update(before)


def test_no_registered_feature_sees_the_future(tiny_tables, everyone, manifest, comment_model):
    plan = plan_for(manifest.schema, comment_model=comment_model)
    assert len(plan.names) > 100
    assert {name for name in REGISTRY if any(c.startswith(name) for c in plan.names)} == set(
        REGISTRY
    ), "the sample company lets every feature be made"
    assert find_leaking_features(tiny_tables, everyone, CUTOFFS, plan) == []


def test_the_lookahead_test_is_not_vacuous(tiny_tables, everyone, manifest, comment_model):
    """Rows and later columns are truncated, and most columns have values at the cutoffs."""
    cut = truncate(tiny_tables, FEW[0])
    for name, whole in tiny_tables.items():
        assert 0 < cut[name].num_rows < whole.num_rows
    for name, column in (("tickets", "closed_at"), ("surveys", "answered_at")):
        still = cut[name].num_rows - cut[name][column].null_count
        before = pc.less(
            cut[name][TABLES[name].clock], pa.scalar(FEW[0], pa.timestamp("us", "UTC"))
        )
        assert pc.all(before).as_py()
        assert 0 < still < cut[name].num_rows
    plan = plan_for(manifest.schema, comment_model=comment_model)
    made = feature_table(build_history(tiny_tables), everyone, np.full(len(everyone), FEW[1]), plan)
    empty = [n for n in plan.names if _nothing_in(made[n])]
    assert empty == ["last_payment_channel"]  # its payments name no channel


def _nothing_in(column: pa.ChunkedArray) -> bool:
    if pa.types.is_floating(column.type):
        return bool(np.isnan(column.to_numpy()).all())
    return column.null_count == len(column)


def test_truncation_of_literal_rows():
    tables = {
        "customers": contract_table("customers", [
            {"customer_id": "A"}, {"customer_id": "B", "valid_from": 4},
            {"customer_id": "C", "valid_from": 5},
        ]),
        "events": contract_table("events", [
            {"customer_id": "A", "occurred_at": 1, "kind": "x"},
            {"customer_id": "B", "occurred_at": 1, "known_at": 5, "kind": "x"},
            {"customer_id": "C", "occurred_at": 5, "known_at": 1, "kind": "x"},
            {"customer_id": "D", "occurred_at": 4.9, "known_at": 4.9, "kind": "x"},
        ]),
        "surveys": contract_table("surveys", [
            {"customer_id": "A", "sent_at": 1, "answered_at": 4, "score": 1, "comment": "a"},
            {"customer_id": "B", "sent_at": 1, "answered_at": 5, "score": 2, "comment": "b",
             "expectation": 3, "channel": "mail"},
            {"customer_id": "C", "sent_at": 1, "score": 3},
            {"customer_id": "D", "sent_at": 5},
        ]),
        "tickets": contract_table("tickets", [
            {"customer_id": "A", "opened_at": 1, "first_reply_at": 2, "closed_at": 5, "reopened": 1,
             "comment": "said at once"},
            {"customer_id": "B", "opened_at": 1, "first_reply_at": 6, "closed_at": 3, "reopened": 0},
        ]),
    }  # fmt: skip
    cut = truncate(tables, micro(5))
    assert cut["customers"]["customer_id"].to_pylist() == ["A", "B"]
    assert cut["events"]["customer_id"].to_pylist() == ["A", "D"]
    assert cut["surveys"].select(["customer_id", "score", "expectation", "comment", "channel"]
                                 ).to_pylist() == [
        {"customer_id": "A", "score": 1, "expectation": None, "comment": "a", "channel": None},
        {"customer_id": "B", "score": None, "expectation": None, "comment": None, "channel": "mail"},
        {"customer_id": "C", "score": None, "expectation": None, "comment": None, "channel": None},
    ]  # fmt: skip
    assert cut["surveys"]["answered_at"].null_count == 2
    assert cut["tickets"]["reopened"].to_pylist() == [None, 0]
    assert cut["tickets"]["comment"].to_pylist() == ["said at once", None]
    assert cut["tickets"]["first_reply_at"].null_count == 1
    assert cut["tickets"]["closed_at"].null_count == 1


def test_truncation_takes_tables_that_lack_columns():
    events = pa.table(
        {"customer_id": ["A"], "occurred_at": pa.array([0], pa.timestamp("us", "UTC"))}
    )
    assert truncate({"events": events}, 0)["events"].num_rows == 0
    assert truncate({"events": events}, 1)["events"].equals(events)


def without_revelation(contract, *names):
    """A contract without the later revelation of these columns."""
    columns = tuple(
        replace(c, revealed_by=None) if c.name in names else c for c in contract.columns
    )
    return replace(contract, columns=columns)


def test_planted_a_score_known_before_the_answer(planted, find_leaks):
    planted.setitem(TABLES, "surveys", without_revelation(SURVEYS, "score"))

    @feature(unit="points")
    def planted_score(past):
        """Score last given, as it will turn out"""
        return past.surveys.last("score")

    assert find_leaks() == ["planted_score"]


def test_planted_an_answer_known_before_it_came(planted, find_leaks):
    planted.setitem(TABLES, "surveys", without_revelation(SURVEYS, "answered_at"))
    assert {"response_rate_365d", "response_rate_all"} <= set(find_leaks())


def test_planted_a_ticket_known_to_be_closed_while_it_is_open(planted, find_leaks):
    planted.setitem(TABLES, "tickets", without_revelation(TICKETS, "closed_at"))
    assert find_leaks() == ["open_tickets"]


def test_planted_a_duration_known_before_its_end(planted, find_leaks):
    hours = DERIVED["tickets"]["resolution_hours"]
    planted.setitem(DERIVED["tickets"], "resolution_hours", replace(hours, revealed_by=None))
    found = find_leaks()
    assert found
    assert all(name.startswith("resolution_hours") for name in found)


def test_planted_events_known_when_they_occurred(planted, find_leaks):
    """Late bookings count from the day they are about."""
    planted.setitem(build_history_module.TABLES, "events", replace(EVENTS, known="occurred_at"))
    assert {"orders_all", "revenue_all"} <= set(find_leaks())


def test_planted_a_mean_over_the_whole_table(planted, find_leaks):
    """The classic leak: scaling by a statistic over all times."""

    def make(rows):
        return rows.numbers["amount"] / np.nanmean(rows.numbers["amount"])

    planted.setitem(DERIVED["events"], "relative", DerivedColumn(("amount",), None, make, "ratio"))

    @feature(unit="ratio")
    def planted_scale(past):
        """Last amount over the mean of all amounts"""
        return past.events.where(kind="order").last("relative")

    assert find_leaks() == ["planted_scale"]


def test_planted_the_code_of_a_text(planted, find_leaks, tiny_tables, manifest):
    """A code into all texts ever seen changes when a new text appears."""

    @feature(unit="code")
    def planted_code(past):
        """Highest code of an owner's name"""
        return past.customers.max("owner")

    names = pa.array([f"{i % 1000:04}" for i in range(tiny_tables["customers"].num_rows)][::-1])
    tables = {**tiny_tables, "customers": tiny_tables["customers"].append_column("owner", names)}
    schema = replace(
        manifest.schema,
        tables={**manifest.schema.tables,
                "customers": (*manifest.schema.tables["customers"], "owner")},
    )  # fmt: skip
    everyone = pc.unique(tables["customers"]["customer_id"].combine_chunks())
    assert find_leaking_features(tables, everyone, FEW, plan_for(schema)) == ["planted_code"]


def test_planted_a_window_that_ends_a_week_too_late(planted, find_leaks):
    """The pass in plain Python, with a window that extends beyond the cutoff."""
    planted.setattr(kernel, "aggregate", kernel.aggregate.py_func)
    honest = kernel.first_not_before

    def late(clock, start, end, cutoff):
        return honest(clock, start, end, cutoff + 7 * DAY)

    planted.setattr(kernel, "first_not_before", late)
    # and rows booked later count, else `known` still protects
    planted.setattr(kernel, "is_known", lambda known, row, cutoff: True)
    assert {"orders_30d", "revenue_90d", "visits_90d", "tickets_30d"} <= set(find_leaks())


def test_planted_rows_known_exactly_at_the_cutoff(planted):
    """An event booked exactly at the cutoff is not known yet."""
    planted.setattr(kernel, "aggregate", kernel.aggregate.py_func)
    tables = {"events": contract_table("events", [
        {"customer_id": "A", "occurred_at": 1, "known_at": 5, "kind": "order"},
    ])}  # fmt: skip
    plan = FeaturePlan.from_columns([column_of(PAST.events.count(), "count")])
    assert find_leaking_features(tables, pa.array(["A"]), [micro(5)], plan) == []
    planted.setattr(kernel, "is_known", lambda known, row, cutoff: known[row] <= cutoff)
    assert find_leaking_features(tables, pa.array(["A"]), [micro(5)], plan) == ["count"]


def test_planted_a_filter_that_needs_no_revelation(planted, find_leaks):
    """Counting closed tickets without regard to when they were closed."""

    honest = Stream.from_aggregate

    def careless(leaf: Aggregate) -> Stream:
        bare = View(leaf.view.table, leaf.view.clock, None)
        return Stream(leaf.view.within(None), honest(replace(leaf, view=bare)).reveals)

    planted.setattr(Stream, "from_aggregate", careless)
    assert {"open_tickets", "response_rate_all"} <= set(find_leaks())


def test_planted_a_cutoff_shifted_by_a_day(planted, find_leaks):
    honest = feature_table_module.compute_columns

    def shifted(history_, position, cutoff, plan, threads=1):
        return honest(history_, position, cutoff + DAY, plan, threads)

    planted.setattr(feature_table_module, "compute_columns", shifted)
    assert len(find_leaks()) > 20


def test_planted_ties_broken_by_hidden_values(planted):
    """Which of two tickets of one instant is the last must not depend on when they are closed later."""
    tables = {"tickets": contract_table("tickets", [
        {"customer_id": "A", "opened_at": 1, "category": "price", "closed_at": 9},
        {"customer_id": "A", "opened_at": 1, "category": "delivery", "closed_at": 8},
        {"customer_id": "B", "opened_at": 1, "category": "price", "closed_at": 8},
        {"customer_id": "B", "opened_at": 1, "category": "delivery", "closed_at": 9},
    ])}  # fmt: skip
    plan = FeaturePlan.from_columns([column_of(PAST.tickets.last("category"), "last")])
    who, cutoffs = pa.array(["A", "B"]), [micro(5), micro(8.5)]
    assert find_leaking_features(tables, who, cutoffs, plan) == []
    planted.setattr(type(TICKETS), "order", property(lambda contract: contract.names))
    assert find_leaking_features(tables, who, cutoffs, plan) == ["last"]


def test_customers_without_rows_before_the_cutoff_have_features(tiny_tables, manifest):
    """A customer without rows before the cutoff has features of an empty history."""
    row = {"customer_id": "A", "occurred_at": 9, "kind": "order", "amount": 5}
    tables = {"events": contract_table("events", [row])}
    plan = FeaturePlan.from_columns(
        [column_of(PAST.events.count(), "n"), column_of(PAST.events.days_since(), "d")]
    )
    assert (
        find_leaking_features(tables, pa.array(["A"]), [micro(1), micro(9), micro(10)], plan) == []
    )
