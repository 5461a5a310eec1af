"""Infer a company's schema from its tables: columns, attributes, dimensions, kinds, frequent values."""

from collections.abc import Iterable, Mapping

import duckdb

from features.config.company import Company
from features.config.snapshot_settings import LABEL
from features.config.toml_section import did_you_mean
from features.contract import TABLES, TableContract
from features.definitions.company_schema import TOP, CompanySchema
from features.errors import ConfigRefused
from features.ingest.identifier_columns import find_identifier_columns
from features.ingest.read_table import SourceTable
from features.ingest.sql import quote_identifier

#: Text columns without frequent values.
FREE_TEXT = {"customer_id", "comment"}


def infer_schema(
    con: duckdb.DuckDBPyConnection, company: Company, mapped: Mapping[str, SourceTable]
) -> CompanySchema:
    """Infer the schema from the validated tables (`good_<name>`).

    A column without a single value counts as missing, and so do an attribute that identifies the
    customer and the label of a snapshot.
    """
    tables = {}
    for name, table in mapped.items():
        columns = [*TABLES[name].names, *table.attributes]
        counts = con.execute(
            f"select {', '.join(f'count({quote_identifier(c)})' for c in columns)} from good_{name}"
        ).fetchall()[0]
        tables[name] = tuple(c for c, n in zip(columns, counts, strict=True) if n)
    attributes = mapped["customers"].attributes if "customers" in mapped else {}
    dimensions: tuple[str, ...] = ()
    if "surveys" in mapped:
        dimensions = tuple(
            row[0]
            for row in con.execute(
                "select dimension from good_surveys where instrument in ('csat', 'servqual') and "
                "dimension is not null and dimension <> 'overall' group by 1 "
                "order by count(*) desc, 1 limit 12"
            ).fetchall()
        )
    identifiers = {
        found.attribute for found in find_identifier_columns(con, "good_customers", attributes)
    }
    present = {
        k: v
        for k, v in attributes.items()
        if k in tables.get("customers", ()) and k not in {LABEL, *identifiers}
    }
    horizons = {company.target(t).horizon_days for t in ("churn", "value")}
    return CompanySchema(
        tables,
        present,
        tuple(sorted(dimensions)),
        tuple(sorted(horizons)),
        _kinds(con, mapped),
        _frequent(con, mapped),
        company.info.time_zone,
        _levers(company, present),
    )


def _levers(company: Company, attributes: Mapping[str, str]) -> tuple[str, ...]:
    """The levers of a snapshot; raises ConfigRefused unless they are numbers that features read."""
    levers = company.snapshot.levers if company.snapshot else []
    numbers = [name for name, kind in attributes.items() if kind == "number"]
    for name in levers:
        if name not in numbers:
            raise ConfigRefused(
                f"{company.path.name}: snapshot.levers: {name} is not a number of customers"
                f"{did_you_mean(name, numbers)}"
            )
    return tuple(levers)


def _kinds(con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The kinds of rows in each validated table that has a `kind` column."""
    return {
        name: tuple(
            row[0]
            for row in con.execute(
                f"select distinct kind from good_{name} where kind is not null order by 1"
            ).fetchall()
        )
        for name in tables
        if TABLES[name].column("kind")
    }


def _frequent(con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The most frequent values by "table.column" and, where rows have kinds, "table.kind.column".

    Counted in the older half of the table's time span: later data must not decide which columns a
    model learns from.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name in (t for t in tables if t != "customers"):
        contract = TABLES[name]
        for column in (
            c.name for c in contract.columns if c.kind == "text" and c.name not in FREE_TEXT
        ):
            found |= _tops(con, contract, column)
    return found


def _tops(
    con: duckdb.DuckDBPyConnection, contract: TableContract, column: str
) -> dict[str, tuple[str, ...]]:
    name, clock = contract.name, contract.clock
    kind = "kind" if contract.column("kind") and column != "kind" else "null"
    counted = con.execute(
        f"with bounds as (select min({clock}) as first, max({clock}) as last from good_{name}), "
        f"counted as (select {kind}::varchar as kind, {column} as word, count(*) as n "
        f"from good_{name}, bounds where {column} is not null "
        f"and {clock} <= first + (last - first) / 2 group by 1, 2) "
        "select kind, word, n from counted order by n desc, word"
    ).fetchall()
    words: dict[str, dict[str, int]] = {}
    for of_kind, word, n in counted:
        overall = words.setdefault(f"{name}.{column}", {})
        overall[word] = overall.get(word, 0) + n
        if of_kind is not None:
            words.setdefault(f"{name}.{of_kind}.{column}", {})[word] = n
    return {key: _most_frequent(n) for key, n in words.items()}


def _most_frequent(counts: dict[str, int]) -> tuple[str, ...]:
    """The most frequent values in alphabetical order; ties are broken alphabetically."""
    return tuple(sorted(sorted(counts, key=lambda word: (-counts[word], word))[:TOP]))
