"""Recompute a target's labels over several versions of the same history at once."""

from collections.abc import Mapping

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.contract import TABLES
from features.history_store import create_departures_table, create_known_table
from models.leakage.audit_sample import AuditSample, customer_ids, to_microseconds
from models.targets.target import Target
from models.training_set.splits import instant

Tables = Mapping[str, pa.Table]
Labels = pd.Series


def compute_labels(
    con: duckdb.DuckDBPyConnection,
    sample: AuditSample,
    target: Target,
    cutoff: int,
    histories: Mapping[str, Tables],
    known: Mapping[str, Tables],
) -> dict[str, Labels]:
    """The target's labels by (customer, cutoff) over each named history.

    One run of the SQL covers all histories: each customer id carries the history's name as a
    prefix. Customers are known since their records in `known`, or else in the history itself; whether
    a cancellation ends their last contract follows from the same records. Rows without a label are
    left out.
    """
    first, tables = _concatenate({**histories, **known}), _concatenate(histories)
    for name, table in first.items():
        con.register(name, table)
    create_known_table(con, list(first))
    create_departures_table(con, list(first))
    for name, table in tables.items():
        con.register(name, table)
    time = instant(cutoff).isoformat()
    con.execute(f"create or replace temp table cutoffs as select timestamptz '{time}' as cutoff")
    sql = target.label_sql(sample.company.target(target.name))
    labels = con.sql(
        f"select customer_id, cutoff, label::double as label from ({sql}) where label is not null"
    ).to_arrow_table()
    return {name: _labels_of(labels, name) for name in histories}


def _concatenate(histories: Mapping[str, Tables]) -> dict[str, pa.Table]:
    """The tables of all histories in one, each customer id prefixed with the history's name."""
    tables: dict[str, list[pa.Table]] = {}
    for prefix, history in histories.items():
        for name, table in history.items():
            position = table.column_names.index("customer_id")
            owner = pc.binary_join_element_wise(f"{prefix}/", customer_ids(table), "")
            tables.setdefault(name, []).append(table.set_column(position, "customer_id", owner))
    return {name: pa.concat_tables(parts) for name, parts in tables.items()}


def _labels_of(labels: pa.Table, prefix: str) -> Labels:
    """The labels of one history, sorted, its customer ids without the prefix."""
    own = labels.filter(pc.starts_with(labels["customer_id"], f"{prefix}/"))
    owner = pc.utf8_slice_codeunits(own["customer_id"], len(prefix) + 1)
    index = pd.MultiIndex.from_arrays([owner.to_pylist(), to_microseconds(own)])
    series = pd.Series(own["label"].to_numpy(), index).sort_index()
    return series[~series.index.duplicated()]


def restrict_period(tables: Tables, start: int | None, end: int | None) -> dict[str, pa.Table]:
    """Records that occurred in [start, end), in microseconds; answers from `end` on are blanked.

    When a record was entered does not matter here: a label is what really happened.
    """
    cut = {}
    for name, table in tables.items():
        clock = table[TABLES[name].clock]
        if end is not None:
            table = table.filter(pc.fill_null(pc.less(clock, _scalar(end)), name == "customers"))
            table = _blank_answers(table, end) if name == "surveys" else table
        if start is not None and name != "customers":
            clock = table[TABLES[name].clock]
            table = table.filter(pc.greater_equal(clock, _scalar(start)))
        cut[name] = table
    return cut


def _blank_answers(surveys: pa.Table, end: int) -> pa.Table:
    """The surveys without the answers that came at `end` or later."""
    known = pc.fill_null(pc.less(surveys["answered_at"], _scalar(end)), False)
    for column in ("score", "expectation", "comment", "answered_at"):
        if column in surveys.column_names:
            position = surveys.column_names.index(column)
            blank = pa.scalar(None, surveys.schema.field(column).type)
            values = pc.if_else(known, surveys[column], blank)
            surveys = surveys.set_column(position, column, values)
    return surveys


def _scalar(time: int) -> pa.Scalar:
    return pa.scalar(time, pa.timestamp("us", "UTC"))
