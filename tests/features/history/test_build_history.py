"""Histories: order, offsets, missing values; independent of input order, time zone and blocks."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contract import TABLES
from features.engine.kernel import first_not_before, is_within
from features.feature_table import feature_table, plan_for
from features.history.build_history import History, build_history, revealed_by
from features.history.derived_columns import DERIVED
from features.history.history_table import ALWAYS, DAY, NEVER
from features.history_store import read_blocks
from features.text.topics import TOPICS
from support.table_builders import contract_table, micro

NEAR = st.integers(0, 3)
TIES = st.fixed_dictionaries({
    "customer_id": st.sampled_from("AB"), "occurred_at": NEAR, "known_at": st.none() | NEAR,
    "kind": st.sampled_from("xy"), "amount": st.none() | NEAR, "channel": st.none() | st.just("c"),
    "due_at": st.none() | NEAR,
})  # fmt: skip


def same(one: History, other: History) -> bool:
    """Equal in every array, NaN equal to NaN."""
    if one.customer_ids != other.customer_ids or set(one.tables) != set(other.tables):
        return False
    for name, rows in one.tables.items():
        twin = other.tables[name]
        if rows.words != twin.words or not np.array_equal(rows.offsets, twin.offsets):
            return False
        for columns, others in (
            (rows.times, twin.times), (rows.codes, twin.codes), (rows.numbers, twin.numbers)
        ):  # fmt: skip
            if list(columns) != list(others):
                return False
            for column, values in columns.items():
                equal_nan = values.dtype == np.float64
                if not np.array_equal(values, others[column], equal_nan=equal_nan):
                    return False
    return True


@settings(max_examples=60, deadline=None)
@given(
    st.lists(TIES, max_size=12).flatmap(
        lambda rows: st.tuples(st.just(rows), st.permutations(rows))
    )
)
def test_input_order_does_not_matter(orders):
    one, other = (build_history({"events": contract_table("events", rows)}) for rows in orders)
    assert same(one, other)


def test_sorted_and_shuffled_rows_give_the_same_history(tiny_tables):
    rng = np.random.default_rng(5)
    shuffled = {n: t.take(rng.permutation(t.num_rows)) for n, t in tiny_tables.items()}
    ready = build_history(tiny_tables, is_sorted=True)
    assert same(ready, build_history(shuffled))
    assert same(ready, build_history(tiny_tables))
    assert not same(ready, build_history(shuffled, is_sorted=True))


def test_complete_sort_order():
    """By customer, clock and known time; then by the other columns, missing last."""
    rows = [
        {"customer_id": "B", "occurred_at": 1, "kind": "a"},
        {"customer_id": "A", "occurred_at": 2, "kind": "a", "amount": 1},
        {"customer_id": "A", "occurred_at": 1, "known_at": 3, "kind": "a", "amount": 2},
        {"customer_id": "A", "occurred_at": 1, "kind": "b", "amount": 3},
        {"customer_id": "A", "occurred_at": 1, "kind": "a", "amount": 5},
        {"customer_id": "A", "occurred_at": 1, "kind": "a", "amount": None},
        {"customer_id": "A", "occurred_at": 1, "kind": "a", "amount": 4, "channel": None},
        {"customer_id": "A", "occurred_at": 1, "kind": "a", "amount": 4, "channel": "z"},
    ]
    events = build_history({"events": contract_table("events", rows)}).tables["events"]
    assert events.offsets.tolist() == [0, 7, 8]
    np.testing.assert_array_equal(events.numbers["amount"], [4, 4, 5, np.nan, 3, 2, 1, np.nan])
    assert events.codes["channel"].tolist() == [0, -1, -1, -1, -1, -1, -1, -1]
    assert len(events) == 8


def test_columns_revealed_later_come_last_in_the_sort_order():
    assert TABLES["tickets"].order[-3:] == ("first_reply_at", "closed_at", "reopened")
    assert TABLES["surveys"].order[-4:] == ("answered_at", "score", "expectation", "comment")
    for contract in TABLES.values():
        clocks = dict.fromkeys(("customer_id", contract.clock, contract.known))
        assert contract.order[: len(clocks)] == tuple(clocks)
        assert sorted(contract.order) == sorted(contract.names)


def test_customers_without_rows_have_empty_ranges():
    tables = {
        "events": contract_table("events", [
            {"customer_id": "B", "occurred_at": 1, "kind": "x"},
            {"customer_id": "D", "occurred_at": 1, "kind": "x"},
        ]),
        "tickets": contract_table("tickets", [{"customer_id": "C", "opened_at": 1}]),
    }  # fmt: skip
    history = build_history(tables, customers=["A", "B"])
    assert history.customer_ids == ("A", "B", "C", "D")
    assert history.tables["events"].offsets.tolist() == [0, 0, 1, 1, 2]
    assert history.tables["tickets"].offsets.tolist() == [0, 0, 0, 1, 1]


def test_missing_times():
    """A missing time is NEVER; a missing known time is that of the event, or ALWAYS."""
    history = build_history({
        "customers": contract_table("customers", [{"customer_id": "A"}]),
        "events": contract_table("events", [{"customer_id": "A", "occurred_at": 2, "kind": "x"}]),
        "surveys": contract_table("surveys", [{"customer_id": "A", "sent_at": 2, "score": 1}]),
        "tickets": contract_table("tickets", [{"customer_id": "A", "opened_at": 2}]),
    })  # fmt: skip
    assert history.tables["customers"].times["valid_from"].tolist() == [ALWAYS]
    assert history.tables["events"].times["known_at"].tolist() == [micro(2)]
    assert history.tables["events"].times["due_at"].tolist() == [NEVER]
    assert history.tables["surveys"].known_since(frozenset()).tolist() == [micro(2)]
    assert history.tables["surveys"].known_since(frozenset({"answered_at"})).tolist() == [NEVER]
    assert history.tables["tickets"].known_since(frozenset({"closed_at"})).tolist() == [NEVER]
    assert ALWAYS < -(10**17) < 10**17 < NEVER


def test_known_since_is_the_latest_of_the_times():
    row = {"customer_id": "A", "opened_at": 1, "first_reply_at": 3, "closed_at": 2, "reopened": 1}
    tickets = build_history({"tickets": contract_table("tickets", [row])}).tables["tickets"]
    for reveals, moment in (
        ((), 1), (("closed_at",), 2), (("first_reply_at",), 3), (("closed_at", "first_reply_at"), 3),
    ):  # fmt: skip
        assert tickets.known_since(frozenset(reveals)).tolist() == [micro(moment)]


def test_revealing_column_of_each_column():
    """Declared independently: a new column must be added here, too."""
    late = {
        ("tickets", "first_reply_at"): {"first_reply_at", "reply_hours"},
        ("tickets", "closed_at"): {"closed_at", "reopened", "resolution_hours"},
        ("surveys", "answered_at"): {
            "answered_at", "score", "expectation", "comment",
            "level", "expected_level", "gap", "sentiment", "tone", "answer_hours",
            *(f"about_{name}" for name in TOPICS),
        },
    }  # fmt: skip
    for name, contract in TABLES.items():
        for column in (*contract.names, *DERIVED[name]):
            found = revealed_by(contract, column)
            expected = [
                m for (table, m), columns in late.items() if table == name and column in columns
            ]
            assert [found] == (expected or [None]), (name, column)


def test_times_of_other_units_and_zones_are_the_same_instants():
    moment = micro(1.5)
    for kind, value in (
        (pa.timestamp("us", "UTC"), moment), (pa.timestamp("ms", "Asia/Tokyo"), moment // 1000),
        (pa.timestamp("s"), moment // 10**6), (pa.timestamp("ns", "UTC"), moment * 1000),
    ):  # fmt: skip
        table = pa.table({"customer_id": ["A"], "occurred_at": pa.array([value], kind)})
        times = build_history({"events": table}).tables["events"].times
        assert times["occurred_at"].tolist() == [moment]


def test_an_unknown_customer_is_named():
    history = build_history({}, customers=["A", "B"])
    assert history.rows_of(pa.array(["B", "A", "B"])).tolist() == [1, 0, 1]
    assert history.rows_of(pa.array([], pa.string())).tolist() == []
    with pytest.raises(KeyError, match="customer 'C' is not in the history"):
        history.rows_of(pa.array(["A", "C", "D"]))


def test_unused_dictionary_values_need_no_customer():
    history = build_history({}, customers=["A", "B"])
    words = pa.DictionaryArray.from_arrays(
        pa.array([2, 0, 2], pa.int32()), pa.array(["A", "C", "B"])
    )
    assert history.rows_of(words).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("cutoff", "window", "span"),
    [
        (30, -1, (1, 4)),  # all time; 30 itself is not before 30
        (31, -1, (1, 5)),
        (30, 10, (2, 4)),  # 20 lies in [20, 30)
        (30, 9, (4, 4)),
        (30, 0, (4, 4)),
        (10, -1, (1, 1)),
        (99, 99, (1, 6)),
        (99, 1, (6, 6)),
    ],
)
def test_windows_are_half_open(cutoff, window, span):
    clock = np.array([0, 10, 20, 20, 30, 40, 0])  # rows 1 to 5 are the customer's
    stop = first_not_before.py_func(clock, 1, 6, cutoff)
    inside = [r for r in range(1, stop) if is_within.py_func(clock, r, cutoff, window)]
    assert inside == list(range(*span))


def test_blocks_of_customers_give_the_same_bits_as_the_whole(tiny_company):
    company, workspace = tiny_company
    plan = plan_for(_schema(workspace, company.name))

    def all_features(size: int) -> pa.Table:
        made = []
        for block in read_blocks(workspace, company.name, size):
            assert len(block.customer_ids) <= size
            ids = pa.array(block.customer_ids)
            cutoff = np.full(len(ids), micro(365 + 200))
            made.append(feature_table(block, ids, cutoff, plan))
        return _plain(pa.concat_tables(made, promote_options="permissive"))

    whole = all_features(10**6)
    assert whole.num_rows == 150
    for size in (7, 149):
        assert _identical(all_features(size), whole)


def _schema(workspace, name):
    from features.history_store import Manifest

    return Manifest.read(workspace, name).schema


def _plain(table: pa.Table) -> pa.Table:
    """Dictionaries as texts, since each block has its own codes."""
    texts = {f.name: pa.string() for f in table.schema if pa.types.is_dictionary(f.type)}
    return table.cast(pa.schema([(f.name, texts.get(f.name, f.type)) for f in table.schema]))


def _identical(one: pa.Table, other: pa.Table) -> bool:
    for name in other.column_names:
        a, b = one[name], other[name]
        if pa.types.is_floating(b.type):
            if not np.array_equal(a.to_numpy(), b.to_numpy(), equal_nan=True):
                return False
        elif a.to_pylist() != b.to_pylist():
            return False
    return one.column_names == other.column_names


FINGERPRINT = """
import hashlib, sys, time
from pathlib import Path
import numpy as np, pyarrow as pa
from features.config.company import load_company
from features.feature_table import feature_table, plan_for
from features.history_store import read_blocks
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.settings import Workspace
company = load_company(Path(sys.argv[1]))
workspace = Workspace(Path(sys.argv[2]))
manifest = import_history(company, workspace, silent_steps())
(history,) = read_blocks(workspace, company.name, 10**6)
ids = pa.array(history.customer_ids)
table = feature_table(history, ids, np.full(len(ids), 1704067200_000000), plan_for(manifest.schema))
print(time.tzname[0], manifest.fingerprint, manifest.data_end, table.to_pylist())
"""


@pytest.mark.slow
def test_the_time_zone_of_the_machine_does_not_matter(tmp_path: Path):
    """Naive times, dates and offsets are read alike in any time zone of the machine."""
    (tmp_path / "events.csv").write_text(
        "who,moment,due,amount\n"
        "A,2023-10-29 02:30:00,2023-10-29,5\nA,2023-12-31 23:30:00,2024-01-01,7\n"
        "B,2023-12-31 23:59:59,2023-12-30,1\nB,2024-01-01 00:30:00,2024-01-02,3\n"
    )
    (tmp_path / "shop.toml").write_text(
        '[company]\nname = "shop"\ntime_zone = "Europe/Berlin"\n'
        '[tables.events]\nfiles = "events.csv"\n[tables.events.columns]\ncustomer_id = "who"\n'
        'occurred_at = "moment"\nkind = "\'order\'"\namount = "amount"\ndue_at = "due"\n'
    )
    zones = ("UTC", "Asia/Kolkata", "America/Los_Angeles", "Pacific/Auckland")
    runs = []
    for zone in zones:
        home = tmp_path / zone.replace("/", "_")
        runs.append(
            subprocess.Popen(
                [sys.executable, "-c", FINGERPRINT, str(tmp_path / "shop.toml"), str(home)],
                env={**os.environ, "TZ": zone, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
    printed = []
    for run in runs:
        out, err = run.communicate(timeout=120)
        assert run.returncode == 0, err
        printed.append(out.split(" ", 1))
    assert len({zone for zone, _ in printed}) == 4, "the zones took effect"
    assert len({rest for _, rest in printed}) == 1
    assert "'orders_all': 2.0" in printed[0][1]


def test_a_history_of_many_row_groups_is_stored_sorted(tmp_path: Path):
    """More rows than a row group holds, shuffled: the files are sorted, as `read_blocks` requires."""
    from features.config.company import load_company
    from features.import_history.run_import import import_history
    from features.progress import silent_steps
    from features.settings import Workspace

    rows = 250_000
    rng = np.random.default_rng(1)
    events = pa.table({
        "who": pa.array([f"C{i:04}" for i in rng.integers(0, 900, rows)]),
        "moment": pa.array(1_600_000_000_000_000 + rng.integers(0, 500, rows) * DAY,
                           pa.timestamp("us", "UTC")),
        "amount": rng.integers(0, 9, rows).astype(float),
    })  # fmt: skip
    pq.write_table(events, tmp_path / "events.parquet")
    (tmp_path / "big.toml").write_text(
        '[company]\nname = "big"\n[tables.events]\nfiles = "events.parquet"\n'
        '[tables.events.columns]\ncustomer_id = "who"\noccurred_at = "moment"\n'
        'kind = "\'order\'"\namount = "amount"\n'
    )
    workspace = Workspace(tmp_path)
    import_history(load_company(tmp_path / "big.toml"), workspace, silent_steps())
    stored = {"events": pq.read_table(workspace.history("big") / "events.parquet")}
    assert stored["events"].num_rows == rows
    assert same(build_history(stored, is_sorted=True), build_history(stored))
