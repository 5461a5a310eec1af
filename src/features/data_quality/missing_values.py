"""Checks of missing values by series and month, empty or constant columns, identifying attributes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.data_quality.checked_table import CheckedTable
from features.data_quality.finding import Severity, TableFinding
from features.ingest.identifier_columns import find_identifier_columns
from features.ingest.sql import quote_identifier

#: Columns that are legitimately empty in many rows.
OFTEN_EMPTY = {"due_at", "comment", "expectation"}
#: Columns that are the same in every row of many companies.
OFTEN_CONSTANT = {
    "instrument", "dimension", "scale_low", "scale_high", "weight", "kind", "customer_id",
}  # fmt: skip
#: Shares of missing values that give advice and a warning; smallest rise that is reported.
SOME, MANY, RISE = 0.001, 0.2, 0.25
LEAST_ROWS = 30


@dataclass(frozen=True)
class MissingMonth:
    """A month of a series: its rows, and those without a value in a column."""

    month: str
    rows: int
    missing: int

    @property
    def share(self) -> float:
        return self.missing / self.rows


def check_empty_columns(table: CheckedTable) -> Iterator[TableFinding]:
    """Mapped columns without any value, and columns with one value only."""
    columns = [c for c in table.source.columns if c != "customer_id"]
    if not columns:
        return
    counts_sql = ", ".join(f"count({q}), min({q}) is not distinct from max({q})"
                      for q in map(quote_identifier, columns))  # fmt: skip
    counted = table.query_row(f"select {counts_sql} from {table.view}")
    for column, filled, same in zip(columns, counted[::2], counted[1::2], strict=True):
        if not filled:
            yield TableFinding(
                table.name, column, "missing", "warning", table.rows, table.rows,
                "mapped, but no row has a value",
                f"correct tables.{table.name}.columns.{column}, or remove the line",
            )  # fmt: skip
        elif same and table.rows >= 10 and column not in OFTEN_CONSTANT:
            yield TableFinding(
                table.name, column, "constant", "advice", int(filled), table.rows,
                "the same value in all rows that have one: a model cannot learn from it",
                "check the expression; if it is right, the column may be left out",
            )  # fmt: skip


def check_identifying_attributes(table: CheckedTable) -> Iterator[TableFinding]:
    """Attributes that identify the customer and are therefore excluded from the features."""
    for found in find_identifier_columns(table.connection, table.view, table.source.attributes):
        yield TableFinding(
            table.name, found.attribute, "names customers", "warning", table.rows, table.rows,
            f"{found.values:,} values among {found.customers:,} customers: it identifies them, so no "
            "feature uses it",
            f"remove tables.{table.name}.columns.{found.attribute}: it is stored but never used",
        )  # fmt: skip


def check_missing_values(table: CheckedTable) -> Iterator[TableFinding]:
    """Values missing in part of a series' rows, or in clearly more rows in some months."""
    if not table.clock:
        yield from _check_attributes(table)
        return
    for column, found in count_missing_by_month(table).items():
        for series, months in found.items():
            yield from _check_series(table, column, series, months)


def count_missing_by_month(table: CheckedTable) -> dict[str, dict[str, list[MissingMonth]]]:
    """Missing values by column, series and month, for series with at least one value."""
    columns = [c for c in table.source.columns if c not in ("customer_id", table.clock)]
    sums = "".join(f", sum({quote_identifier('has_' + c)})::bigint" for c in columns)
    counted = table.query(
        f"select series, strftime(local, '%Y-%m'), sum(n)::bigint{sums} from slots_{table.name} "
        "group by 1, 2 order by 1, 2"
    )
    found: dict[str, dict[str, list[MissingMonth]]] = {}
    for place, column in enumerate(columns, start=3):
        months: dict[str, list[MissingMonth]] = {}
        for row in counted:
            months.setdefault(row[0], []).append(MissingMonth(row[1], row[2], row[2] - row[place]))
        found[column] = {s: m for s, m in months.items() if any(x.missing < x.rows for x in m)}
    return found


def _check_series(
    table: CheckedTable, column: str, series: str, months: list[MissingMonth]
) -> Iterator[TableFinding]:
    rows, missing = sum(m.rows for m in months), sum(m.missing for m in months)
    if not missing or rows < LEAST_ROWS:
        return
    declared = table.source.contract.column(column)
    later = declared is not None and declared.revealed_by is not None
    worse = _worse_months(months[:-2] if later else months)
    if worse:
        yield _since(table, column, series, worse, months)
    elif missing / rows >= SOME and not later and column not in OFTEN_EMPTY:
        yield _share(table, column, series, missing, rows)


def _worse_months(months: list[MissingMonth]) -> list[MissingMonth]:
    """The months with clearly more missing values than the best quarter of the months."""
    large = [m for m in months if m.rows >= LEAST_ROWS]
    if len(large) < 2:
        return []
    usual = float(np.quantile([m.share for m in large], 0.25))
    return [m for m in large if m.share >= usual + RISE]


def _share(table: CheckedTable, column: str, series: str, missing: int, rows: int) -> TableFinding:
    severity: Severity = "warning" if missing / rows >= MANY else "advice"
    return TableFinding(
        table.name, column, "missing", severity, missing, rows,
        f"missing in {missing / rows:.1%} of {_rows_of(table, series)}",
        "import it where the source has it; the models can handle missing values",
        {"series": series, "share": round(missing / rows, 4)},
    )  # fmt: skip


def _since(
    table: CheckedTable,
    column: str,
    series: str,
    worse: list[MissingMonth],
    months: list[MissingMonth],
) -> TableFinding:
    rows, missing = sum(m.rows for m in worse), sum(m.missing for m in worse)
    others = [m for m in months if m not in worse]
    before = sum(m.missing for m in others) / max(sum(m.rows for m in others), 1)
    figures: dict[str, Any] = {
        "series": series,
        "months": [m.month for m in worse],
        "share_then": round(missing / rows, 4),
        "share_else": round(before, 4),
    }
    until = worse[-1].month == months[-1].month
    when = f"since {worse[0].month}" if until else f"in {worse[0].month} to {worse[-1].month}"
    if len(worse) == 1 and not until:
        when = f"in {worse[0].month}"
    if until and missing == rows:
        figures["last_value"] = last = _last_value(table, column, series)
        when += f" (last value {last})"
    return TableFinding(
        table.name, column, "missing since", "warning", missing, rows,
        f"{when} {missing / rows:.0%} of {_rows_of(table, series)} have no value, "
        f"{before:.0%} in the other months",
        "find out what changed in the source then, and import the values again",
        figures,
    )  # fmt: skip


def _last_value(table: CheckedTable, column: str, series: str) -> str:
    filled = f"{quote_identifier('has_' + column)} > 0"
    return str(
        table.connection.execute(
            f"select strftime(max(local), '%Y-%m-%d') from slots_{table.name} "
            f"where series = ? and {filled}",
            [series],
        ).fetchall()[0][0]
    )


def _rows_of(table: CheckedTable, series: str) -> str:
    return f"the rows of kind {series}" if series else "the rows"


def _check_attributes(table: CheckedTable) -> Iterator[TableFinding]:
    attributes = list(table.source.attributes)
    if not attributes:
        return
    counts_sql = ", ".join(f"count({quote_identifier(a)})" for a in attributes)
    counted = table.query_row(f"select {counts_sql} from {table.view}")
    for attribute, filled in zip(attributes, counted, strict=True):
        missing = table.rows - filled
        if 0 < missing < table.rows and missing / table.rows >= SOME:
            yield _share(table, attribute, "", missing, table.rows)
