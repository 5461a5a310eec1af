"""Literal contract tables, and the value of one expression on them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from features.contract import TABLES
from features.definitions.expressions import Aggregate, Expression
from features.definitions.feature_registry import FeatureColumn
from features.engine.compute_features import FeaturePlan
from features.feature_table import feature_table
from features.history.build_history import History, build_history

START = datetime(2024, 1, 1, tzinfo=UTC)
TYPES = {
    "text": pa.string(),
    "number": pa.float64(),
    "flag": pa.float64(),
    "time": pa.timestamp("us", "UTC"),
}


def day(number: float) -> datetime:
    """The instant a number of days after the start of 2024."""
    return START + timedelta(days=number)


def micro(number: float) -> int:
    """The same instant in microseconds since 1970."""
    return round((day(number) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))


def contract_table(name: str, rows: list[dict[str, Any]], **attributes: pa.DataType) -> pa.Table:
    """A contract table of literal rows: numbers in time columns are days, missing columns are null."""
    kinds = {c.name: TYPES[c.kind] for c in TABLES[name].columns} | attributes
    return pa.table(
        {
            column: pa.array([_cell(row.get(column), kind) for row in rows], kind)
            for column, kind in kinds.items()
        }
    )


def _cell(value: Any, kind: pa.DataType) -> Any:
    is_day = pa.types.is_timestamp(kind) and isinstance(value, (int, float))
    return day(value) if is_day else value


def column_of(expression: Expression, name: str = "it") -> FeatureColumn:
    """An expression as a feature column; `last` and `first` of a text are texts."""
    text = False
    if isinstance(expression, Aggregate) and expression.operation in {"last", "first"}:
        declared = TABLES[expression.view.table].column(expression.column or "")
        text = declared is not None and declared.kind == "text"
    return FeatureColumn(name, name, "unit", expression, text)


def values(
    history: History | dict[str, pa.Table],
    expression: Expression,
    cutoff: float,
    customers: tuple[str, ...] = ("A",),
) -> list[Any]:
    """The value of an expression for each customer as of a cutoff given in days."""
    if isinstance(history, dict):
        history = build_history(history, customers=customers)
    made = feature_table(
        history,
        pa.array(customers, pa.string()),
        np.full(len(customers), micro(cutoff)),
        FeaturePlan.from_columns([column_of(expression)]),
    )
    found: list[Any] = made["it"].to_pylist()
    return found
