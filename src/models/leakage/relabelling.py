"""A target's labels made again over several versions of the same history at once."""

from collections.abc import Mapping

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.contract import TABLES
from models.leakage.audit_sample import Case, ids, instants
from models.targets.registry import Target
from models.training_set.labels import know
from models.training_set.splits import instant

Tables = Mapping[str, pa.Table]
Labels = pd.Series


def labels_over(
    con: duckdb.DuckDBPyConnection,
    case: Case,
    target: Target,
    cutoff: int,
    histories: Mapping[str, Tables],
    known: Mapping[str, Tables],
) -> dict[str, Labels]:
    """The target's labels by (customer, cutoff) over each named history.

    All histories stand beside each other in one run of the SQL, their customers told apart by the
    name. Customers are known since their records in `known`, or else in the history itself.
    """
    first, tables = _beside({**histories, **known}), _beside(histories)
    for name, table in first.items():
        con.register(name, table)
    know(con, list(first))
    for name, table in tables.items():
        con.register(name, table)
    moment = instant(cutoff).isoformat()
    con.execute(f"create or replace temp table cutoffs as select timestamptz '{moment}' as cutoff")
    sql = target.labels(case.company.target(target.name))
    made = con.sql(
        f"select customer_id, cutoff, label::double as label from ({sql})"
    ).to_arrow_table()
    return {name: _own(made, name) for name in histories}


def _beside(histories: Mapping[str, Tables]) -> dict[str, pa.Table]:
    """The tables of all histories together, the name of the history before each customer."""
    tables: dict[str, list[pa.Table]] = {}
    for mark, history in histories.items():
        for name, table in history.items():
            place = table.column_names.index("customer_id")
            owner = pc.binary_join_element_wise(f"{mark}/", ids(table), "")
            tables.setdefault(name, []).append(table.set_column(place, "customer_id", owner))
    return {name: pa.concat_tables(parts) for name, parts in tables.items()}


def _own(made: pa.Table, mark: str) -> Labels:
    """The labels of one history, its customers without the mark, sorted."""
    mine = made.filter(pc.starts_with(made["customer_id"], f"{mark}/"))
    owner = pc.utf8_slice_codeunits(mine["customer_id"], len(mark) + 1)
    index = pd.MultiIndex.from_arrays([owner.to_pylist(), instants(mine)])
    labels = pd.Series(mine["label"].to_numpy(), index).sort_index()
    return labels[~labels.index.duplicated()]


def between(tables: Tables, start: int | None, end: int | None) -> dict[str, pa.Table]:
    """Records that occurred from `start` on and before `end`; answers that came by then.

    When a record was entered does not matter here: a label is what really happened.
    """
    cut = {}
    for name, table in tables.items():
        clock = table[TABLES[name].clock]
        if end is not None:
            table = table.filter(pc.fill_null(pc.less(clock, _scalar(end)), name == "customers"))
            table = _unanswered(table, end) if name == "surveys" else table
        if start is not None and name != "customers":
            clock = table[TABLES[name].clock]
            table = table.filter(pc.greater_equal(clock, _scalar(start)))
        cut[name] = table
    return cut


def _unanswered(surveys: pa.Table, end: int) -> pa.Table:
    """Without the answers that came at `end` or later."""
    known = pc.fill_null(pc.less(surveys["answered_at"], _scalar(end)), False)
    for column in ("score", "expectation", "comment", "answered_at"):
        if column in surveys.column_names:
            place = surveys.column_names.index(column)
            blank = pa.scalar(None, surveys.schema.field(column).type)
            values = pc.if_else(known, surveys[column], blank)
            surveys = surveys.set_column(place, column, values)
    return surveys


def _scalar(moment: int) -> pa.Scalar:
    return pa.scalar(moment, pa.timestamp("us", "UTC"))
