"""Bulk contributions equal LightGBM's, also for categories and missing values."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from features.settings import find_workspace, real_data_root
from models.explain.treeshap.bulk import bulk_contributions
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from support.small_models import customers, small_bundle


def assert_same(estimator: Estimator, table: pa.Table) -> None:
    theirs = estimator.contributions(table)
    ours = bulk_contributions(estimator, estimator.encoder.encode(table))
    spread = max(1.0, np.ptp(estimator.raw(table)))
    np.testing.assert_allclose(ours, theirs.reshape(ours.shape), rtol=0, atol=1e-12 * spread)


@pytest.mark.parametrize("target", ["churn", "nps", "satisfaction", "value"])
def test_the_same_numbers_as_lightgbm(target: str) -> None:
    estimator = small_bundle(target).estimator
    if target != "value":
        assert any(t.codes for t in estimator.forest()), "there must be splits by category"
    assert_same(estimator, customers(seed=9))


def test_values_may_be_missing_that_were_not_in_training() -> None:
    rng = np.random.default_rng(2)
    full = pa.table({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    y = (full["a"].to_numpy() + full["b"].to_numpy() > 0).astype(float)
    estimator = Estimator.fit("binary", LabelledRows(full, y), None, Params(max_rounds=15))
    holes = pa.table({"a": [None, 0.5, None], "b": [0.2, None, None]}).cast(
        pa.schema({"a": pa.float64(), "b": pa.float64()})
    )
    assert_same(estimator, holes)


def test_deep_trees() -> None:
    """Leaves with many columns on their path have no lookup table."""
    table = customers(seed=4)
    y = np.arange(table.num_rows) ** 1.5
    params = Params(max_rounds=6, leaves=40, min_data_in_leaf=3)
    estimator = Estimator.fit("regression", LabelledRows(table, y), None, params)
    assert_same(estimator, table)


def test_forest_thresholds_are_those_of_lightgbm() -> None:
    estimator = small_bundle("churn").estimator
    forest = estimator.forest()
    place = estimator.encoder.columns.index("reply_hours_90d")
    thresholds = forest.thresholds(place)
    assert len(thresholds) > 3
    assert (np.diff(thresholds) > 0).all()
    splits = sum(int((t.column == place).sum()) for t in forest)
    assert splits == int(estimator.booster.feature_importance("split")[place])


OLIST = """
select r.review_score < 3 as label, c.customer_state as state, p.payment_type, o.order_status,
       p.payment_value::double as paid, p.payment_installments::double as installments,
       date_diff('hour', o.order_purchase_timestamp, o.order_delivered_customer_date) / 24.0 as took,
       date_diff('hour', o.order_estimated_delivery_date, o.order_delivered_customer_date) / 24.0 as late
from '{0}/orders.parquet' o
join '{0}/customers.parquet' c using (customer_id)
join '{0}/order_reviews.parquet' r using (order_id)
left join '{0}/order_payments.parquet' p on p.order_id = o.order_id and p.payment_sequential = 1
order by o.order_id, r.review_id
"""


@pytest.mark.real_data
def test_real_orders_with_real_categories() -> None:
    """Olist: states, payment types, and missing values of orders that were not delivered."""
    folder = real_data_root(find_workspace()) / "olist_sample"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    with duckdb.connect() as con:
        table = con.sql(OLIST.format(folder)).to_arrow_table()
    label = np.array(table["label"].to_pylist(), float)
    features = table.drop_columns(["label"])
    estimator = Estimator.fit("binary", LabelledRows(features, label), None, Params(max_rounds=40))
    assert np.isnan(features["late"].to_numpy()).any()
    assert any(t.codes for t in estimator.forest())
    assert_same(estimator, features.slice(0, 3000))
