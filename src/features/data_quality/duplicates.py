"""Checks for duplicate rows: equal in every column, equal in their key, or repeated in the sources."""

from collections.abc import Iterator

import duckdb

from features.config.table_mapping import TableMapping
from features.data_quality.checked_table import CheckedTable
from features.data_quality.finding import TableFinding

#: Columns that identify a row: two rows equal in all of them are probably one.
KEYS = {
    "events": ("customer_id", "occurred_at", "kind", "amount"),
    "surveys": ("customer_id", "sent_at", "instrument", "dimension"),
    "tickets": ("customer_id", "opened_at", "kind"),
}


def check_duplicates(table: CheckedTable) -> Iterator[TableFinding]:
    """Rows equal in every contract column, and rows equal only in their key."""
    if table.name not in KEYS:
        return  # the contract already forbids two versions of one customer at the same time
    key = KEYS[table.name]
    rows, examples = _repeated(table, "hash(whole_row)", key[:2])
    if rows:
        yield TableFinding(
            table.name, "", "duplicates", "warning", rows, table.rows,
            f"{rows:,} rows are equal to another one in every column{_example(examples)}",
            f'set duplicates = "remove" under tables.{table.name} (the row audit counts them), or '
            "keep them if identical rows can be genuine",
            {"examples": examples},
        )  # fmt: skip
    alike, examples = _repeated(table, f"hash({', '.join(key)})", key[:2])
    if alike > rows:
        yield TableFinding(
            table.name, key[1], "same key", "advice", alike - rows, table.rows,
            f"{alike - rows:,} more rows share {', '.join(key)} with another one{_example(examples)}",
            "check whether the source repeats rows with small differences, such as corrections",
            {"key": list(key), "examples": examples},
        )  # fmt: skip


def _repeated(table: CheckedTable, mixed: str, key: tuple[str, ...]) -> tuple[int, list[list[str]]]:
    """The number of rows beyond the first of each hash, and key and time of two of them."""
    table.connection.execute(
        f"create or replace temp table repeated as select {mixed} as h, count(*) - 1 as more, "
        f"min({key[0]}) as who, min(epoch_us({key[1]})) as moment from {table.view} whole_row "
        "group by 1 having count(*) > 1"
    )
    rows = table.query_row("select coalesce(sum(more), 0)::bigint from repeated")[0]
    found = table.query("select who, moment from repeated order by more desc, 1, 2 limit 2")
    table.connection.execute("drop table repeated")
    return int(rows), [[who, f"{table.local_time(t):%Y-%m-%d %H:%M:%S}"] for who, t in found]


def _example(examples: list[list[str]]) -> str:
    return f", such as {examples[0][0]} at {examples[0][1]}" if examples else ""


def check_duplicates_in_sources(
    con: duckdb.DuckDBPyConnection, name: str, mapping: TableMapping
) -> Iterator[TableFinding]:
    """Rows that a source of a table's query repeats, or that two of its sources share.

    Needs the views that `read_table` creates for the sources. Tables without a query are covered by
    `check_duplicates`.
    """
    if name == "customers" or mapping.query is None:
        return
    sources = [*mapping.file_sources, *mapping.queries]
    columns = {s: con.execute(f'describe "{s}"').fetchall() for s in sources}
    for i, source in enumerate(sources):
        rows, distinct = con.execute(
            f'select count(*), count(distinct hash(whole_row)) from "{source}" whole_row'
        ).fetchall()[0]
        if rows > distinct:
            yield _repeats(name, source, rows - distinct, rows, mapping.duplicates == "remove")
        for other in sources[i + 1 :]:
            if columns[source] == columns[other]:
                yield from _shared(con, name, source, other)


def _repeats(name: str, source: str, more: int, rows: int, removed: bool) -> TableFinding:
    return TableFinding(
        name, "", "duplicates in the files", "advice" if removed else "warning", more, rows,
        f"{more:,} of {rows:,} rows of {source} are equal to another one in every column",
        f"if the query of tables.{name} does not remove them, let it read (select distinct * from "
        f"{source})",
        {"source": source},
    )  # fmt: skip


def _shared(
    con: duckdb.DuckDBPyConnection, name: str, source: str, other: str
) -> Iterator[TableFinding]:
    shared, rows = con.execute(
        f'select count(*) filter (h in (select hash(whole_row) from "{source}" whole_row)), count(*) '
        f'from (select hash(whole_row) as h from "{other}" whole_row)'
    ).fetchall()[0]
    if shared:
        yield TableFinding(
            name, "", "duplicates in the files", "warning", shared, rows,
            f"{shared:,} of {rows:,} rows of {other} are also in {source}",
            f"let the query of tables.{name} read them from only one of the two",
            {"source": other, "also_in": source},
        )  # fmt: skip
