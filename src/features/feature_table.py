"""Feature tables: one row a customer and cutoff, one column a feature. The only way to make them."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

# The order of these imports is the order of the columns, and models depend on it.
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
from features.definitions.feature_registry import Column, columns
from features.engine.compute_features import Plan, evaluate
from features.history.build_history import History
from features.history.derived_columns import TONE
from features.text.comment_score_model import Tone

#: The modules whose features are registered; importing them defines the features.
FAMILIES = (orders, engagement, crm, deliveries_returns_payments, tickets, surveys)


def plan_for(
    schema: CompanySchema, names: tuple[str, ...] | None = None, tone: Tone | None = None
) -> Plan:
    """Every feature the company's tables allow, or just those named (a model's own).

    Those that need a tone of comments are among them where it is given.
    """
    made = [column for column in columns(schema) if tone or not column.reads(TONE)]
    if names is None:
        return Plan.of(made, tone)
    by_name = {column.name: column for column in made}
    return Plan.of([by_name[n] for n in names if n in by_name], tone)


def shipped(column: Column) -> bool:
    """Whether a column is declared in a family file, and so known to the service as well."""
    return column.declared_in in {family.__name__ for family in FAMILIES}


def feature_table(
    history: History,
    customers: pa.Array,
    cutoff: NDArray[np.int64],
    plan: Plan,
    threads: int = 1,
) -> pa.Table:
    """Features of each customer as of each cutoff (microseconds since 1970, UTC).

    `customers` and `cutoff` run in parallel, in any order; the answer keeps it. Numbers are float64
    with NaN where there is nothing to measure; texts are dictionaries with null.
    """
    position = history.rows_of(customers)
    values = evaluate(history, position, cutoff.astype(np.int64), plan, threads)
    arrays = [customers.cast(pa.string()), pa.array(cutoff, pa.timestamp("us", "UTC"))]
    for column, numbers in zip(plan.columns, values, strict=True):
        words = _words(history, column)
        arrays.append(pa.array(numbers) if words is None else _texts(numbers, words))
    return pa.table(arrays, names=["customer_id", "cutoff", *plan.names])


def _words(history: History, column: Column) -> tuple[str, ...] | None:
    """The texts a column's codes stand for, or None if it is a number."""
    leaf = column.expression
    if not column.is_text or not isinstance(leaf, Aggregate) or leaf.column is None:
        return None
    rows = history.tables.get(leaf.view.table)
    return rows.words.get(leaf.column, ()) if rows else ()


def _texts(codes: NDArray[np.float64], words: tuple[str, ...]) -> pa.Array:
    missing = np.isnan(codes)
    indices = pa.array(np.where(missing, 0, codes).astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string()))
