"""Small models with real feature names, trained quickly on random customers."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from features.definitions.company_schema import CompanySchema
from models.bundles.bundle import Bundle
from models.bundles.model_manifest import ModelManifest
from models.learners.calibration import Calibrator
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.spend_level import SpendLevel

ROWS = 900
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = CompanySchema(
    tables={
        "customers": ("customer_id", "valid_from", "region"),
        "events": ("customer_id", "occurred_at", "known_at", "kind", "amount", "due_at"),
        "surveys": ("customer_id", "sent_at", "answered_at", "instrument", "dimension", "score",
                    "scale_low", "scale_high"),
        "tickets": ("customer_id", "opened_at", "first_reply_at"),
    },
    attributes={"region": "text"},
    dimensions=(),
    horizons=(90,),
)  # fmt: skip


def customers(seed: int = 0, rows: int = ROWS) -> pa.Table:
    """Feature rows with counts, windows, shares, a category, and missing values."""
    rng = np.random.default_rng(seed)
    orders = rng.poisson(2, rows).astype(float)
    lateness = rng.normal(1, 3, rows)
    waits = np.where(rng.random(rows) < 0.3, np.nan, rng.exponential(20, rows))
    visits = rng.poisson(0.7, rows).astype(float)
    return pa.table({
        "customer_id": [f"C{i:04d}" for i in range(rows)],
        "cutoff": pa.array([AS_OF] * rows, pa.timestamp("us", "UTC")),
        "tenure_days": rng.uniform(10, 900, rows),
        "orders_90d": orders,
        "orders_180d": orders + rng.poisson(2, rows),
        "revenue_90d": orders * rng.lognormal(4, 1, rows),
        "revenue_365d": orders * 700.0,
        "revenue_all": orders * 900.0,
        "days_since_order": np.where(orders == 0, np.nan, rng.exponential(40, rows)),
        "reply_hours_90d": waits,
        "reply_hours_365d": waits * 0.8,
        "reply_hours_max_90d": waits * 1.5,
        "delivery_lateness_90d": lateness,
        "delivery_lateness_max_90d": lateness + rng.exponential(1, rows),
        "late_deliveries_90d": np.where(lateness > 0, 0.6, 0.2),
        "visits_90d": visits,
        "visits_365d": visits + rng.poisson(1, rows),
        "days_since_visit": np.where(visits == 0, np.nan, rng.uniform(1, 90, rows)),
        "csat_last": np.where(rng.random(rows) < 0.5, np.nan, rng.choice([0.0, 50, 100], rows)),
        "crm_region": pa.array(
            [None if r < 0.1 else "north" if r < 0.5 else "south" for r in rng.random(rows)]
        ).dictionary_encode(),
    })  # fmt: skip


def _risk(table: pa.Table) -> Any:
    """The risk of each customer: silence, long waits, late deliveries and few visits raise it."""
    number = {n: np.nan_to_num(table[n].to_numpy()) for n in table.column_names[2:-1]}
    north = np.array([r == "north" for r in table["crm_region"].to_pylist()])
    return (
        0.03 * number["days_since_order"] + 0.06 * number["reply_hours_90d"]
        + 0.4 * number["delivery_lateness_90d"] - 1.2 * number["visits_90d"]
        - 0.5 * number["orders_90d"] + 0.7 * north - 0.5
    )  # fmt: skip


@cache
def small_bundle(target: str, method: str = "identity", seed: int = 1) -> Bundle:
    """A model of churn, nps, satisfaction or value, with a calibration method of fixed parameters."""
    table = customers(seed)
    rng = np.random.default_rng(seed)
    risk = _risk(table) + rng.logistic(0, 1, ROWS)
    params = Params(max_rounds=40, min_data_in_leaf=15, feature_fraction=0.8)
    features = table.drop_columns(["revenue_all"]) if target == "churn" else table
    spend = None
    if target == "churn":
        kind, label = "binary", (risk > 0).astype(float)
    elif target == "value":
        kind, spend = "regression", SpendLevel(90, 20.0)
        label = np.exp(-risk / 4) * rng.uniform(0.5, 1.5, ROWS)
        params = Params(max_rounds=40, min_data_in_leaf=15, objective="l1")
    else:
        kind, classes = "multiclass", 3 if target == "nps" else 5
        label = classes - 1 - np.digitize(risk, np.quantile(risk, np.arange(1, classes) / classes))
        params = Params(max_rounds=25, min_data_in_leaf=15, n_classes=classes)
    estimator = Estimator.fit(kind, LabelledRows(features, np.asarray(label, float)), None, params)
    return Bundle(
        estimator, _calibrator(kind, method, params.n_classes), _manifest(target, spend, table)
    )


def _calibrator(kind: str, method: str, classes: int) -> Calibrator:
    parameters: dict[str, dict[str, list[float]]] = {
        "platt": {"slope": [0.8], "shift": [-0.4]},
        "isotonic": {"x": [0.05, 0.2, 0.2001, 0.5, 0.9], "y": [0.02, 0.1, 0.3, 0.3, 0.95]},
        "vector": {"slope": [1.0 + 0.1 * k for k in range(classes)], "shift": [0.2] * classes},
        "scale": {"factor": [1.3]},
    }
    return Calibrator(kind, method, parameters.get(method))


def _manifest(target: str, spend: SpendLevel | None, table: pa.Table) -> ModelManifest:
    features = [{"name": n, "meaning": n, "unit": ""} for n in table.column_names[2:]]
    reads = ["revenue_90d", "revenue_365d", "revenue_all", "tenure_days"] if spend else []
    return ModelManifest(
        target=target, version="1", schema=json.loads(SCHEMA.to_json()), also_reads=reads,
        features=features, currency="EUR",
        spend_level=json.loads(spend.to_json()) if spend else None,
    )  # fmt: skip


#: Every kind of score with the calibration methods it can have.
SCORES = [
    ("churn", "identity"), ("churn", "platt"), ("churn", "isotonic"), ("nps", "identity"),
    ("nps", "vector"), ("satisfaction", "vector"), ("value", "identity"), ("value", "scale"),
]  # fmt: skip
