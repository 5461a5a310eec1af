"""Feature tables: one row for each customer and cutoff, one column for each feature."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

# The order of these imports is the order of the columns, which trained models depend on.
# isort: off
from features.families import orders
from features.families import engagement
from features.families import crm
from features.families import deliveries_returns_payments
from features.families import tickets
from features.families import surveys

# isort: on
from features.definitions.company_schema import CompanySchema
from features.definitions.expressions import Aggregate
from features.definitions.feature_registry import FeatureColumn, feature_columns
from features.engine.compute_features import FeaturePlan, compute_columns
from features.history.build_history import History
from features.history.derived_columns import TONE
from features.text.comment_score_model import CommentScoreModel

#: The modules that define the features; importing them registers the features.
FAMILIES = (orders, engagement, crm, deliveries_returns_payments, tickets, surveys)


def plan_for(
    schema: CompanySchema,
    names: tuple[str, ...] | None = None,
    comment_model: CommentScoreModel | None = None,
) -> FeaturePlan:
    """Plan every feature that the company's tables allow, or only the named ones (those of a model).

    Features that read the comment score model are included only where it is given.
    """
    offered = [c for c in feature_columns(schema) if comment_model or not c.reads(TONE)]
    if names is None:
        return FeaturePlan.from_columns(offered, comment_model, schema.time_zone)
    by_name = {column.name: column for column in offered}
    wanted = [by_name[n] for n in names if n in by_name]
    return FeaturePlan.from_columns(wanted, comment_model, schema.time_zone)


def is_in_family(column: FeatureColumn) -> bool:
    """Whether a column is declared in a family file, and so also exists in the service."""
    return column.declared_in in {family.__name__ for family in FAMILIES}


def feature_table(
    history: History,
    customers: pa.Array,
    cutoff: NDArray[np.int64],
    plan: FeaturePlan,
    threads: int = 1,
) -> pa.Table:
    """Compute the features of each customer as of each cutoff (microseconds since 1970, UTC).

    `customers` and `cutoff` have one element for each row of the result, in its order. Numbers are
    float64 with NaN for missing values; texts are dictionaries with null.
    """
    position = history.rows_of(customers)
    values = compute_columns(history, position, cutoff.astype(np.int64), plan, threads)
    arrays = [customers.cast(pa.string()), pa.array(cutoff, pa.timestamp("us", "UTC"))]
    for column, numbers in zip(plan.columns, values, strict=True):
        words = _words(history, column)
        arrays.append(pa.array(numbers) if words is None else _texts(numbers, words))
    return pa.table(arrays, names=["customer_id", "cutoff", *plan.names])


def _words(history: History, column: FeatureColumn) -> tuple[str, ...] | None:
    """The texts that a column's codes stand for, or None for a number."""
    leaf = column.expression
    if not column.is_text or not isinstance(leaf, Aggregate) or leaf.column is None:
        return None
    rows = history.tables.get(leaf.view.table)
    return rows.words.get(leaf.column, ()) if rows else ()


def _texts(codes: NDArray[np.float64], words: tuple[str, ...]) -> pa.Array:
    missing = np.isnan(codes)
    indices = pa.array(np.where(missing, 0, codes).astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string()))
