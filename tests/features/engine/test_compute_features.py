"""The engine against an oracle: the same aggregates written independently in SQL."""

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contract import TABLES
from features.definitions.expressions import Expression, Past, View
from features.definitions.filters import HashBucket
from features.engine import compute_features
from features.engine.compute_features import FeaturePlan, compute_columns
from features.feature_table import feature_table
from features.history.build_history import build_history
from support.table_builders import column_of, contract_table, micro, values

DAY = 86_400_000_000
HALF_LIFE = 7
CUSTOMERS = ("A", "B", "C")
CUTOFFS = (0, 4.5, 9, 13, 20)


@dataclass(frozen=True)
class Question:
    """A view and column with what they mean in SQL, `c` being the cutoff.

    `seen` says which rows count, `valued` which of these show their value; `order` breaks ties.
    """

    view: View
    column: str
    clock: str
    value: str
    seen: str
    valued: str = "true"
    order: str = ""


EVENT_ORDER = (
    "occurred_at, coalesce(known_at, occurred_at), kind, amount, quantity, channel, category, "
    "due_at"
)
SURVEY_ORDER = (
    "sent_at, instrument, dimension, scale_low, scale_high, channel, weight, "
    "answered_at, score, expectation, comment"
)
TICKET_ORDER = (
    "opened_at, kind, category, severity, channel, comment, first_reply_at, closed_at, reopened"
)
LEVEL = "100 * (score - scale_low) / (scale_high - scale_low)"
KNOWN = "coalesce(known_at, occurred_at) < c"
PAST = Past()

#: Asked in each run; the other questions only where slow tests run.
USUAL = ("orders", "answers", "tickets")
QUESTIONS = {
    "all events": Question(
        PAST.events, "amount", "occurred_at", "amount", KNOWN, order=EVENT_ORDER
    ),
    "orders": Question(
        PAST.events.where(kind="order"), "quantity", "occurred_at", "quantity",
        f"{KNOWN} and kind = 'order'", order=EVENT_ORDER,
    ),
    "sales": Question(
        PAST.events.where(kind=("order", "return", "never seen")), "amount", "occurred_at", "amount",
        f"{KNOWN} and kind in ('order', 'return')", order=EVENT_ORDER,
    ),
    "large events with a category": Question(
        PAST.events.at_least(amount=3).known("category"), "lateness_days", "occurred_at",
        f"(occurred_at - due_at) / {DAY}.0",
        f"{KNOWN} and amount >= 3 and category is not null", order=EVENT_ORDER,
    ),
    "small events": Question(
        PAST.events.at_most(amount=2), "amount", "occurred_at", "amount",
        f"{KNOWN} and amount <= 2", order=EVENT_ORDER,
    ),
    "events of two amounts": Question(
        PAST.events.where(amount=(2, -1)), "quantity", "occurred_at", "quantity",
        f"{KNOWN} and amount in (2, -1)", order=EVENT_ORDER,
    ),
    "events of category a or any but a and b": Question(
        PAST.events.where(category=("a", HashBucket(("a", "b"), 0, 1))), "amount", "occurred_at",
        "amount", f"{KNOWN} and category <> 'b'", order=EVENT_ORDER,
    ),
    "questions": Question(
        PAST.surveys, "level", "sent_at", LEVEL, "true", "answered_at < c", SURVEY_ORDER
    ),
    "answers": Question(
        PAST.answers, "score", "answered_at", "score", "sent_at < c",
        order=f"answered_at, {SURVEY_ORDER}",
    ),
    "good csat answers": Question(
        PAST.answers.where(instrument="csat").at_least(level=50), "gap", "answered_at",
        "100 * (score - expectation) / (scale_high - scale_low)",
        f"sent_at < c and instrument = 'csat' and {LEVEL} >= 50",
        order=f"answered_at, {SURVEY_ORDER}",
    ),
    "answered questions": Question(
        PAST.surveys.known("answered_at"), "weight", "sent_at", "weight", "answered_at < c",
        order=SURVEY_ORDER,
    ),
    "tickets": Question(
        PAST.tickets, "resolution_hours", "opened_at",
        "(closed_at - opened_at) / 3600000000.0", "true", "closed_at < c", TICKET_ORDER,
    ),
    "severe tickets": Question(
        PAST.tickets.at_least(severity=2), "reply_hours", "opened_at",
        "(first_reply_at - opened_at) / 3600000000.0", "severity >= 2", "first_reply_at < c",
        TICKET_ORDER,
    ),
    "closed tickets": Question(
        PAST.tickets.known("closed_at"), "reopened", "opened_at", "reopened", "closed_at < c",
        order=TICKET_ORDER,
    ),
}  # fmt: skip

ORACLE = """
with seen as (
    select g.customer_id as who, g.c, {clock} as happened, r.*,
           case when {valued} then {value} end as x
    from grid g join {table} r on r.customer_id = g.customer_id
    where {clock} < c and {seen} and ({window} < 0 or {clock} >= c - {window})
), ranked as (
    select *, row_number() over turn as n, (happened - lag(happened) over turn) / {day}.0 as gap,
           (c - happened) / {day}.0 as age
    from seen window turn as (partition by who, c order by {order})
)
select count(n) as count, coalesce(sum(x), 0) as sum, avg(x) as mean, min(x) as min, max(x) as max,
       stddev_samp(x) as std, arg_max(x, n) as last, arg_min(x, n) as first,
       count(distinct x) as distinct, min(age) as days_since, max(age) as days_since_first,
       avg(gap) as gap_mean, stddev_samp(gap) as gap_std,
       case when count(distinct case when x is not null then age end) > 1
            then -30 * regr_slope(x, age) end as slope,
       coalesce(sum(x * pow(0.5, age / {half_life})), 0) as decayed_sum
from grid g left join ranked on who = g.customer_id and ranked.c = g.c
group by g.customer_id, g.c, g.place order by g.place
"""


def expressions(question: Question, window: int | None) -> dict[str, object]:
    view, column = question.view.within(window), question.column
    over = ("sum", "mean", "min", "max", "std", "last", "first", "distinct", "slope")
    made = {name: getattr(view, name)(column) for name in over}
    made["decayed_sum"] = view.decayed_sum(column, half_life=HALF_LIFE)
    timing = ("count", "days_since", "days_since_first", "gap_mean", "gap_std")
    return made | {name: getattr(view, name)() for name in timing}


def in_microseconds(table: pa.Table) -> pa.Table:
    """Times as numbers, so that the oracle uses no time zones or intervals."""
    columns = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        columns[name] = column.view(pa.int64()) if pa.types.is_timestamp(column.type) else column
    return pa.table(columns)


def oracle(
    tables: dict[str, pa.Table],
    question: Question,
    window: int | None,
    cutoffs: tuple[float, ...] = CUTOFFS,
) -> dict[str, np.ndarray]:
    name = question.view.table
    grid = [(who, micro(cutoff)) for cutoff in cutoffs for who in CUSTOMERS]
    with duckdb.connect(config={"threads": 1}) as con:
        con.register(name, in_microseconds(tables[name]))
        con.execute("create table grid (place int, customer_id varchar, c bigint)")
        con.executemany("insert into grid values (?, ?, ?)", [(i, *g) for i, g in enumerate(grid)])
        sql = ORACLE.format(
            table=name, clock=question.clock, value=question.value, seen=question.seen,
            valued=question.valued, order=question.order, day=DAY,
            window=-1 if window is None else window * DAY, half_life=HALF_LIFE,
        )  # fmt: skip
        found = con.sql(sql).to_arrow_table()
    return {
        n: found[n].cast(pa.float64()).to_numpy(zero_copy_only=False) for n in found.column_names
    }


def maybe(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(st.none(), values)


HOURS = st.integers(0, 20 * 4).map(lambda quarter: quarter / 4)
LATER = st.sampled_from([0.0, 0.0, 0.25, 1.0, 4.5])
SMALL = st.integers(-4, 6)


def after(row: dict, base: str, *later: str) -> dict:
    """Delays converted to times after another column; None stays."""
    return row | {n: None if row[n] is None else row[base] + row[n] for n in later}


EVENT = st.fixed_dictionaries({
    "customer_id": st.sampled_from(CUSTOMERS), "occurred_at": HOURS, "known_at": maybe(LATER),
    "kind": st.sampled_from(["order", "return", "visit"]), "amount": maybe(SMALL),
    "quantity": maybe(SMALL), "category": maybe(st.sampled_from("abc")), "due_at": maybe(HOURS),
}).map(lambda row: after(row, "occurred_at", "known_at"))  # fmt: skip
SURVEY = st.fixed_dictionaries({
    "customer_id": st.sampled_from(CUSTOMERS), "sent_at": HOURS, "answered_at": maybe(LATER),
    "instrument": st.sampled_from(["csat", "nps"]), "dimension": st.just("overall"),
    "score": maybe(st.integers(1, 5)), "scale_low": st.just(1), "scale_high": st.sampled_from([5, 10]),
    "expectation": maybe(st.integers(1, 5)), "weight": st.integers(1, 3),
}).map(lambda row: after(row, "sent_at", "answered_at"))  # fmt: skip
TICKET = st.fixed_dictionaries({
    "customer_id": st.sampled_from(CUSTOMERS), "opened_at": HOURS, "first_reply_at": maybe(LATER),
    "closed_at": maybe(LATER), "kind": st.just("complaint"), "severity": maybe(st.integers(1, 4)),
    "reopened": maybe(st.integers(0, 1)),
}).map(lambda row: after(row, "opened_at", "first_reply_at", "closed_at"))  # fmt: skip
ROWS = {"events": EVENT, "surveys": SURVEY, "tickets": TICKET}


#: Days after the start of 2024: its start, around the leap day, around the nights in which clocks
#: change in Europe and America, and the turn of the year.
SEASONS = (0, 50, 63, 81, 291, 300, 356)
TIMES = {c.name for table in TABLES.values() for c in table.columns if c.kind == "time"}


def moved(row: dict, days: float) -> dict:
    """A row shifted by a number of days."""
    return {k: v + days if k in TIMES and v is not None else v for k, v in row.items()}


def agree(
    tables: dict[str, pa.Table], question: Question, window: int | None, cutoffs: tuple[float, ...]
) -> None:
    """Compare every operation of the engine with SQL."""
    wanted = oracle(tables, question, window, cutoffs)
    made = expressions(question, window)
    found = feature_table(
        build_history(tables, customers=CUSTOMERS),
        pa.array(CUSTOMERS * len(cutoffs)),
        np.repeat([micro(c) for c in cutoffs], len(CUSTOMERS)),
        FeaturePlan.from_columns([column_of(e, n) for n, e in made.items()]),
    )
    for operation in made:
        np.testing.assert_allclose(
            found[operation].to_numpy(), wanted[operation], rtol=1e-9, atol=1e-9, err_msg=operation
        )


@pytest.mark.parametrize(
    "asked", [pytest.param(q, marks=() if q in USUAL else pytest.mark.slow) for q in QUESTIONS]
)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_engine_agrees_with_plain_sql(asked, data):
    question = QUESTIONS[asked]
    name = question.view.table
    rows = data.draw(st.lists(ROWS[name], min_size=1, max_size=24), label="rows")
    window = data.draw(st.sampled_from([None, 1, 4, 9]), label="window")
    season = data.draw(st.sampled_from(SEASONS), label="season")
    tables = {name: contract_table(name, [moved(row, season) for row in rows])}
    agree(tables, question, window, tuple(c + season for c in CUTOFFS))


@pytest.mark.parametrize("asked", ["all events", "sales"])
def test_one_customer_with_a_hundred_thousand_events(asked):
    rng = np.random.default_rng(5)
    size = 100_000
    occurred = micro(0) + rng.integers(0, 20 * DAY, size) // 60_000_000 * 60_000_000  # with ties
    late = rng.choice([0, 0, 0, DAY], size)
    events = pa.table(
        {
            "customer_id": pa.array(np.where(rng.random(size) < 0.001, "B", "A")),
            "occurred_at": pa.array(occurred, pa.timestamp("us", "UTC")),
            "known_at": pa.array(occurred + late, pa.timestamp("us", "UTC")),
            "kind": pa.array(rng.choice(["order", "return", "visit"], size)),
            "amount": pa.array(rng.normal(size=size).round(2), mask=rng.random(size) < 0.1),
        }
    )
    empty = contract_table("events", [])
    tables = {"events": pa.concat_tables([empty, events], promote_options="default")}
    for window in (None, 4):
        agree(tables, QUESTIONS[asked], window, CUTOFFS)


def test_the_oracle_can_disagree():
    """The oracle detects a cutoff shifted by a microsecond and a row known early."""
    row = {"customer_id": "A", "occurred_at": 4, "known_at": 9, "kind": "order", "amount": 5}
    tables = {"events": contract_table("events", [row])}
    seen = oracle(tables, QUESTIONS["all events"], None)["count"].reshape(len(CUTOFFS), -1)
    assert seen[:, 0].tolist() == [0, 0, 0, 1, 1]  # known at 9, hence from after 9 on


def orders(*amounts: float | None) -> dict[str, pa.Table]:
    rows = [
        {"customer_id": "A", "occurred_at": i, "kind": "order", "amount": amount}
        for i, amount in enumerate(amounts)
    ]
    return {"events": contract_table("events", rows)}


def test_arithmetic():
    six, zero = PAST.events.sum("amount"), PAST.events.where(kind="return").count()
    given_rows = orders(1, 2, 3)
    for expression, answer in (
        (six + 1, 7), (six - 1.5, 4.5), (six * six, 36), (six / 4, 1.5), (zero / six, 0),
        ((six + six) / (six - 3), 4),
    ):  # fmt: skip
        assert values(given_rows, expression, 10) == [answer]


@pytest.mark.parametrize("left", [0, 1, -1])
def test_dividing_by_zero_is_nan(left):
    zero = PAST.events.where(kind="return").count()
    (found,) = values(orders(1), (zero + left) / zero, 10)
    assert found != found


def test_nan_stays_nan_in_arithmetic():
    mean = PAST.events.where(kind="return").mean("amount")
    for expression in (mean + 1, mean - mean, mean * 0, mean / 2):
        (found,) = values(orders(1), expression, 10)
        assert found != found


def test_month_is_that_of_the_cutoff_in_utc():
    moments = [
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2023, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 2, 29, 12, tzinfo=UTC),
    ]
    cutoffs = np.array([round(m.timestamp() * 1e6) for m in moments])
    table = feature_table(
        build_history(orders(1)),
        pa.array(["A"] * 4),
        cutoffs,
        FeaturePlan.from_columns([column_of(PAST.month)]),
    )
    assert table["it"].to_pylist() == [12, 12, 1, 2]


def test_threads_and_blocks_give_the_same_bits(monkeypatch):
    rng = np.random.default_rng(3)
    rows = [
        {"customer_id": who, "occurred_at": float(rng.integers(60)), "kind": "order",
         "amount": float(rng.normal())}
        for who in CUSTOMERS for _ in range(50)
    ]  # fmt: skip
    history = build_history({"events": contract_table("events", rows)})
    made = expressions(QUESTIONS["all events"], 30)
    plan = FeaturePlan.from_columns([column_of(e, n) for n, e in made.items()])
    customer = rng.integers(0, 3, 101)
    cutoff = np.array([micro(d) for d in rng.integers(0, 80, 101).tolist()])
    whole = compute_columns(history, customer, cutoff, plan)
    monkeypatch.setattr(compute_features, "_BLOCK", 7)
    for threads in (1, 4):
        parts = compute_columns(history, customer, cutoff, plan, threads)
        for one, other in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_plan_computes_each_aggregate_once_and_shares_passes():
    count = PAST.events.count()
    plan = FeaturePlan.from_columns(
        [
            column_of(count, "a"),
            column_of(count / PAST.events.within(30).count(), "b"),
            column_of(PAST.events.sum("amount"), "c"),
            column_of(PAST.events.where(kind="order").count(), "d"),
        ]
    )
    assert plan.names == ("a", "b", "c", "d")
    assert sorted(len(leaves) for _, leaves in plan.streams) == [1, 3]


def test_no_customers_and_no_cutoffs_give_no_rows():
    nobody = np.zeros(0, np.int64)
    (found,) = compute_columns(
        build_history(orders(1)),
        nobody,
        nobody,
        FeaturePlan.from_columns([column_of(PAST.events.count())]),
    )
    assert found.shape == (0,)


def test_expressions_compare_and_a_missing_value_compares_as_no() -> None:
    events = contract_table(
        "events",
        [
            {"customer_id": "A", "occurred_at": 1, "known_at": 1, "kind": "order"},
            {"customer_id": "A", "occurred_at": 2, "known_at": 2, "kind": "visit"},
            {"customer_id": "B", "occurred_at": 1, "known_at": 1, "kind": "order"},
        ],
    )
    past = Past().events
    order, visit = past.where(kind="order").days_since(), past.where(kind="visit").days_since()

    def found(expression: Expression) -> list[float]:
        return values({"events": events}, expression, 10, ("A", "B"))

    assert found(order.above(visit)) == [1, 0]  # 9 and 8 days; B has no visit
    assert found(order.at_most(visit)) == [0, 0]
    assert found(order.at_most(9)) == [1, 1]
    assert found(order.above(9)) == [0, 0]
    assert found(visit.or_at_least(8.5))[0] == 8.5
    assert np.isnan(found(visit.or_at_least(8.5))[1])
