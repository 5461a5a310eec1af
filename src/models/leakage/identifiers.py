"""Columns that name a customer or number the rows: a model learns them by heart."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow.dataset import dataset

from features.contract import TABLES
from features.execution.partitions import columns_of
from models.leakage.audit_sample import Case
from models.leakage.findings import Charge, Finding
from models.training_set.build_training_sets import KEYS

KIND = "identifier"
#: Rows from which a column can be called an identifier, and the share of values that are its own.
LEAST, OWN = 100, 0.95
#: A numbering may miss so many of its numbers and still be one.
DENSE = 1.02

REMEDY = (
    "leave it out of the company's file: nothing is to be learnt from a name or a number, only from "
    "what customers have in common"
)


def judge(case: Case) -> Finding:
    """Look for ids, row numbers and texts that nobody shares among the columns features read.

    Attributes that no feature reads because they name customers
    (`features.ingest.identifier_columns`) are looked at as well: whoever maps one wants it read.
    """
    columns = [
        (table, name)
        for table, mapped in case.manifest.schema.tables.items()
        for name in mapped
        if _may_be_read(table, name) and name in _read(case, table)
    ] + [("customers", name) for name in _set_apart(case)]
    charges = [
        c for name in (*(t.name for t in case.targets), "snapshot") for c in _added(case, name)
    ]
    for table, name in columns:
        column = TABLES[table].column(name)
        kind = column.kind if column else case.manifest.schema.attributes.get(name, "text")
        evidence = _text(case, table, name) if kind == "text" else _number(case, table, name)
        if evidence:
            charges.append(Charge(KIND, f"{table}.{name}", evidence, REMEDY))
    return Finding(KIND, f"{len(columns)} columns", tuple(charges))


def _added(case: Case, name: str) -> list[Charge]:
    """Columns of a stored set that no feature makes and that number or name its rows."""
    path = case.workspace.features(case.company.name) / f"{name}.parquet"
    charges = []
    for column in (n for n in columns_of(path) if n not in (*KEYS, *case.names)):
        values = dataset(path).to_table(columns=[column])[column]
        own = len(pc.unique(values)) >= max(LEAST, OWN * len(values))
        if own and (pa.types.is_integer(values.type) or not pa.types.is_floating(values.type)
                    or _ascends(values.to_numpy())):  # fmt: skip
            evidence = f"{len(pc.unique(values)):,} different values in {len(values):,} rows"
            charges.append(Charge(KIND, f"column {column} of features/{name}.parquet", evidence,
                                  REMEDY, None if name == "snapshot" else name))  # fmt: skip
    return charges


def _ascends(values: NDArray[np.float64]) -> bool:
    """Whether values run up or down with the rows."""
    step = np.diff(values)
    return bool((step > 0).all() or (step < 0).all())


def _set_apart(case: Case) -> list[str]:
    """The text attributes in the history that its schema does not have."""
    known = (*TABLES["customers"].names, *case.manifest.schema.attributes)
    stored = case.tables["customers"].schema if "customers" in case.tables else pa.schema([])
    texts = [field.name for field in stored if pa.types.is_string(field.type)]
    return [name for name in texts if name not in known]


def _may_be_read(table: str, name: str) -> bool:
    """Times and free texts are no identifiers, keys are known to be."""
    column = TABLES[table].column(name)
    return name not in ("customer_id", "comment") and (column is None or column.kind != "time")


def _read(case: Case, table: str) -> set[str]:
    """The columns of a table that planned features show the values of."""
    return {
        leaf.column
        for stream, leaves in case.plan.streams
        if stream.view.table == table
        for leaf in leaves
        if leaf.column
    }


def _text(case: Case, table: str, name: str) -> str | None:
    """Nearly every text is its own customer's (of attributes) or row's alone, in the sample."""
    given = case.tables[table].select(["customer_id", name])
    given = given.filter(pc.is_valid(given[name]))
    if table == "customers":  # one value a customer, whatever the number of versions
        given = given.group_by("customer_id", use_threads=False).aggregate([(name, "first")])
        given = given.rename_columns(["customer_id", name])
    rows, distinct = given.num_rows, pc.count_distinct(given[name]).as_py()
    if rows < LEAST or distinct < OWN * rows or _are_dates(given[name]):
        return None
    same = int(pc.sum(pc.equal(_plain(given[name]), _plain(given["customer_id"]))).as_py())
    if same >= OWN * rows:
        return f"{same:,} of {rows:,} looked-at values are the customer_id itself"
    owners = "customers" if table == "customers" else "rows"
    return f"{distinct:,} different texts for {rows:,} looked-at {owners}"


def _plain(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_lower(pc.utf8_trim_whitespace(texts.cast(pa.string())))


def _are_dates(texts: pa.ChunkedArray) -> bool:
    """Whether texts are days or times: few share one, but it says something."""
    read = pd.to_datetime(texts.to_pandas(), errors="coerce", format="ISO8601", utc=True)
    return bool(read.notna().mean() >= OWN)


def _number(case: Case, table: str, name: str) -> str | None:
    """The digits of the id, or numbers from one on without gaps, one a row or customer."""
    if table != "customers":
        return None
    column = '"' + name.replace('"', '""') + '"'
    customers, distinct, whole, low, high, same = case.con.execute(
        f"select count(distinct customer_id) filter ({column} is not null), "
        f"count(distinct {column}), bool_and({column} = floor({column})), min({column}), "
        f"max({column}), count(distinct customer_id) filter "
        f"(try_cast(regexp_replace(customer_id, '\\D', '', 'g') as double) = {column}) from customers"
    ).fetchall()[0]
    if customers < LEAST or distinct < OWN * customers:
        return None
    if same >= OWN * customers:
        return f"{same:,} of {customers:,} values are the digits of the customer_id"
    if whole and high - low + 1 <= DENSE * distinct + 1:
        return (
            f"{distinct:,} whole numbers from {low:.0f} to {high:.0f} without gaps for {customers:,} "
            "customers: a numbering of the rows"
        )
    return None
