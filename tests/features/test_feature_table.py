"""The feature table: columns, types, row order, and histories that lack tables."""

import numpy as np
import pyarrow as pa
import pytest

from features.feature_table import feature_table, plan_for
from features.history.build_history import build_history
from features.history_store import Manifest
from features.text.comment_score_model import N_FEATURES, CommentScoreModel
from support.table_builders import contract_table, micro


@pytest.fixture(scope="module")
def schema(tiny_company):
    company, workspace = tiny_company
    return Manifest.read(workspace, company.name).schema


def test_columns_and_types(tiny_tables, schema):
    history = build_history(tiny_tables)
    ids = pa.array(history.customer_ids)
    plan = plan_for(schema)
    table = feature_table(history, ids, np.full(len(ids), micro(600)), plan)
    assert table.column_names == ["customer_id", "cutoff", *plan.names]
    assert table.schema.field("customer_id").type == pa.string()
    assert table.schema.field("cutoff").type == pa.timestamp("us", "UTC")
    for column in plan.columns:
        kind = table.schema.field(column.name).type
        if column.is_text:
            assert kind == pa.dictionary(pa.int32(), pa.string()), column.name
        else:
            assert kind == pa.float64(), column.name
            assert table[column.name].null_count == 0, "missing is NaN"
            assert not np.isinf(table[column.name].to_numpy()).any()
    assert table["last_category"].null_count < len(ids)


def test_rows_keep_the_order_of_the_request(tiny_tables, schema):
    history = build_history(tiny_tables)
    plan = plan_for(schema)
    ids = [history.customer_ids[i] for i in (5, 0, 5, 9)]
    cutoffs = np.array([micro(d) for d in (400, 700, 300, 500)])
    together = feature_table(history, pa.array(ids), cutoffs, plan)
    assert together["customer_id"].to_pylist() == ids
    for i, who in enumerate(ids):
        alone = feature_table(history, pa.array([who]), cutoffs[i : i + 1], plan)
        _same_values(alone, together.slice(i, 1))


def test_a_request_and_the_snapshot_give_the_same_bits(tiny_tables, schema):
    """No train/serve skew: a customer's rows alone, shuffled, give what the whole company gives."""
    history = build_history(tiny_tables)
    plan = plan_for(schema)
    cutoff = np.array([micro(650)])
    rng = np.random.default_rng(2)
    for who in history.customer_ids[::15]:
        alone = {}
        for name, table in tiny_tables.items():
            rows = np.flatnonzero(np.array(table["customer_id"].to_pylist()) == who)
            if len(rows):
                alone[name] = table.take(rng.permutation(rows))
        snapshot = feature_table(history, pa.array([who]), cutoff, plan)
        request = feature_table(build_history(alone), pa.array([who]), cutoff, plan)
        _same_values(request, snapshot)


def _same_values(one: pa.Table, other: pa.Table) -> None:
    assert one.column_names == other.column_names
    for name in one.column_names:
        a, b = one[name], other[name]
        if pa.types.is_floating(b.type):
            np.testing.assert_array_equal(a.to_numpy(), b.to_numpy(), err_msg=name)
        else:
            assert a.to_pylist() == b.to_pylist(), name


def test_a_request_may_lack_tables_and_columns(schema):
    """Counts are 0, ages and means NaN, texts null; nothing fails."""
    bare = {"customers": pa.table({"customer_id": ["A"]})}
    plan = plan_for(schema)
    table = feature_table(build_history(bare), pa.array(["A"]), np.array([micro(10)]), plan)
    row = table.to_pylist()[0]
    assert (row["orders_all"], row["revenue_90d"], row["tickets_30d"]) == (0, 0, 0)
    assert row["last_category"] is None
    assert row["crm_industry"] is None
    assert row["season"] == 1
    for name in ("days_since_order", "csat_last", "crm_tenure_days", "crm_market_coverage"):
        assert np.isnan(row[name]), name


def test_an_attribute_without_a_value_is_null_or_nan(schema):
    rows = [{"customer_id": "A", "valid_from": 1, "industry": None, "credit_limit": None}]
    customers = contract_table("customers", rows, industry=pa.string(), credit_limit=pa.float64())
    history = build_history({"customers": customers})
    table = feature_table(history, pa.array(["A"]), np.array([micro(10)]), plan_for(schema))
    assert table["crm_industry"].to_pylist() == [None]
    assert np.isnan(table["crm_credit_limit"].to_pylist()).all()
    assert table["crm_tenure_days"].to_pylist() == [9.0]


def test_the_last_known_version_of_an_attribute_is_used(schema):
    rows = [
        {"customer_id": "A", "valid_from": 1, "plan": "basic", "market_coverage": 5},
        {"customer_id": "A", "valid_from": 5, "plan": "pro", "market_coverage": None},
        {"customer_id": "A", "valid_from": 9, "plan": "gold", "market_coverage": 7},
    ]
    customers = contract_table("customers", rows, plan=pa.string(), market_coverage=pa.float64())
    history = build_history({"customers": customers})
    cutoffs = np.array([micro(d) for d in (1, 5, 5.5, 9.5)])
    table = feature_table(history, pa.array(["A"] * 4), cutoffs, plan_for(schema))
    assert table["crm_plan"].to_pylist() == [None, "basic", "pro", "gold"]
    np.testing.assert_array_equal(table["crm_market_coverage"].to_numpy(), [np.nan, 5, 5, 7])


def test_a_plan_of_named_features_keeps_their_order_and_skips_unknown_ones(schema):
    plan = plan_for(schema, ("revenue_90d", "season", "gone", "orders_30d"))
    assert plan.names == ("revenue_90d", "season", "orders_30d")


def test_an_empty_request(tiny_tables, schema):
    history = build_history(tiny_tables)
    nobody = feature_table(
        history, pa.array([], pa.string()), np.zeros(0, np.int64), plan_for(schema)
    )
    assert nobody.num_rows == 0
    assert "orders_30d" in nobody.column_names


def test_columns_of_comment_scores_need_the_model(tiny_tables, schema):
    """The same history with two models: no value of the first remains with the second."""
    names = {"comment_tone_365d", "comment_tone_last", "ticket_tone_365d", "ticket_tone_last"}
    assert names.isdisjoint(plan_for(schema).names)
    history = build_history(tiny_tables)
    ids = pa.array(history.customer_ids)
    cutoff = np.full(len(ids), micro(10_000))
    weights = (0.0,) * N_FEATURES
    for level in (30.0, 70.0):
        plan = plan_for(
            schema, comment_model=CommentScoreModel(0, 200, (level, level), (weights, weights))
        )
        assert set(plan.names) - set(plan_for(schema).names) == names
        made = feature_table(history, ids, cutoff, plan)
        last = made["ticket_tone_last"].to_numpy()
        assert set(last[~np.isnan(last)].tolist()) == {level}
