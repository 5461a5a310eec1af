"""Check for columns that identify a customer or number the rows: a model memorises them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.contract import TABLES
from features.execution.partitions import column_names, open_parquet
from features.ingest.sql import quote_identifier
from models.leakage.audit_sample import AuditSample
from models.leakage.findings import LeakCheckResult, LeakFinding
from models.training_set.build_training_sets import KEYS

KIND = "identifier"
#: Rows needed to call a column an identifier, and the share of unique values that makes it one.
LEAST, UNIQUE = 100, 0.95
#: Largest ratio of the range of a numbering to its distinct values.
DENSE = 1.02

REMEDY = (
    "remove it from the company's file: a model can only learn from values that customers share, not "
    "from a name or a number"
)


def check_identifiers(sample: AuditSample) -> LeakCheckResult:
    """Look for ids, row numbers and unique texts among the columns that features read.

    Attributes that are excluded from the features because they name customers
    (`features.ingest.identifier_columns`) are checked as well, since the company's file maps them.
    """
    columns = [
        (table, name)
        for table, mapped in sample.manifest.schema.tables.items()
        for name in mapped
        if _is_candidate(table, name) and name in _columns_read(sample, table)
    ] + [("customers", name) for name in _excluded_attributes(sample)]
    findings = [
        f
        for name in (*(t.name for t in sample.targets), "snapshot")
        for f in _check_undeclared(sample, name)
    ]
    for table, name in columns:
        column = TABLES[table].column(name)
        kind = column.kind if column else sample.manifest.schema.attributes.get(name, "text")
        check = _check_text if kind == "text" else _check_number
        evidence = check(sample, table, name)
        if evidence:
            findings.append(LeakFinding(KIND, f"{table}.{name}", evidence, REMEDY))
    return LeakCheckResult(KIND, f"{len(columns)} columns", tuple(findings))


def _check_undeclared(sample: AuditSample, name: str) -> list[LeakFinding]:
    """Columns of a stored set that no feature declares and that number or identify its rows."""
    path = sample.workspace.features(sample.company.name) / f"{name}.parquet"
    findings = []
    for column in (n for n in column_names(path) if n not in (*KEYS, *sample.feature_names)):
        values = open_parquet(path).to_table(columns=[column])[column]
        unique = len(pc.unique(values)) >= max(LEAST, UNIQUE * len(values))
        if unique and (pa.types.is_integer(values.type) or not pa.types.is_floating(values.type)
                       or _is_monotonic(values.to_numpy())):  # fmt: skip
            evidence = f"{len(pc.unique(values)):,} different values in {len(values):,} rows"
            target = None if name == "snapshot" else name
            where = f"column {column} of features/{name}.parquet"
            findings.append(LeakFinding(KIND, where, evidence, REMEDY, target))
    return findings


def _is_monotonic(values: NDArray[np.float64]) -> bool:
    """Whether values strictly increase or decrease with the rows."""
    step = np.diff(values)
    return bool((step > 0).all() or (step < 0).all())


def _excluded_attributes(sample: AuditSample) -> list[str]:
    """The text attributes of the history that its schema does not list."""
    known = (*TABLES["customers"].names, *sample.manifest.schema.attributes)
    stored = sample.tables["customers"].schema if "customers" in sample.tables else pa.schema([])
    texts = [field.name for field in stored if pa.types.is_string(field.type)]
    return [name for name in texts if name not in known]


def _is_candidate(table: str, name: str) -> bool:
    """Whether a column may be a hidden identifier: no time, no free text, no known key."""
    column = TABLES[table].column(name)
    return name not in ("customer_id", "comment") and (column is None or column.kind != "time")


def _columns_read(sample: AuditSample, table: str) -> set[str]:
    """The columns of a table whose values planned features read."""
    return {
        leaf.column
        for stream, leaves in sample.plan.streams
        if stream.view.table == table
        for leaf in leaves
        if leaf.column
    }


def _check_text(sample: AuditSample, table: str, name: str) -> str | None:
    """Evidence that sampled texts are unique per customer (attributes) or per row; else None."""
    given = sample.tables[table].select(["customer_id", name])
    given = given.filter(pc.is_valid(given[name]))
    if table == "customers":  # one value per customer, whatever the number of versions
        given = given.group_by("customer_id", use_threads=False).aggregate([(name, "first")])
        given = given.rename_columns(["customer_id", name])
    rows, distinct = given.num_rows, pc.count_distinct(given[name]).as_py()
    if rows < LEAST or distinct < UNIQUE * rows or _are_dates(given[name]):
        return None
    ids = _normalise(given["customer_id"])
    same = int(pc.sum(pc.equal(_normalise(given[name]), ids)).as_py())
    if same >= UNIQUE * rows:
        return f"{same:,} of {rows:,} sampled values are the customer_id itself"
    owners = "customers" if table == "customers" else "rows"
    return f"{distinct:,} different texts for {rows:,} sampled {owners}"


def _normalise(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_lower(pc.utf8_trim_whitespace(texts.cast(pa.string())))


def _are_dates(texts: pa.ChunkedArray) -> bool:
    """Whether texts are dates or times: few rows share one, but they carry information."""
    parsed = pd.to_datetime(texts.to_pandas(), errors="coerce", format="ISO8601", utc=True)
    return bool(parsed.notna().mean() >= UNIQUE)


def _check_number(sample: AuditSample, table: str, name: str) -> str | None:
    """Evidence that numbers are the id's digits or a numbering without gaps; else None."""
    if table != "customers":
        return None
    column = quote_identifier(name)
    customers, distinct, whole, low, high, same = sample.connection.execute(
        f"select count(distinct customer_id) filter ({column} is not null), "
        f"count(distinct {column}), bool_and({column} = floor({column})), min({column}), "
        f"max({column}), count(distinct customer_id) filter "
        f"(try_cast(regexp_replace(customer_id, '\\D', '', 'g') as double) = {column}) from customers"
    ).fetchall()[0]
    if customers < LEAST or distinct < UNIQUE * customers:
        return None
    if same >= UNIQUE * customers:
        return f"{same:,} of {customers:,} values are the digits of the customer_id"
    if whole and high - low + 1 <= DENSE * distinct + 1:
        return (
            f"{distinct:,} whole numbers from {low:.0f} to {high:.0f} without gaps for {customers:,} "
            "customers: a numbering of the rows"
        )
    return None
